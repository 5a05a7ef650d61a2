//! A directory that is written under a temporary name and renamed when it is complete.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use persea_files::UnfinishedFolder;

use crate::SimulationError;

/// A new directory beside the place where it will stand, in folders that are made where they are missing; dropped
/// unpublished, it is removed.
pub(super) fn staging(directory: &Path) -> Result<UnfinishedFolder, SimulationError> {
    refuse_unless_empty(directory)?;
    let parent = parent(directory);
    std::fs::create_dir_all(parent).map_err(|e| SimulationError::io(parent, e))?;
    UnfinishedFolder::begin_in(parent).map_err(|e| SimulationError::io(parent, e))
}

/// Gives the finished directory its name.
pub(super) fn publish(staging: UnfinishedFolder, directory: &Path) -> Result<(), SimulationError> {
    let failed = |e: io::Error| SimulationError::io(directory, e);
    refuse_unless_empty(directory)?;
    if directory.is_dir() {
        std::fs::remove_dir(directory).map_err(failed)?;
    }
    staging.rename(directory).map_err(failed)?;
    #[cfg(unix)]
    File::open(parent(directory))
        .and_then(|parent| parent.sync_all())
        .map_err(failed)?;
    Ok(())
}

fn refuse_unless_empty(directory: &Path) -> Result<(), SimulationError> {
    let path = directory.to_path_buf();
    match std::fs::symlink_metadata(directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(SimulationError::io(directory, e)),
        Ok(found) if !found.is_dir() => Err(SimulationError::OutputExists { path }),
        Ok(_) => {
            let mut entries =
                std::fs::read_dir(directory).map_err(|e| SimulationError::io(directory, e))?;
            match entries.next() {
                None => Ok(()),
                Some(_) => Err(SimulationError::OutputExists { path }),
            }
        }
    }
}

/// The directory that holds a path.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Where files are written, and what errors call that place.
pub(super) struct Files<'a> {
    root: &'a Path,
    shown: &'a Path,
}

impl<'a> Files<'a> {
    pub(super) fn new(root: &'a Path, shown: &'a Path) -> Self {
        Files { root, shown }
    }

    /// The path of a file inside the directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn create_folder(&self, name: &str) -> Result<(), SimulationError> {
        std::fs::create_dir(self.path(name)).map_err(|e| self.failed(name, e))
    }

    /// Writes a text file.
    pub(super) fn text(
        &self,
        name: &str,
        content: impl FnOnce(&mut dyn Write) -> Result<(), TextError>,
    ) -> Result<(), SimulationError> {
        let file = File::create(self.path(name)).map_err(|e| self.failed(name, e))?;
        let mut out = BufWriter::new(file);
        content(&mut out).map_err(|e| e.at(self, name))?;
        out.flush().map_err(|e| self.failed(name, e))
    }

    /// Writes a gzipped text file.
    pub(super) fn gzipped(
        &self,
        name: &str,
        content: impl FnOnce(&mut dyn Write) -> Result<(), TextError>,
    ) -> Result<(), SimulationError> {
        self.text(name, |out| {
            let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            content(&mut packer)?;
            packer.finish()?;
            Ok(())
        })
    }

    fn failed(&self, name: &str, source: io::Error) -> SimulationError {
        SimulationError::io(&self.shown.join(name), source)
    }
}

/// What stops the writing of a text file.
pub(super) enum TextError {
    /// The disk.
    Io(io::Error),
    /// What was to be written.
    Simulation(SimulationError),
}

impl TextError {
    fn at(self, files: &Files<'_>, name: &str) -> SimulationError {
        match self {
            TextError::Io(source) => files.failed(name, source),
            TextError::Simulation(error) => error,
        }
    }
}

impl From<io::Error> for TextError {
    fn from(error: io::Error) -> Self {
        TextError::Io(error)
    }
}

impl From<SimulationError> for TextError {
    fn from(error: SimulationError) -> Self {
        TextError::Simulation(error)
    }
}
