//! Ridge regression, and choices among biosamples of three kinds.

use super::*;

#[test]
fn ridge_finds_the_weights_of_a_mixture() {
    let rows = |n: usize| {
        let of = |i: usize, f: &dyn Fn(f32) -> f32| {
            (0..n)
                .map(move |t| f((t * (i + 3) % 17) as f32))
                .collect::<Vec<f32>>()
        };
        let (a, b) = (of(0, &|x| x), of(1, &|x| x * x / 9.0));
        let c: Vec<f32> = a
            .iter()
            .zip(&b)
            .map(|(a, b)| 0.7 * a + 0.2 * b + 3.0)
            .collect();
        shaped(3, [a, b, c].concat()).unwrap()
    };
    let (weights, constant) = ridge(&rows(400), 2, &[0, 1]);
    assert!((weights[0] - 0.7).abs() < 0.02 && (weights[1] - 0.2).abs() < 0.02);
    assert!((constant - 3.0).abs() < 0.3);
    // Nothing to learn from.
    assert_eq!(ridge(&shaped(3, vec![]).unwrap(), 2, &[0, 1]).0, [0.5, 0.5]);
}

#[test]
fn a_choice_of_one_of_each_kind_predicts_better_than_chance() {
    // Three kinds of biosamples, four each, with noise.
    let mut values = Vec::new();
    for i in 0..12usize {
        for g in 0..300usize {
            let kind = (g * 7 + (i % 3) * 101) % 11;
            let noise = (i * 31 + g * 17) % 5;
            values.push(kind as f32 + 0.1 * noise as f32);
        }
    }
    let profiles = NamedProfiles {
        names: (0..12).map(|i| format!("B{i}")).collect(),
        width: 300,
        values,
        checksum: String::new(),
    };
    let options = EvaluationOptions {
        ks: vec![3],
        objective: ObjectiveKind::FacilityLocation,
        kernel: Kernel::SquaredCorrelation,
        replicates: 10,
        n_random: 20,
        bins: 0,
        seed: 1,
    };
    let rows = evaluate_expression(&profiles, &options).unwrap();
    assert_eq!(rows.len(), 2);
    let nearest = &rows[0];
    assert!(nearest.chosen < 0.1, "{nearest:?}");
    assert!(nearest.random > 1.0 && nearest.difference < 0.0);
    assert!(nearest.difference + 4.0 * nearest.standard_error.unwrap() < 0.0);
    let few = EvaluationOptions {
        ks: vec![8],
        ..options
    };
    assert!(evaluate_expression(&profiles, &few).is_err());
}
