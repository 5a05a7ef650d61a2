//! Average activity: what an assay does at a position, whoever the biosample.

use std::ops::Range;

use super::CompendiumError;
use crate::store::{Database, SignalArray, StoreError, Transform};

/// The mean of an assay's stored (transformed) signal over training tracks of other biosamples:
/// the baseline that every imputation has to beat (Schreiber et al. 2020). It never sees the
/// biosample that it is compared on. In each bin it is over the tracks that have data there. May be shared by threads.
#[derive(Debug)]
pub struct AverageActivity {
    signals: Vec<SignalArray>,
}

impl AverageActivity {
    /// Opens the training tracks of an assay but those of the excluded biosample; `None` when
    /// there is no such track, and the average is undefined.
    ///
    /// # Errors
    /// When a training track of the assay is not in the database (the nearest names are given) or
    /// cannot be opened.
    pub fn open(
        database: &Database,
        assay: &str,
        training: &[(impl AsRef<str>, impl AsRef<str>)],
        exclude_biosample: &str,
    ) -> Result<Option<Self>, CompendiumError> {
        let mut signals = Vec::new();
        for (biosample, of) in training {
            let biosample = biosample.as_ref();
            if of.as_ref() != assay || biosample == exclude_biosample {
                continue;
            }
            let Some(track) = database.track(biosample, assay)? else {
                return Err(database.no_such_track(biosample, assay)?.into());
            };
            signals.push(database.signal(&track)?);
        }
        Ok((!signals.is_empty()).then_some(AverageActivity { signals }))
    }

    /// Over how many tracks it is the mean, at most.
    pub fn n_tracks(&self) -> usize {
        self.signals.len()
    }

    /// Its values in some bins of the axis, on the stored (arcsinh) scale; `out` must be as long. NaN where
    /// none of the tracks has data.
    ///
    /// # Errors
    /// As [`SignalArray::read`].
    pub fn read(&self, bins: Range<u64>, out: &mut [f32]) -> Result<(), CompendiumError> {
        // In f64, so that the order of the tracks hardly matters.
        let mut sums = vec![(0.0f64, 0u32); out.len()];
        for signal in &self.signals {
            signal.read(bins.clone(), out)?;
            let known = sums.iter_mut().zip(&*out).filter(|(_, v)| !v.is_nan());
            for ((sum, n), value) in known {
                *sum += f64::from(*value);
                *n += 1;
            }
        }
        for (value, (sum, n)) in out.iter_mut().zip(sums) {
            // 0 / 0 is NaN.
            *value = (sum / f64::from(n)) as f32;
        }
        Ok(())
    }
}

/// Reads the average activity of some bins at once, and says over how many tracks it is the mean;
/// with 0 it is undefined, and `out` untouched. For many ranges, open [`AverageActivity`] once.
///
/// # Errors
/// As [`AverageActivity::open`] and [`AverageActivity::read`].
pub fn average_activity(
    database: &Database,
    assay: &str,
    training: &[(impl AsRef<str>, impl AsRef<str>)],
    exclude_biosample: &str,
    bins: Range<u64>,
    out: &mut [f32],
) -> Result<usize, CompendiumError> {
    match AverageActivity::open(database, assay, training, exclude_biosample)? {
        None => Ok(0),
        Some(average) => average.read(bins, out).map(|()| average.n_tracks()),
    }
}

/// What imputation of an assay gives back: the transform to invert, and the unit.
///
/// # Errors
/// When the database has no such assay (the nearest names are given), or its tracks differ (a
/// re-ingest that changes them has failed in part: repeat it).
pub fn assay_scale(
    database: &Database,
    assay: &str,
) -> Result<(Transform, Option<String>), CompendiumError> {
    let tracks = database.tracks()?;
    let mut of_assay = tracks.iter().filter(|t| t.assay == assay);
    let Some(first) = of_assay.next() else {
        let known = database.assays()?;
        let known = known.iter().map(|a| a.name.as_str());
        return Err(StoreError::unknown("assay", assay, known).into());
    };
    match of_assay.find(|t| (t.transform, &t.unit) != (first.transform, &first.unit)) {
        None => Ok((first.transform, first.unit.clone())),
        Some(other) => Err(CompendiumError::Invalid(format!(
            "the tracks of {assay} in {} and {} differ in unit or transform; ingest the manifest \
             that changed one of them again",
            first.biosample, other.biosample
        ))),
    }
}
