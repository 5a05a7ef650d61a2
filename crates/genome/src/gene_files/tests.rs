//! Tests of reading genes.

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
        transcript_starts: Vec::new(),
    }
}

/// A gene whose transcripts are known.
fn gene_of(transcript_starts: &[u64], gene: Gene) -> Gene {
    Gene {
        transcript_starts: transcript_starts.to_vec(),
        ..gene
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
    let merged = gene("G1", "G1", "chr1", 90, 400, Strand::Forward);
    assert_eq!(both, [gene_of(&[90], merged)]);
}

#[test]
fn each_transcripts_tss_is_kept_with_its_gene_in_gtf_and_gff3() {
    let gtf = "chr1\tH\tgene\t100\t900\t.\t-\t.\tgene_id \"G1\"; gene_name \"A\";\n\
               chr1\tH\ttranscript\t100\t900\t.\t-\t.\tgene_id \"G1\"; transcript_id \"t1\";\n\
               chr1\tH\texon\t100\t150\t.\t-\t.\tgene_id \"G1\"; transcript_id \"t1\";\n\
               chr1\tH\ttranscript\t200\t500\t.\t-\t.\tgene_id \"G1\"; transcript_id \"t2\";\n\
               chr1\tH\ttranscript\t300\t500\t.\t-\t.\tgene_id \"G1\"; transcript_id \"t3\";\n\
               chr1\tH\tgene\t2000\t3000\t.\t+\t.\tgene_id \"G2\"; gene_name \"B\";\n";
    // The parent may follow; Ensembl names types of RNA; a gene of another strand is another's.
    let gff = "chr1\tE\tlnc_RNA\t200\t500\t.\t-\t.\tID=transcript:t2;Parent=gene:G1\n\
               chr1\tE\tgene\t100\t900\t.\t-\t.\tID=gene:G1;Name=A\n\
               chr1\tE\tmRNA\t100\t900\t.\t-\t.\tID=transcript:t1;Parent=gene:G1\n\
               chr1\tE\tmRNA\t100\t900\t.\t+\t.\tID=transcript:t4;Parent=gene:G1\n\
               chr1\tE\tgene\t2000\t3000\t.\t+\t.\tID=gene:G2;Name=B\n";
    // The last bases, 0-based: 899 and 499, on the reverse strand.
    let a = gene_of(
        &[499, 899],
        gene("G1", "A", "chr1", 99, 900, Strand::Reverse),
    );
    let b = gene("G2", "B", "chr1", 1_999, 3_000, Strand::Forward);
    for text in [gtf, gff] {
        assert_eq!(read(text).unwrap().genes, [a.clone(), b.clone()], "{text}");
    }
    assert_eq!(a.starts().collect::<Vec<u64>>(), [499, 899]);
    assert_eq!(b.starts().collect::<Vec<u64>>(), [1_999]);
    let beyond = gtf.replace("\t300\t500\t", "\t300\t10001\t");
    let message = read(&beyond).unwrap_err().to_string();
    assert!(
        message.contains("line 5: a transcript of G1 lies at 300-10001"),
        "{message}"
    );
}

#[test]
fn genes_on_other_chromosomes_are_counted_unless_they_are_all() {
    let some = "chr1\t0\t10\ta\t0\t+\nchrUn\t0\t10\tb\t0\t+\nchrUn\t5\t10\tc\t0\t+\n";
    let set = read(some).unwrap();
    assert_eq!((set.genes.len(), set.n_other_chromosomes), (1, 2));
    let message = read("9\t0\t10\ta\t0\t+\n").unwrap_err().to_string();
    assert!(
        message.contains("chromosome `9` is not in assembly toy"),
        "{message}"
    );
}

#[test]
fn genes_of_ensembl_lie_on_the_chromosomes_of_ucsc() {
    let genes = read("1\tx\tgene\t100\t200\t.\t+\t.\tgene_id \"G\";\n")
        .unwrap()
        .genes;
    assert_eq!(genes, [gene("G", "G", "chr1", 99, 200, Strand::Forward)]);
}

#[test]
fn a_bed12_with_numbers_for_names_is_no_gtf() {
    let bed12 = "chr1\t99\t199\t653635\t0\t+\t99\t199\t0\t1\t100,\t0,\n\
                 chr1\t500\t600\t7157\t0\t-\t500\t600\t0\t1\t100,\t0,\n";
    assert_eq!(
        read(bed12).unwrap().genes,
        [
            gene("653635", "653635", "chr1", 99, 199, Strand::Forward),
            gene("7157", "7157", "chr1", 500, 600, Strand::Reverse)
        ]
    );
}

#[test]
fn each_gene_is_read_from_the_best_that_the_file_has_of_it() {
    // A spike-in without a gene feature, and parts of a gene that come before its own.
    let gtf = "chr1\tx\texon\t150\t180\t.\t+\t.\tgene_id \"G1\";\n\
               chr1\tx\tgene\t100\t200\t.\t+\t.\tgene_id \"G1\"; gene_name \"A\";\n\
               chr1\tx\texon\t100\t120\t.\t+\t.\tgene_id \"G1\";\n\
               chr2\tx\texon\t100\t200\t.\t+\t.\tgene_id \"mCherry\";\n";
    assert_eq!(
        read(gtf).unwrap().genes,
        [
            gene("G1", "A", "chr1", 99, 200, Strand::Forward),
            gene("mCherry", "mCherry", "chr2", 99, 200, Strand::Forward)
        ]
    );
    let sgd = "##gff-version 3\nchr1\tx\tgene\t100\t199\t.\t+\t.\tID=YAL069W\n\
               chr1\tx\ttRNA_gene\t1000\t1099\t.\t+\t.\tID=tP(UGG)A\n\
               chr1\tx\tV_gene_segment\t1500\t1599\t.\t+\t.\tID=v\n\
               chr1\tx\tsnoRNA_gene\t2000\t2099\t.\t+\t.\tID=snR18\n";
    let ids: Vec<String> = read(sgd).unwrap().genes.into_iter().map(|g| g.id).collect();
    assert_eq!(ids, ["YAL069W", "tP(UGG)A", "snR18"]);
}

#[test]
fn an_odd_gene_is_left_out_and_counted() {
    let gff = "chr1\tx\tgene\t100\t199\t.\t+\t.\tID=a\nchr1\tx\tgene\t300\t399\t.\t?\t.\tID=b\n\
               chr1\tx\tgene\t300\t399\t.\t+\t.\tName=c\nchr1\tx\tgene\t30\t20\t.\t+\t.\tID=d\n";
    let set = read(gff).unwrap();
    assert_eq!((set.genes.len(), set.n_odd), (1, 3));
    assert!(set.first_odd.unwrap().starts_with("line 2: strand `?`"));
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
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        Into::into,
    );
    let path = shared.join("annotation/genes.gencode_v10.hg19.gtf.gz");
    if !path.exists() {
        crate::skipped::skipped("data", format!("{} is not there", path.display()));
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
