//! The refinement in training: what it learns, that it can be resumed, and that both forward passes
//! agree.

use std::sync::Arc;

use super::member;
use super::sampling::{Described, Peaks, Targets, highest_percent};
use super::*;
use crate::factorization::test_support::Made;
use crate::factorization::{Adam, Backend, Device, FactorizationError, TrainingSet, TrainingTrack};
use crate::genome::{Assembly, GenomeAxis, Interval, Mask, Region};
use crate::model::{
    InputTrack, Inputs, LayerValues, Refinement, RefinementConfig, SignalBlock, TrackScale,
};
use crate::nn::{AdamStep, DenseBatch, Dropout, feed_forward};

const N_BINS: usize = 6_000;

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
    let settings = RefinementSettings {
        seed: 7,
        window_bins,
        backend: Backend::Native,
        device: Device::Cpu,
    };
    let config = options.config(4, 2);
    RefinementTraining::new(
        Arc::clone(set),
        inputs.clone(),
        config,
        &options,
        trial,
        settings,
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

#[test]
fn training_and_imputation_have_one_forward_pass() {
    let config = RefinementConfig {
        nodes: 48,
        ..RefinementConfig::new(3, 3)
    };
    let flat = member::initial(&config, 3, 0);
    let spec = member::spec(&config);
    let mut network = feed_forward(Backend::Native, Device::Cpu, &spec, &flat).unwrap();
    let n = 600;
    let value = |i: usize| ((i * 7919 % 1000) as f32 / 500.0 - 1.0) * 2.0;
    let rows: Vec<f32> = (0..n * config.inputs()).map(value).collect();
    let weights = vec![1f32; n];
    let mut targets: Vec<f32> = (0..n).map(value).collect();
    // Some steps, so that no layer is zero; then targets that are imputation's own outputs.
    let mut take = |targets: &[f32], number| {
        let dropout = Dropout {
            share: 0.0,
            seed: 1,
            index: 1,
        };
        let batch = DenseBatch {
            rows: &rows,
            targets,
            weights: &weights,
            dropout,
        };
        let loss = network.back(&batch).unwrap();
        let values = network.parameters().unwrap();
        let adam = AdamStep::new(&Adam::default(), number, 0.1);
        network.apply(&adam).unwrap();
        (loss, values)
    };
    for number in 1..30 {
        take(&targets, number);
    }
    let (_, values) = take(&targets, 30);
    let member = member::from_flat(&config, &values).unwrap();
    targets.fill(0.0);
    member.add(&rows, 1.0, &mut targets, &mut LayerValues::default());
    let size = targets.iter().map(|v| f64::from(v * v)).sum::<f64>() / n as f64;
    assert!(size > 1e-3, "{size}");
    // What training makes of the same rows is off by the squared error that it reports.
    let again = feed_forward(Backend::Native, Device::Cpu, &spec, &values);
    let batch = DenseBatch {
        rows: &rows,
        targets: &targets,
        weights: &weights,
        dropout: Dropout {
            share: 0.0,
            seed: 1,
            index: 1,
        },
    };
    let apart = again.unwrap().back(&batch).unwrap();
    assert!(apart.sqrt() < 1e-6, "{apart}");
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
fn one_bin_in_a_hundred_is_a_peak_and_has_the_given_weight() {
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
fn a_target_is_drawn_where_it_has_data_and_counts_nothing_where_none_has() {
    let (set, inputs) = made();
    let config = options().config(4, 2);
    // Track 2 has no data at all, track 5 none in its first half.
    let described = |none_at_all: bool| {
        let read = |track: usize, out: &mut [f32]| {
            set.source.read(track, 0..N_BINS as u64, out)?;
            match track {
                2 => out.fill(f32::NAN),
                5 if none_at_all => out.fill(f32::NAN),
                5 => out[..N_BINS / 2].fill(f32::NAN),
                _ => {}
            }
            Ok::<_, FactorizationError>(())
        };
        Described {
            blocks: vec![0],
            signal: vec![SignalBlock::load(&config, &inputs, N_BINS, 0, N_BINS, read).unwrap()],
            kept: vec![(0..N_BINS as u32).collect()],
        }
    };
    let of_tracks: Vec<f32> = (1..=8).map(|i| i as f32).collect();
    let peaks = Peaks {
        weight: 1.0,
        above: vec![f32::INFINITY; 8],
    };
    let targets = Targets {
        config: &config,
        inputs: &inputs,
        which: &[2, 5],
        weights: &of_tracks,
        peaks: &peaks,
        seed: 1,
    };
    let gaps = described(false);
    let samples = targets.draw(&gaps, &[(0, 128); 20], None, 3);
    let known = &gaps.signal[0].track(5, 0)[N_BINS / 2..];
    for (value, weight) in samples.values.iter().zip(&samples.weights) {
        assert_eq!(*weight, 6.0, "track 5's");
        assert!(known.contains(value));
    }
    assert!(
        samples
            .rows
            .iter()
            .chain(&samples.averages)
            .all(|v| v.is_finite())
    );
    let samples = targets.draw(&described(true), &[(0, 128); 2], None, 3);
    assert!(samples.weights.iter().all(|w| *w == 0.0));
    assert_eq!(samples.values, samples.averages);
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
