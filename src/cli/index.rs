//! `persea index`.

use std::process::ExitCode;
use std::time::Instant;

use clap::ValueEnum;
use persea::model::TrainedModel;
use persea::search::{Metric, write_index};
use serde_json::json;

use super::Common;
use super::output::Table;

/// Write the search index of a model.
///
/// The index is what `similar` searches: the model's genome factors, laid out for it. Searching
/// writes what is missing by itself; this does so beforehand, and anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea index --metric all")]
pub struct Arguments {
    /// The model; the default one when not given
    #[arg(long)]
    model: Option<String>,
    /// For which distances
    #[arg(long, value_enum, default_value_t = Which::Euclidean)]
    metric: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Between factors, Euclidean and cosine
    Euclidean,
    /// As the network's first layer sees them
    Network,
    /// Both
    All,
}

/// Runs it.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let model = TrainedModel::open(&database, arguments.model.as_deref())?;
    let metrics = match arguments.metric {
        Which::Euclidean => &[Metric::Euclidean][..],
        Which::Network => &[Metric::Network],
        Which::All => &[Metric::Euclidean, Metric::Network],
    };
    let mut table = Table::new(&["model", "metric", "file", "bytes"]);
    let began = Instant::now();
    for metric in metrics {
        for file in write_index(&database, &model, *metric)? {
            table.row(vec![
                json!(model.record().name),
                json!(metric.name()),
                json!(file.path.display().to_string()),
                json!(file.bytes),
            ]);
        }
    }
    eprintln!(
        "indexed model {} in {:.1} s",
        model.record().name,
        began.elapsed().as_secs_f64()
    );
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}
