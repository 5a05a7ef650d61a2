//! The ninth column of GTF and GFF3: attributes.

/// The attributes of a feature, in order: `key "value";` as GTF has them or `key=value;` as GFF3
/// has them, with GFF3's percent escapes undone. What is neither is passed over.
pub(crate) fn parse_attributes(text: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    let mut rest = text.trim_start_matches([' ', ';']);
    while !rest.is_empty() {
        let Some(after_key) = rest.find(['=', ' ', ';']) else {
            break;
        };
        let (key, tail) = rest.split_at(after_key);
        let (value, tail) = if let Some(tail) = tail.strip_prefix('=') {
            let (value, tail) = split_at_semicolon(tail);
            (unescape(value.trim()), tail)
        } else if tail.starts_with(' ') {
            let tail = tail.trim_start();
            match tail.strip_prefix('"').and_then(|t| t.split_once('"')) {
                // A quoted value may hold a semicolon.
                Some((value, tail)) => (value.to_string(), split_at_semicolon(tail).1),
                None => {
                    let (value, tail) = split_at_semicolon(tail);
                    (value.trim().to_string(), tail)
                }
            }
        } else {
            (String::new(), tail)
        };
        attributes.push((key.to_string(), value));
        rest = tail.trim_start_matches([' ', ';']);
    }
    attributes
}

fn split_at_semicolon(text: &str) -> (&str, &str) {
    text.split_once(';').unwrap_or((text, ""))
}

/// Undoes `%3B` and the like; what is not an escape stays as it is.
fn unescape(text: &str) -> String {
    if !text.contains('%') {
        return text.to_string();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let digits = bytes.get(i + 1..i + 3);
        let code = digits
            .filter(|d| bytes[i] == b'%' && d.iter().all(u8::is_ascii_hexdigit))
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| u8::from_str_radix(d, 16).ok());
        match code {
            Some(code) => {
                out.push(code);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse_attributes(text)
    }

    fn expect(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect()
    }

    #[test]
    fn gtf_attributes_may_be_quoted_bare_and_hold_semicolons() {
        let text = "gene_id \"G1\"; level 2; note \"a; b\"; gene_name \"A\"";
        let list = [
            ("gene_id", "G1"),
            ("level", "2"),
            ("note", "a; b"),
            ("gene_name", "A"),
        ];
        assert_eq!(pairs(text), expect(&list));
    }

    #[test]
    fn gff3_attributes_are_unescaped() {
        let list = [
            ("ID", "gene:G1"),
            ("Name", "a;b"),
            ("x", "100%"),
            ("y", "%é"),
        ];
        assert_eq!(pairs("ID=gene:G1;Name=a%3Bb;x=100%;y=%é"), expect(&list));
    }

    #[test]
    fn what_is_no_attribute_ends_or_is_empty() {
        assert_eq!(pairs(""), []);
        assert_eq!(pairs("; ;"), []);
        assert_eq!(pairs("alone"), []);
        assert_eq!(pairs("a;b=1"), expect(&[("a", ""), ("b", "1")]));
        assert_eq!(pairs("a \"open"), expect(&[("a", "\"open")]));
    }
}
