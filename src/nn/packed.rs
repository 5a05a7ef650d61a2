//! A dense layer laid out for products with a few rows at a time.
//!
//! A library's product lays the weights out anew at every call, which costs as much as the product
//! itself where only as many rows as fit a core's cache are multiplied. Here it is done once a
//! model ([`Panels`]); what is done with
//! the sums (bias, ReLU, the last layer's dot product) is done while a panel is in the first-level
//! cache, so that the last hidden layer's activations are never written.

use pulp::Simd;

use super::panels::{OnPanels, Panels, dispatch};

/// Rows whose sums are in registers at once.
const ROWS: usize = 6;
/// Inputs taken before the next rows: a panel's part of that depth stays in the second-level cache.
const DEPTH: usize = 256;
/// Inputs that are checked together for zeros: a bit each of a number.
const GROUP: usize = 64;

/// A dense layer, `[inputs, outputs]` and bias, ready to multiply with.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    panels: Panels,
    /// As long as the panels are wide together.
    bias: Vec<f32>,
}

/// What a layer takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Below<'a> {
    /// `[n, inputs]`.
    pub rows: &'a [f32],
    /// Added to every row before a ReLU; `None` where the rows are activations already.
    pub shift: Option<&'a [f32]>,
}

/// What becomes of a layer's activations.
pub(crate) enum Into<'a> {
    /// They are written, `[rows, outputs]`.
    Rows(&'a mut [f32]),
    /// Their products with a vector, of [`Packed::padded`] length, are added to a value a row.
    Dot(&'a [f32], &'a mut [f32]),
}

impl Packed {
    /// Lays out a row-major weight.
    pub fn new(weight: &[f32], bias: &[f32]) -> Self {
        let panels = Panels::new(weight, bias.len());
        let mut bias = bias.to_vec();
        bias.resize(panels.padded(), 0.0);
        Packed { panels, bias }
    }

    /// A vector over the outputs, as long as [`Into::Dot`] takes it.
    pub fn padded(&self, mut values: Vec<f32>) -> Vec<f32> {
        values.resize(self.bias.len(), 0.0);
        values
    }

    /// The layer's activations, ReLU included, of the activations below, `[n, inputs]`, many of
    /// which are zero.
    ///
    /// `buffers` can be used again; its contents do not matter.
    pub fn activate(&self, below: Below<'_>, buffers: &mut PackedBuffers, into: Into<'_>) {
        let n_inputs = self.panels.inputs();
        let n = below.rows.len() / n_inputs.max(1);
        crate::instructions::arch().dispatch(Find {
            inputs: &mut buffers.inputs,
            below,
            n_inputs,
        });
        buffers
            .sums
            .resize(n.next_multiple_of(ROWS) * self.panels.width(), 0.0);
        dispatch(Activate {
            layer: self,
            inputs: &buffers.inputs,
            n,
            sums: &mut buffers.sums,
            into,
        });
    }
}

/// Buffers of [`Packed::activate`].
#[derive(Debug, Default)]
pub(crate) struct PackedBuffers {
    inputs: Inputs,
    sums: Vec<f32>,
}

/// The inputs that are not zero in all rows of a block. Rows that follow each other are bins that
/// follow each other: they share all but their own 25 bp factors, and their zeros with them, so that
/// about half of the products need not be made. Leaving out a zero changes no sum.
#[derive(Debug, Default)]
struct Inputs {
    /// Which inputs, block after block.
    positions: Vec<u32>,
    /// Their values in the block's rows; rows beyond the last are zero.
    values: Vec<[f32; ROWS]>,
    /// Where each block's part of each depth begins, and where the last ends.
    starts: Vec<usize>,
}

struct Find<'a> {
    inputs: &'a mut Inputs,
    below: Below<'a>,
    n_inputs: usize,
}

impl pulp::WithSimd for Find<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match self.below.shift {
            None => find(self.inputs, self.below.rows, self.n_inputs, |x, _| x),
            Some(shift) => find(
                self.inputs,
                self.below.rows,
                self.n_inputs,
                |x, position| (x + shift[position]).max(0.0),
            ),
        }
    }
}

/// Finds them among `rows`, `[n, inputs]`, after `activation`.
#[inline(always)]
fn find(
    found: &mut Inputs,
    rows: &[f32],
    inputs: usize,
    activation: impl Fn(f32, usize) -> f32 + Copy,
) {
    let n_blocks = (rows.len() / inputs.max(1)).div_ceil(ROWS);
    found.positions.resize(n_blocks * inputs, 0);
    found.values.resize(n_blocks * inputs, [0.0; ROWS]);
    found.starts.clear();
    let mut n = 0;
    // What no shift makes an activation of.
    let nothing = vec![f32::NEG_INFINITY; inputs];
    let activation = |x: f32, position: usize| activation(x, position).max(0.0);
    for block in rows.chunks(ROWS * inputs.max(1)) {
        let row = |r: usize| block.get(r * inputs..(r + 1) * inputs).unwrap_or(&nothing);
        let rows = [row(0), row(1), row(2), row(3), row(4), row(5)];
        for first in (0..inputs).step_by(DEPTH) {
            found.starts.push(n);
            let end = inputs.min(first + DEPTH);
            for first in (first..end).step_by(GROUP) {
                let of_group = GROUP.min(end - first);
                let mut sums = [0f32; GROUP];
                for row in rows {
                    let row = &row[first..first + of_group];
                    for (l, (sum, x)) in sums.iter_mut().zip(row).enumerate() {
                        // No activation is below zero, so that none cancels another.
                        *sum += activation(*x, first + l);
                    }
                }
                let mut any = 0u64;
                for (l, sum) in sums.iter().enumerate() {
                    any |= u64::from(*sum != 0.0) << l;
                }
                while any != 0 {
                    let position = first + any.trailing_zeros() as usize;
                    any &= any - 1;
                    found.positions[n] = position as u32;
                    found.values[n] = rows.map(|row| activation(row[position], position));
                    n += 1;
                }
            }
        }
    }
    found.starts.push(n);
}

struct Activate<'a> {
    layer: &'a Packed,
    inputs: &'a Inputs,
    n: usize,
    sums: &'a mut [f32],
    into: Into<'a>,
}

impl OnPanels for Activate<'_> {
    #[inline(always)]
    fn run<S: Simd, const REGISTERS: usize>(mut self, simd: S) {
        let layer = &self.layer.panels;
        let (inputs, outputs, width) = (layer.inputs(), layer.outputs(), layer.width());
        if let Into::Dot(_, out) = &mut self.into {
            out[..self.n].fill(0.0);
        }
        let n_depths = inputs.div_ceil(DEPTH);
        let panels = layer.iter().zip(self.layer.bias.chunks_exact(width));
        for (p, (panel, bias)) in panels.enumerate() {
            for sums in self.sums.chunks_exact_mut(width) {
                sums.copy_from_slice(bias);
            }
            for (depth, part) in panel.chunks(DEPTH * width).enumerate() {
                for (block, sums) in self.sums.chunks_exact_mut(ROWS * width).enumerate() {
                    let at = block * n_depths + depth;
                    let found = self.inputs.starts[at]..self.inputs.starts[at + 1];
                    add_products::<S, REGISTERS>(
                        simd,
                        &self.inputs.positions[found.clone()],
                        &self.inputs.values[found],
                        depth * DEPTH,
                        part,
                        sums,
                    );
                }
            }
            let (first, held) = (p * width, width.min(outputs - p * width));
            let sums = self.sums.chunks_exact(width).take(self.n);
            match &mut self.into {
                Into::Rows(out) => {
                    for (sums, out) in sums.zip(out.chunks_exact_mut(outputs)) {
                        let out = &mut out[first..first + held];
                        for (o, s) in out.iter_mut().zip(sums) {
                            *o = s.max(0.0);
                        }
                    }
                }
                Into::Dot(weight, out) => {
                    let weight = S::as_simd_f32s(&weight[first..first + width]).0;
                    let zero = simd.splat_f32s(0.0);
                    for (sums, out) in sums.zip(out.iter_mut()) {
                        let mut dot = zero;
                        for (s, w) in S::as_simd_f32s(sums).0.iter().zip(weight) {
                            dot = simd.mul_add_e_f32s(simd.max_f32s(*s, zero), *w, dot);
                        }
                        *out += simd.reduce_sum_f32s(dot);
                    }
                }
            }
        }
    }
}

/// Adds to `sums`, `[ROWS, width]`, the products of a block's values at some positions with a panel's
/// rows there; the panel's first row is that of the position `first`.
#[inline(always)]
fn add_products<S: Simd, const REGISTERS: usize>(
    simd: S,
    positions: &[u32],
    values: &[[f32; ROWS]],
    first: usize,
    panel: &[f32],
    sums: &mut [f32],
) {
    let sums = S::as_mut_simd_f32s(sums).0;
    let mut held = [[simd.splat_f32s(0.0); REGISTERS]; ROWS];
    for (held, sums) in held.iter_mut().zip(sums.chunks_exact(REGISTERS)) {
        held.copy_from_slice(sums);
    }
    let (columns, _) = S::as_simd_f32s(panel).0.as_chunks::<REGISTERS>();
    for (position, values) in positions.iter().zip(values) {
        let Some(weights) = columns.get(*position as usize - first) else {
            break;
        };
        for r in 0..ROWS {
            let value = simd.splat_f32s(values[r]);
            for c in 0..REGISTERS {
                held[r][c] = simd.mul_add_e_f32s(value, weights[c], held[r][c]);
            }
        }
    }
    for (held, sums) in held.iter().zip(sums.chunks_exact_mut(REGISTERS)) {
        sums.copy_from_slice(held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The activations in f64, one at a time.
    fn by_hand(rows: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
        let outputs = bias.len();
        let inputs = weight.len() / outputs;
        let activation = |row: &[f32], o: usize| {
            let sum: f64 = (row.iter().enumerate())
                .map(|(k, x)| f64::from(*x) * f64::from(weight[k * outputs + o]))
                .sum();
            (sum + f64::from(bias[o])).max(0.0)
        };
        rows.chunks_exact(inputs)
            .flat_map(|row| (0..outputs).map(move |o| (row, o)))
            .map(|(row, o)| activation(row, o))
            .collect()
    }

    #[test]
    fn activations_are_those_worked_one_at_a_time_whatever_the_shape() {
        let value = |i: usize| ((i * 7919 + 13) % 1013) as f32 / 1013.0 - 0.5;
        for (n, inputs, outputs) in [
            (1, 1, 1),
            (6, 128, 64),
            (13, 300, 70),
            (7, 129, 2),
            (192, 64, 130),
        ] {
            // Activations: none below zero, and some inputs zero in all rows.
            let input = |i: usize| match i % inputs % 3 {
                0 => 0.0,
                _ => value(i).max(0.0),
            };
            let rows: Vec<f32> = (0..n * inputs).map(input).collect();
            let weight: Vec<f32> = (0..inputs * outputs).map(|i| value(i + 5)).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| value(i + 71)).collect();
            let last: Vec<f32> = (0..outputs).map(|i| value(i + 31)).collect();
            let expected = by_hand(&rows, &weight, &bias);
            let layer = Packed::new(&weight, &bias);
            let below = Below {
                rows: &rows,
                shift: None,
            };
            let (mut out, mut sums) = (vec![9f32; n * outputs], PackedBuffers::default());
            layer.activate(below, &mut sums, Into::Rows(&mut out));
            for (o, e) in out.iter().zip(&expected) {
                assert!(
                    (f64::from(*o) - e).abs() < 2e-5,
                    "{n} {inputs} {outputs}: {o} {e}"
                );
            }
            // The same activations, not yet made of what they are made of.
            let shift: Vec<f32> = (0..inputs).map(|i| value(i + 3)).collect();
            let before: Vec<f32> = (rows.iter().enumerate())
                .map(|(i, x)| if *x > 0.0 { *x } else { -1.0 } - shift[i % inputs])
                .collect();
            let unshifted = Below {
                rows: &before,
                shift: Some(&shift),
            };
            let mut again = vec![9f32; n * outputs];
            layer.activate(unshifted, &mut sums, Into::Rows(&mut again));
            for (o, e) in again.iter().zip(&expected) {
                assert!(
                    (f64::from(*o) - e).abs() < 2e-5,
                    "{n} {inputs} {outputs}: {o} {e}"
                );
            }
            let mut dots = vec![9f32; n];
            let padded = layer.padded(last.clone());
            layer.activate(below, &mut sums, Into::Dot(&padded, &mut dots));
            for (dot, row) in dots.iter().zip(expected.chunks_exact(outputs)) {
                let e: f64 = row.iter().zip(&last).map(|(a, w)| a * f64::from(*w)).sum();
                assert!(
                    (f64::from(*dot) - e).abs() < 1e-4,
                    "{n} {inputs} {outputs}: {dot} {e}"
                );
            }
        }
    }
}
