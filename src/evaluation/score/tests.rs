//! Scores worked out by hand, and by the challenge's published definitions.

use super::*;
use crate::evaluation::{AnnotationBins, gene_bins, promoter_bins};
use crate::genome::{Assembly, Gene, GenomeAxis, Interval, Mask, Strand};
use crate::measures;

fn axis(n_bins: u64) -> GenomeAxis {
    let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), n_bins * 25)]).unwrap();
    GenomeAxis::whole_chromosomes(assembly, &[]).unwrap()
}

fn ramp(n: usize, step: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * step) % n) as f32 / 7.0).collect()
}

#[test]
fn masked_bins_change_no_measure() {
    let n = 400;
    let (observed, imputed, average) = (ramp(n, 7), ramp(n, 11), ramp(n, 13));
    let variance: Vec<f32> = ramp(n, 3);
    let peaks: Vec<bool> = (0..n).map(|i| i % 5 == 0).collect();
    let axis = axis(n as u64);
    let mask = Mask::new(&axis, &[Interval::new("chr1", 2_000, 4_000)]);
    let enhancers = BinSet::new(&mask, Some(60u64..200));
    let context = ScoringContext {
        masked: Some(mask.as_slice()),
        enhancer_bins: Some(&enhancers),
        variance: Some(&variance),
        peaks: Some(&peaks),
        ..ScoringContext::default()
    };
    let clean = score(&observed, &imputed, Some(&average), &context).unwrap();
    let spoil = |values: &[f32]| {
        let mut spoiled = values.to_vec();
        spoiled[80..160].fill(f32::NAN);
        spoiled
    };
    let spoiled = score(
        &spoil(&observed),
        &spoil(&imputed),
        Some(&spoil(&average)),
        &ScoringContext {
            variance: Some(&spoil(&variance)),
            ..context
        },
    );
    assert_eq!(spoiled.unwrap(), clean);
    assert_eq!(clean.mseprom, None);
    let undefined = clean.values().iter().filter(|(_, v)| v.is_none()).count();
    assert_eq!(undefined, 2, "only mseprom and msegene: {clean:?}");
    // Left out by hand: 320 bins remain, and of the enhancers bins 60 to 79 and 160 to 199.
    let cut = |values: &[f32]| [&values[..80], &values[160..]].concat();
    let (o, i, a, v) = (cut(&observed), cut(&imputed), cut(&average), cut(&variance));
    let p = [&peaks[..80], &peaks[160..]].concat();
    let by_hand = TrackMeasures {
        mse: measures::mse(&o, &i),
        mse1obs: measures::mse1obs(&o, &i),
        mse1imp: measures::mse1imp(&o, &i),
        mseprom: None,
        msegene: None,
        mseenh: measures::mse(&o[60..120], &i[60..120]),
        msevar: measures::mse_weighted(&o, &i, &v),
        shape_mse: measures::shape_mse(&o, &i),
        gwcorr: measures::pearson(&i, &o),
        gwspear: measures::spearman(&o, &i),
        match1: measures::match1(&o, &i),
        catch1obs: measures::catch1obs(&o, &i),
        catch1imp: measures::catch1imp(&o, &i),
        aucobs1: measures::aucobs1(&o, &i),
        aucimp1: measures::aucimp1(&o, &i),
        catchpeakobs: measures::auroc(&p, &i),
        auprc: measures::average_precision(&p, &i),
        recall10fdr: measures::recall_at_fdr(&p, &i, 0.1),
        specificity: measures::specificity(&o, &i, &a),
        departure_correlation: measures::departure_correlation(&o, &i, &a),
    };
    for ((name, scored), (_, expected)) in clean.values().iter().zip(by_hand.values()) {
        let equal = match (scored, expected) {
            (Some(scored), Some(expected)) => (scored - expected).abs() < 1e-12,
            (scored, expected) => scored.is_none() && expected.is_none(),
        };
        assert!(equal, "{name}: {scored:?}, by hand {expected:?}");
    }
}

#[test]
fn a_track_wholly_masked_has_no_measure() {
    let context = ScoringContext {
        masked: Some(&[true; 3]),
        ..ScoringContext::default()
    };
    let measures = score(&[1.0, 2.0, 3.0], &[1.0, 2.0, 4.0], None, &context).unwrap();
    assert_eq!(measures, TrackMeasures::default());
}

#[test]
fn the_average_itself_has_no_specificity_and_a_nan_no_measure() {
    let (observed, average) = (ramp(300, 7), ramp(300, 11));
    let context = ScoringContext::default();
    let measures = score(&observed, &average, Some(&average), &context).unwrap();
    assert_eq!(measures.specificity, None);
    assert_eq!(measures.departure_correlation, None);
    assert!(measures.gwcorr.is_some());
    let broken = vec![f32::NAN; 300];
    let measures = score(&observed, &broken, None, &context).unwrap();
    assert_eq!(measures, TrackMeasures::default());
}

#[test]
fn series_over_other_axes_are_refused_by_name() {
    let three = [1.0f32, 2.0, 3.0];
    let context = ScoringContext::default();
    let message = |result: Result<TrackMeasures, EvaluationError>| result.unwrap_err().to_string();
    let short = message(score(&three, &three[1..], None, &context));
    assert!(
        short.contains("imputed track has 2 bins") && short.contains("has 3"),
        "{short}"
    );
    let short = message(score(&three, &three, Some(&three[1..]), &context));
    assert!(short.contains("average activity has 2 bins"), "{short}");
    let masked = ScoringContext {
        masked: Some(&[false; 4]),
        ..context
    };
    assert!(message(score(&three, &three, None, &masked)).contains("the mask has 4"));
    let genes = BinSet::new(&Mask::none(&axis(9)), Some(0u64..5));
    let beyond = ScoringContext {
        gene_bins: Some(&genes),
        ..context
    };
    assert!(message(score(&three, &three, None, &beyond)).contains("genes reach to bin 5"));
}

#[test]
fn the_signal_scale_is_the_hyperbolic_sine_without_negatives() {
    let signal = to_signal_scale(&[-0.5, 0.0, 1.0, f32::NAN]);
    assert_eq!(signal[..2], [0.0, 0.0]);
    // (e − 1/e) / 2.
    assert!((signal[2] - 1.175_201_2).abs() < 1e-7);
    assert!(signal[3].is_nan());
}

#[test]
fn the_variance_of_a_bin_is_about_the_mean_of_the_tracks() {
    // Bin 0: 1 3 5, mean 3, squares 4 0 4. Bin 1: all 2.
    let variance = bin_variance(&[&[1.0, 2.0], &[3.0, 2.0], &[5.0, 2.0]]).unwrap();
    assert_eq!(variance, [8.0 / 3.0, 0.0]);
    // Of those that have data: 1 and 5, mean 3; 2 alone; none.
    let nan = f32::NAN;
    let gaps = bin_variance(&[&[1.0, 2.0, nan], &[nan, nan, nan], &[5.0, nan, nan]]).unwrap();
    assert_eq!(gaps, [4.0, 0.0, 0.0]);
    assert_eq!(bin_variance(&[&[1.0]]), None);
    assert_eq!(bin_variance(&[&[1.0], &[1.0, 2.0]]), None);
    assert_eq!(bin_variance(&[]), None);
}

#[test]
fn means_are_over_the_tracks_that_define_them() {
    let track = |mse, gwcorr| TrackMeasures {
        mse,
        gwcorr,
        ..TrackMeasures::default()
    };
    let mean = mean_measures(&[track(Some(1.0), None), track(Some(2.0), Some(0.5))]);
    assert_eq!(
        (mean.mse, mean.gwcorr, mean.auprc),
        (Some(1.5), Some(0.5), None)
    );
    assert_eq!(mean_measures(&[]), TrackMeasures::default());
}

#[test]
fn undefined_measures_are_null_under_the_names_of_the_design() {
    let json = serde_json::to_value(TrackMeasures {
        mse: Some(0.5),
        ..Default::default()
    })
    .unwrap();
    assert_eq!(json["mse"], 0.5);
    assert!(json["catchpeakobs"].is_null());
    let mut names: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = TrackMeasures::NAMES.to_vec();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(expected.len(), 20);
}

fn gene((start, end, strand): &(u64, u64, String)) -> Gene {
    Gene {
        id: String::new(),
        name: String::new(),
        interval: Interval::new("chr1", *start, *end),
        strand: match strand.as_str() {
            "+" => Strand::Forward,
            _ => Strand::Reverse,
        },
        transcript_starts: Vec::new(),
    }
}

#[derive(Deserialize)]
struct Challenge {
    observed: Vec<f32>,
    imputed: Vec<f32>,
    variance: Vec<f32>,
    genes: Vec<(u64, u64, String)>,
    expected: std::collections::BTreeMap<String, f64>,
}

#[test]
fn scores_equal_the_encode_challenges_where_the_definitions_meet() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/measures/challenge.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let case: Challenge = serde_json::from_str(&text).unwrap();
    let axis = axis(case.observed.len() as u64);
    let mask = Mask::none(&axis);
    let genes: Vec<Gene> = case.genes.iter().map(gene).collect();
    let promoters = promoter_bins(&axis, &mask, &genes);
    let bodies = gene_bins(&axis, &mask, &genes);
    let context = ScoringContext {
        promoter_bins: Some(&promoters),
        gene_bins: Some(&bodies),
        variance: Some(&case.variance),
        ..ScoringContext::default()
    };
    let scored = score(&case.observed, &case.imputed, None, &context).unwrap();
    let mut compared = 0;
    for (name, value) in scored.values() {
        if let Some(expected) = case.expected.get(name) {
            // Its sums are f64, over values that we hold as f32.
            assert!(
                (value.unwrap() - expected).abs() < 1e-6 * expected.max(1.0),
                "{name}: {value:?}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, case.expected.len());
    assert_eq!(compared, 13);
}

#[derive(Deserialize)]
struct ChallengeCase {
    name: String,
    observed: Vec<f32>,
    imputed: Vec<f32>,
    variance: Vec<f32>,
    genes: Vec<(u64, u64, String)>,
    enhancers: Vec<(u64, u64)>,
    expected: std::collections::BTreeMap<String, Option<f64>>,
}

#[test]
fn by_its_definitions_scores_are_the_challenges_where_ours_differ() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/measures/challenge_cases.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<ChallengeCase> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), 3);
    for case in &cases {
        let name = &case.name;
        let axis = axis(case.observed.len() as u64);
        let genes: Vec<Gene> = case.genes.iter().map(gene).collect();
        let enhancers: Vec<Interval> = (case.enhancers.iter())
            .map(|(start, end)| Interval::new("chr1", *start, *end))
            .collect();
        let scored = |definitions| {
            let annotation = (genes.as_slice(), enhancers.as_slice());
            let bins = AnnotationBins::new(&axis, &Mask::none(&axis), annotation, definitions);
            let context = ScoringContext {
                promoter_bins: Some(&bins.promoters),
                gene_bins: Some(&bins.genes),
                enhancer_bins: Some(&bins.enhancers),
                variance: Some(&case.variance),
                definitions,
                ..ScoringContext::default()
            };
            let scored = score(&case.observed, &case.imputed, None, &context);
            scored.unwrap().values()
        };
        let (theirs, ours) = (scored(Definitions::Challenge), scored(Definitions::Persea));
        let mut differing = Vec::new();
        for ((measure, theirs), (_, ours)) in theirs.into_iter().zip(ours) {
            let Some(expected) = case.expected.get(measure) else {
                continue;
            };
            let same = |value: Option<f64>| match (value, *expected) {
                (Some(v), Some(e)) => (v - e).abs() < 1e-6 * e.abs().max(1.0),
                (v, e) => v.is_none() && e.is_none(),
            };
            assert!(
                same(theirs),
                "{name} {measure}: {theirs:?}, the scorer {expected:?}"
            );
            if !same(ours) {
                differing.push(measure);
            }
        }
        assert_eq!(case.expected.len(), 14);
        // No sparse peak lies in the enhancers.
        let enhancers = (name != "zeros in the top").then_some("mseenh");
        for measure in ["match1", "mseprom", "msegene"]
            .into_iter()
            .chain(enhancers)
        {
            assert!(differing.contains(&measure), "{name}: {differing:?}");
        }
    }
}
