//! Intervals in text, plain, gzipped or bgzipped: bedGraph, and BED with its kin for peaks.

mod bedgraph;
mod bgzip;
mod detect;
mod layout;
mod lines;
mod peaks;

pub(super) use bedgraph::{BedGraphReader, BedGraphWriter};
pub(super) use detect::detect;
pub(super) use peaks::PeakReader;
