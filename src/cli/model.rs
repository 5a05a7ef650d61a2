//! `persea model`.

use std::process::ExitCode;

use clap::Subcommand;
use persea::store::{Model, TrackRole};
use serde_json::{Value, json};

use super::Common;
use super::output::{Format, Table, measure, print_json, print_line};

/// List, show, compare and delete models.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea model show fold0")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all models
    List,
    /// Show a model's sizes, tracks and loss curve
    Show {
        /// Name of the model; the default model if omitted
        name: Option<String>,
    },
    /// Set the default model
    Default {
        /// Name of the model
        name: String,
    },
    /// Delete a model and free its disk space
    Delete {
        /// Name of the model
        name: String,
    },
    /// Show the differences between two models
    Diff {
        /// First model
        a: String,
        /// Second model
        b: String,
    },
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    match arguments.action {
        Action::List => {
            let mut table = Table::new(&[
                "name",
                "kind",
                "default",
                "biosamples",
                "assays",
                "trained_on",
                "held_out",
                "passes",
                "created",
            ]);
            for m in database.list_models()? {
                let held = m
                    .record
                    .tracks
                    .iter()
                    .filter(|t| t.role == TrackRole::Hold)
                    .count();
                table.row(vec![
                    json!(m.record.name),
                    json!(m.record.kind.name()),
                    json!(m.is_default),
                    json!(m.record.biosamples.len()),
                    json!(m.record.assays.len()),
                    json!(m.record.tracks.len() - held),
                    json!(held),
                    m.record.training["passes"].clone(),
                    json!(m.created),
                ]);
            }
            table.print(common.format)?;
        }
        Action::Show { name } => show(&database.read_model(name.as_deref())?, common.format)?,
        Action::Default { name } => database.set_default_model(&name)?,
        Action::Delete { name } => database.delete_model(&name)?,
        Action::Diff { a, b } => {
            let (a, b) = (
                database.read_model(Some(&a))?,
                database.read_model(Some(&b))?,
            );
            let (fa, fb) = (facts(&a), facts(&b));
            let mut table = Table::new(&["what", &a.record.name, &b.record.name]);
            let differ: Vec<_> = (fa.into_iter().zip(fb)).filter(|(x, y)| x != y).collect();
            // No two models are made in the same moment.
            let circumstance = |name: &str| ["created", "seconds"].contains(&name);
            if differ.iter().all(|((name, _), _)| circumstance(name)) {
                eprintln!("the two models are identical");
            } else {
                for ((name, x), (_, y)) in differ {
                    table.row(vec![json!(name), flat(x), flat(y)]);
                }
            }
            table.print(common.format)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The properties of a model, in order.
fn facts(model: &Model) -> Vec<(String, Value)> {
    let record = &model.record;
    let with_role = |role: TrackRole| {
        let of_role = record.tracks.iter().filter(|t| t.role == role);
        json!(
            of_role
                .map(|t| format!("{}:{}", t.biosample, t.assay))
                .collect::<Vec<_>>()
        )
    };
    let n_bins: u64 = record.regions.iter().map(|r| r.n_bins).sum();
    let mut facts = vec![
        ("kind".to_string(), json!(record.kind.name())),
        ("seed".to_string(), json!(record.seed)),
        ("precision".to_string(), json!(record.precision.name())),
        ("biosamples".to_string(), json!(record.biosamples)),
        ("assays".to_string(), json!(record.assays)),
        ("regions".to_string(), json!(record.regions.len())),
        ("bins".to_string(), json!(n_bins)),
        ("passes".to_string(), record.training["passes"].clone()),
        ("seconds".to_string(), record.training["seconds"].clone()),
        ("created".to_string(), json!(model.created)),
        ("checksum".to_string(), json!(model.checksum)),
    ];
    if let Some(sizes) = record.config["sizes"].as_object() {
        facts.extend(
            sizes
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    // Null where there is no refinement, so that any two models can be compared.
    for name in ["members", "layers", "nodes", "reaches"] {
        let value = record.config.pointer(&format!("/refinement/{name}"));
        facts.push((
            format!("refinement_{name}"),
            value.cloned().unwrap_or_default(),
        ));
    }
    for role in [
        TrackRole::Train,
        TrackRole::Validate,
        TrackRole::Extend,
        TrackRole::Hold,
    ] {
        facts.push((format!("tracks_{}", role.name()), with_role(role)));
    }
    facts
}

fn flat(value: Value) -> Value {
    match value {
        Value::Array(list) => json!(
            list.iter()
                // Names, of which `facts` made the list.
                .map(|v| v.as_str().unwrap_or_default())
                .collect::<Vec<_>>()
                .join(", ")
        ),
        other => other,
    }
}

fn show(model: &Model, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        let mut object: serde_json::Map<String, Value> = facts(model).into_iter().collect();
        object.insert("name".into(), json!(model.record.name));
        object.insert("training".into(), model.record.training.clone());
        return Ok(print_json(&object)?);
    }
    let mut table = Table::new(&["what", &model.record.name]);
    for (name, value) in facts(model) {
        table.row(vec![json!(name), flat(value)]);
    }
    table.print(format)?;
    if format == Format::Table
        && let Some(curve) = model.record.training["curve"].as_array()
    {
        print_line("")?;
        let mut table = Table::new(&["training", "search", "pass", "loss", "held_out"]);
        for point in curve {
            let number = |name: &str| measure(point[name].as_f64());
            table.row(vec![
                point["stage"].clone(),
                point["search"].clone(),
                point["pass"].clone(),
                number("loss"),
                number("held_out"),
            ]);
        }
        table.print(format)?;
    }
    Ok(())
}
