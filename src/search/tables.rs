//! The flat files of one model: what there is, writing them from the database, opening them.

use std::path::{Path, PathBuf};

use super::SearchError;
use super::flat::{Flat, FlatWriter, Origin};
use super::layout::Layout;
use super::sketch::{self, COARSE_ROWS, Coder, FINE_ROWS, MIDDLE_ROWS};
use super::terms::{LANES, transpose};
use super::view::{Metric, View};
use crate::genome::{BIN_BP, GenomeAxis, Scale};
use crate::model::TrainedModel;
use crate::store::{Database, StoreError};

/// How many numbers of a scale are read from the database at once.
const READ_NUMBERS: usize = 8 << 20;

/// The parts, in the order of [`Tables`].
const PARTS: [&str; 16] = [
    "25bp",
    "250bp",
    "5kbp",
    "25bp_over_250bp",
    "25bp_over_5kbp",
    "250bp_over_5kbp",
    "norms_250bp",
    "norms_5kbp",
    "5kbp_rows",
    "250bp_rows",
    "sketch_25bp",
    "sketch_250bp",
    "sketch_5kbp",
    "sketch_25bp_coder",
    "sketch_250bp_coder",
    "sketch_5kbp_coder",
];

/// Where in [`PARTS`] those begin that are made of others.
const SKETCH: usize = 10;

/// A model's factors as search wants them.
#[derive(Debug)]
pub(super) struct Tables {
    /// The factors of each of [`Scale::ALL`]. At 25 bp a group is a 250 bp bin, at 250 bp a 5 kbp
    /// bin, at 5 kbp [`LANES`] rows.
    pub factors: [Flat; 3],
    /// Means of the 25 bp factors over 250 bp bins, a group a 5 kbp bin.
    pub fine_over_middle: Flat,
    /// Means of the 25 bp factors over 5 kbp bins, a group [`LANES`] rows.
    pub fine_over_coarse: Flat,
    /// Means of the 250 bp factors over 5 kbp bins, a group [`LANES`] rows.
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

/// What the tables of a model are made of, and the shapes they must have.
#[derive(Debug)]
pub(super) struct Shape {
    folder: PathBuf,
    prefix: String,
    kind: &'static str,
    model: String,
    axis: [u8; 32],
    rows: [u64; 16],
    cols: [usize; 16],
}

impl Shape {
    pub fn new(database: &Database, model: &TrainedModel, metric: Metric) -> Self {
        let [fine, middle, coarse] = model.genome_widths();
        let rows = Scale::ALL.map(|scale| model.axis().n_rows(scale));
        let kind = metric.files();
        Shape {
            folder: database.index_folder(),
            prefix: format!("model{}.{kind}", model.stored().id),
            kind,
            model: model.stored().checksum.clone(),
            axis: axis_hash(model.axis()),
            rows: [
                rows[0],
                rows[1],
                rows[2],
                rows[1],
                rows[2],
                rows[2],
                rows[1],
                rows[2],
                rows[2],
                rows[1],
                rows[1],
                rows[2],
                rows[2].div_ceil(LANES as u64),
                1,
                1,
                1,
            ],
            cols: [
                fine,
                middle,
                coarse,
                fine,
                fine,
                middle,
                2,
                2,
                coarse,
                middle,
                sketch::numbers(fine, FINE_ROWS),
                sketch::numbers(middle, MIDDLE_ROWS),
                sketch::numbers(coarse, COARSE_ROWS),
                fine + 2,
                middle + 2,
                coarse + 2,
            ],
        }
    }

    pub fn path(&self, part: usize) -> PathBuf {
        self.folder.join(format!("{}.{}", self.prefix, PARTS[part]))
    }

    fn origin(&self, part: usize) -> Origin {
        Origin {
            kind: format!("{} {}", self.kind, PARTS[part]),
            model: self.model.clone(),
            axis: self.axis,
        }
    }

    pub fn open_part(&self, part: usize) -> Result<Flat, SearchError> {
        let path = self.path(part);
        Flat::open(&path, &self.origin(part), self.rows[part], self.cols[part])
    }

    /// The files that there should be.
    pub fn paths(&self) -> Vec<PathBuf> {
        (0..PARTS.len()).map(|part| self.path(part)).collect()
    }
}

/// A model's regions, so that a file of other regions is told from one of these.
pub(super) fn axis_hash(axis: &GenomeAxis) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&BIN_BP.to_le_bytes());
    for region in axis.regions() {
        hasher.update(region.chrom.as_bytes());
        hasher.update(&[0]);
        hasher.update(&region.first_bin.to_le_bytes());
        hasher.update(&region.n_bins.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

impl Tables {
    /// Opens the files.
    pub fn open(shape: &Shape) -> Result<Self, SearchError> {
        Self::of_parts(|part| shape.open_part(part))
    }

    fn of_parts(
        mut part: impl FnMut(usize) -> Result<Flat, SearchError>,
    ) -> Result<Self, SearchError> {
        Ok(Tables {
            factors: [part(0)?, part(1)?, part(2)?],
            fine_over_middle: part(3)?,
            fine_over_coarse: part(4)?,
            middle_over_coarse: part(5)?,
            norms_middle: part(6)?,
            norms_coarse: part(7)?,
            coarse_rows: part(8)?,
            middle_rows: part(9)?,
            sketch_fine: part(10)?,
            sketch_middle: part(11)?,
            sketch_coarse: part(12)?,
            coder_fine: part(13)?,
            coder_middle: part(14)?,
            coder_coarse: part(15)?,
        })
    }

    /// Writes the files from the database's factors. Whoever calls holds the index's lock.
    pub fn write(
        database: &Database,
        model: &TrainedModel,
        layout: &Layout,
        view: &View,
        shape: &Shape,
    ) -> crate::Result<()> {
        let create = |part: usize| {
            FlatWriter::create(&shape.path(part), shape.origin(part), shape.cols[part])
                .map(Sink::File)
        };
        let finish = |sinks: Vec<Sink>| {
            sinks.into_iter().try_for_each(|sink| match sink {
                Sink::File(writer) => writer.finish(),
                Sink::Memory(_) => Ok(()),
            })
        };
        let mut sinks = (0..SKETCH).map(create).collect::<Result<Vec<Sink>, _>>()?;
        let moments = derive(database, model, layout, view, &mut sinks)?;
        finish(sinks)?;
        // Made of the factors' own parts, which have to be whole first.
        let [fine, middle, coarse] = [0, 1, 2].map(|scale| shape.open_part(scale));
        let factors = [&fine?, &middle?, &coarse?];
        let mut sinks = (SKETCH..PARTS.len())
            .map(create)
            .collect::<Result<Vec<Sink>, _>>()?;
        sketch_rows(layout, factors, &moments, &mut sinks)?;
        finish(sinks)?;
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
        let memory = |n: usize| (0..n).map(|_| Sink::Memory(Vec::new())).collect();
        let flats = |sinks: Vec<Sink>, first: usize| -> Vec<Flat> {
            let flat = |(i, sink)| match sink {
                Sink::Memory(numbers) => Flat::in_memory(numbers, shape.cols[first + i]),
                Sink::File(_) => Flat::in_memory(Vec::new(), shape.cols[first + i]),
            };
            sinks.into_iter().enumerate().map(flat).collect()
        };
        let mut sinks: Vec<Sink> = memory(SKETCH);
        let moments = derive(database, model, layout, view, &mut sinks)?;
        let mut parts = flats(sinks, 0);
        let mut sinks: Vec<Sink> = memory(PARTS.len() - SKETCH);
        let factors = [0, 1, 2].map(|scale| &parts[scale]);
        sketch_rows(layout, factors, &moments, &mut sinks)?;
        parts.extend(flats(sinks, SKETCH));
        let mut parts = parts.into_iter();
        let next = |_| {
            Ok(parts
                .next()
                .unwrap_or_else(|| Flat::in_memory(Vec::new(), 1)))
        };
        Ok(Self::of_parts(next)?)
    }
}

/// The name of a file of `index/` that belongs to a model, and which.
pub(super) fn model_of(path: &Path) -> Option<i64> {
    let name = path.file_name()?.to_str()?;
    let rest = name.strip_prefix("model")?;
    rest[..rest.find('.')?].parse().ok()
}

enum Sink {
    File(FlatWriter),
    Memory(Vec<f32>),
}

impl Sink {
    fn write(&mut self, numbers: &[f32]) -> Result<(), SearchError> {
        match self {
            Sink::File(writer) => writer.write(numbers),
            Sink::Memory(all) => {
                all.extend_from_slice(numbers);
                Ok(())
            }
        }
    }
}

/// Rows of a coarse table that do not fill a group yet.
struct Lanes {
    part: usize,
    cols: usize,
    rows: Vec<f32>,
}

impl Lanes {
    fn new(part: usize, cols: usize) -> Self {
        Lanes {
            part,
            cols,
            rows: Vec::new(),
        }
    }

    fn push(&mut self, row: &[f32], sinks: &mut [Sink]) -> Result<(), SearchError> {
        self.rows.extend_from_slice(row);
        if self.rows.len() == LANES * self.cols {
            self.end(sinks)?;
        }
        Ok(())
    }

    fn end(&mut self, sinks: &mut [Sink]) -> Result<(), SearchError> {
        let mut group = Vec::with_capacity(self.rows.len());
        transpose(&self.rows, self.cols, &mut group);
        self.rows.clear();
        sinks[self.part].write(&group)
    }
}

/// Sketches the 25 bp rows of every 250 bp bin, the 250 bp rows of every 5 kbp bin and the 5 kbp rows: the
/// sketches, then how they were made.
fn sketch_rows(
    layout: &Layout,
    [fine, middle, coarse]: [&Flat; 3],
    [of_fine, of_middle, of_coarse]: &Moments,
    sinks: &mut [Sink],
) -> Result<(), SearchError> {
    let [
        sketch_fine,
        sketch_middle,
        sketch_coarse,
        coder_fine,
        coder_middle,
        coder_coarse,
    ] = sinks
    else {
        return Ok(());
    };
    let mut codes = Vec::new();
    let mut coder = Coder::new(of_fine, fine.rows() as f64);
    for row in layout.rows() {
        for i in 0..usize::from(row.n_250bp) {
            codes.clear();
            coder.encode(fine.group(row.bins_of_250bp(i))?, FINE_ROWS, &mut codes);
            sketch_fine.write(&codes)?;
        }
    }
    coder_fine.write(&coder.to_numbers())?;
    let mut coder = Coder::new(of_middle, middle.rows() as f64);
    for row in layout.rows() {
        codes.clear();
        coder.encode(middle.group(row.rows_250bp())?, MIDDLE_ROWS, &mut codes);
        sketch_middle.write(&codes)?;
    }
    coder_middle.write(&coder.to_numbers())?;
    let mut coder = Coder::new(of_coarse, coarse.rows() as f64);
    for first in (0..coarse.rows()).step_by(LANES) {
        codes.clear();
        let group = first..(first + LANES as u64).min(coarse.rows());
        coder.encode(coarse.group(group)?, COARSE_ROWS, &mut codes);
        sketch_coarse.write(&codes)?;
    }
    coder_coarse.write(&coder.to_numbers())
}

/// Sums and sums of squares of each factor, at each of [`Scale::ALL`].
type Moments = [Vec<(f64, f64)>; 3];

fn add_moments(moments: &mut [(f64, f64)], row: &[f32]) {
    for ((sum, squares), x) in moments.iter_mut().zip(row) {
        *sum += f64::from(*x);
        *squares += f64::from(*x) * f64::from(*x);
    }
}

/// Walks the genome once and gives every part up to the sketches its numbers.
fn derive(
    database: &Database,
    model: &TrainedModel,
    layout: &Layout,
    view: &View,
    sinks: &mut [Sink],
) -> crate::Result<Moments> {
    let widths = model.genome_widths();
    let [fine, middle, coarse] = widths;
    let mut lanes = [
        Lanes::new(2, coarse),
        Lanes::new(4, fine),
        Lanes::new(5, middle),
    ];
    let mut moments = widths.map(|width| vec![(0f64, 0f64); width]);
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
        for scale in Scale::ALL {
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
            lanes[0].push(part[2], sinks)?;
            sinks[8].write(part[2])?;
            add_moments(&mut moments[2], part[2]);
            sinks[9].write(part[1])?;
            let mut group = Vec::with_capacity(part[1].len());
            transpose(part[1], middle, &mut group);
            sinks[1].write(&group)?;
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
                sinks[0].write(&group)?;
                let mut mean = Mean::new(fine);
                let mut fine_norms = Range::default();
                let of_middle = norm(middle_row);
                add_moments(&mut moments[1], middle_row);
                for row in rows.chunks_exact(fine) {
                    mean.add(row, 1);
                    fine_mean.add(row, 1);
                    add_moments(&mut moments[0], row);
                    let of_fine = norm(row);
                    fine_norms.add(of_fine);
                    norms.add(of_middle + of_fine);
                }
                middle_mean.add(middle_row, n);
                mean.take(&mut means);
                sinks[6].write(&fine_norms.0)?;
            }
            group.clear();
            transpose(&means, fine, &mut group);
            sinks[3].write(&group)?;
            sinks[7].write(&norms.0)?;
            means.clear();
            fine_mean.take(&mut means);
            lanes[1].push(&means, sinks)?;
            means.clear();
            middle_mean.take(&mut means);
            lanes[2].push(&means, sinks)?;
        }
    }
    for lane in &mut lanes {
        lane.end(sinks)?;
    }
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
