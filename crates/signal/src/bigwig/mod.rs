//! bigWig, UCSC's indexed binary format (Kent et al. 2010).
//!
//! Files are read through `bigtools`, which trusts what it reads: [`layout`] therefore checks
//! every offset and size that a request will follow before bigtools does, and `shielded` turns
//! what it still panics on into errors. Files are written by this module: the writer of bigtools
//! 0.5.8 puts only chromosomes with data in the header, never ends on a file without data, and
//! fills gaps between intervals in its zoom levels with the next value. bigBed, its relative for rows of
//! BED, is written with the same trees and zoom levels.

mod bed;
mod file;
mod layout;
mod on_demand;
mod read;
mod section;
mod trees;
mod write;
mod zoom;

use std::path::Path;

use crate::source::open_bytes;
use crate::{FormatError, Location};
use layout::Layout;

pub use bed::{BedRow, BedSchema, write_bigbed};
pub use on_demand::{BigWigLayout, Chunk, Section};
pub(super) use read::BigWigReader;
pub(super) use write::BigWigWriter;

#[cfg(test)]
pub(super) use file::BigWigFile;

/// Checks a bigBed's header, its chromosomes and the index over them. bigtools believes all of these: a
/// length that is none would take the memory.
pub(super) fn check_bigbed(path: &Path) -> Result<(), FormatError> {
    let mut source = open_bytes(&Location::Path(path.to_path_buf()))?;
    let file = path.display().to_string();
    let layout = Layout::read_as(&mut *source, &file, magic::BIGBED)?;
    for chromosome in &layout.chromosomes {
        let whole = 0..chromosome.length as u32;
        layout.data_of(&mut *source, chromosome.id, whole)?;
    }
    Ok(())
}

/// The magic numbers of bigWig and its relatives.
mod magic {
    pub const BIGWIG: u32 = 0x888F_FC26;
    pub const BIGBED: u32 = 0x8789_F2EB;
    pub const CHROM_TREE: u32 = 0x78CA_8C91;
    pub const INDEX: u32 = 0x2468_ACE0;
}
