//! Results as BED or, where the file's name ends in .bb or .bigBed, as bigBed with all their columns.

use std::path::Path;

use persea::formats::{BedRow, BedSchema, write_bigbed, write_text};
use persea::genome::Assembly;

/// How many fields of a row a text file has.
const BED6: usize = 3;

/// Writes rows as the name of the file asks: all fields in a bigBed, the six of BED in a text.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    path: &Path,
    assembly: &Assembly,
    schema: &BedSchema<'_>,
    rows: Vec<BedRow>,
) -> anyhow::Result<()> {
    if is_bigbed(path) {
        return Ok(write_bigbed(path, assembly, schema, rows)?);
    }
    let mut text = String::new();
    for BedRow { interval, fields } in rows {
        text += &format!("{}\t{}\t{}", interval.chrom, interval.start, interval.end);
        for field in fields.iter().take(BED6) {
            text.push('\t');
            text += &field.replace(['\t', '\n', '\r'], " ");
        }
        text.push('\n');
    }
    Ok(write_text(path, text.as_bytes())?)
}

/// Whether a file's name says bigBed.
pub fn is_bigbed(path: &Path) -> bool {
    let end = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    end.is_some_and(|e| e == "bb" || e == "bigbed")
}

/// A number as a field.
pub fn number(value: f64) -> String {
    match value.is_finite() {
        true => format!("{value:.6}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_string(),
        false => "nan".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use persea::formats::bigbed_lines;
    use persea::genome::Interval;

    #[test]
    fn the_name_decides_between_a_text_and_a_bigbed() {
        let folder = tempfile::tempdir().unwrap();
        let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 100)]).unwrap();
        let schema = BedSchema {
            table: "x",
            about: "X",
            n_standard: 6,
            more: &[("double", "z", "z")],
        };
        let row = BedRow {
            interval: Interval::new("chr1", 25, 50),
            fields: ["a", "7", ".", "-1.5"].map(String::from).to_vec(),
        };
        let write = |name: &str| {
            let path = folder.path().join(name);
            super::write(&path, &assembly, &schema, vec![row.clone()]).unwrap();
            path
        };
        let text = std::fs::read_to_string(write("a.bed")).unwrap();
        assert_eq!(text, "chr1\t25\t50\ta\t7\t.\n");
        for name in ["a.bb", "a.bigBed"] {
            let lines = bigbed_lines(&write(name)).unwrap();
            assert_eq!(lines, "chr1\t25\t50\ta\t7\t.\t-1.5\n");
        }
    }

    #[test]
    fn numbers_have_six_decimals_at_most() {
        let shown = [0.0, -1.5, 2.0, 1.0 / 3.0, 100.0, f64::NAN].map(number);
        assert_eq!(shown, ["0", "-1.5", "2", "0.333333", "100", "nan"]);
    }
}
