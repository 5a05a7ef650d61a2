//! Rows of short profiles as a heat map: one row a place, one column a track.

use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::fonts::fitted;
use super::palette::Theme;

/// Profiles of several tracks at several places.
#[derive(Debug, Clone)]
pub struct HeatMap {
    /// What stands above it.
    pub title: String,
    /// The tracks, biosample and assay; those of one assay stand side by side.
    pub columns: Vec<[String; 2]>,
    /// How many values a whole profile has.
    pub n_values: usize,
    /// The value of a whole profile at which a line is drawn: the middle of every place.
    pub centre: Option<usize>,
    /// What the values are, with their unit.
    pub unit: String,
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

const ROW_HEIGHT: f64 = 18.0;
const QUERY_GAP: f64 = 8.0;
const COLUMN_GAP: f64 = 4.0;
const GROUP_GAP: f64 = 8.0;
const MARGIN: f64 = 14.0;
const MOST_LABEL: f64 = 330.0;
/// All columns together.
const WIDTH: f64 = 960.0;
/// Shades of a cell: as many as can be distinguished.
const STEPS: f64 = 32.0;

impl HeatMap {
    /// Draws it as SVG. Colours run from the paper at 0 (or below) to full at the highest value of
    /// the column's assay, so that tracks of one assay can be compared.
    pub fn svg(&self, theme: Theme) -> String {
        let label = TextStyle::new(11.0, theme.ink());
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|t| label.width(t)).fold(0.0, f64::max)
        };
        let left = widest(&mut self.rows.iter().map(|r| &r.label)).min(MOST_LABEL) + 8.0 + MARGIN;
        let n_columns = self.columns.len().max(1) as f64;
        let groups = self.groups();
        let gaps = COLUMN_GAP * n_columns + GROUP_GAP * groups.len() as f64;
        let profile = ((WIDTH - gaps) / n_columns).clamp(14.0, 3.0 * self.n_values.max(1) as f64);
        let names = widest(&mut self.columns.iter().map(|c| &c[0]));
        let names_are_turned = names > profile + COLUMN_GAP - 2.0;
        let names_height = if names_are_turned { names + 6.0 } else { 16.0 };
        let head = MARGIN + 24.0 + 20.0 + names_height;
        let mut xs = Vec::new();
        let mut x = left;
        for group in &groups {
            for _ in group.clone() {
                xs.push(x);
                x += profile + COLUMN_GAP;
            }
            x += GROUP_GAP;
        }
        let n_gaps = usize::from(self.rows.iter().any(|r| r.is_query)) as f64;
        let foot = head + self.rows.len() as f64 * ROW_HEIGHT + n_gaps * QUERY_GAP;
        let title = TextStyle::new(14.0, theme.ink()).bold();
        let width = (x + MARGIN)
            .max(left + 420.0)
            .max(title.width(&self.title) + 2.0 * MARGIN);
        let mut canvas = Canvas::new(width, foot + 44.0, theme);
        canvas.text((MARGIN, MARGIN + 7.0), &self.title, &title);
        let highest = self.highest();
        for group in &groups {
            let (from, to) = (xs[group.start], xs[group.end - 1] + profile);
            let y = MARGIN + 34.0;
            let assay = &self.columns[group.start][1];
            let whole = format!("{assay} (0–{:.2})", highest[group.start]);
            let space = to - from + GROUP_GAP;
            let text = match label.width(&whole) <= space {
                true => whole,
                false => fitted(assay, 11.0, space),
            };
            let style = label.anchored(Anchor::Middle).bold();
            canvas.text(((from + to) / 2.0, y), &text, &style);
            let rule = Stroke::new(theme.muted(), 1.0);
            canvas.line((from, y + 10.0), (to, y + 10.0), rule);
        }
        for (x, [biosample, _]) in xs.iter().zip(&self.columns) {
            let middle = x + profile / 2.0;
            match names_are_turned {
                true => canvas.text((middle, head - 5.0), biosample, &label.turned(-90.0)),
                false => {
                    let style = label.anchored(Anchor::Middle);
                    canvas.text((middle, head - 10.0), biosample, &style);
                }
            }
        }
        let mut y = head;
        for (r, row) in self.rows.iter().enumerate() {
            let text = fitted(&row.label, 11.0, MOST_LABEL);
            let style = label.anchored(Anchor::End);
            canvas.text((left - 8.0, y + ROW_HEIGHT / 2.0), &text, &style);
            for (i, values) in row.values.iter().enumerate() {
                let cells = Frame::new(xs[i], y + 1.0, profile, ROW_HEIGHT - 2.0);
                canvas.rectangle(cells, theme.background().mix(theme.faint(), 0.35));
                let mut colours = vec![None; self.n_values.max(row.first + values.len())];
                for (colour, value) in colours[row.first..].iter_mut().zip(values) {
                    if value.is_nan() {
                        *colour = Some(theme.faint().mix(theme.muted(), 0.25));
                        continue;
                    }
                    let share = f64::from((value / highest[i]).clamp(0.0, 1.0));
                    let step = (share * STEPS).round();
                    // What is empty is the frame's.
                    *colour = (step > 0.0).then(|| theme.shade(step / STEPS));
                }
                canvas.cells(cells, colours.len(), &colours);
            }
            y += ROW_HEIGHT;
            let next_is_hit = self.rows.get(r + 1).is_some_and(|next| !next.is_query);
            if row.is_query && next_is_hit {
                let line = y + QUERY_GAP / 2.0;
                let rule = Stroke::new(theme.muted(), 1.0);
                canvas.line((MARGIN, line), (x - GROUP_GAP, line), rule);
                y += QUERY_GAP;
            }
        }
        let mut marks = String::new();
        if let Some(centre) = self.centre.filter(|_| !self.rows.is_empty()) {
            let along = (centre as f64 + 0.5) / self.n_values.max(1) as f64;
            let stroke = Stroke::dashed(theme.ink(), 0.8, 2.0);
            for x in &xs {
                let at = x + along * profile;
                canvas.line((at, head), (at, foot), stroke);
            }
            marks = "; dashed line: middle of the query and of each hit".into();
        }
        let key = Frame::new(left, foot + 16.0, 120.0, 10.0);
        let shades: Vec<_> = (0..=60)
            .map(|s| Some(theme.shade(f64::from(s) / 60.0)))
            .collect();
        canvas.cells(key, shades.len(), &shades);
        canvas.outline(key, Stroke::new(theme.muted(), 0.6));
        let unit = &self.unit;
        let text = format!("{unit}, from 0 to the assay's highest value shown{marks}");
        canvas.text((key.right() + 8.0, key.y + 5.0), &text, &label);
        canvas.finish()
    }

    /// Columns of one assay that stand side by side.
    fn groups(&self) -> Vec<std::ops::Range<usize>> {
        let mut groups: Vec<std::ops::Range<usize>> = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            match groups.last_mut() {
                Some(last) if self.columns[last.start][1] == column[1] => last.end = i + 1,
                _ => groups.push(i..i + 1),
            }
        }
        groups
    }

    /// For each column the highest value of those that share its assay.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> HeatMap {
        let row = |label: &str, is_query, first, values: [f32; 2], n: usize| HeatMapRow {
            label: label.into(),
            first,
            values: values.iter().map(|v| vec![*v; n]).collect(),
            is_query,
        };
        HeatMap {
            title: "title".into(),
            columns: vec![["S1".into(), "A".into()], ["S2".into(), "A".into()]],
            n_values: 30,
            centre: Some(14),
            unit: "arcsinh(−log10 p)".into(),
            rows: vec![
                row("asked", true, 0, [0.5, 1.0], 5),
                row("found", false, 2, [0.5, 0.0], 3),
            ],
        }
    }

    #[test]
    fn a_map_has_every_label_and_one_scale_for_an_assay() {
        let map = map();
        assert_eq!(map.highest(), [1.0, 1.0]);
        assert_eq!((map.groups().len(), map.groups()[0].clone()), (1, 0..2));
        let svg = map.svg(Theme::Light);
        for part in [
            "<svg",
            "title",
            "S1",
            "S2",
            "asked",
            "found",
            "A (0–1.00)",
            "arcsinh(−log10 p), from 0 to",
            "</svg>",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        // A line in each column, and a word about it.
        let lines = |svg: &str| svg.matches("stroke-dasharray").count();
        assert_eq!(lines(&svg), 2);
        assert!(svg.contains("middle of the query"));
        let without = HeatMap {
            centre: None,
            ..map
        }
        .svg(Theme::Light);
        assert_eq!(lines(&without), 0);
        assert!(!without.contains("middle of the query"));
        // Half and full of the scale, beside the key's.
        let half = Theme::Light.shade(0.5).hex();
        assert!(svg.contains(&half) && svg.contains(&Theme::Light.shade(1.0).hex()));
    }

    #[test]
    fn an_empty_map_and_one_in_the_dark_are_drawn_as_well() {
        let map = HeatMap {
            rows: vec![],
            columns: vec![],
            ..map()
        };
        assert!(
            map.svg(Theme::Dark)
                .contains(&Theme::Dark.background().hex())
        );
    }
}
