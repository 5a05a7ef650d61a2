//! The refinement's networks, and their forward pass without libtorch.

use ndarray::Array2;
use rayon::prelude::*;

use super::{
    Features, InputTrack, Inputs, Plan, RefinementConfig, ScaleModel, SignalBlock, Spread,
    TrackScale,
};
use crate::model::product::{Matrix, Threads, multiply};
use crate::model::{Dense, ModelError};

/// Bins that one thread takes at a time.
const TILE: usize = 256;
/// Inputs beyond so many standard deviations are clipped: nothing was learnt there.
const MOST: f32 = 6.0;

/// What the inputs are standardised by before the first layer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standardisation {
    /// The mean of each input.
    pub mean: Vec<f32>,
    /// The standard deviation of each input, or 0.1 where it is less.
    pub deviation: Vec<f32>,
}

impl Standardisation {
    /// Of some rows of inputs.
    pub fn of(rows: &[f32], width: usize) -> Self {
        let n = (rows.len() / width.max(1)).max(1) as f64;
        let (mut sum, mut squares) = (vec![0f64; width], vec![0f64; width]);
        for row in rows.chunks_exact(width.max(1)) {
            for (i, value) in row.iter().enumerate() {
                sum[i] += f64::from(*value);
                squares[i] += f64::from(*value) * f64::from(*value);
            }
        }
        let mean: Vec<f64> = sum.iter().map(|s| s / n).collect();
        let deviation = (squares.iter().zip(&mean))
            .map(|(s, m)| ((s / n - m * m).max(0.0).sqrt() as f32).max(0.1));
        Standardisation {
            deviation: deviation.collect(),
            mean: mean.iter().map(|m| *m as f32).collect(),
        }
    }

    /// Standardises rows in place and clips them.
    pub fn apply(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.mean.len().max(1)) {
            for ((value, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *value = ((*value - mean) / deviation).clamp(-MOST, MOST);
            }
        }
    }
}

/// One network: hidden layers (ReLU) and an output that is added to the average.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// First to last; the last has one output.
    pub layers: Vec<Dense>,
}

impl Member {
    /// # Errors
    /// When a layer's shape is not what the configuration asks for.
    pub fn check(&self, config: &RefinementConfig) -> Result<(), ModelError> {
        let expect = |name: String, found: (usize, usize), expected: (usize, usize)| {
            if found == expected {
                return Ok(());
            }
            Err(ModelError::Shape {
                name,
                found: [found.0, found.1],
                expected: [expected.0, expected.1],
            })
        };
        let n = self.layers.len();
        expect(
            "layers of a refinement".into(),
            (n, 1),
            (config.layers + 1, 1),
        )?;
        for (i, layer) in self.layers.iter().enumerate() {
            let inputs = if i == 0 {
                config.inputs()
            } else {
                config.nodes
            };
            let outputs = if i + 1 == n { 1 } else { config.nodes };
            let name = format!("layer {i} of a refinement");
            expect(name.clone(), layer.weight.dim(), (inputs, outputs))?;
            expect(name, (1, layer.bias.len()), (1, outputs))?;
        }
        Ok(())
    }

    /// Adds `share` times the output for each row of standardised inputs.
    pub(crate) fn add(&self, rows: &[f32], share: f32, sums: &mut [f32]) {
        let n = sums.len();
        let mut now = rows.to_vec();
        for (i, layer) in self.layers.iter().enumerate() {
            let (inputs, outputs) = layer.weight.dim();
            let mut next = vec![0f32; n * outputs];
            let weight = layer.weight.as_standard_layout();
            if let Some(weight) = weight.as_slice() {
                let (below, weight) = (Matrix::new(&now, inputs), Matrix::new(weight, outputs));
                multiply(&mut next, below, weight, false, Threads::One);
            }
            let last = i + 1 == self.layers.len();
            for row in next.chunks_exact_mut(outputs) {
                for (value, bias) in row.iter_mut().zip(&layer.bias) {
                    *value += bias;
                    if !last {
                        *value = value.max(0.0);
                    }
                }
            }
            now = next;
        }
        sums.iter_mut().zip(&now).for_each(|(s, v)| *s += share * v);
    }
}

/// A refinement ready to predict.
#[derive(Debug, Clone, PartialEq)]
pub struct Refinement {
    /// Its sizes.
    pub config: RefinementConfig,
    /// The tracks it reads.
    pub inputs: Inputs,
    /// What the networks' inputs are standardised by.
    pub standardisation: Standardisation,
    /// The networks.
    pub members: Vec<Member>,
    /// How far observed signal lies from predicted.
    pub spread: Spread,
}

impl Refinement {
    /// # Errors
    /// When a shape is not what the configuration asks for.
    pub fn check(&self) -> Result<(), ModelError> {
        self.config.check()?;
        let width = self.config.inputs();
        let (mean, deviation) = (&self.standardisation.mean, &self.standardisation.deviation);
        if (mean.len(), deviation.len()) != (width, width)
            || self.members.len() != self.config.members
        {
            return Err(ModelError::Shape {
                name: "inputs and members of a refinement".into(),
                found: [mean.len(), self.members.len()],
                expected: [width, self.config.members],
            });
        }
        self.members.iter().try_for_each(|m| m.check(&self.config))
    }

    /// What an experiment is imputed from: all tracks but its own.
    pub fn plan(&self, biosample: u32, assay: u32) -> Plan {
        self.inputs.plan(biosample, assay, self.config.assays)
    }

    /// The mean and standard deviation that the other tracks let expect of an experiment.
    pub fn expected_scale(&self, biosample: u32, assay: u32) -> TrackScale {
        let target = (biosample, assay);
        let known =
            (biosample as usize) < self.config.biosamples && (assay as usize) < self.config.assays;
        let speaks = |t: &&InputTrack| {
            !t.added || (!known && (t.biosample == biosample || t.assay == assay))
        };
        let tracks: Vec<InputTrack> = self.inputs.tracks.iter().filter(speaks).copied().collect();
        ScaleModel::fit(&tracks, Some(target)).expect(biosample, assay)
    }

    /// The ends of the intervals that hold the central 90 % and 50 % of what would be observed where this
    /// is imputed, ascending; both on the scale that tracks are stored on. `None` of a model that kept no
    /// quantiles.
    pub fn interval_ends(&self, scale: TrackScale, imputed: f32) -> Option<[f32; 4]> {
        let predicted = (imputed - scale.mean) / scale.deviation;
        let ends = self.spread.quantiles_at(predicted)?;
        Some(ends.map(|end| imputed + scale.deviation * end))
    }

    /// The standardised signal of an experiment over a block.
    pub fn predict_standardised(&self, plan: &Plan, block: &SignalBlock, out: &mut [f32]) {
        let width = self.config.inputs();
        let features = Features::new(&self.config, &self.inputs, block);
        let share = 1.0 / self.members.len().max(1) as f32;
        out.par_chunks_mut(TILE).enumerate().for_each_init(
            || vec![0f32; TILE * width],
            |rows, (tile, out)| {
                let first = (tile * TILE) as u32;
                let bins: Vec<u32> = (first..first + out.len() as u32).collect();
                let rows = &mut rows[..out.len() * width];
                features.fill(plan, &bins, rows, out);
                self.standardisation.apply(rows);
                for member in &self.members {
                    member.add(rows, share, out);
                }
            },
        );
    }

    /// An experiment over a block, on the scale that tracks are stored on; and, where `deviation`
    /// is given, the standard deviation of what would be observed.
    pub fn predict(
        &self,
        plan: &Plan,
        scale: TrackScale,
        block: &SignalBlock,
        out: &mut [f32],
        deviation: Option<&mut [f32]>,
    ) {
        self.predict_standardised(plan, block, out);
        if let Some(deviation) = deviation {
            for (deviation, value) in deviation.iter_mut().zip(&*out) {
                *deviation = scale.deviation * self.spread.at(*value);
            }
        }
        for value in out {
            *value = scale.mean + scale.deviation * *value;
        }
    }
}

/// A layer's parameters as a matrix and a vector, for those that keep them flat.
impl Member {
    /// The weights and biases, one after another.
    pub fn flat(&self) -> impl Iterator<Item = f32> + '_ {
        (self.layers.iter()).flat_map(|l| l.weight.iter().chain(&l.bias).copied())
    }

    /// From what [`Member::flat`] gave; `None` when there are more or fewer numbers.
    pub fn from_flat(config: &RefinementConfig, values: &[f32]) -> Option<Self> {
        let mut rest = values;
        let mut layers = Vec::new();
        for (inputs, outputs) in config.shapes() {
            let (weight, after) = rest.split_at_checked(inputs * outputs)?;
            let (bias, after) = after.split_at_checked(outputs)?;
            rest = after;
            layers.push(Dense {
                weight: Array2::from_shape_vec((inputs, outputs), weight.to_vec()).ok()?,
                bias: bias.to_vec().into(),
            });
        }
        rest.is_empty().then_some(Member { layers })
    }

    /// How many numbers a member has.
    pub fn n_numbers(config: &RefinementConfig) -> usize {
        let numbers = |(inputs, outputs)| (inputs + 1) * outputs;
        config.shapes().map(numbers).sum()
    }
}
