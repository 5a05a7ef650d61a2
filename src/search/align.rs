//! Windows compared bin by bin.
//!
//! The distance of a window is the sum of its bins' Euclidean distances to the query's bins, in
//! order or reversed. The hits are chosen from the nearest window on, and a window that overlaps an
//! earlier hit is none. A window's 5 kbp rows alone bound it from below: with the query's and the
//! window's rows known, that is a sum over the few stretches in which neither changes. The 5 kbp rows
//! that windows start in are sorted by the least bound of those windows, and windows compared bin by bin
//! until the bound passes the [`Limit`]; on the way, the sum so far is a bound as well.

use std::collections::{BTreeSet, HashMap, HashSet};
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

/// How many compared windows are kept before those beyond the limit are dropped.
const CUT_AT: usize = 1 << 16;

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

/// A distance that the k-th hit cannot pass, from the windows that have been compared.
///
/// Two windows rule each other out if they start less than a reach apart, at most. The axis is cut into
/// cells of that reach, and of each the nearest window is kept. Those of every second cell start more than
/// a reach apart, so that a hit rules out two of them at most, itself included. Among 2k − 1 of them at
/// a distance of d or less, k hits are therefore as near, whatever other windows there are.
#[derive(Debug)]
struct Limit {
    reach: u64,
    k: usize,
    /// The nearest window of each even cell and of each odd one: by cell, and by distance.
    cells: [HashMap<u64, f64>; 2],
    nearest: [BTreeSet<(OrderedF64, u64)>; 2],
    distance: f64,
}

impl Limit {
    fn new(k: usize, reach: u64) -> Self {
        Limit {
            reach,
            k,
            cells: Default::default(),
            nearest: Default::default(),
            distance: f64::INFINITY,
        }
    }

    fn add(&mut self, first_bin: u64, distance: f64) {
        let cell = first_bin / self.reach;
        let side = (cell % 2) as usize;
        let known = self.cells[side].get(&cell).copied();
        if known.is_some_and(|known| known <= distance) {
            return;
        }
        let nearest = &mut self.nearest[side];
        if let Some(known) = known {
            nearest.remove(&(OrderedF64(known), cell));
        }
        self.cells[side].insert(cell, distance);
        nearest.insert((OrderedF64(distance), cell));
        let most = 2 * self.k - 1;
        // Beyond so many none is ever needed: distances only fall.
        if nearest.len() > most {
            nearest.pop_last();
        }
        if let (true, Some((farthest, _))) = (nearest.len() == most, nearest.last()) {
            self.distance = self.distance.min(farthest.0);
        }
    }
}

/// A distance that can be sorted.
#[derive(Debug, Clone, Copy, PartialEq)]
struct OrderedF64(f64);

impl Eq for OrderedF64 {}

impl Ord for OrderedF64 {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for OrderedF64 {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
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
    let mut compared: Vec<Compared> = Vec::new();
    let mut limit = Limit::new(options.k, n.max(Resolution::Kbp5.bins()));
    let mut read = alignment.read;
    let mut cut_at = CUT_AT;
    for (bound, row, is_reversed) in starts {
        if bound * (1.0 - SLACK) > limit.distance {
            break;
        }
        let mut windows = alignment.windows(row, is_reversed, scope);
        windows.sort_unstable_by(|a, b| {
            a.bound
                .total_cmp(&b.bound)
                .then(a.first_bin.cmp(&b.first_bin))
        });
        for window in windows {
            if let Some(distance) = alignment.compare(&window, limit.distance, &mut read)? {
                limit.add(window.first_bin, distance);
                compared.push(Compared {
                    distance,
                    order: alignment.order(&window),
                    window,
                });
            }
        }
        if compared.len() > cut_at {
            compared.retain(|c| c.distance <= limit.distance);
            cut_at = CUT_AT.max(2 * compared.len());
        }
    }
    let best = alignment.chosen(compared, options);
    let hit = |c: &Compared| {
        let bins = c.window.first_bin..c.window.first_bin + n;
        Hit {
            interval: searcher.interval(&bins),
            bins,
            distance: c.distance,
            percentile: None,
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
            !scope.excluded.iter().any(overlaps) && scope.allowed.is_none_or(|a| a.window(own))
        };
        let window = |first_bin| Window {
            bound: self.bound(row, first_bin, is_reversed),
            first_bin,
            is_reversed,
        };
        starts.filter(may).map(window).collect()
    }

    /// The hits: from the nearest window on, each that no earlier hit rules out.
    fn chosen(&self, mut compared: Vec<Compared>, options: &SearchOptions) -> Vec<Compared> {
        compared.sort_by(|a, b| {
            let key = |c: &Compared| (c.order, c.window.is_reversed);
            (a.distance.total_cmp(&b.distance)).then_with(|| key(a).cmp(&key(b)))
        });
        let layout = self.searcher.layout();
        // Of windows whose middles share a row, one is a hit where hits are spread.
        let row = |w: &Window| layout.row_of(w.first_bin + self.n() / 2);
        let mut rows = HashSet::new();
        // Where hits start: those before and after a window are the only ones it can overlap.
        let mut hits = BTreeSet::new();
        let mut best = Vec::new();
        for one in compared {
            let first = one.window.first_bin;
            let near = (first + 1).saturating_sub(self.n())..first + self.n();
            if hits.range(near).next().is_some()
                || (options.spread.is_some() && rows.contains(&row(&one.window)))
            {
                continue;
            }
            hits.insert(first);
            rows.insert(row(&one.window));
            best.push(one);
            if best.len() == options.k {
                break;
            }
        }
        best
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
