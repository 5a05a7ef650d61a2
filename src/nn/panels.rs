//! Weights laid out for products with few inputs a row: the first layer's parts of the genome.
//!
//! Rows of a layer's weights lie a power of two of bytes apart, so that the inputs' weights of the
//! same units push each other out of the cache; in panels as wide as the registers that hold the
//! sums they lie side by side.

use pulp::Simd;

/// Rows whose sums are in registers at once.
pub(crate) const ROWS: usize = 4;
/// Rows that take a panel before the next: they stay in the second-level cache meanwhile.
const BLOCK: usize = 6 * ROWS;

/// Weights `[inputs, outputs]` in panels of columns.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    inputs: usize,
    outputs: usize,
    width: usize,
    /// `[inputs, width]` each; what the last one lacks is zero.
    values: Vec<f32>,
}

impl Panels {
    /// Lays out a row-major weight.
    pub fn new(weight: &[f32], outputs: usize) -> Self {
        let inputs = weight.len() / outputs.max(1);
        let width = crate::instructions::arch().dispatch(Width);
        let mut values = vec![0f32; outputs.div_ceil(width) * inputs * width];
        for (p, panel) in values.chunks_exact_mut((inputs * width).max(1)).enumerate() {
            let first = p * width;
            let n = width.min(outputs - first);
            for (to, from) in (panel.chunks_exact_mut(width)).zip(weight.chunks_exact(outputs)) {
                to[..n].copy_from_slice(&from[first..first + n]);
            }
        }
        Panels {
            inputs,
            outputs,
            width,
            values,
        }
    }

    /// How many inputs a row has.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many columns there are.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Columns of a panel.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Columns of all panels together.
    pub fn padded(&self) -> usize {
        self.outputs.next_multiple_of(self.width)
    }

    /// The panels, `[inputs, width]` each.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact((self.inputs * self.width).max(1))
    }

    /// `out[r] = start(r) + rows[r] · weight`, each sum from the first input to the last: a row's
    /// sums do not depend on which rows are with it, as a library's would.
    ///
    /// `rows` is `[n, inputs]`, `out` `[n, outputs]`, and what `start` gives has a row's outputs.
    pub fn products<'a>(&self, rows: &[f32], start: impl Fn(usize) -> &'a [f32], out: &mut [f32]) {
        dispatch(Products {
            panels: self,
            rows,
            start,
            out,
        });
    }
}

/// The width of a panel on this processor: two registers, or four where there are 32 of 512 bits.
pub(crate) struct Width;

impl pulp::WithSimd for Width {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES * registers::<S>()
    }
}

/// How many registers a panel's row takes.
const fn registers<S: Simd>() -> usize {
    if S::F32_LANES >= 16 { 4 } else { 2 }
}

/// Work on panels, compiled for each number of registers that a panel's row may take.
pub(crate) trait OnPanels {
    /// Does it.
    fn run<S: Simd, const REGISTERS: usize>(self, simd: S);
}

/// Does work on panels with this processor's registers.
pub(crate) fn dispatch(work: impl OnPanels) {
    struct Work<W>(W);

    impl<W: OnPanels> pulp::WithSimd for Work<W> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            match registers::<S>() {
                4 => self.0.run::<S, 4>(simd),
                _ => self.0.run::<S, 2>(simd),
            }
        }
    }

    crate::instructions::arch().dispatch(Work(work));
}

struct Products<'a, F> {
    panels: &'a Panels,
    rows: &'a [f32],
    start: F,
    out: &'a mut [f32],
}

impl<'a, F: Fn(usize) -> &'a [f32]> OnPanels for Products<'_, F> {
    #[inline(always)]
    fn run<S: Simd, const REGISTERS: usize>(self, simd: S) {
        let (inputs, outputs, width) = (self.panels.inputs, self.panels.outputs, self.panels.width);
        let n = self.rows.len() / inputs.max(1);
        for block in (0..n).step_by(BLOCK) {
            for (p, panel) in self.panels.iter().enumerate() {
                let columns = p * width..outputs.min((p + 1) * width);
                for first in (block..n.min(block + BLOCK)).step_by(ROWS) {
                    // What the last rows lack is the last one once more; nobody takes those sums.
                    let positions = std::array::from_fn(|r| (first + r).min(n - 1));
                    let sums = sums::<S, REGISTERS>(
                        simd,
                        positions.map(|row| &self.rows[row * inputs..][..inputs]),
                        positions.map(|row| &(self.start)(row)[columns.clone()]),
                        panel,
                    );
                    let last = n.min(first + ROWS);
                    let out = self.out[first * outputs..last * outputs].chunks_exact_mut(outputs);
                    for (out, sums) in out.zip(sums) {
                        store::<S, REGISTERS>(simd, &mut out[columns.clone()], sums);
                    }
                }
            }
        }
    }
}

/// The sums of some rows' products with a panel, beginning with `starts`, which has at most as many
/// columns as the panel.
#[inline(always)]
pub(crate) fn sums<S: Simd, const REGISTERS: usize>(
    simd: S,
    rows: [&[f32]; ROWS],
    starts: [&[f32]; ROWS],
    panel: &[f32],
) -> [[S::f32s; REGISTERS]; ROWS] {
    let mut sums = starts.map(|start| load::<S, REGISTERS>(simd, start));
    let (weights, _) = S::as_simd_f32s(panel).0.as_chunks::<REGISTERS>();
    for (k, weights) in weights.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let value = simd.splat_f32s(row[k]);
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = simd.mul_add_e_f32s(value, *weight, *sum);
            }
        }
    }
    sums
}

/// Columns in registers; what a last panel lacks is zero.
#[inline(always)]
pub(crate) fn load<S: Simd, const REGISTERS: usize>(
    simd: S,
    values: &[f32],
) -> [S::f32s; REGISTERS] {
    let (whole, rest) = S::as_simd_f32s(values);
    match whole.try_into() {
        Ok(all) => all,
        Err(_) => std::array::from_fn(|c| match whole.get(c) {
            Some(values) => *values,
            None if c == whole.len() => simd.partial_load_f32s(rest),
            None => simd.splat_f32s(0.0),
        }),
    }
}

#[inline(always)]
fn store<S: Simd, const REGISTERS: usize>(simd: S, out: &mut [f32], sums: [S::f32s; REGISTERS]) {
    let (whole, rest) = S::as_mut_simd_f32s(out);
    let n = whole.len();
    for (out, sum) in whole.iter_mut().zip(sums) {
        *out = sum;
    }
    if let Some(sum) = sums.get(n) {
        simd.partial_store_f32s(rest, *sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(i: usize) -> f32 {
        ((i * 7919 + 13) % 1013) as f32 / 1013.0 - 0.5
    }

    #[test]
    fn products_are_those_worked_one_at_a_time_whatever_the_shape() {
        for (n, inputs, outputs) in [
            (1, 1, 1),
            (4, 5, 64),
            (13, 7, 70),
            (99, 25, 130),
            (3, 2, 15),
        ] {
            let rows: Vec<f32> = (0..n * inputs).map(value).collect();
            let weight: Vec<f32> = (0..inputs * outputs).map(|i| value(i + 5)).collect();
            let starts: Vec<f32> = (0..outputs).map(|i| value(i + 71)).collect();
            let panels = Panels::new(&weight, outputs);
            let mut out = vec![9f32; n * outputs];
            panels.products(&rows, |_| &starts, &mut out);
            for (i, out) in out.iter().enumerate() {
                let (row, o) = (i / outputs, i % outputs);
                let products = (rows[row * inputs..].iter().take(inputs).enumerate())
                    .map(|(k, x)| f64::from(*x) * f64::from(weight[k * outputs + o]));
                let expected = f64::from(starts[o]) + products.sum::<f64>();
                assert!(
                    (f64::from(*out) - expected).abs() < 1e-6,
                    "{n} {inputs} {outputs} {i}"
                );
            }
        }
    }

    #[test]
    fn a_rows_sums_do_not_depend_on_the_rows_with_it() {
        let (n, inputs, outputs) = (31, 25, 130);
        let rows: Vec<f32> = (0..n * inputs).map(value).collect();
        let weight: Vec<f32> = (0..inputs * outputs).map(|i| value(i + 5)).collect();
        let panels = Panels::new(&weight, outputs);
        let start = vec![0.1; outputs];
        let mut together = vec![0f32; n * outputs];
        panels.products(&rows, |_| &start, &mut together);
        for (row, together) in rows
            .chunks_exact(inputs)
            .zip(together.chunks_exact(outputs))
        {
            let mut alone = vec![0f32; outputs];
            panels.products(row, |_| &start, &mut alone);
            assert_eq!(alone, together);
        }
    }
}
