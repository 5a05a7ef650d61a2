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
    /// The bases that its transcripts start at, 0-based, ascending, each once; empty where its file
    /// has no transcripts.
    pub transcript_starts: Vec<u64>,
}

impl Gene {
    /// The gene's own TSS, 0-based: `start` on `+`, `end` − 1 on `-`. Published measures and labels
    /// have one TSS a gene; [`Gene::starts`] has every transcript's.
    ///
    /// ```
    /// use persea_genome::{Gene, Interval, Strand};
    /// let gene = Gene {
    ///     id: "G".into(),
    ///     name: "g".into(),
    ///     interval: Interval::new("chr1", 100, 200),
    ///     strand: Strand::Reverse,
    ///     transcript_starts: vec![149, 199],
    /// };
    /// assert_eq!(gene.tss(), 199);
    /// assert_eq!(gene.starts().collect::<Vec<u64>>(), [149, 199]);
    /// ```
    pub fn tss(&self) -> u64 {
        match self.strand {
            Strand::Forward => self.interval.start,
            Strand::Reverse => self.interval.end.saturating_sub(1),
        }
    }

    /// Every base that transcription starts at, 0-based, ascending: the TSS of the gene's transcripts, or
    /// the gene's own where no transcript is known.
    pub fn starts(&self) -> impl Iterator<Item = u64> + '_ {
        let own = self.transcript_starts.is_empty().then(|| self.tss());
        self.transcript_starts.iter().copied().chain(own)
    }
}
