//! What is like a place, what to measure next, what was run and projected.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::error::Refusal;
use super::parameters::Parameters;
use super::state::Open;
use crate::genome::{GenomeAxis, Interval};
use crate::search::{
    Class, Filter, Metric, Query, SampleAxis, SearchOptions, around, signal_over, similar_samples,
};
use crate::search::{Profile, SampleSum};
use crate::selection::{Request, What, select};
use crate::store::{ProjectionColumn, Track};

/// The most tracks that are pictured at a query and its hits, and bins on either side of their middle.
const PICTURED: usize = 12;
const REACH: u64 = 80;

/// `GET /api/v1/similar`: as `persea similar`.
pub(super) const SIMILAR: &[&str] = &[
    "position",
    "region",
    "gene",
    "k",
    "exclude",
    "chromosomes",
    "class",
    "not_class",
    "include_masked",
    "metric",
    "model",
    "pictures",
];

pub(super) fn similar(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let database = &open.database;
    let query = query(p)?;
    let metric = p.choice::<Metric>("metric")?.unwrap_or_default();
    let classes = |name: &str| -> Result<Vec<Class>, Refusal> {
        let parsed = p.list(name).into_iter().map(|text| {
            let why = |e| Refusal::bad(format!("parameter `{name}`: {e}"));
            text.parse::<Class>().map_err(why)
        });
        parsed.collect()
    };
    let options = SearchOptions {
        k: p.number("k", 10, 1..=1_000)? as usize,
        exclude: match p.text("exclude") {
            Some("none") => None,
            _ => Some(p.number("exclude", 50_000, 0..=u64::from(u32::MAX))?),
        },
        ..SearchOptions::default()
    };
    let filter = Filter {
        chromosomes: p
            .list("chromosomes")
            .into_iter()
            .map(str::to_string)
            .collect(),
        classes: classes("class")?,
        not_classes: classes("not_class")?,
        include_masked: p.flag("include_masked")?,
        ..Filter::default()
    };
    let mut tracks = Vec::new();
    for name in p.list("pictures") {
        if tracks.len() == PICTURED {
            return Err(Refusal::bad(format!(
                "more than {PICTURED} tracks are pictured"
            )));
        }
        let pair = name.split_once(':').ok_or_else(|| {
            Refusal::bad(format!("`{name}` is no track: write it as BIOSAMPLE:ASSAY"))
        })?;
        let track = database.track(pair.0, pair.1)?;
        let Some(track) = track else {
            return Err(database.no_such_track(pair.0, pair.1)?.into());
        };
        tracks.push(track);
    }
    let model = open.model(p.text("model"))?;
    let searcher = model.searcher(database, metric)?;
    let annotation = &model.annotation;
    let allowed = searcher.allow(&filter, annotation)?;
    let mut answers = searcher.search_all(
        std::slice::from_ref(&query),
        &options,
        allowed.as_ref(),
        annotation.genes(),
    )?;
    searcher.rank_among_random_pairs(database, &model.model, &options.weights, &mut answers)?;
    let Some(answer) = answers.pop() else {
        return Err(crate::Bug::new("a query has no answer").into());
    };
    let axis = model.model.axis();
    let mut hits = Vec::new();
    for (i, hit) in answer.hits.iter().enumerate() {
        let gene = annotation.nearest_gene(&hit.interval);
        let in_gene = annotation.genes_at(&hit.interval);
        let mut row = json!({
            "rank": i + 1,
            "chrom": hit.interval.chrom,
            "start": hit.interval.start,
            "end": hit.interval.end,
            "distance": hit.distance,
            "percentile": hit.percentile,
            "nearest_tss": gene.as_ref().map(|g| &g.name),
            "nearest_tss_id": gene.as_ref().map(|g| &g.id),
            "tss_distance": gene.as_ref().map(|g| g.distance),
            "in_gene": in_gene.iter().map(|g| &g.name).collect::<Vec<_>>(),
            "annotation": annotation.classes(&hit.bins).iter().map(|c| c.name()).collect::<Vec<_>>(),
        });
        if !tracks.is_empty() {
            row["picture"] = picture(open, axis, &tracks, &hit.bins)?;
        }
        hits.push(row);
    }
    let mut asked = Map::new();
    asked.insert("kind".into(), json!(query.kind()));
    if let Query::Gene { name, part } = &query {
        asked.insert("gene".into(), json!(name));
        asked.insert("part".into(), json!(part.name()));
    }
    if let Some(interval) = &answer.interval {
        asked.insert("chrom".into(), json!(interval.chrom));
        asked.insert("start".into(), json!(interval.start));
        asked.insert("end".into(), json!(interval.end));
    }
    asked.insert("model".into(), json!(model.model.record().name));
    asked.insert("metric".into(), json!(metric.name()));
    asked.insert("k".into(), json!(options.k));
    asked.insert("exclude".into(), json!(options.exclude));
    if let (Some(bins), false) = (answer.query_bins.first(), tracks.is_empty()) {
        asked.insert("picture".into(), picture(open, axis, &tracks, bins)?);
    }
    Ok(json!({
        "query": asked,
        "hits": hits,
        "close_match": answer.has_close_match(),
        "exact": answer.is_exact,
        "model_checksum": model.model.stored().checksum,
    }))
}

fn query(p: &Parameters) -> Result<Query, Refusal> {
    match (p.text("position"), p.text("region"), p.text("gene")) {
        (Some(text), None, None) => {
            let interval = Interval::parse_browser(text)?;
            if interval.end == u64::MAX {
                let message = format!("`{text}` is no position: write it as chr1:151,200,000");
                return Err(Refusal::bad(message));
            }
            let middle = interval.start + interval.len() / 2;
            Ok(Query::position(
                &interval.chrom,
                middle.min(interval.end - 1),
            ))
        }
        (None, Some(text), None) => Ok(Query::region(Interval::parse_browser(text)?)),
        (None, None, Some(name)) => Ok(Query::gene(name)),
        _ => Err(Refusal::bad(
            "give one of the parameters `position`, `region` and `gene`",
        )),
    }
}

/// The stored signal (arcsinh) of tracks around the middle of some bins.
fn picture(
    open: &Open,
    axis: &GenomeAxis,
    tracks: &[Track],
    bins: &Range<u64>,
) -> Result<Value, Refusal> {
    let bins = around(axis, bins, REACH);
    let mut all = Vec::new();
    for track in tracks {
        let values = signal_over(&open.database, axis, track, std::slice::from_ref(&bins))?;
        let numbers = values
            .iter()
            .flatten()
            .map(|v| if v.is_nan() { Value::Null } else { json!(v) });
        all.push(json!({
            "biosample": track.biosample, "assay": track.assay, "values": numbers.collect::<Vec<_>>(),
        }));
    }
    let start = axis.bin_interval(bins.start).start;
    Ok(json!({"start": start, "end": axis.bin_interval(bins.end - 1).end, "tracks": all}))
}

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
pub(super) const SELECT: &[&str] = &["what", "k", "for", "model", "resamples"];

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
    let request = Request {
        new_of: p.text("for").map(str::to_string),
        model: p.text("model").map(str::to_string),
        resamples: p.number("resamples", 0, 0..=1_000)? as usize,
        ..Request::new(what, p.number("k", 3, 1..=1_000)? as usize)
    };
    Ok(json!(select(Some(&open.database), &request)?))
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
