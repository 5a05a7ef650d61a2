//! Options, reports and results of an ingest.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{CompendiumError, Replicates, Shard, SkippedRow};
use crate::store::ValueType;

/// How to ingest.
#[derive(Clone, Copy, Default)]
pub struct IngestOptions<'a> {
    /// How many tracks are read at a time; 0: one a core.
    pub threads: usize,
    /// What to do about two files of one experiment.
    pub replicates: Replicates,
    /// How values are stored. Where it is not given, new tracks are stored as 32-bit numbers, and those that are
    /// in stay as they are.
    pub values: Option<ValueType>,
    /// Whether the background and the peaks of the tracks of the manifest's assays are brought to their assay's
    /// reference. An assay that has a reference is normalised whether or not this is given.
    pub normalise: bool,
    /// Which of the manifest's tracks to read, by their order; all where there is none. The whole manifest is
    /// checked all the same.
    pub shard: Option<Shard>,
    /// Told of progress, from any thread.
    pub progress: Option<&'a (dyn Fn(IngestEvent<'_>) + Sync)>,
    /// Set to stop: tracks under way are given up, those that are in stay.
    pub stop: Option<&'a AtomicBool>,
}

impl IngestOptions<'_> {
    /// How many threads to work on.
    pub(super) fn n_threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    pub(super) fn tell(&self, event: IngestEvent<'_>) {
        if let Some(progress) = self.progress {
            progress(event);
        }
    }
}

/// Progress of an ingest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IngestEvent<'a> {
    /// It begins: so many tracks.
    Total {
        /// How many tracks the manifest describes.
        n_tracks: usize,
    },
    /// So many tracks more are being normalised.
    Normalising {
        /// How many.
        n_tracks: usize,
    },
    /// A track is being read, or normalised.
    Began {
        /// The track.
        experiment: &'a Experiment,
    },
    /// Bins have been read.
    Bins {
        /// How many.
        n: u64,
    },
    /// A track is done with.
    Done {
        /// The track.
        experiment: &'a Experiment,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What became of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Stored.
    Ingested,
    /// Stored in place of another state of it.
    Replaced,
    /// In already, and unchanged.
    Skipped,
    /// Not stored; what was there before, if anything, still is.
    Failed,
}

/// A possible track: a biosample and an assay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Experiment {
    /// The biosample.
    pub biosample: String,
    /// The assay.
    pub assay: String,
}

impl Experiment {
    /// An experiment by its names.
    pub fn new(biosample: impl Into<String>, assay: impl Into<String>) -> Self {
        Experiment {
            biosample: biosample.into(),
            assay: assay.into(),
        }
    }
}

impl std::fmt::Display for Experiment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.biosample, self.assay)
    }
}

/// What an ingest did, in the manifest's order.
#[derive(Debug, Default)]
pub struct IngestReport {
    /// Tracks that are new.
    pub ingested: Vec<Experiment>,
    /// Tracks that had changed.
    pub replaced: Vec<Experiment>,
    /// Tracks that were in.
    pub skipped: Vec<Experiment>,
    /// Tracks that have been normalised.
    pub normalised: Vec<Experiment>,
    /// Tracks that could not be stored, and why. The program's exit status tells of them.
    pub failed: Vec<(Experiment, CompendiumError)>,
    /// Rows that name no file.
    pub without_file: Vec<SkippedRow>,
    /// What the user should know of.
    pub warnings: Vec<String>,
    /// Tracks that were not processed, because of a stop or a failure that affects all.
    pub n_left: usize,
}
