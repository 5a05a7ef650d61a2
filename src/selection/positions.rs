//! Positions of the genome that represent the rest: probes of an array, loci for an assay of few.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::SelectionError;
use super::choose::percentile;
use super::multiscale::{Multiscale, PositionRun};
use super::position_request::PositionRequest;
use super::probes::{allowed, at_bins, candidates, draw, given, median_gamma};
use crate::genome::{BIN_BP, Mask};
use crate::model::TrainedModel;
use crate::random::{Purpose, below, generator};
use crate::store::{Database, NewSelection};

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
    /// Rows of 250 bp whose gain was bounded, and those that were searched.
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

/// Chooses positions.
///
/// ```
/// use persea::selection::{PositionRequest, select_positions};
///
/// # let (_folder, database) = persea::search::example_database()?;
/// let request = PositionRequest { ground_set: 500, n_random: 2, ..PositionRequest::new(3) };
/// let answer = select_positions(&database, &request)?;
/// assert_eq!(answer.chosen.len(), 3);
/// assert!(answer.chosen[2].coverage <= answer.bound);
/// # Ok::<(), persea::Error>(())
/// ```
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
    if request.k == 0 || width == 0 || step == 0 || request.ground_set < 2 {
        let why = "k, width and step must be above 0, and the ground set of two positions at least";
        return Err(SelectionError::question(why).into());
    }
    if request.gamma.is_some_and(|g| !g.is_finite() || g <= 0.0) {
        return Err(SelectionError::question("gamma must be a number above 0").into());
    }
    let model = TrainedModel::open_embedding(database, request.model.as_deref())?;
    let axis = model.axis();
    let masked = Mask::new(axis, &database.mask_intervals()?);
    let allowed = allowed(axis, &masked, request)?;
    let targets = draw(axis, &masked, request.ground_set, request.seed, 0)?;
    let elsewhere = draw(axis, &masked, request.ground_set, request.seed, 1)?;
    let candidates = candidates(database, &model, &allowed, width, step)?;
    if candidates.places.is_empty() {
        let why = format!(
            "no position is left: the model covers no {} bp inside the intervals asked for and outside \
             the others",
            width * BIN_BP
        );
        return Err(SelectionError::NothingToChoose(why).into());
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
    let numbers =
        (0..=request.k).filter(|k| *k <= 20 || k.is_multiple_of(every) || *k == request.k);
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
