//! One network of a refinement in training on the CPU: forward and back by hand.
//!
//! Autograd over libtorch's products took three times as long: its matrix products reach less than
//! half of what some processors can, and what it keeps and allocates for each costs as much as the
//! small products themselves. Here a chunk of samples goes through all layers on one thread, in room
//! that is kept from step to step.

use std::ops::Range;

use rand_chacha::rand_core::RngCore;
use rayon::prelude::*;

use super::learner::{Dropout, Step};
use super::sampling::Samples;
use crate::factorization::Adam;
use crate::factorization::vectors::wide;
use crate::model::RefinementConfig;
use crate::model::product::{Matrix, Threads, multiply};
use crate::random::{Purpose, generator};

/// Samples that one thread takes at a time. Gradients are summed chunk by chunk, whatever the number
/// of threads.
const CHUNK: usize = 256;
/// Parameters that one thread moves at a time.
const PIECE: usize = 1 << 13;
/// Numbers summed apart, so that the compiler keeps them in vector registers.
const LANES: usize = 16;

/// A network in training.
pub(super) struct HandMember {
    config: RefinementConfig,
    /// Weight and bias of each layer, one after another.
    pub values: Vec<f32>,
    /// Adam's first moments.
    pub first: Vec<f32>,
    /// Adam's second moments.
    pub second: Vec<f32>,
    rooms: Vec<Room>,
}

/// Room for a chunk, and what came out of it.
#[derive(Default)]
struct Room {
    /// Activations of each hidden layer, which turn into gradients before its ReLU.
    layers: Vec<Vec<f32>>,
    other: Vec<f32>,
    dice: Vec<u8>,
    /// Of all parameters.
    gradient: Vec<f32>,
    /// Σ squared errors, unweighted.
    squares: f64,
}

/// Where a layer's numbers lie among all.
struct Place {
    inputs: usize,
    outputs: usize,
    weight: Range<usize>,
    bias: Range<usize>,
}

fn places(config: &RefinementConfig) -> Vec<Place> {
    let mut at = 0;
    (config.shapes())
        .map(|(inputs, outputs)| {
            let weight = at..at + inputs * outputs;
            let bias = weight.end..weight.end + outputs;
            at = bias.end;
            Place {
                inputs,
                outputs,
                weight,
                bias,
            }
        })
        .collect()
}

impl HandMember {
    /// From its numbers: all parameters, all first moments, all second moments, equally many.
    pub fn new(config: &RefinementConfig, values: &[f32], first: &[f32], second: &[f32]) -> Self {
        HandMember {
            config: config.clone(),
            values: values.to_vec(),
            first: first.to_vec(),
            second: second.to_vec(),
            rooms: Vec::new(),
        }
    }

    /// One step of Adam on some samples; the mean of their squared errors before it, unweighted.
    pub fn step(&mut self, step: &Step<'_>) -> f64 {
        let samples = step.samples;
        let n = samples.values.len();
        let n_chunks = n.div_ceil(CHUNK);
        let n_rooms = self.rooms.len().max(n_chunks);
        self.rooms.resize_with(n_rooms, Room::default);
        let places = places(&self.config);
        let rooms = &mut self.rooms[..n_chunks];
        let pass = Pass {
            places: &places,
            values: &self.values,
            samples,
            dropout: &step.dropout,
        };
        (rooms.par_iter_mut().enumerate()).for_each(|(i, room)| {
            pass.back(i * CHUNK..n.min((i + 1) * CHUNK), room);
        });
        let adam = &step.adam;
        let alpha = adam.alpha(step.number);
        let decay = (1.0 - alpha * step.options.weight_decay) as f32;
        for place in &places {
            self.update(&place.weight, n_chunks, adam, alpha, decay);
            self.update(&place.bias, n_chunks, adam, alpha, 1.0);
        }
        let squares = self.rooms[..n_chunks].iter().map(|r| r.squares);
        squares.sum::<f64>() / n as f64
    }

    /// Moves some parameters by the gradients that the chunks left.
    fn update(&mut self, of: &Range<usize>, n_chunks: usize, adam: &Adam, alpha: f64, decay: f32) {
        let rooms = &self.rooms[..n_chunks];
        let (beta1, beta2) = (adam.beta1 as f32, adam.beta2 as f32);
        let (rest1, rest2) = ((1.0 - adam.beta1) as f32, (1.0 - adam.beta2) as f32);
        let (alpha, epsilon) = (alpha as f32, adam.epsilon as f32);
        let parts = (self.values[of.clone()].par_chunks_mut(PIECE))
            .zip(self.first[of.clone()].par_chunks_mut(PIECE))
            .zip(self.second[of.clone()].par_chunks_mut(PIECE));
        (parts.enumerate()).for_each(|(i, ((values, first), second))| {
            let start = of.start + i * PIECE;
            wide(
                #[inline(always)]
                || {
                    let mut sums = [0f32; PIECE];
                    let sums = &mut sums[..values.len()];
                    for room in rooms {
                        let gradient = &room.gradient[start..start + sums.len()];
                        for (sum, g) in sums.iter_mut().zip(gradient) {
                            *sum += g;
                        }
                    }
                    let moments = first.iter_mut().zip(second.iter_mut());
                    for ((value, (first, second)), g) in values.iter_mut().zip(moments).zip(sums) {
                        *first = beta1 * *first + rest1 * *g;
                        *second = beta2 * *second + rest2 * (*g * *g);
                        *value = decay * *value - alpha * (*first / (second.sqrt() + epsilon));
                    }
                },
            );
        });
    }
}

/// What all chunks of a step know.
struct Pass<'a> {
    places: &'a [Place],
    values: &'a [f32],
    samples: &'a Samples,
    dropout: &'a Dropout,
}

impl Pass<'_> {
    fn weight(&self, layer: usize) -> &[f32] {
        &self.values[self.places[layer].weight.clone()]
    }

    fn bias(&self, layer: usize) -> &[f32] {
        &self.values[self.places[layer].bias.clone()]
    }

    /// Forward and back for some samples: leaves their gradients and squared errors in `room`.
    fn back(&self, which: Range<usize>, room: &mut Room) {
        let (places, n_hidden) = (self.places, self.places.len() - 1);
        let inputs = places[0].inputs;
        let rows = &self.samples.rows[which.start * inputs..which.end * inputs];
        room.layers.resize_with(n_hidden, Vec::new);
        room.gradient.resize(self.values.len(), 0.0);
        let hidden = || places[..n_hidden].iter().enumerate();
        for (i, place) in hidden() {
            let (done, rest) = room.layers.split_at_mut(i);
            let below = done.last().map_or(rows, |below| below);
            let above = &mut rest[0];
            above.resize(which.len() * place.outputs, 0.0);
            let weight = Matrix::new(self.weight(i), place.outputs);
            let below = Matrix::new(below, place.inputs);
            multiply(above, below, weight, false, Threads::One);
            self.activate(i, which.start, above, &mut room.dice);
        }
        self.output(&which, room);
        for (i, place) in hidden().rev() {
            let (done, rest) = room.layers.split_at_mut(i);
            let gradient = &rest[0];
            let below = done.last().map_or(rows, |below| below);
            let of_weight = &mut room.gradient[place.weight.clone()];
            let gradients = Matrix::new(gradient, place.outputs);
            let below = Matrix::new(below, place.inputs).t();
            multiply(of_weight, below, gradients, false, Threads::One);
            sum_columns(gradient, &mut room.gradient[place.bias.clone()]);
            if let Some(below) = done.last_mut() {
                room.other.resize(below.len(), 0.0);
                let weight = Matrix::new(self.weight(i), place.outputs).t();
                multiply(&mut room.other, gradients, weight, false, Threads::One);
                let counts = self.dropout.counts();
                wide(
                    #[inline(always)]
                    || {
                        for (value, g) in below.iter_mut().zip(&room.other) {
                            *value = if *value > 0.0 { *g * counts } else { 0.0 };
                        }
                    },
                );
            }
        }
    }

    /// Bias, ReLU and dropout of a hidden layer; `first` is the first row's place among the samples.
    fn activate(&self, layer: usize, first: usize, rows: &mut [f32], dice: &mut Vec<u8>) {
        let (below, counts) = (self.dropout.below(), self.dropout.counts());
        let (bias, n) = (self.bias(layer), self.samples.values.len());
        dice.resize(rows.len(), u8::MAX);
        if below > 0 {
            self.dropout
                .dice(layer, n * bias.len(), first * bias.len(), dice);
        }
        wide(
            #[inline(always)]
            || {
                let rows = rows.chunks_exact_mut(bias.len());
                for (row, dice) in rows.zip(dice.chunks_exact(bias.len())) {
                    for ((value, b), die) in row.iter_mut().zip(bias).zip(dice) {
                        let counts = if *die < below { 0.0 } else { counts };
                        *value = (*value + b).max(0.0) * counts;
                    }
                }
            },
        );
    }

    /// The output forward and back: turns the last hidden layer's activations into gradients.
    fn output(&self, which: &Range<usize>, room: &mut Room) {
        let (last, n) = (self.places.len() - 1, self.samples.values.len() as f32);
        let (weight, bias) = (self.weight(last), self.bias(last)[0]);
        let place = &self.places[last];
        let counts = self.dropout.counts();
        let (of_weight, of_bias) = room.gradient[place.weight.start..].split_at_mut(weight.len());
        let Some(rows) = room.layers.last_mut() else {
            return;
        };
        room.squares = wide(
            #[inline(always)]
            || {
                of_weight.fill(0.0);
                let (mut squares, mut bias_gradient) = (0f64, 0f32);
                for (i, row) in which.clone().zip(rows.chunks_exact_mut(weight.len())) {
                    // What is left to explain once the average is taken off.
                    let rest = self.samples.values[i] - self.samples.averages[i];
                    let apart = bias + dot(row, weight) - rest;
                    squares += f64::from(apart) * f64::from(apart);
                    let gradient = 2.0 * apart * self.samples.weights[i] / n;
                    bias_gradient += gradient;
                    let back = gradient * counts;
                    for ((value, w), sum) in row.iter_mut().zip(weight).zip(of_weight.iter_mut()) {
                        *sum += gradient * *value;
                        *value = if *value > 0.0 { back * w } else { 0.0 };
                    }
                }
                of_bias[0] = bias_gradient;
                squares
            },
        );
    }
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

fn sum_columns(rows: &[f32], sums: &mut [f32]) {
    wide(
        #[inline(always)]
        || {
            sums.fill(0.0);
            for row in rows.chunks_exact(sums.len()) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
        },
    );
}

impl Dropout {
    /// The dice of some units of a layer: one byte each, `first` and on of the `all` that the layer
    /// throws for the step. `first` is a multiple of 4: the generator gives words.
    fn dice(&self, layer: usize, all: usize, first: usize, dice: &mut [u8]) {
        let mut rng = generator(self.seed, Purpose::Dropout, self.index);
        let words = layer * all.div_ceil(4) + first / 4;
        rng.set_word_pos(words as u128);
        rng.fill_bytes(dice);
    }
}
