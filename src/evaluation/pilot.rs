//! The baselines on the real pilot compendium: its known figures, fold by fold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::compendium::Experiment;
use crate::measures;

/// The folder of the pilot compendium, if it is there.
fn pilot() -> Option<PathBuf> {
    let shared = std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let folder = shared.join("pilot");
    folder.is_dir().then_some(folder)
}

fn read_track(folder: &Path, experiment: &Experiment) -> Vec<f32> {
    let Experiment { biosample, assay } = experiment;
    let name = format!("tracks/{biosample}.{assay}.pilot.arcsinh.npz");
    let mut npz =
        persea_files::NpzReader::new(std::fs::File::open(folder.join(name)).unwrap()).unwrap();
    let array = npz.array("arr_0").unwrap();
    npyz::NpyFile::new(array).unwrap().into_vec().unwrap()
}

/// Fold, then experiments, as `folds.tsv` has them.
fn folds(folder: &Path) -> BTreeMap<u32, Vec<Experiment>> {
    let mut folds: BTreeMap<u32, Vec<Experiment>> = BTreeMap::new();
    let text = std::fs::read_to_string(folder.join("folds.tsv")).unwrap();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let fold = folds.entry(fields[0].parse().unwrap()).or_default();
        fold.push(Experiment::new(fields[1], fields[2]));
    }
    folds
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The figures of the data's README (average activity 0.1863 with r .431, calibrated 0.1662, best
/// affine fit 0.1524), and each fold's and the other baselines' as numpy has them in f64.
#[test]
fn baselines_reach_their_known_errors_on_the_pilot_folds() {
    let Some(folder) = pilot() else {
        crate::skipped::skipped("data", "no pilot compendium (PERSEA_SHARED_DATA)");
        return;
    };
    let folds = folds(&folder);
    let all: Vec<Experiment> = folds.values().flatten().cloned().collect();
    let signal: Vec<Vec<f32>> = all.iter().map(|e| read_track(&folder, e)).collect();
    let mut errors: BTreeMap<Baseline, Vec<f64>> = BTreeMap::new();
    let (mut shape, mut correlation) = (Vec::new(), Vec::new());
    for held in folds.values() {
        let is_training = |i: &usize| !held.contains(&all[*i]);
        let training: Vec<usize> = (0..all.len()).filter(is_training).collect();
        let experiments: Vec<Experiment> = training.iter().map(|i| all[*i].clone()).collect();
        let tracks: Vec<&[f32]> = training.iter().map(|i| &*signal[*i]).collect();
        let mut statistics = BaselineStatistics::new(&experiments, held);
        statistics.push(&tracks, None).unwrap();
        for (target, baselines) in held.iter().zip(statistics.finish()) {
            let observed = &signal[all.iter().position(|e| e == target).unwrap()];
            for baseline in Baseline::ALL {
                let imputed = baselines.impute(baseline, &tracks).unwrap().unwrap();
                let error = measures::mse(observed, &imputed).unwrap();
                errors.entry(baseline).or_default().push(error);
                if baseline == Baseline::AverageActivity {
                    shape.push(measures::shape_mse(observed, &imputed).unwrap());
                    correlation.push(measures::pearson(observed, &imputed).unwrap());
                }
            }
        }
    }
    let expected = [
        (
            Baseline::AverageActivity,
            0.186290,
            [0.232912, 0.205156, 0.177142, 0.154707, 0.161536],
        ),
        (
            Baseline::CalibratedAverage,
            0.166150,
            [0.192196, 0.176981, 0.175833, 0.149721, 0.136020],
        ),
        (
            Baseline::NearestBiosample,
            0.301948,
            [0.34841, 0.30263, 0.29944, 0.30806, 0.25120],
        ),
        (
            Baseline::Additive,
            0.237768,
            [0.27417, 0.24004, 0.23429, 0.22164, 0.21871],
        ),
    ];
    for (baseline, overall, by_fold) in expected {
        let measured = &errors[&baseline];
        assert!(
            (mean(measured) - overall).abs() < 1e-6,
            "{baseline:?}: {}",
            mean(measured)
        );
        for (fold, (tracks, expected)) in measured.chunks(4).zip(by_fold).enumerate() {
            let error = mean(tracks);
            println!("{} fold {fold}: {error:.6}", baseline.name());
            assert!(
                (error - expected).abs() < 6e-6,
                "{baseline:?} fold {fold}: {error}"
            );
        }
    }
    assert_eq!(
        format!("{:.4}", mean(&errors[&Baseline::AverageActivity])),
        "0.1863"
    );
    assert_eq!(
        format!("{:.4}", mean(&errors[&Baseline::CalibratedAverage])),
        "0.1662"
    );
    assert_eq!(format!("{:.4}", mean(&shape)), "0.1524");
    assert_eq!(format!("{:.3}", mean(&correlation)), "0.431");
}
