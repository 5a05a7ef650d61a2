//! The nearest of a list of names to one that is not in it, for error messages.

use strsim::levenshtein;

/// Up to `n` of the known names, nearest first by edit distance (Levenshtein, ignoring case); equally
/// near ones in their given order. Names that share nothing with the one asked for are left out
/// unless no other is there.
pub fn nearest_names<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    n: usize,
) -> Vec<String> {
    let wanted = name.to_lowercase();
    let mut scored: Vec<(usize, &str)> = known
        .into_iter()
        .map(|other| (levenshtein(&wanted, &other.to_lowercase()), other))
        .collect();
    scored.sort_by_key(|(distance, _)| *distance);
    // Callers give the names of tracks, which share them.
    let mut seen = std::collections::HashSet::new();
    scored.retain(|(_, other)| seen.insert(*other));
    let alike = scored
        .iter()
        .take_while(|(distance, _)| *distance < wanted.chars().count().max(1))
        .count();
    let shown = if alike > 0 { alike } else { scored.len() };
    scored
        .into_iter()
        .take(shown.min(n))
        .map(|(_, other)| other.to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first_whatever_their_case() {
        let nearest = nearest_names("h3k4me2", ["H3K27ac", "H3K4me3", "DNase"], 2);
        assert_eq!(nearest, ["H3K4me3", "H3K27ac"]);
    }

    #[test]
    fn names_with_nothing_in_common_are_shown_only_when_there_is_no_other() {
        assert_eq!(nearest_names("E0003", ["XYZVW", "E003"], 3), ["E003"]);
        assert_eq!(nearest_names("E0003", ["XYZVW"], 3), ["XYZVW"]);
        assert!(nearest_names("E0003", [], 3).is_empty());
    }

    #[test]
    fn a_name_that_is_given_often_is_shown_once() {
        let of_tracks = ["E003", "E017", "E003", "E017"];
        assert_eq!(nearest_names("E0003", of_tracks, 3), ["E003", "E017"]);
    }
}
