//! `persea locus scan`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::genome::TssIndex;
use persea::loci::{
    CompletedCompendium, ScanOptions, Scanned, ScannedLocus, promoters, read_sites, scan,
};
use serde_json::{Value, json};

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
    #[command(flatten)]
    matching: Matching,
    #[command(flatten)]
    from: Origin,
}

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
    let compared = found.loci.iter().filter(|l| l.most.is_some());
    for (rank, locus) in compared.take(arguments.k).enumerate() {
        let shown: Vec<usize> = match arguments.each {
            true => (0..found.experiments.len()).collect(),
            false => locus.most.into_iter().collect(),
        };
        for b in shown {
            let d = locus.departures[b].as_ref();
            let [gene, distance] = nearest(locus);
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
