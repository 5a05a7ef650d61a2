//! What the tasks report of predictions, against scikit-learn and scipy: random ones, and the worst
//! that there are. `scripts/golden_measures.py` says how.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Target;
use super::score::{Weighted, measure, measure_names};

#[derive(Deserialize)]
struct Case {
    name: String,
    target: Target,
    labels: Vec<f64>,
    predictions: Vec<f64>,
    expected: BTreeMap<String, Option<f64>>,
}

fn cases() -> Vec<Case> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/measures/predictions.json"
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
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

#[test]
fn measures_of_predictions_equal_scikit_learn_and_scipy() {
    let cases = cases();
    assert_eq!(cases.len(), 34);
    for case in &cases {
        let values = measure(case.target, &case.labels, &case.predictions);
        assert_eq!(case.expected.len(), 4);
        for (name, value) in measure_names(case.target).into_iter().zip(values) {
            let what = format!("{:?} {} {name}", case.target, case.name);
            same(&what, value, case.expected[name]);
        }
    }
}

#[test]
fn a_replicate_that_draws_every_unit_once_equals_them_too() {
    for case in &cases() {
        let once = vec![1; case.labels.len()];
        let values = Weighted::new(case.target, &case.labels, &case.predictions).measure(&once);
        // A replicate of one class tells nothing, of neither kind.
        if case.expected.contains_key("auroc") && case.expected["auroc"].is_none() {
            assert_eq!(values, [None; 4], "{}", case.name);
            continue;
        }
        for (name, value) in measure_names(case.target).into_iter().zip(values) {
            let what = format!("{:?} {} {name}", case.target, case.name);
            same(&what, value, case.expected[name]);
        }
    }
}
