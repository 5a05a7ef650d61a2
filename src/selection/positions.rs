//! Positions of the genome that represent the rest: probes of an array, loci for an assay of few.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::SelectionError;
use super::choose::percentile;
use super::multiscale::{Multiscale, Parts, Place, PositionRun, Row};
use crate::genome::{BIN_BP, GenomeAxis, Interval, Mask, Scale, read_bed};
use crate::model::{GenomeBlock, TrainedModel};
use crate::random::{Purpose, below, generator};
use crate::store::{Database, NewSelection};

/// Bins whose factors are read at once.
const READ_BINS: u64 = 20_000;
/// Candidates at most: their 25 bp factors are in memory.
const MOST_CANDIDATES: usize = 20_000_000;

/// A question about positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PositionRequest {
    /// How many.
    pub k: usize,
    /// The model; the default one when not given.
    pub model: Option<String>,
    /// How wide a probe is, in bp; rounded up to bins.
    pub width: u64,
    /// The least gap between two probes, in bp; rounded up to bins.
    pub spacing: u64,
    /// A candidate begins every so many bp; rounded up to bins.
    pub step: u64,
    /// How many positions, drawn evenly from the unmasked bins, coverage is measured on.
    pub ground: usize,
    /// γ of exp(−γ d²); one over the median of d² between those positions when not given.
    pub gamma: Option<f64>,
    /// Probes lie inside intervals of these BED files.
    pub inside: Vec<String>,
    /// Probes touch no interval of these BED files (what cannot be mapped). The database's mask is kept out as well.
    pub outside: Vec<String>,
    /// A BED of probes that exist: they cover, and keep others at a distance.
    pub given: Option<String>,
    /// How many random choices stand beside it.
    pub n_random: usize,
    /// What chance derives from.
    pub seed: u64,
}

impl PositionRequest {
    /// So many, and all else as it is by default.
    pub fn new(k: usize) -> Self {
        PositionRequest {
            k,
            model: None,
            width: 50,
            spacing: 0,
            step: BIN_BP,
            ground: 10_000,
            gamma: None,
            inside: Vec::new(),
            outside: Vec::new(),
            given: None,
            n_random: 20,
            seed: 0,
        }
    }
}

/// A chosen position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChosenPosition {
    /// From 1.
    pub rank: usize,
    /// Its chromosome.
    pub chrom: String,
    /// Where the probe begins, 0-based.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// What it added to the sum of similarities.
    pub gain: f64,
    /// The mean similarity of the ground set to what is chosen or given, with it.
    pub coverage: f64,
    /// The share of the ground set that is more like it than like any other.
    pub represents: f64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PositionAnswer {
    /// The model.
    pub model: String,
    /// The checksum that it had.
    pub model_checksum: String,
    /// How many candidates there were.
    pub n_candidates: usize,
    /// How many positions coverage is measured on.
    pub n_ground: usize,
    /// γ.
    pub gamma: f64,
    /// The coverage of what was given alone.
    pub before: f64,
    /// The choices, in order.
    pub chosen: Vec<ChosenPosition>,
    /// The coverage that no choice of as many can pass.
    pub bound: f64,
    /// The same coverage on as many other positions, that had no part in the choice.
    pub coverage_elsewhere: f64,
    /// What is guaranteed, in words.
    pub guarantee: String,
    /// At some numbers: the coverage, the mean of random choices, their 5th and 95th percentile.
    pub curve: Vec<PositionCurvePoint>,
    /// Rows of 250 bp whose gain was bounded, and that were looked into.
    pub rows: [u64; 2],
}

/// A point of the curve of positions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PositionCurvePoint {
    /// How many.
    pub k: usize,
    /// The coverage.
    pub coverage: f64,
    /// The mean over random choices.
    pub random_mean: Option<f64>,
    /// The 5th and the 95th percentile of them.
    pub random_band: Option<[f64; 2]>,
}

/// Candidates of a model's axis.
struct Ground {
    parts: Parts,
    rows: Vec<Row>,
    places: Vec<Place>,
}

/// Chooses positions.
///
/// # Errors
/// When nothing may be chosen, fewer than `k` may, or a file cannot be read.
pub fn select_positions(
    database: &Database,
    request: &PositionRequest,
) -> crate::Result<PositionAnswer> {
    let width = request.width.div_ceil(BIN_BP);
    let step = request.step.div_ceil(BIN_BP);
    let apart = width + request.spacing.div_ceil(BIN_BP);
    if request.k == 0 || width == 0 || step == 0 || request.ground < 2 {
        let why = "k, width and step must be above 0, and the ground set of two positions at least";
        return Err(SelectionError::question(why).into());
    }
    if request.gamma.is_some_and(|g| !g.is_finite() || g <= 0.0) {
        return Err(SelectionError::question("gamma must be a number above 0").into());
    }
    let model = TrainedModel::open(database, request.model.as_deref())?;
    let axis = model.axis();
    let masked = Mask::new(axis, &database.mask_intervals()?);
    let allowed = allowed(axis, &masked, request)?;
    let targets = draw(axis, &masked, request.ground, request.seed, 0)?;
    let elsewhere = draw(axis, &masked, request.ground, request.seed, 1)?;
    let candidates = candidates(database, &model, &allowed, width, step)?;
    if candidates.places.is_empty() {
        let why = format!(
            "no position is left: nowhere are {} bp covered by the model, inside and not outside",
            width * BIN_BP
        );
        return Err(SelectionError::question(why).into());
    }
    let target_parts = at_bins(database, &model, &targets)?;
    let gamma = match request.gamma {
        Some(gamma) => gamma,
        None => median_gamma(&target_parts),
    };
    let problem = |targets| Multiscale {
        candidates: &candidates.parts,
        rows: &candidates.rows,
        places: &candidates.places,
        targets,
        gamma: gamma as f32,
        apart,
    };
    let own = problem(&target_parts);
    let mut blocked = vec![false; candidates.places.len()];
    let given = given(database, &model, request)?;
    for (start, end) in &given.places {
        // A probe of another width: whatever begins between them overlaps it.
        let bins = end.1 - start.1;
        for bin in start.1..=start.1 + bins.saturating_sub(1) {
            own.block_near((start.0, bin), &mut blocked);
        }
    }
    let covered = own.covered_by(&given.parts);
    let run = own.greedy(request.k, covered.clone(), blocked.clone());
    if run.steps.len() < request.k {
        return Err(SelectionError::question(format!(
            "k is {}, and {} probes of {} bp fit beside each other with the spacing of {} bp; choose no more",
            request.k,
            run.steps.len(),
            width * BIN_BP,
            request.spacing
        ))
        .into());
    }
    let chosen: Vec<usize> = run.steps.iter().map(|s| s.candidate).collect();
    let n_ground = targets.len();
    let before: f64 = mean(&covered);
    let other_parts = at_bins(database, &model, &elsewhere)?;
    let other = problem(&other_parts);
    let other_covered = other.covered_by(&given.parts);
    let last = other.walk(&chosen, &other_covered).pop().unwrap_or(0.0);
    let curve = curve(&own, request, &covered, &blocked, &run, before);
    let shares = represented(&own, &chosen, &covered);
    let mut coverage = before;
    let named = (run.steps.iter().enumerate()).map(|(i, s)| {
        let (region, bin) = candidates.places[s.candidate];
        let region = &axis.regions()[region as usize];
        let length = axis.assembly().chromosome(&region.chrom);
        let start = bin * BIN_BP;
        let end = (start + width * BIN_BP).min(length.map_or(u64::MAX, |c| c.length));
        coverage += s.gain / n_ground as f64;
        ChosenPosition {
            rank: i + 1,
            chrom: region.chrom.clone(),
            start,
            end,
            gain: s.gain,
            coverage,
            represents: shares[i],
        }
    });
    Ok(PositionAnswer {
        model: model.record().name.clone(),
        model_checksum: model.stored().checksum.clone(),
        n_candidates: candidates.places.len(),
        n_ground,
        gamma,
        before,
        chosen: named.collect(),
        bound: (before + run.bound / n_ground as f64).min(1.0),
        coverage_elsewhere: last / elsewhere.len() as f64,
        guarantee: guarantee(apart),
        curve,
        rows: [run.rows_bounded, run.rows_opened],
    })
}

fn guarantee(apart: u64) -> String {
    match apart {
        1 => "at least 1 − 1/e (63 %) of the best possible gain on the ground set: greedy on facility location with \
              a limit on the number (Nemhauser, Wolsey and Fisher 1978)"
            .into(),
        _ => "at least 1/3 of the best possible gain on the ground set: greedy on facility location where a choice rules \
              out two others at most that may stand beside each other (Fisher, Nemhauser and Wolsey 1978)"
            .into(),
    }
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len().max(1) as f64
}

/// Which bins a probe may lie on.
fn allowed(
    axis: &GenomeAxis,
    masked: &Mask,
    request: &PositionRequest,
) -> crate::Result<Vec<bool>> {
    let mut allowed: Vec<bool> = masked.as_slice().iter().map(|m| !m).collect();
    let read = |paths: &[String]| -> crate::Result<Vec<Interval>> {
        let mut all = Vec::new();
        for path in paths {
            let read = read_bed(Path::new(path), axis.assembly())?;
            all.extend(read.into_iter().map(|(interval, _)| interval));
        }
        Ok(all)
    };
    if !request.inside.is_empty() {
        let mut inside = vec![false; allowed.len()];
        for interval in read(&request.inside)? {
            for bins in axis.bins_within(&interval) {
                inside[bins.start as usize..bins.end as usize].fill(true);
            }
        }
        allowed.iter_mut().zip(inside).for_each(|(a, i)| *a &= i);
    }
    for interval in read(&request.outside)? {
        for bins in axis.bins_within(&interval) {
            allowed[bins.start as usize..bins.end as usize].fill(false);
        }
    }
    Ok(allowed)
}

/// Bins drawn evenly: one at random from each of `n` equal parts of what is not masked.
fn draw(
    axis: &GenomeAxis,
    masked: &Mask,
    n: usize,
    seed: u64,
    which: u64,
) -> Result<Vec<u64>, SelectionError> {
    let open: Vec<u64> = (0..axis.n_bins())
        .filter(|b| !masked.is_masked(*b))
        .collect();
    if open.len() < 2 {
        return Err(SelectionError::question(
            "the model covers no unmasked bins",
        ));
    }
    let n = n.min(open.len());
    let mut rng = generator(seed, Purpose::RandomChoice, (1 << 32) + which);
    let drawn = (0..n).map(|i| {
        let (from, to) = (i * open.len() / n, (i + 1) * open.len() / n);
        open[from + below(&mut rng, (to - from).max(1) as u32) as usize]
    });
    Ok(drawn.collect())
}

/// One over the median of d² between positions.
fn median_gamma(parts: &Parts) -> f64 {
    let n = parts.fine.len() / parts.widths[1].max(1);
    let step = n.div_ceil(1_000).max(1);
    let some: Vec<usize> = (0..n).step_by(step).collect();
    let square = |values: &[f32], width: usize, i: usize, j: usize| -> f32 {
        let pairs = values[i * width..(i + 1) * width].iter();
        pairs
            .zip(&values[j * width..(j + 1) * width])
            .map(|(a, b)| (a - b) * (a - b))
            .sum()
    };
    let mut squares = Vec::new();
    for (at, i) in some.iter().enumerate() {
        for j in &some[..at] {
            let shared = square(&parts.shared, parts.widths[0], *i, *j);
            squares.push(shared + square(&parts.fine, parts.widths[1], *i, *j));
        }
    }
    squares.sort_by(f32::total_cmp);
    match squares.get(squares.len() / 2) {
        Some(median) if *median > 0.0 => 1.0 / f64::from(*median),
        _ => 1.0,
    }
}

fn widths(model: &TrainedModel) -> [usize; 2] {
    let [fine, middle, coarse] = model.genome_widths();
    [coarse + middle, fine]
}

/// The vectors of single bins, in the order given.
fn at_bins(database: &Database, model: &TrainedModel, bins: &[u64]) -> crate::Result<Parts> {
    let mut parts = Parts {
        widths: widths(model),
        ..Parts::default()
    };
    let mut embedding = vec![0f32; parts.widths[0] + parts.widths[1]];
    // Bins mostly come in order: a stretch is read once for all that lie in it.
    let mut last: Option<(usize, u64, GenomeBlock)> = None;
    for bin in bins {
        let at = model.axis().locate(*bin);
        let region = &model.axis().regions()[at.region];
        let first = (at.chrom_bin - region.first_bin) / READ_BINS * READ_BINS;
        let stretch = match last.take() {
            Some(stretch) if (stretch.0, stretch.1) == (at.region, first) => stretch,
            _ => {
                let n = READ_BINS.min(region.n_bins - first) as usize;
                let from = region.first_bin + first;
                (at.region, first, model.block(database, at.region, from, n)?)
            }
        };
        let offset = at.chrom_bin - region.first_bin - first;
        stretch.2.embedding(offset as usize, &mut embedding);
        last = Some(stretch);
        parts.fine.extend(&embedding[..parts.widths[1]]);
        parts.shared.extend(&embedding[parts.widths[1]..]);
    }
    Ok(parts)
}

/// Every probe that may be: a fine part that is the mean over its bins, the coarser parts of its
/// middle bin.
fn candidates(
    database: &Database,
    model: &TrainedModel,
    allowed: &[bool],
    width: u64,
    step: u64,
) -> crate::Result<Ground> {
    let axis = model.axis();
    let mut ground = Ground {
        parts: Parts {
            widths: widths(model),
            ..Parts::default()
        },
        rows: Vec::new(),
        places: Vec::new(),
    };
    let fine = ground.parts.widths[1];
    let mut embedding = vec![0f32; fine + ground.parts.widths[0]];
    for (number, region) in axis.regions().iter().enumerate() {
        let bins = axis.region_bins(number);
        let mut last_row = None;
        let mut first = 0;
        while first < region.n_bins {
            let starts = READ_BINS.min(region.n_bins - first);
            let read = (starts + width - 1).min(region.n_bins - first);
            let block = model.block(database, number, region.first_bin + first, read as usize)?;
            for start in first..first + starts {
                let chrom_bin = region.first_bin + start;
                let end = start + width;
                let on_axis = (bins.start + start) as usize..(bins.start + end) as usize;
                if !chrom_bin.is_multiple_of(step)
                    || end > region.n_bins
                    || !allowed[on_axis].iter().all(|a| *a)
                {
                    continue;
                }
                if ground.places.len() == MOST_CANDIDATES {
                    return Err(SelectionError::question(format!(
                        "there are more than {MOST_CANDIDATES} candidates; take every n-th (--step) or keep them --inside a BED"
                    ))
                    .into());
                }
                let middle = start + width / 2;
                let row = (region.first_bin + middle) / Scale::Bp250.bins();
                let mut mean = vec![0f32; fine];
                for bin in start..end {
                    block.embedding((bin - first) as usize, &mut embedding);
                    for (mean, value) in mean.iter_mut().zip(&embedding[..fine]) {
                        *mean += value / width as f32;
                    }
                }
                if last_row != Some(row) {
                    block.embedding((middle - first) as usize, &mut embedding);
                    ground.parts.shared.extend(&embedding[fine..]);
                    let at = ground.places.len();
                    ground.rows.push(Row { candidates: at..at });
                    last_row = Some(row);
                }
                ground.parts.fine.extend(mean);
                ground.places.push((number as u32, chrom_bin));
                if let Some(row) = ground.rows.last_mut() {
                    row.candidates.end = ground.places.len();
                }
            }
            first += starts;
        }
    }
    Ok(ground)
}

/// Probes that exist.
#[derive(Default)]
struct GivenProbes {
    parts: Parts,
    places: Vec<(Place, Place)>,
}

fn given(
    database: &Database,
    model: &TrainedModel,
    request: &PositionRequest,
) -> crate::Result<GivenProbes> {
    let mut probes = GivenProbes::default();
    probes.parts.widths = widths(model);
    let Some(path) = &request.given else {
        return Ok(probes);
    };
    let axis = model.axis();
    let mut middles = Vec::new();
    for (interval, _) in read_bed(Path::new(path), axis.assembly())? {
        for bins in axis.bins_within(&interval) {
            middles.push(bins.start + (bins.end - bins.start) / 2);
            let at = axis.locate(bins.start);
            let first = (at.region as u32, at.chrom_bin);
            probes
                .places
                .push((first, (first.0, first.1 + bins.end - bins.start)));
        }
    }
    if middles.is_empty() {
        let why = "none of its intervals is covered by the model";
        return Err(SelectionError::file(Path::new(path), why).into());
    }
    probes.parts = at_bins(database, model, &middles)?;
    Ok(probes)
}

/// Of each choice the share of targets that are more like it than like any other, or what was given.
fn represented(problem: &Multiscale<'_>, chosen: &[usize], covered: &[f32]) -> Vec<f64> {
    let nearest = problem.nearest(chosen, covered);
    let mut shares = vec![0f64; chosen.len()];
    for place in nearest.iter().flatten() {
        shares[*place] += 1.0 / nearest.len() as f64;
    }
    shares
}

fn curve(
    problem: &Multiscale<'_>,
    request: &PositionRequest,
    covered: &[f32],
    blocked: &[bool],
    run: &PositionRun,
    before: f64,
) -> Vec<PositionCurvePoint> {
    let n = covered.len() as f64;
    let walks: Vec<Vec<f64>> = (0..request.n_random as u64)
        .map(|i| {
            let mut rng = generator(request.seed, Purpose::RandomChoice, i);
            let mut blocked = blocked.to_vec();
            let mut order: Vec<u32> = (0..problem.places.len() as u32).collect();
            let mut drawn = Vec::new();
            for at in 0..order.len() {
                if drawn.len() == request.k {
                    break;
                }
                let other = at + below(&mut rng, (order.len() - at) as u32) as usize;
                order.swap(at, other);
                let candidate = order[at] as usize;
                if !blocked[candidate] {
                    problem.block(candidate, &mut blocked);
                    drawn.push(candidate);
                }
            }
            problem
                .walk(&drawn, covered)
                .iter()
                .map(|sum| sum / n)
                .collect()
        })
        .collect();
    let mut coverage = vec![before];
    for step in &run.steps {
        coverage.push(coverage[coverage.len() - 1] + step.gain / n);
    }
    let every = request.k.div_ceil(100);
    let numbers = (0..=request.k).filter(|k| k % every == 0 || *k == request.k);
    numbers
        .map(|k| {
            let mut drawn: Vec<f64> = match k {
                0 => walks.iter().map(|_| before).collect(),
                _ => walks.iter().filter_map(|w| w.get(k - 1).copied()).collect(),
            };
            drawn.sort_by(f64::total_cmp);
            let random_mean =
                (!drawn.is_empty()).then(|| drawn.iter().sum::<f64>() / drawn.len() as f64);
            PositionCurvePoint {
                k,
                coverage: coverage[k.min(coverage.len() - 1)],
                random_mean,
                random_band: random_mean
                    .map(|_| [percentile(&drawn, 0.05), percentile(&drawn, 0.95)]),
            }
        })
        .collect()
}

/// Stores a request and its answer; returns the number.
///
/// # Errors
/// When the database can only be read, or the disk is full.
pub fn store_positions(
    database: &Database,
    request: &PositionRequest,
    answer: &PositionAnswer,
) -> crate::Result<i64> {
    let new = NewSelection {
        kind: "positions".into(),
        settings: json!(request),
        result: json!(answer),
    };
    Ok(database.save_selection(&new)?)
}
