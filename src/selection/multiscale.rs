//! Facility location over millions of positions, from coarse scales to fine ones.
//!
//! The similarity of a candidate x and a target t is exp(−γ d²), and d² is a sum over scales. So what
//! the 5 kbp and the 250 bp part make of it, exp(−γ (d²(5 kbp) + d²(250 bp))), bounds it from above for all
//! candidates of one 250 bp row, and Σ max(0, bound − covered) bounds all their gains. Greedy looks into a row's
//! candidates only while that bound, or an older gain, is above the best gain found: the same choice as looking at
//! every candidate at every step, but for rounding.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use rayon::prelude::*;

use crate::nn::product::{Matrix, Threads, multiply};

/// Targets whose similarities are computed at once.
const BLOCK: usize = 1_024;
/// Rows that are examined together, each part of them on a thread.
const BATCH: usize = 64;
const PART: usize = 8;
/// By how much a bound is raised, so that no rounding makes it less than what it bounds.
const SLACK: f64 = 1.0 + 1e-5;

/// Vectors of items as they are made of two parts: what a 250 bp row shares, and the 25 bp part.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// How many numbers each part has.
    pub widths: [usize; 2],
    /// What a row shares, `[rows, widths[0]]`: the 5 kbp and the 250 bp factors.
    pub shared: Vec<f32>,
    /// `[items, widths[1]]`.
    pub fine: Vec<f32>,
}

/// Candidates that share a 250 bp row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its candidates, one after another.
    pub candidates: Range<usize>,
}

/// Where a candidate lies: the stretch of the genome, and the first bin in it.
pub type AxisPosition = (u32, u64);

/// Candidates in rows, targets, and what may stand beside what.
pub struct Multiscale<'a> {
    /// The candidates: a shared part a row, a fine part a candidate.
    pub candidates: &'a Parts,
    /// The rows, in the candidates' order.
    pub rows: &'a [Row],
    /// Where each candidate lies, ascending.
    pub places: &'a [AxisPosition],
    /// The targets, each with a shared part of its own.
    pub targets: &'a Parts,
    /// γ.
    pub gamma: f32,
    /// Two choices begin so many bins from each other at least.
    pub apart: u64,
}

/// A choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositionStep {
    /// The candidate.
    pub candidate: usize,
    /// What it added.
    pub gain: f64,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct PositionRun {
    /// The choices, in order.
    pub steps: Vec<PositionStep>,
    /// What no choice of as many can add more than.
    pub bound: f64,
    /// Each target's similarity to the nearest choice, or to what covered it before.
    pub covered: Vec<f32>,
    /// How many rows were bounded, and how many searched, in total.
    pub rows_bounded: u64,
    /// See `rows_bounded`.
    pub rows_opened: u64,
}

/// e to the power of a number that is not above 0; to a few units in the last place, and the same
/// on every machine.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0; // 1.5 · 2²³: adding it rounds to a whole number
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0))))));
    let exponent = shifted.to_bits().wrapping_sub(MAGIC.to_bits());
    p * f32::from_bits(exponent.wrapping_add(127) << 23)
}

/// Half of a block of vectors prepared for products: values, squared lengths.
struct Prepared {
    width: usize,
    values: Vec<f32>,
    squares: Vec<f32>,
}

impl Prepared {
    fn new(values: &[f32], width: usize, gamma: f32) -> Self {
        // γ goes into the vectors, so that distances come out multiplied by it.
        let root = gamma.sqrt();
        let values: Vec<f32> = values.iter().map(|v| v * root).collect();
        let squares = values
            .chunks_exact(width.max(1))
            .map(|v| v.iter().map(|x| x * x).sum())
            .collect();
        Prepared {
            width,
            values,
            squares,
        }
    }

    fn rows(&self, rows: Range<usize>) -> &[f32] {
        &self.values[rows.start * self.width..rows.end * self.width]
    }
}

/// The prepared parts of one run.
struct Kernel<'a> {
    problem: &'a Multiscale<'a>,
    shared: Prepared,
    fine: Prepared,
    target_shared: Prepared,
    target_fine: Prepared,
}

/// What is known of a row.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: f64,
    row: usize,
    at: usize,
    best: Option<(usize, f64)>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.key.total_cmp(&other.key)).then(other.row.cmp(&self.row))
    }
}

impl<'a> Kernel<'a> {
    fn new(problem: &'a Multiscale<'a>) -> Self {
        let prepared = |parts: &Parts, which: usize| {
            let values = if which == 0 {
                &parts.shared
            } else {
                &parts.fine
            };
            Prepared::new(values, parts.widths[which], problem.gamma)
        };
        Kernel {
            shared: prepared(problem.candidates, 0),
            fine: prepared(problem.candidates, 1),
            target_shared: prepared(problem.targets, 0),
            target_fine: prepared(problem.targets, 1),
            problem,
        }
    }

    fn n_targets(&self) -> usize {
        self.target_shared.squares.len()
    }

    /// γ d² of some vectors (values and squared lengths) to a block of targets, `[vectors, block]`.
    fn distances(
        own: (&[f32], &[f32]),
        targets: &Prepared,
        block: Range<usize>,
        out: &mut Vec<f32>,
    ) {
        let (values, squares) = own;
        out.resize(squares.len() * block.len(), 0.0);
        multiply(
            out,
            Matrix::new(values, targets.width),
            Matrix::new(targets.rows(block.clone()), targets.width).t(),
            false,
            Threads::One,
        );
        let others = &targets.squares[block.clone()];
        for (own, row) in squares.iter().zip(out.chunks_exact_mut(block.len())) {
            for (value, other) in row.iter_mut().zip(others) {
                *value = (own + other - 2.0 * *value).max(0.0);
            }
        }
    }

    /// A bound of the gain of any candidate of each of some rows.
    fn bound(&self, rows: &[usize], covered: &[f32]) -> Vec<f64> {
        self.each_part(rows, |part| {
            let values: Vec<f32> = part
                .iter()
                .flat_map(|r| self.shared.rows(*r..r + 1))
                .copied()
                .collect();
            let squares: Vec<f32> = part.iter().map(|r| self.shared.squares[*r]).collect();
            let mut sums = vec![0f64; part.len()];
            let mut energy = Vec::new();
            for block in blocks(self.n_targets()) {
                let own = (&values[..], &squares[..]);
                Self::distances(own, &self.target_shared, block.clone(), &mut energy);
                for (sum, row) in sums.iter_mut().zip(energy.chunks_exact(block.len())) {
                    *sum += gain_of(row, None, &covered[block.clone()]);
                }
            }
            sums
        })
    }

    /// The gains of all candidates of each of some rows.
    fn open(&self, rows: &[usize], covered: &[f32]) -> Vec<Vec<f64>> {
        self.each_part(rows, |part| {
            let of = |r: &usize| self.problem.rows[*r].candidates.clone();
            let shared: Vec<f32> = part
                .iter()
                .flat_map(|r| self.shared.rows(*r..r + 1))
                .copied()
                .collect();
            let squares: Vec<f32> = part.iter().map(|r| self.shared.squares[*r]).collect();
            let fine: Vec<f32> = part
                .iter()
                .flat_map(|r| self.fine.rows(of(r)))
                .copied()
                .collect();
            let fine_squares: Vec<f32> = part
                .iter()
                .flat_map(|r| &self.fine.squares[of(r)])
                .copied()
                .collect();
            let mut gains: Vec<Vec<f64>> = part.iter().map(|r| vec![0.0; of(r).len()]).collect();
            let (mut coarse, mut finer) = (Vec::new(), Vec::new());
            for block in blocks(self.n_targets()) {
                let own = (&shared[..], &squares[..]);
                Self::distances(own, &self.target_shared, block.clone(), &mut coarse);
                let own = (&fine[..], &fine_squares[..]);
                Self::distances(own, &self.target_fine, block.clone(), &mut finer);
                let mut finer = finer.chunks_exact(block.len());
                for (row, gains) in coarse.chunks_exact(block.len()).zip(&mut gains) {
                    for gain in gains {
                        let Some(own) = finer.next() else { break };
                        *gain += gain_of(row, Some(own), &covered[block.clone()]);
                    }
                }
            }
            gains
        })
    }

    fn each_part<T: Send>(
        &self,
        rows: &[usize],
        work: impl Fn(&[usize]) -> Vec<T> + Sync + Send,
    ) -> Vec<T> {
        let parts: Vec<Vec<T>> = rows.par_chunks(PART).map(work).collect();
        parts.into_iter().flatten().collect()
    }

    /// Covers targets with one candidate of a row.
    fn cover(&self, row: usize, candidate: usize, covered: &mut [f32]) {
        let shared = (
            self.shared.rows(row..row + 1),
            &self.shared.squares[row..row + 1],
        );
        let range = candidate..candidate + 1;
        let fine = (self.fine.rows(range.clone()), &self.fine.squares[range]);
        self.cover_with(shared, fine, covered);
    }

    fn cover_with(&self, shared: (&[f32], &[f32]), fine: (&[f32], &[f32]), covered: &mut [f32]) {
        let (mut coarse, mut finer) = (Vec::new(), Vec::new());
        for block in blocks(self.n_targets()) {
            Self::distances(shared, &self.target_shared, block.clone(), &mut coarse);
            Self::distances(fine, &self.target_fine, block.clone(), &mut finer);
            let energies = coarse.iter().zip(&finer);
            for (covered, (a, b)) in covered[block].iter_mut().zip(energies) {
                *covered = covered.max(exp_of_negative(-(a + b)));
            }
        }
    }
}

fn blocks(n: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n)
        .step_by(BLOCK)
        .map(move |first| first..(first + BLOCK).min(n))
}

/// Σ max(0, e^−(coarse + fine) − covered).
fn gain_of(coarse: &[f32], fine: Option<&[f32]>, covered: &[f32]) -> f64 {
    crate::instructions::arch().dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0f32; 16];
            let mut total = 0f64;
            let zeros = [0f32; 256];
            let mut first = 0;
            for (coarse, covered) in coarse.chunks(256).zip(covered.chunks(256)) {
                let fine = match fine {
                    Some(fine) => &fine[first..first + coarse.len()],
                    None => &zeros[..coarse.len()],
                };
                first += coarse.len();
                let whole = coarse.len() / 16 * 16;
                for i in (0..whole).step_by(16) {
                    for (lane, sum) in lanes.iter_mut().enumerate() {
                        let s = exp_of_negative(-(coarse[i + lane] + fine[i + lane]));
                        *sum += (s - covered[i + lane]).max(0.0);
                    }
                }
                let rest = coarse[whole..].iter().zip(&fine[whole..]);
                for ((coarse, fine), covered) in rest.zip(&covered[whole..]) {
                    let s = exp_of_negative(-(coarse + fine));
                    lanes[0] += (s - covered).max(0.0);
                }
                total += lanes.iter().map(|v| f64::from(*v)).sum::<f64>();
                lanes = [0.0; 16];
            }
            total
        },
    )
}

impl Multiscale<'_> {
    /// What vectors that are no candidates (probes that exist) cover.
    pub fn covered_by(&self, given: &Parts) -> Vec<f32> {
        let kernel = Kernel::new(self);
        let shared = Prepared::new(&given.shared, given.widths[0], self.gamma);
        let fine = Prepared::new(&given.fine, given.widths[1], self.gamma);
        let mut covered = vec![0f32; kernel.n_targets()];
        for i in 0..shared.squares.len() {
            let one = i..i + 1;
            kernel.cover_with(
                (shared.rows(one.clone()), &shared.squares[one.clone()]),
                (fine.rows(one.clone()), &fine.squares[one]),
                &mut covered,
            );
        }
        covered
    }

    /// What some candidates cover, each in turn: the sum over targets after each.
    pub fn walk(&self, candidates: &[usize], covered: &[f32]) -> Vec<f64> {
        let kernel = Kernel::new(self);
        let mut covered = covered.to_vec();
        let mut sums = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            kernel.cover(self.row_of(*candidate), *candidate, &mut covered);
            sums.push(covered.iter().map(|s| f64::from(*s)).sum());
        }
        sums
    }

    /// For each target the place in a list of the candidate that is most like it; `None` where
    /// what covered it before is.
    pub fn nearest(&self, candidates: &[usize], covered: &[f32]) -> Vec<Option<usize>> {
        let kernel = Kernel::new(self);
        let mut covered = covered.to_vec();
        let mut nearest = vec![None; covered.len()];
        for (place, candidate) in candidates.iter().enumerate() {
            let before = covered.clone();
            kernel.cover(self.row_of(*candidate), *candidate, &mut covered);
            for ((nearest, before), after) in nearest.iter_mut().zip(&before).zip(&covered) {
                if after > before {
                    *nearest = Some(place);
                }
            }
        }
        nearest
    }

    fn row_of(&self, candidate: usize) -> usize {
        self.rows
            .partition_point(|row| row.candidates.end <= candidate)
    }

    /// Marks what lies too near to a candidate.
    pub fn block(&self, candidate: usize, blocked: &mut [bool]) {
        self.block_near(self.places[candidate], blocked);
    }

    /// Marks what begins too near to a place.
    pub fn block_near(&self, place: AxisPosition, blocked: &mut [bool]) {
        let near = |other: &AxisPosition| {
            other.0 == place.0 && other.1.abs_diff(place.1) < self.apart.max(1)
        };
        let at = self.places.partition_point(|p| *p < place);
        let after = self.places[at..].iter().take_while(|p| near(p)).count();
        let before = self.places[..at]
            .iter()
            .rev()
            .take_while(|p| near(p))
            .count();
        blocked[at - before..at + after].fill(true);
    }

    /// Greedy, `k` choices at most; `covered` is what each target has already, `blocked` what may not be chosen.
    pub fn greedy(&self, k: usize, covered: Vec<f32>, mut blocked: Vec<bool>) -> PositionRun {
        let kernel = Kernel::new(self);
        let eligible = blocked.clone();
        let mut run = PositionRun {
            covered,
            ..PositionRun::default()
        };
        let all: Vec<usize> = (0..self.rows.len()).collect();
        let bounds = kernel.bound(&all, &run.covered);
        run.rows_bounded += all.len() as u64;
        let mut heap: BinaryHeap<Entry> = (all.iter().zip(bounds))
            .map(|(row, bound)| Entry {
                key: bound * SLACK,
                row: *row,
                at: 0,
                best: None,
            })
            .collect();
        while run.steps.len() < k {
            let now = run.steps.len();
            let mut best_gain = f64::NEG_INFINITY;
            let mut chosen = None;
            while let Some(top) = heap.pop() {
                if top.at == now
                    && let Some((candidate, gain)) = top.best
                {
                    chosen = Some((top, candidate, gain));
                    break;
                }
                // Those whose bound is of this step are searched; others are bounded first.
                let (mut opened, mut bounded) = (Vec::new(), Vec::new());
                let mut next = Some(top);
                while let Some(entry) = next {
                    if entry.at == now && entry.best.is_some() {
                        heap.push(entry);
                        break;
                    }
                    match entry.at == now {
                        true => opened.push(entry),
                        false => bounded.push(entry),
                    }
                    if opened.len() + bounded.len() == BATCH {
                        break;
                    }
                    next = heap.pop();
                }
                let rows: Vec<usize> = bounded.iter().map(|e| e.row).collect();
                run.rows_bounded += rows.len() as u64;
                for (mut entry, bound) in bounded.into_iter().zip(kernel.bound(&rows, &run.covered))
                {
                    entry.key = entry.key.min(bound * SLACK);
                    entry.at = now;
                    entry.best = None;
                    match entry.key > best_gain {
                        true => opened.push(entry),
                        false => heap.push(entry),
                    }
                }
                let rows: Vec<usize> = opened.iter().map(|e| e.row).collect();
                run.rows_opened += rows.len() as u64;
                for (mut entry, gains) in opened.into_iter().zip(kernel.open(&rows, &run.covered)) {
                    let first = self.rows[entry.row].candidates.start;
                    let free = gains
                        .iter()
                        .enumerate()
                        .filter(|(i, _)| !blocked[first + i]);
                    let best =
                        free.fold(None, |best: Option<(usize, f64)>, (i, gain)| match best {
                            Some((_, most)) if most >= *gain => best,
                            _ => Some((first + i, *gain)),
                        });
                    // A row of which nothing is left is done with.
                    let Some((candidate, gain)) = best else {
                        continue;
                    };
                    entry.best = Some((candidate, gain));
                    entry.key = gain;
                    best_gain = best_gain.max(gain);
                    heap.push(entry);
                }
            }
            let Some((entry, candidate, gain)) = chosen else {
                break;
            };
            kernel.cover(entry.row, candidate, &mut run.covered);
            self.block(candidate, &mut blocked);
            run.steps.push(PositionStep { candidate, gain });
            // The row's others are bounded by what they had.
            heap.push(Entry {
                key: gain * SLACK,
                ..entry
            });
        }
        run.bound = self.final_bound(&kernel, &mut run, k, &eligible);
        run
    }

    /// What was added and the `k` highest gains that are left, of a row no more than fit beside each
    /// other: no choice of `k` adds more.
    fn final_bound(
        &self,
        kernel: &Kernel<'_>,
        run: &mut PositionRun,
        k: usize,
        blocked: &[bool],
    ) -> f64 {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        let bounds = kernel.bound(&all, &run.covered);
        run.rows_bounded += all.len() as u64;
        let mut order: Vec<(f64, usize)> = bounds.into_iter().zip(all).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut highest: Vec<f64> = Vec::new();
        let mut least = f64::NEG_INFINITY;
        for part in order.chunks(BATCH) {
            if part[0].0 * SLACK <= least {
                break;
            }
            let rows: Vec<usize> = part.iter().map(|(_, row)| *row).collect();
            run.rows_opened += rows.len() as u64;
            for (row, gains) in rows.iter().zip(kernel.open(&rows, &run.covered)) {
                let own = self.rows[*row].candidates.clone();
                let first = own.start;
                let may = gains
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| !blocked[first + i]);
                let mut free: Vec<f64> = may.map(|(_, g)| *g).collect();
                free.sort_by(|a, b| b.total_cmp(a));
                let span = match (self.places.get(own.start), self.places.get(own.end - 1)) {
                    (Some(a), Some(b)) => b.1 - a.1 + 1,
                    _ => 1,
                };
                highest.extend(free.iter().take(span.div_ceil(self.apart.max(1)) as usize));
            }
            if highest.len() > k {
                highest.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
                highest.truncate(k);
            }
            if highest.len() == k {
                least = highest.iter().copied().fold(f64::INFINITY, f64::min);
            }
        }
        let added: f64 = run.steps.iter().map(|s| s.gain).sum();
        added + highest.iter().map(|g| g.max(0.0)).sum::<f64>()
    }
}

#[cfg(test)]
mod tests;
