//! One job's part of many experiments, which may be repeated: what is done already is left as it is.
//!
//! A file in the output folder records which experiments are done, by the BLAKE3 of their files, and what they
//! were imputed from: the model's numbers, the regions, the scale and the format. A repeated job imputes what is
//! missing, damaged or was made otherwise.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::inversions::Inversions;
use super::write::group_size;
use super::{Output, SignalScale, write_experiments};
use crate::compendium::Shard;
use crate::files::write_text;
use crate::formats::{Format, Location, checksum};
use crate::instructions::Instructions;
use crate::model::TrainedModel;
use crate::store::Database;

/// The longest record that is read: 100 bytes for each of six files of 100,000 experiments.
const LONGEST_RECORD: u64 = 100 * 6 * 100_000;

/// What a job has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardReport {
    /// Experiments that were imputed.
    pub n_written: usize,
    /// Experiments that had been imputed before.
    pub n_unchanged: usize,
}

/// As [`write_experiments`], for the `outputs` of a shard, all of which lie in `folder`; those that an earlier run
/// has written are left as they are. `progress` receives how many bins are done in all, theirs included.
///
/// # Errors
/// As [`write_experiments`]. What was written before the error is recorded, and is not written again.
#[allow(clippy::too_many_arguments)]
pub fn write_shard(
    database: &Database,
    model: &TrainedModel,
    (shard, folder): (Shard, &Path),
    outputs: &[Output],
    format: Format,
    spans: &[Range<u64>],
    scale: SignalScale,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<ShardReport> {
    let mut settings = json!({
        "persea": env!("CARGO_PKG_VERSION"),
        "instructions": Instructions::pinned().map(Instructions::name),
        "model": model.stored().checksum,
        "format": format.name(),
        "bins": spans.iter().map(|s| [s.start, s.end]).collect::<Vec<_>>(),
        "scale": match scale {
            SignalScale::Signal => "signal",
            SignalScale::Transformed => "arcsinh",
        },
    });
    let inversions = Inversions::new(database, Some(model), scale)?;
    let laws = outputs.iter().filter_map(|output| {
        let law = inversions.of(&output.experiment).normalisation?;
        Some(format!("{} {law:?}", output.experiment))
    });
    let laws: Vec<String> = laws.collect();
    if !laws.is_empty() {
        settings["normalised"] = json!(laws);
    }
    let mut record = ShardRecord::read(folder, shard, settings);
    let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
    let mut report = ShardReport::default();
    let mut to_do: Vec<Output> = Vec::new();
    for output in outputs {
        match record.has(output)? {
            true => report.n_unchanged += 1,
            false => to_do.push(output.clone()),
        }
    }
    let mut done = report.n_unchanged as u64 * n_bins;
    progress(done);
    for group in to_do.chunks(group_size(&to_do)) {
        let mut of_group = |n| progress(done + n);
        write_experiments(database, model, group, format, spans, scale, &mut of_group)?;
        done += group.len() as u64 * n_bins;
        report.n_written += group.len();
        for output in group {
            record.add(output)?;
        }
        record.write()?;
    }
    Ok(report)
}

/// Which files a shard's job has written, and how.
struct ShardRecord {
    path: PathBuf,
    shard: Shard,
    settings: Value,
    /// BLAKE3 of each file, by name.
    files: BTreeMap<String, String>,
}

impl ShardRecord {
    /// Reads the folder's record of a shard. One of other settings, or that is damaged, is as none.
    fn read(folder: &Path, shard: Shard, settings: Value) -> Self {
        let name = format!("shard-{}-of-{}.json", shard.index() + 1, shard.count());
        let path = folder.join(name);
        let files = read_files(&path, &settings).unwrap_or_default();
        ShardRecord {
            path,
            shard,
            settings,
            files,
        }
    }

    /// Whether all files of an experiment are what was written.
    fn has(&self, output: &Output) -> crate::Result<bool> {
        for path in paths(output) {
            let Some(recorded) = self.files.get(&name(path)) else {
                return Ok(false);
            };
            if !path.is_file() || checksum(&Location::Path(path.clone()))? != *recorded {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn add(&mut self, output: &Output) -> crate::Result<()> {
        for path in paths(output) {
            let checksum = checksum(&Location::Path(path.clone()))?;
            self.files.insert(name(path), checksum);
        }
        Ok(())
    }

    fn write(&self) -> crate::Result<()> {
        let document = json!({
            "shard": self.shard.to_string(), "settings": self.settings, "files": self.files,
        });
        Ok(write_text(
            &self.path,
            format!("{document:#}\n").as_bytes(),
        )?)
    }
}

/// The files that a record lists, if it is of these settings.
fn read_files(path: &Path, settings: &Value) -> Option<BTreeMap<String, String>> {
    let length = std::fs::metadata(path).ok()?.len();
    if length > LONGEST_RECORD {
        return None;
    }
    let document: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    match document.get("settings") == Some(settings) {
        true => serde_json::from_value(document.get("files")?.clone()).ok(),
        false => None,
    }
}

/// All files of an experiment.
fn paths(output: &Output) -> impl Iterator<Item = &PathBuf> {
    let beside = output.uncertainty.iter();
    let beside = beside.flat_map(|u| std::iter::once(&u.deviation).chain(&u.quantiles));
    std::iter::once(&output.path).chain(beside)
}

fn name(path: &Path) -> String {
    // Outputs have names.
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
