//! ENCODE's table of files (`metadata.tsv`, as the portal gives it) as a manifest.
//!
//! The table lists every file of every experiment: reads, alignments, two assemblies, several
//! analyses, single replicates beside merged ones. [`choose`] takes the files that make one track an
//! experiment, and says of each other file why it is left. [`provide`] finds their local copies or
//! fetches them, and checks their MD5. What an averaged signal means is left to `ingest`.

mod analysis;
mod choose;
mod files;
mod fit;
mod table;
#[cfg(test)]
mod tests;

pub use choose::{Ambiguous, Choice, ChoiceOptions, Chosen, Left, Prefer, choose};
pub use files::{FetchEvent, LocalCopies, LocalFile, Provided, provide, write_peaks};
pub use table::{FileKind, PortalFile, PortalTable};
