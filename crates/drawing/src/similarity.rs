//! How alike biosamples or assays are: a matrix in the order of a tree, the tree beside it.

use kodama::{Dendrogram, Method, linkage};

use super::axis::marks;
use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::cloud::wrapped;
use super::fonts::fitted;
use super::palette::{Colour, Theme};

/// A matrix of similarities.
#[derive(Debug, Clone)]
pub struct SimilarityFigure {
    /// What stands above.
    pub title: String,
    /// What is compared.
    pub names: Vec<String>,
    /// Similarities, row by row, symmetric, from −1 to 1, which is that of a thing with itself.
    pub values: Vec<f64>,
    /// What a value is.
    pub measure: String,
    /// A class for each, with a colour where it has one of its own; empty for none.
    pub classes: Vec<(String, Option<Colour>)>,
    /// What the classes are.
    pub class_title: String,
    /// Lines below.
    pub notes: Vec<String>,
}

const MARGIN: f64 = 16.0;
const TREE: f64 = 96.0;
const STRIP: f64 = 12.0;
const MOST_LABEL: f64 = 190.0;
const LEGEND: f64 = 190.0;
/// Shades that can be distinguished.
const STEPS: f64 = 40.0;

impl SimilarityFigure {
    /// Draws it as SVG: average linkage of one minus the similarity.
    pub fn svg(&self, theme: Theme) -> String {
        let n = self.names.len();
        let (order, tree) = self.tree();
        let cell = (560.0 / n.max(1) as f64).clamp(3.5, 46.0);
        let side = cell * n as f64;
        // Names where they can be read.
        let size = (cell * 0.8).min(11.5);
        let is_named = size >= 5.5;
        let label = TextStyle::new(size, theme.ink());
        let widest = self
            .names
            .iter()
            .map(|t| label.width(t))
            .fold(0.0, f64::max);
        let labels = if is_named {
            widest.min(MOST_LABEL) + 10.0
        } else {
            0.0
        };
        let has_classes = self.classes.len() == n && n > 0;
        let strip = if has_classes { STRIP + 4.0 } else { 0.0 };
        let left = MARGIN + TREE + strip;
        let top = 52.0 + labels;
        let legend = self.legend();
        let width = left + side + labels + MARGIN + LEGEND + MARGIN;
        let note = TextStyle::new(10.5, theme.muted());
        let lines = wrapped(&self.notes, &note, width - 2.0 * MARGIN);
        let body = side.max(110.0 + 17.0 * legend.len() as f64);
        let foot = top + body + 22.0;
        let height = foot + 15.0 * lines.len() as f64 + MARGIN;
        let mut canvas = Canvas::new(width, height, theme);
        let title = TextStyle::new(15.0, theme.ink()).bold();
        canvas.text(
            (MARGIN, 24.0),
            &fitted(&self.title, 16.5, width - 2.0 * MARGIN),
            &title,
        );
        let frame = Frame::new(left, top, side, side);
        let colours: Vec<Option<Colour>> = (order.iter())
            .flat_map(|i| order.iter().map(move |j| (i, j)))
            .map(|(i, j)| {
                // What a thing is to itself says nothing.
                match i == j {
                    true => Some(theme.faint()),
                    false => shade(self.values[i * n + j], theme),
                }
            })
            .collect();
        canvas.cells(frame, n, &colours);
        canvas.outline(frame, Stroke::new(theme.muted(), 0.8));
        draw_tree(&mut canvas, &order, tree.as_ref(), MARGIN, &frame, cell);
        for (place, i) in order.iter().enumerate() {
            let middle = top + (place as f64 + 0.5) * cell;
            if has_classes {
                let colour = self.class_colour(&legend, &self.classes[*i].0, theme);
                let edge = Frame::new(left - STRIP - 2.0, middle - cell / 2.0, STRIP, cell);
                canvas.rectangle(edge, colour);
            }
            if is_named {
                let text = fitted(&self.names[*i], size, MOST_LABEL);
                canvas.text((frame.right() + 6.0, middle), &text, &label);
                let above = (left + (place as f64 + 0.5) * cell, top - 6.0);
                canvas.text(above, &text, &label.turned(-90.0));
            }
        }
        self.draw_key(&mut canvas, frame.right() + labels + MARGIN, top, &legend);
        for (i, line) in lines.iter().enumerate() {
            canvas.text((MARGIN, foot + 15.0 * i as f64), line, &note);
        }
        canvas.finish()
    }

    fn draw_key(&self, canvas: &mut Canvas, x: f64, top: f64, legend: &[String]) {
        let theme = canvas.theme();
        let style = TextStyle::new(11.5, theme.ink());
        canvas.text(
            (x, top + 7.0),
            &fitted(&self.measure, 12.5, LEGEND),
            &style.bold(),
        );
        let bar = Frame::new(x, top + 20.0, LEGEND - 30.0, 12.0);
        let shades: Vec<Option<Colour>> = (0..=80)
            .map(|i| shade(f64::from(i) / 40.0 - 1.0, theme))
            .collect();
        canvas.cells(bar, shades.len(), &shades);
        canvas.outline(bar, Stroke::new(theme.muted(), 0.6));
        let small = TextStyle::new(10.5, theme.ink()).anchored(Anchor::Middle);
        for (at, text) in marks(-1.0, 1.0, 4) {
            let px = bar.x + (at + 1.0) / 2.0 * bar.width;
            canvas.line(
                (px, bar.bottom()),
                (px, bar.bottom() + 4.0),
                Stroke::new(theme.muted(), 0.8),
            );
            canvas.text((px, bar.bottom() + 12.0), &text, &small);
        }
        if legend.is_empty() {
            return;
        }
        let head = fitted(&self.class_title, 12.5, LEGEND);
        canvas.text((x, top + 76.0), &head, &style.bold());
        for (i, name) in legend.iter().enumerate() {
            let y = top + 96.0 + 17.0 * i as f64;
            canvas.rectangle(
                Frame::new(x, y - 5.0, 12.0, 10.0),
                self.class_colour(legend, name, theme),
            );
            canvas.text((x + 18.0, y), &fitted(name, 11.5, LEGEND - 18.0), &style);
        }
    }

    /// The classes, each once.
    fn legend(&self) -> Vec<String> {
        let mut names: Vec<String> = self.classes.iter().map(|c| c.0.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn class_colour(&self, legend: &[String], name: &str, theme: Theme) -> Colour {
        let own = self
            .classes
            .iter()
            .find(|(n, _)| n == name)
            .and_then(|c| c.1);
        own.unwrap_or_else(|| theme.category(legend.iter().position(|n| n == name).unwrap_or(0)))
    }

    /// The order of the tree's leaves, and the tree.
    fn tree(&self) -> (Vec<usize>, Option<Dendrogram<f64>>) {
        let n = self.names.len();
        if n < 2 || self.values.len() != n * n {
            return ((0..n).collect(), None);
        }
        let mut apart: Vec<f64> = Vec::with_capacity(n * (n - 1) / 2);
        for i in 0..n {
            for j in i + 1..n {
                let value = self.values[i * n + j];
                apart.push(if value.is_finite() {
                    (1.0 - value).max(0.0)
                } else {
                    2.0
                });
            }
        }
        let tree = linkage(&mut apart, n, Method::Average);
        let mut order = Vec::with_capacity(n);
        // The last step joins all; larger halves come first.
        let mut open = vec![2 * n - 2];
        while let Some(cluster) = open.pop() {
            match cluster.checked_sub(n) {
                None => order.push(cluster),
                Some(step) => {
                    let step = &tree[step];
                    let size = |c: usize| c.checked_sub(n).map_or(1, |s| tree[s].size);
                    let (a, b) = (step.cluster1, step.cluster2);
                    let (first, second) = if size(a) >= size(b) { (a, b) } else { (b, a) };
                    open.push(second);
                    open.push(first);
                }
            }
        }
        (order, Some(tree))
    }
}

/// The colour of a similarity: from −1 to 1 about 0, so that a colour is the same value in every figure.
fn shade(value: f64, theme: Theme) -> Option<Colour> {
    let step = (value.clamp(-1.0, 1.0) * STEPS).round() / STEPS;
    step.is_finite().then(|| theme.diverging(step))
}

/// The tree to the left of the rows, its leaves at their middles.
fn draw_tree(
    canvas: &mut Canvas,
    order: &[usize],
    tree: Option<&Dendrogram<f64>>,
    left: f64,
    frame: &Frame,
    cell: f64,
) {
    let Some(tree) = tree else {
        return;
    };
    let n = order.len();
    let highest = tree
        .steps()
        .iter()
        .map(|s| s.dissimilarity)
        .fold(1e-12, f64::max);
    let right = left + TREE - 6.0;
    let x_of = |d: f64| right - d / highest * (TREE - 12.0);
    // A cluster's place: how far it is joined, and its middle.
    let mut places = vec![(0.0, 0.0); 2 * n];
    for (place, leaf) in order.iter().enumerate() {
        places[*leaf] = (right, frame.y + (place as f64 + 0.5) * cell);
    }
    let stroke = Stroke::new(canvas.theme().muted(), 1.0);
    for (i, step) in tree.steps().iter().enumerate() {
        let (a, b) = (places[step.cluster1], places[step.cluster2]);
        let x = x_of(step.dissimilarity);
        canvas.polyline(&[(a.0, a.1), (x, a.1), (x, b.1), (b.0, b.1)], stroke);
        places[n + i] = (x, (a.1 + b.1) / 2.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(n: usize, values: Vec<f64>) -> SimilarityFigure {
        SimilarityFigure {
            title: "t".into(),
            names: (0..n).map(|i| format!("B{i}")).collect(),
            values,
            measure: "cosine".into(),
            classes: (0..n).map(|i| (format!("g{}", i % 2), None)).collect(),
            class_title: "group".into(),
            notes: vec!["n".into()],
        }
    }

    #[test]
    fn what_is_alike_stands_side_by_side() {
        // 0 and 2 are alike, 1 and 3 are.
        let near = |i: usize, j: usize| {
            if i == j {
                1.0
            } else if i % 2 == j % 2 {
                0.9
            } else {
                0.1
            }
        };
        let values = (0..16).map(|p| near(p / 4, p % 4)).collect();
        let figure = figure(4, values);
        let (order, tree) = figure.tree();
        let mut first: Vec<usize> = order[..2].iter().map(|i| i % 2).collect();
        first.dedup();
        assert_eq!(first.len(), 1, "{order:?}");
        assert!((tree.unwrap().steps()[2].dissimilarity - 0.9).abs() < 1e-9);
        let svg = figure.svg(Theme::Light);
        for part in ["B0", "cosine", "g1", "group"] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn a_colour_means_the_same_value_in_every_figure() {
        for theme in [Theme::Light, Theme::Dark] {
            assert_eq!(shade(0.0, theme), Some(theme.diverging(0.0)));
            assert_eq!(shade(-0.5, theme), Some(theme.diverging(-0.5)));
            assert_eq!(shade(1.0 + 1e-12, theme), Some(theme.diverging(1.0)));
            assert_ne!(shade(-0.5, theme), shade(0.5, theme));
            assert_eq!(shade(f64::NAN, theme), None);
        }
        // The key runs from −1 to 1, even where all values are close together.
        let svg = figure(2, vec![1.0, 0.9, 0.9, 1.0]).svg(Theme::Light);
        assert!(svg.contains(">\u{2212}1") || svg.contains(">-1"), "{svg}");
    }

    #[test]
    fn one_and_none_and_equal_ones_are_drawn() {
        for (n, values) in [
            (0, vec![]),
            (1, vec![1.0]),
            (2, vec![1.0; 4]),
            (2, vec![1.0, f64::NAN, f64::NAN, 1.0]),
        ] {
            let svg = figure(n, values).svg(Theme::Dark);
            assert!(svg.contains("</svg>") && !svg.contains("NaN"));
        }
    }
}
