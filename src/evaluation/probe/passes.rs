//! The passes over a source: signal, sums, neighbours, and the held-out tracks at what was found.

use rayon::prelude::*;

use super::blocks::{Block, blocks};
use super::held::{HeldAt, mean};
use super::linear::{Components, correlations};
use super::neighbours::{Candidates, Neighbours};
use super::queries::Queries;
use super::signal::{Overview, REACHES, Signal};
use super::source::Source;
use super::sums::{Accumulator, Fold, Rows, total};
use super::view::View;
use super::{PHASES, ProbeProgress, Representation};
use crate::genome::Resolution;

/// What a probe does with a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Queries of each kind.
    pub queries: usize,
    /// What they are drawn from.
    pub seed: u64,
    /// Whether the signal is probed too.
    pub baselines: bool,
    /// 5 kbp rows that are read at once.
    pub block_rows: u64,
}

/// What one representation scored, by held-out track.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scored {
    /// Which representation.
    pub representation: Representation,
    /// Numbers of a vector.
    pub numbers: usize,
    /// For each held-out track: linear, neighbours of random queries, of active ones.
    pub tracks: Vec<[Option<f64>; 3]>,
}

/// What the passes found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// The representations, the embedding first.
    pub scored: Vec<Scored>,
    /// For each further embedding: the mean share of neighbours in common, of random and active queries.
    pub agreement: Vec<[Option<f64>; 2]>,
    /// How many random and active queries there were.
    pub n_queries: [usize; 2],
}

/// What a representation's numbers are computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raw {
    Embedding(usize),
    Resolutions,
    Windows,
}

/// A representation whose sums have been taken.
struct Fitted {
    raw: Raw,
    folds: Vec<Fold>,
    /// The queries' numbers.
    queries: Vec<f32>,
}

/// Runs all passes.
///
/// # Errors
/// When something cannot be read.
pub(super) fn run(
    source: &Source<'_>,
    plan: &Plan,
    progress: &mut dyn FnMut(ProbeProgress),
) -> crate::Result<Found> {
    let blocks = blocks(source.axis, plan.block_rows);
    let mut report = |phase: usize, done: usize, of: usize| {
        progress(ProbeProgress {
            phase,
            what: PHASES[phase - 1],
            done,
            of,
        });
    };
    let overview = match source.n_signal {
        0 => Overview::default(),
        _ => Overview::read(source, &blocks, &mut |i| report(1, i + 1, 2 * blocks.len()))?,
    };
    let activity = (source.n_signal > 0).then_some(overview.activity.as_slice());
    let queries = Queries::draw(&blocks, source.masked, activity, plan.queries, plan.seed);
    let baselines = plan.baselines && source.n_signal > 0;
    let fitted = fit(source, &blocks, &overview, &queries, baselines, &mut |i| {
        report(2, i + 1, blocks.len());
    })?;
    let mut searched = searched(&fitted, source, &queries);
    for (i, block) in blocks.iter().enumerate() {
        let signal = signal_around(source, block, &overview, baselines)?;
        let first_row = source
            .axis
            .row(Resolution::Kbp5, block.region, block.first_bin);
        let mut raw: Option<(Raw, Vec<f32>)> = None;
        for search in &mut searched {
            // The windows serve two representations that follow each other.
            let numbers = match raw.take() {
                Some((of, numbers)) if of == search.raw => numbers,
                _ => numbers(source, block, search.raw, signal.as_ref())?,
            };
            let candidates = Candidates {
                block,
                first_row,
                raw: &numbers,
                masked: source.masked_in(block),
            };
            search.neighbours.scan(&candidates, &search.view);
            raw = Some((search.raw, numbers));
        }
        report(3, i + 1, blocks.len());
    }
    report(4, 0, 1);
    let held = HeldAt::read(
        source,
        &blocks,
        searched.iter().map(|s| &s.neighbours),
        &queries,
    )?;
    let mut scored = Vec::new();
    for search in searched
        .iter()
        .filter(|s| !matches!(s.raw, Raw::Embedding(1..)))
    {
        let linear = correlations(&search.folds);
        let [random, active] = queries
            .kinds()
            .map(|of| held.correlations(&search.neighbours, &queries, of));
        scored.push(Scored {
            representation: search.representation,
            numbers: search.view.width(),
            tracks: (linear.into_iter().zip(random).zip(active))
                .map(|((linear, random), active)| [linear, random, active])
                .collect(),
        });
    }
    let others = searched
        .iter()
        .filter(|s| matches!(s.raw, Raw::Embedding(1..)));
    let agreement = others.map(|other| {
        let shares = searched[0].neighbours.shared_with(&other.neighbours);
        queries.kinds().map(|of| mean(shares[of].iter().copied()))
    });
    let agreement = agreement.collect();
    report(4, 1, 1);
    Ok(Found {
        scored,
        agreement,
        n_queries: queries.kinds().map(|of| of.len()),
    })
}

/// The signal in and around a block, where it is needed.
fn signal_around(
    source: &Source<'_>,
    block: &Block,
    overview: &Overview,
    is_needed: bool,
) -> crate::Result<Option<Signal>> {
    let reach = REACHES.iter().max().copied().unwrap_or(0) as u64;
    is_needed
        .then(|| Signal::read(source, block, reach, &overview.means))
        .transpose()
}

/// A block's numbers in a representation, `[bins, numbers]`.
fn numbers(
    source: &Source<'_>,
    block: &Block,
    raw: Raw,
    signal: Option<&Signal>,
) -> crate::Result<Vec<f32>> {
    let missing = || crate::Bug::new("signal is probed that was not read");
    match raw {
        Raw::Embedding(i) => {
            let embedding = &source.embeddings[i];
            let mut values = vec![0f32; block.n_bins() * embedding.width];
            (embedding.read)(block, &mut values)?;
            Ok(values)
        }
        Raw::Resolutions => Ok(signal.ok_or_else(missing)?.resolutions()),
        Raw::Windows => Ok(signal.ok_or_else(missing)?.windows()),
    }
}

/// The pass that sums: of each representation the products of its columns by fold, and the queries'
/// numbers.
fn fit(
    source: &Source<'_>,
    blocks: &[Block],
    overview: &Overview,
    queries: &Queries,
    baselines: bool,
    progress: &mut dyn FnMut(usize),
) -> crate::Result<Vec<Fitted>> {
    let widths = source.embeddings.iter().map(|e| e.width).enumerate();
    let mut kinds: Vec<(Raw, usize)> = widths.map(|(i, w)| (Raw::Embedding(i), w)).collect();
    if baselines {
        kinds.push((Raw::Resolutions, 3 * source.n_signal));
        kinds.push((Raw::Windows, REACHES.len() * source.n_signal));
    }
    let mut under_way: Vec<(Accumulator, Vec<f32>)> = (kinds.iter())
        .map(|(_, width)| {
            let queries = vec![0f32; queries.bins.len() * width];
            (Accumulator::new(*width, source.n_held), queries)
        })
        .collect();
    for (i, block) in blocks.iter().enumerate() {
        let n = block.n_bins();
        let mut held = vec![0f32; source.n_held * n];
        held.par_chunks_mut(n)
            .enumerate()
            .try_for_each(|(track, out)| (source.held)(track, block.bins.clone(), out))?;
        let signal = signal_around(source, block, overview, baselines)?;
        let rows = block.rows(Resolution::Kbp5);
        for ((raw, width), (sums, of_queries)) in kinds.iter().zip(&mut under_way) {
            let vectors = numbers(source, block, *raw, signal.as_ref())?;
            let rows = Rows {
                vectors: &vectors,
                held: &held,
                masked: source.masked_in(block),
                rows: &rows,
            };
            sums.add(block.region, &rows);
            for (query, bin) in queries.bins.iter().enumerate() {
                if block.bins.contains(bin) {
                    let place = (bin - block.bins.start) as usize;
                    of_queries[query * width..(query + 1) * width]
                        .copy_from_slice(&vectors[place * width..(place + 1) * width]);
                }
            }
        }
        progress(i);
    }
    Ok((kinds.into_iter().zip(under_way))
        .map(|((raw, _), (sums, queries))| Fitted {
            raw,
            folds: sums.finish(),
            queries,
        })
        .collect())
}

/// A representation and its queries' neighbours.
struct Searched {
    representation: Representation,
    raw: Raw,
    folds: Vec<Fold>,
    view: View,
    neighbours: Neighbours,
}

/// What is searched, the embedding first and the components of the windows after the windows.
fn searched(fitted: &[Fitted], source: &Source<'_>, queries: &Queries) -> Vec<Searched> {
    let regions: Vec<usize> = (queries.bins.iter())
        .map(|bin| source.axis.locate(*bin).region)
        .collect();
    let all: Vec<usize> = (0..queries.bins.len()).collect();
    let search = |fitted: &Fitted, representation, folds: Vec<Fold>, view: View| {
        let vectors = view.apply(&fitted.queries, &all);
        Searched {
            representation,
            raw: fitted.raw,
            folds,
            neighbours: Neighbours::new(vectors, view.width(), regions.clone()),
            view,
        }
    };
    let mut searched = Vec::new();
    for fitted in fitted {
        let (mean, deviation) = total(&fitted.folds).standardisation();
        let folds = fitted.folds.clone();
        let (representation, view) = match fitted.raw {
            Raw::Embedding(_) => (Representation::Model, View::centred(&mean)),
            Raw::Resolutions => (
                Representation::SignalResolutions,
                View::standardised(&mean, &deviation),
            ),
            Raw::Windows => (
                Representation::SignalWindows,
                View::standardised(&mean, &deviation),
            ),
        };
        searched.push(search(fitted, representation, folds, view));
        if fitted.raw == Raw::Windows {
            let width = source.embeddings.first().map_or(0, |e| e.width);
            let components = Components::of(&fitted.folds, width);
            let project = |fold: &Fold| fold.projected(&components.mean, &components.weights);
            let folds = fitted.folds.iter().map(project).collect();
            let view = View::components(&components);
            searched.push(search(
                fitted,
                Representation::SignalComponents,
                folds,
                view,
            ));
        }
    }
    searched
}
