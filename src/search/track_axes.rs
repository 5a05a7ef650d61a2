//! The axes of a model's factors: what of each track a factor tells.

use crate::genome::Resolution;
use crate::model::{TrackScale, TrainedModel};
use crate::store::TrackRole;

/// The axes of a model's factors, and the tracks that they are made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrackAxes {
    pub tracks: Vec<AxisTrack>,
    /// The tracks of each input of the encoder, by their places among `tracks`.
    pub members: Vec<Vec<usize>>,
    /// At each of [`Resolution::ALL`]: `[2 × inputs, factors]`.
    pub axes: [Vec<f32>; 3],
}

/// A track that axes are made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AxisTrack {
    pub biosample: String,
    pub assay: String,
    pub scale: TrackScale,
}

impl TrackAxes {
    /// Of a model, if its factors have axes; otherwise why not.
    pub fn new(model: &TrainedModel) -> Result<Self, &'static str> {
        let Some(encoder) = model.encoder() else {
            return Err("its factors are not made of tracks by an encoder");
        };
        if !encoder.config.axes {
            return Err("it was trained before axes were stored; train it again");
        }
        let read = (model.record().tracks.iter()).filter(|t| t.role != TrackRole::Hold);
        let tracks = read.zip(&encoder.scales).map(|(track, scale)| AxisTrack {
            biosample: track.biosample.clone(),
            assay: track.assay.clone(),
            scale: *scale,
        });
        let [coarse, middle, fine] = encoder.maps.each_ref().map(|map| map.axes.clone());
        Ok(TrackAxes {
            tracks: tracks.collect(),
            members: encoder.read_tracks().members(),
            axes: [fine, middle, coarse],
        })
    }

    /// The axes of a resolution, `[2 × inputs, factors]`.
    pub fn axes(&self, resolution: Resolution) -> &[f32] {
        &self.axes[resolution.index()]
    }

    /// Each track's part of the squared length of a difference of factors at a resolution. Tracks that are read as
    /// one share its part alike.
    pub fn parts(&self, resolution: Resolution, difference: &[f64]) -> Vec<f64> {
        let n = self.tracks.len();
        let mut parts = vec![0f64; n];
        let rows = self.axes(resolution).chunks_exact(difference.len().max(1));
        for (i, row) in rows.enumerate() {
            let along = row.iter().zip(difference).map(|(v, d)| f64::from(*v) * d);
            let part = along.sum::<f64>().powi(2);
            let members = &self.members[i % self.members.len()];
            for track in members {
                parts[*track] += part / members.len() as f64;
            }
        }
        parts
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Three tracks, two numbers each; two factors at 25 bp, one at the others.
    pub fn axes() -> TrackAxes {
        let track = |biosample: &str, assay: &str| AxisTrack {
            biosample: biosample.into(),
            assay: assay.into(),
            scale: TrackScale {
                mean: 1.0,
                deviation: 2.0,
            },
        };
        TrackAxes {
            tracks: vec![track("S1", "A"), track("S2", "A"), track("S1", "B")],
            members: vec![vec![0], vec![1], vec![2]],
            axes: [
                vec![0.6, 0.0, 0.0, 1.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0],
                vec![0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
                vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
            ],
        }
    }

    #[test]
    fn parts_are_squares_along_the_axes_and_add_up_to_the_squared_length() {
        let axes = axes();
        // 0.6 · 5 and 0.8 · 5 of the first track, 2 of the second.
        let parts = axes.parts(Resolution::Bp25, &[5.0, 2.0]);
        for (part, expected) in parts.iter().zip([25.0, 4.0, 0.0]) {
            assert!((part - expected).abs() < 1e-5, "{part}");
        }
        assert_eq!(axes.parts(Resolution::Bp250, &[3.0]), [0.0, 0.0, 9.0]);
        assert_eq!(axes.parts(Resolution::Kbp5, &[3.0]), [0.0, 0.0, 9.0]);
    }
}
