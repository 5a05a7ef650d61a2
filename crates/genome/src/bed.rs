//! Intervals from BED files, plain or gzipped.

use std::io::Read;
use std::path::Path;

use persea_files::{Lines, fields, is_header};

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
    read_bed_lines(Lines::open(path)?, assembly)
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
    read_bed_lines(Lines::new(path.display(), reader)?, assembly)
}

/// As [`read_bed`], from lines.
///
/// # Errors
/// As [`read_bed`].
pub fn read_bed_lines(lines: Lines<'_>, assembly: &Assembly) -> Result<BedLines, GenomeError> {
    read_lines(lines, assembly, &mut |_| false)
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
    let lines = read_lines(Lines::open(path)?, assembly, &mut |chrom| {
        let other = chrom.contains('_') && assembly.chromosome(chrom).is_err();
        left_out += u64::from(other);
        other
    })?;
    Ok((lines, left_out))
}

fn read_lines(
    mut lines: Lines<'_>,
    assembly: &Assembly,
    is_left_out: &mut dyn FnMut(&str) -> bool,
) -> Result<BedLines, GenomeError> {
    let mut intervals = Vec::new();
    while let Some(text) = lines.next_text()? {
        if is_header(text.as_bytes()) {
            continue;
        }
        let text = text.into_owned();
        let fields = fields(&text);
        let [chrom, start, end, rest @ ..] = fields.as_slice() else {
            let message = "expected at least chromosome, start and end";
            return Err(lines.error(message).into());
        };
        if is_left_out(chrom) {
            continue;
        }
        let interval =
            checked(assembly, chrom, start, end).map_err(|message| lines.error(message))?;
        intervals.push((interval, rest.iter().map(|s| s.to_string()).collect()));
    }
    lines.warn_of_replaced();
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
