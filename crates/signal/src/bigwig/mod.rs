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

pub use bed::{BedRow, BedSchema, write_bigbed};
pub use on_demand::{BigWigLayout, Chunk, Section};
pub(super) use read::BigWigReader;
pub(super) use write::BigWigWriter;

#[cfg(test)]
pub(super) use file::BigWigFile;

/// The magic numbers of bigWig and its relatives.
mod magic {
    pub const BIGWIG: u32 = 0x888F_FC26;
    pub const BIGBED: u32 = 0x8789_F2EB;
    pub const CHROM_TREE: u32 = 0x78CA_8C91;
    pub const INDEX: u32 = 0x2468_ACE0;
}
