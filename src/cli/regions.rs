//! Regions of the genome as people have them: coordinates, chromosomes, genes, and files of these.

use std::ops::Range;
use std::path::Path;

use anyhow::bail;
use persea::files::{Lines, is_header};
use persea::genome::{Gene, GenomeAxis, Interval};
use persea::imputation::spans;
use persea::loci::read_sites;
use persea::search::find_gene;
use persea::store::Database;

use super::output::grouped;

/// Which part of the genome a command writes.
#[derive(Debug, clap::Args)]
pub struct Regions {
    /// Regions to write: chr1:1,000,000-2,000,000 (1-based, inclusive), the name of a chromosome or of a gene,
    /// or a file: BED, VCF, or a region or gene per line
    #[arg(long, value_name = "REGION|GENE|FILE", num_args = 1)]
    region: Vec<String>,
}

impl Regions {
    /// The bins of an axis that the regions touch, one range each; all bins if there are no regions.
    ///
    /// # Errors
    /// When a text is no region and names no gene, a file cannot be read, or nothing of it is covered.
    pub fn spans(&self, database: &Database, axis: &GenomeAxis) -> anyhow::Result<Vec<Range<u64>>> {
        let mut genes: Option<Vec<Gene>> = None;
        let mut intervals = Vec::new();
        for text in &self.region {
            let genes = match &mut genes {
                Some(genes) => genes,
                none => none.insert(database.genes()?),
            };
            match as_region(text, axis, genes)? {
                Some(interval) => intervals.push(interval),
                None if Path::new(text).is_file() => {
                    intervals.extend(of_file(Path::new(text), axis, genes)?);
                }
                None => intervals.push(gene_or_region(text, axis, genes)?),
            }
        }
        Ok(spans(axis, &intervals)?)
    }
}

/// What is written as a region, or names a chromosome or exactly a gene.
fn as_region(text: &str, axis: &GenomeAxis, genes: &[Gene]) -> anyhow::Result<Option<Interval>> {
    let is_gene = genes.iter().any(|g| g.name == text || g.id == text);
    if is_gene {
        return Ok(Some(gene_or_region(text, axis, genes)?));
    }
    let is_file = Path::new(text).is_file();
    let is_region = text.contains(':') && !is_file;
    match is_region || axis.assembly().resolve(text).is_ok() {
        true => Ok(Some(Interval::parse_browser(text)?)),
        false => Ok(None),
    }
}

/// A gene's body, or what is said of the text as a region where there are no genes.
fn gene_or_region(text: &str, axis: &GenomeAxis, genes: &[Gene]) -> anyhow::Result<Interval> {
    if genes.is_empty() || text.to_lowercase().starts_with("chr") {
        return Ok(Interval::parse_browser(text)?);
    }
    Ok(find_gene(text, axis, genes)?.interval.clone())
}

/// The regions of a file that the axis covers; the others are counted.
fn of_file(path: &Path, axis: &GenomeAxis, genes: &[Gene]) -> anyhow::Result<Vec<Interval>> {
    let all = match list(path, axis, genes)? {
        Some(list) => list,
        None => (read_sites(path, axis.assembly())?.into_iter())
            .map(|site| site.interval)
            .collect(),
    };
    let n_all = all.len();
    let covered: Vec<Interval> = (all.into_iter())
        .filter(|i| !axis.bins_within(i).is_empty())
        .collect();
    if covered.is_empty() {
        bail!("{}: the model covers none of its regions", path.display());
    }
    if covered.len() < n_all {
        eprintln!(
            "{}: {} of {} regions are left out, because the model does not cover them",
            path.display(),
            grouped((n_all - covered.len()) as u64),
            grouped(n_all as u64)
        );
    }
    Ok(covered)
}

/// The regions of a file that has one of them, or a gene, in each line; `None` for a BED or a VCF.
fn list(path: &Path, axis: &GenomeAxis, genes: &[Gene]) -> anyhow::Result<Option<Vec<Interval>>> {
    let mut lines = Lines::open(path)?;
    let mut intervals = Vec::new();
    while let Some(line) = lines.next_text()? {
        let text = line.trim().to_string();
        if text.is_empty() || is_header(text.as_bytes()) {
            if text.starts_with("##fileformat=VCF") {
                return Ok(None);
            }
            continue;
        }
        if text.contains('\t') || text.split(' ').count() > 2 {
            return Ok(None);
        }
        let found = match as_region(&text, axis, genes) {
            Ok(Some(interval)) => axis
                .assembly()
                .resolve_interval(&interval)
                .map_err(Into::into),
            Ok(None) => gene_or_region(&text, axis, genes),
            Err(error) => Err(error),
        };
        match found {
            Ok(interval) => intervals.push(interval),
            Err(error) => return Err(lines.error(error.to_string()).into()),
        }
    }
    match intervals.is_empty() {
        true => bail!("{} contains no region", path.display()),
        false => Ok(Some(intervals)),
    }
}
