//! `persea extend`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use persea::compendium::Shard;
use persea::factorization::{
    Additions, ExtendOptions, FactorizationError, extend, extend_shard, merge_extension,
};
use persea::genome::GenomeAxis;
use persea::model::TrainedModel;
use persea::store::{Database, Model};

use super::names::Known;
use super::output::grouped;
use super::train::{BackendArguments, Shown};
use super::{Common, progress};

/// Add biosamples, assays or regions to a model.
///
/// All existing parameters stay fixed, so existing predictions do not change.
///
/// With --shard, several jobs share new regions of a model with an encoder: each embeds a part of them and writes its
/// factors to a file, and --merge adds all parts to the model. The result has the bits of one job. Both may be
/// repeated; what is done already is left as it is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea extend --model base --biosamples E017 --tracks E017:H3K4me3,E017:H3K4me1\n          persea extend --model core --regions all.bed --shard 1/2 --output 1.factors\n          persea extend --model core --regions all.bed --merge 1.factors,2.factors"
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
    /// Part of the regions to embed, as I/N: 1/4 to 4/4 for four jobs
    #[arg(long, value_name = "I/N", requires_all = ["regions", "output"], conflicts_with_all = ["name", "biosamples", "assays", "all", "merge"])]
    shard: Option<Shard>,
    /// File for the factors that --shard computes
    #[arg(long, short, value_name = "FILE", requires = "shard")]
    output: Option<PathBuf>,
    /// Add what jobs with --shard have embedded, instead of computing. Name all their files, and the same regions
    #[arg(long, value_name = "FILE,…", value_delimiter = ',', requires = "regions", conflicts_with_all = ["biosamples", "assays", "all"])]
    merge: Vec<PathBuf>,
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
    if let (Some(shard), Some(output)) = (arguments.shard, &arguments.output) {
        return embed(&database, &model, &additions, shard, output);
    }
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
    if !arguments.merge.is_empty() {
        let merged = merge_extension(&database, &model, &additions, &options, &arguments.merge)?;
        let (merged, is_new) = merged;
        if !is_new {
            eprintln!("nothing to add: the model has these factors already");
        }
        print_model(&merged);
        return Ok(ExitCode::SUCCESS);
    }
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
    print_model(&extended);
    Ok(ExitCode::SUCCESS)
}

/// Embeds a job's part of new regions.
fn embed(
    database: &Database,
    model: &TrainedModel,
    additions: &Additions,
    shard: Shard,
    output: &Path,
) -> anyhow::Result<ExitCode> {
    let all: u64 = additions.regions.iter().map(|r| r.n_bins).sum();
    let bar = progress::bar(
        all.div_ceil(shard.count() as u64),
        "embedding {wide_bar} {percent}% {elapsed} left {eta}",
    );
    let report = extend_shard(database, model, additions, shard, output, &mut |done| {
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let n = grouped(report.n_bins);
    match (report.is_written, report.n_bins) {
        (true, _) => eprintln!("shard {shard}: {n} bins embedded"),
        (false, 0) => eprintln!("shard {shard}: the model covers these regions already"),
        (false, _) => eprintln!("shard {shard}: {n} bins had been embedded before"),
    }
    Ok(ExitCode::SUCCESS)
}

fn print_model(model: &Model) {
    let record = &model.record;
    eprintln!(
        "model {}: {} biosamples, {} assays, {} regions",
        record.name,
        record.biosamples.len(),
        record.assays.len(),
        record.regions.len()
    );
}
