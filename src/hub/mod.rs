//! Tracks for genome browsers: a UCSC track hub, and the same tracks as an IGV session and an igv.js
//! configuration.
//!
//! Owns the text files and their layout. Signal comes from `imputation`, file formats from `formats`. A hub is
//! a folder that is written as a whole or not at all:
//!
//! ```text
//! hub.txt, genomes.txt, description.html   what UCSC's browser is given the address of
//! igv_session.xml, igv.json                the same tracks for IGV desktop and igv.js
//! ASSEMBLY/trackDb.txt, metadata.tsv       one faceted composite, and the table behind its facets
//! ASSEMBLY/chrom.sizes, *.bw, *.bb         sequences, signal, and bigBed files that were added
//! ```

mod error;
mod igv;
mod survey;
mod track;
mod ucsc;
mod write;

pub use error::HubError;
pub use track::{HubTracks, hub_tracks};
pub use write::{HubOptions, WrittenHub, write_hub};
