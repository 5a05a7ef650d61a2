//! A network's parameters with their gradients and moments, flat.

use std::ops::Range;

use crate::nn::seam::Trainable;
use crate::nn::{AdamStep, NnError, adam_step_on_all_threads};

/// The numbers of a network in training, one tensor after another.
#[derive(Debug)]
pub(crate) struct Parameters {
    /// Where each tensor lies.
    places: Vec<Range<usize>>,
    /// What of each training may change, and whether weight decay shrinks it.
    trained: Vec<(Range<usize>, bool)>,
    pub values: Vec<f32>,
    pub gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Parameters {
    /// Of tensors of some rows and columns; `trained` says for each which rows training may change
    /// and whether weight decay shrinks them.
    pub fn new(
        tensors: &[[usize; 2]],
        trained: impl Fn(usize) -> (Range<usize>, bool),
        values: &[f32],
    ) -> Self {
        let mut places = Vec::with_capacity(tensors.len());
        let mut parts = Vec::with_capacity(tensors.len());
        let mut at = 0;
        for (i, [rows, cols]) in tensors.iter().enumerate() {
            let (of, decays) = trained(i);
            parts.push((at + of.start * cols..at + of.end * cols, decays));
            places.push(at..at + rows * cols);
            at += rows * cols;
        }
        Parameters {
            places,
            trained: parts,
            values: values.to_vec(),
            gradient: vec![0.0; at],
            first: vec![0.0; at],
            second: vec![0.0; at],
        }
    }

    /// Where a tensor lies.
    pub fn place(&self, tensor: usize) -> Range<usize> {
        self.places[tensor].clone()
    }
}

/// A network in training: its parameters, and what its kind needs besides.
#[derive(Debug)]
pub(crate) struct Net<K> {
    pub parameters: Parameters,
    pub kind: K,
}

impl<K: Send> Trainable for Net<K> {
    fn parameters(&self) -> Result<Vec<f32>, NnError> {
        Ok(self.parameters.values.clone())
    }

    fn moments(&self) -> Result<(Vec<f32>, Vec<f32>), NnError> {
        let Parameters { first, second, .. } = &self.parameters;
        Ok((first.clone(), second.clone()))
    }

    fn set_moments(&mut self, first: &[f32], second: &[f32]) -> Result<(), NnError> {
        let expected = self.parameters.values.len();
        for found in [first.len(), second.len()] {
            if found != expected {
                return Err(NnError::Shape {
                    what: "a network's moments",
                    found,
                    expected,
                });
            }
        }
        self.parameters.first.copy_from_slice(first);
        self.parameters.second.copy_from_slice(second);
        Ok(())
    }

    fn gradients(&self) -> Result<Vec<f32>, NnError> {
        Ok(self.parameters.gradient.clone())
    }

    fn squared_norm(&self) -> Result<f64, NnError> {
        let squares = self.parameters.gradient.iter();
        Ok(squares.map(|g| f64::from(*g) * f64::from(*g)).sum())
    }

    fn scale_gradients(&mut self, factor: f32) -> Result<(), NnError> {
        self.parameters
            .gradient
            .iter_mut()
            .for_each(|g| *g *= factor);
        Ok(())
    }

    fn apply(&mut self, step: &AdamStep) -> Result<(), NnError> {
        let Parameters {
            trained,
            values,
            gradient,
            first,
            second,
            ..
        } = &mut self.parameters;
        for (part, decays) in trained {
            let rates = match decays {
                true => step.decaying_rates(),
                false => step.rates(),
            };
            adam_step_on_all_threads(
                &mut values[part.clone()],
                &mut first[part.clone()],
                &mut second[part.clone()],
                &gradient[part.clone()],
                &rates,
            );
        }
        Ok(())
    }
}

/// Sums what the chunks of a step left, chunk after chunk, `out` overwritten.
pub(super) fn sum_chunks<C: Sync>(chunks: &[C], of: impl Fn(&C) -> &[f32] + Sync, out: &mut [f32]) {
    use rayon::prelude::*;
    const PIECE: usize = 1 << 13;
    (out.par_chunks_mut(PIECE).enumerate()).for_each(|(i, out)| {
        let first = i * PIECE;
        crate::nn::vectors::wide(
            #[inline(always)]
            || {
                out.fill(0.0);
                for chunk in chunks {
                    let part = &of(chunk)[first..first + out.len()];
                    for (sum, value) in out.iter_mut().zip(part) {
                        *sum += value;
                    }
                }
            },
        );
    });
}
