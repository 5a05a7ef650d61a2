//! Encoders and their decoder: samples of one, two and three resolutions, across the borders of chunks.

use super::{apart, slopes, through, uniform, wide};
use crate::nn::native::EncoderNet;
use crate::nn::seam::{EncoderBatch, EncoderNetwork, EncoderSpec, Trainable};
use crate::nn::{Adam, AdamStep};

fn spec() -> EncoderSpec {
    EncoderSpec {
        inputs: [4, 3, 5],
        nodes: 6,
        codes: [3, 1, 2],
        decoder: 7,
        outputs: 3,
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
        let rows = [0, 1, 2].map(|s| uniform(samples[s] * spec.inputs[s], 1.0, 30 + s as u64));
        let n = samples[0] * spec.outputs;
        let weight = |i: usize| {
            if i.is_multiple_of(5) {
                0.0
            } else {
                0.25 * (i % 7) as f32
            }
        };
        Made {
            rows,
            targets: uniform(n, 1.0, 40),
            weights: (0..n).map(weight).collect(),
        }
    }

    fn batch(&self) -> EncoderBatch<'_> {
        EncoderBatch {
            rows: self.rows.each_ref().map(|rows| &rows[..]),
            targets: &self.targets,
            weights: &self.weights,
        }
    }

    /// The loss in f64, one sample at a time.
    fn loss(&self, spec: &EncoderSpec, parameters: &[f64]) -> f64 {
        let shapes: Vec<[usize; 2]> = spec.tensors().into_iter().step_by(2).collect();
        let length = |shapes: &[[usize; 2]]| shapes.iter().map(|[i, o]| (i + 1) * o).sum::<usize>();
        let (mut squares, mut total) = (0.0, 0.0);
        for sample in 0..self.targets.len() / spec.outputs {
            let mut codes = Vec::new();
            let mut at = 0;
            for (s, of_encoder) in shapes[..9].chunks_exact(3).enumerate() {
                let of = at..at + length(of_encoder);
                at = of.end;
                let inputs = spec.inputs[s];
                match self.rows[s].get(sample * inputs..(sample + 1) * inputs) {
                    Some(row) => {
                        let code = through(of_encoder, &parameters[of], wide(row), |_, _| 1.0);
                        codes.extend(code);
                    }
                    None => codes.extend(vec![0.0; spec.codes[s]]),
                }
            }
            let outputs = through(&shapes[9..], &parameters[at..], codes, |_, _| 1.0);
            for (output, y) in outputs.into_iter().enumerate() {
                let i = sample * spec.outputs + output;
                let weight = f64::from(self.weights[i]);
                squares += weight * (y - f64::from(self.targets[i])).powi(2);
                total += weight;
            }
        }
        squares / total
    }
}

#[test]
fn an_encoder_networks_gradients_are_finite_differences() {
    // Three chunks: the second begins with samples of three resolutions and ends with one, the third
    // has samples of one. Then one chunk, all of three; then none of the finest resolution.
    for samples in [[600, 430, 270], [90, 90, 90], [300, 200, 0]] {
        let spec = spec();
        let made = Made::new(samples, &spec);
        let parameters = uniform(spec.n_parameters(), 0.6, 1);
        let mut net = EncoderNet::new(&spec, &parameters);
        let found = net.back(&made.batch()).unwrap();
        let values = wide(&parameters);
        let loss = made.loss(&spec, &values);
        assert!((found - loss).abs() < 1e-6 * loss, "{found} {loss}");
        let expected = slopes(&values, |moved| made.loss(&spec, moved));
        let gradients = net.gradients().unwrap();
        let mut at = 0;
        for (tensor, [rows, columns]) in spec.tensors().into_iter().enumerate() {
            let of = at..at + rows * columns;
            at = of.end;
            if samples[2] == 0 && (12..18).contains(&tensor) {
                assert!(gradients[of].iter().all(|g| *g == 0.0), "{tensor}");
                continue;
            }
            let off = apart(&gradients[of.clone()], &expected[of]);
            assert!(off < 1e-5, "{samples:?}, tensor {tensor}: {off}");
        }
        assert_eq!(at, gradients.len());
    }
}

#[test]
fn an_encoder_networks_step_is_the_same_on_any_number_of_threads() {
    let spec = spec();
    let made = [[1_000, 700, 520], [300, 300, 10], [900, 0, 0]].map(|n| Made::new(n, &spec));
    let parameters = uniform(spec.n_parameters(), 0.6, 1);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let mut net = EncoderNet::new(&spec, &parameters);
            let losses: Vec<f64> = (1..)
                .zip(&made)
                .map(|(step, made)| {
                    let loss = net.back(&made.batch()).unwrap();
                    let step = AdamStep::new(&Adam::default(), step, 0.01);
                    net.apply(&step).unwrap();
                    loss
                })
                .collect();
            (losses, net.parameters().unwrap(), net.moments().unwrap())
        })
    };
    let one = run(1);
    assert!(one.1 != parameters);
    assert!(run(2) == one && run(5) == one);
}

#[test]
fn a_smaller_batch_after_a_larger_one_gives_what_it_gives_alone() {
    let spec = spec();
    let parameters = uniform(spec.n_parameters(), 0.6, 1);
    let (large, small) = (
        Made::new([700, 600, 500], &spec),
        Made::new([20, 9, 0], &spec),
    );
    let mut used = EncoderNet::new(&spec, &parameters);
    used.back(&large.batch()).unwrap();
    let mut fresh = EncoderNet::new(&spec, &parameters);
    assert_eq!(
        used.back(&small.batch()).unwrap(),
        fresh.back(&small.batch()).unwrap()
    );
    assert_eq!(used.gradients().unwrap(), fresh.gradients().unwrap());
}

#[test]
fn samples_without_weight_leave_weights_to_decay_and_biases_as_they_are() {
    let spec = spec();
    let mut made = Made::new([40, 30, 20], &spec);
    made.weights.fill(0.0);
    let parameters = uniform(spec.n_parameters(), 0.6, 1);
    let mut net = EncoderNet::new(&spec, &parameters);
    assert_eq!(net.back(&made.batch()).unwrap(), 0.0);
    assert_eq!(net.squared_norm().unwrap(), 0.0);
    let step = AdamStep {
        decay: 0.25,
        ..AdamStep::new(&Adam::default(), 1, 0.0)
    };
    net.apply(&step).unwrap();
    let mut before = parameters.iter();
    let after = net.parameters().unwrap();
    let mut after = after.iter();
    for (tensor, [rows, columns]) in spec.tensors().into_iter().enumerate() {
        let keep = if tensor.is_multiple_of(2) { 0.75 } else { 1.0 };
        for (before, after) in before.by_ref().zip(&mut after).take(rows * columns) {
            assert_eq!(*after, before * keep, "tensor {tensor}");
        }
    }
}
