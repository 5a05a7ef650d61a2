//! Both backends held to each other, and what loading refuses.
//!
//! They skip where there is no `libpersea_torch`, unless PERSEA_REQUIRE names `torch`; one that is there
//! and cannot be loaded fails them.

mod encoder;

use std::path::PathBuf;

use super::find::{Found, file_name};
use super::library;
use crate::nn::seam::{
    DenseBatch, DenseSpec, FactorBatch, FactorGradients, FactorNetwork, FactorRows, FactorSpec,
    FeedForward,
};
use crate::nn::{Adam, AdamStep, Arithmetic, Backend, Device, Dropout, NnError};
use crate::random::{Purpose, fill_uniform, generator};

fn torch_is_absent() -> bool {
    let Err(reason) = library::found() else {
        return false;
    };
    crate::skipped::skipped("torch", reason);
    true
}

fn uniform(limit: f32, n: usize, stream: u64) -> Vec<f32> {
    let mut values = vec![0f32; n];
    let mut rng = generator(3, Purpose::Initial, stream);
    fill_uniform(&mut rng, limit, &mut values);
    values
}

fn spec(layers: usize, nodes: usize) -> FactorSpec {
    FactorSpec {
        biosamples: [3, 4],
        assays: [4, 3],
        genome_factors: [2, 3, 5],
        layers,
        nodes,
        arithmetic: Arithmetic::F32,
        trained_biosamples: 0..3,
        trained_assays: 0..4,
        trained_layers: true,
    }
}

const SAMPLES: usize = 700;
/// Tracks: each biosample with each assay.
const PAIRS: [[u32; 2]; 12] = {
    let mut pairs = [[0u32; 2]; 12];
    let mut i = 0;
    while i < 12 {
        pairs[i] = [i as u32 / 4, i as u32 % 4];
        i += 1;
    }
    pairs
};

/// A batch of consecutive bins: 25 bp rows of their own, of 250 bp every ten, of 5 kbp every 200.
struct Made {
    tracks: Vec<u32>,
    observed: Vec<f32>,
    genome: [Vec<f32>; 3],
    starts: [Vec<u32>; 3],
}

impl Made {
    fn new(spec: &FactorSpec) -> Self {
        let tracks: Vec<u32> = (0..SAMPLES as u32).map(|i| i * 7 % 12).collect();
        // A biosample's loudness times an assay's shape, which a factorisation can learn.
        let shape = |(i, t): (usize, &u32)| {
            let [b, a] = PAIRS[*t as usize].map(|n| n as f32);
            ((i as f32 / (40.0 + 30.0 * a)).sin() + 1.0) * (0.5 + 0.3 * b)
        };
        let observed = tracks.iter().enumerate().map(shape).collect();
        let starts = [1, 10, 200].map(|width| {
            let begun = (0..SAMPLES as u32).filter(|i| i % width == 0);
            begun.chain([SAMPLES as u32]).collect::<Vec<u32>>()
        });
        let genome = [0, 1, 2].map(|s| {
            let n = (starts[s].len() - 1) * spec.genome_factors[s];
            uniform(0.5, n, 20 + s as u64)
        });
        Made {
            tracks,
            observed,
            genome,
            starts,
        }
    }

    fn batch(&self) -> FactorBatch<'_> {
        FactorBatch {
            tracks: &self.tracks,
            pairs: &PAIRS,
            observed: &self.observed,
            genome: [0, 1, 2].map(|s| FactorRows {
                factors: &self.genome[s],
                starts: &self.starts[s],
            }),
        }
    }
}

fn both(spec: &FactorSpec) -> [Box<dyn FactorNetwork>; 2] {
    let parameters = uniform(0.4, spec.n_parameters(), 1);
    [Backend::Native, Backend::Torch]
        .map(|backend| crate::nn::factor_network(backend, Device::Cpu, spec, &parameters).unwrap())
}

/// How far two arrays are apart at most, as a share of the first one's largest number.
fn apart(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().fold(0f32, |most, v| most.max(v.abs()));
    let most = a
        .iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0f32, f32::max);
    f64::from(most) / f64::from(largest.max(f32::MIN_POSITIVE))
}

/// The same for each tensor of flat arrays.
fn tensors_apart(tensors: &[[usize; 2]], a: &[f32], b: &[f32]) -> f64 {
    let mut at = 0;
    let mut most = 0f64;
    for [rows, columns] in tensors {
        let of = at..at + rows * columns;
        at = of.end;
        most = most.max(apart(&a[of.clone()], &b[of]));
    }
    assert_eq!(at, a.len());
    most
}

fn adam(number: u32, weight_decay: f64) -> AdamStep {
    let adam = Adam {
        learning_rate: 5e-3,
        ..Adam::default()
    };
    AdamStep::new(&adam, number, weight_decay)
}

#[test]
fn both_backends_give_a_factorization_the_same_gradients_within_1e_5() {
    if torch_is_absent() {
        return;
    }
    for (layers, nodes) in [(1, 24), (1, 7), (2, 32), (3, 16)] {
        let spec = spec(layers, nodes);
        let made = Made::new(&spec);
        let mut found = [FactorGradients::default(), FactorGradients::default()];
        let mut networks = both(&spec);
        for (network, found) in networks.iter_mut().zip(&mut found) {
            network.back(&made.batch(), found).unwrap();
        }
        let [native, torch] = &found;
        let what = format!("{layers} layers of {nodes}");
        assert!((native.loss / torch.loss - 1.0).abs() < 1e-5, "{what}");
        assert!(apart(&native.residuals, &torch.residuals) < 1e-5, "{what}");
        for (s, (native, torch)) in native.genome.iter().zip(&torch.genome).enumerate() {
            let apart = apart(native, torch);
            assert!(apart < 1e-5, "{what}, scale {s}: {apart}");
        }
        let [native, torch] = networks.map(|n| (n.gradients().unwrap(), n.squared_norm().unwrap()));
        let apart = tensors_apart(&spec.tensors(), &native.0, &torch.0);
        assert!(apart < 1e-5, "{what}: {apart}");
        assert!((native.1 / torch.1 - 1.0).abs() < 1e-5, "{what}");
    }
}

#[test]
fn both_backends_train_a_factorization_alike_for_200_steps() {
    if torch_is_absent() {
        return;
    }
    for (layers, nodes, clip) in [(1, 24, 0.5), (2, 16, 1e9)] {
        let spec = spec(layers, nodes);
        let losses = both(&spec).map(|mut network| {
            let mut made = Made::new(&spec);
            let mut found = FactorGradients::default();
            (1..=200)
                .map(|step| {
                    network.back(&made.batch(), &mut found).unwrap();
                    let norm = network.squared_norm().unwrap().sqrt();
                    if norm > clip {
                        network.scale_gradients((clip / norm) as f32).unwrap();
                    }
                    network.apply(&adam(step, 0.0)).unwrap();
                    for (rows, gradients) in made.genome.iter_mut().zip(&found.genome) {
                        for (p, g) in rows.iter_mut().zip(gradients) {
                            *p -= 0.5 * g;
                        }
                    }
                    found.loss
                })
                .collect::<Vec<f64>>()
        });
        let [native, torch] = &losses;
        assert!(
            native[199] < native[0] / 3.0,
            "{} {}",
            native[0],
            native[199]
        );
        for (step, (a, b)) in native.iter().zip(torch).enumerate() {
            assert!(
                (a / b - 1.0).abs() < 1e-3,
                "{layers} layers, step {step}: {a} {b}"
            );
        }
    }
}

#[test]
fn both_backends_move_only_what_is_trained() {
    if torch_is_absent() {
        return;
    }
    let spec = FactorSpec {
        trained_biosamples: 1..2,
        trained_assays: 0..0,
        trained_layers: false,
        ..spec(2, 16)
    };
    let made = Made::new(&spec);
    let before = uniform(0.4, spec.n_parameters(), 1);
    let after = both(&spec).map(|mut network| {
        for step in 1..=3 {
            network
                .back(&made.batch(), &mut FactorGradients::default())
                .unwrap();
            network.apply(&adam(step, 0.0)).unwrap();
        }
        let (first, second) = network.moments().unwrap();
        [network.parameters().unwrap(), first, second]
    });
    let moved = spec.biosamples[1]..2 * spec.biosamples[1];
    for [parameters, first, second] in &after {
        for i in 0..before.len() {
            assert_eq!(parameters[i] != before[i], moved.contains(&i), "{i}");
            assert_eq!(
                first[i] != 0.0 && second[i] != 0.0,
                moved.contains(&i),
                "{i}"
            );
        }
    }
    for (native, torch) in after[0].iter().zip(&after[1]) {
        assert!(apart(native, torch) < 1e-4);
    }
}

#[test]
fn a_network_on_libtorch_goes_on_from_its_parameters_and_moments() {
    if torch_is_absent() {
        return;
    }
    let spec = spec(2, 16);
    let made = Made::new(&spec);
    let mut found = FactorGradients::default();
    let [_, mut whole] = both(&spec);
    let mut go_on = |network: &mut Box<dyn FactorNetwork>, step| {
        network.back(&made.batch(), &mut found).unwrap();
        network.apply(&adam(step, 0.0)).unwrap();
        found.loss
    };
    go_on(&mut whole, 1);
    go_on(&mut whole, 2);
    let parameters = whole.parameters().unwrap();
    let (first, second) = whole.moments().unwrap();
    let mut again =
        crate::nn::factor_network(Backend::Torch, Device::Cpu, &spec, &parameters).unwrap();
    let refused = again.set_moments(&first[1..], &second).unwrap_err();
    assert!(matches!(refused, NnError::Shape { .. }), "{refused}");
    again.set_moments(&first, &second).unwrap();
    for step in 3..6 {
        let (a, b) = (go_on(&mut whole, step), go_on(&mut again, step));
        assert!((a / b - 1.0).abs() < 1e-6, "step {step}: {a} {b}");
    }
}

#[test]
fn products_of_bfloat16_give_gradients_near_those_of_f32() {
    if torch_is_absent() {
        return;
    }
    let mut found = [FactorGradients::default(), FactorGradients::default()];
    let arithmetics = [Arithmetic::F32, Arithmetic::Bf16];
    let gradients: Vec<Vec<f32>> = (arithmetics.into_iter().zip(&mut found))
        .map(|(arithmetic, found)| {
            let spec = FactorSpec {
                arithmetic,
                ..spec(2, 32)
            };
            let made = Made::new(&spec);
            let [_, mut network] = both_or_torch(&spec);
            network.back(&made.batch(), found).unwrap();
            network.gradients().unwrap()
        })
        .collect();
    let loss = found[1].loss / found[0].loss - 1.0;
    assert!(loss != 0.0 && loss.abs() < 0.01, "{loss}");
    let tensors = spec(2, 32).tensors();
    let apart = tensors_apart(&tensors, &gradients[0], &gradients[1]);
    assert!(apart > 1e-5 && apart < 0.05, "{apart}");
}

/// The native side has f32 only: then both are libtorch's.
fn both_or_torch(spec: &FactorSpec) -> [Box<dyn FactorNetwork>; 2] {
    let parameters = uniform(0.4, spec.n_parameters(), 1);
    [0, 1]
        .map(|_| crate::nn::factor_network(Backend::Torch, Device::Cpu, spec, &parameters).unwrap())
}

#[test]
fn both_backends_train_a_feed_forward_network_alike_dropout_included() {
    if torch_is_absent() {
        return;
    }
    let (n, spec) = (
        600,
        DenseSpec {
            layers: vec![[9, 24], [24, 16], [16, 1]],
        },
    );
    let rows = uniform(1.0, 9 * n, 40);
    let targets: Vec<f32> = rows
        .chunks_exact(9)
        .map(|r| r[0] * r[1] - r[2].abs())
        .collect();
    let weights: Vec<f32> = (0..n).map(|i| 0.5 + (i % 3) as f32).collect();
    let parameters = uniform(0.3, spec.n_parameters(), 41);
    for share in [0.0, 0.1] {
        let runs = [Backend::Native, Backend::Torch].map(|backend| {
            let mut network: Box<dyn FeedForward> =
                crate::nn::feed_forward(backend, Device::Cpu, &spec, &parameters).unwrap();
            let mut first = Vec::new();
            let losses: Vec<f64> = (1..=200)
                .map(|step| {
                    let batch = DenseBatch {
                        rows: &rows,
                        targets: &targets,
                        weights: &weights,
                        dropout: Dropout {
                            share,
                            seed: 5,
                            index: u64::from(step),
                        },
                    };
                    let loss = network.back(&batch).unwrap();
                    if step == 1 {
                        first = network.gradients().unwrap();
                    }
                    network.apply(&adam(step, 0.01)).unwrap();
                    loss
                })
                .collect();
            (first, losses)
        });
        let [native, torch] = &runs;
        let apart = tensors_apart(&spec.tensors(), &native.0, &torch.0);
        assert!(apart < 1e-5, "dropout {share}: {apart}");
        assert!(
            native.1[199] < native.1[0] / 2.0,
            "{} {}",
            native.1[0],
            native.1[199]
        );
        for (step, (a, b)) in native.1.iter().zip(&torch.1).enumerate() {
            assert!(
                (a / b - 1.0).abs() < 1e-3,
                "dropout {share}, step {step}: {a} {b}"
            );
        }
    }
}

#[test]
fn a_gpu_that_is_absent_is_refused_with_the_remedy() {
    if torch_is_absent() {
        return;
    }
    let spec = spec(1, 8);
    let parameters = uniform(0.4, spec.n_parameters(), 1);
    let made = crate::nn::factor_network(Backend::Torch, Device::Cuda(99), &spec, &parameters);
    let message = made.err().unwrap().to_string();
    assert!(message.contains("cuda:99 is not there"), "{message}");
    assert!(message.contains("PERSEA_TORCH"), "{message}");
}

#[test]
fn a_file_that_is_not_the_library_is_refused() {
    let work = tempfile::tempdir().unwrap();
    let library = work.path().join(file_name("persea_torch"));
    std::fs::write(&library, "not a library").unwrap();
    let open = |library: PathBuf| {
        let found = Found {
            library,
            libtorch: None,
        };
        library::open(&found).err().unwrap().to_string()
    };
    let message = open(library);
    assert!(message.contains("cannot be loaded"), "{message}");
    assert!(message.contains("make torch"), "{message}");
}
