//! A refinement's predictions.

use rayon::prelude::*;

use super::{
    Features, InputTrack, Inputs, LayerValues, Member, Plan, RefinementConfig, ScaleModel,
    SignalBlock, Spread, Standardisation, TrackScale,
};
use crate::model::ModelError;

/// Bins that one thread takes at a time.
const TILE: usize = 256;

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

    /// The standardised signal of an experiment over a block.
    pub fn predict_standardised(&self, plan: &Plan, block: &SignalBlock, out: &mut [f32]) {
        let width = self.config.inputs();
        let features = Features::new(&self.config, &self.inputs, block);
        let share = 1.0 / self.members.len().max(1) as f32;
        out.par_chunks_mut(TILE).enumerate().for_each_init(
            || (vec![0f32; TILE * width], LayerValues::default()),
            |(rows, layers), (tile, out)| {
                let first = (tile * TILE) as u32;
                let bins: Vec<u32> = (first..first + out.len() as u32).collect();
                let rows = &mut rows[..out.len() * width];
                features.fill(plan, &bins, rows, out);
                self.standardisation.apply(rows);
                for member in &self.members {
                    member.add(rows, share, out, layers);
                }
            },
        );
    }

    /// An experiment over a block, on the scale that tracks are stored on.
    pub fn predict(&self, plan: &Plan, scale: TrackScale, block: &SignalBlock, out: &mut [f32]) {
        self.predict_standardised(plan, block, out);
        for value in out {
            *value = scale.mean + scale.deviation * *value;
        }
    }
}
