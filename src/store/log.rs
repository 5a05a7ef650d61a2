//! Reading SQLite's write-ahead log as it lies on the disk: where does it end, and why?
//!
//! The log is a header and frames, one page each (<https://www.sqlite.org/fileformat2.html#walformat>).
//! A frame counts if its salts are the header's and its checksum, which runs over all frames before it,
//! agrees; a transaction counts if its last frame does, which is marked. SQLite stops at the first frame
//! that does not count. What may lie behind it:
//! - frames with other salts: left from before the log was begun anew, as always;
//! - frames with the header's salts, at most the last of them marked: a transaction that was being
//!   written when the program or the machine stopped, and that nobody was promised;
//! - several marked frames with the header's salts: transactions that were complete, because a
//!   transaction begins when the one before it is on the disk. The log has been damaged.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// The header's first word; its last bit says in which byte order checksums are made.
const MAGIC: u32 = 0x377f_0682;

/// What a log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogState {
    /// Nothing that was committed is missing; there may be no log at all.
    Whole,
    /// One frame or more does not count though transactions behind it were committed.
    Damaged {
        /// Transactions that count.
        n_valid: u64,
        /// Transactions that were committed and no longer count, at least.
        n_lost: u64,
    },
}

/// Goes through a log. One that cannot be read is left to SQLite to complain about.
pub(crate) fn examine(file: &Path) -> LogState {
    File::open(file)
        .and_then(|file| walk(&mut BufReader::with_capacity(1 << 18, file)))
        .unwrap_or(LogState::Whole)
}

fn walk(log: &mut impl Read) -> std::io::Result<LogState> {
    let mut header = [0; HEADER_BYTES];
    if !fill(log, &mut header)? {
        return Ok(LogState::Whole);
    }
    let magic = word(&header, 0);
    let big_endian = magic & 1 == 1;
    let page_bytes = word(&header, 8);
    let mut sums = Sums::default();
    sums.add(&header[..24], big_endian);
    let header_counts = magic & !1 == MAGIC && sums.agree(&header, 24);
    // Of a damaged header not even the size of a page can be believed; ours is always the same.
    let page_bytes = match header_counts && page_bytes.is_power_of_two() && page_bytes <= 65_536 {
        true => page_bytes as usize,
        false => super::connection::PAGE_BYTES as usize,
    };
    let mut salts = [word(&header, 16), word(&header, 20)];
    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes];
    let (mut counts, mut first) = (header_counts, true);
    let (mut n_valid, mut n_marked) = (0, 0);
    while fill(log, &mut frame)? {
        let own = [word(&frame, 8), word(&frame, 12)];
        if first && !header_counts {
            salts = own;
        }
        first = false;
        let is_marked = word(&frame, 4) != 0;
        if counts {
            sums.add(&frame[..8], big_endian);
            sums.add(&frame[FRAME_HEADER_BYTES..], big_endian);
            counts = own == salts && sums.agree(&frame, 16);
        }
        match counts {
            true => n_valid += u64::from(is_marked),
            false => n_marked += u64::from(is_marked && own == salts),
        }
    }
    // The last marked frame may be of a transaction that was under way. A header is written before its
    // frames, so that behind a damaged one they were all complete but that.
    Ok(match n_marked {
        0 | 1 => LogState::Whole,
        n_lost => LogState::Damaged { n_valid, n_lost },
    })
}

/// Whether there were so many bytes left.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}

/// Four bytes as a number; 0 beyond the end, which no checksum of a frame agrees with.
fn word(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|b| b.first_chunk::<4>());
    four.map_or(0, |four| u32::from_be_bytes(*four))
}

/// The log's checksum: two sums that run on from frame to frame.
#[derive(Debug, Clone, Copy, Default)]
struct Sums(u32, u32);

impl Sums {
    fn add(&mut self, bytes: &[u8], big_endian: bool) {
        let (pairs, _) = bytes.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in pairs {
            let (one, two) = ([*a, *b, *c, *d], [*e, *f, *g, *h]);
            let (one, two) = match big_endian {
                true => (u32::from_be_bytes(one), u32::from_be_bytes(two)),
                false => (u32::from_le_bytes(one), u32::from_le_bytes(two)),
            };
            self.0 = self.0.wrapping_add(one).wrapping_add(self.1);
            self.1 = self.1.wrapping_add(two).wrapping_add(self.0);
        }
    }

    fn agree(&self, bytes: &[u8], at: usize) -> bool {
        (word(bytes, at), word(bytes, at + 4)) == (self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// The log of a database with so many transactions in it, as a kill leaves it.
    fn log_of(n: i64) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.sqlite");
        let connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "page_size", 16_384).unwrap();
        let wal = |_: &rusqlite::Row<'_>| Ok(());
        connection
            .pragma_update_and_check(None, "journal_mode", "WAL", wal)
            .unwrap();
        connection
            .execute("CREATE TABLE a (x INTEGER)", [])
            .unwrap();
        for i in 1..n {
            connection
                .execute("INSERT INTO a VALUES (?1)", [i])
                .unwrap();
        }
        std::fs::read(folder.path().join("x.sqlite-wal")).unwrap()
    }

    fn state(log: &[u8]) -> LogState {
        walk(&mut &log[..]).unwrap()
    }

    #[test]
    fn a_flipped_bit_is_noticed_wherever_it_takes_transactions_back() {
        let log = log_of(6);
        assert_eq!(state(&log), LogState::Whole);
        let frame = FRAME_HEADER_BYTES + 16_384;
        assert_eq!((log.len() - HEADER_BYTES) % frame, 0);
        let n_frames = (log.len() - HEADER_BYTES) / frame;
        for at in (0..log.len())
            .step_by(997)
            .chain(0..HEADER_BYTES + FRAME_HEADER_BYTES)
        {
            let mut damaged = log.clone();
            damaged[at] ^= 0x10;
            let hit = at.checked_sub(HEADER_BYTES).map_or(0, |at| at / frame);
            let expected_lost = hit + 1 < n_frames;
            let found = state(&damaged);
            // Of the mark itself of the frame before the last, too little is left to be sure.
            match found {
                LogState::Damaged { n_valid, n_lost } => {
                    // A flipped bit may mark one more frame than there were transactions.
                    assert!(
                        expected_lost && n_valid + n_lost <= 7 && n_lost >= 2,
                        "{at} {found:?}"
                    );
                }
                LogState::Whole => assert!(hit + 2 >= n_frames, "byte {at} {found:?}"),
            }
        }
    }

    #[test]
    fn what_a_kill_and_a_log_begun_anew_leave_is_no_damage() {
        let log = log_of(6);
        for cut in (0..=log.len()).rev().step_by(1_013) {
            assert_eq!(state(&log[..cut]), LogState::Whole, "cut at {cut}");
        }
        // The last frame half written: its header came and its page did not.
        let mut torn = log.clone();
        let page = torn.len() - 16_384;
        torn[page..].fill(0);
        assert_eq!(state(&torn), LogState::Whole);
        // Begun anew: a new header and one frame, before frames with other salts.
        let other = log_of(2);
        let mut anew = log;
        let n = HEADER_BYTES + FRAME_HEADER_BYTES + 16_384;
        anew[..n].copy_from_slice(&other[..n]);
        assert_eq!(state(&anew), LogState::Whole);
    }
}
