//! `persea diff databases`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::store::{Database, compare_databases};
use serde_json::json;

use super::super::output::Table;
use super::super::{Common, progress};

/// Compare two databases: rows, arrays and factors.
///
/// Lists what differs and exits with 1 if anything does. Dates, durations and row numbers are not compared, and
/// neither are search indexes and checkpoints.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea diff databases merged.persea single.persea")]
pub struct Databases {
    /// First database directory
    #[arg(value_name = "A")]
    first: PathBuf,
    /// Second database directory
    #[arg(value_name = "B")]
    second: PathBuf,
}

/// Runs the command.
pub fn run(arguments: Databases, common: &Common) -> anyhow::Result<ExitCode> {
    let first = Database::open(&arguments.first)?;
    let second = Database::open(&arguments.second)?;
    let bar = progress::bar(0, "comparing {wide_bar} {pos}/{len} {elapsed}");
    let found = compare_databases(&first, &second, &mut |done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    let mut table = Table::new(&["what", "how"]);
    for difference in &found {
        table.row(vec![json!(difference.what), json!(difference.how)]);
    }
    let (a, b) = (arguments.first.display(), arguments.second.display());
    if found.is_empty() {
        eprintln!("{a} and {b}: no difference found (rows, arrays, factors)");
        if common.format == super::super::Format::Table {
            return Ok(ExitCode::SUCCESS);
        }
    }
    table.print(common.format)?;
    Ok(match found.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
