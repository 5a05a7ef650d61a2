//! Embeddings of other programs, taken in as models: searched, probed and benchmarked like ours.
//!
//! Each row of a foreign embedding covers a window of the genome. It becomes a row of factors at the
//! coarsest of the three resolutions whose rows lie wholly inside such windows; the other two hold a
//! single 0. Such a model has no biosamples, no assays and nothing to impute.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};
use serde_json::json;

use super::stored::{begin, genome_tensor};
use super::{Architecture, Dense, ModelConfig, ModelError, Network, Sizes};
use crate::Bug;
use crate::formats::{EmbeddingTable, read_embedding};
use crate::genome::{BIN_BP, GenomeAxis, Region, Resolution, SequenceNames};
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

/// The windows of an embedding on a genome.
struct Placed {
    /// Bases of a window.
    window: u64,
    resolution: Resolution,
    /// Of each sequence of the assembly: first base, end, and place in the table, by first base.
    by_sequence: Vec<Vec<(u64, u64, usize)>>,
    notes: Vec<String>,
}

impl Placed {
    fn new(axis: &GenomeAxis, table: &EmbeddingTable, path: &Path) -> crate::Result<Self> {
        let wrong = |row: usize, why: String| -> crate::Error {
            ModelError::file(path, format!("window {}: {why}", row + 1)).into()
        };
        let assembly = axis.assembly();
        let mut names = SequenceNames::new(assembly);
        let window = usual_width(table);
        if window == 0 || !(window.is_multiple_of(BIN_BP) || BIN_BP.is_multiple_of(window)) {
            let why = format!(
                "windows of {window} bp do not fit 25 bp bins: a width must divide 25 or be a \
                 multiple of it; resample the embedding"
            );
            return Err(ModelError::file(path, why).into());
        }
        let mut by_sequence = vec![Vec::new(); assembly.chromosomes().len()];
        let mut coarsest = Resolution::Kbp5;
        for (row, (sequence, start, end)) in table.windows.iter().enumerate() {
            let Some(rank) = names.find(&table.sequences[*sequence as usize], row as u64 + 1)
            else {
                continue;
            };
            let chromosome = &assembly.chromosomes()[rank];
            if start >= end || *end > chromosome.length.div_ceil(window) * window {
                return Err(wrong(
                    row,
                    format!(
                        "{}:{start}-{end} is empty or ends beyond the {} bp of {}; is it of \
                         another assembly?",
                        chromosome.name,
                        chromosome.length,
                        assembly.name()
                    ),
                ));
            }
            if end - start != window && *end != chromosome.length {
                return Err(wrong(
                    row,
                    format!(
                        "{}:{start}-{end} has {} bp and others {window}; all windows but a \
                         chromosome's last must have one width",
                        chromosome.name,
                        end - start
                    ),
                ));
            }
            if !start.is_multiple_of(window.min(BIN_BP)) {
                return Err(wrong(
                    row,
                    format!(
                        "{}:{start}-{end} does not begin at a multiple of {} bp",
                        chromosome.name,
                        window.min(BIN_BP)
                    ),
                ));
            }
            while !fits(coarsest, window, *start) {
                coarsest = match coarsest {
                    Resolution::Kbp5 => Resolution::Bp250,
                    _ => Resolution::Bp25,
                };
                if coarsest == Resolution::Bp25 {
                    break;
                }
            }
            by_sequence[rank].push((*start, *end, row));
        }
        for (rank, windows) in by_sequence.iter_mut().enumerate() {
            windows.sort_unstable();
            for pair in windows.windows(2) {
                if let [(_, end, _), (start, _, row)] = pair
                    && end > start
                {
                    let name = &assembly.chromosomes()[rank].name;
                    let why = format!("it overlaps another at {name}:{start}");
                    return Err(wrong(*row, why));
                }
            }
        }
        let report = names.finish(&path.display().to_string())?;
        Ok(Placed {
            window,
            resolution: coarsest,
            by_sequence,
            notes: report.notes,
        })
    }

    /// The windows that overlap bases of a sequence.
    fn overlapping(&self, rank: usize, start: u64, end: u64) -> &[(u64, u64, usize)] {
        let windows = &self.by_sequence[rank];
        let from = windows.partition_point(|w| w.1 <= start);
        let to = windows.partition_point(|w| w.0 < end);
        &windows[from..to.max(from)]
    }

    /// Whether every base of a region that its chromosome has lies in a window.
    fn covers(&self, axis: &GenomeAxis, region: usize) -> bool {
        let interval = axis.region_interval(region);
        let assembly = axis.assembly();
        let Some(rank) = assembly.rank(&interval.chrom) else {
            return false;
        };
        let mut at = interval.start;
        let end = interval.end.min(assembly.chromosomes()[rank].length);
        for (from, to, _) in self.overlapping(rank, at, end) {
            if *from > at {
                return false;
            }
            at = *to;
        }
        at >= end
    }

    /// The numbers of a row of factors: the mean of the windows in it.
    fn row(
        &self,
        axis: &GenomeAxis,
        table: &EmbeddingTable,
        region: &Region,
        row: u64,
        out: &mut Vec<f32>,
    ) -> crate::Result<()> {
        let bp = self.resolution.bins() * BIN_BP;
        let first = (region.first_row(self.resolution) + row) * bp;
        // Rows at a region's edges may begin before it, where no window need be.
        let start = first.max(region.first_bin * BIN_BP);
        let end = (first + bp).min(region.end_bin() * BIN_BP);
        let rank = axis.assembly().rank(&region.chrom);
        let windows = rank.map_or(&[][..], |rank| self.overlapping(rank, start, end));
        let width = table.n_columns;
        let of = |place: usize| &table.values[place * width..(place + 1) * width];
        match windows {
            [] => Err(Bug::new(format!("no window at {}:{start}", region.chrom)).into()),
            [(_, _, one)] => {
                out.extend_from_slice(of(*one));
                Ok(())
            }
            several => {
                for c in 0..width {
                    let sum: f64 = several.iter().map(|w| f64::from(of(w.2)[c])).sum();
                    out.push((sum / several.len() as f64) as f32);
                }
                Ok(())
            }
        }
    }

    /// Windows that overlap a model's regions.
    fn n_inside(&self, axis: &GenomeAxis) -> usize {
        let of = |region: usize| {
            let interval = axis.region_interval(region);
            let rank = axis.assembly().rank(&interval.chrom)?;
            Some(self.overlapping(rank, interval.start, interval.end).len())
        };
        // A window over the border of two neighbouring regions counts once in each.
        let n: usize = (0..axis.regions().len()).filter_map(of).sum();
        n.min(self.by_sequence.iter().map(Vec::len).sum())
    }
}

/// The width that most windows have; of equally frequent ones the widest.
fn usual_width(table: &EmbeddingTable) -> u64 {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for (_, start, end) in &table.windows {
        *counts.entry(end.saturating_sub(*start)).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(width, n)| (*n, *width));
    most.map_or(0, |(width, _)| width)
}

/// Whether a row of that resolution at a multiple of its width lies in one window.
fn fits(resolution: Resolution, window: u64, start: u64) -> bool {
    let bp = resolution.bins() * BIN_BP;
    window.is_multiple_of(bp) && start.is_multiple_of(bp)
}

#[cfg(test)]
mod tests;
