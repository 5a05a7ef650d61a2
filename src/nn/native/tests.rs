//! Gradients against finite differences in f64, of every parameter.

mod encoder;

use super::dense::{Activation, Below, Dense, DenseGradient};
use super::{DenseNet, FactorNet};
use crate::nn::product::Threads;
use crate::nn::seam::{
    DenseBatch, DenseSpec, FactorBatch, FactorGradients, FactorNetwork, FactorRows, FactorSpec,
    FeedForward, Trainable,
};
use crate::nn::{Adam, AdamStep, Arithmetic, Dropout};
use crate::random::{Purpose, fill_uniform, generator};

fn uniform(n: usize, limit: f32, stream: u64) -> Vec<f32> {
    let mut values = vec![0f32; n];
    let mut rng = generator(4, Purpose::Initial, stream);
    fill_uniform(&mut rng, limit, &mut values);
    values
}

fn factor_spec(layers: usize, nodes: usize) -> FactorSpec {
    FactorSpec {
        biosamples: [3, 4],
        assays: [2, 5],
        genome_factors: [2, 3, 4],
        layers,
        nodes,
        arithmetic: Arithmetic::F32,
        trained_biosamples: 0..3,
        trained_assays: 0..2,
        trained_layers: true,
    }
}

/// Samples that share rows, some across the borders of chunks.
struct Made {
    tracks: Vec<u32>,
    pairs: Vec<[u32; 2]>,
    observed: Vec<f32>,
    factors: [Vec<f32>; 3],
    starts: [Vec<u32>; 3],
}

impl Made {
    fn new(n: u32, spec: &FactorSpec) -> Self {
        let every = [1u32, 7, 40];
        let starts = every.map(|e| {
            let rows = (0..n).step_by(e as usize);
            rows.chain([n]).collect::<Vec<u32>>()
        });
        let factors = [0, 1, 2].map(|s| {
            let n = (starts[s].len() - 1) * spec.genome_factors[s];
            uniform(n, 0.8, 10 + s as u64)
        });
        Made {
            tracks: (0..n).map(|i| (i * 7919 + 3) % 5).collect(),
            pairs: vec![[0, 0], [1, 0], [2, 1], [0, 1], [1, 1]],
            observed: uniform(n as usize, 1.0, 20),
            factors,
            starts,
        }
    }

    fn batch(&self) -> FactorBatch<'_> {
        FactorBatch {
            tracks: &self.tracks,
            pairs: &self.pairs,
            observed: &self.observed,
            genome: [0, 1, 2].map(|s| FactorRows {
                factors: &self.factors[s],
                starts: &self.starts[s],
            }),
        }
    }

    /// The loss in f64, one sample at a time.
    fn loss(&self, spec: &FactorSpec, parameters: &[f64], factors: &[Vec<f64>; 3]) -> f64 {
        let n = self.observed.len();
        let [fb, fa] = [spec.biosamples[1], spec.assays[1]];
        let of_assays = spec.biosamples[0] * fb;
        let of_layers = of_assays + spec.assays[0] * fa;
        let squares = (0..n).map(|i| {
            let [b, a] = self.pairs[self.tracks[i] as usize].map(|p| p as usize);
            let mut x = parameters[b * fb..(b + 1) * fb].to_vec();
            x.extend(&parameters[of_assays + a * fa..of_assays + (a + 1) * fa]);
            let scales = self.starts.iter().zip(factors).zip(spec.genome_factors);
            for ((starts, factors), width) in scales {
                let row = starts.partition_point(|start| *start as usize <= i) - 1;
                x.extend(&factors[row * width..(row + 1) * width]);
            }
            let shapes: Vec<[usize; 2]> = spec.tensors()[2..].iter().step_by(2).copied().collect();
            let outputs = through(&shapes, &parameters[of_layers..], x, |_, _| 1.0);
            (outputs[0] - f64::from(self.observed[i])).powi(2)
        });
        squares.sum::<f64>() / n as f64
    }
}

/// A row through the layers in f64; `kept(layer, unit)` is what dropout multiplies by.
fn through(
    shapes: &[[usize; 2]],
    mut parameters: &[f64],
    mut x: Vec<f64>,
    kept: impl Fn(usize, usize) -> f64,
) -> Vec<f64> {
    for (layer, [inputs, outputs]) in shapes.iter().enumerate() {
        let (weight, rest) = parameters.split_at(inputs * outputs);
        let (bias, rest) = rest.split_at(*outputs);
        parameters = rest;
        let last = layer + 1 == shapes.len();
        x = (0..*outputs)
            .map(|o| {
                let sum: f64 = (0..*inputs).map(|k| x[k] * weight[k * outputs + o]).sum();
                match last {
                    true => sum + bias[o],
                    false => (sum + bias[o]).max(0.0) * kept(layer, o),
                }
            })
            .collect();
    }
    x
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

/// The slope of `loss` at each number of `at`.
fn slopes(at: &[f64], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-6;
    let mut moved = at.to_vec();
    let mut slope = |i: usize| {
        moved[i] = at[i] + STEP;
        let above = loss(&moved);
        moved[i] = at[i] - STEP;
        let below = loss(&moved);
        moved[i] = at[i];
        (above - below) / (2.0 * STEP)
    };
    (0..at.len()).map(&mut slope).collect()
}

/// ‖found − expected‖ / ‖expected‖.
fn apart(found: &[f32], expected: &[f64]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let differences = found.iter().zip(expected).map(|(f, e)| f64::from(*f) - e);
    assert_eq!(found.len(), expected.len());
    (squares(&mut { differences }) / squares(&mut expected.iter().copied())).sqrt()
}

#[test]
fn a_factor_networks_gradients_are_finite_differences() {
    // One hidden layer, few numbers, many numbers: fused, own chunks, shared chunks.
    for (layers, nodes, n) in [(1, 19, 400), (2, 6, 310), (2, 23, 310), (3, 14, 170)] {
        let spec = factor_spec(layers, nodes);
        let made = Made::new(n, &spec);
        let parameters = uniform(spec.n_parameters(), 0.6, 1);
        let mut net = FactorNet::new(&spec, &parameters);
        let mut out = FactorGradients::default();
        net.back(&made.batch(), &mut out).unwrap();
        let (values, factors) = (wide(&parameters), made.factors.each_ref().map(|f| wide(f)));
        let loss = made.loss(&spec, &values, &factors);
        assert!((out.loss - loss).abs() < 1e-6 * loss, "{} {loss}", out.loss);
        let expected = slopes(&values, |moved| made.loss(&spec, moved, &factors));
        let off = apart(&net.gradients().unwrap(), &expected);
        assert!(off < 1e-5, "{layers} {nodes}: {off}");
        for s in 0..3 {
            let expected = slopes(&factors[s], |moved| {
                let mut factors = factors.clone();
                factors[s] = moved.to_vec();
                made.loss(&spec, &values, &factors)
            });
            let off = apart(&out.genome[s], &expected);
            assert!(off < 1e-5, "{layers} {nodes} scale {s}: {off}");
        }
        let squares: f64 = out.residuals.iter().map(|r| f64::from(r * r)).sum();
        assert!((squares / f64::from(n) - loss).abs() < 1e-6 * loss);
    }
}

#[test]
fn chunks_of_each_thread_and_chunks_that_all_share_give_one_gradient() {
    let spec = factor_spec(2, 23);
    let made = Made::new(700, &spec);
    let parameters = uniform(spec.n_parameters(), 0.6, 1);
    let run = |own_chunks| {
        let mut net = FactorNet::new(&spec, &parameters);
        net.kind.own_chunks = own_chunks;
        let mut out = FactorGradients::default();
        net.back(&made.batch(), &mut out).unwrap();
        (net.gradients().unwrap(), out)
    };
    let (own, shared) = (run(true), run(false));
    assert!(apart(&own.0, &wide(&shared.0)) < 1e-6);
    for s in 0..3 {
        assert!(apart(&own.1.genome[s], &wide(&shared.1.genome[s])) < 1e-6);
    }
    assert_eq!(own.1.residuals.len(), 700);
    assert!(apart(&own.1.residuals, &wide(&shared.1.residuals)) < 1e-6);
}

#[test]
fn a_step_is_the_same_on_any_number_of_threads() {
    for (layers, nodes) in [(1, 33), (2, 40)] {
        let spec = factor_spec(layers, nodes);
        let made = Made::new(1_000, &spec);
        let parameters = uniform(spec.n_parameters(), 0.6, 1);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let mut net = FactorNet::new(&spec, &parameters);
                let mut out = FactorGradients::default();
                for step in 1..4 {
                    net.back(&made.batch(), &mut out).unwrap();
                    net.apply(&AdamStep::new(&Adam::default(), step, 0.0))
                        .unwrap();
                }
                (net.parameters().unwrap(), out)
            })
        };
        let one = run(1);
        assert!(run(2) == one && run(5) == one, "{layers}");
    }
}

#[test]
fn frozen_rows_and_their_moments_stay() {
    let spec = FactorSpec {
        trained_biosamples: 1..2,
        trained_assays: 0..0,
        trained_layers: false,
        ..factor_spec(2, 8)
    };
    let made = Made::new(100, &spec);
    let parameters = uniform(spec.n_parameters(), 0.6, 1);
    let mut net = FactorNet::new(&spec, &parameters);
    net.back(&made.batch(), &mut FactorGradients::default())
        .unwrap();
    net.apply(&AdamStep::new(&Adam::default(), 1, 0.0)).unwrap();
    let (after, (first, second)) = (net.parameters().unwrap(), net.moments().unwrap());
    for i in 0..parameters.len() {
        let moved = (4..8).contains(&i);
        assert_eq!(after[i] != parameters[i], moved, "{i}");
        assert_eq!((first[i] != 0.0, second[i] != 0.0), (moved, moved), "{i}");
    }
    net.set_moments(&second, &first).unwrap();
    assert_eq!(net.moments().unwrap(), (second, first));
    assert!(net.set_moments(&[0.0], &[0.0]).is_err());
}

#[test]
fn clipping_takes_the_norm_of_all_gradients() {
    let spec = factor_spec(1, 9);
    let made = Made::new(60, &spec);
    let mut net = FactorNet::new(&spec, &uniform(spec.n_parameters(), 0.6, 1));
    net.back(&made.batch(), &mut FactorGradients::default())
        .unwrap();
    let before = net.gradients().unwrap();
    let squares: f64 = before.iter().map(|g| f64::from(*g) * f64::from(*g)).sum();
    assert_eq!(net.squared_norm().unwrap(), squares);
    net.scale_gradients(0.5).unwrap();
    let halved: Vec<f32> = before.iter().map(|g| g * 0.5).collect();
    assert_eq!(net.gradients().unwrap(), halved);
}

#[test]
fn a_feed_forward_networks_gradients_are_finite_differences_dropout_and_weights_included() {
    for (n, share) in [(300, 0.0), (300, 0.4)] {
        let layers = vec![[6, 12], [12, 8], [8, 1]];
        let spec = DenseSpec { layers };
        let parameters = uniform(spec.n_parameters(), 0.6, 1);
        let (rows, targets) = (uniform(n * 6, 1.0, 2), uniform(n, 1.0, 3));
        let weights: Vec<f32> = uniform(n, 1.0, 5).iter().map(|w| 1.0 + w.abs()).collect();
        let dropout = Dropout {
            share,
            seed: 8,
            index: 2,
        };
        let batch = DenseBatch {
            rows: &rows,
            targets: &targets,
            weights: &weights,
            dropout,
        };
        let mut net = DenseNet::new(&spec, &parameters);
        let squares = net.back(&batch).unwrap();
        let bytes: Vec<Vec<u8>> = (0..2)
            .map(|layer| {
                let all = n * spec.layers[layer][1];
                let mut bytes = vec![0; all];
                dropout.bytes(layer, all, 0, &mut bytes);
                bytes
            })
            .collect();
        let residual = |parameters: &[f64], i: usize| {
            let kept = |layer: usize, unit: usize| {
                let units = spec.layers[layer][1];
                match bytes[layer][i * units + unit] < dropout.below() {
                    true => 0.0,
                    false => f64::from(dropout.kept()),
                }
            };
            let row = wide(&rows[i * 6..(i + 1) * 6]);
            through(&spec.layers, parameters, row, kept)[0] - f64::from(targets[i])
        };
        let values = wide(&parameters);
        let mean = (0..n).map(|i| residual(&values, i).powi(2)).sum::<f64>() / n as f64;
        assert!((squares - mean).abs() < 1e-6 * mean, "{squares} {mean}");
        let expected = slopes(&values, |moved| {
            let weighted = (0..n).map(|i| f64::from(weights[i]) * residual(moved, i).powi(2));
            weighted.sum::<f64>() / n as f64
        });
        let off = apart(&net.gradients().unwrap(), &expected);
        assert!(off < 1e-5, "{share}: {off}");
    }
}

#[test]
fn a_dense_layers_gradient_reaches_its_inputs_and_is_the_same_on_all_threads() {
    // Σ y² / 2 over all outputs of y = x W + b: its gradient before the layer is y.
    let (n, inputs, outputs) = (70, 5, 3);
    let (weight, bias) = (uniform(inputs * outputs, 1.0, 1), uniform(outputs, 1.0, 2));
    let x = uniform(n * inputs, 1.0, 3);
    let layer = Dense {
        weight: &weight,
        bias: &bias,
    };
    let run = |threads| {
        let mut y = vec![0f32; n * outputs];
        layer.forward(&x, outputs, Activation::Linear, &mut y, threads);
        let (mut of_x, mut of_w, mut of_b) = (
            vec![0f32; n * inputs],
            vec![0f32; inputs * outputs],
            vec![0f32; outputs],
        );
        let below = Below::WithGradient {
            inputs: &x,
            gradient: &mut of_x,
            add: false,
        };
        let into = DenseGradient {
            weight: &mut of_w,
            bias: &mut of_b,
            add: false,
        };
        layer.backward(&y, outputs, below, into, threads);
        (of_x, of_w, of_b)
    };
    let loss = |x: &[f64], w: &[f64], b: &[f64]| -> f64 {
        let sum = |row: usize, o: usize| {
            let products = (0..inputs).map(|k| x[row * inputs + k] * w[k * outputs + o]);
            products.sum::<f64>() + b[o]
        };
        let outputs = (0..n).flat_map(|row| (0..outputs).map(move |o| (row, o)));
        outputs.map(|(row, o)| sum(row, o).powi(2) / 2.0).sum()
    };
    let (x64, w64, b64) = (wide(&x), wide(&weight), wide(&bias));
    let (of_x, of_w, of_b) = run(Threads::One);
    assert!(apart(&of_x, &slopes(&x64, |x| loss(x, &w64, &b64))) < 1e-5);
    assert!(apart(&of_w, &slopes(&w64, |w| loss(&x64, w, &b64))) < 1e-5);
    assert!(apart(&of_b, &slopes(&b64, |b| loss(&x64, &w64, b))) < 1e-5);
    assert!(run(Threads::All) == (of_x, of_w, of_b));
}
