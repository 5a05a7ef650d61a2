//! The exact search: from 5 kbp bins down, what cannot be among the k nearest left out.

use std::ops::Range;

use rayon::prelude::*;

use super::SearchError;
use super::allowed::SearchScope;
use super::best::{Best, Found};
use super::gathered::Gathered;
use super::layout::{Coarse, Layout};
use super::measure::{Measure, Sketched};
use super::sketch::MIDDLE_ROWS;
use super::tables::Tables;
use super::terms::LANES;
use crate::genome::Resolution;

/// How many of the most promising 5 kbp bins are searched before the others are filtered.
const SEEDS: usize = 8;
/// 5 kbp rows from which on one query is worth more than one thread.
const PARALLEL_ROWS: usize = 1 << 16;
/// Rows that a thread then looks at together: whole groups.
const TOGETHER: usize = 256 * LANES;
/// Into how many steps bounds are sorted.
const STEPS: usize = 256;
/// How many bins ahead one is prefetched.
const BINS_AHEAD: usize = 3;

/// How many rows a search has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowsRead {
    /// At 5 kbp, as sketches or themselves.
    pub kbp5: u64,
    /// At 250 bp.
    pub bp250: u64,
    /// At 25 bp.
    pub bp25: u64,
    /// At 250 bp, as sketches of a byte a factor.
    pub sketches_250bp: u64,
    /// At 25 bp, as sketches.
    pub sketches_25bp: u64,
}

/// What is asked of a walk.
#[derive(Debug, Clone)]
pub(super) struct Task<'a> {
    pub k: usize,
    /// The scale whose rows are the hits.
    pub resolution: Resolution,
    /// At most one hit for each row of this scale.
    pub spread: Option<Resolution>,
    pub scope: SearchScope<'a>,
    /// What the filter allows, side by side, where that is little.
    pub gathered: Option<&'a Gathered>,
    /// The query's own 5 kbp row, if it has one: examined first.
    pub home: Option<usize>,
}

/// Memory that searches use one after another.
#[derive(Debug)]
pub(super) struct Scratch<T> {
    pub sums: Vec<T>,
    pub bounds: Vec<f32>,
    /// The least bound of each [`LANES`] rows, or less.
    least: Vec<f32>,
    unordered: Vec<(f32, u32)>,
    pub candidates: Vec<(f32, u32)>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Scratch {
            sums: Vec::new(),
            bounds: Vec::new(),
            least: Vec::new(),
            unordered: Vec::new(),
            candidates: Vec::new(),
        }
    }
}

/// One search.
pub(super) struct Walk<'a, M: Measure> {
    pub layout: &'a Layout,
    pub tables: &'a Tables,
    pub measure: &'a M,
    pub task: &'a Task<'a>,
    pub best: Best,
    pub read: RowsRead,
}

impl<'a, M: Measure> Walk<'a, M> {
    pub fn new(layout: &'a Layout, tables: &'a Tables, measure: &'a M, task: &'a Task<'a>) -> Self {
        Walk {
            layout,
            tables,
            measure,
            task,
            best: Best::new(task.k),
            read: RowsRead::default(),
        }
    }

    /// The k nearest, and how much was read.
    pub fn run(
        mut self,
        scratch: &mut Scratch<M::Term>,
    ) -> Result<(Vec<Found>, RowsRead), SearchError> {
        if self.task.resolution == Resolution::Kbp5 {
            self.coarse_terms(None, scratch)?;
            self.coarse_rows(scratch)?;
        } else if let (Resolution::Bp25, Some(gathered)) =
            (self.task.resolution, self.task.gathered)
        {
            self.coarse_terms(None, scratch)?;
            let (layout, scope, spread) = (self.layout, &self.task.scope, self.task.spread);
            let sums = &scratch.sums;
            let may = |bin| scope.bin(bin);
            let n = gathered.offer_all(self.measure, sums, layout, &may, spread, &mut self.best);
            self.read.bp250 += n;
            self.read.bp25 += n;
        } else if let Some(sketched) = self.measure.sketched() {
            self.descend_by_sketches(sketched, scratch)?;
        } else {
            self.descend(scratch)?;
        }
        Ok((self.best.into_sorted(), self.read))
    }

    /// A bound of every 5 kbp row that may matter, from its sketch or from its coarse part, which is
    /// then kept; the bound of all others is NaN, which no comparison lets through.
    pub fn coarse_terms(
        &mut self,
        sketched: Option<&Sketched>,
        scratch: &mut Scratch<M::Term>,
    ) -> Result<(), SearchError> {
        let table = match sketched {
            Some(_) => &self.tables.sketch_coarse,
            None => &self.tables.factors[Resolution::Kbp5.index()],
        };
        let n_rows = self.layout.n_rows();
        scratch.sums.resize(n_rows, M::Term::default());
        scratch.bounds.resize(n_rows, f32::NAN);
        let measure = self.measure;
        // Of rows from the start of a group on.
        let of_rows = |first: usize, sums: &mut [M::Term], bounds: &mut [f32]| {
            if let Some(sketched) = sketched {
                let (group, groups) = (first / LANES, bounds.len().div_ceil(LANES));
                let groups = group as u64..(group + groups) as u64;
                return sketched.coarse.bounds(table, groups, bounds);
            }
            let groups = sums.chunks_mut(LANES).zip(bounds.chunks_mut(LANES));
            for (group, (sums, bounds)) in groups.enumerate() {
                let first = first + group * LANES;
                let rows = first as u64..(first + sums.len()) as u64;
                measure.terms(Resolution::Kbp5, table.group(rows)?, sums);
                for (i, (bound, sum)) in bounds.iter_mut().zip(sums).enumerate() {
                    *bound = measure.coarse_bound(first + i, *sum);
                }
            }
            Ok::<(), SearchError>(())
        };
        // Where most rows are allowed, looking at all of them side by side is faster.
        let allowed = self.task.scope.allowed;
        match allowed.filter(|a| 2 * a.rows().len() < n_rows) {
            Some(allowed) => {
                scratch.bounds.fill(f32::NAN);
                let mut rows = allowed.rows();
                while let Some(first) = rows.first() {
                    let group = *first as usize / LANES;
                    let (start, end) = (group * LANES, ((group + 1) * LANES).min(n_rows));
                    let n = rows.partition_point(|row| (*row as usize) < end);
                    let mut bounds = [f32::NAN; LANES];
                    let bounds = &mut bounds[..end - start];
                    of_rows(start, &mut scratch.sums[start..end], bounds)?;
                    for row in &rows[..n] {
                        scratch.bounds[*row as usize] = bounds[*row as usize - start];
                    }
                    self.read.kbp5 += (end - start) as u64;
                    rows = &rows[n..];
                }
            }
            None => {
                table.verify_all()?;
                let sums = &mut scratch.sums;
                let bounds = &mut scratch.bounds;
                if n_rows < PARALLEL_ROWS {
                    of_rows(0, sums, bounds)?;
                } else {
                    (sums.par_chunks_mut(TOGETHER))
                        .zip(bounds.par_chunks_mut(TOGETHER))
                        .enumerate()
                        .try_for_each(|(i, (sums, bounds))| of_rows(i * TOGETHER, sums, bounds))?;
                }
                self.read.kbp5 += n_rows as u64;
                if let Some(allowed) = allowed {
                    let mut next = 0;
                    for row in allowed.rows() {
                        scratch.bounds[next..*row as usize].fill(f32::NAN);
                        next = *row as usize + 1;
                    }
                    scratch.bounds[next..].fill(f32::NAN);
                }
            }
        }
        // Rows all of whose bins are excluded would only waste the seeds.
        for excluded in self.task.scope.excluded {
            for row in self.layout.rows_of(excluded) {
                if !self.task.scope.any(self.layout.rows()[row].bins()) {
                    scratch.bounds[row] = f32::NAN;
                }
            }
        }
        Ok(())
    }

    /// The coarse part of a 5 kbp row.
    pub fn coarse_sum(&self, row: usize) -> Result<M::Term, SearchError> {
        let mut sum = [M::Term::default()];
        let values = self.tables.coarse_rows.group(row as u64..row as u64 + 1)?;
        self.measure.terms(Resolution::Kbp5, values, &mut sum);
        Ok(sum[0])
    }

    fn descend(&mut self, scratch: &mut Scratch<M::Term>) -> Result<(), SearchError> {
        self.coarse_terms(None, scratch)?;
        for row in self.first_rows(scratch) {
            if scratch.bounds[row] <= self.best.bound() {
                scratch.bounds[row] = f32::NAN;
                self.visit(row, scratch.sums[row])?;
            }
        }
        self.candidates(scratch);
        for (_, row) in &scratch.candidates {
            self.visit(*row as usize, scratch.sums[*row as usize])?;
        }
        Ok(())
    }

    /// The rows that are searched first: the query's own, and those of the least bounds.
    pub fn first_rows(
        &self,
        scratch: &mut Scratch<M::Term>,
    ) -> impl Iterator<Item = usize> + use<M> {
        let Scratch { bounds, least, .. } = scratch;
        let home = self.task.home.filter(|home| !bounds[*home].is_nan());
        home.into_iter().chain(seeds(bounds, least, home))
    }

    /// The rows whose bounds leave them in, from the least bounds up but not sorted to the last:
    /// that would take longer than to look at some in vain.
    pub fn candidates(&self, scratch: &mut Scratch<M::Term>) {
        let limit = self.best.bound();
        scratch.unordered.resize(scratch.bounds.len(), (0.0, 0));
        let mut n = 0;
        let blocks = scratch.bounds.chunks(LANES).zip(&scratch.least);
        for (block, (bounds, _)) in blocks
            .enumerate()
            .filter(|(_, (_, least))| **least <= limit)
        {
            // Without a branch: which bounds are let through cannot be foreseen.
            for (i, bound) in bounds.iter().enumerate() {
                scratch.unordered[n] = (*bound, (block * LANES + i) as u32);
                n += usize::from(*bound <= limit);
            }
        }
        let unordered = &scratch.unordered[..n];
        let mut least = f32::INFINITY;
        let mut greatest = f32::NEG_INFINITY;
        for (bound, _) in unordered {
            least = if *bound < least { *bound } else { least };
            greatest = if *bound > greatest { *bound } else { greatest };
        }
        let per_step = (STEPS - 1) as f32 / (greatest - least).max(f32::MIN_POSITIVE);
        let step = |bound: f32| (((bound - least) * per_step) as usize).min(STEPS - 1);
        let mut starts = [0usize; STEPS + 1];
        for (bound, _) in unordered {
            starts[step(*bound) + 1] += 1;
        }
        for i in 0..STEPS {
            starts[i + 1] += starts[i];
        }
        scratch.candidates.resize(n, (0.0, 0));
        for found in unordered {
            let at = &mut starts[step(found.0)];
            scratch.candidates[*at] = *found;
            *at += 1;
        }
    }

    /// Looks into a 5 kbp bin.
    pub fn visit(&mut self, row: usize, sum: M::Term) -> Result<(), SearchError> {
        if self.measure.coarse_bound(row, sum) > self.best.bound() {
            return Ok(());
        }
        let coarse = self.layout.rows()[row];
        let n = usize::from(coarse.n_250bp);
        let rows = coarse.rows_250bp();
        let group = self.tables.factors[Resolution::Bp250.index()].group(rows.clone())?;
        let mut sums = [M::Term::default(); 20];
        let sums = &mut sums[..n];
        self.measure.terms(Resolution::Bp250, group, sums);
        self.read.bp250 += n as u64;
        for s in sums.iter_mut() {
            *s = sum + *s;
        }
        if self.task.resolution == Resolution::Bp250 {
            return self.middle_rows(&coarse, sums);
        }
        // The most promising first: they tighten the bound for the others.
        let mut order = Order::default();
        for (i, s) in sums.iter().enumerate() {
            let bound = self.measure.middle_bound(rows.start + i as u64, *s);
            if bound <= self.best.bound() {
                order.insert(bound, i);
            }
        }
        let order = order.rows();
        let ahead = |place: usize| {
            if let Some((_, i)) = order.get(place) {
                let bins = coarse.bins_of_250bp(usize::from(*i));
                self.tables.factors[Resolution::Bp25.index()].prefetch(bins);
            }
        };
        for place in 0..BINS_AHEAD {
            ahead(place);
        }
        let mut nearest: Option<Found> = None;
        for (place, (bound, i)) in order.iter().enumerate() {
            let limit = nearest.map_or(f32::INFINITY, |f| f.distance);
            if *bound > self.best.bound().min(limit) {
                break;
            }
            let bins = coarse.bins_of_250bp(usize::from(*i));
            if !self.task.scope.any(bins.clone()) {
                continue;
            }
            ahead(place + BINS_AHEAD);
            let found = self.bins(&coarse, bins, sums[usize::from(*i)])?;
            self.keep(found, &mut nearest);
        }
        if let Some(found) = nearest {
            self.best.offer(found);
        }
        Ok(())
    }

    /// Offers what was found in a 250 bp row; where a 5 kbp bin has one hit at most, keeps the nearest instead.
    pub fn keep(&mut self, found: Option<Found>, nearest: &mut Option<Found>) {
        if self.task.spread == Some(Resolution::Kbp5) {
            *nearest = found.into_iter().chain(*nearest).min();
        } else if let Some(found) = found {
            self.best.offer(found);
        }
    }

    /// Looks at the bins of a 250 bp row: offers each, or gives back the nearest if only one of
    /// several may become a hit.
    pub fn bins(
        &mut self,
        coarse: &Coarse,
        bins: Range<u64>,
        sum: M::Term,
    ) -> Result<Option<Found>, SearchError> {
        let n = (bins.end - bins.start) as usize;
        let mut terms = [M::Term::default(); 10];
        let terms = &mut terms[..n];
        let group = self.tables.factors[Resolution::Bp25.index()].group(bins.clone())?;
        self.measure.terms(Resolution::Bp25, group, terms);
        self.read.bp25 += n as u64;
        let mut nearest: Option<Found> = None;
        for (bin, term) in bins.zip(terms) {
            let distance = self.measure.distance(sum + *term);
            if distance > self.best.bound() || !self.task.scope.bin(bin) {
                continue;
            }
            let found = Found {
                distance,
                order: coarse.order(bin),
                place: bin,
            };
            match self.task.spread {
                None | Some(Resolution::Bp25) => self.best.offer(found),
                Some(_) => nearest = Some(nearest.map_or(found, |n| n.min(found))),
            }
        }
        Ok(nearest)
    }

    /// 250 bp rows as hits: the mean of the 25 bp factors takes the place of one bin's.
    fn middle_rows(&mut self, coarse: &Coarse, sums: &[M::Term]) -> Result<(), SearchError> {
        let mut terms = [M::Term::default(); 20];
        let terms = &mut terms[..sums.len()];
        let group = self.tables.fine_over_middle.group(coarse.rows_250bp())?;
        self.measure.terms(Resolution::Bp25, group, terms);
        let mut nearest: Option<Found> = None;
        for (i, (sum, term)) in sums.iter().zip(terms).enumerate() {
            let distance = self.measure.distance(*sum + *term);
            let bins = coarse.bins_of_250bp(i);
            if distance > self.best.bound() || !self.task.scope.row(bins.clone()) {
                continue;
            }
            let found = Found {
                distance,
                order: coarse.order(bins.start),
                place: bins.start,
            };
            match self.task.spread {
                Some(Resolution::Kbp5) => nearest = Some(nearest.map_or(found, |n| n.min(found))),
                _ => self.best.offer(found),
            }
        }
        if let Some(found) = nearest {
            self.best.offer(found);
        }
        Ok(())
    }

    /// 5 kbp rows as hits.
    fn coarse_rows(&mut self, scratch: &mut Scratch<M::Term>) -> Result<(), SearchError> {
        let n_rows = self.layout.n_rows();
        let mut middle = [M::Term::default(); LANES];
        let mut fine = [M::Term::default(); LANES];
        for first in (0..n_rows).step_by(LANES) {
            let end = (first + LANES).min(n_rows);
            let bound = self.best.bound();
            if !scratch.bounds[first..end].iter().any(|b| *b <= bound) {
                continue;
            }
            let rows = first as u64..end as u64;
            let n = end - first;
            let group = self.tables.middle_over_coarse.group(rows.clone())?;
            self.measure
                .terms(Resolution::Bp250, group, &mut middle[..n]);
            let group = self.tables.fine_over_coarse.group(rows)?;
            self.measure.terms(Resolution::Bp25, group, &mut fine[..n]);
            for row in first..end {
                let coarse = &self.layout.rows()[row];
                let sum = scratch.sums[row] + middle[row - first] + fine[row - first];
                let distance = self.measure.distance(sum);
                if !scratch.bounds[row].is_nan()
                    && distance <= self.best.bound()
                    && self.task.scope.row(coarse.bins())
                {
                    self.best.offer(Found {
                        distance,
                        order: coarse.order(coarse.first_bin),
                        place: coarse.first_bin,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The 250 bp rows of a 5 kbp bin that bounds leave in, from the least bound up.
#[derive(Default)]
pub(super) struct Order {
    rows: [(f32, u8); MIDDLE_ROWS],
    n: usize,
}

impl Order {
    /// Each row once.
    pub fn insert(&mut self, bound: f32, row: usize) {
        let at = self.rows[..self.n].partition_point(|(b, _)| *b <= bound);
        self.rows.copy_within(at..self.n, at + 1);
        self.rows[at] = (bound, row as u8);
        self.n += 1;
    }

    pub fn rows(&self) -> &[(f32, u8)] {
        &self.rows[..self.n]
    }
}

/// The rows of the least bounds, least first, without one; `least_of_blocks` is given the least of each [`LANES`]
/// bounds.
fn seeds(
    bounds: &[f32],
    least_of_blocks: &mut Vec<f32>,
    without: Option<usize>,
) -> impl Iterator<Item = usize> + use<> {
    least_of_blocks.clear();
    let mut least = [(f32::INFINITY, usize::MAX); SEEDS];
    let mut worst = f32::INFINITY;
    for (block, bounds) in bounds.chunks(LANES).enumerate() {
        // The least of a block takes no branch; soon few blocks have anything to offer.
        let least_of = |least: f32, bound: &f32| if *bound < least { *bound } else { least };
        let of_block = match bounds.as_chunks::<LANES>().0 {
            [block] => {
                let mut lanes = [f32::INFINITY; 8];
                for eight in block.as_chunks::<8>().0 {
                    for (lane, bound) in lanes.iter_mut().zip(eight) {
                        *lane = least_of(*lane, bound);
                    }
                }
                lanes.iter().fold(f32::INFINITY, least_of)
            }
            _ => bounds.iter().fold(f32::INFINITY, least_of),
        };
        least_of_blocks.push(of_block);
        if of_block >= worst {
            continue;
        }
        for (i, bound) in bounds.iter().enumerate() {
            let row = block * LANES + i;
            if *bound < worst && Some(row) != without {
                let at = least.partition_point(|(b, _)| b <= bound);
                least.copy_within(at..SEEDS - 1, at + 1);
                least[at] = (*bound, row);
                worst = least[SEEDS - 1].0;
            }
        }
    }
    least
        .into_iter()
        .map(|(_, row)| row)
        .filter(|row| *row != usize::MAX)
}
