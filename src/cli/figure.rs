//! What every command that draws takes.

use std::path::Path;

use clap::ValueEnum;
use persea::plot::{DEFAULT_DPI, FigureFormat, Theme, write_figure};

use super::Misuse;

/// How a figure is drawn.
#[derive(Debug, Clone, clap::Args)]
pub struct FigureArguments {
    /// Draw for white paper, or for a dark notebook
    #[arg(long, value_enum, default_value_t = ThemeArgument::Light)]
    theme: ThemeArgument,
    /// Dots to the inch of a PNG
    #[arg(long, default_value_t = DEFAULT_DPI, value_parser = dpi)]
    dpi: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ThemeArgument {
    /// White paper
    Light,
    /// A dark notebook
    Dark,
}

fn dpi(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(dpi) if (10.0..=2_400.0).contains(&dpi) => Ok(dpi),
        _ => Err("between 10 and 2400".into()),
    }
}

impl FigureArguments {
    /// The colours asked for.
    pub fn theme(&self) -> Theme {
        match self.theme {
            ThemeArgument::Light => Theme::Light,
            ThemeArgument::Dark => Theme::Dark,
        }
    }

    /// Writes a figure.
    pub fn write(&self, svg: &str, path: &Path) -> anyhow::Result<()> {
        Ok(write_figure(svg, path, self.dpi)?)
    }
}

/// Refuses a name that tells no format, before anything is computed.
pub fn check_ending(path: &Path) -> anyhow::Result<()> {
    match FigureFormat::of(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Misuse(error.to_string()).into()),
    }
}
