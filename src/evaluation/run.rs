//! A stored model scored on tracks that it was not trained on, the baselines beside it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::found::paired;
use super::learned::{Learned, Learning, choose};
use super::options::imputation_settings;
use super::peaks::PeakStrata;
use super::targets::{Target, targets};
use super::{
    AnnotationBins, Baseline, BaselineStatistics, Definitions, EvaluateOptions, Evaluation,
    EvaluationError, EvaluationShard, IntervalsByStratum, LearnedBaseline, LearnedChoice,
    MeanEvaluation, Scorer, ScoringContext, ScoringScale, TargetBaselines, TrackEvaluation,
    TrackMeasures, bin_variance, to_signal_scale,
};
use crate::compendium::{
    Experiment, ManifestTrack, Replicates, TracksOnAxis, law_of_values, read_track,
};
use crate::files::FileError;
use crate::formats::Location;
use crate::genome::{Gene, GenomeAxis, Interval, Mask, read_bed};
use crate::imputation::{Uncertainty, impute_from_factors, impute_track};
use crate::model::{TrackScale, TrainedModel};
use crate::store::{Database, ModelTrack, StoreError, Track, TrackRole};

/// Bins that are read of every training track at once.
const STRETCH: u64 = 1 << 16;

/// What the whole evaluation shares.
struct EvaluationContext<'a> {
    database: &'a Database,
    model: &'a TrainedModel,
    axis: &'a GenomeAxis,
    mask: Mask,
    annotation: AnnotationBins,
    genes: Vec<Gene>,
    enhancers: Vec<Interval>,
    definitions: Definitions,
    training: Vec<Track>,
    signal: TracksOnAxis,
    scale: ScoringScale,
}

/// Scores a model; `progress` is called for each track that is done.
///
/// ```
/// use persea::compendium::{ColumnMap, Manifest};
/// use persea::evaluation::{EvaluateOptions, ScoringScale, evaluate};
/// use persea::model::TrainedModel;
///
/// # let (folder, database) = persea::search::example_database()?;
/// # let folder = folder.path();
/// // A track that the database does not have.
/// std::fs::write(folder.join("x.bedGraph"), "chr1\t30000\t40000\t1.5\n")?;
/// std::fs::write(folder.join("truth.tsv"), "biosample\tassay\tpath\nS1\tA2\tx.bedGraph\n")?;
/// let options = EvaluateOptions {
///     truth: Some(Manifest::read(&folder.join("truth.tsv"), &ColumnMap::default())?),
///     ..EvaluateOptions::default()
/// };
/// let model = TrainedModel::open(&database, None)?;
/// let found = evaluate(&database, &model, ScoringScale::Arcsinh, &options, &mut |_, _| {})?;
/// assert_eq!((found.tracks.len(), found.tracks[0].assay.as_str()), (1, "A2"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there is nothing to score, a track was trained on, the model does not know it, or a file or
/// blob cannot be read.
pub fn evaluate(
    database: &Database,
    model: &TrainedModel,
    scale: ScoringScale,
    options: &EvaluateOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> crate::Result<Evaluation> {
    let axis = model.axis();
    let mut mask = Mask::new(axis, &database.mask_intervals()?);
    if !options.within.is_empty() {
        mask.keep_within(axis, &options.within);
    }
    if mask.n_masked() as u64 == axis.n_bins() {
        return Err(EvaluationError::NoBins {
            model: model.record().name.clone(),
        }
        .into());
    }
    let (genes, enhancers) = (database.genes()?, database.enhancers()?);
    let stored = database.tracks()?;
    let trained_on = |b: &str, a: &str| {
        (model.record().tracks.iter())
            .any(|t| t.role != TrackRole::Hold && t.biosample == b && t.assay == a)
    };
    let training: Vec<Track> = stored
        .iter()
        .filter(|t| trained_on(&t.biosample, &t.assay))
        .cloned()
        .collect();
    tell_of_removed(model, &stored, options);
    let context = EvaluationContext {
        annotation: AnnotationBins::new(axis, &mask, (&genes, &enhancers), options.definitions),
        genes,
        enhancers,
        definitions: options.definitions,
        signal: TracksOnAxis::open(database, axis, &training)?,
        database,
        model,
        axis,
        mask,
        training,
        scale,
    };
    let targets = targets(context.model, &stored, options)?;
    let experiments: Vec<Experiment> = targets.iter().map(Target::experiment).collect();
    for e in &experiments {
        model.biosample(&e.biosample)?;
        model.assay(&e.assay)?;
        if trained_on(&e.biosample, &e.assay) {
            return Err(EvaluationError::TrainedOn {
                experiment: e.clone(),
            }
            .into());
        }
    }
    let is_scored = |i: usize| options.shard.is_none_or(|shard| shard.has(i));
    let scored = (0..experiments.len()).filter(|i| is_scored(*i));
    let scored: Vec<Experiment> = scored.map(|i| experiments[i].clone()).collect();
    let (baselines, mut is_zero) = context.baselines(&scored)?;
    let mut baselines = baselines.iter();
    let peaks = match &options.peaks {
        Some(manifest) => Some((manifest.tracks(Replicates::Refuse)?.0, manifest)),
        None => None,
    };
    let choices = (options.learned.iter())
        .map(|which| context.learning(|learning| choose(*which, learning)))
        .collect::<crate::Result<Vec<LearnedChoice>>>()?;
    let mut tracks = Vec::with_capacity(scored.len());
    let mut places = Vec::with_capacity(scored.len());
    for (i, target) in targets.iter().enumerate() {
        if !is_scored(i) {
            // Which bins are 0 in all tracks is a matter of all shards.
            clear_nonzero(&mut is_zero, &context.observed(target)?);
            continue;
        }
        let Some(baselines) = baselines.next() else {
            return Err(crate::Bug::new("a track to score has no baselines").into());
        };
        let of_target = |t: &&ManifestTrack| {
            t.biosample == experiments[i].biosample && t.assay == experiments[i].assay
        };
        let called = peaks
            .as_ref()
            .and_then(|(list, _)| list.iter().find(of_target));
        match context.score(target, baselines, called, &choices, &mut is_zero)? {
            Some(scored) => {
                tracks.push(scored);
                places.push(i);
            }
            None => tracing::warn!(
                "{} has no data in any bin to score, and is left out",
                experiments[i]
            ),
        }
        progress(i + 1, targets.len());
    }
    if tracks.is_empty() && options.shard.is_none() {
        let why = "none of the tracks to score has data in any bin that is not masked";
        return Err(StoreError::Invalid(why.into()).into());
    }
    let learned: Vec<&'static str> = choices.iter().map(|c| c.baseline).collect();
    let shard = options.shard.map(|shard| {
        let all: Vec<[&str; 2]> = (experiments.iter())
            .map(|e| [&*e.biosample, &*e.assay])
            .collect();
        EvaluationShard {
            shard: shard.to_string(),
            model_checksum: model.stored().checksum.clone(),
            settings: imputation_settings(scale, options, &all),
            places,
        }
    });
    Ok(Evaluation {
        model: model.record().name.clone(),
        scale,
        definitions: options.definitions,
        n_bins: axis.n_bins() - context.mask.n_masked() as u64,
        n_zero_bins: is_zero.iter().filter(|zero| **zero).count() as u64,
        paired: paired(&tracks),
        mean: MeanEvaluation::of(&tracks, &learned),
        tracks,
        choices,
        shard,
    })
}

/// Leaves those bins marked as zero that a track has no data in, or 0.
fn clear_nonzero(is_zero: &mut [bool], observed: &[f32]) {
    for (zero, value) in is_zero.iter_mut().zip(observed) {
        *zero &= *value == 0.0 || value.is_nan();
    }
}

/// Warns of the model's tracks that the database has no more: scores and baselines are of the rest.
fn tell_of_removed(model: &TrainedModel, stored: &[Track], options: &EvaluateOptions) {
    // An imported model's were never here.
    if model.record().training.get("imported").is_some() {
        return;
    }
    let is_stored =
        |t: &&ModelTrack| (stored.iter()).any(|s| s.biosample == t.biosample && s.assay == t.assay);
    for track in model.record().tracks.iter().filter(|t| !is_stored(t)) {
        let what = match track.role {
            TrackRole::Hold if options.truth.is_some() => continue,
            TrackRole::Hold => "held out; it is not scored",
            _ => "trained on; the baselines are made without it",
        };
        tracing::warn!(
            "{} {} has been removed from the database, and was {what}",
            track.biosample,
            track.assay
        );
    }
}

impl EvaluationContext<'_> {
    /// The stretches that whole tracks are read in.
    fn stretches(&self) -> impl Iterator<Item = std::ops::Range<u64>> + use<> {
        let n = self.axis.n_bins();
        (0..n.div_ceil(STRETCH)).map(move |i| i * STRETCH..((i + 1) * STRETCH).min(n))
    }

    /// Reads the given training tracks over a stretch; the others stay empty.
    fn read(
        &self,
        needed: &[usize],
        bins: &std::ops::Range<u64>,
    ) -> Result<Vec<Vec<f32>>, StoreError> {
        let mut tracks = vec![Vec::new(); self.training.len()];
        for i in needed {
            let mut values = vec![0f32; (bins.end - bins.start) as usize];
            self.signal.read(*i, bins.clone(), &mut values)?;
            tracks[*i] = values;
        }
        Ok(tracks)
    }

    /// Each target's baselines, fitted; and which unmasked bins are 0 in all training tracks.
    fn baselines(
        &self,
        targets: &[Experiment],
    ) -> crate::Result<(Vec<TargetBaselines>, Vec<bool>)> {
        let mut statistics = BaselineStatistics::new(&self.experiments(), targets);
        let all: Vec<usize> = (0..self.training.len()).collect();
        let mut is_zero = Vec::with_capacity(self.axis.n_bins() as usize);
        for bins in self.stretches() {
            let tracks = self.read(&all, &bins)?;
            let slices: Vec<&[f32]> = tracks.iter().map(Vec::as_slice).collect();
            let masked = &self.mask.as_slice()[bins.start as usize..bins.end as usize];
            let zero = |bin: usize| {
                let is_zero = |t: &&[f32]| t[bin] == 0.0 || t[bin].is_nan();
                !masked[bin] && slices.iter().all(is_zero)
            };
            is_zero.extend((0..masked.len()).map(zero));
            statistics.push(&slices, Some(masked))?;
        }
        Ok((statistics.finish(), is_zero))
    }

    /// Scores a track; `None` of one without data in any bin that is not masked.
    fn score(
        &self,
        target: &Target,
        baselines: &TargetBaselines,
        peaks: Option<&ManifestTrack>,
        choices: &[LearnedChoice],
        is_zero: &mut [bool],
    ) -> crate::Result<Option<TrackEvaluation>> {
        let experiment = target.experiment();
        let observed = self.observed(target)?;
        clear_nonzero(is_zero, &observed);
        // A bin at which the track has no data is to it as a masked one.
        let lacks: Vec<bool> = observed.iter().map(|v| v.is_nan()).collect();
        let own = (lacks.contains(&true)).then(|| self.without(&lacks));
        let (mask, annotation) = match &own {
            Some((mask, annotation)) => (mask, annotation),
            None => (&self.mask, &self.annotation),
        };
        let n_bins = self.axis.n_bins() - mask.n_masked() as u64;
        if n_bins == 0 {
            return Ok(None);
        }
        let observed = self.scaled(observed);
        let imputed = impute_track(self.database, self.model, &experiment)?;
        let is_measured = (self.model.refinement()).is_some_and(|r| r.spread.is_measured());
        let intervals = match is_measured && self.scale == ScoringScale::Arcsinh {
            true => {
                let uncertainty = Uncertainty::of(self.model, &experiment)?;
                let bins = observed.iter().zip(&imputed).zip(mask.as_slice());
                let kept = bins.filter(|(_, masked)| !**masked);
                let bins = kept.map(|((o, i), _)| (*o, *i, uncertainty.deviation(*i)));
                let ends = |imputed| uncertainty.interval_ends(imputed);
                IntervalsByStratum::of(bins.collect(), &ends)
            }
            false => None,
        };
        let imputed = self.scaled(imputed);
        let variance = self.variance(&experiment.assay)?;
        let called = peaks.map(|p| self.called(p)).transpose()?;
        let context = ScoringContext {
            masked: Some(mask.as_slice()),
            promoter_bins: Some(&annotation.promoters),
            gene_bins: Some(&annotation.genes),
            enhancer_bins: Some(&annotation.enhancers),
            variance: variance.as_deref(),
            peaks: called.as_deref(),
            definitions: self.definitions,
        };
        let scorer = Scorer::new(&observed, context)?;
        let average = self.baseline(baselines, Baseline::AverageActivity)?;
        let mut strata = PeakStrata::new(&observed, mask.as_slice());
        for other in &baselines.average {
            strata.other(&self.scaled(self.signal.read_all(*other)?));
        }
        let mut measure = |name: &'static str, values: &[f32]| -> crate::Result<TrackMeasures> {
            strata.score(name, values);
            Ok(scorer.score(values, average.as_deref())?)
        };
        let measures = measure("model", &imputed)?;
        let mut simple = |baseline: Baseline| -> crate::Result<TrackMeasures> {
            Ok(match self.baseline(baselines, baseline)? {
                Some(values) => measure(baseline.name(), &values)?,
                None => TrackMeasures::default(),
            })
        };
        let average_activity = simple(Baseline::AverageActivity)?;
        let calibrated_average = simple(Baseline::CalibratedAverage)?;
        let nearest_biosample = simple(Baseline::NearestBiosample)?;
        let additive = simple(Baseline::Additive)?;
        let mut learned = BTreeMap::new();
        for choice in choices {
            let measures = match self.learned(choice, &experiment)? {
                Some(values) => measure(choice.baseline, &values)?,
                None => TrackMeasures::default(),
            };
            learned.insert(choice.baseline, measures);
        }
        Ok(Some(TrackEvaluation {
            measures,
            average_activity,
            calibrated_average,
            nearest_biosample,
            additive,
            learned,
            peaks: strata.finish(),
            intervals,
            n_bins,
            biosample: experiment.biosample,
            assay: experiment.assay,
        }))
    }

    /// Brings a track that was never stored to the reference of its assay, if the stored tracks are normalised.
    fn normalise_as_stored(&self, track: &ManifestTrack, values: &mut [f32]) -> crate::Result<()> {
        let references = self.database.references()?;
        let Some(reference) = references.get(&track.assay) else {
            return Ok(());
        };
        match law_of_values(values, &self.mask, self.axis, self.database, reference)? {
            Ok(law) => values.iter_mut().for_each(|v| *v = law.apply(*v)),
            Err(why) => tracing::warn!(
                "{} {}: its assay is normalised, and this track cannot be: {why}; it is scored as it was read",
                track.biosample,
                track.assay
            ),
        }
        Ok(())
    }

    /// The mask and the annotation where some bins are left out as well.
    fn without(&self, left_out: &[bool]) -> (Mask, AnnotationBins) {
        let mut mask = self.mask.clone();
        mask.leave_out(left_out);
        let annotation = (self.genes.as_slice(), self.enhancers.as_slice());
        let annotation = AnnotationBins::new(self.axis, &mask, annotation, self.definitions);
        (mask, annotation)
    }

    fn scaled(&self, values: Vec<f32>) -> Vec<f32> {
        match self.scale {
            ScoringScale::Arcsinh => values,
            ScoringScale::Signal => to_signal_scale(&values),
        }
    }

    fn observed(&self, target: &Target) -> crate::Result<Vec<f32>> {
        match target {
            Target::Stored(track) => {
                let track = TracksOnAxis::open(
                    self.database,
                    self.axis,
                    std::slice::from_ref(track.as_ref()),
                )?;
                Ok(track.read_all(0)?)
            }
            Target::File(track) => {
                let mut values = vec![0f32; self.axis.n_bins() as usize];
                // Arrays hold the regions of the database's axis, which may be more than the model's.
                let whole = self.database.axis();
                let starts = self.axis.starts_in(whole)?;
                let mut all = vec![0f32; whole.n_bins() as usize];
                read_track(track, whole, &std::env::temp_dir(), &mut |first, piece| {
                    all[first as usize..first as usize + piece.len()].copy_from_slice(piece);
                    Ok(())
                })?;
                for (region, start) in starts.iter().enumerate() {
                    let bins = self.axis.region_bins(region);
                    let n = (bins.end - bins.start) as usize;
                    values[bins.start as usize..bins.end as usize]
                        .copy_from_slice(&all[*start as usize..*start as usize + n]);
                }
                self.normalise_as_stored(track, &mut values)?;
                Ok(values)
            }
        }
    }

    /// A baseline over the whole axis, on the scale asked for.
    fn baseline(
        &self,
        baselines: &TargetBaselines,
        which: Baseline,
    ) -> crate::Result<Option<Vec<f32>>> {
        let needed = baselines.needed(which);
        let mut values = Vec::with_capacity(self.axis.n_bins() as usize);
        for bins in self.stretches() {
            let tracks = self.read(&needed, &bins)?;
            let slices: Vec<&[f32]> = tracks.iter().map(Vec::as_slice).collect();
            match baselines.impute(which, &slices)? {
                Some(stretch) => values.extend(stretch),
                None => return Ok(None),
            }
        }
        Ok(Some(self.scaled(values)))
    }

    /// Calls `with` with what trained baselines learn from: the training tracks.
    fn learning<T>(&self, with: impl FnOnce(&Learning<'_>) -> T) -> T {
        let read = |track: usize, bins: Range<u64>| {
            let mut values = vec![0f32; (bins.end - bins.start) as usize];
            self.signal.read(track, bins, &mut values)?;
            Ok(values)
        };
        let tracks = self.training.iter();
        let scales: Vec<TrackScale> = tracks
            .map(|t| TrackScale::new(t.mean, t.variance))
            .collect();
        with(&Learning {
            training: &self.experiments(),
            scales: &scales,
            axis: self.axis,
            mask: &self.mask,
            read: &read,
        })
    }

    /// A trained baseline over the whole axis, on the scale asked for.
    fn learned(
        &self,
        choice: &LearnedChoice,
        target: &Experiment,
    ) -> crate::Result<Option<Vec<f32>>> {
        if choice.baseline == LearnedBaseline::Factors.name() {
            let imputed = impute_from_factors(self.database, self.model, target)?;
            return Ok(Some(self.scaled(imputed)));
        }
        self.learning(|learning| {
            let settings = choice.chosen.as_ref().map(|c| c.settings);
            let Some(fitted) = Learned::fit(settings, target, learning)? else {
                return Ok(None);
            };
            Ok(Some(self.scaled(fitted.impute(learning)?)))
        })
    }

    fn experiments(&self) -> Vec<Experiment> {
        let tracks = self.training.iter();
        tracks
            .map(|t| Experiment::new(&t.biosample, &t.assay))
            .collect()
    }

    /// The variance of an assay's training tracks at every bin, on the scale asked for, where there are
    /// two.
    fn variance(&self, assay: &str) -> crate::Result<Option<Vec<f32>>> {
        let of_assay: Vec<usize> = (0..self.training.len())
            .filter(|i| self.training[*i].assay == assay)
            .collect();
        let mut values = Vec::with_capacity(self.axis.n_bins() as usize);
        for bins in self.stretches() {
            let mut tracks = self.read(&of_assay, &bins)?;
            let scaled: Vec<Vec<f32>> = (of_assay.iter())
                .map(|i| self.scaled(std::mem::take(&mut tracks[*i])))
                .collect();
            let slices: Vec<&[f32]> = scaled.iter().map(Vec::as_slice).collect();
            match bin_variance(&slices) {
                Some(stretch) => values.extend(stretch),
                None => return Ok(None),
            }
        }
        Ok(Some(values))
    }

    /// Which bins a peak of the files touches.
    fn called(&self, peaks: &ManifestTrack) -> crate::Result<Vec<bool>> {
        let mut called = vec![false; self.axis.n_bins() as usize];
        for row in &peaks.rows {
            let Location::Path(path) = &row.location else {
                let why = "called peaks are read from local files only";
                return Err(FileError::file(&row.location, why).into());
            };
            for (peak, _) in read_bed(path, self.axis.assembly())? {
                for bins in self.axis.bins_within(&peak) {
                    called[bins.start as usize..bins.end as usize].fill(true);
                }
            }
        }
        Ok(called)
    }
}
