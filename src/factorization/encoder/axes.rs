//! Canonical factors: from trained networks to principal axes of what they predict.
//!
//! A seed fixes a network's codes only up to any invertible map. What the network predicts is nearly
//! the same from every seed, so its principal axes are taken instead. At each resolution two numbers
//! a track are predicted, linearly, by least squares from the last hidden layer and the description:
//! half the sum of what was observed at the row and of what the other tracks predict there, and half
//! the mean over a wide window. Each assay counts the same, and each of its tracks the same.

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use super::EncoderTraining;
use super::training::Descriptions;
use crate::factorization::FactorizationError;
use crate::linear::{eigen, solve_columns};
use crate::model::{
    CodeMap, Dense, Encoder, EncoderConfig, FAR_WINDOW, Stretch, Surroundings, WINDOWS,
    forward_hidden, input_rows,
};
use crate::nn::product::{Matrix, Threads, multiply};
use crate::nn::{Activation, EncoderSpec};

/// Bins at most of the stretches that axes are taken from, spread over the axis.
const MOST_BINS: u64 = 1 << 21;
/// Bins of them at most that 25 bp axes are taken from.
const MOST_ROWS: u64 = 150_000;
/// Groups of tracks at most that are predicted as if they had not been read, a group at a time.
const MOST_GROUPS: usize = 24;
/// Stretches whose sums are in memory at once.
const AT_ONCE: usize = 8;
/// Added to the diagonal of the least squares, as a share of its mean; the first with which they can be
/// solved. The smallest serves wherever there are more rows than regressors.
const RIDGES: [f64; 5] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

/// A mean variance of the regressors below this is rounding.
const LEAST_VARIANCE: f64 = 1e-3;

/// The layers of the trained network.
struct Trained {
    spec: EncoderSpec,
    /// Of each resolution: two hidden layers and the code.
    encoders: Vec<([Dense; 2], Dense)>,
    decoder: [Dense; 2],
}

impl Trained {
    fn new(spec: &EncoderSpec, parameters: &[f32]) -> Self {
        let mut rest = parameters;
        let mut layers = Vec::new();
        for pair in spec.tensors().chunks_exact(2) {
            let [rows, cols] = pair[0];
            let (weight, after) = rest.split_at(rows * cols);
            let (bias, after) = after.split_at(cols);
            rest = after;
            layers.push(Dense {
                // As many numbers as the shape has.
                weight: Array2::from_shape_fn((rows, cols), |(r, c)| weight[r * cols + c]),
                bias: bias.iter().copied().collect(),
            });
        }
        let mut layers = layers.into_iter();
        let mut next = || {
            layers.next().unwrap_or(Dense {
                weight: Array2::zeros((0, 0)),
                bias: ndarray::Array1::zeros(0),
            })
        };
        let encoders = (0..3).map(|_| ([next(), next()], next())).collect();
        Trained {
            spec: spec.clone(),
            encoders,
            decoder: [next(), next()],
        }
    }

    /// Codes `[rows, code]` of inputs.
    fn codes(&self, s: usize, inputs: &[f32]) -> Vec<f32> {
        let (layers, last) = &self.encoders[s];
        let (mut first, mut hidden) = (Vec::new(), Vec::new());
        forward_hidden(layers, self.spec.nodes, inputs, &mut first, &mut hidden);
        forward(last, &hidden, Activation::Linear)
    }

    /// Predictions `[rows, tracks]` of codes side by side.
    fn decode(&self, codes: &[f32]) -> Vec<f32> {
        let hidden = forward(&self.decoder[0], codes, Activation::Relu);
        forward(&self.decoder[1], &hidden, Activation::Linear)
    }
}

fn forward(layer: &Dense, inputs: &[f32], activation: Activation<'_>) -> Vec<f32> {
    let (rows, cols) = layer.weight.dim();
    let mut out = vec![0f32; inputs.len() / rows.max(1) * cols];
    let layer = crate::nn::Dense {
        // Layers are kept in standard layout.
        weight: layer.weight.as_slice().unwrap_or_default(),
        bias: layer.bias.as_slice().unwrap_or_default(),
    };
    layer.forward(inputs, cols, activation, &mut out, Threads::One);
    out
}

/// Sums of the least squares at one resolution.
#[derive(Clone)]
struct Sums {
    weight: f64,
    /// Of the regressors, and of the targets.
    regressors: Vec<f64>,
    targets: Vec<f64>,
    /// `[regressors, regressors]` and `[regressors, targets]`.
    gram: Vec<f64>,
    cross: Vec<f64>,
}

impl Sums {
    fn new(regressors: usize, targets: usize) -> Self {
        Sums {
            weight: 0.0,
            regressors: vec![0.0; regressors],
            targets: vec![0.0; targets],
            gram: vec![0.0; regressors * regressors],
            cross: vec![0.0; regressors * targets],
        }
    }

    fn add(&mut self, part: &Sums) {
        self.weight += part.weight;
        let pairs = [
            (&mut self.regressors, &part.regressors),
            (&mut self.targets, &part.targets),
            (&mut self.gram, &part.gram),
            (&mut self.cross, &part.cross),
        ];
        for (sums, part) in pairs {
            sums.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        }
    }

    /// Of some rows and their weights.
    fn of(rows: &[f32], targets: &[f32], weights: &[f32]) -> Self {
        let n = weights.len().max(1);
        let (r, t) = (rows.len() / n, targets.len() / n);
        let mut sums = Sums::new(r, t);
        let mut weighted = rows.to_vec();
        for (row, w) in weighted.chunks_exact_mut(r.max(1)).zip(weights) {
            row.iter_mut().for_each(|v| *v *= w);
        }
        let (mut gram, mut cross) = (vec![0f32; r * r], vec![0f32; r * t]);
        let left = Matrix::new(&weighted, r).t();
        multiply(&mut gram, left, Matrix::new(rows, r), false, Threads::One);
        multiply(
            &mut cross,
            left,
            Matrix::new(targets, t),
            false,
            Threads::One,
        );
        sums.gram = gram.into_iter().map(f64::from).collect();
        sums.cross = cross.into_iter().map(f64::from).collect();
        for ((row, target), w) in weighted
            .chunks_exact(r.max(1))
            .zip(targets.chunks_exact(t.max(1)))
            .zip(weights)
        {
            sums.weight += f64::from(*w);
            sums.regressors
                .iter_mut()
                .zip(row)
                .for_each(|(s, v)| *s += f64::from(*v));
            sums.targets
                .iter_mut()
                .zip(target)
                .for_each(|(s, v)| *s += f64::from(v * w));
        }
        sums
    }

    /// The map to the first `factors` principal axes of the targets' predictions, each target
    /// weighed: `[regressors, factors]` and the bias.
    fn axes(&self, weights: &[f64], factors: usize) -> Option<(Array2<f64>, Vec<f64>)> {
        let (r, t) = (self.regressors.len(), self.targets.len());
        let n = self.weight;
        let mean: Vec<f64> = self.regressors.iter().map(|v| v / n).collect();
        let gram = Array2::from_shape_fn((r, r), |(i, j)| {
            self.gram[i * r + j] / n - mean[i] * mean[j]
        });
        let cross = Array2::from_shape_fn((r, t), |(i, j)| {
            self.cross[i * t + j] / n - mean[i] * self.targets[j] / n
        });
        let mut solved = RIDGES.into_iter().find_map(|ridge| {
            let mut stiff = gram.clone();
            // Constant tracks leave nothing to regress on: their factors are 0.
            let ridge = ridge * (gram.diag().sum() / r as f64).max(LEAST_VARIANCE);
            stiff.diag_mut().iter_mut().for_each(|v| *v += ridge);
            solve_columns(stiff, cross.clone())
        })?;
        for (mut column, w) in solved.columns_mut().into_iter().zip(weights) {
            column *= w.sqrt();
        }
        let covariance = solved.t().dot(&gram.dot(&solved));
        let (_, vectors) = eigen((&covariance + &covariance.t()) / 2.0);
        let mut chosen = vectors.slice_move(ndarray::s![.., ..factors]);
        for mut axis in chosen.columns_mut() {
            if largest(axis.view()) < 0.0 {
                axis *= -1.0;
            }
        }
        let map = solved.dot(&chosen);
        let bias = (0..factors)
            .map(|c| -(0..r).map(|i| mean[i] * map[[i, c]]).sum::<f64>())
            .collect();
        Some((map, bias))
    }
}

/// The number that is largest without its sign, the first of equals.
fn largest(values: ArrayView1<'_, f64>) -> f64 {
    values.iter().fold(
        0.0,
        |most: f64, v| if v.abs() > most.abs() { *v } else { most },
    )
}

/// The encoder with canonical factors; `assays` gives the assay of each track.
///
/// # Errors
/// When signal cannot be read, the backend fails, or the least squares cannot be solved.
pub(super) fn canonical(
    training: &EncoderTraining,
    assays: &[u32],
) -> Result<Encoder, FactorizationError> {
    let trained = Trained::new(&training.spec, &training.network.parameters()?);
    let inputs = &training.inputs;
    let config = &inputs.config;
    let total: u64 = inputs.stretches.iter().map(|s| s.n_bins() as u64).sum();
    let every = total.div_ceil(MOST_BINS).max(1) as usize;
    let stretches: Vec<&Stretch> = inputs.stretches.iter().step_by(every).collect();
    let taken: u64 = stretches.iter().map(|s| s.n_bins() as u64).sum();
    let step = taken.div_ceil(MOST_ROWS).max(1) as usize;
    let targets = 2 * config.tracks;
    let mut sums = [0, 1, 2].map(|s| Sums::new(config.nodes + config.inputs(s), targets));
    for part in stretches.chunks(AT_ONCE) {
        let found = part
            .par_iter()
            .map(|stretch| of_stretch(inputs, &trained, stretch, step));
        let found: Vec<[Sums; 3]> = found.collect::<Result<_, FactorizationError>>()?;
        for of_part in &found {
            sums.iter_mut().zip(of_part).for_each(|(s, p)| s.add(p));
        }
    }
    let weights = weights(assays);
    let weights: Vec<f64> = weights.iter().chain(&weights).copied().collect();
    let mut maps = Vec::new();
    for (s, sums) in sums.iter().enumerate() {
        let (map, bias) = sums.axes(&weights, config.codes[s]).ok_or_else(|| {
            FactorizationError::Options(
                "the encoder's factors cannot be found: its training tracks are constant, or it did not train; \
                 lower its learning rate"
                    .into(),
            )
        })?;
        let flat = |rows: ndarray::ArrayView2<'_, f64>| rows.iter().map(|v| *v as f32).collect();
        let (hidden, inputs) = map.view().split_at(ndarray::Axis(0), config.nodes);
        maps.push(CodeMap {
            hidden: flat(hidden),
            inputs: flat(inputs),
            bias: bias.iter().map(|v| *v as f32).collect(),
        });
    }
    let mut layers = trained.encoders.into_iter().map(|e| e.0);
    let mut maps = maps.into_iter();
    let (Some(a), Some(b), Some(c)) = (layers.next(), layers.next(), layers.next()) else {
        return Err(crate::Bug::new("an encoder has three resolutions").into());
    };
    let (Some(coarse), Some(middle), Some(fine)) = (maps.next(), maps.next(), maps.next()) else {
        return Err(crate::Bug::new("an encoder has three resolutions").into());
    };
    let encoder = Encoder {
        config: config.clone(),
        scales: inputs.scales.clone(),
        input_scales: inputs.input_scales.clone(),
        layers: [a, b, c],
        maps: [coarse, middle, fine],
    };
    encoder.check()?;
    Ok(encoder)
}

/// What each track counts: the assays share 1 equally, and each assay's tracks its share.
fn weights(assays: &[u32]) -> Vec<f64> {
    let mut names = assays.to_vec();
    names.sort_unstable();
    names.dedup();
    let of = |assay: &u32| assays.iter().filter(|a| *a == assay).count() as f64;
    assays
        .iter()
        .map(|a| 1.0 / (names.len() as f64 * of(a)))
        .collect()
}

/// Rows of a stretch that hold a bin that is not masked: the row and how many such bins it has.
fn rows_of(kept: &[u32], start: u64, bins: u64) -> Vec<(usize, f32)> {
    let mut rows: Vec<(usize, f32)> = Vec::new();
    for bin in kept {
        let row = ((u64::from(*bin) + start % bins) / bins) as usize;
        match rows.last_mut() {
            Some((last, n)) if *last == row => *n += 1.0,
            _ => rows.push((row, 1.0)),
        }
    }
    rows
}

fn of_stretch(
    inputs: &Descriptions,
    trained: &Trained,
    stretch: &Stretch,
    step: usize,
) -> Result<[Sums; 3], FactorizationError> {
    let EncoderConfig { tracks, nodes, .. } = inputs.config;
    let surroundings = inputs.describe(stretch, &stretch.region_bins)?;
    let kept = inputs.kept(stretch);
    let fine: Vec<u32> = kept.iter().copied().step_by(step).collect();
    let rows = [
        rows_of(&kept, stretch.bins.start, 200),
        rows_of(&kept, stretch.bins.start, 10),
        rows_of(&fine, stretch.bins.start, 1),
    ];
    let picked = [0, 1, 2].map(|s| Picked::new(inputs, &surroundings, s, &rows[s]));
    // The coarser rows that hold a row, by their places among those picked.
    let size = [200u64, 10, 1];
    let parents = |s: usize, of: usize| -> Vec<usize> {
        let place = |(row, _): &(usize, f32)| {
            let bin = (stretch.bins.start / size[s] + *row as u64) * size[s];
            let parent = (bin / size[of] - stretch.bins.start / size[of]) as usize;
            // A row of kept bins lies in rows of kept bins.
            rows[of]
                .binary_search_by_key(&parent, |r| r.0)
                .unwrap_or_else(|at| at.min(rows[of].len() - 1))
        };
        rows[s].iter().map(place).collect()
    };
    let parents = [
        vec![],
        vec![parents(1, 0)],
        vec![parents(2, 0), parents(2, 1)],
    ];
    let groups = tracks.min(MOST_GROUPS);
    let mut predicted = [0, 1, 2].map(|s| vec![0f32; rows[s].len() * tracks]);
    for group in 0..groups {
        let mask: Vec<f32> = (0..tracks)
            .map(|t| f32::from(t % groups != group))
            .collect();
        let codes = [0, 1, 2].map(|s| trained.codes(s, &picked[s].rows(inputs, s, Some(&mask))));
        let code = trained.spec.codes;
        let width: usize = code.iter().sum();
        for s in 0..3 {
            let n = rows[s].len();
            let mut side_by_side = vec![0f32; n * width];
            for (i, out) in side_by_side.chunks_exact_mut(width).enumerate() {
                let mut at = 0;
                for of in 0..=s {
                    let place = if of == s { i } else { parents[s][of][i] };
                    out[at..at + code[of]]
                        .copy_from_slice(&codes[of][place * code[of]..][..code[of]]);
                    at += code[of];
                }
            }
            let out = trained.decode(&side_by_side);
            for (to, from) in predicted[s]
                .chunks_exact_mut(tracks)
                .zip(out.chunks_exact(tracks))
            {
                for t in (group..tracks).step_by(groups) {
                    to[t] = from[t];
                }
            }
        }
    }
    Ok([0, 1, 2].map(|s| {
        let rows_in = picked[s].rows(inputs, s, None);
        let (mut first, mut hidden) = (Vec::new(), Vec::new());
        forward_hidden(
            &trained.encoders[s].0,
            nodes,
            &rows_in,
            &mut first,
            &mut hidden,
        );
        let width = inputs.config.inputs(s);
        let mut regressors = Vec::with_capacity(hidden.len() + rows_in.len());
        for (h, x) in hidden.chunks_exact(nodes).zip(rows_in.chunks_exact(width)) {
            regressors.extend_from_slice(h);
            regressors.extend_from_slice(x);
        }
        let far = FAR_WINDOW[s] * tracks;
        let mut targets = Vec::with_capacity(rows[s].len() * 2 * tracks);
        for ((values, x), predicted) in (picked[s].values.chunks_exact(WINDOWS[s] * tracks))
            .zip(rows_in.chunks_exact(width))
            .zip(predicted[s].chunks_exact(tracks))
        {
            let near = (0..tracks).map(|t| match values[t].is_nan() {
                true => predicted[t],
                false => 0.5 * (x[t] + predicted[t]),
            });
            targets.extend(near);
            targets.extend((0..tracks).map(|t| 0.5 * x[far + t]));
        }
        let weights: Vec<f32> = rows[s].iter().map(|r| r.1).collect();
        Sums::of(&regressors, &targets, &weights)
    }))
}

/// The description of some rows of a stretch.
struct Picked {
    values: Vec<f32>,
    seen: Vec<f32>,
}

impl Picked {
    fn new(
        inputs: &Descriptions,
        surroundings: &Surroundings,
        s: usize,
        rows: &[(usize, f32)],
    ) -> Self {
        let (described, tracks) = (inputs.config.described(s), inputs.config.tracks);
        let pick = |from: &[f32], width: usize| {
            rows.iter()
                .flat_map(|(row, _)| from[row * width..(row + 1) * width].iter().copied())
                .collect()
        };
        Picked {
            values: pick(&surroundings.values[s], described),
            seen: pick(&surroundings.seen[s], tracks),
        }
    }

    fn rows(&self, inputs: &Descriptions, s: usize, mask: Option<&[f32]>) -> Vec<f32> {
        let n = self.seen.len() / inputs.config.tracks;
        let mut out = vec![0f32; n * inputs.config.inputs(s)];
        input_rows(
            &inputs.input_scales[s],
            &self.values,
            &self.seen,
            mask,
            &mut out,
        );
        out
    }
}
