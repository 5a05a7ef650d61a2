//! The samples of a step: groups of bins of one block, each group one experiment imputed from the
//! others.

use rand_chacha::rand_core::RngCore;
use rayon::prelude::*;

use crate::factorization::Blocks;
use crate::model::{Features, Inputs, RefinementConfig, SignalBlock, Standardisation};
use crate::random::{Purpose, below, generator, shuffle};

/// Bins of a group at most.
pub(super) const GROUP: usize = 128;
/// One group in so many is imputed as if its assay had never been learnt.
const NAMELESS: u32 = 20;

/// The described signal of some blocks.
pub(super) struct Described {
    /// The blocks' places in the axis' list.
    pub blocks: Vec<usize>,
    /// Their signal.
    pub signal: Vec<SignalBlock>,
    /// Their bins that are not masked.
    pub kept: Vec<Vec<u32>>,
}

/// What a step is trained on.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    /// `[n, inputs]`.
    pub rows: Vec<f32>,
    /// What is added to the output.
    pub averages: Vec<f32>,
    /// What was observed, standardised.
    pub values: Vec<f32>,
    /// How much each error counts.
    pub weights: Vec<f32>,
}

/// The 1 % of a track's bins with the highest observed signal, whose errors may count more.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Peaks {
    /// How many times.
    pub weight: f32,
    /// For each input track, standardised: bins above it are its peaks.
    pub above: Vec<f32>,
}

/// The value of some that one in a hundred is above, or fewer where many are equal.
pub(super) fn highest_percent(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return f32::INFINITY;
    }
    let place = values.len() - 1 - values.len() / 100;
    *values.select_nth_unstable_by(place, f32::total_cmp).1
}

/// Who is imputed, and what its errors count.
pub(super) struct Targets<'a> {
    pub config: &'a RefinementConfig,
    pub inputs: &'a Inputs,
    /// Tracks that are imputed.
    pub which: &'a [usize],
    /// For each input track.
    pub weights: &'a [f32],
    /// Its peaks.
    pub peaks: &'a Peaks,
    pub seed: u64,
}

/// Those of some bins at which a track has data.
fn with_data(values: &[f32], bins: &[u32]) -> Vec<u32> {
    let has_data = |bin: &&u32| !values[**bin as usize].is_nan();
    bins.iter().filter(has_data).copied().collect()
}

/// How many groups a window has.
pub(super) fn n_groups(blocks: &Blocks, window: &[usize]) -> usize {
    let of = |block: &usize| blocks.all()[*block].n_kept.div_ceil(GROUP);
    window.iter().map(of).sum()
}

/// Groups of a window: (place of the block in it, bins of the group).
fn groups(blocks: &Blocks, window: &[usize]) -> Vec<(usize, usize)> {
    let mut groups = Vec::new();
    for (place, block) in window.iter().enumerate() {
        let mut left = blocks.all()[*block].n_kept;
        while left > 0 {
            let size = left.min(GROUP);
            groups.push((place, size));
            left -= size;
        }
    }
    groups
}

/// The same in the order in which a pass takes them.
pub(super) fn shuffled(
    blocks: &Blocks,
    window: &[usize],
    seed: u64,
    stream: u64,
) -> Vec<(usize, usize)> {
    let mut groups = groups(blocks, window);
    shuffle(
        &mut generator(seed, Purpose::Refinement, stream),
        &mut groups,
    );
    groups
}

impl Targets<'_> {
    /// Draws the samples of some groups; `stream` numbers the step.
    pub fn draw(
        &self,
        described: &Described,
        groups: &[(usize, usize)],
        standardisation: Option<&Standardisation>,
        stream: u64,
    ) -> Samples {
        let width = self.config.inputs();
        let total: usize = groups.iter().map(|g| g.1).sum();
        let mut samples = Samples {
            rows: vec![0.0; total * width],
            averages: vec![0.0; total],
            values: vec![0.0; total],
            weights: vec![0.0; total],
        };
        let mut parts = Vec::with_capacity(groups.len());
        let (mut rows, mut averages) = (&mut samples.rows[..], &mut samples.averages[..]);
        let (mut values, mut weights) = (&mut samples.values[..], &mut samples.weights[..]);
        for (i, (place, size)) in groups.iter().enumerate() {
            let (r, rest) = rows.split_at_mut(size * width);
            rows = rest;
            let (a, rest) = averages.split_at_mut(*size);
            averages = rest;
            let (v, rest) = values.split_at_mut(*size);
            values = rest;
            let (w, rest) = weights.split_at_mut(*size);
            weights = rest;
            parts.push((i as u64, *place, r, a, v, w));
        }
        parts
            .into_par_iter()
            .for_each(|(i, place, rows, averages, values, weights)| {
                let mut rng = generator(
                    self.seed,
                    Purpose::Refinement,
                    (stream << 12) + i + (1 << 62),
                );
                let signal = &described.signal[place];
                let mut target = self.which[below(&mut rng, self.which.len() as u32) as usize];
                // Bins at which the target has data; those without are never drawn.
                let mut having = match signal.has_gaps() {
                    true => Some(with_data(signal.track(target, 0), &described.kept[place])),
                    false => None,
                };
                if having.as_ref().is_some_and(Vec::is_empty) {
                    let first = below(&mut rng, self.which.len() as u32) as usize;
                    let candidates = self.which[first..].iter().chain(&self.which[..first]);
                    let found = candidates
                        .map(|t| (*t, with_data(signal.track(*t, 0), &described.kept[place])))
                        .find(|(_, bins)| !bins.is_empty());
                    // Where no track has data at all, nothing counts.
                    if let Some((other, bins)) = found {
                        target = other;
                        having = Some(bins);
                    }
                }
                // Any share of the biosample's tracks may be missing.
                let missing = rng.next_u32();
                let named = below(&mut rng, NAMELESS) > 0;
                let track = self.inputs.tracks[target];
                let plan = self.inputs.plan_without(
                    track.biosample,
                    track.assay,
                    self.config.assays,
                    |_| rng.next_u32() < missing,
                    named,
                );
                let kept = match &having {
                    Some(having) if !having.is_empty() => having,
                    _ => &described.kept[place],
                };
                let mut bins: Vec<u32> = (values.iter())
                    .map(|_| kept[below(&mut rng, kept.len() as u32) as usize])
                    .collect();
                bins.sort_unstable();
                Features::new(self.config, self.inputs, signal).fill(&plan, &bins, rows, averages);
                if let Some(standardisation) = standardisation {
                    standardisation.apply(rows);
                }
                let own = signal.track(target, 0);
                for (value, bin) in values.iter_mut().zip(&bins) {
                    *value = own[*bin as usize];
                }
                let (weight, above) = (self.weights[target], self.peaks.above[target]);
                for ((counts, value), average) in weights.iter_mut().zip(values).zip(&*averages) {
                    if value.is_nan() {
                        (*value, *counts) = (*average, 0.0);
                        continue;
                    }
                    let is_peak = *value > above;
                    *counts = weight * if is_peak { self.peaks.weight } else { 1.0 };
                }
            });
        samples
    }
}
