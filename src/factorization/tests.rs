//! Training as a whole, on tracks made here.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use tch::Device;

use super::*;
use crate::genome::{Assembly, GenomeAxis, Interval, Mask};
use crate::model::{Forward, GenomeFactors, Network, Sizes};
use crate::random::{Purpose, fill_uniform, generator};

const N_BINS: usize = 3_000;

/// Tracks that a factorisation can learn: a biosample's loudness times an assay's shape.
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
        values[track][bin] = f32::NAN;
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
fn a_batch(set: &TrainingSet, sizes: &Sizes) -> (Batch, [Vec<f32>; 3], Vec<(u32, u32)>) {
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
    let batch = Batch::new(&set.axis, &window, bins, 9, 3, 1);
    let mut rng = generator(9, Purpose::Initial, 77);
    let genome = [0, 1, 2].map(|s| {
        let cols = sizes.genome_factors(crate::genome::Scale::ALL[s]);
        let mut rows = vec![0f32; batch.groups[s].rows.len() * cols];
        fill_uniform(&mut rng, 0.5, &mut rows);
        rows
    });
    let pairs = set
        .tracks
        .iter()
        .map(|t| (t.biosample.1, t.assay.1))
        .collect();
    (batch, genome, pairs)
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for (layers, nodes) in [(1, 19), (2, 11)] {
        let sizes = sizes(layers, nodes);
        let set = set(None);
        let (batch, genome, pairs) = a_batch(&set, &sizes);
        let network = Network::initial(&sizes, 3, 3, 1);
        let torch = TorchNetwork::new(
            &network,
            &sizes,
            &all_trained(),
            Device::Cpu,
            Arithmetic::F32,
        )
        .unwrap();
        let gradients = torch.gradients(&batch, &genome, &pairs).unwrap();
        for scale in 0..3 {
            for at in [0, genome[scale].len() / 2, genome[scale].len() - 1] {
                let loss = |shift: f32| {
                    let mut moved = genome.clone();
                    moved[scale][at] += shift;
                    torch.gradients(&batch, &moved, &pairs).unwrap().loss
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
fn the_loss_is_that_of_the_forward_pass_without_libtorch_within_1e_4() {
    for (layers, nodes) in [(1, 64), (2, 48), (3, 20)] {
        let sizes = sizes(layers, nodes);
        let set = set(None);
        let mut trained = trainer(&set, &settings(sizes, Sampling::Sequential, 1 << 20));
        run(&mut trained, 3);
        let (network, genome) = trained.into_model().unwrap();
        // The loss of a network that is not trained further is the mean of the squared residuals.
        let torch = TorchNetwork::new(
            &network,
            &sizes,
            &all_trained(),
            Device::Cpu,
            Arithmetic::F32,
        )
        .unwrap();
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
        let batch = Batch::new(&set.axis, &window, bins, 9, 3, 1);
        let rows = [0, 1, 2].map(|s| {
            let table = &genome.scales[s];
            batch.groups[s]
                .rows
                .iter()
                .flat_map(|r| table.row(*r as usize).to_vec())
                .collect::<Vec<f32>>()
        });
        let pairs: Vec<(u32, u32)> = set
            .tracks
            .iter()
            .map(|t| (t.biosample.1, t.assay.1))
            .collect();
        let residuals = torch.gradients(&batch, &rows, &pairs).unwrap().residuals;
        let forward = Forward::new(&network, &sizes).unwrap();
        for (i, bin) in batch.bins.iter().enumerate().step_by(37) {
            let at = set.axis.locate(u64::from(*bin));
            let scales = crate::genome::Scale::ALL.map(|scale| {
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
            let (b, a) = pairs[batch.tracks[i] as usize];
            let experiment = (b as usize, a as usize);
            forward.predict(&block, &[experiment], &mut out).unwrap();
            let torch_says = residuals[i] + batch.values[i];
            assert!(
                (out[0] - torch_says).abs() < 1e-4,
                "{} {torch_says}",
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
    tch::set_num_threads(1);
    let (a, b, c) = (model(1), model(1), model(2));
    assert!(a == b);
    assert!(a != c);
}

#[test]
fn a_training_taken_up_in_the_midst_of_a_pass_goes_on_bit_for_bit() {
    let set = set(None);
    tch::set_num_threads(1);
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
        let (network, moments) = first.dense_state().unwrap();
        let state = State {
            position: first.position(),
            pass_loss: first.pass_loss(),
            network,
            moments,
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
fn the_way_of_devices_gives_the_gradients_of_the_way_of_the_cpu() {
    for layers in [1, 2, 3] {
        let sizes = sizes(layers, 24);
        let set = set(None);
        let (batch, genome, pairs) = a_batch(&set, &sizes);
        let network = Network::initial(&sizes, 3, 3, 1);
        let torch = TorchNetwork::new(
            &network,
            &sizes,
            &all_trained(),
            Device::Cpu,
            Arithmetic::F32,
        )
        .unwrap();
        let here = torch.gradients(&batch, &genome, &pairs).unwrap();
        let there = torch.gradients_on_device(&batch, &genome, &pairs).unwrap();
        assert!((here.loss - there.loss).abs() < 1e-6);
        for (a, b) in here
            .genome
            .iter()
            .flatten()
            .zip(there.genome.iter().flatten())
        {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
        assert!(here.largest_difference(&there) < 1e-6);
    }
}

#[test]
fn clipping_scales_all_gradients_to_the_norm() {
    let sizes = sizes(2, 24);
    let set = set(None);
    let (batch, genome, pairs) = a_batch(&set, &sizes);
    let network = Network::initial(&sizes, 3, 3, 1);
    let torch = TorchNetwork::new(
        &network,
        &sizes,
        &all_trained(),
        Device::Cpu,
        Arithmetic::F32,
    )
    .unwrap();
    let mut gradients = torch.gradients(&batch, &genome, &pairs).unwrap();
    let before = gradients.norm();
    assert!(before > 0.01);
    gradients.clip(before * 2.0);
    assert!((gradients.norm() - before).abs() < 1e-9);
    gradients.clip(0.01);
    assert!(
        (gradients.norm() - 0.01).abs() < 1e-6,
        "{}",
        gradients.norm()
    );
}

#[test]
fn bfloat16_products_give_nearly_the_gradients_of_f32_on_either_way() {
    for layers in [2, 3] {
        let sizes = sizes(layers, 64);
        let set = set(None);
        let (batch, genome, pairs) = a_batch(&set, &sizes);
        let network = Network::initial(&sizes, 3, 3, 1);
        let torch = |arithmetic| {
            let trained = all_trained();
            TorchNetwork::new(&network, &sizes, &trained, Device::Cpu, arithmetic).unwrap()
        };
        let single = torch(Arithmetic::F32);
        let single = single.gradients(&batch, &genome, &pairs).unwrap();
        let half = torch(Arithmetic::Bf16);
        for half in [
            half.gradients(&batch, &genome, &pairs).unwrap(),
            half.gradients_on_device(&batch, &genome, &pairs).unwrap(),
        ] {
            // bfloat16 keeps 8 bits: 0.4 % a number, less in sums.
            let off = half.largest_difference(&single);
            assert!(off > 0.0, "nothing was rounded");
            assert!(off < 0.02 * single.norm(), "{off} of {}", single.norm());
            assert!((half.loss - single.loss).abs() < 0.01 * single.loss);
        }
    }
}

#[test]
fn training_in_bfloat16_comes_to_the_loss_of_f32() {
    let set = set(None);
    let loss = |arithmetic| {
        let mut settings = settings(sizes(2, 48), Sampling::Sequential, 1 << 20);
        settings.arithmetic = arithmetic;
        run(&mut trainer(&set, &settings), 20)[19]
    };
    let (single, half) = (loss(Arithmetic::F32), loss(Arithmetic::Bf16));
    assert!((half / single - 1.0).abs() < 0.1, "{half} {single}");
}
