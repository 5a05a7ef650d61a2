//! `--dry-run`: what a command would take.
//!
//! Imputing is tried on a part of the genome, on this machine. Reading files and scoring are estimated from rates that
//! were measured elsewhere. The output names the source of either estimate.

use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use persea::compendium::Manifest;
use persea::formats::Location;
use persea::store::{Database, ValueType};
use serde_json::{Value, json};

use super::output::{Format, Table, measure};

/// Bins of the two trials, whose difference is the cost of a bin.
const TRIAL_BINS: [u64; 2] = [1 << 13, 1 << 17];
/// Experiments of a trial: as many as share a walk along the genome.
pub const TRIAL_EXPERIMENTS: usize = 16;
/// Bytes of files that are read in a second: bigWigs 28 MB, bedGraphs 21 MB, npz 7 MB on two busy cores.
const READ_BYTES: f64 = 20e6;
/// Bytes of a stored bin of dense signal, as f32 and as u16: of the pilot's tracks.
const STORED_BYTES: f64 = 2.1;
const STORED_BYTES_AS_U16: f64 = 0.82;
/// Seconds of a bin of a track that is scored: 31 s for 7 tracks of the pilot's 1.1 million, on two busy cores.
const SCORED_SECONDS: f64 = 4e-6;
/// Bytes of memory for each bin that is scored: of the pilot's 1.1 million.
const SCORED_BYTES: f64 = 90.0;

/// What a command would take, line by line; the sum stands last.
#[derive(Debug, Default)]
pub struct Needed {
    lines: Vec<(&'static str, Value, &'static str)>,
    minutes: f64,
    memory_gb: Option<f64>,
    disk_gb: Option<f64>,
}

impl Needed {
    /// Adds a line.
    pub fn line(&mut self, what: &'static str, value: Value, unit: &'static str) {
        self.lines.push((what, value, unit));
    }

    /// Sets the sum.
    pub fn sum(&mut self, minutes: f64, memory_gb: Option<f64>, disk_gb: Option<f64>) {
        (self.minutes, self.memory_gb, self.disk_gb) = (minutes, memory_gb, disk_gb);
    }

    /// Prints the lines and the sum as a table.
    pub fn print(&self, format: Format) -> anyhow::Result<()> {
        let mut table = Table::new(&["what", "value", "unit"]);
        for (what, value, unit) in &self.lines {
            table.row(vec![json!(what), value.clone(), json!(unit)]);
        }
        let mut sum = |value: Option<f64>, unit: &str| {
            if let Some(value) = value {
                table.row(vec![json!("sum"), measure(Some(value)), json!(unit)]);
            }
        };
        sum(Some(self.minutes), "minutes");
        sum(self.memory_gb, "GB of memory");
        sum(self.disk_gb, "GB on disk");
        table.print(format)?;
        Ok(())
    }
}

/// Seconds and bytes over all bins, from a trial of few bins and one of more; `trial` gives the bytes that it wrote.
/// Where all bins are few, the first trial is the whole.
///
/// # Errors
/// When the trial fails.
pub fn over_all(
    spans: &[Range<u64>],
    trial: &mut dyn FnMut(&[Range<u64>]) -> anyhow::Result<u64>,
) -> anyhow::Result<(f64, u64)> {
    let of = |spans: &[Range<u64>]| spans.iter().map(|s| s.end - s.start).sum::<u64>();
    let (few, more) = (head(spans, TRIAL_BINS[0]), head(spans, TRIAL_BINS[1]));
    let begun = timed(&few, trial)?;
    if of(&few) == of(spans) {
        return Ok(begun);
    }
    let longer = timed(&more, trial)?;
    let bins = (of(&more) - of(&few)).max(1) as f64;
    let left = (of(spans) - of(&more)) as f64;
    let seconds = longer.0 + left * ((longer.0 - begun.0) / bins).max(0.0);
    let bytes = longer.1 as f64 + left * (longer.1.saturating_sub(begun.1) as f64 / bins);
    Ok((seconds, bytes as u64))
}

fn timed(
    spans: &[Range<u64>],
    trial: &mut dyn FnMut(&[Range<u64>]) -> anyhow::Result<u64>,
) -> anyhow::Result<(f64, u64)> {
    let began = Instant::now();
    let bytes = trial(spans)?;
    Ok((began.elapsed().as_secs_f64(), bytes))
}

/// The first bins of some spans.
fn head(spans: &[Range<u64>], n_bins: u64) -> Vec<Range<u64>> {
    let mut left = n_bins;
    let mut first = Vec::new();
    for span in spans {
        let end = span.end.min(span.start + left);
        if end > span.start {
            first.push(span.start..end);
        }
        left -= end - span.start;
    }
    first
}

/// The bytes of a file, or of all files in a folder.
pub fn bytes_of(path: &Path) -> std::io::Result<u64> {
    let about = std::fs::metadata(path)?;
    if !about.is_dir() {
        return Ok(about.len());
    }
    let mut sum = 0;
    for entry in std::fs::read_dir(path)? {
        sum += bytes_of(&entry?.path())?;
    }
    Ok(sum)
}

/// What scoring tracks would take.
pub fn of_scoring(n_tracks: usize, n_bins: u64, n_learned: usize) -> Needed {
    let mut needed = Needed::default();
    needed.line("tracks", json!(n_tracks), "");
    needed.line("bins of a track", json!(n_bins), "25 bp");
    let (tracks, bins) = (n_tracks as f64, n_bins as f64);
    let minutes = tracks * bins * SCORED_SECONDS / 60.0;
    needed.sum(minutes, Some(bins * SCORED_BYTES / 1e9), None);
    eprintln!(
        "an estimate by rule: {:.0} s for a track of a million bins, and {SCORED_BYTES:.0} bytes of memory for each bin, \
         as measured on dense tracks on two busy cores",
        SCORED_SECONDS * 1e6
    );
    if n_learned > 0 {
        eprintln!(
            "{n_learned} baselines are trained, up to a minute for each track; that is not in the sum"
        );
    }
    needed
}

/// What reading a manifest's files would take; `values` is how new tracks are stored, if the user says so.
///
/// # Errors
/// When a file cannot be looked at.
pub fn of_manifest(
    database: &Database,
    manifest: &Manifest,
    values: Option<ValueType>,
) -> anyhow::Result<Needed> {
    let stored_bytes = match values {
        Some(ValueType::U16(_)) => STORED_BYTES_AS_U16,
        _ => STORED_BYTES,
    };
    let mut needed = Needed::default();
    let mut experiments: Vec<(&str, &str)> = Vec::new();
    let (mut bytes, mut n_remote) = (0, 0u64);
    for row in &manifest.rows {
        let experiment = (row.biosample.as_str(), row.assay.as_str());
        if !experiments.contains(&experiment) {
            experiments.push(experiment);
        }
        match &row.location {
            Location::Path(path) => {
                bytes += bytes_of(path).map_err(|e| {
                    let at = manifest.path.display();
                    anyhow::anyhow!("{at}, line {}: {}: {e}", row.line, path.display())
                })?;
            }
            Location::Url(_) => n_remote += 1,
        }
    }
    let stored = database.tracks()?;
    let is_stored =
        |(b, a): &&(&str, &str)| stored.iter().any(|t| t.biosample == *b && t.assay == *a);
    let n_stored = experiments.iter().filter(is_stored).count();
    let n_new = experiments.len() - n_stored;
    let n_bins = database.axis().n_bins();
    needed.line("tracks", json!(experiments.len()), "");
    needed.line(
        "tracks stored already, which are skipped if unchanged",
        json!(n_stored),
        "",
    );
    needed.line("bins of a track", json!(n_bins), "25 bp");
    needed.line("files here", measure(Some(bytes as f64 / 1e9)), "GB");
    if n_remote > 0 {
        needed.line(
            "files to fetch, which are not in the sum",
            json!(n_remote),
            "",
        );
    }
    needed.sum(
        bytes as f64 / READ_BYTES / 60.0,
        None,
        Some(n_new as f64 * n_bins as f64 * stored_bytes / 1e9),
    );
    eprintln!(
        "an estimate by rule: {:.0} MB of files a second, and {stored_bytes} bytes for each bin of a track, which are \
         fewer where signal is sparse",
        READ_BYTES / 1e6
    );
    Ok(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_extended_by_the_cost_of_a_bin() {
        let all = [0..100_000, 200_000..400_000];
        assert_eq!(head(&all, 100_001), [0..100_000, 200_000..200_001]);
        assert_eq!(head(&all, 131_072), [0..100_000, 200_000..231_072]);
        // Ten bytes at the start and two for each bin.
        let n = |spans: &[Range<u64>]| spans.iter().map(|s| s.end - s.start).sum::<u64>();
        let mut calls = 0;
        let trial = &mut |spans: &[Range<u64>]| {
            calls += 1;
            Ok(10 + 2 * n(spans))
        };
        assert_eq!(over_all(&all, trial).unwrap().1, 10 + 2 * 300_000);
        // Where all bins are few, the trial is the whole.
        assert_eq!(over_all(&all[..0], trial).unwrap().1, 10);
        assert_eq!(calls, 3);
    }
}
