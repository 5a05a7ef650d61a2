//! bigBed read: its lines as they were before they were packed, and what its fields are.

use std::fmt::Write as _;
use std::path::Path;

use bigtools::BigBedRead;

use super::bigwig::check_bigbed;
use super::{FormatError, catch_panic};

/// The lines of a local bigBed, tab-separated as in the BED that it was made from, by chromosome and start.
///
/// # Errors
/// When the file cannot be read, is no bigBed or is damaged.
pub fn bigbed_lines(path: &Path) -> Result<String, FormatError> {
    let damaged = |why: String| {
        FormatError::file(
            path.display(),
            format!("it cannot be read as a bigBed ({why}); fetch it again"),
        )
    };
    check_bigbed(path)?;
    // Panics of bigtools on damaged files.
    catch_panic(|| lines(path))
        .unwrap_or_else(|| Err("it is damaged".to_string()))
        .map_err(damaged)
}

/// What the head of a bigBed says of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigBedFields {
    /// Fields of a row, its coordinates included.
    pub n_fields: u16,
    /// The first of them that are BED's own.
    pub n_standard: u16,
    /// How many rows there are.
    pub n_rows: u64,
    /// The chromosomes that the file lists, with their lengths in bp.
    pub chromosomes: Vec<(String, u64)>,
}

/// What the head of a local bigBed says of its rows.
///
/// # Errors
/// When the file cannot be read or is no bigBed.
pub fn bigbed_fields(path: &Path) -> Result<BigBedFields, FormatError> {
    check_bigbed(path)?;
    let head = catch_panic(|| {
        let name = path.to_str().ok_or("its name is no UTF-8 text")?;
        let mut file = BigBedRead::open_file(name).map_err(|e| e.to_string())?;
        let header = file.info().header;
        Ok(BigBedFields {
            n_fields: header.field_count,
            n_standard: header.defined_field_count,
            n_rows: file.item_count().map_err(|e| e.to_string())?,
            chromosomes: (file.chroms().iter())
                .map(|chrom| (chrom.name.clone(), u64::from(chrom.length)))
                .collect(),
        })
    });
    head.unwrap_or_else(|| Err("it is damaged".to_string()))
        .map_err(|why: String| {
            FormatError::file(path.display(), format!("is no whole bigBed ({why})"))
        })
}

fn lines(path: &Path) -> Result<String, String> {
    let path = path.to_str().ok_or("its name is no UTF-8 text")?;
    let mut file = BigBedRead::open_file(path).map_err(|e| e.to_string())?;
    let chroms: Vec<(String, u32)> = (file.chroms().iter())
        .map(|chrom| (chrom.name.clone(), chrom.length))
        .collect();
    let mut text = String::new();
    for (name, length) in chroms {
        let entries = file
            .get_interval(&name, 0, length)
            .map_err(|e| e.to_string())?;
        for entry in entries {
            let entry = entry.map_err(|e| e.to_string())?;
            let tab = if entry.rest.is_empty() { "" } else { "\t" };
            writeln!(
                text,
                "{name}\t{}\t{}{tab}{}",
                entry.start, entry.end, entry.rest
            )
            .map_err(|e| e.to_string())?;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::tests::shared;
    use super::*;

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/formats")
            .join(name)
    }

    #[test]
    fn the_lines_of_a_bigbed_are_those_that_pybigwig_reads() {
        let expected = std::fs::read_to_string(fixture("peaks.bigBed.txt")).unwrap();
        assert_eq!(expected.lines().count(), 4);
        assert_eq!(bigbed_lines(&fixture("peaks.bigBed")).unwrap(), expected);
    }

    #[test]
    fn a_bigbed_of_ucscs_tools_is_read_whole() {
        let Some(file) = shared("formats/test.bigBed") else {
            return;
        };
        let text = bigbed_lines(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        // By pyBigWig 0.3.29.
        assert_eq!(lines.len(), 19);
        assert_eq!(
            lines[0],
            "chr1\t10009333\t10009640\t61035\t130\t-\t0.026\t0.42\t404"
        );
        let n_of = |chrom: &str| {
            let of = lines.iter().filter(|l| l.split('\t').next() == Some(chrom));
            of.count()
        };
        let counts = ["chr1", "chr11", "chr15", "chr2", "chr4", "chr7"].map(n_of);
        assert_eq!(counts, [9, 2, 2, 2, 2, 2]);
        let last = "chr7\t121564430\t121564926\t716677\t230\t.\t0.090\t0.02\t2220";
        assert_eq!(lines[18], last);
    }

    #[test]
    fn a_bigbed_that_was_cut_or_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bigBed");
        let whole = std::fs::read(fixture("peaks.bigBed")).unwrap();
        for bytes in [
            &whole[..whole.len() / 2],
            &whole[..100],
            b"chr1\t0\t100\n",
            b"",
        ] {
            std::fs::write(&path, bytes).unwrap();
            let message = bigbed_lines(&path).unwrap_err().to_string();
            assert!(message.contains("a.bigBed: is "), "{message}");
            let says = ["truncated", "no bigBed", "empty, not a bigBed"];
            assert!(says.iter().any(|s| message.contains(s)), "{message}");
        }
    }

    #[test]
    fn a_number_of_chromosomes_that_no_file_has_is_refused_before_memory_is_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bigBed");
        let mut bytes = std::fs::read(fixture("peaks.bigBed")).unwrap();
        let tree = u64::from_le_bytes(bytes[8..16].try_into().unwrap()) as usize;
        bytes[tree + 16..tree + 24].copy_from_slice(&(1u64 << 56).to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        for message in [
            bigbed_lines(&path).unwrap_err().to_string(),
            bigbed_fields(&path).unwrap_err().to_string(),
        ] {
            assert!(message.contains("list of chromosomes"), "{message}");
        }
    }
}
