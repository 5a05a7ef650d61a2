//! Texts that a spreadsheet would run.

use std::borrow::Cow;

/// A text for a cell of CSV or TSV that no spreadsheet takes for a formula: one that begins with `=`, `@`,
/// `+` or `-` and is no number gets an apostrophe before it. Lone signs (a strand) stay.
///
/// ```
/// use persea_files::no_formula;
/// assert_eq!(no_formula("=1+1"), "'=1+1");
/// assert_eq!(no_formula("+1+cmd"), "'+1+cmd");
/// assert_eq!(no_formula("-1.5e-3"), "-1.5e-3");
/// assert_eq!(no_formula("-"), "-");
/// ```
pub fn no_formula(text: &str) -> Cow<'_, str> {
    let is_formula = match text.as_bytes() {
        // The whole text is a formula from here on, whatever follows.
        [b'=' | b'@' | b'\t' | b'\r', ..] => true,
        [b'+' | b'-', _, ..] => text.parse::<f64>().is_err(),
        _ => false,
    };
    match is_formula {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text_and_numbers_stay_numbers() {
        for (text, shown) in [
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-cmd", "'-cmd"),
            ("+5|calc", "'+5|calc"),
            ("--1", "'--1"),
            ("\t=1", "'\t=1"),
            ("+5", "+5"),
            ("-inf", "-inf"),
            ("+", "+"),
            ("H3K4me3", "H3K4me3"),
            ("", ""),
        ] {
            assert_eq!(no_formula(text), shown);
        }
    }
}
