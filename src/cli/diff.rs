//! `persea diff`.

mod databases;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use persea::formats::{BedRow, BedSchema};
use persea::genome::TssIndex;
use persea::loci::{CompletedCompendium, DiffOptions, differences};
use serde_json::{Value, json};

use super::bed;
use super::locus::Origin;
use super::names::Known;
use super::output::{Format, Table, grouped, measure, print_json};
use super::{Common, progress};

/// Find where two biosamples differ in an assay.
///
/// Prints regions with effect sizes (arcsinh, corrected for the tracks' scales), the most unusual first.
/// This is a ranking. Without replicates no p-value or error rate can be given, and nothing is said about
/// reproducibility.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "persea diff [OPTIONS] --assay <ASSAY> <FIRST> <SECOND>\n       persea diff databases <A> <B>",
    after_help = "Examples: persea diff E003 E017 --assay H3K4me3 --min-effect 1 --bed differs.bed\n          persea diff databases merged.persea single.persea"
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    biosamples: Biosamples,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Compare two databases: rows, arrays and factors
    Databases(databases::Databases),
}

/// Two biosamples to compare.
#[derive(Debug, clap::Args)]
struct Biosamples {
    /// First biosample
    #[arg(required = true)]
    first: Option<String>,
    /// Second biosample
    #[arg(required = true)]
    second: Option<String>,
    /// Assay to compare
    #[arg(long, required = true)]
    assay: Option<String>,
    /// Length of a window in bp
    #[arg(long, value_name = "BP", default_value_t = 1_000)]
    window: u64,
    /// Smallest |z| of a window that differs: its effect in robust standard deviations of windows of the
    /// same level
    #[arg(long, default_value_t = 4.0)]
    min_z: f64,
    /// Smallest effect of a window that differs
    #[arg(long, value_name = "ARCSINH", default_value_t = 0.5)]
    min_effect: f64,
    /// Largest number of windows between two windows of one region
    #[arg(long, value_name = "N", default_value_t = 1)]
    gap: usize,
    /// Compare an unmeasured biosample by its imputation
    #[arg(long)]
    count_imputed: bool,
    /// Number of regions to print
    #[arg(short, long, default_value_t = 50)]
    k: usize,
    /// Write all regions to a BED file, or with all columns to a bigBed (.bb); the score is 100 |z|, at most
    /// 1,000
    #[arg(long, value_name = "FILE")]
    bed: Option<PathBuf>,
    #[command(flatten)]
    from: Origin,
}

/// Colours of regions in a bigBed: more in the first, and in the second.
const MORE: &str = "213,94,0";
const LESS: &str = "0,114,178";

/// The columns of a bigBed after BED's own nine.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("uint", "nWindows", "Windows of the region"),
    ("double", "first", "Signal of the first biosample, arcsinh"),
    (
        "double",
        "second",
        "Signal of the second biosample, arcsinh",
    ),
    (
        "double",
        "effect",
        "Effect, arcsinh, corrected for the scales of the tracks",
    ),
    (
        "double",
        "z",
        "Effect in robust standard deviations of windows of its level",
    ),
    (
        "double",
        "rarity",
        "How unusual the region is; regions are ranked by it",
    ),
];

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Some(Action::Databases(databases)) => databases::run(databases, common),
        None => compare(arguments.biosamples, common),
    }
}

fn compare(arguments: Biosamples, common: &Common) -> anyhow::Result<ExitCode> {
    let (Some(first), Some(second), Some(assay)) =
        (&arguments.first, &arguments.second, &arguments.assay)
    else {
        return Err(super::Misuse(
            "which biosamples, and which assay? persea diff E003 E017 --assay H3K4me3".into(),
        )
        .into());
    };
    let database = common.open()?;
    let compendium = CompletedCompendium::open(
        &database,
        arguments.from.model.as_deref(),
        arguments.from.measured_only,
    )?;
    let options = DiffOptions {
        window: arguments.window,
        min_z: arguments.min_z,
        min_effect: arguments.min_effect,
        gap: arguments.gap,
        count_imputed: arguments.count_imputed,
    };
    let bar = progress::bar(0, "reading {wide_bar} {percent}% {elapsed} left {eta}");
    let known = Known::of(&database)?;
    let (first, second) = (&known.biosample(first)?, &known.biosample(second)?);
    let found = differences(
        &compendium,
        first,
        second,
        assay,
        &options,
        &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        },
    )?;
    bar.finish_and_clear();
    if let Some(path) = &arguments.bed {
        let rows = (found.regions.iter())
            .map(|region| {
                let more = if region.effect > 0.0 { first } else { second };
                let score = (100.0 * region.z.abs()).min(1_000.0).round();
                let colour = if region.effect > 0.0 { MORE } else { LESS };
                BedRow {
                    interval: region.interval.clone(),
                    fields: vec![
                        more.clone(),
                        score.to_string(),
                        ".".into(),
                        region.interval.start.to_string(),
                        region.interval.end.to_string(),
                        colour.into(),
                        region.n_windows.to_string(),
                        bed::number(region.first),
                        bed::number(region.second),
                        bed::number(region.effect),
                        bed::number(region.z),
                        bed::number(region.rarity),
                    ],
                }
            })
            .collect();
        let about = format!("Where {first} and {second} differ in {assay} (persea diff)");
        let schema = BedSchema {
            table: "diff",
            about: &about,
            n_standard: 9,
            more: COLUMNS,
        };
        bed::write(path, compendium.axis().assembly(), &schema, rows)?;
    }
    let genes = database.genes()?;
    let starts = TssIndex::new(&genes);
    let mut table = Table::new(&[
        "rank",
        "chrom",
        "start",
        "end",
        "more_in",
        "n_windows",
        first.as_str(),
        second.as_str(),
        "effect",
        "z",
        "rarity",
        "gene",
        "tss_distance",
    ]);
    let mut regions: Vec<Value> = Vec::new();
    for (rank, region) in found.regions.iter().take(arguments.k).enumerate() {
        let i = &region.interval;
        let near = starts.nearest(&i.chrom, i.start + i.len() / 2);
        let gene = near.map_or(Value::Null, |n| json!(genes[n.gene].name));
        let distance = near.map_or(Value::Null, |n| json!(n.distance));
        let more = if region.effect > 0.0 { first } else { second };
        regions.push(json!({
            "chrom": i.chrom, "start": i.start, "end": i.end, "more_in": more,
            "n_windows": region.n_windows, "first": region.first, "second": region.second,
            "effect": region.effect, "z": region.z, "rarity": region.rarity,
            "gene": gene, "tss_distance": distance,
        }));
        table.row(vec![
            json!(rank + 1),
            json!(i.chrom),
            json!(i.start),
            json!(i.end),
            json!(more),
            json!(region.n_windows),
            measure(Some(region.first)),
            measure(Some(region.second)),
            measure(Some(region.effect)),
            measure(Some(region.z)),
            measure(Some(region.rarity)),
            gene,
            distance,
        ]);
    }
    if common.format == Format::Json {
        print_json(&json!({
            "assay": assay, "window_bp": arguments.window,
            "first": { "biosample": first, "source": found.first.source.name() },
            "second": { "biosample": second, "source": found.second.source.name() },
            "n_windows": found.n_windows, "n_different": found.n_different,
            "n_regions": found.regions.len(), "beyond_1.96": found.beyond,
            "correlation": found.correlation, "regions": regions,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    table.print(common.format)?;
    eprintln!(
        "{first} ({}) and {second} ({}): {} of {} windows differ, in {} regions; {:.1} % lie beyond \
         z ±1.96, where a normal distribution has 5 %",
        found.first.source.name(),
        found.second.source.name(),
        grouped(found.n_different as u64),
        grouped(found.n_windows as u64),
        grouped(found.regions.len() as u64),
        100.0 * found.beyond
    );
    if found.first.source != found.second.source {
        eprintln!(
            "one track is imputed: differences may be errors of the imputation, which underestimates peaks"
        );
    }
    Ok(ExitCode::SUCCESS)
}
