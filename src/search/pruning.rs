//! The exact search where sketches bound the distance: numbers are read only where the sketches of all
//! three scales leave something in.

use super::SearchError;
use super::best::Found;
use super::exact::{Order, Scratch, Walk};
use super::measure::{Measure, Sketched};
use super::sketch::{CodeDistances, FINE_ROWS, MIDDLE_ROWS};
use crate::genome::Resolution;

/// How many 5 kbp bins are sketched before the most promising of them are searched.
const CHUNK: usize = 128;
/// How many 250 bp bins ahead a sketch is prefetched.
const FINE_AHEAD: usize = 3;

/// Some 5 kbp bins, and those of them whose 250 bp rows' sketches leave them in.
#[derive(Default)]
struct Promising<'a> {
    sketches: Vec<&'a [i32]>,
    /// Of each: the row and its bound; the least square of its 250 bp rows; both together.
    rows: Vec<(f32, u32)>,
    leasts: Vec<i32>,
    bounds: Vec<f32>,
    /// The bound, the 5 kbp row's share of it, the row.
    bins: Vec<(f32, f32, u32)>,
}

impl<'a, M: Measure> Walk<'a, M> {
    /// Looks at sketches from 5 kbp bins down, and at numbers where they leave something in.
    pub fn descend_by_sketches(
        &mut self,
        sketched: &Sketched,
        scratch: &mut Scratch<M::Term>,
    ) -> Result<(), SearchError> {
        self.coarse_terms(Some(sketched), scratch)?;
        for row in self.first_rows(scratch) {
            let bound = scratch.bounds[row];
            if bound <= self.best.bound() {
                scratch.bounds[row] = f32::NAN;
                self.read.sketches_250bp += u64::from(self.layout.rows()[row].n_250bp);
                self.look_into(sketched, row, bound)?;
            }
        }
        self.candidates(scratch);
        let mut promising = Promising::default();
        for chunk in scratch.candidates.chunks(CHUNK) {
            self.promising(sketched, chunk, &mut promising)?;
            for (bound, coarse, row) in &promising.bins {
                if *bound > self.best.bound() {
                    break;
                }
                self.look_into(sketched, *row as usize, *coarse)?;
            }
        }
        Ok(())
    }

    fn look(
        &self,
        sketched: &Sketched,
        row: usize,
    ) -> Result<CodeDistances<MIDDLE_ROWS>, SearchError> {
        let n = usize::from(self.layout.rows()[row].n_250bp);
        let table = &self.tables.sketch_middle;
        sketched.middle.look(table, row as u64, n)
    }

    /// Those of some 5 kbp bins whose 250 bp rows' sketches leave them in, from the least bound up.
    fn promising(
        &mut self,
        sketched: &Sketched,
        chunk: &[(f32, u32)],
        promising: &mut Promising<'a>,
    ) -> Result<(), SearchError> {
        let Promising {
            sketches,
            rows,
            leasts,
            bounds,
            bins,
        } = promising;
        sketches.clear();
        rows.clear();
        leasts.clear();
        bounds.clear();
        bins.clear();
        let limit = self.best.bound();
        rows.extend(chunk.iter().filter(|(coarse, _)| *coarse <= limit));
        bounds.extend(rows.iter().map(|(coarse, _)| *coarse));
        for (_, row) in rows.iter() {
            let row = u64::from(*row);
            let words = self.tables.sketch_middle.group(row..row + 1)?;
            sketches.push(bytemuck::cast_slice(words));
        }
        let n_rows = |row: &u32| u64::from(self.layout.rows()[*row as usize].n_250bp);
        self.read.sketches_250bp += rows.iter().map(|(_, row)| n_rows(row)).sum::<u64>();
        sketched.middle.leasts::<MIDDLE_ROWS>(sketches, leasts);
        sketched.middle.add_bounds(leasts, bounds);
        for (bound, (coarse, row)) in bounds.iter().zip(rows.iter()) {
            let mut bound = *bound;
            if bound <= limit && !self.task.scope.all_of_row(*row) {
                let bin = &self.layout.rows()[*row as usize];
                let wanted = |i| self.task.scope.any(bin.bins_of_250bp(i));
                let least = self.look(sketched, *row as usize)?.least_of(wanted);
                bound = *coarse + sketched.middle.of_square(least);
            }
            if bound <= limit {
                bins.push((bound, *coarse, *row));
            }
        }
        bins.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        Ok(())
    }

    /// Looks into a 5 kbp bin, whose coarse part's bound is known.
    fn look_into(
        &mut self,
        sketched: &Sketched,
        row: usize,
        coarse_bound: f32,
    ) -> Result<(), SearchError> {
        if self.task.resolution == Resolution::Bp250 {
            let sum = self.coarse_sum(row)?;
            return self.visit(row, sum);
        }
        let code_distances = self.look(sketched, row)?;
        let bounds = sketched.middle.bounds_of(&code_distances);
        let mut order = Order::default();
        let limit = self.best.bound();
        for (i, bound) in bounds[..code_distances.squares().len()].iter().enumerate() {
            let bound = coarse_bound + bound;
            if bound <= limit {
                order.insert(bound, i);
            }
        }
        let order = order.rows();
        let coarse = self.layout.rows()[row];
        let ahead = |place: usize| {
            if let Some((_, i)) = order.get(place) {
                let row = coarse.first_250bp + u64::from(*i);
                self.tables.sketch_fine.prefetch(row..row + 1);
            }
        };
        for place in 0..FINE_AHEAD {
            ahead(place);
        }
        let mut coarse_sum = None;
        let mut nearest: Option<Found> = None;
        for (place, (bound, i)) in order.iter().enumerate() {
            let limit = nearest.map_or(f32::INFINITY, |f| f.distance);
            let limit = self.best.bound().min(limit);
            if *bound > limit {
                break;
            }
            let bins = coarse.bins_of_250bp(usize::from(*i));
            if !self.task.scope.any(bins.clone()) {
                continue;
            }
            ahead(place + FINE_AHEAD);
            let middle_row = coarse.first_250bp + u64::from(*i);
            let fine = &self.tables.sketch_fine;
            let fine_bound = (sketched.fine).least_bound::<FINE_ROWS>(fine, middle_row)?;
            self.read.sketches_25bp += bins.end - bins.start;
            if bound + fine_bound > limit {
                continue;
            }
            self.tables.factors[Resolution::Bp25.index()].prefetch(bins.clone());
            let sum = match coarse_sum {
                Some(sum) => sum,
                None => *coarse_sum.insert(self.coarse_sum(row)?),
            };
            let sum = sum + self.middle_sum(middle_row)?;
            if self.measure.middle_bound(middle_row, sum) + fine_bound > limit {
                continue;
            }
            let found = self.bins(&coarse, bins, sum)?;
            self.keep(found, &mut nearest);
        }
        if let Some(found) = nearest {
            self.best.offer(found);
        }
        Ok(())
    }

    /// The part of one 250 bp row.
    fn middle_sum(&mut self, row: u64) -> Result<M::Term, SearchError> {
        let mut sum = [M::Term::default()];
        let values = self.tables.middle_rows.group(row..row + 1)?;
        self.measure.terms(Resolution::Bp250, values, &mut sum);
        self.read.bp250 += 1;
        Ok(sum[0])
    }
}
