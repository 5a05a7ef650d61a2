//! The encoder's numbers and its forward pass.

use super::surroundings::resolutions;
use super::{EncoderConfig, ReadTracks, Surroundings, saturated};
use crate::Bug;
use crate::genome::Resolution;
use crate::model::{Dense, ModelError, TrackScale};
use crate::nn::Activation;
use crate::nn::product::{Matrix, Threads, multiply};

/// Rows that go through the network at once. Always as many, so that a row's bits do not depend on
/// how many rows are encoded with it.
const TILE: usize = 512;

/// What the description at a resolution is standardised by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InputScale {
    /// The mean of each number over rows, `[windows × tracks]`.
    pub mean: Vec<f32>,
    /// Its standard deviation.
    pub deviation: Vec<f32>,
}

/// From the last hidden layer and the inputs to factors: `h · hidden + x · inputs + bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeMap {
    /// `[nodes, factors]`.
    pub hidden: Vec<f32>,
    /// `[inputs, factors]`.
    pub inputs: Vec<f32>,
    /// `[factors]`.
    pub bias: Vec<f32>,
    /// The unit vectors along which factors are measured, `[2 × inputs, factors]`: in the space of what is
    /// predicted of each input at the row, then of each in the wide window, each number times the root of its
    /// weight. Empty in the first models.
    pub axes: Vec<f32>,
}

/// An encoder. Resolutions are coarsest first.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// Its sizes.
    pub config: EncoderConfig,
    /// Mean and deviation over bins of each track that it reads.
    pub scales: Vec<TrackScale>,
    /// What descriptions are standardised by, at each resolution.
    pub input_scales: [InputScale; 3],
    /// The two hidden layers of each resolution.
    pub layers: [[Dense; 2]; 3],
    /// What makes factors of them.
    pub maps: [CodeMap; 3],
}

/// Standardised inputs `[rows, inputs]` of some rows: the description with 0 where there is no data,
/// then the shares that have data, each number of the description [`saturated`]. `mask` gives each input's weight, 0 for one that is left out.
pub(crate) fn input_rows(
    (scale, saturation): (&InputScale, u32),
    values: &[f32],
    seen: &[f32],
    mask: Option<&[f32]>,
    out: &mut [f32],
) {
    let described = scale.mean.len();
    let inputs = described + seen.len() / (values.len() / described.max(1)).max(1);
    let n_tracks = inputs - described;
    let rows = out.chunks_exact_mut(inputs.max(1));
    let of_values = values.chunks_exact(described.max(1));
    for ((row, values), seen) in rows.zip(of_values).zip(seen.chunks_exact(n_tracks.max(1))) {
        let (of_description, of_seen) = row.split_at_mut(described);
        for (i, out) in of_description.iter_mut().enumerate() {
            let value = (values[i] - scale.mean[i]) / scale.deviation[i];
            *out = if value.is_nan() {
                0.0
            } else {
                saturated(value, saturation)
            };
        }
        of_seen.copy_from_slice(seen);
        if let Some(mask) = mask {
            for part in row.chunks_exact_mut(n_tracks) {
                part.iter_mut().zip(mask).for_each(|(v, m)| *v *= m);
            }
        }
    }
}

/// The last hidden layer's activations, `[rows, nodes]`, of inputs `[rows, inputs]`.
pub(crate) fn forward_hidden(
    layers: &[Dense; 2],
    nodes: usize,
    inputs: &[f32],
    first: &mut Vec<f32>,
    out: &mut Vec<f32>,
) {
    let n = inputs.len() / layers[0].weight.nrows().max(1);
    first.resize(n * nodes, 0.0);
    out.resize(n * nodes, 0.0);
    view(&layers[0]).forward(inputs, nodes, Activation::Relu, first, Threads::One);
    view(&layers[1]).forward(first, nodes, Activation::Relu, out, Threads::One);
}

/// A layer as the kernels take it. [`Encoder::check`] sees to it that layers have standard layout; of one
/// that has not there is nothing, and the product of shapes that do not fit stops the program.
pub(crate) fn view(layer: &Dense) -> crate::nn::Dense<'_> {
    crate::nn::Dense {
        weight: layer.weight.as_slice().unwrap_or_default(),
        bias: layer.bias.as_slice().unwrap_or_default(),
    }
}

impl Encoder {
    /// The factors of every row of a stretch, `[rows, factors]` at each resolution, finest first as
    /// in [`Resolution::ALL`].
    pub fn encode(&self, surroundings: &Surroundings) -> [Vec<f32>; 3] {
        self.encode_without(surroundings, None)
    }

    /// The same without some inputs: `mask` has 0 for each that is left out, 1 for the others.
    pub(crate) fn encode_without(
        &self,
        surroundings: &Surroundings,
        mask: Option<&[f32]>,
    ) -> [Vec<f32>; 3] {
        let mut codes: [Vec<f32>; 3] = Default::default();
        for (s, resolution) in resolutions().into_iter().enumerate() {
            codes[resolution.index()] = self.encode_rows(s, surroundings, mask);
        }
        codes
    }

    fn encode_rows(&self, s: usize, surroundings: &Surroundings, mask: Option<&[f32]>) -> Vec<f32> {
        let EncoderConfig {
            tracks,
            nodes,
            codes,
            ..
        } = self.config;
        let (described, inputs, code) = (self.config.described(s), self.config.inputs(s), codes[s]);
        let n = surroundings.n_rows(s, tracks);
        let mut out = vec![0f32; n * code];
        let mut rows = vec![0f32; TILE * inputs];
        let mut tile = vec![0f32; TILE * code];
        let (mut first, mut hidden) = (Vec::new(), Vec::new());
        for start in (0..n).step_by(TILE) {
            let taken = TILE.min(n - start);
            let (values, seen) = (&surroundings.values[s], &surroundings.seen[s]);
            rows.fill(0.0);
            input_rows(
                (&self.input_scales[s], self.config.saturation),
                &values[start * described..(start + taken) * described],
                &seen[start * tracks..(start + taken) * tracks],
                mask,
                &mut rows,
            );
            forward_hidden(&self.layers[s], nodes, &rows, &mut first, &mut hidden);
            let map = &self.maps[s];
            for row in tile.chunks_exact_mut(code) {
                row.copy_from_slice(&map.bias);
            }
            let one = Threads::One;
            multiply(
                &mut tile,
                Matrix::new(&hidden, nodes),
                Matrix::new(&map.hidden, code),
                true,
                one,
            );
            multiply(
                &mut tile,
                Matrix::new(&rows, inputs),
                Matrix::new(&map.inputs, code),
                true,
                one,
            );
            out[start * code..(start + taken) * code].copy_from_slice(&tile[..taken * code]);
        }
        out
    }

    /// # Errors
    /// When shapes disagree with the configuration, or a number is not finite.
    pub fn check(&self) -> Result<(), ModelError> {
        self.config.check()?;
        let EncoderConfig {
            tracks,
            nodes,
            codes,
            ..
        } = self.config;
        let shape = |name: &str, found: [usize; 2], expected: [usize; 2]| match found == expected {
            true => Ok(()),
            false => Err(ModelError::Shape {
                name: format!("the encoder's {name}"),
                found,
                expected,
            }),
        };
        shape("tracks", [self.scales.len(), 2], [self.config.n_read(), 2])?;
        let mut numbers: Vec<&[f32]> = Vec::new();
        for (s, resolution) in resolutions().into_iter().enumerate() {
            let (described, inputs, code) =
                (self.config.described(s), self.config.inputs(s), codes[s]);
            let scale = &self.input_scales[s];
            shape(
                &format!("{resolution} windows"),
                [scale.mean.len(), scale.deviation.len()],
                [described; 2],
            )?;
            let [first, second] = &self.layers[s];
            shape(
                &format!("{resolution} first layer"),
                first.weight.dim().into(),
                [inputs, nodes],
            )?;
            shape(
                &format!("{resolution} second layer"),
                second.weight.dim().into(),
                [nodes, nodes],
            )?;
            shape(
                &format!("{resolution} biases"),
                [first.bias.len(), second.bias.len()],
                [nodes; 2],
            )?;
            let map = &self.maps[s];
            shape(
                &format!("{resolution} map of hidden units"),
                [map.hidden.len(), map.bias.len()],
                [nodes * code, code],
            )?;
            shape(
                &format!("{resolution} map of inputs"),
                [map.inputs.len(), code],
                [inputs * code, code],
            )?;
            let axes = if self.config.axes { 2 * tracks } else { 0 };
            shape(
                &format!("{resolution} axes"),
                [map.axes.len(), code],
                [axes * code, code],
            )?;
            numbers.extend([
                &scale.mean[..],
                &scale.deviation,
                &map.hidden,
                &map.inputs,
                &map.bias,
                &map.axes,
            ]);
            for layer in [first, second] {
                let (Some(weight), Some(bias)) = (layer.weight.as_slice(), layer.bias.as_slice())
                else {
                    return Err(Bug::new("the encoder's layers are not in standard layout").into());
                };
                numbers.extend([weight, bias]);
            }
        }
        match numbers.into_iter().flatten().all(|v| v.is_finite()) {
            true => Ok(()),
            false => Err(ModelError::Config(
                "the encoder has a number that is not finite".into(),
            )),
        }
    }

    /// The tracks that it reads.
    pub fn read_tracks(&self) -> ReadTracks<'_> {
        self.config.read_tracks(&self.scales)
    }

    /// How many factors a row has at a resolution.
    pub fn factors(&self, scale: Resolution) -> usize {
        let [coarse, middle, fine] = self.config.codes;
        match scale {
            Resolution::Kbp5 => coarse,
            Resolution::Bp250 => middle,
            Resolution::Bp25 => fine,
        }
    }
}
