//! Which bins of a track have data.
//!
//! A bin without data is NaN in the track's array. Its intervals with data are also kept in SQLite, as run
//! lengths with a checksum, so that a track's coverage is known without reading the array.

use std::ops::Range;

use rusqlite::{OptionalExtension, Transaction, params};

use super::track::RunsDigest;
use super::{Database, StoreError, Track};

/// The bins of a track that have data.
///
/// ```
/// use persea::store::TrackCoverage;
/// let coverage = TrackCoverage::of_values(&[f32::NAN, 1.0, 0.0, f32::NAN]);
/// assert_eq!((coverage.n_covered(), coverage.n_bins()), (2, 4));
/// assert_eq!(coverage.intervals().collect::<Vec<_>>(), [1..3]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackCoverage {
    n_bins: u64,
    n_covered: u64,
    /// Lengths of runs without and with data in turn, as LEB128; the first, without, may be 0.
    runs: Vec<u8>,
}

impl TrackCoverage {
    /// Of a track all of whose bins have data.
    pub fn complete(n_bins: u64) -> Self {
        let mut builder = CoverageBuilder::default();
        builder.push(true, n_bins);
        builder.finish()
    }

    /// Of a track's values along the axis, where NaN is a bin without data.
    pub fn of_values(values: &[f32]) -> Self {
        let mut builder = CoverageBuilder::default();
        builder.push_values(values);
        builder.finish()
    }

    /// How many bins the axis has.
    pub fn n_bins(&self) -> u64 {
        self.n_bins
    }

    /// How many bins have data.
    pub fn n_covered(&self) -> u64 {
        self.n_covered
    }

    /// Whether all bins have data.
    pub fn is_complete(&self) -> bool {
        self.n_covered == self.n_bins
    }

    /// The bins with data, as ranges of the axis that neither overlap nor meet.
    pub fn intervals(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let mut at = 0;
        self.runs().filter_map(move |(has_data, n)| {
            let run = at..at + n;
            at = run.end;
            (has_data && n > 0).then_some(run)
        })
    }

    /// How many bins of a range of the axis have data.
    pub fn n_covered_within(&self, bins: &Range<u64>) -> u64 {
        let overlap = |run: Range<u64>| {
            run.end
                .min(bins.end)
                .saturating_sub(run.start.max(bins.start))
        };
        self.intervals().map(overlap).sum()
    }

    fn runs(&self) -> impl Iterator<Item = (bool, u64)> + '_ {
        let mut bytes = self.runs.as_slice();
        let mut has_data = true;
        std::iter::from_fn(move || {
            has_data = !has_data;
            take_length(&mut bytes).map(|n| (has_data, n))
        })
    }

    fn digest(&self) -> RunsDigest {
        *blake3::hash(&self.runs).as_bytes()
    }

    /// From the bytes of run lengths; an error is what is wrong with them.
    fn from_runs(runs: Vec<u8>, n_bins: u64) -> Result<Self, String> {
        let mut rest = runs.as_slice();
        let (mut total, mut n_covered, mut has_data) = (0u64, 0u64, false);
        while !rest.is_empty() {
            let n = take_length(&mut rest).ok_or("its run lengths are cut short")?;
            total = total
                .checked_add(n)
                .ok_or("its run lengths are too large")?;
            n_covered += if has_data { n } else { 0 };
            has_data = !has_data;
        }
        match total == n_bins {
            true => Ok(TrackCoverage {
                n_bins,
                n_covered,
                runs,
            }),
            false => Err(format!(
                "its run lengths are of {total} bins, the genome axis has {n_bins}"
            )),
        }
    }
}

/// Takes a length from the front of some bytes; `None` where there is none.
pub(super) fn take_length(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0u64;
    for (i, byte) in bytes.iter().enumerate() {
        n |= u64::from(byte & 0x7f).checked_shl(7 * i as u32)?;
        if byte & 0x80 == 0 {
            *bytes = &bytes[i + 1..];
            return Some(n);
        }
    }
    None
}

/// Appends a length as LEB128.
pub(super) fn push_length(bytes: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
}

/// A coverage under construction, from the axis' start on.
#[derive(Debug, Clone, Default)]
pub(crate) struct CoverageBuilder {
    runs: Vec<u8>,
    has_data: bool,
    length: u64,
    n_bins: u64,
    n_covered: u64,
}

impl CoverageBuilder {
    /// Appends bins that all have data, or have none.
    pub(crate) fn push(&mut self, has_data: bool, n: u64) {
        if n == 0 {
            return;
        }
        if has_data != self.has_data {
            self.end_run();
            self.has_data = has_data;
        }
        self.length += n;
        self.n_bins += n;
        self.n_covered += if has_data { n } else { 0 };
    }

    /// Appends bins by their values.
    pub(crate) fn push_values(&mut self, values: &[f32]) {
        for run in values.chunk_by(|a, b| a.is_nan() == b.is_nan()) {
            self.push(!run[0].is_nan(), run.len() as u64);
        }
    }

    /// Appends the bins of another coverage.
    pub(crate) fn append(&mut self, other: &TrackCoverage) {
        for (has_data, n) in other.runs() {
            self.push(has_data, n);
        }
    }

    fn end_run(&mut self) {
        push_length(&mut self.runs, self.length);
        self.length = 0;
    }

    pub(crate) fn finish(mut self) -> TrackCoverage {
        if self.length > 0 {
            self.end_run();
        }
        TrackCoverage {
            n_bins: self.n_bins,
            n_covered: self.n_covered,
            runs: self.runs,
        }
    }
}

impl Database {
    /// The bins of a track that have data.
    ///
    /// # Errors
    /// When its intervals are damaged, or the track has been replaced since it was looked up.
    pub fn coverage(&self, track: &Track) -> Result<TrackCoverage, StoreError> {
        let n_bins = self.axis().n_bins();
        let (Some(n_covered), Some(digest)) = (track.covered_bins, &track.runs) else {
            return Ok(TrackCoverage::complete(n_bins));
        };
        let damaged = |why: String| {
            let what = format!(
                "track {} {}, its intervals with data",
                track.biosample, track.assay
            );
            StoreError::damaged(what, format!("{why}; ingest the track again"))
        };
        let sql = "SELECT runs FROM track_intervals WHERE track = ?1";
        let runs: Option<Vec<u8>> = self.read(|t| {
            let mut select = t.prepare_cached(sql)?;
            Ok(select.query_row([track.id], |r| r.get(0)).optional()?)
        })?;
        let runs = runs.ok_or_else(|| damaged("they are missing".into()))?;
        if blake3::hash(&runs).as_bytes() != digest {
            let why =
                "they are not those of this track: they are damaged, or it was replaced meanwhile";
            return Err(damaged(why.into()));
        }
        let coverage = TrackCoverage::from_runs(runs, n_bins).map_err(damaged)?;
        match coverage.n_covered == n_covered {
            true => Ok(coverage),
            false => Err(damaged(format!(
                "they are {} bins, and the track has {n_covered}",
                coverage.n_covered
            ))),
        }
    }
}

/// Stores a track's coverage, in place of what is stored.
pub(crate) fn write_coverage(
    t: &Transaction<'_>,
    track: i64,
    coverage: &TrackCoverage,
) -> Result<(), StoreError> {
    t.execute(
        "INSERT INTO track_coverage (track, n_bins, digest) VALUES (?1, ?2, ?3)
         ON CONFLICT (track) DO UPDATE SET n_bins = excluded.n_bins, digest = excluded.digest",
        params![track, coverage.n_covered as i64, coverage.digest()],
    )?;
    t.execute(
        "INSERT INTO track_intervals (track, runs) VALUES (?1, ?2)
         ON CONFLICT (track) DO UPDATE SET runs = excluded.runs",
        params![track, coverage.runs],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn run_lengths_are_those_worked_out_by_hand() {
        // 2 without, 300 with, 1 without: 300 is 0b10_0101100.
        let mut values = vec![f32::NAN; 2];
        values.extend(vec![0.0; 300]);
        values.push(f32::NAN);
        let coverage = TrackCoverage::of_values(&values);
        assert_eq!(coverage.runs, [2, 0b1010_1100, 0b10, 1]);
        assert_eq!((coverage.n_bins(), coverage.n_covered()), (303, 300));
        assert!(coverage.intervals().eq(std::iter::once(2..302)));
        assert_eq!(coverage.n_covered_within(&(0..4)), 2);
        // One that begins with data begins with no bins without.
        assert_eq!(TrackCoverage::complete(5).runs, [0, 5]);
        assert!(TrackCoverage::complete(5).is_complete());
    }

    #[test]
    fn run_lengths_that_do_not_fit_are_refused() {
        for (runs, n_bins, why) in [
            (vec![2, 3], 6, "of 5 bins, the genome axis has 6"),
            (vec![2, 0x83], 5, "cut short"),
            (vec![0xff; 12], 5, "cut short"),
        ] {
            let found = TrackCoverage::from_runs(runs, n_bins).unwrap_err();
            assert!(found.contains(why), "{found}");
        }
    }

    proptest! {
        #[test]
        fn runs_read_back_whatever_pieces_they_were_made_of(
            has_data in proptest::collection::vec(any::<bool>(), 0..400),
            cut in 0usize..400,
        ) {
            let values: Vec<f32> = has_data.iter().map(|d| if *d { 1.0 } else { f32::NAN }).collect();
            let whole = TrackCoverage::of_values(&values);
            let (first, second) = values.split_at(cut.min(values.len()));
            let mut joined = CoverageBuilder::default();
            joined.append(&TrackCoverage::of_values(first));
            joined.append(&TrackCoverage::of_values(second));
            prop_assert_eq!(&joined.finish(), &whole);
            let read = TrackCoverage::from_runs(whole.runs.clone(), values.len() as u64).unwrap();
            prop_assert_eq!(&read, &whole);
            let mut covered = vec![false; values.len()];
            for bins in whole.intervals() {
                covered[bins.start as usize..bins.end as usize].fill(true);
            }
            prop_assert_eq!(covered, has_data);
        }
    }
}
