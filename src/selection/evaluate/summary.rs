//! Means and standard errors over repetitions.

use serde::Serialize;

use super::choosers::Trial;
use super::{Chooser, Predictor};

/// What `select evaluate` came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// A row each similarity, chooser, size and predictor.
    pub rows: Vec<EvaluationRow>,
    /// What could not be scored.
    pub left_out: Vec<LeftOut>,
}

/// An assay or a similarity that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// One similarity, chooser, size and predictor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluationRow {
    /// What biosamples were compared by, and how.
    pub similarity: String,
    /// How they were chosen.
    pub chooser: Chooser,
    /// How many were chosen.
    pub k: usize,
    /// How the rest was predicted.
    pub predictor: Predictor,
    /// Over how many repetitions (draws of expression, assays of a compendium) the means are.
    pub n: usize,
    /// Mean squared error with the choice.
    pub chosen: f64,
    /// The mean with random choices.
    pub random: f64,
    /// The mean ratio of the two, and its standard error over the repetitions.
    pub ratio: f64,
    /// See `ratio`.
    pub ratio_standard_error: Option<f64>,
    /// The difference, chosen less random, and its standard error over the repetitions.
    pub difference: f64,
    /// See `difference`.
    pub standard_error: Option<f64>,
    /// The share of random choices that did better.
    pub random_better: f64,
    /// The errors of each repetition.
    pub repetitions: Vec<Repetition>,
}

/// The errors of one repetition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repetition {
    /// The assay, or the number of the draw.
    pub of: String,
    /// Mean squared error with the choice.
    pub chosen: f64,
    /// The mean with random choices.
    pub random: f64,
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean and its standard error; `None` of one value.
fn mean_and_error(values: &[f64]) -> (f64, Option<f64>) {
    let (mean, n) = (mean(values), values.len());
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (
        mean,
        (n > 1).then(|| (squares / (n * (n - 1)) as f64).sqrt()),
    )
}

/// Rows in the order in which similarities, sizes, predictors and choosers were tried.
pub(super) fn summed(trials: &[Trial]) -> Vec<EvaluationRow> {
    let key = |t: &Trial| (t.by.clone(), t.k, t.predictor, t.chooser);
    let mut keys: Vec<(String, usize, Predictor, Chooser)> = Vec::new();
    for trial in trials {
        let key = key(trial);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let row = |key_of_row: (String, usize, Predictor, Chooser)| {
        let of: Vec<&Trial> = trials.iter().filter(|t| key(t) == key_of_row).collect();
        let (similarity, k, predictor, chooser) = key_of_row;
        let repetitions: Vec<Repetition> = (of.iter())
            .map(|t| Repetition {
                of: t.repetition.clone(),
                chosen: t.chosen,
                random: mean(&t.random),
            })
            .collect();
        let over =
            |f: &dyn Fn(&Repetition) -> f64| -> Vec<f64> { repetitions.iter().map(f).collect() };
        let (difference, standard_error) = mean_and_error(&over(&|r| r.chosen - r.random));
        let (ratio, ratio_standard_error) = mean_and_error(&over(&|r| r.chosen / r.random));
        let better = |t: &&Trial| t.random.iter().filter(|r| **r < t.chosen).count();
        let n_random: usize = of.iter().map(|t| t.random.len()).sum();
        EvaluationRow {
            similarity,
            chooser,
            k,
            predictor,
            n: of.len(),
            chosen: mean(&over(&|r| r.chosen)),
            random: mean(&over(&|r| r.random)),
            ratio,
            ratio_standard_error,
            difference,
            standard_error,
            random_better: of.iter().map(better).sum::<usize>() as f64 / n_random.max(1) as f64,
            repetitions,
        }
    };
    keys.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_means_over_repetitions_with_their_standard_errors() {
        let trial = |repetition: &str, chosen, random: &[f64]| Trial {
            by: "observed".into(),
            repetition: repetition.into(),
            chooser: Chooser::Greedy,
            k: 2,
            predictor: Predictor::Mean,
            chosen,
            random: random.to_vec(),
        };
        let rows = summed(&[
            trial("A", 1.0, &[2.0, 4.0, 0.5, 1.5]),
            trial("B", 3.0, &[4.0, 4.0, 4.0, 4.0]),
        ]);
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!((row.n, row.chosen, row.random), (2, 2.0, 3.0));
        // Differences -1 and -1; ratios 1/2 and 3/4, half of whose distance is the standard error.
        assert_eq!((row.difference, row.standard_error), (-1.0, Some(0.0)));
        assert_eq!((row.ratio, row.ratio_standard_error), (0.625, Some(0.125)));
        assert_eq!(row.random_better, 0.125);
    }
}
