//! `persea task`: one file a deed.

mod export;
mod import;
mod list;
mod report;
mod run;
mod suite;

use std::process::ExitCode;

use clap::Subcommand;

use super::Common;

/// Downstream tasks: do learned factors beat raw signal? Labels, runs, reports.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: persea task run expression --biosample E003 --features embedding,signal,embedding+signal --learner gbm"
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Import(import::Arguments),
    /// Every task, with its labels
    List,
    /// A task's sources and labels
    Show {
        /// Its name
        name: String,
    },
    /// Remove a task; its runs stay
    Remove {
        /// Its name
        name: String,
    },
    Run(Box<run::Arguments>),
    /// Every run that is stored
    Runs,
    Rerun(run::Again),
    Export(export::Arguments),
    Suite(suite::Arguments),
    Report(report::Arguments),
}

/// Runs it.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Action::Import(a) => import::run(a, common),
        Action::List => list::list(common),
        Action::Show { name } => list::show(&name, common),
        Action::Remove { name } => {
            common.open()?.delete_task(&name)?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Run(a) => run::run(*a, common),
        Action::Runs => list::runs(common),
        Action::Rerun(a) => run::again(a, common),
        Action::Export(a) => export::run(a, common),
        Action::Suite(a) => suite::run(a, common),
        Action::Report(a) => report::run(a, common),
    }
}
