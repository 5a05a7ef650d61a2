//! Options of every command that plots.

use std::path::Path;

use persea::plot::{DEFAULT_DPI, FigureFormat, Theme, write_figure};

use super::Misuse;
use super::one_of::one_of;

/// Appearance of a figure.
#[derive(Debug, Clone, clap::Args)]
pub struct FigureArguments {
    /// Theme: light for paper, dark for dark notebooks
    #[arg(long, value_parser = one_of::<Theme>(), default_value_t = Theme::Light)]
    theme: Theme,
    /// Resolution of a PNG in dots per inch
    #[arg(long, default_value_t = DEFAULT_DPI, value_parser = dpi)]
    dpi: f64,
}

fn dpi(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(dpi) if (10.0..=2_400.0).contains(&dpi) => Ok(dpi),
        _ => Err("between 10 and 2400".into()),
    }
}

impl FigureArguments {
    /// The chosen colours.
    pub fn theme(&self) -> Theme {
        self.theme
    }

    /// Writes a figure.
    pub fn write(&self, svg: &str, path: &Path) -> anyhow::Result<()> {
        Ok(write_figure(svg, path, self.dpi)?)
    }
}

/// Refuses a file name without a known extension, before anything is computed.
pub fn check_ending(path: &Path) -> anyhow::Result<()> {
    match FigureFormat::of(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Misuse(error.to_string()).into()),
    }
}
