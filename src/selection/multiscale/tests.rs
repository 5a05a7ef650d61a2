//! The exponential, and greedy over rows against all choices.

use proptest::prelude::*;

use super::*;

#[test]
fn the_exponential_is_right_to_a_few_units_in_the_last_place() {
    for i in 0..200_000 {
        let x = -(i as f32) * 4e-4;
        let (own, exact) = (exp_of_negative(x), f64::from(x).exp());
        assert!(
            (f64::from(own) / exact - 1.0).abs() < 5e-7,
            "{x}: {own} {exact}"
        );
    }
    assert_eq!(exp_of_negative(0.0), 1.0);
    assert!(exp_of_negative(-1e9) < 1e-37);
}

/// Rows of a few candidates each, one stretch, every candidate of the next bin.
struct Case {
    candidates: Parts,
    targets: Parts,
    rows: Vec<Row>,
    places: Vec<AxisPosition>,
}

impl Case {
    fn new(sizes: &[usize], numbers: &[u8]) -> Self {
        let mut at = 0;
        let mut draw = |n: usize| -> Vec<f32> {
            let drawn = (0..n).map(|i| f32::from(numbers[(at + i) % numbers.len()] % 16) / 8.0);
            let drawn: Vec<f32> = drawn.collect();
            at += n;
            drawn
        };
        let n: usize = sizes.iter().sum();
        let mut rows = Vec::new();
        let mut first = 0;
        for size in sizes {
            rows.push(Row {
                candidates: first..first + size,
            });
            first += size;
        }
        Case {
            candidates: Parts {
                widths: [3, 2],
                shared: draw(3 * sizes.len()),
                fine: draw(2 * n),
            },
            targets: Parts {
                widths: [3, 2],
                shared: draw(3 * 20),
                fine: draw(2 * 20),
            },
            rows,
            places: (0..n).map(|i| (0, i as u64)).collect(),
        }
    }

    fn problem(&self, apart: u64) -> Multiscale<'_> {
        Multiscale {
            candidates: &self.candidates,
            rows: &self.rows,
            places: &self.places,
            targets: &self.targets,
            gamma: 0.7,
            apart,
        }
    }

    fn similarity(&self, candidate: usize, target: usize) -> f64 {
        let row = self
            .rows
            .iter()
            .position(|r| r.candidates.contains(&candidate))
            .unwrap();
        let part =
            |values: &[f32], i: usize, width: usize| values[i * width..(i + 1) * width].to_vec();
        let square = |a: Vec<f32>, b: Vec<f32>| -> f64 {
            a.iter()
                .zip(&b)
                .map(|(x, y)| f64::from(x - y).powi(2))
                .sum()
        };
        let shared = square(
            part(&self.candidates.shared, row, 3),
            part(&self.targets.shared, target, 3),
        );
        let fine = square(
            part(&self.candidates.fine, candidate, 2),
            part(&self.targets.fine, target, 2),
        );
        (-0.7 * (shared + fine)).exp()
    }

    fn value(&self, set: &[usize]) -> f64 {
        let of = |t| {
            set.iter()
                .map(|c| self.similarity(*c, t))
                .fold(0.0, f64::max)
        };
        (0..20).map(of).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn each_choice_is_the_best_that_may_stand_there_and_none_passes_the_bound(
        sizes in prop::collection::vec(1usize..4, 2..6),
        numbers in prop::collection::vec(any::<u8>(), 97),
        apart in 1u64..4, k in 1usize..4,
    ) {
        let case = Case::new(&sizes, &numbers);
        let n: usize = sizes.iter().sum();
        let run = case.problem(apart).greedy(k, vec![0.0; 20], vec![false; n]);
        let fits = |set: &[usize], c: usize| set.iter().all(|s| (c.abs_diff(*s) as u64) >= apart);
        let mut chosen: Vec<usize> = Vec::new();
        for step in &run.steps {
            let before = case.value(&chosen);
            let gain = |c: usize| {
                let with: Vec<usize> = chosen.iter().copied().chain([c]).collect();
                case.value(&with) - before
            };
            prop_assert!(fits(&chosen, step.candidate));
            let best = (0..n).filter(|c| fits(&chosen, *c)).map(gain).fold(0.0, f64::max);
            prop_assert!((step.gain - gain(step.candidate)).abs() < 1e-4);
            prop_assert!(step.gain >= best - 1e-4, "{} {best}", step.gain);
            chosen.push(step.candidate);
        }
        // As many as fit were chosen, and no other choice of as many passes the bound.
        prop_assert!(chosen.len() == k || (0..n).all(|c| !fits(&chosen, c)));
        for bits in 0u32..1 << n {
            let set: Vec<usize> = (0..n).filter(|i| bits >> i & 1 == 1).collect();
            let apart = set.iter().enumerate().all(|(i, c)| fits(&set[..i], *c));
            if set.len() <= k && apart {
                prop_assert!(case.value(&set) <= run.bound + 1e-3);
            }
        }
        let sum: f64 = run.covered.iter().map(|s| f64::from(*s)).sum();
        prop_assert!((sum - case.value(&chosen)).abs() < 1e-3);
        let walk = case.problem(apart).walk(&chosen, &[0.0; 20]);
        prop_assert!((walk[walk.len() - 1] - sum).abs() < 1e-3);
    }
}

#[test]
fn what_is_given_covers_and_keeps_others_away() {
    let case = Case::new(
        &[3, 3],
        &(0..97).map(|i| (i * 31 % 89) as u8).collect::<Vec<_>>(),
    );
    let problem = case.problem(2);
    let given = Parts {
        widths: [3, 2],
        shared: case.candidates.shared[..3].to_vec(),
        fine: case.candidates.fine[2..4].to_vec(),
    };
    let covered = problem.covered_by(&given);
    let sum: f64 = covered.iter().map(|s| f64::from(*s)).sum();
    assert!((sum - case.value(&[1])).abs() < 1e-4);
    let mut blocked = vec![false; 6];
    problem.block_near((0, 1), &mut blocked);
    assert_eq!(blocked, [true, true, true, false, false, false]);
    let run = problem.greedy(6, covered, blocked);
    assert!(run.steps.iter().all(|s| s.candidate >= 3));
}
