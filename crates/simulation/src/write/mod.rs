//! A simulation as the files that a user would have.

mod files;
mod readme;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{SignalKind, SimulatedTrack, Simulation, SimulationError};
use files::{Files, staging};
use persea_signal::{Format, create_signal};

/// What [`Simulation::write`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// The format of the tracks: bigWig, bedGraph, npz or npy.
    pub format: Format,
    /// Whether the held-out experiments are written without noise as well.
    pub noise_free: bool,
}

impl Default for WriteOptions {
    /// bigWig, with the noise-free truth.
    fn default() -> Self {
        WriteOptions {
            format: Format::BigWig,
            noise_free: true,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenSimulation {
    /// The directory.
    pub directory: PathBuf,
    /// Experiments in `manifest.tsv`.
    pub n_measured: usize,
    /// Experiments in `truth.tsv`.
    pub n_held_out: usize,
    /// Bins of the genome.
    pub n_bins: u64,
    /// Genes in `genes.gtf.gz`.
    pub n_genes: usize,
    /// Enhancers in `enhancers.bed`.
    pub n_enhancers: usize,
}

/// A track file to be written.
struct TrackFile<'a> {
    track: &'a SimulatedTrack,
    kind: SignalKind,
    /// The directory inside the simulation's that it stands in.
    folder: &'static str,
}

const MEASURED: &str = "tracks";
const HELD_OUT: &str = "truth";
const NOISE_FREE: &str = "noise_free";

impl Simulation {
    /// Writes everything into a new directory (or an existing empty one): under a temporary name first, then
    /// renamed, so that it is there whole or not at all. Tracks are written in parallel; `progress`
    /// receives how many of how many are done, in no order of tracks.
    ///
    /// The files are named in the `README.txt` among them and in `docs/src/method/simulation.md`.
    ///
    /// # Errors
    /// When the directory holds something already, its parent does not exist, the format cannot be
    /// written, or the disk is full.
    pub fn write(
        &self,
        directory: &Path,
        options: &WriteOptions,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<WrittenSimulation, SimulationError> {
        let staging = staging(directory)?;
        let files = Files::new(staging.path(), directory);
        for folder in [MEASURED, HELD_OUT, NOISE_FREE, "states"] {
            if folder != NOISE_FREE || options.noise_free {
                files.create_folder(folder)?;
            }
        }
        self.write_genome(&files)?;
        self.write_manifests(&files, options)?;
        self.write_states(&files)?;
        self.write_labels(&files)?;
        self.write_settings(&files)?;
        readme::write(self, &files, options)?;

        let list = self.track_files(options);
        let n_done = AtomicUsize::new(0);
        progress(0, list.len());
        list.par_iter().try_for_each(|file| {
            self.write_track(&files, file, options.format)?;
            progress(n_done.fetch_add(1, Ordering::Relaxed) + 1, list.len());
            Ok::<(), SimulationError>(())
        })?;

        files::publish(staging, directory)?;
        let n_measured = self.tracks().iter().filter(|t| t.is_measured).count();
        Ok(WrittenSimulation {
            directory: directory.to_path_buf(),
            n_measured,
            n_held_out: self.tracks().len() - n_measured,
            n_bins: self.axis().n_bins(),
            n_genes: self.chromosomes.iter().map(|c| c.genes.len()).sum(),
            n_enhancers: self.chromosomes.iter().map(|c| c.enhancers.len()).sum(),
        })
    }

    fn track_files(&self, options: &WriteOptions) -> Vec<TrackFile<'_>> {
        let mut list = Vec::new();
        for track in self.tracks() {
            list.push(TrackFile {
                track,
                kind: SignalKind::Observed,
                folder: if track.is_measured {
                    MEASURED
                } else {
                    HELD_OUT
                },
            });
            if !track.is_measured && options.noise_free {
                list.push(TrackFile {
                    track,
                    kind: SignalKind::NoiseFree,
                    folder: NOISE_FREE,
                });
            }
        }
        list
    }

    /// The path of a track's file inside the directory.
    fn track_path(&self, track: &SimulatedTrack, folder: &str, format: Format) -> String {
        format!(
            "{folder}/{}.{}.{}",
            self.biosamples()[track.biosample].name,
            self.assays()[track.assay].name,
            format.name()
        )
    }

    fn write_track(
        &self,
        files: &Files<'_>,
        file: &TrackFile<'_>,
        format: Format,
    ) -> Result<(), SimulationError> {
        let path = files.path(&self.track_path(file.track, file.folder, format));
        let mut writer = create_signal(&path, format, self.axis())?;
        self.stream(file.track, file.kind, |bin, values| {
            writer.write(bin, values).map_err(SimulationError::from)
        })?;
        writer.finish()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
