//! `persea info`.

use std::process::ExitCode;

use persea::store::{Model, Precision, TensorInfo};
use serde_json::{Value, json};

use super::Common;
use super::output::{Format, Table, grouped, print_json};

/// Show the contents of the database.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea info --db pilot.persea")]
pub struct Arguments {}

/// Runs the command.
pub fn run(_: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let axis = database.axis();
    let (biosamples, assays, tracks) = (
        database.biosamples()?,
        database.assays()?,
        database.tracks()?,
    );
    let info = database.info()?;
    // The share of bins with data, in the mean over tracks.
    let shares = || tracks.iter().map(|t| t.coverage(axis.n_bins()));
    let n_with_gaps = shares().filter(|share| *share < 1.0).count();
    let coverage = (!tracks.is_empty()).then(|| shares().sum::<f64>() / tracks.len() as f64);
    let n_as_u16 = (tracks.iter())
        .filter(|t| t.values.step().is_some())
        .count();
    let n_normalised = (tracks.iter())
        .filter(|t| t.normalisation.is_some())
        .count();
    // How far a stored value can be from the one in its file.
    let greatest_error = (tracks.iter())
        .map(|t| t.values.greatest_error())
        .fold(0.0, f64::max);
    let genes = database.genes()?;
    let n_starts: usize = genes.iter().map(|g| g.starts().count()).sum();
    let models: Vec<Value> = database.list_models()?.iter().map(model).collect();
    let facts = [
        ("database", json!(database.path().display().to_string())),
        ("created", json!(info.created)),
        ("made_by", json!(format!("persea {}", info.made_by))),
        ("schema", json!(info.schema)),
        ("read_only", json!(database.is_read_only())),
        ("assembly", json!(axis.assembly().name())),
        ("regions", json!(axis.regions().len())),
        ("bins", json!(axis.n_bins())),
        ("masked_bins", json!(database.mask()?.n_masked())),
        ("genes", json!(genes.len())),
        ("tss", json!(n_starts)),
        ("enhancers", json!(database.enhancers()?.len())),
        ("biosamples", json!(biosamples.len())),
        ("assays", json!(assays.len())),
        ("tracks", json!(tracks.len())),
        ("tracks_with_gaps", json!(n_with_gaps)),
        ("coverage", json!(coverage)),
        ("tracks_as_u16", json!(n_as_u16)),
        ("tracks_normalised", json!(n_normalised)),
        (
            "assays_normalised",
            json!(database.normalised_assays()?.len()),
        ),
        ("greatest_error", json!(greatest_error)),
        (
            "experiments_missing",
            json!(biosamples.len() * assays.len() - tracks.len()),
        ),
        ("models", json!(models)),
        ("sqlite_bytes", json!(info.sqlite_bytes)),
        ("log_bytes", json!(info.log_bytes)),
        ("free_bytes", json!(info.free_bytes)),
        ("signal_bytes", json!(info.signal_bytes)),
        ("checkpoint_bytes", json!(info.checkpoint_bytes)),
        ("index_bytes", json!(info.index_bytes)),
    ];
    if common.format == Format::Json {
        let object: serde_json::Map<String, Value> =
            facts.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
        print_json(&object)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["fact", "value"]);
    for (name, value) in facts {
        let shown = match (&value, common.format) {
            (Value::Number(n), Format::Table) if name == "schema" => json!(n),
            (Value::Number(n), Format::Table) => match n.as_u64() {
                Some(n) => json!(grouped(n)),
                None => json!(n),
            },
            (Value::Array(list), _) => {
                let name = |m: &Value| {
                    let mark = if m["default"] == json!(true) {
                        " (default)"
                    } else {
                        ""
                    };
                    // The list was made above, with names.
                    format!("{}{mark}", m["name"].as_str().unwrap_or_default())
                };
                json!(list.iter().map(name).collect::<Vec<_>>().join(", "))
            }
            _ => value,
        };
        table.row(vec![json!(name), shown]);
    }
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// A summary of a model.
fn model(model: &Model) -> Value {
    let record = &model.record;
    let numbers =
        |t: &TensorInfo| t.rows * t.cols * if t.precision == Precision::F16 { 2 } else { 4 };
    json!({
        "name": record.name,
        "kind": record.kind_name(),
        "default": model.is_default,
        "precision": record.precision.name(),
        "regions": record.regions.len(),
        "bins": record.regions.iter().map(|r| r.n_bins).sum::<u64>(),
        "bytes": model.tensors.iter().map(numbers).sum::<u64>(),
    })
}
