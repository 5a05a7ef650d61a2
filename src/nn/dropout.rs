//! Which hidden units a step leaves out.

use rand_chacha::rand_core::RngCore;

use crate::random::{Purpose, generator};

/// Which units a step leaves out: the same on every backend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dropout {
    /// Their share of a hidden layer.
    pub share: f64,
    /// The training's seed.
    pub seed: u64,
    /// The number of the step, over all networks of a training.
    pub index: u64,
}

impl Dropout {
    /// Units whose byte is below are left out.
    pub fn below(&self) -> u8 {
        (self.share * 256.0).round() as u8
    }

    /// How much the others count, so that sums keep their mean.
    pub fn kept(&self) -> f32 {
        256.0 / (256.0 - f32::from(self.below()))
    }

    /// The bytes of some units of a hidden layer, counted from 0: one each, `first` and on of the
    /// `all` (samples × units) that the layer draws for the step. `first` is a multiple of 4, because
    /// the generator gives words.
    pub fn bytes(&self, layer: usize, all: usize, first: usize, bytes: &mut [u8]) {
        let mut rng = generator(self.seed, Purpose::Dropout, self.index);
        let words = layer * all.div_ceil(4) + first / 4;
        rng.set_word_pos(words as u128);
        rng.fill_bytes(bytes);
    }
}
