//! References in public tables that are no biosamples, and are not chosen.

use super::request::What;

/// Names of references. Roadmap's expression has E000 beside its epigenomes.
const NAMES: [(&str, &str); 2] = [
    ("E000", "Universal Human Reference RNA"),
    ("UHRR", "Universal Human Reference RNA"),
];

/// What a name stands for where it is no biosample but a reference, a mixture of many.
pub(super) fn reference(name: &str) -> Option<&'static str> {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    if plain.contains("universalhumanref") {
        return Some("Universal Human Reference RNA");
    }
    let found = NAMES.iter().find(|(n, _)| name.eq_ignore_ascii_case(n));
    found.map(|(_, what)| *what)
}

/// The same of an item, which may be an experiment of one.
pub(super) fn reference_of_item(what: What, name: &str) -> Option<&'static str> {
    match what {
        What::Biosamples => reference(name),
        What::Assays => None,
        What::Experiments => reference(name.split(':').next().unwrap_or(name)),
    }
}

/// The note about references that are left out.
pub(super) fn note(left_out: &[(String, &'static str)]) -> Option<String> {
    let (name, what) = left_out.first()?;
    let more = match left_out.len() {
        1 => String::new(),
        n => format!(" (and {} more like it)", n - 1),
    };
    Some(format!(
        "{name}{more} is a reference ({what}) and no biosample: it is not chosen"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_known_by_its_name_and_a_biosample_is_none() {
        assert!(reference("E000").is_some() && reference("Universal_Human_Reference").is_some());
        for name in ["E003", "E0001", "K562", "H3K4me3", ""] {
            assert_eq!(reference(name), None, "{name}");
        }
        assert!(reference_of_item(What::Experiments, "E000:H3K4me3").is_some());
        assert_eq!(reference_of_item(What::Assays, "E000"), None);
    }
}
