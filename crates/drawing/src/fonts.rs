//! The fonts that figures are set in: DejaVu Sans, carried along, so that a machine without fonts
//! draws text and every machine draws the same.

use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb;
use ttf_parser::Face;

/// What SVG files ask for. Verdana has DejaVu's widths where a browser has no DejaVu.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    fonts.load_font_data(dejavu::sans::oblique().to_vec());
    // Whatever an SVG asks for is set in what there is.
    fonts.set_serif_family("DejaVu Sans");
    fonts.set_sans_serif_family("DejaVu Sans");
    fonts.set_monospace_family("DejaVu Sans");
    fonts.set_cursive_family("DejaVu Sans");
    fonts.set_fantasy_family("DejaVu Sans");
    Arc::new(fonts)
});

static REGULAR: LazyLock<Option<Face<'static>>> =
    LazyLock::new(|| Face::parse(dejavu::sans::regular(), 0).ok());
static BOLD: LazyLock<Option<Face<'static>>> =
    LazyLock::new(|| Face::parse(dejavu::sans::bold(), 0).ok());

/// The fonts, for who renders.
pub(super) fn database() -> Arc<fontdb::Database> {
    FONTS.clone()
}

/// How wide a line of text is, in the unit of `size`; kerning is left out.
pub fn text_width(text: &str, size: f64, is_bold: bool) -> f64 {
    /// Of a letter that the font has not.
    const UNKNOWN: f64 = 0.6;
    let face = if is_bold { &*BOLD } else { &*REGULAR };
    let advance = |letter: char| {
        let face = face.as_ref()?;
        let units = face.glyph_hor_advance(face.glyph_index(letter)?)?;
        Some(f64::from(units) / f64::from(face.units_per_em()))
    };
    size * text
        .chars()
        .map(|c| advance(c).unwrap_or(UNKNOWN))
        .sum::<f64>()
}

/// As much of a text as fits, with an ellipsis where something is left out.
pub fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size, false) <= width {
        return text.to_string();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let shorter: String = kept.iter().collect::<String>().trim_end().to_string() + "…";
        if text_width(&shorter, size, false) <= width {
            return shorter;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Advances of DejaVu Sans 2.37, in 2048ths: H 1540, i 569; bold H 1714.
    #[test]
    fn text_is_as_wide_as_the_font_says() {
        let expected = (1540.0 + 569.0) / 2048.0 * 10.0;
        assert!((text_width("Hi", 10.0, false) - expected).abs() < 1e-9);
        assert!((text_width("H", 2048.0, true) - 1714.0).abs() < 1e-9);
        assert_eq!(text_width("", 10.0, false), 0.0);
    }

    #[test]
    fn long_text_is_cut_where_it_no_longer_fits() {
        assert_eq!(fitted("short", 10.0, 100.0), "short");
        let cut = fitted("a rather long label", 10.0, 60.0);
        assert!(
            cut.ends_with('…') && text_width(&cut, 10.0, false) <= 60.0,
            "{cut}"
        );
        assert_eq!(fitted("wide", 10.0, 1.0), "");
    }
}
