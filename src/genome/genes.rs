//! Genes: the part of the room that the store needs; readers are written elsewhere.

use super::Interval;

/// The strand that a gene is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strand {
    /// `+`: the gene starts at its lowest coordinate.
    Forward,
    /// `-`: the gene starts at its highest coordinate.
    Reverse,
}

/// A gene: where it lies and in which direction it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gene {
    /// The stable identifier.
    pub id: String,
    /// The symbol.
    pub name: String,
    /// The whole gene, introns included, 0-based and half-open.
    pub interval: Interval,
    /// The strand.
    pub strand: Strand,
}

impl Gene {
    /// The base that transcription starts at, 0-based: `start` on `+`, `end` − 1 on `-`.
    pub fn tss(&self) -> u64 {
        match self.strand {
            Strand::Forward => self.interval.start,
            Strand::Reverse => self.interval.end.saturating_sub(1),
        }
    }
}
