//! `persea task suite`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::files::read_text;
use persea::tasks::{Suite, SuiteEvent, SuiteRun, run_suite, within_name};
use serde_json::{Value, json};

use crate::cli::output::{Format, Table, measure, print_json};
use crate::cli::{Common, progress};

/// Run many benchmarks from a file: tasks × biosamples × learners × folds × seeds
///
/// Stored runs are not repeated, so a stopped suite continues. Each run tests its own family of
/// comparisons; p values are not corrected over the runs of a suite. Three suites are built in: pilot
/// (data folder with `pilot` and `annotation`), targetfinder (data folder with `targetfinder` and
/// `annotation`) and published (data folder with the paper's tables).
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea task suite pilot --data data/ --model fold0\n          persea task suite mine.toml --format tsv"
)]
pub struct Arguments {
    /// TOML file, or pilot, targetfinder or published
    suite: PathBuf,
    /// Folder to which paths in the suite are relative [default: the folder of the file]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Model of runs that name none; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Print the suite's file and exit
    #[arg(long)]
    print: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let (suite, folder) = Suite::open(&arguments.suite)?;
    if arguments.print {
        let text = persea::tasks::shipped_suites()
            .into_iter()
            .find(|(name, _)| PathBuf::from(name) == arguments.suite)
            .map_or_else(|| read_text(&arguments.suite), |(_, t)| Ok(t.to_string()))?;
        crate::cli::output::print_line(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let database = common.open()?;
    let stop =
        progress::stop_on_interrupt("stopping after the current runs; press Ctrl-C again to quit")?;
    let bar = progress::bar(0, "runs {wide_bar} {pos}/{len} {eta}");
    let data = arguments.data.unwrap_or(folder);
    let on_event = |event: SuiteEvent| match event {
        SuiteEvent::Imported(report) => bar.suspend(|| super::import::say(&report)),
        SuiteEvent::Begun(n) => bar.set_length(n as u64),
        SuiteEvent::Done(at, _) => bar.set_position(at as u64),
    };
    let runs = run_suite(
        &database,
        &suite,
        &data,
        arguments.model.as_deref(),
        &stop,
        &on_event,
    )?;
    bar.finish_and_clear();
    print(&runs, common.format)?;
    let failed = runs.iter().filter(|r| r.outcome.is_err()).count();
    let before = runs.iter().filter(|r| r.done_before).count();
    eprintln!(
        "{}: {} runs, {before} of them stored earlier, {failed} failed",
        suite.name,
        runs.len()
    );
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn print(runs: &[SuiteRun], format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        let of = |r: &SuiteRun| {
            let (id, result, error) = match &r.outcome {
                Ok((id, result)) => (json!(id), json!(result), Value::Null),
                Err(e) => (Value::Null, Value::Null, json!(e)),
            };
            json!({"run": id, "settings": r.settings, "result": result, "error": error,
                   "done_before": r.done_before})
        };
        return Ok(print_json(&runs.iter().map(of).collect::<Vec<_>>())?);
    }
    let mut table = Table::new(&[
        "run",
        "task",
        "biosample",
        "learner",
        "folds",
        "features",
        "measure",
        "value",
        "low",
        "high",
        "within",
        "within_low",
        "within_high",
        "fold_mean",
        "fold_se",
        "partitions_sd",
        "n",
        "seconds",
    ]);
    for r in runs {
        let s = &r.settings;
        let (id, result) = match &r.outcome {
            Ok(done) => done,
            Err(e) => {
                eprintln!(
                    "failed: {} {} {}: {e}",
                    s.task,
                    s.test_biosamples.join("+"),
                    s.learner.name()
                );
                continue;
            }
        };
        let within = within_name(result.target);
        for row in &result.rows {
            let w = row.measure(within);
            let m = row.measure(&result.primary);
            let cells = [
                json!(id),
                json!(s.task),
                json!(s.test_biosamples.join("+")),
                json!(row.learner.map_or("", |l| l.name())),
                json!(result.fold_kind.name()),
                json!(row.name),
                json!(result.primary),
                measure(m.value),
                measure(m.low),
                measure(m.high),
                measure(w.value),
                measure(w.low),
                measure(w.high),
                measure(row.fold_mean),
                measure(row.fold_standard_error),
                measure(row.partitions.map(|p| p.deviation)),
                json!(result.n),
                measure(Some((row.seconds * 10.0).round() / 10.0)),
            ];
            table.row(cells.to_vec());
        }
    }
    Ok(table.print(format)?)
}
