//! The flat files of one model: what there is, by name, and the shape that each must have.

use std::path::{Path, PathBuf};

use super::SearchError;
use super::flat::{Flat, FlatWriter, Origin};
use super::sketch::{self, COARSE_ROWS, FINE_ROWS, MIDDLE_ROWS};
use super::terms::LANES;
use super::view::Metric;
use crate::genome::{BIN_BP, GenomeAxis, Resolution};
use crate::model::TrainedModel;
use crate::store::Database;

/// A file of a model's, by what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Fine,
    Middle,
    Coarse,
    FineOverMiddle,
    FineOverCoarse,
    MiddleOverCoarse,
    NormsMiddle,
    NormsCoarse,
    CoarseRows,
    MiddleRows,
    SketchFine,
    SketchMiddle,
    SketchCoarse,
    CoderFine,
    CoderMiddle,
    CoderCoarse,
}

impl Part {
    pub const ALL: [Part; 16] = [
        Part::Fine,
        Part::Middle,
        Part::Coarse,
        Part::FineOverMiddle,
        Part::FineOverCoarse,
        Part::MiddleOverCoarse,
        Part::NormsMiddle,
        Part::NormsCoarse,
        Part::CoarseRows,
        Part::MiddleRows,
        Part::SketchFine,
        Part::SketchMiddle,
        Part::SketchCoarse,
        Part::CoderFine,
        Part::CoderMiddle,
        Part::CoderCoarse,
    ];

    /// The end of its file's name.
    const fn name(self) -> &'static str {
        match self {
            Part::Fine => "25bp",
            Part::Middle => "250bp",
            Part::Coarse => "5kbp",
            Part::FineOverMiddle => "25bp_over_250bp",
            Part::FineOverCoarse => "25bp_over_5kbp",
            Part::MiddleOverCoarse => "250bp_over_5kbp",
            Part::NormsMiddle => "norms_250bp",
            Part::NormsCoarse => "norms_5kbp",
            Part::CoarseRows => "5kbp_rows",
            Part::MiddleRows => "250bp_rows",
            Part::SketchFine => "sketch_25bp",
            Part::SketchMiddle => "sketch_250bp",
            Part::SketchCoarse => "sketch_5kbp",
            Part::CoderFine => "sketch_25bp_coder",
            Part::CoderMiddle => "sketch_250bp_coder",
            Part::CoderCoarse => "sketch_5kbp_coder",
        }
    }
}

/// What is made of the model's factors in one walk along the genome: numbers as they come (in memory
/// or into files), or as they are read.
pub(super) struct Derived<T> {
    pub fine: T,
    pub middle: T,
    pub coarse: T,
    pub fine_over_middle: T,
    pub fine_over_coarse: T,
    pub middle_over_coarse: T,
    pub norms_middle: T,
    pub norms_coarse: T,
    pub coarse_rows: T,
    pub middle_rows: T,
}

impl<T> Derived<T> {
    pub fn make<E>(mut of: impl FnMut(Part) -> Result<T, E>) -> Result<Self, E> {
        Ok(Derived {
            fine: of(Part::Fine)?,
            middle: of(Part::Middle)?,
            coarse: of(Part::Coarse)?,
            fine_over_middle: of(Part::FineOverMiddle)?,
            fine_over_coarse: of(Part::FineOverCoarse)?,
            middle_over_coarse: of(Part::MiddleOverCoarse)?,
            norms_middle: of(Part::NormsMiddle)?,
            norms_coarse: of(Part::NormsCoarse)?,
            coarse_rows: of(Part::CoarseRows)?,
            middle_rows: of(Part::MiddleRows)?,
        })
    }

    pub fn try_map<U, E>(
        self,
        mut of: impl FnMut(Part, T) -> Result<U, E>,
    ) -> Result<Derived<U>, E> {
        Ok(Derived {
            fine: of(Part::Fine, self.fine)?,
            middle: of(Part::Middle, self.middle)?,
            coarse: of(Part::Coarse, self.coarse)?,
            fine_over_middle: of(Part::FineOverMiddle, self.fine_over_middle)?,
            fine_over_coarse: of(Part::FineOverCoarse, self.fine_over_coarse)?,
            middle_over_coarse: of(Part::MiddleOverCoarse, self.middle_over_coarse)?,
            norms_middle: of(Part::NormsMiddle, self.norms_middle)?,
            norms_coarse: of(Part::NormsCoarse, self.norms_coarse)?,
            coarse_rows: of(Part::CoarseRows, self.coarse_rows)?,
            middle_rows: of(Part::MiddleRows, self.middle_rows)?,
        })
    }
}

/// What is made of the derived parts, which have to be whole first: sketches, and how they were made.
pub(super) struct Sketched<T> {
    pub fine: T,
    pub middle: T,
    pub coarse: T,
    pub coder_fine: T,
    pub coder_middle: T,
    pub coder_coarse: T,
}

impl<T> Sketched<T> {
    pub fn make<E>(mut of: impl FnMut(Part) -> Result<T, E>) -> Result<Self, E> {
        Ok(Sketched {
            fine: of(Part::SketchFine)?,
            middle: of(Part::SketchMiddle)?,
            coarse: of(Part::SketchCoarse)?,
            coder_fine: of(Part::CoderFine)?,
            coder_middle: of(Part::CoderMiddle)?,
            coder_coarse: of(Part::CoderCoarse)?,
        })
    }

    pub fn try_map<U, E>(
        self,
        mut of: impl FnMut(Part, T) -> Result<U, E>,
    ) -> Result<Sketched<U>, E> {
        Ok(Sketched {
            fine: of(Part::SketchFine, self.fine)?,
            middle: of(Part::SketchMiddle, self.middle)?,
            coarse: of(Part::SketchCoarse, self.coarse)?,
            coder_fine: of(Part::CoderFine, self.coder_fine)?,
            coder_middle: of(Part::CoderMiddle, self.coder_middle)?,
            coder_coarse: of(Part::CoderCoarse, self.coder_coarse)?,
        })
    }
}

/// What the tables of a model are made of, and the shapes they must have.
#[derive(Debug)]
pub(super) struct Shape {
    folder: PathBuf,
    prefix: String,
    kind: &'static str,
    model: String,
    axis: [u8; 32],
    /// Rows at each of [`Resolution::ALL`], and their widths.
    n_rows: [u64; 3],
    widths: [usize; 3],
}

impl Shape {
    pub fn new(database: &Database, model: &TrainedModel, metric: Metric) -> Self {
        let kind = metric.files();
        Shape {
            folder: database.index_folder(),
            prefix: format!("model{}.{kind}", model.stored().id),
            kind,
            model: model.stored().checksum.clone(),
            axis: axis_hash(model.axis()),
            n_rows: Resolution::ALL.map(|scale| model.axis().n_rows(scale)),
            widths: model.genome_widths(),
        }
    }

    fn rows(&self, part: Part) -> u64 {
        let [fine, middle, coarse] = self.n_rows;
        match part {
            Part::Fine => fine,
            Part::Middle
            | Part::FineOverMiddle
            | Part::NormsMiddle
            | Part::MiddleRows
            | Part::SketchFine => middle,
            Part::Coarse
            | Part::FineOverCoarse
            | Part::MiddleOverCoarse
            | Part::NormsCoarse
            | Part::CoarseRows
            | Part::SketchMiddle => coarse,
            Part::SketchCoarse => coarse.div_ceil(LANES as u64),
            Part::CoderFine | Part::CoderMiddle | Part::CoderCoarse => 1,
        }
    }

    pub fn cols(&self, part: Part) -> usize {
        let [fine, middle, coarse] = self.widths;
        match part {
            Part::Fine | Part::FineOverMiddle | Part::FineOverCoarse => fine,
            Part::Middle | Part::MiddleOverCoarse | Part::MiddleRows => middle,
            Part::Coarse | Part::CoarseRows => coarse,
            Part::NormsMiddle | Part::NormsCoarse => 2,
            Part::SketchFine => sketch::numbers(fine, FINE_ROWS),
            Part::SketchMiddle => sketch::numbers(middle, MIDDLE_ROWS),
            Part::SketchCoarse => sketch::numbers(coarse, COARSE_ROWS),
            Part::CoderFine => sketch::coder_numbers(fine),
            Part::CoderMiddle => sketch::coder_numbers(middle),
            Part::CoderCoarse => sketch::coder_numbers(coarse),
        }
    }

    pub fn path(&self, part: Part) -> PathBuf {
        self.folder.join(format!("{}.{}", self.prefix, part.name()))
    }

    fn origin(&self, part: Part) -> Origin {
        Origin {
            kind: format!("{} {}", self.kind, part.name()),
            model: self.model.clone(),
            axis: self.axis,
        }
    }

    pub fn open_part(&self, part: Part) -> Result<Flat, SearchError> {
        let path = self.path(part);
        Flat::open(&path, &self.origin(part), self.rows(part), self.cols(part))
    }

    pub fn create_part(&self, part: Part) -> Result<FlatWriter, SearchError> {
        FlatWriter::create(&self.path(part), self.origin(part), self.cols(part))
    }

    /// The files that there should be.
    pub fn paths(&self) -> Vec<PathBuf> {
        Part::ALL.map(|part| self.path(part)).into()
    }
}

/// A model's regions, to recognise a file of other regions.
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

/// The name of a file of `index/` that belongs to a model, and which.
pub(super) fn model_of(path: &Path) -> Option<i64> {
    let name = path.file_name()?.to_str()?;
    let rest = name.strip_prefix("model")?;
    // A name of another form is not a file of ours.
    rest[..rest.find('.')?].parse().ok()
}
