//! What a database holds, as tables.

use persea::genome::{Gene, Interval};
use persea::store::Track;
use pyo3::PyResult;
use serde_json::{Map, Value, json};

use super::open::Inner;
use crate::errors::of;
use crate::table::{Column, Table};

/// Names with what is known of them, one row each.
fn named<'a>(rows: impl Iterator<Item = (&'a String, &'a Map<String, Value>)>) -> PyResult<Table> {
    let object = |(name, metadata): (&String, &Map<String, Value>)| {
        let mut object = Map::new();
        object.insert("name".into(), json!(name));
        let others = metadata.iter().filter(|(key, _)| *key != "name");
        object.extend(others.map(|(key, value)| (key.clone(), value.clone())));
        object
    };
    Table::of_objects(&rows.map(object).collect::<Vec<_>>())
}

/// The covered regions of the database, or of a model.
pub fn regions(inner: &Inner, model: Option<&str>) -> PyResult<Table> {
    inner.with_axis(model, |axis| {
        let all = 0..axis.regions().len();
        let intervals: Vec<Interval> = all.map(|i| axis.region_interval(i)).collect();
        let names = axis.regions().iter().map(|r| r.name.clone()).collect();
        Table::new(vec![
            ("name", Column::Texts(names)),
            (
                "chrom",
                Column::texts(intervals.iter().map(|i| i.chrom.as_str())),
            ),
            ("start", Column::counts(intervals.iter().map(|i| i.start))),
            ("end", Column::counts(intervals.iter().map(|i| i.end))),
            (
                "n_bins",
                Column::counts(axis.regions().iter().map(|r| r.n_bins)),
            ),
        ])
    })
}

/// All tracks.
pub fn tracks(inner: &Inner) -> PyResult<Table> {
    let n_bins = inner.database.axis().n_bins();
    let tracks = inner.database.tracks().map_err(of)?;
    let numbers =
        |of: fn(&Track) -> f64| Column::Numbers(tracks.iter().map(|t| Some(of(t))).collect());
    let covered = |t: &Track| t.covered_bins.unwrap_or(n_bins);
    Table::new(vec![
        (
            "biosample",
            Column::texts(tracks.iter().map(|t| t.biosample.as_str())),
        ),
        (
            "assay",
            Column::texts(tracks.iter().map(|t| t.assay.as_str())),
        ),
        ("mean", numbers(|t| t.mean)),
        ("variance", numbers(|t| t.variance)),
        ("maximum", numbers(|t| t.maximum)),
        ("covered_bins", Column::counts(tracks.iter().map(covered))),
        (
            "negative_bins",
            Column::counts(tracks.iter().map(|t| t.n_negative_bins)),
        ),
        (
            "transform",
            Column::texts(tracks.iter().map(|t| t.transform.name())),
        ),
        (
            "values",
            Column::Texts(
                (tracks.iter())
                    .map(|t| Some(t.values.to_string()))
                    .collect(),
            ),
        ),
        ("greatest_error", numbers(|t| t.values.greatest_error())),
        ("multiplier", numbers(|t| t.multiplier)),
        (
            "unit",
            Column::Texts(tracks.iter().map(|t| t.unit.clone()).collect()),
        ),
        (
            "location",
            Column::texts(tracks.iter().map(|t| t.location.as_str())),
        ),
        (
            "checksum",
            Column::texts(tracks.iter().map(|t| t.checksum.as_str())),
        ),
        (
            "ingested",
            Column::texts(tracks.iter().map(|t| t.ingested.as_str())),
        ),
    ])
}

/// The genes.
pub fn genes(inner: &Inner) -> PyResult<Table> {
    let genes = inner.genes()?;
    let strands = genes.iter().map(|g| g.strand.symbol().to_string());
    Table::new(vec![
        (
            "gene_id",
            Column::texts(genes.iter().map(|g| g.id.as_str())),
        ),
        ("name", Column::texts(genes.iter().map(|g| g.name.as_str()))),
        (
            "chrom",
            Column::texts(genes.iter().map(|g| g.interval.chrom.as_str())),
        ),
        (
            "start",
            Column::counts(genes.iter().map(|g| g.interval.start)),
        ),
        ("end", Column::counts(genes.iter().map(|g| g.interval.end))),
        ("strand", Column::texts(strands)),
        ("tss", Column::counts(genes.iter().map(Gene::tss))),
    ])
}

/// The biosamples, with their metadata.
pub fn biosamples(inner: &Inner) -> PyResult<Table> {
    let all = inner.database.biosamples().map_err(of)?;
    named(all.iter().map(|b| (&b.name, &b.metadata)))
}

/// The assays, with their metadata.
pub fn assays(inner: &Inner) -> PyResult<Table> {
    let all = inner.database.assays().map_err(of)?;
    named(all.iter().map(|a| (&a.name, &a.metadata)))
}

/// The models.
pub fn models(inner: &Inner) -> PyResult<Table> {
    let models = inner.database.list_models().map_err(of)?;
    let bins = |m: &persea::store::Model| m.record.regions.iter().map(|r| r.n_bins).sum();
    Table::new(vec![
        (
            "name",
            Column::texts(models.iter().map(|m| m.record.name.as_str())),
        ),
        (
            "kind",
            Column::texts(models.iter().map(|m| m.record.kind_name())),
        ),
        (
            "is_default",
            Column::Truths(models.iter().map(|m| Some(m.is_default)).collect()),
        ),
        (
            "biosamples",
            Column::counts(models.iter().map(|m| m.record.biosamples.len() as u64)),
        ),
        (
            "assays",
            Column::counts(models.iter().map(|m| m.record.assays.len() as u64)),
        ),
        ("bins", Column::counts(models.iter().map(bins))),
        ("seed", Column::counts(models.iter().map(|m| m.record.seed))),
        (
            "created",
            Column::texts(models.iter().map(|m| m.created.as_str())),
        ),
        (
            "checksum",
            Column::texts(models.iter().map(|m| m.checksum.as_str())),
        ),
    ])
}

/// The stored tasks.
pub fn tasks(inner: &Inner) -> PyResult<Table> {
    let tasks = inner.database.list_tasks().map_err(of)?;
    let labelled = |t: &persea::store::Task| {
        let names: Vec<&str> = t.labels.iter().map(|l| l.biosample.as_str()).collect();
        names.join(",")
    };
    Table::new(vec![
        ("name", Column::texts(tasks.iter().map(|t| t.name.as_str()))),
        ("kind", Column::texts(tasks.iter().map(|t| t.kind.as_str()))),
        (
            "examples",
            Column::counts(tasks.iter().map(|t| t.n_examples)),
        ),
        ("biosamples", Column::texts(tasks.iter().map(labelled))),
        (
            "imported",
            Column::texts(tasks.iter().map(|t| t.imported.as_str())),
        ),
        (
            "checksum",
            Column::texts(tasks.iter().map(|t| t.checksum.as_str())),
        ),
    ])
}

/// The stored runs of tasks.
pub fn runs(inner: &Inner) -> PyResult<Table> {
    let runs = inner.database.list_runs().map_err(of)?;
    Table::new(vec![
        ("run", Column::Integers(runs.iter().map(|r| r.id).collect())),
        ("task", Column::texts(runs.iter().map(|r| r.task.as_str()))),
        (
            "created",
            Column::texts(runs.iter().map(|r| r.created.as_str())),
        ),
        (
            "settings",
            Column::texts(runs.iter().map(|r| r.settings.to_string())),
        ),
        (
            "result",
            Column::texts(runs.iter().map(|r| r.result.to_string())),
        ),
    ])
}

/// A task's examples with one biosample's labels.
pub fn labels(inner: &Inner, task: &str, biosample: &str) -> PyResult<Table> {
    let task = inner.database.read_task(task).map_err(of)?;
    let examples = inner.database.task_examples(&task).map_err(of)?;
    let labels = inner.database.task_labels(&task, biosample).map_err(of)?;
    let chrom = |i: &Option<Interval>| i.as_ref().map(|i| i.chrom.clone());
    let start = |i: &Option<Interval>| i.as_ref().map(|i| i.start as i64);
    let end = |i: &Option<Interval>| i.as_ref().map(|i| i.end as i64);
    let strand = |e: &persea::store::Example| e.strand.map(|s| s.symbol().to_string());
    let label = |v: &f64| Some(*v).filter(|v| !v.is_nan());
    Table::new(vec![
        (
            "name",
            Column::texts(examples.iter().map(|e| e.name.as_str())),
        ),
        (
            "chrom",
            Column::Texts(examples.iter().map(|e| chrom(&e.place)).collect()),
        ),
        (
            "start",
            Column::MaybeIntegers(examples.iter().map(|e| start(&e.place)).collect()),
        ),
        (
            "end",
            Column::MaybeIntegers(examples.iter().map(|e| end(&e.place)).collect()),
        ),
        (
            "strand",
            Column::Texts(examples.iter().map(strand).collect()),
        ),
        (
            "partner_start",
            Column::MaybeIntegers(examples.iter().map(|e| start(&e.partner)).collect()),
        ),
        (
            "partner_end",
            Column::MaybeIntegers(examples.iter().map(|e| end(&e.partner)).collect()),
        ),
        (
            "fold",
            Column::Texts(examples.iter().map(|e| e.fold.clone()).collect()),
        ),
        (
            "label",
            Column::Numbers(labels.values.iter().map(label).collect()),
        ),
    ])
}
