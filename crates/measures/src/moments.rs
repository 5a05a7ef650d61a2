//! Means, variances and the covariance of two series, and what follows from them.

use super::chunks::{by_chunks, sums};
use super::{Value, common_length, errors, finite};

/// Means and centred sums of two series of equal length, x and y; parts can be merged.
///
/// Each part is summed in two passes, the second about the means of the first, with the remainder
/// of the first taken out (Chan, Golub & LeVeque 1983); parts are merged by their formula. A
/// constant series is recognised by its range, not from a variance that rounding may leave above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoMoments {
    n: u64,
    mean_x: f64,
    mean_y: f64,
    sum_xx: f64,
    sum_yy: f64,
    sum_xy: f64,
    range_x: (f64, f64),
    range_y: (f64, f64),
}

impl Default for CoMoments {
    /// Of no values: the neutral element of [`CoMoments::merge`].
    fn default() -> Self {
        let nothing = (f64::INFINITY, f64::NEG_INFINITY);
        CoMoments {
            n: 0,
            mean_x: 0.0,
            mean_y: 0.0,
            sum_xx: 0.0,
            sum_yy: 0.0,
            sum_xy: 0.0,
            range_x: nothing,
            range_y: nothing,
        }
    }
}

impl CoMoments {
    /// The moments of two series. `None` when they differ in length, are empty, or a value is not
    /// finite.
    pub fn of<X: Value, Y: Value>(x: &[X], y: &[Y]) -> Option<Self> {
        let n = common_length(x, y)?;
        Self::by(n, |i| (x[i].into(), y[i].into()))
    }

    /// The moments of the pairs `pair(0)`, …, `pair(n − 1)`.
    pub fn by(n: usize, pair: impl Fn(usize) -> (f64, f64) + Sync) -> Option<Self> {
        let wider = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
        let mut first = CoMoments::default();
        let mut total = (0.0, 0.0);
        for (sum, range_x, range_y) in by_chunks(n, |bins| {
            let (mut x_sum, mut y_sum) = (0.0, 0.0);
            let CoMoments {
                mut range_x,
                mut range_y,
                ..
            } = CoMoments::default();
            for (x, y) in bins.map(&pair) {
                x_sum += x;
                y_sum += y;
                range_x = wider(range_x, (x, x));
                range_y = wider(range_y, (y, y));
            }
            ((x_sum, y_sum), range_x, range_y)
        }) {
            total = (total.0 + sum.0, total.1 + sum.1);
            first.range_x = wider(first.range_x, range_x);
            first.range_y = wider(first.range_y, range_y);
        }
        if n == 0 || !total.0.is_finite() || !total.1.is_finite() {
            return None;
        }
        let (mean_x, mean_y) = (total.0 / n as f64, total.1 / n as f64);
        let [dx, dy, xx, yy, xy] = sums(n, |i| {
            let (x, y) = pair(i);
            let (x, y) = (x - mean_x, y - mean_y);
            [x, y, x * x, y * y, x * y]
        });
        Some(CoMoments {
            n: n as u64,
            mean_x: mean_x + dx / n as f64,
            mean_y: mean_y + dy / n as f64,
            sum_xx: xx - dx * dx / n as f64,
            sum_yy: yy - dy * dy / n as f64,
            sum_xy: xy - dx * dy / n as f64,
            ..first
        })
    }

    /// The moments of both parts together.
    pub fn merge(self, other: Self) -> Self {
        if self.n == 0 {
            return other;
        }
        if other.n == 0 {
            return self;
        }
        let n = self.n + other.n;
        let (here, there) = (self.n as f64, other.n as f64);
        let weight = here * (there / n as f64);
        let (dx, dy) = (other.mean_x - self.mean_x, other.mean_y - self.mean_y);
        CoMoments {
            n,
            mean_x: self.mean_x + dx * (there / n as f64),
            mean_y: self.mean_y + dy * (there / n as f64),
            sum_xx: self.sum_xx + other.sum_xx + dx * dx * weight,
            sum_yy: self.sum_yy + other.sum_yy + dy * dy * weight,
            sum_xy: self.sum_xy + other.sum_xy + dx * dy * weight,
            range_x: (
                self.range_x.0.min(other.range_x.0),
                self.range_x.1.max(other.range_x.1),
            ),
            range_y: (
                self.range_y.0.min(other.range_y.0),
                self.range_y.1.max(other.range_y.1),
            ),
        }
    }

    /// How many pairs.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The mean of x; 0 of no values.
    pub fn mean_x(&self) -> f64 {
        self.mean_x
    }

    /// The mean of y; 0 of no values.
    pub fn mean_y(&self) -> f64 {
        self.mean_y
    }

    /// The variance of x about its mean, divided by n.
    pub fn variance_x(&self) -> Option<f64> {
        (self.n > 0).then(|| self.spread_x() / self.n as f64)
    }

    /// The variance of y about its mean, divided by n.
    pub fn variance_y(&self) -> Option<f64> {
        (self.n > 0).then(|| self.spread_y() / self.n as f64)
    }

    /// Pearson's correlation; `None` when a series is constant.
    pub fn pearson(&self) -> Option<f64> {
        let (x, y) = (self.spread_x(), self.spread_y());
        if x <= 0.0 || y <= 0.0 {
            return None;
        }
        // The root of the product makes a series' correlation with itself exactly 1.
        let product = x * y;
        let norm = if product.is_normal() {
            product.sqrt()
        } else {
            x.sqrt() * y.sqrt()
        };
        finite(self.sum_xy / norm).map(|r| r.clamp(-1.0, 1.0))
    }

    /// The line through y over x that leaves the least squares; `None` when x is constant.
    pub fn fit(&self) -> Option<AffineFit> {
        if self.spread_x() <= 0.0 {
            return None;
        }
        let slope = finite(self.sum_xy / self.spread_x())?;
        Some(AffineFit {
            slope,
            intercept: self.mean_y - slope * self.mean_x,
        })
    }

    /// The mean squared residual of y about that line; its variance when x is constant.
    pub fn residual_variance(&self) -> Option<f64> {
        let (x, y) = (self.spread_x(), self.spread_y());
        let explained = if x > 0.0 {
            self.sum_xy * (self.sum_xy / x)
        } else {
            0.0
        };
        (self.n > 0).then(|| (y - explained).max(0.0) / self.n as f64)
    }

    fn spread_x(&self) -> f64 {
        let constant = self.range_x.0 >= self.range_x.1;
        if constant { 0.0 } else { self.sum_xx }
    }

    fn spread_y(&self) -> f64 {
        let constant = self.range_y.0 >= self.range_y.1;
        if constant { 0.0 } else { self.sum_yy }
    }
}

/// A line: observed ≈ intercept + slope × imputed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AffineFit {
    /// Observed signal for one more of imputed.
    pub slope: f64,
    /// Observed signal where the imputed is 0.
    pub intercept: f64,
}

/// Pearson's correlation (PREDICTD's and the ENCODE Imputation Challenge's `gwcorr`).
///
/// `None` also when a series is constant.
pub fn pearson<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    CoMoments::of(observed, imputed)?.pearson()
}

/// The affine fit of imputed to observed by least squares.
///
/// `None` also when the imputed is constant.
pub fn best_affine_fit<T: Value>(observed: &[T], imputed: &[T]) -> Option<AffineFit> {
    CoMoments::of(imputed, observed)?.fit()
}

/// Mean squared error after the best affine fit of imputed to observed, var(observed)(1 − r²):
/// blind to a track's scale and offset.
///
/// A constant imputation is fitted by the mean, and scores var(observed).
pub fn shape_mse<T: Value>(observed: &[T], imputed: &[T]) -> Option<f64> {
    CoMoments::of(imputed, observed)?.residual_variance()
}

/// How well what is particular to this biosample is imputed: the partial correlation of imputed and
/// observed given the assay's average activity in the others. Both are correlated after their
/// least-squares lines over the average are taken out, so that no multiple of the average scores by
/// itself (Fisher 1924).
///
/// `None` also when one of them is a line over the average to within rounding (the average itself is,
/// and its calibrated form): it has nothing besides the average that could be right or wrong.
pub fn specificity<T: Value>(observed: &[T], imputed: &[T], average: &[T]) -> Option<f64> {
    let n = common_length(observed, imputed)?;
    common_length(observed, average)?;
    let over_average = |values: &[T]| {
        let moments = CoMoments::by(n, |i| (average[i].into(), values[i].into()))?;
        let fit = moments.fit().unwrap_or(AffineFit {
            slope: 0.0,
            intercept: moments.mean_y(),
        });
        // Values are f32 at worst: what rounding leaves of a line is 10⁻¹⁵ of the mean square.
        let square = moments.variance_y()? + moments.mean_y().powi(2);
        Some((fit, 1e-12 * square))
    };
    let (of_imputed, imputed_noise) = over_average(imputed)?;
    let (of_observed, observed_noise) = over_average(observed)?;
    let rest =
        |fit: AffineFit, value: f64, average: f64| value - fit.intercept - fit.slope * average;
    let moments = CoMoments::by(n, |i| {
        let average: f64 = average[i].into();
        (
            rest(of_imputed, imputed[i].into(), average),
            rest(of_observed, observed[i].into(), average),
        )
    })?;
    let is_line = moments.variance_x()? <= imputed_noise || moments.variance_y()? <= observed_noise;
    if is_line { None } else { moments.pearson() }
}

/// The correlation of (imputed − average) with (observed − average). Both differences share a term: a
/// constant below 1 times the average scores far above 0, so this says nothing of a biosample by
/// itself; [`specificity`] does.
///
/// `None` also when a difference is constant, as it is for the average itself.
pub fn departure_correlation<T: Value>(
    observed: &[T],
    imputed: &[T],
    average: &[T],
) -> Option<f64> {
    let n = common_length(observed, imputed)?;
    common_length(observed, average)?;
    CoMoments::by(n, |i| {
        let average: f64 = average[i].into();
        (imputed[i].into() - average, observed[i].into() - average)
    })?
    .pearson()
}

/// The coefficient of determination, 1 − Σ(observed − predicted)² / Σ(observed − mean)².
///
/// `None` also when the observed is constant (a single value among them).
pub fn r_squared<T: Value>(observed: &[T], predicted: &[T]) -> Option<f64> {
    let moments = CoMoments::of(predicted, observed)?;
    let variance = moments.variance_y().filter(|v| *v > 0.0)?;
    finite(1.0 - errors::mse(observed, predicted)? / variance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: Option<f64>, b: f64) {
        assert!(a.is_some_and(|a| (a - b).abs() < 1e-14), "{a:?} is not {b}");
    }

    // observed 1 2 3 6 (mean 3, centred −2 −1 0 3, squares 14), imputed 0 2 2 4 (mean 2, centred
    // −2 0 0 2, squares 8), products 4 + 0 + 0 + 6 = 10.
    const OBSERVED: [f32; 4] = [1.0, 2.0, 3.0, 6.0];
    const IMPUTED: [f32; 4] = [0.0, 2.0, 2.0, 4.0];

    #[test]
    fn pearson_is_the_covariance_over_both_deviations() {
        close(pearson(&OBSERVED, &IMPUTED), 10.0 / (14.0f64 * 8.0).sqrt());
    }

    #[test]
    fn the_affine_fit_goes_through_both_means() {
        let fit = best_affine_fit(&OBSERVED, &IMPUTED).unwrap();
        assert_eq!((fit.slope, fit.intercept), (1.25, 0.5));
    }

    #[test]
    fn shape_mse_is_the_error_that_the_affine_fit_leaves() {
        // Fitted 0.5 3 3 5.5, residuals 0.5 −1 0 0.5: 1.5 / 4. And 14/4 × (1 − 100/112) = 0.375.
        close(shape_mse(&OBSERVED, &IMPUTED), 0.375);
        // Twice the imputed plus one has the same shape.
        let scaled = IMPUTED.map(|v| 2.0 * v + 1.0);
        close(shape_mse(&OBSERVED, &scaled), 0.375);
        // A constant can only be moved to the mean: var(observed) = 14 / 4.
        close(shape_mse(&OBSERVED, &[7.0; 4]), 3.5);
    }

    #[test]
    fn r_squared_compares_with_predicting_the_mean() {
        // Errors 1 0 1 2, squares 6 of 14.
        close(r_squared(&OBSERVED, &IMPUTED), 1.0 - 6.0 / 14.0);
        assert_eq!(r_squared(&[2.0f64, 2.0], &[1.0, 2.0]), None);
        assert_eq!(r_squared(&[2.0f64], &[2.0]), None);
    }

    #[test]
    fn departures_from_the_average_are_correlated() {
        // Average 1 1 2 2: imputed departs by −1 1 0 2, observed by 0 1 1 4.
        // Centred (means 0.5, 1.5): −1.5 .5 −.5 1.5 and −1.5 −.5 −.5 2.5;
        // squares 5 and 9, products 2.25 − .25 + .25 + 3.75 = 6.
        let average = [1.0, 1.0, 2.0, 2.0];
        close(
            departure_correlation(&OBSERVED, &IMPUTED, &average),
            6.0 / 45f64.sqrt(),
        );
        assert_eq!(departure_correlation(&OBSERVED, &average, &average), None);
        assert_eq!(
            departure_correlation(&OBSERVED, &IMPUTED, &average[..3]),
            None
        );
    }

    #[test]
    fn specificity_is_the_partial_correlation_given_the_average() {
        // Given 1 1 2 2, each value less its pair's mean: observed −.5 .5 −1.5 1.5, imputed −1 1 −1 1.
        // Squares 5 and 4, products .5 + .5 + 1.5 + 1.5 = 4.
        let average = [1.0, 1.0, 2.0, 2.0];
        close(
            specificity(&OBSERVED, &IMPUTED, &average),
            4.0 / 20f64.sqrt(),
        );
        // A constant average explains nothing.
        close(
            specificity(&OBSERVED, &IMPUTED, &[3.0; 4]),
            10.0 / (14.0f64 * 8.0).sqrt(),
        );
        assert_eq!(specificity(&OBSERVED, &IMPUTED, &average[..3]), None);
    }

    #[test]
    fn a_constant_times_the_average_is_not_specific() {
        // Observed: an average and something of its own, of equal variance, independent.
        let mut state = 1u64;
        let mut units = |scale: f32| -> Vec<f32> {
            let mut unit = || {
                state = (state.wrapping_mul(6_364_136_223_846_793_005))
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f32 / (1u64 << 24) as f32
            };
            (0..10_000).map(|_| scale * unit()).collect()
        };
        let (average, own, noise) = (units(3.0), units(3.0), units(0.1));
        let observed: Vec<f32> = average.iter().zip(&own).map(|(a, o)| 0.5 * a + o).collect();
        let shrunk: Vec<f32> = average.iter().map(|a| 0.7 * a).collect();
        let jittered: Vec<f32> = shrunk.iter().zip(&noise).map(|(s, e)| s + e).collect();
        // Half of what it is short of moves with it in both differences.
        assert!(departure_correlation(&observed, &shrunk, &average).unwrap() > 0.4);
        assert_eq!(specificity(&observed, &shrunk, &average), None);
        assert!(specificity(&observed, &jittered, &average).unwrap().abs() < 0.05);
        // What is right about the biosample scores whatever is mixed with it.
        let right: Vec<f32> = shrunk.iter().zip(&own).map(|(s, o)| s + 0.3 * o).collect();
        assert!(specificity(&observed, &right, &average).unwrap() > 0.999);
    }

    #[test]
    fn a_constant_has_no_correlation_however_it_rounds() {
        // 0.1 has no exact double: its mean over a million bins differs from it.
        let constant = vec![0.1f64; 1_000_000];
        let ramp: Vec<f64> = (0..1_000_000).map(f64::from).collect();
        assert_eq!(pearson(&ramp, &constant), None);
        assert_eq!(pearson(&constant, &ramp), None);
        assert_eq!(best_affine_fit(&ramp, &constant), None);
        assert_eq!(shape_mse(&constant, &ramp), Some(0.0));
    }

    #[test]
    fn undefined_inputs_give_nothing() {
        assert_eq!(pearson::<f64>(&[], &[]), None);
        assert_eq!(pearson(&[1.0f32], &[1.0]), None);
        assert_eq!(pearson(&[1.0f32, 2.0], &[1.0]), None);
        assert_eq!(pearson(&[1.0, f32::NAN, 2.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(shape_mse(&[1.0, f64::INFINITY], &[1.0, 2.0]), None);
        assert_eq!(CoMoments::default().pearson(), None);
        assert_eq!(CoMoments::default().variance_x(), None);
        assert_eq!(CoMoments::default().residual_variance(), None);
    }

    #[test]
    fn a_track_correlates_exactly_with_itself_at_any_scale() {
        for scale in [1.0, 0.1, 1e-100, 1e100] {
            let scaled = OBSERVED.map(|v| f64::from(v) * scale);
            assert_eq!(pearson(&scaled, &scaled), Some(1.0), "{scale}");
            let turned = scaled.map(|v| -v);
            assert_eq!(pearson(&scaled, &turned), Some(-1.0), "{scale}");
        }
    }

    #[test]
    fn a_large_offset_costs_no_digits() {
        let far = OBSERVED.map(|v| f64::from(v) + 1e8);
        let near = IMPUTED.map(f64::from);
        close(pearson(&far, &near), 10.0 / (14.0f64 * 8.0).sqrt());
    }

    proptest! {
        #[test]
        fn merged_parts_equal_the_whole(
            values in proptest::collection::vec((-50.0..50.0, -3.0..80.0), 2..200),
            cut in 0.0..1.0,
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
            let cut = (cut * x.len() as f64) as usize;
            let part = |a: &[f64], b: &[f64]| CoMoments::of(a, b).unwrap_or_default();
            let whole = part(&x, &y);
            let merged = part(&x[..cut], &y[..cut]).merge(part(&x[cut..], &y[cut..]));
            prop_assert_eq!(merged.n(), whole.n());
            let figures = |m: &CoMoments| [m.mean_x, m.mean_y, m.sum_xx, m.sum_yy, m.sum_xy];
            for (a, b) in figures(&merged).into_iter().zip(figures(&whole)) {
                prop_assert!((a - b).abs() <= 1e-11 * (1.0 + b.abs().max(whole.sum_xx)), "{} {}", a, b);
            }
            prop_assert_eq!((merged.range_x, merged.range_y), (whole.range_x, whole.range_y));
        }

        #[test]
        fn pearson_is_symmetric_and_blind_to_scale(
            values in proptest::collection::vec((-5.0..5.0, -5.0..5.0), 3..60),
            scale in 0.1..9.0f64, offset in -9.0..9.0f64,
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
            let r = pearson(&x, &y).unwrap();
            prop_assert_eq!(pearson(&y, &x), Some(r));
            let moved: Vec<f64> = y.iter().map(|v| -scale * v + offset).collect();
            prop_assert!((pearson(&x, &moved).unwrap() + r).abs() < 1e-9);
        }
    }
}
