//! Figures of several rounds, and how they are printed.

use crate::machine;

/// The middle of some figures.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// What both sides reached, round by round: more is better.
#[derive(Debug, Default)]
pub struct Rounds {
    /// Persea's figures.
    pub ours: Vec<f64>,
    /// The peer's of the same rounds; empty where there is no peer.
    pub peer: Vec<f64>,
}

impl Rounds {
    /// Prints the medians, and the ratios of the rounds beside what the ratio should be.
    pub fn print(&self, what: &str, unit: &str, target: f64) {
        let ours = median(&self.ours);
        if self.peer.is_empty() {
            println!("  {what:<32} {} {unit}", number(ours));
            return;
        }
        let ratios: Vec<f64> = (self.ours.iter().zip(&self.peer))
            .map(|(o, p)| o / p)
            .collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        println!(
            "  {what:<32} {} {unit}, peer {}: {:.2} × ({least:.2} to {most:.2}, {} rounds; wanted {target} ×; load {})",
            number(ours),
            number(median(&self.peer)),
            median(&ratios),
            ratios.len(),
            machine::load(),
        );
    }
}

/// Three significant digits, in thousands or millions.
pub fn number(figure: f64) -> String {
    match figure {
        f if f >= 1e7 => format!("{:.1} M", f / 1e6),
        f if f >= 1e6 => format!("{:.2} M", f / 1e6),
        f if f >= 1e4 => format!("{:.0} k", f / 1e3),
        f => format!("{f:.3}"),
    }
}

/// Bytes as MB.
pub fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or("unknown".into(), |b| format!("{:.0} MB", b as f64 / 1e6))
}
