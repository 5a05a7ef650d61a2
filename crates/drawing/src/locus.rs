//! All biosamples at one locus: gene models, clustered profiles, and how surprising each is.

use super::axis::decimals;
use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::fonts::fitted;
use super::palette::{Colour, Theme};

/// What the figure shows.
#[derive(Debug, Clone)]
pub struct LocusFigure {
    /// What stands above it.
    pub title: String,
    /// A line below the title.
    pub subtitle: String,
    /// The chromosome's name.
    pub chrom: String,
    /// The stretch shown, 0-based and half-open.
    pub span: (u64, u64),
    /// The locus itself, where flanks are shown as well.
    pub locus: (u64, u64),
    /// Where each column of the profiles begins and ends.
    pub columns: Vec<(u64, u64)>,
    /// The biosamples, from top to bottom, as the tree has them.
    pub rows: Vec<LocusFigureRow>,
    /// Joins of branches (below n a row, from n on a join) and their heights.
    pub joins: Vec<([usize; 2], f64)>,
    /// Genes that the stretch touches.
    pub genes: Vec<LocusFigureGene>,
    /// The unit of the profiles.
    pub unit: String,
    /// Bars of an adjusted p up to this are coloured.
    pub most_p: f64,
}

/// A biosample.
#[derive(Debug, Clone)]
pub struct LocusFigureRow {
    /// Its name.
    pub label: String,
    /// Whether it was measured.
    pub is_measured: bool,
    /// A value a column; NaN where masked.
    pub values: Vec<f32>,
    /// Its cluster.
    pub cluster: usize,
    /// Its surprise.
    pub z: Option<f64>,
    /// The adjusted p of that.
    pub p: Option<f64>,
}

/// A gene.
#[derive(Debug, Clone)]
pub struct LocusFigureGene {
    /// Its symbol.
    pub name: String,
    /// Its first base, from 0, and one past its last.
    pub span: (u64, u64),
    /// Whether it is read towards higher coordinates.
    pub is_forward: bool,
}

const MARGIN: f64 = 14.0;
const TREE_WIDTH: f64 = 80.0;
const MAP_WIDTH: f64 = 560.0;
const BARS_WIDTH: f64 = 150.0;
const GAP: f64 = 14.0;
const HEADER: f64 = 62.0;
const GENE_ROW: f64 = 19.0;
const MOST_GENE_ROWS: usize = 6;
const MOST_LABEL: f64 = 180.0;
/// Rows of this height or more are named.
const NAMED_ROW: f64 = 9.0;
/// Cells of a row at most, and of all rows.
const MOST_CELLS: (usize, usize) = (560, 60_000);
/// Shades of a cell: as many as can be distinguished.
const STEPS: f64 = 32.0;

/// Where things stand, in pixels.
struct Layout {
    label: f64,
    map: f64,
    top: f64,
    row: f64,
    bars: f64,
    bottom: f64,
    gene_rows: Vec<Vec<usize>>,
    n_genes_left: usize,
}

impl LocusFigure {
    /// Draws it as SVG. Cells run from the paper at 0 (or below) to full colour at the highest value.
    pub fn svg(&self, theme: Theme) -> String {
        let names = TextStyle::new(11.0, theme.ink());
        let widest = self
            .rows
            .iter()
            .map(|r| names.width(&r.label))
            .fold(0.0, f64::max);
        let label = MARGIN + TREE_WIDTH + GAP;
        let map = label + widest.min(MOST_LABEL) + 26.0;
        let row = (640.0 / self.rows.len().max(1) as f64).clamp(2.0, 22.0);
        let (gene_rows, n_genes_left) = self.pack(&names);
        let more = if n_genes_left > 0 { 14.0 } else { 0.0 };
        let top = HEADER + gene_rows.len() as f64 * GENE_ROW + more + 8.0;
        let layout = Layout {
            label,
            map,
            top,
            row,
            bars: map + MAP_WIDTH + GAP + 10.0,
            bottom: top + row * self.rows.len() as f64,
            gene_rows,
            n_genes_left,
        };
        let title = TextStyle::new(14.0, theme.ink()).bold();
        let beneath = TextStyle::new(11.0, theme.muted());
        let width = (layout.bars + BARS_WIDTH + MARGIN)
            .max(title.width(&self.title) + 2.0 * MARGIN)
            .max(beneath.width(&self.subtitle) + 2.0 * MARGIN);
        let mut canvas = Canvas::new(width, layout.bottom + 118.0, theme);
        canvas.text((MARGIN, MARGIN + 8.0), &self.title, &title);
        canvas.text((MARGIN, MARGIN + 28.0), &self.subtitle, &beneath);
        self.genes(&mut canvas, &layout);
        self.tree(&mut canvas, &layout);
        self.profiles(&mut canvas, &layout);
        self.keys(&mut canvas, &layout);
        self.coordinates(&mut canvas, &layout);
        self.surprises(&mut canvas, &layout);
        canvas.finish()
    }

    /// Where a position stands, in pixels from the map's left side.
    fn x(&self, position: u64) -> f64 {
        let (start, end) = self.span;
        (position.clamp(start, end) - start) as f64 / (end - start).max(1) as f64 * MAP_WIDTH
    }

    /// Genes in rows so that neither they nor their names overlap, and how many found no room.
    fn pack(&self, names: &TextStyle) -> (Vec<Vec<usize>>, usize) {
        let mut order: Vec<usize> = (0..self.genes.len()).collect();
        order.sort_by_key(|i| self.genes[*i].span);
        let (mut rows, mut ends): (Vec<Vec<usize>>, Vec<f64>) = Default::default();
        let mut left = 0;
        for i in order {
            let gene = &self.genes[i];
            let from = self.x(gene.span.0);
            let to = self.x(gene.span.1).max(from + 4.0) + 16.0 + names.width(&gene.name);
            match ends.iter().position(|end| *end < from) {
                Some(row) => {
                    rows[row].push(i);
                    ends[row] = to;
                }
                None if rows.len() < MOST_GENE_ROWS => {
                    rows.push(vec![i]);
                    ends.push(to);
                }
                None => left += 1,
            }
        }
        (rows, left)
    }

    fn genes(&self, canvas: &mut Canvas, layout: &Layout) {
        let theme = canvas.theme();
        let body = theme.muted();
        for (r, row) in layout.gene_rows.iter().enumerate() {
            let y = HEADER + r as f64 * GENE_ROW + GENE_ROW / 2.0;
            for gene in row.iter().map(|i| &self.genes[*i]) {
                let from = layout.map + self.x(gene.span.0);
                let to = (layout.map + self.x(gene.span.1)).max(from + 2.0);
                canvas.rectangle(Frame::new(from, y - 2.0, to - from, 4.0), body);
                // Chevrons show the direction.
                let ahead = if gene.is_forward { 3.0 } else { -3.0 };
                let mut x = from + 10.0;
                while x < to - 4.0 {
                    let tip = [(x - ahead, y - 4.0), (x, y), (x - ahead, y + 4.0)];
                    canvas.polyline(&tip, Stroke::new(body, 1.0));
                    x += 26.0;
                }
                // The start, if it is in the picture.
                let (start, is_shown) = match gene.is_forward {
                    true => (from, gene.span.0 >= self.span.0),
                    false => (to, gene.span.1 <= self.span.1),
                };
                if is_shown {
                    let end = start + if gene.is_forward { 8.0 } else { -8.0 };
                    let path = [(start, y), (start, y - 7.0), (end, y - 7.0)];
                    canvas.polyline(&path, Stroke::new(theme.category(1), 1.6));
                }
                let name = TextStyle::new(11.0, theme.ink()).italic();
                canvas.text((to + 7.0, y), &gene.name, &name);
            }
        }
        if layout.n_genes_left > 0 {
            let y = HEADER + layout.gene_rows.len() as f64 * GENE_ROW + 6.0;
            let line = format!("and {} more genes", layout.n_genes_left);
            canvas.text((layout.map, y), &line, &TextStyle::new(10.0, theme.muted()));
        }
    }

    fn tree(&self, canvas: &mut Canvas, layout: &Layout) {
        let highest = self.joins.iter().map(|j| j.1).fold(0.0, f64::max);
        let x = |height: f64| {
            let share = if highest > 0.0 { height / highest } else { 0.0 };
            MARGIN + TREE_WIDTH - share * (TREE_WIDTH - 4.0)
        };
        // Each branch: its place among the rows, and how far it reaches.
        let mut branches: Vec<(f64, f64)> = (0..self.rows.len())
            .map(|i| (i as f64 + 0.5, x(0.0)))
            .collect();
        let stroke = Stroke::new(canvas.theme().muted(), 1.0);
        for ([a, b], height) in &self.joins {
            let ((row_a, x_a), (row_b, x_b)) = (branches[*a], branches[*b]);
            let (y_a, y_b, at) = (layout.y(row_a), layout.y(row_b), x(*height));
            canvas.polyline(&[(x_a, y_a), (at, y_a), (at, y_b), (x_b, y_b)], stroke);
            branches.push(((row_a + row_b) / 2.0, at));
        }
    }

    /// The highest value shown.
    fn highest(&self) -> f32 {
        let values = self.rows.iter().flat_map(|r| &r.values);
        values.fold(0f32, |m, v| if v.is_finite() { m.max(*v) } else { m })
    }

    fn profiles(&self, canvas: &mut Canvas, layout: &Layout) {
        let theme = canvas.theme();
        let highest = f64::from(self.highest());
        let n_clusters = self.rows.iter().map(|r| r.cluster).max().unwrap_or(0) + 1;
        let n_cells = (MOST_CELLS.1 / self.rows.len().max(1)).clamp(40, MOST_CELLS.0);
        let under = self.under(n_cells);
        for (r, row) in self.rows.iter().enumerate() {
            let gap = if layout.row >= 8.0 { 1.0 } else { 0.0 };
            let y = layout.y(r as f64);
            let frame = Frame::new(layout.map, y, MAP_WIDTH, layout.row - gap);
            canvas.rectangle(frame, theme.background().mix(theme.faint(), 0.35));
            let colours: Vec<Option<Colour>> = (under.iter())
                .map(|columns| {
                    let own = row.values[columns.clone()].iter();
                    let finite = own.filter(|v| v.is_finite());
                    let (sum, n) =
                        finite.fold((0f64, 0u32), |(s, n), v| (s + f64::from(*v), n + 1));
                    // Masked, or between regions: neither paper nor signal.
                    if n == 0 {
                        return Some(theme.faint().mix(theme.muted(), 0.25));
                    }
                    let share = (sum / f64::from(n) / highest.max(1e-9)).clamp(0.0, 1.0);
                    let step = (share * STEPS).round();
                    (step > 0.0).then(|| theme.shade(step / STEPS))
                })
                .collect();
            canvas.cells(frame, colours.len(), &colours);
            if n_clusters > 1 {
                let band = Frame::new(layout.map - 7.0, y, 4.0, layout.row - gap);
                canvas.rectangle(band, theme.category(2 + row.cluster));
            }
            if layout.row >= NAMED_ROW {
                let middle = y + (layout.row - gap) / 2.0;
                self.sign(canvas, (layout.map - 14.0, middle), row.is_measured);
                let space = layout.map - 22.0 - layout.label;
                let name = fitted(&row.label, 11.0, space.max(20.0));
                let style = TextStyle::new(11.0, theme.ink()).anchored(Anchor::End);
                canvas.text((layout.map - 22.0, middle), &name, &style);
            }
        }
        // The locus within its flanks.
        if self.locus != self.span {
            for edge in [self.locus.0, self.locus.1] {
                let x = layout.map + self.x(edge);
                let stroke = Stroke::dashed(theme.category(1), 1.2, 4.0);
                canvas.line((x, layout.top - 6.0), (x, layout.bottom + 4.0), stroke);
            }
        }
    }

    /// A dot for what was measured, a ring for what was imputed.
    fn sign(&self, canvas: &mut Canvas, at: (f64, f64), is_measured: bool) {
        let theme = canvas.theme();
        canvas.dots(&[at], 3.2, theme.ink(), 1.0);
        if !is_measured {
            canvas.dots(&[at], 2.1, theme.background(), 1.0);
        }
    }

    /// For each cell of a row, the columns whose mean it shows; none where no column lies.
    fn under(&self, most: usize) -> Vec<std::ops::Range<usize>> {
        let n = most.min(self.columns.len().max(1));
        let (start, end) = self.span;
        let position = |cell: usize| start + (end - start) * cell as u64 / n as u64;
        let cell = |i: usize| {
            let (from, to) = (position(i), position(i + 1).max(position(i) + 1));
            let first = self.columns.partition_point(|c| c.1 <= from);
            let last = self.columns.partition_point(|c| c.0 < to);
            first..last.max(first)
        };
        (0..n).map(cell).collect()
    }

    fn keys(&self, canvas: &mut Canvas, layout: &Layout) {
        let theme = canvas.theme();
        let y = layout.bottom + 68.0;
        let key = Frame::new(layout.map, y, 120.0, 10.0);
        let shades: Vec<_> = (0..=60)
            .map(|s| Some(theme.shade(f64::from(s) / 60.0)))
            .collect();
        canvas.cells(key, shades.len(), &shades);
        canvas.outline(key, Stroke::new(theme.muted(), 0.6));
        let text = TextStyle::new(11.0, theme.ink());
        let range = format!(
            "0 to {} {}",
            decimals(f64::from(self.highest()), 2),
            self.unit
        );
        canvas.text((key.right() + 8.0, y + 5.0), &range, &text);
        let x = layout.map + MAP_WIDTH - 160.0;
        self.sign(canvas, (x, y + 5.0), true);
        canvas.text((x + 8.0, y + 5.0), "measured", &text);
        self.sign(canvas, (x + 86.0, y + 5.0), false);
        canvas.text((x + 94.0, y + 5.0), "imputed", &text);
        let mut legend = Vec::new();
        if self.locus != self.span {
            legend.push("dashed lines: the locus, which is compared; outside them: its flanks");
        }
        if self.rows.iter().any(|row| row.cluster > 0) {
            legend.push("colour beside a row: its cluster");
        }
        let beneath = TextStyle::new(11.0, theme.muted());
        canvas.text((layout.map, y + 27.0), &legend.join("; "), &beneath);
    }

    fn coordinates(&self, canvas: &mut Canvas, layout: &Layout) {
        let theme = canvas.theme();
        let (y, ink) = (layout.bottom + 4.0, Stroke::new(theme.ink(), 1.0));
        canvas.line((layout.map, y), (layout.map + MAP_WIDTH, y), ink);
        let (start, end) = self.span;
        let anchors = [Anchor::Start, Anchor::Middle, Anchor::End];
        for (step, anchor) in anchors.into_iter().enumerate() {
            let position = start + (end - start) * step as u64 / 2;
            let x = layout.map + self.x(position);
            canvas.line((x, y), (x, y + 5.0), ink);
            // Browsers count from 1.
            let label = grouped(if step == 2 { position } else { position + 1 });
            let style = TextStyle::new(11.0, theme.ink()).anchored(anchor);
            canvas.text((x, y + 14.0), &label, &style);
        }
        let style = TextStyle::new(11.0, theme.ink()).anchored(Anchor::Middle);
        canvas.text(
            (layout.map + MAP_WIDTH / 2.0, y + 31.0),
            &self.chrom,
            &style,
        );
    }

    fn surprises(&self, canvas: &mut Canvas, layout: &Layout) {
        let theme = canvas.theme();
        let sizes = self.rows.iter().filter_map(|r| r.z).map(f64::abs);
        let limit = sizes.filter(|z| z.is_finite()).fold(3.0, f64::max).ceil();
        let middle = layout.bars + BARS_WIDTH / 2.0;
        let x = |z: f64| middle + z.clamp(-limit, limit) / limit * (BARS_WIDTH / 2.0 - 6.0);
        let y = layout.bottom + 4.0;
        let small = TextStyle::new(11.0, theme.ink()).anchored(Anchor::Middle);
        for mark in [-limit, 0.0, limit] {
            let stroke = match mark == 0.0 {
                true => Stroke::new(theme.muted(), 1.0),
                false => Stroke::new(theme.faint(), 1.0),
            };
            canvas.line((x(mark), layout.top), (x(mark), y), stroke);
            let text = decimals(mark, 0).replace('-', "−");
            canvas.text((x(mark), y + 14.0), &text, &small);
        }
        for (r, row) in self.rows.iter().enumerate() {
            let (top, pad) = (layout.y(r as f64), layout.row * 0.2);
            let Some(z) = row.z.filter(|z| z.is_finite()) else {
                if layout.row >= NAMED_ROW {
                    let style = TextStyle::new(10.0, theme.muted());
                    let at = (middle + 5.0, top + layout.row / 2.0);
                    canvas.text(at, "undefined", &style);
                }
                continue;
            };
            let stands_out = row.p.is_some_and(|p| p <= self.most_p);
            let colour = if stands_out {
                theme.category(1)
            } else {
                theme.muted()
            };
            let (low, high) = (x(z.min(0.0)), x(z.max(0.0)));
            let bar = Frame::new(
                low,
                top + pad,
                (high - low).max(0.8),
                layout.row - 2.0 * pad,
            );
            canvas.rectangle(bar, colour);
        }
        canvas.text((middle, y + 31.0), "z of the departure", &small);
        canvas.text((middle, y + 45.0), "from average activity", &small);
        let y = layout.bottom + 68.0;
        canvas.rectangle(
            Frame::new(layout.bars + 30.0, y, 12.0, 10.0),
            theme.category(1),
        );
        let line = format!("adjusted p ≤ {}", self.most_p);
        let style = TextStyle::new(11.0, theme.ink());
        canvas.text((layout.bars + 48.0, y + 5.0), &line, &style);
    }
}

impl Layout {
    fn y(&self, row: f64) -> f64 {
        self.top + row * self.row
    }
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(n: usize, n_columns: u64) -> LocusFigure {
        let row = |i: usize| LocusFigureRow {
            label: format!("S{i}"),
            is_measured: i.is_multiple_of(2),
            values: (0..n_columns).map(|c| (c + i as u64) as f32).collect(),
            cluster: usize::from(i > 0),
            z: (i > 0).then_some(i as f64 - 2.0),
            p: Some(if i == 1 { 0.01 } else { 0.5 }),
        };
        LocusFigure {
            title: "a title < b".into(),
            subtitle: "beneath".into(),
            chrom: "chr1".into(),
            span: (1_000, 1_000 + 25 * n_columns),
            locus: (1_000, 1_000 + 25 * n_columns),
            columns: (0..n_columns)
                .map(|c| (1_000 + 25 * c, 1_025 + 25 * c))
                .collect(),
            rows: (0..n).map(row).collect(),
            joins: (1..n)
                .map(|i| ([if i == 1 { 0 } else { n + i - 2 }, i], i as f64))
                .collect(),
            genes: vec![LocusFigureGene {
                name: "GENE1".into(),
                span: (900, 1_060),
                is_forward: false,
            }],
            unit: "arcsinh".into(),
            most_p: 0.1,
        }
    }

    #[test]
    fn every_biosample_gene_and_end_is_named() {
        let svg = figure(3, 10).svg(Theme::Light);
        for part in [
            "S0",
            "S1",
            "S2",
            "GENE1",
            "1,001",
            "1,250",
            "a title &lt; b",
            "beneath",
            "measured",
            "imputed",
            "undefined",
            "adjusted p ≤ 0.1",
            "colour beside a row: its cluster",
            "−3",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(!svg.contains("dashed"));
        let mut with_flanks = figure(3, 10);
        with_flanks.locus = (1_050, 1_100);
        assert!(
            with_flanks
                .svg(Theme::Light)
                .contains("dashed lines: the locus")
        );
    }

    #[test]
    fn many_biosamples_and_long_loci_stay_small() {
        let svg = figure(400, 2_000).svg(Theme::Dark);
        assert!(svg.len() < 12 << 20, "{}", svg.len());
        assert!(figure(1, 1).svg(Theme::Light).contains("</svg>"));
    }

    #[test]
    fn genes_that_overlap_stand_in_rows_of_their_own() {
        let mut figure = figure(1, 400);
        let gene = |name: &str, from, to| LocusFigureGene {
            name: name.into(),
            span: (from, to),
            is_forward: true,
        };
        figure.genes = vec![
            gene("B", 2_000, 5_000),
            gene("A", 1_500, 3_000),
            gene("C", 9_000, 9_500),
        ];
        assert_eq!(
            figure.pack(&TextStyle::new(11.0, Theme::Light.ink())),
            (vec![vec![1, 2], vec![0]], 0)
        );
        figure.genes = (0..9).map(|_| gene("X", 2_000, 5_000)).collect();
        assert_eq!(figure.pack(&TextStyle::new(11.0, Theme::Light.ink())).1, 3);
    }
}
