//! The encoder's sizes.

use serde::{Deserialize, Serialize};

use super::{ReadTracks, WINDOWS};
use crate::model::{ModelError, TrackScale};

/// Descriptions beyond so many standard deviations are clipped where the saturation is 0.
const MOST: f32 = 12.0;

/// What an encoder is, apart from its numbers. Resolutions are coarsest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderConfig {
    /// How many inputs it has for signal: tracks, or pools of tracks. It reads the model's tracks that are not held
    /// out, in their order.
    pub tracks: usize,
    /// The input that each track it reads belongs to; empty where each is its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<u32>,
    /// Units of each of its two hidden layers at each resolution.
    pub nodes: usize,
    /// Factors of a row at 5 kbp, 250 bp and 25 bp.
    pub codes: [usize; 3],
    /// Standard deviations at which a number of the description counts half; 0 in the first
    /// models, which clip instead.
    #[serde(default)]
    pub saturation: u32,
    /// Whether the network on the stored factors predicts tracks standardised by their mean and deviation.
    #[serde(default)]
    pub standardised: bool,
    /// Whether the axes of the factors are stored ([`CodeMap::axes`](super::CodeMap)); not in the first
    /// models.
    #[serde(default)]
    pub axes: bool,
}

/// A standardised number `v` as the encoder reads it: `v / (1 + |v| / saturation)`, so that the height of
/// the highest peaks does not decide every distance. Clipped instead where the saturation is 0.
pub(crate) fn saturated(value: f32, saturation: u32) -> f32 {
    match saturation {
        0 => value.clamp(-MOST, MOST),
        _ => value / (1.0 + value.abs() / saturation as f32),
    }
}

impl EncoderConfig {
    /// How many tracks it reads.
    pub fn n_read(&self) -> usize {
        match self.pools.len() {
            0 => self.tracks,
            n => n,
        }
    }

    /// The tracks that it reads, of these scales.
    pub fn read_tracks<'a>(&'a self, scales: &'a [TrackScale]) -> ReadTracks<'a> {
        ReadTracks {
            scales,
            pools: &self.pools,
        }
    }

    /// What describes the signal around a row of a resolution, `windows × inputs` numbers.
    pub fn described(&self, resolution: usize) -> usize {
        WINDOWS[resolution] * self.tracks
    }

    /// Width of the network's input at a resolution: the description, then the share of each input's
    /// surroundings that has data.
    pub fn inputs(&self, resolution: usize) -> usize {
        self.described(resolution) + self.tracks
    }

    /// # Errors
    /// When a size is 0 or beyond what memory could hold.
    pub fn check(&self) -> Result<(), ModelError> {
        let sizes = [
            ("tracks of the encoder", self.tracks),
            ("units of the encoder", self.nodes),
            ("5 kbp factors of the encoder", self.codes[0]),
            ("250 bp factors of the encoder", self.codes[1]),
            ("25 bp factors of the encoder", self.codes[2]),
        ];
        for (name, size) in sizes {
            if size == 0 || size > 1 << 16 {
                return Err(ModelError::Config(format!(
                    "{name} must be between 1 and 65536, not {size}"
                )));
            }
        }
        let mut has_track = vec![self.pools.is_empty(); self.tracks];
        for pool in &self.pools {
            match has_track.get_mut(*pool as usize) {
                Some(has) => *has = true,
                None => {
                    return Err(ModelError::Config(format!(
                        "a track of the encoder is in pool {pool} of {}",
                        self.tracks
                    )));
                }
            }
        }
        match has_track.iter().position(|has| !has) {
            Some(pool) => Err(ModelError::Config(format!(
                "pool {pool} of the encoder has no track"
            ))),
            None => Ok(()),
        }
    }
}
