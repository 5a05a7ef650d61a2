//! `persea task report`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::formats::write_text;
use persea::plot::{ReportedRun, task_report_html, task_report_markdown};
use persea::tasks::predictions;

use crate::cli::output::print_line;
use crate::cli::{Common, Misuse};

/// Write a report about runs: tables, figures, settings
///
/// The report is one self-contained HTML file without scripts, or Markdown, by the file's extension.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea task report 1 --output report.html\n          persea task report --all --output report.md"
)]
pub struct Arguments {
    /// Numbers of the runs
    #[arg(required_unless_present = "all")]
    runs: Vec<i64>,
    /// Include all stored runs
    #[arg(long, conflicts_with = "runs")]
    all: bool,
    /// Output file: .html or .md
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let extension = arguments
        .output
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase());
    let markdown = match extension.as_deref() {
        Some("html" | "htm") => false,
        Some("md") => true,
        _ => {
            let name = arguments.output.display();
            return Err(Misuse(format!("{name} does not end in .html or .md")).into());
        }
    };
    let database = common.open()?;
    let stored = match arguments.all {
        true => database.list_runs()?,
        false => {
            let runs = arguments.runs.iter().map(|id| database.read_run(*id));
            runs.collect::<Result<_, _>>()?
        }
    };
    if stored.is_empty() {
        anyhow::bail!("no run is stored; make one with `persea task run`");
    }
    let mut runs = Vec::new();
    for run in stored {
        let predictions = predictions(&database, &run)?;
        runs.push(ReportedRun::new(&run, predictions)?);
    }
    let text = match markdown {
        true => task_report_markdown(&runs),
        false => task_report_html(&runs)?,
    };
    write_text(&arguments.output, text.as_bytes())?;
    print_line(arguments.output.display())?;
    Ok(ExitCode::SUCCESS)
}
