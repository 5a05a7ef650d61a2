//! Hits at which a group of biosamples has more signal than the others.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value;

use super::SearchError;
use super::searcher::Answer;
use super::signal::signal_over;
use crate::genome::GenomeAxis;
use crate::store::{Database, Track};

/// Hits that are searched for each that is wanted, and in all: some are left out afterwards.
const SEARCHED_FOR_ONE: usize = 5;
const MOST_SEARCHED: usize = 250;
/// Tracks of an assay on either side of a comparison, at most.
const COMPARED: usize = 6;

/// Tracks of the biosamples of a group beside those of the others, assay by assay. An assay is compared if both have
/// it, by up to six tracks of each, in the order in which they are stored.
#[derive(Debug, Clone)]
pub struct GroupComparison(Vec<[Vec<Track>; 2]>);

impl GroupComparison {
    /// Of `KEY=VALUE`: the biosamples whose metadata has that value, beside all others.
    ///
    /// # Errors
    /// When no biosample has it ([`SearchError::Group`] names what there is), or no assay is measured on both
    /// sides.
    pub fn new(database: &Database, group: &str) -> crate::Result<Self> {
        let refused = |why: String| SearchError::Group {
            group: group.into(),
            why,
        };
        let (key, value) = group
            .split_once('=')
            .ok_or_else(|| refused("write KEY=VALUE of the biosamples' metadata".into()))?;
        let biosamples = database.biosamples()?;
        let of_key = |name: &str| {
            let known = biosamples.iter().find(|b| b.name == name);
            known.and_then(|b| text(b.metadata.get(key)?))
        };
        let values: BTreeSet<String> = (biosamples.iter())
            .filter_map(|b| text(b.metadata.get(key)?))
            .collect();
        if !values.contains(value) {
            return Err(refused(match values.is_empty() {
                true => {
                    let keys = biosamples.iter().flat_map(|b| b.metadata.keys());
                    format!(
                        "the biosamples' metadata has no `{key}`; {}",
                        listed("it has", keys.cloned().collect())
                    )
                }
                false => format!("no biosample has it; {}", listed("there are", values)),
            })
            .into());
        }
        let mut assays: BTreeMap<String, [Vec<Track>; 2]> = BTreeMap::new();
        for track in database.tracks()? {
            let is_in = of_key(&track.biosample).as_deref() == Some(value);
            let sides = assays.entry(track.assay.clone()).or_default();
            let side = &mut sides[usize::from(!is_in)];
            if side.len() < COMPARED {
                side.push(track);
            }
        }
        let both = |sides: &[Vec<Track>; 2]| sides.iter().all(|side| !side.is_empty());
        let compared: Vec<_> = assays.into_values().filter(both).collect();
        match compared.is_empty() {
            true => Err(refused("no assay is measured both there and elsewhere".into()).into()),
            false => Ok(GroupComparison(compared)),
        }
    }

    /// How many tracks are compared.
    pub fn n_tracks(&self) -> usize {
        self.0.iter().flatten().map(Vec::len).sum()
    }

    /// How many hits to search so that about `k` are left: five times as many, 250 at most.
    pub fn searched(k: usize) -> usize {
        (SEARCHED_FOR_ONE * k).min(MOST_SEARCHED).max(k)
    }

    /// How much more stored signal (arcsinh) the group has than the others at some stretches of a model's axis: the
    /// difference of the means over tracks, summed over the assays and divided by their number. Bins without data do
    /// not count.
    ///
    /// # Errors
    /// As [`signal_over`].
    pub fn differences(
        &self,
        database: &Database,
        axis: &GenomeAxis,
        stretches: &[Range<u64>],
    ) -> crate::Result<Vec<f64>> {
        let mut sums = vec![0f64; stretches.len()];
        for sides in &self.0 {
            let mut means = [vec![Mean::default(); stretches.len()], Vec::new()];
            means[1] = means[0].clone();
            for (means, tracks) in means.iter_mut().zip(sides) {
                for track in tracks {
                    let all = signal_over(database, axis, track, stretches)?;
                    for (mean, values) in means.iter_mut().zip(all) {
                        let mut of_track = Mean::default();
                        let finite = values.iter().filter(|v| v.is_finite());
                        finite.for_each(|v| of_track.add(f64::from(*v)));
                        of_track.value().into_iter().for_each(|v| mean.add(v));
                    }
                }
            }
            for (sum, (inside, outside)) in sums.iter_mut().zip(means[0].iter().zip(&means[1])) {
                if let (Some(inside), Some(outside)) = (inside.value(), outside.value()) {
                    *sum += (inside - outside) / self.0.len() as f64;
                }
            }
        }
        Ok(sums)
    }

    /// Keeps the hits at which the group has more signal than the others, `k` at most.
    ///
    /// # Errors
    /// As [`GroupComparison::differences`].
    pub fn keep_higher(
        &self,
        database: &Database,
        axis: &GenomeAxis,
        answer: &mut Answer,
        k: usize,
    ) -> crate::Result<()> {
        let stretches: Vec<Range<u64>> = answer.hits.iter().map(|hit| hit.bins.clone()).collect();
        let mut differences = self.differences(database, axis, &stretches)?.into_iter();
        answer
            .hits
            .retain(|_| differences.next().is_some_and(|d| d > 0.0));
        answer.hits.truncate(k);
        Ok(())
    }
}

/// Metadata as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// The first of some names.
fn listed(verb: &str, names: BTreeSet<String>) -> String {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return "`persea ingest` reads metadata (option `metadata`)".into();
    }
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{verb} {}{more}", shown.join(", "))
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    n: u32,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.n += 1;
    }

    fn value(self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / f64::from(self.n))
    }
}
