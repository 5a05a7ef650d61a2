//! Embeddings of other programs, taken in as models: searched, probed and benchmarked like ours.
//!
//! Each row of a foreign embedding covers a window of the genome. It becomes a row of factors at the
//! coarsest of the three resolutions whose rows lie wholly inside such windows; the other two hold a
//! single 0. Such a model has no biosamples, no assays and nothing to impute.

mod placed;

use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};
use serde_json::json;

use placed::Placed;

use super::stored::{begin, genome_tensor};
use super::{Architecture, Dense, ModelConfig, ModelError, Network, Sizes};
use crate::Bug;
use crate::formats::read_embedding;
use crate::genome::{GenomeAxis, Region, Resolution};
use crate::store::{Database, Model, ModelKind, ModelRecord, Precision};

/// How a foreign embedding is taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingOptions {
    /// The model's name in the database.
    pub name: String,
    /// A BED file with the window of each row, in place of coordinates in the file.
    pub coordinates: Option<PathBuf>,
    /// The HDF5 data set, where the file has several.
    pub dataset: Option<String>,
    /// How its numbers are stored.
    pub precision: Precision,
    /// Take the place of a model of that name.
    pub replace: bool,
}

/// What was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedEmbedding {
    /// The model.
    pub model: Model,
    /// Numbers a window.
    pub width: usize,
    /// Bases of a window.
    pub window: u64,
    /// The resolution that holds them.
    pub resolution: Resolution,
    /// Windows outside the regions that the model covers.
    pub n_outside: usize,
    /// Regions of the database that the file does not cover from end to end, as `chrom:start-end`.
    pub uncovered: Vec<String>,
    /// What a reader should know of the names of sequences.
    pub notes: Vec<String>,
}

/// Stores an embedding of genome windows, such as Enformer's, Borzoi's or ChromBERT's, as a model.
/// Its windows have one width, which divides 25 bp or is a multiple of it, and begin at multiples of
/// it; the last of a chromosome may be shorter. Windows narrower than a bin are averaged.
///
/// # Errors
/// When the file cannot be read, its windows are not of that form or overlap, or it covers no region
/// of the database from end to end.
pub fn import_embedding(
    database: &Database,
    path: &Path,
    options: &EmbeddingOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<ImportedEmbedding> {
    let lock = database.lock_model(&options.name)?;
    let coordinates = options.coordinates.as_deref();
    let table = read_embedding(path, coordinates, options.dataset.as_deref())?;
    let placed = Placed::new(database.axis(), &table, coordinates.unwrap_or(path))?;
    let axis = database.axis();
    let (covered, uncovered): (Vec<usize>, Vec<usize>) =
        (0..axis.regions().len()).partition(|r| placed.covers(axis, *r));
    let named = |r: &usize| axis.region_interval(*r).to_string();
    let uncovered: Vec<String> = uncovered.iter().map(named).collect();
    if covered.is_empty() {
        return Err(ModelError::Import(format!(
            "{} covers no region of the database from end to end ({} for example)",
            path.display(),
            uncovered.first().map_or("none", String::as_str)
        ))
        .into());
    }
    let regions: Vec<Region> = covered.iter().map(|r| axis.regions()[*r].clone()).collect();
    let of_model = GenomeAxis::with_regions_apart(axis.assembly().clone(), regions)?;
    let width = table.n_columns;
    let sizes = Sizes {
        biosample_factors: 1,
        assay_factors: 1,
        factors_25bp: if placed.resolution == Resolution::Bp25 {
            width
        } else {
            1
        },
        factors_250bp: if placed.resolution == Resolution::Bp250 {
            width
        } else {
            1
        },
        factors_5kbp: if placed.resolution == Resolution::Kbp5 {
            width
        } else {
            1
        },
        layers: 1,
        nodes: 1,
        batch_size: 1,
    };
    let config = ModelConfig {
        architecture: Architecture::Embedding,
        sizes,
        encoder: None,
        refinement: None,
    };
    let file = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let record = ModelRecord {
        name: options.name.clone(),
        // The database knows two kinds; the configuration names this one.
        kind: ModelKind::Persea,
        config: serde_json::to_value(&config)
            .map_err(|e| Bug::new(format!("a configuration: {e}")))?,
        seed: 0,
        training: json!({
            "imported": {
                "from": "embedding",
                "file": file,
                "blake3": table.checksum,
                "window_bp": placed.window,
                "resolution": placed.resolution.to_string(),
            },
        }),
        precision: options.precision,
        biosamples: Vec::new(),
        assays: Vec::new(),
        tracks: Vec::new(),
        regions: of_model.regions().to_vec(),
    };
    let network = Network {
        biosamples: Array2::zeros((0, 1)),
        assays: Array2::zeros((0, 1)),
        hidden: vec![Dense {
            weight: Array2::zeros((sizes.inputs(), 1)),
            bias: Array1::zeros(1),
        }],
        output: Dense {
            weight: Array2::zeros((1, 1)),
            bias: Array1::zeros(1),
        },
    };
    let mut writer = begin(
        database,
        &lock,
        &record,
        &network,
        (None, None),
        &sizes,
        options.replace,
    )?;
    let n_rows: u64 = (0..of_model.regions().len())
        .map(|r| of_model.regions()[r].n_rows(placed.resolution))
        .sum();
    let mut n_done = 0;
    for (region, of) in of_model.regions().iter().enumerate() {
        for resolution in Resolution::ALL {
            let rows = of.n_rows(resolution);
            if resolution != placed.resolution {
                let zeros = vec![0.0; rows as usize];
                let name = genome_tensor(resolution);
                writer.tensor(&name, rows, 1, Some(region as u32), &zeros)?;
                continue;
            }
            let step = ((1 << 20) / width as u64).max(1);
            let mut at = 0;
            while at < rows {
                let end = (at + step).min(rows);
                let mut numbers = Vec::with_capacity((end - at) as usize * width);
                for row in at..end {
                    placed.row(axis, &table, of, row, &mut numbers)?;
                }
                let name = genome_tensor(resolution);
                writer.tensor(&name, rows, width as u64, Some(region as u32), &numbers)?;
                n_done += end - at;
                progress(n_done, n_rows);
                at = end;
            }
        }
    }
    let inside = placed.n_inside(&of_model);
    Ok(ImportedEmbedding {
        model: writer.commit()?,
        width,
        window: placed.window,
        resolution: placed.resolution,
        n_outside: table.windows.len() - inside,
        uncovered,
        notes: placed.notes,
    })
}

#[cfg(test)]
mod tests;
