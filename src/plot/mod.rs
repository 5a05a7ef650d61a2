//! Figures as SVG, and the pages that hold them.
//!
//! Figures are pure functions of numbers and know nothing of databases: whoever has numbers may
//! draw them. Pages take results of [`tasks`](crate::tasks) and put figures and tables into one
//! self-contained file.

mod error;
mod figures;
mod heat_map;
mod locus;
mod page;
mod task_report;

pub use error::PlotError;
pub use figures::{Bar, Series, bars, lines, scatter};
pub use heat_map::{HeatMap, HeatMapRow};
pub use locus::{LocusFigure, LocusFigureGene, LocusFigureRow, locus};
pub use task_report::{ReportedRun, task_report_html, task_report_markdown};
