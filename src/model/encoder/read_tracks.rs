//! Which tracks an encoder reads, and which of them as one.
//!
//! An encoder has one input a track, up to a limit. Beyond it, tracks of one assay that resemble each other form a pool:
//! the input is the mean of those of them that have data in a bin, each in its own standard deviations. What the
//! encoder costs is then bounded, whatever the number of tracks.

use crate::model::TrackScale;

/// The tracks that an encoder reads.
#[derive(Debug, Clone, Copy)]
pub struct ReadTracks<'a> {
    /// Mean and deviation over bins of each track.
    pub scales: &'a [TrackScale],
    /// The input that each track belongs to; empty where each is its own.
    pub pools: &'a [u32],
}

impl<'a> ReadTracks<'a> {
    /// Tracks of which each is an input of its own.
    pub fn each(scales: &'a [TrackScale]) -> Self {
        ReadTracks { scales, pools: &[] }
    }

    /// How many inputs there are.
    pub fn n_inputs(&self) -> usize {
        match self.pools.iter().max() {
            None => self.scales.len(),
            Some(last) => *last as usize + 1,
        }
    }

    /// The tracks of each input, in their order.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.n_inputs()];
        for track in 0..self.scales.len() {
            let input = match self.pools.get(track) {
                Some(pool) => *pool as usize,
                None => track,
            };
            members[input].push(track);
        }
        members
    }
}

/// The mean, bin by bin, of standardised tracks over those that have data.
#[derive(Debug, Default)]
pub(super) struct Pooled {
    sums: Vec<f32>,
    counts: Vec<u32>,
}

impl Pooled {
    pub fn clear(&mut self, n: usize) {
        self.sums.clear();
        self.sums.resize(n, 0.0);
        self.counts.clear();
        self.counts.resize(n, 0);
    }

    pub fn add(&mut self, values: impl Iterator<Item = f32>) {
        for ((sum, count), value) in self.sums.iter_mut().zip(&mut self.counts).zip(values) {
            if !value.is_nan() {
                *sum += value;
                *count += 1;
            }
        }
    }

    /// NaN where no track has data.
    pub fn means(&self) -> impl Iterator<Item = f32> {
        let of = |(sum, count): (&f32, &u32)| match count {
            0 => f32::NAN,
            n => sum / *n as f32,
        };
        self.sums.iter().zip(&self.counts).map(of)
    }
}
