//! The observed tracks that a model imputes from.

use std::ops::Range;

use super::ImputationError;
use crate::compendium::TracksOnAxis;
use crate::model::{Refinement, SignalBlock, TrainedModel};
use crate::store::{Database, StoreError, Track, TrackRole};

/// The stored tracks that a model reads, of the roles wanted and in the model's order.
///
/// # Errors
/// When one has been removed or has changed since training.
pub fn tracks_read(
    database: &Database,
    model: &TrainedModel,
    is_wanted: impl Fn(TrackRole) -> bool,
) -> crate::Result<Vec<Track>> {
    let stored = database.tracks()?;
    let mut tracks = Vec::new();
    for read in (model.record().tracks.iter()).filter(|t| is_wanted(t.role)) {
        let (b, a) = (&read.biosample, &read.assay);
        let found = stored.iter().find(|t| t.biosample == *b && t.assay == *a);
        let change = match found {
            Some(track) if track.checksum == read.checksum => {
                tracks.push(track.clone());
                continue;
            }
            Some(_) => "has changed since the model was trained",
            None => "has been removed from the database",
        };
        return Err(ImputationError::TrackChanged {
            model: model.record().name.clone(),
            biosample: b.clone(),
            assay: a.clone(),
            change,
        }
        .into());
    }
    Ok(tracks)
}

/// The input tracks of a model with a refinement, opened.
pub struct Observed<'a> {
    model: &'a TrainedModel,
    refinement: &'a Refinement,
    signal: TracksOnAxis,
}

impl<'a> Observed<'a> {
    /// Opens them; `None` where the model imputes from its factors alone.
    ///
    /// # Errors
    /// When a track that the model reads has been removed or has changed since, or an array cannot
    /// be opened.
    pub fn open(database: &Database, model: &'a TrainedModel) -> crate::Result<Option<Self>> {
        let Some(refinement) = model.refinement() else {
            return Ok(None);
        };
        let tracks = tracks_read(database, model, |role| role != TrackRole::Hold)?;
        Ok(Some(Observed {
            signal: TracksOnAxis::open(database, model.axis(), &tracks)?,
            model,
            refinement,
        }))
    }

    /// What the tracks are read for.
    pub fn refinement(&self) -> &'a Refinement {
        self.refinement
    }

    /// The signal of consecutive bins of one region of the model's axis, described.
    ///
    /// # Errors
    /// When a chunk is damaged or cannot be read.
    pub fn block(&self, bins: Range<u64>) -> Result<SignalBlock, StoreError> {
        let axis = self.model.axis();
        let region = axis.region_bins(axis.locate(bins.start).region);
        let config = &self.refinement.config;
        let (reading, start) = SignalBlock::reading(config, &bins, &region);
        SignalBlock::load(
            config,
            &self.refinement.inputs,
            (reading.end - reading.start) as usize,
            start,
            (bins.end - bins.start) as usize,
            |track, out| self.signal.read(track, reading.clone(), out),
        )
    }
}
