//! Facility location and saturated coverage: how well each target is covered by what is chosen.
//!
//! Gains never rise by rounding either: each term is a rounded difference that falls as coverage
//! rises, and sums are taken in one order. So lazy and plain greedy give the same choice to the bit.

use super::objective::Objective;
use super::similarity::{BLOCK_TARGETS, Similarity, fold_rows, whole_row};

/// Sums in f32 over so many values before they are added in f64.
const RUN: usize = 256;
const LANES: usize = 16;

/// Σ of a term over two rows; `inline(always)`, so that it is compiled for whatever the processor
/// has where it is dispatched.
#[inline(always)]
fn sum_terms(row: &[f32], state: &[f32], term: impl Fn(f32, f32) -> f32) -> f64 {
    let mut total = 0f64;
    for (row, state) in row.chunks(RUN).zip(state.chunks(RUN)) {
        let mut lanes = [0f32; LANES];
        let (rows, states) = (row.chunks_exact(LANES), state.chunks_exact(LANES));
        for (r, s) in rows.remainder().iter().zip(states.remainder()) {
            lanes[0] += term(*r, *s);
        }
        for (r, s) in rows.zip(states) {
            for ((lane, r), s) in lanes.iter_mut().zip(r).zip(s) {
                *lane += term(*r, *s);
            }
        }
        total += lanes.iter().map(|v| f64::from(*v)).sum::<f64>();
    }
    total
}

/// Σ of what a row has above what is covered.
pub(super) fn sum_above(row: &[f32], covered: &[f32]) -> f64 {
    crate::instructions::arch().dispatch(
        #[inline(always)]
        || sum_terms(row, covered, |s, c| (s - c).max(0.0)),
    )
}

/// Σ of what a row has, up to what is missing.
fn sum_within(row: &[f32], missing: &[f32]) -> f64 {
    crate::instructions::arch().dispatch(
        #[inline(always)]
        || sum_terms(row, missing, |s, m| s.min(m)),
    )
}

/// A sum over two rows, block by block as [`fold_rows`] takes them.
fn in_blocks(row: &[f32], state: &[f32], sum: fn(&[f32], &[f32]) -> f64) -> f64 {
    let blocks = row.chunks(BLOCK_TARGETS).zip(state.chunks(BLOCK_TARGETS));
    blocks.fold(0.0, |total, (row, state)| total + sum(row, state))
}

/// How well each target is covered by what is chosen, summed.
#[derive(Clone)]
pub struct Coverage<'a> {
    similarity: &'a dyn Similarity,
    /// What is known of each target: what it has so far, or what it lacks.
    state: Vec<f32>,
    /// What a candidate's row adds to the value.
    sum: fn(&[f32], &[f32]) -> f64,
    /// A target's state when a candidate of that similarity is chosen.
    next: fn(f32, f32) -> f32,
    value: f64,
}

impl<'a> Coverage<'a> {
    /// Facility location: Σ over targets of the highest similarity to what is chosen. With nothing
    /// chosen.
    pub fn facility_location(similarity: &'a dyn Similarity) -> Self {
        Coverage {
            similarity,
            state: vec![0.0; similarity.n_targets()],
            sum: sum_above,
            next: f32::max,
            value: 0.0,
        }
    }

    /// Saturated coverage: Σ over targets of the summed similarity to what is chosen, up to a share
    /// (0 to 1) of the target's sum over all (Lin and Bilmes 2011). With nothing chosen.
    pub fn saturated(similarity: &'a dyn Similarity, share: f64) -> Self {
        // The matrix is symmetric: a candidate's sum is that of the target.
        let all: Vec<usize> = (0..similarity.n_targets()).collect();
        let sums = fold_rows(similarity, &all, 0f64, |sum, _, _, row| {
            sum + row.iter().map(|s| f64::from(*s)).sum::<f64>()
        });
        Coverage {
            similarity,
            state: sums.iter().map(|sum| (share * sum) as f32).collect(),
            sum: sum_within,
            next: |missing, s| (missing - s).max(0.0),
            value: 0.0,
        }
    }
}

impl Objective for Coverage<'_> {
    fn copy(&self) -> Box<dyn Objective + '_> {
        Box::new(self.clone())
    }

    fn gains(&self, candidates: &[usize]) -> Vec<f64> {
        fold_rows(self.similarity, candidates, 0.0, |sum, _, targets, row| {
            sum + (self.sum)(row, &self.state[targets])
        })
    }

    fn add(&mut self, candidate: usize) -> f64 {
        let row = whole_row(self.similarity, candidate);
        let gain = in_blocks(&row, &self.state, self.sum);
        for (state, s) in self.state.iter_mut().zip(row) {
            *state = (self.next)(*state, s);
        }
        self.value += gain;
        gain
    }

    fn value(&self) -> Option<f64> {
        Some(self.value)
    }

    fn is_submodular(&self) -> bool {
        true
    }

    fn is_monotone(&self) -> bool {
        true
    }

    fn is_cheap(&self) -> bool {
        false
    }
}
