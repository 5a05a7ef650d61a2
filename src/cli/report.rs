//! `persea report`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::formats::write_text;
use persea::plot::{ReportOptions, report_html};

use super::output::print_line;
use super::{Common, Misuse};

/// Write a report about the database: contents, accuracy, figures, similar positions, tasks
///
/// The report is one self-contained HTML file without scripts. Scores of the
/// held-out tracks that `persea evaluate` has stored are used where model and tracks are the same. Otherwise most of
/// the time is spent on scoring them; --no-evaluate leaves that out.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea report --output report.html\n          persea report --model fold0 --no-evaluate --output quick.html"
)]
pub struct Arguments {
    /// Output file: .html
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Do not score the held-out tracks
    #[arg(long)]
    no_evaluate: bool,
    /// Number of task runs shown in full, latest first
    #[arg(long, value_name = "N", default_value_t = 4)]
    runs: usize,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let ending = arguments
        .output
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase());
    if !matches!(ending.as_deref(), Some("html" | "htm")) {
        let name = arguments.output.display();
        return Err(Misuse(format!("{name} does not end in .html")).into());
    }
    let database = common.open()?;
    let options = ReportOptions {
        model: arguments.model,
        evaluate: !arguments.no_evaluate,
        full_runs: arguments.runs,
    };
    let bar = super::progress::bar(6, "{msg} {wide_bar}");
    let html = report_html(&database, &options, &mut |what| {
        bar.set_message(what.to_string());
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    write_text(&arguments.output, html.as_bytes())?;
    print_line(arguments.output.display())?;
    Ok(ExitCode::SUCCESS)
}
