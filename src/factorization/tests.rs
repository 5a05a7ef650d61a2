//! Training as a whole, on tracks made here.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::batch::Choice;
use super::test_support::Made;
use super::trainer::{clip, norm, spec};
use super::*;
use crate::genome::{Assembly, GenomeAxis, Interval, Mask, Resolution};
use crate::model::{Forward, GenomeFactors, Network, Sizes};
use crate::nn::{FactorBatch, FactorGradients, FactorNetwork, FactorRows, factor_network};
use crate::random::{Purpose, fill_uniform, generator};

const N_BINS: usize = 3_000;

fn sizes(layers: usize, nodes: usize) -> Sizes {
    Sizes {
        biosample_factors: 4,
        assay_factors: 3,
        factors_25bp: 2,
        factors_250bp: 3,
        factors_5kbp: 4,
        layers,
        nodes,
        batch_size: 500,
    }
}

fn set(spoil: Option<(usize, usize)>) -> Arc<TrainingSet> {
    let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 200_000)]).unwrap();
    let regions = vec![
        crate::genome::Region {
            name: None,
            chrom: "chr1".into(),
            first_bin: 7,
            n_bins: 2_000,
        },
        crate::genome::Region {
            name: None,
            chrom: "chr1".into(),
            first_bin: 5_005,
            n_bins: 1_000,
        },
    ];
    let axis = GenomeAxis::new(assembly, regions).unwrap();
    let mask = Mask::new(&axis, &[Interval::new("chr1", 1_000, 2_000)]);
    let mut tracks = Vec::new();
    let mut values = Vec::new();
    for b in 0..3u32 {
        for a in 0..3u32 {
            tracks.push(TrainingTrack {
                biosample: (format!("b{b}"), b),
                assay: (format!("a{a}"), a),
            });
            let shape = |i: usize| {
                ((i as f32 / (40.0 + 30.0 * a as f32)).sin() + 1.0) * (0.5 + 0.3 * b as f32)
            };
            values.push((0..N_BINS).map(shape).collect::<Vec<f32>>());
        }
    }
    if let Some((track, bin)) = spoil {
        values[track][bin] = f32::INFINITY;
    }
    Arc::new(TrainingSet {
        axis,
        mask,
        tracks,
        source: Box::new(Made(values)),
    })
}

fn settings(sizes: Sizes, sampling: Sampling, window_bins: u64) -> Settings {
    Settings {
        sizes,
        sampling,
        adam: Adam {
            learning_rate: 1e-2,
            ..Adam::default()
        },
        seed: 5,
        clip: None,
        window_bins,
        backend: Backend::Native,
        device: Device::Cpu,
        arithmetic: Arithmetic::F32,
    }
}

fn all_trained() -> Trained {
    Trained {
        biosamples: 0..3,
        assays: 0..3,
        genome: true,
        layers: true,
    }
}

fn trainer(set: &Arc<TrainingSet>, settings: &Settings) -> Trainer {
    let network = Network::initial(&settings.sizes, 3, 3, settings.seed);
    let genome = GenomeFactors::initial(&settings.sizes, &set.axis, settings.seed);
    Trainer::new(
        Arc::clone(set),
        settings.clone(),
        (0..9).collect(),
        all_trained(),
        &network,
        genome,
    )
    .unwrap()
}

fn run(trainer: &mut Trainer, passes: u32) -> Vec<f64> {
    let go_on = &mut |_: &mut Trainer, _: StepReport| Ok(ControlFlow::Continue(()));
    (0..passes)
        .map(|_| match trainer.run_pass(go_on).unwrap() {
            PassEnd::Done(loss) => loss,
            PassEnd::Stopped => f64::NAN,
        })
        .collect()
}

/// A batch and its rows, for looking at gradients.
fn a_batch(set: &TrainingSet, sizes: &Sizes) -> (Batch, [Vec<f32>; 3], Vec<[u32; 2]>) {
    let blocks = Blocks::new(&set.axis, &set.mask);
    let tracks: Vec<usize> = (0..9).collect();
    let window = Window::load(
        set.source.as_ref(),
        &tracks,
        blocks.all().to_vec(),
        &set.mask,
    )
    .unwrap();
    let bins: Vec<u32> = (100..130)
        .chain(1_990..2_015)
        .chain([2_400, 2_400, 2_401])
        .collect();
    let batch = Batch::new(&set.axis, &window, bins, &Choice::All(9), 3, 1);
    let mut rng = generator(9, Purpose::Initial, 77);
    let genome = [0, 1, 2].map(|s| {
        let cols = sizes.genome_factors(crate::genome::Resolution::ALL[s]);
        let mut rows = vec![0f32; batch.groups[s].rows.len() * cols];
        fill_uniform(&mut rng, 0.5, &mut rows);
        rows
    });
    let pairs = set
        .tracks
        .iter()
        .map(|t| [t.biosample.1, t.assay.1])
        .collect();
    (batch, genome, pairs)
}

/// A network that is trained whole, on this crate's kernels.
fn native(network: &Network, sizes: &Sizes) -> Box<dyn FactorNetwork> {
    let settings = settings(*sizes, Sampling::Sequential, 1 << 20);
    let spec = spec(&settings, &all_trained(), network.n_names());
    factor_network(Backend::Native, Device::Cpu, &spec, &network.to_flat()).unwrap()
}

/// What a batch's way through a network and back gives.
fn back(
    network: &mut dyn FactorNetwork,
    batch: &Batch,
    genome: &[Vec<f32>; 3],
    pairs: &[[u32; 2]],
) -> FactorGradients {
    let mut gradients = FactorGradients::default();
    let shown = FactorBatch {
        tracks: &batch.tracks,
        pairs,
        observed: &batch.values,
        genome: [0, 1, 2].map(|s| FactorRows {
            factors: &genome[s],
            starts: &batch.groups[s].starts,
        }),
    };
    network.back(&shown, &mut gradients).unwrap();
    gradients
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for (layers, nodes) in [(1, 19), (2, 11)] {
        let sizes = sizes(layers, nodes);
        let set = set(None);
        let (batch, genome, pairs) = a_batch(&set, &sizes);
        let network = Network::initial(&sizes, 3, 3, 1);
        let mut native = native(&network, &sizes);
        let gradients = back(native.as_mut(), &batch, &genome, &pairs);
        for scale in 0..3 {
            for at in [0, genome[scale].len() / 2, genome[scale].len() - 1] {
                let mut loss = |shift: f32| {
                    let mut moved = genome.clone();
                    moved[scale][at] += shift;
                    back(native.as_mut(), &batch, &moved, &pairs).loss
                };
                // Small beside the distance to the next kink of a ReLU.
                let step = 1e-3;
                let expected = (loss(step) - loss(-step)) / f64::from(2.0 * step);
                let found = f64::from(gradients.genome[scale][at]);
                assert!(
                    (found - expected).abs() < 5e-4 + 0.05 * expected.abs(),
                    "{layers} {scale} {at}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn the_loss_is_that_of_imputations_forward_pass_within_1e_4() {
    for (layers, nodes) in [(1, 64), (2, 48), (3, 20)] {
        let sizes = sizes(layers, nodes);
        let set = set(None);
        let mut trained = trainer(&set, &settings(sizes, Sampling::Sequential, 1 << 20));
        run(&mut trained, 3);
        let (network, genome) = trained.into_model().unwrap();
        // The loss of a network that is not trained further is the mean of the squared residuals.
        let mut native = native(&network, &sizes);
        let blocks = Blocks::new(&set.axis, &set.mask);
        let tracks: Vec<usize> = (0..9).collect();
        let window = Window::load(
            set.source.as_ref(),
            &tracks,
            blocks.all().to_vec(),
            &set.mask,
        )
        .unwrap();
        let bins: Vec<u32> = (1_200..1_700).collect();
        let batch = Batch::new(&set.axis, &window, bins, &Choice::All(9), 3, 1);
        let rows = [0, 1, 2].map(|s| {
            let table = &genome.scales[s];
            batch.groups[s]
                .rows
                .iter()
                .flat_map(|r| table.row(*r as usize).to_vec())
                .collect::<Vec<f32>>()
        });
        let pairs: Vec<[u32; 2]> = set
            .tracks
            .iter()
            .map(|t| [t.biosample.1, t.assay.1])
            .collect();
        let residuals = back(native.as_mut(), &batch, &rows, &pairs).residuals;
        let forward = Forward::new(&network, &sizes).unwrap();
        for (i, bin) in batch.bins.iter().enumerate().step_by(37) {
            let at = set.axis.locate(u64::from(*bin));
            let scales = crate::genome::Resolution::ALL.map(|scale| {
                let row = set.axis.row(scale, at.region, at.chrom_bin) as usize;
                genome.scales[scale.index()]
                    .slice(ndarray::s![row..row + 1, ..])
                    .to_owned()
            });
            let block = crate::model::GenomeBlock {
                first_bin: at.chrom_bin,
                n_bins: 1,
                scales,
            };
            let mut out = [0f32];
            let [b, a] = pairs[batch.tracks[i] as usize];
            let experiment = (b as usize, a as usize);
            forward.predict(&block, &[experiment], &mut out).unwrap();
            let trained_says = residuals[i] + batch.values[i];
            assert!(
                (out[0] - trained_says).abs() < 1e-4,
                "{} {trained_says}",
                out[0]
            );
        }
    }
}

#[test]
fn training_learns_what_a_factorisation_can_learn() {
    for (layers, sampling) in [
        (1, Sampling::Sequential),
        (2, Sampling::Permuted),
        (1, Sampling::Random),
    ] {
        let set = set(None);
        let mut trainer = trainer(&set, &settings(sizes(layers, 32), sampling, 1 << 20));
        let losses = run(&mut trainer, 80);
        assert!(
            losses[79] < losses[0] / 10.0,
            "{sampling:?}: {} {}",
            losses[0],
            losses[79]
        );
    }
}

#[test]
fn windows_smaller_than_the_axis_visit_every_bin_and_learn_too() {
    let set = set(None);
    for sampling in [Sampling::Sequential, Sampling::Permuted, Sampling::Random] {
        let mut trainer = trainer(&set, &settings(sizes(1, 32), sampling, 1));
        let mut samples = 0;
        trainer
            .run_pass(&mut |_, report| {
                samples += report.samples;
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        assert_eq!(samples, N_BINS - set.mask.n_masked());
        let losses = run(&mut trainer, 60);
        assert!(losses[59] < losses[0] / 4.0, "{sampling:?}: {losses:?}");
    }
}

#[test]
fn one_seed_gives_one_model_and_another_another() {
    let set = set(None);
    let model = |seed| {
        let mut settings = settings(sizes(2, 16), Sampling::Permuted, 1 << 20);
        settings.seed = seed;
        let mut trainer = trainer(&set, &settings);
        run(&mut trainer, 2);
        trainer.into_model().unwrap()
    };
    let (a, b, c) = (model(1), model(1), model(2));
    assert!(a == b);
    assert!(a != c);
}

#[test]
fn a_training_taken_up_in_the_midst_of_a_pass_goes_on_bit_for_bit() {
    let set = set(None);
    for (sampling, window) in [
        (Sampling::Sequential, 1 << 20),
        (Sampling::Random, 1),
        (Sampling::Permuted, 1),
    ] {
        let settings = settings(sizes(2, 16), sampling, window);
        let mut whole = trainer(&set, &settings);
        let losses = run(&mut whole, 3);

        let mut first = trainer(&set, &settings);
        run(&mut first, 1);
        let end = first
            .run_pass(&mut |_, report| {
                Ok(match report.position.step_in_pass {
                    3 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                })
            })
            .unwrap();
        assert_eq!(end, PassEnd::Stopped);
        let dense = first.dense_state().unwrap();
        let state = State {
            position: first.position(),
            pass_loss: first.pass_loss(),
            network: dense.values,
            moments: dense.moments,
            tables: first.tables().clone(),
        };
        let mut second = trainer(&set, &settings);
        second.restore(state).unwrap();
        assert_eq!(run(&mut second, 2), losses[1..]);
        assert!(
            second.into_model().unwrap() == whole.into_model().unwrap(),
            "{sampling:?}"
        );
    }
}

/// A set of which one track has no data in a stretch, and no track any in another.
fn set_with_gaps() -> Arc<TrainingSet> {
    struct Gaps(Arc<TrainingSet>);
    impl TrackSource for Gaps {
        fn read(
            &self,
            track: usize,
            bins: std::ops::Range<u64>,
            out: &mut [f32],
        ) -> Result<(), FactorizationError> {
            self.0.source.read(track, bins.clone(), out)?;
            for (value, bin) in out.iter_mut().zip(bins) {
                if bin < 700 || (track == 4 && bin < 1_200) {
                    *value = f32::NAN;
                }
            }
            Ok(())
        }
    }
    let complete = set(None);
    Arc::new(TrainingSet {
        axis: complete.axis.clone(),
        mask: complete.mask.clone(),
        tracks: complete.tracks.clone(),
        source: Box::new(Gaps(complete)),
    })
}

#[test]
fn bins_without_data_are_never_trained_on_nor_validated() {
    let set = set_with_gaps();
    for sampling in [Sampling::Sequential, Sampling::Permuted, Sampling::Random] {
        let mut trainer = trainer(&set, &settings(sizes(1, 8), sampling, 1 << 20));
        let losses = run(&mut trainer, 3);
        assert!(
            losses.iter().all(|l| l.is_finite()),
            "{sampling:?}: {losses:?}"
        );
        assert!(losses[2] < losses[0], "{sampling:?}: {losses:?}");
        let errors = trainer.held_out_error(&[4, 5], 1 << 20).unwrap();
        assert!(
            errors.iter().all(|e| e.is_some_and(|e| e.is_finite())),
            "{errors:?}"
        );
        // The factors of bins at which nothing has data are those of the beginning.
        let (network, genome) = trainer.into_model().unwrap();
        assert!(network.to_flat().iter().all(|v| v.is_finite()));
        let fine = &genome.scales[Resolution::Bp25.index()];
        let (_, initial) = self::trainer(&set, &settings(sizes(1, 8), sampling, 1 << 20))
            .into_model()
            .unwrap();
        let initial = &initial.scales[Resolution::Bp25.index()];
        for row in 0..700 {
            assert_eq!(fine.row(row), initial.row(row), "{sampling:?} {row}");
        }
        assert_ne!(fine.row(800), initial.row(800));
    }
}

#[test]
fn a_loss_that_is_not_finite_names_the_step_the_track_and_the_place() {
    let set = set(Some((4, 1_500)));
    let mut trainer = trainer(&set, &settings(sizes(1, 8), Sampling::Sequential, 1 << 20));
    let go_on = &mut |_: &mut Trainer, _: StepReport| Ok(ControlFlow::Continue(()));
    let error = (0..200)
        .find_map(|_| trainer.run_pass(go_on).err())
        .expect("the spoilt value is drawn at last");
    let message = error.to_string();
    // Bin 1,500 of the axis is chromosome bin 1,507.
    assert!(
        message.contains("track b1 a1 at chr1:37676") && message.contains("step"),
        "{message}"
    );
}

#[test]
fn frozen_parts_do_not_change_by_a_bit() {
    let set = set(None);
    let settings = settings(sizes(2, 16), Sampling::Sequential, 1 << 20);
    let network = Network::initial(&settings.sizes, 3, 3, 5);
    let genome = GenomeFactors::initial(&settings.sizes, &set.axis, 5);
    let trained = Trained {
        biosamples: 2..3,
        assays: 0..0,
        genome: false,
        layers: false,
    };
    let mut trainer = Trainer::new(
        Arc::clone(&set),
        settings,
        (6..9).collect(),
        trained,
        &network,
        genome.clone(),
    )
    .unwrap();
    run(&mut trainer, 2);
    let (after, genome_after) = trainer.into_model().unwrap();
    assert!(genome == genome_after);
    assert!(
        network.hidden == after.hidden
            && network.output == after.output
            && network.assays == after.assays
    );
    assert_eq!(network.biosamples.row(1), after.biosamples.row(1));
    assert_ne!(network.biosamples.row(2), after.biosamples.row(2));
}

#[test]
fn clipping_scales_all_gradients_to_the_norm() {
    let sizes = sizes(2, 24);
    let set = set(None);
    let (batch, genome, pairs) = a_batch(&set, &sizes);
    let network = Network::initial(&sizes, 3, 3, 1);
    let mut native = native(&network, &sizes);
    let mut gradients = back(native.as_mut(), &batch, &genome, &pairs);
    let before = norm(native.as_ref(), &gradients).unwrap();
    assert!(before > 0.01);
    clip(native.as_mut(), &mut gradients, before * 2.0).unwrap();
    assert_eq!(norm(native.as_ref(), &gradients).unwrap(), before);
    clip(native.as_mut(), &mut gradients, 0.01).unwrap();
    let after = norm(native.as_ref(), &gradients).unwrap();
    assert!((after - 0.01).abs() < 1e-6, "{after}");
}

#[test]
fn a_model_does_not_depend_on_the_number_of_threads() {
    let set = set(None);
    for sizes in [sizes(1, 40), sizes(2, 40)] {
        let model = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let mut trainer = trainer(&set, &settings(sizes, Sampling::Permuted, 1 << 20));
                run(&mut trainer, 2);
                trainer.into_model().unwrap()
            })
        };
        let one = model(1);
        assert!(model(2) == one && model(5) == one);
    }
}

#[test]
fn bfloat16_and_gpus_are_refused_by_the_native_backend() {
    let set = set(None);
    let sizes = sizes(2, 16);
    let begin = |change: &dyn Fn(&mut Settings)| {
        let mut settings = settings(sizes, Sampling::Sequential, 1 << 20);
        change(&mut settings);
        let network = Network::initial(&sizes, 3, 3, 1);
        let genome = GenomeFactors::initial(&sizes, &set.axis, 1);
        let active = (0..9).collect();
        let trainer = Trainer::new(
            Arc::clone(&set),
            settings,
            active,
            all_trained(),
            &network,
            genome,
        );
        trainer.err().map(|e| e.to_string()).unwrap_or_default()
    };
    assert!(begin(&|s| s.arithmetic = Arithmetic::Bf16).contains("torch for bf16"));
    assert!(begin(&|s| s.device = Device::Cuda(0)).contains("torch for cuda:0"));
    assert_eq!(begin(&|_| ()), "");
}
