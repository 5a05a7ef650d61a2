//! `persea task run` and `rerun`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::tasks::{
    Calibration, FeatureSet, FoldKind, FoldSettings, FrequencyOf, GeneWindow, Learner,
    MatrixSource, Outcome, Pooling, RunSettings, Target, Threshold, rerun, run as run_task,
};

use super::result::{print_result, with_bar};
use super::tables::{self, Tables};
use crate::cli::names::Known;
use crate::cli::one_of::one_of;
use crate::cli::{Common, Misuse};

/// Run a benchmark: feature sets and baselines on the same folds
///
/// A feature set is one of the following, or several joined by `+`: embedding (genome factors),
/// biosample-factors, hidden (the network's activations), signal (the biosample's tracks), all-signal
/// (the tracks of all biosamples), all-signal-pca, imputed, completed (measured, otherwise imputed),
/// average (mean of the other biosamples), denoised (imputations of the measured tracks) and published
/// (a --matrix).
///
/// The embedding also depends on the 250 bp and 5 kbp around each bin. Compare it with signal of the
/// same reach: signal-scales and all-signal-scales (means over the same 25 bp, 250 bp and 5 kbp rows)
/// and signal-components (principal components of all-signal-scales, as many as the embedding is wide,
/// learned in the training rows of each fold).
///
/// A task whose features are columns of its own table needs no database: with --train or --predictor,
/// TASK is the preset that knows the columns (crispr: enhancer–gene pairs tested by CRISPR
/// interference). Learners are compared on folds of chromosomes, beside scores for which nothing is
/// learned. The predictor, a logistic regression on the whole table, is scored on --test.
///
/// Intervals resample independent units and repeated divisions into folds. p tests each feature set
/// against own signal (--reference) and against the best baseline; p_holm corrects for all p of the
/// run. The run is stored and can be repeated.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea task run expression --biosample E003 --features embedding,signal,signal-scales,signal-components --learner gbm\n          persea task run expression --biosample E003 --features signal --window paper\n          persea task run fire --features published --matrix FIREs.npy --folds blocks\n          persea task run expression --train-biosamples E003,E116 --test-biosamples E017 --features hidden\n          persea task run crispr --train K562.tsv.gz --test HCT116.tsv.gz --save-predictor k562.json\n          persea task run crispr --predictor k562.json --test WTC11.tsv.gz --predictions wtc11.tsv"
)]
pub struct Arguments {
    /// Name of the task; of tables the preset: crispr
    task: String,
    #[command(flatten)]
    tables: Tables,
    /// Biosample to learn from and to predict; optional if only one has labels
    #[arg(long, conflicts_with_all = ["train_biosamples", "test_biosamples"])]
    biosample: Option<String>,
    /// Feature sets, separated by commas; + joins several into one
    #[arg(
        long,
        required_unless_present_any = ["train", "predictor"],
        conflicts_with_all = ["train", "predictor"],
        value_delimiter = ',',
        value_name = "SET,…"
    )]
    features: Vec<String>,
    /// Learner
    #[arg(long, value_parser = one_of::<Learner>(), default_value_t = Learner::Gbm)]
    learner: Learner,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// How examples are divided into folds
    #[arg(long, value_parser = one_of::<FoldKind>(), default_value_t = FoldKind::Auto)]
    folds: FoldKind,
    /// Number of folds [default: 5; for shuffled and blocks: 20]
    #[arg(long, value_name = "N")]
    n_folds: Option<usize>,
    /// Seed of shuffled folds, as in numpy.random.RandomState
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    fold_seed: u32,
    /// Predict the label as a number; for RPKM, log2(1 + x)
    #[arg(long, conflicts_with = "threshold")]
    regression: bool,
    /// Smallest label of a positive example: a number, or median
    #[arg(long, value_name = "LABEL")]
    threshold: Option<Threshold>,
    /// Window around a gene's TSS
    #[arg(long, value_parser = one_of::<GeneWindow>(), default_value_t = GeneWindow::Symmetric, conflicts_with_all = ["upstream_bins", "downstream_bins"])]
    window: GeneWindow,
    /// Number of 25 bp bins upstream of the TSS bin [default: 80]
    #[arg(long, value_name = "N")]
    upstream_bins: Option<u64>,
    /// Number of 25 bp bins downstream of the TSS bin [default: as many as upstream]
    #[arg(long, value_name = "N")]
    downstream_bins: Option<u64>,
    /// How the bins of a window are summarised
    #[arg(long, value_delimiter = ',', value_parser = one_of::<Pooling>(), default_values_t = [Pooling::Mean])]
    pooling: Vec<Pooling>,
    /// Assays of signal, all-signal, average, imputed and completed; all by default
    #[arg(long, value_name = "ASSAY,…", value_delimiter = ',')]
    assays: Vec<String>,
    /// Matrix for published (or published:NAME): .npy, .npz, .parquet, CSV or TSV; repeatable
    #[arg(long, value_name = "[NAME=]FILE")]
    matrix: Vec<String>,
    /// Columns of the matrix to leave out
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    matrix_drop: Vec<String>,
    /// BED file of CpG islands, for a baseline
    #[arg(long, value_name = "BED")]
    cpg: Option<PathBuf>,
    /// Tune the learner's settings in inner folds
    #[arg(long)]
    tune: bool,
    /// Number of features to keep, selected inside each fold
    #[arg(long, value_name = "N")]
    select: Option<usize>,
    /// Calibrate scores to probabilities, in an inner fold
    #[arg(long, value_parser = one_of::<Calibration>(), default_value_t = Calibration::None)]
    calibrate: Calibration,
    /// Measure the loss when a group of features is shuffled
    #[arg(long)]
    importance: bool,
    /// Biosamples to learn from
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        requires = "test_biosamples"
    )]
    train_biosamples: Vec<String>,
    /// Biosamples to predict, in the folds that were not learned from
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        requires = "train_biosamples"
    )]
    test_biosamples: Vec<String>,
    /// Learn in the regions on which the network was trained, predict in regions added by extend
    #[arg(long)]
    inductive: bool,
    /// Number of divisions into folds, each with another seed [default: 10 for up to 2,000
    /// predictions, otherwise 1]
    #[arg(long, value_name = "N")]
    partitions: Option<usize>,
    /// Feature set against which the others are tested [default: signal-scales, otherwise signal]
    #[arg(long, value_name = "SET")]
    reference: Option<String>,
    /// Smallest number of bootstrap replicates; a run with n tests draws at least 20 n / 0.05; 0: no
    /// intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    bootstrap: usize,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Do not store the run
    #[arg(long)]
    no_store: bool,
}

impl Arguments {
    fn settings(self) -> Result<RunSettings, Misuse> {
        let features = self.features.iter().map(|f| f.parse::<FeatureSet>());
        let features = features
            .collect::<Result<_, _>>()
            .map_err(|e| Misuse(e.to_string()))?;
        let matrix = |text: &String| {
            let (name, path) = text.split_once('=').unwrap_or(("", text));
            MatrixSource {
                name: name.to_string(),
                path: PathBuf::from(path),
                drop: self.matrix_drop.clone(),
            }
        };
        let one = |list: Vec<String>| match &self.biosample {
            Some(biosample) => vec![biosample.clone()],
            None => list,
        };
        let reference = self.reference.as_deref().map(str::parse::<FeatureSet>);
        let reference = reference.transpose().map_err(|e| Misuse(e.to_string()))?;
        let (upstream_bins, downstream_bins) = match (self.upstream_bins, self.downstream_bins) {
            (None, None) => self.window.bins(),
            (upstream, downstream) => {
                let upstream = upstream.unwrap_or(GeneWindow::Symmetric.bins().0);
                (upstream, downstream.unwrap_or(upstream))
            }
        };
        let settings = RunSettings {
            task: self.task.clone(),
            train_biosamples: one(self.train_biosamples.clone()),
            test_biosamples: one(self.test_biosamples.clone()),
            features,
            learner: self.learner,
            model: self.model.clone(),
            folds: FoldSettings {
                kind: self.folds,
                n: self.n_folds,
                seed: self.fold_seed,
            },
            target: self.regression.then_some(Target::Regression),
            threshold: self.threshold,
            upstream_bins,
            downstream_bins,
            pooling: self.pooling.clone(),
            assays: self.assays.clone(),
            matrices: self.matrix.iter().map(matrix).collect(),
            cpg: self.cpg.clone(),
            tune: self.tune,
            select: self.select,
            calibrate: self.calibrate,
            importance: self.importance,
            inductive: self.inductive,
            bootstrap: self.bootstrap,
            partitions: self.partitions,
            reference,
            promoter_frequency: FrequencyOf::Training,
            seed: self.seed,
            table: None,
        };
        if self.tables.given() {
            return Ok(settings);
        }
        settings.check().map_err(|e| Misuse(e.to_string()))?;
        Ok(settings)
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let store = !arguments.no_store;
    if arguments.tables.given() {
        let tables = arguments.tables.clone();
        let settings = arguments.settings()?;
        return tables::run(&tables, &settings, store, common);
    }
    let mut settings = arguments.settings()?;
    let database = common.open()?;
    let known = Known::of(&database)?;
    settings.assays = known.assays(&settings.assays)?;
    for list in [
        &mut settings.train_biosamples,
        &mut settings.test_biosamples,
    ] {
        *list = known.biosamples(list)?;
    }
    let outcome = with_bar(|on_event| run_task(&database, &settings, on_event))?;
    let id = match store {
        true => Some(outcome.store(&database)?),
        false => None,
    };
    print_result(id, &outcome.result, common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// Repeat a stored run and compare the numbers
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea task rerun 1")]
pub struct Again {
    /// Number of the run
    run: i64,
}

/// Repeats a run; exits with 1 if a number differs.
pub fn again(arguments: Again, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let stored = database.read_run(arguments.run)?;
    let (outcome, different): (Outcome, Vec<String>) =
        with_bar(|on_event| rerun(&database, &stored, on_event))?;
    print_result(Some(stored.id), &outcome.result, common.format)?;
    if different.is_empty() {
        eprintln!("run {}: the same numbers, to the bit", stored.id);
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "run {}: different numbers in {}",
        stored.id,
        different.join(", ")
    );
    Ok(ExitCode::FAILURE)
}
