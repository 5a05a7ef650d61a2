//! Reading a track as a manifest describes it: files to transformed bins.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{CompendiumError, ManifestRow, ManifestTrack};
use crate::formats::{ReadOptions, open_signal};
use crate::genome::GenomeAxis;
use crate::store::Transform;

/// What was seen while a track was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackReading {
    /// Bins without data; of replicates, those that none of them has.
    pub n_nan_bins: u64,
    /// What the user should know of: empty files, negative values.
    pub warnings: Vec<String>,
    /// What the user should know and what many tracks have in common, without a track's name.
    pub notes: Vec<String>,
}

/// Receives bins: the axis bin the slice starts at, then its transformed values; NaN is a bin without data.
pub type TrackSink<'a> = dyn FnMut(u64, &[f32]) -> Result<(), CompendiumError> + 'a;

/// Reads a track: the mean of its replicates, each times its multiplier, transformed. The mean of a bin is
/// over the replicates that have data there; where none has, the bin has none.
///
/// Each bin of the axis is given to `sink` once, in the order in which the file has them. Memory
/// does not grow with the track; replicates but the last are added up in an unnamed file in the
/// folder `scratch`, 16 bytes a bin. (Replicates with `transform` none are averaged as they are.)
///
/// # Errors
/// When a file cannot be read or is malformed, a value is infinite or too large
/// (its coordinate is named), or
/// `sink` fails.
pub fn read_track(
    track: &ManifestTrack,
    axis: &GenomeAxis,
    scratch: &Path,
    sink: &mut TrackSink<'_>,
) -> Result<TrackReading, CompendiumError> {
    let mut reading = TrackReading::default();
    let Some((last, before)) = track.rows.split_last() else {
        return Ok(reading);
    };
    let mut sums = match before {
        [] => None,
        _ => Some(Sums::new(scratch)?),
    };
    for row in before {
        read_row(row, axis, &mut reading, &mut |bin, values| {
            sums.as_mut().map_or(Ok(()), |sums| sums.add(bin, values))
        })?;
    }
    let mut stored: Vec<f32> = Vec::new();
    let (mut n_negative, mut n_missing) = (0, 0);
    let (mut before_transform, mut transformed) = (0.0, 0.0);
    let mut raw = RawSignal::default();
    read_row(last, axis, &mut reading, &mut |bin, values| {
        let means;
        let values = match &mut sums {
            None => values,
            Some(sums) => {
                // 0 / 0, where none has data, is NaN.
                means = (sums.plus(bin, values)?.into_iter())
                    .map(|of| of.sum / of.n)
                    .collect::<Vec<f64>>();
                &means
            }
        };
        stored.clear();
        for (i, value) in values.iter().enumerate() {
            if value.is_nan() {
                n_missing += 1;
                stored.push(f32::NAN);
                continue;
            }
            // Signal comes in runs of one value, of zeros above all.
            if *value != before_transform {
                before_transform = *value;
                raw.see(*value);
                transformed = track.transform.apply_f64(*value);
            }
            if !transformed.is_finite() {
                let at = axis.bin_interval((bin + i as u64).min(axis.n_bins().saturating_sub(1)));
                return Err(CompendiumError::Signal(format!(
                    "{}: the signal at {at} times {:e} is too large to be stored; correct the \
                     multiplier",
                    last.location, last.multiplier
                )));
            }
            n_negative += u64::from(transformed < 0.0);
            stored.push(transformed);
        }
        sink(bin, &stored)
    })?;
    reading.n_nan_bins = n_missing;
    if n_negative > 0 {
        reading.warnings.push(format!(
            "{} {}: {n_negative} bins are negative, and kept so",
            track.biosample, track.assay
        ));
    }
    if track.transform == Transform::Arcsinh {
        let names = track.rows.iter().map(|row| row.location.to_string());
        reading
            .notes
            .extend(names.into_iter().find_map(|name| transform_in_name(&name)));
        if raw.looks_transformed() {
            reading.notes.push(
                "none of its values is above 12, as after an arcsinh; if it has been transformed \
                 already, give the column `transform` of the manifest as none, or it is transformed \
                 twice"
                    .into(),
            );
        }
    }
    Ok(reading)
}

/// Says that a file's name speaks of a transform, if it does.
fn transform_in_name(name: &str) -> Option<String> {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let found = ["arcsinh", "asinh", "log2", "log1p"]
        .into_iter()
        .find(|word| file.contains(word));
    found.map(|word| {
        format!(
            "its name says `{word}`; if it has been transformed already, give the column `transform` of \
             the manifest as none, or it is transformed twice"
        )
    })
}

/// What a track's signal looks like before the transform.
#[derive(Debug, Default)]
struct RawSignal {
    /// The largest value.
    maximum: f64,
    /// Runs of a value that is no whole number.
    n_fractions: u64,
}

impl RawSignal {
    fn see(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.maximum = self.maximum.max(value);
        self.n_fractions += u64::from(value.fract() != 0.0);
    }

    /// Whether signal of many values stays below 12, which is the arcsinh of 81,377. (Fractions, such as
    /// of methylation, stay below 1.)
    fn looks_transformed(&self) -> bool {
        self.n_fractions >= MANY && self.maximum > 1.5 && self.maximum < 12.0
    }
}

/// So many values show what a track's signal is like.
const MANY: u64 = 10_000;

/// Receives bins before the transform, multiplied.
type RawSink<'a> = dyn FnMut(u64, &[f64]) -> Result<(), CompendiumError> + 'a;

/// Reads one file; the values that `take` gets have been multiplied.
fn read_row(
    row: &ManifestRow,
    axis: &GenomeAxis,
    reading: &mut TrackReading,
    take: &mut RawSink<'_>,
) -> Result<(), CompendiumError> {
    let mut reader = open_signal(&row.location, row.format)?;
    let options = ReadOptions {
        missing: row.missing,
    };
    // A reader passes on an `io::Error` only; the error itself waits here.
    let mut failure = None;
    let mut multiplied: Vec<f64> = Vec::new();
    let outcome = reader.read(axis, &options, &mut |bin, values| {
        multiplied.clear();
        multiplied.extend(values.iter().map(|v| f64::from(*v) * row.multiplier));
        take(bin, &multiplied).map_err(|e| {
            let message = e.to_string();
            failure = Some(e);
            std::io::Error::other(message)
        })
    });
    if let Some(e) = failure {
        return Err(e);
    }
    let report = outcome?;
    reading.notes.extend(report.notes);
    let name = format!("{} {}: {}", row.biosample, row.assay, row.location);
    if report.n_records == 0 {
        let zeros = match report.n_nan_bins {
            0 => "; its bins are all 0",
            _ => "",
        };
        let warning = format!("{name} has no signal in the covered regions (is it empty?){zeros}");
        reading.warnings.push(warning);
    }
    Ok(())
}

/// What replicates add up to in a bin: the sum of their values, and how many have one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct BinSum {
    pub(super) sum: f64,
    pub(super) n: f64,
}

/// Sums along the genome axis, on the disk.
pub(super) struct Sums {
    file: File,
    /// How many bins the file holds; those beyond are 0.
    n_bins: u64,
}

/// Bytes of a bin there.
const SUM_BYTES: usize = 16;

impl Sums {
    pub(super) fn new(folder: &Path) -> Result<Self, CompendiumError> {
        let file = tempfile::tempfile_in(folder).map_err(|source| CompendiumError::Scratch {
            path: folder.to_path_buf(),
            source,
        })?;
        Ok(Sums { file, n_bins: 0 })
    }

    pub(super) fn add(&mut self, bin: u64, values: &[f64]) -> Result<(), CompendiumError> {
        let sums = self.plus(bin, values)?;
        let numbers = sums.iter().flat_map(|of| [of.sum, of.n]);
        let bytes: Vec<u8> = numbers.flat_map(f64::to_ne_bytes).collect();
        self.seek(bin)?;
        self.file.write_all(&bytes).map_err(scratch_error)?;
        self.n_bins = self.n_bins.max(bin + values.len() as u64);
        Ok(())
    }

    /// The sums of some bins and further values; NaN adds nothing.
    pub(super) fn plus(
        &mut self,
        bin: u64,
        values: &[f64],
    ) -> Result<Vec<BinSum>, CompendiumError> {
        let own = |value: &f64| match value.is_nan() {
            true => BinSum::default(),
            false => BinSum {
                sum: *value,
                n: 1.0,
            },
        };
        let mut sums: Vec<BinSum> = values.iter().map(own).collect();
        let n_there = self.n_bins.saturating_sub(bin).min(values.len() as u64) as usize;
        let mut bytes = vec![0; n_there * SUM_BYTES];
        self.seek(bin)?;
        self.file.read_exact(&mut bytes).map_err(scratch_error)?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let (pairs, _) = numbers.as_chunks::<2>();
        for (of, [sum, n]) in sums.iter_mut().zip(pairs) {
            of.sum += f64::from_ne_bytes(*sum);
            of.n += f64::from_ne_bytes(*n);
        }
        Ok(sums)
    }

    fn seek(&mut self, bin: u64) -> Result<(), CompendiumError> {
        let sought = self.file.seek(SeekFrom::Start(bin * SUM_BYTES as u64));
        sought.map(|_| ()).map_err(scratch_error)
    }
}

fn scratch_error(source: std::io::Error) -> CompendiumError {
    CompendiumError::Scratch {
        path: "the sums of replicates".into(),
        source,
    }
}
