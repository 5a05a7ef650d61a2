//! Tracks along a region, one below the other, genes above them.

use super::axis::{marks, position_marks};
use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::cloud::wrapped;
use super::fonts::fitted;
use super::genes::GeneRows;
use super::palette::{Colour, Theme};
use persea_genome::{BIN_BP, Gene, Interval};

/// Where the values of a row come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackKind {
    /// Measured.
    Observed,
    /// Imputed by a model.
    Imputed,
    /// The mean of the assay over other biosamples.
    Average,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackRow {
    /// The experiment, biosample and assay: rows that follow each other and share it stand together.
    pub experiment: [String; 2],
    /// Rows that share it share their scale.
    pub scale_group: String,
    /// What the row is.
    pub label: String,
    /// Where its values come from.
    pub kind: TrackKind,
    /// A value each bin of the region; NaN where there is none.
    pub values: Vec<f32>,
}

/// Tracks along a region.
#[derive(Debug, Clone)]
pub struct TracksFigure {
    /// What stands above.
    pub title: String,
    /// The region, in whole bins.
    pub region: Interval,
    /// The assembly's name.
    pub assembly: String,
    /// What the values are, with their unit.
    pub unit: String,
    /// Genes, those elsewhere among them.
    pub genes: Vec<Gene>,
    /// Stretches to be marked behind the tracks: enhancers.
    pub marked: Vec<Interval>,
    /// What is marked.
    pub marked_name: String,
    /// The rows, from top to bottom.
    pub rows: Vec<TrackRow>,
    /// Lines below.
    pub notes: Vec<String>,
}

const WIDTH: f64 = 760.0;
/// Biosample and assay, then what each row is.
const EXPERIMENTS: f64 = 84.0;
const LABELS: f64 = EXPERIMENTS + 132.0;
const ROW: f64 = 40.0;
const GROUP_GAP: f64 = 12.0;
const MARGIN: f64 = 16.0;

impl TracksFigure {
    /// Draws it as SVG.
    pub fn svg(&self, theme: Theme) -> String {
        let left = MARGIN + LABELS + 48.0;
        let genes = GeneRows::of(&self.genes, &self.region, WIDTH);
        let width = left + WIDTH + MARGIN + 8.0;
        let note = TextStyle::new(10.5, theme.muted());
        let mut notes = self.notes.clone();
        let n_bins = self.rows.first().map_or(0, |r| r.values.len());
        let n_columns = n_bins.min(WIDTH as usize);
        if n_bins > n_columns && n_columns > 0 {
            let each = n_bins as f64 / n_columns as f64;
            notes.push(format!("A column is the mean of {each:.1} bins of 25 bp."));
        }
        let lines = wrapped(&notes, &note, width - 2.0 * MARGIN);
        let top = 48.0;
        let rows_top = top + genes.height() + 14.0;
        let n_groups = self.groups().len() as f64;
        let foot = rows_top + self.rows.len() as f64 * ROW + (n_groups - 1.0).max(0.0) * GROUP_GAP;
        let height = foot + 56.0 + 15.0 * lines.len() as f64 + MARGIN;
        let mut canvas = Canvas::new(width, height, theme);
        let title = TextStyle::new(15.0, theme.ink()).bold();
        canvas.text(
            (MARGIN, 24.0),
            &fitted(&self.title, 16.5, width - 2.0 * MARGIN),
            &title,
        );
        let small = TextStyle::new(11.0, theme.ink());
        let middle = top + genes.height() / 2.0;
        canvas.text((MARGIN, middle), "genes", &small.bold());
        self.draw_marked(&mut canvas, left, top - 4.0, foot);
        genes.draw(&mut canvas, &Frame::new(left, top, WIDTH, genes.height()));
        let mut y = rows_top;
        for (g, group) in self.groups().into_iter().enumerate() {
            if g > 0 {
                y += GROUP_GAP;
            }
            let from = y;
            for row in &self.rows[group.clone()] {
                self.draw_row(
                    &mut canvas,
                    row,
                    &Frame::new(left, y, WIDTH, ROW),
                    n_columns,
                );
                y += ROW;
            }
            let style = TextStyle::new(11.5, theme.ink()).bold();
            let names = &self.rows[group.start].experiment;
            for (i, name) in names.iter().enumerate() {
                let text = fitted(name, 11.5 * 1.1, EXPERIMENTS - 4.0);
                canvas.text(
                    (MARGIN, (from + y) / 2.0 + 15.0 * i as f64 - 7.5),
                    &text,
                    &style,
                );
            }
        }
        self.draw_positions(&mut canvas, left, foot);
        // The unit, along the rows.
        let unit = TextStyle::new(11.0, theme.ink())
            .anchored(Anchor::Middle)
            .turned(-90.0);
        canvas.text((left - 42.0, (rows_top + foot) / 2.0), &self.unit, &unit);
        for (i, line) in lines.iter().enumerate() {
            canvas.text((MARGIN, foot + 56.0 + 15.0 * i as f64), line, &note);
        }
        canvas.finish()
    }

    fn groups(&self) -> Vec<std::ops::Range<usize>> {
        let mut groups: Vec<std::ops::Range<usize>> = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            match groups.last_mut() {
                Some(g) if self.rows[g.start].experiment == row.experiment => g.end = i + 1,
                _ => groups.push(i..i + 1),
            }
        }
        groups
    }

    /// The highest value of the rows that share a scale.
    fn highest(&self, scale_group: &str) -> f64 {
        let values = (self.rows.iter())
            .filter(|r| r.scale_group == scale_group)
            .flat_map(|r| columns(&r.values, r.values.len().min(WIDTH as usize)));
        let highest = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
        if highest > 0.0 { highest } else { 1.0 }
    }

    fn draw_row(&self, canvas: &mut Canvas, row: &TrackRow, frame: &Frame, n_columns: usize) {
        let theme = canvas.theme();
        let highest = self.highest(&row.scale_group);
        let (top, bottom) = (frame.y + 5.0, frame.bottom() - 3.0);
        let place = |v: f64| bottom - (v / highest).clamp(0.0, 1.0) * (bottom - top);
        let colour = colour_of(row.kind, theme);
        let all = columns(&row.values, n_columns);
        let step = frame.width / all.len().max(1) as f64;
        let mut start = 0;
        while start < all.len() {
            let length = all[start..].iter().take_while(|v| v.is_finite()).count();
            if length == 0 {
                let gap = all[start..].iter().take_while(|v| !v.is_finite()).count();
                let hole = Frame::new(
                    frame.x + start as f64 * step,
                    bottom - 3.0,
                    gap as f64 * step,
                    3.0,
                );
                canvas.rectangle(hole, theme.faint());
                start += gap;
                continue;
            }
            let mut edge = vec![(frame.x + start as f64 * step, bottom)];
            for (i, v) in all[start..start + length].iter().enumerate() {
                let x = frame.x + (start + i) as f64 * step;
                edge.push((x, place(*v)));
                edge.push((x + step, place(*v)));
            }
            edge.push((frame.x + (start + length) as f64 * step, bottom));
            canvas.polygon(&edge, colour, 1.0);
            start += length;
        }
        canvas.line(
            (frame.x, bottom),
            (frame.right(), bottom),
            Stroke::new(theme.muted(), 0.7),
        );
        let small = TextStyle::new(9.5, theme.ink()).anchored(Anchor::End);
        let marked = marks(0.0, highest, 3);
        let last = marked.last().cloned().unwrap_or((0.0, String::new()));
        for (at, text) in [(0.0, "0".to_string()), last] {
            canvas.line(
                (frame.x - 4.0, place(at)),
                (frame.x, place(at)),
                Stroke::new(theme.muted(), 0.8),
            );
            canvas.text((frame.x - 6.0, place(at).max(top + 3.0)), &text, &small);
        }
        canvas.line(
            (frame.x, top),
            (frame.x, bottom),
            Stroke::new(theme.muted(), 0.8),
        );
        let style = TextStyle::new(10.5, colour.mix(theme.ink(), 0.25));
        let x = MARGIN + EXPERIMENTS;
        let lines = wrapped(
            std::slice::from_ref(&row.label),
            &style,
            LABELS - EXPERIMENTS,
        );
        let first = (top + bottom) / 2.0 - 6.5 * (lines.len() as f64 - 1.0);
        for (i, line) in lines.iter().enumerate() {
            canvas.text((x, first + 13.0 * i as f64), line, &style);
        }
    }

    fn draw_marked(&self, canvas: &mut Canvas, left: f64, top: f64, bottom: f64) {
        let length = self.region.len().max(1) as f64;
        let place = |at: u64| {
            left + (at.clamp(self.region.start, self.region.end) - self.region.start) as f64
                / length
                * WIDTH
        };
        let colour = canvas
            .theme()
            .background()
            .mix(super::palette::CATEGORIES[4], 0.22);
        for interval in self.marked.iter().filter(|i| i.chrom == self.region.chrom) {
            let (from, to) = (place(interval.start), place(interval.end));
            if to > from {
                canvas.rectangle(
                    Frame::new(from, top, (to - from).max(1.0), bottom - top),
                    colour,
                );
            }
        }
    }

    fn draw_positions(&self, canvas: &mut Canvas, left: f64, foot: f64) {
        let theme = canvas.theme();
        let small = TextStyle::new(11.0, theme.ink()).anchored(Anchor::Middle);
        let length = self.region.len().max(1) as f64;
        let (all, unit) = position_marks(self.region.start, self.region.end, 8);
        let axis = Stroke::new(theme.muted(), 1.0);
        canvas.line((left, foot + 4.0), (left + WIDTH, foot + 4.0), axis);
        for (at, text) in all {
            let x = left + (at - self.region.start as f64) / length * WIDTH;
            canvas.line((x, foot + 4.0), (x, foot + 9.0), axis);
            let half = small.width(&text) / 2.0;
            canvas.text(
                (x.min(left + WIDTH + MARGIN - half), foot + 18.0),
                &text,
                &small,
            );
        }
        let mut name = format!(
            "position on {} ({}), {unit}",
            self.region.chrom, self.assembly
        );
        if !self.marked.is_empty() && !self.marked_name.is_empty() {
            name.push_str(&format!("; shaded: {}", self.marked_name));
        }
        canvas.text(
            (left + WIDTH / 2.0, foot + 36.0),
            &name,
            &TextStyle::new(11.5, theme.ink()).anchored(Anchor::Middle),
        );
    }
}

/// The colour of what comes from there.
fn colour_of(kind: TrackKind, theme: Theme) -> Colour {
    match kind {
        TrackKind::Observed => theme.category(0),
        TrackKind::Imputed => theme.category(1),
        TrackKind::Average => theme.muted(),
    }
}

/// Means over equal stretches; NaN where none of a stretch has a value.
pub(super) fn columns(values: &[f32], n: usize) -> Vec<f64> {
    let n = n.clamp(1, values.len().max(1));
    (0..n)
        .map(|i| {
            let part = &values[i * values.len() / n..(i + 1) * values.len() / n];
            let known = part.iter().filter(|v| v.is_finite());
            let (sum, count) = known.fold((0.0, 0u32), |(s, c), v| (s + f64::from(*v), c + 1));
            if count > 0 {
                sum / f64::from(count)
            } else {
                f64::NAN
            }
        })
        .collect()
}

/// A region rounded outward to whole bins.
pub fn whole_bins(region: &Interval) -> Interval {
    Interval::new(
        &region.chrom,
        region.start / BIN_BP * BIN_BP,
        region.end.div_ceil(BIN_BP) * BIN_BP,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_means_and_know_where_nothing_is_known() {
        let nan = f32::NAN;
        assert_eq!(columns(&[1.0, 3.0, nan, 5.0], 2), [2.0, 5.0]);
        assert!(columns(&[nan, nan, 1.0], 3)[1].is_nan());
        assert_eq!(columns(&[1.0, 2.0], 9), [1.0, 2.0]);
    }

    #[test]
    fn rows_of_an_experiment_stand_together_and_share_a_scale() {
        let row = |experiment: &str, label: &str, kind, values: Vec<f32>| TrackRow {
            experiment: [experiment.into(), "H3K4me3".into()],
            scale_group: "H3K4me3".into(),
            label: label.into(),
            kind,
            values,
        };
        let figure = TracksFigure {
            title: "title".into(),
            region: Interval::new("chr1", 1_000, 1_100),
            assembly: "hg19".into(),
            unit: "arcsinh(−log10 p)".into(),
            genes: Vec::new(),
            marked: vec![Interval::new("chr1", 1_025, 1_050)],
            marked_name: "enhancers".into(),
            rows: vec![
                row(
                    "E003",
                    "observed",
                    TrackKind::Observed,
                    vec![0.0, 4.0, 1.0, f32::NAN],
                ),
                row(
                    "E003",
                    "imputed",
                    TrackKind::Imputed,
                    vec![0.0, 2.0, 1.0, 0.5],
                ),
                row(
                    "E017",
                    "average",
                    TrackKind::Average,
                    vec![-1.0, 2.0, 1.0, 0.5],
                ),
            ],
            notes: vec!["a note".into()],
        };
        assert_eq!(figure.groups(), [0..2, 2..3]);
        assert_eq!(figure.highest("H3K4me3"), 4.0);
        let svg = figure.svg(Theme::Light);
        for part in [
            "E003",
            ">H3K4me3<",
            "imputed",
            "no gene here",
            "position on chr1 (hg19), bp; shaded: enhancers",
            "a note",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains("NaN"));
    }
}
