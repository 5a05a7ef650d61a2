//! A network of one hidden layer on the CPU, forward and back by hand.
//!
//! There is little to compute for a sample, so what counts is memory and waiting. A thread takes a
//! chunk of samples through the whole step, in room that stays in its core's cache and is kept from
//! step to step; threads meet once a step. Arrays as long as the batch, new every step, may go back
//! to the system each time, and then half of the time is page faults. Chunks are summed in their
//! order, so that nothing depends on the number of threads.

use std::ops::Range;

use rayon::prelude::*;

use super::FactorizationError;
use super::batch::Batch;
use super::deep_layers::{Chunk, DeepBack};
use super::first_layer::{OuterLayers, OutputGradient, add_by_track, sums_by_group_here};
use super::vectors::wide;
use crate::model::product::{Matrix, Threads, multiply};

/// Samples that one thread takes at a time; few in tests, so that batches have several chunks.
const CHUNK: usize = if cfg!(test) { 150 } else { 625 };

/// Room for the chunks of a step, kept between steps.
pub(super) type SingleRoom = Vec<ChunkRoom>;

/// What a chunk's step needs and leaves.
#[derive(Debug, Default)]
pub(super) struct ChunkRoom {
    /// The first layer's part of each row of factors, then its gradients' sums.
    parts: [Vec<f32>; 3],
    gradient: Vec<f32>,
    residuals: Vec<f32>,
    output: OutputGradient,
    biosamples: Vec<f32>,
    assays: Vec<f32>,
    genome_weights: [Vec<f32>; 3],
    /// The gradients of the chunk's rows of factors, and which of the batch's they are.
    genome: [(Vec<f32>, Range<usize>); 3],
}

impl OuterLayers<'_> {
    /// Forward and back for a batch, where there is one hidden layer.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn single_back(
        &self,
        batch: &Batch,
        genome: &[Vec<f32>; 3],
        room: &mut SingleRoom,
    ) -> Result<DeepBack, FactorizationError> {
        let n_chunks = batch.len().div_ceil(CHUNK);
        room.resize_with(room.len().max(n_chunks), ChunkRoom::default);
        let room = &mut room[..n_chunks];
        (room.par_iter_mut().enumerate()).for_each(|(i, room)| {
            let samples = i * CHUNK..((i + 1) * CHUNK).min(batch.len());
            self.single_chunk(batch.len(), &Chunk::new(batch, samples), genome, room);
        });
        let mut back = DeepBack::zero(self, batch, genome);
        let mut output = OutputGradient::zero(self.nodes);
        for (room, residuals) in room.iter().zip(back.residuals.chunks_mut(CHUNK)) {
            output.merge(&room.output);
            residuals.copy_from_slice(&room.residuals);
            add(&room.biosamples, &mut back.biosamples);
            add(&room.assays, &mut back.assays);
            for s in 0..3 {
                add(&room.genome_weights[s], &mut back.genome_weights[s]);
                // Added: a group that two chunks share has a part in both.
                let (gradient, rows) = &room.genome[s];
                add(gradient, &mut back.genome[s][rows.clone()]);
            }
        }
        back.output(&output, batch.len())?;
        Ok(back)
    }

    /// One chunk on this thread.
    fn single_chunk(
        &self,
        n_samples: usize,
        chunk: &Chunk,
        genome: &[Vec<f32>; 3],
        room: &mut ChunkRoom,
    ) {
        let (n, samples) = (self.nodes, &chunk.batch);
        for (s, part) in room.parts.iter_mut().enumerate() {
            let factors = chunk.factors(s, self.cols(s), genome);
            part.resize(samples.groups[s].rows.len() * n, 0.0);
            let weight = Matrix::new(self.genome_weights[s], n);
            multiply(part, factors, weight, false, Threads::One);
        }
        room.gradient.resize(samples.len() * n, 0.0);
        room.residuals.resize(samples.len(), 0.0);
        room.output = OutputGradient::zero(n);
        let [fine, middle, coarse] = &room.parts;
        self.parts([fine, middle, coarse]).single_layer(
            samples,
            &self.output,
            2.0 / n_samples as f32,
            &mut room.gradient,
            &mut room.residuals,
            &mut room.output,
        );
        for (s, sums) in room.parts.iter_mut().enumerate() {
            let (groups, cols) = (&samples.groups[s], self.cols(s));
            let sums = if groups.rows.len() == samples.len() {
                &room.gradient
            } else {
                sums_by_group_here(groups, &room.gradient, n, sums);
                &*sums
            };
            let factors = chunk.factors(s, cols, genome);
            let weights = &mut room.genome_weights[s];
            weights.resize(cols * n, 0.0);
            let sums = Matrix::new(sums, n);
            multiply(weights, factors.t(), sums, false, Threads::One);
            let (gradient, rows) = &mut room.genome[s];
            *rows = chunk.rows[s].start * cols..chunk.rows[s].end * cols;
            gradient.resize(rows.len(), 0.0);
            let weight = Matrix::new(self.genome_weights[s], n).t();
            multiply(gradient, sums, weight, false, Threads::One);
        }
        for (sums, width) in [
            (&mut room.biosamples, self.biosamples.len()),
            (&mut room.assays, self.assays.len()),
        ] {
            sums.clear();
            sums.resize(width, 0.0);
        }
        let sums = (&mut room.biosamples[..], &mut room.assays[..]);
        let parts = self.parts([&[], &[], &[]]);
        add_by_track(&parts, &samples.tracks, &room.gradient, sums);
    }
}

/// On this thread: for fewer numbers than are worth another.
fn add(values: &[f32], sums: &mut [f32]) {
    wide(
        #[inline(always)]
        || {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value;
            }
        },
    );
}
