//! One question to an open index, or many side by side.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::allowed::{Allowed, SearchScope};
use super::best::Found;
use super::exact::{RowsRead, Scratch, Task, Walk};
use super::measure::{Cosine, Embedding, Squared};
use super::query::Query;
use super::searcher::{Answer, Hit, Resolved, SearchOptions, Searcher};
use super::view::Metric;
use super::weights::{Weighted, Weighting};
use super::{SearchError, align};
use crate::genome::{Gene, Resolution};

impl Searcher {
    /// Searches.
    ///
    /// # Errors
    /// When the query cannot be answered (see [`SearchError::Query`]) or the index is damaged.
    pub fn search(
        &self,
        query: &Query,
        options: &SearchOptions,
        allowed: Option<&Allowed>,
        genes: &[Gene],
    ) -> crate::Result<Answer> {
        let resolved = self.resolve(query, options, genes)?;
        self.answer(resolved, options, allowed)
    }

    /// Searches for each of some queries, in parallel; answers in their order.
    ///
    /// # Errors
    /// As [`Searcher::search`], of the first query that fails.
    pub fn search_all(
        &self,
        queries: &[Query],
        options: &SearchOptions,
        allowed: Option<&Allowed>,
        genes: &[Gene],
    ) -> crate::Result<Vec<Answer>> {
        (queries.par_iter())
            .map(|query| self.search(query, options, allowed, genes))
            .collect()
    }

    fn answer(
        &self,
        resolved: Resolved,
        options: &SearchOptions,
        allowed: Option<&Allowed>,
    ) -> crate::Result<Answer> {
        let resolution = match options.align {
            true => Resolution::Bp25,
            false => resolved.resolution,
        };
        self.check_k(options.k, resolution)?;
        let excluded = self.excluded(&resolved, options);
        let scope = SearchScope {
            allowed,
            excluded: &excluded,
        };
        let weighting = self.weighting(&options.weights)?;
        if options.align {
            if weighting.is_some() {
                return Err(
                    SearchError::query("aligned windows are compared without weights").into(),
                );
            }
            return Ok(align::search(self, resolved, options, scope)?);
        }
        let task = Task {
            k: options.k,
            resolution: resolved.resolution,
            spread: options.spread.filter(|s| *s > resolved.resolution),
            scope,
            gathered: allowed.and_then(|a| a.gathered(self.id)),
            home: resolved.bins.first().map(|b| self.layout.row_of(b.start)),
        };
        let (found, read) = self.walk(&resolved.embedding, weighting.as_ref(), &task)?;
        let hits = found
            .iter()
            .map(|f| self.hit(f, resolved.resolution))
            .collect();
        Ok(Answer {
            interval: resolved.interval,
            query_bins: resolved.bins,
            resolution: resolved.resolution,
            hits,
            read,
            is_exact: true,
        })
    }

    fn walk(
        &self,
        query: &Embedding,
        weighting: Option<&Weighting>,
        task: &Task<'_>,
    ) -> Result<(Vec<Found>, RowsRead), SearchError> {
        let (layout, tables, arch) = (&self.layout, &self.tables, self.arch);
        if let Some(weighting) = weighting {
            let measure = Weighted {
                arch,
                query,
                weighting,
            };
            let walk = Walk::new(layout, tables, &measure, task);
            return lent(&self.squared, |scratch| walk.run(scratch));
        }
        match self.metric() {
            Metric::Euclidean | Metric::Network => {
                let measure = Squared::new(arch, query, tables)?;
                let walk = Walk::new(layout, tables, &measure, task);
                lent(&self.squared, |scratch| walk.run(scratch))
            }
            Metric::Cosine => {
                let is_pooled = task.resolution != Resolution::Bp25;
                let measure = Cosine::new(arch, query, tables, is_pooled)?;
                let walk = Walk::new(layout, tables, &measure, task);
                lent(&self.cosine, |scratch| walk.run(scratch))
            }
        }
    }

    /// A found position, as a hit.
    fn hit(&self, found: &Found, resolution: Resolution) -> Hit {
        let bins = self.row_bins(found.place, resolution);
        Hit {
            interval: self.interval(&bins),
            bins,
            distance: match self.metric() {
                Metric::Euclidean | Metric::Network => f64::from(found.distance).sqrt(),
                Metric::Cosine => f64::from(found.distance),
            },
            percentile: None,
            strand: None,
        }
    }
}

/// Lends memory that another search has used.
fn lent<T, R>(pool: &Mutex<Vec<Scratch<T>>>, work: impl FnOnce(&mut Scratch<T>) -> R) -> R {
    let take = || pool.lock().unwrap_or_else(PoisonError::into_inner);
    let mut scratch = take().pop().unwrap_or_default();
    let result = work(&mut scratch);
    take().push(scratch);
    result
}
