//! `persea export completed`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use persea::compendium::Experiment;
use persea::formats::Format;
use persea::imputation::{
    Provenance, SignalScale, completed_tracks, write_completed_files, write_completed_zarr,
};
use persea::model::TrainedModel;
use serde_json::json;

use super::super::output::Table;
use super::super::regions::Regions;
use super::super::{Common, impute, progress};

/// Write every experiment of a model: the measured track if there is one, otherwise the imputation.
///
/// The output is a Zarr v3 group (arrays `signal`, biosample × assay × bin, and `measured`) or a folder
/// with one file per track. The group's attributes, or provenance.tsv, record the source of each track.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea export completed --region chr1:1,000,000-2,000,000 --output completed.zarr\n          persea export completed --output completed/ --as bigwig"
)]
pub struct Arguments {
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// New Zarr group (NAME.zarr), or folder for the files
    #[arg(long, short, value_name = "PATH")]
    output: PathBuf,
    /// Output format: zarr, bigwig, bedgraph, npz or npy [default: zarr if --output ends in .zarr, otherwise bigwig]
    // Its own id: every subcommand has `--format` as well, which says how results are printed.
    #[arg(id = "as", long = "as", value_name = "FORMAT", value_parser = ["zarr", "bigwig", "bedgraph", "npz", "npy"])]
    format: Option<String>,
    #[command(flatten)]
    regions: Regions,
    /// Write arcsinh values, the scale on which models are trained
    #[arg(long)]
    arcsinh: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let model = TrainedModel::open(&database, arguments.model.as_deref())?;
    let spans = arguments.regions.spans(&database, model.axis())?;
    let scale = match arguments.arcsinh {
        true => SignalScale::Transformed,
        false => SignalScale::Signal,
    };
    let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
    let n_tracks = completed_tracks(&database, &model)?.len() as u64;
    let bar = progress::bar(
        n_bins * n_tracks,
        "completing {wide_bar} {percent}% {elapsed} left {eta}",
    );
    let ends_in_zarr = arguments.output.extension().is_some_and(|e| e == "zarr");
    let format = arguments.format.as_deref();
    let mut progress = |done| bar.set_position(done);
    let tracks = if format == Some("zarr") || (format.is_none() && ends_in_zarr) {
        write_completed_zarr(
            &database,
            &model,
            &arguments.output,
            &spans,
            scale,
            &mut progress,
        )?
    } else {
        let format = format.and_then(Format::from_name).unwrap_or(Format::BigWig);
        std::fs::create_dir_all(&arguments.output)
            .with_context(|| format!("cannot make {}", arguments.output.display()))?;
        let name = |experiment: &Experiment| impute::file_name(experiment, format);
        write_completed_files(
            &database,
            &model,
            &arguments.output,
            format,
            &name,
            &spans,
            scale,
            &mut progress,
        )?
    };
    bar.finish_and_clear();
    let imputed = tracks
        .iter()
        .filter(|t| t.provenance == Provenance::Imputed);
    let n_imputed = imputed.count();
    let mut table = Table::new(&["output", "measured", "imputed", "bins"]);
    table.row(vec![
        json!(arguments.output.display().to_string()),
        json!(tracks.len() - n_imputed),
        json!(n_imputed),
        json!(n_bins),
    ]);
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}
