//! Lines over numbered steps, in panels side by side, one legend beside them.

use super::axis::marks;
use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::cloud::wrapped;
use super::fonts::fitted;
use super::palette::{Colour, Theme};

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What the legend calls it; lines of one name share their colour.
    pub name: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
    /// Dashed, or whole.
    pub is_dashed: bool,
}

/// A band between two curves, of the colour of the line of its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// The line's name.
    pub name: String,
    /// Where, and from what to what.
    pub points: Vec<(f64, f64, f64)>,
}

/// A panel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// What the axes are.
    pub axes: [String; 2],
    /// Its lines.
    pub lines: Vec<Line>,
    /// What lies behind them.
    pub bands: Vec<Band>,
    /// Whether the upright axis is logarithmic.
    pub is_logarithmic: bool,
    /// Upright marks, each with a name: where something was chosen.
    pub marked: Vec<(f64, String)>,
}

/// Panels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LineChart {
    /// What stands above.
    pub title: String,
    /// The panels, from left to right.
    pub panels: Vec<Panel>,
    /// Lines below.
    pub notes: Vec<String>,
}

const HEIGHT: f64 = 300.0;
const WIDTH: f64 = 330.0;
const LEFT: f64 = 74.0;
const TOP: f64 = 66.0;
const GAP: f64 = 84.0;
const MARGIN: f64 = 16.0;
const LEGEND: f64 = 210.0;
/// Panels side by side at most.
const PER_ROW: usize = 2;

impl LineChart {
    /// Draws it as SVG.
    pub fn svg(&self, theme: Theme) -> String {
        let n = self.panels.len().clamp(1, PER_ROW) as f64;
        let names = self.names();
        let width = LEFT + n * WIDTH + (n - 1.0) * GAP + MARGIN + LEGEND + MARGIN;
        let note = TextStyle::new(10.5, theme.muted());
        let lines = wrapped(&self.notes, &note, width - 2.0 * MARGIN);
        let panel_height = HEIGHT.max(18.0 * names.len() as f64);
        let row_height = panel_height + 98.0;
        let n_rows = self.panels.len().div_ceil(PER_ROW).max(1) as f64;
        let foot = TOP + n_rows * row_height - 40.0;
        let height = foot + 15.0 * lines.len() as f64 + MARGIN;
        let mut canvas = Canvas::new(width, height, theme);
        let title = TextStyle::new(15.0, theme.ink()).bold();
        canvas.text(
            (MARGIN, 24.0),
            &fitted(&self.title, 16.5, width - 2.0 * MARGIN),
            &title,
        );
        let style = TextStyle::new(12.0, theme.ink());
        for (r, row) in self.panels.chunks(PER_ROW).enumerate() {
            let top = TOP + r as f64 * row_height;
            for (i, panel) in row.iter().enumerate() {
                let frame = Frame::new(LEFT + i as f64 * (WIDTH + GAP), top, WIDTH, panel_height);
                panel.draw(&mut canvas, &frame, &names);
            }
            let n = row.len() as f64;
            let x = LEFT + n * WIDTH + (n - 1.0) * GAP + MARGIN;
            // The legend of this row's lines, in colours that are the whole chart's.
            let of_row =
                |name: &&String| row.iter().flat_map(|p| &p.lines).any(|l| l.name == **name);
            for (i, name) in names.iter().filter(of_row).enumerate() {
                let y = top + 9.0 + 18.0 * i as f64;
                let is_dashed =
                    (row.iter().flat_map(|p| &p.lines)).any(|l| l.name == *name && l.is_dashed);
                let place = names.iter().position(|n| n == name).unwrap_or(0);
                let stroke = Stroke {
                    dash: if is_dashed { 4.0 } else { 0.0 },
                    ..Stroke::new(theme.category(place), 2.4)
                };
                canvas.line((x, y), (x + 22.0, y), stroke);
                canvas.text((x + 30.0, y), &fitted(name, 12.0, LEGEND - 30.0), &style);
            }
        }
        for (i, line) in lines.iter().enumerate() {
            canvas.text((MARGIN, foot + 15.0 * i as f64 + 6.0), line, &note);
        }
        canvas.finish()
    }

    /// The lines' names, each once, in the order in which they are met.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for line in self.panels.iter().flat_map(|p| &p.lines) {
            if !names.contains(&line.name) {
                names.push(line.name.clone());
            }
        }
        names
    }
}

impl Panel {
    /// A number as the upright axis counts.
    fn height(&self, y: f64) -> f64 {
        match self.is_logarithmic {
            true if y > 0.0 => y.log10(),
            true => f64::NAN,
            false => y,
        }
    }

    fn range(&self) -> ([f64; 2], [f64; 2]) {
        let mut x = [f64::INFINITY, f64::NEG_INFINITY];
        let mut y = x;
        let mut take = |px: f64, py: f64| {
            let py = self.height(py);
            if px.is_finite() && py.is_finite() {
                (x[0], x[1]) = (x[0].min(px), x[1].max(px));
                (y[0], y[1]) = (y[0].min(py), y[1].max(py));
            }
        };
        for (px, py) in self.lines.iter().flat_map(|l| &l.points) {
            take(*px, *py);
        }
        for (px, low, high) in self.bands.iter().flat_map(|b| &b.points) {
            take(*px, *low);
            take(*px, *high);
        }
        for range in [&mut x, &mut y] {
            if !(range[0].is_finite() && range[1] > range[0]) {
                let middle = if range[0].is_finite() { range[0] } else { 0.0 };
                *range = [middle - 0.5, middle + 0.5];
            }
        }
        let room = 0.05 * (y[1] - y[0]);
        (x, [y[0] - room, y[1] + room])
    }

    fn draw(&self, canvas: &mut Canvas, frame: &Frame, names: &[String]) {
        let theme = canvas.theme();
        let (x, y) = self.range();
        let place = |px: f64, py: f64| {
            (
                frame.x + (px - x[0]) / (x[1] - x[0]) * frame.width,
                frame.bottom() - (self.height(py) - y[0]) / (y[1] - y[0]) * frame.height,
            )
        };
        let small = TextStyle::new(11.0, theme.ink());
        let grid = Stroke::new(theme.faint(), 1.0);
        for (at, text) in marks(x[0], x[1], 5) {
            // Steps are whole.
            if text.contains('.') && at.fract().abs() > 1e-9 {
                continue;
            }
            let text = text.split('.').next().unwrap_or_default().to_string();
            let px = frame.x + (at - x[0]) / (x[1] - x[0]) * frame.width;
            canvas.line((px, frame.y), (px, frame.bottom()), grid);
            canvas.text(
                (px, frame.bottom() + 14.0),
                &text,
                &small.anchored(Anchor::Middle),
            );
        }
        for (at, text) in self.upright_marks(y) {
            let py = frame.bottom() - (at - y[0]) / (y[1] - y[0]) * frame.height;
            canvas.line((frame.x, py), (frame.right(), py), grid);
            canvas.text((frame.x - 8.0, py), &text, &small.anchored(Anchor::End));
        }
        let colour = |name: &str| -> Colour {
            theme.category(names.iter().position(|n| n == name).unwrap_or(0))
        };
        for band in &self.bands {
            let above = band.points.iter().map(|(px, _, high)| place(*px, *high));
            let below = band
                .points
                .iter()
                .rev()
                .map(|(px, low, _)| place(*px, *low));
            let edge: Vec<(f64, f64)> = above.chain(below).collect();
            canvas.polygon(&edge, colour(&band.name), 0.22);
        }
        for (at, name) in &self.marked {
            let (px, _) = place(*at, 1.0);
            let stroke = Stroke::dashed(theme.muted(), 1.2, 4.0);
            canvas.line((px, frame.y), (px, frame.bottom()), stroke);
            let anchor = match px > frame.x + frame.width / 2.0 {
                true => Anchor::End,
                false => Anchor::Start,
            };
            let aside = if anchor == Anchor::End { -5.0 } else { 5.0 };
            let style = TextStyle::new(10.5, theme.muted()).anchored(anchor);
            canvas.text((px + aside, frame.y + 10.0), name, &style);
        }
        for line in &self.lines {
            let points: Vec<(f64, f64)> = line.points.iter().map(|(a, b)| place(*a, *b)).collect();
            let stroke = Stroke {
                dash: if line.is_dashed { 4.0 } else { 0.0 },
                ..Stroke::new(colour(&line.name), 1.8)
            };
            canvas.polyline(&points, stroke);
            if points.len() <= 30 {
                for at in points.iter().filter(|p| p.1.is_finite()) {
                    canvas.marker(*at, 2.8, colour(&line.name));
                }
            }
        }
        canvas.outline(*frame, Stroke::new(theme.muted(), 1.0));
        let name = TextStyle::new(12.5, theme.ink()).anchored(Anchor::Middle);
        let middle = frame.x + frame.width / 2.0;
        canvas.text((middle, frame.y - 14.0), &self.title, &name.bold());
        canvas.text((middle, frame.bottom() + 36.0), &self.axes[0], &name);
        let beside = (frame.x - 58.0, frame.y + frame.height / 2.0);
        canvas.text(beside, &self.axes[1], &name.turned(-90.0));
    }

    fn upright_marks(&self, y: [f64; 2]) -> Vec<(f64, String)> {
        if !self.is_logarithmic {
            return marks(y[0], y[1], 6);
        }
        // Of every power of ten, as far as they lie inside.
        let mut found = Vec::new();
        for power in (y[0].floor() as i32).max(-12)..=(y[1].ceil() as i32).min(12) {
            for factor in [1.0, 1.5, 2.0, 3.0, 5.0, 7.0] {
                let value = factor * 10f64.powi(power);
                let at = value.log10();
                if at >= y[0] && at <= y[1] {
                    let decimals = (-power).max(0) as usize + usize::from(factor == 1.5);
                    found.push((at, super::axis::decimals(value, decimals)));
                }
            }
        }
        match found.len() < 2 {
            // A range within one step: plain marks, written as what they stand for.
            true => marks(10f64.powf(y[0]), 10f64.powf(y[1]), 5)
                .into_iter()
                .map(|(value, text)| (value.log10(), text))
                .collect(),
            false => found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_names_its_lines_once_and_its_axes_always() {
        let line = |name: &str, to: f64| Line {
            name: name.into(),
            points: vec![(1.0, 1.0), (2.0, to)],
            is_dashed: false,
        };
        let panel = |is_logarithmic| Panel {
            title: "panel".into(),
            axes: ["pass".into(), "mean squared error".into()],
            lines: vec![line("first", 0.5), line("second", 0.25)],
            bands: vec![Band {
                name: "first".into(),
                points: vec![(1.0, 0.9, 1.1), (2.0, 0.4, 0.6)],
            }],
            is_logarithmic,
            marked: vec![(2.0, "chosen".into())],
        };
        let chart = LineChart {
            title: "t".into(),
            panels: vec![panel(false), panel(true)],
            notes: vec!["a note".into()],
        };
        let svg = chart.svg(Theme::Light);
        assert_eq!(svg.matches(">first<").count(), 1);
        assert_eq!(svg.matches("mean squared error").count(), 2);
        for part in ["chosen", "a note", ">0.5<", ">1<"] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn charts_of_nothing_and_of_one_point_are_drawn() {
        assert!(LineChart::default().svg(Theme::Dark).contains("</svg>"));
        let one = Panel {
            lines: vec![Line {
                name: "a".into(),
                points: vec![(1.0, 2.0)],
                is_dashed: true,
            }],
            ..Panel::default()
        };
        let chart = LineChart {
            panels: vec![one],
            ..LineChart::default()
        };
        assert!(chart.svg(Theme::Light).contains("<circle"));
    }
}
