//! The flat files of one model: writing them from the database, opening them.

use super::SearchError;
use super::flat::{Flat, FlatWriter};
use super::layout::Layout;
use super::parts::{Derived, Part, Shape, Sketched};
use super::sketch::{COARSE_ROWS, Coder, FINE_ROWS, MIDDLE_ROWS, Moments};
use super::terms::{LANES, transpose};
use super::view::View;
use crate::genome::Resolution;
use crate::model::TrainedModel;
use crate::store::{Database, StoreError};

/// How many numbers of a scale are read from the database at once.
const READ_NUMBERS: usize = 8 << 20;

/// A model's factors as search wants them.
#[derive(Debug)]
pub(super) struct Tables {
    /// The factors of each of [`Resolution::ALL`]. At 25 bp a group is a 250 bp bin, at 250 bp a 5 kbp
    /// bin, at 5 kbp [`LANES`] rows.
    pub factors: [Flat; 3],
    /// Means of the 25 bp factors over 250 bp bins, a group a 5 kbp bin.
    pub fine_over_middle: Flat,
    /// RunOptions of the 25 bp factors over 5 kbp bins, a group [`LANES`] rows.
    pub fine_over_coarse: Flat,
    /// RunOptions of the 250 bp factors over 5 kbp bins, a group [`LANES`] rows.
    pub middle_over_coarse: Flat,
    /// For each 250 bp bin the least and the greatest squared norm of the 25 bp factors in it.
    pub norms_middle: Flat,
    /// For each 5 kbp bin the least and the greatest squared norm of the 250 bp and 25 bp factors
    /// in it.
    pub norms_coarse: Flat,
    /// The 5 kbp factors again, each row by itself: few are read where sketches leave the others out.
    pub coarse_rows: Flat,
    /// The same of 250 bp factors.
    pub middle_rows: Flat,
    /// For each 250 bp bin the sketch of its 25 bp rows.
    pub sketch_fine: Flat,
    /// For each 5 kbp bin the sketch of its 250 bp rows.
    pub sketch_middle: Flat,
    /// For each group of 5 kbp rows their sketch.
    pub sketch_coarse: Flat,
    /// How the sketches of 25 bp rows are made, in one row.
    pub coder_fine: Flat,
    /// How those of 250 bp rows are.
    pub coder_middle: Flat,
    /// How those of 5 kbp rows are.
    pub coder_coarse: Flat,
}

impl Tables {
    /// Opens the files.
    pub fn open(shape: &Shape) -> Result<Self, SearchError> {
        Ok(Self::of(
            Derived::make(|part| shape.open_part(part))?,
            Sketched::make(|part| shape.open_part(part))?,
        ))
    }

    fn of(derived: Derived<Flat>, sketched: Sketched<Flat>) -> Self {
        Tables {
            factors: [derived.fine, derived.middle, derived.coarse],
            fine_over_middle: derived.fine_over_middle,
            fine_over_coarse: derived.fine_over_coarse,
            middle_over_coarse: derived.middle_over_coarse,
            norms_middle: derived.norms_middle,
            norms_coarse: derived.norms_coarse,
            coarse_rows: derived.coarse_rows,
            middle_rows: derived.middle_rows,
            sketch_fine: sketched.fine,
            sketch_middle: sketched.middle,
            sketch_coarse: sketched.coarse,
            coder_fine: sketched.coder_fine,
            coder_middle: sketched.coder_middle,
            coder_coarse: sketched.coder_coarse,
        }
    }

    /// Writes the files from the database's factors. Whoever calls holds the index's lock.
    pub fn write(
        database: &Database,
        model: &TrainedModel,
        layout: &Layout,
        view: &View,
        shape: &Shape,
    ) -> crate::Result<()> {
        let mut files = Derived::make(|part| shape.create_part(part))?;
        let moments = derive(database, model, layout, view, &mut files)?;
        files.try_map(|_, file| file.finish())?;
        // Made of the factors' own parts, which have to be whole first.
        let factors = [Part::Fine, Part::Middle, Part::Coarse].map(|part| shape.open_part(part));
        let [fine, middle, coarse] = factors;
        let factors = [&fine?, &middle?, &coarse?];
        let mut files = Sketched::make(|part| shape.create_part(part))?;
        sketch_rows(layout, factors, &moments, &mut files)?;
        files.try_map(|_, file| file.finish())?;
        database.sync_index()?;
        Ok(())
    }

    /// The same in memory, for a database that can only be read.
    pub fn in_memory(
        database: &Database,
        model: &TrainedModel,
        layout: &Layout,
        view: &View,
        shape: &Shape,
    ) -> crate::Result<Self> {
        let empty = |_| Ok::<_, SearchError>(Vec::new());
        let flat = |part, numbers| Ok::<_, SearchError>(Flat::in_memory(numbers, shape.cols(part)));
        let mut derived = Derived::make(empty)?;
        let moments = derive(database, model, layout, view, &mut derived)?;
        let derived = derived.try_map(flat)?;
        let factors = [&derived.fine, &derived.middle, &derived.coarse];
        let mut sketched = Sketched::make(empty)?;
        sketch_rows(layout, factors, &moments, &mut sketched)?;
        Ok(Self::of(derived, sketched.try_map(flat)?))
    }
}

/// Takes a part's numbers, row by row.
trait Sink {
    fn put(&mut self, numbers: &[f32]) -> Result<(), SearchError>;
}

impl Sink for FlatWriter {
    fn put(&mut self, numbers: &[f32]) -> Result<(), SearchError> {
        self.write(numbers)
    }
}

impl Sink for Vec<f32> {
    fn put(&mut self, numbers: &[f32]) -> Result<(), SearchError> {
        self.extend_from_slice(numbers);
        Ok(())
    }
}

/// Rows of a coarse table that do not fill a group yet.
struct Lanes {
    cols: usize,
    rows: Vec<f32>,
}

impl Lanes {
    fn new(cols: usize) -> Self {
        let rows = Vec::new();
        Lanes { cols, rows }
    }

    fn push(&mut self, row: &[f32], sink: &mut impl Sink) -> Result<(), SearchError> {
        self.rows.extend_from_slice(row);
        if self.rows.len() == LANES * self.cols {
            self.end(sink)?;
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut impl Sink) -> Result<(), SearchError> {
        let mut group = Vec::with_capacity(self.rows.len());
        transpose(&self.rows, self.cols, &mut group);
        self.rows.clear();
        sink.put(&group)
    }
}

/// Sketches the 25 bp rows of every 250 bp bin, the 250 bp rows of every 5 kbp bin and the 5 kbp rows: the
/// sketches, then how they were made.
fn sketch_rows(
    layout: &Layout,
    [fine, middle, coarse]: [&Flat; 3],
    [of_fine, of_middle, of_coarse]: &[Moments; 3],
    sinks: &mut Sketched<impl Sink>,
) -> Result<(), SearchError> {
    let mut codes = Vec::new();
    let mut coder = Coder::new(of_fine);
    for row in layout.rows() {
        for i in 0..usize::from(row.n_250bp) {
            codes.clear();
            coder.encode(fine.group(row.bins_of_250bp(i))?, FINE_ROWS, &mut codes);
            sinks.fine.put(&codes)?;
        }
    }
    sinks.coder_fine.put(&coder.to_numbers())?;
    let mut coder = Coder::new(of_middle);
    for row in layout.rows() {
        codes.clear();
        coder.encode(middle.group(row.rows_250bp())?, MIDDLE_ROWS, &mut codes);
        sinks.middle.put(&codes)?;
    }
    sinks.coder_middle.put(&coder.to_numbers())?;
    let mut coder = Coder::new(of_coarse);
    for first in (0..coarse.rows()).step_by(LANES) {
        codes.clear();
        let group = first..(first + LANES as u64).min(coarse.rows());
        coder.encode(coarse.group(group)?, COARSE_ROWS, &mut codes);
        sinks.coarse.put(&codes)?;
    }
    sinks.coder_coarse.put(&coder.to_numbers())
}

/// Walks the genome once and gives every part up to the sketches its numbers.
fn derive(
    database: &Database,
    model: &TrainedModel,
    layout: &Layout,
    view: &View,
    sinks: &mut Derived<impl Sink>,
) -> crate::Result<[Moments; 3]> {
    let widths = model.genome_widths();
    let [fine, middle, coarse] = widths;
    let mut coarse_lanes = Lanes::new(coarse);
    let mut fine_lanes = Lanes::new(fine);
    let mut middle_lanes = Lanes::new(middle);
    let mut moments = widths.map(Moments::new);
    let at_once = (READ_NUMBERS / (200 * fine).max(20 * middle).max(coarse)).max(1);
    let mut rows = layout.rows();
    while let Some(first) = rows.first() {
        let of_region = rows.iter().take_while(|c| c.place == first.place).count();
        let (now, rest) = rows.split_at(of_region.min(at_once));
        rows = rest;
        let n_bins: usize = now.iter().map(|c| usize::from(c.n_bins)).sum();
        let region = model.axis().locate(first.first_bin).region;
        let block = model.block(database, region, first.chrom_bin, n_bins)?;
        let mut numbers: [Vec<f32>; 3] =
            block.scales.map(|table| table.into_raw_vec_and_offset().0);
        for scale in Resolution::ALL {
            let values = &mut numbers[scale.index()];
            if values.iter().any(|v| !v.is_finite()) {
                let what = format!("model {}, {scale} factors", model.record().name);
                return Err(StoreError::Damaged {
                    what,
                    why: "a number is not finite; train the model again".into(),
                }
                .into());
            }
            view.apply(scale, values);
        }
        let mut left: [&[f32]; 3] = [&numbers[0], &numbers[1], &numbers[2]];
        for c in now {
            let n_middle = usize::from(c.n_250bp);
            let sizes = [usize::from(c.n_bins), n_middle, 1];
            let mut part: [&[f32]; 3] = [&[]; 3];
            for s in 0..3 {
                (part[s], left[s]) = left[s].split_at(sizes[s] * widths[s]);
            }
            coarse_lanes.push(part[2], &mut sinks.coarse)?;
            sinks.coarse_rows.put(part[2])?;
            moments[2].add(part[2]);
            sinks.middle_rows.put(part[1])?;
            let mut group = Vec::with_capacity(part[1].len());
            transpose(part[1], middle, &mut group);
            sinks.middle.put(&group)?;
            let mut fine_left = part[0];
            let mut means = Vec::with_capacity(n_middle * fine);
            let mut middle_mean = Mean::new(middle);
            let mut fine_mean = Mean::new(fine);
            let mut norms = Range::default();
            for (i, middle_row) in part[1].chunks_exact(middle).enumerate() {
                let bins = c.bins_of_250bp(i);
                let n = (bins.end - bins.start) as usize;
                let (rows, later) = fine_left.split_at(n * fine);
                fine_left = later;
                group.clear();
                transpose(rows, fine, &mut group);
                sinks.fine.put(&group)?;
                let mut mean = Mean::new(fine);
                let mut fine_norms = Range::default();
                let of_middle = norm(middle_row);
                moments[1].add(middle_row);
                for row in rows.chunks_exact(fine) {
                    mean.add(row, 1);
                    fine_mean.add(row, 1);
                    moments[0].add(row);
                    let of_fine = norm(row);
                    fine_norms.add(of_fine);
                    norms.add(of_middle + of_fine);
                }
                middle_mean.add(middle_row, n);
                mean.take(&mut means);
                sinks.norms_middle.put(&fine_norms.0)?;
            }
            group.clear();
            transpose(&means, fine, &mut group);
            sinks.fine_over_middle.put(&group)?;
            sinks.norms_coarse.put(&norms.0)?;
            means.clear();
            fine_mean.take(&mut means);
            fine_lanes.push(&means, &mut sinks.fine_over_coarse)?;
            means.clear();
            middle_mean.take(&mut means);
            middle_lanes.push(&means, &mut sinks.middle_over_coarse)?;
        }
    }
    coarse_lanes.end(&mut sinks.coarse)?;
    fine_lanes.end(&mut sinks.fine_over_coarse)?;
    middle_lanes.end(&mut sinks.middle_over_coarse)?;
    Ok(moments)
}

/// A mean of rows, summed in f64 in the order in which they come.
struct Mean {
    sums: Vec<f64>,
    n: usize,
}

impl Mean {
    fn new(cols: usize) -> Self {
        Mean {
            sums: vec![0.0; cols],
            n: 0,
        }
    }

    fn add(&mut self, row: &[f32], times: usize) {
        self.n += times;
        for (sum, x) in self.sums.iter_mut().zip(row) {
            *sum += f64::from(*x) * times as f64;
        }
    }

    fn take(self, out: &mut Vec<f32>) {
        let n = self.n as f64;
        out.extend(self.sums.iter().map(|sum| (sum / n) as f32));
    }
}

fn norm(row: &[f32]) -> f32 {
    row.iter().map(|x| x * x).sum()
}

/// Least and greatest.
struct Range([f32; 2]);

impl Default for Range {
    fn default() -> Self {
        Range([f32::INFINITY, 0.0])
    }
}

impl Range {
    fn add(&mut self, value: f32) {
        self.0 = [self.0[0].min(value), self.0[1].max(value)];
    }
}
