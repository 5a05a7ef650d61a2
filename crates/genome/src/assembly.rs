//! Assemblies: chromosome names and lengths.

use std::collections::HashMap;
use std::path::Path;

use super::{BIN_BP, GenomeError};
use persea_files::{FileError, Lines, check_name};

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
}

impl Assembly {
    /// A built-in assembly: `hg19` or `hg38`, with the sizes that UCSC publishes.
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
        let sizes = match name {
            "hg19" | "GRCh37" => include_str!("sizes/hg19.chrom.sizes"),
            "hg38" | "GRCh38" => include_str!("sizes/hg38.chrom.sizes"),
            _ => return Err(GenomeError::UnknownAssembly(name.to_string())),
        };
        let name = match name {
            "GRCh37" => "hg19",
            "GRCh38" => "hg38",
            other => other,
        };
        Self::parse(name, sizes, Path::new(name))
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
        let chromosomes = chromosomes
            .into_iter()
            .map(|(_, name, length)| Chromosome { name, length })
            .collect();
        Ok(Assembly {
            name: name.to_string(),
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

    /// The chromosome of that name.
    ///
    /// # Errors
    /// When the assembly lacks it; the message says so when only the `chr` prefix differs.
    pub fn chromosome(&self, chrom: &str) -> Result<&Chromosome, GenomeError> {
        match self.index.get(chrom) {
            Some(i) => Ok(&self.chromosomes[*i]),
            None => Err(GenomeError::UnknownChromosome {
                chrom: chrom.to_string(),
                assembly: self.name.clone(),
                hint: self.hint(chrom),
            }),
        }
    }

    fn hint(&self, chrom: &str) -> String {
        let other = other_naming(chrom);
        if self.contains(&other) {
            format!(", which calls it `{other}`: rename the chromosomes of the file")
        } else {
            let known: Vec<&str> = self
                .chromosomes
                .iter()
                .take(3)
                .map(|c| c.name.as_str())
                .collect();
            format!(
                " (it has {} …): is the file of another assembly?",
                known.join(", ")
            )
        }
    }
}

/// What Ensembl calls a chromosome that UCSC calls `chrom`, or the other way round.
pub fn other_naming(chrom: &str) -> String {
    match chrom.strip_prefix("chr") {
        Some("M") => "MT".to_string(),
        Some(bare) => bare.to_string(),
        None if chrom == "MT" => "chrM".to_string(),
        None => format!("chr{chrom}"),
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
    fn a_missing_prefix_is_named_in_the_error() {
        let hg38 = Assembly::by_name("GRCh38").unwrap();
        let message = hg38.chromosome("1").unwrap_err().to_string();
        assert!(message.contains("calls it `chr1`"), "{message}");
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
