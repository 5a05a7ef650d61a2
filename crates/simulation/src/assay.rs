//! What each assay sees of each state.

use serde::Serialize;

use super::SimulationError;
use super::random::Draws;
use super::shape::{Body, Shape};
use super::state::State;

/// How many of [`assay_names`] a simulation has by default.
pub const DEFAULT_ASSAYS: usize = 8;

/// An assay: its enrichment over the background in each state, and the shape it has there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AssayModel {
    /// Its name, as Roadmap and ENCODE write it.
    pub name: String,
    /// Reads beyond the background, in multiples of it, at the top of a typical element of each
    /// state or throughout a typical domain ([`State::ALL`]'s order).
    pub enrichment: [f32; 10],
    /// The shape over promoters, enhancers and insulators.
    pub shape: Shape,
    /// The shape along the body of a transcribed gene.
    pub body: Body,
    /// The share of the background that is left in a library of this assay: sharp marks put more
    /// of their reads into peaks.
    pub background: f32,
    /// Typical length of a fragment in bp.
    pub fragment_bp: f32,
    /// The share of promoters, enhancers and insulators that it binds at all.
    pub occupancy: f32,
}

/// One row of the table of emissions.
struct Row(&'static str, [f32; 10], Shape, Body, f32, f32);

/// The table of emissions: enrichment by state (active promoter, bivalent promoter, active
/// enhancer, poised enhancer, insulator, transcribed, euchromatin, Polycomb, heterochromatin,
/// quiescent), shapes, background, fragment. `docs/src/method/simulation.md` gives the reasons for its numbers.
#[rustfmt::skip]
const CATALOGUE: [Row; 16] = [
    //            promoter     enhancer     ctcf  body  euchr  polyc het   quies
    Row("H3K4me1", [3.0,  4.0,  6.0,  4.5,  0.5,  0.6,  0.5,  0.25, 0.0,  0.0], Shape::Shoulders, Body::Flat, 0.9, 190.0),
    Row("H3K4me3", [34.0, 12.0, 1.5,  0.4,  0.3,  0.0,  0.05, 0.05, 0.0,  0.0], Shape::Nucleosomes, Body::Flat, 0.7, 190.0),
    Row("H3K27ac", [20.0, 0.6,  12.0, 0.4,  0.3,  0.3,  0.2,  0.0,  0.0,  0.0], Shape::Nucleosomes, Body::Flat, 0.8, 190.0),
    Row("H3K36me3", [0.0, 0.0,  0.0,  0.0,  0.0,  2.6,  0.15, 0.05, 0.3,  0.0], Shape::Nucleosomes, Body::Rising, 0.9, 190.0),
    Row("H3K27me3", [0.0, 5.0,  0.0,  0.8,  0.0,  0.0,  0.1,  2.6,  0.2,  0.25], Shape::Nucleosomes, Body::Flat, 0.9, 190.0),
    Row("H3K9me3", [0.0,  0.2,  0.0,  0.0,  0.0,  0.1,  0.05, 0.3,  1.2,  0.12], Shape::Nucleosomes, Body::Flat, 1.0, 190.0),
    Row("DNase",   [16.0, 7.0,  13.0, 4.0,  9.0,  0.2,  0.2,  0.05, 0.0,  0.0], Shape::Open, Body::Flat, 0.7, 150.0),
    Row("CTCF",    [2.0,  1.0,  1.5,  0.5,  34.0, 0.0,  0.0,  0.0,  0.0,  0.0], Shape::Point, Body::Flat, 0.8, 190.0),
    Row("H3K9ac",  [22.0, 2.0,  7.0,  0.4,  0.2,  0.2,  0.1,  0.0,  0.0,  0.0], Shape::Nucleosomes, Body::Flat, 0.8, 190.0),
    Row("H3K4me2", [12.0, 8.0,  9.0,  4.0,  0.8,  0.2,  0.15, 0.1,  0.0,  0.0], Shape::Shoulders, Body::Flat, 0.8, 190.0),
    Row("H2A.Z",   [11.0, 9.0,  7.0,  4.0,  3.0,  0.1,  0.1,  0.1,  0.0,  0.0], Shape::Nucleosomes, Body::Flat, 0.8, 190.0),
    Row("H3K79me2", [2.0, 0.0,  0.5,  0.0,  0.0,  5.0,  0.1,  0.0,  0.0,  0.0], Shape::Nucleosomes, Body::Falling, 0.9, 190.0),
    Row("H4K20me1", [0.5, 0.3,  0.2,  0.0,  0.0,  2.4,  0.2,  0.6,  0.0,  0.0], Shape::Nucleosomes, Body::Falling, 1.0, 190.0),
    Row("ATAC",    [14.0, 6.0,  12.0, 4.0,  7.0,  0.2,  0.2,  0.05, 0.0,  0.0], Shape::Open, Body::Flat, 0.8, 150.0),
    Row("EP300",   [6.0,  1.0,  12.0, 2.0,  0.5,  0.0,  0.0,  0.0,  0.0,  0.0], Shape::Point, Body::Flat, 0.9, 190.0),
    Row("RAD21",   [2.5,  1.0,  2.5,  0.5,  24.0, 0.0,  0.0,  0.0,  0.0,  0.0], Shape::Point, Body::Flat, 0.8, 190.0),
];

/// The names of the first `n` assays: sixteen real ones, then transcription factors `TF1`, `TF2` …
/// that each bind a part of the elements, without end.
pub fn assay_names(n: usize) -> Vec<String> {
    let real = CATALOGUE.iter().map(|row| row.0.to_string());
    let factors = (1..).map(|i: usize| format!("TF{i}"));
    real.chain(factors).take(n).collect()
}

impl AssayModel {
    /// The assay of that name; a transcription factor's preferences depend on the seed.
    ///
    /// # Errors
    /// When none is called so.
    pub fn by_name(name: &str, seed: u64) -> Result<Self, SimulationError> {
        if let Some(row) = CATALOGUE.iter().find(|row| row.0 == name) {
            let Row(_, enrichment, shape, body, background, fragment_bp) = row;
            return Ok(AssayModel {
                name: name.to_string(),
                enrichment: *enrichment,
                shape: *shape,
                body: *body,
                background: *background,
                fragment_bp: *fragment_bp,
                occupancy: 1.0,
            });
        }
        let number = name.strip_prefix("TF").and_then(|n| n.parse::<u64>().ok());
        match number {
            Some(n) if n > 0 && name == format!("TF{n}") => Ok(Self::factor(name, seed, n)),
            _ => Err(SimulationError::setting(
                format!("assay `{name}`"),
                format!(
                    "the assays are {}, and TF1, TF2 … for transcription factors",
                    assay_names(CATALOGUE.len()).join(", ")
                ),
            )),
        }
    }

    /// A transcription factor with tastes of its own.
    fn factor(name: &str, seed: u64, number: u64) -> Self {
        let mut draws = Draws::new(seed, "factor", &[number]);
        let mut enrichment = [0.0; 10];
        let promoter = draws.log_normal(8.0, 0.6) as f32;
        let enhancer = draws.log_normal(8.0, 0.6) as f32;
        enrichment[State::ActivePromoter.index()] = promoter;
        enrichment[State::BivalentPromoter.index()] = 0.2 * promoter;
        enrichment[State::ActiveEnhancer.index()] = enhancer;
        enrichment[State::PoisedEnhancer.index()] = 0.2 * enhancer;
        enrichment[State::Insulator.index()] = draws.log_normal(1.0, 0.8) as f32;
        AssayModel {
            name: name.to_string(),
            enrichment,
            shape: Shape::Point,
            body: Body::Flat,
            background: 0.9,
            fragment_bp: 190.0,
            occupancy: draws.between(0.1, 0.6) as f32,
        }
    }

    /// Its enrichment in a state.
    pub fn enrichment_in(&self, state: State) -> f32 {
        self.enrichment[state.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_strongest_in_the_state_it_is_known_for() {
        for (name, state) in [
            ("H3K4me1", State::ActiveEnhancer),
            ("H3K4me3", State::ActivePromoter),
            ("H3K27ac", State::ActivePromoter),
            ("H3K36me3", State::Transcribed),
            ("H3K9me3", State::Heterochromatin),
            ("DNase", State::ActivePromoter),
            ("CTCF", State::Insulator),
        ] {
            let assay = AssayModel::by_name(name, 0).unwrap();
            let top = State::ALL
                .into_iter()
                .max_by(|a, b| assay.enrichment_in(*a).total_cmp(&assay.enrichment_in(*b)));
            assert_eq!(top, Some(state), "{name}");
        }
    }

    #[test]
    fn there_are_as_many_assays_as_one_asks_for() {
        let names = assay_names(40);
        assert_eq!(names.len(), 40);
        assert_eq!((names[0].as_str(), names[16].as_str()), ("H3K4me1", "TF1"));
        for name in &names {
            AssayModel::by_name(name, 3).unwrap();
        }
        let two = [1, 2].map(|seed| AssayModel::by_name("TF1", seed).unwrap());
        assert_ne!(two[0], two[1]);
    }

    #[test]
    fn an_unknown_assay_is_refused_with_the_known_ones() {
        for name in ["H3K4", "TF0", "TF01", "TFx", ""] {
            let message = AssayModel::by_name(name, 0).unwrap_err().to_string();
            assert!(message.contains("H3K4me1, H3K4me3"), "{message}");
        }
    }
}
