//! Genes: where they lie and where they start.

use super::Interval;

/// The strand that a gene is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strand {
    /// `+`: the gene starts at its lowest coordinate.
    Forward,
    /// `-`: the gene starts at its highest coordinate.
    Reverse,
}

impl Strand {
    /// The strand written as `+` or `-`.
    pub fn from_symbol(symbol: &str) -> Option<Strand> {
        match symbol {
            "+" => Some(Strand::Forward),
            "-" => Some(Strand::Reverse),
            _ => None,
        }
    }

    /// `+` or `-`.
    pub const fn symbol(self) -> char {
        match self {
            Strand::Forward => '+',
            Strand::Reverse => '-',
        }
    }
}

/// A gene: where it lies and in which direction it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gene {
    /// The stable identifier (`ENSG00000163159`), or the name where a file has no other.
    pub id: String,
    /// The symbol (`VPS72`), or the identifier where a file has no other.
    pub name: String,
    /// The whole gene, introns included, 0-based and half-open.
    pub interval: Interval,
    /// The strand.
    pub strand: Strand,
}

impl Gene {
    /// The base that transcription starts at, 0-based: `start` on `+`, `end` − 1 on `-`.
    ///
    /// ```
    /// use persea_genome::{Gene, Interval, Strand};
    /// let interval = Interval::new("chr1", 100, 200);
    /// let gene = Gene { id: "G".into(), name: "g".into(), interval, strand: Strand::Reverse };
    /// assert_eq!(gene.tss(), 199);
    /// ```
    pub fn tss(&self) -> u64 {
        match self.strand {
            Strand::Forward => self.interval.start,
            Strand::Reverse => self.interval.end.saturating_sub(1),
        }
    }
}
