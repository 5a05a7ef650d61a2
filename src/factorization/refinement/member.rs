//! A network of a refinement, as `nn` trains it: its shape and its first values.

use crate::factorization::FactorizationError;
use crate::model::{Member, RefinementConfig};
use crate::nn::DenseSpec;
use crate::random::{Purpose, fill_uniform, generator};

/// A member's layers.
pub(super) fn spec(config: &RefinementConfig) -> DenseSpec {
    DenseSpec {
        layers: config.shapes().map(|(i, o)| [i, o]).collect(),
    }
}

/// First values of a member: Glorot-uniform in the hidden layers, 0 in the output, so that training
/// starts from the average.
pub(super) fn initial(config: &RefinementConfig, seed: u64, member: usize) -> Vec<f32> {
    let mut flat = vec![0f32; Member::n_numbers(config)];
    let mut at = 0;
    for (layer, (inputs, nodes)) in config.shapes().take(config.layers).enumerate() {
        let limit = (6.0 / (inputs + nodes) as f32).sqrt();
        let stream = (1 << 32) + ((member as u64) << 8) + layer as u64;
        let mut rng = generator(seed, Purpose::Initial, stream);
        fill_uniform(&mut rng, limit, &mut flat[at..at + inputs * nodes]);
        at += (inputs + 1) * nodes;
    }
    flat
}

/// A member from its flat parameters.
///
/// # Errors
/// When they do not fit the sizes.
pub(super) fn from_flat(
    config: &RefinementConfig,
    flat: &[f32],
) -> Result<Member, FactorizationError> {
    Member::from_flat(config, flat).ok_or_else(|| {
        FactorizationError::Options("a refinement's numbers do not fit its sizes".into())
    })
}
