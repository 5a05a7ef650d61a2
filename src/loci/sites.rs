//! Lists of sites: BED, and the places of a VCF's variants.

use std::path::Path;

use super::LociError;
use crate::annotation::promoter_intervals;
use crate::files::{FileError, Lines, TEXT_BYTES, check_name};
use crate::genome::{Assembly, Gene, GenomeAxis, Interval, SequenceNames, read_bed_lines};

/// A site of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Where it lies.
    pub interval: Interval,
    /// Its name, where the file gives one.
    pub name: Option<String>,
}

/// Reads a list of sites, gzipped or not: a VCF where it begins with `##fileformat=VCF` or its name
/// ends in `.vcf` or `.vcf.gz`, a BED otherwise. A variant's site is the bases of its REF allele.
///
/// # Errors
/// When the file cannot be read, is empty, of another assembly, or a line is malformed or beyond its
/// chromosome's end (the line is named). Lines on sequences that the assembly lacks are passed over
/// with a warning.
pub fn read_sites(path: &Path, assembly: &Assembly) -> crate::Result<Vec<Site>> {
    let mut lines = Lines::open(path)?;
    let begins = lines.next_line()?;
    let is_marked = begins.is_some_and(|line| line.starts_with(b"##fileformat=VCF"));
    if begins.is_some() {
        lines.push_back();
    }
    let name = path.to_string_lossy().to_lowercase();
    let is_named = [".vcf", ".vcf.gz", ".vcf.bgz"]
        .iter()
        .any(|end| name.ends_with(end));
    let sites = match is_marked || is_named {
        true => read_vcf(lines, assembly)?,
        false => read_bed_sites(lines, path, assembly)?,
    };
    if sites.is_empty() {
        return Err(FileError::file(path.display(), "no site in it").into());
    }
    Ok(sites)
}

/// The promoters of all genes that an axis covers: the bin of each transcript's TSS, and 1 kb on either
/// side. Of those at one place the first is named.
///
/// # Errors
/// When there is no gene on the axis.
pub fn promoters(axis: &GenomeAxis, genes: &[Gene]) -> crate::Result<Vec<Site>> {
    let mut sites: Vec<Site> = Vec::new();
    for gene in genes {
        let covered = promoter_intervals(gene).filter(|i| !axis.bins_within(i).is_empty());
        sites.extend(covered.map(|interval| Site {
            interval,
            name: Some(gene.name.clone()),
        }));
    }
    // Stable: of those at one place the list's first stays in front.
    sites.sort_by(|a, b| a.interval.cmp(&b.interval));
    sites.dedup_by(|a, b| a.interval == b.interval);
    if sites.is_empty() {
        return Err(LociError::too_few(
            "the database has no genes in its regions; `persea create` reads them (option `genes`)",
        )
        .into());
    }
    Ok(sites)
}

fn read_bed_sites(lines: Lines<'_>, path: &Path, assembly: &Assembly) -> crate::Result<Vec<Site>> {
    let mut sites = Vec::new();
    for (interval, rest) in read_bed_lines(lines, assembly)? {
        let name = rest.into_iter().next();
        let name = name.filter(|n| !n.is_empty() && n != ".");
        if let Some(name) = &name {
            check_name(name).map_err(|why| FileError::file(path.display(), why))?;
        }
        sites.push(Site { interval, name });
    }
    Ok(sites)
}

fn read_vcf(mut lines: Lines<'_>, assembly: &Assembly) -> crate::Result<Vec<Site>> {
    let mut sites = Vec::new();
    let mut sequences = SequenceNames::new(assembly);
    while let Some(line) = lines.next_text()? {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let line = line.into_owned();
        let bad = |why: String| -> FileError { lines.error(why) };
        let mut fields = line.split('\t');
        let (Some(chrom), Some(position), Some(id), Some(reference)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(bad("expected at least CHROM, POS, ID and REF".into()).into());
        };
        check_name(id).map_err(bad)?;
        let position: u64 = (position.parse().ok())
            .filter(|p| *p > 0)
            .ok_or_else(|| bad(format!("`{position}` is not a position (1-based, whole)")))?;
        let Some(rank) = sequences.find(chrom, lines.number()) else {
            continue;
        };
        let chromosome = &assembly.chromosomes()[rank];
        let start = position - 1;
        let end = start + reference.trim().len().max(1) as u64;
        if end > chromosome.length {
            return Err(bad(format!(
                "{chrom} {position} lies beyond {chrom}'s {} bp of {}",
                chromosome.length,
                assembly.name()
            ))
            .into());
        }
        lines.keep(size_of::<Site>() + 2 * TEXT_BYTES + id.len())?;
        sites.push(Site {
            interval: Interval::new(&chromosome.name, start, end),
            name: (id != "." && !id.is_empty()).then(|| id.to_string()),
        });
    }
    let file = lines.file().to_string();
    sequences.finish(&file)?.warn(&file);
    Ok(sites)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::store::test_support::toy_axis;

    fn read(name: &str, content: &[u8]) -> Result<Vec<Site>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        read_sites(&path, toy_axis().assembly()).map_err(|e| e.to_string())
    }

    #[test]
    fn variants_lie_on_the_bases_of_their_reference_allele() {
        let vcf = b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n\
                    chr1\t101\trs1\tA\tG\nchr1\t200\t.\tACG\tA\n";
        let sites = read("x.txt", vcf).unwrap();
        assert_eq!(sites[0].interval, Interval::new("chr1", 100, 101));
        assert_eq!(sites[0].name.as_deref(), Some("rs1"));
        assert_eq!(sites[1].interval, Interval::new("chr1", 199, 202));
        assert_eq!(sites[1].name, None);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(vcf).unwrap();
        assert_eq!(read("x.vcf.gz", &packed.finish().unwrap()).unwrap(), sites);
    }

    #[test]
    fn bad_lines_are_named() {
        for (name, content, why) in [
            (
                "a.vcf",
                "#h\nchr1\tx\t.\tA\n",
                "line 2: `x` is not a position",
            ),
            ("a.vcf", "chr1\t0\t.\tA\n", "line 1: `0` is not a position"),
            ("a.vcf", "chr1\t5\n", "line 1: expected at least CHROM"),
            ("a.vcf", "chr9\t5\t.\tA\n", "chr9"),
            ("a.vcf", "chr1\t10011\t.\tA\n", "beyond chr1's 10010 bp"),
            ("a.vcf", "#only a header\n", "no site in it"),
            ("a.bed", "", "no site in it"),
            ("a.bed", "chr1\t5\t5\n", "line 1"),
        ] {
            let message = read(name, content.as_bytes()).unwrap_err();
            assert!(message.contains(why), "{content}: {message}");
        }
    }

    #[test]
    fn each_start_of_a_gene_has_a_promoter_of_its_own() {
        // In chr1's covered stretch of 250 to 1,749: the gene's own start at 300, another at 1,700;
        // one at 3,000, whose promoter is not covered.
        let gene = Gene {
            id: "G".into(),
            name: "A".into(),
            interval: Interval::new("chr1", 300, 900),
            strand: crate::genome::Strand::Forward,
            transcript_starts: vec![300, 1_700, 3_000],
        };
        let own = Gene {
            transcript_starts: vec![],
            ..gene.clone()
        };
        let of = |genes: &[Gene]| -> Vec<(u64, u64)> {
            let sites = promoters(&toy_axis(), genes).unwrap();
            assert!(sites.iter().all(|s| s.name.as_deref() == Some("A")));
            (sites.iter())
                .map(|s| (s.interval.start, s.interval.end))
                .collect()
        };
        assert_eq!(of(std::slice::from_ref(&own)), [(0, 1_325)]);
        // What two genes share is one place.
        assert_eq!(of(&[gene, own]), [(0, 1_325), (700, 2_725)]);
    }

    #[test]
    fn a_bed_of_three_columns_has_no_names() {
        let sites = read("a.bed", b"chr1 5 9\nchr1\t6\t7\tmine\t.\n").unwrap();
        assert_eq!((sites.len(), sites[0].name.clone()), (2, None));
        assert_eq!(sites[1].name.as_deref(), Some("mine"));
    }
}
