//! What a selection covers against how many were chosen, random choices beside it.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::DrawingError;
use super::figures::{FONT, GREY, LIGHT, colour, draw, ticks};

/// The curve and what stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveFigure {
    /// What stands above it.
    pub title: String,
    /// What is on the axis of values.
    pub value_name: String,
    /// By number of choices, ascending.
    pub points: Vec<CurveFigurePoint>,
    /// What no choice of the last number can pass.
    pub bound: Option<f64>,
}

/// A point of it; what is undefined is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveFigurePoint {
    /// How many choices.
    pub k: usize,
    /// The value.
    pub value: Option<f64>,
    /// The mean over random choices.
    pub random_mean: Option<f64>,
    /// The 5th and the 95th percentile of them.
    pub random_band: Option<[f64; 2]>,
}

const WIDTH: u32 = 640;
const CHART_HEIGHT: u32 = 400;
const KEY_ROW: i32 = 18;
/// Of more points none is marked.
const MOST_DOTS: usize = 60;

/// Draws it as SVG: the selection as a line with dots, random choices as a dashed line in a band,
/// the bound as a dotted line; the key stands below and covers nothing.
///
/// # Errors
/// When the drawing library fails.
pub fn selection_curve(figure: &CurveFigure) -> Result<String, DrawingError> {
    let points = &figure.points;
    let of = |value: fn(&CurveFigurePoint) -> Option<f64>| -> Vec<(f64, f64)> {
        let defined = points.iter().filter_map(|p| Some((p.k as f64, value(p)?)));
        defined.filter(|(_, v)| v.is_finite()).collect()
    };
    let line = of(|p| p.value);
    let mean = of(|p| p.random_mean);
    let low = of(|p| p.random_band.map(|b| b[0]));
    let high = of(|p| p.random_band.map(|b| b[1]));
    let mut values: Vec<f64> = [&line, &mean, &low, &high]
        .iter()
        .flat_map(|points| points.iter().map(|p| p.1))
        .collect();
    values.extend(figure.bound);
    let (least, most) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(*v), b.max(*v))
        });
    let (bottom, top, step) = match least.is_finite() {
        true => ticks(least, most),
        false => (0.0, 1.0, 0.2),
    };
    let ks = points.iter().map(|p| p.k);
    let (first, last) = (
        ks.clone().min().unwrap_or(0) as f64,
        ks.max().unwrap_or(1) as f64,
    );
    let key = [
        ("selected", !line.is_empty()),
        ("random choice, mean and 90 % band", !mean.is_empty()),
        (
            "no choice of that number can pass this",
            figure.bound.is_some(),
        ),
    ];
    let rows = key.iter().filter(|(_, is_shown)| *is_shown).count() as u32;
    let size = (WIDTH, CHART_HEIGHT + KEY_ROW as u32 * rows + 8);
    draw("a selection's curve", size, |root| {
        let (upper, lower) = root.split_vertically(CHART_HEIGHT);
        let mut chart = ChartBuilder::on(&upper)
            .caption(figure.title.as_str(), (FONT, 16))
            .margin(12)
            .margin_right(24)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d(first..last.max(first + 1.0), bottom..top.max(bottom + step))?;
        chart
            .configure_mesh()
            .x_desc("number chosen")
            .y_desc(figure.value_name.as_str())
            .x_labels(11.min(last as usize + 1))
            .x_label_formatter(&|k| match k.fract() == 0.0 {
                true => format!("{k:.0}"),
                false => String::new(),
            })
            .light_line_style(WHITE.mix(0.0))
            .bold_line_style(LIGHT)
            .label_style((FONT, 12))
            .axis_desc_style((FONT, 13))
            .draw()?;
        if !low.is_empty() {
            let edge: Vec<(f64, f64)> = low.iter().chain(high.iter().rev()).copied().collect();
            chart.draw_series([Polygon::new(edge, GREY.mix(0.3))])?;
        }
        chart.draw_series(DashedLineSeries::new(
            mean.clone(),
            5,
            4,
            GREY.stroke_width(2),
        ))?;
        if let Some(bound) = figure.bound {
            let across = [(first, bound), (last.max(first + 1.0), bound)];
            chart.draw_series(DashedLineSeries::new(
                across,
                2,
                3,
                colour(1).stroke_width(2),
            ))?;
        }
        chart.draw_series(LineSeries::new(
            line.iter().copied(),
            colour(0).stroke_width(2),
        ))?;
        let is_dotted = line.len() <= MOST_DOTS;
        if is_dotted {
            let dots = line.iter().map(|p| Circle::new(*p, 4, colour(0).filled()));
            chart.draw_series(dots)?;
        }
        let mut y = 4;
        for (row, (name, _)) in key.iter().enumerate().filter(|(_, (_, shown))| *shown) {
            let middle = y + KEY_ROW / 2;
            let across = |ink: RGBColor, gaps: bool| -> Result<(), Box<dyn std::error::Error>> {
                let step = if gaps { 8 } else { 28 };
                for x in (76..104).step_by(step) {
                    let end = if gaps { x + 4 } else { 104 };
                    let path = vec![(x, middle), (end, middle)];
                    lower.draw(&PathElement::new(path, ink.stroke_width(2)))?;
                }
                Ok(())
            };
            match row {
                0 => {
                    across(colour(0), false)?;
                    if is_dotted {
                        lower.draw(&Circle::new((90, middle), 4, colour(0).filled()))?;
                    }
                }
                1 => {
                    let corners = [(76, middle - 6), (104, middle + 6)];
                    lower.draw(&Rectangle::new(corners, GREY.mix(0.3).filled()))?;
                    across(GREY, true)?;
                }
                _ => across(colour(1), true)?,
            }
            let style = (FONT, 13)
                .into_font()
                .color(&BLACK)
                .pos(Pos::new(HPos::Left, VPos::Center));
            lower.draw(&Text::new(*name, (112, middle), style))?;
            y += KEY_ROW;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(n: usize) -> CurveFigure {
        let point = |k: usize| CurveFigurePoint {
            k,
            value: Some(1.0 - 0.5f64.powi(k as i32)),
            random_mean: Some(0.8 - 0.5f64.powi(k as i32)),
            random_band: Some([0.6 - 0.5f64.powi(k as i32), 0.9 - 0.5f64.powi(k as i32)]),
        };
        CurveFigure {
            title: "biosamples < 3".into(),
            value_name: "coverage".into(),
            points: (0..n).map(point).collect(),
            bound: Some(1.1),
        }
    }

    #[test]
    fn the_curve_names_its_axes_and_everything_in_its_key() {
        let svg = selection_curve(&figure(4)).unwrap();
        for part in [
            "biosamples &lt; 3",
            "coverage",
            "number chosen",
            "selected",
            "90 % band",
            "can pass this",
            "<polygon",
        ] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn what_is_undefined_is_left_out_and_nothing_is_drawn_of_nothing() {
        let mut figure = figure(3);
        figure.bound = None;
        for point in &mut figure.points {
            point.random_mean = None;
            point.random_band = None;
        }
        let svg = selection_curve(&figure).unwrap();
        assert!(!svg.contains("90 % band") && !svg.contains("<polygon"));
        figure.points.clear();
        assert!(selection_curve(&figure).unwrap().contains("</svg>"));
    }
}
