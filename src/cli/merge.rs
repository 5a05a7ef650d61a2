//! `persea merge`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::store::merge_shards;
use serde_json::json;

use super::output::Table;
use super::{Common, progress};

/// Merge databases of one genome axis into one.
///
/// Merges the tracks and what is known of their biosamples and assays. The database OUT is made if it does not exist.
/// Every array is read back and compared with its checksums before anything is stored, and all tracks are stored at
/// once. A damaged shard, other regions or another annotation, and one track with two contents are refused by name.
/// Tracks that OUT has already are left as they are, so that a merge may be repeated. Models and other results of
/// shards are not merged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea merge all.persea shard1.persea shard2.persea")]
pub struct Arguments {
    /// Database directory to merge into
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Database directories to merge, as `persea ingest --shard` fills them
    #[arg(value_name = "SHARD", required = true)]
    shards: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let bar = progress::bar(0, "merging {wide_bar} {pos}/{len} tracks {elapsed}");
    let report = merge_shards(&arguments.output, &arguments.shards, &|done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    for left in &report.left_out {
        eprintln!("persea: not merged: {left}");
    }
    let mut table = Table::new(&["merged", "unchanged", "shards"]);
    table.row(vec![
        json!(report.merged.len()),
        json!(report.unchanged.len()),
        json!(arguments.shards.len()),
    ]);
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}
