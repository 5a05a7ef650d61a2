//! Genes along a region, above what is drawn of it.

use super::canvas::{Canvas, Frame, Stroke, TextStyle};
use persea_genome::{Gene, Interval, Strand};

/// Rows of genes at most; what finds no place is counted.
const MOST_ROWS: usize = 6;
const ROW: f64 = 17.0;

/// Genes packed into rows in which none touches another.
pub(super) struct GeneRows<'a> {
    region: &'a Interval,
    rows: Vec<Vec<&'a Gene>>,
    n_hidden: usize,
}

impl<'a> GeneRows<'a> {
    /// Those that touch a region, packed for a drawing so wide.
    pub(super) fn of(genes: &'a [Gene], region: &'a Interval, width: f64) -> Self {
        let touches = |g: &&Gene| {
            g.interval.chrom == region.chrom
                && g.interval.start < region.end
                && region.start < g.interval.end
        };
        let mut inside: Vec<&Gene> = genes.iter().filter(touches).collect();
        inside.sort_by_key(|g| (g.interval.start, g.interval.end));
        let mut ends: Vec<f64> = Vec::new();
        let mut rows: Vec<Vec<&Gene>> = Vec::new();
        let mut n_hidden = 0;
        for gene in inside {
            let (from, to) = extent(gene, region, width);
            let (name, _) = name_place(gene, from, to, width);
            let begins = from.min(name);
            let ends_at = to.max(name + name_width(gene)) + 8.0;
            match ends.iter().position(|end| *end <= begins) {
                Some(row) => {
                    rows[row].push(gene);
                    ends[row] = ends_at;
                }
                None if rows.len() < MOST_ROWS => {
                    rows.push(vec![gene]);
                    ends.push(ends_at);
                }
                None => n_hidden += 1,
            }
        }
        GeneRows {
            region,
            rows,
            n_hidden,
        }
    }

    /// How high they are.
    pub(super) fn height(&self) -> f64 {
        let lines = self.rows.len() + usize::from(self.n_hidden > 0);
        lines.max(1) as f64 * ROW
    }

    /// Draws them.
    pub(super) fn draw(&self, canvas: &mut Canvas, frame: &Frame) {
        let theme = canvas.theme();
        let colour = theme.category(0);
        let name = TextStyle::new(10.5, theme.ink()).italic();
        let note = TextStyle::new(10.5, theme.muted());
        if self.rows.is_empty() {
            canvas.text((frame.x, frame.y + ROW / 2.0), "no gene here", &note);
            return;
        }
        for (i, row) in self.rows.iter().enumerate() {
            let y = frame.y + (i as f64 + 0.5) * ROW;
            for gene in row {
                let (from, to) = extent(gene, self.region, frame.width);
                let (from, to) = (frame.x + from, frame.x + to);
                let body = Frame::new(from, y - 3.0, (to - from).max(1.0), 6.0);
                canvas.rectangle(body, colour.mix(theme.background(), 0.35));
                let pen = Stroke::new(theme.background(), 1.2);
                let points = match gene.strand {
                    Strand::Forward => 1.0,
                    Strand::Reverse => -1.0,
                };
                let mut x = from + 7.0;
                while x < to - 4.0 {
                    let tip = x + 1.8 * points;
                    let back = x - 1.8 * points;
                    canvas.polyline(&[(back, y - 2.4), (tip, y), (back, y + 2.4)], pen);
                    x += 14.0;
                }
                // Where it is transcribed from, if that is in sight.
                let start = gene.tss();
                if start >= self.region.start && start < self.region.end {
                    let at = if points > 0.0 { from } else { to };
                    canvas.line((at, y - 6.0), (at, y + 3.0), Stroke::new(colour, 1.6));
                    canvas.polygon(
                        &[(at, y - 8.5), (at + 5.5 * points, y - 6.0), (at, y - 3.5)],
                        colour,
                        1.0,
                    );
                }
                let (place, is_inside) =
                    name_place(gene, from - frame.x, to - frame.x, frame.width);
                let at = frame.x + place;
                if is_inside {
                    let behind = Frame::new(at - 2.0, y - 6.0, name_width(gene) + 4.0, 12.0);
                    canvas.rectangle(behind, theme.background());
                }
                canvas.text((at, y), &gene.name, &name);
            }
        }
        if self.n_hidden > 0 {
            let text = format!("{} more genes are not shown", self.n_hidden);
            let y = frame.y + (self.rows.len() as f64 + 0.5) * ROW;
            canvas.text((frame.x, y), &text, &note);
        }
    }
}

/// From where to where a gene is drawn.
fn extent(gene: &Gene, region: &Interval, width: f64) -> (f64, f64) {
    let length = region.len().max(1) as f64;
    let place =
        |at: u64| (at.clamp(region.start, region.end) - region.start) as f64 / length * width;
    (place(gene.interval.start), place(gene.interval.end))
}

/// Where a gene's name begins, and whether that is on the gene: to its left if there is room, else to its
/// right, else on it.
fn name_place(gene: &Gene, from: f64, to: f64, width: f64) -> (f64, bool) {
    let name = name_width(gene);
    if from - 5.0 - name >= 0.0 {
        (from - 5.0 - name, false)
    } else if to + 6.0 + name <= width {
        (to + 6.0, false)
    } else {
        (from.max(0.0) + 4.0, true)
    }
}

fn name_width(gene: &Gene) -> f64 {
    super::fonts::text_width(&gene.name, 10.5, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gene(name: &str, start: u64, end: u64, strand: Strand) -> Gene {
        Gene {
            id: name.into(),
            name: name.into(),
            interval: Interval::new("chr1", start, end),
            strand,
            transcript_starts: Vec::new(),
        }
    }

    #[test]
    fn genes_that_would_touch_stand_in_rows_of_their_own_and_too_many_are_counted() {
        let region = Interval::new("chr1", 1_000, 11_000);
        let mut genes = vec![
            gene("A", 2_000, 4_000, Strand::Forward),
            gene("B", 3_000, 5_000, Strand::Reverse),
            gene("C", 8_000, 9_000, Strand::Forward),
            gene("ELSEWHERE", 20_000, 21_000, Strand::Forward),
        ];
        let rows = GeneRows::of(&genes, &region, 800.0);
        assert_eq!(
            (rows.rows.len(), rows.rows[0].len(), rows.n_hidden),
            (2, 2, 0)
        );
        genes.extend((0..9).map(|i| gene(&format!("D{i}"), 5_000, 6_000, Strand::Forward)));
        let rows = GeneRows::of(&genes, &region, 800.0);
        assert_eq!(rows.rows.len(), MOST_ROWS);
        assert!(rows.n_hidden > 0);
        let mut canvas = Canvas::new(900.0, 200.0, super::super::Theme::Light);
        rows.draw(&mut canvas, &Frame::new(50.0, 10.0, 800.0, rows.height()));
        let svg = canvas.finish();
        assert!(svg.contains("more genes are not shown") && !svg.contains("ELSEWHERE"));
    }
}
