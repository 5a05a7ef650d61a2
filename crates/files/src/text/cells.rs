//! The cells of a row of CSV or TSV.

/// A cell's bytes, without blanks around them and without its quotes.
pub(super) type Cell = Vec<u8>;

/// A row's cells, or the column (from 0) whose quote the row does not close.
///
/// Quotes as in RFC 4180: a cell that begins with `"` ends with the next `"` that is not doubled,
/// and may hold delimiters and line ends. A closing quote that is followed by anything but a
/// delimiter closes nothing: in `"naive" B cell` the quotes are part of the name, as consortia
/// write them in TSV. (The `csv` crate drops them there, and takes all lines behind a quote that
/// never closes for one cell.)
pub(super) fn cells(row: &[u8], delimiter: u8) -> Result<Vec<Cell>, usize> {
    let mut cells = Vec::new();
    let mut rest = row;
    loop {
        let (cell, after) = match quoted(rest, delimiter) {
            Quoted::Cell(cell, after) => (cell, after),
            Quoted::Open => return Err(cells.len()),
            Quoted::Not => {
                let end = memchr::memchr(delimiter, rest).unwrap_or(rest.len());
                (rest[..end].to_vec(), &rest[end..])
            }
        };
        cells.push(cell.trim_ascii().to_vec());
        match after.split_first() {
            Some((_, next)) => rest = next,
            None => return Ok(cells),
        }
    }
}

enum Quoted<'a> {
    /// The cell, and the rest of the row from the delimiter on.
    Cell(Cell, &'a [u8]),
    /// The quote is not closed.
    Open,
    /// The cell does not begin with a quote, or holds quotes as text.
    Not,
}

fn quoted(text: &[u8], delimiter: u8) -> Quoted<'_> {
    let Some(mut rest) = text.trim_start_blanks().strip_prefix(b"\"") else {
        return Quoted::Not;
    };
    let mut cell = Vec::new();
    loop {
        let Some(at) = memchr::memchr(b'"', rest) else {
            return Quoted::Open;
        };
        cell.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix(b"\"") {
            Some(behind) => {
                cell.push(b'"');
                rest = behind;
            }
            None => break,
        }
    }
    let after = rest.trim_start_blanks();
    match after.first() {
        None => Quoted::Cell(cell, after),
        Some(byte) if *byte == delimiter => Quoted::Cell(cell, after),
        Some(_) => Quoted::Not,
    }
}

trait Blanks {
    fn trim_start_blanks(&self) -> &[u8];
}

impl Blanks for [u8] {
    fn trim_start_blanks(&self) -> &[u8] {
        let n = self.iter().take_while(|b| **b == b' ').count();
        &self[n..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(row: &str, delimiter: u8) -> Result<Vec<String>, usize> {
        let text = |cell: Cell| String::from_utf8(cell).unwrap();
        cells(row.as_bytes(), delimiter).map(|all| all.into_iter().map(text).collect())
    }

    #[test]
    fn quotes_hold_delimiters_line_ends_and_doubled_quotes() {
        assert_eq!(split("a,b,", b',').unwrap(), ["a", "b", ""]);
        assert_eq!(split("", b',').unwrap(), [""]);
        assert_eq!(
            split("\"CD4-positive, alpha-beta T cell\" , x", b',').unwrap(),
            ["CD4-positive, alpha-beta T cell", "x"]
        );
        assert_eq!(
            split("1,\"a\nb\", \"say \"\"no\"\"\"", b',').unwrap(),
            ["1", "a\nb", "say \"no\""]
        );
        assert_eq!(split("\"\"\t\"\"", b'\t').unwrap(), ["", ""]);
    }

    #[test]
    fn quotes_that_do_not_enclose_a_cell_are_text_and_open_ones_are_named() {
        assert_eq!(
            split("\"naive\" B cell\tH3K4me3\t5\" long", b'\t').unwrap(),
            ["\"naive\" B cell", "H3K4me3", "5\" long"]
        );
        assert_eq!(split("a,\"b,c", b','), Err(1));
    }
}
