//! Tracks that are swapped or noised on purpose: how often that is noticed, and what else is flagged.

use std::path::{Path, PathBuf};

use rand_chacha::rand_core::RngCore;

use super::*;
use crate::random::{Purpose, generator, shuffle};
use crate::simulation::{Simulation, SimulationConfig};

/// What became of a set of spoiled compendia.
#[derive(Debug, Default)]
struct Tally {
    spoiled: usize,
    noticed: usize,
    others_flagged: usize,
    others: usize,
}

struct Compendium {
    experiments: Vec<Experiment>,
    values: Vec<Vec<f32>>,
}

impl Compendium {
    fn assess(&self, values: Vec<Vec<f32>>) -> Vec<TrackQuality> {
        let windows = TrackWindows::new(values, 20);
        assess(&self.experiments, &windows, &QualityOptions::default())
    }

    /// Every pair of tracks that share what `share` says is swapped in turn.
    fn swaps(&self, share: fn(&Experiment, &Experiment) -> bool, flag: Flag) -> Tally {
        let mut tally = Tally::default();
        for i in 0..self.experiments.len() {
            for j in i + 1..self.experiments.len() {
                let (x, y) = (&self.experiments[i], &self.experiments[j]);
                if !share(x, y) {
                    continue;
                }
                let mut values = self.values.clone();
                values.swap(i, j);
                let tracks = self.assess(values);
                for (own, other) in [(i, y), (j, x)] {
                    let rival = match flag {
                        Flag::LooksLikeAssay => tracks[own].assay.as_ref(),
                        _ => tracks[own].biosample.as_ref(),
                    };
                    let name = rival.map(|r| r.name.as_str());
                    let named = name == Some(&other.biosample) || name == Some(&other.assay);
                    tally.noticed += usize::from(named && tracks[own].flags.contains(&flag));
                    tally.spoiled += 1;
                }
                let rest = tracks
                    .iter()
                    .enumerate()
                    .filter(|(k, _)| *k != i && *k != j);
                for (_, track) in rest {
                    tally.others += 1;
                    tally.others_flagged += usize::from(track.flags.contains(&flag));
                }
            }
        }
        tally
    }

    /// A share of every track's windows exchange their values, one track at a time.
    fn noised(&self, share: f64) -> Tally {
        let mut tally = Tally::default();
        for i in 0..self.experiments.len() {
            let mut random = generator(i as u64, Purpose::Permutation, 0);
            let mut values = self.values.clone();
            let limit = (share * 4_294_967_295.0) as u32;
            let moved: Vec<usize> = (0..values[i].len())
                .filter(|_| random.next_u32() <= limit)
                .collect();
            let mut drawn: Vec<f32> = moved.iter().map(|w| values[i][*w]).collect();
            shuffle(&mut random, &mut drawn);
            for (window, value) in moved.into_iter().zip(drawn) {
                values[i][window] = value;
            }
            let tracks = self.assess(values);
            let disagrees = |t: &TrackQuality| t.flags.contains(&Flag::Disagrees);
            tally.spoiled += 1;
            tally.noticed += usize::from(disagrees(&tracks[i]));
            tally.others += tracks.len() - 1;
            tally.others_flagged += tracks.iter().filter(|t| disagrees(t)).count();
            tally.others_flagged -= usize::from(disagrees(&tracks[i]));
        }
        tally
    }
}

fn one_assay(x: &Experiment, y: &Experiment) -> bool {
    x.assay == y.assay
}

fn one_biosample(x: &Experiment, y: &Experiment) -> bool {
    x.biosample == y.biosample
}

/// Six biosamples, five assays, 2 Mb, all measured.
fn simulated() -> Compendium {
    let simulation = Simulation::new(SimulationConfig {
        n_biosamples: 6,
        assays: ["H3K4me1", "H3K4me3", "H3K27ac", "H3K27me3", "H3K36me3"]
            .map(String::from)
            .to_vec(),
        n_chromosomes: 1,
        chromosome_bp: 2_000_000,
        missing: 0.0,
        ..SimulationConfig::default()
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    simulation
        .write(
            &folder.path().join("sim"),
            &crate::simulation::WriteOptions::default(),
            &|_, _| {},
        )
        .unwrap();
    let manifest = crate::compendium::Manifest::read(
        &folder.path().join("sim/manifest.tsv"),
        &crate::compendium::ColumnMap::default(),
    )
    .unwrap();
    let tracks = manifest
        .tracks(crate::compendium::Replicates::Refuse)
        .unwrap()
        .0;
    let axis = simulation.axis();
    let mut compendium = Compendium {
        experiments: Vec::new(),
        values: Vec::new(),
    };
    for track in tracks {
        let mut bins = vec![0f32; axis.n_bins() as usize];
        crate::compendium::read_track(&track, axis, folder.path(), &mut |first, piece| {
            bins[first as usize..first as usize + piece.len()].copy_from_slice(piece);
            Ok(())
        })
        .unwrap();
        let none = vec![false; bins.len()];
        compendium.values.extend(in_windows(&[bins], &none));
        compendium
            .experiments
            .push(Experiment::new(track.biosample, track.assay));
    }
    compendium
}

fn pilot() -> Option<Compendium> {
    let shared = std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let folder = shared.join("pilot/tracks");
    if !folder.is_dir() {
        crate::skipped::skipped("data", "no pilot compendium (PERSEA_SHARED_DATA)");
        return None;
    }
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    let mut compendium = Compendium {
        experiments: Vec::new(),
        values: Vec::new(),
    };
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut parts = name.split('.');
        let (biosample, assay) = (parts.next().unwrap(), parts.next().unwrap());
        let file = std::fs::File::open(&path).unwrap();
        let mut npz = persea_files::NpzReader::new(file).unwrap();
        let array = npz.array("arr_0").unwrap();
        let bins: Vec<f32> = npyz::NpyFile::new(array).unwrap().into_vec().unwrap();
        let none = vec![false; bins.len()];
        compendium.values.extend(in_windows(&[bins], &none));
        compendium
            .experiments
            .push(Experiment::new(biosample, assay));
    }
    Some(compendium)
}

#[test]
fn swaps_and_noise_in_a_simulated_compendium_are_noticed() {
    let compendium = simulated();
    let honest = compendium.assess(compendium.values.clone());
    let flagged: Vec<_> = honest.iter().filter(|t| !t.flags.is_empty()).collect();
    println!("simulated: flagged as they are {flagged:?}");
    let biosamples = compendium.swaps(one_assay, Flag::LooksLikeBiosample);
    let assays = compendium.swaps(one_biosample, Flag::LooksLikeAssay);
    let noise: Vec<Tally> = [1.0, 0.5].map(|share| compendium.noised(share)).into();
    println!("simulated: biosamples swapped {biosamples:?}");
    println!("simulated: assays swapped {assays:?}");
    println!("simulated: all and half the windows noised {noise:?}");
    // H3K27me3 of two biosamples varies little in 2 Mb.
    assert!(flagged.len() <= 3);
    assert!(biosamples.noticed * 10 >= biosamples.spoiled * 7);
    assert!(assays.noticed * 10 >= assays.spoiled * 7);
    assert_eq!(noise[0].noticed, noise[0].spoiled);
    assert!(noise[0].others_flagged <= flagged.len() * noise[0].spoiled);
}

#[test]
fn swaps_and_noise_in_the_pilot_compendium_are_noticed() {
    let Some(compendium) = pilot() else {
        return;
    };
    let honest = compendium.assess(compendium.values.clone());
    for t in &honest {
        println!(
            "pilot: {} {:?} {:?} {:?}",
            t.experiment, t.agreement, t.z, t.flags
        );
    }
    let biosamples = compendium.swaps(one_assay, Flag::LooksLikeBiosample);
    println!("pilot: biosamples swapped {biosamples:?}");
    let assays = compendium.swaps(one_biosample, Flag::LooksLikeAssay);
    println!("pilot: assays swapped {assays:?}");
    let noise: Vec<Tally> = [1.0, 0.7, 0.5].map(|share| compendium.noised(share)).into();
    println!("pilot: all, 70 % and half of the windows noised {noise:?}");
    assert!(honest.iter().all(|t| t.flags.is_empty()));
    assert!(biosamples.noticed * 10 >= biosamples.spoiled * 8);
    // A swapped track is a third biosample's to the others: some are blamed as well.
    assert!(biosamples.others_flagged * 10 <= biosamples.others);
    assert!(assays.noticed * 10 >= assays.spoiled * 8);
    assert_eq!(noise[0].noticed, noise[0].spoiled);
}

#[test]
fn a_swap_is_named_from_both_sides() {
    let compendium = simulated();
    let place = |b: &str| {
        let e = Experiment::new(b, "H3K27ac");
        compendium.experiments.iter().position(|o| *o == e).unwrap()
    };
    // Biosamples of different groups.
    let (i, j) = (place("S1"), place("S6"));
    let mut values = compendium.values.clone();
    values.swap(i, j);
    let tracks = compendium.assess(values);
    assert_eq!(
        tracks[i].swapped_with.as_ref(),
        Some(&compendium.experiments[j])
    );
    assert_eq!(
        tracks[j].swapped_with.as_ref(),
        Some(&compendium.experiments[i])
    );
}

#[test]
fn constant_and_identical_tracks_are_no_riddle() {
    let mut random = generator(1, Purpose::Bins, 0);
    let mut track = || {
        (0..400)
            .map(|_| (random.next_u32() % 97) as f32)
            .collect::<Vec<f32>>()
    };
    let (one, two) = (track(), track());
    let of = |list: &[(&str, &str)]| -> Vec<Experiment> {
        list.iter().map(|(b, a)| Experiment::new(*b, *a)).collect()
    };
    let experiments = of(&[
        ("x", "P"),
        ("y", "P"),
        ("z", "P"),
        ("x", "Q"),
        ("y", "Q"),
        ("z", "Q"),
    ]);
    let flat = vec![2.0; 400];
    let values = vec![
        one.clone(),
        one.clone(),
        flat,
        two.clone(),
        two.clone(),
        two,
    ];
    let windows = TrackWindows::new(values, 10);
    let tracks = assess(&experiments, &windows, &QualityOptions::default());
    assert_eq!(tracks[2].flags, [Flag::Constant]);
    assert_eq!(tracks[2].agreement, None);
    // Identical biosamples cannot be distinguished, and nobody claims it.
    assert!(tracks[..2].iter().all(|t| t.swapped_with.is_none()));
    assert!(!tracks[0].flags.contains(&Flag::LooksLikeBiosample));
    // One track of an assay has nothing to agree with.
    let alone = assess(
        &of(&[("x", "P")]),
        &TrackWindows::new(vec![one], 5),
        &QualityOptions::default(),
    );
    assert_eq!((alone[0].agreement, alone[0].z), (None, None));
    assert!(alone[0].flags.is_empty());
}
