//! Weighted searches give what looking at everything gives.

use proptest::prelude::*;

use super::against_brute_force::{WIDTHS, database_of, near, places};
use crate::genome::Resolution;
use crate::model::{TrackScale, TrainedModel};
use crate::random::{Purpose, fill_uniform, generator};
use crate::search::track_axes::{AxisTrack, TrackAxes};
use crate::search::{
    Metric, Query, SearchError, SearchOptions, Searcher, Weights, example_database,
};

/// Axes of three inputs of two assays, the last of two tracks; at 25 bp 5 factors, at 250 bp 20, at 5 kbp 30.
fn axes(seed: u64) -> TrackAxes {
    let track = |biosample: &str, assay: &str| AxisTrack {
        biosample: biosample.into(),
        assay: assay.into(),
        scale: TrackScale {
            mean: 0.0,
            deviation: 1.0,
        },
    };
    let mut rng = generator(seed, Purpose::Initial, 9);
    TrackAxes {
        tracks: ["S1:A", "S1:B", "S2:A", "S3:A"]
            .map(|name| name.split_once(':').map(|(b, a)| track(b, a)).unwrap())
            .into(),
        members: vec![vec![0], vec![1], vec![2, 3]],
        axes: WIDTHS.map(|width| {
            let mut axes = vec![0f32; 6 * width];
            fill_uniform(&mut rng, 1.0, &mut axes);
            axes
        }),
    }
}

/// The distance as it is defined: the parts of tracks, each times its weights.
fn distance(axes: Option<&TrackAxes>, weights: &Weights, query: &[f32], place: &[f32]) -> f64 {
    let mut at = 0;
    let mut sum = 0.0;
    for resolution in Resolution::ALL {
        let of = at..at + WIDTHS[resolution.index()];
        at = of.end;
        let pairs = query[of.clone()].iter().zip(&place[of]);
        let difference: Vec<f64> = pairs.map(|(q, x)| f64::from(*q) - f64::from(*x)).collect();
        let of_scale: f64 = match axes {
            Some(axes) => (axes.parts(resolution, &difference).iter().zip(&axes.tracks))
                .map(|(part, track)| part * weights.of_assay(&track.assay))
                .sum(),
            None => difference.iter().map(|d| d * d).sum(),
        };
        sum += weights.of_resolution(resolution) * of_scale;
    }
    sum.sqrt()
}

fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0f64..10.0]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn weighted_positions_are_found_as_brute_force_finds_them(
        first in (0u64..450, 1u64..600),
        second in (2_000u64..2_300, 30u64..700),
        seed in 0u64..1_000,
        resolution in prop::sample::select(Resolution::ALL.to_vec()),
        at in 0.0f64..1.0,
        k in 1usize..30,
        exclude in prop::sample::select(vec![None, Some(100)]),
        of_resolutions in (weight(), weight(), 0.1f64..3.0),
        of_assays in prop::option::of((weight(), 0.1f64..5.0)),
    ) {
        let regions = [(2, first.0, first.1), (1, second.0, second.1)];
        let (_folder, database) = database_of(&regions, seed, false);
        let model = TrainedModel::open(&database, None).unwrap();
        let mut searcher = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
        let axes = of_assays.map(|_| axes(seed));
        let mut pairs = vec![
            ("25bp".to_string(), of_resolutions.0),
            ("250bp".to_string(), of_resolutions.1),
            ("5kbp".to_string(), of_resolutions.2),
        ];
        if let (Some((a, b)), Some(axes)) = (of_assays, &axes) {
            searcher.axes = Ok(axes.clone());
            pairs.extend([("A".to_string(), a), ("B".to_string(), b)]);
        }
        let weights = Weights::new(&pairs).unwrap();
        let bin = (at * searcher.axis().n_bins() as f64) as u64;
        let interval = searcher.axis().bin_interval(bin);
        let options = SearchOptions {
            k: k.min(searcher.axis().n_rows(resolution) as usize),
            exclude,
            spread: None,
            resolution: Some(resolution),
            weights: weights.clone(),
            ..SearchOptions::default()
        };
        let query = Query::position(&interval.chrom, interval.start);
        let answer = searcher.search(&query, &options, None, &[]).unwrap();
        let own = searcher.embedding(bin).unwrap();
        let excluded = near(&searcher, &interval, exclude);
        let mut all = Vec::new();
        for (bins, embedding) in places(&searcher, resolution) {
            if !excluded.iter().any(|e| e.start < bins.end && bins.start < e.end) {
                all.push((bins, distance(axes.as_ref(), &weights, &own, &embedding)));
            }
        }
        let mut sorted: Vec<f64> = all.iter().map(|(_, d)| *d).collect();
        sorted.sort_by(f64::total_cmp);
        prop_assert_eq!(answer.hits.len(), options.k.min(sorted.len()));
        // The sums are in f64 here and in f32 there.
        let alike = |a: f64, b: f64| (a - b).abs() <= 2e-4 * (1.0 + b);
        for (hit, expected) in answer.hits.iter().zip(sorted) {
            let own = all.iter().find(|(bins, _)| *bins == hit.bins).unwrap().1;
            prop_assert!(alike(hit.distance, own), "{:?} {}", hit, own);
            prop_assert!(alike(hit.distance, expected), "{:?} {}", hit, expected);
        }
    }
}

#[test]
fn weights_of_1_change_nothing_and_what_cannot_be_weighted_is_refused() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let mut searcher = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
    let query = Query::position("chr1", 40_000);
    let pairs = |list: &[(&str, f64)]| -> Vec<(String, f64)> {
        list.iter().map(|(n, w)| (n.to_string(), *w)).collect()
    };
    let of = |list: &[(&str, f64)]| SearchOptions {
        weights: Weights::new(&pairs(list)).unwrap(),
        ..SearchOptions::default()
    };
    let hits = |options: &SearchOptions| searcher.search(&query, options, None, &[]).unwrap().hits;
    assert_eq!(hits(&of(&[("5kbp", 1.0)])), hits(&of(&[])));
    assert_ne!(hits(&of(&[("5kbp", 0.0)])), hits(&of(&[])));
    let refused = |searcher: &Searcher, options: &SearchOptions| {
        let error = searcher.search(&query, options, None, &[]).unwrap_err();
        error.to_string()
    };
    let message = refused(&searcher, &of(&[("A", 2.0)]));
    assert!(
        message.contains("not made of tracks by an encoder"),
        "{message}"
    );
    searcher.axes = Ok(axes(1));
    for (options, part) in [
        (of(&[("C", 2.0)]), "those are 5kbp, 250bp, 25bp, A, B"),
        (
            of(&[("A", 0.0), ("B", 0.0)]),
            "every assay has the weight 0",
        ),
        (
            of(&[("5kbp", 0.0), ("250bp", 0.0), ("25bp", 0.0)]),
            "every resolution has the weight 0",
        ),
        (
            SearchOptions {
                align: true,
                ..of(&[("5kbp", 2.0)])
            },
            "aligned",
        ),
    ] {
        let message = refused(&searcher, &options);
        assert!(message.contains(part), "{message}");
    }
    let cosine = Searcher::open(&database, &model, Metric::Cosine).unwrap();
    assert!(refused(&cosine, &of(&[("5kbp", 2.0)])).contains("cosine"));
    for list in [
        &[("A", -1.0)][..],
        &[("A", f64::NAN)],
        &[("A", 1.0), ("A", 2.0)],
    ] {
        let error = Weights::new(&pairs(list)).unwrap_err();
        assert!(matches!(error, SearchError::Query(_)), "{error}");
    }
}
