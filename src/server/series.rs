//! The values of an experiment: measured, imputed, the assay's average, how uncertain an imputation is.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Value, json};

use super::error::Refusal;
use super::parameters::Parameters;
use super::state::{Open, OpenModel};
use crate::compendium::{AverageActivity, Experiment};
use crate::formats::BigWigLayout;
use crate::genome::{BIN_BP, GenomeAxis, Interval};
use crate::imputation::{Inversions, SignalScale, Stream, Uncertainty, deviation_of_signal};
use crate::store::{Inversion, SignalArray, TrackRole, Transform};
use persea_vocabulary::vocabulary;

vocabulary! {
    /// What is asked of an experiment.
    pub enum Kind = Measured {
        /// The track as it was measured.
        Measured = "measured",
        /// What a model imputes.
        Imputed = "imputed",
        /// The mean of the assay over the other biosamples' tracks, but for those that the model holds out.
        Average = "average",
        /// The standard deviation of what would be observed about what is imputed.
        Deviation = "deviation",
    }
}

/// The most bins that one answer of `signal` reads.
const MOST_BINS: u64 = 4_000_000;

/// An experiment's values along an axis.
pub(super) struct Series {
    source: Source,
    inversion: Inversion,
    kind: Kind,
    experiment: Experiment,
    /// Unlike that of a series with other values.
    pub key: Arc<str>,
}

enum Source {
    Measured(Box<SignalArray>),
    Average(AverageActivity),
    Model(Arc<OpenModel>),
}

impl Series {
    /// Opens the values of an experiment.
    pub fn open(
        open: &Open,
        kind: Kind,
        experiment: Experiment,
        model: Option<&str>,
    ) -> Result<Self, Refusal> {
        let database = &open.database;
        let Experiment { biosample, assay } = &experiment;
        let tracks = database.tracks()?;
        let of_assay = tracks.iter().find(|t| t.assay == *assay);
        let transform = of_assay.map_or(Transform::Arcsinh, |t| t.transform);
        let mut inversion = Inversion::of(transform);
        let (source, version) = match kind {
            Kind::Measured => {
                let found = tracks
                    .iter()
                    .find(|t| t.biosample == *biosample && t.assay == *assay);
                let Some(track) = found else {
                    return Err(database.no_such_track(biosample, assay)?.into());
                };
                inversion = track.inversion();
                (
                    Source::Measured(Box::new(database.signal(track)?)),
                    track.array.clone(),
                )
            }
            Kind::Average => {
                let model = match model {
                    Some(name) => Some(database.read_model(Some(name))?),
                    None => open.default_model()?,
                };
                let held = |b: &str, a: &str| {
                    let tracks = model.iter().flat_map(|m| &m.record.tracks);
                    let mut held = tracks.filter(|t| t.role == TrackRole::Hold);
                    held.any(|t| t.biosample == b && t.assay == a)
                };
                let training: Vec<(&str, &str)> = tracks
                    .iter()
                    .map(|t| (t.biosample.as_str(), t.assay.as_str()))
                    .filter(|(b, a)| !held(b, a))
                    .collect();
                let average = AverageActivity::open(database, assay, &training, biosample)?;
                let Some(average) = average else {
                    let message = format!("no other biosample than {biosample} has {assay}");
                    return Err(Refusal::new(axum::http::StatusCode::NOT_FOUND, message));
                };
                let arrays: Vec<&str> = tracks.iter().map(|t| t.array.as_str()).collect();
                // A database without a model holds nothing out.
                let model = model.map(|m| m.checksum).unwrap_or_default();
                (
                    Source::Average(average),
                    format!("{model} {}", arrays.join(" ")),
                )
            }
            Kind::Imputed | Kind::Deviation => {
                let model = open.model(model)?;
                model.model.biosample(biosample)?;
                model.model.assay(assay)?;
                if kind == Kind::Deviation {
                    Uncertainty::of(&model.model, &experiment)?;
                }
                let inversions =
                    Inversions::new(database, Some(&model.model), SignalScale::Signal)?;
                inversion = inversions.of(&experiment);
                let version = model.model.stored().checksum.clone();
                (Source::Model(model), version)
            }
        };
        let law = inversion.normalisation;
        let text = format!("{} {version} {biosample:?} {assay:?} {law:?}", kind.name());
        let key = blake3::hash(text.as_bytes()).to_hex().as_str().into();
        Ok(Series {
            source,
            inversion,
            kind,
            experiment,
            key,
        })
    }

    /// The axis that its bins are of.
    pub fn axis<'a>(&'a self, open: &'a Open) -> &'a GenomeAxis {
        match &self.source {
            Source::Model(model) => model.model.axis(),
            _ => open.database.axis(),
        }
    }

    /// Where a bigWig of it has what.
    pub fn layout(&self, open: &Open) -> Arc<BigWigLayout> {
        match &self.source {
            Source::Model(model) => model.layout(),
            _ => open.layout(true),
        }
    }

    /// Values of bins of one region as they are stored (arcsinh), NaN without data; of a deviation on
    /// the signal's scale where `is_signal`, otherwise on the stored one.
    pub fn stored(
        &self,
        open: &Open,
        bins: Range<u64>,
        is_signal: bool,
    ) -> Result<Vec<f32>, Refusal> {
        let mut values = vec![0f32; (bins.end - bins.start) as usize];
        match &self.source {
            Source::Measured(signal) => signal.read(bins, &mut values)?,
            Source::Average(average) => average.read(bins, &mut values)?,
            Source::Model(model) => {
                let experiments = std::slice::from_ref(&self.experiment);
                let stream = Stream::new(&open.database, &model.model);
                let spans = [bins.clone()];
                stream.run::<crate::Error>(experiments, &spans, &mut |_, first, piece| {
                    let at = (first - bins.start) as usize;
                    values[at..at + piece.len()].copy_from_slice(piece);
                    Ok(())
                })?;
                if self.kind == Kind::Deviation {
                    let uncertainty = Uncertainty::of(&model.model, &self.experiment)?;
                    for value in &mut values {
                        let deviation = uncertainty.deviation(*value);
                        *value = match is_signal {
                            true => deviation_of_signal(self.inversion, *value, deviation),
                            false => deviation,
                        };
                    }
                }
            }
        }
        Ok(values)
    }

    /// As [`Series::stored`], on the scale of the signal that was measured: what `persea impute` writes.
    pub fn signal(&self, open: &Open, bins: Range<u64>) -> Result<Vec<f32>, Refusal> {
        let mut values = self.stored(open, bins, true)?;
        if self.kind != Kind::Deviation {
            for value in &mut values {
                *value = self.inversion.apply(*value);
            }
        }
        Ok(values)
    }
}

/// `GET /api/v1/signal`.
pub(super) const SIGNAL: &[&str] = &[
    "biosample",
    "assay",
    "kind",
    "chrom",
    "start",
    "end",
    "points",
    "scale",
    "model",
];

pub(super) fn signal(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let kind = p.choice::<Kind>("kind")?.unwrap_or_default();
    let experiment = Experiment::new(p.required("biosample")?, p.required("assay")?);
    let is_signal = match p.text("scale").unwrap_or("signal") {
        "signal" => true,
        "arcsinh" => false,
        other => {
            let message = format!("`{other}` is no scale: give signal or arcsinh");
            return Err(Refusal::bad(message));
        }
    };
    let points = p.number("points", 1_000, 1..=5_000)?;
    let start = p.number("start", 0, 0..=u64::from(u32::MAX))?;
    let end = p.number("end", start + 1, start + 1..=u64::from(u32::MAX))?;
    let series = Series::open(open, kind, experiment.clone(), p.text("model"))?;
    let axis = series.axis(open);
    let interval = axis.covered(&Interval::new(p.required("chrom")?, start, end))?;
    let n_bins = (interval.end - interval.start).div_ceil(BIN_BP);
    if n_bins > MOST_BINS {
        let message = format!("{n_bins} bins are too many at once: ask for {MOST_BINS} or fewer");
        return Err(Refusal::bad(message));
    }
    // A point is the mean of as many whole bins as keep the answer within its points.
    let per_point = n_bins.div_ceil(points).max(1);
    let mut stretches = Vec::new();
    for bins in axis.bins_within(&interval) {
        let values = match is_signal {
            true => series.signal(open, bins.clone())?,
            false => series.stored(open, bins.clone(), false)?,
        };
        let means: Vec<Value> = values.chunks(per_point as usize).map(mean).collect();
        stretches.push(json!({
            "start": axis.bin_interval(bins.start).start,
            "end": axis.bin_interval(bins.end - 1).end,
            "values": means,
        }));
    }
    Ok(json!({
        "biosample": experiment.biosample,
        "assay": experiment.assay,
        "kind": kind.name(),
        "scale": if is_signal { "signal" } else { "arcsinh" },
        "chrom": interval.chrom,
        "step": per_point * BIN_BP,
        "stretches": stretches,
    }))
}

/// The mean over bins with data; `null` without any.
fn mean(values: &[f32]) -> Value {
    let known = || values.iter().filter(|v| !v.is_nan());
    let n = known().count();
    let sum: f64 = known().map(|v| f64::from(*v)).sum();
    match n {
        0 => Value::Null,
        1 => json!(sum as f32),
        n => json!((sum / n as f64) as f32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_leaves_out_bins_without_data() {
        assert_eq!(mean(&[1.0, f32::NAN, 2.0]), json!(1.5f32));
        assert_eq!(mean(&[f32::NAN]), Value::Null);
    }
}
