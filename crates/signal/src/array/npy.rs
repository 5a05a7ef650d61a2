//! One array in NumPy's `.npy` form (NEP 1), of floats in one dimension, read as a stream.
//!
//! `npyz`, which reads matrices and archives, refuses the lengths that Python 2 wrote (`2L`), reads
//! one number at a time, and cannot tell what lies behind an array: the end of an archive's member,
//! where its checksum is compared, or bytes too many. So tracks are read here.

use std::io::{self, Read};

use half::f16;

/// A header longer than this is none.
const LONGEST_HEADER: usize = 1 << 16;

/// How the values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Float {
    F16,
    F32,
    F64,
}

impl Float {
    fn n_bytes(self) -> usize {
        match self {
            Float::F16 => 2,
            Float::F32 => 4,
            Float::F64 => 8,
        }
    }
}

/// The values of an array, in order.
pub(super) struct Values<R> {
    reader: R,
    float: Float,
    big_endian: bool,
    n_values: u64,
    n_read: u64,
    bytes: Vec<u8>,
}

impl<R: Read> Values<R> {
    /// Reads the header. The error is a message without the file's name.
    pub fn open(mut reader: R) -> Result<Self, String> {
        let header = read_header(&mut reader)?;
        let (float, big_endian) = read_dtype(&header)?;
        let n_values = read_shape(&header)?;
        Ok(Values {
            reader,
            float,
            big_endian,
            n_values,
            n_read: 0,
            bytes: Vec::new(),
        })
    }

    /// How many values the array has.
    pub fn n_values(&self) -> u64 {
        self.n_values
    }

    /// Reads the next `n` values over `out`.
    pub fn next(&mut self, n: usize, out: &mut Vec<f32>) -> Result<(), String> {
        out.clear();
        let size = self.float.n_bytes();
        self.bytes.resize(n * size, 0);
        self.reader.read_exact(&mut self.bytes).map_err(|e| {
            let n_values = self.n_values;
            match e.kind() {
                io::ErrorKind::UnexpectedEof => {
                    format!("is cut short: fewer than its {n_values} values are there")
                }
                _ => format!("cannot be read: {e}"),
            }
        })?;
        self.n_read += n as u64;
        let big = self.big_endian;
        let values = self.bytes.chunks_exact(size);
        match self.float {
            Float::F16 => {
                out.extend(values.map(|b| f16::from_bits(ordered(b, big) as u16).to_f32()))
            }
            Float::F32 => out.extend(values.map(|b| f32::from_bits(ordered(b, big) as u32))),
            Float::F64 => out.extend(values.map(|b| f64::from_bits(ordered(b, big)) as f32)),
        }
        Ok(())
    }

    /// Passes over the next `n` values.
    pub fn skip(&mut self, n: u64) -> Result<(), String> {
        let (mut left, mut out) = (n, Vec::new());
        while left > 0 {
            let step = left.min(1 << 16);
            self.next(step as usize, &mut out)?;
            left -= step;
        }
        Ok(())
    }

    /// Reads to the array's end, which must be the file's: an archive then checks its checksum.
    pub fn finish(mut self) -> Result<(), String> {
        self.skip(self.n_values - self.n_read)?;
        match self.reader.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(format!("has more than its {} values", self.n_values)),
            Err(e) => Err(format!("is damaged: {e}")),
        }
    }
}

/// The value's bits, whatever order its bytes are in.
fn ordered(bytes: &[u8], big_endian: bool) -> u64 {
    let fold = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
    if big_endian {
        bytes.iter().fold(0, fold)
    } else {
        bytes.iter().rev().fold(0, fold)
    }
}

fn read_header(reader: &mut impl Read) -> Result<String, String> {
    let not_npy = |_| "is not a NumPy array (.npy)".to_string();
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(not_npy)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err("is not a NumPy array (.npy)".into());
    }
    let n_bytes = match start[6] {
        1 => {
            let mut bytes = [0; 2];
            reader.read_exact(&mut bytes).map_err(not_npy)?;
            usize::from(u16::from_le_bytes(bytes))
        }
        2 | 3 => {
            let mut bytes = [0; 4];
            reader.read_exact(&mut bytes).map_err(not_npy)?;
            u32::from_le_bytes(bytes) as usize
        }
        version => {
            return Err(format!(
                "is of version {version} of .npy, which is not known"
            ));
        }
    };
    if n_bytes > LONGEST_HEADER {
        return Err("is damaged: its header is endless".into());
    }
    let mut header = vec![0; n_bytes];
    reader.read_exact(&mut header).map_err(not_npy)?;
    Ok(String::from_utf8_lossy(&header).into_owned())
}

/// What follows a key of the header, which is a Python dictionary.
fn entry<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let at = header
        .find(&format!("'{key}'"))
        .or_else(|| header.find(&format!("\"{key}\"")))?;
    let rest = header[at + key.len() + 2..].trim_start();
    Some(rest.strip_prefix(':')?.trim_start())
}

fn read_dtype(header: &str) -> Result<(Float, bool), String> {
    let damaged = || "is damaged: its header has no dtype".to_string();
    let text = entry(header, "descr").ok_or_else(damaged)?;
    let dtype = match text.strip_prefix(['\'', '"']) {
        Some(rest) => rest.split(['\'', '"']).next().ok_or_else(damaged)?,
        None => "of records",
    };
    let big_endian =
        dtype.starts_with('>') || (dtype.starts_with('=') && cfg!(target_endian = "big"));
    let float = match dtype.trim_start_matches(['<', '>', '=', '|']) {
        "f2" => Float::F16,
        "f4" => Float::F32,
        "f8" => Float::F64,
        _ => {
            return Err(format!(
                "has dtype `{dtype}`: expected float32 (<f4), float64 or float16; convert it with \
                 .astype('float32')"
            ));
        }
    };
    Ok((float, big_endian))
}

fn read_shape(header: &str) -> Result<u64, String> {
    let damaged = || "is damaged: its header has no shape".to_string();
    let text = entry(header, "shape").ok_or_else(damaged)?;
    let inside = text
        .strip_prefix('(')
        .and_then(|rest| rest.split(')').next())
        .ok_or_else(damaged)?;
    let sizes: Vec<&str> = inside
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    match sizes.as_slice() {
        // Python 2 wrote long integers with an L.
        [size] => size.trim_end_matches('L').parse().map_err(|_| damaged()),
        _ => Err(format!(
            "has shape ({inside}): expected one dimension, the bins"
        )),
    }
}

/// The header of a one-dimensional float32 array.
pub(crate) fn float32_header(n_values: u64) -> Vec<u8> {
    npy_header("<f4", &[n_values])
}

/// The header of an array, padded so that the values are aligned to 64.
pub fn npy_header(dtype: &str, sizes: &[u64]) -> Vec<u8> {
    let sizes: String = sizes.iter().map(|n| format!("{n},")).collect();
    let mut text = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({sizes}), }}");
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((text.len() as u16).to_le_bytes());
    header.extend(text.bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(data);
        bytes
    }

    fn values(bytes: &[u8]) -> Result<Vec<f32>, String> {
        let mut values = Values::open(bytes)?;
        let mut out = Vec::new();
        values.next(values.n_values() as usize, &mut out)?;
        values.finish()?;
        Ok(out)
    }

    #[test]
    fn floats_of_every_size_and_byte_order_are_read() {
        let f64s: Vec<u8> = [0.5f64, -2.0]
            .iter()
            .flat_map(|v| v.to_be_bytes())
            .collect();
        for (dtype, data) in [
            ("<f2", vec![0x00, 0x38, 0x00, 0xc0]),
            ("<f4", vec![0, 0, 0, 0x3f, 0, 0, 0, 0xc0]),
            (">f4", vec![0x3f, 0, 0, 0, 0xc0, 0, 0, 0]),
            (">f8", f64s),
        ] {
            let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': (2,), }}");
            assert_eq!(
                values(&npy(&header, &data)).unwrap(),
                [0.5, -2.0],
                "{dtype}"
            );
        }
    }

    #[test]
    fn a_header_that_we_write_reads_back_and_is_aligned() {
        for n in [0, 7, 1_126_469] {
            let header = float32_header(n);
            assert_eq!(header.len() % 64, 0);
            assert_eq!(Values::open(&header[..]).unwrap().n_values(), n);
        }
    }

    #[test]
    fn arrays_of_other_types_shapes_and_lengths_are_refused_with_what_was_expected() {
        let shape = "'fortran_order': False, 'shape': (2,), }";
        for (bytes, why) in [
            (b"PK\x03\x04........".to_vec(), "not a NumPy array"),
            (b"\x93NU".to_vec(), "not a NumPy array"),
            (
                npy(&format!("{{'descr': '<i8', {shape}"), &[0; 16]),
                "has dtype `<i8`: expected float32",
            ),
            (
                npy(&format!("{{'descr': [('a', '<f4')], {shape}"), &[0; 8]),
                "dtype `of records`",
            ),
            (
                npy("{'descr': '<f4', 'shape': (2, 3), }", &[0; 24]),
                "has shape (2, 3): expected one dimension",
            ),
            (
                npy("{'descr': '<f4', 'shape': (99999999999999999999,), }", &[]),
                "damaged",
            ),
            (
                npy(&format!("{{'descr': '<f4', {shape}"), &[0; 6]),
                "cut short",
            ),
            (
                npy(&format!("{{'descr': '<f4', {shape}"), &[0; 9]),
                "more than its 2 values",
            ),
        ] {
            let message = values(&bytes).unwrap_err();
            assert!(message.contains(why), "{message}");
        }
    }
}
