//! Windows compared bin by bin.
//!
//! The distance of a window is the sum of its bins' Euclidean distances to the query's bins, in
//! order or reversed. A window's 5 kbp rows alone bound it from below: with the query's and the
//! window's rows known, that is a sum over the few stretches in which neither changes. The 5 kbp rows
//! that windows start in are sorted by the least bound of those windows, and windows compared bin by bin
//! until the bound passes the k-th best; on the way, the sum so far is a bound as well.

use std::ops::Range;

use rayon::prelude::*;

use super::SearchError;
use super::allowed::SearchScope;
use super::exact::RowsRead;
use super::searcher::{Answer, Hit, Resolved, SearchOptions, Searcher};
use super::terms::{LANES, squared};
use super::view::Metric;
use crate::genome::{Resolution, Strand};

/// The longest window: its bins against every place would take minutes.
const MOST_BINS: u64 = 4_000;
/// Computed sums may differ from bounds by rounding: f64 sums of at most so many bins.
const SLACK: f64 = 1e-9;

/// A place for the window.
#[derive(Debug, Clone, Copy)]
struct Window {
    bound: f64,
    first_bin: u64,
    is_reversed: bool,
}

/// A window that has been compared.
#[derive(Debug, Clone, Copy)]
struct Compared {
    distance: f64,
    order: u64,
    window: Window,
}

impl Compared {
    fn is_before(&self, other: &Compared) -> bool {
        let key = |c: &Compared| (c.order, c.window.is_reversed);
        self.distance < other.distance
            || (self.distance == other.distance && key(self) < key(other))
    }
}

pub(super) fn search(
    searcher: &Searcher,
    resolved: Resolved,
    options: &SearchOptions,
    scope: SearchScope<'_>,
) -> Result<Answer, SearchError> {
    if searcher.metric() == Metric::Cosine {
        return Err(SearchError::query(
            "windows are aligned by a sum of distances, which cosines are not: use the metric euclidean or network",
        ));
    }
    let [bins] = resolved.bins.as_slice() else {
        return Err(SearchError::query(
            "a window can be aligned if it lies in one covered region; this query does not",
        ));
    };
    let n = bins.end - bins.start;
    if n > MOST_BINS {
        return Err(SearchError::query(format!(
            "a window of {n} bins is too long to be aligned; {MOST_BINS} ({} kb) are the most",
            MOST_BINS * 25 / 1000
        )));
    }
    let alignment = Alignment::new(searcher, bins.clone())?;
    let mut starts = alignment.starts(scope);
    starts.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut best: Vec<Compared> = Vec::new();
    let mut read = alignment.read;
    for (bound, row, is_reversed) in starts {
        let worst = match best.len() == options.k {
            true => best.last().map_or(f64::INFINITY, |c| c.distance),
            false => f64::INFINITY,
        };
        if bound * (1.0 - SLACK) > worst {
            break;
        }
        let mut windows = alignment.windows(row, is_reversed, scope);
        windows.sort_unstable_by(|a, b| {
            a.bound
                .total_cmp(&b.bound)
                .then(a.first_bin.cmp(&b.first_bin))
        });
        for window in &windows {
            alignment.look_at(window, options, &mut best, &mut read)?;
        }
    }
    let hit = |c: &Compared| {
        let bins = c.window.first_bin..c.window.first_bin + n;
        Hit {
            interval: searcher.interval(&bins),
            bins,
            distance: c.distance,
            strand: Some(match c.window.is_reversed {
                false => Strand::Forward,
                true => Strand::Reverse,
            }),
        }
    };
    Ok(Answer {
        interval: resolved.interval,
        resolution: Resolution::Bp25,
        hits: best.iter().map(hit).collect(),
        read,
        is_exact: true,
        query_bins: resolved.bins,
    })
}

struct Alignment<'a> {
    searcher: &'a Searcher,
    bins: Range<u64>,
    /// The query's 5 kbp rows: the place in the window one ends at.
    ends: Vec<u64>,
    /// For each of the query's 5 kbp rows the distance to every 5 kbp row at that scale: squared,
    /// and not.
    coarse: Vec<(Vec<f32>, Vec<f64>)>,
    /// The query's factors at 250 bp and 25 bp, bin by bin.
    middle: Vec<Vec<f32>>,
    fine: Vec<Vec<f32>>,
    read: RowsRead,
}

impl<'a> Alignment<'a> {
    fn new(searcher: &'a Searcher, bins: Range<u64>) -> Result<Self, SearchError> {
        let layout = searcher.layout();
        let table = &searcher.tables.factors[Resolution::Kbp5.index()];
        table.verify_all()?;
        let (mut ends, mut coarse) = (Vec::new(), Vec::new());
        for row in layout.rows_of(&bins) {
            let own = layout.rows()[row].bins();
            ends.push(own.end.min(bins.end) - bins.start);
            let mut query = Vec::new();
            searcher.factors(Resolution::Kbp5, own.start, &mut query)?;
            let mut squares = vec![0f32; layout.n_rows()];
            for (group, out) in squares.chunks_mut(LANES).enumerate() {
                let first = (group * LANES) as u64;
                let values = table.group(first..first + out.len() as u64)?;
                squared(searcher.arch(), values, &query, out);
            }
            let roots = squares.iter().map(|s| f64::from(*s).sqrt()).collect();
            coarse.push((squares, roots));
        }
        let factors = |scale| -> Result<Vec<Vec<f32>>, SearchError> {
            let one = |bin| {
                let mut row = Vec::new();
                searcher.factors(scale, bin, &mut row).map(|()| row)
            };
            bins.clone().map(one).collect()
        };
        Ok(Alignment {
            middle: factors(Resolution::Bp250)?,
            fine: factors(Resolution::Bp25)?,
            read: RowsRead {
                kbp5: (coarse.len() * layout.n_rows()) as u64,
                ..RowsRead::default()
            },
            searcher,
            bins,
            ends,
            coarse,
        })
    }

    fn n(&self) -> u64 {
        self.bins.end - self.bins.start
    }

    fn order(&self, window: &Window) -> u64 {
        let layout = self.searcher.layout();
        layout.rows()[layout.row_of(window.first_bin)].order(window.first_bin)
    }

    /// Each 5 kbp row and direction in which a window may start, with the least bound of those.
    fn starts(&self, scope: SearchScope<'_>) -> Vec<(f64, usize, bool)> {
        let rows = 0..self.searcher.layout().n_rows();
        rows.into_par_iter()
            .flat_map_iter(|row| {
                [false, true].into_iter().filter_map(move |is_reversed| {
                    let windows = self.windows(row, is_reversed, scope);
                    let bounds = windows.iter().map(|w| w.bound);
                    let least = bounds.fold(f64::INFINITY, f64::min);
                    (!windows.is_empty()).then_some((least, row, is_reversed))
                })
            })
            .collect()
    }

    /// The places that a window starting in a 5 kbp row may take, with their bounds.
    fn windows(&self, row: usize, is_reversed: bool, scope: SearchScope<'_>) -> Vec<Window> {
        let axis = self.searcher.axis();
        let coarse = &self.searcher.layout().rows()[row];
        let region = axis.sorted_regions()[coarse.place as usize];
        let ends_before = (axis.region_bins(region).end + 1).saturating_sub(self.n());
        let starts = coarse.bins().start..coarse.bins().end.min(ends_before);
        let may = |first_bin: &u64| {
            let own = *first_bin..first_bin + self.n();
            let overlaps = |e: &Range<u64>| e.start < own.end && own.start < e.end;
            !scope.excluded.iter().any(overlaps)
                && scope
                    .allowed
                    .is_none_or(|a| a.contains(first_bin + self.n() / 2))
        };
        let window = |first_bin| Window {
            bound: self.bound(row, first_bin, is_reversed),
            first_bin,
            is_reversed,
        };
        starts.filter(may).map(window).collect()
    }

    /// Compares a window, and keeps it if it is among the best.
    fn look_at(
        &self,
        window: &Window,
        options: &SearchOptions,
        best: &mut Vec<Compared>,
        read: &mut RowsRead,
    ) -> Result<(), SearchError> {
        let limit = match best.len() == options.k {
            true => best.last().map_or(f64::INFINITY, |c| c.distance),
            false => f64::INFINITY,
        };
        let Some(distance) = self.compare(window, limit, read)? else {
            return Ok(());
        };
        let compared = Compared {
            distance,
            order: self.order(window),
            window: *window,
        };
        // Windows overlap their neighbours: of those whose middles share a row, one is a hit.
        let row = |w: &Window| {
            let layout = self.searcher.layout();
            layout.row_of(w.first_bin + self.n() / 2)
        };
        let rival = match options.spread {
            Some(_) => best.iter().position(|c| row(&c.window) == row(window)),
            None => None,
        };
        match rival {
            Some(at) if compared.is_before(&best[at]) => {
                best.remove(at);
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let at = best.partition_point(|c| c.is_before(&compared));
        best.insert(at, compared);
        best.truncate(options.k);
        Ok(())
    }

    /// Σ over the window's bins of the distance at 5 kbp alone.
    fn bound(&self, row: usize, first_bin: u64, is_reversed: bool) -> f64 {
        let layout = self.searcher.layout();
        let (n, n_query) = (self.n(), self.ends.len());
        let (mut at, mut sum) = (0, 0f64);
        let (mut row, mut part) = (row, 0);
        while at < n {
            let row_end = layout.rows()[row].bins().end - first_bin;
            // Where the query's row ends in the window's own direction.
            let (query, part_end) = match is_reversed {
                false => (part, self.ends[part]),
                true => {
                    let query = n_query - 1 - part;
                    let start = query.checked_sub(1).map_or(0, |before| self.ends[before]);
                    (query, n - start)
                }
            };
            let end = row_end.min(part_end).min(n);
            sum += (end - at) as f64 * self.coarse[query].1[row];
            at = end;
            row += usize::from(at == row_end);
            part += usize::from(at == part_end);
        }
        sum
    }

    /// The window's distance, or `None` once it is certain to pass the limit.
    fn compare(
        &self,
        window: &Window,
        limit: f64,
        read: &mut RowsRead,
    ) -> Result<Option<f64>, SearchError> {
        let searcher = self.searcher;
        let layout = searcher.layout();
        let (mut sum, mut so_far) = (0f64, 0f64);
        let n = self.n();
        let own = window.first_bin..window.first_bin + n;
        let query_row = |place: u64| self.ends.partition_point(|end| *end <= place);
        for row in layout.rows_of(&own) {
            let coarse = &layout.rows()[row];
            let middles =
                searcher.tables.factors[Resolution::Bp250.index()].group(coarse.rows_250bp())?;
            read.bp250 += u64::from(coarse.n_250bp);
            let n_middle = usize::from(coarse.n_250bp);
            for i in 0..n_middle {
                let bins = coarse.bins_of_250bp(i);
                if bins.end <= own.start || bins.start >= own.end {
                    continue;
                }
                let group =
                    searcher.tables.factors[Resolution::Bp25.index()].group(bins.clone())?;
                let n_bins = (bins.end - bins.start) as usize;
                read.bp25 += n_bins as u64;
                for bin in bins.start.max(own.start)..bins.end.min(own.end) {
                    let place = match window.is_reversed {
                        false => bin - own.start,
                        true => own.end - 1 - bin,
                    };
                    let (squares, roots) = &self.coarse[query_row(place)];
                    let at = (bin - bins.start) as usize;
                    let middle = of_column(middles, n_middle, i, &self.middle[place as usize]);
                    let fine = of_column(group, n_bins, at, &self.fine[place as usize]);
                    sum += f64::from((squares[row] + middle) + fine).sqrt();
                    so_far += roots[row];
                }
                // What has been compared counts in full, what is left by its bound.
                if (sum + (window.bound - so_far)) * (1.0 - SLACK) - SLACK * window.bound > limit {
                    return Ok(None);
                }
            }
        }
        Ok(Some(sum))
    }
}

/// Σⱼ (qⱼ − xⱼ)² of one row of a transposed group.
fn of_column(values: &[f32], rows: usize, row: usize, query: &[f32]) -> f32 {
    let mut sum = 0f32;
    for (q, column) in query.iter().zip(values.chunks_exact(rows)) {
        let difference = q - column[row];
        sum += difference * difference;
    }
    sum
}
