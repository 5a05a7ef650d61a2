//! Points in the plane, coloured by class, the legend beside them.

use super::axis::marks;
use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::figures::decimals;
use super::fonts::fitted;
use super::palette::{Colour, Theme};
use crate::projection::Projection;

/// Points in the plane.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// What stands above.
    pub title: String,
    /// What the axes are called.
    pub axes: [String; 2],
    /// Whether numbers along the axes mean anything (UMAP's do not).
    pub has_marks: bool,
    /// The points.
    pub points: Vec<(f64, f64)>,
    /// For each point its place in `classes`.
    pub class_of: Vec<usize>,
    /// The classes, in the legend's order; a colour where they have one of their own.
    pub classes: Vec<(String, Option<Colour>)>,
    /// What the classes are.
    pub class_title: String,
    /// A name beside each point; empty for none.
    pub names: Vec<String>,
    /// Lines below.
    pub notes: Vec<String>,
}

/// Side of the square that points lie in.
const SIDE: f64 = 520.0;
const LEFT: f64 = 74.0;
const TOP: f64 = 52.0;
const MARGIN: f64 = 16.0;
const LEGEND: f64 = 250.0;
/// Rounds in which points are drawn, so that no class covers the others.
const ROUNDS: usize = 24;
/// Names of more points would be a blur.
const MOST_NAMES: usize = 150;

impl Cloud {
    /// Draws it as SVG.
    pub fn svg(&self, theme: Theme) -> String {
        let note = TextStyle::new(10.5, theme.muted());
        // One class needs no telling apart.
        let legend = if self.classes.len() > 1 {
            LEGEND + MARGIN
        } else {
            0.0
        };
        let width = LEFT + SIDE + MARGIN + legend;
        let mut notes = self.notes.clone();
        if self.points.len() > 400 && self.has_rare_classes() {
            notes.push("Rarer classes are drawn on top.".into());
        }
        let lines = wrapped(&notes, &note, width - 2.0 * MARGIN);
        let legend_height = 30.0 + 18.0 * self.classes.len() as f64;
        let plot = Frame::new(LEFT, TOP, SIDE, SIDE.max(legend_height));
        let foot = plot.bottom() + if self.has_marks { 56.0 } else { 36.0 };
        let height = foot + 15.0 * lines.len() as f64 + MARGIN;
        let mut canvas = Canvas::new(width, height, theme);
        let title = TextStyle::new(15.0, theme.ink()).bold();
        let text = fitted(&self.title, 15.0 * 1.1, width - 2.0 * MARGIN);
        canvas.text((MARGIN, 24.0), &text, &title);
        let scale = self.scale(&plot);
        self.draw_axes(&mut canvas, &plot, &scale);
        let placed: Vec<(f64, f64)> = self.points.iter().map(|p| scale.place(*p)).collect();
        self.draw_points(&mut canvas, &placed);
        if self.names.len() == placed.len() && placed.len() <= MOST_NAMES {
            self.draw_names(&mut canvas, &plot, &placed);
        }
        if self.classes.len() > 1 {
            self.draw_legend(&mut canvas, &plot);
        }
        for (i, line) in lines.iter().enumerate() {
            canvas.text((MARGIN, foot + 15.0 * i as f64 + 6.0), line, &note);
        }
        canvas.finish()
    }

    fn scale(&self, plot: &Frame) -> Scale {
        let range = |of: fn(&(f64, f64)) -> f64| {
            let values = self.points.iter().map(of).filter(|v| v.is_finite());
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
            let (low, high) = match (low.is_finite(), high > low) {
                (true, true) => (low, high),
                (true, false) => (low - 1.0, low + 1.0),
                (false, _) => (-1.0, 1.0),
            };
            let room = 0.06 * (high - low);
            (low - room, high + room)
        };
        let (mut x, mut y) = (range(|p| p.0), range(|p| p.1));
        // Where no axis has a meaning of its own, a step is as long along both.
        if !self.has_marks {
            let unit = ((x.1 - x.0) / plot.width).max((y.1 - y.0) / plot.height);
            for (range, side) in [(&mut x, plot.width), (&mut y, plot.height)] {
                let more = (unit * side - (range.1 - range.0)) / 2.0;
                *range = (range.0 - more, range.1 + more);
            }
        }
        Scale {
            low: [x.0, y.0],
            high: [x.1, y.1],
            plot: *plot,
        }
    }

    fn draw_axes(&self, canvas: &mut Canvas, plot: &Frame, scale: &Scale) {
        let theme = canvas.theme();
        let (grid, edge) = (
            Stroke::new(theme.faint(), 1.0),
            Stroke::new(theme.muted(), 1.0),
        );
        let small = TextStyle::new(11.0, theme.ink());
        if self.has_marks {
            for (at, text) in marks(scale.low[0], scale.high[0], 6) {
                let (x, _) = scale.place((at, scale.low[1]));
                canvas.line((x, plot.y), (x, plot.bottom()), grid);
                let below = (x, plot.bottom() + 14.0);
                canvas.text(below, &text, &small.anchored(Anchor::Middle));
            }
            for (at, text) in marks(scale.low[1], scale.high[1], 6) {
                let (_, y) = scale.place((scale.low[0], at));
                canvas.line((plot.x, y), (plot.right(), y), grid);
                canvas.text((plot.x - 8.0, y), &text, &small.anchored(Anchor::End));
            }
        }
        canvas.outline(*plot, edge);
        let name = TextStyle::new(12.5, theme.ink()).anchored(Anchor::Middle);
        let below = plot.bottom() + if self.has_marks { 36.0 } else { 18.0 };
        canvas.text((plot.x + plot.width / 2.0, below), &self.axes[0], &name);
        let beside = plot.x - if self.has_marks { 58.0 } else { 18.0 };
        let at = (beside, plot.y + plot.height / 2.0);
        canvas.text(at, &self.axes[1], &name.turned(-90.0));
    }

    fn draw_points(&self, canvas: &mut Canvas, placed: &[(f64, f64)]) {
        let theme = canvas.theme();
        let colours: Vec<Colour> = (0..self.classes.len())
            .map(|c| self.colour(c, theme))
            .collect();
        let of = |i: usize| self.class_of.get(i).copied().unwrap_or(0);
        if placed.len() <= 400 {
            let radius = if placed.len() <= 60 { 5.5 } else { 3.5 };
            for (i, at) in placed.iter().enumerate() {
                let colour = colours.get(of(i)).copied().unwrap_or(theme.muted());
                canvas.marker(*at, radius, colour);
            }
            return;
        }
        let radius = match placed.len() {
            0..2_500 => 2.0,
            2_500..12_000 => 1.5,
            _ => 1.1,
        };
        let n_classes = self.classes.len().max(1);
        let mut n_of = vec![0usize; n_classes];
        for i in 0..placed.len() {
            n_of[of(i).min(n_classes - 1)] += 1;
        }
        let mut order: Vec<usize> = (0..n_classes).collect();
        order.sort_by_key(|c| std::cmp::Reverse(n_of[*c]));
        // Classes of like size take turns; much rarer ones are drawn after the others, or would be lost.
        let rounds = match self.has_rare_classes() {
            true => 1,
            false => ROUNDS,
        };
        for round in 0..rounds {
            let mut by_class = vec![Vec::new(); n_classes];
            for (i, at) in placed.iter().enumerate().skip(round).step_by(rounds) {
                by_class[of(i).min(n_classes - 1)].push(*at);
            }
            for step in 0..n_classes {
                let class = order[(step + round) % n_classes];
                let colour = colours.get(class).copied().unwrap_or(theme.muted());
                canvas.dots(&by_class[class], radius, colour, 0.75);
            }
        }
    }

    /// Whether a class has less than a quarter of another's points.
    fn has_rare_classes(&self) -> bool {
        let n_of = |class: usize| self.class_of.iter().filter(|c| **c == class).count();
        let all: Vec<usize> = (0..self.classes.len())
            .map(n_of)
            .filter(|n| *n > 0)
            .collect();
        let most = all.iter().max().copied().unwrap_or(0);
        all.iter().min().is_some_and(|least| 4 * least < most)
    }

    /// Names where they cover neither points nor each other; the others are left out.
    fn draw_names(&self, canvas: &mut Canvas, plot: &Frame, placed: &[(f64, f64)]) {
        let style = TextStyle::new(10.5, canvas.theme().ink());
        let mut taken: Vec<Frame> = placed
            .iter()
            .map(|(x, y)| Frame::new(x - 5.0, y - 5.0, 10.0, 10.0))
            .collect();
        let apart = |a: &Frame, b: &Frame| {
            a.right() <= b.x || b.right() <= a.x || a.bottom() <= b.y || b.bottom() <= a.y
        };
        for (i, (x, y)) in placed.iter().enumerate() {
            let width = style.width(&self.names[i]);
            let places = [
                (x + 9.0, *y),
                (x - 9.0 - width, *y),
                (x - width / 2.0, y - 13.0),
                (x - width / 2.0, y + 13.0),
                (x + 7.0, y - 10.0),
                (x + 7.0, y + 10.0),
                (x - 7.0 - width, y - 10.0),
                (x - 7.0 - width, y + 10.0),
            ];
            let free = places.into_iter().find(|(left, middle)| {
                let own = Frame::new(*left, middle - 6.0, width, 12.0);
                own.x > plot.x + 2.0
                    && own.right() < plot.right() - 2.0
                    && own.y > plot.y + 2.0
                    && own.bottom() < plot.bottom() - 2.0
                    && taken
                        .iter()
                        .enumerate()
                        .all(|(j, t)| j == i || apart(t, &own))
            });
            if let Some((left, middle)) = free {
                canvas.text((left, middle), &self.names[i], &style);
                taken.push(Frame::new(left, middle - 6.0, width, 12.0));
            }
        }
    }

    fn draw_legend(&self, canvas: &mut Canvas, plot: &Frame) {
        let theme = canvas.theme();
        let x = plot.right() + MARGIN;
        let style = TextStyle::new(12.0, theme.ink());
        let head = fitted(&self.class_title, 12.0 * 1.1, LEGEND);
        canvas.text((x, plot.y + 8.0), &head, &style.bold());
        for (i, (name, _)) in self.classes.iter().enumerate() {
            let y = plot.y + 30.0 + 18.0 * i as f64;
            canvas.marker((x + 6.0, y), 5.0, self.colour(i, theme));
            let n = self.class_of.iter().filter(|c| **c == i).count();
            let count = format!(" ({})", super::axis::grouped(&n.to_string()));
            let room = LEGEND - 18.0 - style.width(&count);
            let text = fitted(name, 12.0, room) + &count;
            canvas.text((x + 17.0, y), &text, &style);
        }
    }

    fn colour(&self, class: usize, theme: Theme) -> Colour {
        let own = self.classes.get(class).and_then(|c| c.1);
        let colour = own.unwrap_or_else(|| theme.category(class));
        // A colour of somebody else's choosing may be lost on this paper.
        let mut seen = colour;
        for _ in 0..4 {
            if seen.contrast(theme.background()) >= 1.5 {
                break;
            }
            seen = seen.mix(theme.ink(), 0.2);
        }
        seen
    }
}

/// From numbers to the sheet.
struct Scale {
    low: [f64; 2],
    high: [f64; 2],
    plot: Frame,
}

impl Scale {
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |v: f64, axis: usize| (v - self.low[axis]) / (self.high[axis] - self.low[axis]);
        (
            self.plot.x + share(x, 0) * self.plot.width,
            self.plot.bottom() - share(y, 1) * self.plot.height,
        )
    }
}

/// Lines that fit.
pub(super) fn wrapped(lines: &[String], style: &TextStyle, width: f64) -> Vec<String> {
    let mut out = Vec::new();
    for line in lines {
        let mut now = String::new();
        for word in line.split(' ') {
            let longer = match now.is_empty() {
                true => word.to_string(),
                false => format!("{now} {word}"),
            };
            if style.width(&longer) > width && !now.is_empty() {
                out.push(std::mem::replace(&mut now, word.to_string()));
            } else {
                now = longer;
            }
        }
        out.push(now);
    }
    out
}

/// Classes of which a legend tells more would be told apart by nobody.
const MOST_CLASSES: usize = 24;

/// A projection, coloured by one of its columns of labels: by the one asked for, or by the first of
/// `label`, `annotation`, `GROUP`, `group`, `ANATOMY`, `anatomy`. Where every point of a class has the same
/// `COLOR` (Roadmap's), that is its colour.
///
/// # Errors
/// When there is no such column; those that there are are named.
pub fn projection_cloud(
    projection: &Projection,
    colour_by: Option<&str>,
) -> Result<Cloud, super::PlotError> {
    let column = match colour_by {
        Some(name) => {
            let found = (projection.labels.iter())
                .find(|(n, _)| n == name)
                .or_else(|| (projection.labels.iter()).find(|(n, _)| n.eq_ignore_ascii_case(name)));
            let Some((name, texts)) = found else {
                let known: Vec<&str> = projection.labels.iter().map(|(n, _)| n.as_str()).collect();
                return Err(super::PlotError::Drawing {
                    figure: "the projection".into(),
                    why: format!(
                        "its points have no column `{name}`; they have {}",
                        if known.is_empty() {
                            "none".into()
                        } else {
                            known.join(", ")
                        }
                    ),
                });
            };
            Some((name.as_str(), texts.as_slice()))
        }
        None => [
            "label",
            "annotation",
            "GROUP",
            "group",
            "ANATOMY",
            "anatomy",
        ]
        .into_iter()
        .find_map(|name| Some((name, projection.label(name)?))),
    };
    let (class_title, classes, class_of) = match column {
        Some((name, texts)) => {
            let (classes, class_of) = classes(projection, name, texts);
            (spoken(name), classes, class_of)
        }
        None => (
            projection.axis.clone(),
            vec![("all".to_string(), None)],
            vec![0; projection.names.len()],
        ),
    };
    let method = match projection.method.as_str() {
        "pca" => "principal components",
        "umap" => "UMAP",
        _ => "t-SNE",
    };
    let what = match projection.axis.as_str() {
        "genome" => "Genome positions",
        "biosamples" => "Biosamples",
        _ => "Assays",
    };
    let q = &projection.quality;
    let share = |v: Option<f64>, n| v.map_or("undefined".to_string(), |v| decimals(v, n));
    let mut notes = vec![format!(
        "{}. Factors of the model {}.",
        capitalised(&projection.described),
        projection.model
    )];
    notes.push(match q.k {
        0 => "Too few points to judge neighbourhoods.".to_string(),
        k => format!(
            "Of neighbourhoods of {k}: trustworthiness {}, {} % of neighbours kept.",
            share(q.trustworthiness, 3),
            share(q.preserved.map(|p| 100.0 * p), 0)
        ),
    });
    let is_named = projection.axis != "genome" && projection.names.len() <= MOST_NAMES;
    Ok(Cloud {
        title: format!("{what}: {method}"),
        axes: projection.axis_titles(),
        has_marks: projection.method == "pca",
        points: (projection.coordinates.rows().into_iter())
            .map(|r| (f64::from(r[0]), f64::from(r[1])))
            .collect(),
        class_of,
        classes,
        class_title,
        names: if is_named {
            projection.names.clone()
        } else {
            Vec::new()
        },
        notes,
    })
}

/// As a sentence begins.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A column's name as a legend says it.
fn spoken(name: &str) -> String {
    match name.chars().any(char::is_lowercase) {
        true => name.to_string(),
        false => name.to_lowercase(),
    }
}

type Classes = (Vec<(String, Option<Colour>)>, Vec<usize>);

fn classes(projection: &Projection, column: &str, texts: &[String]) -> Classes {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for text in texts {
        *counts.entry(text.as_str()).or_default() += 1;
    }
    let mut names: Vec<&str> = counts.keys().copied().collect();
    if column == "annotation" {
        let place = |name: &str| {
            ["promoter", "enhancer", "gene", "intergenic"]
                .iter()
                .position(|c| *c == name)
        };
        names.sort_by_key(|n| place(n).unwrap_or(9));
    } else if names.len() > MOST_CLASSES {
        names.sort_by_key(|n| (std::cmp::Reverse(counts[n]), *n));
        names.truncate(MOST_CLASSES - 1);
    }
    let given = projection
        .labels
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case("color") || n.eq_ignore_ascii_case("colour"));
    let own_colour = |name: &str| -> Option<Colour> {
        let (_, colours) = given?;
        let mut of_class = texts
            .iter()
            .zip(colours)
            .filter(|(t, _)| *t == name)
            .map(|(_, c)| c);
        let first = of_class.next()?;
        of_class
            .all(|c| c == first)
            .then(|| Colour::from_hex(first))
            .flatten()
    };
    // Grey is for what is none of the named classes.
    let grey = Colour(150, 150, 150);
    let mut next = 0;
    let mut classes: Vec<(String, Option<Colour>)> = Vec::new();
    let own: Vec<Option<Colour>> = names.iter().map(|n| own_colour(n)).collect();
    // Colours of another column's making may not tell these classes apart.
    let distinct: std::collections::HashSet<_> = own.iter().collect();
    let is_owned =
        own.iter().all(Option::is_some) && distinct.len() == own.len() && !own.is_empty();
    for (name, own) in names.iter().zip(own) {
        let colour = match (*name, column) {
            ("" | "intergenic", _) => Some(grey),
            ("promoter", _) => Some(super::palette::CATEGORIES[0]),
            ("enhancer", _) => Some(super::palette::CATEGORIES[4]),
            ("gene", "annotation") => Some(super::palette::CATEGORIES[2]),
            _ if is_owned => own,
            _ => {
                next += 1;
                Some(Theme::Light.category(next - 1))
            }
        };
        let shown = if name.is_empty() { "not known" } else { name };
        classes.push((shown.to_string(), colour));
    }
    let mut others = false;
    let class_of = texts
        .iter()
        .map(|t| {
            names.iter().position(|n| n == t).unwrap_or_else(|| {
                others = true;
                names.len()
            })
        })
        .collect();
    if others {
        classes.push(("all others".to_string(), Some(grey)));
    }
    (classes, class_of)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::projection::Quality;

    fn projection(labels: Vec<(&str, Vec<&str>)>) -> Projection {
        let n = labels.first().map_or(3, |l| l.1.len());
        Projection {
            axis: "biosamples".into(),
            method: "pca".into(),
            model: "m".into(),
            described: "three biosamples".into(),
            names: (0..n).map(|i| format!("B{i}")).collect(),
            places: Vec::new(),
            labels: labels
                .into_iter()
                .map(|(n, t)| (n.to_string(), t.into_iter().map(String::from).collect()))
                .collect(),
            coordinates: Array2::from_shape_fn((n, 2), |(i, j)| (i * (j + 1)) as f32),
            quality: Quality {
                k: 1,
                trustworthiness: Some(0.5),
                preserved: Some(0.25),
                n_scored: n,
            },
            explained: vec![0.75, 0.25],
        }
    }

    #[test]
    fn a_class_has_the_colour_that_its_metadata_give_it() {
        let made = projection(vec![
            ("GROUP", vec!["ESC", "Blood", "ESC"]),
            ("COLOR", vec!["#924965", "#55A354", "#924965"]),
        ]);
        let cloud = projection_cloud(&made, None).unwrap();
        assert_eq!(cloud.class_title, "group");
        assert_eq!(
            cloud.classes,
            [
                ("Blood".to_string(), Some(Colour(0x55, 0xA3, 0x54))),
                ("ESC".to_string(), Some(Colour(0x92, 0x49, 0x65)))
            ]
        );
        assert_eq!(cloud.class_of, [1, 0, 1]);
        let svg = cloud.svg(Theme::Light);
        for part in [
            "#924965",
            "Blood (1)",
            "ESC (2)",
            "B2",
            "PC1 (75.0 % of variance)",
            "25 % of neighbours",
        ] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn an_unknown_column_is_refused_and_those_there_are_are_named() {
        let made = projection(vec![("GROUP", vec!["a", "b"]), ("AGE", vec!["1", ""])]);
        let error = projection_cloud(&made, Some("anatomy"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`anatomy`") && error.contains("GROUP, AGE"),
            "{error}"
        );
        let cloud = projection_cloud(&made, Some("age")).unwrap();
        assert_eq!(cloud.classes[0].0, "not known");
        assert!(projection_cloud(&projection(vec![]), None).is_ok());
    }

    #[test]
    fn of_very_many_classes_the_rarest_are_one() {
        let texts: Vec<String> = (0..100).map(|i| format!("c{}", i % 40)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let cloud = projection_cloud(&projection(vec![("label", texts)]), None).unwrap();
        assert_eq!(cloud.classes.len(), MOST_CLASSES);
        assert_eq!(cloud.classes.last().unwrap().0, "all others");
        assert!(cloud.svg(Theme::Dark).contains("all others"));
    }

    #[test]
    fn many_points_are_drawn_in_few_paths_and_few_lines_are_wrapped() {
        let cloud = Cloud {
            title: "t".into(),
            axes: ["x".into(), "y".into()],
            has_marks: false,
            points: (0..3000)
                .map(|i| (f64::from(i % 53), f64::from(i % 61)))
                .collect(),
            class_of: (0..3000).map(|i| i % 2).collect(),
            classes: vec![("a".into(), None), ("b".into(), None)],
            class_title: "class".into(),
            names: Vec::new(),
            notes: vec!["word ".repeat(60)],
        };
        let svg = cloud.svg(Theme::Light);
        assert!(svg.matches("stroke-linecap=\"round\"").count() <= 2 * ROUNDS);
        assert!(svg.matches("word").count() == 60);
    }
}
