//! Intervals from BED files, plain or gzipped.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use persea_files::open_text;

use super::{Assembly, GenomeError, Interval};

/// Reads the intervals of a BED file and the rest of each line's fields.
///
/// Every interval is checked against the assembly. Header lines (`track`, `browser`, `#`) and
/// blank lines are passed over.
///
/// # Errors
/// When the file cannot be read, a line has no three fields, a chromosome is unknown, an interval
/// is empty or ends beyond its chromosome; the line is named.
pub fn read_bed(path: &Path, assembly: &Assembly) -> Result<BedLines, GenomeError> {
    read_bed_from(open_text(path)?, path, assembly)
}

/// As [`read_bed`], from anything that reads; `path` is what errors name.
///
/// # Errors
/// As [`read_bed`].
pub fn read_bed_from(
    reader: impl Read,
    path: &Path,
    assembly: &Assembly,
) -> Result<BedLines, GenomeError> {
    read_lines(reader, path, assembly, &mut |_| false)
}

/// Intervals with the rest of each line's fields.
pub type BedLines = Vec<(Interval, Vec<String>)>;

/// As [`read_bed`], for files that name the sequences which an assembly's usual set leaves out
/// (UCSC's gaps name alternate loci, patches and unplaced contigs: `chr6_apd_hap1`): lines on
/// sequences with `_` in their names that the assembly lacks are passed over, and counted.
///
/// # Errors
/// As [`read_bed`].
pub fn read_bed_of_assembly(
    path: &Path,
    assembly: &Assembly,
) -> Result<(BedLines, u64), GenomeError> {
    let mut left_out = 0;
    let lines = read_lines(open_text(path)?, path, assembly, &mut |chrom| {
        let other = chrom.contains('_') && assembly.chromosome(chrom).is_err();
        left_out += u64::from(other);
        other
    })?;
    Ok((lines, left_out))
}

fn read_lines(
    reader: impl Read,
    path: &Path,
    assembly: &Assembly,
    is_left_out: &mut dyn FnMut(&str) -> bool,
) -> Result<BedLines, GenomeError> {
    let mut intervals = Vec::new();
    for (i, line) in BufReader::new(reader).lines().enumerate() {
        let number = i as u64 + 1;
        let line = line.map_err(|e| GenomeError::line(path, number, e.to_string()))?;
        let text = line.trim_end_matches(['\r', '\n']);
        if text.trim().is_empty()
            || text.starts_with('#')
            || text.starts_with("track")
            || text.starts_with("browser")
        {
            continue;
        }
        let fields: Vec<&str> = if text.contains('\t') {
            text.split('\t').collect()
        } else {
            text.split_whitespace().collect()
        };
        let [chrom, start, end, rest @ ..] = fields.as_slice() else {
            let message = "expected at least chromosome, start and end";
            return Err(GenomeError::line(path, number, message));
        };
        if is_left_out(chrom) {
            continue;
        }
        let interval = checked(assembly, chrom, start, end)
            .map_err(|message| GenomeError::line(path, number, message))?;
        intervals.push((interval, rest.iter().map(|s| s.to_string()).collect()));
    }
    Ok(intervals)
}

/// An interval from a BED line's first three fields, checked against the assembly.
pub(crate) fn checked(
    assembly: &Assembly,
    chrom: &str,
    start: &str,
    end: &str,
) -> Result<Interval, String> {
    let number = |text: &str| {
        text.trim()
            .parse::<u64>()
            .map_err(|_| format!("`{text}` is not a position (0-based, whole)"))
    };
    let (start, end) = (number(start)?, number(end)?);
    let chromosome = assembly.chromosome(chrom).map_err(|e| e.to_string())?;
    if start >= end {
        return Err(format!(
            "{chrom} {start} {end} is empty: end must be beyond start"
        ));
    }
    if end > chromosome.length {
        return Err(format!(
            "{chrom} {start} {end} ends beyond {chrom}'s {} bp of {}",
            chromosome.length,
            assembly.name()
        ));
    }
    Ok(Interval::new(chrom, start, end))
}
