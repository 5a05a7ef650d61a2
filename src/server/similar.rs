//! What is like a place, and why.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::error::Refusal;
use super::parameters::Parameters;
use super::state::Open;
use crate::genome::{GenomeAxis, Interval};
use crate::search::{
    Class, Explanation, Filter, GroupComparison, Metric, Query, SearchOptions, Weights, around,
    explain, signal_over,
};
use crate::store::Track;

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
    "explain",
    "weights",
    "higher_in",
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
    let wanted = p.number("k", 10, 1..=1_000)? as usize;
    let group = match p.text("higher_in") {
        Some(group) => Some(GroupComparison::new(database, group)?),
        None => None,
    };
    let options = SearchOptions {
        k: match &group {
            Some(_) => GroupComparison::searched(wanted),
            None => wanted,
        },
        exclude: match p.text("exclude") {
            Some("none") => None,
            _ => Some(p.number("exclude", 50_000, 0..=u64::from(u32::MAX))?),
        },
        weights: Weights::new(&Weights::pairs(&p.list("weights"))?)?,
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
    let tracks = pictured(open, p)?;
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
    let Some(mut answer) = answers.pop() else {
        return Err(crate::Bug::new("a query has no answer").into());
    };
    if let Some(group) = &group {
        group.keep_higher(database, model.model.axis(), &mut answer, wanted)?;
    }
    let explanations = match p.flag("explain")? {
        true => Some(explain(
            database,
            &searcher,
            &query,
            &answer,
            &options.weights,
        )?),
        false => None,
    };
    let axis = model.model.axis();
    let mut hits = Vec::new();
    for (i, hit) in answer.hits.iter().enumerate() {
        let mut row = hit.object(i + 1, annotation);
        if let Some(explained) = explanations.as_ref().and_then(|all| all.get(i)) {
            row["explanation"] = explained.as_ref().map_or(Value::Null, Explanation::object);
        }
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
    asked.insert("k".into(), json!(wanted));
    if let Some(group) = &group {
        asked.insert("higher_in".into(), json!(p.text("higher_in")));
        asked.insert("higher_in_tracks".into(), json!(group.n_tracks()));
        asked.insert("searched".into(), json!(options.k));
    }
    asked.insert("exclude".into(), json!(options.exclude));
    if !options.weights.is_empty() {
        asked.insert("weights".into(), json!(p.list("weights")));
    }
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

/// The tracks that are to be pictured.
fn pictured(open: &Open, p: &Parameters) -> Result<Vec<Track>, Refusal> {
    let names = p.list("pictures");
    if names.len() > PICTURED {
        let message = format!("more than {PICTURED} tracks are pictured");
        return Err(Refusal::bad(message));
    }
    let track = |name: &str| {
        let (biosample, assay) = name.split_once(':').ok_or_else(|| {
            Refusal::bad(format!("`{name}` is no track: write it as BIOSAMPLE:ASSAY"))
        })?;
        match open.database.track(biosample, assay)? {
            Some(track) => Ok(track),
            None => Err(open.database.no_such_track(biosample, assay)?.into()),
        }
    };
    names.into_iter().map(track).collect()
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
