//! Bars with errors, lines over the unit square, scatter.

use super::axis::{decimals, marks};
use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::fonts::{fitted, text_width};
use super::palette::{CATEGORIES, Theme};

/// These charts stand on pages, which are white.
const THEME: Theme = Theme::Light;
const TITLE: f64 = 15.0;
const NAME: f64 = 12.5;
const MARK: f64 = 11.0;

/// A bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it is called.
    pub label: String,
    /// Its length; nothing is drawn where it is undefined.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// Whether it is drawn grey, as what others are compared to.
    pub is_reference: bool,
}

/// A named line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

/// Where an axis begins, ends, and is marked: round numbers.
pub(super) fn ticks(low: f64, high: f64) -> (f64, f64, f64) {
    let span = (high - low).max(1e-12);
    let rough = span / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= rough)
        .unwrap_or(rough);
    (
        (low / step).floor() * step,
        (high / step).ceil() * step,
        step,
    )
}

/// A rectangle with a grid, marks and names at both axes.
pub(super) struct Plane {
    frame: Frame,
    x: [f64; 2],
    y: [f64; 2],
}

impl Plane {
    /// Draws the grid of a plane whose axes go over these ranges, and a title above it. Of an axis that counts,
    /// whole numbers are marked alone.
    pub(super) fn draw(
        canvas: &mut Canvas,
        frame: Frame,
        title: &str,
        names: [&str; 2],
        [x, y]: [[f64; 2]; 2],
        x_is_whole: bool,
    ) -> Self {
        let plane = Plane { frame, x, y };
        let theme = canvas.theme();
        let grid = Stroke::new(theme.faint(), 1.0);
        let mark = TextStyle::new(MARK, theme.ink());
        for (at, text) in marks(x[0], x[1], 6) {
            if x_is_whole && (at - at.round()).abs() > 1e-9 {
                continue;
            }
            let text = match x_is_whole {
                true => decimals(at, 0),
                false => text,
            };
            let px = plane.place((at, y[0])).0;
            canvas.line((px, frame.y), (px, frame.bottom()), grid);
            let below = (px, frame.bottom() + 14.0);
            canvas.text(below, &text, &mark.anchored(Anchor::Middle));
        }
        for (at, text) in marks(y[0], y[1], 6) {
            let py = plane.place((x[0], at)).1;
            canvas.line((frame.x, py), (frame.right(), py), grid);
            canvas.text((frame.x - 8.0, py), &text, &mark.anchored(Anchor::End));
        }
        canvas.outline(frame, Stroke::new(theme.muted(), 1.0));
        let width = frame.right() - 16.0;
        let style = TextStyle::new(TITLE, theme.ink()).bold();
        canvas.text((16.0, 22.0), &fitted(title, TITLE * 1.1, width), &style);
        let name = TextStyle::new(NAME, theme.ink()).anchored(Anchor::Middle);
        let middle = (frame.x + frame.width / 2.0, frame.bottom() + 36.0);
        canvas.text(middle, names[0], &name);
        let beside = (frame.x - 54.0, frame.y + frame.height / 2.0);
        canvas.text(beside, names[1], &name.turned(-90.0));
        plane
    }

    /// Where a point of the plane lies on the sheet.
    pub(super) fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |v: f64, [low, high]: [f64; 2]| (v - low) / (high - low);
        (
            self.frame.x + share(x, self.x) * self.frame.width,
            self.frame.bottom() - share(y, self.y) * self.frame.height,
        )
    }

    /// A line through points of the plane.
    pub(super) fn line(&self, canvas: &mut Canvas, points: &[(f64, f64)], stroke: Stroke) {
        let placed: Vec<(f64, f64)> = points.iter().map(|p| self.place(*p)).collect();
        canvas.polyline(&placed, stroke);
    }
}

/// Horizontal bars with their intervals, one below the other, and a line at `reference`; as SVG. The legend below
/// says what the bars' colours, their whiskers and the line are.
pub fn bars(title: &str, axis: &str, all: &[Bar], reference: Option<f64>, legend: &str) -> String {
    const ROW: f64 = 24.0;
    const TOP: f64 = 40.0;
    const RIGHT: f64 = 70.0;
    const WIDTH: f64 = 760.0;
    let widths = all.iter().map(|b| text_width(&b.label, NAME, false));
    let left = (widths.fold(0.0, f64::max) + 24.0).clamp(80.0, 320.0);
    let bottom = TOP + all.len() as f64 * ROW;
    let mut extremes = vec![0.0];
    for bar in all {
        extremes.extend(bar.value);
        extremes.extend(bar.interval.into_iter().flat_map(|(a, b)| [a, b]));
    }
    extremes.retain(|v: &f64| v.is_finite());
    let low = extremes.iter().copied().fold(f64::INFINITY, f64::min);
    let high = extremes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high, _) = ticks(low, high);
    let at = |v: f64| left + (v - low) / (high - low) * (WIDTH - left - RIGHT);
    let below = if legend.is_empty() { 48.0 } else { 70.0 };
    let mut canvas = Canvas::new(WIDTH, bottom + below, THEME);
    let ink = THEME.ink();
    let mark = TextStyle::new(MARK, ink);
    let name = TextStyle::new(NAME, ink);
    let style = TextStyle::new(TITLE, ink).bold();
    canvas.text(
        (16.0, 18.0),
        &fitted(title, TITLE * 1.1, WIDTH - 32.0),
        &style,
    );
    for (value, text) in marks(low, high, 6) {
        let x = at(value);
        canvas.line((x, TOP), (x, bottom), Stroke::new(THEME.faint(), 1.0));
        canvas.text((x, bottom + 12.0), &text, &mark.anchored(Anchor::Middle));
    }
    let middle = ((left + WIDTH - RIGHT) / 2.0, bottom + 34.0);
    canvas.text(middle, axis, &name.anchored(Anchor::Middle));
    let note = TextStyle::new(MARK, THEME.muted());
    canvas.text(
        (16.0, bottom + 56.0),
        &fitted(legend, MARK, WIDTH - 32.0),
        &note,
    );
    let zero = at(0.0f64.clamp(low, high));
    for (i, bar) in all.iter().enumerate() {
        let y = TOP + i as f64 * ROW + ROW / 2.0;
        let label = fitted(&bar.label, NAME, left - 16.0);
        canvas.text((left - 8.0, y), &label, &name.anchored(Anchor::End));
        let Some(value) = bar.value.filter(|v| v.is_finite()) else {
            canvas.text((zero + 4.0, y), "undefined", &mark);
            continue;
        };
        let colour = match bar.is_reference {
            true => THEME.muted().mix(THEME.background(), 0.4),
            false => THEME.category(0).mix(THEME.background(), 0.25),
        };
        let (from, to) = (zero.min(at(value)), zero.max(at(value)));
        canvas.rectangle(Frame::new(from, y - 7.0, to - from, 14.0), colour);
        let mut end = to;
        if let Some((from, to)) = bar.interval.filter(|(a, b)| a.is_finite() && b.is_finite()) {
            let (from, to) = (at(from), at(to));
            canvas.line((from, y), (to, y), Stroke::new(ink, 1.6));
            for x in [from, to] {
                canvas.line((x, y - 4.0), (x, y + 4.0), Stroke::new(ink, 1.0));
            }
            end = end.max(to);
        }
        canvas.text((end + 6.0, y), &decimals(value, 3), &mark);
    }
    canvas.line((zero, TOP), (zero, bottom), Stroke::new(ink, 1.0));
    if let Some(reference) = reference.filter(|r| (low..=high).contains(r)) {
        let x = at(reference);
        let stroke = Stroke::dashed(THEME.category(1), 1.2, 4.0);
        canvas.line((x, TOP), (x, bottom), stroke);
    }
    canvas.finish()
}

/// Lines over the unit square, with a legend below; `chance`, a dashed line, is what a guess gives. As SVG.
pub fn lines(title: &str, axes: [&str; 2], all: &[Series], chance: Option<Series>) -> String {
    const WIDTH: f64 = 560.0;
    const CHART: f64 = 420.0;
    let n_keys = all.len() + usize::from(chance.is_some());
    let mut canvas = Canvas::new(WIDTH, CHART + 18.0 * n_keys as f64 + 8.0, THEME);
    let frame = Frame::new(74.0, 42.0, WIDTH - 94.0, CHART - 92.0);
    let unit = [0.0, 1.0];
    let plane = Plane::draw(&mut canvas, frame, title, axes, [unit, unit], false);
    let name = TextStyle::new(NAME, THEME.ink());
    if let Some(chance) = chance {
        let stroke = Stroke::dashed(THEME.muted(), 1.2, 4.0);
        plane.line(&mut canvas, &chance.points, stroke);
        let y = CHART + 11.0 + 18.0 * all.len() as f64;
        canvas.line((60.0, y), (84.0, y), stroke);
        let text = fitted(&chance.name, NAME, WIDTH - 100.0);
        canvas.text((92.0, y), &text, &name);
    }
    for (i, series) in all.iter().enumerate() {
        let width = if i < CATEGORIES.len() { 2.0 } else { 1.2 };
        let stroke = Stroke::new(THEME.category(i), width);
        plane.line(&mut canvas, &thinned(&series.points), stroke);
        let y = CHART + 11.0 + 18.0 * i as f64;
        canvas.line((60.0, y), (84.0, y), Stroke::new(THEME.category(i), 3.0));
        canvas.text((92.0, y), &fitted(&series.name, NAME, WIDTH - 100.0), &name);
    }
    canvas.finish()
}

/// As many of a curve's points as a figure shows.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const MOST: usize = 600;
    if points.len() <= MOST {
        return points.to_vec();
    }
    let mut kept: Vec<(f64, f64)> = (0..MOST - 1)
        .map(|i| points[i * points.len() / (MOST - 1)])
        .collect();
    kept.extend(points.last());
    kept
}

/// Points, and the diagonal on which both axes agree; of very many, evenly spaced ones. As SVG.
pub fn scatter(title: &str, axes: [&str; 2], points: &[(f64, f64)]) -> String {
    const MOST: usize = 2_000;
    const WIDTH: f64 = 480.0;
    const HEIGHT: f64 = 420.0;
    let step = points.len().div_ceil(MOST).max(1);
    let finite: Vec<(f64, f64)> = points
        .iter()
        .step_by(step)
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let x = range(finite.iter().map(|p| p.0));
    let y = range(finite.iter().map(|p| p.1));
    let mut canvas = Canvas::new(WIDTH, HEIGHT + 18.0, THEME);
    let frame = Frame::new(78.0, 42.0, WIDTH - 98.0, HEIGHT - 92.0);
    let plane = Plane::draw(&mut canvas, frame, title, axes, [x, y], false);
    let (from, to) = (x[0].max(y[0]), x[1].min(y[1]));
    if from < to {
        let stroke = Stroke::dashed(THEME.muted(), 1.2, 4.0);
        plane.line(&mut canvas, &[(from, from), (to, to)], stroke);
        let note = TextStyle::new(MARK, THEME.muted());
        let line = format!("dashed: {} = {}", axes[1], axes[0]);
        canvas.text((frame.x, HEIGHT + 6.0), &line, &note);
    }
    let dots: Vec<(f64, f64)> = finite.iter().map(|p| plane.place(*p)).collect();
    canvas.dots(&dots, 2.0, THEME.category(0), 0.5);
    canvas.finish()
}

/// The round numbers between which values lie.
pub(super) fn range(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    if !low.is_finite() {
        return [0.0, 1.0];
    }
    let (low, high, step) = ticks(low, high);
    [low, high.max(low + step)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_every_label_and_number_and_say_what_is_undefined() {
        let bar = |label: &str, value| Bar {
            label: label.into(),
            value,
            interval: Some((0.2, 0.6)),
            is_reference: false,
        };
        let all = [bar("embedding", Some(0.423)), bar("a < b & c", None)];
        let svg = bars("t", "average precision", &all, Some(0.1), "dashed: chance");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for part in [
            "embedding",
            "0.423",
            "undefined",
            "a &lt; b &amp; c",
            "average precision",
            "dashed: chance",
        ] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn figures_of_nothing_are_drawn_empty() {
        assert!(bars("t", "x", &[], None, "").contains("</svg>"));
        assert!(lines("t", ["x", "y"], &[], None).contains("</svg>"));
        assert!(scatter("t", ["x", "y"], &[]).contains("</svg>"));
        let one = [(1.0, f64::NAN), (2.0, 2.0)];
        let svg = scatter("t", ["x", "y"], &one);
        assert!(svg.contains("stroke-linecap=\"round\"") && !svg.contains("NaN"));
    }

    #[test]
    fn what_is_dashed_stands_in_the_legend() {
        let line = |name: &str| Series {
            name: name.into(),
            points: vec![(0.0, 0.0), (1.0, 1.0)],
        };
        assert!(lines("t", ["x", "y"], &[line("a")], Some(line("chance"))).contains(">chance<"));
        let svg = scatter("t", ["predicted", "label"], &[(0.0, 0.0), (1.0, 1.0)]);
        assert!(svg.contains("dashed: label = predicted"), "{svg}");
    }

    #[test]
    fn axes_begin_and_end_at_round_numbers() {
        assert_eq!(ticks(0.0, 0.87), (0.0, 1.0, 0.2));
        assert_eq!(ticks(-3.0, 11.0), (-5.0, 15.0, 5.0));
        assert_eq!(
            range([0.5, 0.5].into_iter()),
            [0.5, 0.5 + ticks(0.5, 0.5).2]
        );
        assert_eq!(range([f64::INFINITY; 0].into_iter()), [0.0, 1.0]);
        assert_eq!(
            (decimals(-0.0004, 3), decimals(-0.0006, 3)),
            ("0.000".into(), "-0.001".into())
        );
    }

    #[test]
    fn a_long_curve_keeps_its_ends() {
        let points: Vec<(f64, f64)> = (0..10_000).map(|i| (f64::from(i), 0.0)).collect();
        let kept = thinned(&points);
        assert_eq!((kept.len(), kept[0].0, kept[599].0), (600, 0.0, 9_999.0));
    }

    #[test]
    fn a_chart_of_lines_has_one_typeface_and_its_corners_at_the_frame() {
        let diagonal = Series {
            name: "a".into(),
            points: vec![(0.0, 0.0), (1.0, 1.0)],
        };
        let svg = lines("t", ["x", "y"], &[diagonal], None);
        // The frame begins 74 from the left and 42 from the top, and is 466 by 328.
        assert!(svg.contains("M74 370L540 42"), "{svg}");
        let families: Vec<&str> = svg.split("font-family=\"").skip(1).collect();
        assert!(!families.is_empty());
        assert!(families.iter().all(|f| f.starts_with("DejaVu Sans")));
    }
}
