//! The linear probe: how well a ridge regression from the representation, fitted in the other folds of
//! regions, predicts a held-out track.
//!
//! Columns are standardised over all unmasked bins; a column of weights and a constant are fitted to
//! four folds, with a penalty of 10⁻³ on the squared weights (of the mean squared error), and predict
//! the fifth. Pearson's correlation is over the predictions of all five folds. Everything follows from sums
//! of products, so no bin is read again.

use ndarray::{Array1, Array2, s};

use super::sums::{Fold, Moments, outer, total};
use crate::linear::{eigen, solve_columns};

/// The penalty, on standardised columns.
const RIDGE: f64 = 1e-3;

/// The first principal components of standardised columns.
#[derive(Debug, Clone)]
pub(super) struct Components {
    /// The mean of each column.
    pub mean: Array1<f64>,
    /// What a centred column is multiplied by, `[columns, components]`: its standard deviation is
    /// divided out.
    pub weights: Array2<f64>,
}

impl Components {
    /// Up to `n` components of what the sums are of.
    pub fn of(folds: &[Fold], n: usize) -> Self {
        let all = total(folds);
        let (mean, deviation) = all.standardisation();
        let scale = deviation.mapv(|d| 1.0 / d);
        let correlation = all.covariance() * outer(scale.view(), scale.view());
        let (_, vectors) = eigen(correlation);
        let n = n.min(mean.len());
        let vectors = vectors.slice(s![.., ..n]).to_owned();
        Components {
            weights: vectors * scale.insert_axis(ndarray::Axis(1)),
            mean,
        }
    }
}

/// Pearson's r of each held-out track with its predictions; `None` where one of them is constant or
/// nothing could be fitted.
pub(super) fn correlations(folds: &[Fold]) -> Vec<Option<f64>> {
    let n_held = folds.first().map_or(0, |f| f.targets.len());
    let (_, deviation) = total(folds).standardisation();
    let has_gaps = |track: usize| folds.iter().any(|f| f.lacking[track].is_some());
    let (gaps, whole): (Vec<usize>, Vec<usize>) = (0..n_held).partition(|t| has_gaps(*t));
    let mut found = vec![None; n_held];
    // Tracks with data at the same bins share their matrices.
    let groups = std::iter::once(whole).chain(gaps.into_iter().map(|track| vec![track]));
    for tracks in groups.filter(|tracks| !tracks.is_empty()) {
        let bins = bins_with_data(folds, tracks[0]);
        let predicted = predict(folds, &bins, &tracks, &deviation);
        for (track, series) in tracks.into_iter().zip(predicted) {
            found[track] = series.pearson();
        }
    }
    found
}

/// The moments of each fold over the bins where a track has data.
fn bins_with_data(folds: &[Fold], track: usize) -> Vec<Moments> {
    let of_fold = |fold: &Fold| {
        let mut moments = fold.moments.clone();
        if let Some(lacking) = &fold.lacking[track] {
            moments.subtract(lacking);
        }
        moments
    };
    folds.iter().map(of_fold).collect()
}

/// Sums over predictions p and observations y.
#[derive(Debug, Clone, Copy, Default)]
struct Pairs {
    n: f64,
    p: f64,
    pp: f64,
    y: f64,
    yy: f64,
    py: f64,
}

impl Pairs {
    fn pearson(&self) -> Option<f64> {
        let n = self.n.max(1.0);
        let spread = |sum: f64, squares: f64| {
            let variance = squares / n - (sum / n).powi(2);
            // What rounding leaves of a constant.
            if variance > 1e-12 * (squares / n) {
                variance
            } else {
                0.0
            }
        };
        let (p, y) = (spread(self.p, self.pp), spread(self.y, self.yy));
        let r = (self.py / n - self.p / n * (self.y / n)) / (p * y).sqrt();
        (p > 0.0 && y > 0.0 && r.is_finite()).then(|| r.clamp(-1.0, 1.0))
    }
}

/// Predicts some tracks in each fold from the others.
fn predict(
    folds: &[Fold],
    bins: &[Moments],
    tracks: &[usize],
    deviation: &Array1<f64>,
) -> Vec<Pairs> {
    let width = deviation.len();
    let mut pairs = vec![Pairs::default(); tracks.len()];
    let scales = outer(deviation.view(), deviation.view());
    for (tested, fold) in folds.iter().enumerate() {
        let mut train = Moments::none(width);
        let mut targets = Array1::<f64>::zeros(tracks.len());
        let mut products = Array2::<f64>::zeros((width, tracks.len()));
        for (other, moments) in bins
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != tested)
        {
            train.add(moments);
            for (i, track) in tracks.iter().enumerate() {
                targets[i] += folds[other].targets[*track];
                let mut column = products.column_mut(i);
                column += &folds[other].products.column(*track);
            }
        }
        let (test, n) = (&bins[tested], train.n);
        if n == 0.0 || test.n == 0.0 {
            continue;
        }
        let mut matrix = train.covariance() / &scales;
        matrix.diag_mut().mapv_inplace(|v| v + RIDGE);
        let mean = &train.sums / n;
        let means = &targets / n;
        let mut crossed = products / n - outer(mean.view(), means.view());
        for (mut row, d) in crossed.outer_iter_mut().zip(deviation) {
            row /= *d;
        }
        // Not so where rounding has made the matrix something else: r is undefined then.
        let shape = crossed.raw_dim();
        let mut weights =
            solve_columns(matrix, crossed).unwrap_or_else(|| Array2::from_elem(shape, f64::NAN));
        for (mut row, d) in weights.outer_iter_mut().zip(deviation) {
            row /= *d;
        }
        for (i, track) in tracks.iter().enumerate() {
            let w = weights.column(i);
            let constant = means[i] - mean.dot(&w);
            let sum = test.sums.dot(&w);
            let (y, yy) = (fold.targets[*track], fold.squares[*track]);
            let pairs = &mut pairs[i];
            pairs.n += test.n;
            pairs.p += sum + test.n * constant;
            pairs.pp +=
                w.dot(&test.products.dot(&w)) + 2.0 * constant * sum + test.n * constant * constant;
            pairs.y += y;
            pairs.yy += yy;
            pairs.py += fold.products.column(*track).dot(&w) + constant * y;
        }
    }
    pairs
}
