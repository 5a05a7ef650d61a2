//! The forward pass without libtorch.
//!
//! The first layer separates: W·[b; a; g] = W_b b + W_a a + W_g g. Biosample and assay parts are
//! computed once for the model, coarse genome parts once a coarse row, so that an experiment costs
//! an addition a unit at the first layer; what remains are the further layers' matrix products.

use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;

use super::parameters::InputRows;
use super::product::{Matrix, Threads, multiply};
use super::{ModelError, Network, Sizes};
use crate::genome::Scale;

/// Bins that one thread takes at a time: their activations stay in its second-level cache.
const TILE: usize = 128;

/// The genome factors of consecutive bins of one region.
#[derive(Debug, Clone, PartialEq)]
pub struct GenomeBlock {
    /// The chromosome bin of the first bin.
    pub first_bin: u64,
    /// How many bins.
    pub n_bins: usize,
    /// Factors at each scale, from the row that holds `first_bin` to the one that holds the last.
    pub scales: [Array2<f32>; 3],
}

impl GenomeBlock {
    /// The row of a scale's table that the `i`-th bin of the block uses.
    fn row(&self, scale: Scale, i: usize) -> usize {
        let bins = scale.bins();
        ((self.first_bin + i as u64) / bins - self.first_bin / bins) as usize
    }

    /// The factors of the `i`-th bin at all scales side by side, finest first.
    pub fn embedding(&self, i: usize, out: &mut [f32]) {
        let factors = Scale::ALL.into_iter().flat_map(|scale| {
            self.scales[scale.index()]
                .row(self.row(scale, i))
                .into_iter()
        });
        for (to, from) in out.iter_mut().zip(factors) {
            *to = *from;
        }
    }

    /// How many rows the block needs at a scale.
    pub fn n_rows(scale: Scale, first_bin: u64, n_bins: usize) -> usize {
        if n_bins == 0 {
            return 0;
        }
        ((first_bin + n_bins as u64 - 1) / scale.bins() - first_bin / scale.bins() + 1) as usize
    }
}

/// A network made ready to predict.
#[derive(Debug, Clone)]
pub struct Forward {
    nodes: usize,
    /// First-layer contribution of each biosample, `[n_biosamples, nodes]`.
    biosamples: Array2<f32>,
    /// First-layer contribution of each assay and the bias, `[n_assays, nodes]`.
    assays: Array2<f32>,
    /// First-layer weights of each genome scale, `[factors, nodes]`.
    genome: [Array2<f32>; 3],
    /// The further hidden layers: `[nodes, nodes]`, row-major, and bias.
    hidden: Vec<(Vec<f32>, Vec<f32>)>,
    output: Vec<f32>,
    output_bias: f32,
}

impl Forward {
    /// Makes a network ready.
    ///
    /// # Errors
    /// When its shapes are not what the sizes ask for.
    pub fn new(network: &Network, sizes: &Sizes) -> Result<Self, ModelError> {
        network.check(sizes)?;
        let InputRows {
            biosample,
            assay,
            genome,
        } = Network::input_rows(sizes);
        let first = &network.hidden[0];
        let part = |rows: std::ops::Range<usize>| first.weight.slice(s![rows, ..]).to_owned();
        let biosamples = product(network.biosamples.view(), part(biosample).view());
        let assays = product(network.assays.view(), part(assay).view()) + &first.bias;
        Ok(Forward {
            nodes: sizes.nodes,
            biosamples,
            assays,
            genome: genome.map(part),
            hidden: network.hidden[1..]
                .iter()
                .map(|layer| (layer.weight.iter().copied().collect(), layer.bias.to_vec()))
                .collect(),
            output: network.output.weight.iter().copied().collect(),
            output_bias: network.output.bias[0],
        })
    }

    /// The genome's contribution to the first layer for every bin of a block, `[n_bins, nodes]`:
    /// shared by all experiments.
    pub fn genome_part(&self, block: &GenomeBlock) -> Array2<f32> {
        let parts: Vec<Array2<f32>> = Scale::ALL
            .iter()
            .map(|scale| {
                product(
                    block.scales[scale.index()].view(),
                    self.genome[scale.index()].view(),
                )
            })
            .collect();
        let mut sum = Array2::zeros((block.n_bins, self.nodes));
        if let Some(values) = sum.as_slice_mut() {
            values
                .par_chunks_mut(self.nodes)
                .enumerate()
                .with_min_len(64)
                .for_each(|(i, row)| {
                    for scale in Scale::ALL {
                        let part = parts[scale.index()].row(block.row(scale, i));
                        for (value, p) in row.iter_mut().zip(part) {
                            *value += p;
                        }
                    }
                });
        }
        sum
    }

    /// Predicts an experiment over a block: one value a bin, on the scale the tracks are stored on.
    ///
    /// # Errors
    /// When the biosample or assay is not one of the model's.
    pub fn predict(
        &self,
        genome_part: ArrayView2<'_, f32>,
        biosample: usize,
        assay: usize,
        out: &mut [f32],
    ) -> Result<(), ModelError> {
        if biosample >= self.biosamples.nrows() || assay >= self.assays.nrows() {
            return Err(ModelError::Unknown(format!(
                "the model has {} biosamples and {} assays; {biosample} and {assay} were asked for",
                self.biosamples.nrows(),
                self.assays.nrows()
            )));
        }
        let n_bins = out.len();
        if genome_part.dim() != (n_bins, self.nodes) {
            return Err(ModelError::Shape {
                name: "genome part".into(),
                found: [genome_part.nrows(), genome_part.ncols()],
                expected: [n_bins, self.nodes],
            });
        }
        let shift: Vec<f32> = (self.biosamples.row(biosample).iter())
            .zip(self.assays.row(assay))
            .map(|(b, a)| b + a)
            .collect();
        let part = genome_part.as_standard_layout();
        let part = part.as_slice().unwrap_or(&[]);
        out.par_chunks_mut(TILE)
            .zip(part.par_chunks(TILE * self.nodes))
            .for_each_init(
                || (vec![0f32; TILE * self.nodes], vec![0f32; TILE * self.nodes]),
                |(now, next), (out, part)| {
                    if self.hidden.is_empty() {
                        for (value, row) in out.iter_mut().zip(part.chunks_exact(self.nodes)) {
                            *value = self.output_bias + relu_dot(row, &shift, &self.output);
                        }
                        return;
                    }
                    let width = part.len();
                    for (row, from) in now[..width]
                        .chunks_exact_mut(self.nodes)
                        .zip(part.chunks_exact(self.nodes))
                    {
                        for ((value, g), s) in row.iter_mut().zip(from).zip(&shift) {
                            *value = (g + s).max(0.0);
                        }
                    }
                    for (weight, bias) in &self.hidden {
                        let below = Matrix::new(&now[..width], self.nodes);
                        let weight = Matrix::new(weight, self.nodes);
                        multiply(&mut next[..width], below, weight, false, Threads::One);
                        for row in next[..width].chunks_exact_mut(self.nodes) {
                            for (value, b) in row.iter_mut().zip(bias) {
                                *value = (*value + b).max(0.0);
                            }
                        }
                        std::mem::swap(now, next);
                    }
                    for (value, row) in out.iter_mut().zip(now[..width].chunks_exact(self.nodes)) {
                        *value = self.output_bias + dot(row, &self.output);
                    }
                },
            );
        Ok(())
    }
}

/// Lanes summed apart, so that the compiler keeps them in one vector register.
const LANES: usize = 16;

/// Σ relu(g + s) w, in lanes.
fn relu_dot(genome: &[f32], shift: &[f32], weight: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let chunks = genome
        .chunks_exact(LANES)
        .zip(shift.chunks_exact(LANES))
        .zip(weight.chunks_exact(LANES));
    for ((g, s), w) in chunks {
        for l in 0..LANES {
            lanes[l] += (g[l] + s[l]).max(0.0) * w[l];
        }
    }
    let done = genome.len() / LANES * LANES;
    let rest: f32 = (done..genome.len())
        .map(|i| (genome[i] + shift[i]).max(0.0) * weight[i])
        .sum();
    lanes.iter().sum::<f32>() + rest
}

/// Σ x w, in lanes.
fn dot(x: &[f32], weight: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    for (x, w) in x.chunks_exact(LANES).zip(weight.chunks_exact(LANES)) {
        for l in 0..LANES {
            lanes[l] += x[l] * w[l];
        }
    }
    let done = x.len() / LANES * LANES;
    let rest: f32 = (done..x.len()).map(|i| x[i] * weight[i]).sum();
    lanes.iter().sum::<f32>() + rest
}

/// A product of two small matrices.
fn product(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    let (a, b) = (a.as_standard_layout(), b.as_standard_layout());
    if let (Some(x), Some(y), Some(values)) = (a.as_slice(), b.as_slice(), out.as_slice_mut()) {
        let (x, y) = (Matrix::new(x, a.ncols()), Matrix::new(y, b.ncols()));
        multiply(values, x, y, false, Threads::All);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, GenomeAxis, Region};
    use crate::model::{GenomeFactors, Preset};

    fn block(sizes: &Sizes, first_bin: u64, n_bins: usize) -> GenomeBlock {
        let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 1_000_000)]).unwrap();
        let region = Region {
            name: None,
            chrom: "chr1".into(),
            first_bin,
            n_bins: n_bins as u64,
        };
        let axis = GenomeAxis::new(assembly, vec![region]).unwrap();
        let factors = GenomeFactors::initial(sizes, &axis, 3);
        GenomeBlock {
            first_bin,
            n_bins,
            scales: factors.scales,
        }
    }

    /// The network as the paper writes it: concatenate, multiply, ReLU, one bin at a time in f64.
    fn by_hand(
        network: &Network,
        block: &GenomeBlock,
        i: usize,
        biosample: usize,
        assay: usize,
    ) -> f64 {
        let mut x: Vec<f64> = network
            .biosamples
            .row(biosample)
            .iter()
            .map(|v| f64::from(*v))
            .collect();
        x.extend(network.assays.row(assay).iter().map(|v| f64::from(*v)));
        for scale in Scale::ALL {
            let bins = scale.bins();
            let row = (block.first_bin + i as u64) / bins - block.first_bin / bins;
            x.extend(
                block.scales[scale.index()]
                    .row(row as usize)
                    .iter()
                    .map(|v| f64::from(*v)),
            );
        }
        for layer in network.hidden.iter() {
            x = (0..layer.bias.len())
                .map(|o| {
                    let sum: f64 = x
                        .iter()
                        .enumerate()
                        .map(|(k, v)| v * f64::from(layer.weight[[k, o]]))
                        .sum();
                    (sum + f64::from(layer.bias[o])).max(0.0)
                })
                .collect();
        }
        let sum: f64 = x
            .iter()
            .enumerate()
            .map(|(k, v)| v * f64::from(network.output.weight[[k, 0]]))
            .sum();
        sum + f64::from(network.output.bias[0])
    }

    #[test]
    fn the_separated_forward_pass_is_the_network_of_the_paper() {
        for (layers, nodes) in [(1, 64), (2, 40), (3, 7)] {
            let sizes = Sizes {
                layers,
                nodes,
                ..Sizes::preset(Preset::Small)
            };
            let mut network = Network::initial(&sizes, 3, 2, 11);
            network.hidden[0].bias.fill(0.01);
            network.output.bias.fill(0.5);
            // 395 bins from bin 195: partial coarse rows at both ends, more than one tile.
            let block = block(&sizes, 195, 395);
            let forward = Forward::new(&network, &sizes).unwrap();
            let part = forward.genome_part(&block);
            let mut out = vec![0.0; 395];
            forward.predict(part.view(), 2, 1, &mut out).unwrap();
            for i in [0, 4, 5, 127, 128, 394] {
                let expected = by_hand(&network, &block, i, 2, 1);
                assert!(
                    (f64::from(out[i]) - expected).abs() < 1e-6,
                    "{layers} {i}: {} {expected}",
                    out[i]
                );
            }
        }
    }

    #[test]
    fn an_experiment_the_model_does_not_have_is_an_error() {
        let sizes = Sizes::preset(Preset::Small);
        let forward = Forward::new(&Network::initial(&sizes, 3, 2, 11), &sizes).unwrap();
        let part = Array2::zeros((4, 64));
        assert!(forward.predict(part.view(), 3, 0, &mut [0.0; 4]).is_err());
        assert!(forward.predict(part.view(), 0, 0, &mut [0.0; 5]).is_err());
    }
}
