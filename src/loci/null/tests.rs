//! Null distributions of departures: matched loci, planted nulls, few candidates.

use super::*;

const MATCHING: (usize, f64) = (200, 0.25);

fn candidate(class: usize, average: f64, departure: f64, block: usize) -> Candidate {
    Candidate {
        class,
        average,
        departure,
        block: block as u64,
        number: block,
    }
}

fn ramp(n: usize) -> Background {
    // Departures −1, 1, −1, 1 … about twice the activity.
    let candidates = (0..n).map(|i| {
        let average = i as f64 / n as f64;
        let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
        candidate(3, average, 2.0 * average + sign, i)
    });
    Background::new(candidates, (100, 0.25), 0)
}

#[test]
fn what_is_usual_at_loci_of_that_activity_is_no_surprise() {
    let background = ramp(1_000);
    let d = background.departure(3, 1.5, 0.5).unwrap();
    assert_eq!(d.n_matched, 100);
    assert!((d.matched_average - 0.5).abs() < 0.01 && !d.beyond);
    assert!(d.matched_range[0] < 0.46 && d.matched_range[1] > 0.54);
    // Expected 2 × 0.5; the locus departs by just that.
    assert!((d.expected - 1.0).abs() < 0.02 && d.z.unwrap().abs() < 0.05);
    assert!(d.p.unwrap() > 0.9);
    let far = background.departure(3, 6.5, 0.5).unwrap();
    assert!((far.z.unwrap() - 5.0).abs() < 0.1);
    // Of 400 candidates of this activity none departs so far.
    assert!((far.p.unwrap() - 2.0 / 401.0).abs() < 1e-3, "{far:?}");
    // Of this activity there is none: z by the nearest, on their line, and no p.
    let none = background.departure(3, 6.0, 7.0).unwrap();
    assert!(none.beyond && none.p.is_none() && none.n_matched == FEWEST_MATCHED);
}

#[test]
fn the_line_through_the_matches_takes_out_what_the_edge_of_the_activity_would_show() {
    // Departures grow fast at the upper end, where all matches lie on one side.
    let candidates = (0..2_000).map(|i| {
        let average = 3.0 * (i as f64 / 2_000.0).powi(4);
        let sign = if i % 2 == 0 { -0.1 } else { 0.1 };
        candidate(0, average, 1.5 * average + sign, i)
    });
    let background = Background::new(candidates, MATCHING, 0);
    let d = background.departure(0, 2.995 * 2.5, 2.995).unwrap();
    assert!((d.average - d.matched_average).abs() > 0.05, "{d:?}");
    assert!(d.z.unwrap().abs() < 0.2 && d.p.unwrap() > 0.5, "{d:?}");
}

/// A skewed departure whose mean, scale and tail all grow with activity, which is itself rare where
/// it is high: some loci in a hundred lie above 3.
fn null(seed: u64) -> impl FnMut() -> (f64, f64) {
    let mut random = generator(seed, Purpose::Bins, 0);
    move || {
        let mut unit = || (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0;
        let average = -0.8 * unit().ln();
        let (u, v) = (unit(), unit());
        let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        let heavy = normal * (1.0 + average * unit().powi(2));
        (
            average,
            0.2 * average * average + (0.1 + 0.4 * average) * heavy,
        )
    }
}

#[test]
fn a_planted_null_has_uniform_probabilities_at_active_loci_too() {
    let mut draw = null(3);
    let candidates: Vec<(f64, f64)> = (0..10_000).map(|_| draw()).collect();
    let mut sorted: Vec<f64> = candidates.iter().map(|c| c.0).collect();
    sorted.sort_by(f64::total_cmp);
    let active = sorted[9_800];
    let background = Background::new(
        (candidates.iter().enumerate()).map(|(i, (a, d))| candidate(0, *a, *d, i)),
        MATCHING,
        0,
    );
    let (mut everywhere, mut at_active) = (Vec::new(), Vec::new());
    for _ in 0..60_000 {
        let (average, departure) = draw();
        let found = background
            .departure(0, average + departure, average)
            .unwrap();
        if let Some(p) = found.p {
            everywhere.push(p);
            if average >= active {
                at_active.push(p);
            }
        }
    }
    assert!(at_active.len() > 900, "{}", at_active.len());
    for (p, slack) in [(everywhere, 0.006), (at_active, 0.03)] {
        for limit in [0.02, 0.05, 0.2, 0.5] {
            let share = p.iter().filter(|p| **p <= limit).count() as f64 / p.len() as f64;
            let error = (limit * (1.0 - limit) / p.len() as f64).sqrt();
            assert!(
                (share - limit).abs() < 3.0 * error + slack,
                "{limit}: {share} of {}",
                p.len()
            );
        }
    }
}

#[test]
fn neighbours_that_go_together_are_worth_fewer() {
    let mut draw = null(5);
    // Ten candidates a block share their departure.
    let mut shared = 0.0;
    let candidates: Vec<Candidate> = (0..4_000)
        .map(|i| {
            let (_, departure) = draw();
            shared = if i % 10 == 0 { departure } else { shared };
            candidate(0, 0.001 * ((i * 7_919) % 4_000) as f64, shared, i / 10)
        })
        .collect();
    let apart = candidates.iter().enumerate().map(|(i, c)| Candidate {
        departure: (i as f64 * 0.618).fract(),
        ..*c
    });
    let alone = Background::new(apart, MATCHING, 0);
    let d = alone.departure(0, 1.0, 2.0).unwrap();
    assert!(d.n_effective > 250.0, "{d:?}");
    // Blocks are ten candidates of one z at neighbouring activities.
    let near = (0..4_000).map(|i| candidate(0, 0.001 * i as f64, candidates[i].departure, i / 10));
    let clumped = Background::new(near, MATCHING, 0);
    let c = clumped.departure(0, 90.0, 2.0).unwrap();
    assert!(c.n_effective < 100.0, "{c:?}");
    assert!(c.p.unwrap() >= 2.0 / (1.0 + c.n_effective) - 1e-12);
}

#[test]
fn identical_biosamples_surprise_nobody() {
    let same = (0..200).map(|i| candidate(0, f64::from(i), 0.0, i as usize));
    let background = Background::new(same, (50, 100.0), 0);
    let d = background.departure(0, 7.0, 7.0).unwrap();
    assert_eq!((d.z, d.p), (None, Some(1.0)));
    // One that does differ where nothing ever did has no scale to be measured by.
    let d = background.departure(0, 8.0, 7.0).unwrap();
    assert_eq!((d.z, d.p), (None, None));
}

#[test]
fn a_class_of_few_candidates_is_pooled_with_the_rest() {
    let candidates = (0..300).map(|i| {
        candidate(
            usize::from(i < 10),
            f64::from(i),
            f64::from(i % 7),
            i as usize,
        )
    });
    let background = Background::new(candidates, (400, 1e3), 0);
    assert_eq!(background.departure(1, 5.0, 5.0).unwrap().n_matched, 300);
    assert_eq!(background.departure(0, 5.0, 5.0).unwrap().n_matched, 290);
}

#[test]
fn what_is_imputed_is_in_no_average_and_has_one() {
    let of: Vec<f64> = average_of_counted(&[1.0, 2.0, 6.0], &[true, false, true]).collect();
    assert_eq!(of, [6.0, 3.5, 1.0]);
    let one: Vec<f64> = average_of_counted(&[1.0, 2.0], &[true, false]).collect();
    assert!(one[0].is_nan() && one[1] == 1.0);
}

#[test]
fn averages_leave_out_their_own() {
    let of: Vec<f64> = average_of_others(&[1.0, 2.0, 6.0]).collect();
    assert_eq!(of, [4.0, 3.5, 1.5]);
    assert!(average_of_others(&[1.0]).all(f64::is_nan));
    // One without data is in no average, and has one.
    let of: Vec<f64> = average_of_others(&[1.0, f64::NAN, 6.0]).collect();
    assert_eq!(of, [6.0, 3.5, 1.0]);
    let counts = [true, true, true, false];
    let of: Vec<f64> = average_of_counted(&[1.0, f64::NAN, 6.0, 2.0], &counts).collect();
    assert_eq!(of, [6.0, 3.5, 1.0, 3.5]);
}
