//! A reader or a writer of any format, by the name or the content of the file.

use std::path::Path;

use super::array::{ArrayReader, ArrayWriter};
use super::bigwig::{BigWigReader, BigWigWriter};
use super::text::{BedGraphReader, BedGraphWriter, PeakReader, detect};
use super::{Format, FormatError, Location, SignalReader, SignalWriter};
use persea_files::says_gzip;
use persea_genome::GenomeAxis;

/// A reader of the signal file at a location.
///
/// Without a format the content tells it, as far as it can: bigWig, `.npy`, `.npz` and the kinds of BED.
/// What remains (a bedGraph, or a remote file) is told by the name.
///
/// # Errors
/// When a local file is missing or is a folder, or nothing tells its format, or it is of a format that
/// is not read.
pub fn open_signal(
    location: &Location,
    format: Option<Format>,
) -> Result<Box<dyn SignalReader>, FormatError> {
    location.check()?;
    let (format, is_given) = match format {
        Some(format) => (format, true),
        None => (detect(location)?, false),
    };
    let location = location.clone();
    Ok(match format {
        Format::BigWig => Box::new(BigWigReader::new(location)),
        Format::BedGraph => Box::new(BedGraphReader::new(location)),
        Format::Bed if !is_given => Box::new(PeakReader::new(location, None)),
        Format::NarrowPeak | Format::BroadPeak | Format::Bed => {
            Box::new(PeakReader::new(location, Some(format)))
        }
        Format::Npz | Format::Npy => Box::new(ArrayReader::new(location, format)),
    })
}

/// A writer of bins of `axis` to a new file at `path`, which replaces one that is there.
///
/// BigWig has every chromosome of the assembly in its header; bedGraph is bgzipped where the path
/// ends in `.gz` or `.bgz`; npz and npy hold the bins that were written in the axis's order, as float32 (key
/// `arr_0`), an npz beside the coordinates of each bin.
///
/// # Errors
/// When the folder cannot be written to, the format (peaks) holds no bins, or the name says gzip
/// and the format is not bedGraph.
pub fn create_signal(
    path: &Path,
    format: Format,
    axis: &GenomeAxis,
) -> Result<Box<dyn SignalWriter>, FormatError> {
    create_labelled_signal(path, format, axis, &[])
}

/// As [`create_signal`], with labels (a name, a text) that an npz has beside its array; the other formats
/// have no room for them.
///
/// # Errors
/// As [`create_signal`].
pub fn create_labelled_signal(
    path: &Path,
    format: Format,
    axis: &GenomeAxis,
    labels: &[(String, String)],
) -> Result<Box<dyn SignalWriter>, FormatError> {
    if says_gzip(path) && format != Format::BedGraph {
        return Err(FormatError::file(
            path.display().to_string(),
            format!("{format} is not written gzipped: leave the last ending out of the name"),
        ));
    }
    Ok(match format {
        Format::BigWig => Box::new(BigWigWriter::create(path, axis)?),
        Format::BedGraph => Box::new(BedGraphWriter::create(path, axis)?),
        Format::Npz | Format::Npy => Box::new(ArrayWriter::create(path, format, axis, labels)?),
        Format::NarrowPeak | Format::BroadPeak | Format::Bed => {
            return Err(FormatError::file(
                path.display().to_string(),
                format!("{format} holds peaks, not a track: write bigwig, bedgraph, npz or npy"),
            ));
        }
    })
}
