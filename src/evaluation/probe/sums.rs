//! What the linear probe needs of a representation: sums over the bins of each fold of regions.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, Axis, s};

use super::gram::Gram;

/// Folds of regions: a region's place on the axis modulo this.
pub(super) const FOLDS: usize = 5;

/// Numbers of a portion of rows that are held in f64 at once.
const PORTION: usize = 1 << 22;

/// Added to standard deviations, so that a constant column is no division by 0.
const SOFTENING: f64 = 1e-6;

/// Sums over bins of the columns of a representation and of their products.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moments {
    /// Bins.
    pub n: f64,
    /// Of each column.
    pub sums: Array1<f64>,
    /// Of each pair of columns.
    pub products: Array2<f64>,
}

/// The sums over one fold.
#[derive(Debug, Clone)]
pub(super) struct Fold {
    /// Over all unmasked bins.
    pub moments: Moments,
    /// The sum of each held-out track; a bin without data counts nothing.
    pub targets: Array1<f64>,
    /// The sum of squares of each held-out track.
    pub squares: Array1<f64>,
    /// Products of each column with each held-out track.
    pub products: Array2<f64>,
    /// For each held-out track, the moments over unmasked bins where it has no data, if there are any.
    pub lacking: Vec<Option<Moments>>,
}

/// Sums under way.
#[derive(Debug)]
pub(super) struct Accumulator {
    width: usize,
    n_held: usize,
    folds: Vec<(Gram, Vec<Option<Gram>>)>,
}

/// Rows of a block, as they are added: its bins' vectors, held-out tracks and masks.
pub(super) struct Rows<'a> {
    /// `[bins, width]`.
    pub vectors: &'a [f32],
    /// Held-out tracks, `[track, bin]`.
    pub held: &'a [f32],
    /// Which bins do not count.
    pub masked: &'a [bool],
    /// The bins of each 5 kbp row.
    pub rows: &'a [Range<usize>],
}

impl Accumulator {
    /// Of vectors of `width` numbers and so many held-out tracks.
    pub fn new(width: usize, n_held: usize) -> Self {
        // Columns, a column of ones, and the held-out tracks.
        let fold = || (Gram::new(width + 1 + n_held), vec![None; n_held]);
        Accumulator {
            width,
            n_held,
            folds: (0..FOLDS).map(|_| fold()).collect(),
        }
    }

    /// Adds a block of a region.
    pub fn add(&mut self, region: usize, rows: &Rows<'_>) {
        let (width, n_held, n_bins) = (self.width, self.n_held, rows.masked.len());
        let (all, lacking) = &mut self.folds[region % FOLDS];
        let held = |track: usize, bin: usize| rows.held[track * n_bins + bin];
        let columns = width + 1 + n_held;
        let vector = |bin: usize, column: usize| f64::from(rows.vectors[bin * width + column]);
        let portion = (PORTION / (200 * columns)).max(1);
        for rows_now in rows.rows.chunks(portion) {
            let pieces: Vec<Array2<f64>> = (rows_now.iter())
                .map(|row| {
                    let bins: Vec<usize> = row.clone().filter(|b| !rows.masked[*b]).collect();
                    Array2::from_shape_fn((bins.len(), columns), |(i, column)| {
                        match column.checked_sub(width) {
                            None => vector(bins[i], column),
                            Some(0) => 1.0,
                            Some(track) => {
                                let value = f64::from(held(track - 1, bins[i]));
                                if value.is_finite() { value } else { 0.0 }
                            }
                        }
                    })
                })
                .collect();
            all.add(&pieces);
            for (track, lacking) in lacking.iter_mut().enumerate() {
                for row in rows_now {
                    let is_lacking = |b: &usize| !rows.masked[*b] && !held(track, *b).is_finite();
                    let bins: Vec<usize> = row.clone().filter(is_lacking).collect();
                    if bins.is_empty() {
                        continue;
                    }
                    let piece = Array2::from_shape_fn((bins.len(), width + 1), |(i, column)| {
                        match column == width {
                            true => 1.0,
                            false => vector(bins[i], column),
                        }
                    });
                    let sums = lacking.get_or_insert_with(|| Gram::new(width + 1));
                    sums.add(&[piece]);
                }
            }
        }
    }

    /// The sums of each fold.
    pub fn finish(&self) -> Vec<Fold> {
        let width = self.width;
        let folds = self.folds.iter().map(|(all, lacking)| {
            let all = all.matrix();
            let held = width + 1..;
            Fold {
                moments: Moments::of(&all, width),
                targets: all.slice(s![width, held.clone()]).to_owned(),
                squares: all.diag().slice(s![held.clone()]).to_owned(),
                products: all.slice(s![..width, held]).to_owned(),
                lacking: (lacking.iter())
                    .map(|l| l.as_ref().map(|l| Moments::of(&l.matrix(), width)))
                    .collect(),
            }
        });
        folds.collect()
    }
}

impl Moments {
    /// From the products of columns and, after them, of ones.
    fn of(all: &Array2<f64>, width: usize) -> Self {
        Moments {
            n: all[[width, width]],
            sums: all.slice(s![..width, width]).to_owned(),
            products: all.slice(s![..width, ..width]).to_owned(),
        }
    }

    /// Of no bins.
    pub fn none(width: usize) -> Self {
        Moments {
            n: 0.0,
            sums: Array1::zeros(width),
            products: Array2::zeros((width, width)),
        }
    }

    /// Adds other bins' sums.
    pub fn add(&mut self, other: &Moments) {
        self.n += other.n;
        self.sums += &other.sums;
        self.products += &other.products;
    }

    /// Takes away the sums of bins that are among these.
    pub fn subtract(&mut self, other: &Moments) {
        self.n -= other.n;
        self.sums -= &other.sums;
        self.products -= &other.products;
    }

    /// Covariances of the columns.
    pub fn covariance(&self) -> Array2<f64> {
        let mean = &self.sums / self.n.max(1.0);
        let outer = outer(mean.view(), mean.view());
        &self.products / self.n.max(1.0) - outer
    }

    /// The mean of each column and its standard deviation, to which a little is added.
    pub fn standardisation(&self) -> (Array1<f64>, Array1<f64>) {
        let n = self.n.max(1.0);
        let mean = &self.sums / n;
        let variance = &self.products.diag().to_owned() / n - &mean * &mean;
        (mean, variance.mapv(|v| v.max(0.0).sqrt() + SOFTENING))
    }

    /// The same of (x − mean) · weights.
    fn projected(&self, mean: &Array1<f64>, weights: &Array2<f64>) -> Self {
        let (s, m) = (self.sums.view(), mean.view());
        let centred = &self.products - &outer(s, m) - &outer(m, s) + &outer(m, m) * self.n;
        Moments {
            n: self.n,
            sums: (&self.sums - &(mean * self.n)).dot(weights),
            products: weights.t().dot(&centred).dot(weights),
        }
    }
}

impl Fold {
    /// The sums of (x − mean) · weights, for `weights` of `[columns, new columns]`.
    pub fn projected(&self, mean: &Array1<f64>, weights: &Array2<f64>) -> Self {
        let products = &self.products - &outer(mean.view(), self.targets.view());
        Fold {
            moments: self.moments.projected(mean, weights),
            targets: self.targets.clone(),
            squares: self.squares.clone(),
            products: weights.t().dot(&products),
            lacking: (self.lacking.iter())
                .map(|l| l.as_ref().map(|l| l.projected(mean, weights)))
                .collect(),
        }
    }
}

/// The sums over all folds.
pub(super) fn total(folds: &[Fold]) -> Moments {
    let width = folds.first().map_or(0, |f| f.moments.sums.len());
    let mut all = Moments::none(width);
    folds.iter().for_each(|fold| all.add(&fold.moments));
    all
}

/// The products of each number of one with each of another.
pub(super) fn outer(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> Array2<f64> {
    a.insert_axis(Axis(1)).dot(&b.insert_axis(Axis(0)))
}
