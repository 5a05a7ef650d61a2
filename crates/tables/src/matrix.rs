//! Matrices of numbers that somebody else has made: `.npy`, `.npz`, Parquet.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use npyz::{DType, NpyFile, Order, TypeChar};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use persea_files::{FileError, NpzReader, open_regular};
use persea_signal::catch_panic;

/// A matrix of numbers, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberMatrix {
    /// Rows.
    pub n_rows: usize,
    /// Columns; 1 of an array of one dimension.
    pub n_columns: usize,
    /// `[n_rows, n_columns]`.
    pub values: Vec<f64>,
    /// The columns' names, where the file has them.
    pub names: Option<Vec<String>>,
    /// BLAKE3 of the file, in hexadecimal.
    pub checksum: String,
}

/// Whether a matrix of so many rows and columns is one that is wanted; asked before its content is
/// read. The error is a message without the file's name.
pub type ShapeCheck<'a> = dyn Fn(usize, usize) -> Result<(), String> + 'a;

/// Reads a matrix: `.npy`, whatever its name; `.npz` (the key `arr_0`, or the only array); Parquet, whose columns
/// must be numbers. Floats, whole numbers and truth values are read as f64; missing is NaN.
///
/// # Errors
/// When the file cannot be read, is of another kind, has neither one nor two dimensions, is of a
/// shape that `is_wanted` refuses, or holds fewer bytes than its shape needs.
pub fn read_matrix(path: &Path, is_wanted: &ShapeCheck<'_>) -> Result<NumberMatrix, FileError> {
    let name = path.display().to_string();
    let cannot = |e| FileError::read(&name, e);
    let bad = |message: String| FileError::file(&name, message);
    let mut hasher = blake3::Hasher::new();
    let mut file = open_regular(path)?;
    hasher.update_reader(&file).map_err(cannot)?;
    let checksum = hasher.finalize().to_hex().to_string();
    file.rewind().map_err(cannot)?;
    let n_bytes = file.metadata().map_err(cannot)?.len();
    let mut head = Vec::new();
    (&mut file).take(6).read_to_end(&mut head).map_err(cannot)?;
    file.rewind().map_err(cannot)?;
    let extension = match head.as_slice() {
        b"\x93NUMPY" => Some("npy".to_string()),
        _ => path.extension().map(|e| e.to_string_lossy().to_lowercase()),
    };
    let (n_rows, n_columns, values, names) = match extension.as_deref() {
        Some("npy") => npy(BufReader::new(file), n_bytes, n_bytes, is_wanted).map_err(bad)?,
        Some("npz") => npz(BufReader::new(file), n_bytes, None, is_wanted).map_err(bad)?,
        // The parquet crate panics on some damaged files.
        Some("parquet") => catch_panic(|| table(file, is_wanted))
            .unwrap_or_else(|| Err("is damaged: a part of it makes no sense".into()))
            .map_err(bad)?,
        _ => {
            return Err(bad(
                "no matrix that is known by its name; expected .npy, .npz or .parquet".into(),
            ));
        }
    };
    Ok(NumberMatrix {
        n_rows,
        n_columns,
        values,
        names,
        checksum,
    })
}

/// Reads one array of an `.npz`.
///
/// # Errors
/// As [`read_matrix`], and when there is no array of that name.
pub(crate) fn read_npz_array(
    path: &Path,
    array: &str,
    is_wanted: &ShapeCheck<'_>,
) -> Result<NumberMatrix, FileError> {
    let name = path.display().to_string();
    let cannot = |e| FileError::read(&name, e);
    let mut file = open_regular(path)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&file).map_err(cannot)?;
    file.rewind().map_err(cannot)?;
    let n_bytes = file.metadata().map_err(cannot)?.len();
    let read = npz(BufReader::new(file), n_bytes, Some(array), is_wanted);
    let (n_rows, n_columns, values, names) =
        read.map_err(|message| FileError::file(&name, message))?;
    Ok(NumberMatrix {
        n_rows,
        n_columns,
        values,
        names,
        checksum: hasher.finalize().to_hex().to_string(),
    })
}

type Parts = (usize, usize, Vec<f64>, Option<Vec<String>>);

fn npz(
    reader: BufReader<File>,
    n_packed: u64,
    wanted: Option<&str>,
    is_wanted: &ShapeCheck<'_>,
) -> Result<Parts, String> {
    let damaged = |e: std::io::Error| format!("is not a whole .npz archive: {e}");
    let mut archive = NpzReader::new(reader).map_err(damaged)?;
    let names = archive.names();
    let name = match (wanted, names.as_slice()) {
        (Some(name), _) => name.to_string(),
        (None, [only]) => only.clone(),
        _ if names.iter().any(|n| n == "arr_0") => "arr_0".to_string(),
        _ => {
            return Err(format!(
                "has {} arrays ({}); a matrix is the only one, or called arr_0",
                names.len(),
                names.join(", ")
            ));
        }
    };
    let member = archive
        .array(&name)
        .map_err(|e| format!("is not a whole .npz archive: {e}"))?;
    let n_bytes = member.n_bytes();
    npy(member, n_bytes, n_packed, is_wanted)
}

/// Reads an array of `n_bytes`, its header included, that lie packed in a file of `n_packed`.
fn npy(
    reader: impl Read,
    n_bytes: u64,
    n_packed: u64,
    is_wanted: &ShapeCheck<'_>,
) -> Result<Parts, String> {
    let not_npy = |e: std::io::Error| format!("is not a NumPy array: {e}");
    let file = NpyFile::new(short_header(reader).map_err(not_npy)?).map_err(not_npy)?;
    let shape = file.shape().to_vec();
    let sizes: Vec<usize> = shape
        .iter()
        .filter_map(|s| usize::try_from(*s).ok())
        .collect();
    let (n_rows, n_columns) = match sizes.as_slice() {
        [rows] => (*rows, 1),
        [rows, columns] => (*rows, *columns),
        _ => {
            return Err(format!(
                "has {} dimensions; expected rows and columns",
                shape.len()
            ));
        }
    };
    is_wanted(n_rows, n_columns)?;
    check_size(&file, n_bytes, n_packed)?;
    let by_columns = file.order() == Order::Fortran && n_columns > 1;
    let DType::Plain(of) = file.dtype() else {
        return Err("holds records; expected numbers".into());
    };
    let cut = |e: std::io::Error| format!("is damaged: {e}");
    let flat: Vec<f64> = match (of.type_char(), of.size_field()) {
        (TypeChar::Float, 8) => file.into_vec::<f64>().map_err(cut)?,
        (TypeChar::Float, 4) => widen(file.into_vec::<f32>().map_err(cut)?),
        (TypeChar::Int, 8) => whole(file.into_vec::<i64>().map_err(cut)?),
        (TypeChar::Int, 4) => widen(file.into_vec::<i32>().map_err(cut)?),
        (TypeChar::Int, 2) => widen(file.into_vec::<i16>().map_err(cut)?),
        (TypeChar::Int, 1) => widen(file.into_vec::<i8>().map_err(cut)?),
        (TypeChar::Uint, 1) => widen(file.into_vec::<u8>().map_err(cut)?),
        (TypeChar::Bool, _) => file
            .into_vec::<bool>()
            .map_err(cut)?
            .into_iter()
            .map(|v| f64::from(u8::from(v)))
            .collect(),
        _ => {
            return Err(format!(
                "has dtype {}; convert it with .astype('float32')",
                of
            ));
        }
    };
    if Some(flat.len()) != n_rows.checked_mul(n_columns) {
        return Err("is damaged: it holds fewer values than its shape says".into());
    }
    let values = match by_columns {
        false => flat,
        true => (0..n_rows)
            .flat_map(|r| (0..n_columns).map(move |c| (r, c)))
            .map(|(r, c)| flat[c * n_rows + r])
            .collect(),
    };
    Ok((n_rows, n_columns, values, None))
}

/// The same bytes, if they begin with a header that npyz can take: it makes room for as many bytes
/// as the header says, and reads what is nested by recursion.
fn short_header<R: Read>(mut reader: R) -> std::io::Result<impl Read + use<R>> {
    let mut start = vec![0; 12];
    reader.read_exact(&mut start[..10])?;
    let n_bytes = match start[6] {
        1 => {
            start.truncate(10);
            u32::from(u16::from_le_bytes([start[8], start[9]]))
        }
        _ => {
            reader.read_exact(&mut start[10..])?;
            u32::from_le_bytes([start[8], start[9], start[10], start[11]])
        }
    };
    if n_bytes > LONGEST_HEADER {
        return Err(std::io::Error::other("its header is longer than 64 KiB"));
    }
    let at = start.len();
    start.resize(at + n_bytes as usize, 0);
    reader.read_exact(&mut start[at..])?;
    if start[at..].iter().filter(|b| b"([{".contains(b)).count() > MOST_BRACKETS {
        return Err(std::io::Error::other("its header is not an array's"));
    }
    Ok(std::io::Cursor::new(start).chain(reader))
}

const LONGEST_HEADER: u32 = 1 << 16;

/// A dictionary, a shape, and a list of tuples for a record's fields.
const MOST_BRACKETS: usize = 64;

/// Refuses an array whose bytes are fewer than its shape needs, before room is made for them, and
/// one that no data unpack to.
fn check_size<R: Read>(file: &NpyFile<R>, n_bytes: u64, n_packed: u64) -> Result<(), String> {
    let DType::Plain(of) = file.dtype() else {
        return Err("holds records; expected numbers".into());
    };
    let sizes = file.shape().iter().copied();
    let n_needed = sizes
        .chain([of.size_field()])
        .try_fold(1u64, u64::checked_mul);
    if n_needed.is_none_or(|n| n > n_bytes) {
        return Err("is damaged: it holds fewer values than its shape says".into());
    }
    check_ratio(n_bytes, n_packed)
}

/// Refuses numbers of `n_bytes` that lie in so small a file that no data unpack to them.
pub(crate) fn check_ratio(n_bytes: u64, n_packed: u64) -> Result<(), String> {
    if n_bytes > LARGEST_PACKED && n_bytes / n_packed.max(1) > LARGEST_RATIO {
        return Err(format!(
            "unpacks to {} times its size, {} MB: is it made of one value? Save what is needed as \
             .npy",
            n_bytes / n_packed.max(1),
            n_bytes / 1_000_000
        ));
    }
    Ok(())
}

/// Arrays of up to so many bytes are unpacked, however small they are packed.
const LARGEST_PACKED: u64 = 1 << 30;

/// How many times its packed size a larger array may have. Real signal packs to a tenth.
const LARGEST_RATIO: u64 = 100;

fn widen<T: Into<f64>>(values: Vec<T>) -> Vec<f64> {
    values.into_iter().map(Into::into).collect()
}

fn whole(values: Vec<i64>) -> Vec<f64> {
    values.into_iter().map(|v| v as f64).collect()
}

fn table(file: File, is_wanted: &ShapeCheck<'_>) -> Result<Parts, String> {
    let damaged = |e: parquet::errors::ParquetError| format!("is not a whole Parquet file: {e}");
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let names: Vec<String> = schema
        .columns()
        .iter()
        .map(|c| c.name().to_string())
        .collect();
    let n_rows_said = reader.metadata().file_metadata().num_rows();
    is_wanted(
        usize::try_from(n_rows_said).map_err(|_| "is damaged: it has no number of rows")?,
        names.len(),
    )?;
    let mut values = Vec::new();
    let mut n_rows = 0;
    for row in reader.get_row_iter(None).map_err(damaged)? {
        let row = row.map_err(damaged)?;
        for (name, field) in row.get_column_iter() {
            values.push(match field {
                Field::Null => f64::NAN,
                Field::Bool(v) => f64::from(u8::from(*v)),
                Field::Byte(v) => f64::from(*v),
                Field::Short(v) => f64::from(*v),
                Field::Int(v) => f64::from(*v),
                Field::Long(v) => *v as f64,
                Field::UByte(v) => f64::from(*v),
                Field::UShort(v) => f64::from(*v),
                Field::UInt(v) => f64::from(*v),
                Field::ULong(v) => *v as f64,
                Field::Float16(v) => f64::from(v.to_f32()),
                Field::Float(v) => f64::from(*v),
                Field::Double(v) => *v,
                _ => return Err(format!("column `{name}` holds no numbers; leave it out")),
            });
        }
        n_rows += 1;
    }
    if values.len() != n_rows * names.len() {
        return Err("has nested columns; expected one number a column".into());
    }
    Ok((n_rows, names.len(), values, Some(names)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use persea_files::{NpzWriter, Packing};

    fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn npy_bytes(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        let mut header = header.to_string();
        while !(10 + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn arrays_are_read_row_by_row_whatever_their_order() {
        let data: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        for (order, expected) in [
            ("False", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            ("True", [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]),
        ] {
            let header = format!("{{'descr': '<f4', 'fortran_order': {order}, 'shape': (2, 3), }}");
            let (_folder, path) = file("x.npy", &npy_bytes(&header, &data));
            let matrix = read_matrix(&path, &|_, _| Ok(())).unwrap();
            assert_eq!((matrix.n_rows, matrix.n_columns), (2, 3));
            assert_eq!(matrix.values, expected);
        }
        let header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }";
        let (_folder, path) = file("y.npy", &npy_bytes(header, &[1, 0, 1]));
        let labels = read_matrix(&path, &|_, _| Ok(())).unwrap();
        assert_eq!((labels.n_columns, labels.values), (1, vec![1.0, 0.0, 1.0]));
    }

    #[test]
    fn parquet_columns_are_read_by_name_and_nulls_are_missing() {
        use parquet::data_type::{DoubleType, Int64Type};
        use parquet::file::writer::SerializedFileWriter;
        use parquet::schema::parser::parse_message_type;
        let message = "message m { required int64 a; optional double b; }";
        let schema = std::sync::Arc::new(parse_message_type(message).unwrap());
        let (_folder, path) = file("x.parquet", b"");
        let out = File::create(&path).unwrap();
        let mut writer = SerializedFileWriter::new(out, schema, Default::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<Int64Type>()
            .write_batch(&[7, 8], None, None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<DoubleType>()
            .write_batch(&[0.5], Some(&[0, 1]), None)
            .unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        let matrix = read_matrix(&path, &|_, _| Ok(())).unwrap();
        assert_eq!(matrix.names.unwrap(), ["a", "b"]);
        assert_eq!((matrix.values[0], matrix.values[2]), (7.0, 8.0));
        assert!(matrix.values[1].is_nan());
        assert_eq!(matrix.values[3], 0.5);
    }

    /// A table of 300 rows, written with a codec.
    fn parquet_bytes(codec: parquet::basic::Compression) -> Vec<u8> {
        use parquet::data_type::DoubleType;
        use parquet::file::properties::WriterProperties;
        use parquet::file::writer::SerializedFileWriter;
        use parquet::schema::parser::parse_message_type;
        let message = "message m { required double a; }";
        let schema = std::sync::Arc::new(parse_message_type(message).unwrap());
        let properties = WriterProperties::builder().set_compression(codec).build();
        let mut bytes = Vec::new();
        let mut writer =
            SerializedFileWriter::new(&mut bytes, schema, std::sync::Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<f64> = (0..300).map(|i| f64::from(i % 7)).collect();
        let typed = column.typed::<DoubleType>();
        typed.write_batch(&values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        bytes
    }

    #[test]
    fn every_common_codec_of_parquet_is_read() {
        use parquet::basic::Compression;
        for codec in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(Default::default()),
            Compression::BROTLI(Default::default()),
            Compression::LZ4,
            Compression::LZ4_RAW,
            Compression::ZSTD(Default::default()),
        ] {
            let (_folder, path) = file("x.parquet", &parquet_bytes(codec));
            let matrix = read_matrix(&path, &|_, _| Ok(())).unwrap();
            let sum: f64 = matrix.values.iter().sum();
            // 42 whole weeks of 0 to 6, and 0 to 5.
            assert_eq!((matrix.n_rows, sum), (300, 42.0 * 21.0 + 15.0), "{codec:?}");
        }
    }

    #[test]
    fn a_damaged_parquet_is_an_error_wherever_the_damage_is() {
        let bytes = parquet_bytes(parquet::basic::Compression::SNAPPY);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                let (_folder, path) = file("x.parquet", &damaged);
                // An error, or values: what it is not is a panic.
                let _ = read_matrix(&path, &|n, _| match n <= 300 {
                    true => Ok(()),
                    false => Err("too many rows".into()),
                });
            }
        }
        let (_folder, path) = file("x.parquet", &bytes[..bytes.len() / 2]);
        assert!(read_matrix(&path, &|_, _| Ok(())).is_err());
    }

    #[test]
    fn a_shape_is_checked_before_the_content_is_unpacked() {
        use std::io::Write;
        // A header of 40,000 rows and columns of float64, and a member that says it holds them.
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (40000, 40000), }";
        let (_folder, path) = file("x.npy", &npy_bytes(header, &[0; 80]));
        let message = read_matrix(&path, &|_, _| Ok(())).unwrap_err().to_string();
        assert!(message.contains("fewer values than its shape"), "{message}");
        let (_folder, path) = file("x.npz", b"");
        let mut npz = NpzWriter::new(File::create(&path).unwrap());
        npz.begin("arr_0", Packing::Deflated).unwrap();
        npz.write_all(&npy_bytes(header, &[])).unwrap();
        npz.finish().unwrap();
        let square = |n_rows, n_columns| Err(format!("{n_rows} x {n_columns}: expected 3 x 3"));
        let message = read_matrix(&path, &square).unwrap_err().to_string();
        assert!(
            message.contains("40000 x 40000: expected 3 x 3"),
            "{message}"
        );
        // 12.8 GB of one value in 14 MB, and as much that packs as signal does.
        let bytes = npy_bytes(header, &[]);
        let n_bytes = 12_800_000_000 + bytes.len() as u64;
        let array = NpyFile::new(&bytes[..]).unwrap();
        assert!(
            check_size(&array, n_bytes, 14_000_000)
                .unwrap_err()
                .contains("914 times")
        );
        assert_eq!(check_size(&array, n_bytes, n_bytes / 10), Ok(()));
        let mut long = b"\x93NUMPY\x02\x00\x00\x00\x00\xf0".to_vec();
        long.extend([b' '; 100]);
        let (_folder, path) = file("x.npy", &long);
        let message = read_matrix(&path, &|_, _| Ok(())).unwrap_err().to_string();
        assert!(message.contains("longer than 64 KiB"), "{message}");
        let (_folder, path) = file("x.npy", &npy_bytes(&"(".repeat(60_000), &[]));
        let message = read_matrix(&path, &|_, _| Ok(())).unwrap_err().to_string();
        assert!(message.contains("not an array's"), "{message}");
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }";
        for (name, bytes, why) in [
            ("x.npy", npy_bytes(header, &[0; 96]), "3 dimensions"),
            ("x.npy", b"text".to_vec(), "not a NumPy array"),
            ("x.npz", b"text".to_vec(), "not a whole .npz"),
            ("x.parquet", b"text".to_vec(), "not a whole Parquet"),
            ("x.txt", b"1 2".to_vec(), "expected .npy"),
            (
                "x.npy",
                npy_bytes(
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (9,), }",
                    &[0; 8],
                ),
                "damaged",
            ),
        ] {
            let (_folder, path) = file(name, &bytes);
            let message = read_matrix(&path, &|_, _| Ok(())).unwrap_err().to_string();
            assert!(message.contains(why), "{message}");
        }
    }
}
