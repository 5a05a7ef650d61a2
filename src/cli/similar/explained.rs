//! What makes a distance, in JSON and in words.

use persea::genome::Resolution;
use persea::search::{Explanation, GroupShare};
use serde_json::{Map, Value, json};

use super::super::output::measure;

/// Columns of a table that say it in words.
pub const COLUMNS: [&str; 4] = [
    "assays_apart",
    "assays_alike",
    "biosamples_apart",
    "biosamples_alike",
];

/// Groups that are named in a cell.
const NAMED: usize = 3;

/// An explanation as an object.
pub fn object(explanation: &Explanation) -> Value {
    let mut resolutions = Map::new();
    for (resolution, share) in Resolution::ALL.iter().zip(explanation.resolutions) {
        resolutions.insert(resolution.name().into(), json!(share));
    }
    let groups = |what: &str, groups: &[GroupShare]| -> Vec<Value> {
        let group = |g: &GroupShare| {
            json!({
                what: g.name,
                "share": g.share,
                "query": measure(g.query),
                "hit": measure(g.hit),
                "agreement": measure(g.agreement),
            })
        };
        groups.iter().map(group).collect()
    };
    let tracks = explanation.tracks.iter().map(|t| {
        json!({
            "biosample": t.biosample,
            "assay": t.assay,
            "share": t.share,
            "query": measure(t.query),
            "hit": measure(t.hit),
        })
    });
    json!({
        "resolutions": resolutions,
        "assays": groups("assay", &explanation.assays),
        "biosamples": groups("biosample", &explanation.biosamples),
        "tracks": tracks.collect::<Vec<_>>(),
    })
}

/// Adds the cells of [`COLUMNS`] to a hit. They are empty where the hit is the same as the query.
pub fn add_words(row: &mut Value, explanation: Option<&Explanation>) {
    let texts = match explanation {
        Some(e) => [
            apart(&e.assays),
            alike(&e.assays),
            apart(&e.biosamples),
            alike(&e.biosamples),
        ],
        None => Default::default(),
    };
    for (column, text) in COLUMNS.into_iter().zip(texts) {
        row[column] = json!(text);
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
