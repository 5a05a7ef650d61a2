//! The one source of chance: every random number derives from (seed, purpose, index).
//!
//! Nothing keeps a generator between steps, so a run resumed at step n draws what an uninterrupted
//! one would have drawn, on any number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What random numbers are for; each purpose has streams of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// First values of factors and weights.
    Initial = 1,
    /// Which bins a step visits.
    Bins = 2,
    /// Which track a bin shows.
    Tracks = 3,
    /// Which tracks validate.
    Validation = 4,
    /// Dropout.
    Dropout = 5,
    /// Which bins, tracks and inputs a refinement's step shows.
    Refinement = 6,
    /// Which bins a learned baseline is trained on.
    Baseline = 7,
    /// First values of an encoder, which bins its steps show, and which tracks they leave out.
    Encoder = 8,
    /// Which bins an embedding is probed at.
    Probe = 30,
    /// Where the search for principal components begins.
    Components = 40,
    /// Which units a bootstrap replicate draws.
    Bootstrap = 41,
    /// Which values a permutation moves where.
    Permutation = 42,
    /// Which units lie in which fold when examples are divided anew.
    Partition = 43,
    /// Which candidates a step of stochastic greedy looks at.
    Selection = 50,
    /// Which items a random choice holds, beside a selection.
    RandomChoice = 51,
    /// Which positions are compared to know how near a hit is.
    RandomPairs = 52,
    /// Which points are projected, and how their places in the plane are found.
    Projection = 60,
    /// In which order equally active loci stand, and which matched loci are drawn.
    MatchedLoci = 70,
    /// Which blocks of sites a bootstrap replicate draws.
    SiteBlocks = 71,
}

/// The generator of one (seed, purpose, index).
pub fn generator(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// A whole number in `0..n`, by multiplication (bias below n / 2³²).
pub fn below(rng: &mut ChaCha8Rng, n: u32) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(n)) >> 32) as u32
}

/// Fills a slice with uniform numbers in ±`limit`.
pub fn fill_uniform(rng: &mut ChaCha8Rng, limit: f32, values: &mut [f32]) {
    for value in values {
        // 24 bits: every value of [0, 1) that f32 spaces evenly.
        let unit = (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0);
        *value = (2.0 * unit - 1.0) * limit;
    }
}

/// Shuffles a slice (Fisher–Yates).
pub fn shuffle<T>(rng: &mut ChaCha8Rng, values: &mut [T]) {
    for i in (1..values.len()).rev() {
        let j = (rng.next_u64() % (i as u64 + 1)) as usize;
        values.swap(i, j);
    }
}
