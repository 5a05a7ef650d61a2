//! A model's index, open for searching.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use super::allowed::Allowed;
use super::exact::{RowsRead, Scratch};
use super::filter::Filter;
use super::layout::Layout;
use super::measure::Embedding;
use super::parts::Shape;
use super::query::{Query, fitting_scale, place};
use super::random_pairs::RandomPairs;
use super::tables::Tables;
use super::terms::Product;
use super::track_axes::TrackAxes;
use super::view::{Metric, View};
use super::weights::{Weighting, Weights};
use super::{SearchError, index};
use crate::Bug;
use crate::annotation::{Annotation, BinBits, Class};
use crate::genome::{Gene, GenomeAxis, Interval, Resolution, Strand};
use crate::model::TrainedModel;
use crate::store::Database;

/// How a search is carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchOptions {
    /// How many hits.
    pub k: usize,
    /// No hit within so many bp of the query, or overlapping it; `None` lets the query itself be
    /// found.
    pub exclude: Option<u64>,
    /// At most one hit for each row of this scale.
    pub spread: Option<Resolution>,
    /// The scale whose rows are the hits; for a region that which fits it, otherwise 25 bp, when
    /// not given.
    pub resolution: Option<Resolution>,
    /// Compares a region's bins one by one with those of windows of its length, on both strands,
    /// instead of its mean. No two windows of an answer overlap.
    pub align: bool,
    /// How much resolutions and assays count.
    pub weights: Weights,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions {
            k: 10,
            exclude: Some(50_000),
            spread: Some(Resolution::Kbp5),
            resolution: None,
            align: false,
            weights: Weights::default(),
        }
    }
}

/// A place like the query.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Where it lies.
    pub interval: Interval,
    /// Its axis bins.
    pub bins: Range<u64>,
    /// How far it is from the query: Euclidean (not squared), one minus the cosine, or for an
    /// aligned window the sum of its bins' Euclidean distances.
    pub distance: f64,
    /// How many of 100 random pairs of positions are as near or nearer; where they were asked
    /// ([`Searcher::rank_among_random_pairs`]) and the hit is no aligned window.
    pub percentile: Option<f64>,
    /// For an aligned window: whether it resembles the query as it stands, or reversed.
    pub strand: Option<Strand>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Where the query lies; `None` for a vector.
    pub interval: Option<Interval>,
    /// The axis bins of the query that are covered.
    pub query_bins: Vec<Range<u64>>,
    /// The scale whose rows are the hits.
    pub resolution: Resolution,
    /// Nearest first; equals by coordinate.
    pub hits: Vec<Hit>,
    /// How many rows were read.
    pub read: RowsRead,
    /// Whether these are the nearest for certain.
    pub is_exact: bool,
}

/// A query as the search sees it.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub interval: Option<Interval>,
    pub bins: Vec<Range<u64>>,
    pub embedding: Embedding,
    pub resolution: Resolution,
}

/// A model's index, memory-mapped. It may be shared by threads.
#[derive(Debug)]
pub struct Searcher {
    /// Unlike any other's of this process.
    pub(super) id: u64,
    axis: GenomeAxis,
    pub(super) layout: Layout,
    pub(super) tables: Tables,
    view: View,
    metric: Metric,
    pub(super) arch: pulp::Arch,
    pub(super) squared: Mutex<Vec<Scratch<f32>>>,
    pub(super) cosine: Mutex<Vec<Scratch<Product>>>,
    pub(super) pairs: OnceLock<RandomPairs>,
    /// The axes of the factors, or why there are none.
    pub(super) axes: Result<TrackAxes, String>,
}

impl Searcher {
    /// Opens a model's index for a metric. If it is missing, stale or damaged it is written first,
    /// which is said in the log; where nothing can be written, it is made in memory.
    ///
    /// # Errors
    /// When the model's factors are damaged, another process is writing the index, or the disk is
    /// full.
    pub fn open(database: &Database, model: &TrainedModel, metric: Metric) -> crate::Result<Self> {
        let layout = Layout::new(model.axis());
        let view = View::new(model, metric);
        let shape = Shape::new(database, model, metric);
        let tables = index::open_or_write(database, model, &layout, &view, &shape)?;
        let axes =
            TrackAxes::new(model).map_err(|why| format!("model {}: {why}", model.record().name));
        Ok(Searcher {
            axes,
            ..Self::of_tables(model.axis(), layout, tables, view, metric)
        })
    }

    pub(super) fn of_tables(
        axis: &GenomeAxis,
        layout: Layout,
        tables: Tables,
        view: View,
        metric: Metric,
    ) -> Self {
        static SEARCHERS: AtomicU64 = AtomicU64::new(0);
        Searcher {
            id: SEARCHERS.fetch_add(1, Ordering::Relaxed),
            axis: axis.clone(),
            layout,
            tables,
            view,
            metric,
            arch: crate::instructions::arch(),
            squared: Mutex::default(),
            cosine: Mutex::default(),
            pairs: OnceLock::new(),
            axes: Err("this is an index alone".into()),
        }
    }

    /// The model's axis.
    pub fn axis(&self) -> &GenomeAxis {
        &self.axis
    }

    /// What distances are.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The axes of the factors.
    ///
    /// # Errors
    /// [`SearchError::NoShares`] where they have none.
    pub(super) fn track_axes(&self) -> Result<&TrackAxes, SearchError> {
        let none = |why: &String| SearchError::NoShares { why: why.clone() };
        self.axes.as_ref().map_err(none)
    }

    /// Weights as this searcher applies them; `None` where all count 1.
    ///
    /// # Errors
    /// As [`Weighting::new`].
    pub(super) fn weighting(&self, weights: &Weights) -> Result<Option<Weighting>, SearchError> {
        Weighting::new(weights, self.metric, self.track_axes())
    }

    /// What a query is compared by, at each of [`Resolution::ALL`]; `bins` are those that it covers.
    pub(super) fn embedding_of(
        &self,
        query: &Query,
        bins: &[Range<u64>],
    ) -> Result<[Vec<f32>; 3], SearchError> {
        let embedding = match query {
            Query::Vector(vector) => self.of_vector(vector)?,
            _ => self.mean(bins)?,
        };
        Ok(embedding.parts)
    }

    /// The bins that a filter allows; `None` for one that lets everything through. The default filter leaves
    /// masked bins out.
    ///
    /// # Errors
    /// When a chromosome is unknown, or nothing is allowed.
    pub fn allow(
        &self,
        filter: &Filter,
        annotation: &Annotation,
    ) -> crate::Result<Option<Allowed>> {
        let masks = !filter.allows_masked() && annotation.bins(Class::Masked).n_bins() > 0;
        match filter.is_empty() && !masks {
            true => Ok(None),
            false => {
                let allowed = filter.allowed(&self.axis, &self.layout, annotation)?;
                Ok(Some(allowed.gather(self.id, &self.layout, &self.tables)?))
            }
        }
    }

    /// The bins of a list that may be answered.
    ///
    /// # Errors
    /// When there is none, or one is beyond the axis.
    pub fn allow_bins(&self, bins: &[u64]) -> Result<Allowed, SearchError> {
        if let Some(beyond) = bins.iter().find(|b| **b >= self.axis.n_bins()) {
            return Err(SearchError::query(format!(
                "bin {beyond} is beyond the axis of {} bins",
                self.axis.n_bins()
            )));
        }
        if bins.is_empty() {
            let why = "no bin is given".to_string();
            return Err(SearchError::FilteredOut { why });
        }
        let ranges = bins.iter().map(|b| *b..*b + 1);
        let bins = BinBits::of(self.axis.n_bins(), ranges);
        let allowed = Allowed::of(bins, None, &self.layout);
        allowed.gather(self.id, &self.layout, &self.tables)
    }

    /// The factors of a bin at 25 bp, 250 bp and 5 kbp side by side, as the metric sees them.
    ///
    /// # Errors
    /// When the bin is beyond the axis, or the index damaged.
    pub fn embedding(&self, bin: u64) -> Result<Vec<f32>, SearchError> {
        if bin >= self.axis.n_bins() {
            return Err(SearchError::query(format!(
                "bin {bin} is beyond the axis of {} bins",
                self.axis.n_bins()
            )));
        }
        let mut all = Vec::new();
        for scale in Resolution::ALL {
            self.factors(scale, bin, &mut all)?;
        }
        Ok(all)
    }

    /// Appends a bin's factors at a scale.
    pub(super) fn factors(
        &self,
        scale: Resolution,
        bin: u64,
        out: &mut Vec<f32>,
    ) -> Result<(), SearchError> {
        let row = self.layout.row_of(bin);
        let coarse = &self.layout.rows()[row];
        let middle = |i: &usize| coarse.bins_of_250bp(*i).contains(&bin);
        let i = (0..usize::from(coarse.n_250bp))
            .find(middle)
            .ok_or_else(|| Bug::new(format!("bin {bin} lies in none of its row's 250 bp rows")))?;
        // Rows by themselves lie in a line or two of the cache, those of a group in as many as there are factors.
        let (table, row) = match scale {
            Resolution::Bp25 => {
                let bins = coarse.bins_of_250bp(i);
                let (at, n) = ((bin - bins.start) as usize, bins.end - bins.start);
                let values = self.tables.factors[scale.index()].group(bins)?;
                out.extend(values.chunks_exact(n as usize).map(|column| column[at]));
                return Ok(());
            }
            Resolution::Bp250 => (&self.tables.middle_rows, coarse.first_250bp + i as u64),
            Resolution::Kbp5 => (&self.tables.coarse_rows, row as u64),
        };
        out.extend(table.group(row..row + 1)?);
        Ok(())
    }

    pub(super) fn resolve(
        &self,
        query: &Query,
        options: &SearchOptions,
        genes: &[Gene],
    ) -> crate::Result<Resolved> {
        let interval = place(query, &self.axis, genes)?;
        if let Query::Vector(vector) = query {
            return Ok(Resolved {
                interval: None,
                bins: Vec::new(),
                embedding: self.of_vector(vector)?,
                resolution: options.resolution.unwrap_or(Resolution::Bp25),
            });
        }
        let bins = match &interval {
            Some(interval) => self.axis.bins_within(interval),
            None => Vec::new(),
        };
        let fitting = match (query, &interval) {
            (Query::Region(_) | Query::Gene { .. }, Some(interval)) => fitting_scale(interval),
            _ => Resolution::Bp25,
        };
        Ok(Resolved {
            embedding: self.mean(&bins)?,
            interval,
            bins,
            resolution: options.resolution.unwrap_or(fitting),
        })
    }

    /// A user's vector as the metric sees it.
    fn of_vector(&self, vector: &[f32]) -> Result<Embedding, SearchError> {
        let widths = [0, 1, 2].map(|s| self.tables.factors[s].cols());
        if vector.len() != widths.iter().sum::<usize>() {
            return Err(SearchError::query(format!(
                "the vector has {} numbers where the model's embeddings have {}: {} at 25 bp, {} at 250 bp and {} at 5 kbp, side by side",
                vector.len(),
                widths.iter().sum::<usize>(),
                widths[0],
                widths[1],
                widths[2]
            )));
        }
        if let Some(i) = vector.iter().position(|v| !v.is_finite()) {
            return Err(SearchError::query(format!(
                "number {} of the vector is {}; all must be finite",
                i + 1,
                vector[i]
            )));
        }
        let mut left = vector;
        let parts = Resolution::ALL.map(|scale| {
            let (part, rest) = left.split_at(widths[scale.index()]);
            left = rest;
            let mut part = part.to_vec();
            self.view.apply(scale, &mut part);
            part
        });
        Ok(Embedding { parts })
    }

    /// The mean embedding of some bins.
    pub(super) fn mean(&self, bins: &[Range<u64>]) -> Result<Embedding, SearchError> {
        let n: u64 = bins.iter().map(|r| r.end - r.start).sum();
        let mut parts: [Vec<f32>; 3] = Default::default();
        for scale in Resolution::ALL {
            let part = &mut parts[scale.index()];
            if n == 1 {
                for bin in bins.iter().cloned().flatten() {
                    self.factors(scale, bin, part)?;
                }
                continue;
            }
            let mut sums = vec![0f64; self.tables.factors[scale.index()].cols()];
            let mut row = Vec::new();
            for bin in bins.iter().cloned().flatten() {
                row.clear();
                self.factors(scale, bin, &mut row)?;
                for (sum, x) in sums.iter_mut().zip(&row) {
                    *sum += f64::from(*x);
                }
            }
            part.extend(sums.iter().map(|sum| (sum / n as f64) as f32));
        }
        Ok(Embedding { parts })
    }

    /// The axis bins near a query.
    pub(super) fn excluded(&self, resolved: &Resolved, options: &SearchOptions) -> Vec<Range<u64>> {
        match (&resolved.interval, options.exclude) {
            (Some(interval), Some(bp)) => self.axis.bins_within(&Interval::new(
                &interval.chrom,
                interval.start.saturating_sub(bp),
                interval.end.saturating_add(bp),
            )),
            _ => Vec::new(),
        }
    }

    /// Refuses a number of hits that cannot be.
    pub(super) fn check_k(&self, k: usize, resolution: Resolution) -> Result<(), SearchError> {
        let n = self.axis.n_rows(resolution);
        match (1..=n).contains(&(k as u64)) {
            true => Ok(()),
            false => Err(SearchError::HitCount {
                k,
                most: n,
                of: format!("rows of {resolution}"),
            }),
        }
    }

    /// The axis bins of a scale's row that begins with one.
    pub(super) fn row_bins(&self, first: u64, resolution: Resolution) -> Range<u64> {
        let coarse = &self.layout.rows()[self.layout.row_of(first)];
        match resolution {
            Resolution::Bp25 => first..first + 1,
            Resolution::Bp250 => {
                let rows = (0..usize::from(coarse.n_250bp)).map(|i| coarse.bins_of_250bp(i));
                let mut rows = rows.filter(|r| r.start == first);
                rows.next().unwrap_or(first..first + 1)
            }
            Resolution::Kbp5 => coarse.bins(),
        }
    }

    /// The base pairs of consecutive bins of one region.
    pub(super) fn interval(&self, bins: &Range<u64>) -> Interval {
        let first = self.axis.bin_interval(bins.start);
        let last = self.axis.bin_interval(bins.end.max(bins.start + 1) - 1);
        Interval::new(first.chrom, first.start, last.end)
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn arch(&self) -> pulp::Arch {
        self.arch
    }
}
