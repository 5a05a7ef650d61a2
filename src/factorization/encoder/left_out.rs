//! What the network on the stored factors is trained on: factors without the track that is shown.
//!
//! Factors are computed from the training tracks. A network that is shown a track by factors which know that
//! track learns to read it there, and imputes badly what no track shows. So in each pass every stretch of
//! the axis leaves out one group of tracks, another one in the next pass, and shows those tracks alone.

use std::ops::Range;
use std::sync::Arc;

use super::axes::groups;
use super::fit::factors_without;
use crate::factorization::{FactorizationError, PassFactors, TrackSource, TrainingSet};
use crate::model::{Encoder, GenomeFactors, Stretch, TrackScale};

/// Factors in which each stretch leaves out some tracks, pass by pass.
pub(in crate::factorization) struct LeftOut {
    encoder: Encoder,
    set: Arc<TrainingSet>,
    /// Inputs of the encoder that are left out together.
    groups: Vec<Vec<usize>>,
    /// The tracks of each group, by their places in the set.
    tracks: Vec<Vec<u32>>,
    /// The axis bin that each stretch starts with, ascending.
    starts: Vec<u64>,
    /// The stretches' places on the axis, in the order of `starts`.
    stretches: Vec<usize>,
}

impl LeftOut {
    /// Of an encoder of all the set's tracks.
    pub fn new(encoder: &Encoder, set: &Arc<TrainingSet>) -> Self {
        let all = Stretch::all(&set.axis);
        let mut stretches: Vec<(u64, usize)> = (all.iter().enumerate())
            .map(|(i, s)| (s.axis_bin(s.bins.start), i))
            .collect();
        stretches.sort_unstable();
        let groups = groups(encoder.config.tracks);
        let members = encoder.read_tracks().members();
        let tracks = |group: &Vec<usize>| -> Vec<u32> {
            let of = group.iter().flat_map(|input| &members[*input]);
            of.map(|t| *t as u32).collect()
        };
        LeftOut {
            encoder: encoder.clone(),
            set: Arc::clone(set),
            tracks: groups.iter().map(tracks).collect(),
            groups,
            starts: stretches.iter().map(|s| s.0).collect(),
            stretches: stretches.into_iter().map(|s| s.1).collect(),
        }
    }

    /// The group that a stretch leaves out in a pass.
    fn group(&self, stretch: usize, pass: u32) -> usize {
        (stretch + pass as usize) % self.groups.len()
    }
}

impl PassFactors for LeftOut {
    /// Those that the bin's factors leave out.
    fn shown(&self, axis_bin: u64, pass: u32) -> &[u32] {
        let after = self.starts.partition_point(|s| *s <= axis_bin);
        &self.tracks[self.group(self.stretches[after.saturating_sub(1)], pass)]
    }

    fn factors(&self, pass: u32) -> Result<GenomeFactors, FactorizationError> {
        let read =
            |track, bins: Range<u64>, out: &mut [f32]| self.set.source.read(track, bins, out);
        factors_without(&self.encoder, &self.set.axis, read, |stretch| {
            let mut mask = vec![1f32; self.encoder.config.tracks];
            for input in &self.groups[self.group(stretch, pass)] {
                mask[*input] = 0.0;
            }
            Some(mask)
        })
    }
}

/// Tracks in their own standard deviations from their own means.
pub(in crate::factorization) struct Standardised {
    /// The tracks as they are stored.
    pub set: Arc<TrainingSet>,
    /// Their means and deviations.
    pub scales: Vec<TrackScale>,
}

impl TrackSource for Standardised {
    fn read(
        &self,
        track: usize,
        bins: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), FactorizationError> {
        self.set.source.read(track, bins, out)?;
        let scale = self.scales[track];
        out.iter_mut().for_each(|v| *v = scale.standardise(*v));
        Ok(())
    }
}

impl Standardised {
    /// A training set with its tracks standardised.
    pub fn set(set: &Arc<TrainingSet>, scales: Vec<TrackScale>) -> Arc<TrainingSet> {
        Arc::new(TrainingSet {
            axis: set.axis.clone(),
            mask: set.mask.clone(),
            tracks: set.tracks.clone(),
            source: Box::new(Standardised {
                set: Arc::clone(set),
                scales,
            }),
        })
    }
}
