//! Similar positions: the query and the filter of a call, its hits as a table, and what makes their distances.

use std::sync::Arc;

use persea::genome::{GenomeAxis, Interval, Resolution, Strand};
use persea::search::{
    Annotation, Answer, Class, Explanation, Filter, Metric, Query, SearchOptions, Weights, explain,
};
use pyo3::prelude::*;

use crate::database::Inner;
use crate::errors::{self, of};
use crate::intervals::{Coordinates, interval, resolution};
use crate::table::{Column, Table};

/// What is asked for, as the package passes it on.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Request {
    /// Regions, compared by their mean embedding, or positions.
    places: Vec<Coordinates>,
    is_position: bool,
    vectors: Vec<Vec<f32>>,
    k: usize,
    metric: String,
    exclude: Option<u64>,
    spread: Option<String>,
    resolution: Option<String>,
    align: bool,
    chromosomes: Vec<String>,
    inside: Option<Vec<Coordinates>>,
    outside: Vec<Coordinates>,
    tss_within: Option<u64>,
    classes: Vec<String>,
    not_classes: Vec<String>,
    include_masked: bool,
    /// Lists of which a hit must touch one interval each.
    labelled: Vec<Vec<Coordinates>>,
    weights: Vec<(String, f64)>,
    /// Whether what makes the distances is asked for.
    explain: bool,
}

/// Reads a metric's name.
fn metric(name: &str) -> PyResult<Metric> {
    Metric::from_name(name).ok_or_else(|| {
        errors::value(format!(
            "`{name}` is no metric; it is euclidean, network or cosine"
        ))
    })
}

fn classes(names: &[String]) -> PyResult<Vec<Class>> {
    let class = |name: &String| {
        Class::from_name(name).ok_or_else(|| {
            errors::value(format!(
                "`{name}` is no class of places; it is promoter, gene, enhancer, intergenic or masked"
            ))
        })
    };
    names.iter().map(class).collect()
}

fn intervals(axis: &GenomeAxis, places: &[Coordinates]) -> PyResult<Vec<Interval>> {
    places.iter().map(|place| interval(axis, place)).collect()
}

impl Request {
    /// The queries, in order.
    fn queries(&self, axis: &GenomeAxis) -> PyResult<Vec<Query>> {
        let mut queries = Vec::new();
        for place in intervals(axis, &self.places)? {
            queries.push(match self.is_position {
                true => Query::position(&place.chrom, place.start + place.len() / 2),
                false => Query::region(place),
            });
        }
        queries.extend(self.vectors.iter().map(|v| Query::vector(v.clone())));
        Ok(queries)
    }

    /// The search's options.
    fn options(&self) -> PyResult<SearchOptions> {
        let named = |name: &Option<String>| name.as_deref().map(resolution).transpose();
        Ok(SearchOptions {
            k: self.k,
            exclude: self.exclude,
            spread: named(&self.spread)?,
            resolution: named(&self.resolution)?,
            align: self.align,
            weights: Weights::new(&self.weights).map_err(errors::of)?,
        })
    }

    /// The part of the genome that is searched.
    fn filter(&self, axis: &GenomeAxis) -> PyResult<Filter> {
        let inside = self.inside.as_deref();
        Ok(Filter {
            chromosomes: self.chromosomes.clone(),
            inside: inside.map(|places| intervals(axis, places)).transpose()?,
            outside: intervals(axis, &self.outside)?,
            labelled: (self.labelled.iter())
                .map(|places| intervals(axis, places))
                .collect::<PyResult<_>>()?,
            tss_within: self.tss_within,
            classes: classes(&self.classes)?,
            not_classes: classes(&self.not_classes)?,
            include_masked: self.include_masked,
        })
    }
}

/// What a search found, and what its hits are explained with.
pub struct Found {
    queries: Vec<Query>,
    answers: Vec<Answer>,
    searcher: Arc<persea::search::Searcher>,
    annotation: Arc<Annotation>,
    weights: Weights,
}

impl Found {
    pub fn of(inner: &Inner, request: &Request, model: Option<&str>) -> PyResult<Self> {
        let open = inner.model(model)?;
        let searcher = inner.searcher(&open, metric(&request.metric)?)?;
        let annotation = inner.annotation(&open)?;
        let axis = searcher.axis();
        let queries = request.queries(axis)?;
        let allowed = (searcher.allow(&request.filter(axis)?, &annotation)).map_err(of)?;
        let options = request.options()?;
        let mut answers = searcher
            .search_all(&queries, &options, allowed.as_ref(), annotation.genes())
            .map_err(of)?;
        let (database, weights) = (&inner.database, options.weights);
        searcher
            .rank_among_random_pairs(database, &open.model, &weights, &mut answers)
            .map_err(of)?;
        Ok(Found {
            queries,
            answers,
            searcher,
            annotation,
            weights,
        })
    }

    /// For each query what makes the distance of each of its hits.
    pub fn explained(&self, inner: &Inner) -> PyResult<Vec<Vec<Option<Explanation>>>> {
        let asked = self.queries.iter().zip(&self.answers);
        asked
            .map(|(query, answer)| {
                explain(
                    &inner.database,
                    &self.searcher,
                    query,
                    answer,
                    &self.weights,
                )
                .map_err(of)
            })
            .collect()
    }
}

/// Searches for places like some.
pub fn similar(inner: &Inner, request: &Request, model: Option<&str>) -> PyResult<Table> {
    let found = Found::of(inner, request, model)?;
    let explained = match request.explain {
        true => Some(found.explained(inner)?),
        false => None,
    };
    table(&found.answers, &found.annotation, explained.as_deref())
}

/// The hits of all queries, one row each.
fn table(
    answers: &[Answer],
    annotation: &Annotation,
    explained: Option<&[Vec<Option<Explanation>>]>,
) -> PyResult<Table> {
    let hits = || {
        let numbered = answers.iter().enumerate();
        numbered.flat_map(|(q, a)| a.hits.iter().enumerate().map(move |(i, hit)| (q, i, hit)))
    };
    let genes: Vec<_> = hits()
        .map(|(_, _, hit)| annotation.nearest_gene(&hit.interval))
        .collect();
    let of_gene = |text: fn(&persea::search::NearestGene) -> String| {
        Column::Texts(genes.iter().map(|g| g.as_ref().map(text)).collect())
    };
    let names = |bins| {
        let classes = annotation.classes(bins);
        classes
            .iter()
            .map(|c| c.name())
            .collect::<Vec<_>>()
            .join(",")
    };
    let in_gene = |interval: &Interval| {
        let genes = annotation.genes_at(interval);
        let names = genes.iter().map(|g| g.name.as_str());
        names.collect::<Vec<_>>().join(",")
    };
    let mut columns = vec![
        ("query", Column::counts(hits().map(|(q, _, _)| q as u64))),
        ("rank", Column::counts(hits().map(|(_, i, _)| i as u64 + 1))),
        (
            "chrom",
            Column::texts(hits().map(|(_, _, h)| h.interval.chrom.as_str())),
        ),
        (
            "start",
            Column::counts(hits().map(|(_, _, h)| h.interval.start)),
        ),
        (
            "end",
            Column::counts(hits().map(|(_, _, h)| h.interval.end)),
        ),
        (
            "distance",
            Column::Numbers(hits().map(|(_, _, h)| Some(h.distance)).collect()),
        ),
        (
            "percentile",
            Column::Numbers(hits().map(|(_, _, h)| h.percentile).collect()),
        ),
        (
            "strand",
            Column::Texts(
                hits()
                    .map(|(_, _, h)| h.strand.map(|s: Strand| s.symbol().to_string()))
                    .collect(),
            ),
        ),
        ("nearest_tss", of_gene(|g| g.name.clone())),
        ("nearest_tss_id", of_gene(|g| g.id.clone())),
        (
            "tss_distance",
            Column::MaybeIntegers(
                genes
                    .iter()
                    .map(|g| g.as_ref().map(|g| g.distance))
                    .collect(),
            ),
        ),
        (
            "in_gene",
            Column::texts(hits().map(|(_, _, h)| in_gene(&h.interval))),
        ),
        (
            "annotation",
            Column::texts(hits().map(|(_, _, h)| names(&h.bins))),
        ),
    ];
    if let Some(explained) = explained {
        let all = || explained.iter().flatten();
        for resolution in Resolution::ALL {
            let share =
                |e: &Option<Explanation>| e.as_ref().map(|e| e.resolutions[resolution.index()]);
            columns.push((
                share_column(resolution),
                Column::Numbers(all().map(share).collect()),
            ));
        }
        let words: Vec<Option<[String; 4]>> =
            all().map(|e| e.as_ref().map(Explanation::words)).collect();
        for (i, name) in Explanation::COLUMNS.into_iter().enumerate() {
            let text = |words: &Option<[String; 4]>| words.as_ref().map(|all| all[i].clone());
            columns.push((name, Column::Texts(words.iter().map(text).collect())));
        }
    }
    Table::new(columns)
}

const fn share_column(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Kbp5 => "share_5kbp",
        Resolution::Bp250 => "share_250bp",
        Resolution::Bp25 => "share_25bp",
    }
}
