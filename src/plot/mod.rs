//! Figures as SVG, PNG and PDF, and the pages that hold them.
//!
//! The figures themselves are the drawing kit's, `persea_drawing`: pure functions of numbers. What
//! reads a database for a figure is here. Figures give SVG text, which [`write_figure`] writes as SVG, PNG or PDF, by the path's
//! ending. Colours are those of a [`Theme`]: for white paper or for a dark notebook. Pages take
//! results of [`tasks`](crate::tasks) and put figures and tables into one self-contained file.

mod database;
mod error;
mod page;
mod projection_cloud;
mod report;
mod task_report;

pub use database::{
    TrackChoice, axis_unit, coverage_figure, factor_figure, position_selection_figure,
    selection_figure, shared_unit, similarity_figure, some_locus, stored_selection_figure,
    tracks_figure, training_chart,
};
pub use error::PlotError;
pub(crate) use persea_drawing::{
    CellKind, Colour, CurveFigurePoint, FactorRows, Line, Panel, TrackKind, TrackRow,
};
pub use persea_drawing::{
    Cloud, CoverageFigure, CurveFigure, DEFAULT_DPI, DrawingError, FactorFigure, FigureFormat,
    HeatMap, HeatMapRow, LineChart, LocusFigure, LocusFigureGene, LocusFigureRow, SimilarityFigure,
    Theme, TracksFigure, selection_curve, spoken_region, write_figure,
};
pub use projection_cloud::projection_cloud;
pub use report::{ReportOptions, report_html};
pub use task_report::{ReportedRun, task_report_html, task_report_markdown};
