//! `persea annotate`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use persea::compendium::Experiment;
use persea::formats::{TableFormat, write_table};
use persea::loci::{
    AnnotatedSite, CompletedCompendium, EnrichmentOptions, MatchOptions, Site, SiteEmbeddings,
    SourcedExperiment, annotate, enrichment, experiments_of, read_sites,
};
use serde_json::{Value, json};

use super::locus::Origin;
use super::names::Known;
use super::output::{Format, Table, grouped, measure, print_json, separated};
use super::{Common, Misuse, progress};

/// Annotate the sites of a BED or VCF with signal, specificity, nearest gene and class.
///
/// Prints one row per site, assay and biosample. Signal is the mean over the site's bins (arcsinh);
/// specificity is the signal minus the mean of the other biosamples. With --enrichment, tests whether
/// the sites have more signal than matched loci; p and z resample whole blocks of the genome (--block).
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea annotate variants.vcf --assay H3K4me1,H3K4me3 --reach 100 --format tsv\n          persea annotate peaks.bed --embedding peaks.npz\n          persea annotate peaks.bed --enrichment --match width,tss,activity"
)]
pub struct Arguments {
    /// BED or VCF file, plain or gzipped
    sites: PathBuf,
    /// Assays to use; all by default
    #[arg(long, value_name = "ASSAY,…", value_delimiter = ',')]
    assay: Vec<String>,
    /// Extension of each site on either side, in bp
    #[arg(long, value_name = "BP", default_value_t = 0)]
    reach: u64,
    /// Write the sites' embeddings, the genome factors (.npz, .parquet, .tsv, .h5ad)
    #[arg(long, value_name = "FILE")]
    embedding: Option<PathBuf>,
    /// Write the network's hidden activations at the sites in each biosample
    #[arg(long, value_name = "FILE")]
    hidden: Option<PathBuf>,
    /// Test the set of sites against matched loci
    #[arg(long, conflicts_with_all = ["embedding", "hidden"])]
    enrichment: bool,
    /// Properties in which loci are matched: width (always); tss, the distance to the nearest TSS;
    /// activity, the mean over all biosamples
    #[arg(long = "match", value_name = "WHAT,…", value_delimiter = ',', default_value = "width,tss", value_parser = ["width", "tss", "activity"], requires = "enrichment")]
    matching: Vec<String>,
    /// Number of bootstrap draws of whole blocks, for z and p
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1_000,
        requires = "enrichment"
    )]
    replicates: usize,
    /// Width of a block in bp: sites within one block depend on each other; no p below ten blocks
    #[arg(
        long,
        value_name = "BP",
        default_value_t = 1_000_000,
        requires = "enrichment"
    )]
    block: u64,
    /// Approximate number of candidate loci, spread evenly over the covered regions
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10_000,
        requires = "enrichment"
    )]
    candidates: usize,
    /// Seed of the random choice of candidates and blocks
    #[arg(long, default_value_t = 0, requires = "enrichment")]
    seed: u64,
    #[command(flatten)]
    from: Origin,
}

const COLUMNS: [&str; 14] = [
    "chrom",
    "start",
    "end",
    "name",
    "gene",
    "gene_id",
    "tss_distance",
    "classes",
    "assay",
    "biosample",
    "source",
    "signal",
    "average",
    "specificity",
];

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let compendium = CompletedCompendium::open(
        &database,
        arguments.from.model.as_deref(),
        arguments.from.measured_only,
    )?;
    let sites = read_sites(&arguments.sites, compendium.axis().assembly())?;
    let assays = Known::of(&database)?.assays(&arguments.assay)?;
    let experiments = experiments_of(&compendium, &assays)?;
    if arguments.enrichment {
        return enriched(&arguments, &compendium, &experiments, &sites, common);
    }
    for (path, by_biosample) in [(&arguments.embedding, false), (&arguments.hidden, true)] {
        let Some(path) = path else {
            continue;
        };
        let Some(format) = TableFormat::guess(path) else {
            return Err(Misuse(format!(
                "{}: unknown format; end the name in .npz, .parquet, .tsv or .h5ad",
                path.display()
            ))
            .into());
        };
        let table = SiteEmbeddings::new(&compendium, &sites, by_biosample)?;
        write_table(path, format, &table, &mut |_| {})?;
    }
    let mut n_outside = 0u64;
    let mut printer = Printer::new(common.format)?;
    annotate(
        &compendium,
        &experiments,
        &sites,
        arguments.reach,
        &mut |site| {
            n_outside += u64::from(site.n_bins == 0);
            let rows = rows(&sites[site.place], &site, &experiments);
            printer.rows(rows).map_err(|source| {
                persea::store::StoreError::Io {
                    path: "stdout".into(),
                    source,
                }
                .into()
            })
        },
    )
    .or_else(|e| match printer.is_closed {
        true => Ok(()),
        false => Err(e),
    })?;
    printer.finish()?;
    if n_outside > 0 {
        eprintln!(
            "{} of {} sites are not covered, or masked",
            grouped(n_outside),
            grouped(sites.len() as u64)
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(site: &Site, found: &AnnotatedSite, experiments: &[SourcedExperiment]) -> Vec<Vec<Value>> {
    let gene = found.gene.as_ref();
    let classes: Vec<&str> = found.classes.iter().map(|c| c.name()).collect();
    let row = |(sourced, signal): (&SourcedExperiment, &persea::loci::SignalAtSite)| {
        vec![
            json!(site.interval.chrom),
            json!(site.interval.start),
            json!(site.interval.end),
            json!(site.name),
            json!(gene.map(|g| &g.name)),
            json!(gene.map(|g| &g.id)),
            json!(gene.map(|g| g.distance)),
            json!(classes.join(",")),
            json!(sourced.experiment.assay),
            json!(sourced.experiment.biosample),
            json!(sourced.source.name()),
            measure(signal.signal),
            measure(signal.average),
            measure(signal.specificity()),
        ]
    };
    experiments.iter().zip(&found.signal).map(row).collect()
}

/// Prints rows. TSV and CSV are streamed, so that memory does not grow with the list.
struct Printer {
    format: Format,
    table: Table,
    out: Option<csv::Writer<super::host::Output>>,
    is_closed: bool,
}

impl Printer {
    fn new(format: Format) -> std::io::Result<Self> {
        let delimiter = match format {
            Format::Tsv => Some(b'\t'),
            Format::Csv => Some(b','),
            _ => None,
        };
        let mut printer = Printer {
            format,
            table: Table::new(&COLUMNS),
            out: delimiter.map(|d| {
                csv::WriterBuilder::new()
                    .delimiter(d)
                    .from_writer(super::host::output())
            }),
            is_closed: false,
        };
        if let Some(out) = &mut printer.out {
            out.write_record(COLUMNS).map_err(as_io)?;
        }
        Ok(printer)
    }

    fn rows(&mut self, rows: Vec<Vec<Value>>) -> std::io::Result<()> {
        for row in rows {
            let Some(out) = &mut self.out else {
                self.table.row(row);
                continue;
            };
            let written = out.write_record(row.iter().map(separated)).map_err(as_io);
            if let Err(e) = written {
                self.is_closed = e.kind() == std::io::ErrorKind::BrokenPipe;
                return Err(e);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<()> {
        match &mut self.out {
            Some(out) if !self.is_closed => match out.flush() {
                Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                other => other,
            },
            Some(_) => Ok(()),
            None => self.table.print(self.format),
        }
    }
}

fn as_io(e: csv::Error) -> std::io::Error {
    match e.into_kind() {
        csv::ErrorKind::Io(e) => e,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

fn enriched(
    arguments: &Arguments,
    compendium: &CompletedCompendium<'_>,
    experiments: &[SourcedExperiment],
    sites: &[Site],
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let has = |what: &str| arguments.matching.iter().any(|m| m == what);
    let options = EnrichmentOptions {
        matching: MatchOptions {
            candidates: arguments.candidates,
            matched: MatchOptions::default().matched.min(arguments.candidates),
            tss: has("tss"),
            seed: arguments.seed,
            ..MatchOptions::default()
        },
        activity: has("activity"),
        replicates: arguments.replicates,
        block: arguments.block,
    };
    let bar = progress::bar(0, "reading {wide_bar} {percent}% {elapsed} left {eta}");
    let found = enrichment(
        compendium,
        experiments,
        sites,
        &options,
        &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        },
    )
    .with_context(|| arguments.sites.display().to_string())?;
    bar.finish_and_clear();
    let mut table = Table::new(&[
        "assay",
        "biosample",
        "source",
        "observed",
        "expected",
        "sd",
        "z",
        "p",
        "fdr",
    ]);
    let mut list: Vec<Value> = Vec::new();
    for e in &found.experiments {
        let Experiment { biosample, assay } = &e.experiment.experiment;
        let source = e.experiment.source.name();
        list.push(json!({
            "assay": assay, "biosample": biosample, "source": source, "observed": e.observed,
            "expected": e.expected, "sd": e.deviation, "z": e.z, "p": e.p, "fdr": e.fdr,
        }));
        table.row(vec![
            json!(assay),
            json!(biosample),
            json!(source),
            measure(Some(e.observed)),
            measure(Some(e.expected)),
            measure(e.deviation),
            measure(e.z),
            measure(e.p),
            measure(e.fdr),
        ]);
    }
    if found.experiments.iter().all(|e| e.p.is_none()) {
        eprintln!(
            "no p: the sites lie in fewer than ten blocks, which are too few independent observations"
        );
    }
    if common.format == Format::Json {
        print_json(&json!({
            "n_sites": found.n_sites, "n_left_out": found.n_left_out,
            "matched_in": found.matched_in, "replicates": found.replicates,
            "n_blocks": found.n_blocks, "experiments": list,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    table.print(common.format)?;
    eprintln!(
        "{} distinct sites ({} left out: not covered, or masked) compared with loci matched in {}; {} draws \
         of {} blocks of {} bp",
        grouped(found.n_sites as u64),
        grouped(found.n_left_out as u64),
        found.matched_in,
        grouped(found.replicates as u64),
        grouped(found.n_blocks as u64),
        grouped(arguments.block)
    );
    Ok(ExitCode::SUCCESS)
}
