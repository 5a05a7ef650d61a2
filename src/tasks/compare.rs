//! Feature sets compared with each other: the paired bootstrap, and a declared family of tests.
//!
//! Every pair of rows has a difference with its interval. Only a family that is declared before
//! anything is computed is tested: each feature set against the reference (own signal) and against
//! the best baseline, pooled and within folds or units. Its p are corrected together (Holm 1979).

use super::result::{Against, Comparison, Family, RowKind};
use super::score::{Spread, interval};

/// The error rate that the number of bootstrap replicates is chosen for.
pub(crate) const ALPHA: f64 = 0.05;
/// The measures that are tested.
pub(crate) const TESTED: usize = 2;

/// A row to compare.
pub(crate) struct Row<'a> {
    pub name: &'a str,
    pub kind: RowKind,
    /// Its measures in each division into folds.
    pub values: &'a [[Option<f64>; 5]],
    /// And in each bootstrap replicate.
    pub replicates: &'a [[Option<f64>; 5]],
}

impl Row<'_> {
    fn values(&self, measure: usize) -> Vec<f64> {
        self.values.iter().filter_map(|v| v[measure]).collect()
    }

    fn value(&self, measure: usize) -> Option<f64> {
        super::score::mean(&self.values(measure))
    }
}

/// Units below which a bootstrap is not a test.
pub(crate) const FEW_UNITS: usize = 10;

/// How many tests the family of a run with so many feature sets has.
pub(crate) const fn family_size(n_sets: usize, has_reference: bool) -> usize {
    let against_reference = if has_reference {
        n_sets.saturating_sub(1)
    } else {
        0
    };
    TESTED * (n_sets + against_reference)
}

/// Replicates that make the least possible p a tenth of the strictest threshold of Holm's method:
/// 20 n / α.
pub(crate) fn replicates_needed(n_tests: usize) -> usize {
    (20.0 * n_tests as f64 / ALPHA).ceil() as usize
}

/// Every pair of rows by the first of the measures (names and places), and the family by each.
pub(crate) fn compare(
    rows: &[Row<'_>],
    measures: [(&str, usize); TESTED],
    n_units: usize,
    reference: Option<&str>,
) -> (Vec<Comparison>, Family) {
    let place = |name: Option<&str>| rows.iter().position(|r| Some(r.name) == name);
    let reference = place(reference);
    let mut best_baselines = Vec::new();
    let mut comparisons = Vec::new();
    for (i, (name, measure)) in measures.into_iter().enumerate() {
        let baselines = rows.iter().enumerate();
        let best = baselines
            .filter(|(_, r)| r.kind == RowKind::Baseline)
            .filter_map(|(at, r)| Some((r.value(measure)?, at)))
            // Of equals the first.
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
            .map(|(_, at)| at);
        if let Some(best) = best {
            best_baselines.push((name.to_string(), rows[best].name.to_string()));
        }
        let against = |a: usize, b: usize| match rows[a].kind {
            RowKind::Features if Some(b) == reference => Some(Against::Reference),
            RowKind::Features if Some(b) == best => Some(Against::BestBaseline),
            _ => None,
        };
        for a in 0..rows.len() {
            for b in a + 1..rows.len() {
                // The set first, what it is tested against second.
                let (a, b) = match Some(a) == reference && rows[b].kind == RowKind::Features {
                    true => (b, a),
                    false => (a, b),
                };
                let family = against(a, b);
                if i == 0 || family.is_some() {
                    comparisons.push(pair(&rows[a], &rows[b], (name, measure), family));
                }
            }
        }
    }
    for comparison in &mut comparisons {
        if n_units < FEW_UNITS || comparison.family.is_none() {
            comparison.p = None;
        }
    }
    let n = holm(&mut comparisons);
    let family = Family {
        reference: reference.map(|r| rows[r].name.to_string()),
        best_baselines,
        n,
        replicates: rows.first().map_or(0, |r| r.replicates.len()),
    };
    (comparisons, family)
}

fn pair(
    a: &Row<'_>,
    b: &Row<'_>,
    (name, measure): (&str, usize),
    family: Option<Against>,
) -> Comparison {
    let differences: Vec<Option<f64>> = a
        .replicates
        .iter()
        .zip(b.replicates)
        .map(|(a, b)| Some(a[measure]? - b[measure]?))
        .collect();
    let of_partitions: Vec<f64> = (a.values.iter().zip(b.values))
        .filter_map(|(a, b)| Some(a[measure]? - b[measure]?))
        .collect();
    let defined: Vec<f64> = differences.iter().flatten().copied().collect();
    let (low, high) = interval(differences.into_iter());
    let difference = super::score::mean(&of_partitions);
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
        measure: name.to_string(),
        difference,
        low,
        high,
        effect,
        family,
        p,
        p_holm: None,
        partitions: Spread::of(&of_partitions),
    }
}

/// Holm's correction: the smallest p times the number of comparisons, the next times one less, and
/// so on, never falling; how many comparisons there are.
fn holm(comparisons: &mut [Comparison]) -> usize {
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
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use rand_chacha::rand_core::RngCore;

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
            family: None,
            p: Some(p),
            p_holm: None,
            partitions: None,
        };
        // R: p.adjust(c(.01, .04, .03, .2), "holm") is .04 .09 .09 .2
        let mut all = [0.01, 0.04, 0.03, 0.2].map(with);
        assert_eq!(holm(&mut all), 4);
        let corrected = all.map(|c| c.p_holm.unwrap());
        for (c, e) in corrected.iter().zip([0.04, 0.09, 0.09, 0.2]) {
            assert!((c - e).abs() < 1e-12, "{corrected:?}");
        }
    }

    const MEASURES: [(&str, usize); 2] = [("auroc", 0), ("within", 4)];

    /// A row whose measure is about `level` in each replicate, and not defined within folds.
    struct Made {
        name: String,
        kind: RowKind,
        values: Vec<[Option<f64>; 5]>,
        replicates: Vec<[Option<f64>; 5]>,
    }

    impl Made {
        fn new(name: &str, kind: RowKind, levels: impl Iterator<Item = f64>, value: f64) -> Self {
            let one = |v: f64| [Some(v), None, None, None, None];
            Made {
                name: name.into(),
                kind,
                values: vec![one(value)],
                replicates: levels.map(one).collect(),
            }
        }

        fn row(&self) -> Row<'_> {
            Row {
                name: &self.name,
                kind: self.kind,
                values: &self.values,
                replicates: &self.replicates,
            }
        }
    }

    #[test]
    fn a_difference_is_paired_replicate_by_replicate() {
        let noise = |i: usize| (i * 7919 % 1000) as f64 / 1000.0;
        // Wide apart from each other, always in the same order.
        let made = |name, shift: f64| {
            let levels = (0..199).map(move |i| noise(i) + shift + 0.001 * noise(i + 3));
            Made::new(name, RowKind::Features, levels, 0.5 + shift)
        };
        let (a, b) = (made("a", 0.05), made("b", 0.0));
        let c = &compare(&[a.row(), b.row()], MEASURES, 10, Some("b")).0[0];
        assert!((c.difference.unwrap() - 0.05).abs() < 1e-12);
        assert!((c.low.unwrap() - 0.05).abs() < 1e-9 && (c.high.unwrap() - 0.05).abs() < 1e-9);
        assert_eq!((c.p, c.family), (Some(0.01), Some(Against::Reference)));
        let few = &compare(&[a.row(), b.row()], MEASURES, 9, Some("b")).0[0];
        assert!(few.low.is_some() && few.p.is_none());
        // What was not declared is not tested.
        let other = &compare(&[a.row(), b.row()], MEASURES, 10, None).0[0];
        assert!(other.low.is_some() && other.p.is_none());
        let mut undefined = made("u", 0.0);
        undefined.values[0] = [None; 5];
        undefined.replicates.fill([None; 5]);
        let c = &compare(&[a.row(), undefined.row()], MEASURES, 10, Some("u")).0[0];
        assert_eq!((c.difference, c.p, c.p_holm), (None, None, None));
    }

    /// Thirteen feature sets, one of which is better than the reference by four standard deviations:
    /// with every pair as the family and 1,000 replicates nothing could be rejected.
    #[test]
    fn a_planted_difference_survives_the_correction_and_equals_do_not() {
        let n_sets = 13;
        let n_tests = family_size(n_sets, true);
        assert_eq!(n_tests, 2 * (13 + 12));
        let replicates = replicates_needed(n_tests);
        assert_eq!(replicates, 20_000);
        let mut rng = generator(3, Purpose::Bootstrap, 0);
        let mut normal = || {
            let sum: f64 = (0..12)
                .map(|_| f64::from(rng.next_u32()) / 2f64.powi(32))
                .sum();
            sum - 6.0
        };
        // What the resampled units do to all rows alike, and what is each row's own.
        let shared: Vec<f64> = (0..replicates).map(|_| 0.1 * normal()).collect();
        let mut rows = Vec::new();
        for i in 0..n_sets {
            let shift = if i == 5 {
                4.3 * 0.02 * 2f64.sqrt()
            } else {
                0.0
            };
            let levels: Vec<f64> = (shared.iter())
                .map(|s| 0.8 + shift + s + 0.02 * normal())
                .collect();
            let name = format!("set {i}");
            let value = 0.8 + shift;
            rows.push(Made::new(
                &name,
                RowKind::Features,
                levels.into_iter(),
                value,
            ));
        }
        let levels = shared.iter().map(|s| 0.8 + s);
        rows.push(Made::new("prior", RowKind::Baseline, levels, 0.8));
        let rows: Vec<Row<'_>> = rows.iter().map(Made::row).collect();
        let (comparisons, family) = compare(&rows, MEASURES, 25, Some("set 0"));
        // Every pair has an interval; within folds nothing is defined here.
        assert_eq!(comparisons.len(), 14 * 13 / 2 + 12);
        assert_eq!((family.n, family.replicates), (n_tests / 2, 20_000));
        assert_eq!(family.reference.as_deref(), Some("set 0"));
        for c in comparisons.iter().filter(|c| c.p.is_some()) {
            let planted = c.a == "set 5";
            assert_eq!(c.p_holm.unwrap() < ALPHA, planted, "{c:?}");
        }
    }

    /// Two sets of predictions of equal quality over 25 units whose examples depend on each other:
    /// how often p is at most 0.05.
    #[test]
    fn equals_are_called_about_as_often_as_p_says() {
        use super::super::Target;
        use super::super::score::{Replicates, Weighted, measure};
        let (n_units, n_worlds) = (25usize, 200u64);
        let n_rows = n_units * 15;
        let unit: Vec<usize> = (0..n_rows).map(|i| i / 15).collect();
        let mut called = 0;
        for world in 0..n_worlds {
            let mut rng = generator(world, Purpose::Bootstrap, 1 << 50);
            let mut normal = || -> f64 {
                let sum: f64 = (0..12)
                    .map(|_| f64::from(rng.next_u32()) / 2f64.powi(32))
                    .sum();
                sum - 6.0
            };
            let levels: Vec<f64> = (0..n_units).map(|_| normal()).collect();
            let labels: Vec<f64> = (unit.iter())
                .map(|u| f64::from(u8::from(0.7 * levels[*u] + normal() > 0.5)))
                .collect();
            // Each set is wrong about whole units, and about examples.
            let mut predict = || -> Vec<f64> {
                let wrong: Vec<f64> = (0..n_units).map(|_| 0.7 * normal()).collect();
                let of = |(u, l): (&usize, &f64)| l + wrong[*u] + normal();
                unit.iter().zip(&labels).map(of).collect()
            };
            let (a, b) = (predict(), predict());
            let replicates = Replicates::new(unit.clone(), 400, world);
            let made = |name: &str, predictions: &[f64]| {
                let target = Target::Classification;
                let weighted = Weighted::new(target, &labels, predictions);
                let of = replicates.map(|_, w| weighted.measure(w)[0].unwrap_or(0.0));
                let value = measure(target, &labels, predictions)[0].unwrap_or(0.0);
                Made::new(name, RowKind::Features, of.into_iter(), value)
            };
            let (a, b) = (made("a", &a), made("b", &b));
            let (comparisons, _) = compare(&[a.row(), b.row()], MEASURES, n_units, Some("b"));
            called += usize::from(comparisons[0].p.is_some_and(|p| p <= ALPHA));
        }
        let share = called as f64 / n_worlds as f64;
        println!("p <= 0.05 of equals: {share}");
        assert!(share < 0.12, "{share}");
    }
}
