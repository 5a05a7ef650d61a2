//! `persea extend`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::factorization::{Additions, ExtendOptions, FactorizationError, extend};
use persea::genome::GenomeAxis;
use persea::model::TrainedModel;

use super::names::Known;
use super::train::{BackendArguments, Shown};
use super::{Common, progress};

/// Add biosamples, assays or regions to a model.
///
/// All existing parameters stay fixed, so existing predictions do not change.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: persea extend --model base --biosamples E017 --tracks E017:H3K4me3,E017:H3K4me1"
)]
pub struct Arguments {
    /// Model to extend; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Name of the extended model; if omitted, it replaces the old one
    #[arg(long)]
    name: Option<String>,
    /// Biosamples to add
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    biosamples: Vec<String>,
    /// Assays to add
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    assays: Vec<String>,
    /// BED file of regions to add; parts that the model already covers are skipped
    #[arg(long, value_name = "BED")]
    regions: Option<PathBuf>,
    /// Add every biosample and assay of the database that the model lacks
    #[arg(long, conflicts_with_all = ["biosamples", "assays"])]
    all: bool,
    /// Tracks to learn from; by default all suitable tracks
    #[arg(long, value_name = "TRACKS", value_delimiter = ',')]
    tracks: Vec<String>,
    /// Tracks not to learn from
    #[arg(long, value_name = "TRACKS", value_delimiter = ',')]
    hold: Vec<String>,
    /// Number of passes; by default 8 for biosamples and assays, and the model's own number for regions
    #[arg(long)]
    passes: Option<u32>,
    /// Initial learning rate of the new factors of biosamples and assays
    #[arg(long, default_value_t = 1e-2)]
    learning_rate: f64,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    place: BackendArguments,
    /// Maximum memory for signal, in gigabytes
    #[arg(long, value_name = "GB", default_value_t = 2.0)]
    cache: f64,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let model = TrainedModel::open(&database, arguments.model.as_deref())?;
    let regions = match &arguments.regions {
        Some(bed) => GenomeAxis::from_bed(database.axis().assembly().clone(), bed)?
            .regions()
            .to_vec(),
        None => Vec::new(),
    };
    let none_named =
        arguments.biosamples.is_empty() && arguments.assays.is_empty() && regions.is_empty();
    let known = Known::of(&database)?;
    let additions = Additions {
        biosamples: known.biosamples(&arguments.biosamples)?,
        assays: known.assays(&arguments.assays)?,
        regions,
        all: arguments.all || none_named,
        tracks: known.pairs(&arguments.tracks)?,
        hold: known.pairs(&arguments.hold)?,
    };
    let (backend, device) = arguments.place.chosen()?;
    let options = ExtendOptions {
        passes: arguments.passes,
        learning_rate: arguments.learning_rate,
        seed: arguments.seed,
        cache_bytes: (arguments.cache.max(0.0) * 1e9) as u64,
        backend,
        device,
        name: arguments
            .name
            .unwrap_or_else(|| model.record().name.clone()),
    };
    let stop = progress::stop_on_interrupt("stopping; the model stays as it was")?;
    let mut shown = Shown::new(stop);
    let extended = extend(&database, &model, &additions, &options, &mut shown);
    shown.bar.finish_and_clear();
    let extended = match extended {
        Err(persea::Error::Factorization(FactorizationError::Stopped { .. })) => {
            eprintln!("stopped; model {} is as it was", model.record().name);
            return Ok(ExitCode::FAILURE);
        }
        other => other?,
    };
    eprintln!(
        "model {}: {} biosamples, {} assays, {} regions",
        extended.record.name,
        extended.record.biosamples.len(),
        extended.record.assays.len(),
        extended.record.regions.len()
    );
    Ok(ExitCode::SUCCESS)
}
