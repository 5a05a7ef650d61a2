//! A model against each competitor, track by track.
//!
//! Two predictors are scored on the same tracks, and tracks differ far more than predictors do. So what
//! is estimated is the mean over tracks of the difference between the two. Tracks are not independent
//! either: those of one biosample share its samples, those of one assay its antibody. The standard error
//! takes differences for an effect of the biosample, plus one of the assay, plus a rest (crossed random
//! effects), and estimates its parts from the variances between biosamples, between assays and of the
//! rest. The interval and p are Student's, with one degree of freedom less than there are biosamples or
//! assays, whichever are fewer.

use std::collections::BTreeMap;

use serde::Serialize;

/// The difference between a model and one competitor in one measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedDifference {
    /// The competitor.
    pub competitor: &'static str,
    /// The measure.
    pub measure: &'static str,
    /// Tracks on which it is defined for both.
    pub tracks: usize,
    /// Their biosamples.
    pub biosamples: usize,
    /// Their assays.
    pub assays: usize,
    /// The mean over tracks of the model's value less the competitor's.
    pub difference: f64,
    /// Tracks on which the model is better: lower in errors, higher in the others.
    pub wins: usize,
    /// Tracks on which both are the same.
    pub ties: usize,
    /// The standard error of the difference, tracks of one biosample and of one assay depending on
    /// each other; none where there are not two biosamples and two assays.
    pub standard_error: Option<f64>,
    /// The 95 % interval of the difference.
    pub interval_95: Option<[f64; 2]>,
    /// The two-sided p-value of no difference; of this measure and competitor alone, not corrected for
    /// their number.
    pub p: Option<f64>,
}

/// What came out, in a sentence: the model's error beside that of calibrated average activity, the best
/// guess that needs no model. `None` where they were not compared.
///
/// ```
/// use persea::evaluation::{PairedDifference, conclusion};
///
/// let found = PairedDifference {
///     competitor: "calibrated_average",
///     measure: "mse",
///     tracks: 4,
///     biosamples: 4,
///     assays: 2,
///     difference: -0.021,
///     wins: 4,
///     ties: 0,
///     standard_error: Some(0.004),
///     interval_95: Some([-0.03, -0.012]),
///     p: Some(0.004),
/// };
/// assert_eq!(
///     conclusion(&[found]).unwrap(),
///     "The model's mean squared error is lower than calibrated average activity's on 4 of 4 tracks, by 0.0210 \
///      in the mean (95 % interval of the difference: -0.0300 to -0.0120)."
/// );
/// ```
pub fn conclusion(paired: &[PairedDifference]) -> Option<String> {
    let is_wanted =
        |d: &&PairedDifference| d.measure == "mse" && d.competitor == "calibrated_average";
    let d = paired.iter().find(is_wanted)?;
    let (of, tracks) = match d.tracks {
        1 => (format!("{} of 1", d.wins), "track"),
        n => (format!("{} of {n}", d.wins), "tracks"),
    };
    let counted = format!(
        "The model's mean squared error is lower than calibrated average activity's on {of} {tracks}, by {:.4} in the mean",
        -d.difference
    );
    Some(match d.interval_95 {
        None => format!(
            "{counted}. Tracks of two biosamples and two assays are needed for an interval."
        ),
        Some([low, high]) => {
            let interval = format!("(95 % interval of the difference: {low:.4} to {high:.4})");
            match low <= 0.0 && high >= 0.0 {
                true => {
                    format!("{counted} {interval}; these tracks do not decide which is better.")
                }
                false => format!("{counted} {interval}."),
            }
        }
    })
}

/// A track's biosample and assay, the model's value and the competitor's.
pub(crate) type PairOfValues<'a> = (&'a str, &'a str, f64, f64);

impl PairedDifference {
    /// `None` of no tracks.
    pub(crate) fn of(
        competitor: &'static str,
        measure: &'static str,
        values: &[PairOfValues<'_>],
    ) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let lower_is_better = measure.contains("mse");
        let better = |v: &&PairOfValues<'_>| match lower_is_better {
            true => v.2 < v.3,
            false => v.2 > v.3,
        };
        let differences: Vec<(&str, &str, f64)> = (values.iter())
            .map(|(b, a, model, other)| (*b, *a, model - other))
            .collect();
        let crossed = Crossed::of(&differences);
        let freedom = crossed.biosamples.min(crossed.assays).saturating_sub(1);
        let error = crossed.standard_error.filter(|_| freedom > 0);
        let half = error.map(|e| e * student_quantile_975(freedom));
        let mean = crossed.mean;
        Some(PairedDifference {
            competitor,
            measure,
            tracks: values.len(),
            biosamples: crossed.biosamples,
            assays: crossed.assays,
            difference: mean,
            wins: values.iter().filter(better).count(),
            ties: values.iter().filter(|v| v.2 == v.3).count(),
            standard_error: error,
            interval_95: half.map(|h| [mean - h, mean + h]),
            p: error.and_then(|e| match e > 0.0 {
                true => Some(1.0 - student_within(mean.abs() / e, freedom)),
                // All tracks differ by the same: nothing, or a constant that has no error.
                false => (mean == 0.0).then_some(1.0),
            }),
        })
    }
}

/// A mean over cells of a table with effects of rows and columns.
struct Crossed {
    mean: f64,
    biosamples: usize,
    assays: usize,
    standard_error: Option<f64>,
}

impl Crossed {
    fn of(values: &[(&str, &str, f64)]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().map(|v| v.2).sum::<f64>() / n;
        let numbered = |of: fn(&(&str, &str, f64)) -> String| {
            let mut numbers = BTreeMap::new();
            let places: Vec<usize> = (values.iter())
                .map(|v| {
                    let next = numbers.len();
                    *numbers.entry(of(v)).or_insert(next)
                })
                .collect();
            (places, numbers.len())
        };
        let (rows, n_rows) = numbered(|v| v.0.to_string());
        let (columns, n_columns) = numbered(|v| v.1.to_string());
        let rest: Vec<f64> = values.iter().map(|v| v.2 - mean).collect();
        // The variance of the mean that groups show which depend on nothing outside of them.
        let between = |places: &[usize], groups: usize| {
            let mut sums = vec![0.0; groups];
            for (place, value) in places.iter().zip(&rest) {
                sums[*place] += value;
            }
            let squares: f64 = sums.iter().map(|s| s * s).sum();
            squares / (n * n) * groups as f64 / (groups as f64 - 1.0)
        };
        let standard_error = (n_rows > 1 && n_columns > 1).then(|| {
            let (by_row, by_column) = (between(&rows, n_rows), between(&columns, n_columns));
            // Both hold the rest's share of the variance; it is taken out once. Never below what one way
            // of grouping alone shows.
            let freedom = n - n_rows as f64 - n_columns as f64 + 1.0;
            let residual = without_effects(&rest, (&rows, n_rows), (&columns, n_columns));
            let shared = match freedom > 0.0 {
                true => residual.iter().map(|r| r * r).sum::<f64>() / freedom / n,
                false => 0.0,
            };
            (by_row + by_column - shared)
                .max(by_row)
                .max(by_column)
                .sqrt()
        });
        Crossed {
            mean,
            biosamples: n_rows,
            assays: n_columns,
            standard_error,
        }
    }
}

/// What effects of rows and columns, fitted by least squares, leave of values.
fn without_effects(
    values: &[f64],
    rows: (&[usize], usize),
    columns: (&[usize], usize),
) -> Vec<f64> {
    let mut rest = values.to_vec();
    // Alternating means converge to the least-squares fit.
    for _ in 0..200 {
        for (places, groups) in [rows, columns] {
            let mut sums = vec![(0.0, 0.0); groups];
            for (place, value) in places.iter().zip(&rest) {
                sums[*place].0 += value;
                sums[*place].1 += 1.0;
            }
            for (place, value) in places.iter().zip(&mut rest) {
                *value -= sums[*place].0 / sums[*place].1;
            }
        }
    }
    rest
}

/// The chance that |T| is below t, of Student's distribution with a whole number of degrees of freedom
/// (Abramowitz and Stegun 26.7.3 and 26.7.4).
fn student_within(t: f64, freedom: usize) -> f64 {
    let angle = (t / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let square = cosine * cosine;
    let odd = freedom % 2 == 1;
    // Terms of cosine¹ (or cosine⁰), then each by the one before.
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = 0.0;
    for step in 0..freedom / 2 {
        sum += term;
        let i = step as f64;
        let ratio = match odd {
            true => (2.0 * i + 2.0) / (2.0 * i + 3.0),
            false => (2.0 * i + 1.0) / (2.0 * i + 2.0),
        };
        term *= ratio * square;
    }
    let within = match odd {
        true => 2.0 / std::f64::consts::PI * (angle + sine * sum),
        false => sine * sum,
    };
    within.clamp(0.0, 1.0)
}

/// The 97.5 % quantile of that distribution.
fn student_quantile_975(freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if student_within(middle, freedom) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use rand_chacha::rand_core::RngCore;

    /// R: `qt(.975, c(1, 2, 4, 5, 30))`, `1 - 2 * pt(-2, c(1, 4, 5))`.
    #[test]
    fn students_distribution_is_that_of_the_tables() {
        for (freedom, quantile) in [
            (1, 12.706_204_7),
            (2, 4.302_652_7),
            (4, 2.776_445_1),
            (5, 2.570_581_8),
            (30, 2.042_272_5),
        ] {
            assert!(
                (student_quantile_975(freedom) - quantile).abs() < 1e-6,
                "{freedom}"
            );
        }
        for (freedom, within) in [(1, 0.704_832_8), (4, 0.883_883_5), (5, 0.898_060_5)] {
            assert!(
                (student_within(2.0, freedom) - within).abs() < 1e-6,
                "{freedom}"
            );
        }
    }

    #[test]
    fn wins_follow_the_measure_and_the_error_the_clusters() {
        // Rows differ by 2, columns not at all: (0 0 2 2), mean 1. Row sums of what is left −2 and 2:
        // 8 / 16 · 2 / 1 = 1. Columns show 0, the rest 0.
        let values = [
            ("x", "P", 1.0, 1.0),
            ("x", "Q", 2.0, 2.0),
            ("y", "P", 3.0, 1.0),
            ("y", "Q", 4.0, 2.0),
        ];
        let found = PairedDifference::of("average_activity", "mse", &values).unwrap();
        assert_eq!((found.difference, found.wins, found.ties), (1.0, 0, 2));
        assert_eq!((found.tracks, found.biosamples, found.assays), (4, 2, 2));
        assert!((found.standard_error.unwrap() - 1.0).abs() < 1e-12);
        // t = 1 with one degree of freedom: half of the distribution lies beyond ±1.
        assert!((found.p.unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(
            PairedDifference::of("x", "gwcorr", &values).unwrap().wins,
            2
        );
        let one = PairedDifference::of("x", "mse", &values[..1]).unwrap();
        assert_eq!((one.standard_error, one.p), (None, None));
        assert_eq!(PairedDifference::of("x", "mse", &[]), None);
    }

    /// The share of tables of 20 of 25 tracks, without a difference, whose p is up to 0.05; and what an
    /// error over independent tracks would say.
    fn rejected(row_effect: f64, column_effect: f64, seed: u64) -> (f64, f64) {
        let mut random = generator(seed, Purpose::Bins, 0);
        let mut normal = || {
            let unit = |n: u32| (f64::from(n) + 0.5) / 4_294_967_296.0;
            let (u, v) = (unit(random.next_u32()), unit(random.next_u32()));
            (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
        };
        let names = ["0", "1", "2", "3", "4"];
        let tables = 1_000;
        let (mut clustered, mut independent) = (0, 0);
        for _ in 0..tables {
            let rows: Vec<f64> = (0..5).map(|_| row_effect * normal()).collect();
            let columns: Vec<f64> = (0..5).map(|_| column_effect * normal()).collect();
            let mut values: Vec<PairOfValues<'_>> = Vec::new();
            for row in 0..5 {
                for column in (0..5).filter(|c| (row + c) % 5 != 0) {
                    let difference = rows[row] + columns[column] + normal();
                    values.push((names[row], names[column], difference, 0.0));
                }
            }
            let found = PairedDifference::of("x", "mse", &values).unwrap();
            clustered += usize::from(found.p.unwrap() <= 0.05);
            let squares: f64 = values
                .iter()
                .map(|v| (v.2 - found.difference).powi(2))
                .sum();
            let naive = (squares / 19.0 / 20.0).sqrt();
            independent += usize::from(found.difference.abs() / naive > 2.093);
        }
        let share = |n: usize| n as f64 / tables as f64;
        (share(clustered), share(independent))
    }

    #[test]
    fn a_planted_absence_of_difference_is_rejected_as_rarely_as_said() {
        for (i, (row, column)) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (3.0, 0.5)]
            .into_iter()
            .enumerate()
        {
            let (clustered, independent) = rejected(row, column, i as u64);
            assert!(clustered <= 0.075, "{row} {column}: {clustered}");
            // Tracks taken for independent are believed too often as soon as there are effects.
            assert_eq!(
                independent > 0.12,
                row > 0.0,
                "{row} {column}: {independent}"
            );
        }
    }
}
