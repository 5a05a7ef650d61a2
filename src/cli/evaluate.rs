//! `persea evaluate`.

pub mod probe;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use persea::compendium::{ColumnMap, Manifest, Shard};
use persea::evaluation::{
    Definitions, EvaluateOptions, Evaluation, IntervalsByStratum, LearnedBaseline, ProbeOptions,
    ScoringScale, TrackEvaluation, TrackMeasures, evaluate, keep_imputation, merge_evaluations,
};
use persea::genome::read_bed;
use persea::imputation::spans;
use persea::model::TrainedModel;
use persea::store::{Database, TrackRole};
use serde_json::{Value, json};

use super::folds;
use super::measures::{SHOWN, meanings, print_choices, print_intervals, print_paired};
use super::names::Known;
use super::one_of::one_of;
use super::output::{Format, Table, grouped, measure, print_json, print_line};
use super::{Common, Misuse, dry_run, progress};

const EXAMPLES: &str = "Examples: persea evaluate --model fold0 --format json\n          persea evaluate --model fold0 --truth other.tsv\n          persea evaluate --model fold0 --probe --against fold0seed1\n          persea evaluate --shard 1/2 --format json > 1.json\n          persea evaluate --merge 1.json,2.json\n          persea evaluate --folds folds.tsv --seeds 0,1,2 --baselines ridge,boosted -- --model persea";

/// Score imputations of held-out tracks, and of the baselines on the same tracks.
///
/// With --probe, score the embedding instead: how well it predicts tracks that the model has not read, by ridge
/// regression from other regions and by the 50 nearest positions in other regions. The signal that it was learned
/// from is scored beside it. Results are stored with the model; `persea model show` prints the newest.
///
/// With --shard, several jobs share the work: each scores every n-th track and prints its part as JSON, which is not
/// stored. --merge puts all parts together as if one job had made them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = format!("{}\n{EXAMPLES}", meanings())
)]
pub struct Arguments {
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Manifest of other tracks to score, which were never ingested
    #[arg(long, value_name = "MANIFEST")]
    truth: Option<PathBuf>,
    /// Manifest of called peaks (narrowPeak, broadPeak, BED), for catchpeakobs, auprc and recall10fdr
    #[arg(long, value_name = "MANIFEST")]
    peaks: Option<PathBuf>,
    /// Names of the manifests' columns, if different: biosample=cell,path=file
    #[arg(long, value_name = "NAME=COLUMN,…")]
    columns: Option<String>,
    /// Tracks to score: BIOSAMPLE:ASSAY,…
    #[arg(long, value_name = "TRACKS", value_delimiter = ',')]
    tracks: Vec<String>,
    /// BED file of regions to score, for example those that `extend` added
    #[arg(long, value_name = "BED")]
    regions: Option<PathBuf>,
    /// Additional baselines that are trained: regressions in the manner of ChromImpute, with settings chosen on
    /// training tracks, and the average on the expected scale; up to a minute per track
    #[arg(long, value_parser = one_of::<LearnedBaseline>(), value_name = "NAMES", value_delimiter = ',')]
    baselines: Vec<LearnedBaseline>,
    /// Scale of the signal on which to score [default: arcsinh; with --challenge: signal]
    #[arg(long, value_parser = one_of::<ScoringScale>())]
    scale: Option<ScoringScale>,
    /// Score by the ENCODE Imputation Challenge's definitions: overlaps as counts, all ties in the top
    /// 1 %, a bin once for each gene or enhancer that holds it
    #[arg(long)]
    challenge: bool,
    /// Estimate time and memory by measured rates, then exit
    #[arg(long, conflicts_with_all = ["probe", "folds", "merge", "shard", "truth"])]
    dry_run: bool,
    /// Part of the tracks to score, as I/N: 1/4 to 4/4 for four jobs; print it with --format json
    #[arg(long, value_name = "I/N", conflicts_with_all = ["probe", "folds", "merge"])]
    shard: Option<Shard>,
    /// Put together what jobs with --shard have printed, instead of scoring. Give the same options as they were given
    #[arg(long, value_name = "FILES", value_delimiter = ',', conflicts_with_all = ["probe", "folds"])]
    merge: Vec<PathBuf>,
    /// Probe the embedding: Pearson's r of held-out tracks with what it predicts. --tracks may name any stored
    /// track that the model has not read
    #[arg(long, conflicts_with_all = ["truth", "peaks", "baselines", "scale", "challenge", "folds"])]
    probe: bool,
    /// Models of the same regions, for example of other seeds: how many of the ten nearest 5 kbp rows agree
    #[arg(long, value_name = "MODELS", value_delimiter = ',', requires = "probe")]
    against: Vec<String>,
    /// Leave out each biosample's tracks from what the encoder reads: how many of the ten nearest 5 kbp
    /// rows stay, and how well a classifier recognises which half of the tracks was read
    #[arg(long, requires = "probe")]
    leave_out_biosamples: bool,
    /// Number of random query bins, and of query bins with high signal
    #[arg(long, value_name = "N", default_value_t = 1_000, requires = "probe", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    queries: u32,
    /// Seed of the query bins
    #[arg(long, default_value_t = 0, requires = "probe")]
    seed: u64,
    /// Do not probe the signal and its principal components
    #[arg(long, requires = "probe")]
    no_signal: bool,
    /// Cross-validate: train and score every fold of a file (columns fold, biosample, assay).
    /// Finished folds are kept. Options of `persea train` follow after `--`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "truth", "peaks", "tracks", "challenge"])]
    folds: Option<PathBuf>,
    /// Seeds with which to train each fold
    #[arg(long, value_delimiter = ',', default_value = "0", requires = "folds")]
    seeds: Vec<u64>,
    /// Prefix of the models' names: PREFIX.FOLD.SEED
    #[arg(long, default_value = "folds", requires = "folds")]
    prefix: String,
    /// Options of `persea train`, for --folds
    #[arg(last = true, requires = "folds", value_name = "TRAINING")]
    training: Vec<String>,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    if let Some(folds) = &arguments.folds {
        let scale = scoring_scale(&arguments);
        let (prefix, seeds) = (&arguments.prefix, &arguments.seeds);
        let learned = arguments.baselines.clone();
        let training = &arguments.training;
        return folds::run(folds, prefix, seeds, training, (scale, learned), common);
    }
    let database = common.open()?;
    let model = match arguments.probe {
        true => TrainedModel::open_embedding(&database, arguments.model.as_deref())?,
        false => TrainedModel::open(&database, arguments.model.as_deref())?,
    };
    let columns = match &arguments.columns {
        Some(text) => ColumnMap::parse(text).map_err(|e| Misuse(e.to_string()))?,
        None => ColumnMap::default(),
    };
    let only = Known::of(&database)?.experiments(&arguments.tracks)?;
    let within = match &arguments.regions {
        Some(bed) => read_bed(bed, database.axis().assembly())?
            .into_iter()
            .map(|(interval, _)| interval)
            .collect(),
        None => Vec::new(),
    };
    if arguments.probe {
        let options = ProbeOptions {
            tracks: only,
            queries: arguments.queries as usize,
            seed: arguments.seed,
            baselines: !arguments.no_signal,
            within,
            leave_out_biosamples: arguments.leave_out_biosamples,
        };
        return probe::run(&database, &model, &arguments.against, &options, common);
    }
    let read = |path: &Option<PathBuf>| {
        path.as_ref()
            .map(|p| Manifest::read(p, &columns))
            .transpose()
    };
    let options = EvaluateOptions {
        truth: read(&arguments.truth)?,
        peaks: read(&arguments.peaks)?,
        only,
        within,
        learned: arguments.baselines.clone(),
        definitions: match arguments.challenge {
            true => Definitions::Challenge,
            false => Definitions::Persea,
        },
        shard: arguments.shard,
    };
    let scale = scoring_scale(&arguments);
    if !arguments.merge.is_empty() {
        return merge(&database, &model, scale, &options, &arguments.merge, common);
    }
    if arguments.dry_run {
        return dry_run(&database, &model, &options, common);
    }
    let bar = progress::bar(0, "scoring {wide_bar} {pos}/{len} tracks");
    let evaluation = evaluate(&database, &model, scale, &options, &mut |done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    keep_imputation(&database, &model, scale, &options, &evaluation);
    print(&evaluation, common.format)?;
    let normalised = database.normalised_assays()?;
    let is_normalised = |t: &&TrackEvaluation| normalised.contains(&t.assay);
    let n_normalised = evaluation.tracks.iter().filter(is_normalised).count();
    if n_normalised > 0 {
        eprintln!(
            "{n_normalised} of {} tracks are of normalised assays and scored as they are stored: on the scale of \
             their assay's reference",
            evaluation.tracks.len()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what scoring would take.
fn dry_run(
    database: &Database,
    model: &TrainedModel,
    options: &EvaluateOptions,
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let bins = spans(model.axis(), &options.within)?;
    let n_bins: u64 = bins.iter().map(|s| s.end - s.start).sum();
    let stored = database.tracks()?;
    let is_stored = |b: &str, a: &str| stored.iter().any(|t| t.biosample == b && t.assay == a);
    let held = model.record().tracks.iter().filter(|t| {
        let is_asked =
            (options.only.iter()).any(|e| e.biosample == t.biosample && e.assay == t.assay);
        t.role == TrackRole::Hold
            && is_stored(&t.biosample, &t.assay)
            && (options.only.is_empty() || is_asked)
    });
    dry_run::of_scoring(held.count(), n_bins, options.learned.len()).print(common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// The longest file of a part that is read, in bytes: 10 KB for each of 10,000 tracks.
const LONGEST_PART: u64 = 10_000 * 10_000;

/// Puts the parts of an evaluation together, stores and prints it.
fn merge(
    database: &Database,
    model: &TrainedModel,
    scale: ScoringScale,
    options: &EvaluateOptions,
    files: &[PathBuf],
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let mut parts = Vec::with_capacity(files.len());
    // How settings were chosen is the same for all parts, and is taken from the first as it stands.
    let mut choices = Value::Null;
    for file in files {
        let at = file.display();
        let about = std::fs::metadata(file).with_context(|| at.to_string())?;
        if !about.is_file() || about.len() > LONGEST_PART {
            bail!("{at} is not what `persea evaluate --shard` prints as JSON");
        }
        let bytes = std::fs::read(file).with_context(|| at.to_string())?;
        let read = || -> serde_json::Result<(Value, Evaluation)> {
            let document: Value = serde_json::from_slice(&bytes)?;
            Ok((document.clone(), serde_json::from_value(document)?))
        };
        let (document, part) = read().with_context(|| {
            format!("{at} is not what `persea evaluate --shard` prints as JSON")
        })?;
        if parts.is_empty() {
            choices = document["choices"].clone();
        }
        parts.push((at.to_string(), part));
    }
    let merged = merge_evaluations(model, scale, options, parts)?;
    keep_imputation(database, model, scale, options, &merged);
    if common.format != Format::Json {
        print(&merged, common.format)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut document = serde_json::to_value(&merged)?;
    document["choices"] = choices;
    print_json(&document)?;
    Ok(ExitCode::SUCCESS)
}

/// The Challenge scored −log10 p itself.
fn scoring_scale(arguments: &Arguments) -> ScoringScale {
    arguments.scale.unwrap_or(match arguments.challenge {
        true => ScoringScale::Signal,
        false => ScoringScale::Arcsinh,
    })
}

/// Prints an evaluation: as JSON, as TSV or CSV with one row per track and predictor, or as a table
/// of the main measures followed by the means of all measures.
pub fn print(evaluation: &Evaluation, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return Ok(print_json(evaluation)?);
    }
    type Row<'a> = (
        Value,
        Value,
        &'a str,
        TrackMeasures,
        Option<IntervalsByStratum>,
    );
    let mut rows: Vec<Row<'_>> = Vec::new();
    // Only the model has intervals.
    let of_model =
        |name: &str, found: &Option<IntervalsByStratum>| found.filter(|_| name == "model");
    for t in &evaluation.tracks {
        let simple = [
            ("model", t.measures),
            ("average_activity", t.average_activity),
            ("calibrated_average", t.calibrated_average),
            ("nearest_biosample", t.nearest_biosample),
            ("additive", t.additive),
        ];
        let of = simple
            .into_iter()
            .chain(t.learned.iter().map(|(name, m)| (*name, *m)));
        rows.extend(of.map(|(name, m)| {
            let intervals = of_model(name, &t.intervals);
            (json!(t.biosample), json!(t.assay), name, m, intervals)
        }));
    }
    let m = &evaluation.mean;
    let mut run_options = vec![
        ("model", m.measures),
        ("average_activity", m.average_activity),
        ("calibrated_average", m.calibrated_average),
        ("nearest_biosample", m.nearest_biosample),
        ("additive", m.additive),
    ];
    run_options.extend(m.learned.iter().map(|(name, m)| (*name, *m)));
    if format != Format::Table {
        rows.extend(run_options.into_iter().map(|(name, of)| {
            (
                json!("mean"),
                json!(""),
                name,
                of,
                of_model(name, &m.intervals),
            )
        }));
        let columns: Vec<&str> = ["biosample", "assay", "predictor"]
            .iter()
            .chain(TrackMeasures::NAMES)
            .chain(&["coverage_50", "coverage_90"])
            .copied()
            .collect();
        let mut table = Table::new(&columns);
        for (biosample, assay, name, measures, intervals) in rows {
            let all = intervals.map(|i| i.all);
            let coverage = [all.map(|i| i.coverage_50), all.map(|i| i.coverage_90)];
            let cells = measures.values().into_iter().map(|(_, v)| measure(v));
            let cells = cells.chain(coverage.map(measure));
            table.row(
                [biosample, assay, json!(name)]
                    .into_iter()
                    .chain(cells)
                    .collect(),
            );
        }
        table.print(format)?;
        return Ok(());
    }
    let pick = |measures: &TrackMeasures| -> Vec<Value> {
        let values = measures.values();
        let find = |name: &str| {
            values
                .iter()
                .find(|(n, _)| *n == name)
                .and_then(|(_, v)| *v)
        };
        SHOWN.iter().map(|name| measure(find(name))).collect()
    };
    let columns: Vec<&str> = ["biosample", "assay", "predictor"]
        .into_iter()
        .chain(SHOWN)
        .collect();
    let mut table = Table::new(&columns);
    for (biosample, assay, name, measures, _) in &rows {
        if ["model", "average_activity", "calibrated_average"].contains(name) {
            table.row(
                [biosample.clone(), assay.clone(), json!(name)]
                    .into_iter()
                    .chain(pick(measures))
                    .collect(),
            );
        }
    }
    table.print(format)?;
    print_line(format_args!(
        "\nmeans over {} tracks, {} bins ({} of them 0 in every track), {} scale{}",
        evaluation.tracks.len(),
        grouped(evaluation.n_bins),
        grouped(evaluation.n_zero_bins),
        match evaluation.scale {
            ScoringScale::Arcsinh => "arcsinh",
            ScoringScale::Signal => "signal",
        },
        match evaluation.definitions {
            Definitions::Persea => "",
            Definitions::Challenge => ", by the ENCODE Imputation Challenge's definitions",
        }
    ))?;
    for track in evaluation
        .tracks
        .iter()
        .filter(|t| t.n_bins < evaluation.n_bins)
    {
        print_line(format_args!(
            "{} {} has data in {} of these bins, and is scored there",
            track.biosample,
            track.assay,
            grouped(track.n_bins)
        ))?;
    }
    let names = run_options.iter().map(|(name, _)| *name);
    let columns: Vec<&str> = ["measure"].into_iter().chain(names).collect();
    let mut table = Table::new(&columns);
    let values: Vec<_> = run_options.iter().map(|(_, m)| m.values()).collect();
    for (i, name) in TrackMeasures::NAMES.iter().enumerate() {
        if values.iter().any(|v| v[i].1.is_some()) {
            table.row(
                [json!(name)]
                    .into_iter()
                    .chain(values.iter().map(|v| measure(v[i].1)))
                    .collect(),
            );
        }
    }
    table.print(format)?;
    if let Some(found) = &m.intervals {
        let strata = [Some(found.all), found.highest, found.high, found.rest];
        print_intervals(strata.map(|s| s.map(|i| [i.coverage_50, i.coverage_90, i.crps])))?;
    }
    print_choices(&evaluation.choices)?;
    print_paired(&evaluation.paired)
}
