//! What is asked for.

use super::SearchError;
use crate::annotation::promoter_interval;
use crate::genome::{BIN_BP, Gene, GenomeAxis, Interval, Resolution};
use crate::store::nearest_names;
use persea_vocabulary::vocabulary;

vocabulary! {
    /// Which part of a gene.
    pub enum GenePart = Promoter {
        /// 1 kb on either side of the gene's own TSS
        Promoter = "promoter",
        /// From start to end, introns included.
        Body = "body",
        /// The bin of the gene's own TSS.
        Tss = "tss",
    }
}

impl GenePart {
    /// Where it lies, in whole bins but for the body.
    pub fn interval(self, gene: &Gene) -> Interval {
        let chrom = &gene.interval.chrom;
        let tss_bin = gene.tss() / BIN_BP;
        let bins = match self {
            GenePart::Body => return gene.interval.clone(),
            GenePart::Promoter => return promoter_interval(gene),
            GenePart::Tss => tss_bin..tss_bin + 1,
        };
        Interval::new(chrom, bins.start * BIN_BP, bins.end * BIN_BP)
    }
}

/// A question: what looks like this?
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// The bin that holds a base, counted from 0.
    Position {
        /// The chromosome.
        chrom: String,
        /// The base, from 0.
        position: u64,
    },
    /// A stretch.
    Region(Interval),
    /// A gene, by name or identifier.
    Gene {
        /// The name or identifier.
        name: String,
        /// Which part of it.
        part: GenePart,
    },
    /// An embedding of the user's own: factors at 25 bp, 250 bp and 5 kbp side by side.
    Vector(Vec<f32>),
}

impl Query {
    /// The bin that holds a base, counted from 0.
    pub fn position(chrom: impl Into<String>, position: u64) -> Self {
        Query::Position {
            chrom: chrom.into(),
            position,
        }
    }

    /// A stretch of a chromosome.
    pub fn region(interval: Interval) -> Self {
        Query::Region(interval)
    }

    /// A gene's promoter.
    pub fn gene(name: impl Into<String>) -> Self {
        Query::Gene {
            name: name.into(),
            part: GenePart::Promoter,
        }
    }

    /// An embedding: factors at 25 bp, 250 bp and 5 kbp side by side.
    pub fn vector(embedding: impl Into<Vec<f32>>) -> Self {
        Query::Vector(embedding.into())
    }

    /// What it is, in a word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Query::Position { .. } => "position",
            Query::Region(_) => "region",
            Query::Gene { .. } => "gene",
            Query::Vector(_) => "vector",
        }
    }
}

/// Where a query lies, clipped to its chromosome; `None` for a vector.
///
/// # Errors
/// When it lies beyond its chromosome, or none of it is covered, or there is no such gene.
pub fn place(query: &Query, axis: &GenomeAxis, genes: &[Gene]) -> crate::Result<Option<Interval>> {
    Ok(match query {
        Query::Position { chrom, position } => {
            let position = *position;
            Some(axis.covered(&Interval::new(chrom, position, position.saturating_add(1)))?)
        }
        Query::Region(interval) => Some(axis.covered(interval)?),
        Query::Gene { name, part } => {
            Some(axis.covered(&part.interval(find_gene(name, axis, genes)?))?)
        }
        Query::Vector(_) => None,
    })
}

/// The gene of that name or identifier (with or without its version). Of several, the first on the axis,
/// and a warning says which.
///
/// # Errors
/// When there is none; the nearest names are given.
pub fn find_gene<'a>(
    name: &str,
    axis: &GenomeAxis,
    genes: &'a [Gene],
) -> Result<&'a Gene, SearchError> {
    let bare = |id: &str| id.split('.').next().unwrap_or(id).to_lowercase();
    let wanted = name.to_lowercase();
    let matches = |g: &&Gene| {
        g.name.to_lowercase() == wanted
            || g.id.to_lowercase() == wanted
            || (g.id.starts_with("ENS") && bare(&g.id) == bare(name))
    };
    let mut found: Vec<&Gene> = genes.iter().filter(matches).collect();
    // Stable: an exact spelling before one that differs in case, a covered one before others.
    found.sort_by_key(|g| {
        let exact = g.name == name || g.id == name;
        (axis.bins_within(&g.interval).is_empty(), !exact)
    });
    if let Some(first) = found.first() {
        let rank = |g: &Gene| {
            let exact = g.name == name || g.id == name;
            (axis.bins_within(&g.interval).is_empty(), !exact)
        };
        let alike: Vec<&&Gene> = (found.iter())
            .filter(|g| rank(g) == rank(first) && g.interval != first.interval)
            .collect();
        if !alike.is_empty() {
            let shown = |g: &Gene| format!("{} ({})", g.id, g.interval);
            let others: Vec<String> = alike.iter().take(3).map(|g| shown(g)).collect();
            tracing::warn!(
                "{} genes are called {name}: {} is used, not {}; name one by its identifier or its region",
                alike.len() + 1,
                shown(first),
                others.join(", ")
            );
        }
    }
    found.first().copied().ok_or_else(|| {
        let nearest = nearest_names(name, genes.iter().map(|g| g.name.as_str()), 3);
        SearchError::UnknownGene {
            name: name.to_string(),
            nearest,
        }
    })
}

/// The finest scale of which an interval fills a row.
pub(super) fn fitting_scale(interval: &Interval) -> Resolution {
    let length = interval.len();
    if length >= Resolution::Kbp5.bp() {
        Resolution::Kbp5
    } else if length >= Resolution::Bp250.bp() {
        Resolution::Bp250
    } else {
        Resolution::Bp25
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Strand};

    fn gene(name: &str, id: &str, start: u64, end: u64, strand: Strand) -> Gene {
        Gene {
            id: id.into(),
            name: name.into(),
            interval: Interval::new("a", start, end),
            strand,
            transcript_starts: Vec::new(),
        }
    }

    fn axis() -> GenomeAxis {
        let list = [("a".to_string(), 100_000), ("b".to_string(), 100_000)];
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        GenomeAxis::whole_chromosomes(assembly, &["a"]).unwrap()
    }

    #[test]
    fn a_promoter_is_1_kb_on_either_side_of_where_transcription_starts() {
        let forward = gene("A", "ENSG01.3", 10_000, 20_000, Strand::Forward);
        let reverse = gene("B", "ENSG02", 10_000, 20_000, Strand::Reverse);
        let promoter = |g| GenePart::Promoter.interval(g);
        assert_eq!(promoter(&forward), Interval::new("a", 9_000, 11_025));
        assert_eq!(promoter(&reverse), Interval::new("a", 18_975, 21_000));
        let first = gene("C", "ENSG03", 100, 900, Strand::Forward);
        assert_eq!(promoter(&first), Interval::new("a", 0, 1_125));
        assert_eq!(
            GenePart::Tss.interval(&reverse),
            Interval::new("a", 19_975, 20_000)
        );
    }

    #[test]
    fn a_gene_is_found_by_name_or_identifier_in_any_case_and_otherwise_named_nearly() {
        let genes = [
            gene("Vps72", "ENSG01.3", 10_000, 20_000, Strand::Forward),
            gene("VPS72", "ENSG02", 30_000, 40_000, Strand::Forward),
        ];
        let found = |name| find_gene(name, &axis(), &genes).unwrap().id.as_str();
        assert_eq!(found("VPS72"), "ENSG02");
        assert_eq!(found("Vps72"), "ENSG01.3");
        assert_eq!(found("vps72"), "ENSG01.3");
        assert_eq!(found("ENSG01"), "ENSG01.3");
        assert_eq!(found("ENSG02.7"), "ENSG02");
        let message = find_gene("VPS27", &axis(), &genes).unwrap_err().to_string();
        assert!(message.contains("nearest: Vps72, VPS72"), "{message}");
        let message = find_gene("VPS27", &axis(), &[]).unwrap_err().to_string();
        assert!(message.contains("option `genes`"), "{message}");
    }

    #[test]
    fn what_is_not_covered_names_the_nearest_region() {
        let place = |query| place(&query, &axis(), &[]).map_err(|e| e.to_string());
        let message = place(Query::position("b", 5)).unwrap_err();
        assert!(message.contains("no region of b"), "{message}");
        let message = place(Query::position("a", 100_000)).unwrap_err();
        assert!(message.contains("beyond the end"), "{message}");
        let message = place(Query::position("c", 5)).unwrap_err();
        assert!(message.contains("`c` is not in assembly toy"), "{message}");
        assert!(place(Query::position("a", 99_999)).is_ok());
        assert_eq!(place(Query::vector([1.0])), Ok(None));
    }

    #[test]
    fn the_scale_that_fits_is_the_coarsest_whose_row_is_filled() {
        for (length, scale) in [
            (1, Resolution::Bp25),
            (249, Resolution::Bp25),
            (250, Resolution::Bp250),
            (4_999, Resolution::Bp250),
            (5_000, Resolution::Kbp5),
        ] {
            assert_eq!(fitting_scale(&Interval::new("a", 0, length)), scale);
        }
    }
}
