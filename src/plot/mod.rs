//! Figures as SVG, PNG and PDF, and the pages that hold them.
//!
//! Figures are pure functions of numbers and know nothing of databases: whoever has numbers may
//! draw them. They give SVG text, which [`write_figure`] writes as SVG, PNG or PDF, by the path's
//! ending. Colours are those of a [`Theme`]: for white paper or for a dark notebook. Pages take
//! results of [`tasks`](crate::tasks) and put figures and tables into one self-contained file.

mod canvas;
mod error;
mod figures;
mod fonts;
mod heat_map;
mod locus;
mod page;
mod palette;
mod task_report;
mod write;

pub use canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
pub use error::PlotError;
pub use figures::{Bar, Series, bars, lines, scatter};
pub use fonts::{fitted, text_width};
pub use heat_map::{HeatMap, HeatMapRow};
pub use locus::{LocusFigure, LocusFigureGene, LocusFigureRow};
pub use palette::{CATEGORIES, Colour, Theme};
pub use task_report::{ReportedRun, task_report_html, task_report_markdown};
pub use write::{DEFAULT_DPI, FigureFormat, figure_bytes, write_figure};
