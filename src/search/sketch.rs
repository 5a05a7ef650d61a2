//! Rows in a byte a factor: a bound from below that costs a fraction of the distance.
//!
//! What lies in one 5 kbp bin differs at 250 bp almost as much as what lies far apart, so that the
//! 5 kbp part of a distance alone leaves many bins to be searched. Their sketches are read first, then those of
//! their 25 bp rows; and those of the 5 kbp rows before the rows themselves. Few rows are then read.
//!
//! Rows are rotated first, which keeps distances. Factors are principal components: the first vary several times as
//! much as the others, and one size of step for all would be as large as the first need. Rotated by a cosine
//! transform, all vary about alike.
//!
//! All rotated factors are clamped to a box and rounded to steps of one size. Clamping two vectors to the
//! same convex box never takes them farther apart, so with x̂ and q̂ the rounded ones and ε the length of a rounding
//! error, |q − x| ≥ |q̂ − x̂| − ε(q) − ε(x). Between codes, |q̂ − x̂|² = |q̂|² + |x̂|² − 2 q̂·x̂ in whole numbers, the same
//! on every processor (`code_products.rs`).

use std::ops::Range;

use super::code_products::{Kernel, least, leasts, squares};
use super::flat::Flat;

/// Rows of a sketch of 250 bp rows: those of a whole 5 kbp bin.
pub(super) const MIDDLE_ROWS: usize = 20;
/// Rows of a sketch of 25 bp rows: those of a whole 250 bp bin.
pub(super) const FINE_ROWS: usize = 10;
/// Rows of a sketch of 5 kbp rows.
pub(super) const COARSE_ROWS: usize = super::terms::LANES;
/// How many groups of 5 kbp rows are bounded together.
const GROUPS: usize = 16;
/// What an absent row adds to a squared distance: more than any distance, and no overflow.
const NO_ROW: i32 = i32::MAX / 2;
/// The box reaches so many standard deviations from the mean. A narrower one has finer steps, and clamps more rows; of
/// the pilot data's factors 2.5 leaves the fewest.
const REACH: f64 = 2.5;
/// Factors beyond which rows are not rotated: it takes the square of their number.
const MOST_ROTATED: usize = 64;
/// What is taken from a query's codes so that they fit a signed byte.
const MIDDLE_CODE: i32 = 128;
/// Factors beyond which sums of whole numbers could overflow.
const MOST_FACTORS: usize = 8_192;

/// Numbers (of four codes each, and one a row) that the sketch of so many rows takes.
pub(super) const fn numbers(factors: usize, rows: usize) -> usize {
    (factors.div_ceil(4) + 1) * rows
}

/// Numbers that say how sketches of so many factors are made.
pub(super) const fn coder_numbers(factors: usize) -> usize {
    let of_rotation = if factors <= MOST_ROTATED {
        factors * factors
    } else {
        0
    };
    of_rotation + factors + 2
}

/// Sums of rows' factors, and of the products of each two: means and variances of them rotated.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    n: f64,
    sums: Vec<f64>,
    /// `[factors, factors]`, or of each factor with itself alone if rows are not rotated.
    products: Vec<f64>,
}

impl Moments {
    pub fn new(factors: usize) -> Self {
        let n_products = match factors <= MOST_ROTATED {
            true => factors * factors,
            false => factors,
        };
        Moments {
            n: 0.0,
            sums: vec![0.0; factors],
            products: vec![0.0; n_products],
        }
    }

    pub fn add(&mut self, row: &[f32]) {
        let factors = self.sums.len();
        self.n += 1.0;
        for (sum, x) in self.sums.iter_mut().zip(row) {
            *sum += f64::from(*x);
        }
        if self.products.len() == factors {
            for (product, x) in self.products.iter_mut().zip(row) {
                *product += f64::from(*x) * f64::from(*x);
            }
            return;
        }
        let rows = self.products.chunks_exact_mut(factors);
        for (products, x) in rows.zip(row) {
            for (product, y) in products.iter_mut().zip(row) {
                *product += f64::from(*x) * f64::from(*y);
            }
        }
    }
}

/// How codes are made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coder {
    /// `[factors, factors]`, a row for each rotated factor; empty if rows are not rotated.
    rotation: Vec<f32>,
    /// The box's lower corner.
    low: Vec<f32>,
    step: f32,
    /// The longest rounding error of any row.
    error: f32,
}

impl Coder {
    /// The rotation, the box and the step for rows of which the moments are known.
    pub fn new(moments: &Moments) -> Self {
        let factors = moments.sums.len();
        let n = moments.n.max(1.0);
        let rotation = match factors <= MOST_ROTATED {
            true => rotation(factors),
            false => Vec::new(),
        };
        let spread = |j: usize| {
            let (mean, square) = match rotation.is_empty() {
                true => (moments.sums[j] / n, moments.products[j] / n),
                false => {
                    let by = &rotation[j * factors..][..factors];
                    let dot = |row: &[f64]| -> f64 {
                        row.iter().zip(by).map(|(x, r)| x * f64::from(*r)).sum()
                    };
                    let products = moments.products.chunks_exact(factors);
                    let rotated: Vec<f64> = products.map(dot).collect();
                    (dot(&moments.sums) / n, dot(&rotated) / n)
                }
            };
            (mean, REACH * (square - mean * mean).max(0.0).sqrt())
        };
        let boxes: Vec<(f64, f64)> = (0..factors).map(spread).collect();
        let widest = boxes
            .iter()
            .map(|(_, reach)| 2.0 * reach)
            .fold(0.0, f64::max);
        Coder {
            rotation,
            low: boxes.iter().map(|(m, reach)| (m - reach) as f32).collect(),
            step: ((widest / 255.0) as f32).max(f32::MIN_POSITIVE),
            error: 0.0,
        }
    }

    /// What is stored of it: [`coder_numbers`].
    pub fn to_numbers(&self) -> Vec<f32> {
        let mut numbers = self.rotation.clone();
        numbers.extend(&self.low);
        numbers.extend([self.step, self.error]);
        numbers
    }

    /// Of so many factors.
    pub fn of_numbers(factors: usize, numbers: &[f32]) -> Option<Self> {
        if numbers.len() != coder_numbers(factors) || factors > MOST_FACTORS {
            return None;
        }
        let (rotation, rest) = numbers.split_at(numbers.len() - factors - 2);
        let [low @ .., step, error] = rest else {
            return None;
        };
        Some(Coder {
            rotation: rotation.to_vec(),
            low: low.to_vec(),
            step: *step,
            error: *error,
        })
    }

    /// A row of factors, rotated.
    fn rotate(&self, row: &[f64], out: &mut Vec<f64>) {
        out.clear();
        if self.rotation.is_empty() {
            out.extend(row);
            return;
        }
        let of_factor = |by: &[f32]| {
            let products = by.iter().zip(row).map(|(r, x)| f64::from(*r) * x);
            products.sum::<f64>()
        };
        out.extend(self.rotation.chunks_exact(row.len()).map(of_factor));
    }

    /// A rotated factor's code, and how far it is off inside the box.
    fn code(&self, j: usize, x: f64) -> (u8, f64) {
        let (low, step) = (f64::from(self.low[j]), f64::from(self.step));
        let inside = ((x - low) / step).clamp(0.0, 255.0);
        let code = inside.round();
        (code as u8, (inside - code) * step)
    }

    /// Sketches a transposed group of at most `capacity` rows, `[factors, rows]`: for each four factors
    /// the rows' codes, and at the end what each row adds to a squared distance by itself.
    pub fn encode(&mut self, group: &[f32], capacity: usize, out: &mut Vec<f32>) {
        let factors = self.low.len();
        let rows = group.len() / factors.max(1);
        let mut words = vec![0u32; numbers(factors, capacity)];
        let mut own = vec![NO_ROW; capacity];
        let mut longest = 0f64;
        let (mut row, mut rotated) = (vec![0f64; factors], Vec::with_capacity(factors));
        for (i, own) in own.iter_mut().enumerate().take(rows) {
            for (j, x) in row.iter_mut().enumerate() {
                *x = f64::from(group[j * rows + i]);
            }
            self.rotate(&row, &mut rotated);
            *own = 0;
            let mut square = 0f64;
            for (j, x) in rotated.iter().enumerate() {
                let (code, error) = self.code(j, *x);
                words[j / 4 * capacity + i] |= u32::from(code) << (8 * (j % 4));
                square += error * error;
                *own += i32::from(code) * (i32::from(code) - 2 * MIDDLE_CODE);
            }
            longest = longest.max(square.sqrt());
        }
        let last = words.len() - capacity;
        for (word, own) in words[last..].iter_mut().zip(&own) {
            *word = own.cast_unsigned();
        }
        // Up, so that it is a bound in f32 as well.
        self.error = self.error.max((longest * (1.0 + 1e-6)) as f32);
        out.extend(words.iter().map(|w| f32::from_bits(*w)));
    }
}

/// The cosine transform of type II, transposed: orthogonal but for rounding. Its first column is constant, so that the
/// first factor, which varies most, is spread over all alike.
fn rotation(factors: usize) -> Vec<f32> {
    let n = factors as f64;
    let entry = |row: usize, column: usize| {
        let scale = if column == 0 { 1.0 } else { 2f64.sqrt() };
        let angle = std::f64::consts::PI * (row as f64 + 0.5) * column as f64 / n;
        (scale * angle.cos() / n.sqrt()) as f32
    };
    (0..factors * factors)
        .map(|i| entry(i / factors, i % factors))
        .collect()
}

/// A query's sketch.
#[derive(Debug, Clone)]
pub(super) struct SketchedQuery {
    /// Four codes each, less [`MIDDLE_CODE`].
    codes: Vec<i32>,
    /// The sum of its codes' squares.
    own: i32,
    step: f32,
    /// Both rounding errors.
    error: f32,
    /// Sums of squares are computed, and rotated vectors' lengths kept, to within this share.
    slack: f32,
    kernel: Kernel,
    arch: pulp::Arch,
}

impl SketchedQuery {
    pub fn new(arch: pulp::Arch, coder: &Coder, query: &[f32]) -> Self {
        let exact: Vec<f64> = query.iter().map(|x| f64::from(*x)).collect();
        let mut rotated = Vec::with_capacity(exact.len());
        coder.rotate(&exact, &mut rotated);
        let mut square = 0f64;
        let mut own = 0i32;
        let mut codes = vec![0i32; query.len().div_ceil(4)];
        for (j, x) in rotated.iter().enumerate() {
            let (code, error) = coder.code(j, *x);
            square += error * error;
            own += i32::from(code) * i32::from(code);
            let centred = (i32::from(code) - MIDDLE_CODE) & 0xff;
            codes[j / 4] |= centred << (8 * (j % 4));
        }
        SketchedQuery {
            slack: 1.0 - 4.0 * (query.len() + 4) as f32 * f32::EPSILON,
            error: ((square.sqrt() + f64::from(coder.error)) * (1.0 + 1e-6)) as f32,
            step: coder.step,
            own,
            codes,
            kernel: Kernel::of_this_processor(),
            arch,
        }
    }

    /// What a sketch of rows that lie in one bin says of them, of which the first so many count.
    #[inline]
    pub fn look<const ROWS: usize>(
        &self,
        table: &Flat,
        row: u64,
        rows: usize,
    ) -> Result<CodeDistances<ROWS>, super::SearchError> {
        let words = bytemuck::cast_slice(table.group(row..row + 1)?);
        let squares = squares::<ROWS>(self.kernel, words, &self.codes, self.own);
        let rows = rows.min(ROWS);
        Ok(CodeDistances { squares, rows })
    }

    /// Below the computed squared distance of any of the rows of a sketch, at this scale alone.
    #[inline]
    pub fn least_bound<const ROWS: usize>(
        &self,
        table: &Flat,
        row: u64,
    ) -> Result<f32, super::SearchError> {
        let words = bytemuck::cast_slice(table.group(row..row + 1)?);
        Ok(self.of_square(least::<ROWS>(self.kernel, words, &self.codes, self.own)))
    }

    /// The same of several sketches: their least squared distances between codes, appended.
    pub fn leasts<const ROWS: usize>(&self, sketches: &[&[i32]], out: &mut Vec<i32>) {
        leasts::<ROWS>(self.kernel, sketches, &self.codes, self.own, out);
    }

    /// To each bound what some squared distances between codes add.
    pub fn add_bounds(&self, squares: &[i32], bounds: &mut [f32]) {
        self.arch.dispatch(Bounds::<true>(self, squares, bounds));
    }

    /// Below the computed squared distances of groups of 5 kbp rows, at this scale alone.
    pub fn bounds(
        &self,
        table: &Flat,
        groups: Range<u64>,
        bounds: &mut [f32],
    ) -> Result<(), super::SearchError> {
        let words: &[i32] = bytemuck::cast_slice(table.group(groups)?);
        let mut squared = [[0i32; COARSE_ROWS]; GROUPS];
        let bounds = bounds.chunks_mut(GROUPS * COARSE_ROWS);
        for (several, bounds) in words.chunks(GROUPS * table.cols()).zip(bounds) {
            let sketches = several.chunks_exact(table.cols());
            for (squared, words) in squared.iter_mut().zip(sketches) {
                *squared = squares(self.kernel, words, &self.codes, self.own);
            }
            let squared = &squared.as_flattened()[..bounds.len()];
            self.arch.dispatch(Bounds::<false>(self, squared, bounds));
        }
        Ok(())
    }

    /// The same of each of the rows that were examined.
    #[inline]
    pub fn bounds_of<const ROWS: usize>(
        &self,
        code_distances: &CodeDistances<ROWS>,
    ) -> [f32; ROWS] {
        let mut bounds = [0f32; ROWS];
        (self.arch).dispatch(Bounds::<false>(self, &code_distances.squares, &mut bounds));
        bounds
    }

    /// The bound that a squared distance between codes gives.
    #[inline(always)]
    pub fn of_square(&self, square: i32) -> f32 {
        let SketchedQuery {
            step, slack, error, ..
        } = self;
        let distance = ((square as f32).sqrt() * step * slack - error).max(0.0);
        distance * distance * slack
    }
}

/// A query, squared distances between codes, bounds that they are, or that they are added to.
struct Bounds<'a, const ADDED: bool>(&'a SketchedQuery, &'a [i32], &'a mut [f32]);

impl<const ADDED: bool> pulp::WithSimd for Bounds<'_, ADDED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Bounds(query, squares, bounds) = self;
        for (bound, square) in bounds.iter_mut().zip(squares) {
            let of_square = query.of_square(*square);
            *bound = if ADDED { *bound + of_square } else { of_square };
        }
    }
}

/// What a query's sketch says of the rows that lie in one bin.
#[derive(Debug, Clone, Copy)]
pub(super) struct CodeDistances<const ROWS: usize> {
    squares: [i32; ROWS],
    rows: usize,
}

impl<const ROWS: usize> CodeDistances<ROWS> {
    /// The squared distances between codes.
    #[inline]
    pub fn squares(&self) -> &[i32] {
        &self.squares[..self.rows]
    }

    /// The least of those rows that are wanted.
    pub fn least_of(&self, wanted: impl Fn(usize) -> bool) -> i32 {
        let rows = self.squares().iter().enumerate();
        let least = rows.filter(|(i, _)| wanted(*i)).map(|(_, square)| *square);
        least.min().unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, fill_uniform, generator};
    use crate::search::terms::{squared, transpose};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bound_is_never_above_what_is_computed(
            seed in any::<u64>(),
            factors in 1usize..70,
            rows in 1usize..=20,
            far in prop::sample::select(vec![0.0f32, 0.3, 5.0, 1e6]),
            flat in any::<bool>(),
        ) {
            let mut rng = generator(seed, Purpose::Initial, 0);
            let mut x = vec![0f32; rows * factors];
            fill_uniform(&mut rng, if flat { 0.0 } else { 1.0 }, &mut x);
            // One far away from all others: outside the box.
            x[0] += far;
            let mut query = x[..factors].to_vec();
            let mut change = vec![0f32; factors];
            fill_uniform(&mut rng, 0.2, &mut change);
            for (q, c) in query.iter_mut().zip(&change) {
                *q += c;
            }
            let mut moments = Moments::new(factors);
            x.chunks_exact(factors).for_each(|row| moments.add(row));
            let mut coder = Coder::new(&moments);
            let mut group = Vec::new();
            transpose(&x, factors, &mut group);
            let mut sketch = Vec::new();
            coder.encode(&group, MIDDLE_ROWS, &mut sketch);
            prop_assert_eq!(sketch.len(), numbers(factors, MIDDLE_ROWS));
            prop_assert_eq!(coder.to_numbers().len(), coder_numbers(factors));
            prop_assert_eq!(Coder::of_numbers(factors, &coder.to_numbers()), Some(coder.clone()));
            let arch = crate::instructions::arch();
            let asked = SketchedQuery::new(arch, &coder, &query);
            let table = Flat::in_memory(sketch, numbers(factors, MIDDLE_ROWS));
            let code_distances = asked.look::<MIDDLE_ROWS>(&table, 0, rows).unwrap();
            let bound = asked.least_bound::<MIDDLE_ROWS>(&table, 0).unwrap();
            let mut distances = vec![0f32; rows];
            squared(arch, &group, &query, &mut distances);
            let least = distances.iter().copied().fold(f32::INFINITY, f32::min);
            prop_assert!(bound <= least, "{} {}", bound, least);
            for (i, distance) in distances.iter().enumerate() {
                let of_row = code_distances.least_of(|row| row == i);
                prop_assert_eq!(of_row, code_distances.squares()[i]);
                prop_assert!(asked.of_square(of_row) <= *distance);
            }
            if rows <= FINE_ROWS {
                let mut sketch = Vec::new();
                coder.encode(&group, FINE_ROWS, &mut sketch);
                let table = Flat::in_memory(sketch, numbers(factors, FINE_ROWS));
                let fine = asked.look::<FINE_ROWS>(&table, 0, rows).unwrap();
                prop_assert_eq!(fine.squares(), code_distances.squares());
            }
            // The same rows as 5 kbp rows.
            let mut sketch = Vec::new();
            coder.encode(&group, COARSE_ROWS, &mut sketch);
            let table = Flat::in_memory(sketch, numbers(factors, COARSE_ROWS));
            let mut bounds = vec![0f32; rows];
            asked.bounds(&table, 0..1, &mut bounds).unwrap();
            for (bound, distance) in bounds.iter().zip(&distances) {
                prop_assert!(bound <= distance, "{} {}", bound, distance);
            }
        }
    }

    #[test]
    fn a_bound_is_close_to_the_distance() {
        let (factors, rows) = (40, 20);
        let mut rng = generator(5, Purpose::Initial, 0);
        let mut x = vec![0f32; rows * factors];
        fill_uniform(&mut rng, 1.0, &mut x);
        let mut query = vec![0f32; factors];
        fill_uniform(&mut rng, 1.0, &mut query);
        let mut moments = Moments::new(factors);
        x.chunks_exact(factors).for_each(|row| moments.add(row));
        let mut coder = Coder::new(&moments);
        let (mut group, mut sketch) = (Vec::new(), Vec::new());
        transpose(&x, factors, &mut group);
        coder.encode(&group, MIDDLE_ROWS, &mut sketch);
        let arch = crate::instructions::arch();
        let asked = SketchedQuery::new(arch, &coder, &query);
        let table = Flat::in_memory(sketch, numbers(factors, MIDDLE_ROWS));
        let bound = asked.least_bound::<MIDDLE_ROWS>(&table, 0).unwrap();
        let mut distances = vec![0f32; rows];
        squared(arch, &group, &query, &mut distances);
        let least = distances.iter().copied().fold(f32::INFINITY, f32::min);
        let share = bound / least;
        assert!((0.9..=1.0).contains(&share), "{share}");
    }
}
