//! Trained baselines where the truth is known.

use super::*;
use crate::genome::{Assembly, Region};
use crate::measures;

const N: usize = 4_000;

fn axis() -> GenomeAxis {
    let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 1_000_000)]).unwrap();
    let region = |first_bin, n_bins| Region {
        name: None,
        chrom: "chr1".into(),
        first_bin,
        n_bins,
    };
    let half = N as u64 / 2;
    GenomeAxis::new(assembly, vec![region(10, half), region(5_000, half)]).unwrap()
}

fn experiments(names: &[&str]) -> Vec<Experiment> {
    let parts = names.iter().map(|n| n.split_at(1));
    parts.map(|(b, a)| Experiment::new(b, a)).collect()
}

/// Calls `with` with what can be learnt from some tracks; one that is not among the training tracks
/// cannot be read.
fn learning<T>(
    training: &[Experiment],
    values: &[Vec<f32>],
    with: impl FnOnce(&Learning<'_>) -> T,
) -> T {
    let axis = axis();
    let mask = Mask::new(&axis, &[]);
    let read = |track: usize, bins: Range<u64>| {
        Ok(values[track][bins.start as usize..bins.end as usize].to_vec())
    };
    let scale = |values: &Vec<f32>| {
        let known: Vec<f64> = (values.iter().filter(|v| !v.is_nan()))
            .map(|v| f64::from(*v))
            .collect();
        let n = known.len() as f64;
        let mean = known.iter().sum::<f64>() / n;
        TrackScale::new(
            mean,
            known.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n,
        )
    };
    let scales: Vec<TrackScale> = values.iter().map(scale).collect();
    with(&Learning {
        training,
        scales: &scales,
        axis: &axis,
        mask: &mask,
        read: &read,
    })
}

fn imputed(
    which: LearnedBaseline,
    target: &Experiment,
    training: &[Experiment],
    values: &[Vec<f32>],
) -> Vec<f32> {
    learning(training, values, |learning| {
        let learned = Learned::fit(which.usual_settings(), target, learning);
        learned.unwrap().unwrap().impute(learning).unwrap()
    })
}

/// In every biosample P is twice Q one bin to the right.
fn made() -> (Vec<Experiment>, Vec<Vec<f32>>) {
    let q = |b: usize, i: usize| ((i * (17 + 10 * b)) % 97) as f32 / 97.0;
    let p = |b: usize, i: usize| 2.0 * q(b, i + 1);
    let values = [
        (0..N).map(|i| q(0, i)).collect(),
        (0..N).map(|i| q(1, i)).collect(),
        (0..N).map(|i| q(2, i)).collect(),
        (0..N).map(|i| p(1, i)).collect(),
        (0..N).map(|i| p(2, i)).collect::<Vec<f32>>(),
    ];
    (
        experiments(&["xQ", "yQ", "zQ", "yP", "zP"]),
        values.to_vec(),
    )
}

#[test]
fn what_other_biosamples_show_between_assays_is_applied_to_the_target() {
    let (training, values) = made();
    let target = Experiment::new("x", "P");
    let truth = |i: usize| 2.0 * (((i + 1) * 17) % 97) as f32 / 97.0;
    let inside: Vec<usize> = (0..N)
        .filter(|i| *i % (N / 2) > 410 && *i % (N / 2) < N / 2 - 410)
        .collect();
    let truth: Vec<f32> = inside.iter().map(|i| truth(*i)).collect();
    let variance = 4.0 / 12.0;
    for (which, most) in [
        (LearnedBaseline::Ridge, 0.03),
        (LearnedBaseline::Boosted, 0.15),
    ] {
        let imputed = imputed(which, &target, &training, &values);
        assert_eq!(imputed.len(), N);
        let imputed: Vec<f32> = inside.iter().map(|i| imputed[*i]).collect();
        // But for the scale, which five tracks do not give away.
        let error = measures::shape_mse(&truth, &imputed).unwrap();
        assert!(error < most * variance, "{}: {error}", which.name());
    }
}

#[test]
fn a_biosample_with_more_signal_is_imputed_with_more_signal() {
    // All tracks have one pattern. x has a higher mean and twice the deviation, P a lower mean and half.
    let (mut training, mut values) = (Vec::new(), Vec::new());
    let track = |biosample: &str, assay: &str| -> Vec<f32> {
        let (x, p) = (biosample == "x", assay == "P");
        let mean = 3.0 + if x { 2.0 } else { 0.0 } - if p { 1.0 } else { 0.0 };
        let deviation = if x { 2.0 } else { 1.0 } * if p { 0.5 } else { 1.0 };
        // The values −6 to 6 have the variance 14.
        let value = |i: usize| mean + deviation * ((i % 13) as f32 - 6.0) / 14f32.sqrt();
        (0..N).map(value).collect()
    };
    for biosample in ["x", "u", "v", "w", "y", "z"] {
        for assay in ["P", "Q", "R", "S", "T"] {
            if (biosample, assay) != ("x", "P") {
                training.push(Experiment::new(biosample, assay));
                values.push(track(biosample, assay));
            }
        }
    }
    let target = Experiment::new("x", "P");
    let observed = track("x", "P");
    // The average of the others has a mean of 2 for 4, and a deviation of 0.5 for 1.
    let average = measures::mse(&observed, &track("y", "P")).unwrap();
    assert!((average - 4.25).abs() < 0.01, "{average}");
    for which in LearnedBaseline::ALL {
        let imputed = imputed(which, &target, &training, &values);
        let error = measures::mse(&observed, &imputed).unwrap();
        // Effects are shrunk, so that some is left.
        assert!(error < 0.2 * average, "{}: {error}", which.name());
    }
}

#[test]
fn what_is_alike_around_a_bin_is_used_there() {
    // In the first region x is as y and z as u, in the second x is as z and y as u, of Q as of P. Over the
    // whole axis half of each is like half of another.
    let noise = |pattern: usize, assay: usize| -> Vec<f32> {
        let mut random = generator((10 * pattern + assay) as u64, Purpose::Bins, 11);
        (0..N)
            .map(|_| random.next_u32() as f32 / u32::MAX as f32)
            .collect()
    };
    let track = |(first, second): (usize, usize), assay: usize| -> Vec<f32> {
        [
            &noise(first, assay)[..N / 2],
            &noise(second, assay)[N / 2..],
        ]
        .concat()
    };
    let (mut training, mut values) = (Vec::new(), Vec::new());
    for (biosample, patterns) in [("x", (1, 2)), ("y", (1, 3)), ("z", (4, 2)), ("u", (4, 3))] {
        for (place, assay) in ["P", "Q"].into_iter().enumerate() {
            if (biosample, assay) != ("x", "P") {
                training.push(Experiment::new(biosample, assay));
                values.push(track(patterns, place));
            }
        }
    }
    let target = Experiment::new("x", "P");
    let observed = track((1, 2), 0);
    for (which, least, most) in [
        (LearnedBaseline::Ridge, 0.8, 1.0),
        (LearnedBaseline::Boosted, 0.8, 1.0),
        // One of three is alike: 1 / √5.
        (LearnedBaseline::ScaledAverage, 0.4, 0.5),
    ] {
        let imputed = imputed(which, &target, &training, &values);
        let r = measures::pearson(&observed, &imputed).unwrap();
        assert!((least..=most).contains(&r), "{}: {r}", which.name());
    }
}

#[test]
fn a_target_in_training_is_not_read() {
    let (mut training, mut values) = made();
    let target = Experiment::new("x", "P");
    let without = imputed(LearnedBaseline::Ridge, &target, &training, &values);
    training.push(target.clone());
    values.push(vec![f32::NAN; N]);
    let with = imputed(LearnedBaseline::Ridge, &target, &training, &values);
    assert_eq!(with, without);
}

#[test]
fn nothing_is_learnt_without_a_reference_or_inputs() {
    let (training, values) = made();
    for (b, a) in [("x", "R"), ("v", "R")] {
        let target = Experiment::new(b, a);
        learning(&training, &values, |learning| {
            for which in LearnedBaseline::ALL {
                let learned = Learned::fit(which.usual_settings(), &target, learning).unwrap();
                assert!(learned.is_none(), "{b} {a}");
            }
        });
    }
}

#[test]
fn settings_are_those_with_the_least_error_on_training_tracks_alone() {
    // P is Q where R is high and −Q where it is low: one split is not enough.
    let noise = |seed: u64| -> Vec<f32> {
        let mut random = generator(seed, Purpose::Bins, 12);
        (0..N)
            .map(|_| random.next_u32() as f32 / u32::MAX as f32 - 0.5)
            .collect()
    };
    let (mut training, mut values) = (Vec::new(), Vec::new());
    for (b, biosample) in ["u", "v", "x", "y", "z"].into_iter().enumerate() {
        let (q, r) = (noise(2 * b as u64), noise(2 * b as u64 + 1));
        let p = q.iter().zip(&r).map(|(q, r)| q * r.signum()).collect();
        for (assay, track) in [("P", p), ("Q", q), ("R", r)] {
            training.push(Experiment::new(biosample, assay));
            values.push(track);
        }
    }
    learning(&training, &values, |learning| {
        let choice = choose(LearnedBaseline::Ridge, learning).unwrap();
        assert_eq!((choice.baseline, choice.tried.len()), ("ridge", 12));
        assert!(!choice.compared_on.is_empty());
        let known = |name: &String| {
            training
                .iter()
                .any(|e| *name == format!("{}:{}", e.biosample, e.assay))
        };
        assert!(choice.compared_on.iter().all(known));
        // Nothing linear predicts these tracks: the more is held back the better.
        let LearnedSettings::Ridge { penalty } = choice.chosen.clone().unwrap().settings else {
            panic!("{choice:?}");
        };
        assert!(penalty >= 10.0, "{choice:?}");
        let least = |choice: &LearnedChoice| {
            let errors = choice.tried.iter().map(|t| t.mse.unwrap());
            errors.fold(f64::INFINITY, f64::min)
        };
        assert_eq!(choice.chosen.clone().unwrap().mse, Some(least(&choice)));
        // Trees do.
        let trees = choose(LearnedBaseline::Boosted, learning).unwrap();
        assert_eq!(trees.tried.len(), 12);
        assert!(least(&trees) < 0.9 * least(&choice), "{trees:?}");
        let average = choose(LearnedBaseline::ScaledAverage, learning).unwrap();
        assert_eq!((average.chosen, average.tried.len()), (None, 0));
    });
    // Where no track can be spared there is nothing to compare on.
    let (training, values) = made();
    learning(&training, &values, |learning| {
        let choice = choose(LearnedBaseline::Ridge, learning).unwrap();
        let chosen = choice.chosen.unwrap();
        assert_eq!(
            Some(chosen.settings),
            LearnedBaseline::Ridge.usual_settings()
        );
        assert!(choice.compared_on.is_empty() && chosen.mse.is_none());
    });
}

#[test]
fn rows_without_a_wanted_value_are_left_out_in_every_column() {
    let mut inputs = vec![1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
    let mut wanted = vec![0.5, f64::NAN, 1.5];
    keep_known(&mut inputs, &mut wanted);
    assert_eq!(
        (inputs, wanted),
        (vec![1.0, 3.0, 10.0, 30.0], vec![0.5, 1.5])
    );
}

#[test]
fn a_stretch_without_data_in_a_track_leaves_imputations_finite_and_learns_nothing_there() {
    let (training, mut values) = made();
    let target = Experiment::new("x", "P");
    let complete = imputed(LearnedBaseline::Ridge, &target, &training, &values);
    // One reference lacks a quarter of the axis.
    values[3][..N / 4].fill(f32::NAN);
    let gaps = imputed(LearnedBaseline::Ridge, &target, &training, &values);
    assert!(gaps.iter().all(|v| v.is_finite()));
    let inside = N / 2 + 410..N - 410;
    let apart: f32 = inside.clone().map(|i| (gaps[i] - complete[i]).abs()).sum();
    // What is learnt from the rest is nearly the same: a learnt 0 would halve it.
    assert!(apart / inside.len() as f32 <= 0.1, "{apart}");
}
