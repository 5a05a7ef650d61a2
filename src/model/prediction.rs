//! What a model predicts for an experiment over a stretch of bins.

use std::ops::Range;

use ndarray::{Array2, s};

use super::parameters::InputRows;
use super::{GenomeBlock, ModelError, Network, Sizes};
use crate::nn::frozen::{Frozen, FrozenParts};

/// A network made ready to predict.
#[derive(Debug, Clone)]
pub struct Forward {
    network: Frozen,
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
        let flat = |matrix: &Array2<f32>| -> Vec<f32> { matrix.iter().copied().collect() };
        let genome = genome.map(|rows| part(rows).iter().copied().collect::<Vec<f32>>());
        let further: Vec<(Vec<f32>, Vec<f32>)> = (network.hidden[1..].iter())
            .map(|layer| (flat(&layer.weight), layer.bias.to_vec()))
            .collect();
        let output = flat(&network.output.weight);
        let frozen = Frozen::new(FrozenParts {
            biosamples: flat(&network.biosamples.dot(&part(biosample))),
            assays: flat(&(network.assays.dot(&part(assay)) + &first.bias)),
            genome: genome.each_ref().map(|weight| &weight[..]),
            further: further.iter().map(|(w, b)| (&w[..], &b[..])).collect(),
            output: (&output, network.output.bias[0]),
        });
        Ok(Forward { network: frozen })
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
        let shifts: Vec<Vec<f32>> = (experiments.iter())
            .map(|(b, a)| self.shift(*b, *a))
            .collect::<Result<_, _>>()?;
        self.network.predict(&block.rows()?, &shifts, out);
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
        self.network.add_hidden(&block.rows()?, &shift, sum);
        Ok(())
    }

    /// What biosample and assay contribute to the first layer.
    fn shift(&self, biosample: usize, assay: usize) -> Result<Vec<f32>, ModelError> {
        let [biosamples, assays] = self.network.n_names();
        if biosample >= biosamples || assay >= assays {
            return Err(ModelError::Beyond {
                biosample,
                assay,
                biosamples,
                assays,
            });
        }
        Ok(self.network.shift(biosample, assay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, GenomeAxis, Region, Resolution};
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
        for scale in Resolution::ALL {
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
