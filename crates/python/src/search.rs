//! Similar positions: the query and the filter of a call, and its hits as a table.

use persea::genome::{GenomeAxis, Interval, Strand};
use persea::search::{Annotation, Answer, Class, Filter, Metric, Query, SearchOptions, Weights};
use pyo3::prelude::*;

use crate::errors;
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
    pub metric: String,
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
    weights: Vec<(String, f64)>,
}

/// Reads a metric's name.
pub fn metric(name: &str) -> PyResult<Metric> {
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
    pub fn queries(&self, axis: &GenomeAxis) -> PyResult<Vec<Query>> {
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
    pub fn options(&self) -> PyResult<SearchOptions> {
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
    pub fn filter(&self, axis: &GenomeAxis) -> PyResult<Filter> {
        let inside = self.inside.as_deref();
        Ok(Filter {
            chromosomes: self.chromosomes.clone(),
            inside: inside.map(|places| intervals(axis, places)).transpose()?,
            outside: intervals(axis, &self.outside)?,
            labelled: Vec::new(),
            tss_within: self.tss_within,
            classes: classes(&self.classes)?,
            not_classes: classes(&self.not_classes)?,
            include_masked: self.include_masked,
        })
    }
}

/// The hits of all queries, one row each.
pub fn table(answers: &[Answer], annotation: &Annotation) -> PyResult<Table> {
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
    Table::new(vec![
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
    ])
}
