//! `persea ingest`.

mod encode;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use persea::compendium::encode::Prefer;
use persea::compendium::{
    ColumnMap, CompendiumError, Experiment, IngestEvent, IngestOptions, Manifest, Outcome,
    Replicates, Shard, ingest, ingest_metadata, normalise,
};
use persea::store::{Database, Step, ValueType};
use persea::vocabulary::vocabulary;
use serde_json::json;

use super::one_of::one_of;
use super::output::Table;
use super::{Common, Misuse, dry_run, hints, progress};

/// Read the tracks listed in a manifest into the database.
///
/// The manifest is a CSV or TSV with a header: biosample, assay, path (relative to the manifest, or
/// an http(s) URL), and optionally format, transform (arcsinh or none), multiplier, unit, missing
/// (what an uncovered base counts as: zero, or missing). Without `missing` what a bigWig or bedGraph does
/// not cover has no data, and so has a sequence that a file lacks; between called peaks it is 0. A bin
/// without data is left out of training, averages and scores. Tracks that are already stored are skipped, or replaced if their file has changed.
///
/// With --normalise the background and the peaks of each track are brought to the reference of its assay, by a power
/// law of two parameters. Impute writes the signal of an experiment that was measured on its own scale again, and
/// that of one that was not measured on the reference's.
///
/// With --encode the manifest is ENCODE's own table: of each experiment the released bigWigs of one output type,
/// of the database's assembly, of the newest analysis and of most replicates are taken. It prints what it took,
/// and of each other file why it was left.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: persea ingest manifest.tsv --columns biosample=cell,path=file --replicates mean\n         persea ingest manifest.tsv --shard 2/4 --db shard2.persea\n         persea ingest manifest.tsv --normalise"
)]
pub struct Arguments {
    /// Manifest
    #[arg(required_unless_present_any = ["metadata", "encode", "normalise"])]
    manifest: Option<PathBuf>,
    /// Names of the manifest's columns, if different: biosample=cell,path=file
    #[arg(long, value_name = "NAME=COLUMN,…")]
    columns: Option<String>,
    /// How values are stored: f32, exactly, or u16, as counts of --step in half the space. Kept by later
    /// ingests that do not give it; f32 for new tracks
    #[arg(long, value_parser = one_of::<Values>())]
    values: Option<Values>,
    /// Step of --values u16, as 1/N with N a power of two: of arcsinh, where a track is transformed. A value is
    /// stored to half a step; 0 and missing bins exactly. 1/512 if not given
    #[arg(long, value_name = "1/N", requires = "values")]
    step: Option<Step>,
    /// Bring the background and the peaks of each track to its assay's, the medians of its tracks (three at least).
    /// Tracks that come later are brought to the same reference without this option. Without a manifest all
    /// tracks of the database are normalised
    #[arg(long, conflicts_with = "dry_run")]
    normalise: bool,
    /// Part of the manifest's tracks to read, as I/N: 1/4 to 4/4 for four databases, which `persea merge` joins
    #[arg(long, value_name = "I/N", conflicts_with = "encode")]
    shard: Option<Shard>,
    /// How to treat several files of one experiment
    #[arg(long, value_parser = one_of::<Replicates>(), default_value_t = Replicates::Refuse)]
    replicates: Replicates,
    /// ENCODE's table of files (metadata.tsv of a search of the portal), in place of a manifest
    #[arg(long, value_name = "TABLE", conflicts_with_all = ["manifest", "columns"])]
    encode: Option<PathBuf>,
    /// Folder of local copies named by accession; files that it lacks are fetched into it. By default the
    /// folder of the table
    #[arg(long, value_name = "DIR", requires = "encode")]
    files: Option<PathBuf>,
    /// Output type to take, such as "fold change over control"; by default signal p-value, and read-depth
    /// normalized signal for assays that have no p-value
    #[arg(long, value_name = "TYPE", requires = "encode")]
    output_type: Option<String>,
    /// Which of several experiments of one biosample and assay to take
    #[arg(long, value_parser = one_of::<Prefer>(), default_value_t = Prefer::Ask, requires = "encode")]
    prefer: Prefer,
    /// Estimate time and disk, and read nothing; with --encode print the manifest that would be used
    #[arg(long, conflicts_with_all = ["metadata", "shard"])]
    dry_run: bool,
    /// Table of metadata about biosamples or assays (Roadmap's and IHEC's tables work unchanged)
    #[arg(long, value_name = "TABLE")]
    metadata: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    if arguments.normalise && arguments.shard.is_some() {
        let why = "--normalise needs all tracks of an assay, and a shard has a part of them: join the shards with \
                   `persea merge`, then run `persea ingest --normalise`, which reads no file again";
        return Err(Misuse(why.into()).into());
    }
    let database = common.open()?;
    let mut code = ExitCode::SUCCESS;
    let how = How {
        normalise: arguments.normalise,
        replicates: arguments.replicates,
        shard: arguments.shard,
        values: arguments.value_type()?,
    };
    if let Some(path) = &arguments.manifest {
        let columns = match &arguments.columns {
            Some(text) => ColumnMap::parse(text).map_err(|e| Misuse(e.to_string()))?,
            None => ColumnMap::default(),
        };
        let manifest = Manifest::read(path, &columns)?;
        if arguments.dry_run {
            dry_run::of_manifest(&database, &manifest, how.values)?.print(common.format)?;
            return Ok(code);
        }
        let stop = progress::stop_on_interrupt(STOPPING)?;
        code = read_manifest(&database, &manifest, &how, &stop, common)?;
    }
    if let Some(table) = &arguments.encode {
        code = encode::run(table, &arguments, &how, &database, common)?;
    }
    if arguments.normalise && arguments.manifest.is_none() && arguments.encode.is_none() {
        code = normalise_stored(&database, common)?;
    }
    if let Some(path) = &arguments.metadata {
        let report = ingest_metadata(&database, path)?;
        eprintln!(
            "{} {}s described by {} ({} rows are of others)",
            report.updated.len(),
            report.kind,
            path.display(),
            report.n_others
        );
    }
    Ok(code)
}

impl Arguments {
    /// How values are stored, if the user says so.
    fn value_type(&self) -> Result<Option<ValueType>, Misuse> {
        match (self.values, self.step) {
            (Some(Values::U16), step) => Ok(Some(ValueType::U16(step.unwrap_or_default()))),
            (Some(Values::F32), None) => Ok(Some(ValueType::F32)),
            (None, None) => Ok(None),
            (_, Some(_)) => Err(Misuse("--step is of --values u16".into())),
        }
    }
}

/// How the tracks of a manifest are read and stored.
#[derive(Debug, Clone, Copy)]
struct How {
    normalise: bool,
    replicates: Replicates,
    shard: Option<Shard>,
    values: Option<ValueType>,
}

vocabulary! {
    /// How values are stored.
    enum Values {
        /// 32-bit numbers.
        F32 = "f32",
        /// 16-bit counts of a step.
        U16 = "u16",
    }
}

const STOPPING: &str = "stopping after the tracks under way; run the same command to go on";

/// Normalises all stored tracks, and prints what became of them.
fn normalise_stored(database: &Database, common: &Common) -> anyhow::Result<ExitCode> {
    let stop = progress::stop_on_interrupt(STOPPING)?;
    let n_bins = database.axis().n_bins();
    let bar = progress::bar(
        0,
        "normalising {msg} {wide_bar} {percent}% {elapsed} left {eta}",
    );
    let on_event = |event: IngestEvent<'_>| match event {
        IngestEvent::Normalising { n_tracks } => bar.set_length(n_tracks as u64 * n_bins),
        IngestEvent::Began { experiment } => bar.set_message(experiment.to_string()),
        IngestEvent::Bins { n } => bar.inc(n),
        _ => {}
    };
    let options = IngestOptions {
        threads: common.threads.map_or(0, usize::from),
        progress: Some(&on_event),
        stop: Some(&stop),
        ..IngestOptions::default()
    };
    let report = normalise(database, &options)?;
    bar.finish_and_clear();
    say(&report.warnings, &report.failed);
    let n_normalised = database
        .tracks()?
        .iter()
        .filter(|t| t.normalisation.is_some())
        .count();
    let count = |n: usize| json!(n);
    let mut table = Table::new(&["normalised", "normalised_before", "failed", "not_reached"]);
    table.row(vec![
        count(report.normalised.len()),
        count(n_normalised - report.normalised.len()),
        count(report.failed.len()),
        count(report.n_left),
    ]);
    table.print(common.format)?;
    Ok(match report.failed.is_empty() && report.n_left == 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Prints warnings, and which tracks failed.
fn say(warnings: &[String], failed: &[(Experiment, CompendiumError)]) {
    for warning in warnings {
        eprintln!("persea: warning: {}", super::output::printable(warning));
    }
    for (experiment, error) in failed {
        let message = format!("{experiment}: {error}");
        eprintln!("persea: {}", super::output::printable(&message));
    }
}

/// Reads a manifest's tracks, and prints what became of them.
fn read_manifest(
    database: &Database,
    manifest: &Manifest,
    how: &How,
    stop: &AtomicBool,
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let n_bins = database.axis().n_bins();
    let bar = progress::bar(0, "{msg} {wide_bar} {percent}% {elapsed} left {eta}");
    let on_event = |event: IngestEvent<'_>| match event {
        IngestEvent::Total { n_tracks } => bar.set_length(n_tracks as u64 * n_bins),
        IngestEvent::Normalising { n_tracks } => bar.inc_length(n_tracks as u64 * n_bins),
        IngestEvent::Began { experiment } => bar.set_message(experiment.to_string()),
        IngestEvent::Bins { n } => bar.inc(n),
        IngestEvent::Done {
            outcome: Outcome::Skipped,
            ..
        } => bar.inc(n_bins),
        _ => {}
    };
    let options = IngestOptions {
        threads: common.threads.map_or(0, usize::from),
        replicates: how.replicates,
        values: how.values,
        shard: how.shard,
        normalise: how.normalise,
        progress: Some(&on_event),
        stop: Some(stop),
    };
    let report = ingest(database, manifest, &options)?;
    bar.finish_and_clear();
    for row in &report.without_file {
        eprintln!(
            "persea: {}, line {}: {} {} names no file and is left out",
            manifest.path.display(),
            row.line,
            row.biosample,
            row.assay
        );
    }
    say(&report.warnings, &report.failed);
    let mut table = Table::new(&[
        "ingested",
        "replaced",
        "unchanged",
        "normalised",
        "failed",
        "without_file",
        "not_reached",
    ]);
    let count = |n: usize| json!(n);
    table.row(vec![
        count(report.ingested.len()),
        count(report.replaced.len()),
        count(report.skipped.len()),
        count(report.normalised.len()),
        count(report.failed.len()),
        count(report.without_file.len()),
        count(report.n_left),
    ]);
    table.print(common.format)?;
    if database.list_models()?.is_empty() && database.tracks()?.len() > 1 {
        hints::next(database.path(), &["train".into()]);
    }
    Ok(match report.failed.is_empty() && report.n_left == 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
