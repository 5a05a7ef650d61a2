//! What can go wrong with figures.

use std::path::PathBuf;

/// Errors of the drawing kit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrawingError {
    /// A figure could not be drawn.
    #[error("cannot draw {figure}: {why}")]
    Drawing {
        /// Which figure.
        figure: String,
        /// What is missing or wrong.
        why: String,
    },
    /// A figure's path does not tell a format.
    #[error("{}: which format? A figure's name ends in .svg, .png or .pdf", path.display())]
    Ending {
        /// The path.
        path: PathBuf,
    },
    /// A figure could not be turned into pixels or a page.
    #[error("cannot render the figure: {why}")]
    Rendering {
        /// What is wrong.
        why: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] persea_files::FileError),
}
