//! Which bins may be answered.

use std::ops::Range;
use std::sync::Arc;

use super::SearchError;
use super::gathered::Gathered;
use super::layout::Layout;
use super::tables::Tables;

/// A set of axis bins, one bit each, and the 5 kbp rows that hold one: what is not allowed is not
/// looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowed {
    words: Vec<u64>,
    n_bins: u64,
    rows: Vec<u32>,
    /// Its rows side by side, where it is scattered, and whose rows they are.
    gathered: Option<(u64, Arc<Gathered>)>,
}

impl Allowed {
    /// No bin of an axis of so many.
    pub(super) fn none(n_bins: u64) -> Self {
        Allowed {
            words: vec![0; n_bins.div_ceil(64) as usize],
            n_bins,
            rows: Vec::new(),
            gathered: None,
        }
    }

    pub(super) fn all(n_bins: u64) -> Self {
        let mut all = Self::none(n_bins);
        all.insert(0..n_bins);
        all
    }

    pub(super) fn of(n_bins: u64, ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut set = Self::none(n_bins);
        for range in ranges {
            set.insert(range);
        }
        set
    }

    fn insert(&mut self, bins: Range<u64>) {
        let mut at = bins.start;
        while at < bins.end {
            let end = bins.end.min((at / 64 + 1) * 64);
            self.words[(at / 64) as usize] |= bits(at % 64, end - at);
            at = end;
        }
    }

    pub(super) fn intersect(&mut self, other: &Allowed) {
        for (word, o) in self.words.iter_mut().zip(&other.words) {
            *word &= o;
        }
    }

    pub(super) fn unite(&mut self, other: &Allowed) {
        for (word, o) in self.words.iter_mut().zip(&other.words) {
            *word |= o;
        }
    }

    pub(super) fn remove(&mut self, other: &Allowed) {
        for (word, o) in self.words.iter_mut().zip(&other.words) {
            *word &= !o;
        }
    }

    /// Finds the 5 kbp rows; to be called once the set is what it will be.
    pub(super) fn finish(mut self, layout: &Layout) -> Self {
        let rows = layout.rows().iter().enumerate();
        self.rows = rows
            .filter(|(_, c)| self.any(c.bins()))
            .map(|(row, _)| row as u32)
            .collect();
        self
    }

    /// Copies its rows from a searcher's tables where that is worth it.
    pub(super) fn gather(
        mut self,
        searcher: u64,
        layout: &Layout,
        tables: &Tables,
    ) -> Result<Self, SearchError> {
        let gathered = Gathered::new(&self, layout, tables)?;
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
        self.words.iter().map(|w| u64::from(w.count_ones())).sum()
    }

    /// Whether a bin is in it.
    #[inline]
    pub fn contains(&self, bin: u64) -> bool {
        self.words[(bin / 64) as usize] >> (bin % 64) & 1 == 1
    }

    /// Whether any of some bins is in it.
    #[inline]
    pub fn any(&self, bins: Range<u64>) -> bool {
        let mut at = bins.start;
        while at < bins.end {
            let end = bins.end.min((at / 64 + 1) * 64);
            if self.words[(at / 64) as usize] & bits(at % 64, end - at) != 0 {
                return true;
            }
            at = end;
        }
        false
    }

    /// The 5 kbp rows with a bin in it.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }
}

/// So many ones from a place on.
fn bits(from: u64, n: u64) -> u64 {
    (u64::MAX >> (64 - n)) << from
}

/// What one search may answer: what its filter allows, less the query's surroundings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permit<'a> {
    pub allowed: Option<&'a Allowed>,
    pub excluded: &'a [Range<u64>],
}

impl Permit<'_> {
    #[inline]
    pub fn bin(&self, bin: u64) -> bool {
        self.allowed.is_none_or(|a| a.contains(bin))
            && !self.excluded.iter().any(|e| e.contains(&bin))
    }

    /// Whether any of some bins may be answered, as far as can be told without looking at each.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_set_of_ranges_holds_their_bins(
            ranges in prop::collection::vec((0u64..300, 0u64..150), 0..6),
            asked in (0u64..300, 0u64..150),
        ) {
            let n_bins = 450;
            let ranges: Vec<Range<u64>> = ranges.iter().map(|(s, n)| *s..s + n).collect();
            let set = Allowed::of(n_bins, ranges.clone());
            let within = |bin: u64| ranges.iter().any(|r| r.contains(&bin));
            for bin in 0..n_bins {
                prop_assert_eq!(set.contains(bin), within(bin));
            }
            prop_assert_eq!(set.n_bins(), (0..n_bins).filter(|b| within(*b)).count() as u64);
            let asked = asked.0..asked.0 + asked.1;
            prop_assert_eq!(set.any(asked.clone()), asked.clone().any(within));
            let mut rest = Allowed::all(n_bins);
            rest.remove(&set);
            prop_assert_eq!(rest.n_bins(), n_bins - set.n_bins());
            rest.unite(&set);
            prop_assert_eq!(rest.n_bins(), n_bins);
            rest.intersect(&set);
            prop_assert_eq!(rest, set);
        }
    }
}
