//! `persea similar position`, `region`, `gene` and `vector`.

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, bail};
use persea::files::{open_regular, read_text};
use persea::formats::read_matrix;
use persea::genome::{GenomeAxis, Interval, read_bed};
use persea::model::TrainedModel;
use persea::plot::{HeatMap, HeatMapRow, shared_unit};
use persea::search::{
    Annotation, Answer, Filter, GroupComparison, Query, SearchOptions, Weights, around,
    signal_over, similar,
};
use persea::store::{Database, Track};

use super::super::figure::check_ending;
use super::super::names::Known;
use super::super::output::grouped;
use super::super::{Common, Misuse};
use super::print::{Printed, print, write_bed};
use super::{Action, GenomeSearch};

/// Bins on either side of the middle of a hit in a figure: 2 kb in total.
const FIGURE_REACH: u64 = 40;

pub fn run(action: Action, common: &Common) -> anyhow::Result<()> {
    let database = common.open()?;
    let axis = database.axis();
    let (queries, align, search, is_batch) = match action {
        Action::Position {
            position,
            batch,
            search,
        } => {
            let is_batch = batch.is_some();
            let queries = match (position, batch) {
                (Some(position), _) => vec![position_query(&position)?],
                (None, Some(bed)) => (bed_queries(&bed, axis)?.into_iter())
                    .map(|i| Query::position(&i.chrom, i.start + i.len() / 2))
                    .collect(),
                (None, None) => Vec::new(),
            };
            (queries, false, search, is_batch)
        }
        Action::Region {
            region,
            batch,
            align,
            search,
        } => {
            let is_batch = batch.is_some();
            let queries = match (region, batch) {
                (Some(region), _) => vec![Query::region(browser(&region)?)],
                (None, Some(bed)) => {
                    let intervals = bed_queries(&bed, axis)?;
                    intervals.into_iter().map(Query::region).collect()
                }
                (None, None) => Vec::new(),
            };
            (queries, align, search, is_batch)
        }
        Action::Gene {
            gene,
            part,
            align,
            search,
        } => (vec![Query::Gene { name: gene, part }], align, search, false),
        Action::Vector { file, search } => (
            vec![Query::vector(read_vector(&file)?)],
            false,
            search,
            false,
        ),
        Action::Biosample { .. } | Action::Assay { .. } => return Ok(()),
    };
    if let Some(path) = &search.plot {
        check_ending(path)?;
    }
    let model = TrainedModel::open_embedding(&database, search.model.as_deref())?;
    let annotation = Annotation::read(&database, model.axis())?;
    let options = SearchOptions {
        k: search.k,
        exclude: search.exclude.0,
        spread: search.spread.into(),
        resolution: search.resolution,
        align,
        weights: weights(&search.weights)?,
    };
    let tracks = match (&search.signal, &search.plot) {
        (Some(list), _) if !list.is_empty() => named_tracks(&database, list)?,
        (Some(_), _) | (None, Some(_)) => database.tracks()?,
        (None, None) => Vec::new(),
    };
    let mut similar = similar(&database)
        .metric(search.metric)
        .options(options.clone())
        .filter(filter(&search, axis)?);
    if search.approximate {
        similar = similar.approximate(search.ef);
    }
    let n_compared = match &search.higher_in {
        Some(group) => {
            let group = GroupComparison::new(&database, group)?;
            let n = group.n_tracks();
            similar = similar.higher_in(group);
            Some(n)
        }
        None => None,
    };
    let answers = similar.run_on(&model, &annotation, &queries)?;
    if let (Some(group), Some(n)) = (&search.higher_in, n_compared) {
        eprintln!(
            "of the {} nearest, hits at which signal is higher in biosamples with {group} than in the others ({n} tracks are compared)",
            GroupComparison::searched(search.k)
        );
    } else if answers.iter().any(|a| a.hits.len() < search.k) {
        eprintln!(
            "fewer than {} hits: the filter, the mask, --exclude and --spread allow no more",
            search.k
        );
    }
    let explanations = match search.explain {
        true => {
            let asked: Vec<_> = queries.iter().zip(&answers).collect();
            Some(database.explain_similar(&model, search.metric, &options.weights, &asked)?)
        }
        false => None,
    };
    let shown: &[Track] = if search.signal.is_some() {
        &tracks
    } else {
        &[]
    };
    let printed = Printed {
        database: &database,
        model: &model,
        annotation: &annotation,
        metric: search.metric,
        options: &options,
        tracks: shown,
        queries: &queries,
        answers: &answers,
        explanations: explanations.as_deref(),
        is_batch,
    };
    if let Some(path) = &search.bed {
        write_bed(&printed, path)?;
    }
    if let (Some(path), [answer]) = (&search.plot, answers.as_slice()) {
        let map = heat_map(&database, model.axis(), &tracks, answer)?;
        let figure = &search.figure;
        figure.write(&map.svg(figure.theme()), path)?;
    }
    print(&printed, common.format)
}

fn browser(text: &str) -> anyhow::Result<Interval> {
    Interval::parse_browser(text).map_err(|e| Misuse(e.to_string()).into())
}

/// `chr1:151,200,000`; for a region its middle.
fn position_query(text: &str) -> anyhow::Result<Query> {
    let interval = browser(text)?;
    if interval.end == u64::MAX {
        return Err(Misuse(format!(
            "`{text}` is not a position; write it as chr1:151,200,000"
        ))
        .into());
    }
    let middle = interval.start + interval.len() / 2;
    Ok(Query::position(
        &interval.chrom,
        middle.min(interval.end - 1),
    ))
}

fn bed_queries(path: &Path, axis: &GenomeAxis) -> anyhow::Result<Vec<Interval>> {
    let lines = read_bed(path, axis.assembly())?;
    if lines.is_empty() {
        bail!("{} contains no query", path.display());
    }
    Ok(lines.into_iter().map(|(interval, _)| interval).collect())
}

/// The intervals of a BED file with one of some labels in column 4: `chromhmm.bed=Enh,EnhG`.
fn labelled(word: &str, axis: &GenomeAxis) -> anyhow::Result<Vec<Interval>> {
    let Some((path, labels)) = word.rsplit_once('=') else {
        return Err(Misuse(format!(
            "`{word}` names no label; write it as FILE=LABEL, such as chromhmm.bed=Enh,EnhG"
        ))
        .into());
    };
    let wanted: Vec<&str> = labels.split(',').map(str::trim).collect();
    let lines = read_bed(Path::new(path), axis.assembly())?;
    let mut known: Vec<&str> = (lines.iter())
        .filter_map(|(_, rest)| rest.first())
        .map(String::as_str)
        .collect();
    known.sort_unstable();
    known.dedup();
    if let Some(unknown) = wanted.iter().find(|label| !known.contains(label)) {
        let shown = known
            .iter()
            .take(20)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        return Err(Misuse(match known.is_empty() {
            true => format!("{path} has no labels: its lines have no column 4"),
            false => format!(
                "{path} has no interval with the label `{unknown}`; its {} labels: {shown}",
                known.len()
            ),
        })
        .into());
    }
    let is_wanted = |rest: &[String]| rest.first().is_some_and(|l| wanted.contains(&l.as_str()));
    Ok((lines.iter())
        .filter(|(_, rest)| is_wanted(rest))
        .map(|(interval, _)| interval.clone())
        .collect())
}

fn filter(search: &GenomeSearch, axis: &GenomeAxis) -> anyhow::Result<Filter> {
    let bed = |path: &Path| -> anyhow::Result<Vec<Interval>> {
        let lines = read_bed(path, axis.assembly())?;
        Ok(lines.into_iter().map(|(interval, _)| interval).collect())
    };
    let label = |words: &[String]| -> anyhow::Result<Vec<Vec<Interval>>> {
        words.iter().map(|word| labelled(word, axis)).collect()
    };
    let mut outside = (search.outside.as_deref().map(bed).transpose()?).unwrap_or_default();
    outside.extend(label(&search.not_label)?.into_iter().flatten());
    Ok(Filter {
        chromosomes: search.chromosomes.clone(),
        inside: search.inside.as_deref().map(bed).transpose()?,
        outside,
        labelled: label(&search.label)?,
        tss_within: search.tss_within,
        classes: search.class.clone(),
        not_classes: search.not_class.clone(),
        include_masked: search.include_masked,
    })
}

/// `5kbp=2`, `H3K27ac=0`.
fn weights(words: &[String]) -> anyhow::Result<Weights> {
    let pairs = Weights::pairs(words).map_err(|e| Misuse(e.to_string()))?;
    Ok(Weights::new(&pairs)?)
}

fn named_tracks(database: &Database, list: &str) -> anyhow::Result<Vec<Track>> {
    let mut tracks = Vec::new();
    for (biosample, assay) in Known::of(database)?.pairs(&[list.to_string()])? {
        let track = database.track(&biosample, &assay)?;
        tracks.push(track.with_context(|| {
            format!("the database has no track {biosample}:{assay}; `persea track list` shows all")
        })?);
    }
    Ok(tracks)
}

/// The most factors that a model may have, by far.
const LONGEST_VECTOR: usize = 1 << 20;

/// Numbers from a `.npy` file, or from text with any separators.
fn read_vector(path: &Path) -> anyhow::Result<Vec<f32>> {
    let mut head = [0; 6];
    // A file that is shorter is text.
    let is_npy = open_regular(path)?.read_exact(&mut head).is_ok() && head == *b"\x93NUMPY";
    if is_npy {
        let matrix = read_matrix(path, &|n_rows, n_columns| match n_rows.min(n_columns) == 1
            && n_rows.max(n_columns) <= LONGEST_VECTOR
        {
            true => Ok(()),
            false => Err(format!(
                "has {n_rows} rows and {n_columns} columns; expected one vector"
            )),
        })?;
        return Ok(matrix.values.iter().map(|v| *v as f32).collect());
    }
    let text = read_text(path)?;
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    words
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse()
                .with_context(|| format!("{}: `{word}` is not a number", path.display()))
        })
        .collect()
}

/// The signal around query and hits.
fn heat_map(
    database: &Database,
    axis: &GenomeAxis,
    tracks: &[Track],
    answer: &Answer,
) -> anyhow::Result<HeatMap> {
    if tracks.is_empty() {
        bail!("no track has signal to plot");
    }
    // Tracks of one assay side by side: they share their colours.
    let mut tracks: Vec<&Track> = tracks.iter().collect();
    tracks.sort_by_key(|t| (&t.assay, &t.biosample));
    let mut rows: Vec<(String, Range<u64>)> = Vec::new();
    if let (Some(interval), Some(first), Some(last)) = (
        &answer.interval,
        answer.query_bins.first(),
        answer.query_bins.last(),
    ) {
        let bins = first.start..last.end.max(first.end);
        rows.push((format!("query {interval}"), bins));
    }
    let n_queries = rows.len();
    for (i, hit) in answer.hits.iter().enumerate() {
        let label = format!("{}  {}  {:.3}", i + 1, hit.interval, hit.distance);
        rows.push((label, hit.bins.clone()));
    }
    let stretches: Vec<Range<u64>> = rows
        .iter()
        .map(|(_, bins)| around(axis, bins, FIGURE_REACH))
        .collect();
    let mut signal: Vec<Vec<Vec<f32>>> = vec![Vec::new(); rows.len()];
    for track in &tracks {
        let values = signal_over(database, axis, track, &stretches)?;
        for (row, values) in signal.iter_mut().zip(values) {
            row.push(values);
        }
    }
    let width = 2 * FIGURE_REACH as usize + 1;
    let assays: Vec<String> = tracks.iter().map(|t| t.assay.clone()).collect();
    Ok(HeatMap {
        title: format!(
            "Stored signal, {} bp around the query and its {} nearest",
            grouped(width as u64 * 25),
            answer.hits.len()
        ),
        columns: (tracks.iter())
            .map(|t| [t.biosample.clone(), t.assay.clone()])
            .collect(),
        n_values: width,
        centre: Some(FIGURE_REACH as usize),
        unit: shared_unit(database, &assays)?.0,
        rows: (rows.into_iter().zip(signal))
            .zip(&stretches)
            .enumerate()
            .map(|(i, (((label, bins), values), stretch))| HeatMapRow {
                label,
                // Where a region ends before the stretch does.
                first: (FIGURE_REACH - (bins.start + (bins.end - bins.start) / 2 - stretch.start))
                    as usize,
                values,
                is_query: i < n_queries,
            })
            .collect(),
    })
}
