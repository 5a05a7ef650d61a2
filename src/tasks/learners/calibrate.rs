//! From scores to probabilities, by examples that the model has not seen.

use persea_vocabulary::vocabulary;

vocabulary! {
    /// How scores are made probabilities.
    pub enum Calibration = None {
        /// No calibration
        None = "none",
        /// Logistic curve (Platt 1999)
        Platt = "platt",
        /// Isotonic regression (Zadrozny and Elkan 2002)
        Isotonic = "isotonic",
    }
}

/// A calibration that has been learned.
pub(crate) enum Calibrator {
    Platt {
        slope: f64,
        offset: f64,
    },
    /// Score and probability at each step's ends, rising; straight lines between them.
    Isotonic(Vec<(f64, f64)>),
}

impl Calibrator {
    /// Learns from scores and labels of held-out examples; `None` where one class is missing.
    pub(crate) fn learn(kind: Calibration, scores: &[f64], labels: &[f64]) -> Option<Self> {
        let n_positive = labels.iter().filter(|l| **l > 0.5).count();
        if n_positive == 0 || n_positive == labels.len() {
            return None;
        }
        match kind {
            Calibration::None => None,
            Calibration::Platt => Some(platt(scores, labels, n_positive)),
            Calibration::Isotonic => Some(isotonic(scores, labels)),
        }
    }

    /// The probability at a score.
    pub(crate) fn apply(&self, score: f64) -> f64 {
        match self {
            Calibrator::Platt { slope, offset } => 1.0 / (1.0 + (-(slope * score + offset)).exp()),
            Calibrator::Isotonic(steps) => {
                let after = steps.partition_point(|(s, _)| *s <= score);
                let last = steps.len().saturating_sub(1);
                let (Some(low), Some(high)) = (
                    steps.get(after.saturating_sub(1)),
                    steps.get(after.min(last)),
                ) else {
                    return 0.5;
                };
                if high.0 <= low.0 {
                    return low.1;
                }
                let share = ((score - low.0) / (high.0 - low.0)).clamp(0.0, 1.0);
                low.1 + share * (high.1 - low.1)
            }
        }
    }
}

/// Newton's method on two numbers, damped where it overshoots (Lin, Lin and Weng 2007).
fn platt(scores: &[f64], labels: &[f64], n_positive: usize) -> Calibrator {
    let n_negative = labels.len() - n_positive;
    let high = (n_positive as f64 + 1.0) / (n_positive as f64 + 2.0);
    let low = 1.0 / (n_negative as f64 + 2.0);
    let target = |l: f64| if l > 0.5 { high } else { low };
    let loss = |slope: f64, offset: f64| -> f64 {
        let of = |(s, l): (&f64, &f64)| {
            let z = slope * s + offset;
            // ln(1 + e^z) − t z, without overflow.
            z.max(0.0) + (-z.abs()).exp().ln_1p() - target(*l) * z
        };
        scores.iter().zip(labels).map(of).sum()
    };
    let (mut slope, mut offset) = (0.0, (n_positive as f64 / n_negative as f64).ln());
    let mut now = loss(slope, offset);
    for _ in 0..100 {
        let (mut g1, mut g0, mut h11, mut h10, mut h00) = (0.0, 0.0, 1e-12, 0.0, 1e-12);
        for (s, l) in scores.iter().zip(labels) {
            let p = 1.0 / (1.0 + (-(slope * s + offset)).exp());
            let (d, w) = (p - target(*l), p * (1.0 - p));
            g1 += d * s;
            g0 += d;
            h11 += w * s * s;
            h10 += w * s;
            h00 += w;
        }
        let determinant = h11 * h00 - h10 * h10;
        if determinant.abs() < 1e-300 || g1.abs().max(g0.abs()) < 1e-9 {
            break;
        }
        let step1 = (h00 * g1 - h10 * g0) / determinant;
        let step0 = (h11 * g0 - h10 * g1) / determinant;
        let mut share = 1.0;
        loop {
            let next = loss(slope - share * step1, offset - share * step0);
            if next < now || share < 1e-6 {
                slope -= share * step1;
                offset -= share * step0;
                now = next;
                break;
            }
            share /= 2.0;
        }
        if share < 1e-6 {
            break;
        }
    }
    Calibrator::Platt { slope, offset }
}

/// Pools adjacent violators; equal scores are one step from the start.
fn isotonic(scores: &[f64], labels: &[f64]) -> Calibrator {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    // First and last score, sum of labels, number.
    let mut steps: Vec<(f64, f64, f64, f64)> = Vec::new();
    for i in order {
        match steps.last_mut() {
            Some(last) if last.1 == scores[i] => {
                last.2 += labels[i];
                last.3 += 1.0;
            }
            _ => steps.push((scores[i], scores[i], labels[i], 1.0)),
        }
    }
    let mut pooled: Vec<(f64, f64, f64, f64)> = Vec::new();
    for step in steps {
        pooled.push(step);
        while let [.., a, b] = pooled.as_slice() {
            if a.2 / a.3 < b.2 / b.3 {
                break;
            }
            let merged = (a.0, b.1, a.2 + b.2, a.3 + b.3);
            pooled.truncate(pooled.len() - 2);
            pooled.push(merged);
        }
    }
    let ends = pooled.into_iter().flat_map(|(first, last, sum, n)| {
        let p = sum / n;
        [(first, p), (last, p)]
    });
    let mut ends: Vec<(f64, f64)> = ends.collect();
    ends.dedup();
    Calibrator::Isotonic(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isotonic_pools_what_falls() {
        let scores = [1.0, 2.0, 3.0, 4.0, 5.0];
        let labels = [0.0, 1.0, 0.0, 1.0, 1.0];
        let c = Calibrator::learn(Calibration::Isotonic, &scores, &labels).unwrap();
        // 2 and 3 are pooled to 1/2.
        let p: Vec<f64> = scores.iter().map(|s| c.apply(*s)).collect();
        assert_eq!(p, [0.0, 0.5, 0.5, 1.0, 1.0]);
        assert_eq!(
            (c.apply(-9.0), c.apply(99.0), c.apply(3.5)),
            (0.0, 1.0, 0.75)
        );
    }

    #[test]
    fn platts_curve_is_where_its_gradient_vanishes() {
        let scores: Vec<f64> = (0..200).map(|i| f64::from(i) / 20.0 - 5.0).collect();
        let labels: Vec<f64> = (0..200u32)
            .map(|i| f64::from(u8::from(i + (i * 7_919) % 90 > 145)))
            .collect();
        let c = Calibrator::learn(Calibration::Platt, &scores, &labels).unwrap();
        let Calibrator::Platt { slope, .. } = c else {
            panic!()
        };
        assert!(slope > 0.0);
        let n = labels.iter().sum::<f64>();
        let (high, low) = ((n + 1.0) / (n + 2.0), 1.0 / (200.0 - n + 2.0));
        let (mut g1, mut g0) = (0.0, 0.0);
        for (s, l) in scores.iter().zip(&labels) {
            let d = c.apply(*s) - if *l > 0.5 { high } else { low };
            g1 += d * s;
            g0 += d;
        }
        assert!(g1.abs() < 1e-6 && g0.abs() < 1e-6, "{g1} {g0}");
    }

    #[test]
    fn one_class_calibrates_nothing() {
        for kind in [Calibration::Platt, Calibration::Isotonic] {
            assert!(Calibrator::learn(kind, &[1.0, 2.0], &[1.0, 1.0]).is_none());
        }
    }
}
