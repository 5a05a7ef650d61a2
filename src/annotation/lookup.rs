//! What lies at a place: the nearest gene, promoters, genes, enhancers, the mask.

use persea_vocabulary::vocabulary;
use std::ops::Range;

use super::{BinBits, enhancer_bins, gene_bins, promoter_bins};
use crate::genome::{Gene, GenomeAxis, Interval, Mask, TssIndex};
use crate::store::{Database, StoreError};

vocabulary! {
    /// A class of places.
    pub enum Class {
        /// The 2 kb upstream of a TSS
        Promoter = "promoter",
        /// In a gene, including introns
        Gene = "gene",
        /// In an enhancer of the database
        Enhancer = "enhancer",
        /// In none of these
        Intergenic = "intergenic",
        /// In the mask, where the model was not trained
        Masked = "masked",
    }
}

/// A database's annotation over a model's axis.
#[derive(Debug)]
pub struct Annotation {
    genes: Vec<Gene>,
    starts: TssIndex,
    classes: [BinBits; 5],
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
        let set = |bins: &[Range<u64>]| BinBits::of(axis.n_bins(), bins.iter().cloned());
        let promoters = set(promoter_bins(axis, &none, &genes).ranges());
        let bodies = set(gene_bins(axis, &none, &genes).ranges());
        let enhancers = set(enhancer_bins(axis, &none, &database.enhancers()?).ranges());
        let mut intergenic = BinBits::all(axis.n_bins());
        for class in [&promoters, &bodies, &enhancers] {
            intergenic.remove(class);
        }
        let masked = database.mask_intervals()?;
        let masked = masked.iter().flat_map(|i| axis.bins_within(i));
        let masked = BinBits::of(axis.n_bins(), masked);
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
    pub fn bins(&self, class: Class) -> &BinBits {
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
