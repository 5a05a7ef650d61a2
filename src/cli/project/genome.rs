//! `persea project genome`.

use std::path::PathBuf;

use anyhow::bail;
use clap::ValueEnum;
use persea::genome::{GenomeAxis, Interval, Resolution, read_bed};
use persea::model::{GenomeRows, TrainedModel};
use persea::projection::{GenomeChoice, Where, genome_points};
use persea::search::Class;
use serde_json::json;

use super::super::one_of::one_of_these;
use super::super::{Common, Misuse};
use super::Layout;

/// Project genome positions
///
/// The default is a uniform sample of 10,000 unmasked positions that the model covers.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea project genome --method umap --output genome.svg\n          persea project genome --class promoter,enhancer --balance --method umap --output classes.png\n          persea project genome --around chr1:151,200,000 --resolution 250bp --sample all\n          persea project genome --bed labelled.bed --output labelled.svg"
)]
pub struct Arguments {
    #[command(flatten)]
    layout: Layout,
    /// What a point is: a bin with its factors at all three widths, or a row of one width
    #[arg(long, alias = "scale", value_enum, default_value_t = PointWidth::Embedding)]
    resolution: PointWidth,
    /// Number of points, sampled uniformly; or `all`
    #[arg(long, default_value = "10000", value_name = "N|all", value_parser = sample)]
    sample: Sample,
    /// Use only this locus: chr1:1,000,000-1,200,000, or a position extended by --reach
    #[arg(long, value_name = "LOCUS", conflicts_with = "bed")]
    around: Option<String>,
    /// Extension of a position on either side, in bp
    #[arg(
        long,
        value_name = "BP",
        default_value_t = 250_000,
        requires = "around"
    )]
    reach: u64,
    /// BED file: use the middle of each interval, labelled by the fourth column
    #[arg(long, value_name = "FILE")]
    bed: Option<PathBuf>,
    /// Use only positions of these classes
    #[arg(long, value_parser = one_of_these(LAYERS), value_name = "CLASS,…", value_delimiter = ',')]
    class: Vec<Class>,
    /// Use the same number of positions of each class
    #[arg(long, conflicts_with = "bed")]
    balance: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PointWidth {
    /// 25 bp bins with their factors at 25 bp, 250 bp and 5 kbp, side by side
    Embedding,
    /// 25 bp
    #[value(name = "25bp")]
    Bp25,
    /// 250 bp
    #[value(name = "250bp")]
    Bp250,
    /// 5 kbp
    #[value(name = "5kbp")]
    Kbp5,
}

/// The classes of which points are drawn. A position belongs to the first class in which it lies.
const LAYERS: [Class; 4] = [
    Class::Promoter,
    Class::Enhancer,
    Class::Gene,
    Class::Intergenic,
];

#[derive(Debug, Clone, Copy)]
struct Sample(Option<u64>);

fn sample(text: &str) -> Result<Sample, String> {
    match text {
        "all" => Ok(Sample(None)),
        number => match number.replace([',', '_'], "").parse() {
            Ok(n) if n > 0 => Ok(Sample(Some(n))),
            _ => Err("write a number of points above 0, or all".into()),
        },
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<()> {
    arguments.layout.check()?;
    let database = common.open()?;
    let model = TrainedModel::open_embedding(&database, arguments.layout.model.as_deref())?;
    let at = place(&arguments, model.axis())?;
    let rows = match arguments.resolution {
        PointWidth::Embedding => GenomeRows::Embedding,
        PointWidth::Bp25 => GenomeRows::Resolution(Resolution::Bp25),
        PointWidth::Bp250 => GenomeRows::Resolution(Resolution::Bp250),
        PointWidth::Kbp5 => GenomeRows::Resolution(Resolution::Kbp5),
    };
    let choice = GenomeChoice {
        rows,
        at,
        classes: arguments.class.clone(),
        is_balanced: arguments.balance,
        sample: arguments.sample.0,
        seed: arguments.layout.seed,
    };
    let points = genome_points(&database, &model, &choice)?;
    let classes: Vec<&str> = choice.classes.iter().map(|c| c.name()).collect();
    let settings = json!({
        "resolution": arguments.resolution.to_possible_value().map(|v| v.get_name().to_string()),
        "sample": choice.sample,
        "around": arguments.around,
        "bed": arguments.bed,
        "classes": classes,
        "balanced": choice.is_balanced,
    });
    arguments
        .layout
        .run("genome", &database, &model, points, settings, common)
}

fn place(arguments: &Arguments, axis: &GenomeAxis) -> anyhow::Result<Where> {
    if let Some(locus) = &arguments.around {
        let interval = Interval::parse_browser(locus).map_err(|e| Misuse(e.to_string()))?;
        let mut interval = axis.assembly().resolve_interval(&interval)?;
        if interval.len() == 1 {
            interval.start = interval.start.saturating_sub(arguments.reach);
            interval.end = interval.end.saturating_add(arguments.reach);
        }
        return Ok(Where::Within(vec![interval]));
    }
    let Some(path) = &arguments.bed else {
        return Ok(Where::Everywhere);
    };
    let lines = read_bed(path, axis.assembly())?;
    if lines.is_empty() {
        bail!("{}: no position in this file", path.display());
    }
    let labelled = lines.into_iter().map(|(interval, rest)| {
        let label = rest.first().filter(|l| !l.is_empty());
        (
            interval,
            label.cloned().unwrap_or_else(|| "not labelled".into()),
        )
    });
    Ok(Where::Labelled(labelled.collect()))
}
