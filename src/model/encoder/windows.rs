//! One track's signal around the rows of a stretch, as means over windows.
//!
//! Sums are of whole numbers, so that a window's mean has the same bits wherever reading began.

use std::ops::Range;

/// Windows and other summaries of a track that describe a row at 5 kbp, 250 bp and 25 bp.
pub(crate) const WINDOWS: [usize; 3] = [7, 7, 4];
/// Which of them is the wide mean that canonical factors also have to predict.
pub(crate) const FAR_WINDOW: [usize; 3] = [6, 4, 1];

/// How far the widest windows of a 5 kbp and of a 250 bp row reach beyond it: with the rest of the row, no
/// farther than 20 kb from any of its bins.
pub(super) const REACH: [u64; 2] = [600, 790];

/// Bins that a 250 bp and a 5 kbp row hold.
const MIDDLE: u64 = 10;
const COARSE: u64 = 200;
/// Signal in standard deviations is counted in steps of this.
const STEP: f64 = 1.0 / (1u64 << 24) as f64;

/// Prefix sums of a track over what was read, from chromosome bin `first` on.
pub(super) struct Sums {
    first: u64,
    values: Vec<f32>,
    sums: Vec<i64>,
    counts: Vec<u32>,
}

impl Sums {
    pub fn new() -> Self {
        Sums {
            first: 0,
            values: Vec::new(),
            sums: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Takes what was read, in standard deviations from the track's mean; NaN where there is no data.
    pub fn fill(&mut self, first: u64, values: impl Iterator<Item = f32>) {
        self.first = first;
        self.values.clear();
        self.values.extend(values);
        self.sums.clear();
        self.counts.clear();
        let (mut sum, mut count) = (0i64, 0u32);
        self.sums.push(0);
        self.counts.push(0);
        for value in &self.values {
            if !value.is_nan() {
                // Far beyond what signal reaches; the sum of a chromosome still fits.
                sum += (f64::from(*value).clamp(-1e4, 1e4) / STEP).round() as i64;
                count += 1;
            }
            self.sums.push(sum);
            self.counts.push(count);
        }
    }

    /// The same range in what was read, cut at its ends.
    fn cut(&self, bins: Range<u64>) -> Range<usize> {
        let end = self.first + self.values.len() as u64;
        let place = |bin: u64| (bin.clamp(self.first, end) - self.first) as usize;
        place(bins.start)..place(bins.end)
    }

    /// Bins with data.
    fn covered(&self, bins: Range<u64>) -> u32 {
        let at = self.cut(bins);
        self.counts[at.end] - self.counts[at.start]
    }

    /// The mean over bins with data; NaN where there is none.
    fn mean(&self, bins: Range<u64>) -> f32 {
        let at = self.cut(bins);
        let n = self.counts[at.end] - self.counts[at.start];
        match n {
            0 => f32::NAN,
            _ => ((self.sums[at.end] - self.sums[at.start]) as f64 * STEP / f64::from(n)) as f32,
        }
    }

    /// The largest value; NaN where there is none.
    fn maximum(&self, bins: Range<u64>) -> f32 {
        self.values[self.cut(bins)]
            .iter()
            .fold(f32::NAN, |m, v| m.max(*v))
    }

    /// The standard deviation over bins with data; NaN where there is none.
    fn deviation(&self, bins: Range<u64>) -> f32 {
        let mean = f64::from(self.mean(bins.clone()));
        let (mut squares, mut n) = (0f64, 0u32);
        for value in self.values[self.cut(bins)].iter().filter(|v| !v.is_nan()) {
            squares += (f64::from(*value) - mean) * (f64::from(*value) - mean);
            n += 1;
        }
        match n {
            0 => f32::NAN,
            _ => (squares / f64::from(n)).sqrt() as f32,
        }
    }

    /// Describes a row of a resolution (0 is 5 kbp) that holds `row`, whose bins are counted on the
    /// chromosome; `region` cuts neighbouring rows. Returns the share of its surroundings that has data.
    pub fn describe(
        &self,
        resolution: usize,
        row: &Range<u64>,
        region: &Range<u64>,
        out: &mut [f32],
    ) -> f32 {
        let around = |reach: u64| row.start.saturating_sub(reach)..row.end + reach;
        // A neighbouring row, cut at the region's ends; the row itself where there is none.
        let neighbour = |bins: Range<u64>| {
            let bins = bins.start.max(region.start)..bins.end.min(region.end);
            match bins.start < bins.end {
                true => self.mean(bins),
                false => self.mean(row.clone()),
            }
        };
        let size = if resolution == 0 { COARSE } else { MIDDLE };
        let start = row.start / size * size;
        let (before, after) = (
            start.saturating_sub(size)..start,
            start + size..start + 2 * size,
        );
        let reach = match resolution {
            0 => {
                let middle = |at: u64| self.mean(at.max(row.start)..(at + MIDDLE).min(row.end));
                let rows = (start..row.end).step_by(MIDDLE as usize);
                out.copy_from_slice(&[
                    self.mean(row.clone()),
                    rows.filter(|at| at + MIDDLE > row.start)
                        .map(middle)
                        .fold(f32::NAN, f32::max),
                    self.maximum(row.clone()),
                    self.deviation(row.clone()),
                    neighbour(before),
                    neighbour(after),
                    self.mean(around(REACH[0])),
                ]);
                REACH[0]
            }
            1 => {
                out.copy_from_slice(&[
                    self.mean(row.clone()),
                    self.maximum(row.clone()),
                    neighbour(before),
                    neighbour(after),
                    self.mean(around(20)),
                    self.mean(around(100)),
                    self.mean(around(REACH[1])),
                ]);
                100
            }
            _ => {
                out.copy_from_slice(&[
                    self.mean(row.clone()),
                    self.mean(around(1)),
                    self.mean(around(5)),
                    self.mean(around(20)),
                ]);
                20
            }
        };
        let full = match resolution {
            0 => COARSE,
            1 => MIDDLE,
            _ => 1,
        } + 2 * reach;
        self.covered(around(reach)) as f32 / full as f32
    }
}
