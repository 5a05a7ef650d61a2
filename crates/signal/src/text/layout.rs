//! What the columns of a BED file and its kin hold, told by the columns themselves.
//!
//! ENCODE names its peaks and methylation `.bed.gz`; the number and the kind of their columns say
//! what they are. A file's first line decides, and every other line must agree.

/// The kinds of BED that have a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Three columns: an interval is a peak.
    Bed3,
    /// Four columns: the fourth is the signal.
    Bed4,
    /// BED5, BED6, BED8, BED9 or BED12: the fifth is a score.
    Scored(usize),
    /// ENCODE's narrowPeak, or the table of IDR that begins like one.
    NarrowPeak(usize),
    /// ENCODE's broadPeak.
    BroadPeak,
    /// ENCODE's gappedPeak: a BED12 with the signal in column 13.
    GappedPeak,
    /// bedMethyl of ENCODE (11 columns) or modkit (18): the percentage methylated is column 11.
    BedMethyl(usize),
}

impl Layout {
    /// The layout of a line.
    ///
    /// # Errors
    /// What the user should say, where the columns do not tell.
    pub fn of(fields: &[&str]) -> Result<Self, String> {
        let layout = match fields.len() {
            3 => Layout::Bed3,
            4 => Layout::Bed4,
            n @ (5 | 6) => Layout::Scored(n),
            8 if is_thick(fields) => Layout::Scored(8),
            9 if is_thick(fields) || fields[8].contains(',') => Layout::Scored(9),
            9 if numbers(fields, 6..9) => Layout::BroadPeak,
            n @ (10 | 20) if numbers(fields, 6..9) && is_offset(fields[9]) => Layout::NarrowPeak(n),
            n @ (11 | 18) if is_whole(fields[9]) && is_percentage(fields[10]) => {
                Layout::BedMethyl(n)
            }
            12 if has_blocks(fields) => Layout::Scored(12),
            15 if has_blocks(fields) && numbers(fields, 12..15) => Layout::GappedPeak,
            n => {
                return Err(format!(
                    "its {n} columns are those of no BED, narrowPeak, broadPeak, gappedPeak or \
                     bedMethyl; say what they are by the manifest's column `format`: bed (a score \
                     in column 5), narrowpeak or broadpeak (signal in column 7)"
                ));
            }
        };
        Ok(layout)
    }

    /// The signal's field, counted from 0, and what it is called; `None`: a peak is a peak.
    pub fn signal(self) -> Option<(usize, &'static str)> {
        match self {
            Layout::Bed3 => None,
            Layout::Bed4 => Some((
                3,
                "the signal of a BED with four columns; give a score in column 5 where column 4 \
                 is a name",
            )),
            Layout::Scored(_) => Some((4, "a BED's score")),
            Layout::NarrowPeak(_) => Some((6, "a narrowPeak's signalValue")),
            Layout::BroadPeak => Some((6, "a broadPeak's signalValue")),
            Layout::GappedPeak => Some((12, "a gappedPeak's signalValue")),
            Layout::BedMethyl(_) => Some((10, "a bedMethyl's percentage")),
        }
    }
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Layout::Bed3 => write!(f, "a BED of 3 columns"),
            Layout::Bed4 => write!(f, "a BED of 4 columns"),
            Layout::Scored(n) => write!(f, "a BED of {n} columns"),
            Layout::NarrowPeak(n) => write!(f, "a narrowPeak of {n} columns"),
            Layout::BroadPeak => write!(f, "a broadPeak of 9 columns"),
            Layout::GappedPeak => write!(f, "a gappedPeak of 15 columns"),
            Layout::BedMethyl(n) => write!(f, "a bedMethyl of {n} columns"),
        }
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

fn is_whole(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

fn numbers(fields: &[&str], columns: std::ops::Range<usize>) -> bool {
    fields[columns].iter().all(|field| is_number(field))
}

/// A summit's distance from the start, or -1.
fn is_offset(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|n| n >= -1)
}

fn is_percentage(text: &str) -> bool {
    text.parse::<f64>()
        .is_ok_and(|p| (0.0..=100.0).contains(&p))
}

/// Whether columns 7 and 8 are a part of the interval: thickStart and thickEnd.
fn is_thick(fields: &[&str]) -> bool {
    let at = |i: usize| fields[i].parse::<u64>().ok();
    match (at(1), at(2), at(6), at(7)) {
        (Some(start), Some(end), Some(from), Some(to)) => start <= from && from <= to && to <= end,
        _ => false,
    }
}

/// Whether columns 10 to 12 are a BED12's blocks.
fn has_blocks(fields: &[&str]) -> bool {
    let list = |text: &str| text.split(',').filter(|n| !n.is_empty()).all(is_whole);
    is_whole(fields[9]) && list(fields[10]) && list(fields[11])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Layout, String> {
        Layout::of(&line.split(' ').collect::<Vec<_>>())
    }

    #[test]
    fn columns_tell_what_they_hold() {
        for (line, layout) in [
            ("chr1 100 300", Layout::Bed3),
            ("chr1 100 300 5.5", Layout::Bed4),
            ("chr1 100 300 p 1000 + 100 300 255,0,0", Layout::Scored(9)),
            ("chr1 100 300 p 1000 + 100 300 0", Layout::Scored(9)),
            ("chr1 100 300 p 1000 . 12.5 8.1 6.2", Layout::BroadPeak),
            ("chr1 100 300 p 1000 . 12 8 -1", Layout::BroadPeak),
            (
                "chr1 100 300 p 1000 . 12.5 8.1 6.2 50",
                Layout::NarrowPeak(10),
            ),
            (
                "chr1 100 101 . 7 + 100 101 0,255,0 7 42",
                Layout::BedMethyl(11),
            ),
            ("chr1 100 300 p 0 + 100 300 0 1 200, 0,", Layout::Scored(12)),
            (
                "chr1 100 300 p 0 . 100 300 0 1 200 0 4.5 3 2",
                Layout::GappedPeak,
            ),
        ] {
            assert_eq!(of(line).unwrap(), layout, "{line}");
        }
        for line in [
            "chr1 100 300 p 1000 . x",
            "chr1 100 300 p 1000 . 12.5 8.1 6.2 far",
            "chr1 100 101 . 7 + 100 101 0,255,0 7 420",
        ] {
            let why = of(line).unwrap_err();
            assert!(why.contains("narrowpeak"), "{line}: {why}");
        }
    }
}
