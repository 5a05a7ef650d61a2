//! Biosamples and assays.

use crate::genome::Resolution;
use crate::model::TrainedModel;
use crate::search::{
    Metric, Profile, SampleAxis, SampleHit, SampleSum, example_database, similar_samples,
};
use crate::store::Database;

fn ask(
    database: &Database,
    text: &str,
    axis: SampleAxis,
    profile: Profile,
    metric: Metric,
    k: usize,
) -> Result<Vec<SampleHit>, String> {
    let model = TrainedModel::open(database, None).unwrap();
    let sum = SampleSum::parse(text, axis, &model).map_err(|e| e.to_string())?;
    similar_samples(database, &model, &sum, profile, metric, k, true).map_err(|e| e.to_string())
}

#[test]
fn factors_are_compared_and_added_as_vectors() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let factors = &model.network().biosamples;
    for metric in [Metric::Euclidean, Metric::Cosine] {
        let axis = SampleAxis::Biosamples;
        let hits = ask(&database, "S1 - S2 + S4", axis, Profile::Factors, metric, 5).unwrap();
        let wanted: Vec<f64> = (0..4)
            .map(|j| {
                f64::from(factors[[0, j]]) - f64::from(factors[[1, j]]) + f64::from(factors[[3, j]])
            })
            .collect();
        for hit in &hits {
            let row = factors.row(model.biosample(&hit.name).unwrap());
            let row: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
            let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
                wanted.iter().zip(&row).map(|(a, b)| f(*a, *b)).sum()
            };
            let distance = sum(&|a, b| (a - b) * (a - b)).sqrt();
            let cosine =
                1.0 - sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
            assert!((hit.distance - distance).abs() < 1e-12);
            assert!((hit.cosine.unwrap() - cosine).abs() < 1e-12);
        }
        assert!(hits.is_sorted_by_key(|h| match metric {
            Metric::Cosine => h.cosine.unwrap(),
            _ => h.distance,
        }));
    }
}

#[test]
fn imputed_profiles_are_those_that_impute_writes() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    // All bins: each region whole, whatever blocks they come in.
    let n_bins = model.axis().n_bins();
    let profile = Profile::Imputed { bins: n_bins };
    let axis = SampleAxis::Assays;
    let hits = ask(&database, "A2", axis, profile, Metric::Euclidean, 3).unwrap();
    assert_eq!((hits[0].name.as_str(), hits[0].distance), ("A2", 0.0));
    let track = |biosample: &str, assay: &str| {
        let experiment = crate::compendium::Experiment::new(biosample, assay);
        crate::imputation::impute_track(&database, &model, &experiment).unwrap()
    };
    for hit in &hits[1..] {
        let (mut sum, mut n) = (0f64, 0);
        for biosample in &model.record().biosamples {
            for (a, b) in track(biosample, "A2")
                .iter()
                .zip(track(biosample, &hit.name))
            {
                sum += (f64::from(*a) - f64::from(b)).powi(2);
                n += 1;
            }
        }
        let expected = (sum / f64::from(n)).sqrt();
        // The last blocks before a region's end are cut: a few bins are missing.
        assert!(
            (hit.distance / expected - 1.0).abs() < 0.05,
            "{} {expected}",
            hit.distance
        );
    }
    assert!(Resolution::Kbp5.bins() < n_bins);
}

#[test]
fn bad_sums_are_refused_with_a_reason() {
    let (_folder, database) = example_database().unwrap();
    let refused = |text: &str, k| {
        let axis = SampleAxis::Biosamples;
        ask(
            &database,
            text,
            axis,
            Profile::Factors,
            Metric::Euclidean,
            k,
        )
        .unwrap_err()
    };
    assert!(refused("S11", 1).contains("unknown biosample S11; nearest: S1"));
    assert!(refused("S1 - + S2", 1).contains("sign without a name"));
    assert!(refused("S1 +", 1).contains("sign without a name"));
    assert!(refused("", 1).contains("sign without a name"));
    assert!(refused("S1", 0).contains("k is 0"));
    assert!(refused("S1", 6).contains("no more than the 5 biosamples"));
    let axis = SampleAxis::Assays;
    let network = ask(&database, "A1", axis, Profile::Factors, Metric::Network, 1);
    assert!(network.unwrap_err().contains("euclidean or cosine"));
    // What takes itself away has a distance from everything, and no direction.
    let nothing = |metric| {
        let axis = SampleAxis::Biosamples;
        ask(&database, "S1 - S1", axis, Profile::Factors, metric, 2)
    };
    assert!(nothing(Metric::Cosine).unwrap_err().contains("all zeros"));
    assert_eq!(nothing(Metric::Euclidean).unwrap().len(), 2);
}

#[test]
fn the_query_is_left_out_unless_wanted() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let sum = SampleSum::parse("S3 - S1", SampleAxis::Biosamples, &model).unwrap();
    let ask = |with_query| {
        let metric = Metric::Euclidean;
        similar_samples(
            &database,
            &model,
            &sum,
            Profile::Factors,
            metric,
            5,
            with_query,
        )
        .unwrap()
    };
    assert_eq!(ask(true).len(), 5);
    let names: Vec<String> = ask(false).into_iter().map(|h| h.name).collect();
    assert_eq!(names.len(), 3);
    assert!(!names.contains(&"S1".into()) && !names.contains(&"S3".into()));
}
