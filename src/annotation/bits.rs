//! A set of axis bins, one bit each.

use std::ops::Range;

use fixedbitset::FixedBitSet;

/// A set of axis bins, one bit each: for scattered bins, and for asking whether a bin is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinBits(FixedBitSet);

impl BinBits {
    /// No bin of an axis of `n_bins`.
    pub fn none(n_bins: u64) -> Self {
        BinBits(FixedBitSet::with_capacity(n_bins as usize))
    }

    /// Every bin of an axis of `n_bins`.
    pub fn all(n_bins: u64) -> Self {
        let mut bits = Self::none(n_bins);
        bits.0.insert_range(..);
        bits
    }

    /// The bins of some ranges, which may overlap and stand in any order.
    pub fn of(n_bins: u64, ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut bits = Self::none(n_bins);
        for range in ranges {
            bits.0.insert_range(places(range));
        }
        bits
    }

    /// Keeps what the other has too.
    pub fn intersect(&mut self, other: &BinBits) {
        self.0.intersect_with(&other.0);
    }

    /// Adds what the other has.
    pub fn unite(&mut self, other: &BinBits) {
        self.0.union_with(&other.0);
    }

    /// Removes what the other has.
    pub fn remove(&mut self, other: &BinBits) {
        self.0.difference_with(&other.0);
    }

    /// How many bins.
    pub fn n_bins(&self) -> u64 {
        self.0.count_ones(..) as u64
    }

    /// Whether a bin is in it.
    #[inline]
    pub fn contains(&self, bin: u64) -> bool {
        self.0.contains(bin as usize)
    }

    /// Whether every bin of a range is in it.
    pub fn all_of(&self, bins: Range<u64>) -> bool {
        self.0.contains_all_in_range(places(bins))
    }

    /// Whether any bin of a range is in it.
    #[inline]
    pub fn any(&self, bins: Range<u64>) -> bool {
        self.0.contains_any_in_range(places(bins))
    }
}

#[inline]
fn places(bins: Range<u64>) -> Range<usize> {
    bins.start as usize..bins.end as usize
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
            let set = BinBits::of(n_bins, ranges.clone());
            let within = |bin: u64| ranges.iter().any(|r| r.contains(&bin));
            for bin in 0..n_bins {
                prop_assert_eq!(set.contains(bin), within(bin));
            }
            prop_assert_eq!(set.n_bins(), (0..n_bins).filter(|b| within(*b)).count() as u64);
            let asked = asked.0..asked.0 + asked.1;
            prop_assert_eq!(set.any(asked.clone()), asked.clone().any(within));
            prop_assert_eq!(set.all_of(asked.clone()), asked.clone().all(within));
            let mut rest = BinBits::all(n_bins);
            rest.remove(&set);
            prop_assert_eq!(rest.n_bins(), n_bins - set.n_bins());
            rest.unite(&set);
            prop_assert_eq!(rest.n_bins(), n_bins);
            rest.intersect(&set);
            prop_assert_eq!(rest, set);
        }
    }
}
