//! Distances as sums over scales, and what a coarse scale's part says of everything below it.

use std::ops::Add;

use super::SearchError;
use super::flat::Flat;
use super::sketch::{Coder, SketchedQuery};
use super::tables::Tables;
use super::terms::{Product, products, squared};
use crate::genome::Resolution;

/// A position's factors at each of [`Resolution::ALL`], as the metric's view has them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Embedding {
    pub parts: [Vec<f32>; 3],
}

/// A distance that grows, or can be bounded from below, scale by scale.
///
/// A bound may be compared with a computed distance as it is: whatever is computed for a place is
/// never less than the bounds of the bins that hold it, rounding included.
pub(super) trait Measure: Sync {
    /// What a scale adds.
    type Term: Copy + Default + Send + Sync + Add<Output = Self::Term>;

    /// The parts of some rows of a scale, in a transposed group.
    fn terms(&self, scale: Resolution, values: &[f32], out: &mut [Self::Term]);

    /// Below the distance to anything in a 5 kbp bin, of which the coarse part is known.
    fn coarse_bound(&self, row: usize, sum: Self::Term) -> f32;

    /// Below the distance to anything in a 250 bp bin, of which the two coarser parts are known.
    fn middle_bound(&self, row: u64, sum: Self::Term) -> f32;

    /// What hits are ordered by.
    fn distance(&self, sum: Self::Term) -> f32;

    /// The query's sketches, where sketches bound this distance: as terms do, they add up.
    fn sketched(&self) -> Option<&Sketched> {
        None
    }
}

/// A query's sketches.
pub(super) struct Sketched {
    pub fine: SketchedQuery,
    pub middle: SketchedQuery,
    pub coarse: SketchedQuery,
}

impl Sketched {
    fn new(
        arch: pulp::Arch,
        query: &Embedding,
        tables: &Tables,
    ) -> Result<Option<Self>, SearchError> {
        let of = |coder: &Flat, scale: Resolution| {
            let part = &query.parts[scale.index()];
            let coder = Coder::of_numbers(part.len(), coder.group(0..1)?);
            Ok::<_, SearchError>(coder.map(|coder| SketchedQuery::new(arch, &coder, part)))
        };
        let fine = of(&tables.coder_fine, Resolution::Bp25)?;
        let middle = of(&tables.coder_middle, Resolution::Bp250)?;
        let coarse = of(&tables.coder_coarse, Resolution::Kbp5)?;
        Ok(match (fine, middle, coarse) {
            (Some(fine), Some(middle), Some(coarse)) => Some(Sketched {
                fine,
                middle,
                coarse,
            }),
            _ => None,
        })
    }
}

/// The squared Euclidean distance. Rounding to nearest is monotone: adding what is not negative
/// never makes a computed sum smaller, so the partial sums are bounds.
pub(super) struct Squared<'a> {
    arch: pulp::Arch,
    query: &'a Embedding,
    /// For hits of 25 bp and 250 bp: the coarse scale has no use for it.
    sketched: Option<Sketched>,
}

impl<'a> Squared<'a> {
    pub fn new(
        arch: pulp::Arch,
        query: &'a Embedding,
        tables: &Tables,
    ) -> Result<Self, SearchError> {
        Ok(Squared {
            arch,
            query,
            sketched: Sketched::new(arch, query, tables)?,
        })
    }
}

impl Measure for Squared<'_> {
    type Term = f32;

    #[inline]
    fn terms(&self, scale: Resolution, values: &[f32], out: &mut [f32]) {
        squared(self.arch, values, &self.query.parts[scale.index()], out);
    }

    #[inline]
    fn coarse_bound(&self, _: usize, sum: f32) -> f32 {
        sum
    }

    #[inline]
    fn middle_bound(&self, _: u64, sum: f32) -> f32 {
        sum
    }

    #[inline]
    fn distance(&self, sum: f32) -> f32 {
        sum
    }

    fn sketched(&self) -> Option<&Sketched> {
        self.sketched.as_ref()
    }
}

/// One minus the cosine.
///
/// Let a place's embedding be its known, coarser part with product p and squared norm n, and the
/// rest of norm r, which lies in a range stored for the bin. By Cauchy and Schwarz the whole product is
/// at most p + c r, c the norm of the query's rest, so the cosine is at most (p + c r) / (|q| √(n + r²)).
/// That has its maximum over r at c n / p for positive p, and grows with r otherwise; the nearest r of
/// the range is taken. Products and norms are f32 sums, each off by at most a few units in the last
/// place for each factor; `slack` is more than that.
pub(super) struct Cosine<'a> {
    arch: pulp::Arch,
    query: &'a Embedding,
    norms_middle: &'a [f32],
    norms_coarse: &'a [f32],
    /// Of the whole query, of its 250 bp and 25 bp parts, of its 25 bp part.
    query_norm: f64,
    rest_coarse: f64,
    rest_middle: f64,
    /// Means over bins are shorter than the shortest in them.
    is_pooled: bool,
    slack: f64,
}

impl<'a> Cosine<'a> {
    pub fn new(
        arch: pulp::Arch,
        query: &'a Embedding,
        tables: &'a Tables,
        is_pooled: bool,
    ) -> Result<Self, SearchError> {
        let norm = |part: &[f32]| part.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        let [fine, middle, coarse] = [0, 1, 2].map(|s| norm(&query.parts[s]));
        let query_norm = (fine + middle + coarse).sqrt();
        if query_norm == 0.0 {
            return Err(SearchError::NoDirection { what: "the query" });
        }
        let (middles, coarses) = (&tables.norms_middle, &tables.norms_coarse);
        let n_factors: usize = query.parts.iter().map(Vec::len).sum();
        Ok(Cosine {
            arch,
            query,
            norms_middle: middles.group(0..middles.rows())?,
            norms_coarse: coarses.group(0..coarses.rows())?,
            query_norm,
            rest_coarse: (fine + middle).sqrt(),
            rest_middle: fine.sqrt(),
            is_pooled,
            slack: 1e-6 + 8.0 * n_factors as f64 * f64::from(f32::EPSILON),
        })
    }

    #[inline]
    fn bound(&self, sum: Product, rest: f64, range: &[f32]) -> f32 {
        let least = match self.is_pooled {
            true => 0.0,
            false => f64::from(range[0]).sqrt() * (1.0 - self.slack),
        };
        let greatest = f64::from(range[1]).sqrt() * (1.0 + self.slack);
        let (p, n) = (f64::from(sum.dot), f64::from(sum.norm));
        let r = match p > 0.0 {
            true => (rest * n / p).clamp(least, greatest),
            false => greatest,
        };
        let length = (n + r * r).sqrt();
        let cosine = match length > 0.0 {
            true => (p + rest * r) / (self.query_norm * length),
            false => 1.0,
        };
        (1.0 - cosine - self.slack) as f32
    }
}

impl Measure for Cosine<'_> {
    type Term = Product;

    fn terms(&self, scale: Resolution, values: &[f32], out: &mut [Product]) {
        products(self.arch, values, &self.query.parts[scale.index()], out);
    }

    fn coarse_bound(&self, row: usize, sum: Product) -> f32 {
        self.bound(sum, self.rest_coarse, &self.norms_coarse[2 * row..])
    }

    fn middle_bound(&self, row: u64, sum: Product) -> f32 {
        self.bound(
            sum,
            self.rest_middle,
            &self.norms_middle[2 * row as usize..],
        )
    }

    fn distance(&self, sum: Product) -> f32 {
        match sum.norm > 0.0 {
            true => {
                let length = self.query_norm * f64::from(sum.norm).sqrt();
                (1.0 - f64::from(sum.dot) / length).max(0.0) as f32
            }
            // Of no direction: as if at a right angle.
            false => 1.0,
        }
    }
}
