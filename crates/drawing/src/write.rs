//! A figure to a file: SVG as it is, PNG by resvg, PDF by svg2pdf, by the path's extension.

use std::io::Write;
use std::path::Path;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;

use super::{DrawingError, fonts};
use persea_files::write_text;

/// Pixels of an SVG to the inch, as CSS has it.
const SVG_DPI: f64 = 96.0;
/// More pixels than this are a mistake.
const MOST_PIXELS: f64 = 4e8;

/// The formats of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureFormat {
    /// Scalable, text as text.
    Svg,
    /// Pixels.
    Png,
    /// Scalable, fonts embedded.
    Pdf,
}

impl FigureFormat {
    /// Told by the path's ending.
    ///
    /// # Errors
    /// When it ends otherwise.
    pub fn of(path: &Path) -> Result<Self, DrawingError> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("svg") => Ok(FigureFormat::Svg),
            Some("png") => Ok(FigureFormat::Png),
            Some("pdf") => Ok(FigureFormat::Pdf),
            _ => Err(DrawingError::Ending { path: path.into() }),
        }
    }
}

/// Writes a figure as a whole or not at all; `dpi` is that of a PNG, 96 being one pixel of it for
/// one of the SVG. The size on paper is the same in all formats.
///
/// # Errors
/// When the path ends in none of `.svg`, `.png` and `.pdf`, the figure would have too many pixels,
/// or the file cannot be written.
///
/// # Examples
/// ```
/// use persea_drawing::{Bar, DEFAULT_DPI, bars, write_figure};
///
/// # let folder = tempfile::tempdir()?;
/// let bar = Bar { label: "embedding".into(), value: Some(0.7), interval: None, is_reference: false };
/// let svg = bars("Mine", "AUROC", &[bar], None, "");
/// for name in ["mine.svg", "mine.png", "mine.pdf"] {
///     write_figure(&svg, &folder.path().join(name), DEFAULT_DPI)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_figure(svg: &str, path: &Path, dpi: f64) -> Result<(), DrawingError> {
    let bytes = figure_bytes(svg, FigureFormat::of(path)?, dpi)?;
    Ok(write_text(path, &bytes)?)
}

/// Dots to the inch of a PNG unless it is said otherwise: what print asks for.
pub const DEFAULT_DPI: f64 = 300.0;

/// A figure's bytes in a format.
///
/// # Errors
/// When the SVG cannot be read or would have too many pixels.
pub fn figure_bytes(svg: &str, format: FigureFormat, dpi: f64) -> Result<Vec<u8>, DrawingError> {
    match format {
        FigureFormat::Svg => Ok(svg.as_bytes().to_vec()),
        FigureFormat::Png => png(&parsed(svg)?, dpi),
        FigureFormat::Pdf => {
            let page = svg2pdf::PageOptions {
                dpi: SVG_DPI as f32,
            };
            let options = svg2pdf::ConversionOptions::default();
            svg2pdf::to_pdf(&parsed(svg)?, options, page).map_err(failed)
        }
    }
}

fn failed(why: impl std::fmt::Display) -> DrawingError {
    DrawingError::Rendering {
        why: why.to_string(),
    }
}

fn parsed(svg: &str) -> Result<usvg::Tree, DrawingError> {
    let options = usvg::Options {
        font_family: "DejaVu Sans".into(),
        fontdb: fonts::database(),
        ..usvg::Options::default()
    };
    usvg::Tree::from_str(svg, &options).map_err(failed)
}

fn png(tree: &usvg::Tree, dpi: f64) -> Result<Vec<u8>, DrawingError> {
    let scale = dpi / SVG_DPI;
    let size = tree.size();
    let width = (f64::from(size.width()) * scale).round();
    let height = (f64::from(size.height()) * scale).round();
    if !(width >= 1.0 && height >= 1.0 && width * height <= MOST_PIXELS) {
        return Err(failed(format!(
            "{width} × {height} pixels at {dpi} dpi; ask for other dpi, or for .svg or .pdf"
        )));
    }
    let mut pixels = Pixmap::new(width as u32, height as u32)
        .ok_or_else(|| failed(format!("no memory for {width} × {height} pixels")))?;
    let transform = Transform::from_scale(scale as f32, scale as f32);
    resvg::render(tree, transform, &mut pixels.as_mut());
    with_size_on_paper(pixels.encode_png().map_err(failed)?, dpi)
}

/// Adds the chunk that tells a PNG's dots to the metre (PNG specification, 11.3.4.3), so that
/// a page shows it as large as the PDF.
fn with_size_on_paper(png: Vec<u8>, dpi: f64) -> Result<Vec<u8>, DrawingError> {
    /// Signature, and the first chunk, IHDR.
    const BEFORE: usize = 8 + 25;
    let per_metre = ((dpi / 0.0254).round() as u32).to_be_bytes();
    let mut chunk = b"pHYs".to_vec();
    chunk.extend(per_metre);
    chunk.extend(per_metre);
    chunk.push(1);
    let mut sum = flate2::Crc::new();
    sum.update(&chunk);
    let mut out = Vec::with_capacity(png.len() + 21);
    let mut write = || -> std::io::Result<()> {
        out.write_all(&png[..BEFORE.min(png.len())])?;
        out.write_all(&9u32.to_be_bytes())?;
        out.write_all(&chunk)?;
        out.write_all(&sum.sum().to_be_bytes())?;
        out.write_all(&png[BEFORE.min(png.len())..])
    };
    write().map_err(failed)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"96\" height=\"48\">\
        <rect width=\"96\" height=\"48\" fill=\"#ffffff\"/>\
        <text x=\"4\" y=\"40\" font-family=\"sans-serif\" font-size=\"40\">HH</text></svg>";

    fn decoded(png: &[u8]) -> Pixmap {
        Pixmap::decode_png(png).unwrap()
    }

    #[test]
    fn the_ending_tells_the_format_and_others_are_refused() {
        assert_eq!(
            FigureFormat::of(Path::new("a.b.SVG")).unwrap(),
            FigureFormat::Svg
        );
        for bad in ["figure", "figure.jpg", "figure.svg.gz"] {
            let error = FigureFormat::of(Path::new(bad)).unwrap_err().to_string();
            assert!(error.contains(bad) && error.contains(".pdf"), "{error}");
        }
    }

    #[test]
    fn a_png_has_the_size_asked_for_and_text_in_it_without_fonts_of_the_machine() {
        let png = figure_bytes(SVG, FigureFormat::Png, 192.0).unwrap();
        let image = decoded(&png);
        assert_eq!((image.width(), image.height()), (192, 96));
        let dark = image.pixels().iter().filter(|p| p.red() < 64).count();
        assert!(dark > 400, "{dark} dark pixels");
        // 192 dpi are 7,559 dots to the metre.
        let at = png.windows(4).position(|w| w == b"pHYs").unwrap();
        assert_eq!(&png[at + 4..at + 8], &7_559u32.to_be_bytes());
    }

    #[test]
    fn a_pdf_is_as_large_on_paper_and_carries_its_font() {
        let pdf = figure_bytes(SVG, FigureFormat::Pdf, 300.0).unwrap();
        assert!(pdf.starts_with(b"%PDF"));
        let text = String::from_utf8_lossy(&pdf);
        // One inch by half an inch, in points.
        assert!(text.contains("/MediaBox [0 0 72 36]"), "{text}");
        assert!(text.contains("DejaVuSans"));
    }

    #[test]
    fn figures_are_written_whole_and_absurd_ones_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figure.png");
        write_figure(SVG, &path, 96.0).unwrap();
        assert_eq!(decoded(&std::fs::read(&path).unwrap()).width(), 96);
        for dpi in [0.0, -1.0, f64::NAN, 1e7] {
            let error = write_figure(SVG, &path, dpi).unwrap_err().to_string();
            assert!(error.contains("dpi"), "{error}");
        }
        assert!(write_figure("no figure", &path, 96.0).is_err());
        assert_eq!(decoded(&std::fs::read(&path).unwrap()).width(), 96);
        let nowhere = folder.path().join("missing").join("figure.svg");
        assert!(write_figure(SVG, &nowhere, 96.0).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
