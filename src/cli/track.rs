//! `persea track`.

use std::process::ExitCode;

use clap::Subcommand;
use persea::formats::Missing;
use persea::store::{SourceOrigin, Track};
use serde_json::{Value, json};

use super::output::Table;
use super::{Common, names::Known};

/// List, rename and remove tracks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea track rename biosample HUVEC E122")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all tracks with their source, transform and coverage; mean, variance and maximum are over the
    /// bins with data. Factor and exponent are those of a normalised track
    List,
    /// Rename a biosample or an assay, also in the models that contain it
    Rename {
        /// What to rename: biosample or assay
        #[arg(value_parser = ["biosample", "assay"])]
        what: String,
        /// Current name
        from: String,
        /// New name
        to: String,
    },
    /// Remove tracks from the database
    Remove {
        /// Experiments as BIOSAMPLE:ASSAY
        #[arg(required = true)]
        tracks: Vec<String>,
    },
}

/// What a consortium says of a track's files, each once; empty where it says nothing.
fn origin(track: &Track, of: fn(&SourceOrigin) -> Option<&str>) -> Value {
    let origins = track.sources.iter().filter_map(|s| s.origin.as_ref());
    let mut all: Vec<&str> = Vec::new();
    for text in origins.filter_map(of) {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    match all.is_empty() {
        true => Value::Null,
        false => json!(all.join(" + ")),
    }
}

/// Runs the command.
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
                "covered_bins",
                "coverage",
                "negative_bins",
                "transform",
                "factor",
                "exponent",
                "values",
                "greatest_error",
                "multiplier",
                "unit",
                "missing",
                "location",
                "checksum",
                "ingested",
                "accession",
                "experiment",
                "donor",
                "audit",
            ]);
            let n_bins = database.axis().n_bins();
            for t in database.tracks()? {
                table.row(vec![
                    json!(t.biosample),
                    json!(t.assay),
                    json!(t.mean),
                    json!(t.variance),
                    json!(t.maximum),
                    json!(t.n_nan_bins),
                    json!(t.covered_bins.unwrap_or(n_bins)),
                    json!(t.coverage(n_bins)),
                    json!(t.n_negative_bins),
                    json!(t.transform.name()),
                    json!(t.normalisation.map(|law| law.factor)),
                    json!(t.normalisation.map(|law| law.exponent)),
                    json!(t.values.to_string()),
                    json!(t.values.greatest_error()),
                    json!(t.multiplier),
                    json!(t.unit),
                    json!(match t.missing {
                        Missing::Nan => "nan",
                        Missing::Zero => "0",
                        Missing::ByFormat => "by format",
                    }),
                    json!(t.location),
                    json!(t.checksum.get(..12)),
                    json!(t.ingested),
                    origin(&t, |o| Some(o.accession.as_str())),
                    origin(&t, |o| o.experiment.as_deref()),
                    origin(&t, |o| o.donor.as_deref()),
                    origin(&t, |o| o.audit.as_deref()),
                ]);
            }
            table.label_biosamples(Known::of(&database)?.labels());
            table.print(common.format)?;
        }
        Action::Rename { what, from, to } => match what.as_str() {
            "biosample" => {
                let from = Known::of(&database)?.biosample(&from)?;
                database.rename_biosample(&from, &to)?;
            }
            _ => database.rename_assay(&from, &to)?,
        },
        Action::Remove { tracks } => {
            for (biosample, assay) in Known::of(&database)?.pairs(&tracks)? {
                database.remove_track(&biosample, &assay)?;
                eprintln!("removed {biosample} {assay}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
