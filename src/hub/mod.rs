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
//! persea.json                              what the hub was made of, so that an export may be repeated
//! ASSEMBLY/chrom.sizes, *.bw, *.bb         sequences, signal, and bigBed files that were added
//! ```

mod error;
mod igv;
mod options;
mod record;
mod survey;
mod track;
mod ucsc;
mod write;

pub use error::HubError;
pub use options::{HubOptions, WrittenHub};
pub use track::{HubTracks, hub_tracks};
pub use write::write_hub;
