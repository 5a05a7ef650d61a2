//! Which tracks a regression sees, and at which bins.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::Bug;
use crate::compendium::Experiment;
use crate::measures::CoMoments;

/// Bins about a bin at which the biosample's own tracks are seen.
const OWN: [i64; 13] = [-40, -20, -8, -4, -2, -1, 0, 1, 2, 4, 8, 20, 40];
/// Those at which the assay's tracks in other biosamples are: some of the same.
const OTHERS: [i64; 5] = [-4, -1, 0, 1, 4];
/// Where in [`OWN`] those stand that [`OTHERS`] has; one that it lacks is not an index at compile time.
const OTHERS_IN_OWN: [usize; OTHERS.len()] = {
    let mut places = [0; OTHERS.len()];
    let mut i = 0;
    while i < OTHERS.len() {
        let mut place = 0;
        while OWN[place] != OTHERS[i] {
            place += 1;
        }
        places[i] = place;
        i += 1;
    }
    places
};
/// Where in [`OWN`] the bin itself stands.
const HERE: usize = OTHERS_IN_OWN[2];
const _: () = assert!(OWN[HERE] == 0);
/// How far that is.
pub(super) const HALO: u64 = 40;
/// References at most, and other biosamples' tracks at most that a regression sees.
const MOST: usize = 8;

/// A bin and the region that it lies in; what lies beyond a region's end is its last bin.
#[derive(Debug, Clone)]
pub(super) struct BinInRegion {
    pub bin: u64,
    pub region: Range<u64>,
}

/// A track's values about some places.
pub(super) struct Patch {
    /// `[offset, place]`; the track's mean where it has no data.
    values: Vec<f32>,
    /// Whether it has data at each place.
    has_data: Vec<bool>,
}

/// A track's values about some places; `values` begin at the bin `first`. A bin without data (NaN) counts as
/// `mean`.
pub(super) fn patch(values: &[f32], first: u64, places: &[BinInRegion], mean: f32) -> Patch {
    let at = |place: &BinInRegion, offset: i64| {
        let last = place.region.end - 1;
        let bin = place.bin.saturating_add_signed(offset);
        values[(bin.clamp(place.region.start, last) - first) as usize]
    };
    let mut patch = Vec::with_capacity(OWN.len() * places.len());
    for offset in OWN {
        patch.extend(places.iter().map(|place| match at(place, offset) {
            value if value.is_nan() => mean,
            value => value,
        }));
    }
    Patch {
        values: patch,
        has_data: places.iter().map(|place| !at(place, 0).is_nan()).collect(),
    }
}

/// The values of tracks about the same places.
pub(super) struct Patches {
    n: usize,
    by_track: HashMap<usize, Patch>,
}

impl Patches {
    pub fn new(n: usize) -> Self {
        Patches {
            n,
            by_track: HashMap::new(),
        }
    }

    pub fn put(&mut self, track: usize, patch: Patch) {
        self.by_track.insert(track, patch);
    }

    /// A track's values at one of [`OWN`]'s offsets; `None` of a track that was not read.
    fn at(&self, track: usize, offset: usize) -> Option<&[f32]> {
        self.by_track
            .get(&track)?
            .values
            .get(offset * self.n..(offset + 1) * self.n)
    }

    fn read_at(&self, track: usize, offset: usize) -> Result<&[f32], Bug> {
        self.at(track, offset).ok_or_else(|| {
            Bug::new(format!(
                "a regression sees track {track}, which was not read"
            ))
        })
    }

    /// A track's values at the places themselves, NaN where it has no data.
    pub fn at_bin(&self, track: usize) -> Result<Vec<f64>, Bug> {
        let values = self.read_at(track, HERE)?.iter().map(|v| f64::from(*v));
        let Some(Patch { has_data, .. }) = self.by_track.get(&track) else {
            return Ok(values.collect());
        };
        let known = values.zip(has_data);
        Ok(known
            .map(|(v, has)| if *has { v } else { f64::NAN })
            .collect())
    }

    /// A regression's inputs, one column after another.
    pub fn columns(&self, inputs: &Inputs) -> Result<Vec<f64>, Bug> {
        let mut columns = Vec::with_capacity(inputs.width() * self.n);
        let mut put = |track: usize, offset: usize| -> Result<(), Bug> {
            let values = self.read_at(track, offset)?;
            columns.extend(values.iter().map(|v| f64::from(*v)));
            Ok(())
        };
        for track in &inputs.own {
            (0..OWN.len()).try_for_each(|offset| put(*track, offset))?;
        }
        for track in &inputs.others {
            OTHERS_IN_OWN
                .into_iter()
                .try_for_each(|offset| put(*track, offset))?;
        }
        Ok(columns)
    }

    /// Over the places at which both have data; `None` where one is constant, or was not read because the
    /// target has no track of its assay.
    fn correlation(&self, one: usize, other: usize) -> Option<f64> {
        let (x, y) = (self.at(one, HERE)?, self.at(other, HERE)?);
        let (has_x, has_y) = (
            &self.by_track.get(&one)?.has_data,
            &self.by_track.get(&other)?.has_data,
        );
        let known: Vec<usize> = (0..self.n).filter(|i| has_x[*i] && has_y[*i]).collect();
        let pair = |i: usize| (f64::from(x[known[i]]), f64::from(y[known[i]]));
        CoMoments::by(known.len(), pair)?.pearson()
    }
}

/// The tracks that a regression sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Inputs {
    /// The biosample's, by assay.
    own: Vec<usize>,
    /// The assay's in other biosamples, the most alike first.
    others: Vec<usize>,
}

impl Inputs {
    pub fn width(&self) -> usize {
        self.own.len() * OWN.len() + self.others.len() * OTHERS.len()
    }
}

/// A biosample that a regression is learnt in.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    /// Its track of the assay.
    pub track: usize,
    /// What stands for it there.
    pub learnt_from: Inputs,
    /// What stands for the target when the regression is asked.
    pub asked_with: Inputs,
}

/// All references of a target.
#[derive(Debug, Clone)]
pub(super) struct Design {
    pub references: Vec<Reference>,
}

/// Training tracks without the target itself.
fn others_than<'a>(
    training: &'a [Experiment],
    target: &'a Experiment,
) -> impl Iterator<Item = (usize, &'a Experiment)> {
    let all = training.iter().enumerate();
    all.filter(move |(_, e)| *e != target)
}

impl Design {
    /// The tracks that a design may need: the assay's, and those of other assays in biosamples that
    /// have it and in the target's.
    pub fn needed(training: &[Experiment], target: &Experiment) -> BTreeSet<usize> {
        let with_assay: BTreeSet<&str> = others_than(training, target)
            .filter(|(_, e)| e.assay == target.assay)
            .map(|(_, e)| &*e.biosample)
            .collect();
        let of_target: BTreeSet<&str> = others_than(training, target)
            .filter(|(_, e)| e.biosample == target.biosample)
            .map(|(_, e)| &*e.assay)
            .collect();
        let is_needed = |e: &Experiment| {
            e.assay == target.assay
                || (of_target.contains(&*e.assay)
                    && (e.biosample == target.biosample || with_assay.contains(&*e.biosample)))
        };
        others_than(training, target)
            .filter(|(_, e)| is_needed(e))
            .map(|(track, _)| track)
            .collect()
    }

    /// `None` where there is no reference, or a regression would see nothing.
    pub fn new(training: &[Experiment], target: &Experiment, patches: &Patches) -> Option<Self> {
        let track_of = |biosample: &str, assay: &str| {
            others_than(training, target)
                .find(|(_, e)| e.biosample == biosample && e.assay == assay)
                .map(|(track, _)| track)
        };
        let tracks: Vec<usize> = others_than(training, target)
            .filter(|(_, e)| e.assay == target.assay)
            .map(|(track, _)| track)
            .collect();
        let alike = |a: &str, b: &str| -> f64 {
            let shared: Vec<f64> = others_than(training, target)
                .filter(|(_, e)| e.biosample == a && e.assay != target.assay)
                .filter_map(|(track, e)| patches.correlation(track, track_of(b, &e.assay)?))
                .collect();
            match shared.len() {
                0 => f64::NEG_INFINITY,
                n => shared.iter().sum::<f64>() / n as f64,
            }
        };
        let nearest = |biosample: &str| -> Vec<usize> {
            let mut found: Vec<(f64, usize)> = (tracks.iter())
                .filter(|t| training[**t].biosample != biosample)
                .map(|t| (alike(biosample, &training[*t].biosample), *t))
                .collect();
            found.sort_by(|a, b| b.0.total_cmp(&a.0));
            found.into_iter().map(|(_, track)| track).collect()
        };
        let near_target = nearest(&target.biosample);
        let n_others = near_target.len().saturating_sub(1).min(MOST);
        let references: Vec<Reference> = (near_target.iter().take(MOST))
            .map(|track| {
                let biosample = &*training[*track].biosample;
                let (mut theirs, mut targets) = (Vec::new(), Vec::new());
                for (own, e) in others_than(training, target) {
                    if e.biosample == target.biosample
                        && let Some(their) = track_of(biosample, &e.assay)
                    {
                        theirs.push(their);
                        targets.push(own);
                    }
                }
                let inputs = |own, mut others: Vec<usize>| {
                    others.truncate(n_others);
                    Inputs { own, others }
                };
                Reference {
                    track: *track,
                    learnt_from: inputs(theirs, nearest(biosample)),
                    asked_with: inputs(targets, near_target.clone()),
                }
            })
            .filter(|r| r.learnt_from.width() > 0)
            .collect();
        (!references.is_empty()).then_some(Design { references })
    }

    /// The tracks that an imputation reads.
    pub fn asked_of(&self) -> BTreeSet<usize> {
        let inputs = self.references.iter().map(|r| &r.asked_with);
        inputs
            .flat_map(|i| i.own.iter().chain(&i.others).copied())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_takes_the_references_place_and_the_nearest_come_first() {
        let names = ["xQ", "yQ", "zQ", "wR", "yP", "zP", "wP", "xR"];
        let parts = names.iter().map(|n| n.split_at(1));
        let training: Vec<Experiment> = parts.map(|(b, a)| Experiment::new(b, a)).collect();
        let target = Experiment::new("x", "P");
        let places: Vec<BinInRegion> = (0..50)
            .map(|bin| BinInRegion { bin, region: 0..50 })
            .collect();
        let mut patches = Patches::new(50);
        let needed = Design::needed(&training, &target);
        assert_eq!(needed.len(), 8);
        for track in needed {
            // Of Q, z's track is x's and y's is not; of R, w's is half of x's.
            let value = |i: usize| match track {
                0 | 2 => (i % 7) as f32,
                3 => (i % 5 + i % 3) as f32,
                7 => (i % 5) as f32,
                _ => (i % 11) as f32,
            };
            let values: Vec<f32> = (0..50).map(value).collect();
            patches.put(track, patch(&values, 0, &places, 0.0));
        }
        let design = Design::new(&training, &target, &patches).unwrap();
        let order: Vec<usize> = design.references.iter().map(|r| r.track).collect();
        assert_eq!(order[0], 5, "z is nearest to x");
        let z = &design.references[0];
        assert_eq!(
            (z.learnt_from.own.clone(), z.asked_with.own.clone()),
            (vec![2], vec![0])
        );
        // Two others: y's and w's for z; z's and the next for x.
        assert_eq!(z.learnt_from.others.len(), 2);
        assert!(!z.learnt_from.others.contains(&5) && z.asked_with.others[0] == 5);
        let w = design.references.iter().find(|r| r.track == 6).unwrap();
        assert_eq!(
            (w.learnt_from.own.clone(), w.asked_with.own.clone()),
            (vec![3], vec![7])
        );
        assert_eq!(z.learnt_from.width(), 13 + 2 * 5);
    }

    #[test]
    fn what_lies_beyond_a_region_is_its_last_bin() {
        let values: Vec<f32> = (100..200).map(|v| v as f32).collect();
        let place = BinInRegion {
            bin: 110,
            region: 105..115,
        };
        let found = patch(&values, 100, std::slice::from_ref(&place), 0.5).values;
        assert_eq!(found[0], 105.0);
        assert_eq!(
            found[3..10],
            [106.0, 108.0, 109.0, 110.0, 111.0, 112.0, 114.0]
        );
        assert_eq!(found[12], 114.0);
        // A bin without data counts as the mean; at the place itself that is known.
        let mut values = values;
        values[9] = f32::NAN;
        values[10] = f32::NAN;
        let mut patches = Patches::new(1);
        patches.put(0, patch(&values, 100, &[place], 0.5));
        assert_eq!(patches.by_track[&0].values[5..8], [0.5, 0.5, 111.0]);
        assert!(patches.at_bin(0).unwrap()[0].is_nan());
    }
}
