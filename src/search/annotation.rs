//! What lies at a place: the nearest gene, promoters, genes, enhancers, the mask.

use std::ops::Range;

use super::GenePart;
use super::allowed::Allowed;
use crate::evaluation::{enhancer_bins, gene_bins};
use crate::genome::{Gene, GenomeAxis, Interval, Mask, TssIndex};
use crate::store::{Database, StoreError};

/// A class of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The bin of a transcription start, and 1 kb on either side: as
    /// [`GenePart::Promoter`](super::GenePart::Promoter).
    Promoter,
    /// A gene, introns included.
    Gene,
    /// An enhancer of the database.
    Enhancer,
    /// None of these three.
    Intergenic,
    /// Masked: not trained on, so that its 25 bp factors say nothing.
    Masked,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 5] = [
        Class::Promoter,
        Class::Gene,
        Class::Enhancer,
        Class::Intergenic,
        Class::Masked,
    ];

    /// The name on the command line and in results.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Promoter => "promoter",
            Class::Gene => "gene",
            Class::Enhancer => "enhancer",
            Class::Intergenic => "intergenic",
            Class::Masked => "masked",
        }
    }

    /// The class of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Class::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// A database's annotation over a model's axis.
#[derive(Debug)]
pub struct Annotation {
    genes: Vec<Gene>,
    starts: TssIndex,
    classes: [Allowed; 5],
}

/// The gene whose transcription start is nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearestGene {
    /// Its symbol.
    pub name: String,
    /// Its identifier.
    pub id: String,
    /// From its transcription start to the middle of the place, in bp along the gene: negative
    /// upstream.
    pub distance: i64,
}

impl Annotation {
    /// Reads a database's genes, enhancers and mask.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn read(database: &Database, axis: &GenomeAxis) -> Result<Self, StoreError> {
        let genes = database.genes()?;
        let none = Mask::none(axis);
        let set = |bins: &[Range<u64>]| Allowed::of(axis.n_bins(), bins.iter().cloned());
        let promoters = genes.iter().map(|gene| GenePart::Promoter.interval(gene));
        let promoters = promoters.flat_map(|promoter| axis.bins_within(&promoter));
        let promoters = Allowed::of(axis.n_bins(), promoters);
        let bodies = set(gene_bins(axis, &none, &genes).ranges());
        let enhancers = set(enhancer_bins(axis, &none, &database.enhancers()?).ranges());
        let mut intergenic = Allowed::all(axis.n_bins());
        for class in [&promoters, &bodies, &enhancers] {
            intergenic.remove(class);
        }
        let masked = database.mask_intervals()?;
        let masked = masked.iter().flat_map(|i| axis.bins_within(i));
        let masked = Allowed::of(axis.n_bins(), masked);
        Ok(Annotation {
            starts: TssIndex::new(&genes),
            genes,
            classes: [promoters, bodies, enhancers, intergenic, masked],
        })
    }

    /// The genes, in the database's order.
    pub fn genes(&self) -> &[Gene] {
        &self.genes
    }

    /// The bins of a class.
    pub fn bins(&self, class: Class) -> &Allowed {
        &self.classes[class as usize]
    }

    /// The classes that any of some axis bins is of.
    pub fn classes(&self, bins: &Range<u64>) -> Vec<Class> {
        let of = |class: &Class| self.bins(*class).any(bins.clone());
        Class::ALL.into_iter().filter(of).collect()
    }

    /// The gene whose transcription start is nearest to the middle of an interval; `None` where
    /// the chromosome has none.
    pub fn nearest_gene(&self, interval: &Interval) -> Option<NearestGene> {
        let middle = interval.start + interval.len() / 2;
        let nearest = self.starts.nearest(&interval.chrom, middle)?;
        let gene = &self.genes[nearest.gene];
        Some(NearestGene {
            name: gene.name.clone(),
            id: gene.id.clone(),
            distance: nearest.distance,
        })
    }
}
