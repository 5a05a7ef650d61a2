//! The numbers of a model, and their first values.

use ndarray::{Array1, Array2};

use super::{ModelError, Sizes};
use crate::genome::{GenomeAxis, Resolution};
use crate::random::{Purpose, fill_uniform, generator};

/// Half the width of the uniform first values of factors, as Keras' `Embedding` has it.
const FACTOR_LIMIT: f32 = 0.05;

/// A dense layer: `weight` is `[inputs, outputs]`, as Keras stores it, `bias` is `[outputs]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// `[inputs, outputs]`.
    pub weight: Array2<f32>,
    /// `[outputs]`.
    pub bias: Array1<f32>,
}

impl Dense {
    /// Glorot-uniform weights and zero bias.
    fn initial(seed: u64, stream: u64, inputs: usize, outputs: usize) -> Self {
        let mut weight = Array2::zeros((inputs, outputs));
        let limit = (6.0 / (inputs + outputs) as f32).sqrt();
        let mut rng = generator(seed, Purpose::Initial, stream);
        if let Some(values) = weight.as_slice_mut() {
            fill_uniform(&mut rng, limit, values);
        }
        Dense {
            weight,
            bias: Array1::zeros(outputs),
        }
    }
}

/// Everything that is shared by all positions: biosample and assay factors and the dense layers.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// `[n_biosamples, biosample_factors]`.
    pub biosamples: Array2<f32>,
    /// `[n_assays, assay_factors]`.
    pub assays: Array2<f32>,
    /// The hidden layers (ReLU), first to last.
    pub hidden: Vec<Dense>,
    /// The last layer, one output.
    pub output: Dense,
}

/// Streams of first values: one for each tensor, so that adding one changes no other.
const STREAM_BIOSAMPLES: u64 = 0;
const STREAM_ASSAYS: u64 = 1;
const STREAM_GENOME: u64 = 8;
const STREAM_LAYERS: u64 = 64;

impl Network {
    /// First values of a network, from the seed alone.
    pub fn initial(sizes: &Sizes, n_biosamples: usize, n_assays: usize, seed: u64) -> Self {
        let layer = |i: usize, inputs, outputs| {
            Dense::initial(seed, STREAM_LAYERS + i as u64, inputs, outputs)
        };
        Network {
            biosamples: initial_factors(
                seed,
                STREAM_BIOSAMPLES,
                n_biosamples,
                sizes.biosample_factors,
            ),
            assays: initial_factors(seed, STREAM_ASSAYS, n_assays, sizes.assay_factors),
            hidden: (0..sizes.layers)
                .map(|i| {
                    layer(
                        i,
                        if i == 0 { sizes.inputs() } else { sizes.nodes },
                        sizes.nodes,
                    )
                })
                .collect(),
            output: layer(sizes.layers, sizes.nodes, 1),
        }
    }

    /// How many biosamples and assays.
    pub fn n_names(&self) -> [usize; 2] {
        [self.biosamples.nrows(), self.assays.nrows()]
    }

    /// All numbers in the order of training: biosamples' factors, assays' factors, then weight and
    /// bias of each layer.
    pub(crate) fn to_flat(&self) -> Vec<f32> {
        let factors = self.biosamples.iter().chain(&self.assays);
        let layers = self.hidden.iter().chain([&self.output]);
        let layers = layers.flat_map(|l| l.weight.iter().chain(&l.bias));
        factors.chain(layers).copied().collect()
    }

    /// From what [`Network::to_flat`] gave.
    ///
    /// # Errors
    /// When there are more or fewer numbers than the sizes ask for.
    pub(crate) fn from_flat(
        sizes: &Sizes,
        [biosamples, assays]: [usize; 2],
        values: &[f32],
    ) -> Result<Self, ModelError> {
        let mut rest = values;
        let mut matrix = |rows: usize, cols: usize| {
            let (part, after) = rest.split_at_checked(rows * cols)?;
            rest = after;
            Array2::from_shape_vec((rows, cols), part.to_vec()).ok()
        };
        let mut network = || {
            let biosamples = matrix(biosamples, sizes.biosample_factors)?;
            let assays = matrix(assays, sizes.assay_factors)?;
            let mut layers = Vec::with_capacity(sizes.layers + 1);
            for i in 0..=sizes.layers {
                let inputs = if i == 0 { sizes.inputs() } else { sizes.nodes };
                let outputs = if i == sizes.layers { 1 } else { sizes.nodes };
                layers.push(Dense {
                    weight: matrix(inputs, outputs)?,
                    bias: matrix(1, outputs)?.into_iter().collect(),
                });
            }
            let output = layers.pop()?;
            Some(Network {
                biosamples,
                assays,
                hidden: layers,
                output,
            })
        };
        let found = network();
        match found.filter(|_| rest.is_empty()) {
            Some(network) => Ok(network),
            None => Err(ModelError::Config(format!(
                "{} numbers are not those of a network of these sizes",
                values.len()
            ))),
        }
    }

    /// # Errors
    /// When a tensor's shape is not what the sizes ask for.
    pub fn check(&self, sizes: &Sizes) -> Result<(), ModelError> {
        let expect = |name: String, found: (usize, usize), expected: (usize, usize)| {
            if found == expected {
                Ok(())
            } else {
                Err(ModelError::Shape {
                    name,
                    found: [found.0, found.1],
                    expected: [expected.0, expected.1],
                })
            }
        };
        let (b, a) = (&self.biosamples, &self.assays);
        expect(
            "biosample factors".into(),
            b.dim(),
            (b.nrows(), sizes.biosample_factors),
        )?;
        expect(
            "assay factors".into(),
            a.dim(),
            (a.nrows(), sizes.assay_factors),
        )?;
        expect(
            "hidden layers".into(),
            (self.hidden.len(), 1),
            (sizes.layers, 1),
        )?;
        for (i, layer) in self.hidden.iter().enumerate() {
            let inputs = if i == 0 { sizes.inputs() } else { sizes.nodes };
            expect(
                format!("weight of layer {i}"),
                layer.weight.dim(),
                (inputs, sizes.nodes),
            )?;
            expect(
                format!("bias of layer {i}"),
                (1, layer.bias.len()),
                (1, sizes.nodes),
            )?;
        }
        expect(
            "output weight".into(),
            self.output.weight.dim(),
            (sizes.nodes, 1),
        )?;
        expect("output bias".into(), (1, self.output.bias.len()), (1, 1))
    }

    /// Rows of the first layer's weight that a part of the input meets.
    pub(crate) fn input_rows(sizes: &Sizes) -> InputRows {
        let biosample = 0..sizes.biosample_factors;
        let assay = biosample.end..biosample.end + sizes.assay_factors;
        let bp25 = assay.end..assay.end + sizes.factors_25bp;
        let bp250 = bp25.end..bp25.end + sizes.factors_250bp;
        let kbp5 = bp250.end..bp250.end + sizes.factors_5kbp;
        InputRows {
            biosample,
            assay,
            genome: [bp25, bp250, kbp5],
        }
    }
}

/// Which inputs of the first layer each axis feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRows {
    /// The biosample's factors.
    pub biosample: std::ops::Range<usize>,
    /// The assay's factors.
    pub assay: std::ops::Range<usize>,
    /// The genome's factors at each of [`Resolution::ALL`].
    pub genome: [std::ops::Range<usize>; 3],
}

/// First values of one axis' factors: uniform in ±0.05.
pub(crate) fn initial_factors(seed: u64, stream: u64, rows: usize, cols: usize) -> Array2<f32> {
    let mut factors = Array2::zeros((rows, cols));
    if let Some(values) = factors.as_slice_mut() {
        fill_uniform(
            &mut generator(seed, Purpose::Initial, stream),
            FACTOR_LIMIT,
            values,
        );
    }
    factors
}

/// The genome's factors over an axis, one table a scale (in the order of [`Resolution::ALL`]), rows as
/// [`GenomeAxis::row`] numbers them.
#[derive(Debug, Clone, PartialEq)]
pub struct GenomeFactors {
    /// `[n_rows(scale), factors(scale)]` for each scale.
    pub scales: [Array2<f32>; 3],
}

impl GenomeFactors {
    /// First values, from the seed alone.
    pub fn initial(sizes: &Sizes, axis: &GenomeAxis, seed: u64) -> Self {
        GenomeFactors {
            scales: Resolution::ALL.map(|scale| {
                let rows = axis.n_rows(scale) as usize;
                let stream = STREAM_GENOME + scale.index() as u64;
                initial_factors(seed, stream, rows, sizes.genome_factors(scale))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Preset;

    #[test]
    fn one_seed_gives_one_network_and_another_another() {
        let sizes = Sizes::preset(Preset::Small);
        let network = Network::initial(&sizes, 3, 4, 7);
        assert_eq!(network, Network::initial(&sizes, 3, 4, 7));
        assert_ne!(network, Network::initial(&sizes, 3, 4, 8));
        assert!(network.check(&sizes).is_ok());
    }

    #[test]
    fn first_values_stay_inside_their_limits_and_fill_them() {
        let network = Network::initial(&Sizes::preset(Preset::Small), 50, 4, 1);
        let largest = network.biosamples.iter().fold(0f32, |m, v| m.max(v.abs()));
        assert!(largest <= 0.05 && largest > 0.049, "{largest}");
        // Glorot: sqrt(6 / (111 + 64)).
        let largest = network.hidden[0]
            .weight
            .iter()
            .fold(0f32, |m, v| m.max(v.abs()));
        assert!(largest <= 0.185_164 && largest > 0.184, "{largest}");
        assert!(network.hidden[0].bias.iter().all(|b| *b == 0.0));
    }

    #[test]
    fn a_network_of_other_sizes_is_refused_by_the_name_of_the_tensor() {
        let sizes = Sizes::preset(Preset::Small);
        let mut network = Network::initial(&sizes, 3, 4, 7);
        network.output.bias = Array1::zeros(2);
        let message = network.check(&sizes).unwrap_err().to_string();
        assert!(message.contains("output bias"), "{message}");
    }
}
