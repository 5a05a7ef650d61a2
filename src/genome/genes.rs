//! Genes from GTF, GFF3 and BED files, plain or gzipped.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::path::Path;

use super::bed::open_text;
use super::{Assembly, GenomeError, Interval, annotation};

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
    /// use persea::genome::{Gene, Interval, Strand};
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
///   name is `gene_name`, `Name` or `gene`, else the identifier.
/// - BED (0-based, half-open): the fourth field is identifier and name, the sixth the strand.
///
/// # Errors
/// When the file cannot be read; when a line is of none of these formats, has no strand, or ends
/// beyond its chromosome (the line is named); when no gene is in the file, or none on a chromosome
/// of the assembly.
pub fn read_genes(path: &Path, assembly: &Assembly) -> Result<GeneSet, GenomeError> {
    read_genes_from(open_text(path)?, path, assembly)
}

/// As [`read_genes`], from anything that reads lines; `path` is what errors name.
///
/// # Errors
/// As [`read_genes`].
pub fn read_genes_from(
    mut reader: impl BufRead,
    path: &Path,
    assembly: &Assembly,
) -> Result<GeneSet, GenomeError> {
    let mut collector = Collector::new(assembly);
    let mut format = None;
    let mut buffer = String::new();
    let mut number = 0;
    loop {
        buffer.clear();
        number += 1;
        let n = reader
            .read_line(&mut buffer)
            .map_err(|e| GenomeError::line(path, number, e.to_string()))?;
        let text = buffer.trim_end_matches(['\r', '\n']);
        // A GFF3 file may carry its sequences behind its features.
        if n == 0 || text.starts_with("##FASTA") {
            break;
        }
        if text.trim().is_empty()
            || text.starts_with('#')
            || text.starts_with("track")
            || text.starts_with("browser")
        {
            continue;
        }
        let fields: Vec<&str> = if text.contains('\t') {
            text.split('\t').collect()
        } else {
            text.split_whitespace().collect()
        };
        let at_line = |message: String| GenomeError::line(path, number, message);
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
        })
    }

    fn annotation_line(&mut self, fields: &[&str]) -> Result<(), String> {
        let [chrom, _, feature, start, end, _, strand, _, rest @ ..] = fields else {
            return Err(format!(
                "{} fields, but GTF and GFF3 have nine, separated by tabs",
                fields.len()
            ));
        };
        let Some(evidence) = Evidence::of(feature) else {
            return Ok(());
        };
        if evidence < self.evidence {
            return Ok(());
        }
        let attributes = rest.first().copied().unwrap_or("");
        let attributes = annotation::parse_attributes(attributes);
        let named = |keys: &[&str]| {
            keys.iter().find_map(|key| {
                let (_, value) = attributes.iter().find(|(k, _)| k == key)?;
                (!value.is_empty()).then(|| value.clone())
            })
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
        let id = id.strip_prefix("gene:").unwrap_or(&id).to_string();
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
        if self.is_covered(&gene)? {
            self.genes.push(gene);
        } else {
            self.n_other += 1;
        }
        Ok(())
    }

    fn merge(&mut self, part: Gene) -> Result<(), String> {
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

    fn finish(self, path: &Path) -> Result<GeneSet, GenomeError> {
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
            let path = path.to_path_buf();
            return Err(GenomeError::File { path, message });
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn toy() -> Assembly {
        let list = [("chr1".to_string(), 10_000), ("chr2".to_string(), 5_000)];
        Assembly::from_chromosomes("toy", &list).unwrap()
    }

    fn read(text: &str) -> Result<GeneSet, GenomeError> {
        read_genes_from(text.as_bytes(), Path::new("genes.txt"), &toy())
    }

    fn gene(id: &str, name: &str, chrom: &str, start: u64, end: u64, strand: Strand) -> Gene {
        Gene {
            id: id.into(),
            name: name.into(),
            interval: Interval::new(chrom, start, end),
            strand,
        }
    }

    #[test]
    fn one_gene_reads_the_same_from_gtf_gff3_and_bed() {
        let expected = vec![gene("G1", "A", "chr1", 99, 200, Strand::Reverse)];
        let gtf = "#!x\nchr1\tH\tgene\t100\t200\t.\t-\t.\tgene_id \"G1\"; gene_name \"A\";\n\
                   chr1\tH\texon\t100\t120\t.\t-\t.\tgene_id \"G1\";\n";
        let gff = "##gff-version 3\nchr1\tE\tgene\t100\t200\t.\t-\t.\tID=gene:G1;Name=A\n\
                   chr1\tE\tmRNA\t90\t210\t.\t-\t.\tID=t1;Parent=gene:G1\n\
                   ##FASTA\n>chr1\nACGT\n";
        let gencode = "chr1\tH\tgene\t100\t200\t.\t-\t.\tID=G1;gene_id=G1;gene_name=A\n";
        for text in [gtf, gff, gencode] {
            assert_eq!(read(text).unwrap().genes, expected, "{text}");
        }
        let bed = "chr1\t99\t200\tA\t0\t-\n";
        let from_bed = vec![gene("A", "A", "chr1", 99, 200, Strand::Reverse)];
        assert_eq!(read(bed).unwrap().genes, from_bed);
        let bed12 = "chr1\t99\t200\tA\t0\t-\t99\t200\t0\t2\t10,10\t0,91\n";
        assert_eq!(read(bed12).unwrap().genes, from_bed);
    }

    #[test]
    fn without_gene_features_transcripts_are_merged_and_before_them_exons() {
        let exons = "chr1\tx\texon\t101\t150\t.\t+\t.\tgene_id \"G1\"; transcript_id \"t\";\n\
                     chr2\tx\texon\t11\t20\t.\t+\t.\tgene_id \"G1\"; transcript_id \"t\";\n\
                     chr1\tx\texon\t301\t350\t.\t+\t.\tgene_id \"G1\"; transcript_id \"t\";\n";
        let merged = read(exons).unwrap().genes;
        assert_eq!(
            merged,
            [
                gene("G1", "G1", "chr1", 100, 350, Strand::Forward),
                gene("G1", "G1", "chr2", 10, 20, Strand::Forward)
            ]
        );
        let transcript = "chr1\tx\ttranscript\t91\t400\t.\t+\t.\tgene_id \"G1\";\n";
        let both = read(&format!("{exons}{transcript}{exons}")).unwrap().genes;
        assert_eq!(both, [gene("G1", "G1", "chr1", 90, 400, Strand::Forward)]);
    }

    #[test]
    fn genes_on_other_chromosomes_are_counted_unless_they_are_all() {
        let some = "chr1\t0\t10\ta\t0\t+\nchrUn\t0\t10\tb\t0\t+\nchrUn\t5\t10\tc\t0\t+\n";
        let set = read(some).unwrap();
        assert_eq!((set.genes.len(), set.n_other_chromosomes), (1, 2));
        let message = read("1\t0\t10\ta\t0\t+\n").unwrap_err().to_string();
        assert!(message.contains("none of its 1 genes"), "{message}");
        assert!(message.contains("calls it `chr1`"), "{message}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let gtf = |fields: &str| format!("#\nchr1\tx\tgene\t{fields}\tgene_id \"G\";\n");
        for (text, why) in [
            (gtf("0\t10\t.\t+\t."), "line 2: starts at 0"),
            (gtf("20\t10\t.\t+\t."), "line 2: gene G is empty"),
            (
                gtf("5\t10001\t.\t+\t."),
                "line 2: gene G ends at 10001, beyond chr1's 10000",
            ),
            (gtf("5\t10\t.\t.\t."), "line 2: strand `.`"),
            (
                "chr1\tx\tgene\t1\t2\t.\t+\t.\tName=a\n".into(),
                "line 1: a gene without",
            ),
            ("chr1\t1\t2\n".into(), "line 1: 3 fields"),
            (
                "chr1\t1\t2\ta\t0\t+\nchr1\tx\t2\ta\t0\t+\n".into(),
                "line 2: `x` is not",
            ),
            ("gene,chrom\n".into(), "line 1: neither GTF"),
            ("#nothing\n".into(), "no gene in it"),
            (
                "chr1\tx\tSNP\t1\t2\t.\t+\t.\tID=a\n".into(),
                "no gene in it",
            ),
        ] {
            let message = read(&text).unwrap_err().to_string();
            assert!(message.contains(why), "{text:?}: {message}");
        }
    }

    #[test]
    fn gzipped_files_are_unpacked_and_truncated_ones_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("genes.bed.gz");
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(b"chr2\t4\t9\tg\t0\t+\n").unwrap();
        let bytes = packer.finish().unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let genes = read_genes(&path, &toy()).unwrap().genes;
        assert_eq!(genes, [gene("g", "g", "chr2", 4, 9, Strand::Forward)]);
        std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
        let message = read_genes(&path, &toy()).unwrap_err().to_string();
        assert!(message.contains("genes.bed.gz"), "{message}");
    }

    #[test]
    fn gencode_of_hg19_reads_whole() {
        let shared = std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
            Into::into,
        );
        let path = shared.join("annotation/genes.gencode_v10.hg19.gtf.gz");
        if !path.exists() {
            eprintln!("skipped: {} is not there", path.display());
            return;
        }
        let set = read_genes(&path, &Assembly::by_name("hg19").unwrap()).unwrap();
        assert_eq!((set.genes.len(), set.n_other_chromosomes), (43_575, 0));
        let found: Vec<&Gene> = set.genes.iter().filter(|g| g.name == "VPS72").collect();
        // The labels of the pilot regions put its TSS there, 0-based.
        assert_eq!(found[0].id, "ENSG00000163159");
        assert_eq!(found[0].tss(), 151_167_796);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(chr1|1)?[\t 0-9a-z\"=;+.-]{0,60}\n?[\t\\PC]{0,60}") {
            let _ = read(&text);
        }

        #[test]
        fn genes_written_as_gtf_and_as_bed_read_back(
            spans in prop::collection::vec((0u64..9_000, 1u64..1_000, any::<bool>()), 1..20)
        ) {
            let genes: Vec<Gene> = spans.iter().enumerate().map(|(i, (start, length, forward))| {
                let strand = if *forward { Strand::Forward } else { Strand::Reverse };
                let name = format!("g{i}");
                gene(&name, &name, "chr1", *start, start + length, strand)
            }).collect();
            let gtf: String = genes.iter().map(|g| format!(
                "{}\tx\tgene\t{}\t{}\t.\t{}\t.\tgene_id \"{}\"; gene_name \"{}\";\n",
                g.interval.chrom, g.interval.start + 1, g.interval.end, g.strand.symbol(), g.id, g.name
            )).collect();
            let bed: String = genes.iter().map(|g| format!(
                "{}\t{}\t{}\t{}\t0\t{}\n",
                g.interval.chrom, g.interval.start, g.interval.end, g.name, g.strand.symbol()
            )).collect();
            prop_assert_eq!(&read(&gtf).unwrap().genes, &genes);
            prop_assert_eq!(&read(&bed).unwrap().genes, &genes);
        }
    }
}
