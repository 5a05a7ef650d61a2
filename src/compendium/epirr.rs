//! EpiRR identifiers of IHEC's epigenomes: `IHECRE00001032.6` is version 6 of `IHECRE00001032`.

/// The identifier without its version; `None` where the text is no EpiRR identifier.
pub(super) fn without_version(text: &str) -> Option<&str> {
    let (id, version) = text.split_once('.').unwrap_or((text, "0"));
    let digits = id.strip_prefix("IHECRE")?;
    let is_number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    (is_number(digits) && is_number(version)).then_some(id)
}

/// The version of an identifier; 0 where it has none.
pub(super) fn version(text: &str) -> u64 {
    let version = text.split_once('.').and_then(|(_, v)| v.parse().ok());
    version.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_an_epigenome_is_behind_the_dot() {
        assert_eq!(without_version("IHECRE00001032.6"), Some("IHECRE00001032"));
        assert_eq!(without_version("IHECRE00001032"), Some("IHECRE00001032"));
        for other in [
            "E116",
            "IHECRE",
            "IHECRE00001032.",
            "IHECRE00001032.6a",
            "LNG.IMR90",
        ] {
            assert_eq!(without_version(other), None, "{other}");
        }
        assert_eq!(
            (version("IHECRE00001032.10"), version("IHECRE00001032")),
            (10, 0)
        );
    }
}
