//! The samples of a step: bins of the stretches in memory, each with some tracks left out.

use rand_chacha::rand_core::RngCore;
use rayon::prelude::*;

use crate::genome::Resolution;
use crate::model::{
    EncoderConfig, InputScale, Stretch, Surroundings, WINDOWS, input_rows, saturated,
};
use crate::random::{Purpose, generator};

use super::EncoderOptions;

/// Samples that one generator draws the tracks of.
const GROUP: usize = 64;

/// Stretches in memory.
pub(super) struct Described {
    pub stretches: Vec<Stretch>,
    /// What describes their rows.
    pub surroundings: Vec<Surroundings>,
    /// Bins that are trained on: the stretch's place, and the bin's in it.
    pub bins: Vec<(u32, u32)>,
}

/// What the numbers of a step come from.
pub(super) struct Source<'a> {
    pub config: &'a EncoderConfig,
    pub options: &'a EncoderOptions,
    pub input_scales: &'a [InputScale; 3],
    pub seed: u64,
}

/// A step's samples, in the form of the network's batch.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub rows: [Vec<f32>; 3],
    pub targets: Vec<f32>,
    pub weights: Vec<f32>,
}

/// How many of `n` samples have a code at 5 kbp, at 250 bp and at 25 bp: all, three quarters, half.
pub(super) fn encoded(n: usize) -> [usize; 3] {
    [n, n * 3 / 4, n / 2]
}

impl Source<'_> {
    /// Draws the samples of some bins; `stream` numbers the step.
    pub fn draw(&self, described: &Described, bins: &[(u32, u32)], stream: u64, out: &mut Samples) {
        let (n, n_tracks) = (bins.len(), self.config.tracks);
        let n_encoded = encoded(n);
        let masks = self.masks(n, stream);
        for (s, n_encoded) in n_encoded.into_iter().enumerate() {
            let width = self.config.inputs(s);
            let described_width = self.config.described(s);
            out.rows[s].resize(n_encoded * width, 0.0);
            let scale = &self.input_scales[s];
            out.rows[s]
                .par_chunks_mut(width * GROUP)
                .enumerate()
                .for_each(|(g, rows)| {
                    for (i, row) in rows.chunks_exact_mut(width).enumerate() {
                        let sample = g * GROUP + i;
                        let (of, at) = self.row(described, bins[sample], s);
                        let values = &of.values[s][at * described_width..][..described_width];
                        let seen = &of.seen[s][at * n_tracks..][..n_tracks];
                        let mask = &masks[sample * n_tracks..][..n_tracks];
                        let scale = (scale, self.config.saturation);
                        input_rows(scale, values, seen, Some(mask), row);
                    }
                });
        }
        out.targets.resize(n * n_tracks, 0.0);
        out.weights.resize(n * n_tracks, 0.0);
        let seen_weight = self.options.seen_weight as f32;
        for (sample, bin) in bins.iter().enumerate() {
            // A sample that is decoded from coarse codes alone has to tell their rows' means.
            let s = n_encoded.iter().rposition(|k| sample < *k).unwrap_or(0);
            let (of, at) = self.row(described, *bin, s);
            let observed = &of.values[s][at * WINDOWS[s] * n_tracks..][..n_tracks];
            let scale = &self.input_scales[s];
            let place = sample * n_tracks..(sample + 1) * n_tracks;
            let (targets, weights) = (
                &mut out.targets[place.clone()],
                &mut out.weights[place.clone()],
            );
            for (i, value) in observed.iter().enumerate() {
                let read = masks[place.start + i] > 0.0;
                let (target, weight) = match value.is_nan() {
                    true => (0.0, 0.0),
                    false => {
                        let standardised = (*value - scale.mean[i]) / scale.deviation[i];
                        let weight = if read { seen_weight } else { 1.0 };
                        (saturated(standardised, self.config.saturation), weight)
                    }
                };
                targets[i] = target;
                weights[i] = weight;
            }
        }
    }

    /// A sample's row at a resolution, and what describes it.
    fn row<'d>(
        &self,
        described: &'d Described,
        (stretch, bin): (u32, u32),
        s: usize,
    ) -> (&'d Surroundings, usize) {
        let scale = [Resolution::Kbp5, Resolution::Bp250, Resolution::Bp25][s];
        let of = &described.stretches[stretch as usize];
        let row = (of.bins.start + u64::from(bin)) / scale.bins() - of.rows(scale).start;
        (&described.surroundings[stretch as usize], row as usize)
    }

    /// For each sample and track 1, or 0 where the track is left out.
    fn masks(&self, n: usize, stream: u64) -> Vec<f32> {
        let n_tracks = self.config.tracks;
        let [least, most] = self.options.dropped;
        let mut masks = vec![1f32; n * n_tracks];
        masks
            .par_chunks_mut(GROUP * n_tracks)
            .enumerate()
            .for_each(|(g, masks)| {
                let mut rng = generator(self.seed, Purpose::Encoder, (stream << 16) + g as u64);
                for mask in masks.chunks_exact_mut(n_tracks) {
                    let unit = f64::from(rng.next_u32()) / f64::from(u32::MAX);
                    let below = ((least + (most - least) * unit) * f64::from(u32::MAX)) as u32;
                    for track in mask {
                        *track = f32::from(rng.next_u32() >= below);
                    }
                }
            });
        masks
    }
}
