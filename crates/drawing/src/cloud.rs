//! Points in the plane, coloured by class, the legend beside them.

use super::axis::marks;
use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::fonts::fitted;
use super::palette::{Colour, Theme};

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
pub const MOST_NAMES: usize = 150;

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

    fn scale(&self, plot: &Frame) -> AxisScaling {
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
            let space = 0.06 * (high - low);
            (low - space, high + space)
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
        AxisScaling {
            low: [x.0, y.0],
            high: [x.1, y.1],
            plot: *plot,
        }
    }

    fn draw_axes(&self, canvas: &mut Canvas, plot: &Frame, scale: &AxisScaling) {
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
            let space = LEGEND - 18.0 - style.width(&count);
            let text = fitted(name, 12.0, space) + &count;
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
struct AxisScaling {
    low: [f64; 2],
    high: [f64; 2],
    plot: Frame,
}

impl AxisScaling {
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

#[cfg(test)]
mod tests {
    use super::*;

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
