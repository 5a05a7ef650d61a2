//! Which bins may be answered.

use std::ops::Range;
use std::sync::Arc;

use super::SearchError;
use super::gathered::Gathered;
use super::layout::Layout;
use super::tables::Tables;
use crate::annotation::BinBits;

/// The bins that may be answered, and the 5 kbp rows that hold one: what is not allowed is not
/// examined.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowed {
    bins: BinBits,
    rows: Vec<u32>,
    /// Its rows side by side, where it is scattered, and whose rows they are.
    gathered: Option<(u64, Arc<Gathered>)>,
}

impl Allowed {
    /// Finds the 5 kbp rows of a set of bins.
    pub(super) fn of(bins: BinBits, layout: &Layout) -> Self {
        let rows = layout.rows().iter().enumerate();
        let rows = rows.filter(|(_, c)| bins.any(c.bins()));
        Allowed {
            rows: rows.map(|(row, _)| row as u32).collect(),
            bins,
            gathered: None,
        }
    }

    /// Copies its rows from a searcher's tables where that is worth it.
    pub(super) fn gather(
        mut self,
        searcher: u64,
        layout: &Layout,
        tables: &Tables,
    ) -> Result<Self, SearchError> {
        let gathered = Gathered::new(&self.bins, &self.rows, layout, tables)?;
        self.gathered = gathered.map(|gathered| (searcher, Arc::new(gathered)));
        Ok(self)
    }

    /// The copies made from a searcher's tables.
    pub(super) fn gathered(&self, searcher: u64) -> Option<&Gathered> {
        let (of, gathered) = self.gathered.as_ref()?;
        (*of == searcher).then_some(gathered)
    }

    /// How many bins.
    pub fn n_bins(&self) -> u64 {
        self.bins.n_bins()
    }

    /// Whether a bin is in it.
    #[inline]
    pub fn contains(&self, bin: u64) -> bool {
        self.bins.contains(bin)
    }

    /// Whether any of some bins is in it.
    #[inline]
    pub fn any(&self, bins: Range<u64>) -> bool {
        self.bins.any(bins)
    }

    /// The 5 kbp rows with a bin in it.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }
}

/// What one search may answer: what its filter allows, less the query's surroundings.
#[derive(Debug, Clone, Copy)]
pub(super) struct SearchScope<'a> {
    pub allowed: Option<&'a Allowed>,
    pub excluded: &'a [Range<u64>],
}

impl SearchScope<'_> {
    #[inline]
    pub fn bin(&self, bin: u64) -> bool {
        self.allowed.is_none_or(|a| a.contains(bin))
            && !self.excluded.iter().any(|e| e.contains(&bin))
    }

    /// Whether any of some bins may be answered, as far as can be decided without examining each.
    #[inline]
    pub fn any(&self, bins: Range<u64>) -> bool {
        let inside = |e: &Range<u64>| e.start <= bins.start && bins.end <= e.end;
        !self.excluded.iter().any(inside) && self.allowed.is_none_or(|a| a.any(bins.clone()))
    }

    /// Whether a row of a coarser scale may be answered as a whole: some of it is allowed, none
    /// of it excluded.
    #[inline]
    pub fn row(&self, bins: Range<u64>) -> bool {
        let overlaps = |e: &Range<u64>| e.start < bins.end && bins.start < e.end;
        !self.excluded.iter().any(overlaps) && self.allowed.is_none_or(|a| a.any(bins.clone()))
    }
}
