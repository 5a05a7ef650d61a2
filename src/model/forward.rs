//! The forward pass without libtorch.
//!
//! The first layer separates: W·[b; a; g] = W_b b + W_a a + W_g g. Biosample and assay parts are
//! computed once for the model, coarse genome parts once a coarse row, so that an experiment costs
//! an addition a unit at the first layer; what remains are the further layers' matrix products.

use std::ops::Range;

use ndarray::{Array2, s};
use rayon::prelude::*;

use super::packed::{Below, Into, Packed, PackedRoom};
use super::panels::{Panels, dispatch};
use super::parameters::InputRows;
use super::single_layer::SingleLayer;
use super::{ModelError, Network, Sizes};
use crate::genome::Scale;

/// Bins that one thread takes at a time where there are further layers: enough for the weights, which
/// each tile reads once, to cost little beside the products with them.
const DEEP_TILE: usize = 384;
/// The same where there is one hidden layer, whose numbers stay in the cache.
const SHALLOW_TILE: usize = 2_048;

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
    /// First-layer weights of each genome scale.
    genome: [Panels; 3],
    further: Vec<Packed>,
    /// As long as the last hidden layer's panels are wide together, or `nodes` where there is one
    /// hidden layer.
    output: Vec<f32>,
    output_bias: f32,
}

/// Room for a tile's numbers, used again by the next tile of the same thread.
#[derive(Default)]
struct Room {
    coarse: Vec<f32>,
    genome: Vec<f32>,
    now: Vec<f32>,
    next: Vec<f32>,
    out: Vec<f32>,
    packed: PackedRoom,
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
        let part = |rows: Range<usize>| first.weight.slice(s![rows, ..]);
        let further: Vec<Packed> = network.hidden[1..]
            .iter()
            .map(|layer| {
                let weight: Vec<f32> = layer.weight.iter().copied().collect();
                Packed::new(&weight, &layer.bias.to_vec())
            })
            .collect();
        let output: Vec<f32> = network.output.weight.iter().copied().collect();
        Ok(Forward {
            nodes: sizes.nodes,
            biosamples: network.biosamples.dot(&part(biosample)),
            assays: network.assays.dot(&part(assay)) + &first.bias,
            genome: genome.map(|rows| {
                let weight: Vec<f32> = part(rows).iter().copied().collect();
                Panels::new(&weight, sizes.nodes)
            }),
            output: match further.last() {
                Some(last) => last.padded(output),
                None => output,
            },
            further,
            output_bias: network.output.bias[0],
        })
    }

    /// Predicts experiments (places of biosample and assay) over a block, `[experiments, n_bins]`,
    /// on the scale that tracks are stored on.
    ///
    /// # Errors
    /// When a biosample or assay is not one of the model's, or `out` has another length.
    pub fn predict(
        &self,
        block: &GenomeBlock,
        experiments: &[(usize, usize)],
        out: &mut [f32],
    ) -> Result<(), ModelError> {
        let n_bins = block.n_bins;
        if out.len() != experiments.len() * n_bins {
            return Err(ModelError::Shape {
                name: "imputed values".into(),
                found: [1, out.len()],
                expected: [experiments.len(), n_bins],
            });
        }
        let shifts: Vec<Vec<f32>> = experiments
            .iter()
            .map(|(b, a)| self.shift(*b, *a))
            .collect::<Result<_, _>>()?;
        let n = self.tile();
        // A tile's part of each experiment.
        let mut tiles: Vec<Vec<&mut [f32]>> = (0..n_bins.div_ceil(n)).map(|_| Vec::new()).collect();
        for values in out.chunks_exact_mut(n_bins.max(1)) {
            for (tile, values) in tiles.iter_mut().zip(values.chunks_mut(n)) {
                tile.push(values);
            }
        }
        (tiles.into_par_iter().enumerate()).for_each_init(
            Room::default,
            |room, (tile, mut out)| {
                let first = tile * n;
                let bins = first..(first + n).min(n_bins);
                if self.further.is_empty() {
                    self.coarse_parts(block, &bins, &mut room.coarse);
                    self.single_layer(block, bins, &room.coarse, &shifts, &mut out);
                    return;
                }
                self.genome_part(block, &bins, room);
                for (shift, out) in shifts.iter().zip(out) {
                    self.last_layer(shift, room, Into::Dot(&self.output, out));
                    for value in out.iter_mut() {
                        *value += self.output_bias;
                    }
                }
            },
        );
        Ok(())
    }

    /// The last hidden layer's activations for an experiment, `[n_bins, nodes]`, added to `sum`.
    ///
    /// # Errors
    /// As [`Forward::predict`].
    pub fn add_hidden(
        &self,
        block: &GenomeBlock,
        (biosample, assay): (usize, usize),
        sum: &mut [f32],
    ) -> Result<(), ModelError> {
        let shift = self.shift(biosample, assay)?;
        let n = DEEP_TILE;
        (sum.par_chunks_mut(n * self.nodes).enumerate()).for_each_init(
            Room::default,
            |room, (tile, sum)| {
                let bins = tile * n..tile * n + sum.len() / self.nodes;
                self.genome_part(block, &bins, room);
                let values = if self.further.is_empty() {
                    self.first_layer(&shift, room);
                    &room.now
                } else {
                    let mut out = std::mem::take(&mut room.out);
                    out.resize(room.genome.len(), 0.0);
                    self.last_layer(&shift, room, Into::Rows(&mut out));
                    room.out = out;
                    &room.out
                };
                for (sum, value) in sum.iter_mut().zip(values) {
                    *sum += value;
                }
            },
        );
        Ok(())
    }

    /// Predicts a tile with a network of one hidden layer.
    fn single_layer(
        &self,
        block: &GenomeBlock,
        bins: Range<usize>,
        coarse: &[f32],
        shifts: &[Vec<f32>],
        out: &mut [&mut [f32]],
    ) {
        let table = &block.scales[Scale::Bp25.index()];
        // A block's tables are in row-major order; of another the slices below would be out of range.
        let (all, cols) = (table.as_slice().unwrap_or_default(), table.ncols());
        let first = block.row(Scale::Bp250, bins.start);
        dispatch(SingleLayer {
            weight: &self.genome[Scale::Bp25.index()],
            factors: &all[bins.start * cols..bins.end * cols],
            coarse: |i| {
                let row = block.row(Scale::Bp250, bins.start + i) - first;
                &coarse[row * self.nodes..][..self.nodes]
            },
            shifts,
            output: &self.output,
            output_bias: self.output_bias,
            out,
        });
    }

    /// What biosample and assay contribute to the first layer.
    fn shift(&self, biosample: usize, assay: usize) -> Result<Vec<f32>, ModelError> {
        if biosample >= self.biosamples.nrows() || assay >= self.assays.nrows() {
            return Err(ModelError::Unknown(format!(
                "the model has {} biosamples and {} assays; {biosample} and {assay} were asked for",
                self.biosamples.nrows(),
                self.assays.nrows()
            )));
        }
        let parts = self.biosamples.row(biosample).into_iter();
        Ok(parts
            .zip(self.assays.row(assay))
            .map(|(b, a)| b + a)
            .collect())
    }

    /// Bins that one thread takes at a time.
    fn tile(&self) -> usize {
        match self.further.is_empty() {
            true => SHALLOW_TILE,
            false => DEEP_TILE,
        }
    }

    /// What the two coarse scales contribute together to some bins of a block, a row every 250 bp.
    fn coarse_parts(&self, block: &GenomeBlock, bins: &Range<usize>, out: &mut Vec<f32>) {
        let rows = |scale: Scale| block.row(scale, bins.start)..block.row(scale, bins.end - 1) + 1;
        let coarsest = rows(Scale::Kbp5);
        let (nothing, mut coarse) = (vec![0f32; self.nodes], Vec::new());
        self.products(block, Scale::Kbp5, &coarsest, |_| &nothing, &mut coarse);
        let middle = rows(Scale::Bp250);
        let per = (Scale::Kbp5.bins() / Scale::Bp250.bins()) as usize;
        let before = (block.first_bin / Scale::Bp250.bins()) as usize % per + middle.start;
        let above = |row: usize| {
            let row = (before + row) / per - coarsest.start;
            &coarse[row * self.nodes..][..self.nodes]
        };
        self.products(block, Scale::Bp250, &middle, above, out);
    }

    /// What a scale's factors in some rows add to what the coarser ones contribute to the first layer,
    /// `[rows, nodes]`. A region is imputed bit for bit as the whole is: see [`Panels::products`].
    fn products<'a>(
        &self,
        block: &GenomeBlock,
        scale: Scale,
        rows: &Range<usize>,
        coarser: impl Fn(usize) -> &'a [f32],
        out: &mut Vec<f32>,
    ) {
        let table = &block.scales[scale.index()];
        // A block's tables are in row-major order; of another the slices below would be out of range.
        let (all, cols) = (table.as_slice().unwrap_or_default(), table.ncols());
        out.resize(rows.len() * self.nodes, 0.0);
        let factors = &all[rows.start * cols..rows.end * cols];
        self.genome[scale.index()].products(factors, coarser, out);
    }

    /// The genome's contribution to the first layer of some bins, `[bins, nodes]`: shared by all
    /// experiments.
    fn genome_part(&self, block: &GenomeBlock, bins: &Range<usize>, room: &mut Room) {
        self.coarse_parts(block, bins, &mut room.coarse);
        let first = block.row(Scale::Bp250, bins.start);
        let above = |i: usize| {
            let row = block.row(Scale::Bp250, bins.start + i) - first;
            &room.coarse[row * self.nodes..][..self.nodes]
        };
        self.products(block, Scale::Bp25, bins, above, &mut room.genome);
    }

    /// The first layer's activations, from the genome's part to `room.now`.
    fn first_layer(&self, shift: &[f32], room: &mut Room) {
        room.now.resize(room.genome.len(), 0.0);
        let rows = room.now.chunks_exact_mut(self.nodes);
        for (row, from) in rows.zip(room.genome.chunks_exact(self.nodes)) {
            for ((value, g), s) in row.iter_mut().zip(from).zip(shift) {
                *value = (g + s).max(0.0);
            }
        }
    }

    /// The last hidden layer's activations for an experiment, from the genome's part.
    fn last_layer(&self, shift: &[f32], room: &mut Room, into: Into<'_>) {
        let Some((last, between)) = self.further.split_last() else {
            return;
        };
        let mut below = Below {
            rows: &room.genome,
            shift: Some(shift),
        };
        for layer in between {
            room.next.resize(below.rows.len(), 0.0);
            layer.activate(below, &mut room.packed, Into::Rows(&mut room.next));
            std::mem::swap(&mut room.now, &mut room.next);
            below = Below {
                rows: &room.now,
                shift: None,
            };
        }
        last.activate(below, &mut room.packed, into);
    }
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
        for (layers, nodes) in [(1, 64), (1, 70), (2, 40), (3, 7)] {
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
            let experiments = [(2, 1), (0, 0), (1, 1)];
            let mut out = vec![0.0; 3 * 395];
            forward.predict(&block, &experiments, &mut out).unwrap();
            for (out, (b, a)) in out.chunks_exact(395).zip(experiments) {
                for i in [0, 4, 5, 383, 384, 394] {
                    let expected = by_hand(&network, &block, i, b, a);
                    assert!(
                        (f64::from(out[i]) - expected).abs() < 1e-6,
                        "{layers} {i}: {} {expected}",
                        out[i]
                    );
                }
            }
        }
    }

    #[test]
    fn an_experiment_the_model_does_not_have_is_an_error() {
        let sizes = Sizes::preset(Preset::Small);
        let forward = Forward::new(&Network::initial(&sizes, 3, 2, 11), &sizes).unwrap();
        let block = block(&sizes, 7, 4);
        assert!(forward.predict(&block, &[(3, 0)], &mut [0.0; 4]).is_err());
        assert!(forward.predict(&block, &[(0, 0)], &mut [0.0; 5]).is_err());
    }
}
