use ndarray::Array2;
use rand_chacha::rand_core::RngCore;

use super::*;
use crate::measures::{auroc, r_squared};
use crate::random::{Purpose, generator};

/// Four columns, of which the first two tell: a sum for numbers, its sign for classes.
fn made(n: usize, seed: u64) -> (Matrix, Vec<f64>, Vec<f64>) {
    let mut rng = generator(seed, Purpose::Initial, 0);
    let mut unit = || f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0;
    let x: Vec<f64> = (0..n * 4).map(|_| unit()).collect();
    let x = Array2::from_shape_vec((n, 4), x).unwrap();
    let sums: Vec<f64> = x.outer_iter().map(|r| r[0] + 0.5 * r[1]).collect();
    // A third are positive, so that the classes are not alike.
    let classes = sums.iter().map(|s| f64::from(u8::from(*s > 0.4))).collect();
    (x, sums, classes)
}

fn predictions(learner: Learner, target: Target, seed: u64) -> Vec<f64> {
    let (x, sums, classes) = made(300, 1);
    let (inner_x, inner_sums, inner_classes) = made(80, 3);
    let of = |numbers: Vec<f64>, classes| match target {
        Target::Regression => numbers,
        Target::Classification => classes,
    };
    let (y, inner_y) = (of(sums, classes), of(inner_sums, inner_classes));
    let training = Training {
        x: &x,
        y: &y,
        stop_on: Some((&inner_x, &inner_y)),
        rounds: None,
        seed,
    };
    let fitted = fit(learner, &learner.defaults(), target, &training).unwrap();
    (fitted.predict)(&made(200, 2).0).unwrap()
}

#[test]
fn every_learner_tells_the_classes_of_rows_that_it_has_not_seen() {
    let (_, _, classes) = made(200, 2);
    let labels: Vec<bool> = classes.iter().map(|c| *c > 0.5).collect();
    for learner in Learner::ALL {
        let scores = predictions(learner, Target::Classification, 0);
        let area = auroc(&labels, &scores).unwrap();
        assert!(area > 0.9, "{learner:?}: {area}");
        if learner.gives_probabilities() {
            assert!(
                scores.iter().all(|p| (0.0..=1.0).contains(p)),
                "{learner:?}"
            );
            let mean = scores.iter().sum::<f64>() / 200.0;
            let expected = classes.iter().sum::<f64>() / 200.0;
            assert!(
                (mean - expected).abs() < 0.1,
                "{learner:?}: {mean} {expected}"
            );
        }
    }
}

#[test]
fn every_learner_but_logistic_predicts_numbers() {
    let (_, sums, _) = made(200, 2);
    for learner in Learner::ALL.into_iter().filter(|l| *l != Learner::Logistic) {
        let scores = predictions(learner, Target::Regression, 0);
        let explained = r_squared(&sums, &scores).unwrap();
        assert!(explained > 0.7, "{learner:?}: {explained}");
    }
    let (x, y, _) = made(20, 1);
    let training = Training {
        x: &x,
        y: &y,
        stop_on: None,
        rounds: None,
        seed: 0,
    };
    let defaults = Learner::Logistic.defaults();
    let refused = fit(Learner::Logistic, &defaults, Target::Regression, &training);
    assert!(refused.err().unwrap().to_string().contains("choose ridge"));
}

#[test]
fn learners_are_the_same_on_any_number_of_threads_and_differ_by_seed() {
    let pool = |n| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap()
    };
    for learner in [Learner::Forest, Learner::ExtraTrees, Learner::Gbm] {
        let one = pool(1).install(|| predictions(learner, Target::Classification, 0));
        let three = pool(3).install(|| predictions(learner, Target::Classification, 0));
        assert_eq!(one, three, "{learner:?}");
        let other = predictions(learner, Target::Classification, 1);
        assert_ne!(one, other, "{learner:?}");
    }
}

#[test]
fn boosting_knows_what_missing_means_and_stops_before_its_last_round() {
    let (mut x, _, classes) = made(300, 1);
    let (inner_x, _, inner_classes) = made(80, 3);
    for i in (0..300).step_by(3) {
        x[[i, 3]] = f64::NAN;
    }
    let training = Training {
        x: &x,
        y: &classes,
        stop_on: Some((&inner_x, &inner_classes)),
        rounds: None,
        seed: 0,
    };
    let defaults = Learner::Gbm.defaults();
    let fitted = fit(Learner::Gbm, &defaults, Target::Classification, &training).unwrap();
    assert!(
        (2..1_000).contains(&fitted.rounds.unwrap()),
        "{:?}",
        fitted.rounds
    );
    assert!((fitted.predict)(&x).is_ok());
}

#[test]
fn a_kernel_that_would_not_fit_into_memory_is_refused() {
    let x = Array2::zeros((12_001, 1));
    let y = vec![0.0; 12_001];
    let training = Training {
        x: &x,
        y: &y,
        stop_on: None,
        rounds: None,
        seed: 0,
    };
    let refused = fit(
        Learner::Svm,
        &Learner::Svm.defaults(),
        Target::Classification,
        &training,
    );
    assert!(refused.err().unwrap().to_string().contains("GB"));
}
