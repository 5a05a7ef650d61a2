//! Genes from GTF, GFF3 and BED files, plain or gzipped.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use persea_files::{Lines, TEXT_BYTES, check_name, fields, is_header};

use super::{Assembly, Gene, GenomeError, Interval, SequenceNames, Strand, annotation};
use transcripts::{TranscriptStarts, is_transcript, plain_id};

mod transcripts;

/// The genes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneSet {
    /// The genes on the assembly's chromosomes, in the file's order. An identifier repeats where
    /// the file repeats it (a gene with copies).
    pub genes: Vec<Gene>,
    /// How many genes were left out because the assembly lacks their chromosome (patches and
    /// alternative loci, usually).
    pub n_other_chromosomes: u64,
    /// How many genes were left out because they have no strand, no name or no length.
    pub n_odd: u64,
    /// The first of them: its line and what is wrong.
    pub first_odd: Option<String>,
}

/// Reads genes from a GTF, GFF3, BED6 or BED12 file, plain or gzipped; its content says which.
///
/// - GTF and GFF3 (1-based, inclusive): the features `gene`, `pseudogene` and those that end in
///   `_gene` (`tRNA_gene`). A `gene_id` without such a feature is a gene too: the span of its
///   transcripts, else of its exons, on each chromosome and strand. The identifier is `gene_id`,
///   else `ID` without Ensembl's `gene:`; the name is `gene_name`, `Name` or `gene`, else the
///   identifier. A transcript's TSS is kept with its gene: that of `gene_id`, else of `Parent`,
///   on its chromosome and strand.
/// - BED (0-based, half-open): the fourth field is identifier and name, the sixth the strand.
///
/// A gene on a sequence that the assembly lacks, and one without a strand, are left out and counted.
///
/// # Errors
/// When the file cannot be read; when a line is of none of these formats or ends beyond its
/// chromosome (the line is named); when no gene is left; when the file is of another assembly.
pub fn read_genes(path: &Path, assembly: &Assembly) -> Result<GeneSet, GenomeError> {
    read_gene_lines(Lines::open(path)?, path, assembly)
}

/// As [`read_genes`], from anything that reads; `path` is what errors name.
///
/// # Errors
/// As [`read_genes`].
pub fn read_genes_from(
    reader: impl Read,
    path: &Path,
    assembly: &Assembly,
) -> Result<GeneSet, GenomeError> {
    read_gene_lines(Lines::new(path.display(), reader)?, path, assembly)
}

fn read_gene_lines(
    mut lines: Lines<'_>,
    path: &Path,
    assembly: &Assembly,
) -> Result<GeneSet, GenomeError> {
    let mut collector = Collector::new(assembly);
    let mut format = None;
    let mut n_before = 0;
    while let Some(text) = lines.next_text()? {
        // A GFF3 file may carry its sequences behind its features.
        if text.starts_with("##FASTA") {
            break;
        }
        if is_header(text.as_bytes()) {
            continue;
        }
        let text = text.into_owned();
        let fields = fields(&text);
        let at_line = |message: String| lines.error(message);
        let format = match format {
            Some(format) => format,
            None => *format.insert(FileFormat::of(&fields).map_err(at_line)?),
        };
        collector.line = lines.number();
        let taken = match format {
            FileFormat::Bed => collector.bed_line(&fields),
            FileFormat::Annotation => collector.annotation_line(&fields),
        };
        match taken {
            Err(Wrong::Line(message)) => return Err(at_line(message).into()),
            Err(Wrong::Gene(message)) => {
                collector.n_odd += 1;
                if collector.first_odd.is_none() {
                    collector.first_odd = Some(format!("line {}: {message}", lines.number()));
                }
            }
            Ok(()) => {}
        }
        let n_kept = collector.n_kept();
        if n_kept > n_before {
            // Its names stand in several places.
            lines.keep((n_kept - n_before) * (8 * TEXT_BYTES + text.len()))?;
            n_before = n_kept;
        }
    }
    lines.warn_of_replaced();
    collector.finish(path)
}

/// The two shapes of a gene file; GTF and GFF3 differ in their ninth column alone.
#[derive(Clone, Copy)]
enum FileFormat {
    Bed,
    Annotation,
}

impl FileFormat {
    fn of(fields: &[&str]) -> Result<Self, String> {
        let is_number = |i: usize| fields.get(i).is_some_and(|f| f.parse::<u64>().is_ok());
        // The second and third columns of GTF and GFF3 are a source and a feature, never numbers. Those
        // of a BED12 with Entrez's identifiers for names are numbers up to its fifth.
        if is_number(1) && is_number(2) {
            Ok(FileFormat::Bed)
        } else if fields.len() >= 8 && is_number(3) && is_number(4) {
            Ok(FileFormat::Annotation)
        } else {
            Err(
                "neither GTF, GFF3 nor BED: expected tab-separated columns with positions in \
                 the fourth and fifth (GTF, GFF3) or the second and third (BED)"
                    .into(),
            )
        }
    }
}

/// What is wrong with a line.
enum Wrong {
    /// It is not of the file's format, or of another assembly.
    Line(String),
    /// It is a gene that cannot be used.
    Gene(String),
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Wrong::Line(message)
    }
}

/// What a feature says about its gene.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Evidence {
    Exon,
    Transcript,
    Gene,
}

impl Evidence {
    fn of(feature: &str) -> Option<Self> {
        match feature {
            "gene" | "pseudogene" => Some(Evidence::Gene),
            _ if feature.ends_with("_gene") => Some(Evidence::Gene),
            "transcript" | "mRNA" => Some(Evidence::Transcript),
            "exon" | "CDS" => Some(Evidence::Exon),
            _ => None,
        }
    }
}

/// Genes as they are read.
struct Collector<'a> {
    assembly: &'a Assembly,
    sequences: SequenceNames<'a>,
    /// The line that is read.
    line: u64,
    /// Each gene with what says that it is one; `None` lies on a sequence that the assembly lacks.
    genes: Vec<(Evidence, String, Option<Gene>)>,
    /// Where a gene that is merged from its parts stands in `genes`.
    merged: HashMap<(Evidence, String, String, char), usize>,
    /// The best evidence for each identifier.
    best: HashMap<String, Evidence>,
    n_odd: u64,
    first_odd: Option<String>,
    starts: TranscriptStarts,
}

impl<'a> Collector<'a> {
    fn new(assembly: &'a Assembly) -> Self {
        Collector {
            assembly,
            sequences: SequenceNames::new(assembly),
            line: 0,
            genes: Vec::new(),
            merged: HashMap::new(),
            best: HashMap::new(),
            n_odd: 0,
            first_odd: None,
            starts: TranscriptStarts::default(),
        }
    }

    /// How many genes, identifiers and transcripts are kept.
    fn n_kept(&self) -> usize {
        self.genes.len() + self.best.len() + self.starts.len()
    }

    fn bed_line(&mut self, fields: &[&str]) -> Result<(), Wrong> {
        let [chrom, start, end, name, _, strand, ..] = fields else {
            return Err(Wrong::Line(format!(
                "{} fields, but a gene needs BED6: chromosome, start, end, name, score, strand",
                fields.len()
            )));
        };
        let start = parse_position(start)?;
        let end = parse_position(end)?;
        let strand = parse_strand(strand)?;
        let name = match name.trim() {
            "" | "." => format!("{chrom}:{}-{end}", start + 1),
            name => name.to_string(),
        };
        self.add(
            Evidence::Gene,
            Gene {
                id: name.clone(),
                name,
                interval: Interval::new(chrom.trim(), start, end),
                strand,
                transcript_starts: Vec::new(),
            },
        )
    }

    fn annotation_line(&mut self, fields: &[&str]) -> Result<(), Wrong> {
        let [chrom, _, feature, start, end, _, strand, _, rest @ ..] = fields else {
            return Err(Wrong::Line(format!(
                "{} fields, but GTF and GFF3 have nine, separated by tabs",
                fields.len()
            )));
        };
        let evidence = Evidence::of(feature);
        if evidence.is_none() && !is_transcript(feature) {
            return Ok(());
        }
        // A line of eight fields has no attributes: it has no name then, and is left out.
        let attributes = rest.first().copied().unwrap_or("");
        // Most lines are parts of a gene that has been read.
        let is_known = |id: &str| (self.best.get(id)).is_some_and(|best| Some(*best) > evidence);
        if !is_transcript(feature) && quoted_gene_id(attributes).is_some_and(is_known) {
            return Ok(());
        }
        let attributes = annotation::parse_attributes(attributes);
        let named = |keys: &[&str]| {
            keys.iter().find_map(|key| {
                let (_, value) = attributes.iter().find(|(k, _)| k == key)?;
                (!value.is_empty()).then(|| value.clone())
            })
        };
        if is_transcript(feature)
            && let Some(gene) = named(&["gene_id", "Parent"])
            && let Ok(chromosome) = self.assembly.resolve(chrom.trim())
            && let Some(strand) = Strand::from_symbol(strand.trim())
        {
            let place = (parse_position(start)?, parse_position(end)?);
            let on = (chromosome.name.as_str(), chromosome.length);
            (self.starts).add(&plain_id(&gene), on, place, strand)?;
        }
        let Some(evidence) = evidence else {
            return Ok(());
        };
        // Only a gene's own feature is identified by `ID`; that of a transcript names the transcript.
        let id = match evidence {
            Evidence::Gene => named(&["gene_id", "ID"]),
            _ => named(&["gene_id"]),
        };
        let Some(id) = id else {
            if evidence == Evidence::Gene {
                return Err(Wrong::Gene(
                    "a gene without gene_id (GTF) or ID (GFF3)".into(),
                ));
            }
            return Ok(());
        };
        let id = plain_id(&id);
        let best = self.best.entry(id.clone()).or_insert(evidence);
        *best = evidence.max(*best);
        let name = match evidence {
            Evidence::Gene => named(&["gene_name", "Name", "gene"]),
            _ => named(&["gene_name", "gene"]),
        };
        let (start, end) = (parse_position(start)?, parse_position(end)?);
        let Some(start) = start.checked_sub(1) else {
            return Err(Wrong::Gene(
                "starts at 0, but GTF and GFF3 count from 1".into(),
            ));
        };
        let gene = Gene {
            name: name.unwrap_or_else(|| id.clone()),
            id,
            interval: Interval::new(chrom.trim(), start, end),
            strand: parse_strand(strand)?,
            transcript_starts: Vec::new(),
        };
        self.add(evidence, gene)
    }

    /// Adds a gene, or a part of one.
    fn add(&mut self, evidence: Evidence, mut gene: Gene) -> Result<(), Wrong> {
        check_name(&gene.id)?;
        check_name(&gene.name)?;
        let Interval { chrom, start, end } = gene.interval.clone();
        let key = (
            evidence,
            gene.id.clone(),
            chrom.clone(),
            gene.strand.symbol(),
        );
        let known = match evidence {
            Evidence::Gene => None,
            _ => self.merged.get(&key).copied(),
        };
        let found = self.sequences.find(&chrom, self.line);
        if let Some(rank) = found {
            let chromosome = &self.assembly.chromosomes()[rank];
            if start >= end {
                return Err(Wrong::Gene(format!(
                    "gene {} is empty: it ends before it starts",
                    gene.id
                )));
            }
            if end > chromosome.length {
                return Err(Wrong::Line(format!(
                    "gene {} ends at {end}, beyond {chrom}'s {} bp of {}: is the file of another \
                     assembly?",
                    gene.id,
                    chromosome.length,
                    self.assembly.name()
                )));
            }
            gene.interval.chrom = chromosome.name.clone();
        }
        match known {
            Some(i) => {
                if let Some(whole) = &mut self.genes[i].2 {
                    whole.interval.start = whole.interval.start.min(start);
                    whole.interval.end = whole.interval.end.max(end);
                }
            }
            None => {
                if evidence != Evidence::Gene {
                    self.merged.insert(key, self.genes.len());
                }
                let id = gene.id.clone();
                self.genes.push((evidence, id, found.map(|_| gene)));
            }
        }
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<GeneSet, GenomeError> {
        let report = self.sequences.finish(&path.display().to_string())?;
        let mut set = GeneSet {
            genes: Vec::new(),
            n_other_chromosomes: 0,
            n_odd: self.n_odd,
            first_odd: self.first_odd,
        };
        for (evidence, id, gene) in self.genes {
            // Parts of what has a feature of its own.
            if self.best.get(&id).is_some_and(|best| *best > evidence) {
                continue;
            }
            match gene {
                Some(gene) => set.genes.push(gene),
                None => set.n_other_chromosomes += 1,
            }
        }
        self.starts.attach(&mut set.genes);
        if set.genes.is_empty() {
            let message = match &set.first_odd {
                Some(odd) => format!("no gene in it that can be used; {odd}"),
                None => "no gene in it; expected GTF or GFF3 with features `gene` (or transcripts \
                         and exons with a gene_id), or BED6"
                    .into(),
            };
            return Err(GenomeError::file(path, message));
        }
        // Genes that were passed over are counted above.
        let passed_over = report.n_lacking > 0;
        for note in report
            .notes
            .iter()
            .take(report.notes.len() - usize::from(passed_over))
        {
            tracing::warn!("{}: {note}", path.display());
        }
        Ok(set)
    }
}

/// The `gene_id` of a GTF's attributes, without looking at the others.
fn quoted_gene_id(attributes: &str) -> Option<&str> {
    let (_, value) = attributes.split_once("gene_id \"")?;
    value.split_once('"').map(|(id, _)| id)
}

fn parse_position(text: &str) -> Result<u64, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("`{text}` is not a position"))
}

fn parse_strand(text: &str) -> Result<Strand, Wrong> {
    Strand::from_symbol(text.trim()).ok_or_else(|| {
        Wrong::Gene(format!(
            "strand `{text}`: a gene needs + or -, for its start depends on it"
        ))
    })
}

#[cfg(test)]
mod tests;
