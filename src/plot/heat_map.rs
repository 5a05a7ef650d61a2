//! Rows of short profiles as a heat map: one row a place, one column a track.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Profiles of several tracks at several places.
#[derive(Debug, Clone)]
pub struct HeatMap {
    /// What stands above it.
    pub title: String,
    /// The tracks: two lines each.
    pub columns: Vec<[String; 2]>,
    /// How many values a whole profile has.
    pub n_values: usize,
    /// The places, from top to bottom.
    pub rows: Vec<HeatMapRow>,
}

/// A place.
#[derive(Debug, Clone)]
pub struct HeatMapRow {
    /// What stands beside it.
    pub label: String,
    /// Where its values begin in a whole profile.
    pub first: usize,
    /// A profile for each column.
    pub values: Vec<Vec<f32>>,
    /// Whether it is what was asked for; set apart from the others.
    pub is_query: bool,
}

const LABEL_WIDTH: i32 = 290;
const HEADER_HEIGHT: i32 = 84;
const ROW_HEIGHT: i32 = 18;
const QUERY_GAP: i32 = 8;
const COLUMN_GAP: i32 = 5;
const MARGIN: i32 = 10;
/// Below the rows: the key of the colours.
const KEY_HEIGHT: i32 = 46;

impl HeatMap {
    /// Draws it. Colours run from white at 0 (or below) to dark at the highest value of the
    /// column's assay, so that tracks of one assay can be compared.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_svg(&self, path: &Path) -> std::io::Result<()> {
        let mut svg = String::new();
        self.draw(&mut svg)
            .map_err(|e| std::io::Error::other(e.to_string()))?;
        std::fs::write(path, svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let n_columns = self.columns.len().max(1) as i32;
        // Pixels of a value: few tracks are drawn wider.
        let pixels = (900 / (n_columns * self.n_values.max(1) as i32)).clamp(1, 3);
        let column = self.n_values as i32 * pixels + COLUMN_GAP;
        let width = LABEL_WIDTH + n_columns * column + 2 * MARGIN;
        let n_rows = self.rows.len() as i32;
        let height = HEADER_HEIGHT + n_rows * ROW_HEIGHT + QUERY_GAP + KEY_HEIGHT + MARGIN;
        let area = SVGBackend::with_string(svg, (width as u32, height as u32)).into_drawing_area();
        area.fill(&WHITE)?;
        let text = |size: i32, h, v| {
            let font = ("sans-serif", size).into_font().color(&BLACK);
            font.pos(Pos::new(h, v))
        };
        let title = text(15, HPos::Left, VPos::Top);
        area.draw(&Text::new(self.title.clone(), (MARGIN, MARGIN), title))?;
        for (i, [first, second]) in self.columns.iter().enumerate() {
            let x = LABEL_WIDTH + MARGIN + i as i32 * column + (column - COLUMN_GAP) / 2;
            let size = if column < 60 { 9 } else { 12 };
            let style = text(size, HPos::Center, VPos::Bottom);
            let y = HEADER_HEIGHT - 6;
            area.draw(&Text::new(first.clone(), (x, y - size - 3), style.clone()))?;
            area.draw(&Text::new(second.clone(), (x, y), style))?;
        }
        let highest = self.highest();
        let mut y = HEADER_HEIGHT;
        for (r, row) in self.rows.iter().enumerate() {
            let style = text(12, HPos::Right, VPos::Center);
            let at = (LABEL_WIDTH + MARGIN - 8, y + ROW_HEIGHT / 2);
            area.draw(&Text::new(row.label.clone(), at, style))?;
            for (i, values) in row.values.iter().enumerate() {
                let left = LABEL_WIDTH + MARGIN + i as i32 * column;
                let frame = [
                    (left, y + 1),
                    (left + column - COLUMN_GAP, y + ROW_HEIGHT - 1),
                ];
                area.draw(&Rectangle::new(frame, RGBColor(252, 252, 252).filled()))?;
                // What is white is the frame's.
                let drawn = values.iter().enumerate().filter(|(_, v)| **v > 0.0);
                for (v, value) in drawn {
                    let x = left + (row.first + v) as i32 * pixels;
                    let cell = [(x, y + 1), (x + pixels, y + ROW_HEIGHT - 1)];
                    let share = f64::from((value / highest[i]).clamp(0.0, 1.0));
                    area.draw(&Rectangle::new(cell, shade(share).filled()))?;
                }
            }
            y += ROW_HEIGHT;
            let next_is_hit = self.rows.get(r + 1).is_some_and(|next| !next.is_query);
            if row.is_query && next_is_hit {
                let line = vec![
                    (MARGIN, y + QUERY_GAP / 2),
                    (width - MARGIN, y + QUERY_GAP / 2),
                ];
                area.draw(&PathElement::new(line, RGBColor(120, 120, 120)))?;
                y += QUERY_GAP;
            }
        }
        y += 14;
        for step in 0..60 {
            let x = LABEL_WIDTH + MARGIN + step * 2;
            let cell = [(x, y), (x + 2, y + 10)];
            area.draw(&Rectangle::new(
                cell,
                shade(f64::from(step) / 59.0).filled(),
            ))?;
        }
        let style = text(11, HPos::Left, VPos::Center);
        let key = "0 to the highest value shown of the assay".to_string();
        area.draw(&Text::new(key, (LABEL_WIDTH + MARGIN + 128, y + 5), style))?;
        area.present()?;
        Ok(())
    }

    /// For each column the highest value of those that share its second line.
    fn highest(&self) -> Vec<f32> {
        let of_column = |i: usize| {
            let values = self
                .rows
                .iter()
                .filter_map(|row| row.values.get(i))
                .flatten();
            values.fold(0f32, |m, v| m.max(*v))
        };
        let own: Vec<f32> = (0..self.columns.len()).map(of_column).collect();
        let shared = |i: usize| {
            let alike = (self.columns.iter().zip(&own))
                .filter(|(other, _)| other[1] == self.columns[i][1])
                .map(|(_, m)| *m);
            alike.fold(f32::MIN_POSITIVE, f32::max)
        };
        (0..self.columns.len()).map(shared).collect()
    }
}

/// White to dark blue by way of light blue, even in lightness.
pub(super) fn shade(share: f64) -> RGBColor {
    const STOPS: [[f64; 3]; 4] = [
        [255.0, 255.0, 255.0],
        [166.0, 206.0, 227.0],
        [49.0, 130.0, 189.0],
        [8.0, 29.0, 88.0],
    ];
    let at = share * 3.0;
    let from = (at.floor() as usize).min(2);
    let part = at - from as f64;
    let mix = |c: usize| (STOPS[from][c] + part * (STOPS[from + 1][c] - STOPS[from][c])) as u8;
    RGBColor(mix(0), mix(1), mix(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_an_svg_with_every_label_and_a_cell_for_every_value() {
        let row = |label: &str, is_query, first, n: usize| HeatMapRow {
            label: label.into(),
            first,
            values: vec![vec![0.5; n], vec![1.0; n]],
            is_query,
        };
        let map = HeatMap {
            title: "title".into(),
            columns: vec![["S1".into(), "A".into()], ["S2".into(), "A".into()]],
            n_values: 5,
            rows: vec![row("asked", true, 0, 5), row("found", false, 2, 3)],
        };
        assert_eq!(map.highest(), [1.0, 1.0]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.svg");
        map.write_svg(&path).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        for part in ["<svg", "title", "S1", "S2", "asked", "found", "</svg>"] {
            assert!(svg.contains(part), "{part}");
        }
        // Background, frames, values, the key.
        assert_eq!(svg.matches("<rect").count(), 1 + 4 + 2 * (5 + 3) + 60);
        assert_eq!(shade(0.0), RGBColor(255, 255, 255));
        assert_eq!(shade(1.0), RGBColor(8, 29, 88));
    }
}
