//! Feature-based functions: of each feature as much as possible, with diminishing returns
//! (Kirchhoff and Bilmes 2014; Wei et al. 2014).

use std::str::FromStr;

use rayon::prelude::*;

use super::SelectionError;
use super::objective::Objective;

/// A concave function of a feature's sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concave {
    /// √x.
    Sqrt,
    /// ln(1 + x).
    Log,
    /// x / (1 + x).
    Sigmoid,
}

impl FromStr for Concave {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sqrt" => Ok(Concave::Sqrt),
            "log" => Ok(Concave::Log),
            "sigmoid" => Ok(Concave::Sigmoid),
            _ => Err(format!("`{text}` is none of sqrt, log, sigmoid")),
        }
    }
}

impl Concave {
    fn of(self, x: f64) -> f64 {
        match self {
            Concave::Sqrt => x.sqrt(),
            Concave::Log => x.ln_1p(),
            Concave::Sigmoid => x / (1.0 + x),
        }
    }

    /// What it rises by from `from` to `from + by`, so computed that it falls as `from` rises.
    fn rise(self, from: f64, by: f64) -> f64 {
        if by <= 0.0 {
            return 0.0;
        }
        match self {
            Concave::Sqrt => by / ((from + by).sqrt() + from.sqrt()),
            Concave::Log => (by / (1.0 + from)).ln_1p(),
            Concave::Sigmoid => by / ((1.0 + from + by) * (1.0 + from)),
        }
    }
}

/// Non-negative features of items.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    width: usize,
    /// `[n, width]`.
    values: Vec<f64>,
}

impl Features {
    /// Takes features that are non-negative, `[n, width]`, row-major.
    ///
    /// # Errors
    /// When one is negative or not finite.
    pub fn new(width: usize, values: Vec<f64>) -> Result<Self, SelectionError> {
        if width == 0 || values.iter().any(|v| !v.is_finite() || *v < 0.0) {
            return Err(SelectionError::question(
                "features must be finite and not negative",
            ));
        }
        Ok(Features { width, values })
    }

    /// Makes features of numbers of any sign: each column, less its mean over the items, gives two:
    /// how far an item is above it, and how far below.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn above_and_below(width: usize, values: &[f32]) -> Result<Self, SelectionError> {
        let n = values.len() / width.max(1);
        let mut features = vec![0f64; 2 * n * width];
        for column in 0..width {
            let of = |i: usize| f64::from(values[i * width + column]);
            let mean = (0..n).map(of).sum::<f64>() / n.max(1) as f64;
            for i in 0..n {
                let difference = of(i) - mean;
                features[2 * (i * width + column)] = difference.max(0.0);
                features[2 * (i * width + column) + 1] = (-difference).max(0.0);
            }
        }
        Features::new(2 * width, features)
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.width..(i + 1) * self.width]
    }
}

/// Σ over features of the concave function of the sum over what is chosen.
#[derive(Clone)]
pub struct FeatureBased<'a> {
    features: &'a Features,
    concave: Concave,
    sums: Vec<f64>,
    value: f64,
}

impl<'a> FeatureBased<'a> {
    /// With nothing chosen.
    pub fn new(features: &'a Features, concave: Concave) -> Self {
        FeatureBased {
            sums: vec![0.0; features.width],
            features,
            concave,
            value: 0.0,
        }
    }

    fn gain(&self, candidate: usize) -> f64 {
        let pairs = self.sums.iter().zip(self.features.row(candidate));
        pairs.map(|(sum, x)| self.concave.rise(*sum, *x)).sum()
    }
}

impl Objective for FeatureBased<'_> {
    fn copy(&self) -> Box<dyn Objective + '_> {
        Box::new(self.clone())
    }

    fn gains(&self, candidates: &[usize]) -> Vec<f64> {
        if candidates.len() * self.features.width < 1 << 12 {
            return candidates.iter().map(|c| self.gain(*c)).collect();
        }
        candidates.par_iter().map(|c| self.gain(*c)).collect()
    }

    fn add(&mut self, candidate: usize) -> f64 {
        let gain = self.gain(candidate);
        for (sum, x) in self.sums.iter_mut().zip(self.features.row(candidate)) {
            *sum += x;
        }
        self.value = self.sums.iter().map(|sum| self.concave.of(*sum)).sum();
        gain
    }

    fn value(&self) -> Option<f64> {
        Some(self.value)
    }

    fn is_submodular(&self) -> bool {
        true
    }

    fn is_monotone(&self) -> bool {
        true
    }

    fn is_cheap(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_are_differences_and_fall() {
        for concave in [Concave::Sqrt, Concave::Log, Concave::Sigmoid] {
            let mut last = f64::INFINITY;
            for from in [0.0, 0.1, 1.0, 7.5] {
                let rise = concave.rise(from, 2.0);
                let difference = concave.of(from + 2.0) - concave.of(from);
                assert!((rise - difference).abs() < 1e-12);
                assert!(rise < last);
                last = rise;
            }
        }
    }

    #[test]
    fn numbers_of_any_sign_become_what_is_above_and_below_the_mean() {
        let features = Features::above_and_below(1, &[1.0, 3.0, 8.0]).unwrap();
        assert_eq!(features.values, [0.0, 3.0, 0.0, 1.0, 4.0, 0.0]);
        assert!(Features::new(1, vec![-1.0]).is_err());
    }
}
