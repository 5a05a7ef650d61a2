//! What two databases differ in: rows (but for dates, durations and row numbers), arrays and factors.
//!
//! Rows are compared by what they say: a track by its biosample and assay, whatever its number. Values are
//! compared bit by bit, as they are read and verified; a bin without data equals another one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::track::missing_name;
use super::{Database, Model, StoreError, Track};

/// Bins or numbers that are compared at a time.
const BLOCK: u64 = 1 << 18;

/// The longest text of a difference, in characters.
const LONGEST: usize = 60;

/// Something that is in one of two databases, or differs between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatabaseDifference {
    /// What it concerns: a track, a model, a table.
    pub what: String,
    /// How the two differ.
    pub how: String,
}

impl DatabaseDifference {
    fn new(what: impl Into<String>, how: impl Into<String>) -> Self {
        DatabaseDifference {
            what: what.into(),
            how: how.into(),
        }
    }
}

/// Compares two databases; an empty list means that they have equal rows, arrays and factors. `progress` receives
/// how many tracks and models are compared, and of how many.
///
/// Not compared are dates, how long something took, row numbers, and the names of arrays, which have numbers in
/// them; and what can be made anew: search graphs and checkpoints.
///
/// # Errors
/// When one of them is damaged or cannot be read.
pub fn compare_databases(
    first: &Database,
    second: &Database,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<DatabaseDifference>, StoreError> {
    let mut found = compare_axes(first, second)?;
    let same_axis = !found.iter().any(|d| d.what == AXIS);
    compare_rows(&rows(first)?, &rows(second)?, &mut found);
    let tracks = pairs(first.tracks()?, second.tracks()?, |t| {
        (t.biosample.clone(), t.assay.clone())
    });
    let models = pairs(first.list_models()?, second.list_models()?, |m| {
        m.record.name.clone()
    });
    let n = tracks.len() + models.len();
    for (i, (a, b)) in tracks.iter().enumerate() {
        progress(i, n);
        if same_axis && let Some(how) = compare_arrays((first, a), (second, b))? {
            let what = format!("track {} {}", a.biosample, a.assay);
            found.push(DatabaseDifference::new(what, how));
        }
    }
    for (i, (a, b)) in models.iter().enumerate() {
        progress(tracks.len() + i, n);
        for how in compare_tensors((first, a), (second, b))? {
            let what = format!("model {}", a.record.name);
            found.push(DatabaseDifference::new(what, how));
        }
    }
    progress(n, n);
    found.sort();
    Ok(found)
}

const AXIS: &str = "genome axis";

/// What was given when the databases were made.
fn compare_axes(
    first: &Database,
    second: &Database,
) -> Result<Vec<DatabaseDifference>, StoreError> {
    let mut found = Vec::new();
    let differ = |what: &str| DatabaseDifference::new(what, "is not the same");
    if first.axis() != second.axis() {
        found.push(differ(AXIS));
    }
    if first.mask_intervals()? != second.mask_intervals()? {
        found.push(differ("mask"));
    }
    if first.genes()? != second.genes()? {
        found.push(differ("genes"));
    }
    if first.enhancers()? != second.enhancers()? {
        found.push(differ("enhancers"));
    }
    Ok(found)
}

/// All rows, by what they are of.
type Rows = BTreeMap<String, Value>;

fn rows(database: &Database) -> Result<Rows, StoreError> {
    let mut rows = Rows::new();
    for b in database.biosamples()? {
        rows.insert(format!("biosample {}", b.name), Value::Object(b.metadata));
    }
    for a in database.assays()? {
        rows.insert(format!("assay {}", a.name), Value::Object(a.metadata));
    }
    for t in database.tracks()? {
        rows.insert(format!("track {} {}", t.biosample, t.assay), of_track(&t));
    }
    for (assay, reference) in database.references()? {
        rows.insert(
            format!("reference of {assay}"),
            json!({
                "background": reference.components.background,
                "peaks": reference.components.peaks, "n_tracks": reference.n_tracks,
                "background_bins": reference.background_bins,
                "peak_bins": reference.peak_bins,
            }),
        );
    }
    for m in database.list_models()? {
        rows.insert(format!("model {}", m.record.name), of_model(&m));
        for e in database.evaluations(&m)? {
            let key = json!([e.kind.name(), e.settings]);
            rows.insert(
                format!("evaluation of {}: {key}", m.record.name),
                json!({ "result": without_times(e.result), "basis": without_arrays(e.basis) }),
            );
        }
    }
    for t in database.list_tasks()? {
        let labels: Vec<Value> = (t.labels.iter())
            .map(|l| json!([l.biosample, l.unit, l.n]))
            .collect();
        rows.insert(
            format!("task {}", t.name),
            json!({
                "kind": t.kind, "sources": t.sources, "checksum": t.checksum,
                "n_examples": t.n_examples, "labels": labels,
            }),
        );
    }
    for run in database.list_runs()? {
        let mut digest = blake3::Hasher::new();
        for (name, values) in database.run_columns(&run)? {
            digest.update(name.as_bytes());
            for value in values {
                digest.update(&value.to_le_bytes());
            }
        }
        rows.insert(
            format!("run of {} ({})", run.task, run.key),
            json!({
                "settings": run.settings, "result": without_times(run.result),
                "columns": digest.finalize().to_hex().as_str(),
            }),
        );
    }
    for (i, s) in database.selections()?.into_iter().enumerate() {
        rows.insert(
            format!("selection {} of {}", i + 1, s.kind),
            json!({ "settings": s.settings, "result": without_times(s.result) }),
        );
    }
    for p in database.list_projections()? {
        let mut digest = blake3::Hasher::new();
        for (name, column) in database.projection_columns(&p)? {
            digest.update(format!("{name}{column:?}").as_bytes());
        }
        rows.insert(
            format!("projection {}", p.name),
            json!({
                "axis": p.axis, "method": p.method, "model": p.model,
                "model_checksum": p.model_checksum, "settings": p.settings,
                "result": without_times(p.result), "n": p.n,
                "columns": digest.finalize().to_hex().as_str(),
            }),
        );
    }
    Ok(rows)
}

fn of_track(t: &Track) -> Value {
    let hex = |digest: &[u8; 32]| blake3::Hash::from_bytes(*digest).to_hex().to_string();
    let sources = t.sources.iter().map(|s| {
        let origin = s.origin.as_ref().map(|o| {
            json!([
                o.accession,
                o.experiment,
                o.output_type,
                o.donor,
                o.audit,
                o.md5
            ])
        });
        json!({
            "location": s.location, "format": s.format, "bytes": s.identity.bytes,
            "etag": s.identity.etag, "checksum": s.checksum, "multiplier": s.multiplier,
            "missing": missing_name(s.missing), "origin": origin,
        })
    });
    json!({
        "transform": t.transform.name(), "unit": t.unit, "checksum": t.checksum,
        "n_nan_bins": t.n_nan_bins, "covered_bins": t.covered_bins,
        "n_negative_bins": t.n_negative_bins, "mean": t.mean, "variance": t.variance,
        "maximum": t.maximum, "values": t.values.to_string(), "intervals": t.runs.as_ref().map(hex),
        "normalisation": t.normalisation.map(|law| [law.factor, law.exponent]),
        "sources": sources.collect::<Vec<_>>(),
    })
}

fn of_model(m: &Model) -> Value {
    let r = &m.record;
    let tracks = r.tracks.iter();
    let tracks = tracks.map(|t| json!([t.biosample, t.assay, t.role.name(), t.checksum]));
    let regions = r.regions.iter();
    let regions = regions.map(|r| json!([r.name, r.chrom, r.first_bin, r.n_bins]));
    json!({
        "kind": r.kind.name(), "config": r.config, "seed": r.seed,
        "training": without_times(r.training.clone()), "precision": r.precision.name(),
        "is_default": m.is_default, "biosamples": r.biosamples, "assays": r.assays,
        "tracks": tracks.collect::<Vec<_>>(), "regions": regions.collect::<Vec<_>>(),
        "checksum": m.checksum,
    })
}

/// Without what says how long something took.
fn without_times(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(key, _)| key != "seconds" && !key.ends_with("_seconds"))
            .map(|(key, value)| (key, without_times(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_times).collect(),
        other => other,
    }
}

/// What an evaluation rests on, without the names of arrays.
fn without_arrays(mut basis: Value) -> Value {
    if let Some(tracks) = basis.get_mut("tracks").and_then(Value::as_array_mut) {
        for track in tracks.iter_mut().filter_map(Value::as_array_mut) {
            track.truncate(3);
        }
    }
    basis
}

fn compare_rows(first: &Rows, second: &Rows, found: &mut Vec<DatabaseDifference>) {
    for (what, a) in first {
        let Some(b) = second.get(what) else {
            found.push(DatabaseDifference::new(what, "is only in the first"));
            continue;
        };
        for how in differing_fields(a, b) {
            found.push(DatabaseDifference::new(what, how));
        }
    }
    for what in second.keys().filter(|what| !first.contains_key(*what)) {
        found.push(DatabaseDifference::new(what, "is only in the second"));
    }
}

/// The fields in which two rows differ, each with both values.
fn differing_fields(a: &Value, b: &Value) -> Vec<String> {
    let (Value::Object(a), Value::Object(b)) = (a, b) else {
        return match a == b {
            true => Vec::new(),
            false => vec![format!("{} and {}", shortened(a), shortened(b))],
        };
    };
    let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
    keys.sort();
    keys.dedup();
    let differ = keys.into_iter().filter(|key| a.get(*key) != b.get(*key));
    let value = |of: Option<&Value>| of.map_or("nothing".to_string(), shortened);
    differ
        .map(|key| format!("{key}: {} and {}", value(a.get(key)), value(b.get(key))))
        .collect()
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What both have, by key.
fn pairs<T, K: Ord>(first: Vec<T>, second: Vec<T>, key: impl Fn(&T) -> K) -> Vec<(T, T)> {
    let mut second: BTreeMap<K, T> = second.into_iter().map(|t| (key(&t), t)).collect();
    first
        .into_iter()
        .filter_map(|a| second.remove(&key(&a)).map(|b| (a, b)))
        .collect()
}

fn compare_arrays(
    (first, a): (&Database, &Track),
    (second, b): (&Database, &Track),
) -> Result<Option<String>, StoreError> {
    let (one, other) = (first.signal(a)?, second.signal(b)?);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let (mut n_differing, mut at) = (0u64, None);
    for start in (0..one.n_bins()).step_by(BLOCK as usize) {
        let bins = start..(start + BLOCK).min(one.n_bins());
        let n = (bins.end - bins.start) as usize;
        left.resize(n, 0.0);
        right.resize(n, 0.0);
        one.read(bins.clone(), &mut left)?;
        other.read(bins, &mut right)?;
        if let Some(i) = first_difference(&left, &right, &mut n_differing) {
            at.get_or_insert(start + i as u64);
        }
    }
    Ok(at.map(|bin| {
        format!(
            "values differ in {n_differing} bins, the first at {}",
            first.axis().bin_interval(bin)
        )
    }))
}

/// The first place in which two series differ; adds to the number of places.
fn first_difference(a: &[f32], b: &[f32], n_differing: &mut u64) -> Option<usize> {
    let mut first = None;
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        if a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan()) {
            *n_differing += 1;
            first.get_or_insert(i);
        }
    }
    first
}

fn compare_tensors(
    (first, a): (&Database, &Model),
    (second, b): (&Database, &Model),
) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let name = |name: &str, region: Option<u32>| match region {
        Some(region) => format!("tensor {name} of region {region}"),
        None => format!("tensor {name}"),
    };
    for tensor in &a.tensors {
        let what = name(&tensor.name, tensor.region);
        let same = |t: &&super::TensorInfo| t.name == tensor.name && t.region == tensor.region;
        let Some(other) = b.tensors.iter().find(same) else {
            found.push(format!("{what} is only in the first"));
            continue;
        };
        let shape = |t: &super::TensorInfo| (t.rows, t.cols, t.precision);
        if shape(tensor) != shape(other) {
            found.push(format!("{what} has another shape or precision"));
            continue;
        }
        let step = (BLOCK / tensor.cols.max(1)).max(1);
        let (mut left, mut right, mut n_differing) = (Vec::new(), Vec::new(), 0);
        for start in (0..tensor.rows).step_by(step as usize) {
            let rows = start..(start + step).min(tensor.rows);
            let n = ((rows.end - rows.start) * tensor.cols) as usize;
            left.resize(n, 0.0);
            right.resize(n, 0.0);
            first.read_tensor(a, &tensor.name, tensor.region, rows.clone(), &mut left)?;
            second.read_tensor(b, &tensor.name, tensor.region, rows, &mut right)?;
            first_difference(&left, &right, &mut n_differing);
        }
        if n_differing > 0 {
            found.push(format!("{what} differs in {n_differing} numbers"));
        }
    }
    let is_new = |t: &&super::TensorInfo| {
        !(a.tensors.iter()).any(|other| other.name == t.name && other.region == t.region)
    };
    for tensor in b.tensors.iter().filter(is_new) {
        let what = name(&tensor.name, tensor.region);
        found.push(format!("{what} is only in the second"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{store_track, toy_parts};
    use super::*;

    fn compare(first: &Database, second: &Database) -> Vec<String> {
        let found = compare_databases(first, second, &mut |_, _| {}).unwrap();
        let text = |d: DatabaseDifference| format!("{}: {}", d.what, d.how);
        found.into_iter().map(text).collect()
    }

    #[test]
    fn numbers_of_rows_make_no_difference_and_values_metadata_and_missing_tracks_do() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str| Database::create(&folder.path().join(name), &toy_parts()).unwrap();
        let (first, second) = (made("a.persea"), made("b.persea"));
        let mut values = vec![1.0; 200];
        values[7] = f32::NAN;
        store_track(&first, "E003", "DNase", &values);
        store_track(&first, "E017", "DNase", &[2.0; 200]);
        store_track(&second, "E017", "DNase", &[2.0; 200]);
        store_track(&second, "E003", "DNase", &values);
        assert_eq!(compare(&first, &second), [""; 0]);

        values[41] = 1.5;
        store_track(&second, "E003", "DNase", &values);
        let found = compare(&first, &second);
        // The axis' bin 41 is the second of the region B, which begins at bin 200 of chr1.
        let expected = "track E003 DNase: values differ in 1 bins, the first at chr1:5026-5050";
        assert!(found.contains(&expected.to_string()), "{found:?}");
        assert!(found.iter().any(|d| d.contains(": mean: ")), "{found:?}");

        store_track(&first, "E003", "DNase", &values);
        let facts = [("group".to_string(), json!("blood"))].into_iter();
        first.update_biosample("E017", &facts.collect()).unwrap();
        store_track(&second, "E116", "DNase", &[0.0; 200]);
        assert_eq!(
            compare(&first, &second),
            [
                "biosample E017: group: \"blood\" and nothing",
                "biosample E116: is only in the second",
                "track E116 DNase: is only in the second",
            ]
        );
    }

    #[test]
    fn a_number_of_a_model_that_differs_is_found_and_how_long_training_took_is_not() {
        let long = json!({ "seconds": 1.5, "passes": [{ "seconds": 2, "loss": 3 }] });
        assert_eq!(without_times(long), json!({ "passes": [{ "loss": 3 }] }));
        let mut n = 0;
        let (a, b) = ([1.0, f32::NAN, 0.0], [1.0, f32::NAN, -0.0]);
        assert_eq!(first_difference(&a, &b, &mut n), Some(2));
        assert_eq!(n, 1);
    }
}
