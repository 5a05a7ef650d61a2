//! `persea completions`, `persea man` and the hidden `persea reference`.
//!
//! All three are generated from the definition of the arguments, so that they cannot disagree with
//! `--help`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use persea::formats::write_text;

use super::{output, reference};

/// Print a script of shell completions.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea completions bash > ~/.local/share/bash-completion/completions/persea\n          persea completions zsh > ~/.zfunc/_persea\n          persea completions fish > ~/.config/fish/completions/persea.fish"
)]
pub struct CompletionsArguments {
    /// Shell to write completions for
    #[arg(value_enum)]
    shell: Shell,
}

/// Write the man pages, one per command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea man ~/.local/share/man/man1")]
pub struct ManArguments {
    /// Output folder; created if needed
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Write the command reference of the book, one Markdown page per command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea reference docs/src/commands")]
pub struct ReferenceArguments {
    /// Output folder; created if needed
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints completions.
pub fn completions(arguments: &CompletionsArguments) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    let mut command = super::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "persea", &mut script);
    let script = String::from_utf8(script).context("the completions are not UTF-8")?;
    output::print_line(script.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the man pages.
pub fn man(arguments: &ManArguments) -> anyhow::Result<ExitCode> {
    make(&arguments.folder)?;
    clap_mangen::generate_to(super::Arguments::command(), &arguments.folder)
        .with_context(|| format!("cannot write to {}", arguments.folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the command reference.
pub fn reference(arguments: &ReferenceArguments) -> anyhow::Result<ExitCode> {
    make(&arguments.folder)?;
    for (name, text) in reference::pages(super::Arguments::command()) {
        let path = arguments.folder.join(format!("{name}.md"));
        write_text(&path, text.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn make(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}
