//! All biosamples at one locus: gene models, clustered profiles, and how surprising each is.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::figures::{Area, COLOURS, FONT, GREY, LIGHT, decimals, draw};
use super::heat_map::shade;

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
    /// Bars of rates up to this are coloured.
    pub fdr: f64,
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
    /// The false discovery rate of that.
    pub fdr: Option<f64>,
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

const MARGIN: i32 = 14;
const TREE_WIDTH: i32 = 84;
const MAP_WIDTH: i32 = 560;
const BARS_WIDTH: i32 = 150;
const GAP: i32 = 14;
const HEADER: i32 = 54;
const GENE_ROW: i32 = 19;
const MOST_GENE_ROWS: usize = 6;
/// Cells of the heat map in all, about.
const MOST_CELLS: usize = 60_000;

/// Where things stand, in pixels.
struct Layout {
    label: i32,
    map: i32,
    top: i32,
    row: f64,
    bars: i32,
    width: i32,
    bottom: i32,
    gene_rows: Vec<Vec<usize>>,
    n_genes_left: usize,
}

/// Draws all biosamples at one locus as SVG.
///
/// # Errors
/// When the drawing library fails.
pub fn locus(figure: &LocusFigure) -> Result<String, PlotError> {
    let longest = (figure.rows.iter()).map(|r| r.label.chars().count()).max();
    let label_width = (longest.unwrap_or(0) as i32 * 7 + 26).clamp(60, 190);
    let row = (640.0 / figure.rows.len().max(1) as f64).clamp(3.0, 22.0);
    let map = MARGIN + TREE_WIDTH + GAP + label_width;
    let (gene_rows, n_genes_left) = pack(figure);
    let top = HEADER + gene_rows.len() as i32 * GENE_ROW + i32::from(n_genes_left > 0) * 14 + 8;
    let bottom = top + (row * figure.rows.len() as f64).ceil() as i32;
    let layout = Layout {
        label: MARGIN + TREE_WIDTH + GAP,
        bars: map + MAP_WIDTH + GAP + 10,
        width: map + MAP_WIDTH + GAP + 10 + BARS_WIDTH + MARGIN,
        map,
        top,
        row,
        bottom,
        gene_rows,
        n_genes_left,
    };
    let size = (layout.width as u32, (bottom + 96) as u32);
    draw(&figure.title, size, |root| {
        let title = text(16, HPos::Left, VPos::Top);
        root.draw(&Text::new(figure.title.as_str(), (MARGIN, 10), title))?;
        let subtitle = text(12, HPos::Left, VPos::Top).color(&RGBColor(80, 80, 80));
        root.draw(&Text::new(figure.subtitle.as_str(), (MARGIN, 31), subtitle))?;
        genes(root, figure, &layout)?;
        tree(root, figure, &layout)?;
        profiles(root, figure, &layout)?;
        coordinates(root, figure, &layout)?;
        surprises(root, figure, &layout)?;
        Ok(())
    })
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn text(size: i32, h: HPos, v: VPos) -> TextStyle<'static> {
    (FONT, size).into_font().color(&BLACK).pos(Pos::new(h, v))
}

impl LocusFigure {
    /// Where a position stands, in pixels from the map's left side.
    fn x(&self, position: u64) -> i32 {
        let (start, end) = self.span;
        let share = (position.clamp(start, end) - start) as f64 / (end - start).max(1) as f64;
        (share * f64::from(MAP_WIDTH)).round() as i32
    }
}

impl Layout {
    fn y(&self, row: f64) -> i32 {
        self.top + (row * self.row).round() as i32
    }
}

/// Genes in rows so that neither they nor their names overlap, and how many found no room.
fn pack(figure: &LocusFigure) -> (Vec<Vec<usize>>, usize) {
    let mut order: Vec<usize> = (0..figure.genes.len()).collect();
    order.sort_by_key(|i| figure.genes[*i].span);
    let (mut rows, mut ends, mut left): (Vec<Vec<usize>>, Vec<i32>, usize) = Default::default();
    for i in order {
        let gene = &figure.genes[i];
        let from = figure.x(gene.span.0);
        let to = figure.x(gene.span.1).max(from + 4) + 12 + gene.name.chars().count() as i32 * 7;
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

fn genes(root: &Area<'_>, figure: &LocusFigure, layout: &Layout) -> Drawn {
    let colour = RGBColor(60, 60, 60);
    for (r, row) in layout.gene_rows.iter().enumerate() {
        let y = HEADER + r as i32 * GENE_ROW + GENE_ROW / 2;
        for gene in row.iter().map(|i| &figure.genes[*i]) {
            let (from, to) = (figure.x(gene.span.0), figure.x(gene.span.1));
            let (from, to) = (layout.map + from, layout.map + to.max(from + 2));
            root.draw(&Rectangle::new(
                [(from, y - 2), (to, y + 2)],
                colour.filled(),
            ))?;
            // Chevrons show the direction.
            let ahead = if gene.is_forward { 3 } else { -3 };
            for x in (from + 10..to - 4).step_by(26) {
                let tip = vec![(x - ahead, y - 4), (x, y), (x - ahead, y + 4)];
                root.draw(&PathElement::new(tip, colour))?;
            }
            // The start, if it is in the picture.
            let (start, is_shown) = match gene.is_forward {
                true => (from, gene.span.0 >= figure.span.0),
                false => (to, gene.span.1 <= figure.span.1),
            };
            if is_shown {
                let ahead = if gene.is_forward { 8 } else { -8 };
                let path = vec![(start, y), (start, y - 7), (start + ahead, y - 7)];
                root.draw(&PathElement::new(path, COLOURS[1].stroke_width(2)))?;
            }
            // Beside it, or above its end where the picture ends first.
            let width = gene.name.chars().count() as i32 * 7;
            let room = to + 6 + width <= layout.map + MAP_WIDTH + BARS_WIDTH;
            let x = if room {
                to + 6
            } else {
                layout.map + MAP_WIDTH - width
            };
            let style = text(12, HPos::Left, VPos::Center);
            root.draw(&Text::new(gene.name.as_str(), (x, y), style))?;
        }
    }
    if layout.n_genes_left > 0 {
        let y = HEADER + layout.gene_rows.len() as i32 * GENE_ROW + 6;
        let line = format!("and {} more genes", layout.n_genes_left);
        let style = text(11, HPos::Left, VPos::Center).color(&RGBColor(90, 90, 90));
        root.draw(&Text::new(line, (layout.map, y), style))?;
    }
    Ok(())
}

fn tree(root: &Area<'_>, figure: &LocusFigure, layout: &Layout) -> Drawn {
    let highest = figure.joins.iter().map(|j| j.1).fold(0.0, f64::max);
    let x = |height: f64| {
        let share = if highest > 0.0 { height / highest } else { 0.0 };
        MARGIN + TREE_WIDTH - (share * f64::from(TREE_WIDTH - 4)).round() as i32
    };
    // Each branch: its place among the rows, and how far it reaches.
    let mut branches: Vec<(f64, i32)> = (0..figure.rows.len())
        .map(|i| (i as f64 + 0.5, x(0.0)))
        .collect();
    for ([a, b], height) in &figure.joins {
        let ((row_a, x_a), (row_b, x_b)) = (branches[*a], branches[*b]);
        let (y_a, y_b, at) = (layout.y(row_a), layout.y(row_b), x(*height));
        let path = vec![(x_a, y_a), (at, y_a), (at, y_b), (x_b, y_b)];
        root.draw(&PathElement::new(path, RGBColor(90, 90, 90)))?;
        branches.push(((row_a + row_b) / 2.0, at));
    }
    Ok(())
}

fn profiles(root: &Area<'_>, figure: &LocusFigure, layout: &Layout) -> Drawn {
    let n = figure.rows.len();
    let values = figure.rows.iter().flat_map(|r| &r.values);
    let highest = values.fold(0f32, |m, v| if v.is_finite() { m.max(*v) } else { m });
    let n_clusters = figure.rows.iter().map(|r| r.cluster).max().unwrap_or(0) + 1;
    let cells = cells(
        figure,
        (MOST_CELLS / n.max(1)).clamp(40, MAP_WIDTH as usize),
    );
    for (r, row) in figure.rows.iter().enumerate() {
        let (y, below) = (layout.y(r as f64), layout.y(r as f64 + 1.0));
        let gap = i32::from(layout.row >= 8.0);
        let frame = [(layout.map, y), (layout.map + MAP_WIDTH, below - gap)];
        root.draw(&Rectangle::new(frame, RGBColor(250, 250, 250).filled()))?;
        for (from, to, columns) in &cells {
            let own = row.values[columns.clone()].iter().filter(|v| v.is_finite());
            let (sum, n) = own.fold((0f64, 0u32), |(s, n), v| (s + f64::from(*v), n + 1));
            let colour = match n {
                0 => RGBColor(205, 205, 205),
                _ if highest <= 0.0 || sum <= 0.0 => continue,
                _ => shade((sum / f64::from(n) / f64::from(highest)).clamp(0.0, 1.0)),
            };
            let cell = [(layout.map + from, y), (layout.map + to, below - gap)];
            root.draw(&Rectangle::new(cell, colour.filled()))?;
        }
        if n_clusters > 1 {
            let band = [(layout.map - 7, y), (layout.map - 3, below - gap)];
            let colour = COLOURS[row.cluster % COLOURS.len()];
            root.draw(&Rectangle::new(band, colour.filled()))?;
        }
        if layout.row >= 9.0 {
            let middle = (y + below - gap) / 2;
            let at = (layout.map - 14, middle);
            let (radius, colour) = (3, RGBColor(40, 40, 40));
            match row.is_measured {
                true => root.draw(&Circle::new(at, radius, colour.filled()))?,
                false => root.draw(&Circle::new(at, radius, colour))?,
            }
            let size = (layout.row * 0.62).clamp(8.0, 12.0) as i32;
            let style = text(size, HPos::Right, VPos::Center);
            let label = shortened(&row.label, ((layout.map - 22 - layout.label) / 7) as usize);
            root.draw(&Text::new(label, (layout.map - 22, middle), style))?;
        }
    }
    // The locus within its flanks.
    if figure.locus != figure.span {
        for edge in [figure.locus.0, figure.locus.1] {
            let x = layout.map + figure.x(edge);
            for y in (layout.top - 6..layout.bottom + 4).step_by(7) {
                root.draw(&PathElement::new(vec![(x, y), (x, y + 4)], COLOURS[1]))?;
            }
        }
    }
    // Keys.
    let y = layout.bottom + 62;
    for step in 0..60 {
        let x = layout.map + step * 2;
        let cell = [(x, y), (x + 2, y + 10)];
        root.draw(&Rectangle::new(
            cell,
            shade(f64::from(step) / 59.0).filled(),
        ))?;
    }
    let key = format!("0 to {} {}", decimals(f64::from(highest), 2), figure.unit);
    let style = || text(11, HPos::Left, VPos::Center);
    root.draw(&Text::new(key, (layout.map + 128, y + 5), style()))?;
    let x = layout.map + MAP_WIDTH - 150;
    let colour = RGBColor(40, 40, 40);
    root.draw(&Circle::new((x, y + 5), 3, colour.filled()))?;
    root.draw(&Text::new("measured", (x + 8, y + 5), style()))?;
    root.draw(&Circle::new((x + 84, y + 5), 3, colour))?;
    root.draw(&Text::new("imputed", (x + 92, y + 5), style()))?;
    Ok(())
}

/// Cells of the map: from, to in pixels, and the columns whose mean each shows.
fn cells(figure: &LocusFigure, most: usize) -> Vec<(i32, i32, std::ops::Range<usize>)> {
    let n = figure.columns.len();
    let step = n.div_ceil(most.max(1)).max(1);
    let mut cells = Vec::new();
    let mut first = 0;
    while first < n {
        // A cell ends where the next column does not follow at once.
        let mut end = first + 1;
        while end < n && end - first < step && figure.columns[end].0 == figure.columns[end - 1].1 {
            end += 1;
        }
        let (from, to) = (
            figure.x(figure.columns[first].0),
            figure.x(figure.columns[end - 1].1),
        );
        cells.push((from, to.max(from + 1), first..end));
        first = end;
    }
    cells
}

fn coordinates(root: &Area<'_>, figure: &LocusFigure, layout: &Layout) -> Drawn {
    let y = layout.bottom + 4;
    let line = vec![(layout.map, y), (layout.map + MAP_WIDTH, y)];
    root.draw(&PathElement::new(line, BLACK))?;
    let (start, end) = figure.span;
    for step in 0..=2 {
        let position = start + (end - start) * step / 2;
        let x = layout.map + figure.x(position);
        root.draw(&PathElement::new(vec![(x, y), (x, y + 5)], BLACK))?;
        let h = [HPos::Left, HPos::Center, HPos::Right][step as usize];
        // Browsers count from 1.
        let label = grouped(if step == 2 { position } else { position + 1 });
        root.draw(&Text::new(label, (x, y + 8), text(11, h, VPos::Top)))?;
    }
    let middle = (layout.map + MAP_WIDTH / 2, y + 24);
    let style = text(12, HPos::Center, VPos::Top);
    root.draw(&Text::new(figure.chrom.as_str(), middle, style))?;
    Ok(())
}

fn surprises(root: &Area<'_>, figure: &LocusFigure, layout: &Layout) -> Drawn {
    let largest = figure.rows.iter().filter_map(|r| r.z).map(f64::abs);
    let limit = largest.filter(|z| z.is_finite()).fold(3.0, f64::max).ceil();
    let middle = layout.bars + BARS_WIDTH / 2;
    let half = f64::from(BARS_WIDTH / 2 - 4);
    let x = |z: f64| middle + (z.clamp(-limit, limit) / limit * half).round() as i32;
    let y = layout.bottom + 4;
    for mark in [-limit, 0.0, limit] {
        let x = x(mark);
        let colour = if mark == 0.0 { GREY } else { LIGHT };
        root.draw(&PathElement::new(vec![(x, layout.top), (x, y)], colour))?;
        let style = text(11, HPos::Center, VPos::Top);
        root.draw(&Text::new(decimals(mark, 0), (x, y + 4), style))?;
    }
    for (r, row) in figure.rows.iter().enumerate() {
        let (top, below) = (layout.y(r as f64), layout.y(r as f64 + 1.0));
        let pad = (layout.row * 0.2) as i32;
        let Some(z) = row.z.filter(|z| z.is_finite()) else {
            if layout.row >= 9.0 {
                let at = (middle + 5, (top + below) / 2);
                root.draw(&Text::new(
                    "undefined",
                    at,
                    text(10, HPos::Left, VPos::Center),
                ))?;
            }
            continue;
        };
        let stands_out = row.fdr.is_some_and(|f| f <= figure.fdr);
        let colour = if stands_out {
            COLOURS[1]
        } else {
            RGBColor(130, 130, 130)
        };
        let (a, b) = (x(0.0), x(z));
        let corners = [(a.min(b), top + pad), (a.max(b).max(a + 1), below - pad)];
        root.draw(&Rectangle::new(corners, colour.filled()))?;
    }
    let style = || text(11, HPos::Center, VPos::Top);
    let name = "z of the departure from";
    root.draw(&Text::new(name, (middle, y + 20), style()))?;
    root.draw(&Text::new("average activity", (middle, y + 33), style()))?;
    let y = layout.bottom + 62;
    let key = [(layout.bars + 14, y), (layout.bars + 26, y + 10)];
    root.draw(&Rectangle::new(key, COLOURS[1].filled()))?;
    let line = format!("FDR ≤ {}", figure.fdr);
    let style = text(11, HPos::Left, VPos::Center);
    root.draw(&Text::new(line, (layout.bars + 32, y + 5), style))?;
    Ok(())
}

fn shortened(label: &str, most: usize) -> String {
    match label.chars().count() > most.max(2) {
        true => label.chars().take(most.max(2) - 1).chain(['…']).collect(),
        false => label.to_string(),
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
            is_measured: i % 2 == 0,
            values: (0..n_columns).map(|c| (c + i as u64) as f32).collect(),
            cluster: usize::from(i > 0),
            z: (i > 0).then_some(i as f64 - 2.0),
            fdr: Some(if i == 1 { 0.01 } else { 0.5 }),
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
            fdr: 0.1,
        }
    }

    #[test]
    fn every_biosample_gene_and_end_is_named() {
        let svg = locus(&figure(3, 10)).unwrap();
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
            "FDR ≤ 0.1",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        // Two joins, and a circle for each row and each key.
        assert_eq!(svg.matches("<circle").count(), 3 + 2);
    }

    #[test]
    fn many_biosamples_and_long_loci_stay_small() {
        let svg = locus(&figure(400, 2_000)).unwrap();
        assert!(svg.matches("<rect").count() < 80_000);
        assert!(svg.len() < 12 << 20, "{}", svg.len());
        assert!(locus(&figure(1, 1)).unwrap().contains("</svg>"));
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
        assert_eq!(pack(&figure), (vec![vec![1, 2], vec![0]], 0));
        figure.genes = (0..9).map(|_| gene("X", 2_000, 5_000)).collect();
        assert_eq!(pack(&figure).1, 3);
    }
}
