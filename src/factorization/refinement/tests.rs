//! The refinement in training: what it learns, that it can be resumed, and that both forward passes
//! agree.

use std::ops::Range;
use std::sync::Arc;

use tch::Device;

use super::learner::{Dropout, Learner, Step};
use super::network::TorchMember;
use super::sampling::{Described, Peaks, Samples, Targets, highest_percent};
use super::*;
use crate::factorization::{Adam, FactorizationError, TrackSource, TrainingSet, TrainingTrack};
use crate::genome::{Assembly, GenomeAxis, Interval, Mask, Region};
use crate::model::{InputTrack, Inputs, Refinement, RefinementConfig, SignalBlock, TrackScale};

const N_BINS: usize = 6_000;

struct Made(Vec<Vec<f32>>);

impl TrackSource for Made {
    fn read(
        &self,
        track: usize,
        bins: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), FactorizationError> {
        out.copy_from_slice(&self.0[track][bins.start as usize..bins.end as usize]);
        Ok(())
    }
}

/// Assay 1 shows, in every biosample, what its assay 0 does where that departs from the common
/// pattern.
fn made() -> (Arc<TrainingSet>, Inputs) {
    let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 200_000)]).unwrap();
    let region = Region {
        name: None,
        chrom: "chr1".into(),
        first_bin: 100,
        n_bins: N_BINS as u64,
    };
    let axis = GenomeAxis::new(assembly, vec![region]).unwrap();
    let mask = Mask::new(&axis, &[Interval::new("chr1", 5_000, 6_000)]);
    let (mut tracks, mut values, mut inputs) = (Vec::new(), Vec::new(), Inputs::default());
    for b in 0..4u32 {
        for a in 0..2u32 {
            tracks.push(TrainingTrack {
                biosample: (format!("b{b}"), b),
                assay: (format!("a{a}"), a),
            });
            let own = |i: usize| ((i / 37 + 11 * b as usize) as f32 * 1.7).sin();
            let shape = |i: usize| (i as f32 / 50.0).sin() + (1.0 + a as f32) * own(i);
            let track: Vec<f32> = (0..N_BINS).map(shape).collect();
            let n = N_BINS as f64;
            let mean = track.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
            let variance = track
                .iter()
                .map(|v| (f64::from(*v) - mean).powi(2))
                .sum::<f64>()
                / n;
            inputs.tracks.push(InputTrack {
                biosample: b,
                assay: a,
                scale: TrackScale::new(mean, variance),
                added: false,
            });
            values.push(track);
        }
    }
    let source = Box::new(Made(values));
    let set = TrainingSet {
        axis,
        mask,
        tracks,
        source,
    };
    (Arc::new(set), inputs)
}

fn options() -> RefinementOptions {
    RefinementOptions {
        members: 2,
        nodes: 32,
        reaches: vec![0, 1, 5, 20],
        passes: 8,
        batch_size: 256,
        dropout: 0.1,
        ..RefinementOptions::default()
    }
}

fn training(set: &Arc<TrainingSet>, inputs: &Inputs, window_bins: u64) -> RefinementTraining {
    let trial = Trial { targets: vec![3] };
    let options = options();
    let ground = Ground {
        seed: 7,
        window_bins,
        device: Device::Cpu,
    };
    let config = options.config(4, 2);
    RefinementTraining::new(
        Arc::clone(set),
        inputs.clone(),
        config,
        &options,
        trial,
        ground,
    )
    .unwrap()
}

fn finish(mut training: RefinementTraining) -> (Refinement, Vec<f64>) {
    let mut held = Vec::new();
    loop {
        match training.advance().unwrap() {
            Advance::Done => return (training.into_refinement(), held),
            Advance::Pass(_, _, error) => held.extend(error),
            Advance::Step(_) => {}
        }
    }
}

#[test]
fn an_experiment_is_learnt_from_the_biosamples_other_track() {
    let (set, inputs) = made();
    let (refinement, held) = finish(training(&set, &inputs, 1 << 20));
    refinement.check().unwrap();
    assert_eq!((refinement.members.len(), held.len()), (2, 8));
    // The track that the trial does not aim at: its average alone is off by nearly its variance.
    let variance = f64::from(inputs.tracks[3].scale.deviation).powi(2);
    assert!(held[7] < 0.4 * variance, "{held:?} of {variance}");
    assert!(refinement.spread.is_measured());
}

#[test]
fn windows_smaller_than_the_axis_do_not_keep_it_from_learning() {
    let (set, inputs) = made();
    let (_, whole) = finish(training(&set, &inputs, 1 << 20));
    let (_, narrow) = finish(training(&set, &inputs, 1));
    assert!(narrow[7] < 1.3 * whole[7], "{narrow:?} {whole:?}");
}

#[test]
fn a_resumed_training_equals_an_uninterrupted_one_bit_for_bit() {
    let (set, inputs) = made();
    let (whole, _) = finish(training(&set, &inputs, 1 << 20));
    for steps in [1, 100, 400] {
        let mut first = training(&set, &inputs, 1 << 20);
        for _ in 0..steps {
            first.advance().unwrap();
        }
        let kept = first.keep(Vec::new()).unwrap();
        let mut second = training(&set, &inputs, 1 << 20);
        second.restore(kept).unwrap();
        assert_eq!(finish(second).0, whole, "after {steps} steps");
    }
}

/// A network on libtorch with the first values that one by hand has.
fn on_torch(config: &RefinementConfig, by_hand: &Learner) -> Learner {
    let (flat, moments) = (by_hand.flat().unwrap(), by_hand.moments().unwrap());
    let moments = moments.split_at(flat.len());
    Learner::Torch(TorchMember::new(config, &flat, moments, Device::Cpu).unwrap())
}

fn some_samples(config: &RefinementConfig, n: usize) -> Samples {
    let value = |i: usize| ((i * 7919 % 1000) as f32 / 500.0 - 1.0) * 2.0;
    Samples {
        rows: (0..n * config.inputs()).map(value).collect(),
        averages: (0..n).map(|i| value(i + 3) / 4.0).collect(),
        values: (0..n).map(value).collect(),
        weights: (0..n).map(|i| 1.0 + value(i + 7).abs()).collect(),
    }
}

#[test]
fn steps_by_hand_are_autograds() {
    for (nodes, layers, n) in [(48, 2, 600), (7, 3, 300), (16, 1, 5)] {
        let config = RefinementConfig {
            nodes,
            layers,
            ..RefinementConfig::new(3, 3)
        };
        let samples = some_samples(&config, n);
        let options = RefinementOptions::default();
        let mut by_hand = Learner::initial(&config, 3, 0, Device::Cpu).unwrap();
        let mut torch = on_torch(&config, &by_hand);
        let start = by_hand.flat().unwrap();
        for step in 1..12 {
            let dropout = Dropout {
                share: 0.4,
                seed: 5,
                index: u64::from(step),
            };
            let take = |member: &mut Learner| {
                member.step(&Step {
                    samples: &samples,
                    options: &options,
                    adam: Adam::default(),
                    number: step,
                    dropout,
                })
            };
            let (a, b) = (take(&mut by_hand).unwrap(), take(&mut torch).unwrap());
            assert!((a - b).abs() < 1e-4 * b, "{nodes} {step}: {a} {b}");
        }
        let (ours, theirs) = (by_hand.flat().unwrap(), torch.flat().unwrap());
        let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
        let moved = start.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
        let (apart, moved) = (apart.fold(0f32, f32::max), moved.fold(0f32, f32::max));
        // A gradient that is 0 but for rounding moves its parameter by as much as any other.
        let far = ours
            .iter()
            .zip(&theirs)
            .filter(|(a, b)| (*a - *b).abs() > 1e-4);
        assert!(
            far.count() * 200 <= ours.len(),
            "{nodes}: {apart} of {moved}"
        );
        assert!(moved > 5e-3, "{moved}");
    }
}

#[test]
fn both_forward_passes_agree() {
    let config = RefinementConfig {
        nodes: 48,
        ..RefinementConfig::new(3, 3)
    };
    let by_hand = Learner::initial(&config, 3, 0, Device::Cpu).unwrap();
    let n = 600;
    for mut learner in [on_torch(&config, &by_hand), by_hand] {
        let mut samples = some_samples(&config, n);
        samples.averages.fill(0.0);
        let options = RefinementOptions::default();
        let dropout = Dropout {
            share: 0.0,
            seed: 1,
            index: 1,
        };
        let take = |learner: &mut Learner, samples: &Samples, number| {
            let step = Step {
                samples,
                options: &options,
                adam: Adam::default(),
                number,
                dropout,
            };
            learner.step(&step).unwrap()
        };
        // Some steps, so that no layer is zero; then targets that are imputation's own outputs: what
        // training makes of the same rows is off by the squared error it reports.
        for number in 1..30 {
            take(&mut learner, &samples, number);
        }
        let member = learner.to_member(&config).unwrap();
        let mut ours = vec![0f32; n];
        member.add(&samples.rows, 1.0, &mut ours);
        let size = ours.iter().map(|v| f64::from(v * v)).sum::<f64>() / n as f64;
        assert!(size > 1e-3, "{size}");
        samples.values = ours;
        let apart = take(&mut learner, &samples, 30);
        assert!(apart.sqrt() < 1e-5, "{apart}");
    }
}

#[test]
fn a_checkpoint_of_other_sizes_is_refused() {
    let (set, inputs) = made();
    let mut kept = training(&set, &inputs, 1 << 20).keep(Vec::new()).unwrap();
    kept.current.pop();
    let error = training(&set, &inputs, 1 << 20)
        .restore(kept)
        .unwrap_err()
        .to_string();
    assert!(error.contains("not of this model's sizes"), "{error}");
}

#[test]
fn one_bin_in_a_hundred_is_a_peak_and_counts_as_often_as_told() {
    let (set, inputs) = made();
    let config = options().config(4, 2);
    let read = |track: usize, out: &mut [f32]| set.source.read(track, 0..N_BINS as u64, out);
    let signal = SignalBlock::load(&config, &inputs, N_BINS, 0, N_BINS, read).unwrap();
    let above: Vec<f32> = (0..8)
        .map(|track| highest_percent(&mut signal.track(track, 0).to_vec()))
        .collect();
    for (track, above) in above.iter().enumerate() {
        let n = signal.track(track, 0).iter().filter(|v| *v > above).count();
        assert!(n <= N_BINS / 100 && n > N_BINS / 200, "{n}");
    }
    let described = Described {
        blocks: vec![0],
        signal: vec![signal],
        kept: vec![(0..N_BINS as u32).collect()],
    };
    let of_tracks: Vec<f32> = (1..=8).map(|i| i as f32).collect();
    let peaks = Peaks { weight: 5.0, above };
    let targets = Targets {
        config: &config,
        inputs: &inputs,
        which: &[2],
        weights: &of_tracks,
        peaks: &peaks,
        seed: 1,
    };
    let samples = targets.draw(&described, &[(0, 128); 40], None, 3);
    let is_peak = |v: &f32| *v > peaks.above[2];
    assert!(samples.values.iter().any(is_peak));
    for (value, weight) in samples.values.iter().zip(&samples.weights) {
        assert_eq!(*weight, if is_peak(value) { 15.0 } else { 3.0 });
    }
}

#[test]
fn of_a_track_without_signal_nothing_is_a_peak() {
    let mut values = vec![0f32; 500];
    assert_eq!(highest_percent(&mut values), 0.0);
    values[3] = 1.0;
    assert_eq!(highest_percent(&mut values), 0.0);
    assert_eq!(highest_percent(&mut []), f32::INFINITY);
    let refused = RefinementOptions {
        peak_weight: 0.5,
        ..options()
    };
    assert!(refused.check().unwrap_err().to_string().contains("peaks"));
}
