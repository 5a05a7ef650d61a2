//! Which part of the genome is searched.

use super::SearchError;
use super::allowed::Allowed;
use super::layout::Layout;
use crate::annotation::{Annotation, BinBits, Class};
use crate::genome::{GenomeAxis, GenomeError, Interval};

/// What a hit must be. Conditions of different kinds must all hold; of several chromosomes,
/// intervals or classes in one list any will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Chromosomes; all when empty.
    pub chromosomes: Vec<String>,
    /// Intervals that a hit's bin must touch.
    pub inside: Option<Vec<Interval>>,
    /// Intervals that a hit's bin must not touch.
    pub outside: Vec<Interval>,
    /// Lists of intervals, such as those of a label; a hit's bin must touch one of each list.
    pub labelled: Vec<Vec<Interval>>,
    /// How far, in bp, the nearest transcription start may be.
    pub tss_within: Option<u64>,
    /// Classes of places; all when empty.
    pub classes: Vec<Class>,
    /// Classes of places that a hit must not be of.
    pub not_classes: Vec<Class>,
    /// Whether masked places may be hits. Otherwise masked bins are not, nor rows all of whose bins are
    /// masked, nor aligned windows with a masked bin. Naming [`Class::Masked`] in `classes` allows them too.
    pub include_masked: bool,
}

impl Filter {
    /// Whether it has no condition, other than on masked places.
    pub fn is_empty(&self) -> bool {
        let none = Filter {
            include_masked: self.include_masked,
            ..Filter::default()
        };
        *self == none
    }

    /// Whether masked places may be hits.
    pub(super) fn allows_masked(&self) -> bool {
        self.include_masked || self.classes.contains(&Class::Masked)
    }

    /// The bins of an axis that it allows.
    ///
    /// # Errors
    /// When a chromosome is unknown, or nothing is allowed; what each condition leaves is said.
    pub(super) fn allowed(
        &self,
        axis: &GenomeAxis,
        layout: &Layout,
        annotation: &Annotation,
    ) -> crate::Result<Allowed> {
        let n_bins = axis.n_bins();
        let mut set = BinBits::all(n_bins);
        let mut counts = Vec::new();
        let mut keep = |what: &str, other: BinBits| {
            set.intersect(&other);
            counts.push(format!("{what} leaves {} bins", other.n_bins()));
        };
        if !self.chromosomes.is_empty() {
            let mut whole = Vec::new();
            for chrom in &self.chromosomes {
                let chromosome = axis.assembly().resolve(chrom)?;
                whole.push(Interval::new(&chromosome.name, 0, chromosome.length));
            }
            keep("chromosomes", bins_of(axis, &whole)?);
        }
        if let Some(inside) = &self.inside {
            keep("inside", bins_of(axis, inside)?);
        }
        if !self.outside.is_empty() {
            let mut rest = BinBits::all(n_bins);
            rest.remove(&bins_of(axis, &self.outside)?);
            keep("outside", rest);
        }
        for intervals in &self.labelled {
            keep("label", bins_of(axis, intervals)?);
        }
        if let Some(bp) = self.tss_within {
            let near = annotation.genes().iter().flat_map(|gene| {
                gene.starts().map(move |tss| {
                    let end = tss.saturating_add(bp).saturating_add(1);
                    Interval::new(&gene.interval.chrom, tss.saturating_sub(bp), end)
                })
            });
            let near: Vec<Interval> = near.collect();
            keep("distance to a TSS", bins_of(axis, &near)?);
        }
        let of_classes = |classes: &[Class]| {
            let mut any = BinBits::none(n_bins);
            for class in classes {
                any.unite(annotation.bins(*class));
            }
            any
        };
        if !self.classes.is_empty() {
            keep("class", of_classes(&self.classes));
        }
        if !self.not_classes.is_empty() {
            let mut rest = BinBits::all(n_bins);
            rest.remove(&of_classes(&self.not_classes));
            keep("class not wanted", rest);
        }
        let masked = annotation.bins(Class::Masked);
        let leaves_masked_out = !self.allows_masked() && masked.n_bins() > 0;
        if leaves_masked_out {
            let mut rest = BinBits::all(n_bins);
            rest.remove(masked);
            keep("mask", rest);
        }
        if set.n_bins() == 0 {
            let why = format!(
                "of {n_bins} bins, {}, and all together none",
                counts.join(", ")
            );
            return Err(SearchError::FilteredOut { why }.into());
        }
        let masked = leaves_masked_out.then(|| masked.clone());
        Ok(Allowed::of(set, masked, layout))
    }
}

/// The axis bins that intervals touch. Their chromosomes must be the assembly's.
fn bins_of(axis: &GenomeAxis, intervals: &[Interval]) -> Result<BinBits, GenomeError> {
    for interval in intervals {
        axis.assembly().chromosome(&interval.chrom)?;
    }
    let ranges = intervals.iter().flat_map(|i| axis.bins_within(i));
    Ok(BinBits::of(axis.n_bins(), ranges))
}
