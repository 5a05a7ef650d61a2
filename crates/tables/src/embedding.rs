//! Embeddings of genome windows that another program has made: a row of numbers a window.
//!
//! Parquet, `.npz`, TSV, CSV and BED may hold the windows' coordinates (`chrom`, `start`, `end`)
//! beside the numbers. Of `.npy`, HDF5 and files without coordinates a BED file gives them, row by
//! row.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use hdf5_reader::Hdf5File;
use npyz::NpyFile;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::matrix::{NumberMatrix, check_ratio, read_matrix, read_npz_array};
use persea_files::{FileError, NpzReader, Table, open_regular};
use persea_signal::catch_panic;

/// Windows and their numbers, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingTable {
    /// The names of sequences.
    pub sequences: Vec<String>,
    /// Of each window the sequence (its place in `sequences`), the first base from 0, and one past
    /// the last.
    pub windows: Vec<(u32, u64, u64)>,
    /// Numbers a window.
    pub n_columns: usize,
    /// `[windows, n_columns]`, row-major.
    pub values: Vec<f32>,
    /// BLAKE3 of the file of numbers, in hexadecimal.
    pub checksum: String,
}

const COORDINATES: [&str; 3] = ["chrom", "start", "end"];
/// Numbers of an embedding at most, so that memory is not asked for what no embedding has.
const MOST_COLUMNS: usize = 1 << 14;

/// Reads an embedding. `coordinates` is a BED file with a line for each row; it takes the place of
/// coordinates in the file. `dataset` names the HDF5 data set where there are several of two
/// dimensions.
///
/// # Errors
/// When a file cannot be read or holds something else, a number is missing or not finite, or the
/// file has no coordinates and none are given.
pub fn read_embedding(
    path: &Path,
    coordinates: Option<&Path>,
    dataset: Option<&str>,
) -> Result<EmbeddingTable, FileError> {
    let bad = |message: String| FileError::file(path.display(), message);
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let mut read = match extension.as_deref() {
        Some("parquet") => parquet(path)?,
        Some("npz") => npz(path)?,
        Some("npy") => of_matrix(read_matrix(path, &is_wanted)?),
        Some("h5" | "hdf5" | "h5ad") => hdf5(path, dataset)?,
        _ => text(path)?,
    };
    if read.n_columns == 0 {
        return Err(bad("has no column of numbers".into()));
    }
    if let Some(bed) = coordinates {
        let windows = text_windows(bed)?;
        let n_rows = read.values.len() / read.n_columns;
        if windows.1.len() != n_rows {
            return Err(FileError::file(
                bed.display(),
                format!(
                    "has {} windows, and {} has {n_rows} rows: they must agree row by row",
                    windows.1.len(),
                    path.display()
                ),
            ));
        }
        (read.sequences, read.windows) = windows;
    }
    if read.windows.is_empty() {
        return Err(bad(
            "has no columns chrom, start and end; give a BED file with a line for each row".into(),
        ));
    }
    if let Some(at) = read.values.iter().position(|v| !v.is_finite()) {
        let (row, column) = (at / read.n_columns, at % read.n_columns);
        return Err(bad(format!(
            "row {} has no finite number in column {} (both counted from 1)",
            row + 1,
            column + 1
        )));
    }
    Ok(read)
}

fn is_wanted(_: usize, n_columns: usize) -> Result<(), String> {
    match n_columns <= MOST_COLUMNS {
        true => Ok(()),
        false => Err(format!(
            "has {n_columns} columns; an embedding may have {MOST_COLUMNS}"
        )),
    }
}

fn of_matrix(matrix: NumberMatrix) -> EmbeddingTable {
    EmbeddingTable {
        sequences: Vec::new(),
        windows: Vec::new(),
        n_columns: matrix.n_columns,
        values: matrix.values.iter().map(|v| *v as f32).collect(),
        checksum: matrix.checksum,
    }
}

fn checksum(path: &Path) -> Result<String, FileError> {
    let mut hasher = blake3::Hasher::new();
    let file = open_regular(path)?;
    hasher
        .update_reader(file)
        .map_err(|e| FileError::read(path.display(), e))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Windows by the names of their sequences.
#[derive(Default)]
struct Windows {
    sequences: Vec<String>,
    places: HashMap<String, u32>,
    windows: Vec<(u32, u64, u64)>,
}

impl Windows {
    fn push(&mut self, chrom: &str, start: u64, end: u64) {
        let place = match self.places.get(chrom) {
            Some(place) => *place,
            None => {
                let place = self.sequences.len() as u32;
                self.sequences.push(chrom.to_string());
                self.places.insert(chrom.to_string(), place);
                place
            }
        };
        self.windows.push((place, start, end));
    }
}

type Parts = (Vec<String>, Vec<(u32, u64, u64)>);

/// The coordinates of a table: of the columns chrom, start and end, or of a BED.
fn text_windows(path: &Path) -> Result<Parts, FileError> {
    let table = Table::read_or_bed(path)?;
    let columns = coordinate_columns(&table)?;
    let mut windows = Windows::default();
    for (line, cells) in &table.rows {
        let [chrom, start, end] = window(path, *line, cells, columns)?;
        windows.push(
            chrom,
            position(path, *line, start)?,
            position(path, *line, end)?,
        );
    }
    Ok((windows.sequences, windows.windows))
}

fn coordinate_columns(table: &Table) -> Result<[usize; 3], FileError> {
    match table.columns() {
        None => Ok([0, 1, 2]),
        Some(_) => {
            let [chrom, start, end] = COORDINATES;
            Ok([
                table.column(chrom)?,
                table.column(start)?,
                table.column(end)?,
            ])
        }
    }
}

fn window<'a>(
    path: &Path,
    line: u64,
    cells: &'a [String],
    columns: [usize; 3],
) -> Result<[&'a str; 3], FileError> {
    let mut found = [""; 3];
    for (to, column) in found.iter_mut().zip(columns) {
        *to = cells.get(column).ok_or_else(|| {
            FileError::line(path.display(), line, "it lacks a coordinate".to_string())
        })?;
    }
    Ok(found)
}

fn position(path: &Path, line: u64, text: &str) -> Result<u64, FileError> {
    text.parse::<u64>().map_err(|_| {
        let message = format!("`{text}` is not a position (whole, from 0)");
        FileError::line(path.display(), line, message)
    })
}

/// A table of text: coordinates, then numbers.
fn text(path: &Path) -> Result<EmbeddingTable, FileError> {
    let table = Table::read_or_bed(path)?;
    let columns = coordinate_columns(&table)?;
    let mut windows = Windows::default();
    let width = match table.columns() {
        Some(header) => header.len(),
        None => table.rows.first().map_or(0, |(_, cells)| cells.len()),
    };
    let numbers: Vec<usize> = (0..width).filter(|c| !columns.contains(c)).collect();
    let mut values = Vec::with_capacity(table.rows.len() * numbers.len());
    for (line, cells) in &table.rows {
        let [chrom, start, end] = window(path, *line, cells, columns)?;
        windows.push(
            chrom,
            position(path, *line, start)?,
            position(path, *line, end)?,
        );
        for column in &numbers {
            let cell = cells.get(*column).map_or("", String::as_str);
            let value = cell.parse::<f32>().map_err(|_| {
                let message = format!("`{cell}` is not a number of an embedding");
                FileError::line(path.display(), *line, message)
            })?;
            values.push(value);
        }
    }
    Ok(EmbeddingTable {
        sequences: windows.sequences,
        windows: windows.windows,
        n_columns: numbers.len(),
        values,
        checksum: table.checksum,
    })
}

fn parquet(path: &Path) -> Result<EmbeddingTable, FileError> {
    let file = open_regular(path)?;
    let n_packed = packed(path, &file)?;
    // The parquet crate panics on some damaged files.
    let read = catch_panic(|| parquet_rows(file, n_packed))
        .unwrap_or_else(|| Err("is damaged: a part of it makes no sense".into()));
    let (windows, n_columns, values) =
        read.map_err(|message| FileError::file(path.display(), message))?;
    Ok(EmbeddingTable {
        sequences: windows.sequences,
        windows: windows.windows,
        n_columns,
        values,
        checksum: checksum(path)?,
    })
}

fn parquet_rows(file: File, n_packed: u64) -> Result<(Windows, usize, Vec<f32>), String> {
    let damaged = |e: parquet::errors::ParquetError| format!("is not a whole Parquet file: {e}");
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let names: Vec<&str> = schema.columns().iter().map(|c| c.name()).collect();
    is_wanted(0, names.len())?;
    let n_rows = reader.metadata().file_metadata().num_rows();
    let n_rows = u64::try_from(n_rows).map_err(|_| "is damaged: it has no number of rows")?;
    check_unpacked(n_rows, names.len() as u64, n_packed)?;
    let n_given = COORDINATES.iter().filter(|c| names.contains(c)).count();
    if !matches!(n_given, 0 | 3) {
        return Err("has some of the columns chrom, start and end, and not all".into());
    }
    let (mut windows, mut values) = (Windows::default(), Vec::new());
    for row in reader.get_row_iter(None).map_err(damaged)? {
        let row = row.map_err(damaged)?;
        let (mut chrom, mut start, mut end) = (None, None, None);
        for (name, field) in row.get_column_iter() {
            match name.as_str() {
                "chrom" => match field {
                    Field::Str(text) => chrom = Some(text.clone()),
                    _ => return Err("column chrom holds no text".into()),
                },
                "start" => start = whole(field),
                "end" => end = whole(field),
                _ => values.push(number(field).ok_or_else(|| {
                    format!("column `{name}` holds something else than numbers; leave it out")
                })?),
            }
        }
        if n_given == 3 {
            match (chrom, start, end) {
                (Some(chrom), Some(start), Some(end)) => windows.push(&chrom, start, end),
                _ => return Err("a window has no whole position from 0".into()),
            }
        }
    }
    Ok((windows, names.len() - n_given, values))
}

fn number(field: &Field) -> Option<f32> {
    Some(match field {
        Field::Null => f32::NAN,
        Field::Float16(v) => v.to_f32(),
        Field::Float(v) => *v,
        Field::Double(v) => *v as f32,
        other => whole_or_negative(other)? as f32,
    })
}

fn whole(field: &Field) -> Option<u64> {
    u64::try_from(whole_or_negative(field)?).ok()
}

fn whole_or_negative(field: &Field) -> Option<i64> {
    match field {
        Field::Byte(v) => Some((*v).into()),
        Field::Short(v) => Some((*v).into()),
        Field::Int(v) => Some((*v).into()),
        Field::Long(v) => Some(*v),
        Field::UByte(v) => Some((*v).into()),
        Field::UShort(v) => Some((*v).into()),
        Field::UInt(v) => Some((*v).into()),
        Field::ULong(v) => i64::try_from(*v).ok(),
        _ => None,
    }
}

/// An archive with one matrix, or as `persea export` writes it: `factors`, `chrom`, `start`, `end`.
fn npz(path: &Path) -> Result<EmbeddingTable, FileError> {
    let bad = |message: String| FileError::file(path.display(), message);
    let damaged = |e: std::io::Error| bad(format!("is not a whole .npz archive: {e}"));
    let open = || open_regular(path);
    let archive = NpzReader::new(BufReader::new(open()?)).map_err(damaged)?;
    let names = archive.names();
    drop(archive);
    if !COORDINATES.iter().all(|c| names.iter().any(|n| n == c)) {
        return Ok(of_matrix(read_matrix(path, &is_wanted)?));
    }
    let matrices = ["factors", "embedding", "embeddings", "arr_0"];
    let Some(name) = matrices.iter().find(|m| names.iter().any(|n| n == *m)) else {
        return Err(bad(format!(
            "has no array called {}; it has {}",
            matrices.join(", "),
            names.join(", ")
        )));
    };
    let matrix = read_npz_array(path, name, &is_wanted)?;
    let mut read = of_matrix(matrix);
    let positions = |name: &str| -> Result<Vec<f64>, FileError> {
        Ok(read_npz_array(path, name, &|_, n| match n {
            1 => Ok(()),
            _ => Err(format!("{name} is not a list")),
        })?
        .values)
    };
    let (starts, ends) = (positions("start")?, positions("end")?);
    let n_rows = read.values.len() / read.n_columns.max(1);
    let chroms = texts(BufReader::new(open()?), "chrom", n_rows).map_err(bad)?;
    if [starts.len(), ends.len(), chroms.len()]
        .iter()
        .any(|n| *n != n_rows)
    {
        return Err(bad(
            "its arrays chrom, start, end and factors differ in length".into(),
        ));
    }
    let mut windows = Windows::default();
    for ((chrom, start), end) in chroms.iter().zip(&starts).zip(&ends) {
        let is_position = |v: &f64| *v >= 0.0 && v.fract() == 0.0;
        if !is_position(start) || !is_position(end) {
            return Err(bad(format!(
                "{start} to {end} is not a window: positions are whole and count from 0"
            )));
        }
        windows.push(chrom, *start as u64, *end as u64);
    }
    (read.sequences, read.windows) = (windows.sequences, windows.windows);
    Ok(read)
}

/// A list of at most so many texts, as NumPy keeps them: UTF-32 or bytes, padded with zeros.
fn texts(reader: impl Read + Seek, name: &str, n_most: usize) -> Result<Vec<String>, String> {
    let damaged = |e: std::io::Error| format!("{name}: {e}");
    let mut archive = NpzReader::new(reader).map_err(damaged)?;
    let mut bytes = Vec::new();
    let member = (archive.array(name)).map_err(|e| format!("{name}: {e}"))?;
    // A member of few bytes may unpack to any number: no name has 256 characters.
    let most = (n_most as u64).saturating_mul(1 << 10).min(4 << 30) + (1 << 16);
    member
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(damaged)?;
    if bytes.len() as u64 > most {
        return Err(format!(
            "{name} unpacks to more than {n_most} names can take"
        ));
    }
    let header = NpyFile::new(bytes.as_slice()).map_err(damaged)?;
    let n = header.shape().first().copied().unwrap_or(0) as usize;
    let dtype = header.dtype().descr();
    let width: usize = (dtype
        .trim_matches(['\'', '"', '<', '|', '=', 'U', 'S'])
        .parse())
    .map_err(|_| format!("{name} has dtype {dtype}; expected text"))?;
    let wide = dtype.contains('U');
    if width == 0 {
        return Err(format!("{name} holds no text"));
    }
    let cut = || format!("{name} is cut short");
    let n_each = width
        .checked_mul(if wide { 4 } else { 1 })
        .ok_or_else(cut)?;
    let n_bytes = n.checked_mul(n_each).ok_or_else(cut)?;
    let at = bytes.len().checked_sub(n_bytes).ok_or_else(cut)?;
    let text = |of: &[u8]| -> Option<String> {
        let of_wide = || {
            let units = of.chunks_exact(4);
            let codes = units.map(|u| u32::from_le_bytes([u[0], u[1], u[2], u[3]]));
            codes.take_while(|c| *c != 0).map(char::from_u32).collect()
        };
        match wide {
            true => of_wide(),
            false => {
                let end = of.iter().position(|b| *b == 0).unwrap_or(of.len());
                String::from_utf8(of[..end].to_vec()).ok()
            }
        }
    };
    let each = bytes[at..].chunks_exact(n_each);
    (each.map(text).collect::<Option<Vec<String>>>())
        .ok_or_else(|| format!("{name} holds something else than text"))
}

/// Bytes of a file on the disk.
fn packed(path: &Path, file: &File) -> Result<u64, FileError> {
    let found = file.metadata();
    Ok(found.map_err(|e| FileError::read(path.display(), e))?.len())
}

/// Refuses a shape before room is made for its numbers.
fn check_unpacked(n_rows: u64, n_columns: u64, n_packed: u64) -> Result<(), String> {
    let n_bytes = n_rows.checked_mul(n_columns).and_then(|n| n.checked_mul(4));
    check_ratio(n_bytes.unwrap_or(u64::MAX), n_packed)
}

fn hdf5(path: &Path, dataset: Option<&str>) -> Result<EmbeddingTable, FileError> {
    let bad = |message: String| FileError::file(path.display(), message);
    let n_packed = packed(path, &open_regular(path)?)?;
    let read = catch_panic(|| hdf5_matrix(path, dataset, n_packed))
        .unwrap_or_else(|| Err("is damaged: its structure makes no sense".into()));
    let (n_columns, values) = read.map_err(bad)?;
    Ok(EmbeddingTable {
        sequences: Vec::new(),
        windows: Vec::new(),
        n_columns,
        values,
        checksum: checksum(path)?,
    })
}

fn hdf5_matrix(
    path: &Path,
    wanted: Option<&str>,
    n_packed: u64,
) -> Result<(usize, Vec<f32>), String> {
    let file = Hdf5File::open(path).map_err(|e| format!("is no whole HDF5 file: {e}"))?;
    let name = match wanted {
        Some(name) => name.to_string(),
        None => {
            let root = file.root_group().map_err(|e| e.to_string())?;
            let datasets = root.datasets().map_err(|e| e.to_string())?;
            let two: Vec<&str> = (datasets.iter())
                .filter(|d| d.shape().len() == 2)
                .map(|d| d.name())
                .collect();
            match two.as_slice() {
                [only] => only.to_string(),
                _ => {
                    return Err(format!(
                        "has {} data sets of two dimensions at its top ({}); name one (option \
                         `dataset`)",
                        two.len(),
                        two.join(", ")
                    ));
                }
            }
        }
    };
    let dataset = file.dataset(&name).map_err(|e| format!("{name}: {e}"))?;
    let [n_rows, n_columns] = *dataset.shape() else {
        return Err(format!("{name} has not two dimensions"));
    };
    check_unpacked(n_rows, n_columns, n_packed)?;
    let (n_rows, n_columns) = (n_rows as usize, n_columns as usize);
    is_wanted(n_rows, n_columns)?;
    let values: Vec<f32> = match dataset.read_array::<f32>() {
        Ok(array) => array.iter().copied().collect(),
        Err(_) => {
            let array = dataset
                .read_array::<f64>()
                .map_err(|e| format!("{name}: {e}"))?;
            array.iter().map(|v| *v as f32).collect()
        }
    };
    match Some(values.len()) == n_rows.checked_mul(n_columns) {
        true => Ok((n_columns, values)),
        false => Err(format!("{name} holds fewer numbers than its shape says")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use persea_files::{NpzWriter, Packing};

    fn npy(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut header =
            format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}");
        while !(10 + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(data);
        bytes
    }

    /// An archive of windows chr1:0-25 and chrUn:25-50 with the numbers 1, 2 and 3, 4.
    fn archive(path: &Path, n: usize, start: f64, n_chroms: usize) {
        let wide = |text: &str| -> Vec<u8> {
            let padded = text.chars().chain(std::iter::repeat('\0')).take(5);
            padded.flat_map(|c| u32::from(c).to_le_bytes()).collect()
        };
        let chroms: Vec<u8> = ["chr1", "chrUn"].iter().flat_map(|c| wide(c)).collect();
        let f64s = |v: &[f64]| -> Vec<u8> { v.iter().flat_map(|v| v.to_le_bytes()).collect() };
        let f32s: Vec<u8> = [1f32, 2.0, 3.0, 4.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let mut npz = NpzWriter::new(File::create(path).unwrap());
        let list = format!("({n},)");
        for (name, bytes) in [
            ("factors", npy("<f4", &format!("({n}, 2)"), &f32s[..n * 8])),
            (
                "chrom",
                npy("<U5", &format!("({n_chroms},)"), &chroms[..n * 20]),
            ),
            ("start", npy("<f8", &list, &f64s(&[start, 25.0])[..n * 8])),
            ("end", npy("<f8", &list, &f64s(&[25.0, 50.0])[..n * 8])),
        ] {
            npz.begin(name, Packing::Deflated).unwrap();
            npz.write_all(&bytes).unwrap();
        }
        npz.finish().unwrap();
    }

    #[test]
    fn archives_with_coordinates_are_read_and_damaged_ones_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        archive(&path, 2, 0.0, 2);
        let read = read_embedding(&path, None, None).unwrap();
        assert_eq!(read.sequences, ["chr1", "chrUn"]);
        assert_eq!(read.windows, [(0, 0, 25), (1, 25, 50)]);
        assert_eq!((read.n_columns, read.values), (2, vec![1.0, 2.0, 3.0, 4.0]));
        let refused = |n, start, n_chroms| {
            archive(&path, n, start, n_chroms);
            read_embedding(&path, None, None).unwrap_err().to_string()
        };
        for (message, part) in [
            (refused(2, f64::NAN, 2), "NaN to 25"),
            (refused(2, 0.5, 2), "0.5 to 25"),
            (refused(2, 0.0, 1_000_000), "chrom is cut short"),
            (refused(0, 0.0, 0), "no columns chrom"),
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn shapes_too_large_for_their_file_are_refused_before_memory_is_taken() {
        assert!(check_unpacked(1_000_000, 64, 50_000_000).is_ok());
        assert!(check_unpacked(1_000_000_000, 64, 10_000).is_err());
        assert!(check_unpacked(u64::MAX, 64, 10_000).is_err());
    }

    #[test]
    fn a_bed_gives_the_windows_of_a_bare_matrix_row_by_row() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bed) = (folder.path().join("x.npy"), folder.path().join("x.bed"));
        let data: Vec<u8> = [1f32, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(&path, npy("<f4", "(2, 1)", &data)).unwrap();
        std::fs::write(&bed, "chr2\t0\t250\nchr2\t250\t500\n").unwrap();
        let read = read_embedding(&path, Some(&bed), None).unwrap();
        assert_eq!(read.windows, [(0, 0, 250), (0, 250, 500)]);
        let message = read_embedding(&path, None, None).unwrap_err().to_string();
        assert!(message.contains("BED file"), "{message}");
        std::fs::write(&bed, "chr2\t0\t250\n").unwrap();
        let message = read_embedding(&path, Some(&bed), None)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("1 windows") && message.contains("2 rows"),
            "{message}"
        );
    }
}
