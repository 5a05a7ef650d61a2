//! Assemblies: chromosome names and lengths.

use std::collections::HashMap;
use std::path::Path;

use super::names::{OtherNames, are_of_human_or_mouse, is_main, is_y};
use super::{BIN_BP, GenomeError, Interval};
use persea_files::{FileError, Lines, TEXT_BYTES, check_name};

/// A chromosome and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chromosome {
    /// The name, as UCSC writes it in the built-in assemblies (`chr1`).
    pub name: String,
    /// Length in bp.
    pub length: u64,
}

impl Chromosome {
    /// How many 25 bp bins it has; the last may be partial.
    pub fn n_bins(&self) -> u64 {
        self.length.div_ceil(BIN_BP)
    }
}

/// A genome assembly: its name and its chromosomes in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembly {
    name: String,
    chromosomes: Vec<Chromosome>,
    index: HashMap<String, usize>,
    others: OtherNames,
}

/// The built-in assemblies: UCSC's name, other names, and the lengths of all sequences.
const BUILT_IN: [(&str, &[&str], &str); 6] = [
    ("hg19", &["GRCh37"], include_str!("sizes/hg19.chrom.sizes")),
    ("hg38", &["GRCh38"], include_str!("sizes/hg38.chrom.sizes")),
    (
        "hs1",
        &["T2T-CHM13v2.0", "CHM13v2.0"],
        include_str!("sizes/hs1.chrom.sizes"),
    ),
    ("mm10", &["GRCm38"], include_str!("sizes/mm10.chrom.sizes")),
    ("mm39", &["GRCm39"], include_str!("sizes/mm39.chrom.sizes")),
    ("dm6", &["BDGP6"], include_str!("sizes/dm6.chrom.sizes")),
];

impl Assembly {
    /// A built-in assembly, with the sizes that UCSC publishes: `hg19`, `hg38`, `hs1`, `mm10`,
    /// `mm39` or `dm6`, or the name that its makers gave it (`GRCh38`), in any case.
    ///
    /// ```
    /// let hg19 = persea_genome::Assembly::by_name("hg19")?;
    /// assert_eq!(hg19.chromosome("chr21")?.length, 48_129_895);
    /// # Ok::<(), persea_genome::GenomeError>(())
    /// ```
    ///
    /// # Errors
    /// When no assembly of that name is built in.
    pub fn by_name(name: &str) -> Result<Self, GenomeError> {
        let is = |other: &&str| other.eq_ignore_ascii_case(name);
        let found = (BUILT_IN.iter()).find(|(ucsc, others, _)| is(ucsc) || others.iter().any(&is));
        match found {
            Some((ucsc, _, sizes)) => Self::parse(ucsc, sizes, Path::new(ucsc)),
            None => Err(GenomeError::UnknownAssembly(name.to_string())),
        }
    }

    /// An assembly from a chrom.sizes file: a name and a length in bp on each line.
    ///
    /// # Errors
    /// When the file cannot be read, a line is malformed, a name is repeated or none is there.
    pub fn from_chrom_sizes(name: &str, path: &Path) -> Result<Self, GenomeError> {
        Self::parse_lines(name, Lines::open(path)?, path)
    }

    fn parse(name: &str, text: &str, path: &Path) -> Result<Self, GenomeError> {
        Self::parse_lines(name, Lines::new(path.display(), text.as_bytes())?, path)
    }

    fn parse_lines(name: &str, mut lines: Lines<'_>, path: &Path) -> Result<Self, GenomeError> {
        let mut chromosomes = Vec::new();
        while let Some(line) = lines.next_text()? {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.into_owned();
            let line_number = lines.number();
            check_name(&line).map_err(|message| lines.error(message))?;
            let mut fields = line.split_whitespace();
            let (Some(chrom), Some(length)) = (fields.next(), fields.next()) else {
                let message = "expected a chromosome's name and its length";
                return Err(lines.error(message).into());
            };
            let length: u64 = length.parse().ok().filter(|l| *l > 0).ok_or_else(|| {
                let message = format!("`{length}` is not a chromosome's length in bp");
                lines.error(message)
            })?;
            // bigWig and the file formats around it count in 32 bits.
            if length > u64::from(u32::MAX) {
                let message = format!("a chromosome of {length} bp is longer than bigWig can hold");
                return Err(lines.error(message).into());
            }
            // Here, and again in the index of names.
            lines.keep(4 * TEXT_BYTES + 2 * chrom.len())?;
            chromosomes.push((line_number, chrom.to_string(), length));
        }
        let mut index = HashMap::new();
        for (i, (line, chrom, _)) in chromosomes.iter().enumerate() {
            if index.insert(chrom.clone(), i).is_some() {
                let message = format!("chromosome `{chrom}` stands there twice");
                return Err(FileError::line(path.display(), *line, message).into());
            }
        }
        if chromosomes.is_empty() {
            return Err(GenomeError::file(
                path,
                "no chromosome in it; expected lines of a name and a length",
            ));
        }
        let chromosomes: Vec<Chromosome> = chromosomes
            .into_iter()
            .map(|(_, name, length)| Chromosome { name, length })
            .collect();
        Ok(Assembly {
            name: name.to_string(),
            others: OtherNames::of(chromosomes.iter().map(|c| (c.name.as_str(), c.length))),
            chromosomes,
            index,
        })
    }

    /// An assembly from names and lengths already checked, as a database stores them.
    ///
    /// # Errors
    /// When a name is repeated or a length is 0.
    pub fn from_chromosomes(name: &str, list: &[(String, u64)]) -> Result<Self, GenomeError> {
        let text: String = list.iter().map(|(n, l)| format!("{n}\t{l}\n")).collect();
        Self::parse(name, &text, Path::new(name))
    }

    /// The assembly's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its chromosomes, in the order of their file.
    pub fn chromosomes(&self) -> &[Chromosome] {
        &self.chromosomes
    }

    /// Whether a chromosome of that name is in it.
    pub fn contains(&self, chrom: &str) -> bool {
        self.index.contains_key(chrom)
    }

    /// The chromosome's place in [`Assembly::chromosomes`].
    pub fn rank(&self, chrom: &str) -> Option<usize> {
        self.index.get(chrom).copied()
    }

    /// The chromosome of exactly that name.
    ///
    /// # Errors
    /// When the assembly lacks it.
    pub fn chromosome(&self, chrom: &str) -> Result<&Chromosome, GenomeError> {
        match self.index.get(chrom) {
            Some(i) => Ok(&self.chromosomes[*i]),
            None => Err(self.unknown(chrom)),
        }
    }

    /// The chromosome that a user or a file means by a name: its own, one of
    /// [`Assembly::aliases`], or one that differs in `chr`, in case or in the word for mitochondria.
    ///
    /// ```
    /// let hg38 = persea_genome::Assembly::by_name("hg38")?;
    /// assert_eq!(hg38.resolve("MT")?.name, "chrM");
    /// # Ok::<(), persea_genome::GenomeError>(())
    /// ```
    ///
    /// # Errors
    /// When the assembly lacks it.
    pub fn resolve(&self, name: &str) -> Result<&Chromosome, GenomeError> {
        match self.find(name) {
            Some(i) => Ok(&self.chromosomes[i]),
            None => Err(self.unknown(name)),
        }
    }

    /// An interval as a user wrote it, on the chromosome's own name.
    ///
    /// # Errors
    /// As [`Assembly::resolve`].
    pub fn resolve_interval(&self, interval: &Interval) -> Result<Interval, GenomeError> {
        let chromosome = self.resolve(&interval.chrom)?;
        Ok(Interval::new(
            &chromosome.name,
            interval.start,
            interval.end,
        ))
    }

    /// The place in [`Assembly::chromosomes`] of what [`Assembly::resolve`] finds.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.rank(name).or_else(|| self.others.find(name))
    }

    /// Other names of its chromosomes that were given to it, each with the chromosome's name, sorted.
    pub fn aliases(&self) -> Vec<(String, String)> {
        let listed = self.others.listed();
        let mut aliases: Vec<(String, String)> = listed
            .map(|(alias, i)| (alias.to_string(), self.chromosomes[i].name.clone()))
            .collect();
        aliases.sort();
        aliases
    }

    /// The assembly with other names for its chromosomes, as [`read_aliases`](crate::read_aliases)
    /// gives them.
    ///
    /// # Errors
    /// When one is for a chromosome that it lacks.
    pub fn with_aliases(mut self, aliases: &[(String, String)]) -> Result<Self, GenomeError> {
        for (alias, chrom) in aliases {
            let Some(rank) = self.rank(chrom) else {
                return Err(self.unknown(chrom));
            };
            if !self.contains(alias) {
                self.others.list(alias.clone(), rank);
            }
        }
        Ok(self)
    }

    /// The names of the chromosomes that are covered unless others are asked for: those of the
    /// nucleus, without alternative loci, patches and scaffolds. Y of human and mouse is left out,
    /// for it is in half of all biosamples.
    ///
    /// ```
    /// let hg38 = persea_genome::Assembly::by_name("hg38")?;
    /// let main = hg38.main_chromosomes();
    /// assert_eq!((main.len(), main[0], main[22]), (23, "chr1", "chrX"));
    /// # Ok::<(), persea_genome::GenomeError>(())
    /// ```
    pub fn main_chromosomes(&self) -> Vec<&str> {
        let names = self.chromosomes.iter().map(|c| c.name.as_str());
        let mut main: Vec<&str> = names.filter(|name| is_main(name)).collect();
        if are_of_human_or_mouse(&main) {
            main.retain(|name| !is_y(name));
        }
        main
    }

    fn unknown(&self, chrom: &str) -> GenomeError {
        let known: Vec<&str> = (self.chromosomes.iter().take(3))
            .map(|c| c.name.as_str())
            .collect();
        GenomeError::UnknownChromosome {
            chrom: chrom.to_string(),
            assembly: self.name.clone(),
            hint: format!(
                " (it has {} …): is the file of another assembly?",
                known.join(", ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_assemblies_have_the_primary_chromosomes_first() {
        for (name, n) in [("hg19", 93), ("hg38", 455)] {
            let assembly = Assembly::by_name(name).unwrap();
            assert_eq!(assembly.chromosomes().len(), n);
            assert_eq!(assembly.chromosomes()[0].name, "chr1");
            assert_eq!(assembly.chromosomes()[24].name, "chrM");
        }
    }

    #[test]
    fn built_in_assemblies_are_as_long_as_published() {
        // Bases of all sequences: those of GRCm38 and GRCm39 without alternative loci and patches,
        // of T2T-CHM13v2.0 with HG002's Y and the mitochondrion, of Release 6 plus ISO1 MT.
        for (name, n, n_bases) in [
            ("mm10", 66, 2_730_871_774u64),
            ("GRCm39", 61, 2_728_222_451),
            ("HS1", 25, 3_117_292_070),
            ("dm6", 1_870, 143_726_002),
        ] {
            let assembly = Assembly::by_name(name).unwrap();
            let total: u64 = assembly.chromosomes().iter().map(|c| c.length).sum();
            assert_eq!(
                (assembly.chromosomes().len(), total),
                (n, n_bases),
                "{name}"
            );
        }
        let message = Assembly::by_name("mm9").unwrap_err().to_string();
        assert!(message.contains("mm10, mm39"), "{message}");
    }

    #[test]
    fn what_is_covered_by_default_follows_the_assembly() {
        let main = |list: &[(&str, u64)]| {
            let list: Vec<(String, u64)> = list.iter().map(|(n, l)| (n.to_string(), *l)).collect();
            let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
            assembly.main_chromosomes().join(" ")
        };
        let fly = Assembly::by_name("dm6").unwrap();
        let covered = "chr2L chr2R chr3L chr3R chr4 chrX chrY";
        assert_eq!(fly.main_chromosomes().join(" "), covered);
        let mouse = Assembly::by_name("mm39").unwrap();
        assert_eq!(mouse.main_chromosomes().len(), 20);
        assert_eq!(mouse.main_chromosomes()[19], "chrX");
        assert_eq!(
            main(&[("chrI", 9), ("chrX", 8), ("chrM", 7), ("2micron", 6)]),
            "chrI chrX"
        );
        assert_eq!(
            main(&[("1", 9), ("2", 9), ("Pt", 3), ("GL000009.2", 2), ("Mt", 1)]),
            "1 2"
        );
        assert_eq!(main(&[("scaffold_1", 9)]), "");
    }

    #[test]
    fn sizes_that_are_repeated_zero_or_missing_are_refused_with_their_line() {
        for (text, why) in [
            (
                "chr1\t5\nchr1\t6\n",
                "line 2: chromosome `chr1` stands there twice",
            ),
            ("chr1\t0\n", "line 1"),
            ("chr1\n", "line 1: expected"),
            ("", "no chromosome"),
        ] {
            let message = Assembly::parse("x", text, Path::new("x.sizes"))
                .unwrap_err()
                .to_string();
            assert!(message.contains(why), "{text:?}: {message}");
        }
    }
}
