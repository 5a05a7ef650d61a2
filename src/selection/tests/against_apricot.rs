//! The same choices as apricot-select's (`scripts/golden_selection.py` made the file).

use serde_json::Value;

use crate::selection::{Features, Limits, Method, ObjectiveKind, Problem, SimilarityMatrix};

fn floats(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn places(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_u64().unwrap() as usize)
        .collect()
}

#[test]
fn every_objective_chooses_what_apricot_chooses_with_the_same_gains() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../fixtures/selection/apricot.json")).unwrap();
    let n = golden["n"].as_u64().unwrap() as usize;
    let width = golden["width"].as_u64().unwrap() as usize;
    let similarity = floats(&golden["similarity"])
        .iter()
        .map(|s| *s as f32)
        .collect();
    let similarity = SimilarityMatrix::new(n, similarity, &|i| i.to_string()).unwrap();
    let features = Features::new(width, floats(&golden["vectors"])).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let parameter = &case["parameters"];
        let objective = match case["objective"].as_str().unwrap() {
            "facility-location" => ObjectiveKind::FacilityLocation,
            "saturated-coverage" => ObjectiveKind::SaturatedCoverage {
                share: parameter.as_f64().unwrap(),
            },
            "graph-cut" => ObjectiveKind::GraphCut {
                lambda: parameter.as_f64().unwrap(),
            },
            "feature-based" => ObjectiveKind::FeatureBased {
                concave: parameter.as_str().unwrap().parse().unwrap(),
            },
            other => panic!("{other}"),
        };
        let (given, ranking) = (places(&case["given"]), places(&case["ranking"]));
        for method in [Method::Lazy, Method::Plain] {
            let problem = Problem {
                similarity: &similarity,
                features: Some(&features),
                objective,
                given: &given,
                required: &[],
                excluded: &[],
                limits: Limits {
                    k: ranking.len(),
                    budget: None,
                },
                method,
                n_random: 0,
                seed: 0,
            };
            let choice = problem.solve().unwrap();
            let gains = floats(&case["gains"]);
            // Two items that only have each other add the same: either may be first. So it is the gains
            // that must agree, and the items as long as no two have been equal.
            for (i, ((step, item), gain)) in
                choice.steps.iter().zip(&ranking).zip(gains).enumerate()
            {
                assert!(
                    (step.gain - gain).abs() < 1e-4,
                    "{case}: {} {gain}",
                    step.gain
                );
                if i < 6 && gain > 1e-3 {
                    assert_eq!(step.candidate, *item, "{case}");
                }
            }
        }
    }
}
