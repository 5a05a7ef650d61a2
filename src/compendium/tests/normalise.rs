//! Normalised tracks: planted shifts, what stays as it is, tracks that come later.

use std::fs;
use std::path::Path;

use super::super::*;
use super::write_npy;
use crate::genome::{Assembly, GenomeAxis, Interval};
use crate::measures::PowerLaw;
use crate::random::{Purpose, generator};
use crate::store::{Database, Inversion, NewDatabase, Step, Transform, ValueType};
use rand_chacha::rand_core::RngCore;

const N_BINS: usize = 20_000;

/// A background from 0.1 to 0.4 with zeros and bins without data in it, and peaks in 2 of 100 bins, in the places of
/// all tracks.
fn signal(seed: u64) -> Vec<f32> {
    let mut random = generator(seed, Purpose::Bins, 3);
    let mut unit = || random.next_u32() as f32 / u32::MAX as f32;
    (0..N_BINS)
        .map(|i| match i % 50 {
            7 => 2.0 + unit(),
            8 if i % 1_000 == 8 => f32::NAN,
            9 => 0.0,
            _ => 0.1 + 0.3 * unit(),
        })
        .collect()
}

fn shifted(values: &[f32], factor: f64, exponent: f64) -> Vec<f32> {
    let law = PowerLaw { factor, exponent };
    values.iter().map(|v| law.apply(*v)).collect()
}

/// A database of 500 kb of which 2 kb are masked, and the arrays of tracks beside it.
struct World {
    folder: tempfile::TempDir,
    database: Database,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let list = [("chr1".to_string(), 25 * N_BINS as u64)];
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        let parts = NewDatabase {
            axis: GenomeAxis::whole_chromosomes(assembly, &["chr1"]).unwrap(),
            mask: vec![Interval::new("chr1", 10_000, 12_000)],
            genes: vec![],
            enhancers: vec![],
        };
        let database = Database::create(&folder.path().join("x.persea"), &parts).unwrap();
        World { folder, database }
    }

    fn array(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(format!("{name}.npy"))
    }

    /// Ingests tracks of the assay A from arrays of the given values, as they are.
    fn ingest(&self, tracks: &[(&str, Vec<f32>)], options: &IngestOptions<'_>) -> IngestReport {
        let mut manifest = String::from("biosample\tassay\tpath\ttransform\n");
        for (biosample, values) in tracks {
            write_npy(&self.array(biosample), values);
            manifest += &format!("{biosample}\tA\t{biosample}.npy\tnone\n");
        }
        let path = self.folder.path().join("m.tsv");
        fs::write(&path, manifest).unwrap();
        let manifest = Manifest::read(&path, &ColumnMap::default()).unwrap();
        ingest(&self.database, &manifest, options).unwrap()
    }

    fn stored(&self, biosample: &str) -> Vec<f32> {
        let track = self.database.track(biosample, "A").unwrap().unwrap();
        let signal = self.database.signal(&track).unwrap();
        let mut values = vec![0.0; N_BINS];
        signal.read(0..N_BINS as u64, &mut values).unwrap();
        values
    }

    fn law(&self, biosample: &str) -> Option<PowerLaw> {
        let track = self.database.track(biosample, "A").unwrap().unwrap();
        track.normalisation
    }
}

const NORMALISE: IngestOptions<'static> = IngestOptions {
    threads: 2,
    replicates: Replicates::Refuse,
    values: None,
    normalise: true,
    shard: None,
    progress: None,
    stop: None,
};

fn three() -> Vec<(&'static str, Vec<f32>)> {
    vec![("b1", signal(1)), ("b2", signal(2)), ("b3", signal(3))]
}

/// Whether two tracks have the same bins without data, the same zeros, and values that differ by less than
/// this share.
fn agree(a: &[f32], b: &[f32], share: f32) {
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        match a.is_nan() {
            true => assert!(b.is_nan(), "bin {i}: {b}"),
            false => assert!((a - b).abs() <= share * a.abs(), "bin {i}: {a} {b}"),
        }
    }
}

#[test]
fn shifted_copies_of_tracks_come_back_to_them_and_their_files_can_be_had_again() {
    let world = World::new();
    let mut tracks = three();
    tracks.push(("quiet", shifted(&signal(1), 0.6, 1.3)));
    tracks.push(("loud", shifted(&signal(2), 1.5, 0.8)));
    let report = world.ingest(&tracks, &NORMALISE);
    assert_eq!(report.warnings, [""; 0]);
    assert_eq!((report.ingested.len(), report.normalised.len()), (5, 5));
    agree(&world.stored("b1"), &world.stored("quiet"), 1e-4);
    agree(&world.stored("b2"), &world.stored("loud"), 1e-4);
    for (biosample, file) in &tracks {
        let track = world.database.track(biosample, "A").unwrap().unwrap();
        let inversion = track.inversion();
        let back: Vec<f32> = (world.stored(biosample).into_iter())
            .map(|v| inversion.apply(v))
            .collect();
        agree(file, &back, 1e-6);
        let zeros = |v: &[f32]| v.iter().filter(|v| v.to_bits() == 0).count();
        assert_eq!(zeros(&world.stored(biosample)), zeros(file));
        assert_eq!(track.n_nan_bins, 20);
    }
    assert_eq!(world.database.check().unwrap(), []);
    // Repeated, nothing is read and nothing normalised.
    let report = world.ingest(&tracks, &NORMALISE);
    assert_eq!((report.skipped.len(), report.normalised.len()), (5, 0));
}

#[test]
fn a_later_track_meets_the_reference_that_was_recorded_first() {
    let world = World::new();
    world.ingest(&three(), &NORMALISE);
    let reference = world.database.references().unwrap().remove("A").unwrap();
    assert_eq!(reference.n_tracks, 3);
    let file = shifted(&signal(2), 0.5, 1.2);
    let report = world.ingest(&[("late", file.clone())], &IngestOptions::default());
    assert_eq!(report.normalised, [Experiment::new("late", "A")]);
    agree(&world.stored("b2"), &world.stored("late"), 1e-4);
    assert_eq!(world.database.references().unwrap()["A"], reference);
    // A track that is in files only gets the same power law.
    let axis = world.database.axis();
    let mask = world.database.mask().unwrap();
    let law = law_of_values(&file, &mask, axis, &world.database, &reference);
    let (law, stored) = (law.unwrap().unwrap(), world.law("late").unwrap());
    assert!(
        (law.factor - stored.factor).abs() < 1e-9,
        "{law:?} {stored:?}"
    );
    assert!(
        (law.exponent - stored.exponent).abs() < 1e-9,
        "{law:?} {stored:?}"
    );
    // One that has changed is read, and normalised, anew.
    let report = world.ingest(&[("late", signal(4))], &IngestOptions::default());
    assert_eq!((report.replaced.len(), report.normalised.len()), (1, 1));
    let changed = world.law("late").unwrap();
    assert!((changed.exponent - 1.0).abs() < 0.1, "{changed:?}");
}

#[test]
fn all_tracks_that_are_in_are_normalised_without_a_file() {
    let world = World::new();
    let report = world.ingest(&three(), &IngestOptions::default());
    assert!(report.normalised.is_empty() && world.law("b1").is_none());
    for biosample in ["b1", "b2", "b3"] {
        fs::remove_file(world.array(biosample)).unwrap();
    }
    let report = normalise(&world.database, &IngestOptions::default()).unwrap();
    assert_eq!(report.normalised.len(), 3);
    assert!(world.law("b1").is_some());
}

#[test]
fn an_assay_of_two_tracks_and_a_track_below_zero_stay_as_they_were_read() {
    let world = World::new();
    let report = world.ingest(&three()[..2], &NORMALISE);
    assert!(report.normalised.is_empty());
    assert!(report.warnings[0].contains("needs 3"), "{report:?}");
    agree(&signal(1), &world.stored("b1"), 0.0);
    let negative: Vec<f32> = signal(5).iter().map(|v| v - 0.2).collect();
    let mut tracks = three();
    tracks.push(("negative", negative.clone()));
    let report = world.ingest(&tracks, &NORMALISE);
    assert_eq!(report.normalised.len(), 3);
    assert!(
        report
            .warnings
            .iter()
            .any(|w| w.contains("negative A") && w.contains("stays as read")),
        "{report:?}"
    );
    agree(&negative, &world.stored("negative"), 0.0);
    assert_eq!(world.law("negative"), None);
}

#[test]
fn a_shard_is_not_normalised_and_neither_is_an_assay_with_a_track_that_failed() {
    let world = World::new();
    let mut tracks = three();
    tracks.push(("b4", signal(4)));
    let manifest = world.folder.path().join("m.tsv");
    world.ingest(&tracks[..1], &IngestOptions::default());
    let options = IngestOptions {
        shard: Some("1/2".parse().unwrap()),
        ..NORMALISE
    };
    let read = |path: &Path| Manifest::read(path, &ColumnMap::default()).unwrap();
    let error = ingest(&world.database, &read(&manifest), &options).unwrap_err();
    assert!(error.to_string().contains("merge the shards"), "{error}");
    for (biosample, values) in &tracks {
        write_npy(&world.array(biosample), values);
    }
    fs::write(world.array("b4"), "no array").unwrap();
    let lines = tracks
        .iter()
        .map(|(b, _)| format!("{b}\tA\t{b}.npy\tnone\n"));
    let text = format!(
        "biosample\tassay\tpath\ttransform\n{}",
        lines.collect::<String>()
    );
    fs::write(&manifest, text).unwrap();
    let report = ingest(&world.database, &read(&manifest), &NORMALISE).unwrap();
    assert_eq!((report.failed.len(), report.normalised.len()), (1, 0));
    assert!(world.database.references().unwrap().is_empty());
    assert!(
        report.warnings.iter().any(|w| w.contains("not normalised")),
        "{report:?}"
    );
}

#[test]
fn counts_of_a_step_are_normalised_to_half_a_step() {
    let world = World::new();
    let options = IngestOptions {
        values: Some(ValueType::U16(Step::default())),
        ..NORMALISE
    };
    let mut tracks = three();
    tracks.push(("quiet", shifted(&signal(1), 0.6, 1.3)));
    let report = world.ingest(&tracks, &options);
    assert_eq!(report.normalised.len(), 4);
    let track = world.database.track("quiet", "A").unwrap().unwrap();
    assert_eq!(track.values, ValueType::U16(Step::default()));
    assert_ne!(track.inversion(), Inversion::of(Transform::None));
    // Half a step in each array, and half a step of what was read before the law: its slope is at most 2 here.
    let half = Step::default().greatest_error() as f32;
    for (a, b) in world.stored("b1").iter().zip(world.stored("quiet")) {
        assert!(
            a.is_nan() == b.is_nan() && (a.is_nan() || (a - b).abs() <= 6.0 * half),
            "{a} {b}"
        );
    }
    // Missing bins and zeros are what they were.
    for (file, stored) in tracks[3].1.iter().zip(world.stored("quiet")) {
        assert!(file.is_nan() == stored.is_nan() && (*file == 0.0) == (stored == 0.0));
    }
}
