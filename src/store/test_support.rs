//! A toy database, for the tests of this module and of those that build on it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Database, NewDatabase, NewTrack, TrackSource, Transform, ValueType};
use crate::formats::{Identity, Missing};
use crate::genome::{Assembly, Gene, GenomeAxis, Interval, Region, Strand};

/// chr2 whole, then two stretches of chr1: 40 + 100 + 60 bins.
pub(crate) fn toy_axis() -> GenomeAxis {
    let list = [("chr1".to_string(), 10_010), ("chr2".to_string(), 990)];
    let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
    let region = |name: Option<&str>, chrom: &str, first_bin, n_bins| Region {
        name: name.map(str::to_string),
        chrom: chrom.into(),
        first_bin,
        n_bins,
    };
    let regions = vec![
        region(None, "chr2", 0, 40),
        region(Some("B"), "chr1", 200, 100),
        region(Some("A"), "chr1", 10, 60),
    ];
    GenomeAxis::new(assembly, regions).unwrap()
}

pub(crate) fn toy_parts() -> NewDatabase {
    let gene = |name: &str, start, end, strand| Gene {
        id: format!("ID-{name}"),
        name: name.into(),
        interval: Interval::new("chr1", start, end),
        strand,
        transcript_starts: match name {
            "second" => vec![5_500, 5_999],
            _ => Vec::new(),
        },
    };
    NewDatabase {
        axis: toy_axis(),
        mask: vec![
            Interval::new("chr2", 30, 60),
            Interval::new("chr1", 5_000, 5_025),
        ],
        genes: vec![
            gene("second", 5_100, 6_000, Strand::Reverse),
            gene("first", 300, 900, Strand::Forward),
        ],
        enhancers: vec![Interval::new("chr1", 400, 450)],
    }
}

/// A new toy database in a folder that goes with the first value.
pub(crate) fn toy_database() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(&folder.path().join("toy.persea"), &toy_parts()).unwrap();
    (folder, db)
}

pub(crate) fn toy_track(biosample: &str, assay: &str) -> NewTrack {
    NewTrack {
        biosample: biosample.into(),
        assay: assay.into(),
        transform: Transform::Arcsinh,
        unit: Some("fold change".into()),
        sources: vec![TrackSource {
            location: format!("{biosample}.{assay}.bw"),
            format: None,
            identity: Identity {
                bytes: 100,
                modified: Some(1_700_000_000_000_000_000),
                etag: None,
            },
            checksum: format!("checksum of {biosample} {assay}"),
            multiplier: 2.0,
            missing: Missing::Nan,
            origin: None,
        }],
        values: ValueType::F32,
        normalisation: None,
    }
}

/// Stores a track of the given values.
pub(crate) fn store_track(db: &Database, biosample: &str, assay: &str, values: &[f32]) {
    let mut writer = db.begin_track(toy_track(biosample, assay)).unwrap();
    writer.write(0, values).unwrap();
    writer.commit().unwrap();
}

/// What a track holds.
pub(crate) fn read_track(db: &Database, biosample: &str, assay: &str) -> Vec<f32> {
    let track = db.track(biosample, assay).unwrap().unwrap();
    let signal = db.signal(&track).unwrap();
    let mut out = vec![f32::NAN; signal.n_bins() as usize];
    signal.read(0..signal.n_bins(), &mut out).unwrap();
    out
}

/// All files below a folder, as paths relative to it.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap().to_path_buf());
            }
        }
    }
    files.sort();
    files
}

/// A file system of a fixed size; unmounted when dropped.
pub(crate) struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// `None`, having said so, where mounting is not permitted.
    pub(crate) fn mount(kib: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk { folder }),
            _ => {
                crate::skipped::skipped("mount", "mounting a tmpfs is not permitted here");
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn remount_read_only(&self) {
        let done = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.path())
            .status();
        assert!(done.unwrap().success());
    }

    /// Takes all space that is left.
    pub(crate) fn fill(&self) {
        let mut file = std::fs::File::create(self.path().join("ballast")).unwrap();
        for size in [65_536, 4_096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
