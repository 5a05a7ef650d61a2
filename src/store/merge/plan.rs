//! What has to be copied, and what is known of biosamples and assays.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::shard_database::{ShardDatabase, of_shard};
use super::{MergeReport, Metadata, Planned, References};
use crate::store::{AssayReference, StoreError, Track};

/// Which tracks the target lacks. Refuses a track that two databases have with different content, and an assay
/// with two units or transforms.
pub(super) fn plan<'a>(
    target: &'a ShardDatabase,
    shards: &'a [ShardDatabase],
    report: &mut MergeReport,
) -> Result<Vec<Planned<'a>>, StoreError> {
    let mut known: BTreeMap<(&str, &str), Planned<'a>> = BTreeMap::new();
    let mut units: BTreeMap<&str, Planned<'a>> = BTreeMap::new();
    let mut planned = Vec::new();
    for shard in std::iter::once(target).chain(shards) {
        let is_target = std::ptr::eq(shard, target);
        for track in &shard.tracks {
            let (other, of_assay) = units.entry(&track.assay).or_insert((shard, track));
            if (of_assay.transform, &of_assay.unit) != (track.transform, &track.unit) {
                return Err(StoreError::Disagreement {
                    first: other.path.clone(),
                    second: shard.path.clone(),
                    about: format!(
                        "the unit or the transform of {}: all tracks of an assay need the same",
                        track.assay
                    ),
                });
            }
            let experiment = (track.biosample.as_str(), track.assay.as_str());
            let name = (track.biosample.clone(), track.assay.clone());
            if let Some((other, first)) = known.get(&experiment) {
                if let Some(what) = difference(first, track) {
                    return Err(StoreError::Disagreement {
                        first: other.path.clone(),
                        second: shard.path.clone(),
                        about: format!(
                            "track {} {}: {what}; remove one of them",
                            track.biosample, track.assay
                        ),
                    });
                }
                if std::ptr::eq(*other, target) && !report.unchanged.contains(&name) {
                    report.unchanged.push(name);
                }
                continue;
            }
            known.insert(experiment, (shard, track));
            if !is_target {
                planned.push((shard, track));
                report.merged.push(name);
            }
        }
    }
    planned.sort_by(|(_, a), (_, b)| (&a.biosample, &a.assay).cmp(&(&b.biosample, &b.assay)));
    report.merged.sort();
    report.unchanged.sort();
    Ok(planned)
}

/// What two tracks of one experiment differ in.
fn difference(a: &Track, b: &Track) -> Option<&'static str> {
    let alike = |a: &Track| {
        let sources = a.sources.iter();
        let sources = sources.map(|s| (s.format.clone(), s.multiplier.to_bits(), s.missing));
        sources.collect::<Vec<_>>()
    };
    if a.normalisation != b.normalisation {
        Some("they were normalised differently, or only one was")
    } else if a.checksum != b.checksum {
        Some("their files differ")
    } else if alike(a) != alike(b) {
        Some("their files were read in different ways")
    } else if a.values != b.values {
        Some("their values are stored in different ways (option `values` of ingest)")
    } else if a.chunks != b.chunks || a.runs != b.runs {
        Some("their stored values differ")
    } else {
        None
    }
}

/// The references that assays are normalised to. Refuses two of one assay.
pub(super) fn references(
    target: &ShardDatabase,
    shards: &[ShardDatabase],
) -> Result<References, StoreError> {
    let mut known: BTreeMap<String, (&ShardDatabase, AssayReference)> = BTreeMap::new();
    for shard in std::iter::once(target).chain(shards) {
        let references = (shard.database.references()).map_err(|e| of_shard(&shard.path, e))?;
        for (assay, reference) in references {
            match known.get(&assay) {
                Some((other, first)) if *first != reference => {
                    return Err(StoreError::Disagreement {
                        first: other.path.clone(),
                        second: shard.path.clone(),
                        about: format!(
                            "the reference that tracks of {assay} are normalised to; ingest the shards \
                             without normalising, merge them, and normalise then"
                        ),
                    });
                }
                Some(_) => {}
                None => {
                    known.insert(assay, (shard, reference));
                }
            }
        }
    }
    // Those that the target has are written already.
    known.retain(|_, (shard, _)| !std::ptr::eq(*shard, target));
    let of_assay = |(assay, (_, reference))| (assay, reference);
    Ok(known.into_iter().map(of_assay).collect())
}

/// What is known of the biosamples and the assays of all databases, where it is more than the target knows.
pub(super) fn metadata(
    target: &ShardDatabase,
    shards: &[ShardDatabase],
) -> Result<Metadata, StoreError> {
    let mut known = Metadata::new();
    let mut of_target = Metadata::new();
    for shard in std::iter::once(target).chain(shards) {
        let list = || {
            let biosamples = shard.database.biosamples()?.into_iter();
            let mut list: Vec<(&'static str, String, Map<String, Value>)> = biosamples
                .map(|b| ("biosamples", b.name, b.metadata))
                .collect();
            let assays = shard.database.assays()?.into_iter();
            list.extend(assays.map(|a| ("assays", a.name, a.metadata)));
            Ok(list)
        };
        for (table, name, facts) in list().map_err(|e| of_shard(&shard.path, e))? {
            let entry = known.entry((table, name.clone())).or_default();
            for (key, value) in facts {
                if entry.get(&key).is_some_and(|other| *other != value) {
                    return Err(StoreError::Disagreement {
                        first: target.path.clone(),
                        second: shard.path.clone(),
                        about: format!(
                            "what is known of {name}: its {key} is not what another shard says"
                        ),
                    });
                }
                entry.insert(key, value);
            }
        }
        if std::ptr::eq(shard, target) {
            of_target = known.clone();
        }
    }
    known.retain(|key, facts| of_target.get(key).unwrap_or(&Map::new()) != facts);
    Ok(known)
}
