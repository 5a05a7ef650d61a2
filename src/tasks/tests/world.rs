//! The small world: six chromosomes of forty windows, three biosamples, an assay that shows which windows
//! are active and one of noise.

use serde_json::json;

use super::super::*;
use crate::genome::{Assembly, GenomeAxis, Interval};
use crate::model::{Architecture, GenomeFactors, ModelConfig, Network, Preset, Sizes, save};
use crate::store::test_support::store_track;
use crate::store::{
    Database, Example, LabelColumn, ModelKind, ModelRecord, ModelTrack, NewDatabase, NewTask,
    Precision, TrackRole,
};

pub(super) const CHROMS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
pub(super) const WINDOWS: u64 = 40;
pub(super) const BINS: u64 = 2_400;

pub(super) fn noise(i: u64) -> f32 {
    (i.wrapping_mul(2_654_435_761) >> 7) as f32 % 1_000.0 / 1_000.0
}

/// Whether a window is active in a biosample: three in ten are, mostly the same everywhere.
pub(super) fn active(chrom: u64, window: u64, biosample: u64) -> bool {
    let shared = noise(chrom * 1_000 + window * 7 + 3) < 0.3;
    let own = noise(chrom * 977 + window * 31 + biosample * 100_003) < 0.1;
    shared != own
}

pub(super) struct World {
    _folder: tempfile::TempDir,
    pub(super) database: Database,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let list: Vec<(String, u64)> = CHROMS.iter().map(|c| (c.to_string(), BINS * 25)).collect();
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        let axis = GenomeAxis::whole_chromosomes(assembly, &[]).unwrap();
        let parts = NewDatabase {
            axis,
            mask: vec![],
            genes: vec![],
            enhancers: vec![],
        };
        let path = folder.path().join("x.persea");
        let world = World {
            database: Database::create(&path, &parts).unwrap(),
            _folder: folder,
        };
        for (b, biosample) in ["S1", "S2", "S3"].into_iter().enumerate() {
            let b = b as u64;
            for assay in ["told", "noise"] {
                let value = |bin: u64| {
                    let (chrom, at) = (bin / BINS, bin % BINS);
                    let (window, inside) = (at / 60, at % 60 < 20);
                    let own = noise(bin * 13 + b * 7 + assay.len() as u64);
                    match assay == "told" && inside && active(chrom, window, b) {
                        true => 1.5 + own,
                        false => own,
                    }
                };
                let values: Vec<f32> = (0..BINS * 6).map(value).collect();
                store_track(&world.database, biosample, assay, &values);
            }
        }
        world.task("marked", |chrom, window, b| {
            f64::from(u8::from(active(chrom, window, b)))
        });
        world
    }

    pub(super) fn examples() -> Vec<(u64, u64, Example)> {
        let windows = (0..6u64).flat_map(|c| (0..WINDOWS).map(move |w| (c, w)));
        let example = |(c, w): (u64, u64)| {
            let start = w * 60 * 25;
            let place = Interval::new(CHROMS[c as usize], start, start + 500);
            let example = Example {
                name: place.to_string(),
                place: Some(place),
                fold: Some(format!("fold {}", c % 3)),
                ..Example::default()
            };
            (c, w, example)
        };
        windows.map(example).collect()
    }

    pub(super) fn task(&self, name: &str, label: impl Fn(u64, u64, u64) -> f64) {
        let examples = Self::examples();
        let column = |b: u64, biosample: &str| LabelColumn {
            biosample: biosample.into(),
            unit: "label".into(),
            values: examples.iter().map(|(c, w, _)| label(*c, *w, b)).collect(),
        };
        let task = NewTask {
            name: name.into(),
            kind: "custom".into(),
            sources: json!([]),
            columns: vec![column(0, "S1"), column(1, "S2"), column(2, "S3")],
            examples: examples.into_iter().map(|(_, _, e)| e).collect(),
        };
        self.database.save_task(&task, true).unwrap();
    }

    /// A model that has learned nothing: its numbers are the initial ones.
    pub(super) fn model(
        &self,
        name: &str,
        tracks: &[(&str, &str, TrackRole)],
        training: serde_json::Value,
    ) {
        let sizes = Sizes {
            layers: 2,
            nodes: 8,
            ..Sizes::preset(Preset::Small)
        };
        let config = ModelConfig {
            architecture: Architecture::Avocado,
            sizes,
            encoder: None,
            refinement: None,
        };
        let axis = self.database.axis();
        let record = ModelRecord {
            name: name.into(),
            kind: ModelKind::Avocado,
            config: json!(config),
            seed: 0,
            training,
            precision: Precision::F32,
            biosamples: vec!["S1".into(), "S2".into(), "S3".into()],
            assays: vec!["noise".into(), "told".into(), "unmeasured".into()],
            tracks: tracks
                .iter()
                .map(|(b, a, role)| ModelTrack {
                    biosample: b.to_string(),
                    assay: a.to_string(),
                    role: *role,
                    checksum: String::new(),
                })
                .collect(),
            regions: axis.regions().to_vec(),
        };
        let network = Network::initial(&sizes, 3, 3, 5);
        let genome = GenomeFactors::initial(&sizes, axis, 5);
        let lock = self.database.lock_model(name).unwrap();
        save(
            &self.database,
            &lock,
            &record,
            &network,
            &genome,
            (None, None),
            true,
        )
        .unwrap();
    }

    pub(super) fn run(&self, settings: &RunSettings) -> crate::Result<Outcome> {
        run(&self.database, settings, &mut |_| {})
    }

    pub(super) fn refuses(&self, settings: &RunSettings, parts: &[&str]) {
        let message = self.run(settings).unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "`{part}` is missing: {message}");
        }
    }
}

pub(super) fn settings(features: &[&str], learner: Learner) -> RunSettings {
    RunSettings {
        task: "marked".into(),
        train_biosamples: vec!["S1".into()],
        test_biosamples: vec!["S1".into()],
        features: features.iter().map(|f| f.parse().unwrap()).collect(),
        learner,
        bootstrap: 100,
        ..RunSettings::default()
    }
}

pub(super) fn primary(outcome: &Outcome, row: &str) -> f64 {
    let row = outcome.result.row(row).unwrap();
    row.measures[&outcome.result.primary].value.unwrap()
}

pub(super) fn column<'a>(outcome: &'a Outcome, name: &str) -> &'a [f64] {
    &outcome.columns.iter().find(|(n, _)| n == name).unwrap().1
}
