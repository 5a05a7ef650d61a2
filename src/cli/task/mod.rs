//! `persea task`: one file per action.

mod export;
mod import;
mod list;
mod report;
mod result;
mod run;
mod suite;
mod tables;

use std::process::ExitCode;

use clap::Subcommand;

use super::Common;

/// Compare learned factors with raw signal on downstream tasks.
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
    /// List all tasks with their labels
    List,
    /// Show the sources and labels of a task
    Show {
        /// Name of the task
        name: String,
    },
    /// Remove a task; its runs are kept
    Remove {
        /// Name of the task
        name: String,
    },
    Run(Box<run::Arguments>),
    /// List all stored runs
    Runs,
    Rerun(run::Again),
    Export(export::Arguments),
    Suite(suite::Arguments),
    Report(report::Arguments),
}

/// Runs the command.
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
