//! Every measure against numpy, scipy and scikit-learn: `scripts/golden_measures.py` says how.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;

use super::*;

#[derive(Deserialize)]
struct TrackCase {
    name: String,
    observed: Vec<f64>,
    imputed: Vec<f64>,
    average: Vec<f64>,
    weights: Vec<f64>,
    peaks: Vec<bool>,
    ranges: Vec<(u64, u64)>,
    expected: BTreeMap<String, Option<f64>>,
    expected_f32: BTreeMap<String, Option<f64>>,
}

#[derive(Deserialize)]
struct BinaryCase {
    name: String,
    labels: Vec<bool>,
    scores: Vec<f64>,
    auroc: Option<f64>,
    average_precision: Option<f64>,
    recall_at_fdr: [Option<f64>; 3],
    brier: Option<f64>,
    log_loss: Option<f64>,
    roc: Option<Vec<[f64; 3]>>,
    precision_recall: Option<Vec<[f64; 3]>>,
}

/// A file of cases.
fn fixture<C: serde::de::DeserializeOwned>(name: &str) -> C {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/measures/");
    let text = std::fs::read_to_string(format!("{folder}{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Compares within 10⁻¹² of the measure, or of 1 where it is smaller.
#[track_caller]
fn same(what: &str, measured: Option<f64>, expected: Option<f64>) {
    let equal = match (measured, expected) {
        (Some(m), Some(e)) => (m - e).abs() <= 1e-12 * e.abs().max(1.0),
        (m, e) => m.is_none() && e.is_none(),
    };
    assert!(equal, "{what}: {measured:?}, expected {expected:?}");
}

fn check_track<T: Value>(
    case: &TrackCase,
    expected: &BTreeMap<String, Option<f64>>,
    of: fn(f64) -> T,
) {
    let converted = |values: &[f64]| values.iter().copied().map(of).collect::<Vec<T>>();
    let (observed, imputed) = (converted(&case.observed), converted(&case.imputed));
    let (average, weights) = (converted(&case.average), converted(&case.weights));
    let ranges: Vec<Range<u64>> = case.ranges.iter().map(|(a, b)| *a..*b).collect();
    let (o, i) = (observed.as_slice(), imputed.as_slice());
    let fit = best_affine_fit(o, i);
    let measured = [
        ("mse", mse(o, i)),
        ("mse_weighted", mse_weighted(o, i, &weights)),
        ("mse_within", mse_within(o, i, &ranges)),
        ("shape_mse", shape_mse(o, i)),
        ("r_squared", r_squared(o, i)),
        ("gwcorr", pearson(o, i)),
        ("gwspear", spearman(o, i)),
        ("specificity", specificity(o, i, &average)),
        (
            "departure_correlation",
            departure_correlation(o, i, &average),
        ),
        ("slope", fit.map(|f| f.slope)),
        ("intercept", fit.map(|f| f.intercept)),
        ("auprc", average_precision(&case.peaks, i)),
        ("catchpeakobs", auroc(&case.peaks, i)),
        ("mse1obs", mse1obs(o, i)),
        ("mse1imp", mse1imp(o, i)),
        ("match1", match1(o, i)),
        ("catch1obs", catch1obs(o, i)),
        ("catch1imp", catch1imp(o, i)),
        ("aucobs1", aucobs1(o, i)),
        ("aucimp1", aucimp1(o, i)),
    ];
    assert_eq!(measured.len(), expected.len());
    for (name, value) in measured {
        same(&format!("{} {name}", case.name), value, expected[name]);
    }
}

#[test]
fn track_measures_equal_scipy_and_scikit_learn() {
    let cases: Vec<TrackCase> = fixture("tracks");
    assert_eq!(cases.len(), 8);
    for case in &cases {
        check_track::<f64>(case, &case.expected, |v| v);
        check_track::<f32>(case, &case.expected_f32, |v| v as f32);
    }
}

#[test]
fn binary_measures_and_curves_equal_scikit_learn() {
    let cases: Vec<BinaryCase> = fixture("binary");
    assert_eq!(cases.len(), 7);
    for case in &cases {
        let (labels, scores) = (case.labels.as_slice(), case.scores.as_slice());
        let named = |what: &str| format!("{} {what}", case.name);
        same(&named("auroc"), auroc(labels, scores), case.auroc);
        let ap = average_precision(labels, scores);
        same(&named("average precision"), ap, case.average_precision);
        for (rate, expected) in [0.0, 0.1, 0.5].into_iter().zip(case.recall_at_fdr) {
            let recall = recall_at_fdr(labels, scores, rate);
            same(&named(&format!("recall at {rate}")), recall, expected);
        }
        same(&named("brier"), brier(labels, scores), case.brier);
        same(&named("log loss"), log_loss(labels, scores), case.log_loss);

        let roc = roc_curve(labels, scores).map(|curve| {
            let rates = |p: &RocPoint| [p.threshold, p.false_positive_rate, p.true_positive_rate];
            curve[1..].iter().map(rates).collect()
        });
        same_curve(&named("roc"), roc, &case.roc);
        // scikit-learn's curve ends where everything is called; its (0, 1) has no threshold.
        let precision_recall = precision_recall_curve(labels, scores).map(|curve| {
            let figures = |p: &PrecisionRecallPoint| [p.threshold, p.recall, p.precision];
            curve[1..].iter().map(figures).collect()
        });
        same_curve(
            &named("precision–recall"),
            precision_recall,
            &case.precision_recall,
        );
    }
}

#[track_caller]
fn same_curve(what: &str, measured: Option<Vec<[f64; 3]>>, expected: &Option<Vec<[f64; 3]>>) {
    assert_eq!(measured.is_some(), expected.is_some(), "{what}");
    let (measured, expected) = (
        measured.unwrap_or_default(),
        expected.clone().unwrap_or_default(),
    );
    assert_eq!(measured.len(), expected.len(), "{what}");
    for (m, e) in measured.iter().flatten().zip(expected.iter().flatten()) {
        same(what, Some(*m), Some(*e));
    }
}
