//! Which tracks an experiment is imputed from.

use super::scale::InputTrack;

/// Other biosamples at most that are compared with an experiment's bin by bin.
const MOST_ALIKE: usize = 32;

/// The tracks that a refinement reads: those that it was trained on or extended with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inputs {
    /// In a fixed order, that of the model's record.
    pub tracks: Vec<InputTrack>,
}

/// What an experiment is imputed from. Its own track, if there is one, is never part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The experiment's biosample and assay.
    pub target: (u32, u32),
    /// Whether the network receives the identity of the assay; false for assays that it never learned.
    pub(super) named: bool,
    /// The biosample's tracks of other assays, one by one: (assay, track).
    pub(super) own: Vec<(usize, usize)>,
    /// The biosample's tracks of other assays, seen or not, that averages contain: (assay, track).
    pub(super) left_out: Vec<(usize, usize)>,
    /// The tracks of the experiment's assay in other biosamples.
    pub(super) others: Vec<usize>,
    /// Those of `others` (by their place there) that are weighed by how alike their biosample is,
    /// each with the pairs of tracks that tell: (of this biosample, of that).
    pub(super) alike: Vec<(usize, Vec<(usize, usize)>)>,
}

impl Inputs {
    /// Plans an experiment from all tracks but its own; `assays` are those that have inputs of their
    /// own.
    pub fn plan(&self, biosample: u32, assay: u32, assays: usize) -> Plan {
        self.plan_without(biosample, assay, assays, |_| false, true)
    }

    /// Plans an experiment as if the biosample's tracks that `dropped` says were not there; `named`
    /// says whether the network may know the assay.
    pub fn plan_without(
        &self,
        biosample: u32,
        assay: u32,
        assays: usize,
        mut dropped: impl FnMut(usize) -> bool,
        named: bool,
    ) -> Plan {
        let (mut own, mut left_out, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for (i, track) in self.tracks.iter().enumerate() {
            let place = track.assay as usize;
            if track.biosample == biosample {
                if place < assays && track.assay != assay {
                    if !track.added {
                        left_out.push((place, i));
                    }
                    if !dropped(i) {
                        own.push((place, i));
                    }
                }
            } else if track.assay == assay && !(track.added && place < assays) {
                others.push(i);
            }
        }
        let mut alike: Vec<(usize, Vec<(usize, usize)>)> = (others.iter().enumerate())
            .map(|(place, other)| (place, self.pairs(&own, self.tracks[*other].biosample)))
            .collect();
        // Those that can be compared over most assays, the first of equals.
        alike.sort_by_key(|(_, pairs)| std::cmp::Reverse(pairs.len()));
        alike.truncate(MOST_ALIKE);
        Plan {
            target: (biosample, assay),
            named: named && (assay as usize) < assays,
            own,
            left_out,
            others,
            alike,
        }
    }

    /// Tracks of one assay in the experiment's biosample and in another.
    fn pairs(&self, own: &[(usize, usize)], other: u32) -> Vec<(usize, usize)> {
        let theirs = |assay: usize| {
            let is = |t: &InputTrack| t.biosample == other && t.assay as usize == assay;
            self.tracks.iter().position(is)
        };
        own.iter()
            .filter_map(|(assay, track)| theirs(*assay).map(|t| (*track, t)))
            .collect()
    }
}

impl Plan {
    /// How many of the biosample's own tracks are seen.
    pub fn n_own(&self) -> usize {
        self.own.len()
    }

    /// How many other biosamples have the assay.
    pub fn n_others(&self) -> usize {
        self.others.len()
    }
}
