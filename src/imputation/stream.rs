//! The walk along the genome.

use std::ops::Range;

use super::Observed;
use crate::compendium::Experiment;
use crate::genome::{GenomeAxis, Interval};
use crate::model::{SignalBlock, TrainedModel};
use crate::store::{Database, StoreError};

/// Bins of a block at most: what writers take in one piece.
const BLOCK_BINS: u64 = 1 << 16;
/// Bytes of observed signal that are in memory at once, and bins at least.
const OBSERVED_BYTES: u64 = 256 << 20;
const OBSERVED_BINS: u64 = 1 << 12;

/// The axis bins that some intervals touch (all bins when none is given), one range a region, in
/// the order that files want them.
///
/// # Errors
/// When an interval touches no bin of the axis; the nearest region is named.
pub fn spans(axis: &GenomeAxis, intervals: &[Interval]) -> crate::Result<Vec<Range<u64>>> {
    if intervals.is_empty() {
        return Ok(axis
            .sorted_regions()
            .iter()
            .map(|r| axis.region_bins(*r))
            .collect());
    }
    let mut touched = Vec::new();
    for interval in intervals {
        touched.extend(axis.bins_within(&axis.covered(interval)?));
    }
    let place = |bin: u64| {
        let region = axis.locate(bin).region;
        (axis.sorted_regions().iter().position(|r| *r == region), bin)
    };
    touched.sort_by_key(|r| place(r.start));
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in touched {
        match merged.last_mut() {
            // Regions that are neighbours on the axis may be far apart on the genome.
            Some(last)
                if range.start <= last.end
                    && axis.locate(last.start).region == axis.locate(range.start).region =>
            {
                last.end = last.end.max(range.end);
            }
            _ => merged.push(range),
        }
    }
    Ok(merged)
}

/// Receives pieces: the experiment's place in the list, the axis bin a piece starts at, its values.
pub type PieceSink<'a, E> = dyn FnMut(usize, u64, &[f32]) -> Result<(), E> + 'a;

/// A model over a database's genome factors, streaming experiments.
pub struct Stream<'a> {
    database: &'a Database,
    model: &'a TrainedModel,
}

impl<'a> Stream<'a> {
    /// A stream over a model.
    pub fn new(database: &'a Database, model: &'a TrainedModel) -> Self {
        Stream { database, model }
    }

    /// Finds experiments and opens what their imputation reads, for walks over several parts of the axis.
    ///
    /// # Errors
    /// When the model does not know an experiment, or a track that it reads has changed.
    pub(super) fn prepare(&self, experiments: &[Experiment]) -> crate::Result<Prepared<'a>> {
        Ok(Prepared {
            database: self.database,
            model: self.model,
            places: self.places(experiments)?,
            observed: Observed::open(self.database, self.model)?,
        })
    }

    /// Imputes experiments over spans of the model's axis; `sink` gets the experiment's place, the
    /// first axis bin of a piece, and its values as the tracks are stored (arcsinh).
    ///
    /// # Errors
    /// When the model does not know an experiment, a blob is damaged, or the sink fails.
    pub fn run<E>(
        &self,
        experiments: &[Experiment],
        spans: &[Range<u64>],
        sink: &mut PieceSink<'_, E>,
    ) -> Result<(), E>
    where
        E: From<crate::Error>,
    {
        self.prepare(experiments)?.run(spans, sink)
    }

    /// As [`Stream::run`], with the network that reads stored factors and no track.
    fn run_factors<E>(
        &self,
        places: &[(usize, usize)],
        spans: &[Range<u64>],
        sink: &mut PieceSink<'_, E>,
    ) -> Result<(), E>
    where
        E: From<crate::Error>,
    {
        let expected = |(b, a): &(usize, usize)| self.model.expected_scale(*b as u32, *a as u32);
        let scales: Vec<_> = places.iter().map(expected).collect();
        let mut values = Vec::new();
        for span in spans {
            let mut first = span.start;
            while first < span.end {
                let n_bins = BLOCK_BINS.min(span.end - first) as usize;
                let at = self.model.axis().locate(first);
                let block = (self.model)
                    .block(self.database, at.region, at.chrom_bin, n_bins)
                    .map_err(crate::Error::from)?;
                values.resize(places.len() * n_bins, 0f32);
                (self.model.forward())
                    .predict(&block, places, &mut values)
                    .map_err(crate::Error::from)?;
                for (values, scale) in values.chunks_exact_mut(n_bins).zip(&scales) {
                    if let Some(scale) = scale {
                        (values.iter_mut()).for_each(|v| *v = scale.mean + scale.deviation * *v);
                    }
                }
                for (i, values) in values.chunks_exact(n_bins).enumerate() {
                    sink(i, first, values)?;
                }
                first += n_bins as u64;
            }
        }
        Ok(())
    }

    /// Where the model has the experiments' biosamples and assays.
    fn places(&self, experiments: &[Experiment]) -> Result<Vec<(usize, usize)>, StoreError> {
        let place = |e: &Experiment| {
            Ok((
                self.model.biosample(&e.biosample)?,
                self.model.assay(&e.assay)?,
            ))
        };
        experiments.iter().map(place).collect()
    }
}

/// Experiments that are ready to be imputed.
pub(super) struct Prepared<'a> {
    database: &'a Database,
    model: &'a TrainedModel,
    places: Vec<(usize, usize)>,
    observed: Option<Observed<'a>>,
}

impl Prepared<'_> {
    /// As [`Stream::run`].
    ///
    /// # Errors
    /// As [`Stream::run`].
    pub fn run<E>(&self, spans: &[Range<u64>], sink: &mut PieceSink<'_, E>) -> Result<(), E>
    where
        E: From<crate::Error>,
    {
        match &self.observed {
            Some(observed) => refined(observed, &self.places, spans, sink),
            None => Stream::new(self.database, self.model).run_factors(&self.places, spans, sink),
        }
    }
}

/// Imputes experiments (places of biosample and assay) from observed tracks.
fn refined<E>(
    observed: &Observed<'_>,
    places: &[(usize, usize)],
    spans: &[Range<u64>],
    sink: &mut PieceSink<'_, E>,
) -> Result<(), E>
where
    E: From<crate::Error>,
{
    let refinement = observed.refinement();
    let per_bin = SignalBlock::bytes_per_bin(&refinement.config, refinement.inputs.tracks.len());
    let step = (OBSERVED_BYTES / per_bin.max(1)).clamp(OBSERVED_BINS, BLOCK_BINS);
    let planned: Vec<_> = (places.iter())
        .map(|(b, a)| {
            let (b, a) = (*b as u32, *a as u32);
            (refinement.plan(b, a), refinement.expected_scale(b, a))
        })
        .collect();
    let mut values = Vec::new();
    for span in spans {
        let mut first = span.start;
        while first < span.end {
            let end = span.end.min(first + step);
            let block = observed.block(first..end).map_err(crate::Error::from)?;
            values.resize(block.n_bins(), 0f32);
            for (i, (plan, scale)) in planned.iter().enumerate() {
                refinement.predict(plan, *scale, &block, &mut values);
                sink(i, first, &values)?;
            }
            first = end;
        }
    }
    Ok(())
}

/// One experiment over the whole of the model's axis, in the axis' order, as tracks are stored.
///
/// # Errors
/// As [`Stream::run`].
pub fn impute_track(
    database: &Database,
    model: &TrainedModel,
    experiment: &Experiment,
) -> crate::Result<Vec<f32>> {
    whole(model.axis(), |spans, sink| {
        Stream::new(database, model).run(std::slice::from_ref(experiment), spans, sink)
    })
}

/// The same from the model's stored factors alone, whatever else the model reads.
///
/// # Errors
/// As [`Stream::run`].
pub(crate) fn impute_from_factors(
    database: &Database,
    model: &TrainedModel,
    experiment: &Experiment,
) -> crate::Result<Vec<f32>> {
    let stream = Stream::new(database, model);
    let places = stream.places(std::slice::from_ref(experiment))?;
    whole(model.axis(), |spans, sink| {
        stream.run_factors(&places, spans, sink)
    })
}

/// What `run` streams of one experiment over a whole axis.
fn whole(
    axis: &GenomeAxis,
    run: impl FnOnce(&[Range<u64>], &mut PieceSink<'_, crate::Error>) -> crate::Result<()>,
) -> crate::Result<Vec<f32>> {
    let mut track = vec![0f32; axis.n_bins() as usize];
    run(&spans(axis, &[])?, &mut |_, first, values| {
        track[first as usize..first as usize + values.len()].copy_from_slice(values);
        Ok(())
    })?;
    Ok(track)
}
