//! `persea check`.

use std::process::ExitCode;

use persea::search::check_index;
use persea::store::{Database, Severity, check_database};
use serde_json::json;

use super::Common;
use super::output::Table;

/// Is the database whole? Names what is damaged and what still works (exit status 1), and what an
/// interrupted command left that the next one tidies up.
///
/// Reads everything: SQLite's pages and references, the checksum of each table and of each piece of
/// each model, each chunk of each track, each checkpoint.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea check --db pilot.persea")]
pub struct Arguments {}

/// Runs it.
pub fn run(_: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let path = common.path()?;
    let mut findings = check_database(path)?;
    // A database that cannot be opened has said so above.
    if let Ok(database) = Database::open(path) {
        findings.extend(check_index(&database)?);
    }
    let mut table = Table::new(&["severity", "what", "message", "consequence"]);
    for finding in &findings {
        table.row(vec![
            json!(format!("{:?}", finding.severity).to_lowercase()),
            json!(finding.what),
            json!(finding.message),
            json!(finding.consequence),
        ]);
    }
    if findings.is_empty() {
        eprintln!(
            "{}: whole (SQLite, foreign keys, every table's and every blob's checksum, every track's chunks, the index)",
            path.display()
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
            path.display()
        );
    }
    Ok(if is_damaged {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
