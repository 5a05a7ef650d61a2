//! Results on stdout, notes on stderr.

use std::path::Path;

use persea::plot::{DEFAULT_DPI, FigureFormat, selection_curve, selection_figure, write_figure};
use persea::selection::{Answer, Stability, What};
use serde_json::{Value, json};

use super::super::Misuse;
use super::super::names::Known;
use super::super::output::{Format, Table, grouped, measure, print_json};

/// Number of represented items named in a table.
const NAMED: usize = 4;

/// Refuses an unknown figure format before anything is computed.
pub fn check_figure(path: &Path) -> anyhow::Result<()> {
    match FigureFormat::of(path) {
        Ok(_) => Ok(()),
        Err(e) => Err(Misuse(e.to_string()).into()),
    }
}

/// Plots coverage, or the value if there is no coverage, against the number chosen.
pub fn draw(answer: &Answer, path: &Path) -> anyhow::Result<()> {
    let figure = selection_figure(answer);
    Ok(write_figure(&selection_curve(&figure), path, DEFAULT_DPI)?)
}

/// Prints a result; `id` is its number in the database, `known` has the labels of its biosamples.
pub fn answer(
    answer: &Answer,
    id: Option<i64>,
    known: Option<&Known>,
    format: Format,
) -> anyhow::Result<()> {
    for note in &answer.notes {
        eprintln!("note: {note}");
    }
    if format == Format::Json {
        let mut value = json!(answer);
        value["selection"] = json!(id);
        print_json(&value)?;
        return Ok(());
    }
    let mut columns = vec!["rank", answer.what.one(), "gain", "value", "coverage"];
    columns.extend(["random_mean", "random_5", "random_95"]);
    let has_costs = answer.chosen.iter().any(|c| c.cost.is_some());
    let is_measured = answer.chosen.iter().any(|c| c.measured.is_some());
    if has_costs {
        columns.push("cost");
    }
    if is_measured {
        columns.push("measured");
    }
    let is_resampled = answer.stability.is_some();
    if is_resampled {
        columns.push("chosen_again");
    }
    columns.extend(["n_represents", "represents"]);
    let mut table = Table::new(&columns);
    for chosen in &answer.chosen {
        let point = answer.curve.iter().find(|p| p.k == chosen.rank);
        let random = point.and_then(|p| p.random_mean);
        let band = point.and_then(|p| p.random_band);
        let mut row = vec![
            json!(chosen.rank),
            json!(chosen.name),
            json!(chosen.gain),
            measure(chosen.value),
            measure(chosen.coverage),
            measure(random),
            measure(band.map(|b| b[0])),
            measure(band.map(|b| b[1])),
        ];
        if has_costs {
            row.push(measure(chosen.cost));
        }
        if is_measured {
            row.push(chosen.measured.map_or(Value::Null, yes_or_no));
        }
        if is_resampled {
            row.push(measure(chosen.stability));
        }
        row.push(json!(chosen.represents.len()));
        row.push(json!(names(&chosen.represents, format)));
        table.row(row);
    }
    if let Some(known) = known {
        table.label_biosamples(known.labels());
    }
    table.print(format)?;
    if format == Format::Table {
        beside(answer, id);
    }
    Ok(())
}

fn yes_or_no(is: bool) -> Value {
    json!(if is { "yes" } else { "no" })
}

/// All names in machine-readable formats, some in the table.
fn names(all: &[String], format: Format) -> String {
    if format != Format::Table || all.len() <= NAMED {
        return all.join(if format == Format::Csv { ";" } else { "," });
    }
    format!("{}, …", all[..NAMED].join(","))
}

/// Notes printed below the table.
fn beside(answer: &Answer, id: Option<i64>) {
    let what = answer.what;
    eprintln!("{}: compared by {}", answer.objective, answer.compared_by);
    if !answer.given.is_empty() {
        let given: Vec<String> = (answer.given.iter())
            .map(|s| format!("{} ({})", s.name, s.represents.len()))
            .take(12)
            .collect();
        let more = match answer.given.len() > given.len() {
            true => ", …",
            false => "",
        };
        eprintln!(
            "starting set: {} {}, {}{more} (in brackets: number represented by each){}",
            answer.given.len(),
            if answer.given.len() == 1 {
                what.one()
            } else {
                what.many()
            },
            given.join(", "),
            with_share("; alone it has", answer.before, answer.everything),
        );
    }
    let last = answer.chosen.last().and_then(|c| c.value);
    if let (Some(value), Some(bound)) = (last, answer.bound) {
        let share = if bound > 0.0 {
            100.0 * value / bound
        } else {
            100.0
        };
        match answer.bound_is_reached {
            true => eprintln!(
                "value {value:.4}; the best of all choices has {bound:.4}; this one reaches {share:.1} % of it"
            ),
            false => eprintln!(
                "value {value:.4}; no allowed choice exceeds {bound:.4}; this one reaches at least {share:.1} % of the best value"
            ),
        }
    }
    eprintln!("guarantee: {}", answer.guarantee_text);
    let spent: f64 = answer.chosen.iter().filter_map(|c| c.cost).sum();
    if spent > 0.0 {
        let random = answer.curve.first().and_then(|p| p.random_mean);
        let beside = random.map_or(String::new(), |r| {
            format!("; random choices for the same budget average {r:.4}")
        });
        eprintln!("total cost: {spent}{beside}");
    }
    if answer.n_random > 0 {
        eprintln!(
            "random: mean, 5th and 95th percentile of {} random choices",
            answer.n_random
        );
    }
    if let Some(stability) = &answer.stability {
        eprintln!("{}", stability_in_words(stability));
    }
    if what == What::Experiments {
        eprintln!(
            "{} gains computed for {} candidates",
            grouped(answer.evaluations),
            grouped(answer.n_candidates as u64)
        );
    }
    if let Some(id) = id {
        eprintln!("stored as selection {id}; `persea select repeat {id}` repeats it");
    }
}

fn stability_in_words(stability: &Stability) -> String {
    let instead: Vec<String> = (stability.instead.iter())
        .map(|(name, share)| format!("{name} {:.0} %", 100.0 * share))
        .collect();
    let instead = match instead.is_empty() {
        true => String::new(),
        false => format!("; chosen instead: {}", instead.join(", ")),
    };
    format!(
        "stability: {:.0} % of {} resamples of {} {} make the same choice{instead}",
        100.0 * stability.same,
        stability.n_resamples,
        grouped(stability.n_units as u64),
        stability.unit
    )
}

fn with_share(before: &str, value: Option<f64>, everything: Option<f64>) -> String {
    match (value, everything) {
        (Some(value), Some(all)) if all > 0.0 => {
            format!(
                "{before} {value:.4}, {:.1} % of the value of all items",
                100.0 * value / all
            )
        }
        (Some(value), _) => format!("{before} {value:.4}"),
        _ => String::new(),
    }
}
