//! Figures, as SVG.
//!
//! Draws what it is given and computes nothing.

mod heat_map;

pub use heat_map::{HeatMap, HeatMapRow};
