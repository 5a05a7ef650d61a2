//! `persea info`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::Common;
use super::output::{Format, Table, grouped, print_json};

/// What is in the database.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea info --db pilot.persea")]
pub struct Arguments {}

/// Runs it.
pub fn run(_: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let axis = database.axis();
    let (biosamples, assays, tracks) = (
        database.biosamples()?,
        database.assays()?,
        database.tracks()?,
    );
    let models: Vec<Value> = database
        .list_models()?
        .iter()
        .map(|m| json!({ "name": m.record.name, "kind": m.record.kind.name(), "default": m.is_default }))
        .collect();
    let facts = [
        ("database", json!(database.path().display().to_string())),
        ("assembly", json!(axis.assembly().name())),
        ("regions", json!(axis.regions().len())),
        ("bins", json!(axis.n_bins())),
        ("masked_bins", json!(database.mask()?.n_masked())),
        ("genes", json!(database.genes()?.len())),
        ("enhancers", json!(database.enhancers()?.len())),
        ("biosamples", json!(biosamples.len())),
        ("assays", json!(assays.len())),
        ("tracks", json!(tracks.len())),
        (
            "experiments_missing",
            json!(biosamples.len() * assays.len() - tracks.len()),
        ),
        ("models", json!(models)),
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
            (Value::Number(n), Format::Table) => json!(grouped(n.as_u64().unwrap_or_default())),
            (Value::Array(list), _) => {
                let name = |m: &Value| {
                    let mark = if m["default"] == json!(true) {
                        " (default)"
                    } else {
                        ""
                    };
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
