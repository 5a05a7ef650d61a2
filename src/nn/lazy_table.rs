//! Adam over rows that are seldom touched, equal to dense Adam.
//!
//! Dense Adam moves every row at every step: where the gradient is zero the moments decay and the
//! parameter still drifts on its first moment. Over a genome that costs more than the network
//! itself. Here a row that missed steps t₀+1 … t₀+k catches up when it is next needed:
//!
//! p −= Σⱼ αₜ₀₊ⱼ β₁ʲ m / (β₂^(j/2) s + ε),  s = √v,  then m ← β₁ᵏ m, v ← β₂ᵏ v
//!
//! with αₜ = lrₜ √(1−β₂ᵗ) / (1−β₁ᵗ), Keras' form of Adam (Kingma & Ba 2015, end of section 2). β₂^(j/2) hardly leaves b₀ while
//! β₁ʲ dies away, so the sum is expanded around b₀: with q = 1/(b₀ s + ε) and r = s q it is
//! m q Σₙ (−r)ⁿ Mₙ, Mₙ = Σⱼ αₜ₀₊ⱼ β₁ʲ (β₂^(j/2) − b₀)ⁿ. Four terms leave a relative error below
//! 1e-9; the Mₙ belong to (t₀, k), not to the row.

use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;

use super::adam::{Adam, AdamStep, adam_step};
use super::vectors::wide;

/// Missed steps beyond this one add less than β₁²⁰⁰ ≈ 7e-10 of the first.
const HORIZON: u32 = 200;
/// Rows that are worth another thread.
const FEWEST_ROWS: usize = 256;
/// Terms of the expansion.
const TERMS: usize = 4;
/// Where the expansion is centred, in units of one missed step: about where β₁ʲ has its mean.
const CENTRE: f64 = 8.0;

/// An optimiser that remembers its αₜ: a table catches up with hundreds of them at a time.
#[derive(Debug, Clone)]
pub struct Alphas {
    adam: Adam,
    /// Of the steps from 1 on.
    known: Vec<f64>,
}

impl Alphas {
    /// Of an optimiser.
    pub fn new(adam: Adam) -> Self {
        Alphas {
            adam,
            known: Vec::new(),
        }
    }

    /// Those of the steps 1 to `step`.
    fn through(&mut self, step: u32) -> (&Adam, &[f64]) {
        for t in self.known.len() as u32..step {
            self.known.push(self.adam.alpha(t + 1));
        }
        (&self.adam, &self.known)
    }
}

/// What the steps that a row missed amount to; depends on (t₀, k) alone.
#[derive(Debug, Clone, Copy)]
struct Missed {
    moments: [f32; TERMS],
    centre: f32,
    decay1: f32,
    decay2: f32,
}

impl Missed {
    fn new(adam: &Adam, alphas: &[f64], last: u32, now: u32) -> Self {
        let missed = now - last;
        let root = adam.beta2.sqrt();
        let centre = root.powf(CENTRE);
        let mut moments = [0f64; TERMS];
        let (mut b1, mut b2) = (1.0, 1.0);
        let steps = missed.min(HORIZON) as usize;
        for alpha in &alphas[last as usize..last as usize + steps] {
            b1 *= adam.beta1;
            b2 *= root;
            let mut term = alpha * b1;
            for moment in &mut moments {
                *moment += term;
                term *= b2 - centre;
            }
        }
        Missed {
            moments: moments.map(|m| m as f32),
            centre: centre as f32,
            decay1: adam.beta1.powf(f64::from(missed)) as f32,
            decay2: adam.beta2.powf(f64::from(missed)) as f32,
        }
    }

    /// Moves values and moments over the missed steps.
    fn apply(&self, epsilon: f32, values: &mut [f32], first: &mut [f32], second: &mut [f32]) {
        let [m0, m1, m2, m3] = self.moments;
        let (centre, decay1, decay2) = (self.centre, self.decay1, self.decay2);
        wide(
            #[inline(always)]
            || {
                for ((p, m), v) in values
                    .iter_mut()
                    .zip(first.iter_mut())
                    .zip(second.iter_mut())
                {
                    let s = v.sqrt();
                    let q = 1.0 / (centre * s + epsilon);
                    let r = s * q;
                    *p -= *m * q * (m0 - r * (m1 - r * (m2 - r * m3)));
                    *m *= decay1;
                    *v *= decay2;
                }
            },
        );
    }
}

/// A table of factors with its Adam moments, updated by rows.
///
/// Memory: three f32 a value and four bytes a row.
#[derive(Debug, Clone, PartialEq)]
pub struct LazyTable {
    cols: usize,
    values: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    /// The step through which each row is up to date; 0 for rows never touched.
    last: Vec<u32>,
}

impl LazyTable {
    /// A table from its first values, row-major, `cols` a row; moments zero.
    pub fn new(values: Vec<f32>, cols: usize) -> Self {
        let rows = values.len() / cols;
        LazyTable {
            cols,
            first: vec![0.0; values.len()],
            second: vec![0.0; values.len()],
            last: vec![0; rows],
            values,
        }
    }

    /// A table from the parts that [`LazyTable::parts`] gave.
    pub fn from_parts(
        cols: usize,
        values: Vec<f32>,
        first: Vec<f32>,
        second: Vec<f32>,
        last: Vec<u32>,
    ) -> Option<Self> {
        let whole = values.len() == last.len() * cols
            && first.len() == values.len()
            && second.len() == values.len();
        whole.then_some(LazyTable {
            cols,
            values,
            first,
            second,
            last,
        })
    }

    /// Values, first and second moments, and the step through which each row is up to date.
    pub fn parts(&self) -> (&[f32], &[f32], &[f32], &[u32]) {
        (&self.values, &self.first, &self.second, &self.last)
    }

    /// Values of a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Rows of the table.
    pub fn rows(&self) -> usize {
        self.last.len()
    }

    /// The values, row-major; only rows caught up are what dense Adam would have.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values, giving up the moments.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The table cut where threads may take over: each piece with its part of `rows`, ascending and no
    /// two alike. What becomes of a row does not depend on the cuts.
    fn pieces<'a>(&'a mut self, rows: &'a [u32]) -> Vec<Piece<'a>> {
        let n = rayon::current_num_threads().clamp(1, rows.len().div_ceil(FEWEST_ROWS).max(1));
        let mut rest = Piece {
            cols: self.cols,
            offset: 0,
            rows: &[],
            values: &mut self.values,
            first: &mut self.first,
            second: &mut self.second,
            last: &mut self.last,
        };
        debug_assert!(rows.is_sorted_by(|a, b| a < b));
        let mut pieces = Vec::with_capacity(n);
        for rows in rows.chunks(rows.len().div_ceil(n).max(1)) {
            let end = rows.last().map_or(0, |row| *row as usize + 1);
            let (mut piece, after) = rest.split(end);
            piece.rows = rows;
            pieces.push(piece);
            rest = after;
        }
        pieces
    }

    /// Brings rows (ascending, no two alike) to where dense Adam would have them after `step`.
    pub fn catch_up(&mut self, rows: &[u32], step: u32, alphas: &mut Alphas) {
        let (adam, alphas) = alphas.through(step);
        let pieces = self.pieces(rows);
        pieces.into_par_iter().for_each(|mut piece| {
            let mut known = HashMap::new();
            let rows = piece.rows;
            let mut i = 0;
            while i < rows.len() {
                // Neighbouring rows that missed the same steps are one run, however short the rows.
                let last = piece.last_of(rows[i]);
                let from = i;
                i += 1;
                while i < rows.len() && rows[i] == rows[i - 1] + 1 && piece.last_of(rows[i]) == last
                {
                    i += 1;
                }
                let run = rows[from] as usize..rows[i - 1] as usize + 1;
                piece.catch_up(run, last, step, adam, alphas, &mut known);
            }
        });
    }

    /// Brings every row to where dense Adam would have it after `step`.
    pub fn flush(&mut self, step: u32, alphas: &mut Alphas) {
        let (adam, alphas) = alphas.through(step);
        const ROWS: usize = 4096;
        let cols = self.cols;
        let pieces = (self.values.par_chunks_mut(ROWS * cols))
            .zip(self.first.par_chunks_mut(ROWS * cols))
            .zip(self.second.par_chunks_mut(ROWS * cols))
            .zip(self.last.par_chunks_mut(ROWS));
        pieces.for_each(|(((values, first), second), last)| {
            let mut piece = Piece {
                cols,
                offset: 0,
                rows: &[],
                values,
                first,
                second,
                last,
            };
            let mut known = HashMap::new();
            let mut i = 0;
            while i < piece.last.len() {
                let (from, at) = (i, piece.last[i]);
                while i < piece.last.len() && piece.last[i] == at {
                    i += 1;
                }
                piece.catch_up(from..i, at, step, adam, alphas, &mut known);
            }
        });
    }

    /// Adam's step for rows that were caught up through `step` − 1; `gradient` holds their rows one
    /// after another.
    pub fn apply(&mut self, rows: &[u32], gradient: &[f32], step: u32, adam: &Adam) {
        let rates = AdamStep::new(adam, step, 0.0).rates();
        let cols = self.cols;
        let mut pieces = Vec::new();
        let mut gradient = gradient;
        for piece in self.pieces(rows) {
            let (of_piece, rest) = gradient.split_at(piece.rows.len() * cols);
            pieces.push((piece, of_piece));
            gradient = rest;
        }
        pieces.into_par_iter().for_each(|(mut piece, gradient)| {
            let rows = piece.rows;
            let mut i = 0;
            while i < rows.len() {
                let from = i;
                i += 1;
                while i < rows.len() && rows[i] == rows[i - 1] + 1 {
                    i += 1;
                }
                let run = rows[from] as usize..rows[i - 1] as usize + 1;
                let gradient = &gradient[from * cols..i * cols];
                let (values, first, second) = piece.numbers(&run);
                adam_step(values, first, second, gradient, &rates);
                piece.set_last(&run, step);
            }
        });
    }
}

/// Neighbouring rows of a table, for one thread.
struct Piece<'a> {
    cols: usize,
    /// The first row's place in the table.
    offset: usize,
    /// The rows of the table that are wanted.
    rows: &'a [u32],
    values: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    last: &'a mut [u32],
}

impl<'a> Piece<'a> {
    /// What lies before a row of the table, and the rest.
    fn split(self, end: usize) -> (Piece<'a>, Piece<'a>) {
        let n = end - self.offset;
        let (values, values_after) = self.values.split_at_mut(n * self.cols);
        let (first, first_after) = self.first.split_at_mut(n * self.cols);
        let (second, second_after) = self.second.split_at_mut(n * self.cols);
        let (last, last_after) = self.last.split_at_mut(n);
        let (cols, offset, rows) = (self.cols, self.offset, self.rows);
        (
            Piece {
                cols,
                offset,
                rows,
                values,
                first,
                second,
                last,
            },
            Piece {
                cols,
                offset: end,
                rows,
                values: values_after,
                first: first_after,
                second: second_after,
                last: last_after,
            },
        )
    }

    fn last_of(&self, row: u32) -> u32 {
        self.last[row as usize - self.offset]
    }

    /// Values and both moments of a run of the table's rows.
    fn numbers(&mut self, run: &Range<usize>) -> (&mut [f32], &mut [f32], &mut [f32]) {
        let span = (run.start - self.offset) * self.cols..(run.end - self.offset) * self.cols;
        (
            &mut self.values[span.clone()],
            &mut self.first[span.clone()],
            &mut self.second[span],
        )
    }

    fn set_last(&mut self, run: &Range<usize>, step: u32) {
        self.last[run.start - self.offset..run.end - self.offset].fill(step);
    }

    /// Brings a run of rows that are all up to date through `last` to `step`.
    fn catch_up(
        &mut self,
        run: Range<usize>,
        last: u32,
        step: u32,
        adam: &Adam,
        alphas: &[f64],
        known: &mut HashMap<u32, Missed>,
    ) {
        if last == 0 || last >= step {
            return;
        }
        let missed = known
            .entry(last)
            .or_insert_with(|| Missed::new(adam, alphas, last, step));
        let (values, first, second) = self.numbers(&run);
        missed.apply(adam.epsilon as f32, values, first, second);
        self.set_last(&run, step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Schedule;
    use crate::random::{Purpose, below, fill_uniform, generator};

    /// Adam as Keras writes it, every row at every step, in f64.
    struct DenseAdam {
        values: Vec<f64>,
        first: Vec<f64>,
        second: Vec<f64>,
    }

    impl DenseAdam {
        fn step(&mut self, gradient: &[f64], step: u32, adam: &Adam) {
            let alpha = adam.alpha(step);
            for (i, g) in gradient.iter().enumerate() {
                self.first[i] += (g - self.first[i]) * (1.0 - adam.beta1);
                self.second[i] += (g * g - self.second[i]) * (1.0 - adam.beta2);
                self.values[i] -= alpha * self.first[i] / (self.second[i].sqrt() + adam.epsilon);
            }
        }
    }

    fn compare(schedule: Schedule, scale: f32, touched: u32, steps: u32) {
        const ROWS: usize = 40;
        const COLS: usize = 3;
        let adam = Adam {
            schedule,
            ..Adam::default()
        };
        let mut rng = generator(5, Purpose::Initial, 0);
        let mut start = vec![0f32; ROWS * COLS];
        fill_uniform(&mut rng, 0.05, &mut start);
        let mut alphas = Alphas::new(adam);
        let mut lazy = LazyTable::new(start.clone(), COLS);
        let mut dense = DenseAdam {
            values: start.iter().map(|v| f64::from(*v)).collect(),
            first: vec![0.0; ROWS * COLS],
            second: vec![0.0; ROWS * COLS],
        };
        for step in 1..=steps {
            let mut rows: Vec<u32> = (0..touched).map(|_| below(&mut rng, ROWS as u32)).collect();
            rows.sort_unstable();
            rows.dedup();
            let mut gradient = vec![0f32; rows.len() * COLS];
            fill_uniform(&mut rng, scale, &mut gradient);
            lazy.catch_up(&rows, step - 1, &mut alphas);
            lazy.apply(&rows, &gradient, step, &adam);
            let mut all = vec![0f64; ROWS * COLS];
            for (i, row) in rows.iter().enumerate() {
                for c in 0..COLS {
                    all[*row as usize * COLS + c] = f64::from(gradient[i * COLS + c]);
                }
            }
            dense.step(&all, step, &adam);
        }
        lazy.flush(steps, &mut alphas);
        for (i, (found, expected)) in lazy.values().iter().zip(&dense.values).enumerate() {
            let moved = (expected - f64::from(start[i])).abs();
            let error = (f64::from(*found) - expected).abs();
            assert!(
                error <= 2e-5 * moved + 3e-7,
                "{i}: {found} {expected}, moved {moved}"
            );
        }
    }

    #[test]
    fn rows_touched_at_every_step_follow_dense_adam() {
        compare(Schedule::Constant, 1e-2, 400, 50);
    }

    #[test]
    fn rows_touched_seldom_follow_dense_adam_within_rounding() {
        for scale in [1.0, 1e-3, 1e-6, 1e-8] {
            compare(Schedule::Constant, scale, 1, 2_000);
        }
    }

    #[test]
    fn the_learning_rate_of_missed_steps_is_that_of_their_time() {
        compare(Schedule::Cosine { steps: 600 }, 1e-3, 1, 600);
    }

    #[test]
    fn rows_never_touched_do_not_move() {
        let mut table = LazyTable::new(vec![0.5; 6], 3);
        let mut alphas = Alphas::new(Adam::default());
        table.catch_up(&[0], 9, &mut alphas);
        table.flush(9, &mut alphas);
        assert_eq!(table.values(), [0.5; 6]);
    }

    #[test]
    fn a_table_of_many_rows_becomes_the_same_with_any_number_of_threads() {
        let adam = Adam::default();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let mut alphas = Alphas::new(adam);
                let mut rng = generator(9, Purpose::Initial, 0);
                let mut table = LazyTable::new(vec![0.25; 5_000 * 2], 2);
                for step in 1..=30u32 {
                    // Every third row at some steps, others at others.
                    let rows: Vec<u32> = (0..5_000).filter(|r| (r + step) % 3 == 0).collect();
                    let mut gradient = vec![0f32; rows.len() * 2];
                    fill_uniform(&mut rng, 1.0, &mut gradient);
                    table.catch_up(&rows, step - 1, &mut alphas);
                    table.apply(&rows, &gradient, step, &adam);
                }
                table.flush(30, &mut alphas);
                table
            })
        };
        let one = run(1);
        assert!(run(2) == one && run(5) == one);
    }
}
