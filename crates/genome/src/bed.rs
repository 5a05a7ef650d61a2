//! Intervals from BED files, plain or gzipped.

use std::io::Read;
use std::path::Path;

use persea_files::{Lines, TEXT_BYTES, fields, is_header};

use super::{Assembly, Chromosome, GenomeError, Interval, SequenceNames};

/// Reads the intervals of a BED file and the rest of each line's fields.
///
/// Every interval is checked against the assembly, and has the assembly's name for its chromosome.
/// Lines on sequences that the assembly lacks are passed over with a warning ([`SequenceNames`]);
/// header lines (`track`, `browser`, `#`) and blank lines are passed over.
///
/// # Errors
/// When the file cannot be read, a line has no three fields, an interval is empty or ends beyond its
/// chromosome (the line is named), or the file is of another assembly.
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

/// Intervals with the rest of each line's fields.
pub type BedLines = Vec<(Interval, Vec<String>)>;

/// As [`read_bed`], from lines.
///
/// # Errors
/// As [`read_bed`].
pub fn read_bed_lines(mut lines: Lines<'_>, assembly: &Assembly) -> Result<BedLines, GenomeError> {
    let mut sequences = SequenceNames::new(assembly);
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
        let (start, end) = positions(start, end).map_err(|message| lines.error(message))?;
        let Some(rank) = sequences.find(chrom.trim(), lines.number()) else {
            continue;
        };
        let interval = checked(assembly, &assembly.chromosomes()[rank], start, end)
            .map_err(|message| lines.error(message))?;
        let rest: Vec<String> = rest.iter().map(|s| s.to_string()).collect();
        let n_bytes = rest.iter().map(|s| TEXT_BYTES + s.len()).sum::<usize>();
        lines.keep(size_of::<(Interval, Vec<String>)>() + TEXT_BYTES + n_bytes)?;
        intervals.push((interval, rest));
    }
    lines.warn_of_replaced();
    sequences.finish(lines.file())?.warn(lines.file());
    Ok(intervals)
}

/// The second and third fields of a BED line.
fn positions(start: &str, end: &str) -> Result<(u64, u64), String> {
    let number = |text: &str| {
        text.trim()
            .parse::<u64>()
            .map_err(|_| format!("`{text}` is not a position (0-based, whole)"))
    };
    Ok((number(start)?, number(end)?))
}

/// An interval, checked against its chromosome.
fn checked(
    assembly: &Assembly,
    chromosome: &Chromosome,
    start: u64,
    end: u64,
) -> Result<Interval, String> {
    let chrom = &chromosome.name;
    if start >= end {
        return Err(format!(
            "{chrom} {start} {end} is empty: end must be beyond start"
        ));
    }
    if end > chromosome.length {
        return Err(format!(
            "{chrom} {start} {end} ends beyond {chrom}'s {} bp of {}: is the file of another \
             assembly?",
            chromosome.length,
            assembly.name()
        ));
    }
    Ok(Interval::new(chrom, start, end))
}
