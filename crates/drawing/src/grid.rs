//! A table of coloured cells: which experiments have been done.

use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::cloud::wrapped;
use super::fonts::fitted;
use super::palette::{Colour, Theme};

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// Nothing has been measured.
    Missing,
    /// Measured, and no model asked for knows it.
    Measured,
    /// Measured, and the model was trained on it.
    Trained,
    /// Measured, and kept from the model.
    Held,
    /// Added to the model later.
    Extended,
}

impl CellKind {
    const ALL: [CellKind; 5] = [
        CellKind::Measured,
        CellKind::Trained,
        CellKind::Extended,
        CellKind::Held,
        CellKind::Missing,
    ];

    fn text(self) -> &'static str {
        match self {
            CellKind::Missing => "not measured",
            CellKind::Measured => "measured",
            CellKind::Trained => "measured, trained on",
            CellKind::Held => "measured, held out",
            CellKind::Extended => "measured, added later",
        }
    }

    fn colour(self, theme: Theme) -> Colour {
        match self {
            CellKind::Missing => theme.background().mix(theme.faint(), 0.7),
            CellKind::Measured | CellKind::Trained => theme.category(0),
            CellKind::Held => theme.category(4),
            CellKind::Extended => theme.category(2),
        }
    }
}

/// Which experiments have been done.
#[derive(Debug, Clone)]
pub struct CoverageFigure {
    /// What stands above.
    pub title: String,
    /// The rows: biosamples.
    pub rows: Vec<String>,
    /// The columns: assays.
    pub columns: Vec<String>,
    /// A cell each, row by row.
    pub cells: Vec<CellKind>,
    /// A colour for each row; empty for none.
    pub row_colours: Vec<Option<Colour>>,
    /// Lines below.
    pub notes: Vec<String>,
}

const MARGIN: f64 = 16.0;
/// Letters on orange and green: dark in both themes.
const MARK: Colour = Colour(20, 20, 20);
const MOST_LABEL: f64 = 220.0;
const COUNT: f64 = 54.0;
const LEGEND: f64 = 170.0;

impl CoverageFigure {
    /// Draws it as SVG.
    pub fn svg(&self, theme: Theme) -> String {
        let (n_rows, n_columns) = (self.rows.len(), self.columns.len());
        let high = (900.0 / n_rows.max(1) as f64).clamp(3.0, 24.0);
        let wide = (900.0 / n_columns.max(1) as f64).clamp(3.0, 36.0);
        let (row_size, column_size) = ((high * 0.8).min(11.5), (wide * 0.8).min(11.5));
        let widest = |texts: &[String], size: f64| -> f64 {
            let style = TextStyle::new(size, theme.ink());
            let width = texts.iter().map(|t| style.width(t)).fold(0.0, f64::max);
            if size >= 5.5 {
                width.min(MOST_LABEL)
            } else {
                0.0
            }
        };
        let labels = widest(&self.rows, row_size);
        let strip = if self.row_colours.len() == n_rows {
            16.0
        } else {
            0.0
        };
        // The row of counts below has a name as well.
        let counts = TextStyle::new(10.5, theme.muted()).width("tracks");
        let left = MARGIN + (labels + strip).max(counts) + 8.0;
        let top = 54.0 + widest(&self.columns, column_size) + 8.0;
        let frame = Frame::new(left, top, wide * n_columns as f64, high * n_rows as f64);
        let legend_x = frame.right() + COUNT + MARGIN;
        let title = TextStyle::new(15.0, theme.ink()).bold();
        let width = (legend_x + LEGEND + MARGIN).max(title.width(&self.title) + 2.0 * MARGIN);
        let note = TextStyle::new(10.5, theme.muted());
        let lines = wrapped(&self.notes, &note, width - 2.0 * MARGIN);
        let foot = frame.bottom().max(top + 130.0) + 44.0;
        let mut canvas = Canvas::new(width, foot + 15.0 * lines.len() as f64 + MARGIN, theme);
        canvas.text((MARGIN, 24.0), &self.title, &title);
        self.draw_cells(&mut canvas, &frame, wide, high);
        let row_style = TextStyle::new(row_size, theme.ink());
        let column_style = TextStyle::new(column_size, theme.ink());
        for (i, name) in self.rows.iter().enumerate() {
            let y = top + (i as f64 + 0.5) * high;
            if row_size >= 5.5 {
                let text = fitted(name, row_size, MOST_LABEL);
                canvas.text(
                    (left - strip - 6.0, y),
                    &text,
                    &row_style.anchored(Anchor::End),
                );
                let n = self.done(i * n_columns..(i + 1) * n_columns, 1);
                canvas.text((frame.right() + 8.0, y), &n.to_string(), &row_style);
            }
            if let Some(Some(colour)) = self.row_colours.get(i).filter(|_| strip > 0.0) {
                canvas.rectangle(Frame::new(left - 16.0, y - high / 2.0, 12.0, high), *colour);
            }
        }
        for (j, name) in self.columns.iter().enumerate() {
            let x = left + (j as f64 + 0.5) * wide;
            if column_size >= 5.5 {
                let text = fitted(name, column_size, MOST_LABEL);
                canvas.text((x, top - 6.0), &text, &column_style.turned(-90.0));
                let n = self.done(j..self.cells.len(), n_columns.max(1));
                canvas.text(
                    (x, frame.bottom() + 12.0),
                    &n.to_string(),
                    &column_style.anchored(Anchor::Middle),
                );
            }
        }
        let small = TextStyle::new(10.5, theme.muted());
        if row_size >= 5.5 {
            canvas.text((frame.right() + 6.0, top - 10.0), "tracks", &small);
        }
        if column_size >= 5.5 {
            canvas.text(
                (left - 6.0, frame.bottom() + 12.0),
                "tracks",
                &small.anchored(Anchor::End),
            );
        }
        self.draw_legend(&mut canvas, legend_x, top);
        for (i, line) in lines.iter().enumerate() {
            canvas.text((MARGIN, foot + 15.0 * i as f64), line, &note);
        }
        canvas.finish()
    }

    fn draw_cells(&self, canvas: &mut Canvas, frame: &Frame, wide: f64, high: f64) {
        let theme = canvas.theme();
        let colours: Vec<Option<Colour>> =
            self.cells.iter().map(|c| Some(c.colour(theme))).collect();
        canvas.cells(*frame, self.columns.len(), &colours);
        let paper = theme.background();
        let grid = |cell: f64| Stroke::new(paper, if cell > 8.0 { 1.5 } else { 0.5 });
        for j in 1..self.columns.len() {
            let x = frame.x + j as f64 * wide;
            canvas.line((x, frame.y), (x, frame.bottom()), grid(wide));
        }
        for i in 1..self.rows.len() {
            let y = frame.y + i as f64 * high;
            canvas.line((frame.x, y), (frame.right(), y), grid(high));
        }
        // Told by shape as well as by colour.
        if wide >= 10.0 && high >= 10.0 {
            let mark = TextStyle::new((high * 0.6).min(11.0), MARK)
                .anchored(Anchor::Middle)
                .bold();
            for (place, cell) in self.cells.iter().enumerate() {
                let letter = match cell {
                    CellKind::Held => "H",
                    CellKind::Extended => "+",
                    _ => continue,
                };
                let (i, j) = (place / self.columns.len(), place % self.columns.len());
                let at = (
                    frame.x + (j as f64 + 0.5) * wide,
                    frame.y + (i as f64 + 0.5) * high,
                );
                canvas.text(at, letter, &mark);
            }
        }
    }

    fn draw_legend(&self, canvas: &mut Canvas, x: f64, top: f64) {
        let theme = canvas.theme();
        let style = TextStyle::new(11.5, theme.ink());
        let kinds = CellKind::ALL.into_iter().filter(|k| self.cells.contains(k));
        for (i, kind) in kinds.enumerate() {
            let y = top + 10.0 + 20.0 * i as f64;
            let n = self.cells.iter().filter(|c| **c == kind).count();
            let key = Frame::new(x, y - 7.0, 14.0, 14.0);
            canvas.rectangle(key, kind.colour(theme));
            canvas.outline(key, Stroke::new(theme.muted(), 0.5));
            let letter = match kind {
                CellKind::Held => "H",
                CellKind::Extended => "+",
                _ => "",
            };
            let mark = TextStyle::new(9.5, MARK).anchored(Anchor::Middle).bold();
            canvas.text((x + 7.0, y), letter, &mark);
            canvas.text((x + 20.0, y), &format!("{} ({n})", kind.text()), &style);
        }
    }

    fn done(&self, cells: std::ops::Range<usize>, step: usize) -> usize {
        let some = self.cells[cells].iter().step_by(step);
        some.filter(|c| **c != CellKind::Missing).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_by_row_by_column_and_by_kind() {
        let figure = CoverageFigure {
            title: "t".into(),
            rows: vec!["E003".into(), "E017".into()],
            columns: vec!["H3K4me1".into(), "H3K4me3".into(), "DNase".into()],
            cells: vec![
                CellKind::Trained,
                CellKind::Held,
                CellKind::Missing,
                CellKind::Trained,
                CellKind::Missing,
                CellKind::Missing,
            ],
            row_colours: vec![Some(Colour(1, 2, 3)), None],
            notes: vec!["n".into()],
        };
        assert_eq!((figure.done(0..3, 1), figure.done(3..6, 1)), (2, 1));
        assert_eq!(
            (
                figure.done(0..6, 3),
                figure.done(1..6, 3),
                figure.done(2..6, 3)
            ),
            (2, 1, 0)
        );
        let svg = figure.svg(Theme::Light);
        for part in [
            "E017",
            "DNase",
            "measured, trained on (2)",
            "measured, held out (1)",
            "not measured (3)",
            "#010203",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        let empty = CoverageFigure {
            rows: vec![],
            columns: vec![],
            cells: vec![],
            row_colours: vec![],
            ..figure
        };
        assert!(empty.svg(Theme::Dark).contains("</svg>"));
    }
}
