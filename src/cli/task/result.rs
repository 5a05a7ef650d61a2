//! Runs of benchmarks, printed.

use persea::tasks::{Against, Progress, RowKind, RunResult, measure_names, within_name};
use serde_json::{Value, json};

use crate::cli::output::{Format, Table, measure, print_json, print_line};
use crate::cli::progress;

/// Runs a benchmark with a progress bar.
pub(super) fn with_bar<T>(
    work: impl FnOnce(&mut dyn FnMut(Progress)) -> persea::Result<T>,
) -> anyhow::Result<T> {
    let bar = progress::bar(0, "{msg} {wide_bar} {pos}/{len}");
    let value = work(&mut |progress| match progress {
        Progress::Features(term) => bar.set_message(format!("features: {term}")),
        Progress::Row(name, at, of) => {
            bar.set_length(of as u64);
            bar.set_position(at as u64);
            bar.set_message(name);
        }
    });
    bar.finish_and_clear();
    Ok(value?)
}

/// Prints a run: as JSON in full, as TSV or CSV with one row per feature set, or as a table of
/// measures followed by the differences.
pub(super) fn print_result(
    id: Option<i64>,
    result: &RunResult,
    format: Format,
) -> anyhow::Result<()> {
    if format == Format::Json {
        return Ok(print_json(&json!({"run": id, "result": result}))?);
    }
    let names = measure_names(result.target);
    let mut columns = vec![
        "features".to_string(),
        "kind".into(),
        "learner".into(),
        "n".into(),
    ];
    for name in names {
        columns.push(name.into());
        if format != Format::Table || name == result.primary {
            columns.extend([format!("{name}_low"), format!("{name}_high")]);
        }
    }
    let within = within_name(result.target);
    columns.push(within.into());
    if format != Format::Table {
        columns.extend([format!("{within}_low"), format!("{within}_high")]);
    }
    columns.extend(["fold_mean", "fold_se", "partitions_sd", "seconds"].map(String::from));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(&columns);
    for row in &result.rows {
        let mut cells = vec![
            json!(row.name),
            json!(match row.kind {
                RowKind::Features => "features",
                RowKind::Baseline => "baseline",
            }),
            json!(row.learner.map_or("", |l| l.name())),
            json!(row.n_features),
        ];
        for name in names {
            let m = row.measure(name);
            cells.push(measure(m.value));
            if format != Format::Table || name == result.primary {
                cells.extend([measure(m.low), measure(m.high)]);
            }
        }
        let m = row.measure(within);
        cells.push(measure(m.value));
        if format != Format::Table {
            cells.extend([measure(m.low), measure(m.high)]);
        }
        let seconds = (row.seconds * 10.0).round() / 10.0;
        cells.extend([
            measure(row.fold_mean),
            measure(row.fold_standard_error),
            measure(row.partitions.map(|p| p.deviation)),
            measure(Some(seconds)),
        ]);
        table.row(cells);
    }
    table.print(format)?;
    if format != Format::Table {
        return Ok(());
    }
    let labels = match result.n_positive {
        Some(n) => format!("{} examples, {n} positive", result.n),
        None => format!("{} examples", result.n),
    };
    let divisions = match result.n_partitions {
        1 => "95 % intervals from resampled units".to_string(),
        n => format!(
            "{n} divisions into folds: values are means over them, partitions_sd is their standard \
             deviation; 95 % intervals from resampled units and divisions"
        ),
    };
    print_line(format_args!(
        "\n{labels}; {} folds by {}, {} independent units; {divisions}",
        result.n_folds,
        result.fold_kind.name(),
        result.n_units,
    ))?;
    subsets(result)?;
    differences(result)?;
    for left_out in &result.left_out {
        let more = left_out.n.saturating_sub(3);
        let names = left_out
            .names
            .iter()
            .take(3)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let tail = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        eprintln!("left out, {}: {names}{tail}", left_out.reason);
    }
    for note in &result.notes {
        eprintln!("note: {note}");
    }
    if let Some(id) = id {
        eprintln!("stored as run {id}: persea task report {id} --output report.html");
    }
    Ok(())
}

fn subsets(result: &RunResult) -> anyhow::Result<()> {
    if result.rows.iter().all(|r| r.subsets.is_empty()) {
        return Ok(());
    }
    print_line("\nparts of the examples")?;
    let mut table = Table::new(&["part", "features", "n", &result.primary, "low", "high"]);
    let parts = result.rows.first().map_or(0, |r| r.subsets.len());
    for part in 0..parts {
        for row in &result.rows {
            if let Some(s) = row.subsets.get(part) {
                let m = s.measure(&result.primary);
                let text = [json!(s.name), json!(row.name), json!(s.n)];
                let numbers = [measure(m.value), measure(m.low), measure(m.high)];
                table.row(text.into_iter().chain(numbers).collect());
            }
        }
    }
    Ok(table.print(Format::Table)?)
}

/// Paired differences of the declared family that have an interval; JSON has every pair.
fn differences(result: &RunResult) -> anyhow::Result<()> {
    let declared = |c: &&persea::tasks::Comparison| match (&result.family, c.family) {
        // A run that was stored before a family was declared.
        (None, _) => true,
        (Some(_), against) => against.is_some(),
    };
    let shown = result.comparisons.iter().filter(declared);
    let shown: Vec<_> = shown.filter(|c| c.low.is_some()).collect();
    if shown.is_empty() {
        return Ok(());
    }
    print_line("\npaired differences from the reference and from the best baseline")?;
    let mut table = Table::new(&[
        "a",
        "b",
        "against",
        "measure",
        "a_minus_b",
        "low",
        "high",
        "effect",
        "partitions_sd",
        "p",
        "p_holm",
    ]);
    for c in shown {
        let against = match c.family {
            Some(Against::Reference) => "reference",
            Some(Against::BestBaseline) => "best baseline",
            None => "",
        };
        let spread = c.partitions.map(|p| p.deviation);
        let numbers = [c.difference, c.low, c.high, c.effect, spread, c.p, c.p_holm];
        let cells: Vec<Value> = [json!(c.a), json!(c.b), json!(against), json!(c.measure)]
            .into_iter()
            .chain(numbers.into_iter().map(measure))
            .collect();
        table.row(cells);
    }
    Ok(table.print(Format::Table)?)
}
