//! Genome factors along a region: a row a factor, the scales one below the other.

use super::axis::position_marks;
use super::canvas::{Anchor, Canvas, Frame, Stroke, TextStyle};
use super::cloud::wrapped;
use super::fonts::fitted;
use super::genes::GeneRows;
use super::palette::{Colour, Theme};
use persea_genome::{Gene, Interval};

/// The factors of one scale along the region.
#[derive(Debug, Clone)]
pub struct FactorRows {
    /// The scale's name.
    pub scale: String,
    /// A row a factor, a value each column of the drawing; NaN where nothing is known.
    pub rows: Vec<Vec<f64>>,
}

/// Genome factors along a region.
#[derive(Debug, Clone)]
pub struct FactorFigure {
    /// What stands above.
    pub title: String,
    /// The region.
    pub region: Interval,
    /// The assembly's name.
    pub assembly: String,
    /// Genes, those elsewhere among them.
    pub genes: Vec<Gene>,
    /// The scales.
    pub scales: Vec<FactorRows>,
    /// Lines below.
    pub notes: Vec<String>,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 104.0;
const MARGIN: f64 = 16.0;
const GAP: f64 = 12.0;
const KEY: f64 = 150.0;
/// Where colours are full: standard deviations from the factor's mean.
const FULL: f64 = 2.5;
const STEPS: f64 = 20.0;

impl FactorFigure {
    /// Draws it as SVG. Each factor is shown less its mean along the region, in its standard deviations.
    pub fn svg(&self, theme: Theme) -> String {
        let n_rows: usize = self.scales.iter().map(|s| s.rows.len()).sum();
        let row = (520.0 / n_rows.max(1) as f64).clamp(4.0, 12.0);
        let genes = GeneRows::of(&self.genes, &self.region, WIDTH);
        let top = 48.0 + genes.height() + 12.0;
        let foot = top + row * n_rows as f64 + GAP * self.scales.len().saturating_sub(1) as f64;
        let width = LEFT + WIDTH + MARGIN + KEY;
        let note = TextStyle::new(10.5, theme.muted());
        let lines = wrapped(&self.notes, &note, width - 2.0 * MARGIN);
        let mut canvas = Canvas::new(
            width,
            foot + 58.0 + 15.0 * lines.len() as f64 + MARGIN,
            theme,
        );
        let title = TextStyle::new(15.0, theme.ink()).bold();
        canvas.text(
            (MARGIN, 24.0),
            &fitted(&self.title, 16.5, width - 2.0 * MARGIN),
            &title,
        );
        let bold = TextStyle::new(11.5, theme.ink()).bold();
        canvas.text((MARGIN, 48.0 + genes.height() / 2.0), "genes", &bold);
        genes.draw(&mut canvas, &Frame::new(LEFT, 48.0, WIDTH, genes.height()));
        let mut y = top;
        for scale in &self.scales {
            let frame = Frame::new(LEFT, y, WIDTH, row * scale.rows.len() as f64);
            let n_columns = scale.rows.first().map_or(0, Vec::len);
            let mut colours: Vec<Option<Colour>> = Vec::new();
            for values in &scale.rows {
                colours.extend(standardised(values).into_iter().map(|v| {
                    let share = (v / FULL).clamp(-1.0, 1.0);
                    v.is_finite()
                        .then(|| theme.diverging((share * STEPS).round() / STEPS))
                }));
            }
            canvas.rectangle(frame, theme.faint());
            canvas.cells(frame, n_columns, &colours);
            canvas.outline(frame, Stroke::new(theme.muted(), 0.8));
            let middle = y + frame.height / 2.0;
            canvas.text((MARGIN, middle - 7.0), &scale.scale, &bold);
            let count = format!("{} factors", scale.rows.len());
            canvas.text(
                (MARGIN, middle + 7.0),
                &count,
                &TextStyle::new(10.5, theme.ink()),
            );
            y = frame.bottom() + GAP;
        }
        self.draw_positions(&mut canvas, foot);
        draw_key(&mut canvas, LEFT + WIDTH + MARGIN + 10.0, top);
        for (i, line) in lines.iter().enumerate() {
            canvas.text((MARGIN, foot + 58.0 + 15.0 * i as f64), line, &note);
        }
        canvas.finish()
    }

    fn draw_positions(&self, canvas: &mut Canvas, foot: f64) {
        let theme = canvas.theme();
        let small = TextStyle::new(11.0, theme.ink()).anchored(Anchor::Middle);
        let length = self.region.len().max(1) as f64;
        let (all, unit) = position_marks(self.region.start, self.region.end, 8);
        for (at, text) in all {
            let x = LEFT + (at - self.region.start as f64) / length * WIDTH;
            canvas.line((x, foot), (x, foot + 5.0), Stroke::new(theme.muted(), 1.0));
            canvas.text((x, foot + 14.0), &text, &small);
        }
        let name = format!(
            "position on {} ({}), {unit}",
            self.region.chrom, self.assembly
        );
        canvas.text((LEFT + WIDTH / 2.0, foot + 34.0), &name, &small);
    }
}

fn draw_key(canvas: &mut Canvas, x: f64, top: f64) {
    let theme = canvas.theme();
    let style = TextStyle::new(11.0, theme.ink());
    for (i, line) in ["factor less its", "mean here, in", "standard deviations"]
        .into_iter()
        .enumerate()
    {
        canvas.text((x, top + 6.0 + 14.0 * i as f64), line, &style);
    }
    let bar = Frame::new(x, top + 52.0, 14.0, 120.0);
    let shades: Vec<Option<Colour>> = (0..=60)
        .map(|i| Some(theme.diverging(1.0 - f64::from(i) / 30.0)))
        .collect();
    canvas.cells(bar, 1, &shades);
    canvas.outline(bar, Stroke::new(theme.muted(), 0.6));
    for (share, text) in [
        (0.0, format!("≥ {FULL}")),
        (0.5, "0".into()),
        (1.0, format!("≤ −{FULL}")),
    ] {
        let y = bar.y + share * bar.height;
        canvas.line(
            (bar.right(), y),
            (bar.right() + 4.0, y),
            Stroke::new(theme.muted(), 0.8),
        );
        canvas.text((bar.right() + 8.0, y), &text, &style);
    }
}

/// Values less their mean, in standard deviations; all 0 where they do not vary.
fn standardised(values: &[f64]) -> Vec<f64> {
    let known: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    let n = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / n;
    let deviation = (known.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scaled = |v: &f64| match (v.is_finite(), deviation > 0.0) {
        (false, _) => f64::NAN,
        (true, true) => (v - mean) / deviation,
        (true, false) => 0.0,
    };
    values.iter().map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_shown_in_their_own_standard_deviations() {
        assert_eq!(standardised(&[1.0, 3.0]), [-1.0, 1.0]);
        assert_eq!(standardised(&[2.0, 2.0]), [0.0, 0.0]);
        let some = standardised(&[1.0, f64::NAN, 3.0]);
        assert!(some[1].is_nan() && some[0] == -1.0);
    }

    #[test]
    fn every_scale_is_named() {
        let figure = FactorFigure {
            title: "t".into(),
            region: Interval::new("chr1", 0, 100_000),
            assembly: "hg19".into(),
            genes: Vec::new(),
            scales: vec![
                FactorRows {
                    scale: "25bp".into(),
                    rows: vec![vec![0.0, 1.0, f64::NAN]],
                },
                FactorRows {
                    scale: "5kbp".into(),
                    rows: vec![vec![0.0, 1.0, 2.0]; 3],
                },
            ],
            notes: Vec::new(),
        };
        let svg = figure.svg(Theme::Light);
        for part in ["25bp", "3 factors", "position on chr1 (hg19), kb", "≤ −2.5"] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains("NaN"));
    }
}
