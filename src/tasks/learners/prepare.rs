//! What happens to features inside a fold: missing ones imputed, constant ones left out, all
//! standardised, some reduced or selected; everything learned from the training rows alone.

use std::collections::{HashMap, HashSet};

use ndarray::{Array2, ArrayView2, Axis, s};

use crate::linear::Components;
use crate::tasks::TaskError;
use crate::tasks::features::{Computed, Features};

/// Features as a learner takes them, `[n_rows, n_columns]`.
pub(crate) type Matrix = Array2<f64>;

/// How features are prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preparation {
    /// Leave values as they are, missing ones too: for learners that split on a threshold and know
    /// what missing means.
    pub raw: bool,
    /// Keep this many columns, those that go with the labels most.
    pub select: Option<usize>,
}

/// A preparation learned from training rows.
pub(crate) struct Prepared {
    raw: bool,
    terms: Vec<PreparedTerm>,
    /// Which columns of all terms' side by side are kept.
    kept: Option<Vec<usize>>,
}

struct PreparedTerm {
    /// Columns that vary in the training rows.
    columns: Vec<usize>,
    means: Vec<f64>,
    scales: Vec<f64>,
    /// Of a term that is reduced: `[n_columns, n_components]`.
    directions: Option<Array2<f64>>,
    /// The term with what the training rows were counted to.
    counted: Option<Features>,
}

/// A term whose last column is how many training rows other than itself have each row's key.
fn counted(term: &Features, train: &[usize]) -> Option<Features> {
    let keys = term.counted.as_ref()?;
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for row in train {
        *counts.entry(keys[*row]).or_default() += 1;
    }
    let own: HashSet<usize> = train.iter().copied().collect();
    let mut counted = term.clone();
    let last = term.columns.len() - 1;
    for (row, values) in counted.values.chunks_mut(term.columns.len()).enumerate() {
        let n = counts.get(&keys[row]).copied().unwrap_or(0);
        values[last] = (n - usize::from(own.contains(&row))) as f32;
    }
    Some(counted)
}

impl Prepared {
    /// Learns a preparation from the training rows.
    ///
    /// # Errors
    /// When no column varies there: all are missing, or constant.
    pub(crate) fn learn(
        features: &Computed,
        train: &[usize],
        labels: &[f64],
        preparation: Preparation,
    ) -> Result<Self, TaskError> {
        let raw = preparation.raw;
        let mut terms = Vec::new();
        for term in &features.terms {
            let counted = counted(term, train);
            let term: &Features = counted.as_ref().unwrap_or(term);
            let mut prepared = standardiser(term, train);
            if let Some(width) = term.reduce_to
                && width < prepared.columns.len()
            {
                let standardised = prepared.standardised(term, train);
                prepared.directions = Some(Components::of(&standardised, width).directions);
            }
            prepared.counted = counted;
            terms.push(prepared);
        }
        if terms.iter().all(|t| t.columns.is_empty()) {
            let missing = features.terms.iter().all(|t| {
                let mut values = train.iter().flat_map(|i| t.row(*i));
                values.all(|v| v.is_nan())
            });
            return Err(TaskError::Features(match missing {
                true => "all features are missing in the training part of a fold".into(),
                false => "no feature varies in the training part of a fold".into(),
            }));
        }
        let mut prepared = Prepared {
            raw,
            terms,
            kept: None,
        };
        if let Some(n) = preparation.select {
            let matrix = prepared.apply(features, train);
            if n < matrix.ncols() {
                prepared.kept = Some(strongest(matrix.view(), labels, n));
            }
        }
        Ok(prepared)
    }

    /// Prepares rows.
    pub(crate) fn apply(&self, features: &Computed, rows: &[usize]) -> Matrix {
        let parts: Vec<Matrix> = self
            .terms
            .iter()
            .zip(&features.terms)
            .map(|(prepared, term)| {
                let term: &Features = prepared.counted.as_ref().unwrap_or(term);
                prepared.apply(term, rows, self.raw)
            })
            .collect();
        let n_columns: usize = parts.iter().map(|p| p.ncols()).sum();
        let mut out = Array2::zeros((rows.len(), n_columns));
        let mut at = 0;
        for part in parts {
            out.slice_mut(s![.., at..at + part.ncols()]).assign(&part);
            at += part.ncols();
        }
        match &self.kept {
            Some(kept) => out.select(Axis(1), kept),
            None => out,
        }
    }
}

/// Mean and standard deviation of each column over the training rows, without missing values.
fn standardiser(term: &Features, train: &[usize]) -> PreparedTerm {
    let n_columns = term.columns.len();
    let (mut count, mut sum) = (vec![0.0; n_columns], vec![0.0; n_columns]);
    for i in train {
        for (c, v) in term.row(*i).iter().enumerate() {
            if !v.is_nan() {
                count[c] += 1.0;
                sum[c] += f64::from(*v);
            }
        }
    }
    let means: Vec<f64> = sum
        .iter()
        .zip(&count)
        .map(|(s, n)| s / f64::max(*n, 1.0))
        .collect();
    let mut squares = vec![0.0; n_columns];
    for i in train {
        for (c, v) in term.row(*i).iter().enumerate() {
            if !v.is_nan() {
                squares[c] += (f64::from(*v) - means[c]).powi(2);
            }
        }
    }
    let scale = |c: usize| (squares[c] / f64::max(count[c], 1.0)).sqrt();
    // A column whose spread is rounding error is constant.
    let varies = |c: &usize| scale(*c) > 1e-9 * (1.0 + means[*c].abs());
    let columns: Vec<usize> = (0..n_columns).filter(varies).collect();
    PreparedTerm {
        means: columns.iter().map(|c| means[*c]).collect(),
        scales: columns.iter().map(|c| scale(*c)).collect(),
        columns,
        directions: None,
        counted: None,
    }
}

impl PreparedTerm {
    fn standardised(&self, term: &Features, rows: &[usize]) -> Matrix {
        let mut out = Array2::zeros((rows.len(), self.columns.len()));
        for (mut to, i) in out.axis_iter_mut(Axis(0)).zip(rows) {
            let from = term.row(*i);
            for (k, c) in self.columns.iter().enumerate() {
                let v = from[*c];
                // The mean, where it is missing.
                if !v.is_nan() {
                    to[k] = (f64::from(v) - self.means[k]) / self.scales[k];
                }
            }
        }
        out
    }

    fn apply(&self, term: &Features, rows: &[usize], raw: bool) -> Matrix {
        match (&self.directions, raw) {
            (Some(directions), _) => self.standardised(term, rows).dot(directions),
            (None, false) => self.standardised(term, rows),
            (None, true) => {
                let mut out = Array2::zeros((rows.len(), self.columns.len()));
                for (mut to, i) in out.axis_iter_mut(Axis(0)).zip(rows) {
                    let from = term.row(*i);
                    for (k, c) in self.columns.iter().enumerate() {
                        to[k] = f64::from(from[*c]);
                    }
                }
                out
            }
        }
    }
}

/// The columns whose correlation with the labels is strongest, in their order.
fn strongest(matrix: ArrayView2<'_, f64>, labels: &[f64], n: usize) -> Vec<usize> {
    let strength = |c: usize| {
        let column: Vec<f64> = matrix
            .column(c)
            .iter()
            .map(|v| if v.is_nan() { 0.0 } else { *v })
            .collect();
        crate::measures::pearson(&column, labels).map_or(0.0, f64::abs)
    };
    let strengths: Vec<f64> = (0..matrix.ncols()).map(strength).collect();
    let mut order: Vec<usize> = (0..matrix.ncols()).collect();
    order.sort_by(|a, b| strengths[*b].total_cmp(&strengths[*a]).then(a.cmp(b)));
    order.truncate(n);
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::tasks::features::Column;

    fn features(n_columns: usize, values: Vec<f32>) -> Computed {
        let column = |i: usize| Column {
            name: format!("c{i}"),
            group: "g".into(),
        };
        Computed {
            terms: vec![Arc::new(Features {
                columns: (0..n_columns).map(column).collect(),
                values,
                reduce_to: None,
                counted: None,
            })],
        }
    }

    const PLAIN: Preparation = Preparation {
        raw: false,
        select: None,
    };

    #[test]
    fn means_and_scales_are_the_training_rows_and_missing_is_the_mean() {
        let nan = f32::NAN;
        // The third column is constant in training, the last row is not trained on.
        let values = vec![1.0, nan, 5.0, 3.0, 2.0, 5.0, 5.0, 4.0, 5.0, 100.0, nan, 7.0];
        let features = features(3, values);
        let prepared = Prepared::learn(&features, &[0, 1, 2], &[0.0; 3], PLAIN).unwrap();
        let matrix = prepared.apply(&features, &[0, 1, 2, 3]);
        assert_eq!(matrix.ncols(), 2);
        let scale = (8.0f64 / 3.0).sqrt();
        assert!((matrix[[0, 0]] + 2.0 / scale).abs() < 1e-12);
        assert!((matrix[[3, 0]] - 97.0 / scale).abs() < 1e-12);
        // Of 2 and 4.
        assert_eq!(matrix.column(1).to_vec(), [0.0, -1.0, 1.0, 0.0]);
        let raw = Preparation { raw: true, ..PLAIN };
        let raw = Prepared::learn(&features, &[0, 1, 2], &[0.0; 3], raw).unwrap();
        let matrix = raw.apply(&features, &[3]);
        assert_eq!(matrix[[0, 0]], 100.0);
        assert!(matrix[[0, 1]].is_nan());
    }

    #[test]
    fn keys_are_counted_in_the_other_training_rows() {
        let mut features = features(1, vec![0.0; 6]);
        let term = Features {
            counted: Some(vec![7, 7, 7, 3, 7, 3]),
            ..(*features.terms[0]).clone()
        };
        features.terms = vec![Arc::new(term)];
        let raw = Preparation { raw: true, ..PLAIN };
        let prepared = Prepared::learn(&features, &[0, 1, 3], &[0.0; 3], raw).unwrap();
        let counts = prepared.apply(&features, &[0, 1, 2, 3, 4, 5]);
        assert_eq!(counts.column(0).to_vec(), [1.0, 1.0, 2.0, 0.0, 2.0, 1.0]);
    }

    #[test]
    fn features_that_tell_nothing_are_refused() {
        let missing = features(1, vec![f32::NAN; 3]);
        let refused = Prepared::learn(&missing, &[0, 1, 2], &[0.0; 3], PLAIN);
        assert!(
            refused
                .err()
                .unwrap()
                .to_string()
                .contains("all features are missing")
        );
        let constant = features(1, vec![0.1; 3]);
        let refused = Prepared::learn(&constant, &[0, 1, 2], &[0.0; 3], PLAIN);
        assert!(
            refused
                .err()
                .unwrap()
                .to_string()
                .contains("no feature varies")
        );
    }

    #[test]
    fn selection_sees_the_training_rows_only() {
        // The first column goes with the labels in training, the second only in the last rows.
        let rows = [
            [0.0, 1.0],
            [1.0, 0.9],
            [0.0, 1.1],
            [1.0, 1.0],
            [0.5, 90.0],
            [0.5, 0.0],
        ];
        let features = features(2, rows.iter().flatten().map(|v| *v as f32).collect());
        let labels = [0.0, 1.0, 0.0, 1.0];
        let select = Preparation {
            select: Some(1),
            ..PLAIN
        };
        let prepared = Prepared::learn(&features, &[0, 1, 2, 3], &labels, select).unwrap();
        assert_eq!(prepared.kept, Some(vec![0]));
    }
}
