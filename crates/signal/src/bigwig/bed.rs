//! A bigBed file as it is written (Kent et al. 2010): rows of BED with fields of their own.
//!
//! Header, room for ten zoom headers, the description of the fields, total summary, chromosomes, data,
//! index, zoom levels of how many rows cover a base, magic number. All rows are in memory: results have
//! thousands of them.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::file::{HEADER_BYTES, SUMMARY_BYTES, ZOOM_HEADER_BYTES};
use super::magic;
use super::section::{Packer, Summary};
use super::trees::{Block, chrom_tree, index};
use super::zoom::{MAX_ZOOMS, ZoomLevel};
use crate::FormatError;
use crate::runs::Run;
use persea_files::OutputFile;
use persea_genome::{Assembly, Interval};

/// Rows in a block of data, as Kent's tools have them.
const ROWS_PER_BLOCK: usize = 512;

/// BED's own fields after the coordinates, as autoSql describes them.
const STANDARD: [(&str, &str, &str); 6] = [
    ("string", "name", "Name"),
    ("uint", "score", "Score from 0 to 1000"),
    ("char[1]", "strand", "+, - or ."),
    ("uint", "thickStart", "Start of the thick part"),
    ("uint", "thickEnd", "End of the thick part"),
    ("uint", "reserved", "Colour, as r,g,b"),
];

/// A row: its place, and the fields after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BedRow {
    /// Where it lies.
    pub interval: Interval,
    /// The text of each field after chromosome, start and end.
    pub fields: Vec<String>,
}

/// What the fields of rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BedSchema<'a> {
    /// One word that names the table.
    pub table: &'a str,
    /// What the rows are, in a sentence.
    pub about: &'a str,
    /// How many fields are BED's own, 3 to 9.
    pub n_standard: u16,
    /// The fields after those: type of autoSql (`string`, `int`, `double`), name, and what it is.
    pub more: &'a [(&'a str, &'a str, &'a str)],
}

impl BedSchema<'_> {
    /// How many fields a row has, its coordinates included.
    pub fn n_fields(&self) -> u16 {
        self.n_standard + self.more.len() as u16
    }

    /// The description in autoSql, which browsers show beside a row's values.
    pub fn auto_sql(&self) -> String {
        let places = [
            ("string", "chrom", "Chromosome"),
            ("uint", "chromStart", "Start, counted from 0"),
            ("uint", "chromEnd", "End"),
        ];
        let n_more = usize::from(self.n_standard.saturating_sub(3));
        let standard = STANDARD.iter().take(n_more);
        let mut text = format!("table {}\n\"{}\"\n(\n", self.table, quoted(self.about));
        for (kind, name, about) in places.iter().chain(standard).chain(self.more) {
            let _ = writeln!(text, "    {kind} {name}; \"{}\"", quoted(about));
        }
        text + ")\n"
    }
}

fn quoted(text: &str) -> String {
    text.replace('"', "'").replace(['\n', '\r'], " ")
}

/// Writes rows, in any order, as a bigBed; a file that is there is replaced.
///
/// ```
/// use persea_genome::{Assembly, Interval};
/// use persea_signal::{BedRow, BedSchema, bigbed_lines, write_bigbed};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("hits.bb");
/// let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 1_000)])?;
/// let schema = BedSchema {
///     table: "hits",
///     about: "Places like a query",
///     n_standard: 4,
///     more: &[("double", "distance", "Distance of the factors")],
/// };
/// let row = |start, name: &str, distance: &str| BedRow {
///     interval: Interval::new("chr1", start, start + 25),
///     fields: vec![name.into(), distance.into()],
/// };
/// write_bigbed(&path, &assembly, &schema, vec![row(50, "b", "0.5"), row(25, "a", "0.25")])?;
/// assert_eq!(bigbed_lines(&path)?, "chr1\t25\t50\ta\t0.25\nchr1\t50\t75\tb\t0.5\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When a row lies beyond its chromosome, is empty, or has another number of fields than the schema, or
/// the file cannot be written.
pub fn write_bigbed(
    path: &Path,
    assembly: &Assembly,
    schema: &BedSchema<'_>,
    rows: Vec<BedRow>,
) -> Result<(), FormatError> {
    let name = path.display().to_string();
    let rows = placed(&name, assembly, schema, rows)?;
    let failed = |e: io::Error| FormatError::write(&name, e);
    let output = OutputFile::create(path)?;
    let longest = assembly.chromosomes().iter().map(|c| c.length).max();
    let zooms = ZoomLevel::all(longest.unwrap_or(0), &output.scratch_folder()).map_err(failed)?;
    let mut out = BufWriter::with_capacity(1 << 16, output);
    put(&mut out, assembly, schema, &rows, zooms).map_err(failed)?;
    let output = out.into_inner().map_err(|e| failed(e.into_error()))?;
    Ok(output.finish()?)
}

/// A row whose chromosome is a number.
struct Placed {
    rank: u32,
    start: u32,
    end: u32,
    rest: String,
}

/// Checks rows and sorts them by place.
fn placed(
    file: &str,
    assembly: &Assembly,
    schema: &BedSchema<'_>,
    rows: Vec<BedRow>,
) -> Result<Vec<Placed>, FormatError> {
    let n_rest = usize::from(schema.n_fields().saturating_sub(3));
    let mut all = Vec::with_capacity(rows.len());
    for BedRow { interval, fields } in rows {
        let rank = assembly.rank(&interval.chrom);
        let length = assembly.chromosome(&interval.chrom)?.length;
        let (Some(rank), true) = (
            rank,
            interval.start < interval.end && interval.end <= length,
        ) else {
            return Err(FormatError::file(
                file,
                format!("{interval} is empty or ends beyond its chromosome"),
            ));
        };
        if fields.len() != n_rest {
            return Err(FormatError::file(
                file,
                format!(
                    "a row has {} fields after its place, not {n_rest}",
                    fields.len()
                ),
            ));
        }
        let fields: Vec<String> = (fields.iter())
            .map(|f| f.replace(['\t', '\n', '\r', '\0'], " "))
            .collect();
        all.push(Placed {
            rank: rank as u32,
            start: interval.start as u32,
            end: interval.end as u32,
            rest: fields.join("\t"),
        });
    }
    all.sort_by_key(|row| (row.rank, row.start, row.end));
    Ok(all)
}

/// Stretches of equal depth: how many rows cover each base.
fn depths(rows: &[Placed]) -> Vec<Run> {
    let mut runs = Vec::new();
    for on_chromosome in rows.chunk_by(|a, b| a.rank == b.rank) {
        let mut events: Vec<(u32, i32)> = (on_chromosome.iter())
            .flat_map(|row| [(row.start, 1), (row.end, -1)])
            .collect();
        events.sort_unstable();
        let (mut depth, mut from) = (0, 0);
        for (at, change) in events {
            if depth > 0 && at > from {
                runs.push(Run {
                    rank: on_chromosome[0].rank,
                    start: from,
                    end: at,
                    value: depth as f32,
                });
            }
            (depth, from) = (depth + change, at);
        }
    }
    runs
}

fn put(
    out: &mut (impl Write + Seek),
    assembly: &Assembly,
    schema: &BedSchema<'_>,
    rows: &[Placed],
    mut zooms: Vec<ZoomLevel>,
) -> io::Result<()> {
    let auto_sql_at = HEADER_BYTES + MAX_ZOOMS as u64 * ZOOM_HEADER_BYTES;
    let mut auto_sql = schema.auto_sql().into_bytes();
    auto_sql.push(0);
    let summary_at = auto_sql_at + auto_sql.len() as u64;
    let chrom_tree_at = summary_at + SUMMARY_BYTES;
    let chroms = chrom_tree(assembly, chrom_tree_at);
    let data_at = chrom_tree_at + chroms.len() as u64;
    // Header and summary come last, when what they say is known.
    out.write_all(&vec![0; auto_sql_at as usize])?;
    out.write_all(&auto_sql)?;
    out.write_all(&[0; SUMMARY_BYTES as usize])?;
    out.write_all(&chroms)?;
    out.write_all(&(rows.len() as u64).to_le_bytes())?;
    let mut position = data_at + 8;
    let mut packer = Packer::new();
    let mut blocks = Vec::new();
    for on_chromosome in rows.chunk_by(|a, b| a.rank == b.rank) {
        for block in on_chromosome.chunks(ROWS_PER_BLOCK) {
            let mut bytes = Vec::new();
            for row in block {
                for number in [row.rank, row.start, row.end] {
                    bytes.extend(number.to_le_bytes());
                }
                bytes.extend(row.rest.as_bytes());
                bytes.push(0);
            }
            let packed = packer.pack(&bytes)?;
            out.write_all(packed)?;
            blocks.push(Block {
                rank: block[0].rank,
                start: block[0].start,
                end: block.iter().map(|row| row.end).max().unwrap_or(0),
                offset: position,
                n_bytes: packed.len() as u64,
            });
            position += packed.len() as u64;
        }
    }
    let n_data_bytes = position - data_at;
    let index_at = position;
    let tree = index(&blocks, index_at);
    out.write_all(&tree)?;
    position += tree.len() as u64;
    let mut summary = Summary::EMPTY;
    for run in depths(rows) {
        summary.cover(u64::from(run.end - run.start), run.value);
        if let Some((first, coarser)) = zooms.split_first_mut() {
            first.add(run, coarser, &mut packer)?;
        }
    }
    if let Some((first, coarser)) = zooms.split_first_mut() {
        first.close(coarser, &mut packer)?;
    }
    let headers = ZoomLevel::put_all(zooms, n_data_bytes, &mut position, out)?;
    out.write_all(&magic::BIGBED.to_le_bytes())?;
    let mut header = Vec::new();
    header.extend(magic::BIGBED.to_le_bytes());
    header.extend(4u16.to_le_bytes());
    header.extend(((headers.len() as u64 / ZOOM_HEADER_BYTES) as u16).to_le_bytes());
    header.extend(chrom_tree_at.to_le_bytes());
    header.extend(data_at.to_le_bytes());
    header.extend(index_at.to_le_bytes());
    header.extend(schema.n_fields().to_le_bytes());
    header.extend(schema.n_standard.to_le_bytes());
    header.extend(auto_sql_at.to_le_bytes());
    header.extend(summary_at.to_le_bytes());
    header.extend((packer.largest() as u32).to_le_bytes());
    header.extend([0; 8]);
    header.extend(headers);
    for (at, bytes) in [(0, header), (summary_at, summary.bytes())] {
        out.seek(SeekFrom::Start(at))?;
        out.write_all(&bytes)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use bigtools::BigBedRead;

    use super::*;
    use crate::{bigbed_fields, bigbed_lines};

    const SCHEMA: BedSchema<'static> = BedSchema {
        table: "test",
        about: "Rows of a \"test\"",
        n_standard: 6,
        more: &[("double", "effect", "An effect")],
    };

    fn assembly() -> Assembly {
        let chromosomes = [("chr2", 100_000), ("chr10", 1_000_000), ("chr1", 50)];
        let chromosomes = chromosomes.map(|(name, length)| (name.to_string(), length));
        Assembly::from_chromosomes("toy", &chromosomes).unwrap()
    }

    fn row(chrom: &str, start: u64, end: u64, name: &str) -> BedRow {
        BedRow {
            interval: Interval::new(chrom, start, end),
            fields: [name, "1000", ".", "-0.5"].map(String::from).to_vec(),
        }
    }

    #[test]
    fn rows_are_read_back_in_the_order_of_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bb");
        let rows = vec![
            row("chr10", 500, 600, "b\tc"),
            row("chr2", 0, 100_000, "é"),
            row("chr10", 100, 900_000, "a"),
        ];
        write_bigbed(&path, &assembly(), &SCHEMA, rows).unwrap();
        assert_eq!(
            bigbed_lines(&path).unwrap(),
            "chr10\t100\t900000\ta\t1000\t.\t-0.5\nchr10\t500\t600\tb c\t1000\t.\t-0.5\n\
             chr2\t0\t100000\té\t1000\t.\t-0.5\n"
        );
        let fields = bigbed_fields(&path).unwrap();
        assert_eq!(
            (fields.n_fields, fields.n_standard, fields.n_rows),
            (7, 6, 3)
        );
        let mut file = BigBedRead::open_file(path.to_str().unwrap()).unwrap();
        assert_eq!(
            file.autosql().unwrap().unwrap(),
            "table test\n\"Rows of a 'test'\"\n(\n    string chrom; \"Chromosome\"\n    \
             uint chromStart; \"Start, counted from 0\"\n    uint chromEnd; \"End\"\n    \
             string name; \"Name\"\n    uint score; \"Score from 0 to 1000\"\n    \
             char[1] strand; \"+, - or .\"\n    double effect; \"An effect\"\n)\n"
        );
        let summary = file.get_summary().unwrap();
        // chr10: 899,800 bases once and 100 twice; chr2: 100,000 once.
        assert_eq!(summary.bases_covered, 999_900);
        assert_eq!((summary.min_val, summary.max_val), (1.0, 2.0));
        assert_eq!(
            (summary.sum, summary.sum_squares),
            (1_000_000.0, 1_000_200.0)
        );
    }

    #[test]
    fn a_long_row_is_found_behind_blocks_of_short_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bb");
        let mut rows = vec![row("chr10", 0, 999_000, "long")];
        // 300 blocks: two levels of the index.
        rows.extend((0..300 * 512).map(|i| row("chr10", i, i + 1, "x")));
        let n_rows = rows.len() as u64;
        write_bigbed(&path, &assembly(), &SCHEMA, rows).unwrap();
        assert_eq!(bigbed_fields(&path).unwrap().n_rows, n_rows);
        let mut file = BigBedRead::open_file(path.to_str().unwrap()).unwrap();
        let found: Vec<_> = (file.get_interval("chr10", 998_000, 998_001).unwrap())
            .map(Result::unwrap)
            .collect();
        assert_eq!(found.len(), 1);
        assert!(found[0].rest.starts_with("long\t"));
        // bigtools also gives rows that end where a query begins, or begin where it ends.
        let at_100: Vec<_> = (file.get_interval("chr10", 100, 101).unwrap())
            .map(Result::unwrap)
            .filter(|row| row.start < 101 && row.end > 100)
            .collect();
        assert_eq!(at_100.len(), 2);
    }

    #[test]
    fn no_row_at_all_is_a_file_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bb");
        write_bigbed(&path, &assembly(), &SCHEMA, Vec::new()).unwrap();
        assert_eq!(bigbed_lines(&path).unwrap(), "");
    }

    #[test]
    fn rows_that_do_not_fit_are_refused_and_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bb");
        let short = BedRow {
            interval: Interval::new("chr1", 0, 10),
            fields: vec!["x".into()],
        };
        for (wrong, why) in [
            (row("chr1", 0, 51, "x"), "beyond its chromosome"),
            (row("chr1", 10, 10, "x"), "is empty"),
            (row("chr3", 0, 10, "x"), "chr3"),
            (short, "1 fields after its place, not 4"),
        ] {
            let error = write_bigbed(&path, &assembly(), &SCHEMA, vec![wrong]).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
