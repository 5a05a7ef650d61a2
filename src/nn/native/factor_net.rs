//! The factorisation's network: its first layer a sum of parts, further layers a stack.

use super::dense::{Activation, Below, Dense, DenseGradient};
use super::factor_step::{Chunk, Step};
use super::head::Head;
use super::parameters::{Net, Parameters};
use super::stack::Stack;
use crate::nn::NnError;
use crate::nn::product::Threads;
use crate::nn::seam::{FactorBatch, FactorGradients, FactorNetwork, FactorSpec};

/// Numbers of the layers up to which each chunk has gradients of its own.
const MOST_OWN_NUMBERS: usize = if cfg!(test) { 1 << 9 } else { 1 << 17 };

const BIOSAMPLES: usize = 0;
const ASSAYS: usize = 1;
const FIRST_WEIGHT: usize = 2;
const FIRST_BIAS: usize = 3;

/// The factorisation's network in training.
pub(crate) type FactorNet = Net<Factors>;

/// What it needs besides its parameters.
#[derive(Debug)]
pub(crate) struct Factors {
    spec: FactorSpec,
    /// Whether each thread takes whole chunks; else all share each product.
    pub(super) own_chunks: bool,
    chunks: Vec<Chunk>,
    /// First-layer contribution of each biosample, and of each assay with the bias.
    parts: [Vec<f32>; 2],
    /// Sums of the gradients before the first ReLU over each biosample's and assay's samples.
    sums: [Vec<f32>; 2],
}

impl FactorNet {
    /// From its parameters, which fit; moments are 0.
    pub fn new(spec: &FactorSpec, parameters: &[f32]) -> Self {
        let tensors = spec.tensors();
        let trained = |tensor: usize| match tensor {
            BIOSAMPLES => (spec.trained_biosamples.clone(), false),
            ASSAYS => (spec.trained_assays.clone(), false),
            _ if spec.trained_layers => (0..tensors[tensor][0], false),
            _ => (0..0, false),
        };
        let further = (spec.layers - 1) * (spec.nodes + 1) * spec.nodes;
        let numbers = spec.genome_factors.iter().sum::<usize>() * spec.nodes + further;
        Net {
            parameters: Parameters::new(&tensors, trained, parameters),
            kind: Factors {
                spec: spec.clone(),
                own_chunks: spec.layers == 1 || numbers <= MOST_OWN_NUMBERS,
                chunks: Vec::new(),
                parts: Default::default(),
                sums: Default::default(),
            },
        }
    }
}

impl FactorNetwork for FactorNet {
    fn back(&mut self, batch: &FactorBatch<'_>, out: &mut FactorGradients) -> Result<(), NnError> {
        let Net { parameters, kind } = self;
        let (spec, nodes, n) = (&kind.spec, kind.spec.nodes, batch.observed.len());
        let range = |tensor| parameters.range(tensor);
        let values = &parameters.values;
        // The first weight's rows: biosample, assay, the genome's scales.
        let mut rest = &values[range(FIRST_WEIGHT)];
        let mut rows = |n_rows: usize| {
            let (part, after) = rest.split_at(n_rows * nodes);
            rest = after;
            part
        };
        let outer = [
            Dense {
                weight: rows(spec.biosamples[1]),
                bias: &[],
            },
            Dense {
                weight: rows(spec.assays[1]),
                bias: &values[range(FIRST_BIAS)],
            },
        ];
        let genome_weights = spec.genome_factors.map(&mut rows);
        for (i, [n_rows, _]) in [spec.biosamples, spec.assays].into_iter().enumerate() {
            let part = &mut kind.parts[i];
            part.resize(n_rows * nodes, 0.0);
            let factors = &values[range(i)];
            outer[i].forward(factors, nodes, Activation::Linear, part, Threads::All);
            kind.sums[i].clear();
            kind.sums[i].resize(n_rows * nodes, 0.0);
        }
        let head = FIRST_BIAS + 1 + 2 * (spec.layers - 1);
        let step = Step {
            nodes,
            batch,
            parts: [&kind.parts[0], &kind.parts[1]],
            genome_weights,
            stack: Stack {
                hidden: (FIRST_BIAS + 1..head)
                    .step_by(2)
                    .map(|i| Dense {
                        weight: &values[range(i)],
                        bias: &values[range(i + 1)],
                    })
                    .collect(),
                head: Head {
                    weight: &values[range(head)],
                    bias: values[range(head + 1).start],
                },
            },
        };
        out.residuals.resize(n, 0.0);
        for (gradient, genome) in out.genome.iter_mut().zip(&batch.genome) {
            gradient.clear();
            gradient.resize(genome.factors.len(), 0.0);
        }
        let of_genome = range(FIRST_WEIGHT).end - spec.genome_factors.iter().sum::<usize>() * nodes;
        let of_layers = of_genome..range(head).start;
        let (of_head, of_head_bias) = (range(head), range(head + 1));
        let (of_biosamples, of_assays) = (range(BIOSAMPLES), range(ASSAYS));
        let (of_weight, of_bias) = (range(FIRST_WEIGHT), range(FIRST_BIAS));
        let gradient = &mut parameters.gradient;
        let layers = &mut gradient[of_layers];
        let chunks = &mut kind.chunks;
        if kind.own_chunks {
            step.own_chunks(chunks, &mut kind.sums, layers, out);
        } else {
            step.shared_chunks(chunks, &mut kind.sums, layers, out);
        }
        let sum = chunks[0].head();
        gradient[of_head].copy_from_slice(&sum.weight);
        gradient[of_head_bias].copy_from_slice(&[sum.bias]);
        out.loss = sum.squares / n as f64;
        // From the parts' sums to the factors and the first layer's weights.
        let (factors, rest) = gradient.split_at_mut(of_weight.start);
        let (biosamples, assays) = factors.split_at_mut(of_biosamples.end);
        let (weight, rest) = rest.split_at_mut(of_weight.len());
        let (of_b, weight) = weight.split_at_mut(spec.biosamples[1] * nodes);
        let (of_a, _) = weight.split_at_mut(spec.assays[1] * nodes);
        let factors = [(of_biosamples, biosamples), (of_assays, assays)];
        let weights = [(of_b, &mut [][..]), (of_a, &mut rest[..of_bias.len()])];
        for (i, ((range, gradient), (weight, bias))) in factors.into_iter().zip(weights).enumerate()
        {
            let below = Below::WithGradient {
                inputs: &values[range],
                gradient,
                add: false,
            };
            let into = DenseGradient {
                weight,
                bias,
                add: false,
            };
            outer[i].backward(&kind.sums[i], nodes, below, into, Threads::All);
        }
        Ok(())
    }
}
