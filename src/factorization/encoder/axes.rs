//! Canonical factors: from trained networks to principal axes of what they predict.
//!
//! A seed fixes a network's codes only up to any invertible map. What the network predicts is nearly
//! the same from every seed, so its principal axes are taken instead. At each resolution two numbers
//! a track are predicted, linearly, by least squares from the last hidden layer and the description: a
//! mixture of what was observed at the row and of what the other tracks predict there, and the mean over a
//! wide window, all of them saturated as the encoder reads them. Each assay counts the same, and each of its
//! tracks the same. The least squares also see every row with tracks left out, and have to predict the same
//! there, so that factors change little with the tracks that are read.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::EncoderTraining;
use super::descriptions::Descriptions;
use super::least_squares::{LeastSquares, PrincipalAxes};
use super::masks::Masks;
use super::trained::Trained;
use crate::Bug;
use crate::factorization::FactorizationError;
use crate::model::{
    CodeMap, Encoder, EncoderConfig, FAR_WINDOW, Stretch, Surroundings, WINDOWS, forward_hidden,
    input_rows,
};
use crate::nn::product::Threads;
use crate::random::{Purpose, generator, shuffle};

/// Bins at most of the stretches that axes are taken from, spread over the axis.
const MOST_BINS: u64 = 1 << 21;
/// Bins of them at most that 25 bp axes are taken from.
const MOST_ROWS: u64 = 150_000;
/// Groups of tracks at most that are predicted as if they had not been read, a group at a time.
const MOST_GROUPS: usize = 24;
/// What a track's observed number counts; what the other tracks predict there counts the rest.
const OBSERVED: f32 = 0.5;
/// What the mean over the wide window counts.
const WIDE: f32 = 0.75;
/// How often each row is repeated with tracks left out, and what all repetitions count beside the row itself.
const REPETITIONS: usize = 2;
const REPEATED_WEIGHT: f32 = 0.3;
/// Stretches whose sums are in memory at once, at most, and the bytes that these sums take, at most: they grow with
/// the square of the number of tracks.
const AT_ONCE: usize = 8;
const MOST_BYTES: u64 = 2 << 30;

/// The encoder with canonical factors; `assays` and `biosamples` give those of each track that is read.
///
/// # Errors
/// When signal cannot be read, the backend fails, or the least squares cannot be solved.
pub(super) fn canonical(
    training: &EncoderTraining,
    assays: &[u32],
    biosamples: &[u32],
) -> Result<Encoder, FactorizationError> {
    let trained = Trained::new(&training.spec, &training.network.parameters()?)?;
    let groups = groups(training.inputs.config.tracks);
    let inputs = &training.inputs;
    let config = &inputs.config;
    let total: u64 = inputs.stretches.iter().map(|s| s.n_bins() as u64).sum();
    let every = total.div_ceil(MOST_BINS).max(1) as usize;
    let stretches: Vec<&Stretch> = inputs.stretches.iter().step_by(every).collect();
    let taken: u64 = stretches.iter().map(|s| s.n_bins() as u64).sum();
    let step = taken.div_ceil(MOST_ROWS).max(1) as usize;
    let targets = 2 * config.tracks;
    // Pools hold tracks of several biosamples: one pool is left out in place of one biosample.
    let left_out: Vec<u32> = match config.pools.is_empty() {
        true => biosamples.to_vec(),
        false => (0..config.tracks as u32).collect(),
    };
    let mut sums = [0, 1, 2].map(|s| Sums::new(config.nodes + config.inputs(s), targets));
    let at_once = stretches_at_once(config);
    // One stretch alone shares its products among the threads.
    let threads = match at_once {
        1 => Threads::All,
        _ => Threads::One,
    };
    for part in stretches.chunks(at_once) {
        let found = part.par_iter().map(|stretch| {
            of_stretch(
                inputs,
                &trained,
                &groups,
                &left_out,
                stretch,
                (step, threads),
            )
        });
        let found: Vec<[Sums; 3]> = found.collect::<Result<_, FactorizationError>>()?;
        for of_part in &found {
            sums.iter_mut().zip(of_part).for_each(|(s, p)| s.add(p));
        }
    }
    let members = config.read_tracks(&inputs.scales).members();
    let weights = weights(assays, &members);
    let weights: Vec<f64> = weights.iter().chain(&weights).copied().collect();
    let map = |s: usize| code_map(config, s, &sums[s], &weights);
    let maps = [map(0)?, map(1)?, map(2)?];
    let [(coarse, _), (middle, _), (fine, _)] = trained.encoders;
    let encoder = Encoder {
        config: config.clone(),
        scales: inputs.scales.clone(),
        input_scales: inputs.input_scales.clone(),
        layers: [coarse, middle, fine],
        maps,
    };
    encoder.check()?;
    Ok(encoder)
}

/// How many stretches' sums are held at once. The result does not depend on it: stretches are added in order.
fn stretches_at_once(config: &EncoderConfig) -> usize {
    let numbers = |s: usize| {
        let regressors = (config.nodes + config.inputs(s)) as u64;
        regressors * (regressors + 2 * config.tracks as u64)
    };
    // Of the rows as they are and of their repetitions, at each resolution.
    let bytes = 2 * 8 * (0..3).map(numbers).sum::<u64>();
    (MOST_BYTES / bytes.max(1)).clamp(1, AT_ONCE as u64) as usize
}

/// Sums of the least squares at one resolution.
struct Sums {
    /// Over the rows as they are.
    rows: LeastSquares,
    /// Over them and their repetitions with tracks left out.
    repeated: LeastSquares,
}

impl Sums {
    fn new(regressors: usize, targets: usize) -> Self {
        Sums {
            rows: LeastSquares::new(regressors, targets),
            repeated: LeastSquares::new(regressors, targets),
        }
    }

    fn add(&mut self, part: &Self) {
        self.rows.add(&part.rows);
        self.repeated.add(&part.repeated);
    }
}

/// The map of a resolution.
fn code_map(
    config: &EncoderConfig,
    s: usize,
    sums: &Sums,
    weights: &[f64],
) -> Result<CodeMap, FactorizationError> {
    let axes = sums.rows.axes(&sums.repeated, weights, config.codes[s]);
    let PrincipalAxes { map, bias, axes } = axes.ok_or_else(|| {
        FactorizationError::Options(
            "the encoder's factors cannot be found, because its training diverged; lower its learning rate"
                .into(),
        )
    })?;
    let flat = |rows: ArrayView2<'_, f64>| rows.iter().map(|v| *v as f32).collect();
    let (hidden, inputs) = map.view().split_at(Axis(0), config.nodes);
    Ok(CodeMap {
        hidden: flat(hidden),
        inputs: flat(inputs),
        bias: bias.iter().map(|v| *v as f32).collect(),
        axes: flat(axes.view()),
    })
}

/// Tracks that are left out together. Their order is shuffled, the same way for every seed, so that no group
/// is an assay or a biosample.
pub(super) fn groups(tracks: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..tracks).collect();
    shuffle(&mut generator(0, Purpose::Encoder, 1 << 61), &mut order);
    let n = tracks.min(MOST_GROUPS);
    let group = |first: usize| order.iter().skip(first).step_by(n).copied().collect();
    (0..n).map(group).collect()
}

/// What each input counts, whose tracks `members` gives: the assays share 1 equally, and each assay's tracks its share.
fn weights(assays: &[u32], members: &[Vec<usize>]) -> Vec<f64> {
    let mut names = assays.to_vec();
    names.sort_unstable();
    names.dedup();
    let of = |assay: &u32| assays.iter().filter(|a| *a == assay).count() as f64;
    let track = |t: &usize| 1.0 / (names.len() as f64 * of(&assays[*t]));
    (members.iter())
        .map(|members| members.iter().map(track).sum())
        .collect()
}

/// Rows of a stretch that hold a bin that is not masked: the row and how many such bins it has.
fn rows_of(kept: &[u32], start: u64, bins: u64) -> Vec<(usize, f32)> {
    let mut rows: Vec<(usize, f32)> = Vec::new();
    for bin in kept {
        let row = ((u64::from(*bin) + start % bins) / bins) as usize;
        match rows.last_mut() {
            Some((last, n)) if *last == row => *n += 1.0,
            _ => rows.push((row, 1.0)),
        }
    }
    rows
}

fn of_stretch(
    inputs: &Descriptions,
    trained: &Trained,
    groups: &[Vec<usize>],
    biosamples: &[u32],
    stretch: &Stretch,
    (step, threads): (usize, Threads),
) -> Result<[Sums; 3], FactorizationError> {
    let EncoderConfig { tracks, nodes, .. } = inputs.config;
    let surroundings = inputs.describe(stretch, &stretch.region_bins)?;
    let kept = inputs.kept(stretch);
    let fine: Vec<u32> = kept.iter().copied().step_by(step).collect();
    let rows = [
        rows_of(&kept, stretch.bins.start, 200),
        rows_of(&kept, stretch.bins.start, 10),
        rows_of(&fine, stretch.bins.start, 1),
    ];
    let picked = [0, 1, 2].map(|s| Picked::new(inputs, &surroundings, s, &rows[s]));
    // The coarser rows that hold a row, by their places among those picked.
    let size = [200u64, 10, 1];
    let parents = |s: usize, of: usize| -> Result<Vec<usize>, Bug> {
        let place = |(row, _): &(usize, f32)| {
            let bin = (stretch.bins.start / size[s] + *row as u64) * size[s];
            let parent = (bin / size[of] - stretch.bins.start / size[of]) as usize;
            let found = rows[of].binary_search_by_key(&parent, |r| r.0);
            found.map_err(|_| Bug::new("a row of bins that are not masked lies in no such row"))
        };
        rows[s].iter().map(place).collect()
    };
    let parents = [
        vec![],
        vec![parents(1, 0)?],
        vec![parents(2, 0)?, parents(2, 1)?],
    ];
    let mut predicted = [0, 1, 2].map(|s| vec![0f32; rows[s].len() * tracks]);
    for group in groups {
        let mut mask = vec![1f32; tracks];
        group.iter().for_each(|t| mask[*t] = 0.0);
        let codes = [0, 1, 2].map(|s| trained.codes(s, &picked[s].rows(inputs, s, Some(&mask))));
        let code = trained.spec.codes;
        let width: usize = code.iter().sum();
        for s in 0..3 {
            let n = rows[s].len();
            let mut side_by_side = vec![0f32; n * width];
            for (i, out) in side_by_side.chunks_exact_mut(width).enumerate() {
                let mut at = 0;
                for of in 0..=s {
                    let place = if of == s { i } else { parents[s][of][i] };
                    out[at..at + code[of]]
                        .copy_from_slice(&codes[of][place * code[of]..][..code[of]]);
                    at += code[of];
                }
            }
            let out = trained.decode(&side_by_side);
            for (to, from) in predicted[s]
                .chunks_exact_mut(tracks)
                .zip(out.chunks_exact(tracks))
            {
                group.iter().for_each(|t| to[*t] = from[*t]);
            }
        }
    }
    Ok([0, 1, 2].map(|s| {
        let whole = picked[s].rows(inputs, s, None);
        let width = inputs.config.inputs(s);
        let far = FAR_WINDOW[s] * tracks;
        let mut targets = Vec::with_capacity(rows[s].len() * 2 * tracks);
        for ((values, x), predicted) in (picked[s].values.chunks_exact(WINDOWS[s] * tracks))
            .zip(whole.chunks_exact(width))
            .zip(predicted[s].chunks_exact(tracks))
        {
            let near = (0..tracks).map(|t| match values[t].is_nan() {
                true => predicted[t],
                false => OBSERVED * x[t] + (1.0 - OBSERVED) * predicted[t],
            });
            targets.extend(near);
            targets.extend((0..tracks).map(|t| WIDE * x[far + t]));
        }
        let sums = |rows_in: &[f32], weight: f32| {
            let (mut first, mut hidden) = (Vec::new(), Vec::new());
            let layers = &trained.encoders[s].0;
            forward_hidden(layers, nodes, rows_in, &mut first, &mut hidden);
            let mut regressors = Vec::with_capacity(hidden.len() + rows_in.len());
            for (h, x) in hidden.chunks_exact(nodes).zip(rows_in.chunks_exact(width)) {
                regressors.extend_from_slice(h);
                regressors.extend_from_slice(x);
            }
            let weights: Vec<f32> = rows[s].iter().map(|r| r.1 * weight).collect();
            LeastSquares::of(&regressors, &targets, &weights, threads)
        };
        let of_rows = sums(&whole, 1.0);
        let mut repeated = of_rows.clone();
        let first = stretch.axis_bin(stretch.bins.start);
        let mut masks = Masks::new(biosamples, (first << 2) + s as u64);
        for _ in 0..REPETITIONS {
            let mut fewer = whole.clone();
            for row in fewer.chunks_exact_mut(width) {
                let mask = masks.draw();
                for part in row.chunks_exact_mut(tracks) {
                    part.iter_mut().zip(mask).for_each(|(v, m)| *v *= m);
                }
            }
            repeated.add(&sums(&fewer, REPEATED_WEIGHT / REPETITIONS as f32));
        }
        Sums {
            rows: of_rows,
            repeated,
        }
    }))
}

/// The description of some rows of a stretch.
struct Picked {
    values: Vec<f32>,
    seen: Vec<f32>,
}

impl Picked {
    fn new(
        inputs: &Descriptions,
        surroundings: &Surroundings,
        s: usize,
        rows: &[(usize, f32)],
    ) -> Self {
        let (described, tracks) = (inputs.config.described(s), inputs.config.tracks);
        let pick = |from: &[f32], width: usize| {
            rows.iter()
                .flat_map(|(row, _)| from[row * width..(row + 1) * width].iter().copied())
                .collect()
        };
        Picked {
            values: pick(&surroundings.values[s], described),
            seen: pick(&surroundings.seen[s], tracks),
        }
    }

    fn rows(&self, inputs: &Descriptions, s: usize, mask: Option<&[f32]>) -> Vec<f32> {
        let n = self.seen.len() / inputs.config.tracks;
        let mut out = vec![0f32; n * inputs.config.inputs(s)];
        input_rows(
            (&inputs.input_scales[s], inputs.config.saturation),
            &self.values,
            &self.seen,
            mask,
            &mut out,
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_in_memory_stay_below_2_gib_until_one_stretch_alone_has_more() {
        let config = |tracks| EncoderConfig {
            tracks,
            pools: Vec::new(),
            nodes: 192,
            codes: [24, 24, 16],
            saturation: 4,
            standardised: true,
            axes: true,
        };
        // 352 and 292 regressors, 40 targets: 5.5 MB a stretch.
        assert_eq!(stretches_at_once(&config(20)), 8);
        // 2,752 and 1,792 regressors, 640 targets: 368 MB a stretch.
        assert_eq!(stretches_at_once(&config(320)), 5);
        assert_eq!(stretches_at_once(&config(4_000)), 1);
    }
}
