//! Cases whose truth is planted: what a window does not see, what a division into folds changes, what
//! a count of promoters gives away.

use super::*;
use crate::genome::Strand;
use crate::store::NewRun;

impl World {
    /// Genes that start before a window that is active or not: it begins `ahead` bins downstream.
    fn genes(&self, ahead: u64) {
        let places = (0..6u64).flat_map(|c| (1..WINDOWS).map(move |w| (c, w)));
        let places: Vec<(u64, u64)> = places.collect();
        let gene = |(c, w): &(u64, u64)| {
            let tss = (w * 60 - ahead) * 25;
            let place = Interval::new(CHROMS[*c as usize], tss, tss + 1);
            Example {
                name: place.to_string(),
                place: Some(place),
                strand: Some(Strand::Forward),
                ..Example::default()
            }
        };
        let values = (places.iter())
            .map(|(c, w)| f64::from(u8::from(active(*c, *w, 0))))
            .collect();
        let task = NewTask {
            name: "genes".into(),
            kind: "expression".into(),
            sources: json!([]),
            examples: places.iter().map(gene).collect(),
            columns: vec![LabelColumn {
                biosample: "S1".into(),
                unit: "rpkm".into(),
                values,
            }],
        };
        self.database.save_task(&task, true).unwrap();
    }

    fn of_genes(&self, features: &[&str], upstream_bins: u64, downstream_bins: u64) -> Outcome {
        let settings = RunSettings {
            task: "genes".into(),
            upstream_bins,
            downstream_bins,
            ..settings(features, Learner::Logistic)
        };
        self.run(&settings).unwrap()
    }
}

#[test]
fn what_lies_downstream_is_seen_by_a_symmetrical_window_alone() {
    let world = World::new();
    // Active bins are the 10th to the 29th downstream of the start.
    world.genes(10);
    let upstream = world.of_genes(&["signal"], 25, 0);
    let symmetrical = world.of_genes(&["signal"], 25, 25);
    let prior = primary(&upstream, "prior");
    let seen = [&upstream, &symmetrical].map(|o| primary(o, "signal"));
    assert!(seen[0] < prior + 0.1 && seen[1] > 0.9, "{prior} {seen:?}");
}

#[test]
fn signal_at_the_embeddings_scales_sees_what_lies_beyond_the_window() {
    let world = World::new();
    // The window ends before the active bins begin; their 5 kbp row holds both.
    world.genes(6);
    let sets = ["signal", "signal-scales", "signal-components"];
    let outcome = world.of_genes(&sets, 5, 5);
    let of = |set: &str| primary(&outcome, set);
    assert!(of("signal") < of("prior") + 0.1, "{}", of("signal"));
    assert!(of("signal-scales") > of("signal") + 0.1);
    assert!(of("signal-components") > of("signal") + 0.1);
    let columns = |set: &str| outcome.result.row(set).unwrap().n_features;
    // Two own assays at three scales; six tracks at three scales.
    assert_eq!((columns("signal"), columns("signal-scales")), (2, 6));
    assert_eq!(columns("signal-components"), 18);
    // Own signal with the embedding's reach is what the others are compared with.
    let family = outcome.result.family.as_ref().unwrap();
    assert_eq!(family.reference.as_deref(), Some("signal-scales"));
}

#[test]
fn an_embedding_beside_signal_of_less_reach_is_noted() {
    let world = World::new();
    world.model("m", &[], json!({}));
    let noted = |features: &[&str]| {
        let outcome = world.run(&settings(features, Learner::Logistic)).unwrap();
        let mut notes = outcome.result.notes.iter();
        notes.any(|n| n.contains("compare them with signal-scales"))
    };
    assert!(noted(&["embedding", "signal"]));
    assert!(!noted(&["embedding", "signal-scales"]));
    assert!(!noted(&["signal"]));
}

#[test]
fn divisions_into_folds_are_repeated_and_their_spread_is_given() {
    let world = World::new();
    let mut settings = settings(&["signal", "average"], Learner::Logistic);
    let outcome = world.run(&settings).unwrap();
    assert_eq!(outcome.result.n_partitions, 10);
    let row = outcome.result.row("average").unwrap();
    let spread = row.partitions.unwrap();
    assert_eq!(spread.n, 10);
    // Six chromosomes are divided into five folds in fifteen ways.
    assert!(spread.deviation > 0.0 && spread.least < spread.most);
    let value = row.measures["average_precision"].value.unwrap();
    assert!((value - spread.mean).abs() < 1e-12);
    // The average of folds is that of the measure within them.
    let within = row.measures["average_precision_within_folds"];
    assert!((within.value.unwrap() - row.fold_mean.unwrap()).abs() < 0.01);
    assert!(within.low.unwrap() < within.value.unwrap());
    // Divided once, the first division is the same, and there is no spread.
    settings.partitions = Some(1);
    let once = world.run(&settings).unwrap();
    assert_eq!(column(&once, "average"), column(&outcome, "average"));
    assert_eq!(column(&once, "fold"), column(&outcome, "fold"));
    assert_eq!(once.result.row("average").unwrap().partitions, None);
}

#[test]
fn numbers_that_differ_between_units_alone_are_not_predicted_within_them() {
    let world = World::new();
    // Chromosomes have levels of their own; signal follows the windows, not the levels.
    world.task("level", |c, w, b| {
        10.0 * (c % 2) as f64 + f64::from(u8::from(active(c, w, b)))
    });
    let outcome = world
        .run(&RunSettings {
            task: "level".into(),
            ..settings(&["signal"], Learner::Ridge)
        })
        .unwrap();
    let of = |row: &str, measure: &str| {
        let row = outcome.result.row(row).unwrap();
        row.measures[measure].value.unwrap()
    };
    // 99 % of the variance lies between chromosomes. The labels elsewhere have the level, and within chromosomes much less.
    assert!(of("other biosamples", "r_squared") > 0.95);
    assert!(of("other biosamples", "r_squared_within_units") < 0.7);
}

#[test]
fn promoters_are_counted_in_training_pairs_alone() {
    let world = World::new();
    // Of a promoter with six pairs all are positive, of one with a single pair none is: a count over
    // the whole table knows the label, one over the other chromosomes nothing.
    let mut examples = Vec::new();
    let mut values = Vec::new();
    for c in 0..6u64 {
        for promoter in 0..12u64 {
            let many = noise(c * 31 + promoter * 17 + 5) < 0.4;
            for k in 0..if many { 6 } else { 1 } {
                let start = promoter * 200 * 25;
                // Distances say nothing: those of a promoter's pairs begin anywhere.
                let ahead = 40 + 20 * ((promoter * 7 + k + c) % 7);
                let chrom = CHROMS[c as usize];
                let at = start + ahead * 25;
                examples.push(Example {
                    name: format!("{c} {promoter} {k}"),
                    place: Some(Interval::new(chrom, start, start + 500)),
                    partner: Some(Interval::new(chrom, at, at + 250)),
                    ..Example::default()
                });
                values.push(f64::from(u8::from(many)));
            }
        }
    }
    let task = NewTask {
        name: "pairs".into(),
        kind: "interaction".into(),
        sources: json!([]),
        examples,
        columns: vec![LabelColumn {
            biosample: "S1".into(),
            unit: "interaction".into(),
            values,
        }],
    };
    world.database.save_task(&task, false).unwrap();
    let auroc = |promoter_frequency| {
        let settings = RunSettings {
            task: "pairs".into(),
            promoter_frequency,
            ..settings(&["signal"], Learner::Logistic)
        };
        let outcome = world.run(&settings).unwrap();
        let row = outcome.result.row("distance+promoter frequency").unwrap();
        row.measures["auroc"].value.unwrap()
    };
    let (task, training) = (auroc(FrequencyOf::Task), auroc(FrequencyOf::Training));
    assert!(task > 0.99, "{task}");
    assert!((0.3..0.7).contains(&training), "{training}");
}

#[test]
fn a_run_stored_before_windows_were_symmetrical_is_repeated_to_the_bit() {
    let world = World::new();
    world.genes(10);
    let settings = RunSettings {
        task: "genes".into(),
        upstream_bins: 30,
        downstream_bins: 0,
        partitions: Some(1),
        promoter_frequency: FrequencyOf::Task,
        ..settings(&["signal"], Learner::Gbm)
    };
    let outcome = world.run(&settings).unwrap();
    let without = |mut value: serde_json::Value, names: &[&str]| {
        let object = value.as_object_mut().unwrap();
        names
            .iter()
            .for_each(|name| assert!(object.remove(*name).is_some()));
        value
    };
    // What the program wrote before it knew of these.
    let new = [
        "downstream_bins",
        "partitions",
        "reference",
        "promoter_frequency",
    ];
    let stored = NewRun {
        key: "of an earlier program".into(),
        task: "genes".into(),
        settings: without(json!(outcome.settings), &new),
        result: without(json!(outcome.result), &["n_partitions", "family"]),
        columns: outcome.columns.clone(),
    };
    let id = world.database.save_run(&stored).unwrap();
    let run = world.database.read_run(id).unwrap();
    let (again, different) = rerun(&world.database, &run, &mut |_| {}).unwrap();
    assert_eq!(different, Vec::<String>::new());
    assert_eq!(again.settings, settings);
    assert!(serde_json::from_value::<RunResult>(run.result).is_ok());
}

#[test]
fn a_class_of_few_units_is_no_test() {
    let world = World::new();
    let with = |n_positive: u64| {
        world.task("rare", |c, w, _| {
            f64::from(u8::from(w % 20 == 0 && c * 2 + w / 20 < n_positive))
        });
        let mut settings = settings(&["signal", "average"], Learner::Logistic);
        settings.task = "rare".into();
        settings.folds.kind = FoldKind::Shuffled;
        settings.folds.n = Some(3);
        settings.partitions = Some(1);
        let result = world.run(&settings).unwrap().result;
        assert_eq!(
            (result.n_units, result.n_positive),
            (240, Some(n_positive as usize))
        );
        let tested = result.comparisons.iter().filter(|c| c.p.is_some()).count();
        (
            tested,
            result.family.unwrap().replicates,
            result.notes.join("\n"),
        )
    };
    let (tested, replicates, notes) = with(9);
    assert_eq!((tested, replicates), (0, 100));
    assert!(
        notes.contains("one class lies in 9 independent units only"),
        "{notes}"
    );
    // Two sets against the baseline, one against the other, in two measures: 20 × 6 / 0.05.
    let (tested, replicates, _) = with(12);
    assert_eq!((tested, replicates), (6, 2_400));
}
