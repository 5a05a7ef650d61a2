//! 250 bp rows in a byte a factor: a bound from below that costs a fraction of the distance.
//!
//! What lies in one 5 kbp bin differs at 250 bp almost as much as what lies far apart, so that the
//! 5 kbp part of a distance alone leaves many bins to be looked into. Their sketches are looked at first.
//!
//! All factors are clamped to a box and rounded to steps of one size. Clamping two vectors to the
//! same convex box never takes them farther apart, so with x̂ and q̂ the rounded ones and ε the length of a rounding
//! error, |q − x| ≥ |q̂ − x̂| − ε(q) − ε(x). Squares of code differences fit 16 bits and are summed with
//! saturation, which makes the sum smaller and never larger.

use super::flat::Flat;

/// Rows that a sketch has room for: those of a whole 5 kbp bin.
const ROWS: usize = 20;
/// Rows that are summed at once, in lanes of a power of two; those beyond a column's own belong to
/// the next column, and nobody reads their sums.
const ROOM: usize = 32;
/// The box reaches so many standard deviations from the mean.
const REACH: f64 = 4.5;

/// Numbers (of four codes each) that the sketch of a 5 kbp bin takes.
pub(super) const fn numbers(factors: usize) -> usize {
    (factors * ROWS + ROOM - ROWS).div_ceil(4)
}

/// How codes are made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coder {
    /// The box's lower corner.
    low: Vec<f32>,
    step: f32,
    /// The longest rounding error of any row.
    error: f32,
}

impl Coder {
    /// The box and the step for rows of which each column's sum, sum of squares and number are
    /// known.
    pub fn new(moments: &[(f64, f64)], n: f64) -> Self {
        let spread = |(sum, squares): &(f64, f64)| {
            let mean = sum / n.max(1.0);
            let variance = (squares / n.max(1.0) - mean * mean).max(0.0);
            (mean, REACH * variance.sqrt())
        };
        let boxes: Vec<(f64, f64)> = moments.iter().map(spread).collect();
        let widest = boxes
            .iter()
            .map(|(_, reach)| 2.0 * reach)
            .fold(0.0, f64::max);
        Coder {
            low: boxes.iter().map(|(m, reach)| (m - reach) as f32).collect(),
            step: ((widest / 255.0) as f32).max(f32::MIN_POSITIVE),
            error: 0.0,
        }
    }

    /// What is stored of it.
    pub fn to_numbers(&self) -> Vec<f32> {
        let mut numbers = self.low.clone();
        numbers.extend([self.step, self.error]);
        numbers
    }

    pub fn of_numbers(numbers: &[f32]) -> Option<Self> {
        let [low @ .., step, error] = numbers else {
            return None;
        };
        Some(Coder {
            low: low.to_vec(),
            step: *step,
            error: *error,
        })
    }

    /// A factor's code, and how far it is off inside the box.
    fn code(&self, j: usize, x: f32) -> (u8, f64) {
        let (low, step) = (f64::from(self.low[j]), f64::from(self.step));
        let inside = ((f64::from(x) - low) / step).clamp(0.0, 255.0);
        let code = inside.round();
        (code as u8, (inside - code) * step)
    }

    /// Sketches a transposed group of rows, `[factors, rows]`.
    pub fn encode(&mut self, group: &[f32], out: &mut Vec<f32>) {
        let factors = self.low.len();
        let rows = group.len() / factors.max(1);
        let mut codes = vec![0u8; 4 * numbers(factors)];
        let mut errors = vec![0f64; rows];
        for j in 0..factors {
            for i in 0..rows.min(ROWS) {
                let (code, error) = self.code(j, group[j * rows + i]);
                codes[j * ROWS + i] = code;
                errors[i] += error * error;
            }
        }
        let longest = errors.iter().fold(0f64, |m, e| m.max(e.sqrt()));
        // Up, so that it is a bound in f32 as well.
        self.error = self.error.max((longest * (1.0 + 1e-6)) as f32);
        let (four, _) = codes.as_chunks::<4>();
        out.extend(four.iter().map(|c| f32::from_ne_bytes(*c)));
    }
}

/// A query's sketch.
#[derive(Debug, Clone)]
pub(super) struct SketchedQuery {
    codes: Vec<u8>,
    step: f32,
    /// Both rounding errors.
    error: f32,
    /// Sums of squares are computed to within this share.
    slack: f32,
    arch: pulp::Arch,
}

impl SketchedQuery {
    pub fn new(arch: pulp::Arch, coder: &Coder, query: &[f32]) -> Self {
        let mut square = 0f64;
        let mut codes = Vec::with_capacity(query.len());
        for (j, x) in query.iter().enumerate() {
            let (code, error) = coder.code(j, *x);
            square += error * error;
            codes.push(code);
        }
        SketchedQuery {
            slack: 1.0 - 4.0 * (query.len() + 4) as f32 * f32::EPSILON,
            error: ((square.sqrt() + f64::from(coder.error)) * (1.0 + 1e-6)) as f32,
            step: coder.step,
            codes,
            arch,
        }
    }

    /// The sums of squared code differences of a bin's rows.
    #[inline]
    fn sums(&self, sketch: &[f32]) -> [u16; ROOM] {
        let codes = bytemuck::cast_slice(sketch);
        self.arch.dispatch(SumsOf(codes, &self.codes))
    }

    /// The sums of a 5 kbp bin, of which the first so many count.
    #[inline]
    pub fn look(
        &self,
        table: &Flat,
        row: u64,
        rows: usize,
    ) -> Result<Looked<'_>, super::SearchError> {
        Ok(Looked {
            query: self,
            sums: self.sums(table.group(row..row + 1)?),
            rows: rows.min(ROWS),
        })
    }
}

/// A bin's codes and the query's.
struct SumsOf<'a>(&'a [u8], &'a [u8]);

impl pulp::WithSimd for SumsOf<'_> {
    type Output = [u16; ROOM];

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> [u16; ROOM] {
        let SumsOf(codes, query) = self;
        let mut sums = [0u16; ROOM];
        for (j, q) in query.iter().enumerate() {
            let Some(column) = codes[j * ROWS..].first_chunk::<ROOM>() else {
                break;
            };
            let q = i16::from(*q);
            for (sum, code) in sums.iter_mut().zip(column) {
                let difference = i16::from(*code) - q;
                let square = difference.wrapping_mul(difference) as u16;
                *sum = sum.saturating_add(square);
            }
        }
        sums
    }
}

/// What a query's sketch says of the rows of a 5 kbp bin.
#[derive(Debug)]
pub(super) struct Looked<'a> {
    query: &'a SketchedQuery,
    sums: [u16; ROOM],
    rows: usize,
}

impl Looked<'_> {
    /// Below the computed squared distance of any of the rows, at this scale alone.
    #[inline]
    pub fn bound(&self) -> f32 {
        let least = self.sums[..self.rows].iter().copied().min();
        self.of_sum(least.unwrap_or(u16::MAX))
    }

    /// The same of those rows that are wanted.
    pub fn bound_of(&self, wanted: impl Fn(usize) -> bool) -> f32 {
        let rows = self.sums[..self.rows].iter().enumerate();
        let least = rows.filter(|(i, _)| wanted(*i)).map(|(_, sum)| *sum).min();
        self.of_sum(least.unwrap_or(u16::MAX))
    }

    #[inline]
    fn of_sum(&self, sum: u16) -> f32 {
        let SketchedQuery {
            step, slack, error, ..
        } = self.query;
        let distance = (f32::from(sum).sqrt() * step * slack - error).max(0.0);
        distance * distance * slack
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
            factors in 1usize..60,
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
            let moments: Vec<(f64, f64)> = (0..factors)
                .map(|j| {
                    let column = x.iter().skip(j).step_by(factors).map(|v| f64::from(*v));
                    (column.clone().sum(), column.map(|v| v * v).sum())
                })
                .collect();
            let mut coder = Coder::new(&moments, rows as f64);
            let mut group = Vec::new();
            transpose(&x, factors, &mut group);
            let mut sketch = Vec::new();
            coder.encode(&group, &mut sketch);
            prop_assert_eq!(sketch.len(), numbers(factors));
            prop_assert_eq!(Coder::of_numbers(&coder.to_numbers()), Some(coder.clone()));
            let arch = pulp::Arch::new();
            let asked = SketchedQuery::new(arch, &coder, &query);
            let table = Flat::in_memory(sketch, numbers(factors));
            let looked = asked.look(&table, 0, rows).unwrap();
            let bound = looked.bound();
            let mut distances = vec![0f32; rows];
            squared(arch, &group, &query, &mut distances);
            let least = distances.iter().copied().fold(f32::INFINITY, f32::min);
            prop_assert!(bound <= least, "{} {}", bound, least);
            for (i, distance) in distances.iter().enumerate() {
                prop_assert!(looked.bound_of(|row| row == i) <= *distance);
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
        let moments = vec![(0.0, rows as f64 / 3.0); factors];
        let mut coder = Coder::new(&moments, rows as f64);
        let (mut group, mut sketch) = (Vec::new(), Vec::new());
        transpose(&x, factors, &mut group);
        coder.encode(&group, &mut sketch);
        let arch = pulp::Arch::new();
        let asked = SketchedQuery::new(arch, &coder, &query);
        let table = Flat::in_memory(sketch, numbers(factors));
        let bound = asked.look(&table, 0, rows).unwrap().bound();
        let mut distances = vec![0f32; rows];
        squared(arch, &group, &query, &mut distances);
        let least = distances.iter().copied().fold(f32::INFINITY, f32::min);
        let share = bound / least;
        assert!((0.9..=1.0).contains(&share), "{share}");
    }
}
