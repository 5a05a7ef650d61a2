//! An assay in every biosample: measured where it was measured, imputed elsewhere.

use std::ops::Range;

use crate::compendium::{Experiment, TracksOnAxis};
use crate::genome::GenomeAxis;
use crate::imputation::Stream;
use crate::model::TrainedModel;
use crate::store::{Database, StoreError, Track};

/// Bins of every experiment that are in memory at once.
const PIECE_BINS: u64 = 1 << 14;

/// Where an experiment's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A track of the database.
    Measured,
    /// The model.
    Imputed,
}

impl Source {
    /// The name in results: `measured`, `imputed`.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Measured => "measured",
            Source::Imputed => "imputed",
        }
    }
}

/// An experiment whose values can be read, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct SourcedExperiment {
    /// Which.
    pub experiment: Experiment,
    /// Measured or imputed.
    pub source: Source,
}

/// A database, and the model that imputes what was not measured, if there is one.
pub struct CompletedCompendium<'a> {
    database: &'a Database,
    model: Option<TrainedModel>,
    axis: GenomeAxis,
}

impl<'a> CompletedCompendium<'a> {
    /// With the model of that name; with the default one when no name is given; with none, so that
    /// only measured tracks are seen, when the database has no model that imputes or `measured_only` is
    /// set.
    ///
    /// # Errors
    /// When there is no model of that name, or it is damaged.
    pub fn open(
        database: &'a Database,
        model: Option<&str>,
        measured_only: bool,
    ) -> crate::Result<Self> {
        let model = match measured_only {
            true => None,
            false => TrainedModel::open_if_any(database, model)?,
        };
        let axis = model.as_ref().map_or(database.axis(), TrainedModel::axis);
        Ok(CompletedCompendium {
            axis: axis.clone(),
            database,
            model,
        })
    }

    /// The database.
    pub fn database(&self) -> &'a Database {
        self.database
    }

    /// The model, if there is one.
    pub fn model(&self) -> Option<&TrainedModel> {
        self.model.as_ref()
    }

    /// The bins that values are read by: the model's axis, or the database's.
    pub fn axis(&self) -> &GenomeAxis {
        &self.axis
    }

    /// The experiments of an assay, one a biosample: the model's biosamples in their order, then
    /// those that only the database has.
    ///
    /// # Errors
    /// When neither has such an assay; the nearest names are given.
    pub fn of_assay(&self, assay: &str) -> crate::Result<Vec<SourcedExperiment>> {
        let tracks = self.database.tracks()?;
        let imputes =
            (self.model.as_ref()).filter(|m| m.record().assays.iter().any(|a| a == assay));
        if imputes.is_none() && !tracks.iter().any(|t| t.assay == assay) {
            let of_model = self.model.iter().flat_map(|m| &m.record().assays);
            let known = of_model.chain(tracks.iter().map(|t| &t.assay));
            return Err(StoreError::unknown("assay", assay, known.map(String::as_str)).into());
        }
        let measured = |b: &str| tracks.iter().any(|t| t.biosample == b && t.assay == assay);
        let mut found: Vec<SourcedExperiment> = Vec::new();
        for biosample in imputes.iter().flat_map(|m| &m.record().biosamples) {
            let source = match measured(biosample) {
                true => Source::Measured,
                false => Source::Imputed,
            };
            found.push(SourcedExperiment {
                experiment: Experiment::new(biosample, assay),
                source,
            });
        }
        for track in tracks.iter().filter(|t| t.assay == assay) {
            if !(found.iter()).any(|f| f.experiment.biosample == track.biosample) {
                found.push(SourcedExperiment {
                    experiment: Experiment::new(&track.biosample, assay),
                    source: Source::Measured,
                });
            }
        }
        Ok(found)
    }

    /// All assays that there is a track of or that the model imputes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn assays(&self) -> crate::Result<Vec<String>> {
        let mut names: Vec<String> = (self.model.iter())
            .flat_map(|m| m.record().assays.iter().cloned())
            .collect();
        for track in self.database.tracks()? {
            if !names.contains(&track.assay) {
                names.push(track.assay);
            }
        }
        Ok(names)
    }

    /// One experiment of an assay.
    ///
    /// # Errors
    /// When it was not measured and cannot be imputed; the nearest names are given.
    pub fn experiment(&self, biosample: &str, assay: &str) -> crate::Result<SourcedExperiment> {
        let all = self.of_assay(assay)?;
        let known: Vec<String> = (all.iter())
            .map(|e| e.experiment.biosample.clone())
            .collect();
        let found = (all.into_iter()).find(|e| e.experiment.biosample == biosample);
        found.ok_or_else(|| {
            let known = known.iter().map(String::as_str);
            StoreError::unknown("biosample", biosample, known).into()
        })
    }

    /// Opens experiments for reading.
    ///
    /// # Errors
    /// When a track has been removed or cannot be opened.
    pub(crate) fn reader(&self, experiments: &[SourcedExperiment]) -> crate::Result<Reader<'_>> {
        let mut tracks: Vec<Track> = Vec::new();
        let mut places = Vec::with_capacity(experiments.len());
        let mut imputed = Vec::new();
        for sourced in experiments {
            let Experiment { biosample, assay } = &sourced.experiment;
            match sourced.source {
                Source::Imputed => {
                    places.push(ExperimentSource::Imputed);
                    imputed.push(sourced.experiment.clone());
                }
                Source::Measured => {
                    let Some(track) = self.database.track(biosample, assay)? else {
                        return Err(self.database.no_such_track(biosample, assay)?.into());
                    };
                    places.push(ExperimentSource::Measured(tracks.len()));
                    tracks.push(track);
                }
            }
        }
        Ok(Reader {
            signal: TracksOnAxis::open(self.database, &self.axis, &tracks)?,
            compendium: self,
            places,
            imputed,
        })
    }
}

#[derive(Debug, Clone, Copy)]
enum ExperimentSource {
    Measured(usize),
    Imputed,
}

/// Receives a piece: its bins, and the values of every experiment there, in their order.
pub type RowsSink<'a> = dyn FnMut(Range<u64>, &[Vec<f32>]) -> crate::Result<()> + 'a;

/// Some experiments, opened.
pub struct Reader<'a> {
    compendium: &'a CompletedCompendium<'a>,
    signal: TracksOnAxis,
    places: Vec<ExperimentSource>,
    imputed: Vec<Experiment>,
}

impl Reader<'_> {
    /// How many experiments.
    pub fn n_experiments(&self) -> usize {
        self.places.len()
    }

    /// Reads stretches of the axis piece by piece, on the scale that tracks are stored on (arcsinh).
    /// A piece lies in one region.
    ///
    /// # Errors
    /// When a chunk or a blob is damaged, or the sink fails.
    pub fn walk(&self, spans: &[Range<u64>], sink: &mut RowsSink<'_>) -> crate::Result<()> {
        let pieces = self.pieces(spans);
        let mut rows: Vec<Vec<f32>> = vec![Vec::new(); self.places.len()];
        let (Some(model), false) = (self.compendium.model(), self.imputed.is_empty()) else {
            for piece in pieces {
                self.read_measured(&piece, &mut rows)?;
                sink(piece, &rows)?;
            }
            return Ok(());
        };
        let row_of: Vec<usize> = (0..self.places.len())
            .filter(|i| matches!(self.places[*i], ExperimentSource::Imputed))
            .collect();
        let last = self.imputed.len() - 1;
        let stream = Stream::new(self.compendium.database, model);
        stream.run::<crate::Error>(&self.imputed, &pieces, &mut |i, first, values| {
            let row = &mut rows[row_of[i]];
            row.clear();
            row.extend_from_slice(values);
            if i < last {
                return Ok(());
            }
            let piece = first..first + values.len() as u64;
            self.read_measured(&piece, &mut rows)?;
            sink(piece, &rows)
        })
    }

    fn read_measured(&self, piece: &Range<u64>, rows: &mut [Vec<f32>]) -> crate::Result<()> {
        for (place, row) in self.places.iter().zip(rows) {
            if let ExperimentSource::Measured(track) = place {
                row.resize((piece.end - piece.start) as usize, 0.0);
                self.signal.read(*track, piece.clone(), row)?;
            }
        }
        Ok(())
    }

    /// Spans cut at regions' ends and to a bearable length.
    fn pieces(&self, spans: &[Range<u64>]) -> Vec<Range<u64>> {
        let axis = self.compendium.axis();
        let mut pieces = Vec::new();
        for span in spans {
            let mut first = span.start;
            while first < span.end {
                let own = axis.region_bins(axis.locate(first).region);
                let end = span.end.min(own.end).min(first + PIECE_BINS);
                pieces.push(first..end);
                first = end;
            }
        }
        pieces
    }
}
