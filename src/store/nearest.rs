//! The nearest of a list of names to one that is not in it, for error messages.

/// Up to `n` of the known names, nearest first by edit distance (Levenshtein, case aside); equally
/// near ones in their given order. Names that share nothing with the one asked for are left out
/// unless no other is there.
///
/// ```
/// let nearest = persea::store::nearest_names("h3k4me2", ["H3K27ac", "H3K4me3", "DNase"], 2);
/// assert_eq!(nearest, ["H3K4me3", "H3K27ac"]);
/// ```
pub fn nearest_names<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    n: usize,
) -> Vec<String> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let mut scored: Vec<(usize, &str)> = known
        .into_iter()
        .map(|other| {
            let letters: Vec<char> = other.to_lowercase().chars().collect();
            (edit_distance(&wanted, &letters), other)
        })
        .collect();
    scored.sort_by_key(|(distance, _)| *distance);
    // Callers give the names of tracks, which share them.
    let mut seen = std::collections::HashSet::new();
    scored.retain(|(_, other)| seen.insert(*other));
    let alike = scored
        .iter()
        .take_while(|(distance, _)| *distance < wanted.len().max(1))
        .count();
    let shown = if alike > 0 { alike } else { scored.len() };
    scored
        .into_iter()
        .take(shown.min(n))
        .map(|(_, other)| other.to_string())
        .collect()
}

/// Insertions, deletions and substitutions that turn one name into the other.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distances_are_those_of_the_textbook() {
        for (a, b, distance) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("flaw", "lawn", 2),
            ("same", "same", 0),
        ] {
            let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(edit_distance(&x, &y), distance, "{a} {b}");
            assert_eq!(edit_distance(&y, &x), distance, "{b} {a}");
        }
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
