//! Baselines that learn: regressions trained as ChromImpute trains its trees.
//!
//! For a target, a regression is learnt in each other biosample that has the assay, a *reference*:
//! its track of the assay from its tracks of other assays, at and around a bin, and from the assay's
//! tracks in the biosamples most like it. Each is then asked with the target's biosample in the
//! reference's place; the imputation is the mean over references (Ernst and Kellis 2015).
//! ChromImpute orders biosamples by likeness around each bin, here they are ordered once for the
//! whole axis. Regressions are linear with a ridge penalty, or boosted trees.
//!
//! Owns which tracks and bins a regression sees, and the regressions. Leaves reading signal to the
//! caller.

mod design;
mod regression;

use persea_vocabulary::vocabulary;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use rand_chacha::rand_core::RngCore;
use rayon::prelude::*;

use super::EvaluationError;
use crate::compendium::Experiment;
use crate::genome::{GenomeAxis, Mask};
use crate::random::{Purpose, generator};
use design::{BinInRegion, Design, HALO, Patch, Patches};
use regression::Regression;

/// Bins at most that a reference's regression is trained on.
const SAMPLES: u64 = 20_000;
/// Bins imputed at once.
const STRETCH: u64 = 1 << 15;

vocabulary! {
    /// Which regression.
    pub enum LearnedBaseline {
        /// Ridge regression
        Ridge = "ridge",
        /// Gradient-boosted trees
        Boosted = "boosted",
    }
}

/// Where signal comes from: a training track, in the order announced, over bins of the axis.
pub(super) type Read<'a> = dyn Fn(usize, Range<u64>) -> crate::Result<Vec<f32>> + Sync + 'a;

/// The regressions of one target.
pub(super) struct Learned {
    design: Design,
    /// The mean of each training track: what its bins without data count as.
    means: Vec<f32>,
    /// One for each reference.
    regressions: Vec<Regression>,
}

impl Learned {
    /// Learns to impute `target`, which is not read; `None` where there is no reference or
    /// nothing to learn from. `means` are those of the training tracks: what a bin without data counts as among
    /// the inputs. A reference is learnt from where it has data.
    pub fn fit(
        which: LearnedBaseline,
        training: &[Experiment],
        target: &Experiment,
        (axis, mask, means): (&GenomeAxis, &Mask, &[f32]),
        read: &Read<'_>,
    ) -> crate::Result<Option<Self>> {
        let places = sampled(axis, mask);
        let mut patches = Patches::new(places.len());
        let needed = Design::needed(training, target);
        let found: Vec<(usize, Patch)> = needed
            .into_iter()
            .map(|track| {
                let values = read(track, 0..axis.n_bins())?;
                Ok((track, design::patch(&values, 0, &places, means[track])))
            })
            .collect::<crate::Result<_>>()?;
        found.into_iter().for_each(|(t, p)| patches.put(t, p));
        let Some(design) = Design::new(training, target, &patches) else {
            return Ok(None);
        };
        let regressions = (design.references.par_iter().enumerate())
            .map(|(i, reference)| {
                let mut inputs = patches.columns(&reference.learnt_from)?;
                let mut wanted = patches.at_bin(reference.track)?;
                keep_known(&mut inputs, &mut wanted);
                Regression::fit(which, &inputs, &wanted, i as u64)
            })
            .collect::<Result<Vec<_>, EvaluationError>>()?;
        Ok(Some(Learned {
            design,
            means: means.to_vec(),
            regressions,
        }))
    }

    /// The imputation over the whole axis.
    pub fn impute(&self, axis: &GenomeAxis, read: &Read<'_>) -> crate::Result<Vec<f32>> {
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
            .map(|(bins, region)| self.stretch(bins, region, read))
            .collect::<crate::Result<Vec<_>>>()?;
        Ok(imputed.concat())
    }

    fn stretch(
        &self,
        bins: Range<u64>,
        region: Range<u64>,
        read: &Read<'_>,
    ) -> crate::Result<Vec<f32>> {
        let reading =
            bins.start.saturating_sub(HALO).max(region.start)..(bins.end + HALO).min(region.end);
        let places: Vec<BinInRegion> = bins
            .map(|bin| BinInRegion {
                bin,
                region: region.clone(),
            })
            .collect();
        let mut patches = Patches::new(places.len());
        for track in self.design.asked_of() {
            let values = read(track, reading.clone())?;
            let patch = design::patch(&values, reading.start, &places, self.means[track]);
            patches.put(track, patch);
        }
        let mut sums = vec![0f64; places.len()];
        let share = 1.0 / self.regressions.len() as f64;
        // References that share their assays are asked with the same inputs.
        let mut columns: HashMap<&design::Inputs, Vec<f64>> = HashMap::new();
        for (reference, regression) in self.design.references.iter().zip(&self.regressions) {
            let inputs = match columns.entry(&reference.asked_with) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(patches.columns(&reference.asked_with)?),
            };
            let predicted = regression.predict(inputs, places.len());
            sums.iter_mut()
                .zip(predicted)
                .for_each(|(s, p)| *s += share * p);
        }
        Ok(sums.into_iter().map(|s| s as f32).collect())
    }
}

/// Leaves out the rows of inputs, given column by column, of which what is wanted is not known.
fn keep_known(inputs: &mut Vec<f64>, wanted: &mut Vec<f64>) {
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

/// Bins drawn from those that count, the same for every target.
fn sampled(axis: &GenomeAxis, mask: &Mask) -> Vec<BinInRegion> {
    let kept = axis.n_bins() - mask.n_masked() as u64;
    let share = (SAMPLES as f64 / kept.max(1) as f64).min(1.0);
    let below = (share * f64::from(u32::MAX)) as u32;
    let mut rng = generator(0, Purpose::Baseline, 0);
    let mut places = Vec::new();
    for region in 0..axis.regions().len() {
        let region = axis.region_bins(region);
        for bin in region.clone() {
            if !mask.is_masked(bin) && rng.next_u32() <= below {
                let region = region.clone();
                places.push(BinInRegion { bin, region });
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Region};

    const N: usize = 4_000;

    fn axis() -> GenomeAxis {
        let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 1_000_000)]).unwrap();
        let region = |first_bin, n_bins| Region {
            name: None,
            chrom: "chr1".into(),
            first_bin,
            n_bins,
        };
        let half = N as u64 / 2;
        GenomeAxis::new(assembly, vec![region(10, half), region(5_000, half)]).unwrap()
    }

    /// In every biosample P is twice Q one bin to the right.
    fn made() -> (Vec<Experiment>, Vec<Vec<f32>>) {
        let names = ["xQ", "yQ", "zQ", "yP", "zP"];
        let q = |b: usize, i: usize| ((i * (17 + 10 * b)) % 97) as f32 / 97.0;
        let p = |b: usize, i: usize| 2.0 * q(b, i + 1);
        let values = [
            (0..N).map(|i| q(0, i)).collect(),
            (0..N).map(|i| q(1, i)).collect(),
            (0..N).map(|i| q(2, i)).collect(),
            (0..N).map(|i| p(1, i)).collect(),
            (0..N).map(|i| p(2, i)).collect::<Vec<f32>>(),
        ];
        let parts = names.iter().map(|n| n.split_at(1));
        let training = parts.map(|(b, a)| Experiment::new(b, a)).collect();
        (training, values.to_vec())
    }

    fn imputed(which: LearnedBaseline, values: &[Vec<f32>], training: &[Experiment]) -> Vec<f32> {
        let axis = axis();
        let mask = Mask::new(&axis, &[]);
        let read = |track: usize, bins: Range<u64>| {
            Ok(values[track][bins.start as usize..bins.end as usize].to_vec())
        };
        let target = Experiment::new("x", "P");
        let means = vec![0.0; training.len()];
        let learned = Learned::fit(which, training, &target, (&axis, &mask, &means), &read);
        learned.unwrap().unwrap().impute(&axis, &read).unwrap()
    }

    #[test]
    fn what_other_biosamples_show_between_assays_is_applied_to_the_target() {
        let (training, values) = made();
        let truth = |i: usize| 2.0 * (((i + 1) * 17) % 97) as f32 / 97.0;
        let inside = |i: &usize| *i % (N / 2) > 45 && *i % (N / 2) < N / 2 - 45;
        let variance = 4.0 / 12.0;
        for (which, most) in [
            (LearnedBaseline::Ridge, 0.02),
            (LearnedBaseline::Boosted, 0.15),
        ] {
            let imputed = imputed(which, &values, &training);
            assert_eq!(imputed.len(), N);
            let errors: Vec<f32> = (0..N)
                .filter(inside)
                .map(|i| (imputed[i] - truth(i)).powi(2))
                .collect();
            let mse = errors.iter().sum::<f32>() / errors.len() as f32;
            assert!(mse < most * variance, "{}: {mse}", which.name());
        }
    }

    #[test]
    fn rows_without_a_wanted_value_are_left_out_in_every_column() {
        let mut inputs = vec![1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        let mut wanted = vec![0.5, f64::NAN, 1.5];
        keep_known(&mut inputs, &mut wanted);
        assert_eq!(
            (inputs, wanted),
            (vec![1.0, 3.0, 10.0, 30.0], vec![0.5, 1.5])
        );
    }

    #[test]
    fn a_stretch_without_data_in_a_track_leaves_imputations_finite_and_learns_nothing_there() {
        let (training, mut values) = made();
        let complete = imputed(LearnedBaseline::Ridge, &values, &training);
        // One reference lacks a quarter of the axis.
        values[3][..N / 4].fill(f32::NAN);
        let gaps = imputed(LearnedBaseline::Ridge, &values, &training);
        assert!(gaps.iter().all(|v| v.is_finite()));
        let inside = N / 2 + 45..N - 45;
        let apart: f32 = inside.clone().map(|i| (gaps[i] - complete[i]).abs()).sum();
        // What is learnt from the rest is nearly the same: a learnt 0 would halve it.
        assert!(apart / inside.len() as f32 <= 0.05, "{apart}");
    }

    #[test]
    fn a_target_in_training_is_not_read() {
        let (mut training, mut values) = made();
        let without = imputed(LearnedBaseline::Ridge, &values, &training);
        training.push(Experiment::new("x", "P"));
        values.push(vec![f32::NAN; N]);
        assert_eq!(imputed(LearnedBaseline::Ridge, &values, &training), without);
    }

    #[test]
    fn nothing_is_learnt_without_a_reference_or_inputs() {
        let (training, values) = made();
        let axis = axis();
        let mask = Mask::new(&axis, &[]);
        let read = |track: usize, _: Range<u64>| Ok(values[track].clone());
        for (b, a) in [("x", "R"), ("v", "R")] {
            let target = Experiment::new(b, a);
            let which = LearnedBaseline::Ridge;
            let means = vec![0.0; training.len()];
            let context = (&axis, &mask, means.as_slice());
            let learned = Learned::fit(which, &training, &target, context, &read).unwrap();
            assert!(learned.is_none(), "{b} {a}");
        }
    }
}
