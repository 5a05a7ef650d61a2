//! `persea backup`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::store::BackupProgress;
use serde_json::json;

use super::output::{Format, Table, print_json};
use super::{Common, progress};

/// Copy the database, even while others write to it.
///
/// The copy shows the database at one instant. It is read back and checked before it gets its name.
/// Search indexes and checkpoints are not copied.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea backup backups/pilot-monday.persea --db pilot.persea")]
pub struct Arguments {
    /// New database directory; it must not exist
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let bar = progress::bar(1, "{msg} {wide_bar} {percent}% {elapsed} left {eta}");
    let report = database.backup(&arguments.to, &mut |at| match at {
        BackupProgress::Tracks(done, all) => tell(&bar, "tracks", done, all),
        BackupProgress::Pages(done, all) => tell(&bar, "persea.sqlite", done, all),
        BackupProgress::Checking => tell(&bar, "checking", 0, 1),
    })?;
    bar.finish_and_clear();
    let facts = [
        ("backup", json!(arguments.to.display().to_string())),
        ("tracks", json!(report.n_tracks)),
        ("models", json!(report.n_models)),
        ("bytes", json!(report.bytes)),
    ];
    if common.format == Format::Json {
        let object: serde_json::Map<_, _> =
            facts.map(|(k, v)| (k.to_string(), v)).into_iter().collect();
        print_json(&object)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&facts.each_ref().map(|(name, _)| *name));
    table.row(facts.into_iter().map(|(_, value)| value).collect());
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(bar: &indicatif::ProgressBar, what: &'static str, done: u64, all: u64) {
    bar.set_message(what);
    bar.set_length(all);
    bar.set_position(done);
}
