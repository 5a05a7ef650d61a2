//! Feature sets compared with each other: the paired bootstrap.

use serde::{Deserialize, Serialize};

use super::score::interval;

/// How much better one row of a run is than another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// One.
    pub a: String,
    /// The other.
    pub b: String,
    /// The measure compared.
    pub measure: String,
    /// a − b, of all predictions pooled.
    pub difference: Option<f64>,
    /// Its 2.5th percentile over resampled units.
    pub low: Option<f64>,
    /// Its 97.5th percentile.
    pub high: Option<f64>,
    /// The difference in units of its own standard deviation over resamplings.
    pub effect: Option<f64>,
    /// Two-sided: twice the share of resamplings on the other side of 0; none of fewer than ten
    /// units, of which there are too few different resamplings to tell.
    pub p: Option<f64>,
    /// The same, corrected for all comparisons of the run (Holm 1979).
    pub p_holm: Option<f64>,
}

/// A row to compare: its name, its measure, and the measure of each bootstrap replicate.
pub(crate) struct Row<'a> {
    pub name: &'a str,
    pub value: Option<f64>,
    pub replicates: Vec<Option<f64>>,
}

/// Units below which a bootstrap is no test.
pub(crate) const FEW_UNITS: usize = 10;

/// Every pair of rows.
pub(crate) fn compare(rows: &[Row<'_>], measure: &str, n_units: usize) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for (i, a) in rows.iter().enumerate() {
        for b in &rows[i + 1..] {
            comparisons.push(pair(a, b, measure));
        }
    }
    if n_units < FEW_UNITS {
        for comparison in &mut comparisons {
            comparison.p = None;
        }
    }
    holm(&mut comparisons);
    comparisons
}

fn pair(a: &Row<'_>, b: &Row<'_>, measure: &str) -> Comparison {
    let differences: Vec<Option<f64>> = a
        .replicates
        .iter()
        .zip(&b.replicates)
        .map(|(a, b)| Some((*a)? - (*b)?))
        .collect();
    let defined: Vec<f64> = differences.iter().flatten().copied().collect();
    let (low, high) = interval(differences.into_iter());
    let difference = a.value.zip(b.value).map(|(a, b)| a - b);
    let n = defined.len() as f64;
    let (mut effect, mut p) = (None, None);
    if low.is_some() {
        let mean = defined.iter().sum::<f64>() / n;
        let deviation =
            (defined.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        if deviation > 0.0 {
            effect = difference.map(|d| d / deviation);
        }
        let share = |side: &dyn Fn(f64) -> bool| {
            let count = defined.iter().filter(|d| side(**d)).count() as f64;
            (count + 1.0) / (n + 1.0)
        };
        let less: f64 = share(&|d| d <= 0.0);
        p = Some((2.0 * less.min(share(&|d| d >= 0.0))).min(1.0));
    }
    Comparison {
        a: a.name.to_string(),
        b: b.name.to_string(),
        measure: measure.to_string(),
        difference,
        low,
        high,
        effect,
        p,
        p_holm: None,
    }
}

/// Holm's correction: the smallest p times the number of comparisons, the next times one less, and
/// so on, never falling.
fn holm(comparisons: &mut [Comparison]) {
    let mut order: Vec<(f64, usize)> = comparisons
        .iter()
        .enumerate()
        .filter_map(|(i, c)| Some((c.p?, i)))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let n = order.len();
    let mut least = 0.0f64;
    for (place, (p, i)) in order.into_iter().enumerate() {
        least = least.max((p * (n - place) as f64).min(1.0));
        comparisons[i].p_holm = Some(least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holms_correction_is_stepwise_and_never_falls() {
        let with = |p: f64| Comparison {
            a: String::new(),
            b: String::new(),
            measure: String::new(),
            difference: None,
            low: None,
            high: None,
            effect: None,
            p: Some(p),
            p_holm: None,
        };
        // R: p.adjust(c(.01, .04, .03, .2), "holm") is .04 .09 .09 .2
        let mut all = [0.01, 0.04, 0.03, 0.2].map(with);
        holm(&mut all);
        let corrected = all.map(|c| c.p_holm.unwrap());
        for (c, e) in corrected.iter().zip([0.04, 0.09, 0.09, 0.2]) {
            assert!((c - e).abs() < 1e-12, "{corrected:?}");
        }
    }

    #[test]
    fn a_difference_is_paired_replicate_by_replicate() {
        let noise = |i: usize| (i * 7919 % 1000) as f64 / 1000.0;
        let row = |name, shift: f64| Row {
            name,
            value: Some(0.5 + shift),
            // Wide apart from each other, always in the same order.
            replicates: (0..199)
                .map(|i| Some(noise(i) + shift + 0.001 * noise(i + 3)))
                .collect(),
        };
        let (a, b) = (row("a", 0.05), row("b", 0.0));
        let c = &compare(&[a, b], "auroc", 10)[0];
        assert!((c.difference.unwrap() - 0.05).abs() < 1e-12);
        assert!((c.low.unwrap() - 0.05).abs() < 1e-9 && (c.high.unwrap() - 0.05).abs() < 1e-9);
        assert_eq!(c.p, Some(0.01));
        let few = &compare(&[row("a", 0.05), row("b", 0.0)], "auroc", 9)[0];
        assert!(few.low.is_some() && few.p.is_none());
        let undefined = Row {
            name: "u",
            value: None,
            replicates: vec![None; 199],
        };
        let c = &compare(&[row("a", 0.0), undefined], "auroc", 10)[0];
        assert_eq!((c.difference, c.p, c.p_holm), (None, None, None));
    }
}
