//! Windows of an embedding, checked and placed on a genome.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Bug;
use crate::formats::EmbeddingTable;
use crate::genome::{BIN_BP, GenomeAxis, Region, Resolution, SequenceNames};
use crate::model::ModelError;

/// The windows of an embedding on a genome.
pub(super) struct Placed {
    /// Bases of a window.
    pub window: u64,
    pub resolution: Resolution,
    /// Of each sequence of the assembly: first base, end, and place in the table, by first base.
    by_sequence: Vec<Vec<(u64, u64, usize)>>,
    pub notes: Vec<String>,
}

impl Placed {
    pub fn new(axis: &GenomeAxis, table: &EmbeddingTable, path: &Path) -> crate::Result<Self> {
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
    pub fn covers(&self, axis: &GenomeAxis, region: usize) -> bool {
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
    pub fn row(
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
    pub fn n_inside(&self, axis: &GenomeAxis) -> usize {
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
