//! A stretch of a chromosome.

use super::GenomeError;

/// A stretch of a chromosome, 0-based and half-open, as in BED.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interval {
    /// The chromosome's name.
    pub chrom: String,
    /// The first base, counted from 0.
    pub start: u64,
    /// One past the last base.
    pub end: u64,
}

impl Interval {
    /// A stretch of a chromosome, 0-based and half-open.
    pub fn new(chrom: impl Into<String>, start: u64, end: u64) -> Self {
        Interval {
            chrom: chrom.into(),
            start,
            end,
        }
    }

    /// Length in bp.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it holds no base.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads `chr1:1,000-2,000`, 1-based and inclusive as genome browsers show it; `chr1:1,000` is
    /// one base and `chr1` alone (length `None`) a whole chromosome, whose end the caller clips.
    ///
    /// ```
    /// use persea_genome::Interval;
    /// assert_eq!(Interval::parse_browser("chr1:1,000-2,000")?, Interval::new("chr1", 999, 2_000));
    /// assert_eq!(Interval::parse_browser("chr1:1,000")?, Interval::new("chr1", 999, 1_000));
    /// # Ok::<(), persea_genome::GenomeError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is not of that form, counts from 0, or ends before it starts.
    pub fn parse_browser(text: &str) -> Result<Self, GenomeError> {
        let bad = |why: &str| {
            GenomeError::Coordinates(format!(
                "`{text}` is not a region: {why}; write it as chr1:1,000-2,000 (1-based, inclusive)"
            ))
        };
        let Some((chrom, span)) = text.rsplit_once(':') else {
            if text.is_empty() || text.contains(char::is_whitespace) {
                return Err(bad("it names no chromosome"));
            }
            return Ok(Interval::new(text, 0, u64::MAX));
        };
        if chrom.is_empty() {
            return Err(bad("it names no chromosome"));
        }
        let number = |part: &str| {
            part.replace([',', '_'], "")
                .parse::<u64>()
                .map_err(|_| bad(&format!("`{part}` is not a position")))
        };
        let (first, last) = match span.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(span)?, number(span)?),
        };
        if first == 0 {
            return Err(bad("positions count from 1 here"));
        }
        if last < first {
            return Err(bad("it ends before it starts"));
        }
        Ok(Interval::new(chrom, first - 1, last))
    }
}

impl std::fmt::Display for Interval {
    /// As genome browsers show it: 1-based, inclusive.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}-{}", self.chrom, self.start + 1, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_regions_that_make_no_sense_are_refused_with_the_reason() {
        for (text, why) in [
            ("chr1:0-10", "count from 1"),
            ("chr1:20-10", "ends before"),
            ("chr1:a-b", "not a position"),
            (":1-2", "no chromosome"),
            ("", "no chromosome"),
        ] {
            let message = Interval::parse_browser(text).unwrap_err().to_string();
            assert!(message.contains(why), "{text}: {message}");
        }
    }

    #[test]
    fn a_chromosome_name_with_a_colon_keeps_it() {
        let interval = Interval::parse_browser("HLA:A*01:5-6").unwrap();
        assert_eq!(interval, Interval::new("HLA:A*01", 4, 6));
    }
}
