//! A sheet to draw on: SVG text, written with fractions of pixels and measured text.
//!
//! No charting library: the one that was used (plotters) places everything on whole pixels, guesses
//! how wide text is and sets it in a typeface of its own. Figures for print need all three exactly.

use std::fmt::Write;

use super::fonts::{FAMILY, text_width};
use super::palette::{Colour, Theme};

/// Where a text lies about its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// How a line of text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextStyle {
    /// Pixels; nothing below 9 is read in print.
    pub size: f64,
    /// Its colour.
    pub colour: Colour,
    /// Bold or not.
    pub is_bold: bool,
    /// Italic or not, as gene names are.
    pub is_italic: bool,
    /// Along the line.
    pub anchor: Anchor,
    /// Degrees, clockwise, about the point.
    pub turned: f64,
}

impl TextStyle {
    /// Upright, from its point to the right.
    pub fn new(size: f64, colour: Colour) -> Self {
        TextStyle {
            size,
            colour,
            is_bold: false,
            is_italic: false,
            anchor: Anchor::Start,
            turned: 0.0,
        }
    }

    /// The same, anchored elsewhere.
    pub fn anchored(self, anchor: Anchor) -> Self {
        TextStyle { anchor, ..self }
    }

    /// The same in bold.
    pub fn bold(self) -> Self {
        TextStyle {
            is_bold: true,
            ..self
        }
    }

    /// The same in italics.
    pub fn italic(self) -> Self {
        TextStyle {
            is_italic: true,
            ..self
        }
    }

    /// The same, turned.
    pub fn turned(self, degrees: f64) -> Self {
        TextStyle {
            turned: degrees,
            ..self
        }
    }

    /// How wide a text is in it.
    pub fn width(&self, text: &str) -> f64 {
        text_width(text, self.size, self.is_bold)
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Colour,
    /// Pixels.
    pub width: f64,
    /// Dash and gap, pixels; 0 for none.
    pub dash: f64,
}

impl Stroke {
    /// A whole line.
    pub fn new(colour: Colour, width: f64) -> Self {
        Stroke {
            colour,
            width,
            dash: 0.0,
        }
    }

    /// A dashed one.
    pub fn dashed(colour: Colour, width: f64, dash: f64) -> Self {
        Stroke {
            colour,
            width,
            dash,
        }
    }
}

/// A rectangle of the sheet, pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Its left edge.
    pub x: f64,
    /// Its upper edge.
    pub y: f64,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
}

impl Frame {
    /// From its corner and size.
    pub fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Frame {
            x,
            y,
            width,
            height,
        }
    }

    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// The sheet.
#[derive(Debug)]
pub struct Canvas {
    width: f64,
    height: f64,
    theme: Theme,
    body: String,
    n_clips: usize,
}

impl Canvas {
    /// An empty sheet.
    pub fn new(width: f64, height: f64, theme: Theme) -> Self {
        let mut canvas = Canvas {
            width: width.max(1.0).ceil(),
            height: height.max(1.0).ceil(),
            theme,
            body: String::new(),
            n_clips: 0,
        };
        let all = Frame::new(0.0, 0.0, canvas.width, canvas.height);
        canvas.rectangle(all, theme.background());
        canvas
    }

    /// What it is drawn on.
    pub fn theme(&self) -> Theme {
        self.theme
    }

    /// A filled rectangle with sharp edges.
    pub fn rectangle(&mut self, frame: Frame, fill: Colour) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
            short(frame.x),
            short(frame.y),
            short(frame.width.max(0.0)),
            short(frame.height.max(0.0)),
            fill.hex()
        );
    }

    /// The edge of a rectangle.
    pub fn outline(&mut self, frame: Frame, stroke: Stroke) {
        let (r, b) = (frame.right(), frame.bottom());
        let corners = [
            (frame.x, frame.y),
            (r, frame.y),
            (r, b),
            (frame.x, b),
            (frame.x, frame.y),
        ];
        self.polyline(&corners, stroke);
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        self.polyline(&[from, to], stroke);
    }

    /// A line through points; what is not finite breaks it.
    pub fn polyline(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        let path = path_of(points);
        if path.is_empty() {
            return;
        }
        let _ = write!(
            self.body,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
            stroke.colour.hex(),
            short(stroke.width)
        );
        if stroke.dash > 0.0 {
            let _ = write!(
                self.body,
                " stroke-dasharray=\"{0} {0}\"",
                short(stroke.dash)
            );
        }
        self.body.push_str("/>\n");
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[(f64, f64)], fill: Colour, opacity: f64) {
        let path = path_of(points);
        if path.is_empty() {
            return;
        }
        let _ = writeln!(
            self.body,
            "<path d=\"{path}Z\" fill=\"{}\"{}/>",
            fill.hex(),
            see_through("fill", opacity)
        );
    }

    /// Round dots of one colour.
    pub fn dots(&mut self, points: &[(f64, f64)], radius: f64, fill: Colour, opacity: f64) {
        let mut path = String::new();
        for (x, y) in points
            .iter()
            .filter(|(x, y)| x.is_finite() && y.is_finite())
        {
            let _ = write!(path, "M{} {}h.01", short(*x), short(*y));
        }
        if path.is_empty() {
            return;
        }
        let _ = writeln!(
            self.body,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" \
             stroke-linecap=\"round\"{}/>",
            fill.hex(),
            short(2.0 * radius),
            see_through("stroke", opacity)
        );
    }

    /// A dot with a rim in the colour of the paper, so that it stands out from others.
    pub fn marker(&mut self, at: (f64, f64), radius: f64, fill: Colour) {
        let _ = writeln!(
            self.body,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"0.8\"/>",
            short(at.0),
            short(at.1),
            short(radius),
            fill.hex(),
            self.theme.background().hex()
        );
    }

    /// A grid of equal cells, row by row from the upper left; `None` leaves the paper. Cells of one
    /// colour are one path, neighbours in a row one rectangle.
    pub fn cells(&mut self, frame: Frame, n_columns: usize, colours: &[Option<Colour>]) {
        if n_columns == 0 || colours.is_empty() {
            return;
        }
        let n_rows = colours.len().div_ceil(n_columns);
        let (w, h) = (frame.width / n_columns as f64, frame.height / n_rows as f64);
        // Few shades, in the order in which they are met.
        let mut places = std::collections::HashMap::new();
        let mut paths: Vec<(Colour, String)> = Vec::new();
        for (r, row) in colours.chunks(n_columns).enumerate() {
            let mut first = 0;
            while first < row.len() {
                let colour = row[first];
                let length = row[first..].iter().take_while(|c| **c == colour).count();
                if let Some(colour) = colour {
                    let place = *places.entry(colour).or_insert_with(|| {
                        paths.push((colour, String::new()));
                        paths.len() - 1
                    });
                    let (x, y) = (frame.x + first as f64 * w, frame.y + r as f64 * h);
                    // A little over the next, so that rounding leaves no seam.
                    let across = short((length as f64 * w + OVER).min(frame.right() - x));
                    let down = short((h + OVER).min(frame.bottom() - y));
                    let _ = write!(
                        paths[place].1,
                        "M{} {}h{across}v{down}h-{across}z",
                        short(x),
                        short(y)
                    );
                }
                first += length;
            }
        }
        // Without antialiasing: no cell shines through another's edge.
        self.body.push_str("<g shape-rendering=\"crispEdges\">\n");
        for (colour, path) in paths {
            let _ = writeln!(self.body, "<path d=\"{path}\" fill=\"{}\"/>", colour.hex());
        }
        self.body.push_str("</g>\n");
    }

    /// A line of text whose middle, in height, is at the point.
    pub fn text(&mut self, at: (f64, f64), text: &str, style: &TextStyle) {
        let anchor = match style.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = write!(
            self.body,
            "<text font-family=\"{FAMILY}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{anchor}\"",
            short(style.size),
            style.colour.hex()
        );
        if style.is_bold {
            self.body.push_str(" font-weight=\"bold\"");
        }
        if style.is_italic {
            self.body.push_str(" font-style=\"italic\"");
        }
        // Half of a capital's height below the middle is the base line.
        let below = 0.36 * style.size;
        if style.turned == 0.0 {
            let (x, y) = (short(at.0), short(at.1 + below));
            let _ = write!(self.body, " x=\"{x}\" y=\"{y}\"");
        } else {
            let _ = write!(
                self.body,
                " transform=\"translate({} {}) rotate({})\" y=\"{}\"",
                short(at.0),
                short(at.1),
                short(style.turned),
                short(below)
            );
        }
        let _ = writeln!(self.body, ">{}</text>", escaped(text));
    }

    /// Draws something, clipped to the frame.
    pub fn clipped(&mut self, frame: Frame, draw: impl FnOnce(&mut Canvas)) {
        // Ids are of the page when several figures stand in one: the frame tells them apart.
        let id = format!(
            "clip{}-{}-{}-{}-{}",
            self.n_clips,
            short(frame.x),
            short(frame.y),
            short(frame.width),
            short(frame.height)
        );
        self.n_clips += 1;
        let _ = writeln!(
            self.body,
            "<clipPath id=\"{id}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n\
             <g clip-path=\"url(#{id})\">",
            short(frame.x),
            short(frame.y),
            short(frame.width.max(0.0)),
            short(frame.height.max(0.0))
        );
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// The figure as SVG.
    pub fn finish(self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" \
             viewBox=\"0 0 {0} {1}\">\n{2}</svg>\n",
            short(self.width),
            short(self.height),
            self.body
        )
    }
}

/// How far cells reach over their neighbours, pixels.
const OVER: f64 = 0.35;

/// A hundredth of a pixel is enough.
fn short(value: f64) -> String {
    let text = format!("{:.2}", if value.is_finite() { value } else { 0.0 });
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "-0" | "" => "0".to_string(),
        other => other.to_string(),
    }
}

fn see_through(what: &str, opacity: f64) -> String {
    match opacity < 1.0 {
        true => format!(" {what}-opacity=\"{}\"", short(opacity)),
        false => String::new(),
    }
}

fn path_of(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    let mut pen_is_down = false;
    for (x, y) in points {
        if !(x.is_finite() && y.is_finite()) {
            pen_is_down = false;
            continue;
        }
        let letter = if pen_is_down { 'L' } else { 'M' };
        let _ = write!(path, "{letter}{} {}", short(*x), short(*y));
        pen_is_down = true;
    }
    path
}

/// Text that XML takes for text; what XML may not hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_an_svg_that_can_be_rendered() {
        let mut canvas = Canvas::new(100.0, 50.0, Theme::Light);
        let ink = Theme::Light.ink();
        canvas.line((0.0, 0.0), (10.5, 20.25), Stroke::dashed(ink, 1.0, 3.0));
        canvas.polyline(
            &[(0.0, 1.0), (f64::NAN, 2.0), (3.0, 4.0)],
            Stroke::new(ink, 1.0),
        );
        canvas.polygon(&[(1.0, 1.0), (2.0, 1.0), (2.0, 2.0)], ink, 0.5);
        canvas.dots(&[(5.0, 5.0), (f64::INFINITY, 1.0)], 1.5, ink, 1.0);
        canvas.marker((7.0, 7.0), 2.0, ink);
        let style = TextStyle::new(10.0, ink).bold().turned(-90.0);
        canvas.text((20.0, 20.0), "a < b & \u{1}c", &style);
        canvas.clipped(Frame::new(0.0, 0.0, 5.0, 5.0), |c| {
            c.marker((1.0, 1.0), 1.0, ink)
        });
        let svg = canvas.finish();
        assert!(svg.contains("M0 0L10.5 20.25"));
        assert!(svg.contains("M0 1M3 4"));
        assert!(svg.contains("a &lt; b &amp;  c"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        super::super::figure_bytes(&svg, super::super::FigureFormat::Png, 96.0).unwrap();
    }

    #[test]
    fn equal_neighbours_are_one_cell_and_equal_colours_one_path() {
        let (a, b) = (Some(Colour(1, 2, 3)), Some(Colour(4, 5, 6)));
        let mut canvas = Canvas::new(40.0, 20.0, Theme::Light);
        canvas.cells(
            Frame::new(0.0, 0.0, 40.0, 20.0),
            4,
            &[a, a, b, None, b, b, b, a],
        );
        let svg = canvas.finish();
        assert_eq!(svg.matches("<path").count(), 2);
        assert!(
            svg.contains("M0 0h20.35v10.35h-20.35zM30 10h10v10h-10z"),
            "{svg}"
        );
        assert!(
            svg.contains("M20 0h10.35v10.35h-10.35zM0 10h30.35v10h-30.35z"),
            "{svg}"
        );
    }

    #[test]
    fn dots_are_drawn_round_and_where_they_lie() {
        let mut canvas = Canvas::new(20.0, 20.0, Theme::Light);
        canvas.dots(&[(10.0, 10.0)], 4.0, Colour(255, 0, 0), 1.0);
        let png =
            super::super::figure_bytes(&canvas.finish(), super::super::FigureFormat::Png, 96.0);
        let image = resvg::tiny_skia::Pixmap::decode_png(&png.unwrap()).unwrap();
        let is_red = |x, y| image.pixel(x, y).is_some_and(|p| p.green() < 100);
        assert!(is_red(10, 10) && is_red(12, 10) && is_red(10, 12));
        assert!(!is_red(15, 10) && !is_red(13, 13) && !is_red(5, 10));
    }
}
