//! `persea check`.

use std::process::ExitCode;

use persea::search::check_index;
use persea::store::Severity;
use serde_json::json;

use super::Common;
use super::output::Table;

/// Is the database whole? Names what is damaged (exit status 1), and what an interrupted command
/// left that the next one tidies up.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea check --db pilot.persea")]
pub struct Arguments {}

/// Runs it.
pub fn run(_: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let mut findings = database.check()?;
    findings.extend(check_index(&database)?);
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
            "{}: whole (SQLite, foreign keys, every blob's checksum, every track's chunks, the index)",
            database.path().display()
        );
        if common.format == super::Format::Table {
            return Ok(ExitCode::SUCCESS);
        }
    }
    table.print(common.format)?;
    let is_damaged = findings.iter().any(|f| f.severity == Severity::Damage);
    if !findings.is_empty() && !is_damaged {
        eprintln!(
            "{}: whole; what is noted above needs nothing done",
            database.path().display()
        );
    }
    Ok(if is_damaged {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
