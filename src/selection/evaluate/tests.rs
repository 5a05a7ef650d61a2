//! Choices among biosamples of three kinds: the truth is known.

use super::*;

fn options(ks: &[usize]) -> EvaluationOptions {
    EvaluationOptions {
        ks: ks.to_vec(),
        objective: ObjectiveKind::FacilityLocation,
        compared: Vec::new(),
        kernels: Vec::new(),
        models: Vec::new(),
        replicates: 10,
        n_random: 20,
        bins: 0,
        seed: 1,
    }
}

/// Three kinds of biosamples, four each, with noise.
fn profiles() -> NamedProfiles {
    let mut values = Vec::new();
    for i in 0..12usize {
        for g in 0..300usize {
            let kind = (g * 7 + (i % 3) * 101) % 11;
            let noise = (i * 31 + g * 17) % 5;
            values.push(kind as f32 + 0.1 * noise as f32);
        }
    }
    NamedProfiles {
        names: (0..12).map(|i| format!("B{i}")).collect(),
        width: 300,
        values,
        checksum: String::new(),
        left_out: Vec::new(),
    }
}

#[test]
fn a_choice_of_one_of_each_kind_predicts_better_than_chance_however_it_is_made() {
    let reports = std::sync::Mutex::new(Vec::new());
    let report = |p: EvaluationProgress| reports.lock().unwrap().push((p.done, p.total));
    let found = evaluate_expression(&profiles(), &options(&[3]), &report).unwrap();
    let reports = reports.into_inner().unwrap();
    assert!(
        reports.contains(&(0, 10)) && reports.contains(&(10, 10)),
        "{reports:?}"
    );
    assert_eq!(found.rows.len(), Predictor::ALL.len() * Chooser::ALL.len());
    for chooser in Chooser::ALL {
        let of = |r: &&EvaluationRow| r.chooser == chooser && r.predictor == Predictor::Nearest;
        let row = found.rows.iter().find(of).unwrap();
        assert_eq!((row.n, row.k), (10, 3));
        assert!(row.chosen < 0.1, "{row:?}");
        assert!(
            row.random > 1.0 && row.difference < 0.0 && row.ratio < 0.1,
            "{row:?}"
        );
        assert!(row.difference + 4.0 * row.standard_error.unwrap() < 0.0);
    }
    let none = |_: EvaluationProgress| {};
    assert!(evaluate_expression(&profiles(), &options(&[8]), &none).is_err());
}

#[test]
fn a_similarity_that_knows_no_kinds_is_found_out() {
    // By absolute level all are alike: exp of the distance of vectors that differ in scale alone.
    let mut profiles = profiles();
    for (i, row) in profiles.values.chunks_exact_mut(300).enumerate() {
        // Half of each kind is ten times as strong.
        let scale = if i < 6 { 1.0 } else { 10.0 };
        row.iter_mut().for_each(|v| *v *= scale);
    }
    let asked = EvaluationOptions {
        kernels: vec![KernelChoice::SquaredCorrelation, KernelChoice::Rbf],
        ..options(&[3])
    };
    let none = |_: EvaluationProgress| {};
    let found = evaluate_expression(&profiles, &asked, &none).unwrap();
    let ratio = |by: &str| {
        let of = |r: &&EvaluationRow| {
            r.similarity.ends_with(by)
                && r.chooser == Chooser::Greedy
                && r.predictor == Predictor::Ridge
        };
        found.rows.iter().find(of).unwrap().ratio
    };
    let (by_shape, by_level) = (ratio("squared-correlation"), ratio("rbf"));
    assert!(
        by_shape < 0.2 && by_level > 2.0 * by_shape,
        "{by_shape} {by_level}"
    );
}
