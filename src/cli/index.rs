//! `persea index`.

use std::process::ExitCode;
use std::time::Instant;

use clap::ValueEnum;
use persea::model::TrainedModel;
use persea::search::{GraphOptions, GraphVectors, Metric, build_graph, write_index};
use serde_json::json;

use super::output::Table;
use super::{Common, progress};

/// Write the search index of a model.
///
/// `similar` searches this index, which holds the model's genome factors. The first search writes a
/// missing index itself; this command writes it beforehand, or again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: persea index --metric all\n          persea index --graph 250bp")]
pub struct Arguments {
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Distances to index
    #[arg(long, value_enum, default_value_t = Which::Euclidean)]
    metric: Which,
    /// Build a graph (HNSW) of these vectors instead, for approximate search; its recall is
    /// measured, printed and stored
    #[arg(long, value_enum, value_name = "VECTORS")]
    graph: Option<Vectors>,
    /// Number of neighbours kept for each vector of the graph
    #[arg(long, default_value_t = 16, requires = "graph")]
    connections: usize,
    /// Number of candidates kept while a vector is inserted
    #[arg(long, default_value_t = 200, requires = "graph")]
    ef_construction: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Vectors {
    /// Mean embeddings of 250 bp rows
    #[value(name = "250bp")]
    Bp250,
    /// Mean embeddings of 5 kbp rows
    #[value(name = "5kbp")]
    Kbp5,
    /// Factors of biosamples
    Biosamples,
    /// Factors of assays
    Assays,
}

impl From<Vectors> for GraphVectors {
    fn from(vectors: Vectors) -> Self {
        match vectors {
            Vectors::Bp250 => GraphVectors::Bp250,
            Vectors::Kbp5 => GraphVectors::Kbp5,
            Vectors::Biosamples => GraphVectors::Biosamples,
            Vectors::Assays => GraphVectors::Assays,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Euclidean and cosine distance between factors
    Euclidean,
    /// Distance in the network's first layer
    Network,
    /// Both
    All,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let model = TrainedModel::open_embedding(&database, arguments.model.as_deref())?;
    if let Some(vectors) = arguments.graph {
        let options = GraphOptions {
            connections: arguments.connections,
            ef_construction: arguments.ef_construction,
        };
        let bar = progress::busy("building the graph");
        let report = build_graph(&database, &model, vectors.into(), &options)?;
        bar.finish_and_clear();
        let mut table = Table::new(&["what", "value"]);
        for (what, value) in [
            ("model", json!(model.record().name)),
            ("vectors", json!(GraphVectors::from(vectors).name())),
            ("n_vectors", json!(report.n_vectors)),
            ("n_distinct", json!(report.n_distinct)),
            ("seconds", json!(report.seconds)),
            ("bytes", json!(report.bytes)),
            ("self_queries", json!(report.self_queries)),
            ("self_missed", json!(report.self_missed)),
            ("recall_at_10", json!(report.recall)),
            ("ef", json!(report.ef)),
        ] {
            table.row(vec![json!(what), value]);
        }
        table.print(common.format)?;
        return Ok(ExitCode::SUCCESS);
    }
    let metrics = match arguments.metric {
        Which::Euclidean => &[Metric::Euclidean][..],
        Which::Network => &[Metric::Network],
        Which::All => &[Metric::Euclidean, Metric::Network],
    };
    let mut table = Table::new(&["model", "metric", "file", "bytes"]);
    let began = Instant::now();
    let bar = progress::busy("indexing");
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
    bar.finish_and_clear();
    eprintln!(
        "indexed model {} in {:.1} s",
        model.record().name,
        began.elapsed().as_secs_f64()
    );
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}
