//! `persea plot`.

mod gallery;
mod locus;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use persea::compendium::Experiment;
use persea::genome::Interval;
use persea::model::{NamedAxis, TrainedModel};
use persea::plot::{
    TrackChoice, coverage_figure, factor_figure, projection_cloud, selection_curve,
    similarity_figure, stored_selection_figure, tracks_figure, training_chart,
};
use persea::projection::Projection;
use persea::store::{Database, StoreError};

use super::figure::{FigureArguments, check_ending};
use super::names::Known;
use super::one_of::one_of;
use super::output::print_line;
use super::{Common, Misuse};

/// Plot figures of a database as .svg, .png or .pdf.
///
/// The file name decides the format. The palette is safe for colour-blind readers; --theme dark suits
/// dark notebooks.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea plot tracks VPS72 --tracks E003:H3K36me3 --output locus.svg\n          persea plot coverage --output coverage.png --dpi 300\n          persea plot projection genome-umap --colour annotation --output genome.pdf\n          persea plot gallery --output figures"
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Plot observed, imputed and average tracks along a region
    #[command(
        after_help = "Examples: persea plot tracks chr1:151,150,000-151,250,000 --tracks E003:H3K36me3,E017:H3K27me3 --output locus.svg\n          persea plot tracks VPS72 --assay H3K4me3 --output VPS72.png"
    )]
    Tracks {
        /// Region: chr1:1,000,000-1,100,000 (1-based, inclusive), or a gene
        locus: String,
        /// Experiments to plot, measured or not
        #[arg(long, value_name = "BIOSAMPLE:ASSAY,…", num_args = 1)]
        tracks: Vec<String>,
        /// Plot this assay in every biosample
        #[arg(long, conflicts_with = "tracks")]
        assay: Option<String>,
        /// Plot every assay in this biosample
        #[arg(long, conflicts_with_all = ["tracks", "assay"])]
        biosample: Option<String>,
        /// Rows to plot for each experiment
        #[arg(
            long,
            value_enum,
            value_delimiter = ',',
            default_value = "observed,imputed,average"
        )]
        rows: Vec<RowKind>,
        /// Margin on either side of a gene, in bp
        #[arg(long, default_value_t = 20_000, value_name = "BP")]
        flank: u64,
        #[command(flatten)]
        target: Target,
    },
    /// Plot a model's genome factors along a region
    #[command(
        after_help = "Example: persea plot factors chr1:151,150,000-151,250,000 --output factors.svg"
    )]
    Factors {
        /// Region: chr1:1,000,000-1,100,000 (1-based, inclusive), or a gene
        locus: String,
        /// Margin on either side of a gene, in bp
        #[arg(long, default_value_t = 20_000, value_name = "BP")]
        flank: u64,
        #[command(flatten)]
        target: Target,
    },
    /// Plot a stored projection
    #[command(
        after_help = "Example: persea plot projection biosamples-pca --colour anatomy --output biosamples.svg"
    )]
    Projection {
        /// Name of the projection; see `persea project list`
        name: String,
        /// Column of labels or metadata used to colour the points
        #[arg(long, alias = "color", value_name = "COLUMN")]
        colour: Option<String>,
        /// Output file: .svg, .png or .pdf
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        figure: FigureArguments,
    },
    /// Plot the similarity of a model's biosamples or assays, with a tree
    #[command(after_help = "Example: persea plot similarity biosamples --output similarity.svg")]
    Similarity {
        /// What to compare
        #[arg(value_parser = one_of::<NamedAxis>(), default_value_t = NamedAxis::Biosamples)]
        axis: NamedAxis,
        /// Column of metadata shown in the strip beside the matrix
        #[arg(long, alias = "color", value_name = "COLUMN")]
        colour: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Plot which experiments were measured and which the model was trained on
    #[command(after_help = "Example: persea plot coverage --output coverage.svg")]
    Coverage {
        #[command(flatten)]
        target: Target,
    },
    /// Plot a stored selection: coverage against the number chosen
    #[command(after_help = "Example: persea plot selection 1 --output curve.svg")]
    Selection {
        /// Number of the selection; see `persea select list`
        id: i64,
        /// Output file: .svg, .png or .pdf
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        figure: FigureArguments,
    },
    /// Plot a model's losses, pass by pass
    #[command(after_help = "Example: persea plot loss --model fold0 --output loss.svg")]
    Loss {
        #[command(flatten)]
        target: Target,
    },
    Gallery(gallery::Arguments),
}

/// Output of a figure of a model.
#[derive(Debug, clap::Args)]
pub struct Target {
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Output file: .svg, .png or .pdf
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    figure: FigureArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RowKind {
    /// Observed signal
    Observed,
    /// Imputed signal
    Imputed,
    /// Average activity: mean of the assay over the other biosamples
    Average,
}

impl Target {
    fn write(&self, svg: &str) -> anyhow::Result<()> {
        write(&self.figure, svg, &self.output)
    }
}

fn write(figure: &FigureArguments, svg: &str, path: &Path) -> anyhow::Result<()> {
    figure.write(svg, path)?;
    Ok(print_line(path.display())?)
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Action::Tracks {
            locus,
            tracks,
            assay,
            biosample,
            rows,
            flank,
            target,
        } => {
            check_ending(&target.output)?;
            let database = common.open()?;
            let model = TrainedModel::open_if_any(&database, target.model.as_deref())?;
            let region = locus::region(&database, &locus, flank)?;
            let experiments = match (&assay, &biosample) {
                (None, None) if tracks.is_empty() => locus::usual(&database, model.as_ref())?,
                (None, None) => named(&database, model.as_ref(), &tracks)?,
                _ => {
                    let known = Known::of(&database)?;
                    let biosample = biosample.map(|b| known.biosample(&b)).transpose()?;
                    locus::all_of(
                        &database,
                        model.as_ref(),
                        biosample.as_deref(),
                        assay.as_deref(),
                    )?
                }
            };
            let choice = TrackChoice {
                observed: rows.contains(&RowKind::Observed),
                imputed: rows.contains(&RowKind::Imputed),
                average: rows.contains(&RowKind::Average),
            };
            let figure = tracks_figure(&database, model.as_ref(), &experiments, &region, choice)?;
            target.write(&figure.svg(target.figure.theme()))?;
        }
        Action::Factors {
            locus,
            flank,
            target,
        } => {
            check_ending(&target.output)?;
            let database = common.open()?;
            let model = TrainedModel::open_embedding(&database, target.model.as_deref())?;
            let region = locus::region(&database, &locus, flank)?;
            let figure = factor_figure(&database, &model, &region)?;
            target.write(&figure.svg(target.figure.theme()))?;
        }
        Action::Projection {
            name,
            colour,
            output,
            figure,
        } => {
            check_ending(&output)?;
            let database = common.open()?;
            let projection = Projection::open(&database, &name)?;
            let cloud = projection_cloud(&projection, colour.as_deref())
                .map_err(|e| Misuse(e.to_string()))?;
            write(&figure, &cloud.svg(figure.theme()), &output)?;
        }
        Action::Similarity {
            axis,
            colour,
            target,
        } => {
            check_ending(&target.output)?;
            let database = common.open()?;
            let model = TrainedModel::open(&database, target.model.as_deref())?;
            let figure = similarity_figure(&database, &model, axis, colour.as_deref())?;
            target.write(&figure.svg(target.figure.theme()))?;
        }
        Action::Coverage { target } => {
            check_ending(&target.output)?;
            let database = common.open()?;
            let model = TrainedModel::open_if_any(&database, target.model.as_deref())?;
            let figure = coverage_figure(&database, model.as_ref().map(TrainedModel::stored))?;
            target.write(&figure.svg(target.figure.theme()))?;
        }
        Action::Loss { target } => {
            check_ending(&target.output)?;
            let database = common.open()?;
            let model = database.read_model(target.model.as_deref())?;
            target.write(&training_chart(&model)?.svg(target.figure.theme()))?;
        }
        Action::Selection { id, output, figure } => {
            check_ending(&output)?;
            let selection = common.open()?.selection(id)?;
            let curve = stored_selection_figure(&selection)?;
            write(&figure, &selection_curve(&curve), &output)?;
        }
        Action::Gallery(arguments) => gallery::run(arguments, common)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Experiments by name, measured or known to the model.
fn named(
    database: &Database,
    model: Option<&TrainedModel>,
    list: &[String],
) -> anyhow::Result<Vec<Experiment>> {
    let mut experiments = Vec::new();
    for (biosample, assay) in Known::of(database)?.pairs(list)? {
        let is_known =
            model.is_some_and(|m| m.biosample(&biosample).is_ok() && m.assay(&assay).is_ok());
        if !is_known && database.track(&biosample, &assay)?.is_none() {
            let tracks = database.tracks()?;
            let all: Vec<String> = tracks
                .iter()
                .map(|t| format!("{}:{}", t.biosample, t.assay))
                .collect();
            let name = format!("{biosample}:{assay}");
            return Err(
                StoreError::unknown("experiment", &name, all.iter().map(String::as_str)).into(),
            );
        }
        experiments.push(Experiment { biosample, assay });
    }
    Ok(experiments)
}

/// A region as figures' names write it.
fn slug(region: &Interval) -> String {
    format!("{}-{}-{}", region.chrom, region.start + 1, region.end)
}
