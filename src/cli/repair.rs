//! `persea repair`.

use std::process::ExitCode;

use persea::store::{Repair, StrayArray};
use serde_json::json;

use super::Common;
use super::output::Table;

/// Repair a database that lost committed transactions.
///
/// Arrays of tracks may have lost their rows. Without an option the command lists these arrays, changes
/// nothing, and exits with 1 if there are any. Until the repair no other command writes to the
/// database.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea repair --db pilot.persea\n          persea repair --adopt\n          persea repair --adopt --remove    (what cannot be adopted is removed)"
)]
pub struct Arguments {
    /// Restore the rows of arrays that are complete
    #[arg(long)]
    adopt: bool,
    /// Remove the arrays; with --adopt only those that cannot be adopted
    #[arg(long)]
    remove: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let mut table = Table::new(&["array", "biosample", "assay", "state", "why"]);
    let mut add = |strays: &[StrayArray], state: &str| {
        for stray in strays {
            let (biosample, assay) = match &stray.experiment {
                Some((biosample, assay)) => (json!(biosample), json!(assay)),
                None => (json!(null), json!(null)),
            };
            let why = json!(stray.obstacle);
            table.row(vec![
                json!(stray.array),
                biosample,
                assay,
                json!(state),
                why,
            ]);
        }
    };
    let how = match (arguments.adopt, arguments.remove) {
        (true, false) => Repair::Adopt,
        (true, true) => Repair::AdoptOrRemove,
        (false, true) => Repair::Remove,
        (false, false) => {
            let lost = database.lost_commits();
            let strays = database.stray_arrays()?;
            let (whole, others): (Vec<_>, Vec<_>) =
                strays.into_iter().partition(|s| s.obstacle.is_none());
            add(&whole, "can be adopted");
            add(&others, "cannot be adopted");
            let is_empty = whole.is_empty() && others.is_empty();
            table.print(common.format)?;
            match (lost, is_empty) {
                (None, true) => {
                    eprintln!("nothing to repair");
                    return Ok(ExitCode::SUCCESS);
                }
                (Some(why), true) => eprintln!(
                    "{why}; no array has lost its row; --adopt continues with the database as it is"
                ),
                (Some(why), false) => {
                    eprintln!("{why}; --adopt restores the rows, --remove removes the arrays")
                }
                (None, false) => eprintln!(
                    "an interrupted command left these arrays; the next command that writes removes \
                     them, unless --adopt restores their rows"
                ),
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let report = database.repair(how)?;
    add(&report.adopted, "adopted");
    add(&report.removed, "removed");
    add(&report.kept, "kept");
    table.print(common.format)?;
    if report.kept.is_empty() {
        eprintln!("{} can be written to again", database.path().display());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("the kept arrays cannot be adopted; --remove removes them");
    Ok(ExitCode::FAILURE)
}
