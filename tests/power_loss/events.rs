//! What `recorder.c` has recorded.

use std::path::Path;

/// An operation of the recorded process; paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    NewFile {
        inode: u64,
        path: String,
    },
    NewFolder {
        inode: u64,
        path: String,
    },
    Write {
        inode: u64,
        offset: u64,
        data: Vec<u8>,
    },
    Size {
        inode: u64,
        size: u64,
    },
    Sync {
        inode: u64,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        path: String,
    },
}

/// Reads a log; a record that the end of the process has cut is left out.
pub fn read(log: &Path) -> Vec<Event> {
    let bytes = std::fs::read(log).unwrap();
    let mut rest = bytes.as_slice();
    let mut events = Vec::new();
    while let Some(event) = next(&mut rest) {
        events.push(event);
    }
    events
}

fn next(rest: &mut &[u8]) -> Option<Event> {
    let what = take(rest, 1)?[0];
    let mut long = || Some(u64::from_ne_bytes(take(rest, 8)?.try_into().ok()?));
    let (inode, number) = (long()?, long()?);
    let mut short = || Some(u32::from_ne_bytes(take(rest, 4)?.try_into().ok()?) as usize);
    let (n_a, n_b, n_data) = (short()?, short()?, short()?);
    let mut text = |n| Some(String::from_utf8(take(rest, n)?.to_vec()).unwrap());
    let (path, to) = (text(n_a)?, text(n_b)?);
    let data = take(rest, n_data)?.to_vec();
    Some(match what {
        b'C' => Event::NewFile { inode, path },
        b'D' => Event::NewFolder { inode, path },
        b'W' => Event::Write {
            inode,
            offset: number,
            data,
        },
        b'T' => Event::Size {
            inode,
            size: number,
        },
        b'S' => Event::Sync { inode },
        b'R' => Event::Rename { from: path, to },
        b'U' | b'X' => Event::Remove { path },
        other => panic!("a record of kind {other}"),
    })
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(n)?;
    *rest = left;
    Some(taken)
}
