//! The page about runs of downstream tasks.

use std::fmt::Write;

use super::PlotError;
use super::page::{Grid, Page};
use crate::measures::{precision_recall_curve, roc_curve};
use crate::store::Run;
use crate::tasks::{
    Measured, Predictions, RowKind, RowResult, RunResult, RunSettings, Target, higher_is_better,
    measure_names, within_name,
};
use persea_drawing::{Bar, Series, bars, decimals, lines, scatter};

/// A stored run with its predictions.
#[derive(Debug, Clone)]
pub struct ReportedRun {
    /// Its number.
    pub id: i64,
    /// When it was stored.
    pub created: String,
    /// Its settings.
    pub settings: RunSettings,
    /// What came out.
    pub result: RunResult,
    /// The predictions.
    pub predictions: Predictions,
}

impl ReportedRun {
    /// Reads what the database has stored of a run.
    ///
    /// # Errors
    /// When another version of Persea has stored it in another form.
    pub fn new(run: &Run, predictions: Predictions) -> Result<Self, PlotError> {
        let bad = |e: serde_json::Error| PlotError::Result {
            run: run.id,
            why: e.to_string(),
        };
        Ok(ReportedRun {
            id: run.id,
            created: run.created.clone(),
            settings: serde_json::from_value(run.settings.clone()).map_err(bad)?,
            result: serde_json::from_value(run.result.clone()).map_err(bad)?,
            predictions,
        })
    }

    pub(super) fn title(&self) -> String {
        let s = &self.settings;
        let biosamples = if s.train_biosamples == s.test_biosamples {
            s.test_biosamples.join(", ")
        } else {
            format!(
                "{} → {}",
                s.train_biosamples.join(", "),
                s.test_biosamples.join(", ")
            )
        };
        format!(
            "Run {}: {}, {biosamples}, {}",
            self.id,
            s.task,
            s.learner.name()
        )
    }

    /// One sentence on what was done.
    pub(super) fn summary(&self) -> String {
        let r = &self.result;
        let labels = match (r.target, r.threshold, r.n_positive) {
            (Target::Classification, Some(at), Some(n)) => format!(
                "{} examples, {n} of them positive ({} at or above {at})",
                r.n, r.unit
            ),
            _ => format!("{} examples, {} as a number", r.n, r.unit),
        };
        let model = match &r.model {
            Some((name, _)) => format!(" Model {name}."),
            None => String::new(),
        };
        format!(
            "{labels}; {} folds by {}, {} independent units.{model} Intervals hold 95 % of \
             resamplings of the units.",
            r.n_folds,
            r.fold_kind.name(),
            r.n_units
        )
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "undefined".into(), |v| decimals(v, 4))
}

fn with_interval(m: &Measured) -> String {
    match (m.value, m.low, m.high) {
        (Some(v), Some(low), Some(high)) => format!(
            "{} ({} to {})",
            decimals(v, 3),
            decimals(low, 3),
            decimals(high, 3)
        ),
        (Some(v), _, _) => decimals(v, 3),
        _ => "undefined".into(),
    }
}

fn class(row: &RowResult, best: Option<&str>) -> &'static str {
    match (best == Some(row.name.as_str()), row.kind) {
        (true, _) => "best",
        (false, RowKind::Baseline) => "baseline",
        (false, RowKind::Features) => "",
    }
}

fn value(row: &RowResult, measure: &str) -> Option<f64> {
    row.measures.get(measure).and_then(|m| m.value)
}

/// The row whose first measure is best.
fn best(result: &RunResult) -> Option<&RowResult> {
    let sign = if higher_is_better(&result.primary) {
        1.0
    } else {
        -1.0
    };
    let rows = result.rows.iter();
    rows.filter_map(|r| Some((sign * value(r, &result.primary)?, r)))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, r)| r)
}

pub(super) fn measures_table(run: &ReportedRun) -> Grid {
    let result = &run.result;
    let names = measure_names(result.target);
    let within = within_name(result.target);
    let mut columns = vec!["features", "learner", "columns"];
    columns.extend(names);
    columns.extend([within, "mean of folds ± s.e.", "s.d. between divisions"]);
    let best = best(result).map(|r| r.name.as_str());
    let mut grid = Grid::new(&columns);
    for row in &result.rows {
        let mut cells = vec![
            row.name.clone(),
            row.learner.map_or("–", |l| l.name()).to_string(),
            row.n_features.to_string(),
        ];
        for name in names.into_iter().chain([within]) {
            cells.push(with_interval(&row.measure(name)));
        }
        cells.push(match (row.fold_mean, row.fold_standard_error) {
            (Some(m), Some(se)) => format!("{m:.3} ± {se:.3}"),
            (m, _) => number(m),
        });
        cells.push(number(row.partitions.map(|p| p.deviation)));
        grid.row(class(row, best), cells);
    }
    grid
}

/// What is bold and grey in the table of measures.
pub(super) fn bold_is_best(run: &ReportedRun) -> String {
    let primary = run.result.primary.replace('_', " ");
    format!("Bold: the best {primary}. Grey: baselines.")
}

fn differences_table(result: &RunResult) -> Grid {
    let mut grid = Grid::new(&[
        "a", "b", "measure", "a − b", "interval", "effect", "p", "p (Holm)",
    ]);
    let is_features = |name: &str| {
        result
            .row(name)
            .is_some_and(|r| r.kind == RowKind::Features)
    };
    for c in &result.comparisons {
        // A run that was stored before a family was declared shows every pair.
        let declared = result.family.is_none() || c.family.is_some();
        if c.low.is_none() || !declared || !(is_features(&c.a) || is_features(&c.b)) {
            continue;
        }
        let interval = format!("{} to {}", number(c.low), number(c.high));
        let class = if c.p_holm.is_some_and(|p| p < 0.05) {
            "best"
        } else {
            ""
        };
        grid.row(
            class,
            vec![
                c.a.clone(),
                c.b.clone(),
                c.measure.clone(),
                number(c.difference),
                interval,
                c.effect.map_or_else(String::new, |e| format!("{e:.2}")),
                number(c.p),
                number(c.p_holm),
            ],
        );
    }
    grid
}

fn folds_table(run: &ReportedRun) -> Grid {
    let result = &run.result;
    let mut columns = vec!["fold".to_string(), "examples".into()];
    if result.target == Target::Classification {
        columns.push("positive".into());
    }
    columns.extend(result.rows.iter().map(|r| r.name.clone()));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut grid = Grid::new(&columns);
    for first in result.rows.first().map_or(&[][..], |r| r.folds.as_slice()) {
        let mut cells = vec![first.fold.to_string(), first.n.to_string()];
        cells.extend(first.n_positive.map(|n| n.to_string()));
        for row in &result.rows {
            let of = row.folds.iter().find(|f| f.fold == first.fold);
            let v = of.and_then(|f| f.measures.get(&result.primary).copied().flatten());
            cells.push(number(v));
        }
        grid.row("", cells);
    }
    grid
}

fn subsets_table(result: &RunResult) -> Option<Grid> {
    let first = result.rows.first().filter(|r| !r.subsets.is_empty())?;
    let mut columns = vec!["features".to_string()];
    columns.extend(
        first
            .subsets
            .iter()
            .map(|s| format!("{} (n = {})", s.name, s.n)),
    );
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut grid = Grid::new(&columns);
    for row in &result.rows {
        let mut cells = vec![row.name.clone()];
        cells.extend(
            row.subsets
                .iter()
                .map(|s| with_interval(&s.measure(&result.primary))),
        );
        grid.row(class(row, None), cells);
    }
    Some(grid)
}

fn importance_table(row: &RowResult) -> Grid {
    let mut grid = Grid::new(&["group", "features", "drop", "s.d. of 5 shufflings"]);
    for i in &row.importance {
        let cells = vec![
            i.group.clone(),
            i.n_features.to_string(),
            number(i.drop),
            number(i.deviation),
        ];
        grid.row("", cells);
    }
    grid
}

/// What a run depends on, and with which settings it was made.
fn settings_table(run: &ReportedRun) -> Grid {
    let mut grid = Grid::new(&["setting", "value"]);
    if let Ok(serde_json::Value::Object(settings)) = serde_json::to_value(&run.settings) {
        for (name, value) in settings {
            let text = match value {
                serde_json::Value::Null => continue,
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            grid.row("", vec![name, text]);
        }
    }
    for (name, checksum) in &run.result.inputs {
        let short: String = checksum.chars().take(16).collect();
        grid.row("", vec![format!("BLAKE3 of {name}"), short]);
    }
    grid.row("", vec!["Persea".into(), run.result.persea.clone()]);
    grid.row("", vec!["stored".into(), run.created.clone()]);
    grid.row(
        "",
        vec!["seconds".into(), format!("{:.1}", run.result.seconds)],
    );
    grid
}

fn left_out_lines(result: &RunResult) -> Vec<String> {
    let line = |l: &crate::tasks::LeftOut| {
        let more = l.n.saturating_sub(l.names.len());
        let tail = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!(
            "Left out, {} ({}): {}{tail}",
            l.reason,
            l.n,
            l.names.join(", ")
        )
    };
    result.left_out.iter().map(line).collect()
}

/// The first measure of every run and feature set: what a reader looks at first.
pub(super) fn overview(runs: &[ReportedRun]) -> Grid {
    let mut names: Vec<&str> = Vec::new();
    for row in runs.iter().flat_map(|r| &r.result.rows) {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let mut columns = vec!["run", "task", "biosample", "learner", "folds", "measure"];
    columns.extend(&names);
    let mut grid = Grid::new(&columns);
    for run in runs {
        let r = &run.result;
        let mut cells = vec![
            run.id.to_string(),
            r.task.clone(),
            run.settings.test_biosamples.join(", "),
            run.settings.learner.name().to_string(),
            r.fold_kind.name().to_string(),
            r.primary.clone(),
        ];
        cells.extend(names.iter().map(|name| {
            let v = r.row(name).and_then(|row| value(row, &r.primary));
            v.map_or_else(String::new, |v| format!("{v:.3}"))
        }));
        grid.row("", cells);
    }
    grid
}

/// The figures of a run: bars; curves or a scatter; importance.
pub(super) fn figures(run: &ReportedRun) -> Result<Vec<String>, PlotError> {
    let result = &run.result;
    let bar = |row: &RowResult| {
        let m = row.measure(&result.primary);
        Bar {
            label: row.name.clone(),
            value: m.value,
            interval: m.low.zip(m.high),
            is_reference: row.kind == RowKind::Baseline,
        }
    };
    let all: Vec<Bar> = result.rows.iter().map(bar).collect();
    let axis = result.primary.replace('_', " ");
    let reference = result.n_positive.map(|n| n as f64 / result.n.max(1) as f64);
    let mut svg = vec![bars(
        "All predictions pooled",
        &axis,
        &all,
        reference,
        match reference {
            Some(_) => {
                "blue: feature sets; grey: baselines; whiskers: 95 % interval; dashed line: share of positives, which a guess has"
            }
            None => "blue: feature sets; grey: baselines; whiskers: 95 % interval",
        },
    )];
    let labels: Vec<f64> = run.predictions.rows.iter().map(|r| r.label).collect();
    match result.target {
        Target::Classification => svg.extend(curves(run, &labels)?),
        Target::Regression => {
            let features = result.rows.iter().filter(|r| r.kind == RowKind::Features);
            let best = features
                .filter_map(|r| Some((value(r, &result.primary)?, r)))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((_, row)) = best
                && let Some(predicted) = column(&run.predictions, &row.name)
            {
                let points: Vec<(f64, f64)> = predicted
                    .iter()
                    .copied()
                    .zip(labels.iter().copied())
                    .collect();
                let title = format!("{}: label against prediction", row.name);
                svg.push(scatter(&title, ["predicted", "label"], &points));
            }
        }
    }
    for row in result.rows.iter().filter(|r| !r.importance.is_empty()) {
        let mut groups = row.importance.clone();
        groups.sort_by(|a, b| {
            b.drop
                .partial_cmp(&a.drop)
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let bar = |i: &crate::tasks::Importance| Bar {
            label: i.group.clone(),
            value: i.drop,
            interval: i.drop.zip(i.deviation).map(|(d, s)| (d - s, d + s)),
            is_reference: false,
        };
        let all: Vec<Bar> = groups.iter().take(25).map(bar).collect();
        let title = format!("{}: what shuffling a group costs", row.name);
        svg.push(bars(
            &title,
            &format!("loss of {axis}"),
            &all,
            None,
            "whiskers: one standard deviation of 5 shufflings on either side",
        ));
    }
    Ok(svg)
}

fn column<'a>(predictions: &'a Predictions, name: &str) -> Option<&'a Vec<f64>> {
    let place = predictions.names.iter().position(|n| n == name)?;
    predictions.values.get(place)
}

/// Precision–recall and ROC curves of feature sets and the strongest baseline.
fn curves(run: &ReportedRun, labels: &[f64]) -> Result<Vec<String>, PlotError> {
    let result = &run.result;
    let classes: Vec<bool> = labels.iter().map(|l| *l > 0.5).collect();
    let of_kind = |kind: RowKind| {
        // A constant has no curve.
        let mut rows: Vec<&RowResult> = (result.rows.iter())
            .filter(|r| r.kind == kind && r.learner.is_some())
            .collect();
        rows.sort_by(|a, b| {
            let of = |r: &RowResult| value(r, &result.primary).unwrap_or(-1.0);
            of(b).total_cmp(&of(a))
        });
        rows
    };
    let mut shown: Vec<&RowResult> = of_kind(RowKind::Features).into_iter().take(6).collect();
    shown.extend(of_kind(RowKind::Baseline).into_iter().take(2));
    let (mut precision, mut roc) = (Vec::new(), Vec::new());
    for row in shown {
        let Some(predicted) = column(&run.predictions, &row.name) else {
            continue;
        };
        let named = |measure: &str| format!("{} ({})", row.name, number(value(row, measure)));
        if let Some(curve) = precision_recall_curve(&classes, predicted) {
            precision.push(Series {
                name: named("average_precision"),
                points: curve.iter().map(|p| (p.recall, p.precision)).collect(),
            });
        }
        if let Some(curve) = roc_curve(&classes, predicted) {
            roc.push(Series {
                name: named("auroc"),
                points: curve
                    .iter()
                    .map(|p| (p.false_positive_rate, p.true_positive_rate))
                    .collect(),
            });
        }
    }
    let share = classes.iter().filter(|c| **c).count() as f64 / classes.len().max(1) as f64;
    let chance = |from: f64, to: f64| {
        Some(Series {
            name: "chance".into(),
            points: vec![(0.0, from), (1.0, to)],
        })
    };
    Ok(vec![
        lines(
            "Precision and recall",
            ["recall", "precision"],
            &precision,
            chance(share, share),
        ),
        lines(
            "ROC",
            ["false positive rate", "true positive rate"],
            &roc,
            chance(0.0, 1.0),
        ),
    ])
}

/// The page as HTML, in one file.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn task_report_html(runs: &[ReportedRun]) -> Result<String, PlotError> {
    let mut page = Page::new("Downstream tasks");
    page.note(
        "Blue: feature sets. Grey: baselines, which see neither signal nor factors. All \
         predictions are of folds that the learner did not see.",
    );
    if runs.len() > 1 {
        page.tag("h3", "All runs");
        page.table(&overview(runs));
    }
    for run in runs {
        page.heading(&format!("run-{}", run.id), &run.title());
        page.tag("p", &run.summary());
        page.table(&measures_table(run));
        page.note(&bold_is_best(run));
        page.figures(&figures(run)?);
        if let Some(grid) = subsets_table(&run.result) {
            page.tag("h3", "Parts of the examples");
            page.table(&grid);
        }
        let differences = differences_table(&run.result);
        if !differences.rows.is_empty() {
            page.tag("h3", "Paired differences");
            page.note(&format!(
                "Each feature set against the reference and the best baseline, in {} and within \
                 folds or units. Effect: the difference in units of its standard deviation over \
                 resamplings. p: two-sided; Holm's corrects for all {} p of the run. Bold: p (Holm) under 0.05.",
                run.result.primary,
                run.result
                    .comparisons
                    .iter()
                    .filter(|c| c.p.is_some())
                    .count()
            ));
            page.table(&differences);
        }
        page.raw("<details><summary>Fold by fold</summary>");
        page.table(&folds_table(run));
        page.raw("</details>");
        for row in run.result.rows.iter().filter(|r| !r.importance.is_empty()) {
            page.raw("<details><summary>Importance, all groups</summary>");
            page.tag("h3", &row.name);
            page.table(&importance_table(row));
            page.raw("</details>");
        }
        for line in left_out_lines(&run.result).iter().chain(&run.result.notes) {
            page.note(line);
        }
        page.raw("<details><summary>Settings</summary>");
        page.table(&settings_table(run));
        page.raw("</details>");
    }
    Ok(page.finish())
}

/// The page as Markdown, without figures.
pub fn task_report_markdown(runs: &[ReportedRun]) -> String {
    let mut text = String::from("# Downstream tasks\n\n");
    if runs.len() > 1 {
        let _ = writeln!(text, "{}", overview(runs).markdown());
    }
    for run in runs {
        let _ = writeln!(text, "## {}\n\n{}\n", run.title(), run.summary());
        let _ = writeln!(text, "{}", measures_table(run).markdown());
        if let Some(grid) = subsets_table(&run.result) {
            let _ = writeln!(text, "### Parts of the examples\n\n{}", grid.markdown());
        }
        let differences = differences_table(&run.result);
        if !differences.rows.is_empty() {
            let _ = writeln!(text, "### Paired differences\n\n{}", differences.markdown());
        }
        let _ = writeln!(text, "### Fold by fold\n\n{}", folds_table(run).markdown());
        for row in run.result.rows.iter().filter(|r| !r.importance.is_empty()) {
            let _ = writeln!(
                text,
                "### Importance: {}\n\n{}",
                row.name,
                importance_table(row).markdown()
            );
        }
        for line in left_out_lines(&run.result).iter().chain(&run.result.notes) {
            let _ = writeln!(text, "- {line}");
        }
        let _ = writeln!(text, "\n### Settings\n\n{}", settings_table(run).markdown());
    }
    text
}
