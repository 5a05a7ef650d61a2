//! Searches that ask a graph: pooled rows, biosamples and assays.

use super::allowed::{Allowed, SearchScope};
use super::graph::{self, Graph, GraphOptions, GraphReport, GraphVectors, Vectors};
use super::measure::Embedding;
use super::query::Query;
use super::samples::{SampleAxis, SampleHit, SampleSum, check_k};
use super::searcher::{Answer, Hit, Resolved, SearchOptions, Searcher};
use super::view::Metric;
use super::weights::Weighting;
use super::{RowsRead, SearchError};
use crate::annotation::Annotation;
use crate::genome::Resolution;
use crate::model::TrainedModel;
use crate::store::Database;

/// Builds a graph of a model's vectors, audits it and stores it in `index/`, in place of an older
/// one.
///
/// ```
/// use persea::genome::Resolution;
/// use persea::model::TrainedModel;
/// use persea::search::{GraphOptions, GraphVectors, Query, build_graph};
///
/// # let (_folder, database) = persea::search::example_database()?;
/// let model = TrainedModel::open(&database, None)?;
/// build_graph(&database, &model, GraphVectors::Bp250, &GraphOptions::default())?;
/// let query = Query::position("chr1", 40_000);
/// let search = database.similar(query).resolution(Resolution::Bp250).approximate(64);
/// assert_eq!(search.k(3).run()?.hits.len(), 3);
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When an option or a number is unfit, the database can only be read, another process is writing
/// the model's index, or the disk is full.
pub fn build_graph(
    database: &Database,
    model: &TrainedModel,
    of: GraphVectors,
    options: &GraphOptions,
) -> crate::Result<GraphReport> {
    let vectors = match of {
        GraphVectors::Bp250 | GraphVectors::Kbp5 => {
            let searcher = Searcher::open(database, model, Metric::Euclidean)?;
            searcher.pooled(scale_of(of))?
        }
        GraphVectors::Biosamples => matrix(&model.network().biosamples),
        GraphVectors::Assays => matrix(&model.network().assays),
    };
    let _lock = database.lock_index(&model.record().name)?;
    graph::build(database, model.stored(), of, &vectors, options)
}

fn scale_of(of: GraphVectors) -> Resolution {
    match of {
        GraphVectors::Bp250 => Resolution::Bp250,
        _ => Resolution::Kbp5,
    }
}

fn matrix(factors: &ndarray::Array2<f32>) -> Vectors {
    Vectors {
        numbers: factors.iter().copied().collect(),
        cols: factors.ncols(),
    }
}

/// Works with a graph; one that is missing, stale or damaged is built first, which is said.
fn with_graph<T>(
    database: &Database,
    model: &TrainedModel,
    of: GraphVectors,
    mut work: impl FnMut(&Graph<'_>) -> crate::Result<T>,
) -> crate::Result<T> {
    match graph::with_loaded(database, model.stored(), of, &mut work) {
        Err(crate::Error::Search(e)) if e.is_rebuildable() => {
            if graph::exists(database, model.stored(), of) {
                tracing::warn!("the graph of {} is built anew: {e}", of.name());
            } else {
                tracing::warn!("there is no graph of {} yet: building it", of.name());
            }
            let options = GraphOptions::default();
            let report = build_graph(database, model, of, &options)?;
            tracing::info!("{report:?}");
            graph::with_loaded(database, model.stored(), of, &mut work)
        }
        other => other,
    }
}

impl Searcher {
    /// The mean embedding of every row of a coarse scale.
    fn pooled(&self, scale: Resolution) -> Result<Vectors, SearchError> {
        let cols = (0..3).map(|s| self.tables.factors[s].cols()).sum();
        let mut numbers = Vec::new();
        for coarse in self.layout().rows() {
            let firsts: Vec<u64> = match scale {
                Resolution::Kbp5 => vec![coarse.first_bin],
                _ => (0..usize::from(coarse.n_250bp))
                    .map(|i| coarse.bins_of_250bp(i).start)
                    .collect(),
            };
            for first in firsts {
                self.pooled_row(scale, first, &mut numbers)?;
            }
        }
        Ok(Vectors { numbers, cols })
    }

    /// Appends the mean embedding of the row that holds a bin.
    pub(super) fn row_embedding(
        &self,
        scale: Resolution,
        bin: u64,
        out: &mut Vec<f32>,
    ) -> Result<(), SearchError> {
        if scale == Resolution::Bp25 {
            for scale in Resolution::ALL {
                self.factors(scale, bin, out)?;
            }
            return Ok(());
        }
        let coarse = &self.layout().rows()[self.layout().row_of(bin)];
        let mut rows = (0..usize::from(coarse.n_250bp)).map(|i| coarse.bins_of_250bp(i));
        let own = rows.find(|bins| scale == Resolution::Bp250 && bins.contains(&bin));
        let first = own.map_or(coarse.first_bin, |bins| bins.start);
        self.pooled_row(scale, first, out)
    }

    /// The distance between two embeddings by the searcher's metric.
    pub(super) fn between(
        &self,
        query: &[f32],
        place: &[f32],
        weighting: Option<&Weighting>,
    ) -> f64 {
        let mut left = query;
        let parts = [0, 1, 2].map(|s| {
            let (part, rest) = left.split_at(self.tables.factors[s].cols());
            left = rest;
            part.to_vec()
        });
        if let Some(weighting) = weighting {
            return weighting.between(self.arch(), &Embedding { parts }, place);
        }
        match self.metric() {
            Metric::Euclidean | Metric::Network => f64::from(in_order(&parts, place)).sqrt(),
            Metric::Cosine => {
                let sum = |of: &dyn Fn((&f32, &f32)) -> f64| -> f64 {
                    query.iter().zip(place).map(of).sum()
                };
                let norms =
                    sum(&|(q, _)| f64::from(*q).powi(2)) * sum(&|(_, x)| f64::from(*x).powi(2));
                match norms > 0.0 {
                    true => {
                        let dot = sum(&|(q, x)| f64::from(*q) * f64::from(*x));
                        (1.0 - dot / norms.sqrt()).max(0.0)
                    }
                    // Of no direction: as if at a right angle.
                    false => 1.0,
                }
            }
        }
    }

    /// Appends the mean embedding of the row that begins with a bin.
    fn pooled_row(
        &self,
        scale: Resolution,
        first: u64,
        out: &mut Vec<f32>,
    ) -> Result<(), SearchError> {
        let row = self.layout().row_of(first);
        let coarse = &self.layout().rows()[row];
        let column = |flat: &super::flat::Flat, rows: std::ops::Range<u64>, at: usize| {
            let n = (rows.end - rows.start) as usize;
            let values = flat.group(rows)?;
            Ok::<Vec<f32>, SearchError>(values.chunks_exact(n).map(|c| c[at]).collect())
        };
        if scale == Resolution::Kbp5 {
            let lanes = super::terms::LANES;
            let start = row / lanes * lanes;
            let end = (start + lanes).min(self.layout().n_rows());
            let rows = start as u64..end as u64;
            out.extend(column(
                &self.tables.fine_over_coarse,
                rows.clone(),
                row - start,
            )?);
            out.extend(column(&self.tables.middle_over_coarse, rows, row - start)?);
        } else {
            let starts = (0..usize::from(coarse.n_250bp)).map(|i| coarse.bins_of_250bp(i).start);
            let at = starts.take_while(|s| *s < first).count();
            out.extend(column(
                &self.tables.fine_over_middle,
                coarse.rows_250bp(),
                at,
            )?);
            self.factors(Resolution::Bp250, first, out)?;
        }
        self.factors(Resolution::Kbp5, first, out)
    }

    /// The axis bin that a row of a coarse scale begins with.
    fn first_bin_of(&self, scale: Resolution, row: u64) -> Option<u64> {
        let rows = self.layout().rows();
        match scale {
            Resolution::Kbp5 => rows.get(row as usize).map(|c| c.first_bin),
            _ => {
                let after = rows.partition_point(|c| c.first_250bp <= row);
                let coarse = rows.get(after.checked_sub(1)?)?;
                Some(
                    coarse
                        .bins_of_250bp((row - coarse.first_250bp) as usize)
                        .start,
                )
            }
        }
    }
}

/// Searches pooled rows by a graph: fast where there are millions, and now and then one of the
/// nearest is missed ([`Answer::is_exact`] says so). Distances are exact. `ef` is how many
/// candidates the graph keeps: more find more.
///
/// # Errors
/// As [`Searcher::search`]; also when hits would be single bins, or the metric is not Euclidean.
#[allow(clippy::too_many_arguments)]
pub fn search_approximately(
    database: &Database,
    model: &TrainedModel,
    searcher: &Searcher,
    queries: &[Query],
    options: &SearchOptions,
    ef: usize,
    allowed: Option<&Allowed>,
    annotation: &Annotation,
) -> crate::Result<Vec<Answer>> {
    if searcher.metric() != Metric::Euclidean || options.align || !options.weights.is_empty() {
        return Err(SearchError::query(
            "graphs are of Euclidean distances between means: with another metric, with weights or with option \
             `align` search exactly",
        )
        .into());
    }
    let mut resolved = Vec::new();
    for query in queries {
        let one = searcher.resolve(query, options, annotation.genes())?;
        if one.resolution == Resolution::Bp25 {
            return Err(SearchError::query(
                "graphs are of 250 bp and 5 kbp rows; single bins are searched exactly (or give \
                 the resolution 250bp)",
            )
            .into());
        }
        searcher.check_k(options.k, one.resolution)?;
        resolved.push(one);
    }
    // A graph is loaded once for all that ask it.
    let mut answers: Vec<Option<Answer>> = resolved.iter().map(|_| None).collect();
    for of in [GraphVectors::Bp250, GraphVectors::Kbp5] {
        let asking = |one: &Resolved| one.resolution == scale_of(of);
        if !resolved.iter().any(asking) {
            continue;
        }
        with_graph(database, model, of, |graph| {
            for (one, answer) in resolved.iter().zip(&mut answers) {
                if asking(one) {
                    *answer = Some(ask(graph, searcher, one, options, ef, allowed)?);
                }
            }
            Ok(())
        })?;
    }
    Ok(answers.into_iter().flatten().collect())
}

fn ask(
    graph: &Graph<'_>,
    searcher: &Searcher,
    one: &Resolved,
    options: &SearchOptions,
    ef: usize,
    allowed: Option<&Allowed>,
) -> Result<Answer, SearchError> {
    let scale = one.resolution;
    let excluded = searcher.excluded(one, options);
    let scope = SearchScope {
        allowed,
        excluded: &excluded,
    };
    let [fine, middle, coarse] = &one.embedding.parts;
    let query: Vec<f32> = [fine.as_slice(), middle, coarse].concat();
    let spread = options.spread.filter(|s| *s > scale);
    // More than are wanted: of hits that share a 5 kbp row the nearest counts.
    let wanted = options.k;
    let mut found: Vec<(f32, u64, u64)> = Vec::new();
    let mut failed = None;
    let mut rows = std::collections::HashSet::new();
    graph.neighbours(&query, wanted, ef, |set| {
        for row in set {
            let Some(first) = searcher.first_bin_of(scale, u64::from(*row)) else {
                continue;
            };
            if !scope.row(searcher.row_bins(first, scale)) {
                continue;
            }
            let place = searcher.layout().row_of(first);
            if spread.is_some() && !rows.insert(place) {
                continue;
            }
            let mut vector = Vec::new();
            if let Err(e) = searcher.pooled_row(scale, first, &mut vector) {
                failed = Some(e);
                return true;
            }
            let distance = in_order(&one.embedding.parts, &vector);
            let order = searcher.layout().rows()[place].order(first);
            found.push((distance, order, first));
        }
        found.len() >= wanted
    });
    if let Some(e) = failed {
        return Err(e);
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    found.truncate(options.k);
    let hit = |(distance, _, first): &(f32, u64, u64)| {
        let bins = searcher.row_bins(*first, scale);
        Hit {
            interval: searcher.interval(&bins),
            bins,
            distance: f64::from(*distance).sqrt(),
            percentile: None,
            strand: None,
        }
    };
    Ok(Answer {
        interval: one.interval.clone(),
        query_bins: one.bins.clone(),
        resolution: scale,
        hits: found.iter().map(hit).collect(),
        read: RowsRead::default(),
        is_exact: false,
    })
}

/// The squared distance in the order of the exact search: coarse, middle, fine.
fn in_order(query: &[Vec<f32>; 3], vector: &[f32]) -> f32 {
    let mut left = vector;
    let parts = [0, 1, 2].map(|s| {
        let (part, rest) = left.split_at(query[s].len());
        left = rest;
        let mut sum = 0f32;
        for (q, x) in query[s].iter().zip(part) {
            sum += (q - x) * (q - x);
        }
        sum
    });
    (parts[2] + parts[1]) + parts[0]
}

/// As [`similar_samples`](super::similar_samples) of factors, Euclidean, by a graph: for models of
/// very many biosamples or assays.
///
/// # Errors
/// When k is 0 or more than there are, or the graph cannot be built.
pub fn similar_samples_approximately(
    database: &Database,
    model: &TrainedModel,
    sum: &SampleSum,
    k: usize,
    ef: usize,
    with_query: bool,
) -> crate::Result<Vec<SampleHit>> {
    let names = sum.axis.names(model);
    check_k(k, names, sum.axis)?;
    let (of, factors) = match sum.axis {
        SampleAxis::Biosamples => (GraphVectors::Biosamples, &model.network().biosamples),
        SampleAxis::Assays => (GraphVectors::Assays, &model.network().assays),
    };
    let query: Vec<f64> = (factors.columns().into_iter())
        .map(|column| sum.of(|place| column[place]))
        .collect();
    let asked: Vec<f32> = query.iter().map(|x| *x as f32).collect();
    let mut hits = with_graph(database, model, of, |graph| {
        let mut hits = Vec::new();
        graph.neighbours(&asked, k, ef, |set| {
            for place in set.iter().map(|p| *p as usize) {
                if place >= names.len() || (!with_query && sum.names(place)) {
                    continue;
                }
                let row = factors.row(place);
                let pairs = || query.iter().zip(row.iter().map(|x| f64::from(*x)));
                let sum = |f: &dyn Fn(f64, f64) -> f64| pairs().map(|(q, x)| f(*q, x)).sum::<f64>();
                let length = (sum(&|q, _| q * q) * sum(&|_, x| x * x)).sqrt();
                hits.push(SampleHit {
                    name: names[place].clone(),
                    distance: sum(&|q, x| (q - x) * (q - x)).sqrt(),
                    cosine: (length > 0.0).then(|| (1.0 - sum(&|q, x| q * x) / length).max(0.0)),
                });
            }
            hits.len() >= k
        });
        Ok(hits)
    })?;
    hits.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    hits.truncate(k);
    Ok(hits)
}
