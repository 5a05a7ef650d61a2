//! The page about a database: what is in it, how well it imputes, what it looks like, what it is good for.

mod contents;
mod imputation;
mod next;
mod probe;
mod searches;

use super::database::training_chart;
use super::page::Page;
use super::task_report::{ReportedRun, bold_is_best, figures, measures_table, overview};
use super::{Theme, projection_cloud};
use crate::model::{GenomeRows, NamedAxis, TrainedModel};
use crate::projection::{
    GenomeChoice, Method, Projection, Where, genome_points, named_points, project,
};
use crate::store::Database;
use crate::tasks::predictions;

/// What a report holds.
#[derive(Debug, Clone)]
pub struct ReportOptions {
    /// The model; the default one when not given.
    pub model: Option<String>,
    /// Whether held-out tracks are imputed and scored where no stored scores hold: most of a report's
    /// time.
    pub evaluate: bool,
    /// Runs of tasks that are shown in full, the latest; all are in the table.
    pub full_runs: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        ReportOptions {
            model: None,
            evaluate: true,
            full_runs: 4,
        }
    }
}

/// Positions that a projection of the report's own shows.
const PROJECTED: u64 = 4_000;

/// The page as HTML, in one file without scripts. What a database has no numbers for is said, not left
/// out in silence.
///
/// ```
/// use persea::plot::{ReportOptions, report_html};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// let page = report_html(&database, &ReportOptions::default(), &mut |_| {})?;
/// assert!(page.starts_with("<!doctype html>"));
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When something that is there cannot be read.
pub fn report_html(
    database: &Database,
    options: &ReportOptions,
    progress: &mut dyn FnMut(&str),
) -> crate::Result<String> {
    let model = TrainedModel::open_if_any(database, options.model.as_deref())?;
    let name = database
        .path()
        .file_name()
        .map(|n| n.to_string_lossy().into_owned());
    let mut page = Page::new(&format!(
        "Persea: {}",
        name.unwrap_or_else(|| "a database".into())
    ));
    progress("contents");
    contents::contents(&mut page, database, model.as_ref())?;
    let Some(model) = model else {
        page.heading("model", "No model yet");
        page.tag("p", "Nothing has been trained or imported: `persea train` fits a model to the tracks above.");
        return Ok(page.finish());
    };
    progress("imputation");
    page.heading("imputation", "How well it imputes");
    imputation::imputation(&mut page, database, &model, options)?;
    if let Ok(chart) = training_chart(model.stored()) {
        page.tag("h3", "How training went");
        page.figures(&[chart.svg(Theme::Light)]);
    }
    probe::probe(&mut page, database, &model)?;
    progress("projections");
    page.heading("projections", "What it looks like");
    projections(&mut page, database, &model)?;
    progress("similar positions");
    page.heading("similar", "What looks like what");
    searches::searches(&mut page, database, &model)?;
    progress("tasks");
    page.heading("tasks", "What it is good for");
    tasks(&mut page, database, options)?;
    progress("selection");
    page.heading("next", "What to measure next");
    next::next(&mut page, database, &model)?;
    Ok(page.finish())
}

/// The stored projections; where there is none of an axis, principal components made here.
fn projections(page: &mut Page, database: &Database, model: &TrainedModel) -> crate::Result<()> {
    let checksum = &model.stored().checksum;
    let mut shown = Vec::new();
    let mut axes: Vec<String> = Vec::new();
    for stored in database.list_projections()? {
        if stored.model_checksum != *checksum {
            continue;
        }
        let projection = Projection::open(database, &stored.name)?;
        axes.push(projection.axis.clone());
        shown.push(projection);
    }
    let is_missing = |axis: &str| !axes.iter().any(|a| a == axis);
    let mut own = Vec::new();
    if is_missing("genome") {
        let choice = GenomeChoice {
            rows: GenomeRows::Embedding,
            at: Where::Everywhere,
            classes: Vec::new(),
            is_balanced: false,
            sample: Some(PROJECTED),
            seed: 0,
        };
        own.push(("genome", genome_points(database, model, &choice)?));
    }
    for (axis, name) in [
        (NamedAxis::Biosamples, "biosamples"),
        (NamedAxis::Assays, "assays"),
    ] {
        if is_missing(name) {
            own.push((name, named_points(database, model, axis)?));
        }
    }
    for (axis, points) in own {
        let n = points.names.len();
        match project(axis, model, points, Method::Pca, 0) {
            Ok(projection) => shown.push(projection),
            Err(why) => page.note(&format!("No picture of the {axis} ({n}): {why}.")),
        }
    }
    shown.sort_by_key(|p| {
        ["genome", "biosamples", "assays"]
            .iter()
            .position(|a| *a == p.axis)
    });
    let drawn: Vec<String> = shown
        .iter()
        .map(|p| Ok(projection_cloud(p, None)?.svg(Theme::Light)))
        .collect::<crate::Result<_>>()?;
    page.figures(&drawn);
    page.note("`persea project` makes others: UMAP, t-SNE, other samples, around a locus, of labelled positions.");
    Ok(())
}

fn tasks(page: &mut Page, database: &Database, options: &ReportOptions) -> crate::Result<()> {
    let stored = database.list_runs()?;
    if stored.is_empty() {
        page.tag(
            "p",
            "No downstream task has been run: `persea task import` reads labels, `persea task run` compares \
             feature sets on them.",
        );
        return Ok(());
    }
    let mut runs = Vec::new();
    for run in &stored {
        runs.push(ReportedRun::new(run, predictions(database, run)?)?);
    }
    page.table(&overview(&runs));
    page.note("The first measure of each run, for feature sets and baselines. Predictions are of folds that the learner did not see.");
    for run in runs.iter().rev().take(options.full_runs).rev() {
        page.tag("h3", &run.title());
        page.tag("p", &run.summary());
        page.table(&measures_table(run));
        page.note(&bold_is_best(run));
        let first: Vec<String> = figures(run)?.into_iter().take(1).collect();
        page.figures(&first);
    }
    if runs.len() > options.full_runs {
        page.note(&format!(
            "The latest {} of {} runs in full; `persea task report` shows all.",
            options.full_runs,
            runs.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::example_database;

    #[test]
    fn a_report_is_one_page_without_scripts_and_says_what_there_is_not() {
        let (_folder, database) = example_database().unwrap();
        let mut facts = Vec::new();
        let html = report_html(&database, &ReportOptions::default(), &mut |what| {
            facts.push(what.to_string())
        })
        .unwrap();
        assert_eq!(
            facts,
            [
                "contents",
                "imputation",
                "projections",
                "similar positions",
                "tasks",
                "selection"
            ]
        );
        for part in [
            "<h1>Persea: example.persea</h1>",
            "No downstream task has been run",
            "Genome positions: principal components",
            "no track was kept from the model",
            "example",
            "ALPHA",
        ] {
            assert!(html.contains(part), "{part}");
        }
        for never in ["<script", "http://", "https://", "NaN"] {
            let html = html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            assert!(!html.contains(never), "{never}");
        }
    }
}
