//! Figures as SVG, PNG and PDF, and the pages that hold them.
//!
//! Figures are pure functions of numbers and know nothing of databases: whoever has numbers may
//! draw them. They give SVG text, which [`write_figure`] writes as SVG, PNG or PDF, by the path's
//! ending. Colours are those of a [`Theme`]: for white paper or for a dark notebook. Pages take
//! results of [`tasks`](crate::tasks) and put figures and tables into one self-contained file.

mod axis;
mod canvas;
mod cloud;
mod database;
mod error;
mod factor_map;
mod figures;
mod fonts;
mod genes;
mod grid;
mod heat_map;
mod line_chart;
mod locus;
mod page;
mod palette;
mod projection_cloud;
mod report;
mod selection_curve;
mod similarity;
mod task_report;
mod tracks;
mod write;

pub use canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
pub use cloud::Cloud;
pub use database::{
    TrackChoice, coverage_figure, factor_figure, similarity_figure, tracks_figure, training_chart,
};
pub use error::PlotError;
pub use factor_map::{FactorFigure, FactorRows};
pub use figures::{Bar, Series, bars, lines, scatter};
pub use fonts::{fitted, text_width};
pub use grid::{CellKind, CoverageFigure};
pub use heat_map::{HeatMap, HeatMapRow};
pub use line_chart::{Band, Line, LineChart, Panel};
pub use locus::{LocusFigure, LocusFigureGene, LocusFigureRow};
pub use palette::{CATEGORIES, Colour, Theme};
pub use projection_cloud::projection_cloud;
pub use report::{ReportOptions, report_html};
pub use selection_curve::{CurveFigure, CurveFigurePoint, selection_curve};
pub use similarity::SimilarityFigure;
pub use task_report::{ReportedRun, task_report_html, task_report_markdown};
pub use tracks::{TrackKind, TrackRow, TracksFigure};
pub use write::{DEFAULT_DPI, FigureFormat, figure_bytes, write_figure};
