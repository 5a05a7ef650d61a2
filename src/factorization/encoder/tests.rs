//! The encoder in training: what it learns, that two seeds agree, that it can be resumed, and that
//! threads change nothing.

use std::sync::Arc;

use super::axes::canonical;
use super::fit::factors_without;
use super::training::EncoderSettings;
use super::*;
use crate::factorization::test_support::Made;
use crate::factorization::{Advance, Backend, Device, PassFactors, TrainingSet, TrainingTrack};
use crate::genome::{Assembly, GenomeAxis, Interval, Mask, Region, Resolution};
use crate::model::{EncoderConfig, GenomeFactors, TrackScale};

const N_BINS: usize = 24_000;
const N_TRACKS: usize = 6;

/// Six tracks that mix two hidden patterns, one that changes within 500 bp and one within 10 kb, with
/// noise of their own.
fn made() -> (Arc<TrainingSet>, Vec<TrackScale>) {
    let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 2_000_000)]).unwrap();
    let region = |first_bin: u64, n_bins: u64| Region {
        name: None,
        chrom: "chr1".into(),
        first_bin,
        n_bins,
    };
    let axis = GenomeAxis::new(assembly, vec![region(33, 20_000), region(30_007, 4_000)]).unwrap();
    // The second interval is a whole stretch.
    let masked = [
        Interval::new("chr1", 50_000, 60_000),
        Interval::new("chr1", 750_175, 800_000),
    ];
    let mask = Mask::new(&axis, &masked);
    let noise = |a: u64, b: u64| {
        let mixed = (a.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b.wrapping_mul(0xC2B2_AE3D_27D4_EB4F))
            .rotate_left(31);
        (mixed.wrapping_mul(0x1656_67B1_9E37_79F9) >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let (mut tracks, mut values, mut scales) = (Vec::new(), Vec::new(), Vec::new());
    for t in 0..N_TRACKS as u32 {
        tracks.push(TrainingTrack {
            biosample: (format!("b{}", t / 2), t / 2),
            assay: (format!("a{}", t % 2), t % 2),
        });
        let value = |i: usize| {
            let (i, t) = (i as u64, u64::from(t));
            let (fine, wide) = (noise(i / 20, 1), noise(i / 400, 2));
            fine * (1.0 + t as f32) + wide * (6.0 - t as f32) + 0.5 * noise(i, 10 + t)
        };
        let track: Vec<f32> = (0..N_BINS).map(value).collect();
        let n = N_BINS as f64;
        let mean = track.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = track
            .iter()
            .map(|v| (f64::from(*v) - mean).powi(2))
            .sum::<f64>()
            / n;
        scales.push(TrackScale::new(mean, variance));
        values.push(track);
    }
    let set = TrainingSet {
        axis,
        mask,
        tracks,
        source: Box::new(Made(values)),
    };
    (Arc::new(set), scales)
}

fn options() -> EncoderOptions {
    EncoderOptions {
        nodes: 32,
        decoder: 32,
        code: 6,
        passes: 2,
        batch_size: 512,
        ..EncoderOptions::default()
    }
}

const ASSAYS: [u32; N_TRACKS] = [0, 1, 0, 1, 0, 1];
const BIOSAMPLES: [u32; N_TRACKS] = [0, 0, 1, 1, 2, 2];

fn training(seed: u64, cache_bytes: u64) -> EncoderTraining {
    let (set, scales) = made();
    let config = options().config(N_TRACKS, [8, 20, 4]);
    // Never more factors than predicted numbers.
    assert_eq!(config.codes, [8, 12, 4]);
    training_of(set, scales, config, seed, cache_bytes)
}

fn training_of(
    set: Arc<TrainingSet>,
    scales: Vec<TrackScale>,
    config: EncoderConfig,
    seed: u64,
    cache_bytes: u64,
) -> EncoderTraining {
    let settings = EncoderSettings {
        seed,
        cache_bytes,
        backend: Backend::Native,
        device: Device::Cpu,
    };
    EncoderTraining::new(set, scales, config, &options(), settings).unwrap()
}

fn factors(training: &EncoderTraining) -> GenomeFactors {
    let encoder = canonical(training, &ASSAYS, &BIOSAMPLES).unwrap();
    let set = &training.inputs.set;
    genome_factors(&encoder, &set.axis, |track, bins, out: &mut [f32]| {
        set.source.read(track, bins, out)
    })
    .unwrap()
}

fn to_end(training: &mut EncoderTraining) -> Vec<f64> {
    let mut losses = Vec::new();
    loop {
        match training.advance().unwrap() {
            Advance::Step(_) => {}
            Advance::Pass(_, loss, _) => losses.push(loss),
            Advance::Done => return losses,
        }
    }
}

/// Squared distances between some pairs of rows.
fn distances(factors: &GenomeFactors, resolution: Resolution) -> Vec<f64> {
    let table = &factors.scales[resolution.index()];
    let n = table.nrows();
    let apart = |(i, j): (usize, usize)| {
        let pairs = table.row(i).into_iter().zip(table.row(j));
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    (0..500)
        .map(|k| apart(((k * 7) % n, (k * 13 + 5) % n)))
        .collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (x, y) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
    let both = sum(&|i| (a[i] - x) * (b[i] - y));
    both / (sum(&|i| (a[i] - x).powi(2)) * sum(&|i| (b[i] - y).powi(2))).sqrt()
}

#[test]
fn two_seeds_learn_and_give_nearly_the_same_distances() {
    let found = [0, 1].map(|seed| {
        let mut training = training(seed, 1 << 30);
        let losses = to_end(&mut training);
        assert!(losses[1] < 0.9 * losses[0] && losses[1] < 0.8, "{losses:?}");
        factors(&training)
    });
    assert_ne!(found[0], found[1]);
    for resolution in Resolution::ALL {
        let [a, b] = found.each_ref().map(|f| distances(f, resolution));
        let r = correlation(&a, &b);
        assert!(r > 0.97, "{resolution}: {r}");
    }
}

#[test]
fn axes_are_uncorrelated_descend_in_variance_and_add_up_to_the_variance_predicted() {
    let mut training = training(0, 1 << 30);
    to_end(&mut training);
    let factors = factors(&training);
    // Over all bins: no bin of the 25 bp rows is weighed otherwise.
    let set = &training.inputs.set;
    let table = &factors.scales[Resolution::Bp25.index()];
    let kept: Vec<usize> = (0..N_BINS)
        .filter(|b| !set.mask.is_masked(*b as u64))
        .collect();
    let column = |c: usize| {
        kept.iter()
            .map(|b| f64::from(table[[*b, c]]))
            .collect::<Vec<_>>()
    };
    let columns: Vec<Vec<f64>> = (0..4).map(column).collect();
    let variance = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>() / v.len() as f64;
    for (i, a) in columns.iter().enumerate() {
        assert!(a.iter().sum::<f64>().abs() / (kept.len() as f64) < 1e-3);
        for b in &columns[..i] {
            assert!(correlation(a, b).abs() < 1e-2);
            assert!(variance(b) >= variance(a));
        }
    }
    // The axes themselves are unit vectors at right angles.
    let encoder = canonical(&training, &ASSAYS, &BIOSAMPLES).unwrap();
    for (map, codes) in encoder.maps.iter().zip(encoder.config.codes) {
        assert_eq!(map.axes.len(), 2 * N_TRACKS * codes);
        for (i, j) in (0..codes).flat_map(|i| (0..codes).map(move |j| (i, j))) {
            let rows = map.axes.chunks_exact(codes);
            let product: f64 = rows.map(|row| f64::from(row[i]) * f64::from(row[j])).sum();
            assert!((product - f64::from(u8::from(i == j))).abs() < 1e-5);
        }
    }
    // A mixture of an observed number, of variance 1, and a predicted one, of about as much or less; and
    // three quarters of a wide mean, of variance 9/16 at most.
    let total: f64 = columns.iter().map(|c| variance(c)).sum();
    assert!(total > 0.2 && total < 1.5, "{total}");
}

#[test]
fn without_a_biosample_factors_keep_their_mean() {
    let mut training = training(0, 1 << 30);
    to_end(&mut training);
    let encoder = canonical(&training, &ASSAYS, &BIOSAMPLES).unwrap();
    let set = &training.inputs.set;
    let read = |track, bins, out: &mut [f32]| set.source.read(track, bins, out);
    let without = factors_without(&encoder, &set.axis, read, |_| {
        let weight = |b: &u32| f32::from(u8::from(*b != 1));
        Some(BIOSAMPLES.iter().map(weight).collect())
    })
    .unwrap();
    for (table, whole) in without.scales.iter().zip(&factors(&training).scales) {
        for (less, all) in table.columns().into_iter().zip(whole.columns()) {
            let mean = less.iter().map(|v| f64::from(*v)).sum::<f64>() / less.len() as f64;
            let square = all.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
            let deviation = (square / all.len() as f64).sqrt();
            assert!(mean.abs() < 0.25 * deviation, "{mean} of {deviation}");
        }
    }
}

#[test]
fn a_resumed_training_gives_the_bits_of_an_uninterrupted_one() {
    let mut whole = training(4, 1 << 30);
    to_end(&mut whole);
    let mut first = training(4, 1 << 30);
    for _ in 0..60 {
        first.advance().unwrap();
    }
    let kept = first.keep().unwrap();
    let mut second = training(4, 1 << 30);
    second.restore(&kept).unwrap();
    to_end(&mut second);
    assert_eq!(factors(&whole), factors(&second));
    let mut short = kept.clone();
    short.parameters.pop();
    assert!(second.restore(&short).is_err());
}

#[test]
fn threads_change_no_bit_and_windows_smaller_than_the_axis_train_too() {
    let in_pool = |threads: usize, cache: u64| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut training = training(2, cache);
            let losses = to_end(&mut training);
            (losses, factors(&training))
        })
    };
    let (one, two) = (in_pool(1, 1 << 30), in_pool(2, 1 << 30));
    assert_eq!(one.0, two.0);
    assert_eq!(one.1, two.1);
    // One stretch at a time.
    let (losses, _) = in_pool(2, 1);
    assert!(losses[1] < losses[0]);
}

#[test]
fn options_that_cannot_be_are_refused() {
    let refused = [
        EncoderOptions {
            nodes: 0,
            ..options()
        },
        EncoderOptions {
            passes: 0,
            ..options()
        },
        EncoderOptions {
            batch_size: 0,
            ..options()
        },
        EncoderOptions {
            learning_rate: f64::NAN,
            ..options()
        },
        EncoderOptions {
            dropped: [0.5, 0.4],
            ..options()
        },
        EncoderOptions {
            dropped: [0.1, 1.0],
            ..options()
        },
        EncoderOptions {
            seen_weight: 1.5,
            ..options()
        },
    ];
    for options in refused {
        assert!(options.check().is_err(), "{options:?}");
    }
    assert!(options().check().is_ok());
}

#[test]
fn constant_tracks_give_factors_of_zero() {
    let (set, _) = made();
    let constant = TrainingSet {
        axis: set.axis.clone(),
        mask: set.mask.clone(),
        tracks: set.tracks.clone(),
        source: Box::new(Made(vec![vec![2.0; N_BINS]; N_TRACKS])),
    };
    let config = options().config(N_TRACKS, [8, 12, 4]);
    let settings = EncoderSettings {
        seed: 0,
        cache_bytes: 1 << 30,
        backend: Backend::Native,
        device: Device::Cpu,
    };
    let scales = vec![TrackScale::new(2.0, 0.0); N_TRACKS];
    let mut training =
        EncoderTraining::new(Arc::new(constant), scales, config, &options(), settings).unwrap();
    to_end(&mut training);
    let factors = factors(&training);
    let inside = 2_000..18_000;
    assert!(
        inside
            .into_iter()
            .all(|bin| factors.scales[0].row(bin).iter().all(|v| v.abs() < 1e-2))
    );
}

/// The tracks of `made`, the first of them raised by a pattern of its own.
fn other_first_track(set: &TrainingSet) -> Arc<TrainingSet> {
    let values = (0..N_TRACKS).map(|t| {
        let mut track = vec![0f32; N_BINS];
        set.source.read(t, 0..N_BINS as u64, &mut track).unwrap();
        if t == 0 {
            let raised = |(i, v): (usize, &mut f32)| *v += (i % 37) as f32;
            track.iter_mut().enumerate().for_each(raised);
        }
        track
    });
    Arc::new(TrainingSet {
        axis: set.axis.clone(),
        mask: set.mask.clone(),
        tracks: set.tracks.clone(),
        source: Box::new(Made(values.collect())),
    })
}

#[test]
fn a_track_is_shown_only_where_the_factors_do_not_know_it() {
    let mut trained = training(1, 1 << 30);
    to_end(&mut trained);
    let encoder = canonical(&trained, &ASSAYS, &BIOSAMPLES).unwrap();
    let (set, _) = made();
    let here = LeftOut::new(&encoder, &set);
    let there = LeftOut::new(&encoder, &other_first_track(&set));
    let mut shown_at = 0;
    for pass in 1..=N_TRACKS as u32 {
        let tables = [here.factors(pass).unwrap(), there.factors(pass).unwrap()];
        for bin in 0..N_BINS as u64 {
            let shown = here.shown(bin, pass);
            assert_eq!(shown.len(), 1);
            let at = set.axis.locate(bin);
            for resolution in Resolution::ALL {
                let row = set.axis.row(resolution, at.region, at.chrom_bin) as usize;
                let [a, b] =
                    [&tables[0], &tables[1]].map(|t| t.scales[resolution.index()].row(row));
                assert_eq!(a == b, shown == [0], "pass {pass}, bin {bin}, {resolution}");
            }
            shown_at += usize::from(shown == [0]);
        }
    }
    // Each track is shown once at every bin in as many passes as there are groups.
    assert_eq!(shown_at, N_BINS);
}

#[test]
fn a_training_of_the_network_sees_standardised_tracks() {
    let (set, scales) = made();
    let standardised = Standardised::set(&set, scales.clone());
    let (mut raw, mut read) = ([0f32; 40], [0f32; 40]);
    set.source.read(3, 100..140, &mut raw).unwrap();
    standardised.source.read(3, 100..140, &mut read).unwrap();
    for (raw, read) in raw.iter().zip(read) {
        assert!((read * scales[3].deviation + scales[3].mean - raw).abs() < 1e-5);
    }
}

#[test]
fn tracks_beyond_the_inputs_are_pooled_by_assay_and_the_factors_stay_much_the_same() {
    let (set, scales) = made();
    let pools = pools::pools(&set, &scales, &ASSAYS, 4, 4).unwrap();
    // Tracks 0, 2 and 4 mix the patterns by 1:6, 3:4 and 5:2, which are angles of 9, 37 and 68 degrees; the others by
    // 2:5, 4:3 and 6:1, of 22, 53 and 81 degrees. The nearest two of each assay are pooled.
    assert_eq!(pools, [0, 2, 0, 3, 1, 3]);
    assert!(
        pools::pools(&set, &scales, &ASSAYS, N_TRACKS, 4)
            .unwrap()
            .is_empty()
    );
    let config = EncoderConfig {
        pools,
        ..options().config(4, [8, 20, 4])
    };
    assert_eq!((config.codes, config.n_read()), ([8, 8, 4], N_TRACKS));
    let mut pooled = training_of(Arc::clone(&set), scales.clone(), config, 0, 1 << 30);
    to_end(&mut pooled);
    let mut each = training(0, 1 << 30);
    to_end(&mut each);
    let (pooled_factors, each) = (factors(&pooled), factors(&each));
    for resolution in Resolution::ALL {
        let r = correlation(
            &distances(&pooled_factors, resolution),
            &distances(&each, resolution),
        );
        assert!(r > 0.9, "{resolution}: {r}");
    }
    // The network on the stored factors is shown the tracks that a stretch's factors leave out: whole pools.
    let encoder = canonical(&pooled, &ASSAYS, &BIOSAMPLES).unwrap();
    let left_out = LeftOut::new(&encoder, &set);
    let mut seen: Vec<Vec<u32>> = (0..4)
        .map(|pass| left_out.shown(0, pass).to_vec())
        .collect();
    seen.sort();
    assert_eq!(seen, [vec![0, 2], vec![1], vec![3, 5], vec![4]]);
}
