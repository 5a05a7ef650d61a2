//! Variants by name, from files that the server was given: without a network there is no other list of them.

use crate::loci::Site;

/// Variants by name in upper case, in its order.
pub(super) struct Variants(Vec<(String, Site)>);

impl Variants {
    /// Those that have a name; of several names in one field (`rs1;rs2`) each counts.
    pub fn new(sites: Vec<Site>) -> Self {
        let mut all = Vec::new();
        for site in sites {
            let names = site.name.clone().unwrap_or_default();
            for name in names.split(';').map(str::trim).filter(|n| !n.is_empty()) {
                let name = name.to_string();
                let key = name.to_uppercase();
                let interval = site.interval.clone();
                let site = Site {
                    interval,
                    name: Some(name),
                };
                all.push((key, site));
            }
        }
        all.sort_by(|a, b| (&a.0, &a.1.interval).cmp(&(&b.0, &b.1.interval)));
        all.shrink_to_fit();
        Variants(all)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Those whose name begins with a text, in any case; exact matches first, for they are the shortest.
    pub fn beginning(&self, text: &str, limit: usize) -> &[(String, Site)] {
        let text = text.to_uppercase();
        let first = self.0.partition_point(|(key, _)| *key < text);
        let n = (self.0[first..].iter().take(limit))
            .take_while(|(key, _)| key.starts_with(&text))
            .count();
        &self.0[first..first + n]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Interval;

    #[test]
    fn variants_are_found_by_the_beginning_of_each_of_their_names() {
        let site = |name: &str, start| Site {
            interval: Interval::new("chr1", start, start + 1),
            name: (!name.is_empty()).then(|| name.to_string()),
        };
        let all = Variants::new(vec![
            site("rs12", 5),
            site("", 6),
            site("rs1;esv9", 7),
            site("RS2", 8),
        ]);
        assert_eq!(all.len(), 4);
        let starts = |text: &str, limit| -> Vec<u64> {
            let found = all.beginning(text, limit).iter();
            found.map(|(_, site)| site.interval.start).collect()
        };
        assert_eq!(starts("rs1", 10), [7, 5]);
        assert_eq!(starts("rs", 2), [7, 5]);
        assert_eq!(starts("ESV9", 10), [7]);
        assert_eq!(starts("rs2", 10), [8]);
        assert!(starts("x", 10).is_empty());
    }
}
