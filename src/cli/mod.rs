//! The command line: one file a subcommand.
//!
//! Owns arguments, tables and progress; every subcommand is a library call. Results go to stdout,
//! all else to stderr. Exits with 0, 1 (failed) or 2 (misused).

mod output;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use output::Format;

/// An embedded database of the epigenome's learned representation.
///
/// Learns a compendium of signal tracks (biosample × assay × 25 bp of the genome) by deep tensor
/// factorisation, imputes experiments that nobody ran, and scores itself on tracks kept aside.
#[derive(Debug, Parser)]
#[command(
    name = "persea",
    version,
    max_term_width = 100,
    after_help = "Example: persea demo --output demo"
)]
struct Arguments {
    /// The database directory (NAME.persea).
    #[arg(long, global = true, env = "PERSEA_DB", value_name = "DIR")]
    db: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Threads to use; all cores by default.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
    /// Say more on stderr (repeat for more).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {}

/// What every subcommand gets.
struct Context_ {
    db: Option<PathBuf>,
    format: Format,
    threads: Option<usize>,
}
