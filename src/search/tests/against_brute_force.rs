//! Every kind of search gives what looking at everything gives, bit for bit.

use std::ops::Range;

use proptest::prelude::*;

use crate::genome::{Interval, Region, Resolution, Strand};
use crate::model::{GenomeFactors, TrainedModel};
use crate::random::{Purpose, below, generator};
use crate::search::{
    Allowed, Answer, Metric, Query, SearchOptions, Searcher, example_database, example_database_of,
};
use crate::store::Database;

/// A database whose model has factors of a few values only, and rows that stand twice: many
/// distances are equal.
pub(super) fn database_of(
    regions: &[(u8, u64, u64)],
    seed: u64,
    coarse_values: bool,
) -> (tempfile::TempDir, Database) {
    let regions = regions
        .iter()
        .map(|(chrom, first_bin, n_bins)| Region {
            name: None,
            chrom: format!("chr{chrom}"),
            first_bin: *first_bin,
            n_bins: *n_bins,
        })
        .collect();
    let mut change = |genome: &mut GenomeFactors| {
        for (s, table) in genome.scales.iter_mut().enumerate() {
            if coarse_values {
                table.mapv_inplace(|v| (v * 20.0).round() / 4.0);
            }
            let mut rng = generator(seed, Purpose::Bins, s as u64);
            let n = table.nrows() as u32;
            for _ in 0..n / 4 {
                let from = table.row(below(&mut rng, n) as usize).to_owned();
                table.row_mut(below(&mut rng, n) as usize).assign(&from);
            }
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let database = example_database_of(folder.path(), regions, seed, &mut change).unwrap();
    (folder, database)
}

/// What a place is at a resolution: axis bins and embedding, finest scale first.
pub(super) fn places(searcher: &Searcher, resolution: Resolution) -> Vec<(Range<u64>, Vec<f32>)> {
    let axis = searcher.axis();
    let mut places: Vec<(Range<u64>, Vec<f32>)> = Vec::new();
    let mut last = None;
    for bin in 0..axis.n_bins() {
        let at = axis.locate(bin);
        let row = axis.row(resolution, at.region, at.chrom_bin);
        if last == Some(row) {
            places.last_mut().unwrap().0.end = bin + 1;
        } else {
            places.push((bin..bin + 1, Vec::new()));
        }
        last = Some(row);
    }
    for (bins, embedding) in &mut places {
        *embedding = mean(searcher, bins);
    }
    places
}

/// The mean embedding of bins as the files have it: sums in f64, a coarser row as often as it has
/// bins.
fn mean(searcher: &Searcher, bins: &Range<u64>) -> Vec<f32> {
    if bins.end - bins.start == 1 {
        return searcher.embedding(bins.start).unwrap();
    }
    let mut sums = vec![0f64; searcher.embedding(bins.start).unwrap().len()];
    for bin in bins.clone() {
        for (sum, x) in sums.iter_mut().zip(searcher.embedding(bin).unwrap()) {
            *sum += f64::from(x);
        }
    }
    let n = (bins.end - bins.start) as f64;
    sums.iter().map(|sum| (sum / n) as f32).collect()
}

pub(super) const WIDTHS: [usize; 3] = [5, 20, 30];

/// The distance in the documented order: coarse, middle, fine, each from first to last.
fn distance(metric: Metric, query: &[f32], place: &[f32]) -> f64 {
    let parts = |v: &[f32]| {
        let (fine, rest) = v.split_at(WIDTHS[0]);
        let (middle, coarse) = rest.split_at(WIDTHS[1]);
        [coarse.to_vec(), middle.to_vec(), fine.to_vec()]
    };
    let pairs: Vec<(Vec<f32>, Vec<f32>)> = parts(query).into_iter().zip(parts(place)).collect();
    let sum = |f: fn(f32, f32) -> f32| {
        let mut of_scale = pairs.iter().map(|(q, x)| {
            let mut sum = 0f32;
            for (a, b) in q.iter().zip(x) {
                sum += f(*a, *b);
            }
            sum
        });
        let [a, b, c] = [(); 3].map(|()| of_scale.next().unwrap());
        (a + b) + c
    };
    match metric {
        Metric::Cosine => {
            let norm = query.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
            let (dot, length) = (sum(|a, b| a * b), f64::from(sum(|_, b| b * b)).sqrt());
            let _ = norm;
            // The three scales' norms are added as the search adds them.
            let of = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
            let [coarse, middle, fine] = parts(query).map(|p| of(&p));
            let query_norm = (fine + middle + coarse).sqrt();
            match length > 0.0 {
                true => f64::from((1.0 - f64::from(dot) / (query_norm * length)).max(0.0) as f32),
                false => 1.0,
            }
        }
        _ => f64::from(sum(|a, b| (a - b) * (a - b))).sqrt(),
    }
}

/// The answer by looking at everything.
fn brute_force(
    searcher: &Searcher,
    query: &[f32],
    options: &SearchOptions,
    resolution: Resolution,
    excluded: &[Range<u64>],
    allowed: Option<&Allowed>,
) -> Vec<(Range<u64>, f64)> {
    let axis = searcher.axis();
    let mut all: Vec<(f64, (usize, u64), Range<u64>)> = Vec::new();
    for (bins, embedding) in places(searcher, resolution) {
        let is_excluded = bins
            .clone()
            .any(|b| excluded.iter().any(|e| e.contains(&b)));
        let is_allowed = allowed.is_none_or(|a| bins.clone().any(|b| a.contains(b)));
        if is_allowed && !is_excluded {
            let at = axis.locate(bins.start);
            let rank = axis.assembly().rank(&axis.regions()[at.region].chrom);
            let coordinate = (rank.unwrap(), at.chrom_bin);
            all.push((
                distance(searcher.metric(), query, &embedding),
                coordinate,
                bins,
            ));
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut taken = std::collections::HashSet::new();
    all.retain(|(_, _, bins)| match options.spread {
        Some(scale) if scale > resolution => {
            let at = axis.locate(bins.start);
            taken.insert(axis.row(scale, at.region, at.chrom_bin))
        }
        _ => true,
    });
    all.truncate(options.k);
    all.into_iter().map(|(d, _, bins)| (bins, d)).collect()
}

fn found(answer: &Answer) -> Vec<(Range<u64>, f64)> {
    let hits = answer.hits.iter();
    hits.map(|h| (h.bins.clone(), h.distance)).collect()
}

pub(super) fn near(searcher: &Searcher, interval: &Interval, bp: Option<u64>) -> Vec<Range<u64>> {
    let Some(bp) = bp else { return Vec::new() };
    searcher.axis().bins_within(&Interval::new(
        &interval.chrom,
        interval.start.saturating_sub(bp),
        interval.end + bp,
    ))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn positions_are_found_as_brute_force_finds_them(
        // Regions of one bin, of less than a row, of several; the last one far away.
        first in (0u64..450, 1u64..600),
        second in (2_000u64..2_300, 1u64..700),
        third in (0u64..50, 1u64..40),
        seed in 0u64..1_000,
        coarse_values in any::<bool>(),
        metric in prop::sample::select(Metric::ALL.to_vec()),
        resolution in prop::sample::select(Resolution::ALL.to_vec()),
        at in 0.0f64..1.0,
        k in 1usize..40,
        exclude in prop::sample::select(vec![None, Some(0), Some(100), Some(6_000)]),
        spread in prop::sample::select(vec![None, Some(Resolution::Bp250), Some(Resolution::Kbp5)]),
        allow in prop::option::of((0.0f64..1.0, 1u64..400, any::<bool>())),
    ) {
        let regions = [(2, first.0, first.1), (1, second.0, second.1), (1, third.0, third.1)];
        let (_folder, database) = database_of(&regions, seed, coarse_values);
        let model = TrainedModel::open(&database, None).unwrap();
        let searcher = Searcher::open(&database, &model, metric).unwrap();
        let n_bins = searcher.axis().n_bins();
        let bin = (at * n_bins as f64) as u64;
        let interval = searcher.axis().bin_interval(bin);
        let n_places = searcher.axis().n_rows(resolution) as usize;
        let options = SearchOptions {
            k: k.min(n_places),
            exclude,
            spread,
            resolution: Some(resolution),
            ..SearchOptions::default()
        };
        // A stretch of bins, or every seventh of them.
        let allowed = allow.map(|(from, n, scattered)| {
            let from = (from * n_bins as f64) as u64;
            let bins: Vec<u64> = (from..(from + n).min(n_bins))
                .filter(|b| !scattered || b % 7 == 0 || *b == from)
                .collect();
            searcher.allow_bins(&bins).unwrap()
        });
        let query = Query::position(&interval.chrom, interval.start);
        let answer = searcher.search(&query, &options, allowed.as_ref(), &[]).unwrap();
        let embedding = searcher.embedding(bin).unwrap();
        let excluded = near(&searcher, &interval, exclude);
        let expected = brute_force(
            &searcher, &embedding, &options, resolution, &excluded, allowed.as_ref(),
        );
        prop_assert_eq!(found(&answer), expected);
    }
}

#[test]
fn regions_are_compared_by_their_mean_at_the_scale_that_fits() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    for metric in Metric::ALL {
        let searcher = Searcher::open(&database, &model, metric).unwrap();
        for (start, end, resolution) in [
            (40_000, 40_200, Resolution::Bp25),
            (40_010, 43_000, Resolution::Bp250),
            (40_000, 55_000, Resolution::Kbp5),
        ] {
            let interval = Interval::new("chr1", start, end);
            let options = SearchOptions {
                exclude: Some(2_000),
                ..SearchOptions::default()
            };
            let answer = searcher
                .search(&Query::region(interval.clone()), &options, None, &[])
                .unwrap();
            assert_eq!(answer.resolution, resolution);
            let bins = searcher.axis().bins_within(&interval);
            let embedding = mean(&searcher, &bins[0]);
            let excluded = near(&searcher, &interval, Some(2_000));
            let expected =
                brute_force(&searcher, &embedding, &options, resolution, &excluded, None);
            assert_eq!(found(&answer), expected);
        }
    }
}

#[test]
fn the_network_metric_is_the_distance_that_the_first_layer_makes() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let plain = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
    let network = Searcher::open(&database, &model, Metric::Network).unwrap();
    let options = SearchOptions::default();
    let query = Query::position("chr1", 40_000);
    let answer = network.search(&query, &options, None, &[]).unwrap();
    let own = plain.embedding(answer.query_bins[0].start).unwrap();
    for hit in &answer.hits {
        let other = plain.embedding(hit.bins.start).unwrap();
        let mut expected = 0f64;
        let mut first = 0;
        for scale in Resolution::ALL {
            let block = model.first_layer(scale);
            for node in block.columns() {
                let seen = |v: &[f32]| -> f64 {
                    let pairs = v[first..].iter().zip(node);
                    pairs.map(|(x, w)| f64::from(*x) * f64::from(*w)).sum()
                };
                expected += (seen(&own) - seen(&other)).powi(2);
            }
            first += block.nrows();
        }
        assert!((hit.distance / expected.sqrt() - 1.0).abs() < 1e-4);
    }
    // And a vector of the user's is seen as a position is.
    let vector = network
        .search(&Query::vector(own), &options, None, &[])
        .unwrap();
    assert_eq!(vector.hits[0].bins, answer.query_bins[0]);
    assert_eq!(vector.hits[0].distance, 0.0);
}

/// Windows by looking at all of them.
fn aligned_by_brute_force(
    searcher: &Searcher,
    own: &Range<u64>,
    options: &SearchOptions,
    excluded: &[Range<u64>],
    allowed: Option<&Allowed>,
) -> Vec<(Range<u64>, f64, Strand)> {
    let axis = searcher.axis();
    let n = own.end - own.start;
    let embeddings: Vec<Vec<f32>> = (0..axis.n_bins())
        .map(|b| searcher.embedding(b).unwrap())
        .collect();
    let mut all = Vec::new();
    for region in axis.sorted_regions() {
        let bins = axis.region_bins(*region);
        for first in bins.start..(bins.end + 1).saturating_sub(n).max(bins.start) {
            let window = first..first + n;
            let is_excluded = window
                .clone()
                .any(|b| excluded.iter().any(|e| e.contains(&b)));
            if is_excluded || allowed.is_some_and(|a| !a.contains(first + n / 2)) {
                continue;
            }
            for strand in [Strand::Forward, Strand::Reverse] {
                let sum: f64 = (window.clone())
                    .map(|bin| {
                        let place = match strand {
                            Strand::Forward => own.start + bin - first,
                            Strand::Reverse => own.end - 1 - (bin - first),
                        };
                        let (q, x) = (&embeddings[place as usize], &embeddings[bin as usize]);
                        distance(Metric::Euclidean, q, x)
                    })
                    .sum();
                all.push((window.clone(), sum, strand));
            }
        }
    }
    // Stable: coordinates, then forward before reverse.
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let row = |bins: &Range<u64>| {
        let at = axis.locate(bins.start + n / 2);
        axis.row(Resolution::Kbp5, at.region, at.chrom_bin)
    };
    let mut hits: Vec<(Range<u64>, f64, Strand)> = Vec::new();
    for (bins, distance, strand) in all {
        let ruled_out = hits.iter().any(|(hit, _, _)| {
            let overlaps = hit.start < bins.end && bins.start < hit.end;
            overlaps || (options.spread.is_some() && row(hit) == row(&bins))
        });
        if !ruled_out && hits.len() < options.k {
            hits.push((bins, distance, strand));
        }
    }
    hits
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn windows_are_aligned_as_brute_force_aligns_them(
        first in (0u64..450, 1u64..500),
        second in (2_000u64..2_300, 30u64..900),
        seed in 0u64..1_000,
        coarse_values in any::<bool>(),
        at in 0.0f64..1.0,
        length in 1u64..450,
        k in 1usize..12,
        exclude in prop::sample::select(vec![None, Some(0), Some(1_000)]),
        spread in prop::sample::select(vec![None, Some(Resolution::Kbp5)]),
        allow in any::<bool>(),
    ) {
        let regions = [(2, first.0, first.1), (1, second.0, second.1)];
        let (_folder, database) = database_of(&regions, seed, coarse_values);
        let model = TrainedModel::open(&database, None).unwrap();
        let searcher = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
        let axis = searcher.axis();
        let region = axis.region_bins(1);
        let start = region.start + (at * (region.end - region.start) as f64) as u64;
        let own = start..(start + length).min(region.end);
        let options = SearchOptions { k, exclude, spread, align: true, ..SearchOptions::default() };
        let interval = Interval::new(
            "chr1",
            axis.bin_interval(own.start).start,
            axis.bin_interval(own.end - 1).end,
        );
        let thirds: Vec<u64> = (0..axis.n_bins()).filter(|b| b % 3 == 0).collect();
        let allowed = allow.then(|| searcher.allow_bins(&thirds).unwrap());
        let answer = searcher
            .search(&Query::region(interval.clone()), &options, allowed.as_ref(), &[])
            .unwrap();
        let excluded = near(&searcher, &interval, exclude);
        let expected =
            aligned_by_brute_force(&searcher, &own, &options, &excluded, allowed.as_ref());
        let found: Vec<_> = answer.hits.iter()
            .map(|h| (h.bins.clone(), h.distance, h.strand.unwrap()))
            .collect();
        // Sums of f64 roots in the order of the window in both: equal but for the last bits.
        prop_assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(&expected) {
            prop_assert!((f.1 - e.1).abs() <= 1e-12 * e.1.max(1.0), "{:?} {:?}", f, e);
            prop_assert_eq!((&f.0, f.2), (&e.0, e.2));
        }
    }
}

#[test]
fn answers_do_not_depend_on_how_many_are_asked_at_once() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let searcher = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
    let options = SearchOptions::default();
    let queries: Vec<Query> = (0..40)
        .map(|i| Query::position("chr1", 30_000 + i * 5_217))
        .collect();
    let together = searcher.search_all(&queries, &options, None, &[]).unwrap();
    for (query, answer) in queries.iter().zip(&together) {
        let alone = searcher.search(query, &options, None, &[]).unwrap();
        assert_eq!(&alone, answer);
        assert!(alone.read.bp25 < searcher.axis().n_bins() / 2, "{alone:?}");
    }
}
