//! What a writer is given: pieces of bins, checked for order and values.

use std::path::Path;

use super::FormatError;
use super::runs::Run;
use persea_genome::{BIN_BP, GenomeAxis};

/// Checks that pieces come in order and knows where their bins lie.
pub(super) struct PieceOrder {
    file: String,
    axis: GenomeAxis,
    /// For each region, its place among the sorted ones.
    places: Vec<usize>,
    /// The place of the last piece's region and one past its last axis bin.
    last: Option<(usize, u64)>,
}

/// A piece that is in order: consecutive bins of a chromosome.
pub(super) struct Piece {
    rank: u32,
    first_bin: u64,
    /// The chromosome's length.
    length: u64,
}

impl Piece {
    /// The bases of the piece's `i`-th bin, clipped to the chromosome.
    pub fn run(&self, i: u64, value: f32) -> Run {
        let start = (self.first_bin + i) * BIN_BP;
        Run {
            rank: self.rank,
            start: start as u32,
            end: (start + BIN_BP).min(self.length) as u32,
            value,
        }
    }
}

impl PieceOrder {
    pub fn new(path: &Path, axis: &GenomeAxis) -> Self {
        let mut places = vec![0; axis.regions().len()];
        for (place, region) in axis.sorted_regions().iter().enumerate() {
            places[*region] = place;
        }
        PieceOrder {
            file: path.display().to_string(),
            axis: axis.clone(),
            places,
            last: None,
        }
    }

    /// The file that is being written.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The axis whose bins are written.
    pub fn axis(&self) -> &GenomeAxis {
        &self.axis
    }

    /// The name of a chromosome of the assembly.
    pub fn chrom_name(&self, rank: u32) -> &str {
        &self.axis.assembly().chromosomes()[rank as usize].name
    }

    /// Checks a piece and says where it lies.
    pub fn check(&mut self, axis_bin: u64, values: &[f32]) -> Result<Piece, FormatError> {
        let end = axis_bin.saturating_add(values.len() as u64);
        if axis_bin >= self.axis.n_bins() || end > self.axis.n_bins() {
            return Err(self.out_of_order(axis_bin, "they are beyond the axis"));
        }
        let at = self.axis.locate(axis_bin);
        if end > self.axis.region_bins(at.region).end {
            return Err(self.out_of_order(axis_bin, "they cross the end of a region"));
        }
        let place = self.places[at.region];
        if self.last.is_some_and(|last| (place, axis_bin) < last) {
            return Err(self.out_of_order(axis_bin, "they lie before bins already written"));
        }
        if let Some(i) = values.iter().position(|value| value.is_infinite()) {
            return Err(FormatError::NotFinite {
                file: self.file.clone(),
                interval: self.axis.bin_interval(axis_bin + i as u64),
                value: values[i],
            });
        }
        self.last = Some((place, end));
        let chrom = &self.axis.regions()[at.region].chrom;
        let rank = self.axis.assembly().rank(chrom).ok_or_else(|| {
            let why =
                format!("the axis lies on {chrom}, which its assembly lacks: a bug in Persea");
            FormatError::file(&self.file, why)
        })?;
        Ok(Piece {
            rank: rank as u32,
            first_bin: at.chrom_bin,
            length: self.axis.assembly().chromosomes()[rank].length,
        })
    }

    fn out_of_order(&self, axis_bin: u64, why: &str) -> FormatError {
        FormatError::file(
            &self.file,
            format!("cannot take the bins from {axis_bin} of the axis on: {why}"),
        )
    }
}
