//! `persea locus scan`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::formats::{BedRow, BedSchema};
use persea::genome::TssIndex;
use persea::loci::{
    CompletedCompendium, ScanOptions, Scanned, ScannedLocus, promoters, read_sites, scan,
};
use serde_json::{Value, json};

use super::super::bed;
use super::super::output::{Table, grouped, measure};
use super::super::{Common, Misuse, progress};
use super::{Matching, Origin};

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "persea locus scan [OPTIONS] --assay <ASSAY> <LOCI.bed|--promoters>",
    after_help = "Example: persea locus scan --promoters --assay H3K4me3 -k 20\n         persea locus scan enhancers.bed --assay H3K4me1 --each --format tsv"
)]
pub struct Scan {
    /// BED or VCF file of loci
    #[arg(
        value_name = "LOCI.bed",
        required_unless_present = "promoters",
        conflicts_with = "promoters"
    )]
    loci: Option<PathBuf>,
    /// Use the promoters of all genes: 1 kb on either side of the TSS
    #[arg(long)]
    promoters: bool,
    /// Assay to compare
    #[arg(long)]
    assay: String,
    /// Number of loci to print
    #[arg(short, long, default_value_t = 50)]
    k: usize,
    /// Print every biosample at each locus, not only the one with the largest departure
    #[arg(long)]
    each: bool,
    /// Also write the printed rows to a BED file, or with all columns to a bigBed (.bb); the score is ten times
    /// the percentile
    #[arg(long, value_name = "FILE")]
    bed: Option<PathBuf>,
    #[command(flatten)]
    matching: Matching,
    #[command(flatten)]
    from: Origin,
}

/// The columns of a bigBed after BED's own six.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("uint", "rank", "Rank of the locus"),
    ("string", "locus", "Name of the locus"),
    ("string", "source", "measured or imputed"),
    ("double", "signal", "Signal, arcsinh"),
    (
        "double",
        "average",
        "Average of the other biosamples, arcsinh",
    ),
    ("double", "departure", "Signal minus average, arcsinh"),
    (
        "string",
        "z",
        "Departure in standard deviations at matched loci",
    ),
    (
        "string",
        "percentile",
        "Share of candidates whose departure is less extreme, in percent",
    ),
    ("string", "gene", "Gene of the nearest TSS"),
    ("string", "tssDistance", "Distance to that TSS in bp"),
];

pub fn run(arguments: Scan, common: &Common) -> anyhow::Result<ExitCode> {
    if arguments.k == 0 {
        return Err(Misuse("-k is 0; ask for at least one locus".into()).into());
    }
    let database = common.open()?;
    let compendium = CompletedCompendium::open(
        &database,
        arguments.from.model.as_deref(),
        arguments.from.measured_only,
    )?;
    let genes = database.genes()?;
    let sites = match &arguments.loci {
        Some(path) => read_sites(path, compendium.axis().assembly())?,
        None => promoters(compendium.axis(), &genes)?,
    };
    let options = ScanOptions {
        matching: arguments.matching.options(),
    };
    let bar = progress::bar(0, "reading {wide_bar} {percent}% {elapsed} left {eta}");
    let found = scan(
        &compendium,
        &arguments.assay,
        &sites,
        &options,
        &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        },
    )?;
    bar.finish_and_clear();
    let starts = TssIndex::new(&genes);
    let nearest = |locus: &ScannedLocus| {
        let i = &locus.site.interval;
        let near = starts.nearest(&i.chrom, i.start + i.len() / 2);
        near.map_or([Value::Null, Value::Null], |n| {
            [json!(genes[n.gene].name), json!(n.distance)]
        })
    };
    let mut table = Table::new(&[
        "rank",
        "chrom",
        "start",
        "end",
        "name",
        "biosample",
        "source",
        "signal",
        "average",
        "departure",
        "z",
        "percentile",
        "n_matched",
        "n_effective",
        "gene",
        "tss_distance",
    ]);
    let mut rows = Vec::new();
    let compared = found.loci.iter().filter(|l| l.most.is_some());
    for (rank, locus) in compared.take(arguments.k).enumerate() {
        let shown: Vec<usize> = match arguments.each {
            true => (0..found.experiments.len()).collect(),
            false => locus.most.into_iter().collect(),
        };
        for b in shown {
            let d = locus.departures[b].as_ref();
            let [gene, distance] = nearest(locus);
            if let (Some(_), Some(d)) = (&arguments.bed, d) {
                let experiment = &found.experiments[b];
                let text = |value: &Value| match value {
                    Value::String(text) => text.clone(),
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                let share = |p: f64| bed::number(100.0 * (1.0 - p));
                let biosample = &experiment.experiment.biosample;
                rows.push(BedRow {
                    interval: locus.site.interval.clone(),
                    fields: vec![
                        biosample.clone(),
                        (d.p.map_or(0.0, |p| 1_000.0 * (1.0 - p)).round()).to_string(),
                        ".".into(),
                        (rank + 1).to_string(),
                        locus.site.name.clone().unwrap_or_default(),
                        experiment.source.name().into(),
                        bed::number(d.signal),
                        bed::number(d.average),
                        bed::number(d.departure()),
                        d.z.map_or_else(String::new, bed::number),
                        d.p.map_or_else(String::new, share),
                        text(&gene),
                        text(&distance),
                    ],
                });
            }
            table.row(vec![
                json!(rank + 1),
                json!(locus.site.interval.chrom),
                json!(locus.site.interval.start),
                json!(locus.site.interval.end),
                json!(locus.site.name),
                json!(found.experiments[b].experiment.biosample),
                json!(found.experiments[b].source.name()),
                measure(d.map(|d| d.signal)),
                measure(d.map(|d| d.average)),
                measure(d.map(|d| d.departure())),
                measure(d.and_then(|d| d.z)),
                measure(d.and_then(|d| d.p).map(|p| 100.0 * (1.0 - p))),
                json!(d.map(|d| d.n_matched)),
                measure(d.map(|d| d.n_effective)),
                gene,
                distance,
            ]);
        }
    }
    if let Some(path) = &arguments.bed {
        let about = format!("Departures of biosamples in {}", arguments.assay);
        let schema = BedSchema {
            table: "locusScan",
            about: &format!("{about} (persea locus scan)"),
            n_standard: 6,
            more: COLUMNS,
        };
        bed::write(path, compendium.axis().assembly(), &schema, rows)?;
    }
    table.print(common.format)?;
    tell(&found);
    Ok(ExitCode::SUCCESS)
}

fn tell(found: &Scanned) {
    let compared = found.loci.len() - found.n_left_out;
    eprintln!(
        "{} loci compared; {} left out (not covered, masked, or of an activity that too few candidates \
         have)",
        grouped(compared as u64),
        grouped(found.n_left_out as u64)
    );
    eprintln!(
        "percentile: the share of candidates of that activity whose departure is less extreme. This is a \
         ranking; it has no false discovery rate"
    );
    let widths: Vec<String> = (found.n_candidates.iter())
        .map(|(width, n)| format!("{n} of {} bp", width * persea::genome::BIN_BP))
        .collect();
    eprintln!(
        "matched in {} among {}",
        found.matched_in,
        widths.join(", ")
    );
}
