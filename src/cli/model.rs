//! `persea model`.

use std::process::ExitCode;

use clap::Subcommand;
use persea::evaluation::{Probe, is_current, stored_evaluations};
use persea::store::{Database, Model, TrackRole};
use serde_json::{Value, json};

use super::output::{Format, Table, measure, print_json, print_line};
use super::{Common, evaluate, measures};

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
    /// Show a model's sizes, tracks, newest evaluations and loss curve
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
                    json!(m.record.kind_name()),
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
        Action::Show { name } => {
            let model = database.read_model(name.as_deref())?;
            show(&database, &model, common.format)?;
        }
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
        ("kind".to_string(), json!(record.kind_name())),
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
                .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_string))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        other => other,
    }
}

/// The newest evaluation of each kind, as an object by kind.
fn newest(database: &Database, model: &Model) -> anyhow::Result<serde_json::Map<String, Value>> {
    let mut newest = serde_json::Map::new();
    for stored in stored_evaluations(database, model) {
        let kind = stored.kind.name();
        if newest.contains_key(kind) {
            continue;
        }
        let is_current = is_current(database, model, &stored)?;
        newest.insert(
            kind.into(),
            json!({
                "created": stored.created,
                "persea": stored.made_by,
                "is_current": is_current,
                "settings": stored.settings,
                "result": stored.result,
            }),
        );
    }
    Ok(newest)
}

/// Prints the main numbers of stored evaluations.
fn print_evaluations(stored: &serde_json::Map<String, Value>) -> anyhow::Result<()> {
    for (kind, of) in stored {
        let text = |name: &str| of[name].as_str().unwrap_or_default().to_string();
        print_line(format_args!(
            "\n{kind}, {} by Persea {}{}",
            text("created"),
            text("persea"),
            match of["is_current"] == true {
                true => "",
                false => "; a track or model has changed since: evaluate again",
            }
        ))?;
        match kind.as_str() {
            "probe" => {
                let probe: Probe = serde_json::from_value(of["result"].clone())?;
                evaluate::probe::table(&probe)?;
                evaluate::probe::summary(&probe)?;
            }
            _ => {
                let mean = &of["result"]["mean"];
                let columns: Vec<&str> = ["mean over tracks"]
                    .into_iter()
                    .chain(measures::SHOWN)
                    .collect();
                let mut table = Table::new(&columns);
                for (name, label) in [
                    ("measures", "model"),
                    ("average_activity", "average_activity"),
                    ("calibrated_average", "calibrated_average"),
                ] {
                    let values = measures::SHOWN.iter().map(|m| mean[name][*m].clone());
                    table.row([json!(label)].into_iter().chain(values).collect());
                }
                table.print(Format::Table)?;
            }
        }
    }
    Ok(())
}

fn show(database: &Database, model: &Model, format: Format) -> anyhow::Result<()> {
    let evaluations = newest(database, model)?;
    if format == Format::Json {
        let mut object: serde_json::Map<String, Value> = facts(model).into_iter().collect();
        object.insert("name".into(), json!(model.record.name));
        object.insert("training".into(), model.record.training.clone());
        object.insert("evaluations".into(), Value::Object(evaluations));
        return Ok(print_json(&object)?);
    }
    let mut table = Table::new(&["what", &model.record.name]);
    for (name, value) in facts(model) {
        table.row(vec![json!(name), flat(value)]);
    }
    table.print(format)?;
    if format == Format::Table {
        print_evaluations(&evaluations)?;
    }
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
