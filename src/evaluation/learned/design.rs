//! Which tracks a regression sees, and at which bins.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::Bug;
use crate::compendium::Experiment;
use crate::measures::CoMoments;

/// Bins about a bin at which the biosample's own tracks are seen: as far as ChromImpute looks, less densely.
const OWN: [i64; 19] = [
    -400, -200, -100, -40, -20, -8, -4, -2, -1, 0, 1, 2, 4, 8, 20, 40, 100, 200, 400,
];
/// Those at which the assay's tracks in the biosamples most alike over the whole axis are.
const OTHERS: [i64; 5] = [-4, -1, 0, 1, 4];
/// Bins on either side over which biosamples are compared around a bin: ChromImpute's default.
const AROUND: i64 = 20;
/// All of these offsets, which a patch holds.
const OFFSETS: [i64; 49] = {
    let far = [40, 100, 200, 400];
    let mut offsets = [0; 49];
    let mut i = 0;
    while i < 4 {
        offsets[i] = -far[3 - i];
        offsets[45 + i] = far[i];
        i += 1;
    }
    let mut near = 0;
    while near < 41 {
        offsets[4 + near] = near as i64 - AROUND;
        near += 1;
    }
    offsets
};
/// Where in [`OFFSETS`] some stand; one that it lacks is not an index at compile time.
const fn places<const N: usize>(of: [i64; N]) -> [usize; N] {
    let mut places = [0; N];
    let mut i = 0;
    while i < N {
        let mut place = 0;
        while OFFSETS[place] != of[i] {
            place += 1;
        }
        places[i] = place;
        i += 1;
    }
    places
}
const OWN_PLACES: [usize; OWN.len()] = places(OWN);
const OTHERS_PLACES: [usize; OTHERS.len()] = places(OTHERS);
const HERE: usize = places([0])[0];
const AROUND_PLACES: Range<usize> = places([-AROUND])[0]..places([AROUND])[0] + 1;
/// How far the farthest is.
pub(super) const HALO: u64 = 400;
/// References at most, and other biosamples' tracks at most that a regression sees.
const MOST: usize = 8;

/// A bin and the region that it lies in; what lies beyond a region's end is its last bin.
#[derive(Debug, Clone)]
pub(super) struct BinInRegion {
    pub bin: u64,
    pub region: Range<u64>,
}

/// A track's standardised values `[offset, place]` at [`OFFSETS`] about some places, NaN where it has no
/// data; `values` begin at the bin `first`.
pub(super) fn patch(values: &[f32], first: u64, places: &[BinInRegion]) -> Vec<f32> {
    let mut patch = Vec::with_capacity(OFFSETS.len() * places.len());
    for offset in OFFSETS {
        patch.extend(places.iter().map(|place| {
            let last = place.region.end - 1;
            let bin = place.bin.saturating_add_signed(offset);
            values[(bin.clamp(place.region.start, last) - first) as usize]
        }));
    }
    patch
}

/// What a regression sees of a value: a bin without data is its track's mean, which is 0.
fn seen(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value }
}

/// The values of tracks about the same places.
pub(super) struct Patches {
    n: usize,
    by_track: HashMap<usize, Vec<f32>>,
}

impl Patches {
    pub fn new(n: usize) -> Self {
        Patches {
            n,
            by_track: HashMap::new(),
        }
    }

    pub fn put(&mut self, track: usize, patch: Vec<f32>) {
        self.by_track.insert(track, patch);
    }

    /// A track's values at one of [`OFFSETS`]; `None` of a track that was not read.
    fn at(&self, track: usize, offset: usize) -> Option<&[f32]> {
        self.by_track
            .get(&track)?
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
        let values = self.read_at(track, HERE)?;
        Ok(values.iter().map(|v| f64::from(*v)).collect())
    }

    /// A regression's inputs, one column after another.
    pub fn columns(&self, inputs: &Inputs) -> Result<Vec<f64>, Bug> {
        let mut columns = Vec::with_capacity(inputs.width() * self.n);
        let mut put = |track: usize, offset: usize| -> Result<(), Bug> {
            let values = self.read_at(track, offset)?;
            columns.extend(values.iter().map(|v| f64::from(seen(*v))));
            Ok(())
        };
        for track in &inputs.own {
            OWN_PLACES
                .into_iter()
                .try_for_each(|offset| put(*track, offset))?;
        }
        for track in &inputs.others {
            OTHERS_PLACES
                .into_iter()
                .try_for_each(|offset| put(*track, offset))?;
        }
        for order in &inputs.local {
            columns.extend(self.local_means(order)?);
        }
        Ok(columns)
    }

    /// For each k up to `order.n` the mean of the assay over the k biosamples that are most alike around
    /// each place, one column after another.
    fn local_means(&self, order: &LocalOrder) -> Result<Vec<f64>, Bug> {
        let mut distances = vec![vec![0f32; self.n]; order.candidates.len()];
        for (distances, (track, _)) in distances.iter_mut().zip(&order.candidates) {
            for offset in AROUND_PLACES {
                let (own, other) = (
                    self.read_at(order.by, offset)?,
                    self.read_at(*track, offset)?,
                );
                for (sum, (a, b)) in distances.iter_mut().zip(own.iter().zip(other)) {
                    *sum += (seen(*a) - seen(*b)).powi(2);
                }
            }
        }
        let values: Vec<&[f32]> = (order.candidates.iter())
            .map(|(_, track)| self.read_at(*track, HERE))
            .collect::<Result<_, _>>()?;
        let mut columns = vec![0f64; order.n * self.n];
        let mut nearest: Vec<usize> = Vec::with_capacity(values.len());
        for place in 0..self.n {
            nearest.clear();
            nearest.extend(0..values.len());
            // Stable: of equals the one that is more alike over the whole axis comes first.
            nearest.sort_by(|a, b| distances[*a][place].total_cmp(&distances[*b][place]));
            let mut sum = 0.0;
            for (k, candidate) in nearest.iter().take(order.n).enumerate() {
                sum += f64::from(seen(values[*candidate][place]));
                columns[k * self.n + place] = sum / (k + 1) as f64;
            }
        }
        Ok(columns)
    }
}

/// Biosamples in the order in which one of the target's other assays finds them alike around a bin, as
/// ChromImpute orders them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct LocalOrder {
    /// The biosample's track of that assay.
    by: usize,
    /// Others' tracks of that assay and of the assay that is imputed, the most alike over the whole axis
    /// first.
    candidates: Vec<(usize, usize)>,
    /// Means over so many of the nearest are seen: over one, over two and so on.
    n: usize,
}

/// The tracks that a regression sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Inputs {
    /// The biosample's, by assay.
    own: Vec<usize>,
    /// The assay's in other biosamples, the most alike first.
    others: Vec<usize>,
    /// The same ordered around each bin, by each assay of `own`.
    local: Vec<LocalOrder>,
}

impl Inputs {
    pub fn width(&self) -> usize {
        let local: usize = self.local.iter().map(|order| order.n).sum();
        self.own.len() * OWN.len() + self.others.len() * OTHERS.len() + local
    }

    /// Every track among them.
    fn tracks(&self) -> impl Iterator<Item = usize> + '_ {
        let local = self.local.iter().flat_map(|order| {
            let candidates = order.candidates.iter().flat_map(|(a, b)| [*a, *b]);
            [order.by].into_iter().chain(candidates)
        });
        self.own.iter().chain(&self.others).copied().chain(local)
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

    /// `None` where there is no reference, or a regression would see nothing. `here` has the values of the
    /// tracks needed at some places.
    pub fn new(
        training: &[Experiment],
        target: &Experiment,
        here: &HashMap<usize, Vec<f32>>,
    ) -> Option<Self> {
        // Over the places at which both have data; `None` where one is constant, or was not read because
        // the target has no track of its assay.
        let correlation = |one: usize, other: usize| {
            let (x, y) = (here.get(&one)?, here.get(&other)?);
            let known: Vec<usize> = (0..x.len())
                .filter(|i| !x[*i].is_nan() && !y[*i].is_nan())
                .collect();
            let pair = |i: usize| (f64::from(x[known[i]]), f64::from(y[known[i]]));
            CoMoments::by(known.len(), pair)?.pearson()
        };
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
                .filter_map(|(track, e)| correlation(track, track_of(b, &e.assay)?))
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
                let near_reference = nearest(biosample);
                let ordered = |by: usize, near: &[usize]| -> Vec<(usize, usize)> {
                    let assay = &*training[by].assay;
                    let both = near.iter().filter_map(|track| {
                        Some((track_of(&training[*track].biosample, assay)?, *track))
                    });
                    both.take(MOST).collect()
                };
                // The target has the reference itself among its candidates; as many means are seen as the
                // reference has candidates.
                let (mut local_of_reference, mut local_of_target) = (Vec::new(), Vec::new());
                for (their, own) in theirs.iter().zip(&targets) {
                    let of_reference = ordered(*their, &near_reference);
                    let of_target = ordered(*own, &near_target);
                    let n = of_reference.len().min(of_target.len());
                    if n > 0 {
                        let order = |by, candidates| LocalOrder { by, candidates, n };
                        local_of_reference.push(order(*their, of_reference));
                        local_of_target.push(order(*own, of_target));
                    }
                }
                let inputs = |own, others: &[usize], local| Inputs {
                    own,
                    others: others.iter().take(n_others).copied().collect(),
                    local,
                };
                Reference {
                    track: *track,
                    learnt_from: inputs(theirs, &near_reference, local_of_reference),
                    asked_with: inputs(targets, &near_target, local_of_target),
                }
            })
            .filter(|r| r.learnt_from.width() > 0)
            .collect();
        (!references.is_empty()).then_some(Design { references })
    }

    /// The tracks that regressions are learnt from.
    pub fn learnt_from(&self) -> BTreeSet<usize> {
        let references = self.references.iter();
        references
            .flat_map(|r| r.learnt_from.tracks().chain([r.track]))
            .collect()
    }

    /// The tracks that an imputation reads.
    pub fn asked_of(&self) -> BTreeSet<usize> {
        let references = self.references.iter();
        references.flat_map(|r| r.asked_with.tracks()).collect()
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
        let needed = Design::needed(&training, &target);
        assert_eq!(needed.len(), 8);
        let values = |track: usize| -> Vec<f32> {
            // Of Q, z's track is x's and y's is not; of R, w's is half of x's.
            let value = |i: usize| match track {
                0 | 2 => (i % 7) as f32,
                3 => (i % 5 + i % 3) as f32,
                7 => (i % 5) as f32,
                _ => (i % 11) as f32,
            };
            (0..50).map(value).collect()
        };
        let here: HashMap<usize, Vec<f32>> = needed.iter().map(|t| (*t, values(*t))).collect();
        let design = Design::new(&training, &target, &here).unwrap();
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
        // Around a bin Q orders y alone for z, and z and y for x; z is asked with as many as it has.
        let of_reference = LocalOrder {
            by: 2,
            candidates: vec![(1, 4)],
            n: 1,
        };
        let of_target = LocalOrder {
            by: 0,
            candidates: vec![(2, 5), (1, 4)],
            n: 1,
        };
        assert_eq!(z.learnt_from.local, [of_reference]);
        assert_eq!(z.asked_with.local, [of_target]);
        assert_eq!(z.learnt_from.width(), 19 + 2 * 5 + 1);
        assert_eq!(z.asked_with.width(), z.learnt_from.width());
        // Nobody but w shows how R and P go together.
        assert!(w.learnt_from.local.is_empty());
    }

    #[test]
    fn what_lies_beyond_a_region_is_its_last_bin() {
        let values: Vec<f32> = (100..200).map(|v| v as f32).collect();
        let place = BinInRegion {
            bin: 110,
            region: 105..115,
        };
        let patch = patch(&values, 100, &[place]);
        assert_eq!((patch.len(), patch[0], patch[48]), (49, 105.0, 114.0));
        assert_eq!(
            patch[HERE - 6..HERE + 6],
            [
                105.0, 105.0, 106.0, 107.0, 108.0, 109.0, 110.0, 111.0, 112.0, 113.0, 114.0, 114.0
            ]
        );
        assert_eq!(OWN_PLACES.map(|place| OFFSETS[place]), OWN);
        assert_eq!(AROUND_PLACES, 4..45);
    }

    #[test]
    fn the_biosample_that_is_most_alike_around_a_bin_comes_first_there() {
        // Two places, far apart. Track 0 is the biosample's Q; 1 and 2 are others', of which 1 is the same
        // about the first place and 2 about the second. Their P is 10 and 20.
        let places = [30, 150].map(|bin| BinInRegion {
            bin,
            region: 0..200,
        });
        let own: Vec<f32> = (0..200).map(|i| (i % 9) as f32).collect();
        let half = |low: f32, high: f32| -> Vec<f32> {
            (0..200)
                .map(|i| own[i] + if i < 90 { low } else { high })
                .collect()
        };
        let mut patches = Patches::new(2);
        let tracks = [
            own.clone(),
            half(0.0, 1.0),
            half(2.0, 0.5),
            vec![10.0; 200],
            vec![20.0; 200],
        ];
        for (track, values) in tracks.iter().enumerate() {
            patches.put(track, patch(values, 0, &places));
        }
        let order = LocalOrder {
            by: 0,
            candidates: vec![(1, 3), (2, 4)],
            n: 2,
        };
        // The nearest alone, place by place; then the mean of both.
        assert_eq!(
            patches.local_means(&order).unwrap(),
            [10.0, 20.0, 15.0, 15.0]
        );
    }
}
