//! The probes against a second implementation, and what must hold of any.

mod naive;
mod world;

use super::Representation;
use super::blocks::{BLOCK_ROWS, blocks};
use super::held::mean;
use super::passes::Plan;
use super::queries::Queries;
use super::signal::Overview;
use crate::random::{Purpose, generator};
use naive::{Naive, Numbers};
use world::{World, normal};

const PLAN: Plan = Plan {
    queries: 80,
    seed: 4,
    baselines: true,
    block_rows: BLOCK_ROWS,
};

fn queries(world: &World, plan: Plan) -> Queries {
    let blocks = blocks(&world.axis, 1_000);
    let overview = Overview::read(&world.source(), &blocks, &mut |_| {}).unwrap();
    let activity = Some(overview.activity.as_slice());
    Queries::draw(&blocks, &world.masked, activity, plan.queries, plan.seed)
}

fn close(found: Option<f64>, expected: Option<f64>, within: f64, what: &str) {
    match (found, expected) {
        (Some(a), Some(b)) => assert!((a - b).abs() < within, "{what}: {a}, not {b}"),
        (a, b) => assert_eq!(a, b, "{what}"),
    }
}

#[test]
fn scores_are_those_of_a_second_implementation_with_masks_and_missing_data() {
    for world in [World::new(7), World::new(7).with_gaps()] {
        let found = world.probe(PLAN);
        let naive = Naive::new(&world);
        let queries = queries(&world, PLAN);
        assert_eq!(found.n_queries, [80, 80]);
        let (width, values) = &world.embeddings[0];
        let rows = values.chunks_exact(*width);
        let embedding = rows
            .map(|r| r.iter().map(|v| f64::from(*v)).collect())
            .collect();
        let windows = naive.windows();
        let expected: [(Representation, Numbers, bool); 4] = [
            (Representation::Model, embedding, false),
            (Representation::SignalResolutions, naive.resolutions(), true),
            (Representation::SignalWindows, windows.clone(), true),
            (
                Representation::SignalComponents,
                naive.components(&windows, *width),
                false,
            ),
        ];
        assert_eq!(found.scored.len(), 4);
        for (scored, (representation, numbers, is_standardised)) in
            found.scored.iter().zip(expected)
        {
            assert_eq!(scored.representation, representation);
            assert_eq!(scored.numbers, numbers[0].len());
            let vectors = match is_standardised {
                true => naive.standardised(&numbers),
                false => numbers.clone(),
            };
            let near = queries
                .kinds()
                .map(|of| naive.nearest(&vectors, &queries.bins[of]));
            for (track, found) in scored.tracks.iter().enumerate() {
                let held = &world.held[track];
                let what = |kind: &str| format!("{representation} {kind} of track {track}");
                close(
                    found[0],
                    naive.linear(&numbers, held),
                    1e-6,
                    &what("linear"),
                );
                for (kind, of) in queries.kinds().into_iter().enumerate() {
                    let expected = naive.neighbours(&near[kind], &queries.bins[of], held);
                    // A neighbour may change its place where f32 and f64 tell two distances apart
                    // differently.
                    close(found[1 + kind], expected, 1e-3, &what("neighbours"));
                }
            }
        }
    }
}

#[test]
fn the_track_itself_as_an_embedding_scores_one_and_noise_nothing() {
    let mut world = World::new(7);
    world.held.truncate(1);
    let mut random = generator(1, Purpose::Probe, 7);
    let noise: Vec<f32> = (0..3 * world.n()).map(|_| normal(&mut random)).collect();
    world.embeddings = vec![(1, world.held[0].clone())];
    let plan = Plan {
        queries: 1_000,
        baselines: false,
        ..PLAN
    };
    let planted = world.probe(plan).scored.remove(0);
    let [linear, at_random, active] = planted.tracks[0];
    assert!(linear.unwrap() > 0.999_999, "{linear:?}");
    assert!(at_random.unwrap() > 0.99, "{at_random:?}");
    assert!(active.unwrap() > 0.9, "{active:?}");
    world.embeddings = vec![(3, noise)];
    let scored = world.probe(plan).scored.remove(0);
    for r in scored.tracks[0] {
        // The standard error of a correlation of 1,000 pairs is 0.03.
        assert!(r.unwrap().abs() < 0.13, "{r:?}");
    }
}

#[test]
fn blocks_of_any_size_and_any_number_of_threads_give_the_same_bits() {
    let mut world = World::new(7).with_gaps();
    let other = world.embeddings[0].1.iter().map(|v| v.abs()).collect();
    world.embeddings.push((5, other));
    let pool = |n| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap()
    };
    let whole = world.probe(PLAN);
    for (block_rows, threads) in [(1, 1), (2, 3), (7, 2), (1_000, 1)] {
        let plan = Plan { block_rows, ..PLAN };
        let found = pool(threads).install(|| world.probe(plan));
        assert_eq!(found, whole, "{block_rows} rows, {threads} threads");
    }
}

#[test]
fn an_embedding_agrees_with_itself_and_its_turned_copy_and_by_chance_with_noise() {
    let mut world = World::new(7);
    let (width, values) = world.embeddings[0].clone();
    // Reversed columns, the first negated: all distances stay.
    let turned = values.chunks_exact(width).flat_map(|row| {
        let mut row: Vec<f32> = row.iter().rev().copied().collect();
        row[0] = -row[0];
        row
    });
    let mut random = generator(2, Purpose::Probe, 7);
    let noise = (0..values.len()).map(|_| normal(&mut random)).collect();
    let turned: Vec<f32> = turned.collect();
    world
        .embeddings
        .extend([(width, values.clone()), (width, turned), (width, noise)]);
    let found = world.probe(Plan {
        baselines: false,
        ..PLAN
    });
    assert_eq!(found.scored.len(), 1);
    assert_eq!(found.agreement[0], [Some(1.0), Some(1.0)]);
    for share in found.agreement[1] {
        assert!(share.unwrap() > 0.99, "{share:?}");
    }
    // Ten of about 80 rows in other regions: 0.12.
    for share in found.agreement[2] {
        assert!((0.05..0.25).contains(&share.unwrap()), "{share:?}");
    }
}

#[test]
fn what_cannot_be_said_is_undefined() {
    // One region: there is no other to fit in or to search.
    let world = World::new(1);
    let found = world.probe(PLAN);
    assert!(
        found
            .scored
            .iter()
            .all(|s| s.tracks.iter().all(|t| *t == [None; 3]))
    );
    // A held-out track without data, and one that is constant.
    let mut world = World::new(3);
    world.held[0].fill(f32::NAN);
    world.held[1].fill(0.3);
    let found = world.probe(PLAN);
    assert!(
        found
            .scored
            .iter()
            .all(|s| s.tracks.iter().all(|t| *t == [None; 3]))
    );
    // No signal: no active bins, and nothing beside the embedding.
    let mut world = World::new(3);
    world.signal.clear();
    let found = world.probe(PLAN);
    assert_eq!((found.n_queries, found.scored.len()), ([80, 0], 1));
    let [linear, at_random, active] = found.scored[0].tracks[0];
    assert!(linear.is_some() && at_random.is_some() && active.is_none());
    assert_eq!(mean([None, Some(1.0), Some(2.0)].into_iter()), Some(1.5));
    assert_eq!(mean([None].into_iter()), None);
}
