//! Encoders on both backends.

use super::{adam, apart, tensors_apart, torch_is_absent, uniform};
use crate::nn::seam::{EncoderBatch, EncoderNetwork, EncoderSpec};
use crate::nn::{Backend, Device};

fn spec() -> EncoderSpec {
    EncoderSpec {
        inputs: [9, 7, 5],
        nodes: 16,
        codes: [6, 4, 2],
        decoder: 20,
        outputs: 4,
    }
}

/// Samples, as many at each resolution as given, coarsest first; every fifth number has no weight.
struct Made {
    rows: [Vec<f32>; 3],
    targets: Vec<f32>,
    weights: Vec<f32>,
}

impl Made {
    fn new(samples: [usize; 3], spec: &EncoderSpec) -> Self {
        let rows = [0, 1, 2].map(|s| uniform(1.0, samples[s] * spec.inputs[s], 50 + s as u64));
        let n = samples[0] * spec.outputs;
        let target = |i: usize| {
            let (row, output) = (i / spec.outputs, i % spec.outputs);
            // What the coarsest inputs show, and what the finest add where there are any.
            let coarse = rows[0][row * spec.inputs[0] + output];
            let fine = rows[2].get(row * spec.inputs[2]).copied().unwrap_or(0.0);
            coarse.abs() - 0.5 * fine
        };
        let weight = |i: usize| {
            if i.is_multiple_of(5) {
                0.0
            } else {
                0.25 * (i % 7) as f32
            }
        };
        let (targets, weights) = ((0..n).map(target).collect(), (0..n).map(weight).collect());
        Made {
            rows,
            targets,
            weights,
        }
    }

    fn batch(&self) -> EncoderBatch<'_> {
        EncoderBatch {
            rows: self.rows.each_ref().map(|rows| &rows[..]),
            targets: &self.targets,
            weights: &self.weights,
        }
    }
}

fn both(spec: &EncoderSpec) -> [Box<dyn EncoderNetwork>; 2] {
    let parameters = uniform(0.4, spec.n_parameters(), 60);
    [Backend::Native, Backend::Torch]
        .map(|backend| crate::nn::encoder_network(backend, Device::Cpu, spec, &parameters).unwrap())
}

#[test]
fn both_backends_give_an_encoder_the_same_gradients_within_1e_5() {
    if torch_is_absent() {
        return;
    }
    let spec = spec();
    for samples in [[700, 520, 300], [90, 90, 90], [300, 40, 0]] {
        let made = Made::new(samples, &spec);
        let [native, torch] = both(&spec).map(|mut network| {
            let loss = network.back(&made.batch()).unwrap();
            (loss, network.gradients().unwrap())
        });
        let what = format!("{samples:?}: {} {}", native.0, torch.0);
        assert!((native.0 / torch.0 - 1.0).abs() < 1e-5, "{what}");
        assert!(native.1.iter().any(|g| *g != 0.0), "{what}");
        let apart = tensors_apart(&spec.tensors(), &native.1, &torch.1);
        assert!(apart < 1e-5, "{samples:?}: {apart}");
    }
}

#[test]
fn both_backends_train_an_encoder_alike_for_200_steps() {
    if torch_is_absent() {
        return;
    }
    let spec = spec();
    let made = [[600, 430, 270], [280, 280, 0]].map(|samples| Made::new(samples, &spec));
    let runs = both(&spec).map(|mut network| {
        let losses: Vec<f64> = (1..=200)
            .map(|step| {
                let loss = network.back(&made[step as usize % 2].batch()).unwrap();
                network.apply(&adam(step, 0.01)).unwrap();
                loss
            })
            .collect();
        (losses, network.parameters().unwrap())
    });
    let [native, torch] = &runs;
    let losses = &native.0;
    assert!(
        losses[198] < losses[0] / 2.0,
        "{} {}",
        losses[0],
        losses[198]
    );
    for (step, (a, b)) in losses.iter().zip(&torch.0).enumerate() {
        assert!((a / b - 1.0).abs() < 1e-3, "step {step}: {a} {b}");
    }
    let apart = apart(&native.1, &torch.1);
    assert!(apart < 1e-2, "{apart}");
}

#[test]
fn samples_without_weight_give_no_gradient_on_either_backend() {
    if torch_is_absent() {
        return;
    }
    let spec = spec();
    let mut made = Made::new([30, 20, 10], &spec);
    made.weights.fill(0.0);
    for mut network in both(&spec) {
        assert_eq!(network.back(&made.batch()).unwrap(), 0.0);
        assert!(network.gradients().unwrap().iter().all(|g| *g == 0.0));
    }
}
