//! Files of text: the one rule by which lines and tables are read.
//!
//! Manifests, metadata, chrom.sizes, BED, GTF, VCF, labels, folds, costs and the text formats of
//! signal all pass through here, so that a file that one command reads every command reads:
//!
//! - gzip is known by its content, whatever the name. Concatenated members are read; a cut file,
//!   bgzip without its end block and bytes after the end are refused; NUL padding is ignored.
//! - A UTF-8 byte order mark is dropped. UTF-16, archives and binary files are refused by name.
//! - A line ends with LF, CR LF or CR, and is at most 16 MiB long.
//! - Bytes that are no UTF-8 are tolerated in a note and counted, and refused in a name.
//! - What is neither a regular file nor a pipe (a device, a socket) is refused.

mod cells;
mod formula;
mod gunzip;
mod lines;
mod open;
mod stream;
mod table;

pub use formula::no_formula;
pub use lines::{Lines, TEXT_BYTES, check_name, fields, is_header, read_text};
pub use open::{open_file, open_regular};
pub use table::Table;
