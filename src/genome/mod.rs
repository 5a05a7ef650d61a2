//! The genome axis: assemblies, regions, 25 bp bins, the three scales, masks and genes.
//!
//! This room knows nothing of signal. Everything here is 0-based and half-open, as in BED; only
//! [`Interval::parse_browser`] reads the 1-based inclusive form that genome browsers show.

mod assembly;
mod axis;
mod bed;
mod error;
mod interval;
mod mask;
mod scale;

pub(crate) use assembly::other_naming;
pub use assembly::{Assembly, Chromosome};
pub use axis::{AxisBin, GenomeAxis, Region};
pub use bed::{read_bed, read_bed_from};
pub use error::GenomeError;
pub use interval::Interval;
pub use mask::Mask;
pub use scale::{BIN_BP, Scale};
