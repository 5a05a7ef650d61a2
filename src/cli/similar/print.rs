//! Hits as a table, JSON, TSV, CSV or BED.

use std::ops::Range;
use std::path::Path;

use persea::formats::{BedRow, BedSchema};
use persea::genome::Strand;
use persea::model::TrainedModel;
use persea::search::{
    Annotation, Answer, CLOSE_PERCENTILE, Explanation, Metric, Query, RANDOM_PAIRS, SearchOptions,
    signal_over,
};
use persea::store::{Database, Track};
use serde_json::{Map, Value, json};

use super::super::bed;
use super::super::output::{Format, Table, grouped, measure, print_json};

/// What to print, and where it comes from.
pub struct Printed<'a> {
    pub database: &'a Database,
    pub model: &'a TrainedModel,
    pub annotation: &'a Annotation,
    pub metric: Metric,
    pub options: &'a SearchOptions,
    /// Tracks whose signal is shown.
    pub tracks: &'a [Track],
    pub queries: &'a [Query],
    pub answers: &'a [Answer],
    /// What makes each distance, where it is asked for.
    pub explanations: Option<&'a [Vec<Option<Explanation>>]>,
    pub is_batch: bool,
}

pub fn print(printed: &Printed<'_>, format: Format) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for (i, (query, answer)) in printed.queries.iter().zip(printed.answers).enumerate() {
        let mut rows = rows(printed, answer)?;
        if let Some(explained) = printed.explanations.and_then(|all| all.get(i)) {
            for (row, explanation) in rows.iter_mut().zip(explained) {
                row["explanation"] = explanation
                    .as_ref()
                    .map_or(Value::Null, Explanation::object);
            }
        }
        all.push((query, answer, rows));
    }
    if format == Format::Json {
        let objects: Vec<Value> = all
            .into_iter()
            .map(|(query, answer, rows)| {
                json!({
                    "query": query_object(printed, query, answer),
                    "hits": rows,
                    "close_match": answer.has_close_match(),
                    "read": {
                        "5kbp": answer.read.kbp5,
                        "250bp": answer.read.bp250,
                        "25bp": answer.read.bp25,
                        "250bp_sketches": answer.read.sketches_250bp,
                        "25bp_sketches": answer.read.sketches_25bp,
                    },
                    "exact": answer.is_exact,
                })
            })
            .collect();
        match objects.as_slice() {
            [one] if !printed.is_batch => print_json(one)?,
            many => print_json(&many)?,
        }
        return Ok(());
    }
    let mut columns = vec!["rank", "chrom", "start", "end", "distance", "percentile"];
    if printed.options.align {
        columns.push("strand");
    }
    columns.extend(["nearest_tss", "tss_distance", "in_gene", "annotation"]);
    if printed.explanations.is_some() {
        columns.extend(Explanation::COLUMNS);
    }
    let signals: Vec<String> = printed.tracks.iter().map(track_name).collect();
    let mut header = columns.clone();
    if printed.is_batch {
        header.insert(0, "query");
    }
    header.extend(signals.iter().map(String::as_str));
    let mut table = Table::new(&header);
    for (i, (query, answer, rows)) in all.iter_mut().enumerate() {
        if let Some(explained) = printed.explanations.and_then(|all| all.get(i)) {
            for (row, explanation) in rows.iter_mut().zip(explained) {
                add_words(row, explanation.as_ref());
            }
        }
        for row in rows {
            let mut cells: Vec<Value> = columns.iter().map(|c| cell(&row[*c])).collect();
            if printed.is_batch {
                cells.insert(0, json!(label(query, answer)));
            }
            cells.extend(signals.iter().map(|s| row["signal"][s].clone()));
            table.row(cells);
        }
    }
    table.print(format)?;
    warn_of_no_close_match(printed);
    if format == Format::Table {
        tell_read(printed);
    }
    Ok(())
}

fn warn_of_no_close_match(printed: &Printed<'_>) {
    let far = |answer: &&Answer| answer.has_close_match() == Some(false);
    let n = printed.answers.iter().filter(far).count();
    let of = match printed.is_batch {
        true => format!(" for {n} of {} queries", printed.answers.len()),
        false => String::new(),
    };
    if n > 0 {
        eprintln!(
            "no close match{of}: the best hit is no nearer than {CLOSE_PERCENTILE} % of {} random pairs of positions",
            grouped(RANDOM_PAIRS as u64)
        );
    }
}

/// Adds the cells of [`Explanation::COLUMNS`] to a hit. They are empty where the hit is the same as the query.
fn add_words(row: &mut Value, explanation: Option<&Explanation>) {
    let texts = explanation.map_or_else(Default::default, Explanation::words);
    for (column, text) in Explanation::COLUMNS.into_iter().zip(texts) {
        row[column] = json!(text);
    }
}

/// A list is printed as words.
fn cell(value: &Value) -> Value {
    match value {
        Value::Array(list) => {
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            json!(words.join(","))
        }
        other => other.clone(),
    }
}

fn tell_read(printed: &Printed<'_>) {
    if printed.answers.iter().any(|a| !a.is_exact) {
        eprintln!("approximate search: some of the nearest may be missing");
        return;
    }
    let axis = printed.model.axis();
    let sum = |read: fn(&Answer) -> u64| printed.answers.iter().map(read).sum::<u64>();
    let each = printed.answers.len().max(1) as u64;
    let in_the_mean = if each > 1 {
        " per query, on average"
    } else {
        ""
    };
    if printed.options.align {
        // Windows overlap: no share of the rows that there are says how often each was read.
        eprintln!(
            "exact search: read {} rows at 250 bp and {} at 25 bp{in_the_mean}; \
             overlapping windows read rows repeatedly",
            sum(|a| a.read.bp250) / each,
            sum(|a| a.read.bp25) / each,
        );
        return;
    }
    eprintln!(
        "exact search: read {} of {} rows at 5 kbp, {} of {} at 250 bp ({} sketches), {} of {} at 25 bp ({} sketches){in_the_mean}",
        sum(|a| a.read.kbp5) / each,
        axis.n_rows(persea::genome::Resolution::Kbp5),
        sum(|a| a.read.bp250) / each,
        axis.n_rows(persea::genome::Resolution::Bp250),
        sum(|a| a.read.sketches_250bp) / each,
        sum(|a| a.read.bp25) / each,
        axis.n_bins(),
        sum(|a| a.read.sketches_25bp) / each,
    );
}

fn track_name(track: &Track) -> String {
    format!("{}:{}", track.biosample, track.assay)
}

fn label(query: &Query, answer: &Answer) -> String {
    match (query, &answer.interval) {
        (Query::Gene { name, .. }, _) => name.clone(),
        (_, Some(interval)) => interval.to_string(),
        (_, None) => "vector".into(),
    }
}

fn query_object(printed: &Printed<'_>, query: &Query, answer: &Answer) -> Value {
    let mut object = Map::new();
    object.insert("kind".into(), json!(query.kind()));
    if let Query::Gene { name, part } = query {
        object.insert("gene".into(), json!(name));
        object.insert("part".into(), json!(part.name()));
    }
    if let Some(interval) = &answer.interval {
        object.insert("chrom".into(), json!(interval.chrom));
        object.insert("start".into(), json!(interval.start));
        object.insert("end".into(), json!(interval.end));
    }
    object.insert("model".into(), json!(printed.model.record().name));
    object.insert("metric".into(), json!(printed.metric.name()));
    object.insert("resolution".into(), json!(answer.resolution.name()));
    object.insert("k".into(), json!(printed.options.k));
    object.insert("exclude".into(), json!(printed.options.exclude));
    let spread = printed.options.spread.map(|s| s.name());
    object.insert("spread".into(), json!(spread));
    object.insert("aligned".into(), json!(printed.options.align));
    let weights = &printed.options.weights;
    if !weights.is_empty() {
        let of_resolutions = weights.resolutions.iter();
        let mut all: Map<String, Value> = of_resolutions
            .map(|(resolution, weight)| (resolution.name().to_string(), json!(weight)))
            .collect();
        all.extend(
            weights
                .assays
                .iter()
                .map(|(name, w)| (name.clone(), json!(w))),
        );
        object.insert("weights".into(), Value::Object(all));
    }
    if !printed.tracks.is_empty()
        && let Ok(signal) = signal_of(printed, &answer.query_bins)
    {
        object.insert("signal".into(), signal);
    }
    Value::Object(object)
}

/// The hits of an answer as objects.
fn rows(printed: &Printed<'_>, answer: &Answer) -> anyhow::Result<Vec<Value>> {
    let mut rows = Vec::new();
    for (i, hit) in answer.hits.iter().enumerate() {
        let mut row = hit.object(i + 1, printed.annotation);
        if let Some(strand) = hit.strand {
            row["strand"] = json!(strand.symbol());
        }
        if !printed.tracks.is_empty() {
            row["signal"] = signal_of(printed, std::slice::from_ref(&hit.bins))?;
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The mean stored signal of each track over some bins.
fn signal_of(printed: &Printed<'_>, bins: &[Range<u64>]) -> anyhow::Result<Value> {
    let mut signal = Map::new();
    for track in printed.tracks {
        let values = signal_over(printed.database, printed.model.axis(), track, bins)?;
        // Over the bins at which the track has data.
        let known = || values.iter().flatten().filter(|v| !v.is_nan());
        let n = known().count();
        let sum: f64 = known().map(|v| f64::from(*v)).sum();
        let mean = (n > 0).then(|| sum / n as f64);
        signal.insert(track_name(track), measure(mean));
    }
    Ok(Value::Object(signal))
}

/// The columns of a bigBed of hits after BED's own six.
const HITS: &[(&str, &str, &str)] = &[
    ("uint", "rank", "Rank among the hits of the query"),
    ("double", "distance", "Distance of the factors"),
    (
        "string",
        "percentile",
        "Share of random pairs that are nearer, in percent",
    ),
    ("string", "nearestTss", "Gene of the nearest TSS"),
    ("string", "tssDistance", "Distance to that TSS in bp"),
    ("string", "inGene", "Genes that the hit overlaps"),
    ("string", "annotation", "Classes of the hit"),
];

/// BED6, or a bigBed with more: the name is query and rank, the score 1000 for the nearest and less for
/// farther ones.
pub fn write_bed(printed: &Printed<'_>, path: &Path) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for (query, answer) in printed.queries.iter().zip(printed.answers) {
        let name = label(query, answer);
        let nearest = answer.hits.first().map_or(0.0, |h| h.distance);
        for (i, hit) in answer.hits.iter().enumerate() {
            let distance = hit.distance;
            let score = match distance > 0.0 {
                true => (1000.0 * (nearest.max(f64::MIN_POSITIVE) / distance)).round(),
                false => 1000.0,
            };
            let gene = printed.annotation.nearest_gene(&hit.interval);
            let in_gene = printed.annotation.genes_at(&hit.interval);
            let in_gene: Vec<&str> = in_gene.iter().map(|g| g.name.as_str()).collect();
            let classes = printed.annotation.classes(&hit.bins);
            let classes: Vec<&str> = classes.iter().map(|c| c.name()).collect();
            rows.push(BedRow {
                interval: hit.interval.clone(),
                fields: vec![
                    format!("{name}#{}", i + 1),
                    score.to_string(),
                    hit.strand.map_or('.', Strand::symbol).to_string(),
                    (i + 1).to_string(),
                    bed::number(distance),
                    hit.percentile.map_or_else(String::new, bed::number),
                    gene.as_ref().map_or_else(String::new, |g| g.name.clone()),
                    (gene.as_ref()).map_or_else(String::new, |g| g.distance.to_string()),
                    in_gene.join(","),
                    classes.join(","),
                ],
            });
        }
    }
    let schema = BedSchema {
        table: "similar",
        about: "Places like a query, by the factors of a model (persea similar)",
        n_standard: 6,
        more: HITS,
    };
    bed::write(path, printed.model.axis().assembly(), &schema, rows)
}
