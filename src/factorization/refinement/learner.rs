//! A network of a refinement in training, by hand on the CPU and on libtorch elsewhere.

use tch::Device;

use super::by_hand::HandMember;
use super::network::TorchMember;
use super::options::RefinementOptions;
use super::sampling::Samples;
use crate::factorization::{Adam, FactorizationError};
use crate::model::{Member, RefinementConfig};
use crate::random::{Purpose, fill_uniform, generator};

/// Which units a step leaves out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dropout {
    /// Their share of a hidden layer.
    pub share: f64,
    /// The training's seed.
    pub seed: u64,
    /// The number of the step, over all networks.
    pub index: u64,
}

impl Dropout {
    /// Units whose byte is below are left out.
    pub fn below(&self) -> u8 {
        (self.share * 256.0).round() as u8
    }

    /// How much the others count.
    pub fn counts(&self) -> f32 {
        256.0 / (256.0 - f32::from(self.below()))
    }
}

/// What a network learns from in a step.
pub(super) struct Step<'a> {
    /// What it is shown.
    pub samples: &'a Samples,
    /// How it is trained.
    pub options: &'a RefinementOptions,
    /// The optimiser, with the step's rate.
    pub adam: Adam,
    /// The step, counted from 1.
    pub number: u32,
    /// What it leaves out.
    pub dropout: Dropout,
}

/// A network in training.
pub(super) enum Learner {
    /// On the CPU.
    ByHand(HandMember),
    /// On another device.
    Torch(TorchMember),
}

impl Learner {
    /// First values: Glorot-uniform in the hidden layers, 0 in the output, so that training starts
    /// from the average.
    pub fn initial(
        config: &RefinementConfig,
        seed: u64,
        member: usize,
        device: Device,
    ) -> Result<Self, FactorizationError> {
        let mut flat = vec![0f32; Member::n_numbers(config)];
        let mut at = 0;
        for (layer, (inputs, nodes)) in config.shapes().take(config.layers).enumerate() {
            let limit = (6.0 / (inputs + nodes) as f32).sqrt();
            let stream = (1 << 32) + ((member as u64) << 8) + layer as u64;
            let mut rng = generator(seed, Purpose::Initial, stream);
            fill_uniform(&mut rng, limit, &mut flat[at..at + inputs * nodes]);
            at += (inputs + 1) * nodes;
        }
        let moments = vec![0f32; 2 * flat.len()];
        Learner::from_flat(config, &flat, &moments, device)
    }

    /// From the numbers that [`Learner::flat`] and [`Learner::moments`] gave.
    pub fn from_flat(
        config: &RefinementConfig,
        flat: &[f32],
        moments: &[f32],
        device: Device,
    ) -> Result<Self, FactorizationError> {
        let n = Member::n_numbers(config);
        if flat.len() != n || moments.len() != 2 * n {
            return Err(FactorizationError::Checkpoint(
                "the checkpoint's refinement is not of this model's sizes".into(),
            ));
        }
        let (first, second) = moments.split_at(n);
        Ok(match device {
            Device::Cpu => Learner::ByHand(HandMember::new(config, flat, first, second)),
            _ => Learner::Torch(TorchMember::new(config, flat, (first, second), device)?),
        })
    }

    /// All parameters, one after another.
    pub fn flat(&self) -> Result<Vec<f32>, FactorizationError> {
        match self {
            Learner::ByHand(member) => Ok(member.values.clone()),
            Learner::Torch(member) => member.flat(),
        }
    }

    /// All first moments, then all second moments.
    pub fn moments(&self) -> Result<Vec<f32>, FactorizationError> {
        match self {
            Learner::ByHand(member) => Ok([&member.first[..], &member.second].concat()),
            Learner::Torch(member) => member.moments(),
        }
    }

    /// The network as plain numbers.
    pub fn to_member(&self, config: &RefinementConfig) -> Result<Member, FactorizationError> {
        Member::from_flat(config, &self.flat()?).ok_or_else(|| {
            FactorizationError::Options("a refinement's numbers do not fit its sizes".into())
        })
    }

    /// One step of Adam on some samples; the mean of their squared errors before it, unweighted.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn step(&mut self, step: &Step<'_>) -> Result<f64, FactorizationError> {
        match self {
            Learner::ByHand(member) => Ok(member.step(step)),
            Learner::Torch(member) => member.step(step),
        }
    }
}
