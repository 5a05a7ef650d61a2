//! Genes from GTF, GFF3 and BED files, plain or gzipped.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use persea_files::{Lines, check_name, fields, is_header};

use super::{Assembly, Gene, GenomeError, Interval, Strand, annotation};
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
}

/// Reads genes from a GTF, GFF3, BED6 or BED12 file, plain or gzipped; its content says which.
///
/// - GTF and GFF3 (1-based, inclusive): the features `gene` (also `pseudogene` and `ncRNA_gene`);
///   where a file has none, the spans of its transcripts, else of its exons, merged by `gene_id`,
///   chromosome and strand. The identifier is `gene_id`, else `ID` without Ensembl's `gene:`; the
///   name is `gene_name`, `Name` or `gene`, else the identifier. A transcript's TSS is kept with its
///   gene: that of `gene_id`, else of `Parent`, on its chromosome and strand.
/// - BED (0-based, half-open): the fourth field is identifier and name, the sixth the strand.
///
/// # Errors
/// When the file cannot be read; when a line is of none of these formats, has no strand, or ends
/// beyond its chromosome (the line is named); when no gene is in the file, or none on a chromosome
/// of the assembly.
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
        match format {
            FileFormat::Bed => collector.bed_line(&fields),
            FileFormat::Annotation => collector.annotation_line(&fields),
        }
        .map_err(at_line)?;
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
        if fields.len() >= 8 && is_number(3) && is_number(4) {
            Ok(FileFormat::Annotation)
        } else if is_number(1) && is_number(2) {
            Ok(FileFormat::Bed)
        } else {
            Err(
                "neither GTF, GFF3 nor BED: expected tab-separated columns with positions in \
                 the fourth and fifth (GTF, GFF3) or the second and third (BED)"
                    .into(),
            )
        }
    }
}

/// What a feature says about its gene.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    Exon,
    Transcript,
    Gene,
}

impl Evidence {
    fn of(feature: &str) -> Option<Self> {
        match feature {
            "gene" | "pseudogene" | "ncRNA_gene" => Some(Evidence::Gene),
            "transcript" | "mRNA" => Some(Evidence::Transcript),
            "exon" | "CDS" => Some(Evidence::Exon),
            _ => None,
        }
    }
}

/// Genes as they are read: those of the best evidence met so far.
struct Collector<'a> {
    assembly: &'a Assembly,
    evidence: Evidence,
    genes: Vec<Gene>,
    /// Where a gene that is merged from its parts stands in `genes`.
    merged: HashMap<(String, String, char), usize>,
    n_other: u64,
    /// Genes merged on unknown chromosomes, so that each counts once.
    other_merged: HashSet<(String, String, char)>,
    first_unknown: Option<GenomeError>,
    starts: TranscriptStarts,
}

impl<'a> Collector<'a> {
    fn new(assembly: &'a Assembly) -> Self {
        Collector {
            assembly,
            evidence: Evidence::Exon,
            genes: Vec::new(),
            merged: HashMap::new(),
            n_other: 0,
            other_merged: HashSet::new(),
            first_unknown: None,
            starts: TranscriptStarts::default(),
        }
    }

    fn bed_line(&mut self, fields: &[&str]) -> Result<(), String> {
        let [chrom, start, end, name, _, strand, ..] = fields else {
            return Err(format!(
                "{} fields, but a gene needs BED6: chromosome, start, end, name, score, strand",
                fields.len()
            ));
        };
        let strand = parse_strand(strand)?;
        let start = parse_position(start)?;
        let end = parse_position(end)?;
        let name = match name.trim() {
            "" | "." => format!("{chrom}:{}-{end}", start + 1),
            name => name.to_string(),
        };
        self.add(Gene {
            id: name.clone(),
            name,
            interval: Interval::new(*chrom, start, end),
            strand,
            transcript_starts: Vec::new(),
        })
    }

    fn annotation_line(&mut self, fields: &[&str]) -> Result<(), String> {
        let [chrom, _, feature, start, end, _, strand, _, rest @ ..] = fields else {
            return Err(format!(
                "{} fields, but GTF and GFF3 have nine, separated by tabs",
                fields.len()
            ));
        };
        let evidence = Evidence::of(feature).filter(|evidence| *evidence >= self.evidence);
        if evidence.is_none() && !is_transcript(feature) {
            return Ok(());
        }
        // A line of eight fields has no attributes: it has no name then, and is left out.
        let attributes = rest.first().copied().unwrap_or("");
        let attributes = annotation::parse_attributes(attributes);
        let named = |keys: &[&str]| {
            keys.iter().find_map(|key| {
                let (_, value) = attributes.iter().find(|(k, _)| k == key)?;
                (!value.is_empty()).then(|| value.clone())
            })
        };
        if is_transcript(feature)
            && let Some(gene) = named(&["gene_id", "Parent"])
            && let Ok(chromosome) = self.assembly.chromosome(chrom)
            && let Some(strand) = Strand::from_symbol(strand.trim())
        {
            let place = (parse_position(start)?, parse_position(end)?);
            let on = (*chrom, chromosome.length);
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
                return Err("a gene without gene_id (GTF) or ID (GFF3)".into());
            }
            return Ok(());
        };
        let id = plain_id(&id);
        let name = match evidence {
            Evidence::Gene => named(&["gene_name", "Name", "gene"]),
            _ => named(&["gene_name", "gene"]),
        };
        let (start, end) = (parse_position(start)?, parse_position(end)?);
        let Some(start) = start.checked_sub(1) else {
            return Err("starts at 0, but GTF and GFF3 count from 1".into());
        };
        let gene = Gene {
            name: name.unwrap_or_else(|| id.clone()),
            id,
            interval: Interval::new(*chrom, start, end),
            strand: parse_strand(strand)?,
            transcript_starts: Vec::new(),
        };
        if evidence > self.evidence {
            self.evidence = evidence;
            self.genes.clear();
            self.merged.clear();
            self.other_merged.clear();
            self.n_other = 0;
        }
        if evidence == Evidence::Gene {
            self.add(gene)
        } else {
            self.merge(gene)
        }
    }

    fn add(&mut self, gene: Gene) -> Result<(), String> {
        check_name(&gene.id)?;
        check_name(&gene.name)?;
        if self.is_covered(&gene)? {
            self.genes.push(gene);
        } else {
            self.n_other += 1;
        }
        Ok(())
    }

    fn merge(&mut self, part: Gene) -> Result<(), String> {
        check_name(&part.id)?;
        let chrom = part.interval.chrom.clone();
        let key = (part.id.clone(), chrom, part.strand.symbol());
        if !self.is_covered(&part)? {
            if self.other_merged.insert(key) {
                self.n_other += 1;
            }
            return Ok(());
        }
        match self.merged.get(&key) {
            Some(i) => {
                let whole = &mut self.genes[*i].interval;
                whole.start = whole.start.min(part.interval.start);
                whole.end = whole.end.max(part.interval.end);
            }
            None => {
                self.merged.insert(key, self.genes.len());
                self.genes.push(part);
            }
        }
        Ok(())
    }

    /// Whether the gene's chromosome is in the assembly; its coordinates are checked if so.
    fn is_covered(&mut self, gene: &Gene) -> Result<bool, String> {
        let Interval { chrom, start, end } = &gene.interval;
        match self.assembly.chromosome(chrom) {
            Err(error) => {
                self.first_unknown.get_or_insert(error);
                Ok(false)
            }
            Ok(_) if start >= end => Err(format!(
                "gene {} is empty: it ends before it starts",
                gene.id
            )),
            Ok(chromosome) if *end > chromosome.length => Err(format!(
                "gene {} ends at {end}, beyond {chrom}'s {} bp of {}: is the file of another assembly?",
                gene.id,
                chromosome.length,
                self.assembly.name()
            )),
            Ok(_) => Ok(true),
        }
    }

    fn finish(mut self, path: &Path) -> Result<GeneSet, GenomeError> {
        self.starts.attach(&mut self.genes);
        if self.genes.is_empty() {
            let message = match self.first_unknown {
                Some(error) if self.n_other > 0 => format!(
                    "none of its {} genes lies on a chromosome of the assembly: {error}",
                    self.n_other
                ),
                _ => "no gene in it; expected GTF or GFF3 with features `gene` (or transcripts \
                      and exons with a gene_id), or BED6"
                    .into(),
            };
            return Err(GenomeError::file(path, message));
        }
        Ok(GeneSet {
            genes: self.genes,
            n_other_chromosomes: self.n_other,
        })
    }
}

fn parse_position(text: &str) -> Result<u64, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("`{text}` is not a position"))
}

fn parse_strand(text: &str) -> Result<Strand, String> {
    Strand::from_symbol(text.trim())
        .ok_or_else(|| format!("strand `{text}`: a gene needs + or -, for its start depends on it"))
}

#[cfg(test)]
mod tests;
