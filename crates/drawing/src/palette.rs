//! Colours that readers can distinguish, with any colour vision, in print and on a dark screen.

use persea_vocabulary::vocabulary;

/// A colour, red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// As SVG and CSS write it.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// `#RRGGBB`, as metadata tables give it; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let part = |i: usize| u8::from_str_radix(&digits[i..i + 2], 16).ok();
        Some(Colour(part(0)?, part(2)?, part(4)?))
    }

    /// The colour so far (0 to 1) on the way to another.
    pub fn mix(self, other: Colour, share: f64) -> Self {
        let share = share.clamp(0.0, 1.0);
        let part = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round();
        Colour(
            part(self.0, other.0) as u8,
            part(self.1, other.1) as u8,
            part(self.2, other.2) as u8,
        )
    }

    /// Relative luminance, 0 (black) to 1 (white), as WCAG 2 defines it.
    pub fn luminance(self) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            match c <= 0.040_45 {
                true => c / 12.92,
                false => ((c + 0.055) / 1.055).powf(2.4),
            }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// How much two colours stand out from each other, 1 (not at all) to 21, as WCAG 2 defines it.
    pub fn contrast(self, other: Colour) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

/// Colours that people tell apart whatever their eyes (Okabe and Ito 2008), without their black,
/// which is the ink, and their yellow, which paper swallows.
pub const CATEGORIES: [Colour; 7] = [
    Colour(0, 114, 178),
    Colour(213, 94, 0),
    Colour(0, 158, 115),
    Colour(204, 121, 167),
    Colour(230, 159, 0),
    Colour(86, 180, 233),
    Colour(148, 120, 90),
];

vocabulary! {
    /// On what a figure is drawn.
    pub enum Theme = Light {
        /// White background
        Light = "light",
        /// Dark background
        Dark = "dark",
    }
}

impl Theme {
    /// The paper.
    pub const fn background(self) -> Colour {
        match self {
            Theme::Light => Colour(255, 255, 255),
            Theme::Dark => Colour(22, 24, 29),
        }
    }

    /// Text and axes.
    pub const fn ink(self) -> Colour {
        match self {
            Theme::Light => Colour(26, 26, 26),
            Theme::Dark => Colour(232, 232, 234),
        }
    }

    /// Text of less weight, reference lines, what has no class.
    pub const fn muted(self) -> Colour {
        match self {
            Theme::Light => Colour(105, 105, 105),
            Theme::Dark => Colour(160, 162, 168),
        }
    }

    /// Grids and empty cells.
    pub const fn faint(self) -> Colour {
        match self {
            Theme::Light => Colour(228, 228, 228),
            Theme::Dark => Colour(54, 57, 64),
        }
    }

    /// The colour of the i-th category. Beyond seven the colours come again, darker (lighter on a dark
    /// ground), then lighter: tell so many apart by labels as well.
    pub fn category(self, i: usize) -> Colour {
        let colour = CATEGORIES[i % CATEGORIES.len()];
        let colour = match self {
            Theme::Light => colour,
            Theme::Dark => colour.mix(Colour(255, 255, 255), 0.15),
        };
        match (i / CATEGORIES.len()) % 3 {
            0 => colour,
            1 => colour.mix(self.ink(), 0.45),
            _ => colour.mix(self.background(), 0.5),
        }
    }

    /// 0 to 1 as viridis: even steps look even, in grey as well. For values without a natural zero.
    pub fn sequential(self, share: f64) -> Colour {
        along(&VIRIDIS, share)
    }

    /// 0 to 1 from the paper to full colour: for values that have a zero, such as signal.
    pub fn shade(self, share: f64) -> Colour {
        match self {
            Theme::Light => along(&ON_LIGHT, share),
            Theme::Dark => along(&ON_DARK, share),
        }
    }

    /// −1 to 1 by way of the paper at 0: blue below, orange above.
    pub fn diverging(self, value: f64) -> Colour {
        let (below, above): (&[Colour], &[Colour]) = match self {
            Theme::Light => (&BLUES, &ORANGES),
            Theme::Dark => (&DARK_BLUES, &DARK_ORANGES),
        };
        match value < 0.0 {
            true => along(below, -value),
            false => along(above, value),
        }
    }
}

/// Nine of viridis' colours, evenly spaced (Smith and van der Walt, matplotlib; CC0).
const VIRIDIS: [Colour; 9] = [
    Colour(68, 1, 84),
    Colour(71, 44, 122),
    Colour(59, 81, 139),
    Colour(44, 113, 142),
    Colour(33, 144, 141),
    Colour(39, 173, 129),
    Colour(92, 200, 99),
    Colour(170, 220, 50),
    Colour(253, 231, 37),
];
const ON_LIGHT: [Colour; 4] = [
    Colour(255, 255, 255),
    Colour(166, 206, 227),
    Colour(49, 130, 189),
    Colour(8, 29, 88),
];
const ON_DARK: [Colour; 4] = [
    Colour(22, 24, 29),
    Colour(24, 78, 119),
    Colour(72, 160, 208),
    Colour(232, 244, 252),
];
const BLUES: [Colour; 4] = [
    Colour(247, 247, 247),
    Colour(146, 197, 222),
    Colour(33, 102, 172),
    Colour(5, 48, 97),
];
const ORANGES: [Colour; 4] = [
    Colour(247, 247, 247),
    Colour(253, 184, 99),
    Colour(217, 95, 2),
    Colour(127, 59, 8),
];
const DARK_BLUES: [Colour; 3] = [
    Colour(38, 40, 46),
    Colour(40, 110, 178),
    Colour(150, 208, 248),
];
const DARK_ORANGES: [Colour; 3] = [
    Colour(38, 40, 46),
    Colour(196, 98, 16),
    Colour(255, 206, 128),
];

/// Between evenly spaced stops; NaN counts as 0.
fn along(stops: &[Colour], share: f64) -> Colour {
    let share = if share.is_nan() { 0.0 } else { share };
    let at = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let from = (at.floor() as usize).min(stops.len() - 2);
    stops[from].mix(stops[from + 1], at - from as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_from_metadata_and_written_as_they_were() {
        assert_eq!(Colour::from_hex(" #F9B6CF "), Some(Colour(249, 182, 207)));
        assert_eq!(Colour(249, 182, 207).hex(), "#f9b6cf");
        for bad in ["F9B6CF", "#F9B6C", "#GG0000", "", "#+12345", "#äöü"] {
            assert_eq!(Colour::from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_and_categories_stand_out_from_both_grounds() {
        assert!((Colour(0, 0, 0).contrast(Colour(255, 255, 255)) - 21.0).abs() < 1e-9);
        for theme in [Theme::Light, Theme::Dark] {
            let background = theme.background();
            assert!(theme.ink().contrast(background) > 12.0);
            assert!(theme.muted().contrast(background) > 4.5);
            for i in 0..CATEGORIES.len() {
                assert!(
                    theme.category(i).contrast(background) > 2.0,
                    "{theme:?} {i}"
                );
                for j in 0..i {
                    assert_ne!(theme.category(i), theme.category(j));
                }
            }
        }
    }

    /// Also in grey: lightness never turns back.
    #[test]
    fn ramps_run_one_way_in_lightness() {
        let runs = |of: &dyn Fn(f64) -> Colour, up: bool| {
            let light: Vec<f64> = (0..=50)
                .map(|i| of(f64::from(i) / 50.0).luminance())
                .collect();
            light
                .windows(2)
                .all(|w| if up { w[1] >= w[0] } else { w[1] <= w[0] })
        };
        assert!(runs(&|s| Theme::Light.sequential(s), true));
        assert!(runs(&|s| Theme::Light.shade(s), false));
        assert!(runs(&|s| Theme::Dark.shade(s), true));
        for sign in [-1.0, 1.0] {
            assert!(runs(&|s| Theme::Light.diverging(sign * s), false));
            assert!(runs(&|s| Theme::Dark.diverging(sign * s), true));
        }
        assert_eq!(Theme::Light.shade(f64::NAN), Colour(255, 255, 255));
    }
}
