//! A hit and its explanation as objects, and the explanation in words.

use serde_json::{Map, Value, json};

use super::Annotation;
use super::explain::{Explanation, GroupShare};
use super::searcher::Hit;
use crate::genome::Resolution;

/// Groups that are named in a cell.
const NAMED: usize = 3;

impl Hit {
    /// As an object: its rank, where it lies, how far it is, and what is annotated there.
    pub fn object(&self, rank: usize, annotation: &Annotation) -> Value {
        let gene = annotation.nearest_gene(&self.interval);
        let in_gene = annotation.genes_at(&self.interval);
        let classes = annotation.classes(&self.bins);
        json!({
            "rank": rank,
            "chrom": self.interval.chrom,
            "start": self.interval.start,
            "end": self.interval.end,
            "distance": self.distance,
            "percentile": self.percentile,
            "nearest_tss": gene.as_ref().map(|g| &g.name),
            "nearest_tss_id": gene.as_ref().map(|g| &g.id),
            "tss_distance": gene.as_ref().map(|g| g.distance),
            "in_gene": in_gene.iter().map(|g| &g.name).collect::<Vec<_>>(),
            "annotation": classes.iter().map(|c| c.name()).collect::<Vec<_>>(),
        })
    }
}

impl Explanation {
    /// The columns of a table that say it in words: see [`Explanation::words`].
    pub const COLUMNS: [&'static str; 4] = [
        "assays_apart",
        "assays_alike",
        "biosamples_apart",
        "biosamples_alike",
    ];

    /// As an object: `resolutions`, `assays`, `biosamples`, `tracks`. What is not known is null.
    pub fn object(&self) -> Value {
        let mut resolutions = Map::new();
        for (resolution, share) in Resolution::ALL.iter().zip(self.resolutions) {
            resolutions.insert(resolution.name().into(), json!(share));
        }
        let groups = |what: &str, groups: &[GroupShare]| -> Vec<Value> {
            let group = |g: &GroupShare| {
                json!({
                    what: g.name,
                    "share": g.share,
                    "query": g.query,
                    "hit": g.hit,
                    "agreement": g.agreement,
                })
            };
            groups.iter().map(group).collect()
        };
        let tracks = self.tracks.iter().map(|t| {
            json!({
                "biosample": t.biosample,
                "assay": t.assay,
                "share": t.share,
                "query": t.query,
                "hit": t.hit,
            })
        });
        json!({
            "resolutions": resolutions,
            "assays": groups("assay", &self.assays),
            "biosamples": groups("biosample", &self.biosamples),
            "tracks": tracks.collect::<Vec<_>>(),
        })
    }

    /// The assays, then the biosamples, of the largest shares, and those that agree, those of the most signal
    /// first: three of each, as `H3K4me3 12% (0.41 → 3.20)`, which are the share and the signal at the query and
    /// at the hit.
    pub fn words(&self) -> [String; 4] {
        [
            apart(&self.assays),
            alike(&self.assays),
            apart(&self.biosamples),
            alike(&self.biosamples),
        ]
    }
}

/// The groups of the largest shares.
fn apart(groups: &[GroupShare]) -> String {
    words(groups.iter().take(NAMED))
}

/// The groups that agree, those of the most signal first.
fn alike(groups: &[GroupShare]) -> String {
    let agreeing = groups.iter().filter_map(|g| Some((g.agreement?, g)));
    let mut alike: Vec<(f64, &GroupShare)> = agreeing.collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    words(alike.into_iter().map(|(_, group)| group).take(NAMED))
}

/// `H3K4me3 12% (0.41 → 3.20)`: the share, and the signal at the query and at the hit.
fn words<'a>(groups: impl Iterator<Item = &'a GroupShare>) -> String {
    let signal = |value: Option<f64>| value.map_or("?".into(), |v| format!("{v:.2}"));
    let word = |g: &GroupShare| {
        let (query, hit) = (signal(g.query), signal(g.hit));
        format!("{} {:.0}% ({query} → {hit})", g.name, 100.0 * g.share)
    };
    groups.map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_the_largest_shares_and_what_agrees_by_its_signal() {
        let group = |name: &str, share, hit, agreement| GroupShare {
            name: name.into(),
            share,
            query: Some(1.0),
            hit,
            agreement,
        };
        let groups = [
            group("A", 0.6, Some(0.25), None),
            group("B", 0.3, None, None),
            group("C", 0.06, Some(1.0), Some(0.5)),
            group("D", 0.04, Some(1.5), Some(2.0)),
        ];
        assert_eq!(
            apart(&groups),
            "A 60% (1.00 → 0.25), B 30% (1.00 → ?), C 6% (1.00 → 1.00)"
        );
        assert_eq!(alike(&groups), "D 4% (1.00 → 1.50), C 6% (1.00 → 1.00)");
    }
}
