//! A network of one hidden layer over a tile, for all experiments: no activation is written.

use pulp::Simd;

use super::panels::{OnPanels, Panels, ROWS, load, sums};

/// What it takes, and where predictions go.
pub(crate) struct SingleLayer<'a, 'b, F> {
    /// The first layer's weights of the finest scale.
    pub weight: &'a Panels,
    /// Factors of the finest scale, a row a bin.
    pub factors: &'a [f32],
    /// What the coarser scales contribute to a bin's first layer.
    pub coarse: F,
    /// What each experiment's biosample and assay contribute to it.
    pub shifts: &'a [Vec<f32>],
    /// The last layer's weights.
    pub output: &'a [f32],
    pub output_bias: f32,
    /// A value a bin, of each experiment.
    pub out: &'a mut [&'b mut [f32]],
}

impl<'c, F: Fn(usize) -> &'c [f32]> OnPanels for SingleLayer<'_, '_, F> {
    #[inline(always)]
    fn run<S: Simd, const REGISTERS: usize>(self, simd: S) {
        let (inputs, outputs) = (self.weight.inputs(), self.weight.outputs());
        let n = self.out.first().map_or(0, |out| out.len());
        let zero = simd.splat_f32s(0.0);
        let mut dots = vec![[zero; ROWS]; self.shifts.len()];
        for first in (0..n).step_by(ROWS) {
            // What the last bins lack is the last one once more; nobody takes those values.
            let bins: [usize; ROWS] = std::array::from_fn(|r| (first + r).min(n - 1));
            let rows = bins.map(|bin| &self.factors[bin * inputs..][..inputs]);
            let coarse = bins.map(&self.coarse);
            dots.fill([zero; ROWS]);
            for (p, panel) in self.weight.iter().enumerate() {
                let width = self.weight.width();
                let columns = p * width..outputs.min((p + 1) * width);
                let starts = coarse.map(|coarse| &coarse[columns.clone()]);
                let sums = sums::<S, REGISTERS>(simd, rows, starts, panel);
                // What a last panel lacks has no weight, and adds nothing.
                let last = load::<S, REGISTERS>(simd, &self.output[columns.clone()]);
                for (dots, shift) in dots.iter_mut().zip(self.shifts) {
                    let shift = load::<S, REGISTERS>(simd, &shift[columns.clone()]);
                    for (dot, sums) in dots.iter_mut().zip(&sums) {
                        for c in 0..REGISTERS {
                            let unit = simd.max_f32s(simd.add_f32s(sums[c], shift[c]), zero);
                            *dot = simd.mul_add_e_f32s(unit, last[c], *dot);
                        }
                    }
                }
            }
            for (out, dots) in self.out.iter_mut().zip(&dots) {
                let out = &mut out[first..n.min(first + ROWS)];
                for (out, dot) in out.iter_mut().zip(dots) {
                    *out = self.output_bias + simd.reduce_sum_f32s(*dot);
                }
            }
        }
    }
}
