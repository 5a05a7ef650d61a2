//! The factorisation's network with frozen weights, laid out to predict.
//!
//! The first layer separates: W·[b; a; g] = W_b b + W_a a + W_g g. Biosample and assay parts are
//! computed once for the model, coarse genome parts once a coarse row, so that an experiment costs
//! an addition a unit at the first layer; what remains are the further layers' products with
//! [`Packed`] weights. Sums run in an order of their own, which training's do not share: a stored
//! model predicts the same bits for ever.

use std::ops::Range;

use rayon::prelude::*;

use super::packed::{Below, Into, Packed, PackedRoom};
use super::panels::{Panels, dispatch};
use super::shallow::SingleLayer;

/// Samples that one thread takes at a time where there are further layers: enough for the weights,
/// which each tile reads once, to cost little beside the products with them.
const DEEP_TILE: usize = 384;
/// The same where there is one hidden layer, whose numbers stay in the cache.
const SHALLOW_TILE: usize = 2_048;

const FINE: usize = 0;
const MIDDLE: usize = 1;
const COARSE: usize = 2;

/// Consecutive samples whose factors at three scales are rows of nested tables: so many samples
/// share a row of each scale.
pub(crate) struct NestedRows<'a> {
    /// The first sample's place on the scale that rows are aligned to.
    pub first: u64,
    /// How many samples.
    pub n: usize,
    /// How many samples share a row at each scale, finest first: 1 at the finest, each a multiple of the
    /// one before.
    pub shared_by: [u64; 3],
    /// The rows at each scale, row-major, from that of the first sample to that of the last.
    pub tables: [&'a [f32]; 3],
}

impl NestedRows<'_> {
    /// The row of a scale's table that the `i`-th sample uses.
    fn row(&self, scale: usize, i: usize) -> usize {
        let shared = self.shared_by[scale];
        ((self.first + i as u64) / shared - self.first / shared) as usize
    }
}

/// The numbers of a network, as [`Frozen::new`] lays them out.
pub(crate) struct FrozenParts<'a> {
    /// First-layer contribution of each biosample, `[n_biosamples, nodes]`.
    pub biosamples: Vec<f32>,
    /// First-layer contribution of each assay and the bias, `[n_assays, nodes]`.
    pub assays: Vec<f32>,
    /// First-layer weights of each genome scale, finest first, `[factors, nodes]`.
    pub genome: [&'a [f32]; 3],
    /// Weight and bias of each hidden layer after the first.
    pub further: Vec<(&'a [f32], &'a [f32])>,
    /// The output's weight, `[nodes]`, and bias.
    pub output: (&'a [f32], f32),
}

/// A network made ready to predict.
#[derive(Debug, Clone)]
pub(crate) struct Frozen {
    nodes: usize,
    biosamples: Vec<f32>,
    assays: Vec<f32>,
    genome: [Panels; 3],
    further: Vec<Packed>,
    /// As long as the last hidden layer's panels are wide together, or `nodes` where there is one
    /// hidden layer.
    output: Vec<f32>,
    output_bias: f32,
}

/// Buffers of a tile, used again by the next tile of the same thread.
#[derive(Default)]
struct Buffers {
    coarse: Vec<f32>,
    genome: Vec<f32>,
    now: Vec<f32>,
    next: Vec<f32>,
    out: Vec<f32>,
    packed: PackedRoom,
}

impl Frozen {
    /// Lays out a network's numbers.
    pub fn new(parts: FrozenParts<'_>) -> Self {
        let (output, output_bias) = parts.output;
        let nodes = output.len();
        let further: Vec<Packed> = (parts.further.iter())
            .map(|(weight, bias)| Packed::new(weight, bias))
            .collect();
        Frozen {
            nodes,
            biosamples: parts.biosamples,
            assays: parts.assays,
            genome: parts.genome.map(|weight| Panels::new(weight, nodes)),
            output: match further.last() {
                Some(last) => last.padded(output.to_vec()),
                None => output.to_vec(),
            },
            further,
            output_bias,
        }
    }

    /// How many biosamples and assays there are.
    pub fn n_names(&self) -> [usize; 2] {
        [&self.biosamples, &self.assays].map(|parts| parts.len() / self.nodes)
    }

    /// What a biosample and an assay contribute to the first layer.
    pub fn shift(&self, biosample: usize, assay: usize) -> Vec<f32> {
        let n = self.nodes;
        let biosample = &self.biosamples[biosample * n..][..n];
        let assay = &self.assays[assay * n..][..n];
        biosample.iter().zip(assay).map(|(b, a)| b + a).collect()
    }

    /// Predicts for each of some shifts, `[shifts, n]`.
    pub fn predict(&self, rows: &NestedRows<'_>, shifts: &[Vec<f32>], out: &mut [f32]) {
        let n = self.tile();
        // A tile's part of each shift.
        let mut tiles: Vec<Vec<&mut [f32]>> = (0..rows.n.div_ceil(n)).map(|_| Vec::new()).collect();
        for values in out.chunks_exact_mut(rows.n.max(1)) {
            for (tile, values) in tiles.iter_mut().zip(values.chunks_mut(n)) {
                tile.push(values);
            }
        }
        (tiles.into_par_iter().enumerate()).for_each_init(
            Buffers::default,
            |buffers, (tile, mut out)| {
                let first = tile * n;
                let samples = first..(first + n).min(rows.n);
                if self.further.is_empty() {
                    self.coarse_parts(rows, &samples, &mut buffers.coarse);
                    self.single_layer(rows, samples, &buffers.coarse, shifts, &mut out);
                    return;
                }
                self.genome_part(rows, &samples, buffers);
                for (shift, out) in shifts.iter().zip(out) {
                    self.last_layer(shift, buffers, Into::Dot(&self.output, out));
                    for value in out.iter_mut() {
                        *value += self.output_bias;
                    }
                }
            },
        );
    }

    /// Adds the last hidden layer's activations for a shift, `[n, nodes]`, to `sum`.
    pub fn add_hidden(&self, rows: &NestedRows<'_>, shift: &[f32], sum: &mut [f32]) {
        let n = DEEP_TILE;
        (sum.par_chunks_mut(n * self.nodes).enumerate()).for_each_init(
            Buffers::default,
            |buffers, (tile, sum)| {
                let samples = tile * n..tile * n + sum.len() / self.nodes;
                self.genome_part(rows, &samples, buffers);
                let values = if self.further.is_empty() {
                    self.first_layer(shift, buffers);
                    &buffers.now
                } else {
                    let mut out = std::mem::take(&mut buffers.out);
                    out.resize(buffers.genome.len(), 0.0);
                    self.last_layer(shift, buffers, Into::Rows(&mut out));
                    buffers.out = out;
                    &buffers.out
                };
                for (sum, value) in sum.iter_mut().zip(values) {
                    *sum += value;
                }
            },
        );
    }

    /// Samples that one thread takes at a time.
    fn tile(&self) -> usize {
        match self.further.is_empty() {
            true => SHALLOW_TILE,
            false => DEEP_TILE,
        }
    }

    /// A tile through a network of one hidden layer.
    fn single_layer(
        &self,
        rows: &NestedRows<'_>,
        samples: Range<usize>,
        coarse: &[f32],
        shifts: &[Vec<f32>],
        out: &mut [&mut [f32]],
    ) {
        let cols = self.genome[FINE].inputs();
        let first = rows.row(MIDDLE, samples.start);
        dispatch(SingleLayer {
            weight: &self.genome[FINE],
            factors: &rows.tables[FINE][samples.start * cols..samples.end * cols],
            coarse: |i| {
                let row = rows.row(MIDDLE, samples.start + i) - first;
                &coarse[row * self.nodes..][..self.nodes]
            },
            shifts,
            output: &self.output,
            output_bias: self.output_bias,
            out,
        });
    }

    /// What the two coarse scales contribute together to some samples, a row for each of the middle
    /// scale's.
    fn coarse_parts(&self, rows: &NestedRows<'_>, samples: &Range<usize>, out: &mut Vec<f32>) {
        let of = |scale| rows.row(scale, samples.start)..rows.row(scale, samples.end - 1) + 1;
        let coarsest = of(COARSE);
        let (nothing, mut coarse) = (vec![0f32; self.nodes], Vec::new());
        self.products(rows, COARSE, &coarsest, |_| &nothing, &mut coarse);
        let middle = of(MIDDLE);
        let per = (rows.shared_by[COARSE] / rows.shared_by[MIDDLE]) as usize;
        let before = (rows.first / rows.shared_by[MIDDLE]) as usize % per + middle.start;
        let above = |row: usize| {
            let row = (before + row) / per - coarsest.start;
            &coarse[row * self.nodes..][..self.nodes]
        };
        self.products(rows, MIDDLE, &middle, above, out);
    }

    /// What a scale's factors in some rows add to what the coarser ones contribute to the first
    /// layer, `[rows, nodes]`. A part predicts bit for bit as the whole does: see [`Panels::products`].
    fn products<'a>(
        &self,
        rows: &NestedRows<'_>,
        scale: usize,
        which: &Range<usize>,
        coarser: impl Fn(usize) -> &'a [f32],
        out: &mut Vec<f32>,
    ) {
        let cols = self.genome[scale].inputs();
        out.resize(which.len() * self.nodes, 0.0);
        let factors = &rows.tables[scale][which.start * cols..which.end * cols];
        self.genome[scale].products(factors, coarser, out);
    }

    /// The genome's contribution to the first layer of some samples, `[samples, nodes]`: shared by
    /// all shifts.
    fn genome_part(&self, rows: &NestedRows<'_>, samples: &Range<usize>, buffers: &mut Buffers) {
        self.coarse_parts(rows, samples, &mut buffers.coarse);
        let first = rows.row(MIDDLE, samples.start);
        let above = |i: usize| {
            let row = rows.row(MIDDLE, samples.start + i) - first;
            &buffers.coarse[row * self.nodes..][..self.nodes]
        };
        self.products(rows, FINE, samples, above, &mut buffers.genome);
    }

    /// The first layer's activations, from the genome's part to `buffers.now`.
    fn first_layer(&self, shift: &[f32], buffers: &mut Buffers) {
        buffers.now.resize(buffers.genome.len(), 0.0);
        let rows = buffers.now.chunks_exact_mut(self.nodes);
        for (row, from) in rows.zip(buffers.genome.chunks_exact(self.nodes)) {
            for ((value, g), s) in row.iter_mut().zip(from).zip(shift) {
                *value = (g + s).max(0.0);
            }
        }
    }

    /// The last hidden layer's activations for a shift, from the genome's part.
    fn last_layer(&self, shift: &[f32], buffers: &mut Buffers, into: Into<'_>) {
        let Some((last, between)) = self.further.split_last() else {
            return;
        };
        let mut below = Below {
            rows: &buffers.genome,
            shift: Some(shift),
        };
        for layer in between {
            buffers.next.resize(below.rows.len(), 0.0);
            layer.activate(below, &mut buffers.packed, Into::Rows(&mut buffers.next));
            std::mem::swap(&mut buffers.now, &mut buffers.next);
            below = Below {
                rows: &buffers.now,
                shift: None,
            };
        }
        last.activate(below, &mut buffers.packed, into);
    }
}
