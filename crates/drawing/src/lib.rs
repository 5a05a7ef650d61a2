//! The drawing kit: figures as SVG, PNG and PDF.
//!
//! Figures are pure functions of numbers: whoever has numbers may draw them. They give SVG text,
//! which [`write_figure`] writes as SVG, PNG or PDF, by the path's ending. Colours are those of a
//! [`Theme`]: for white paper or for a dark notebook. The kit knows nothing of databases, models or
//! pages.

mod axis;
mod canvas;
mod cloud;
mod error;
mod factor_map;
mod figures;
mod fonts;
mod genes;
mod grid;
mod heat_map;
mod line_chart;
mod locus;
mod palette;
mod selection_curve;
mod similarity;
mod tracks;
mod write;

pub use axis::{decimals, grouped, spoken_region};
pub use canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
pub use cloud::{Cloud, MOST_NAMES};
pub use error::DrawingError;
pub use factor_map::{FactorFigure, FactorRows};
pub use figures::{Bar, Series, bars, lines, scatter};
pub use fonts::{fitted, text_width};
pub use grid::{CellKind, CoverageFigure};
pub use heat_map::{HeatMap, HeatMapRow};
pub use line_chart::{Band, Line, LineChart, Panel};
pub use locus::{LocusFigure, LocusFigureGene, LocusFigureRow};
pub use palette::{CATEGORIES, Colour, Theme};
pub use selection_curve::{CurveFigure, CurveFigurePoint, selection_curve};
pub use similarity::SimilarityFigure;
pub use tracks::{TrackKind, TrackRow, TracksFigure, whole_bins};
pub use write::{DEFAULT_DPI, FigureFormat, figure_bytes, write_figure};
