//! The factorisation's network: its first layer a sum of parts, further layers a stack.

use std::ops::Range;

use rayon::prelude::*;

use super::dense::{Activation, Below, Dense, DenseGradient};
use super::head::{Head, Targets};
use super::parameters::{Net, Parameters, sum_chunks};
use super::stack::{Bottom, Stack, StackBuffers, StackGradient};
use super::sum_of_parts::{SumOfParts, sums_by_row};
use crate::nn::NnError;
use crate::nn::product::Threads;
use crate::nn::seam::{FactorBatch, FactorGradients, FactorNetwork, FactorSpec};

/// Samples of a chunk that one thread takes through all layers; few in tests, so that batches have
/// several chunks.
const CHUNK: usize = if cfg!(test) { 150 } else { 625 };
/// Samples of a chunk that all threads share.
const SHARED_CHUNK: usize = if cfg!(test) { 150 } else { 4_000 };
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

/// A chunk's buffers, and its own gradients where it has some.
#[derive(Debug, Default)]
struct Chunk {
    work: Work,
    /// Of the layers, from the genome's rows of the first weight up to the head.
    layers: Vec<f32>,
    sums: [Vec<f32>; 2],
    /// Of the chunk's rows of genome factors.
    genome: [Vec<f32>; 3],
}

#[derive(Debug, Default)]
struct Work {
    rows: [Range<usize>; 3],
    starts: [Vec<u32>; 3],
    /// The first layer's part of each row of factors, then its gradients' sums.
    parts: [Vec<f32>; 3],
    /// Activations of the first layer, which turn into the gradients before its ReLU.
    bottom: Vec<f32>,
    stack: StackBuffers,
}

impl Work {
    /// Finds the rows of the genome's factors that some samples use.
    fn find_rows(&mut self, batch: &FactorBatch<'_>, samples: &Range<usize>) {
        for (s, genome) in batch.genome.iter().enumerate() {
            let starts = genome.starts;
            let first = starts.partition_point(|start| *start as usize <= samples.start) - 1;
            let end = starts.partition_point(|start| (*start as usize) < samples.end);
            self.rows[s] = first..end.min(starts.len() - 1);
            let inside =
                |start: &u32| (*start as usize).clamp(samples.start, samples.end) - samples.start;
            self.starts[s].clear();
            self.starts[s]
                .extend((starts[first..=self.rows[s].end].iter()).map(|i| inside(i) as u32));
        }
    }
}

/// Where a chunk leaves what it computes.
struct Into<'a> {
    layers: &'a mut [f32],
    add_layers: bool,
    sums: [&'a mut [f32]; 2],
    genome: [&'a mut [f32]; 3],
    add_genome: bool,
    residuals: &'a mut [f32],
}

/// What all chunks of a step know.
struct Step<'a> {
    nodes: usize,
    batch: &'a FactorBatch<'a>,
    parts: [&'a [f32]; 2],
    /// First-layer weights of each genome scale, `[factors, nodes]`.
    genome_weights: [&'a [f32]; 3],
    stack: Stack<'a>,
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
        let place = |tensor| parameters.place(tensor);
        let values = &parameters.values;
        // The first weight's rows: biosample, assay, the genome's scales.
        let mut rest = &values[place(FIRST_WEIGHT)];
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
                bias: &values[place(FIRST_BIAS)],
            },
        ];
        let genome_weights = spec.genome_factors.map(&mut rows);
        for (i, [n_rows, _]) in [spec.biosamples, spec.assays].into_iter().enumerate() {
            let part = &mut kind.parts[i];
            part.resize(n_rows * nodes, 0.0);
            let factors = &values[place(i)];
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
                        weight: &values[place(i)],
                        bias: &values[place(i + 1)],
                    })
                    .collect(),
                head: Head {
                    weight: &values[place(head)],
                    bias: values[place(head + 1).start],
                },
            },
        };
        out.residuals.resize(n, 0.0);
        for (gradient, genome) in out.genome.iter_mut().zip(&batch.genome) {
            gradient.clear();
            gradient.resize(genome.factors.len(), 0.0);
        }
        let of_genome = place(FIRST_WEIGHT).end - spec.genome_factors.iter().sum::<usize>() * nodes;
        let of_layers = of_genome..place(head).start;
        let (of_head, of_head_bias) = (place(head), place(head + 1));
        let (of_biosamples, of_assays) = (place(BIOSAMPLES), place(ASSAYS));
        let (of_weight, of_bias) = (place(FIRST_WEIGHT), place(FIRST_BIAS));
        let gradient = &mut parameters.gradient;
        let layers = &mut gradient[of_layers];
        let chunks = &mut kind.chunks;
        if kind.own_chunks {
            step.own_chunks(chunks, &mut kind.sums, layers, out);
        } else {
            step.shared_chunks(chunks, &mut kind.sums, layers, out);
        }
        let sum = &chunks[0].work.stack.head;
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
        for (i, ((place, gradient), (weight, bias))) in factors.into_iter().zip(weights).enumerate()
        {
            let below = Below::WithGradient {
                inputs: &values[place],
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

impl Step<'_> {
    /// Each thread takes whole chunks; what they leave is summed in their order. The first chunk's
    /// head holds the sum.
    fn own_chunks(
        &self,
        chunks: &mut Vec<Chunk>,
        sums: &mut [Vec<f32>; 2],
        layers: &mut [f32],
        out: &mut FactorGradients,
    ) {
        let n = self.batch.observed.len();
        let n_chunks = n.div_ceil(CHUNK).max(1);
        chunks.resize_with(chunks.len().max(n_chunks), Chunk::default);
        let chunks = &mut chunks[..n_chunks];
        (chunks.par_iter_mut().enumerate())
            .zip(out.residuals.par_chunks_mut(CHUNK))
            .for_each(|((i, chunk), residuals)| {
                let Chunk {
                    work,
                    layers: own,
                    sums: own_sums,
                    genome,
                } = chunk;
                let samples = i * CHUNK..i * CHUNK + residuals.len();
                work.find_rows(self.batch, &samples);
                work.stack.head.clear(self.nodes);
                own.resize(layers.len(), 0.0);
                for (own, all) in own_sums.iter_mut().zip(&*sums) {
                    own.clear();
                    own.resize(all.len(), 0.0);
                }
                for (s, genome) in genome.iter_mut().enumerate() {
                    genome.resize(work.rows[s].len() * self.factors(s), 0.0);
                }
                let into = Into {
                    layers: own,
                    add_layers: false,
                    sums: own_sums.each_mut().map(|sums| &mut sums[..]),
                    genome: genome.each_mut().map(|rows| &mut rows[..]),
                    add_genome: false,
                    residuals,
                };
                self.chunk(samples, work, into, Threads::One);
            });
        sum_chunks(chunks, |chunk| &chunk.layers, layers);
        for (i, sums) in sums.iter_mut().enumerate() {
            sum_chunks(chunks, |chunk| &chunk.sums[i], sums);
        }
        for chunk in &*chunks {
            for (s, genome) in chunk.genome.iter().enumerate() {
                let factors = self.factors(s);
                // Added: a row that two chunks share has a part in both.
                let rows = &mut out.genome[s][chunk.work.rows[s].start * factors..];
                add(genome, rows);
            }
        }
        if let Some((first, others)) = chunks.split_first_mut() {
            for chunk in others {
                first.work.stack.head.add(&chunk.work.stack.head);
            }
        }
    }

    /// One chunk after another, all threads sharing each product.
    fn shared_chunks(
        &self,
        chunks: &mut Vec<Chunk>,
        sums: &mut [Vec<f32>; 2],
        layers: &mut [f32],
        out: &mut FactorGradients,
    ) {
        let n = self.batch.observed.len();
        chunks.resize_with(1, Chunk::default);
        let work = &mut chunks[0].work;
        work.stack.head.clear(self.nodes);
        for first in (0..n).step_by(SHARED_CHUNK) {
            let samples = first..(first + SHARED_CHUNK).min(n);
            work.find_rows(self.batch, &samples);
            let mut genome = out.genome.each_mut().map(|rows| &mut rows[..]);
            for (s, genome) in genome.iter_mut().enumerate() {
                let factors = self.factors(s);
                let rows = work.rows[s].start * factors..work.rows[s].end * factors;
                *genome = &mut std::mem::take(genome)[rows];
            }
            let into = Into {
                layers,
                add_layers: first > 0,
                sums: sums.each_mut().map(|sums| &mut sums[..]),
                genome,
                add_genome: true,
                residuals: &mut out.residuals[samples.clone()],
            };
            self.chunk(samples, work, into, Threads::All);
        }
    }

    fn factors(&self, scale: usize) -> usize {
        self.genome_weights[scale].len() / self.nodes
    }

    /// One chunk forward and back, its rows found.
    fn chunk(&self, samples: Range<usize>, work: &mut Work, into: Into<'_>, threads: Threads) {
        let nodes = self.nodes;
        let Work {
            rows,
            starts,
            parts,
            bottom,
            stack,
        } = work;
        let genome: [(Dense<'_>, &[f32]); 3] = std::array::from_fn(|s| {
            let factors = self.factors(s);
            let layer = Dense {
                weight: self.genome_weights[s],
                bias: &[],
            };
            let rows = rows[s].start * factors..rows[s].end * factors;
            (layer, &self.batch.genome[s].factors[rows])
        });
        for (s, (layer, factors)) in genome.iter().enumerate() {
            parts[s].resize(rows[s].len() * nodes, 0.0);
            layer.forward(factors, nodes, Activation::Linear, &mut parts[s], threads);
        }
        bottom.resize(samples.len() * nodes, 0.0);
        let first_layer = SumOfParts {
            nodes,
            biosamples: self.parts[0],
            assays: self.parts[1],
            genome: parts.each_ref().map(|part| &part[..]),
            starts: starts.each_ref().map(|starts| &starts[..]),
            tracks: &self.batch.tracks[samples.clone()],
            pairs: self.batch.pairs,
        };
        let targets = Targets {
            values: &self.batch.observed[samples],
            weights: None,
            n_batch: self.batch.observed.len(),
        };
        let numbers = self.genome_weights.iter().map(|w| w.len()).sum::<usize>();
        let (genome_gradient, rest) = into.layers.split_at_mut(numbers);
        let of_stack = StackGradient {
            hidden: &mut rest[nodes..],
            add: into.add_layers,
        };
        // Of one hidden layer, the sum is made just before the head takes it.
        let fused = self.stack.hidden.is_empty();
        if !fused {
            first_layer.activations(bottom, threads);
        }
        let walk = |sample| first_layer.walk(sample);
        let fill = |walk: &mut _, sample, row: &mut [f32]| {
            if fused {
                first_layer.fill(walk, sample, row);
            }
        };
        self.stack.back(
            Bottom::Activations(bottom),
            None,
            &targets,
            into.residuals,
            stack,
            of_stack,
            (walk, fill),
            threads,
        );
        let [biosamples, assays] = into.sums;
        first_layer.add_by_track(bottom, biosamples, assays, threads);
        let mut rest = genome_gradient;
        for (s, ((layer, factors), gradient)) in genome.into_iter().zip(into.genome).enumerate() {
            let (weight, after) = rest.split_at_mut(layer.weight.len());
            rest = after;
            // A row of each sample's own has the sample's gradient.
            let sums = if rows[s].len() == bottom.len() / nodes {
                &*bottom
            } else {
                sums_by_row(&starts[s], bottom, nodes, &mut parts[s], threads);
                &parts[s]
            };
            let below = Below::WithGradient {
                inputs: factors,
                gradient,
                add: into.add_genome,
            };
            let into = DenseGradient {
                weight,
                bias: &mut [],
                add: into.add_layers,
            };
            layer.backward(sums, nodes, below, into, threads);
        }
    }
}

/// On this thread: for fewer numbers than are worth another.
fn add(values: &[f32], sums: &mut [f32]) {
    crate::nn::vectors::wide(
        #[inline(always)]
        || {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value;
            }
        },
    );
}
