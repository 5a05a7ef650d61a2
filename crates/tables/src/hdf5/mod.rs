//! HDF5 files, as far as Keras weights and AnnData need them: groups, attributes, and arrays that are
//! written as a stream.
//!
//! Reading is `hdf5-reader`'s. Writing is done here, because a factor table may be larger than
//! memory: every size is known before the first byte, so the file is laid out first (the groups and
//! headers, then the arrays one after another), and the arrays' numbers pass through. What is
//! written is the oldest form that every HDF5 library reads (superblock 0, symbol tables, contiguous
//! arrays; HDF5 File Format Specification, version 1.1).

mod layout;
mod messages;
mod write;

pub(crate) use messages::{Array, Attribute, Group, Kind};
pub(crate) use write::write_hdf5;

#[cfg(test)]
mod tests;
