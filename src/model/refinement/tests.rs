//! The refinement's inputs worked out by hand, and what must never be among them.

use proptest::prelude::*;

use super::*;
use crate::random::{Purpose, fill_uniform, generator};

const N_BINS: usize = 40;

fn track(biosample: u32, assay: u32) -> InputTrack {
    InputTrack {
        biosample,
        assay,
        scale: TrackScale {
            mean: 1.0,
            deviation: 0.5 + biosample as f32,
        },
        added: false,
    }
}

/// Biosamples 0, 1 and 2; assays 0 and 1; biosample 2 lacks assay 1.
fn inputs() -> Inputs {
    Inputs {
        tracks: vec![
            track(0, 0),
            track(0, 1),
            track(1, 0),
            track(1, 1),
            track(2, 0),
        ],
    }
}

fn config() -> RefinementConfig {
    RefinementConfig {
        reaches: vec![0, 1, 3],
        nodes: 8,
        ..RefinementConfig::new(3, 2)
    }
}

fn signal(seed: u64) -> Vec<Vec<f32>> {
    let made = |t: u64| {
        let mut values = vec![0f32; N_BINS];
        fill_uniform(&mut generator(seed, Purpose::Initial, t), 3.0, &mut values);
        values
    };
    (0..8).map(made).collect()
}

fn block(config: &RefinementConfig, inputs: &Inputs, signal: &[Vec<f32>]) -> SignalBlock {
    let read = |track: usize, out: &mut [f32]| {
        out.copy_from_slice(&signal[track]);
        Ok::<_, ()>(())
    };
    SignalBlock::load(config, inputs, N_BINS, 0, N_BINS, read).unwrap()
}

fn rows(
    config: &RefinementConfig,
    inputs: &Inputs,
    plan: &Plan,
    signal: &[Vec<f32>],
) -> (Vec<f32>, Vec<f32>) {
    let block = block(config, inputs, signal);
    let bins: Vec<u32> = (0..N_BINS as u32).collect();
    let (mut rows, mut average) = (vec![f32::NAN; N_BINS * config.inputs()], vec![0.0; N_BINS]);
    Features::new(config, inputs, &block).fill(plan, &bins, &mut rows, &mut average);
    assert!(rows.iter().all(|v| v.is_finite()));
    (rows, average)
}

#[test]
fn inputs_are_what_they_are_said_to_be() {
    let (config, inputs, signal) = (config(), inputs(), signal(1));
    let plan = inputs.plan(0, 0, config.assays);
    let (rows, average) = rows(&config, &inputs, &plan, &signal);
    let z = |t: usize, bin: usize| (signal[t][bin] - 1.0) / inputs.tracks[t].scale.deviation;
    let row = &rows[5 * config.inputs()..6 * config.inputs()];
    let near =
        |found: f32, expected: f32| assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    // Assay 0, the experiment's: the others' average, no difference, not observed.
    let others = |bin: usize| (z(2, bin) + z(4, bin)) / 2.0;
    near(average[5], others(5));
    near(row[0], others(5));
    near(row[1], 0.0);
    near(row[2], (others(4) + others(5) + others(6)) / 3.0);
    near(row[6], 0.0);
    // Assay 1: biosample 1's alone, this biosample's less that, observed.
    near(row[7], z(3, 5));
    near(row[8], z(1, 5) - z(3, 5));
    near(row[13], 1.0);
    // The assay's tracks: average, weighted by standard deviation (1.5 and 2.5), spread, extremes.
    near(row[14], others(5));
    near(row[15], (1.5 * z(2, 5) + 2.5 * z(4, 5)) / 4.0);
    near(row[20], (z(2, 5) - z(4, 5)).abs() / 2.0);
    near(row[21], z(2, 5).max(z(4, 5)));
    near(row[22], z(2, 5).min(z(4, 5)));
    // Biosample 1 is compared over assay 1, biosample 2 cannot be: both count alike.
    near(row[29], 0.0);
    // Which assay, and how many biosamples have it.
    let end = config.inputs();
    assert_eq!(&row[end - 3..], [1.0, 0.0, 1.0 / 3.0]);
}

#[test]
fn a_more_alike_biosample_weighs_more() {
    let mut inputs = inputs();
    inputs.tracks.push(track(2, 1));
    let config = config();
    let mut signal = signal(2);
    // Biosample 2 shows in assay 1 what biosample 0 does; biosample 1 does not.
    let z: Vec<f32> = signal[1].iter().map(|v| (v - 1.0) / 0.5).collect();
    signal[5] = z.iter().map(|z| 1.0 + 2.5 * z).collect();
    let plan = inputs.plan(0, 0, config.assays);
    let (rows, average) = rows(&config, &inputs, &plan, &signal);
    let (mut nearer, mut n) = (0, 0);
    for bin in 0..N_BINS {
        let like = (signal[4][bin] - 1.0) / 2.5 - average[bin];
        let weighted = rows[bin * config.inputs() + 29];
        if like.abs() > 0.2 {
            n += 1;
            nearer += usize::from(weighted * like > 0.0);
        }
    }
    assert!(n > 10 && nearer == n, "{nearer} of {n}");
}

#[test]
fn an_assay_without_other_biosamples_still_has_inputs() {
    let (config, inputs) = (
        config(),
        Inputs {
            tracks: vec![track(0, 0), track(0, 1)],
        },
    );
    let plan = inputs.plan(0, 1, config.assays);
    assert_eq!((plan.n_own(), plan.n_others()), (1, 0));
    let (_, average) = rows(&config, &inputs, &plan, &signal(3));
    assert!(average.iter().all(|a| *a == 0.0));
}

#[test]
fn stretches_with_their_surroundings_are_described_as_the_whole_is() {
    let (config, inputs, signal) = (config(), inputs(), signal(4));
    let whole = block(&config, &inputs, &signal);
    let bins = 11u64..23;
    let (reading, start) = SignalBlock::reading(&config, &bins, &(0..N_BINS as u64));
    assert_eq!((reading.clone(), start), (8..26, 3));
    let read = |track: usize, out: &mut [f32]| {
        out.copy_from_slice(&signal[track][reading.start as usize..reading.end as usize]);
        Ok::<_, ()>(())
    };
    let n_read = (reading.end - reading.start) as usize;
    let part = SignalBlock::load(&config, &inputs, n_read, start, 12, read).unwrap();
    for track in 0..inputs.tracks.len() {
        for reach in 0..config.reaches.len() {
            let expected = &whole.track(track, reach)[11..23];
            for (a, b) in part.track(track, reach).iter().zip(expected) {
                assert!((a - b).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn a_biosample_with_one_track_is_believed_half() {
    let of = |biosample, assay, mean: f64| InputTrack {
        biosample,
        assay,
        scale: TrackScale::new(mean, 1.0),
        added: false,
    };
    // Four biosamples alike but for the last, of which one track is known.
    let mut tracks: Vec<InputTrack> = (0..3)
        .flat_map(|b| (0..30).map(move |a| of(b, a, 2.0)))
        .collect();
    tracks.push(of(3, 0, 3.0));
    let expected = ScaleModel::fit(&tracks, None).expect(3, 1);
    assert!((expected.mean - 2.5).abs() < 0.03, "{}", expected.mean);
    assert!((expected.deviation - 1.0).abs() < 1e-5);
    // The target contributes nothing to its own estimate.
    let expected = ScaleModel::fit(&tracks, Some((3, 0))).expect(3, 0);
    assert!((expected.mean - 2.0).abs() < 1e-4, "{}", expected.mean);
}

#[test]
fn an_added_track_speaks_for_its_own_biosample_and_for_no_other() {
    let (config, mut inputs) = (config(), inputs());
    let before = inputs.plan(0, 0, config.assays);
    inputs.tracks.push(InputTrack {
        added: true,
        ..track(3, 0)
    });
    assert_eq!(inputs.plan(0, 0, config.assays), before);
    assert_eq!(inputs.plan(3, 1, config.assays).n_own(), 1);
    let (with, without) = (signal(5), signal(5)[..5].to_vec());
    let mut fewer = inputs.clone();
    fewer.tracks.pop();
    assert_eq!(
        rows(&config, &inputs, &before, &with),
        rows(&config, &fewer, &before, &without)
    );
}

#[test]
fn quantiles_are_those_of_residuals_of_a_prediction_and_their_ends_follow_the_scale() {
    // Residuals 0, …, 100 hundredths at 1, ten times as many at 3.
    let residuals = (0..=100).map(|i| i as f32 / 100.0);
    let pairs: Vec<(f32, f32)> = residuals
        .flat_map(|r| [(1.0, r), (3.0, 10.0 * r)])
        .collect();
    let spread = Spread::measured(pairs, 2);
    let close = |a: [f32; 4], b: [f32; 4]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(close(
        spread.quantiles_at(0.0).unwrap(),
        [0.05, 0.25, 0.75, 0.95]
    ));
    assert!(close(
        spread.quantiles_at(9.0).unwrap(),
        [0.5, 2.5, 7.5, 9.5]
    ));
    // Halfway between the two.
    assert!(close(
        spread.quantiles_at(2.0).unwrap(),
        [0.275, 1.375, 4.125, 5.225]
    ));
    assert_eq!(Spread::default().quantiles_at(0.0), None);
}

#[test]
fn a_scale_beside_the_expected_one_is_a_shift_and_a_ratio() {
    let of = |mean, deviation| TrackScale { mean, deviation };
    let (shift, ratio) = of(3.0, 1.0).relative_to(of(2.0, 2.0));
    assert_eq!((shift, ratio), (0.5, 0.5));
    // The stored value 5 is 2 standardised, and lies 1.5 expected deviations above the expected mean.
    assert_eq!(shift + ratio * of(3.0, 1.0).standardise(5.0), 1.5);
}

#[test]
fn the_spread_lies_between_its_points_and_stays_beyond_them() {
    let spread = Spread::measured(vec![(0.0, 2.0), (2.0, 1.0), (0.0, -2.0), (2.0, 1.0)], 2);
    assert_eq!(spread.points, [(0.0, 2.0), (2.0, 1.0)]);
    assert_eq!(
        [-1.0, 0.0, 1.0, 2.0, 9.0].map(|v| spread.at(v)),
        [2.0, 2.0, 1.5, 1.0, 1.0]
    );
    assert!(spread.is_measured() && !Spread::default().is_measured());
}

proptest! {
    #[test]
    fn no_experiment_sees_its_own_track(seed in 0u64..1000, target in 0usize..5, factor in -3.0f32..3.0) {
        let (config, inputs, honest) = (config(), inputs(), signal(seed));
        let mut spoiled = honest.clone();
        spoiled[target].iter_mut().for_each(|v| *v = *v * factor + 1.0);
        let of = inputs.tracks[target];
        let plan = inputs.plan(of.biosample, of.assay, config.assays);
        prop_assert_eq!(
            rows(&config, &inputs, &plan, &honest),
            rows(&config, &inputs, &plan, &spoiled)
        );
        // Nor does its scale.
        let expected = |inputs: &Inputs| {
            ScaleModel::fit(&inputs.tracks, Some((of.biosample, of.assay))).expect(of.biosample, of.assay)
        };
        let mut others = inputs.clone();
        others.tracks[target].scale.mean += factor;
        prop_assert_eq!(expected(&inputs), expected(&others));
    }
}
