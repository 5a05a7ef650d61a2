//! Measures of out-of-fold predictions, and their spread over resampled units.
//!
//! The measures themselves are [`measures`](crate::measures)'; a bootstrap replicate needs them
//! with units counted several times or not at all, thousands of times over. Sorted once, a replicate
//! costs one pass.

use std::collections::HashMap;

use rand_chacha::rand_core::RngCore;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Target;
use crate::measures;
use crate::random::{Purpose, generator};

/// The measures of a target, the one that feature sets are compared by first.
pub const fn measure_names(target: Target) -> [&'static str; 4] {
    match target {
        Target::Classification => ["average_precision", "auroc", "brier", "log_loss"],
        Target::Regression => ["r_squared", "pearson", "spearman", "mse"],
    }
}

/// The first measure of a target within parts of the examples: average precision within folds (the
/// mean over the folds where it is defined), or R² within units (labels and predictions less their
/// unit's mean, so that what differs between units neither helps nor hurts).
pub const fn within_name(target: Target) -> &'static str {
    match target {
        Target::Classification => "average_precision_within_folds",
        Target::Regression => "r_squared_within_units",
    }
}

/// Whether more of a measure is better.
pub fn higher_is_better(measure: &str) -> bool {
    !matches!(measure, "brier" | "log_loss" | "mse")
}

/// A measure and where it lies in 95 of 100 resamplings of the units (and, where examples were divided
/// into folds several times, of the divisions); `None` where it is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Measured {
    /// Of all predictions pooled; the mean over the divisions into folds.
    pub value: Option<f64>,
    /// The 2.5th percentile.
    pub low: Option<f64>,
    /// The 97.5th percentile.
    pub high: Option<f64>,
}

/// The measures of predictions; labels of two classes are 0 and 1.
pub(crate) fn measure(target: Target, labels: &[f64], predictions: &[f64]) -> [Option<f64>; 4] {
    match target {
        Target::Classification => {
            let classes: Vec<bool> = labels.iter().map(|l| *l > 0.5).collect();
            // Where all are of one class, neither curve says anything.
            let both = classes.iter().any(|c| *c) && classes.iter().any(|c| !*c);
            [
                measures::average_precision(&classes, predictions).filter(|_| both),
                measures::auroc(&classes, predictions),
                measures::brier(&classes, predictions),
                measures::log_loss(&classes, predictions),
            ]
        }
        Target::Regression => [
            measures::r_squared(labels, predictions),
            measures::pearson(labels, predictions),
            measures::spearman(labels, predictions),
            measures::mse(labels, predictions),
        ],
    }
}

/// Predictions, sorted for counting with weights.
pub(crate) struct Weighted<'a> {
    target: Target,
    labels: &'a [f64],
    predictions: &'a [f64],
    /// Examples by rising prediction, and by rising label.
    by_prediction: Vec<usize>,
    by_label: Vec<usize>,
    probabilities: bool,
}

impl<'a> Weighted<'a> {
    pub(crate) fn new(target: Target, labels: &'a [f64], predictions: &'a [f64]) -> Self {
        let sorted = |values: &[f64]| {
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
            order
        };
        Weighted {
            target,
            by_prediction: sorted(predictions),
            by_label: match target {
                Target::Regression => sorted(labels),
                Target::Classification => Vec::new(),
            },
            probabilities: predictions.iter().all(|p| (0.0..=1.0).contains(p)),
            labels,
            predictions,
        }
    }

    /// The measures with each example counted as often as its weight says.
    pub(crate) fn measure(&self, weights: &[u32]) -> [Option<f64>; 4] {
        match self.target {
            Target::Classification => self.classes(weights),
            Target::Regression => self.numbers(weights),
        }
    }

    fn classes(&self, weights: &[u32]) -> [Option<f64>; 4] {
        let weight = |i: usize| f64::from(weights[i]);
        let positive = |i: usize| self.labels[i] > 0.5;
        let n: f64 = (0..weights.len()).map(weight).sum();
        let curves = curves(&self.by_prediction, self.labels, self.predictions, weights);
        let Some((average_precision, auroc)) = curves else {
            return [None; 4];
        };
        let (mut brier, mut surprise) = (0.0, 0.0);
        if self.probabilities {
            for (i, p) in self.predictions.iter().enumerate() {
                let y = if positive(i) { 1.0 } else { 0.0 };
                brier += weight(i) * (p - y).powi(2);
                let of_label = if positive(i) { *p } else { 1.0 - p };
                surprise -= weight(i) * of_label.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
            }
        }
        let mean = |sum: f64| self.probabilities.then_some(sum / n);
        [
            Some(average_precision),
            Some(auroc),
            mean(brier),
            mean(surprise),
        ]
    }

    fn numbers(&self, weights: &[u32]) -> [Option<f64>; 4] {
        let n: f64 = weights.iter().map(|w| f64::from(*w)).sum();
        if n == 0.0 {
            return [None; 4];
        }
        let squared: f64 = (0..weights.len())
            .map(|i| f64::from(weights[i]) * (self.labels[i] - self.predictions[i]).powi(2))
            .sum();
        let (_, spread, _) = moments(self.labels, self.predictions, weights, n);
        let ranks = |order: &[usize], values: &[f64]| weighted_ranks(order, values, weights);
        let (a, b) = (
            ranks(&self.by_label, self.labels),
            ranks(&self.by_prediction, self.predictions),
        );
        [
            (!is_rounding(spread, self.labels, n)).then(|| 1.0 - squared / spread),
            correlation(self.labels, self.predictions, weights, n),
            correlation(&a, &b, weights, n),
            Some(squared / n),
        ]
    }
}

/// Average precision and AUROC of examples that are given by rising prediction; `None` where they are
/// of one class.
fn curves(
    order: &[usize],
    labels: &[f64],
    predictions: &[f64],
    weights: &[u32],
) -> Option<(f64, f64)> {
    // From the highest prediction down, equal ones at once.
    let (mut tp, mut fp, mut precision_sum, mut pairs) = (0.0, 0.0, 0.0, 0.0);
    let mut at = order.len();
    while at > 0 {
        let level = predictions[order[at - 1]];
        let (mut p, mut q) = (0.0, 0.0);
        while at > 0 && predictions[order[at - 1]] == level {
            let i = order[at - 1];
            let weight = f64::from(weights[i]);
            if labels[i] > 0.5 {
                p += weight;
            } else {
                q += weight;
            }
            at -= 1;
        }
        pairs += q * (tp + p / 2.0);
        tp += p;
        fp += q;
        if p > 0.0 {
            precision_sum += p * tp / (tp + fp);
        }
    }
    (tp > 0.0 && fp > 0.0).then(|| (precision_sum / tp, pairs / (tp * fp)))
}

/// Predictions, made ready for the first measure within parts of the examples.
pub(crate) enum Within<'a> {
    /// Each fold's examples by rising prediction.
    Folds {
        labels: &'a [f64],
        predictions: &'a [f64],
        orders: Vec<Vec<usize>>,
    },
    /// Of each unit: one of its examples, all of which have the same weight, the squares of what is
    /// left of the labels less their mean by predictions less theirs, and the squares of the former.
    Units(Vec<(usize, f64, f64)>),
}

impl<'a> Within<'a> {
    /// `fold` and `unit` are those of each prediction.
    pub(crate) fn new(
        target: Target,
        labels: &'a [f64],
        predictions: &'a [f64],
        fold: &[usize],
        unit: &[usize],
    ) -> Self {
        let gather = |of: &[usize]| -> Vec<Vec<usize>> {
            let mut parts = vec![Vec::new(); of.iter().max().map_or(0, |m| m + 1)];
            of.iter().enumerate().for_each(|(i, p)| parts[*p].push(i));
            parts
        };
        if target == Target::Classification {
            let mut orders = gather(fold);
            for order in &mut orders {
                order.sort_by(|a, b| predictions[*a].total_cmp(&predictions[*b]));
            }
            return Within::Folds {
                labels,
                predictions,
                orders,
            };
        }
        let of_unit = |examples: Vec<usize>| {
            let first = *examples.first()?;
            let mean = |values: &[f64]| {
                examples.iter().map(|i| values[*i]).sum::<f64>() / examples.len() as f64
            };
            let (label, prediction) = (mean(labels), mean(predictions));
            let (mut left, mut all) = (0.0, 0.0);
            for i in &examples {
                let y = labels[*i] - label;
                left += (y - (predictions[*i] - prediction)).powi(2);
                all += y * y;
            }
            Some((first, left, all))
        };
        Within::Units(gather(unit).into_iter().filter_map(of_unit).collect())
    }

    /// The measure with each example counted as often as its weight says.
    pub(crate) fn measure(&self, weights: &[u32]) -> Option<f64> {
        match self {
            Within::Folds {
                labels,
                predictions,
                orders,
            } => {
                let of = |order: &Vec<usize>| Some(curves(order, labels, predictions, weights)?.0);
                let defined: Vec<f64> = orders.iter().filter_map(of).collect();
                mean(&defined)
            }
            Within::Units(units) => {
                let (mut left, mut all) = (0.0, 0.0);
                for (first, l, a) in units {
                    left += f64::from(weights[*first]) * l;
                    all += f64::from(weights[*first]) * a;
                }
                (all > 0.0).then(|| 1.0 - left / all)
            }
        }
    }
}

/// Their mean, if there are any.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A number that was found several times over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How often.
    pub n: usize,
    /// The mean.
    pub mean: f64,
    /// The standard deviation (n − 1).
    pub deviation: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// `None` of fewer than two.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let (n, mean) = (values.len(), mean(values)?);
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        (n > 1).then(|| Spread {
            n,
            mean,
            deviation: (squares / (n - 1) as f64).sqrt(),
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            most: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// The standard error of the mean of scores of folds. Scores of folds whose training parts share
/// examples are correlated: their variance is not divided by their number alone, but the share
/// `n_test / n_train` is added (Nadeau and Bengio 2003; for repeated cross-validation Bouckaert and
/// Frank 2004). `None` of fewer than two.
pub(crate) fn fold_standard_error(scores: &[f64], test_share: Option<f64>) -> Option<f64> {
    let spread = Spread::of(scores)?;
    let share = 1.0 / scores.len() as f64 + test_share.unwrap_or(0.0);
    Some(spread.deviation * share.sqrt())
}

/// Sums of products of deviations, of squares of each.
fn moments(x: &[f64], y: &[f64], weights: &[u32], n: f64) -> (f64, f64, f64) {
    let mean = |v: &[f64]| {
        v.iter()
            .zip(weights)
            .map(|(v, w)| v * f64::from(*w))
            .sum::<f64>()
            / n
    };
    let (mx, my) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for ((x, y), w) in x.iter().zip(y).zip(weights) {
        let (dx, dy, w) = (x - mx, y - my, f64::from(*w));
        xy += w * dx * dy;
        xx += w * dx * dx;
        yy += w * dy * dy;
    }
    (xy, xx, yy)
}

fn correlation(x: &[f64], y: &[f64], weights: &[u32], n: f64) -> Option<f64> {
    let (xy, xx, yy) = moments(x, y, weights, n);
    (!is_rounding(xx, x, n) && !is_rounding(yy, y, n)).then(|| xy / (xx * yy).sqrt())
}

/// Whether a sum of squared deviations is what rounding leaves of equal values.
fn is_rounding(squares: f64, values: &[f64], n: f64) -> bool {
    let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    squares <= n * (1e-12 * largest).powi(2)
}

/// Ranks with each example counted as often as its weight says, equal values sharing the mean.
fn weighted_ranks(order: &[usize], values: &[f64], weights: &[u32]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    let (mut at, mut before) = (0, 0.0);
    while at < order.len() {
        let start = at;
        let mut here = 0.0;
        while at < order.len() && values[order[at]] == values[order[start]] {
            here += f64::from(weights[order[at]]);
            at += 1;
        }
        for i in &order[start..at] {
            ranks[*i] = before + (here + 1.0) / 2.0;
        }
        before += here;
    }
    ranks
}

/// Bootstrap replicates: how often each draws each unit. The same for all predictions of a run, so
/// that differences are paired.
pub(crate) struct Replicates {
    unit: Vec<usize>,
    n_units: usize,
    n: usize,
    seed: u64,
}

impl Replicates {
    pub(crate) fn new(unit: Vec<usize>, n: usize, seed: u64) -> Self {
        // Numbered anew: a unit without a prediction must not be drawn.
        let mut numbers = HashMap::new();
        let numbered = unit.into_iter().map(|u| {
            let next = numbers.len();
            *numbers.entry(u).or_insert(next)
        });
        let unit: Vec<usize> = numbered.collect();
        Replicates {
            n_units: numbers.len(),
            unit,
            n,
            seed,
        }
    }

    /// Independent units.
    pub(crate) fn n_units(&self) -> usize {
        self.n_units
    }

    /// How often a replicate counts each example.
    fn weights(&self, replicate: usize) -> Vec<u32> {
        let mut rng = generator(self.seed, Purpose::Bootstrap, replicate as u64);
        let mut drawn = vec![0u32; self.n_units];
        for _ in 0..self.n_units {
            let at = (u64::from(rng.next_u32()) * self.n_units as u64) >> 32;
            drawn[at as usize] += 1;
        }
        self.unit.iter().map(|u| drawn[*u]).collect()
    }

    /// What `of` makes of each replicate: its number, and how often it counts each example.
    pub(crate) fn map<T: Send>(&self, of: impl Fn(usize, &[u32]) -> T + Sync) -> Vec<T> {
        if self.n_units < 2 {
            return Vec::new();
        }
        (0..self.n)
            .into_par_iter()
            .map(|b| of(b, &self.weights(b)))
            .collect()
    }
}

/// The 2.5th and 97.5th percentile of what replicates gave; none where fewer than half gave
/// anything.
pub(crate) fn interval(
    replicates: impl Iterator<Item = Option<f64>>,
) -> (Option<f64>, Option<f64>) {
    let all: Vec<Option<f64>> = replicates.collect();
    let mut defined: Vec<f64> = all.iter().flatten().copied().collect();
    if defined.len() * 2 < all.len() || defined.len() < 20 {
        return (None, None);
    }
    defined.sort_by(f64::total_cmp);
    let at = |q: f64| {
        let place = (q * (defined.len() - 1) as f64).round() as usize;
        defined.get(place).copied()
    };
    (at(0.025), at(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: Option<f64>, b: Option<f64>) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
            (a, b) => a.is_none() && b.is_none(),
        }
    }

    proptest! {
        #[test]
        fn counting_with_weights_equals_repeating_examples(
            rows in prop::collection::vec((0u8..5, 0u8..6, 0u32..4), 2..60),
        ) {
            for target in [Target::Classification, Target::Regression] {
                let label = |l: u8| match target {
                    Target::Classification => f64::from(u8::from(l > 2)),
                    Target::Regression => f64::from(l),
                };
                let labels: Vec<f64> = rows.iter().map(|r| label(r.0)).collect();
                let predictions: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 5.0).collect();
                let weights: Vec<u32> = rows.iter().map(|r| r.2).collect();
                let repeat = |values: &[f64]| -> Vec<f64> {
                    values.iter().zip(&weights)
                        .flat_map(|(v, w)| std::iter::repeat_n(*v, *w as usize))
                        .collect()
                };
                let expected = measure(target, &repeat(&labels), &repeat(&predictions));
                let got = Weighted::new(target, &labels, &predictions).measure(&weights);
                for (i, (g, e)) in got.iter().zip(expected).enumerate() {
                    // One class alone still has a Brier score; a replicate of it tells nothing.
                    if target == Target::Classification && e.is_some() && expected[1].is_none() {
                        continue;
                    }
                    prop_assert!(close(*g, e), "{} {:?} {:?}", measure_names(target)[i], g, e);
                }
            }
        }
    }

    #[test]
    fn one_class_has_no_curve_and_scores_have_no_brier() {
        let all = measure(Target::Classification, &[1.0, 1.0], &[0.5, 0.25]);
        assert_eq!((all[0], all[1]), (None, None));
        assert!(all[2].is_some());
        let scores = measure(Target::Classification, &[1.0, 0.0], &[5.0, -2.0]);
        assert_eq!(scores, [Some(1.0), Some(1.0), None, None]);
    }

    #[test]
    fn standard_errors_of_folds_are_corrected_for_shared_training_parts() {
        // Variance 0.02 / 3; 1/4 alone, and with 1/3 for four folds that share training parts.
        let scores = [0.5, 0.6, 0.7, 0.6];
        let plain = fold_standard_error(&scores, None).unwrap();
        assert!((plain - (0.02f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
        let shared = fold_standard_error(&scores, Some(1.0 / 3.0)).unwrap();
        assert!((shared - (0.02f64 / 3.0 * (1.0 / 4.0 + 1.0 / 3.0)).sqrt()).abs() < 1e-12);
        assert_eq!(fold_standard_error(&[0.5], None), None);
    }

    #[test]
    fn predictions_that_know_only_the_region_have_no_r_squared_within() {
        // Three regions of different level, four examples each.
        let unit: Vec<usize> = (0..12).map(|i| i / 4).collect();
        let labels: Vec<f64> = (0..12)
            .map(|i| (i / 4 * 10) as f64 + [0.0, 1.0, 2.0, 3.0][i % 4])
            .collect();
        let of = |predictions: &[f64]| {
            let within = Within::new(Target::Regression, &labels, predictions, &unit, &unit);
            let pooled = measure(Target::Regression, &labels, predictions)[0].unwrap();
            (pooled, within.measure(&[1; 12]).unwrap())
        };
        let level: Vec<f64> = unit.iter().map(|u| (u * 10) as f64 + 1.5).collect();
        let (pooled, within) = of(&level);
        assert!(pooled > 0.98 && within.abs() < 1e-12, "{pooled} {within}");
        // The other way round: the order within each region, and nothing of its level.
        let order: Vec<f64> = (0..12).map(|i| [10.0, 11.0, 12.0, 13.0][i % 4]).collect();
        let (pooled, within) = of(&order);
        assert!(
            pooled < 0.05 && (within - 1.0).abs() < 1e-12,
            "{pooled} {within}"
        );
        // A region that is not drawn does not count.
        let mut half = order.clone();
        half[..4].copy_from_slice(&[1.5; 4]);
        let within = Within::new(Target::Regression, &labels, &half, &unit, &unit);
        let weights: Vec<u32> = unit.iter().map(|u| [0, 1, 3][*u]).collect();
        assert!((within.measure(&weights).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn average_precision_within_folds_is_not_hurt_by_folds_that_are_shifted() {
        // Each fold is ranked perfectly, the second fold's scores lie above the first's.
        let labels = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
        let predictions = [0.1, 0.2, 0.5, 0.9, 0.6, 0.7];
        let fold = [0, 0, 1, 1, 1, 2];
        let within = Within::new(Target::Classification, &labels, &predictions, &fold, &fold);
        assert_eq!(within.measure(&[1; 6]), Some(1.0));
        let pooled = measure(Target::Classification, &labels, &predictions)[0].unwrap();
        assert!((pooled - (1.0 + 2.0 / 5.0) / 2.0).abs() < 1e-12);
        // The fold without a positive is undefined, and so is a replicate without any.
        assert_eq!(within.measure(&[1, 0, 1, 0, 1, 1]), None);
    }

    #[test]
    fn intervals_are_wider_where_units_are_few() {
        let labels: Vec<f64> = (0..400u32)
            .map(|i| f64::from(u8::from(i * 7 % 10 < 3)))
            .collect();
        let predictions: Vec<f64> = (0..400u32)
            .map(|i| f64::from(i * 13 % 101) / 101.0 * 0.5 + 0.3 * labels[i as usize])
            .collect();
        let weighted = Weighted::new(Target::Classification, &labels, &predictions);
        let width = |unit: Vec<usize>| {
            let replicates = Replicates::new(unit, 300, 0).map(|_, w| weighted.measure(w));
            let (low, high) = interval(replicates.iter().map(|r| r[0]));
            high.unwrap() - low.unwrap()
        };
        let each = width((0..400).collect());
        // Units of one class: what is resampled is the class itself.
        let few = width((0..400).map(|i| (i as u32 * 7 % 10) as usize).collect());
        assert!(few > 2.0 * each, "{few} {each}");
        assert!(
            Replicates::new(vec![0; 400], 300, 0)
                .map(|_, w| weighted.measure(w))
                .is_empty()
        );
    }
}
