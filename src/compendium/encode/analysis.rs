//! Which of two analyses is the newer.

use std::cmp::Ordering;

/// An analysis by its title, such as `ENCODE4 v1.6.0 GRCh38`. The phase of ENCODE orders first, then the
/// version, by its numbers (1.10 is newer than 1.9); a version under test (`v1.6.0-beta`) comes before the
/// version itself. A title without a phase, such as a lab's own, is older than all of these.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Analysis {
    phase: Option<u64>,
    version: Vec<u64>,
    is_final: bool,
}

impl Analysis {
    /// Reads a title; of several, separated by commas, the newest.
    pub(super) fn parse(titles: &str) -> Self {
        let all = titles.split(',').map(Self::parse_one);
        all.fold(Self::parse_one(""), Self::max)
    }

    fn parse_one(title: &str) -> Self {
        let mut analysis = Analysis {
            is_final: true,
            ..Analysis::default()
        };
        for word in title.split_whitespace() {
            if let Some(phase) = word.strip_prefix("ENCODE") {
                analysis.phase = phase.parse().ok();
            } else if let Some(version) = word.strip_prefix('v')
                && version.starts_with(|c: char| c.is_ascii_digit())
            {
                let (numbers, test) = match version.split_once('-') {
                    Some((numbers, _)) => (numbers, true),
                    None => (version, false),
                };
                analysis.version = numbers.split('.').map_while(|n| n.parse().ok()).collect();
                // v1 is v1.0.0.
                while analysis.version.last() == Some(&0) {
                    analysis.version.pop();
                }
                analysis.is_final = !test;
            }
        }
        analysis
    }
}

impl Ord for Analysis {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.phase.cmp(&other.phase))
            .then_with(|| self.version.cmp(&other.version))
            .then_with(|| self.is_final.cmp(&other.is_final))
    }
}

impl PartialOrd for Analysis {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn analyses_are_ordered_by_phase_and_by_the_numbers_of_their_version() {
        let oldest_first = [
            "Lab custom GRCh38",
            "ENCODE2",
            "ENCODE3 GRCh38",
            "ENCODE4 GRCh38",
            "ENCODE4 v1.9.0 GRCh38",
            "ENCODE4 v1.10.0-beta GRCh38",
            "ENCODE4 v1.10.0 GRCh38",
            "ENCODE4 v2.1.1 GRCh38",
        ];
        for pair in oldest_first.windows(2) {
            let [older, newer] = [pair[0], pair[1]].map(Analysis::parse);
            assert!(older < newer, "{pair:?}");
        }
        assert_eq!(Analysis::parse("Lab custom"), Analysis::parse_one(""));
        assert_eq!(
            Analysis::parse("ENCODE4 v1"),
            Analysis::parse("ENCODE4 v1.0.0")
        );
        assert_eq!(
            Analysis::parse("ENCODE3 GRCh38, ENCODE4 v1.6.0 GRCh38"),
            Analysis::parse("ENCODE4 v1.6.0 GRCh38")
        );
    }
}
