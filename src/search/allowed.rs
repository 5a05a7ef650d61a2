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
    /// The masked bins, where they are left out.
    masked: Option<BinBits>,
    rows: Vec<u32>,
    /// Those of the rows that have other bins too.
    partial: BinBits,
    /// Its rows side by side, where it is scattered, and whose rows they are.
    gathered: Option<(u64, Arc<Gathered>)>,
}

impl Allowed {
    /// Finds the 5 kbp rows of a set of bins.
    pub(super) fn of(bins: BinBits, masked: Option<BinBits>, layout: &Layout) -> Self {
        let mut rows = Vec::new();
        let mut partial = Vec::new();
        for (row, coarse) in layout.rows().iter().enumerate() {
            if bins.any(coarse.bins()) {
                rows.push(row as u32);
                if !bins.all_of(coarse.bins()) {
                    partial.push(row as u64..row as u64 + 1);
                }
            }
        }
        Allowed {
            rows,
            partial: BinBits::of(layout.n_rows() as u64, partial),
            bins,
            masked,
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

    /// Whether a window of bins may be answered: its middle is allowed, and no bin of it is masked where
    /// masked bins are left out.
    pub(super) fn window(&self, bins: Range<u64>) -> bool {
        let middle = bins.start + (bins.end - bins.start) / 2;
        self.contains(middle) && self.masked.as_ref().is_none_or(|masked| !masked.any(bins))
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

    /// Whether all bins of a 5 kbp row are allowed, those near the query aside.
    #[inline]
    pub fn all_of_row(&self, row: u32) -> bool {
        self.allowed
            .is_none_or(|a| !a.partial.contains(u64::from(row)))
    }

    /// Whether a row of a coarser scale may be answered as a whole: some of it is allowed, none
    /// of it excluded.
    #[inline]
    pub fn row(&self, bins: Range<u64>) -> bool {
        let overlaps = |e: &Range<u64>| e.start < bins.end && bins.start < e.end;
        !self.excluded.iter().any(overlaps) && self.allowed.is_none_or(|a| a.any(bins.clone()))
    }
}
