//! Few and scattered bins, side by side.
//!
//! A filter that allows one bin here and there leaves almost every 5 kbp bin in, and in each of them
//! whole groups of rows would be read for one. Where there are so few, their rows are copied once a
//! filter, and each query reads the copies from the first to the last.

use std::ops::Range;

use super::SearchError;
use super::best::{Best, Found};
use super::flat::Flat;
use super::layout::Layout;
use super::measure::Measure;
use super::tables::Tables;
use super::terms::LANES;
use crate::annotation::BinBits;
use crate::genome::Resolution;

/// The most bins that are copied: 26 MB at the published sizes.
const MOST_BINS: u64 = 100_000;
/// The most bins a 5 kbp bin, in the mean, that count as scattered; it has 200.
const SCATTERED: u64 = 20;

/// The allowed bins with their rows, transposed in groups of [`LANES`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gathered {
    bins: Vec<u64>,
    /// The 5 kbp and the 250 bp row of each.
    coarse: Vec<u32>,
    middle: Vec<u64>,
    /// Their factors at 25 bp and at 250 bp.
    factors: [Vec<f32>; 2],
}

impl Gathered {
    /// Copies the rows of a set of bins, in some 5 kbp rows, where that is worth it.
    pub fn new(
        allowed: &BinBits,
        rows: &[u32],
        layout: &Layout,
        tables: &Tables,
    ) -> Result<Option<Self>, SearchError> {
        let n_bins = allowed.n_bins();
        if n_bins > MOST_BINS || n_bins > SCATTERED * rows.len() as u64 {
            return Ok(None);
        }
        let mut gathered = Gathered {
            bins: Vec::new(),
            coarse: Vec::new(),
            middle: Vec::new(),
            factors: Default::default(),
        };
        let mut fine = Copies::new(&tables.factors[Resolution::Bp25.index()]);
        let mut middle = Copies::new(&tables.factors[Resolution::Bp250.index()]);
        for row in rows {
            let coarse = &layout.rows()[*row as usize];
            let middles = coarse.rows_250bp();
            for i in 0..usize::from(coarse.n_250bp) {
                let bins = coarse.bins_of_250bp(i);
                for bin in bins.clone().filter(|bin| allowed.contains(*bin)) {
                    gathered.bins.push(bin);
                    gathered.coarse.push(*row);
                    gathered.middle.push(middles.start + i as u64);
                    fine.add(bins.clone(), bin, &mut gathered.factors[0])?;
                    middle.add(
                        middles.clone(),
                        middles.start + i as u64,
                        &mut gathered.factors[1],
                    )?;
                }
            }
        }
        fine.end(&mut gathered.factors[0]);
        middle.end(&mut gathered.factors[1]);
        Ok(Some(gathered))
    }

    /// Offers every bin that may be answered; `sums` are the 5 kbp rows' parts. Gives back how many
    /// bins were examined.
    pub fn offer_all<M: Measure>(
        &self,
        measure: &M,
        sums: &[M::Term],
        layout: &Layout,
        may: &impl Fn(u64) -> bool,
        spread: Option<Resolution>,
        best: &mut Best,
    ) -> u64 {
        let [fine, middle] = &self.factors;
        let n = self.bins.len();
        let (cols_fine, cols_middle) = (fine.len() / n.max(1), middle.len() / n.max(1));
        let mut fine_terms = [M::Term::default(); LANES];
        let mut middle_terms = [M::Term::default(); LANES];
        // The nearest of those that only one of may become a hit, and the row that they share.
        let mut nearest: Option<(u64, Found)> = None;
        for first in (0..n).step_by(LANES) {
            let of = first..(first + LANES).min(n);
            let (fine_terms, middle_terms) =
                (&mut fine_terms[..of.len()], &mut middle_terms[..of.len()]);
            let fine = &fine[of.start * cols_fine..of.end * cols_fine];
            let middle = &middle[of.start * cols_middle..of.end * cols_middle];
            measure.terms(Resolution::Bp25, fine, fine_terms);
            measure.terms(Resolution::Bp250, middle, middle_terms);
            for i in of.clone() {
                let coarse = self.coarse[i] as usize;
                let sum = sums[coarse] + middle_terms[i - first];
                let distance = measure.distance(sum + fine_terms[i - first]);
                if distance > best.bound() || !may(self.bins[i]) {
                    continue;
                }
                let found = Found {
                    distance,
                    order: layout.rows()[coarse].order(self.bins[i]),
                    place: self.bins[i],
                };
                let shared = match spread {
                    None | Some(Resolution::Bp25) => {
                        best.offer(found);
                        continue;
                    }
                    Some(Resolution::Bp250) => self.middle[i],
                    Some(Resolution::Kbp5) => coarse as u64,
                };
                nearest = match nearest {
                    Some((row, least)) if row == shared => Some((row, least.min(found))),
                    before => {
                        if let Some((_, least)) = before {
                            best.offer(least);
                        }
                        Some((shared, found))
                    }
                };
            }
        }
        if let Some((_, least)) = nearest {
            best.offer(least);
        }
        n as u64
    }
}

/// Rows on their way into transposed groups.
struct Copies<'a> {
    table: &'a Flat,
    /// The rows of the group under way, one after another.
    waiting: Vec<f32>,
}

impl<'a> Copies<'a> {
    fn new(table: &'a Flat) -> Self {
        Copies {
            table,
            waiting: Vec::new(),
        }
    }

    /// Adds a row of one of the table's groups.
    fn add(&mut self, group: Range<u64>, row: u64, out: &mut Vec<f32>) -> Result<(), SearchError> {
        let (n, at) = (
            (group.end - group.start) as usize,
            (row - group.start) as usize,
        );
        let values = self.table.group(group)?;
        (self.waiting).extend(values.iter().skip(at).step_by(n.max(1)));
        if self.waiting.len() == LANES * self.table.cols() {
            self.end(out);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<f32>) {
        super::terms::transpose(&self.waiting, self.table.cols(), out);
        self.waiting.clear();
    }
}
