//! How much an embedding of genome positions knows of tracks that it was not learned from.
//!
//! Two probes, each on held-out tracks:
//! - *linear*: a ridge regression from the embedding, fitted in four fifths of the regions, predicts the track
//!   in the other fifth (Pearson's r over all unmasked bins);
//! - *neighbours*: the mean of the track over the 50 nearest positions in other regions, one a 5 kbp row
//!   (Pearson's r over random bins, and over random bins of the 5 % with the highest signal).
//!
//! The same is done with the signal that the embedding was learned from: at three resolutions, as means over six
//! windows, and as the principal components of these at the embedding's width. Two embeddings of one axis are
//! compared by the share of the ten nearest 5 kbp rows that they have in common. An encoder's factors are compared
//! in the same way with those that it gives without one biosample's tracks.
//!
//! Everything is computed in blocks of bins, and has the same bits on any number of threads. Owns the
//! representations, the regression from sums of products and the search among all bins; leaves which tracks
//! count to `tracks`, and storing a result to `kept`.

mod blocks;
mod fewer_tracks;
mod gram;
mod held;
mod linear;
mod neighbours;
mod passes;
mod queries;
mod result;
mod signal;
mod source;
mod sums;
#[cfg(test)]
mod tests;
mod tracks;
mod view;

use crate::compendium::{Experiment, TracksOnAxis};
use crate::genome::{Interval, Mask};
use crate::model::TrainedModel;
use crate::store::{Database, Track};
use blocks::{BLOCK_ROWS, Block};
use fewer_tracks::EncoderInput;
use held::mean;
use passes::Plan;
pub use result::{
    Agreement, FewerTracks, Probe, ProbedRepresentation, ProbedTrack, Representation,
    WithoutBiosample,
};
use source::{Embedding, Source};

/// The phases of a probe, in order.
pub(crate) const PHASES: [&str; 4] = [
    "reading signal",
    "fitting",
    "comparing positions",
    "scoring",
];

/// What to probe, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeOptions {
    /// Tracks to predict, none of which the model has read; its held-out tracks where empty.
    pub tracks: Vec<Experiment>,
    /// Queries of each kind.
    pub queries: usize,
    /// What the queries are drawn from.
    pub seed: u64,
    /// Whether the signal is probed too.
    pub baselines: bool,
    /// Uses bins in these intervals alone; all of the model's where empty.
    pub within: Vec<Interval>,
    /// Whether the encoder's neighbours are compared with those without each biosample's tracks.
    pub leave_out_biosamples: bool,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        ProbeOptions {
            tracks: Vec::new(),
            queries: 1_000,
            seed: 0,
            baselines: true,
            within: Vec::new(),
            leave_out_biosamples: false,
        }
    }
}

/// How far a probe has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeProgress {
    /// The phase, from 1.
    pub phase: usize,
    /// What it does.
    pub what: &'static str,
    /// Steps of the phase that are done.
    pub done: usize,
    /// Steps of the phase.
    pub of: usize,
}

impl ProbeProgress {
    /// How many phases there are.
    pub const PHASES: usize = PHASES.len();
}

/// Probes a model's embedding, and compares its neighbours with those of other models of the same axis.
///
/// ```
/// use persea::compendium::Experiment;
/// use persea::evaluation::{ProbeOptions, Representation, probe};
/// use persea::model::TrainedModel;
/// use persea::store::{NewTrack, Transform};
///
/// # let (_folder, database) = persea::search::example_database()?;
/// let n_bins = database.axis().n_bins();
/// for (biosample, step) in [("S1", 7), ("S2", 11)] {
///     let mut writer = database.begin_track(NewTrack {
///         biosample: biosample.into(),
///         assay: "A1".into(),
///         transform: Transform::Arcsinh,
///         unit: None,
///         sources: vec![],
///         values: Default::default(),
///         normalisation: None,
///     })?;
///     let values: Vec<f32> = (0..n_bins).map(|bin| (bin % step) as f32).collect();
///     writer.write(0, &values)?;
///     writer.commit()?;
/// }
/// let model = TrainedModel::open(&database, None)?;
/// let options = ProbeOptions {
///     tracks: vec![Experiment::new("S1", "A1")],
///     queries: 50,
///     ..ProbeOptions::default()
/// };
/// let found = probe(&database, &model, &[&model], &options, &mut |_| {})?;
/// assert_eq!(found.representations[0].representation, Representation::Model);
/// assert_eq!(found.agreement[0].random, Some(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there is no track to predict, the model has read one of them, another model has another axis, no
/// bin is left, biosamples are to be left out of a model without an encoder, or something cannot be read.
pub fn probe(
    database: &Database,
    model: &TrainedModel,
    against: &[&TrainedModel],
    options: &ProbeOptions,
    progress: &mut dyn FnMut(ProbeProgress),
) -> crate::Result<Probe> {
    let axis = model.axis();
    tracks::same_axis(model, against)?;
    let (held, signal) = tracks::choose(database, model, options)?;
    let mut mask = Mask::new(axis, &database.mask_intervals()?);
    if !options.within.is_empty() {
        mask.keep_within(axis, &options.within);
    }
    tracks::some_bins(model, &mask)?;
    let held_values = TracksOnAxis::open(database, axis, &held)?;
    let signal_values = TracksOnAxis::open(database, axis, &signal)?;
    let input = (options.leave_out_biosamples)
        .then(|| EncoderInput::open(database, model))
        .transpose()?;
    let left_out = input.as_ref().map_or(Vec::new(), EncoderInput::biosamples);
    let embeddings = std::iter::once(model).chain(against.iter().copied());
    let embeddings = embeddings.map(|m| embedding(database, m));
    let without = input
        .iter()
        .flat_map(|input| left_out.iter().map(|name| input.without(name)));
    let source = Source {
        axis,
        masked: mask.as_slice(),
        n_signal: signal.len(),
        signal: Box::new(|track, bins, out| Ok(signal_values.read(track, bins, out)?)),
        n_held: held.len(),
        held: Box::new(|track, bins, out| Ok(held_values.read(track, bins, out)?)),
        embeddings: embeddings.chain(without).collect(),
    };
    let plan = Plan {
        queries: options.queries,
        seed: options.seed,
        baselines: options.baselines,
        block_rows: BLOCK_ROWS,
    };
    let mut found = passes::run(&source, &plan, progress)?;
    let of_left_out = found.agreement.split_off(against.len());
    let fewer_tracks = match &input {
        None => None,
        Some(input) => Some(FewerTracks {
            without: (left_out.into_iter().zip(of_left_out))
                .map(|(biosample, [random, active])| WithoutBiosample {
                    biosample,
                    random,
                    active,
                })
                .collect(),
            halves_recognised: input.halves_recognised(&source, options.queries, options.seed)?,
        }),
    };
    Ok(Probe {
        model: model.record().name.clone(),
        n_bins: source.n_bins(),
        n_regions: axis.regions().len(),
        n_signal_tracks: signal.len(),
        n_random: found.n_queries[0],
        n_active: found.n_queries[1],
        seed: options.seed,
        representations: found.scored.into_iter().map(|s| named(s, &held)).collect(),
        agreement: (against.iter().zip(found.agreement))
            .map(|(other, [random, active])| Agreement {
                model: other.record().name.clone(),
                random,
                active,
            })
            .collect(),
        fewer_tracks,
    })
}

/// A model's factors at all resolutions side by side.
fn embedding<'a>(database: &'a Database, model: &'a TrainedModel) -> Embedding<'a> {
    let whole: usize = model.genome_widths().iter().sum();
    let columns = model.embedding_columns();
    let width = columns.len();
    let read = move |block: &Block, out: &mut [f32]| {
        let factors = model.block(database, block.region, block.first_bin, block.n_bins())?;
        let mut all = vec![0.0; whole];
        for (bin, vector) in out.chunks_exact_mut(width.max(1)).enumerate() {
            factors.embedding(bin, &mut all);
            vector.copy_from_slice(&all[columns.clone()]);
        }
        Ok(())
    };
    Embedding {
        width,
        read: Box::new(read),
    }
}

/// Scores with the names of their tracks, and their means.
fn named(scored: passes::Scored, held: &[Track]) -> ProbedRepresentation {
    let of = |i: usize| mean(scored.tracks.iter().map(|track| track[i]));
    let track = |(track, r): (&Track, &[Option<f64>; 3])| ProbedTrack {
        biosample: track.biosample.clone(),
        assay: track.assay.clone(),
        linear: r[0],
        neighbours_random: r[1],
        neighbours_active: r[2],
    };
    ProbedRepresentation {
        representation: scored.representation,
        numbers: scored.numbers,
        linear: of(0),
        neighbours_random: of(1),
        neighbours_active: of(2),
        tracks: held.iter().zip(&scored.tracks).map(track).collect(),
    }
}
