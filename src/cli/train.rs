//! `persea train`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use persea::factorization::{
    Arithmetic, Backend, CurvePoint, Device, EncoderOptions, Estimate, FactorizationError,
    Listener, RefinementOptions, RegionOption, RunOptions, Sampling, Stage, StepReport,
    TrainOptions, TrainingProgress, Validate, default_passes, estimate, fit,
};
use persea::genome::GenomeAxis;
use persea::model::{Architecture, Preset, Sizes};
use persea::store::Database;
use serde_json::json;

use super::names::{self, Known};
use super::one_of::{one_of, one_of_these};
use super::output::{Table, grouped, measure};
use super::{Common, Misuse, hints, progress};

/// Train a model.
///
/// Held-out tracks are never read. Of a model avocado, validation tracks, drawn from the training tracks,
/// decide the number of passes, and the final model is trained on all training tracks for that many.
/// Of a model persea the numbers of passes are fixed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: persea train --name fold0 --preset small --hold E003:H3K36me3,E017:H3K27me3"
)]
pub struct Arguments {
    /// Name of the model
    #[arg(long, default_value = "model")]
    name: String,
    /// Kind of model
    #[arg(long, value_parser = one_of_these([Architecture::Avocado, Architecture::Persea]), default_value_t = Architecture::Persea)]
    model: Architecture,
    /// Sizes of the network [default: persea; for avocado: paper]. A model persea has 16 + 24 + 24 genome
    /// factors whatever the preset, and `small` is the same as `persea`
    #[arg(long, value_parser = one_of::<Preset>())]
    preset: Option<Preset>,
    /// Tracks to hold out; training never reads them: BIOSAMPLE:ASSAY,…
    #[arg(long, value_name = "TRACKS", value_delimiter = ',')]
    hold: Vec<String>,
    /// File of tracks to hold out (columns fold, biosample, assay); choose one with --fold
    #[arg(long, value_name = "FILE", requires = "fold")]
    hold_folds: Option<PathBuf>,
    /// Fold of --hold-folds to hold out
    #[arg(long, requires = "hold_folds")]
    fold: Option<String>,
    /// Validation tracks, which decide when to stop; by default drawn from the training tracks
    #[arg(
        long,
        value_name = "TRACKS",
        value_delimiter = ',',
        conflicts_with = "no_validate"
    )]
    validate: Vec<String>,
    /// Train exactly --passes passes, without validation tracks
    #[arg(long)]
    no_validate: bool,
    /// Passes of the decoder of a model persea [default: 5], or maximum number of passes of a model avocado
    /// [default: 3/4 of the number of training tracks, at least 20]
    #[arg(long)]
    passes: Option<u32>,
    /// Number of searches for the best number of passes, each with its own validation tracks
    #[arg(long, default_value_t = 3, conflicts_with = "validate")]
    searches: u32,
    /// Passes without a lower validation error after which a search ends
    #[arg(long, default_value_t = 10)]
    patience: u32,
    /// Order in which bins are visited
    #[arg(long, value_parser = one_of::<Sampling>(), default_value_t = Sampling::Sequential)]
    sampling: Sampling,
    /// Learning rate of Adam
    #[arg(long, default_value_t = 1e-3)]
    learning_rate: f64,
    /// Schedule of the learning rate over --passes
    #[arg(long, value_enum, default_value_t = Schedule::Cosine)]
    schedule: Schedule,
    /// Maximum norm of a gradient; larger gradients are scaled down
    #[arg(long, value_name = "NORM")]
    clip: Option<f64>,
    /// BED file of regions to train on; all regions by default
    #[arg(long, value_name = "BED")]
    regions: Option<PathBuf>,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    place: BackendArguments,
    /// Maximum memory for signal, in gigabytes
    #[arg(long, value_name = "GB", default_value_t = 2.0)]
    cache: f64,
    /// Storage precision of genome factors
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    precision: Precision,
    /// Number format of the matrix products after the first layer
    #[arg(long, value_parser = one_of::<Arithmetic>(), default_value_t = Arithmetic::F32)]
    arithmetic: Arithmetic,
    /// Interval between checkpoints, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 10.0)]
    checkpoint_every: f64,
    /// Continue from the last checkpoint of this name, with its original options
    #[arg(long)]
    resume: bool,
    /// Replace an existing model of this name
    #[arg(long)]
    replace: bool,
    /// Estimate memory, disk and time, then exit; a few steps are run to measure speed
    #[arg(long)]
    dry_run: bool,
    // Last, for the heading of its options would hold for those that follow.
    #[command(flatten)]
    sizes: SizeArguments,
    #[command(flatten)]
    encoder: EncoderArguments,
    #[command(flatten)]
    refinement: RefinementArguments,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Encoder (models of kind persea)")]
pub struct EncoderArguments {
    /// Passes of the encoder
    #[arg(long, value_name = "N")]
    encoder_passes: Option<u32>,
    /// Units of each hidden layer of the encoder
    #[arg(long, value_name = "N")]
    encoder_nodes: Option<usize>,
    /// Maximum number of the encoder's inputs; of more training tracks than this, those of an assay that resemble each
    /// other are read as one [default: 256]
    #[arg(long, value_name = "N")]
    encoder_inputs: Option<usize>,
}

impl EncoderArguments {
    /// The defaults, overridden by the given values; `passes` are those of the decoder.
    fn options(&self, passes: Option<u32>) -> EncoderOptions {
        let base = EncoderOptions::default();
        EncoderOptions {
            passes: self.encoder_passes.unwrap_or(base.passes),
            nodes: self.encoder_nodes.unwrap_or(base.nodes),
            inputs: self.encoder_inputs.unwrap_or(base.inputs),
            decoder_passes: passes.unwrap_or(base.decoder_passes),
            ..base
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Refinement (models of kind persea)")]
pub struct RefinementArguments {
    /// Number of networks of the refinement; the prediction is their mean
    #[arg(long, value_name = "N")]
    members: Option<usize>,
    /// Passes of each network of the refinement
    #[arg(long, value_name = "N")]
    refine_passes: Option<u32>,
    /// Units of each hidden layer of the refinement
    #[arg(long, value_name = "N")]
    refine_nodes: Option<usize>,
    /// Weight of errors in the 1 % of bins with the highest observed signal
    #[arg(long, value_name = "TIMES")]
    peak_weight: Option<f64>,
}

impl RefinementArguments {
    /// The defaults, overridden by the given values.
    fn options(&self) -> RefinementOptions {
        let base = RefinementOptions::default();
        RefinementOptions {
            members: self.members.unwrap_or(base.members),
            passes: self.refine_passes.unwrap_or(base.passes),
            nodes: self.refine_nodes.unwrap_or(base.nodes),
            peak_weight: self.peak_weight.unwrap_or(base.peak_weight),
            ..base
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Sizes (by default those of the preset)")]
pub struct SizeArguments {
    /// Number of factors of a biosample
    #[arg(long, value_name = "N")]
    biosample_factors: Option<usize>,
    /// Number of factors of an assay
    #[arg(long, value_name = "N")]
    assay_factors: Option<usize>,
    /// Number of genome factors at 25 bp
    #[arg(long, value_name = "N")]
    factors_25bp: Option<usize>,
    /// Number of genome factors at 250 bp
    #[arg(long, value_name = "N")]
    factors_250bp: Option<usize>,
    /// Number of genome factors at 5 kbp
    #[arg(long, value_name = "N")]
    factors_5kbp: Option<usize>,
    /// Number of hidden layers
    #[arg(long, value_name = "N")]
    layers: Option<usize>,
    /// Units of each hidden layer
    #[arg(long, value_name = "N")]
    nodes: Option<usize>,
    /// Samples of a training step
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
}

/// Backend and device of a training.
#[derive(Debug, clap::Args)]
pub struct BackendArguments {
    /// Backend of training
    #[arg(long, value_parser = one_of::<Backend>(), default_value_t = Backend::Auto)]
    backend: Backend,
    /// Device: cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu")]
    device: String,
}

impl BackendArguments {
    /// The backend, never [`Backend::Auto`], and the device.
    ///
    /// # Errors
    /// When the device cannot be read.
    pub fn chosen(&self) -> anyhow::Result<(Backend, Device)> {
        let device: Device = self.device.parse()?;
        Ok((self.backend.on(device), device))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Schedule {
    /// Constant
    Constant,
    /// Falls along half a cosine
    Cosine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Precision {
    /// Single precision
    F32,
    /// Half precision, which halves the disk space
    F16,
}

impl SizeArguments {
    /// The preset's sizes, overridden by the given values.
    pub fn sizes(&self, model: Architecture, preset: Preset) -> Sizes {
        let base = Sizes::of_model(model, preset);
        Sizes {
            biosample_factors: self.biosample_factors.unwrap_or(base.biosample_factors),
            assay_factors: self.assay_factors.unwrap_or(base.assay_factors),
            factors_25bp: self.factors_25bp.unwrap_or(base.factors_25bp),
            factors_250bp: self.factors_250bp.unwrap_or(base.factors_250bp),
            factors_5kbp: self.factors_5kbp.unwrap_or(base.factors_5kbp),
            layers: self.layers.unwrap_or(base.layers),
            nodes: self.nodes.unwrap_or(base.nodes),
            batch_size: self.batch_size.unwrap_or(base.batch_size),
        }
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let mut hold = Known::of(&database)?.pairs(&arguments.hold)?;
    if let (Some(path), Some(fold)) = (&arguments.hold_folds, &arguments.fold) {
        hold.extend(names::fold(path, fold)?);
    }
    let (options, run_options) = train_options(&arguments, &database, hold)?;
    if arguments.dry_run {
        print_estimate(&estimate(&database, &options, run_options.device)?, common)?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = progress::stop_on_interrupt(
        "stopping after this step with a checkpoint; press Ctrl-C again to quit at once",
    )?;
    let mut shown = Shown::new(stop);
    let result = fit(
        &database,
        &options,
        run_options,
        arguments.resume,
        &mut shown,
    );
    shown.bar.finish_and_clear();
    let model = match result {
        Err(persea::Error::Factorization(FactorizationError::Stopped { step, .. })) => {
            eprintln!(
                "stopped at step {step}; continue with: persea train --name {} --resume",
                options.name
            );
            return Ok(ExitCode::FAILURE);
        }
        other => other?,
    };
    let passes = &model.record.training["passes"];
    eprintln!(
        "model {}: trained {passes} passes in {:.0} s",
        model.record.name,
        shown.began.elapsed().as_secs_f64()
    );
    hints::next(common.path()?, &hints::of_model(&model.record));
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    /// # Errors
    /// If an option is given that the cross-validation sets itself.
    pub fn refuse_what_folds_decide(&self) -> anyhow::Result<()> {
        let given = [
            ("--hold", !self.hold.is_empty()),
            ("--hold-folds", self.hold_folds.is_some()),
            ("--validate", !self.validate.is_empty()),
            ("--seed", self.seed != 0),
            ("--resume", self.resume),
            ("--replace", self.replace),
            ("--dry-run", self.dry_run),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Misuse(format!(
                "{name} cannot follow `--`: the cross-validation sets it for each fold"
            ))
            .into()),
            None => Ok(()),
        }
    }
}

/// The options of a training, with `hold` held out.
pub fn train_options(
    arguments: &Arguments,
    database: &Database,
    hold: Vec<(String, String)>,
) -> anyhow::Result<(TrainOptions, RunOptions)> {
    let minutes = |m: f64| {
        Duration::try_from_secs_f64(m * 60.0)
            .map_err(|_| Misuse(format!("{m} is not a valid number of minutes")))
    };
    let checkpoint_every = minutes(arguments.checkpoint_every)?;
    let regions = match &arguments.regions {
        Some(bed) => {
            let axis = GenomeAxis::from_bed(database.axis().assembly().clone(), bed)?;
            axis.starts_in(database.axis())?;
            axis.regions().iter().map(RegionOption::from).collect()
        }
        None => Vec::new(),
    };
    let (preset, encoder, refinement) = match arguments.model {
        Architecture::Persea => (
            Preset::Persea,
            Some(arguments.encoder.options(arguments.passes)),
            Some(arguments.refinement.options()),
        ),
        Architecture::Avocado | Architecture::Embedding => (Preset::Paper, None, None),
    };
    let sizes = (arguments.sizes).sizes(arguments.model, arguments.preset.unwrap_or(preset));
    let (backend, device) = arguments.place.chosen()?;
    let options = TrainOptions {
        name: arguments.name.clone(),
        architecture: arguments.model,
        encoder,
        refinement,
        sizes,
        sampling: arguments.sampling,
        learning_rate: arguments.learning_rate,
        cosine: arguments.schedule == Schedule::Cosine,
        clip: arguments.clip,
        passes: match arguments.passes {
            Some(passes) => passes,
            None => default_passes(database.tracks()?.len().saturating_sub(hold.len())),
        },
        searches: if arguments.validate.is_empty() {
            arguments.searches
        } else {
            1
        },
        patience: arguments.patience,
        hold,
        validate: match (arguments.no_validate, arguments.validate.is_empty()) {
            (true, _) => Validate::Nothing,
            (false, true) => Validate::Drawn,
            (false, false) => Validate::Tracks(Known::of(database)?.pairs(&arguments.validate)?),
        },
        regions,
        seed: arguments.seed,
        cache_bytes: (arguments.cache.max(0.0) * 1e9) as u64,
        half_precision: arguments.precision == Precision::F16,
        backend,
        arithmetic: arguments.arithmetic,
    };
    let run_options = RunOptions {
        device,
        checkpoint_every,
        replace: arguments.replace,
    };
    Ok((options, run_options))
}

fn print_estimate(estimate: &Estimate, common: &Common) -> anyhow::Result<()> {
    let gb = |bytes: u64| measure(Some(bytes as f64 / 1e9));
    let mut table = Table::new(&["what", "value", "unit"]);
    let mut row = |what: &str, value, unit: &str| table.row(vec![json!(what), value, json!(unit)]);
    row("training tracks", json!(estimate.n_tracks), "");
    row("bins", json!(estimate.n_bins), "25 bp");
    row(
        "genome factors and their moments",
        gb(estimate.factor_bytes),
        "GB of memory",
    );
    row("signal cache", gb(estimate.cache_bytes), "GB of memory");
    row(
        "activations of a step",
        gb(estimate.activation_bytes),
        "GB of memory",
    );
    row("model", gb(estimate.model_bytes), "GB on disk");
    row(
        "checkpoints (two)",
        gb(estimate.checkpoint_bytes),
        "GB on disk",
    );
    row(
        "measured speed",
        json!(estimate.samples_per_second.round()),
        "samples/s",
    );
    row(
        "a pass",
        measure(Some(
            estimate.n_bins as f64 / estimate.samples_per_second / 3600.0,
        )),
        "hours",
    );
    let hours = |passes: u64, speed: f64| estimate.n_bins as f64 * passes as f64 / speed / 3600.0;
    let all = hours(estimate.passes_at_most, estimate.samples_per_second);
    row("at most (search and final)", measure(Some(all)), "hours");
    if let Some(encoder) = estimate.encoder {
        let speed = encoder.samples_per_second;
        row(
            "measured speed of the encoder",
            json!(speed.round()),
            "samples/s",
        );
        let all = hours(encoder.passes, speed);
        row("the encoder", measure(Some(all)), "hours");
    }
    if let Some(refinement) = estimate.refinement {
        row(
            "signal of the refinement (instead of the cache)",
            gb(refinement.described_bytes),
            "GB of memory",
        );
        let speed = refinement.samples_per_second;
        row(
            "measured speed of the refinement",
            json!(speed.round()),
            "samples/s",
        );
        let all = hours(refinement.passes, speed);
        row("the refinement", measure(Some(all)), "hours");
    }
    let mut minutes = 60.0 * hours(estimate.passes_at_most, estimate.samples_per_second);
    let mut memory = estimate.cache_bytes;
    if let Some(encoder) = estimate.encoder {
        minutes += 60.0 * hours(encoder.passes, encoder.samples_per_second);
    }
    if let Some(refinement) = estimate.refinement {
        minutes += 60.0 * hours(refinement.passes, refinement.samples_per_second);
        memory = memory.max(refinement.described_bytes);
    }
    memory += estimate.factor_bytes + estimate.activation_bytes;
    let mut sum = |value, unit: &str| table.row(vec![json!("sum, at most"), value, json!(unit)]);
    sum(measure(Some(minutes)), "minutes");
    sum(gb(memory), "GB of memory");
    let disk = estimate.model_bytes + estimate.checkpoint_bytes;
    sum(gb(disk), "GB on disk");
    table.print(common.format)?;
    Ok(())
}

/// `search 2` or `final`.
fn stage_name(stage: Stage, search: usize) -> String {
    match stage {
        Stage::Search => format!("search {}", search + 1),
        Stage::Final => "final".into(),
        Stage::Encode => "encoder".to_string(),
        Stage::Refine => format!("refinement {}", search + 1),
    }
}

/// Shows the progress of a training.
pub struct Shown {
    stop: Arc<AtomicBool>,
    pub bar: progress::Bar,
    pub began: Instant,
    samples: u64,
    held_out: Option<f64>,
    /// Whether each pass is reported on stderr.
    pub tell: bool,
}

impl Shown {
    /// Called before the first step.
    pub fn new(stop: Arc<AtomicBool>) -> Self {
        Shown {
            stop,
            bar: progress::bar(
                0,
                "{msg} {wide_bar} {pos}/{len} steps, left of the pass {eta}",
            ),
            began: Instant::now(),
            samples: 0,
            held_out: None,
            tell: true,
        }
    }
}

impl Listener for Shown {
    fn step(&mut self, progress: &TrainingProgress, report: &StepReport) -> ControlFlow<()> {
        self.samples += report.samples as u64;
        let rate = self.samples as f64 / self.began.elapsed().as_secs_f64().max(1e-9);
        self.bar.set_length(report.steps_per_pass);
        self.bar.set_position(report.position.step_in_pass);
        let stage = stage_name(progress.stage, progress.search);
        let of = progress
            .best_pass
            .map_or(String::new(), |best| format!("/{best}"));
        let held = self
            .held_out
            .map_or(String::new(), |h| format!(", held out {h:.4}"));
        self.bar.set_message(format!(
            "{stage} pass {}{of}: loss {:.4}{held}, {} samples/s",
            report.position.pass + 1,
            report.loss,
            grouped(rate as u64)
        ));
        match self.stop.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn pass(&mut self, point: &CurvePoint) {
        self.held_out = point.held_out;
        if self.tell {
            let stage = stage_name(point.stage, point.search);
            let held = point
                .held_out
                .map_or(String::new(), |h| format!(", held out {h:.5}"));
            let line = format!("{stage} pass {}: loss {:.5}{held}", point.pass, point.loss);
            self.bar.suspend(|| eprintln!("{line}"));
        }
    }

    fn checkpoint(&mut self, step: u64) {
        let line = format!("checkpoint at step {step}");
        self.bar.suspend(|| eprintln!("{line}"));
    }
}
