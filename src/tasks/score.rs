//! Measures of out-of-fold predictions, and their spread over resampled units.
//!
//! The measures themselves are [`measures`](crate::measures)'; a bootstrap replicate needs them
//! with units counted several times or not at all, a thousand times over. Sorted once, a replicate
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

/// Whether more of a measure is better.
pub fn higher_is_better(measure: &str) -> bool {
    !matches!(measure, "brier" | "log_loss" | "mse")
}

/// A measure and where it lies in 95 of 100 resamplings of the units; `None` where it is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Measured {
    /// Of all predictions pooled.
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
        let (mut n, mut n_positive) = (0.0, 0.0);
        for i in 0..weights.len() {
            n += weight(i);
            n_positive += if positive(i) { weight(i) } else { 0.0 };
        }
        let n_negative = n - n_positive;
        if n_positive == 0.0 || n_negative == 0.0 {
            return [None; 4];
        }
        // From the highest prediction down, equal ones at once.
        let (mut tp, mut fp, mut precision_sum, mut pairs) = (0.0, 0.0, 0.0, 0.0);
        let mut at = self.by_prediction.len();
        while at > 0 {
            let level = self.predictions[self.by_prediction[at - 1]];
            let (mut p, mut q) = (0.0, 0.0);
            while at > 0 && self.predictions[self.by_prediction[at - 1]] == level {
                let i = self.by_prediction[at - 1];
                if positive(i) {
                    p += weight(i);
                } else {
                    q += weight(i);
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
            Some(precision_sum / n_positive),
            Some(pairs / (n_positive * n_negative)),
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

    /// The measures of each replicate.
    pub(crate) fn measure(&self, weighted: &Weighted<'_>) -> Vec<[Option<f64>; 4]> {
        if self.n_units < 2 {
            return Vec::new();
        }
        (0..self.n)
            .into_par_iter()
            .map(|b| weighted.measure(&self.weights(b)))
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
    fn intervals_are_wider_where_units_are_few() {
        let labels: Vec<f64> = (0..400u32)
            .map(|i| f64::from(u8::from(i * 7 % 10 < 3)))
            .collect();
        let predictions: Vec<f64> = (0..400u32)
            .map(|i| f64::from(i * 13 % 101) / 101.0 * 0.5 + 0.3 * labels[i as usize])
            .collect();
        let weighted = Weighted::new(Target::Classification, &labels, &predictions);
        let width = |unit: Vec<usize>| {
            let replicates = Replicates::new(unit, 300, 0).measure(&weighted);
            let (low, high) = interval(replicates.iter().map(|r| r[0]));
            high.unwrap() - low.unwrap()
        };
        let each = width((0..400).collect());
        // Units of one class: what is resampled is the class itself.
        let few = width((0..400).map(|i| (i as u32 * 7 % 10) as usize).collect());
        assert!(few > 2.0 * each, "{few} {each}");
        assert!(
            Replicates::new(vec![0; 400], 300, 0)
                .measure(&weighted)
                .is_empty()
        );
    }
}
