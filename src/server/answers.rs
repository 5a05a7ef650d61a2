//! What is like a biosample or an assay, what to measure next, what was run and projected.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::error::Refusal;
use super::parameters::Parameters;
use super::state::Open;
use crate::genome::Interval;
use crate::search::{Metric, Profile, SampleAxis, SampleSum, similar_samples};
use crate::selection::{Request, What, select};
use crate::store::{ProjectionColumn, StoredProjection};

/// `GET /api/v1/similar/samples`: as `persea similar biosample` and `assay`.
pub(super) const SAMPLES: &[&str] = &["biosample", "assay", "model", "metric"];

pub(super) fn samples(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let (axis, text) = match (p.text("biosample"), p.text("assay")) {
        (Some(text), None) => (SampleAxis::Biosamples, text),
        (None, Some(text)) => (SampleAxis::Assays, text),
        _ => {
            return Err(Refusal::bad(
                "give one of the parameters `biosample` and `assay`",
            ));
        }
    };
    let model = open.model(p.text("model"))?;
    let metric = p.choice::<Metric>("metric")?.unwrap_or_default();
    let sum = SampleSum::parse(text, axis, &model.model)?;
    let record = model.model.record();
    let k = match axis {
        SampleAxis::Biosamples => record.biosamples.len(),
        SampleAxis::Assays => record.assays.len(),
    };
    let database = &open.database;
    let hits = similar_samples(
        database,
        &model.model,
        &sum,
        Profile::Factors,
        metric,
        k,
        true,
    )?;
    let rows = hits.into_iter().enumerate().map(|(i, hit)| {
        json!({"rank": i + 1, "name": hit.name, "distance": hit.distance, "cosine": hit.cosine})
    });
    Ok(json!({
        "axis": axis.name(), "query": text, "model": model.model.record().name,
        "hits": rows.collect::<Vec<_>>(),
    }))
}

/// `GET /api/v1/select`: as `persea select`, without storing the answer.
pub(super) const SELECT: &[&str] = &["what", "k", "for", "model", "resamples", "costs", "budget"];

pub(super) fn selection(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let what = match p.required("what")? {
        "biosamples" => What::Biosamples,
        "assays" => What::Assays,
        "experiments" => What::Experiments,
        other => {
            let message =
                format!("`{other}` cannot be selected: give biosamples, assays or experiments");
            return Err(Refusal::bad(message));
        }
    };
    let costs = costs(open, what, p)?;
    let budget = p.text("budget").map(|text| {
        let number = text
            .parse::<f64>()
            .ok()
            .filter(|b| b.is_finite() && *b >= 0.0);
        number.ok_or_else(|| Refusal::bad(format!("`{text}` is no budget: give a number from 0")))
    });
    let budget = budget.transpose()?;
    let request = Request {
        costs: budget.and_then(|_| costs.clone()),
        budget,
        new_of: p.text("for").map(str::to_string),
        model: p.text("model").map(str::to_string),
        resamples: p.number("resamples", 0, 0..=1_000)? as usize,
        ..Request::new(what, p.number("k", 3, 1..=1_000)? as usize)
    };
    let mut answer = select(Some(&open.database), &request)?;
    // Without a budget costs choose nothing, and are shown.
    for chosen in &mut answer.chosen {
        let known = costs.as_ref().and_then(|all| all.get(&chosen.name));
        chosen.cost = chosen.cost.or(known.copied());
    }
    Ok(json!(answer))
}

/// What each biosample, assay or experiment costs, from `NAME=COST,…`: of experiments by the assay's name.
/// `other` stands for all that are not named.
fn costs(
    open: &Open,
    what: What,
    p: &Parameters,
) -> Result<Option<BTreeMap<String, f64>>, Refusal> {
    let mut given: BTreeMap<&str, f64> = BTreeMap::new();
    for text in p.list("costs") {
        let pair = text.rsplit_once('=').and_then(|(name, cost)| {
            let cost = cost.trim().parse::<f64>().ok()?;
            (cost.is_finite() && cost >= 0.0).then_some((name.trim(), cost))
        });
        let bad = || {
            Refusal::bad(format!(
                "`{text}` is no cost: write NAME=NUMBER, as H3K4me3=300"
            ))
        };
        let (name, cost) = pair.ok_or_else(bad)?;
        given.insert(name, cost);
    }
    if given.is_empty() {
        return Ok(None);
    }
    let tracks = open.database.tracks()?;
    let mut biosamples: BTreeSet<String> = tracks.iter().map(|t| t.biosample.clone()).collect();
    let mut assays: BTreeSet<String> = tracks.iter().map(|t| t.assay.clone()).collect();
    let model = match p.text("model") {
        Some(name) => Some(open.database.read_model(Some(name))?),
        None => open.default_model()?,
    };
    if let Some(model) = model {
        biosamples.extend(model.record.biosamples);
        assays.extend(model.record.assays);
    }
    let names = match what {
        What::Biosamples => &biosamples,
        What::Assays | What::Experiments => &assays,
    };
    if let Some(unknown) = given
        .keys()
        .find(|n| **n != "other" && !names.contains(**n))
    {
        let kind = match what {
            What::Biosamples => "biosample",
            What::Assays | What::Experiments => "assay",
        };
        return Err(Refusal::bad(format!(
            "there is no {kind} `{unknown}` to cost anything"
        )));
    }
    let cost = |name: &str| given.get(name).or_else(|| given.get("other")).copied();
    let mut all = BTreeMap::new();
    for name in names {
        let Some(cost) = cost(name) else { continue };
        match what {
            What::Experiments => {
                all.extend(biosamples.iter().map(|b| (format!("{b}:{name}"), cost)));
            }
            What::Biosamples | What::Assays => {
                all.insert(name.clone(), cost);
            }
        }
    }
    Ok(Some(all))
}

/// `GET /api/v1/selections`: those that are stored.
pub(super) fn selections(open: &Open, _: &Parameters) -> Result<Value, Refusal> {
    let rows = open.database.selections()?.into_iter().map(|s| {
        json!({
            "selection": s.id, "kind": s.kind, "settings": s.settings, "result": s.result,
            "created": s.created,
        })
    });
    Ok(json!({ "selections": rows.collect::<Vec<_>>() }))
}

/// `GET /api/v1/runs`: tasks' runs that are stored.
pub(super) fn runs(open: &Open, _: &Parameters) -> Result<Value, Refusal> {
    let rows = open.database.list_runs()?.into_iter().map(|run| {
        json!({
            "run": run.id, "task": run.task, "settings": run.settings, "result": run.result,
            "created": run.created,
        })
    });
    Ok(json!({ "runs": rows.collect::<Vec<_>>() }))
}

/// `GET /api/v1/evaluations`: evaluations that are stored with a model.
pub(super) const EVALUATIONS: &[&str] = &["model"];

pub(super) fn evaluations(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let models = match p.text("model") {
        Some(name) => vec![open.database.read_model(Some(name))?],
        None => open.database.list_models()?,
    };
    let mut rows = Vec::new();
    for model in models {
        for e in open.database.evaluations(&model)? {
            rows.push(json!({
                "model": model.record.name, "evaluation": e.id, "kind": e.kind.name(),
                "settings": e.settings, "result": e.result, "created": e.created,
            }));
        }
    }
    Ok(json!({ "evaluations": rows }))
}

/// `GET /api/v1/projections`.
pub(super) fn projections(open: &Open, _: &Parameters) -> Result<Value, Refusal> {
    let rows = open.database.list_projections()?.into_iter().map(|s| {
        json!({
            "name": s.name, "axis": s.axis, "method": s.method, "model": s.model, "points": s.n,
            "settings": s.settings, "result": s.result, "created": s.created,
        })
    });
    Ok(json!({ "projections": rows.collect::<Vec<_>>() }))
}

/// `GET /api/v1/projection`: the columns of one.
pub(super) const PROJECTION: &[&str] = &["name"];

pub(super) fn projection(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let stored = open.database.read_projection(p.required("name")?)?;
    let columns = open.database.projection_columns(&stored)?;
    let columns = columns.into_iter().map(|(name, column)| match column {
        ProjectionColumn::Numbers(values) => json!({"name": name, "numbers": values}),
        ProjectionColumn::Texts(values) => json!({"name": name, "texts": values}),
    });
    Ok(json!({
        "name": stored.name, "axis": stored.axis, "method": stored.method, "points": stored.n,
        "columns": columns.collect::<Vec<_>>(),
    }))
}

/// `GET /api/v1/projection/signal`: a track's mean stored signal at each point of a map of the genome, in the map's
/// order; null where there is none.
pub(super) const PROJECTION_SIGNAL: &[&str] = &["name", "biosample", "assay"];

pub(super) fn projection_signal(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let database = &open.database;
    let stored = database.read_projection(p.required("name")?)?;
    let (biosample, assay) = (p.required("biosample")?, p.required("assay")?);
    let Some(track) = database.track(biosample, assay)? else {
        return Err(database.no_such_track(biosample, assay)?.into());
    };
    let places = places(open, &stored)?;
    let axis = database.axis();
    let signal = database.signal(&track)?;
    // In the order of the genome: each chunk of the track is read once.
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|i| axis.bin_at(&places[*i].chrom, places[*i].start));
    let mut means: Vec<Option<f64>> = vec![None; places.len()];
    for i in order {
        let (mut sum, mut n) = (0f64, 0u64);
        for bins in axis.bins_within(&places[i]) {
            let mut values = vec![0f32; (bins.end - bins.start) as usize];
            signal.read(bins, &mut values)?;
            for value in values.iter().filter(|v| !v.is_nan()) {
                sum += f64::from(*value);
                n += 1;
            }
        }
        if n > 0 {
            means[i] = Some(sum / n as f64);
        }
    }
    Ok(json!({
        "name": stored.name, "biosample": track.biosample, "assay": track.assay, "signal": means,
    }))
}

/// Where the points of a map of the genome lie.
fn places(open: &Open, stored: &StoredProjection) -> Result<Vec<Interval>, Refusal> {
    let (mut chroms, mut starts, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for (name, column) in open.database.projection_columns(stored)? {
        match (name.as_str(), column) {
            ("place: chrom", ProjectionColumn::Texts(texts)) => chroms = texts,
            ("place: start", ProjectionColumn::Numbers(numbers)) => starts = numbers,
            ("place: end", ProjectionColumn::Numbers(numbers)) => ends = numbers,
            _ => {}
        }
    }
    if chroms.is_empty() {
        let name = &stored.name;
        return Err(Refusal::bad(format!(
            "the points of {name} are no places of the genome"
        )));
    }
    let places = chroms.iter().zip(starts).zip(ends);
    let place = |((chrom, start), end): ((&String, f64), f64)| {
        Interval::new(chrom, start as u64, end as u64)
    };
    Ok(places.map(place).collect())
}
