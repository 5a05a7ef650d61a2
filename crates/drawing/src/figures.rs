//! Bars with errors, lines, scatter: SVG text, drawn by plotters.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::DrawingError;
use super::palette::{CATEGORIES, Theme};

pub(super) const GREY: RGBColor = RGBColor(150, 150, 150);
pub(super) const LIGHT: RGBColor = RGBColor(225, 225, 225);
pub(super) const FONT: &str = "sans-serif";

/// The i-th category's colour: these charts are drawn on paper.
pub(super) fn colour(i: usize) -> RGBColor {
    Theme::Light.category(i).into()
}

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

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws onto a white area and returns the SVG.
pub(super) fn draw(
    figure: &str,
    size: (u32, u32),
    work: impl FnOnce(&Area<'_>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<String, DrawingError> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = root
            .fill(&WHITE)
            .map_err(|e| e.to_string())
            .and_then(|()| work(&root).map_err(|e| e.to_string()))
            .and_then(|()| root.present().map_err(|e| e.to_string()));
        drawn.map_err(|why| DrawingError::Drawing {
            figure: figure.to_string(),
            why,
        })?;
    }
    Ok(svg)
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

/// Horizontal bars with their intervals, one below the other, and a line at `reference`.
///
/// # Errors
/// When the drawing library fails.
pub fn bars(
    title: &str,
    axis: &str,
    all: &[Bar],
    reference: Option<f64>,
) -> Result<String, DrawingError> {
    const ROW: i32 = 24;
    const TOP: i32 = 40;
    const RIGHT: i32 = 70;
    let longest = all
        .iter()
        .map(|b| b.label.chars().count())
        .max()
        .unwrap_or(0) as i32;
    let left = (longest * 7 + 20).clamp(80, 320);
    let width = 760;
    let height = TOP + all.len() as i32 * ROW + 48;
    let mut extremes = vec![0.0];
    for bar in all {
        extremes.extend(bar.value);
        extremes.extend(bar.interval.into_iter().flat_map(|(a, b)| [a, b]));
    }
    extremes.retain(|v: &f64| v.is_finite());
    let low = extremes.iter().copied().fold(f64::INFINITY, f64::min);
    let high = extremes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high, step) = ticks(low, high);
    let at = |v: f64| left + ((v - low) / (high - low) * f64::from(width - left - RIGHT)) as i32;
    draw(title, (width as u32, height as u32), |root| {
        let text = |size: i32, h: HPos, v: VPos| {
            (FONT, size).into_font().color(&BLACK).pos(Pos::new(h, v))
        };
        let bottom = TOP + all.len() as i32 * ROW;
        root.draw(&Text::new(
            title,
            (left, 10),
            text(16, HPos::Left, VPos::Top),
        ))?;
        let mut mark = low;
        while mark <= high + step / 2.0 {
            let x = at(mark);
            root.draw(&PathElement::new(vec![(x, TOP), (x, bottom)], LIGHT))?;
            let label = format_tick(mark, step);
            root.draw(&Text::new(
                label,
                (x, bottom + 6),
                text(12, HPos::Center, VPos::Top),
            ))?;
            mark += step;
        }
        let middle = (left + width - RIGHT) / 2;
        let below = (middle, bottom + 26);
        root.draw(&Text::new(axis, below, text(13, HPos::Center, VPos::Top)))?;
        for (i, bar) in all.iter().enumerate() {
            let y = TOP + i as i32 * ROW + ROW / 2;
            let label = (left - 8, y);
            root.draw(&Text::new(
                bar.label.as_str(),
                label,
                text(13, HPos::Right, VPos::Center),
            ))?;
            let colour = if bar.is_reference { GREY } else { colour(0) };
            let Some(value) = bar.value.filter(|v| v.is_finite()) else {
                let beside = (at(0.0) + 4, y);
                root.draw(&Text::new(
                    "undefined",
                    beside,
                    text(12, HPos::Left, VPos::Center),
                ))?;
                continue;
            };
            let (a, b) = (at(0.0f64.clamp(low, high)), at(value));
            let corners = [(a.min(b), y - 7), (a.max(b), y + 7)];
            root.draw(&Rectangle::new(corners, colour.mix(0.75).filled()))?;
            let mut end = b.max(a);
            if let Some((from, to)) = bar.interval {
                let (from, to) = (at(from), at(to));
                root.draw(&PathElement::new(
                    vec![(from, y), (to, y)],
                    BLACK.stroke_width(2),
                ))?;
                for x in [from, to] {
                    root.draw(&PathElement::new(vec![(x, y - 4), (x, y + 4)], BLACK))?;
                }
                end = end.max(to);
            }
            let number = decimals(value, 3);
            root.draw(&Text::new(
                number,
                (end + 6, y),
                text(12, HPos::Left, VPos::Center),
            ))?;
        }
        let zero = at(0.0f64.clamp(low, high));
        root.draw(&PathElement::new(vec![(zero, TOP), (zero, bottom)], BLACK))?;
        if let Some(reference) = reference.filter(|r| (low..=high).contains(r)) {
            let x = at(reference);
            let dashes = (TOP..bottom)
                .step_by(8)
                .map(|y| [(x, y), (x, (y + 4).min(bottom))]);
            for dash in dashes {
                root.draw(&PathElement::new(dash.to_vec(), colour(1)))?;
            }
        }
        Ok(())
    })
}

fn format_tick(value: f64, step: f64) -> String {
    decimals(value, (-step.log10().floor()).clamp(0.0, 6.0) as usize)
}

/// A number with so many decimals, and no minus before a zero.
pub fn decimals(value: f64, n: usize) -> String {
    let text = format!("{value:.n$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_string(),
        _ => text,
    }
}

/// Lines over the unit square, with a legend; `chance` is what telling nothing looks like.
///
/// # Errors
/// When the drawing library fails.
pub fn lines(
    title: &str,
    axes: [&str; 2],
    all: &[Series],
    chance: Option<Series>,
) -> Result<String, DrawingError> {
    let size = (560, 420 + 18 * all.len() as u32);
    draw(title, size, |root| {
        let (upper, lower) = root.split_vertically(420);
        let mut chart = ChartBuilder::on(&upper)
            .caption(title, (FONT, 16))
            .margin(10)
            .x_label_area_size(42)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        chart
            .configure_mesh()
            .x_desc(axes[0])
            .y_desc(axes[1])
            .light_line_style(WHITE.mix(0.0))
            .bold_line_style(LIGHT)
            .label_style((FONT, 12))
            .axis_desc_style((FONT, 13))
            .draw()?;
        if let Some(chance) = chance {
            chart.draw_series(DashedLineSeries::new(chance.points, 4, 4, GREY.into()))?;
        }
        for (i, series) in all.iter().enumerate() {
            let colour = colour(i);
            let style = colour.stroke_width(if i < CATEGORIES.len() { 2 } else { 1 });
            chart.draw_series(LineSeries::new(thinned(&series.points), style))?;
            let y = 4 + 18 * i as i32;
            lower.draw(&Rectangle::new([(60, y + 5), (84, y + 8)], colour.filled()))?;
            let style = (FONT, 13)
                .into_font()
                .color(&BLACK)
                .pos(Pos::new(HPos::Left, VPos::Center));
            lower.draw(&Text::new(series.name.as_str(), (92, y + 7), style))?;
        }
        Ok(())
    })
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

/// Points, and the diagonal on which both axes agree; of very many, evenly spaced ones.
///
/// # Errors
/// When the drawing library fails.
pub fn scatter(
    title: &str,
    axes: [&str; 2],
    points: &[(f64, f64)],
) -> Result<String, DrawingError> {
    const MOST: usize = 2_000;
    let step = points.len().div_ceil(MOST).max(1);
    let finite: Vec<(f64, f64)> = points
        .iter()
        .step_by(step)
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let range = |of: fn(&(f64, f64)) -> f64| {
        let low = finite.iter().map(of).fold(f64::INFINITY, f64::min);
        let high = finite.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        if low.is_finite() {
            ticks(low, high)
        } else {
            (0.0, 1.0, 0.2)
        }
    };
    let (x, y) = (range(|p| p.0), range(|p| p.1));
    draw(title, (480, 420), |root| {
        let mut chart = ChartBuilder::on(root)
            .caption(title, (FONT, 16))
            .margin(10)
            .x_label_area_size(42)
            .y_label_area_size(56)
            .build_cartesian_2d(x.0..x.1.max(x.0 + x.2), y.0..y.1.max(y.0 + y.2))?;
        chart
            .configure_mesh()
            .x_desc(axes[0])
            .y_desc(axes[1])
            .light_line_style(WHITE.mix(0.0))
            .bold_line_style(LIGHT)
            .label_style((FONT, 12))
            .axis_desc_style((FONT, 13))
            .draw()?;
        let (from, to) = (x.0.max(y.0), x.1.min(y.1));
        if from < to {
            let diagonal = [(from, from), (to, to)];
            chart.draw_series(DashedLineSeries::new(diagonal, 4, 4, GREY.into()))?;
        }
        let dots = finite
            .iter()
            .map(|p| Circle::new(*p, 2, colour(0).mix(0.5).filled()));
        chart.draw_series(dots)?;
        Ok(())
    })
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
        let svg = bars("t", "average precision", &all, Some(0.1)).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for part in [
            "embedding",
            "0.423",
            "undefined",
            "a &lt; b &amp; c",
            "average precision",
        ] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn figures_of_nothing_are_drawn_empty() {
        assert!(bars("t", "x", &[], None).unwrap().contains("</svg>"));
        assert!(
            lines("t", ["x", "y"], &[], None)
                .unwrap()
                .contains("</svg>")
        );
        assert!(scatter("t", ["x", "y"], &[]).unwrap().contains("</svg>"));
        let one = [(1.0, f64::NAN), (2.0, 2.0)];
        assert!(scatter("t", ["x", "y"], &one).unwrap().contains("<circle"));
    }

    #[test]
    fn axes_begin_and_end_at_round_numbers() {
        assert_eq!(ticks(0.0, 0.87), (0.0, 1.0, 0.2));
        assert_eq!(ticks(-3.0, 11.0), (-5.0, 15.0, 5.0));
        assert_eq!(format_tick(0.30000000000000004, 0.1), "0.3");
        assert_eq!(format_tick(-1e-17, 0.1), "0.0");
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
}
