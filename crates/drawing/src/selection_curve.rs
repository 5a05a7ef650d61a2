//! What a selection covers against how many were chosen, random choices beside it.

use super::canvas::{Canvas, Frame, Stroke, TextStyle};
use super::figures::{Plane, range};
use super::fonts::text_width;
use super::palette::Theme;

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
#[derive(Debug, Clone, PartialEq)]
pub struct CurveFigurePoint {
    /// How many choices.
    pub k: usize,
    /// The value.
    pub value: Option<f64>,
    /// The mean over random choices.
    pub random_mean: Option<f64>,
    /// The 5th and the 95th percentile of them.
    pub random_band: Option<[f64; 2]>,
    /// What was chosen at it: one item, or all that a budget buys.
    pub names: Vec<String>,
}

const WIDTH: f64 = 640.0;
const CHART_HEIGHT: f64 = 400.0;
const KEY_ROW: f64 = 18.0;
const NAME_SIZE: f64 = 12.5;
/// Rows of names at most; what does not fit is counted.
const MOST_NAME_ROWS: usize = 8;
/// Of more points none is marked.
const MOST_DOTS: usize = 60;
const THEME: Theme = Theme::Light;

/// Draws it as SVG: the selection as a line with dots, random choices as a dashed line in a band,
/// the bound as a dotted line; the key and the names of what was chosen stand below and cover nothing.
pub fn selection_curve(figure: &CurveFigure) -> String {
    let points = &figure.points;
    let of = |value: fn(&CurveFigurePoint) -> Option<f64>| -> Vec<(f64, f64)> {
        let defined = points.iter().filter_map(|p| Some((p.k as f64, value(p)?)));
        defined.filter(|(_, v)| v.is_finite()).collect()
    };
    let line = of(|p| p.value);
    let mean = of(|p| p.random_mean);
    let low = of(|p| p.random_band.map(|b| b[0]));
    let high = of(|p| p.random_band.map(|b| b[1]));
    let drawn = [&line, &mean, &low, &high];
    let values = drawn.iter().flat_map(|points| points.iter().map(|p| p.1));
    let y = range(values.chain(figure.bound));
    let ks = points.iter().map(|p| p.k);
    let first = ks.clone().min().unwrap_or(0) as f64;
    let last = (ks.max().unwrap_or(1) as f64).max(first + 1.0);
    let muted = THEME.muted();
    let bound = Stroke::dashed(THEME.category(1), 1.8, 2.5);
    let random = Stroke::dashed(muted, 1.8, 5.0);
    let chosen = Stroke::new(THEME.category(0), 2.0);
    let key = [
        ("selected", chosen, !line.is_empty()),
        (
            "random choice, mean and 90 % band",
            random,
            !mean.is_empty(),
        ),
        (
            "no choice of that number can pass this",
            bound,
            figure.bound.is_some(),
        ),
    ];
    let key: Vec<(&str, Stroke)> = key
        .into_iter()
        .filter_map(|(name, stroke, is_shown)| is_shown.then_some((name, stroke)))
        .collect();
    let names = name_rows(points, WIDTH - 76.0 - 24.0);
    let height = CHART_HEIGHT + KEY_ROW * (key.len() + names.len()) as f64 + 8.0;
    let mut canvas = Canvas::new(WIDTH, height, THEME);
    let frame = Frame::new(86.0, 42.0, WIDTH - 110.0, CHART_HEIGHT - 92.0);
    let axes = ["number chosen", figure.value_name.as_str()];
    let ranges = [[first, last], y];
    let plane = Plane::draw(&mut canvas, frame, &figure.title, axes, ranges, true);
    if !low.is_empty() {
        let edge = low.iter().chain(high.iter().rev());
        let edge: Vec<(f64, f64)> = edge.map(|p| plane.place(*p)).collect();
        canvas.polygon(&edge, muted, BAND);
    }
    plane.line(&mut canvas, &mean, random);
    if let Some(value) = figure.bound {
        plane.line(&mut canvas, &[(first, value), (last, value)], bound);
    }
    plane.line(&mut canvas, &line, chosen);
    let is_dotted = line.len() <= MOST_DOTS;
    if is_dotted {
        for point in &line {
            canvas.marker(plane.place(*point), 4.0, chosen.colour);
        }
    }
    let style = TextStyle::new(NAME_SIZE, THEME.ink());
    for (i, row) in names.iter().enumerate() {
        let y = CHART_HEIGHT + 4.0 + KEY_ROW * ((key.len() + i) as f64 + 0.5);
        canvas.text((76.0, y), row, &style);
    }
    for (i, (name, stroke)) in key.into_iter().enumerate() {
        let y = CHART_HEIGHT + 4.0 + KEY_ROW * (i as f64 + 0.5);
        if stroke == random {
            let corners = [
                (76.0, y - 6.0),
                (104.0, y - 6.0),
                (104.0, y + 6.0),
                (76.0, y + 6.0),
            ];
            canvas.polygon(&corners, muted, BAND);
        }
        canvas.line((76.0, y), (104.0, y), stroke);
        if stroke == chosen && is_dotted {
            canvas.marker((90.0, y), 4.0, chosen.colour);
        }
        canvas.text((112.0, y), name, &style);
    }
    canvas.finish()
}

/// The names of what was chosen with their numbers, in rows of a width.
fn name_rows(points: &[CurveFigurePoint], width: f64) -> Vec<String> {
    let names: Vec<String> = (points.iter())
        .flat_map(|p| match p.names.as_slice() {
            [one] => vec![format!("{} {one}", p.k)],
            several => several.to_vec(),
        })
        .collect();
    let mut rows: Vec<String> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let joined = rows.last().map(|row| format!("{row}, {name}"));
        match joined.filter(|row| text_width(row, NAME_SIZE, false) <= width) {
            Some(joined) => {
                rows.pop();
                rows.push(joined);
            }
            None if rows.len() == MOST_NAME_ROWS => {
                rows.push(format!("and {} more", names.len() - i));
                break;
            }
            None if rows.is_empty() => rows.push(format!("chosen: {name}")),
            None => rows.push(name.clone()),
        }
    }
    rows
}

/// How much of the band's colour covers what is behind it.
const BAND: f64 = 0.25;

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(n: usize) -> CurveFigure {
        let point = |k: usize| CurveFigurePoint {
            k,
            value: Some(1.0 - 0.5f64.powi(k as i32)),
            random_mean: Some(0.8 - 0.5f64.powi(k as i32)),
            random_band: Some([0.6 - 0.5f64.powi(k as i32), 0.9 - 0.5f64.powi(k as i32)]),
            names: (k > 0)
                .then(|| format!("E{k:03} <{k}>"))
                .into_iter()
                .collect(),
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
        let svg = selection_curve(&figure(4));
        for part in [
            "biosamples &lt; 3",
            "coverage",
            "number chosen",
            "selected",
            "90 % band",
            "can pass this",
            "fill-opacity",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        // Half a choice is none.
        assert!(svg.contains(">3<") && !svg.contains(">2.5<"), "{svg}");
    }

    #[test]
    fn what_was_chosen_is_named_in_order_and_what_does_not_fit_is_counted() {
        let svg = selection_curve(&figure(4));
        assert!(
            svg.contains("chosen: 1 E001 &lt;1&gt;, 2 E002 &lt;2&gt;, 3 E003 &lt;3&gt;"),
            "{svg}"
        );
        let few = name_rows(&figure(4).points, 540.0);
        assert_eq!(few.len(), 1);
        let many = name_rows(&figure(500).points, 540.0);
        assert_eq!(many.len(), MOST_NAME_ROWS + 1);
        assert!(
            many.iter()
                .all(|row| text_width(row, NAME_SIZE, false) <= 540.0)
        );
        let n_named = many[..MOST_NAME_ROWS].join(", ").split(", ").count();
        assert_eq!(many[MOST_NAME_ROWS], format!("and {} more", 499 - n_named));
    }

    #[test]
    fn what_is_undefined_is_left_out_and_nothing_is_drawn_of_nothing() {
        let mut figure = figure(3);
        figure.bound = None;
        for point in &mut figure.points {
            point.random_mean = None;
            point.random_band = None;
        }
        let svg = selection_curve(&figure);
        assert!(!svg.contains("90 % band") && !svg.contains("fill-opacity"));
        figure.points.clear();
        assert!(selection_curve(&figure).contains("</svg>"));
    }
}
