//! `persea track`.

use std::process::ExitCode;

use clap::Subcommand;
use persea::formats::Missing;
use serde_json::json;

use super::output::Table;
use super::{Common, names};

/// List, rename and remove tracks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea track rename biosample HUVEC E122")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Every track: where it came from, what was done to it, its mean, variance and maximum
    List,
    /// Rename a biosample or an assay, in the models that know it as well
    Rename {
        /// biosample or assay
        #[arg(value_parser = ["biosample", "assay"])]
        what: String,
        /// The name it has
        from: String,
        /// The name it gets
        to: String,
    },
    /// Remove tracks from the compendium
    Remove {
        /// BIOSAMPLE:ASSAY, …
        #[arg(required = true)]
        tracks: Vec<String>,
    },
}

/// Runs it.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    match arguments.action {
        Action::List => {
            let mut table = Table::new(&[
                "biosample",
                "assay",
                "mean",
                "variance",
                "maximum",
                "nan_bins",
                "negative_bins",
                "transform",
                "multiplier",
                "unit",
                "missing",
                "location",
                "checksum",
                "ingested",
            ]);
            for t in database.tracks()? {
                table.row(vec![
                    json!(t.biosample),
                    json!(t.assay),
                    json!(t.mean),
                    json!(t.variance),
                    json!(t.maximum),
                    json!(t.n_nan_bins),
                    json!(t.n_negative_bins),
                    json!(t.transform.name()),
                    json!(t.multiplier),
                    json!(t.unit),
                    json!(if t.missing == Missing::Nan {
                        "nan"
                    } else {
                        "0"
                    }),
                    json!(t.location),
                    json!(t.checksum.get(..12)),
                    json!(t.ingested),
                ]);
            }
            table.print(common.format)?;
        }
        Action::Rename { what, from, to } => match what.as_str() {
            "biosample" => database.rename_biosample(&from, &to)?,
            _ => database.rename_assay(&from, &to)?,
        },
        Action::Remove { tracks } => {
            for (biosample, assay) in names::pairs(&tracks)? {
                database.remove_track(&biosample, &assay)?;
                eprintln!("removed {biosample} {assay}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
