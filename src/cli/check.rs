//! `persea check`.

use std::process::ExitCode;

use persea::search::check_index;
use persea::store::{Database, Severity, check_database};
use serde_json::json;

use super::output::Table;
use super::{Common, progress};

/// Check the database for damage.
///
/// Reads everything: SQLite's pages and references, the checksums of all tables and models, every
/// chunk of every track, every checkpoint. Lists what is damaged and what still works, and exits with
/// 1 if anything is damaged. Also lists what interrupted commands left behind; the next writer removes it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea check --db pilot.persea")]
pub struct Arguments {}

/// Runs the command.
pub fn run(_: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let path = common.path()?;
    let bar = progress::busy("checking");
    let mut findings = check_database(path)?;
    // A database that cannot be opened has said so above.
    if let Ok(database) = Database::open(path) {
        findings.extend(check_index(&database)?);
    }
    bar.finish_and_clear();
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
            "{}: no damage found (SQLite, foreign keys, checksums of tables and blobs, chunks of tracks, the index)",
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
            "{}: no damage found; the notes above need no action",
            path.display()
        );
    }
    Ok(if is_damaged {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
