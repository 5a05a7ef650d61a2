//! The chromatin states and the domains that they lie in.

use serde::Serialize;

use persea_genome::Interval;

/// The kind of a domain, the coarsest layer of the truth (multiples of 5 kbp).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Domain {
    /// Open chromatin with most genes and enhancers.
    Active,
    /// Held silent by Polycomb: H3K27me3, bivalent promoters.
    Polycomb,
    /// Constitutive heterochromatin: H3K9me3.
    Heterochromatin,
    /// Silent without a mark.
    Quiescent,
}

impl Domain {
    /// All kinds, in the order of [`Domain::index`].
    pub const ALL: [Domain; 4] = [
        Domain::Active,
        Domain::Polycomb,
        Domain::Heterochromatin,
        Domain::Quiescent,
    ];

    /// Its place in [`Domain::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The state of its bins where no element lies.
    pub const fn state(self) -> State {
        match self {
            Domain::Active => State::Euchromatin,
            Domain::Polycomb => State::Polycomb,
            Domain::Heterochromatin => State::Heterochromatin,
            Domain::Quiescent => State::Quiescent,
        }
    }
}

/// The chromatin state of a bin in a biosample. Where elements overlap, the first of this list
/// names the bin; their signals add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum State {
    /// Promoter of a transcribed gene.
    ActivePromoter,
    /// Promoter with H3K4me3 and H3K27me3, of a silent gene.
    BivalentPromoter,
    /// Enhancer with H3K27ac.
    ActiveEnhancer,
    /// Enhancer with H3K4me1 alone.
    PoisedEnhancer,
    /// CTCF site.
    Insulator,
    /// Body of a transcribed gene.
    Transcribed,
    /// Active domain without an element.
    Euchromatin,
    /// Polycomb domain.
    Polycomb,
    /// Heterochromatin domain.
    Heterochromatin,
    /// No mark at all.
    Quiescent,
}

impl State {
    /// All states, in the order of [`State::index`].
    pub const ALL: [State; 10] = [
        State::ActivePromoter,
        State::BivalentPromoter,
        State::ActiveEnhancer,
        State::PoisedEnhancer,
        State::Insulator,
        State::Transcribed,
        State::Euchromatin,
        State::Polycomb,
        State::Heterochromatin,
        State::Quiescent,
    ];

    /// Its place in [`State::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            State::ActivePromoter => "ActivePromoter",
            State::BivalentPromoter => "BivalentPromoter",
            State::ActiveEnhancer => "ActiveEnhancer",
            State::PoisedEnhancer => "PoisedEnhancer",
            State::Insulator => "Insulator",
            State::Transcribed => "Transcribed",
            State::Euchromatin => "Euchromatin",
            State::Polycomb => "Polycomb",
            State::Heterochromatin => "Heterochromatin",
            State::Quiescent => "Quiescent",
        }
    }

    /// The colour in BED files, near Roadmap's for the corresponding ChromHMM states.
    pub const fn colour(self) -> &'static str {
        match self {
            State::ActivePromoter => "255,0,0",
            State::BivalentPromoter => "205,92,92",
            State::ActiveEnhancer => "255,195,77",
            State::PoisedEnhancer => "255,255,0",
            State::Insulator => "102,205,170",
            State::Transcribed => "0,128,0",
            State::Euchromatin => "225,240,215",
            State::Polycomb => "128,128,128",
            State::Heterochromatin => "138,145,208",
            State::Quiescent => "255,255,255",
        }
    }
}

/// A stretch of one state in one biosample, in whole bins (the last one clipped).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSegment {
    /// Where.
    pub interval: Interval,
    /// What.
    pub state: State,
}
