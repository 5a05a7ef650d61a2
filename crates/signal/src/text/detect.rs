//! Which format a file is in, by its content and then by its name.

use std::io::Read;

use persea_files::{Lines, is_header};

use super::layout::Layout;
use super::lines::{WIGGLE, is_wiggle};
use crate::source::open_bytes;
use crate::{Format, FormatError, Location};

/// How many lines above the first interval are looked at.
const MOST_HEADERS: u64 = 10_000;

/// The format of a file.
///
/// # Errors
/// When the file cannot be read, is a bigBed or a wiggle, or nothing tells what it is.
pub(crate) fn detect(location: &Location) -> Result<Format, FormatError> {
    let named = Format::guess(location);
    // A remote file is asked for once it is known how it will be read.
    let Location::Path(path) = location else {
        return match named {
            Some(format) => Ok(format),
            None => by_first_bytes(location)?.ok_or_else(|| untold(location)),
        };
    };
    if let Some(format) = by_first_bytes(location)? {
        return Ok(format);
    }
    let of_text = match named {
        Some(Format::BedGraph | Format::NarrowPeak | Format::BroadPeak | Format::Bed) => true,
        Some(_) => false,
        None => true,
    };
    match named {
        // What is no bigWig and no array says so best where it is read as one.
        Some(format) if !of_text => Ok(format),
        // Columns are told line by line where they are read.
        Some(format @ (Format::NarrowPeak | Format::BroadPeak | Format::Bed)) => Ok(format),
        _ => {
            let lines = Lines::open(path);
            match (by_first_interval(lines?, named.is_some())?, named) {
                (Some(format), _) => Ok(format),
                (None, Some(format)) => Ok(format),
                (None, None) => Err(untold(location)),
            }
        }
    }
}

/// What binary files begin with.
fn by_first_bytes(location: &Location) -> Result<Option<Format>, FormatError> {
    let mut head = Vec::new();
    open_bytes(location)?
        .take(6)
        .read_to_end(&mut head)
        .map_err(|e| FormatError::read(location, e))?;
    match head.as_slice() {
        [0x26, 0xfc, 0x8f, 0x88, ..] | [0x88, 0x8f, 0xfc, 0x26, ..] => Ok(Some(Format::BigWig)),
        [b'P', b'K', 3, 4, ..] => Ok(Some(Format::Npz)),
        b"\x93NUMPY" => Ok(Some(Format::Npy)),
        [0xeb, 0xf2, 0x89, 0x87, ..] | [0x87, 0x89, 0xf2, 0xeb, ..] => Err(FormatError::file(
            location,
            "is a bigBed, not a bigWig, and not read: unpack it by UCSC's bigBedToBed",
        )),
        _ => Ok(None),
    }
}

/// What the first line of an interval says: a bedGraph where it has four columns and the last is a
/// number, or else a kind of BED. What is named bedGraph is another only where its columns leave no
/// doubt.
fn by_first_interval(mut lines: Lines<'_>, is_named: bool) -> Result<Option<Format>, FormatError> {
    while let Some(line) = lines.next_text()? {
        let line = line.into_owned();
        if is_wiggle(line.as_bytes()) {
            return Err(lines.error(WIGGLE).into());
        }
        if is_header(line.as_bytes()) {
            match lines.number() > MOST_HEADERS {
                true => return Ok(None),
                false => continue,
            }
        }
        let fields = persea_files::fields(line.trim_end());
        let is_position = |i: usize| fields.get(i).is_some_and(|f| f.parse::<u64>().is_ok());
        if !is_position(1) || !is_position(2) {
            return Ok(None);
        }
        if fields.len() == 4 {
            let is_signal = fields[3].parse::<f64>().is_ok();
            return Ok(match (is_signal, is_named) {
                (true, _) => Some(Format::BedGraph),
                (false, false) => Some(Format::Bed),
                (false, true) => None,
            });
        }
        let layout = Layout::of(&fields).ok();
        let is_telling = !matches!(
            layout,
            None | Some(Layout::Bed3 | Layout::Bed4 | Layout::Scored(_))
        );
        return Ok(match is_telling || (layout.is_some() && !is_named) {
            true => Some(Format::Bed),
            false => None,
        });
    }
    Ok(None)
}

fn untold(location: &Location) -> FormatError {
    FormatError::file(
        location.to_string(),
        format!(
            "neither its name nor its content tells its format: give it as one of {}",
            Format::ALL.map(Format::name).join(", ")
        ),
    )
}
