//! Where each transcript of a gene starts.

use std::collections::{BTreeSet, HashMap};

use super::super::{Gene, Strand};

/// Features that are transcripts, by the names that GENCODE, Ensembl and NCBI give them.
const FEATURES: [&str; 16] = [
    "transcript",
    "mRNA",
    "lnc_RNA",
    "lncRNA",
    "ncRNA",
    "antisense_RNA",
    "miRNA",
    "rRNA",
    "scRNA",
    "snRNA",
    "snoRNA",
    "tRNA",
    "unconfirmed_transcript",
    "primary_transcript",
    "pseudogenic_transcript",
    "processed_transcript",
];

/// Whether a feature is a transcript.
pub(super) fn is_transcript(feature: &str) -> bool {
    FEATURES.contains(&feature)
}

/// A gene's identifier without Ensembl's `gene:`.
pub(super) fn plain_id(id: &str) -> String {
    id.strip_prefix("gene:").unwrap_or(id).to_string()
}

/// The transcripts' TSS, 0-based, of a gene's identifier, chromosome and strand.
#[derive(Default)]
pub(super) struct TranscriptStarts {
    by_gene: HashMap<(String, String, char), BTreeSet<u64>>,
    n: usize,
}

impl TranscriptStarts {
    /// Keeps the TSS of a transcript of a gene, which lies from `start` (from 1) to `end` on a chromosome
    /// of some length.
    pub(super) fn add(
        &mut self,
        gene: &str,
        (chrom, length): (&str, u64),
        (start, end): (u64, u64),
        strand: Strand,
    ) -> Result<(), String> {
        if start == 0 || start > end || end > length {
            return Err(format!(
                "a transcript of {gene} lies at {start}-{end} of {chrom}, which has {length} bp"
            ));
        }
        let tss = match strand {
            Strand::Forward => start - 1,
            Strand::Reverse => end - 1,
        };
        let key = (gene.to_string(), chrom.to_string(), strand.symbol());
        let is_new = self.by_gene.entry(key).or_default().insert(tss);
        self.n += usize::from(is_new);
        Ok(())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.n
    }

    /// Gives each gene those of its transcripts that start within it: of a gene with copies on one
    /// chromosome, each copy its own.
    pub(super) fn attach(&self, genes: &mut [Gene]) {
        for gene in genes {
            let chrom = gene.interval.chrom.clone();
            let key = (gene.id.clone(), chrom, gene.strand.symbol());
            let within = gene.interval.start..gene.interval.end;
            let starts = self.by_gene.get(&key).into_iter().flatten();
            gene.transcript_starts = starts.copied().filter(|s| within.contains(s)).collect();
        }
    }
}
