//! All small cases: greedy is what greedy means, keeps its guarantee, and no choice passes the bound.

use proptest::prelude::*;

use crate::selection::{
    Concave, Features, Limits, Method, ObjectiveKind, Problem, SimilarityMatrix,
};

const KINDS: [ObjectiveKind; 9] = [
    ObjectiveKind::FacilityLocation,
    ObjectiveKind::SaturatedCoverage { share: 0.3 },
    ObjectiveKind::FeatureBased {
        concave: Concave::Sqrt,
    },
    ObjectiveKind::FeatureBased {
        concave: Concave::Log,
    },
    ObjectiveKind::FeatureBased {
        concave: Concave::Sigmoid,
    },
    ObjectiveKind::GraphCut { lambda: 2.0 },
    ObjectiveKind::GraphCut { lambda: 0.5 },
    ObjectiveKind::SumOfDistances,
    ObjectiveKind::MinimumDistance,
];

struct Case {
    n: usize,
    matrix: SimilarityMatrix,
    features: Features,
    raw: Vec<f64>,
}

impl Case {
    /// Similarities of random vectors (their cosines, all non-negative), which are features too.
    fn new(n: usize, numbers: &[u8]) -> Self {
        let raw: Vec<f64> = (0..3 * n)
            .map(|i| f64::from(numbers[i] % 8) + 0.125)
            .collect();
        let dot =
            |i: usize, j: usize| -> f64 { (0..3).map(|d| raw[3 * i + d] * raw[3 * j + d]).sum() };
        let cosine = |i, j| (dot(i, j) / (dot(i, i) * dot(j, j)).sqrt()) as f32;
        let mut values = vec![1f32; n * n];
        for i in 0..n {
            for j in 0..i {
                values[i * n + j] = cosine(i, j);
                values[j * n + i] = cosine(i, j);
            }
        }
        Case {
            n,
            matrix: SimilarityMatrix::new(n, values, &|i| i.to_string()).unwrap(),
            features: Features::new(3, raw.clone()).unwrap(),
            raw,
        }
    }

    /// An objective written down as it is defined.
    fn value(&self, kind: ObjectiveKind, set: &[usize]) -> f64 {
        let s = |i: usize, j: usize| f64::from(self.matrix.get(i, j));
        let distance = |i, j| (s(i, i) + s(j, j) - 2.0 * s(i, j)).max(0.0).sqrt();
        let pairs = || {
            set.iter()
                .enumerate()
                .flat_map(|(at, i)| set[..at].iter().map(|j| (*i, *j)))
        };
        let all = 0..self.n;
        match kind {
            ObjectiveKind::FacilityLocation => all
                .map(|t| set.iter().map(|c| s(*c, t)).fold(0.0, f64::max))
                .sum(),
            ObjectiveKind::SaturatedCoverage { share } => all
                .map(|t| {
                    let most = share * (0..self.n).map(|c| s(c, t)).sum::<f64>();
                    set.iter().map(|c| s(*c, t)).sum::<f64>().min(most)
                })
                .sum(),
            ObjectiveKind::FeatureBased { concave } => (0..3)
                .map(|d| {
                    let sum: f64 = set.iter().map(|c| self.raw[3 * c + d]).sum();
                    match concave {
                        Concave::Sqrt => sum.sqrt(),
                        Concave::Log => (1.0 + sum).ln(),
                        Concave::Sigmoid => sum / (1.0 + sum),
                    }
                })
                .sum(),
            ObjectiveKind::GraphCut { lambda } => {
                let to_all: f64 = set.iter().flat_map(|c| (0..self.n).map(|t| s(*c, t))).sum();
                let among: f64 = set.iter().flat_map(|c| set.iter().map(|d| s(*c, *d))).sum();
                lambda * to_all - among
            }
            ObjectiveKind::SumOfDistances => pairs().map(|(i, j)| distance(i, j)).sum(),
            ObjectiveKind::MinimumDistance => pairs()
                .map(|(i, j)| distance(i, j))
                .fold(f64::INFINITY, f64::min),
        }
    }

    fn problem<'a>(&'a self, kind: ObjectiveKind, limits: Limits<'a>) -> Problem<'a> {
        Problem {
            similarity: &self.matrix,
            features: Some(&self.features),
            objective: kind,
            given: &[],
            required: &[],
            excluded: &[],
            limits,
            method: Method::Lazy,
            n_random: 3,
            seed: 1,
        }
    }

    /// The sets that may be chosen, each with what is given in front.
    fn sets<'a>(&'a self, problem: &'a Problem<'_>) -> impl Iterator<Item = Vec<usize>> + 'a {
        (0u32..1 << self.n).filter_map(move |bits| {
            let set: Vec<usize> = (0..self.n).filter(|i| bits >> i & 1 == 1).collect();
            let fits = match problem.limits.budget {
                None => set.len() == problem.limits.k,
                Some((costs, budget)) => {
                    set.len() <= problem.limits.k
                        && set.iter().map(|c| costs[*c]).sum::<f64>() <= budget
                }
            };
            let may = !set
                .iter()
                .any(|c| problem.given.contains(c) || problem.excluded.contains(c))
                && problem.required.iter().all(|c| set.contains(c));
            (fits && may).then(|| problem.given.iter().copied().chain(set).collect())
        })
    }
}

/// What a choice must be, whatever the case.
fn check(case: &Case, problem: &Problem<'_>) -> Result<(), TestCaseError> {
    let kind = problem.objective;
    let choice = problem.solve().unwrap();
    let value_of = |set: &[usize]| case.value(kind, set);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-4 || (a.is_infinite() && b.is_infinite());
    let mut chosen = problem.given.to_vec();
    for step in &choice.steps {
        let before = value_of(&chosen);
        chosen.push(step.candidate);
        let after = value_of(&chosen);
        if let Some(value) = step.value {
            prop_assert!(close(value, after), "{kind}: {value} is {after}");
        }
        if kind != ObjectiveKind::MinimumDistance {
            prop_assert!(
                close(step.gain, after - before),
                "{kind}: {} of {}",
                step.gain,
                after - before
            );
        }
    }
    let chosen_value = value_of(&chosen);
    let best = case
        .sets(problem)
        .map(|set| value_of(&set))
        .fold(f64::NEG_INFINITY, f64::max);
    let start = value_of(problem.given);
    if let Some(bound) = choice.bound {
        prop_assert!(best <= bound + 1e-4, "{kind}: {best} passes {bound}");
        prop_assert!(chosen_value <= bound + 1e-4);
    }
    if choice.bound_is_reached {
        prop_assert!(
            close(choice.bound.unwrap(), best),
            "{kind}: {:?} {best}",
            choice.bound
        );
    }
    if let Some(share) = choice.guarantee.share {
        // Of distances it is of the value, whatever was given.
        let is_gain = !problem.given.is_empty() && kind != ObjectiveKind::MinimumDistance;
        let start = if is_gain { start } else { 0.0 };
        if problem.required.is_empty() && best.is_finite() {
            prop_assert!(
                chosen_value - start >= share * (best - start) - 1e-4,
                "{kind}: {chosen_value} of {best}, from {start}, promised {share}"
            );
        }
    }
    if let Some(everything) = choice.everything {
        prop_assert!(chosen_value <= everything + 1e-4);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn greedy_is_greedy_keeps_its_promise_and_no_choice_passes_the_bound(
        n in 2usize..=12, k in 1usize..=12, which in 0usize..9, numbers in prop::collection::vec(any::<u8>(), 36),
    ) {
        let case = Case::new(n, &numbers);
        let kind = KINDS[which];
        let problem = case.problem(kind, Limits { k: k.min(n), budget: None });
        check(&case, &problem)?;
        // Each step is the best there is (distances: but the first, which has no gain).
        let choice = problem.solve().unwrap();
        let mut chosen: Vec<usize> = Vec::new();
        for step in &choice.steps {
            let with = |c: usize| {
                let set: Vec<usize> = chosen.iter().copied().chain([c]).collect();
                case.value(kind, &set)
            };
            let best = (0..n).filter(|c| !chosen.contains(c)).map(with).fold(f64::NEG_INFINITY, f64::max);
            let own = with(step.candidate);
            if !chosen.is_empty() || best.is_finite() && best > 0.0 {
                prop_assert!(own >= best - 1e-4, "{kind}: took {own}, not {best}");
            }
            chosen.push(step.candidate);
        }
    }

    #[test]
    fn lazy_greedy_chooses_what_plain_greedy_chooses_to_the_bit(
        n in 2usize..=12, which in 0usize..7, numbers in prop::collection::vec(any::<u8>(), 36),
    ) {
        let case = Case::new(n, &numbers);
        let lazy = case.problem(KINDS[which], Limits { k: n, budget: None });
        let plain = Problem { method: Method::Plain, ..case.problem(KINDS[which], Limits { k: n, budget: None }) };
        let (lazy, plain) = (lazy.solve().unwrap(), plain.solve().unwrap());
        prop_assert_eq!(&lazy.steps, &plain.steps);
        prop_assert_eq!(lazy.represented_by, plain.represented_by);
        prop_assert!(lazy.evaluations <= plain.evaluations + n as u64);
    }

    #[test]
    fn starting_sets_requirements_and_exclusions_hold(
        n in 5usize..=12, which in 0usize..9, numbers in prop::collection::vec(any::<u8>(), 36),
    ) {
        let case = Case::new(n, &numbers);
        let limits = Limits { k: 2, budget: None };
        let given = Problem { given: &[1, 3], excluded: &[0], ..case.problem(KINDS[which], limits.clone()) };
        check(&case, &given)?;
        let choice = given.solve().unwrap();
        prop_assert!(choice.steps.iter().all(|s| ![0, 1, 3].contains(&s.candidate)));
        let required = Problem { required: &[4], ..case.problem(KINDS[which], limits) };
        check(&case, &required)?;
        prop_assert_eq!(required.solve().unwrap().steps[0].candidate, 4);
    }

    #[test]
    fn a_budget_is_kept_and_its_promise_too(
        n in 3usize..=10, which in 0usize..6, numbers in prop::collection::vec(any::<u8>(), 36),
    ) {
        let case = Case::new(n, &numbers);
        let costs: Vec<f64> = (0..n).map(|i| f64::from(numbers[35 - i] % 5)).collect();
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        let limits = Limits { k: n, budget: Some((&costs, least + 4.0)) };
        let problem = case.problem(KINDS[which], limits);
        check(&case, &problem)?;
        let few = Limits { k: 2, budget: Some((&costs, least + 4.0)) };
        let few = case.problem(KINDS[which], few);
        check(&case, &few)?;
        prop_assert!(few.solve().unwrap().steps.len() <= 2);
        let spent: f64 = problem.solve().unwrap().steps.iter().map(|s| costs[s.candidate]).sum();
        prop_assert!(spent <= least + 4.0);
    }
}

#[test]
fn stochastic_greedy_repeats_for_a_seed_and_looks_at_fewer() {
    let numbers: Vec<u8> = (0..36).map(|i| (i * 37 % 101) as u8).collect();
    let case = Case::new(12, &numbers);
    let run = |seed| {
        let method = Method::Stochastic { epsilon: 0.5, seed };
        let limits = Limits { k: 6, budget: None };
        let problem = Problem {
            method,
            ..case.problem(ObjectiveKind::FacilityLocation, limits)
        };
        problem.solve().unwrap()
    };
    assert_eq!(run(3).steps, run(3).steps);
    assert!((0..9).any(|seed| run(seed).steps != run(3).steps));
    // Two candidates a step, and once all for the bound.
    assert_eq!(run(3).evaluations, 6 * 2 + 6);
    assert!(run(3).guarantee.text.contains("in the mean over draws"));
}

#[test]
fn identical_items_are_chosen_in_order_and_add_nothing_after_the_first() {
    let ones = SimilarityMatrix::new(4, vec![1.0; 16], &|i| i.to_string()).unwrap();
    let case = Case::new(4, &[0; 36]);
    for kind in KINDS {
        let problem = Problem {
            similarity: &ones,
            ..case.problem(kind, Limits { k: 3, budget: None })
        };
        let steps = problem.solve().unwrap().steps;
        let chosen: Vec<usize> = steps.iter().map(|s| s.candidate).collect();
        assert_eq!(chosen, [0, 1, 2], "{kind}");
    }
    let problem = Problem {
        similarity: &ones,
        ..case.problem(KINDS[0], Limits { k: 3, budget: None })
    };
    let choice = problem.solve().unwrap();
    assert_eq!(
        choice.steps.iter().map(|s| s.gain).collect::<Vec<_>>(),
        [4.0, 0.0, 0.0]
    );
    assert_eq!(choice.represented_by, [Some(0); 4]);
    assert_eq!(choice.bound, Some(4.0));
}

#[test]
fn contradictions_are_refused() {
    let case = Case::new(4, &[3; 36]);
    let kind = ObjectiveKind::FacilityLocation;
    let plain = |k| case.problem(kind, Limits { k, budget: None });
    let with = |costs: &'static [f64], budget| Limits {
        k: 4,
        budget: Some((costs, budget)),
    };
    for (problem, why) in [
        (plain(5), "k is 5, and 4 are left"),
        (plain(0), "k is 0"),
        (
            Problem {
                excluded: &[0, 1, 2, 3],
                ..plain(1)
            },
            "nothing is left",
        ),
        (
            Problem {
                given: &[0, 1, 2, 3],
                ..plain(1)
            },
            "nothing is left",
        ),
        (
            Problem {
                required: &[1],
                excluded: &[1],
                ..plain(1)
            },
            "item 1 is required and excluded",
        ),
        (
            Problem {
                required: &[1, 2],
                ..plain(1)
            },
            "2 are required, and k is 1",
        ),
        (
            case.problem(kind, with(&[1.0, 2.0, -1.0, 1.0], 3.0)),
            "cost of item 2",
        ),
        (case.problem(kind, with(&[1.0, 2.0], 3.0)), "cost of item 2"),
        (
            case.problem(kind, with(&[1.0; 4], 0.5)),
            "nothing costs as little",
        ),
        (case.problem(kind, with(&[1.0; 4], -1.0)), "budget is -1"),
    ] {
        let message = problem.solve().err().unwrap().to_string();
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn the_curve_begins_with_the_starting_set_and_random_choices_end_where_everything_is_chosen() {
    let numbers: Vec<u8> = (0..36).map(|i| (i * 61 % 97) as u8).collect();
    let case = Case::new(8, &numbers);
    let problem = Problem {
        given: &[2],
        n_random: 50,
        ..case.problem(
            ObjectiveKind::FacilityLocation,
            Limits { k: 7, budget: None },
        )
    };
    let choice = problem.solve().unwrap();
    assert_eq!(choice.curve.len(), 8);
    let before = case.value(ObjectiveKind::FacilityLocation, &[2]);
    assert!((choice.curve[0].value.unwrap() - before).abs() < 1e-5);
    assert_eq!(choice.curve[0].random_mean, choice.curve[0].value);
    let last = &choice.curve[7];
    assert!((last.random_mean.unwrap() - last.value.unwrap()).abs() < 1e-5);
    for point in &choice.curve[1..7] {
        let [low, high] = point.random_band.unwrap();
        let mean = point.random_mean.unwrap();
        assert!(low <= mean && mean <= high + 1e-9);
        assert!(point.value.unwrap() >= mean - 1e-9);
    }
}
