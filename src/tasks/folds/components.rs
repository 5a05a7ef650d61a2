//! Which examples hang together.

use crate::genome::Interval;

/// Disjoint sets of examples.
pub(super) struct Union {
    parent: Vec<usize>,
}

impl Union {
    pub(super) fn new(n: usize) -> Self {
        Union {
            parent: (0..n).collect(),
        }
    }

    /// The set that an example belongs to: its first member, so that sets do not depend on the
    /// order of joining.
    pub(super) fn root(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }

    /// Joins the examples whose intervals share a base.
    pub(super) fn join_overlapping<'a>(
        &mut self,
        intervals: impl Iterator<Item = Option<&'a Interval>>,
    ) {
        let mut sorted: Vec<(&Interval, usize)> = intervals
            .enumerate()
            .filter_map(|(i, interval)| Some((interval?, i)))
            .collect();
        sorted.sort();
        let mut reach: Option<(&str, u64, usize)> = None;
        for (interval, i) in sorted {
            match reach {
                Some((chrom, end, before)) if chrom == interval.chrom && interval.start < end => {
                    self.join(before, i);
                    reach = Some((chrom, end.max(interval.end), i));
                }
                _ => reach = Some((&interval.chrom, interval.end, i)),
            }
        }
    }
}
