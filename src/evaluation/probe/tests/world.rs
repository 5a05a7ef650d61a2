//! A small compendium in memory.

use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use super::super::blocks::Block;
use super::super::passes::{Found, Plan, run};
use super::super::source::{Embedding, Source};
use crate::genome::{Assembly, GenomeAxis, Region};
use crate::random::{Purpose, generator};

/// Signal, held-out tracks and embeddings in memory.
pub struct World {
    pub axis: GenomeAxis,
    pub masked: Vec<bool>,
    pub signal: Vec<Vec<f32>>,
    pub held: Vec<Vec<f32>>,
    /// Each `[bin, width]`.
    pub embeddings: Vec<(usize, Vec<f32>)>,
}

/// A number from a distribution that is nearly normal.
pub fn normal(random: &mut ChaCha8Rng) -> f32 {
    let unit = |r: u32| r as f32 / 2f32.powi(32);
    (0..12).map(|_| unit(random.next_u32())).sum::<f32>() - 6.0
}

/// A mean over neighbouring bins that wanders: signal-like.
fn smooth(random: &mut ChaCha8Rng, n: usize) -> Vec<f32> {
    let mut level = 0f32;
    let noise = (0..n).map(|_| {
        level = 0.9 * level + normal(random);
        level.max(0.0) + 0.2 * normal(random).abs()
    });
    noise.collect()
}

fn in_memory((width, values): &(usize, Vec<f32>)) -> Embedding<'_> {
    Embedding {
        width: *width,
        read: Box::new(move |block: &Block, out: &mut [f32]| {
            let start = block.bins.start as usize * width;
            out.copy_from_slice(&values[start..start + out.len()]);
            Ok(())
        }),
    }
}

impl World {
    /// Seven regions of two chromosomes, three tracks, two held-out ones that depend on them.
    pub fn new(n_regions: usize) -> Self {
        let lists = [("chr1".to_string(), 600_000), ("chr2".to_string(), 400_000)];
        let assembly = Assembly::from_chromosomes("toy", &lists).unwrap();
        let region = |chrom: &str, first_bin, n_bins| Region {
            name: None,
            chrom: chrom.into(),
            first_bin,
            n_bins,
        };
        let mut regions = vec![
            region("chr1", 37, 2_903),
            region("chr2", 0, 2_410),
            region("chr1", 4_000, 3_000),
            region("chr2", 5_199, 2_002),
            region("chr1", 8_113, 1_500),
            region("chr1", 10_000, 3_333),
            region("chr1", 14_001, 2_999),
        ];
        regions.truncate(n_regions);
        let axis = GenomeAxis::new(assembly, regions).unwrap();
        let n = axis.n_bins() as usize;
        let mut random = generator(5, Purpose::Probe, 99);
        let signal: Vec<Vec<f32>> = (0..3).map(|_| smooth(&mut random, n)).collect();
        let depends = |random: &mut ChaCha8Rng, a: f32, b: f32| -> Vec<f32> {
            (0..n)
                .map(|i| a * signal[0][i] + b * signal[2][i] + 0.5 * normal(random))
                .collect()
        };
        let held = vec![
            depends(&mut random, 1.0, 0.3),
            depends(&mut random, -0.2, 1.0),
        ];
        let width = 5;
        let embedding = (0..n).flat_map(|i| {
            let noise: Vec<f32> = (0..width - 1).map(|_| normal(&mut random)).collect();
            let first = signal[0][i] + 0.3 * noise[0];
            std::iter::once(first).chain(noise).collect::<Vec<f32>>()
        });
        let embeddings = vec![(width, embedding.collect())];
        World {
            masked: vec![false; n],
            axis,
            signal,
            held,
            embeddings,
        }
    }

    /// With masked bins, bins without data in a signal track and in a held-out one.
    pub fn with_gaps(mut self) -> Self {
        for bin in (500..760).chain(9_000..9_003) {
            self.masked[bin] = true;
            // What is masked must not matter.
            self.held[0][bin] = 1e6;
        }
        self.signal[1][3_000..3_100].fill(f32::NAN);
        self.signal[1][700..900].fill(f32::NAN);
        self.held[1][2_000..6_500].fill(f32::NAN);
        self
    }

    pub fn n(&self) -> usize {
        self.masked.len()
    }

    pub fn source(&self) -> Source<'_> {
        let read = |tracks: &[Vec<f32>], track: usize, bins: Range<u64>, out: &mut [f32]| {
            out.copy_from_slice(&tracks[track][bins.start as usize..bins.end as usize]);
        };
        Source {
            axis: &self.axis,
            masked: &self.masked,
            n_signal: self.signal.len(),
            signal: Box::new(move |track, bins, out| {
                read(&self.signal, track, bins, out);
                Ok(())
            }),
            n_held: self.held.len(),
            held: Box::new(move |track, bins, out| {
                read(&self.held, track, bins, out);
                Ok(())
            }),
            embeddings: self.embeddings.iter().map(in_memory).collect(),
        }
    }

    pub fn probe(&self, plan: Plan) -> Found {
        run(&self.source(), &plan, &mut |_| {}).unwrap()
    }
}
