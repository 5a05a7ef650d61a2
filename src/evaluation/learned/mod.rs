//! Baselines that are trained: regressions in the manner of ChromImpute.
//!
//! For a target, a regression is learnt in each other biosample that has the assay, a *reference*:
//! its track of the assay from its tracks of other assays, at and around a bin, and from the assay's
//! tracks in the biosamples most like it, both over the whole axis and, as each of its other assays shows,
//! around the bin. Each is then asked with the target's biosample in the reference's place; the imputation
//! is the mean over references (Ernst and Kellis 2015). Regressions are linear with a ridge penalty, or
//! boosted trees where ChromImpute has a single one.
//!
//! Every track is standardised, and the target's mean and standard deviation are expected from those of the
//! other tracks, as Persea's own imputation does ([`ScaleModel`]). The average of standardised tracks on
//! that scale is a baseline too: what the scale alone is worth.
//!
//! Owns which tracks and bins a regression sees, the regressions, and the choice of their settings. Leaves
//! reading signal to the caller.

mod choice;
mod design;
mod regression;
mod settings;

use persea_vocabulary::vocabulary;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use rand_chacha::rand_core::RngCore;
use rayon::prelude::*;

use super::EvaluationError;
use crate::compendium::Experiment;
use crate::genome::{GenomeAxis, Mask};
use crate::model::{InputTrack, ScaleModel, TrackScale};
use crate::random::{Purpose, generator};
pub(in crate::evaluation) use choice::choose;
pub use choice::{LearnedChoice, TriedSettings};
use design::{BinInRegion, Design, HALO, Patches};
use regression::Regression;
pub use settings::LearnedSettings;

/// Bins at most that a reference's regression is trained on.
const SAMPLES: u64 = 20_000;
/// Penalties that are compared.
const PENALTIES: [f64; 12] = [
    1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0,
];
/// Bins imputed at once.
const STRETCH: u64 = 1 << 12;

vocabulary! {
    /// A baseline that is trained.
    pub enum LearnedBaseline {
        /// The model's own network on stored factors, which reads no track
        Factors = "factors",
        /// Average of standardised tracks on the scale expected of the track
        ScaledAverage = "scaled_average",
        /// Ridge regression
        Ridge = "ridge",
        /// Gradient-boosted trees
        Boosted = "boosted",
    }
}

impl LearnedBaseline {
    /// The settings that are compared; as many of each regression.
    fn settings(self) -> Vec<LearnedSettings> {
        match self {
            LearnedBaseline::Factors | LearnedBaseline::ScaledAverage => Vec::new(),
            LearnedBaseline::Ridge => PENALTIES
                .map(|penalty| LearnedSettings::Ridge { penalty })
                .to_vec(),
            LearnedBaseline::Boosted => [2, 3, 5]
                .into_iter()
                .flat_map(|depth| {
                    [12, 25, 50, 100].map(|trees| LearnedSettings::Boosted { depth, trees })
                })
                .collect(),
        }
    }

    /// Those that are taken where there is no track to compare settings on.
    fn usual_settings(self) -> Option<LearnedSettings> {
        match self {
            LearnedBaseline::Factors | LearnedBaseline::ScaledAverage => None,
            LearnedBaseline::Ridge => Some(LearnedSettings::Ridge { penalty: 0.01 }),
            LearnedBaseline::Boosted => Some(LearnedSettings::Boosted {
                depth: 5,
                trees: 100,
            }),
        }
    }
}

/// Where signal comes from: a training track, in the order announced, over bins of the axis.
pub(super) type Read<'a> = dyn Fn(usize, Range<u64>) -> crate::Result<Vec<f32>> + Sync + 'a;

/// What trained baselines learn from: the training tracks, and nothing else.
pub(super) struct Learning<'a> {
    /// The training tracks.
    pub training: &'a [Experiment],
    /// Mean and standard deviation of each.
    pub scales: &'a [TrackScale],
    /// Where they lie.
    pub axis: &'a GenomeAxis,
    /// Bins that are not learnt from.
    pub mask: &'a Mask,
    /// Their signal.
    pub read: &'a Read<'a>,
}

impl Learning<'_> {
    /// A track's standardised signal.
    fn standardised(&self, track: usize, bins: Range<u64>) -> crate::Result<Vec<f32>> {
        let mut values = (self.read)(track, bins)?;
        let scale = self.scales[track];
        values.iter_mut().for_each(|v| *v = scale.standardise(*v));
        Ok(values)
    }

    /// The scale that the other training tracks let expect of an experiment.
    fn expected(&self, target: &Experiment) -> TrackScale {
        let all = || self.training.iter().chain([target]);
        let biosamples: BTreeSet<&str> = all().map(|e| &*e.biosample).collect();
        let assays: BTreeSet<&str> = all().map(|e| &*e.assay).collect();
        // The names are those of these experiments, so that each is found.
        let place = |names: &BTreeSet<&str>, name: &str| {
            names.iter().position(|n| *n == name).unwrap_or_default() as u32
        };
        let places = |e: &Experiment| (place(&biosamples, &e.biosample), place(&assays, &e.assay));
        let tracks: Vec<InputTrack> = (self.training.iter().zip(self.scales))
            .map(|(e, scale)| InputTrack {
                biosample: places(e).0,
                assay: places(e).1,
                scale: *scale,
                added: false,
            })
            .collect();
        let (biosample, assay) = places(target);
        ScaleModel::fit(&tracks, Some((biosample, assay))).expect(biosample, assay)
    }

    /// Bins drawn from those that count, the same for every target.
    fn sampled(&self, sample: Sample) -> Vec<BinInRegion> {
        let kept = self.axis.n_bins() - self.mask.n_masked() as u64;
        let most = if sample == Sample::Final { 1.0 } else { 0.5 };
        let share = (SAMPLES as f64 / kept.max(1) as f64).min(most);
        let below = (share * f64::from(u32::MAX)) as u32;
        let drawn = |random: u32| match sample {
            Sample::Compare => u32::MAX - random < below,
            _ => random <= below,
        };
        let mut rng = generator(0, Purpose::Baseline, 0);
        let mut places = Vec::new();
        for region in 0..self.axis.regions().len() {
            let region = self.axis.region_bins(region);
            for bin in region.clone() {
                if !self.mask.is_masked(bin) && drawn(rng.next_u32()) {
                    let region = region.clone();
                    places.push(BinInRegion { bin, region });
                }
            }
        }
        places
    }

    /// Which tracks a target's regressions see; `None` where there is no reference, or nothing to see.
    fn design(&self, target: &Experiment) -> crate::Result<Option<Design>> {
        let places = self.sampled(Sample::Final);
        let mut here = HashMap::new();
        for track in Design::needed(self.training, target) {
            let values = self.standardised(track, 0..self.axis.n_bins())?;
            let at = places.iter().map(|p| values[p.bin as usize]).collect();
            here.insert(track, at);
        }
        Ok(Design::new(self.training, target, &here))
    }

    /// What some tracks have about some places.
    fn patches(&self, tracks: &BTreeSet<usize>, places: &[BinInRegion]) -> crate::Result<Patches> {
        let mut patches = Patches::new(places.len());
        for track in tracks {
            let values = self.standardised(*track, 0..self.axis.n_bins())?;
            patches.put(*track, design::patch(&values, 0, places));
        }
        Ok(patches)
    }
}

/// Which bins are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sample {
    /// Those that regressions are learnt at.
    Final,
    /// The same where settings are compared, and at most half of all.
    Learn,
    /// Others, which settings are compared at.
    Compare,
}

/// A trained baseline of one target.
pub(super) struct Learned {
    predictor: Trained,
    /// What is expected of the target.
    scale: TrackScale,
}

enum Trained {
    /// The assay's tracks in the other biosamples.
    Average(Vec<usize>),
    /// One regression for each reference.
    Regressions(Design, Vec<Regression>),
}

impl Learned {
    /// Learns to impute `target`, which is not read, with the settings chosen; `None` where there is no
    /// reference or nothing to learn from.
    pub fn fit(
        chosen: Option<LearnedSettings>,
        target: &Experiment,
        learning: &Learning<'_>,
    ) -> crate::Result<Option<Self>> {
        let scale = learning.expected(target);
        let Some(settings) = chosen else {
            let others = learning.training.iter().enumerate();
            let of: Vec<usize> = others
                .filter(|(_, e)| e.assay == target.assay && e.biosample != target.biosample)
                .map(|(track, _)| track)
                .collect();
            let predictor = Trained::Average(of.clone());
            return Ok((!of.is_empty()).then_some(Learned { predictor, scale }));
        };
        let Some(design) = learning.design(target)? else {
            return Ok(None);
        };
        let patches = learning.patches(&design.learnt_from(), &learning.sampled(Sample::Final))?;
        let regressions = (design.references.par_iter().enumerate())
            .map(|(i, reference)| {
                let mut inputs = patches.columns(&reference.learnt_from)?;
                let mut wanted = patches.at_bin(reference.track)?;
                keep_known(&mut inputs, &mut wanted);
                Regression::fit(&[settings], &inputs, &wanted, i as u64)
            })
            .collect::<Result<Vec<_>, EvaluationError>>()?;
        let regressions = regressions.into_iter().flatten().collect();
        Ok(Some(Learned {
            predictor: Trained::Regressions(design, regressions),
            scale,
        }))
    }

    /// The imputation over the whole axis.
    pub fn impute(&self, learning: &Learning<'_>) -> crate::Result<Vec<f32>> {
        let axis = learning.axis;
        let mut pieces = Vec::new();
        for region in 0..axis.regions().len() {
            let bins = axis.region_bins(region);
            let mut first = bins.start;
            while first < bins.end {
                let end = (first + STRETCH).min(bins.end);
                pieces.push((first..end, bins.clone()));
                first = end;
            }
        }
        let imputed = pieces
            .into_par_iter()
            .map(|(bins, region)| self.stretch(bins, region, learning))
            .collect::<crate::Result<Vec<_>>>()?;
        Ok(imputed.concat())
    }

    fn stretch(
        &self,
        bins: Range<u64>,
        region: Range<u64>,
        learning: &Learning<'_>,
    ) -> crate::Result<Vec<f32>> {
        let n = (bins.end - bins.start) as usize;
        let standardised = match &self.predictor {
            Trained::Average(of) => {
                // Over the tracks that have data at a bin; the mean of all, 0, where none has.
                let mut sums = vec![(0f64, 0u32); n];
                for track in of {
                    let values = learning.standardised(*track, bins.clone())?;
                    for ((sum, n), value) in sums.iter_mut().zip(values) {
                        if !value.is_nan() {
                            *sum += f64::from(value);
                            *n += 1;
                        }
                    }
                }
                let mean = |(sum, n): (f64, u32)| sum / f64::from(n.max(1));
                sums.into_iter().map(mean).collect()
            }
            Trained::Regressions(design, regressions) => {
                asked((design, regressions), bins, region, learning)?
            }
        };
        let (mean, deviation) = (f64::from(self.scale.mean), f64::from(self.scale.deviation));
        Ok((standardised.into_iter())
            .map(|value| (mean + deviation * value) as f32)
            .collect())
    }
}

/// Leaves out the rows of inputs, given column by column, at which what is wanted is not known.
pub(super) fn keep_known(inputs: &mut Vec<f64>, wanted: &mut Vec<f64>) {
    if !wanted.iter().any(|v| v.is_nan()) {
        return;
    }
    let columns = inputs.chunks_exact(wanted.len());
    let known = columns.flat_map(|column| {
        let rows = column.iter().zip(&*wanted);
        rows.filter(|(_, w)| !w.is_nan()).map(|(v, _)| *v)
    });
    *inputs = known.collect();
    wanted.retain(|v| !v.is_nan());
}

/// The mean over references of what their regressions predict with the target in their place.
fn asked(
    (design, regressions): (&Design, &[Regression]),
    bins: Range<u64>,
    region: Range<u64>,
    learning: &Learning<'_>,
) -> crate::Result<Vec<f64>> {
    let reading =
        bins.start.saturating_sub(HALO).max(region.start)..(bins.end + HALO).min(region.end);
    let places: Vec<BinInRegion> = bins
        .map(|bin| BinInRegion {
            bin,
            region: region.clone(),
        })
        .collect();
    let mut patches = Patches::new(places.len());
    for track in design.asked_of() {
        let values = learning.standardised(track, reading.clone())?;
        patches.put(track, design::patch(&values, reading.start, &places));
    }
    let mut sums = vec![0f64; places.len()];
    let share = 1.0 / regressions.len() as f64;
    // References that share their assays are asked with the same inputs.
    let mut columns: HashMap<&design::Inputs, Vec<f64>> = HashMap::new();
    for (reference, regression) in design.references.iter().zip(regressions) {
        let inputs = match columns.entry(&reference.asked_with) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(patches.columns(&reference.asked_with)?),
        };
        let predicted = regression.predict(inputs, places.len());
        sums.iter_mut()
            .zip(predicted)
            .for_each(|(s, p)| *s += share * p);
    }
    Ok(sums)
}

#[cfg(test)]
mod tests;
