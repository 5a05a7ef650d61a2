//! `persea check`.

use std::process::ExitCode;

use serde_json::json;

use super::Common;
use super::output::Table;

/// Is the database whole? Names what is damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea check --db pilot.persea")]
pub struct Arguments {}

/// Runs it.
pub fn run(_: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let findings = database.check()?;
    let mut table = Table::new(&["severity", "what", "message"]);
    for finding in &findings {
        table.row(vec![
            json!(format!("{:?}", finding.severity).to_lowercase()),
            json!(finding.what),
            json!(finding.message),
        ]);
    }
    if findings.is_empty() {
        eprintln!(
            "{}: whole (SQLite, foreign keys, every blob's checksum, every track's chunks)",
            database.path().display()
        );
        if common.format == super::Format::Table {
            return Ok(ExitCode::SUCCESS);
        }
    }
    table.print(common.format)?;
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
