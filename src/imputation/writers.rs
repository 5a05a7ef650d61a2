//! Files written on threads of their own, while the next piece is computed.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{ScopedJoinHandle, scope};

use crate::formats::{FormatError, SignalWriter};

/// Pieces that wait for a thread at most: memory does not grow where files are slower than
/// computing.
const WAITING: usize = 2;

/// Values for a file.
struct Piece {
    /// The file's place among its thread's.
    file: usize,
    first: u64,
    values: Vec<f32>,
}

/// Where pieces go.
pub(super) struct Writers {
    threads: Vec<SyncSender<Piece>>,
}

/// What stops a walk.
pub(super) enum Stop {
    /// A file could not be written; its thread knows why.
    Writing,
    /// Something else.
    Failed(crate::Error),
}

impl From<crate::Error> for Stop {
    fn from(error: crate::Error) -> Self {
        Stop::Failed(error)
    }
}

impl Writers {
    /// Gives a file its next piece; waits where its thread is behind.
    pub fn write(&self, file: usize, first: u64, values: Vec<f32>) -> Result<(), Stop> {
        let n = self.threads.len();
        let piece = Piece {
            file: file / n,
            first,
            values,
        };
        (self.threads[file % n].send(piece)).map_err(|_| Stop::Writing)
    }
}

/// Has `fill` write to some files, on as many threads as there are for computing, and completes them; none gets its name unless all were filled.
///
/// # Errors
/// `fill`'s; those of the files.
pub(super) fn write_files(
    files: Vec<Box<dyn SignalWriter>>,
    fill: impl FnOnce(&Writers) -> Result<(), Stop>,
) -> crate::Result<()> {
    let n = rayon::current_num_threads().min(files.len());
    if n == 0 {
        return Ok(());
    }
    let mut parts: Vec<Vec<Box<dyn SignalWriter>>> = (0..n).map(|_| Vec::new()).collect();
    for (i, file) in files.into_iter().enumerate() {
        parts[i % n].push(file);
    }
    let (filled, written) = scope(|scope| {
        let (threads, running): (Vec<_>, Vec<_>) = (parts.into_iter())
            .map(|files| {
                let (sender, receiver) = sync_channel(WAITING);
                (sender, scope.spawn(move || write_pieces(files, &receiver)))
            })
            .unzip();
        let filled = fill(&Writers { threads });
        // The senders are gone: the threads end.
        let written: Vec<_> = running.into_iter().map(joined).collect();
        (filled, written)
    });
    // Why a thread went away comes first; a walk that it stopped knows no more.
    let files = written.into_iter().collect::<Result<Vec<_>, _>>()?;
    if let Err(Stop::Failed(error)) = filled {
        return Err(error);
    }
    for file in files.into_iter().flatten() {
        file.finish()?;
    }
    Ok(())
}

type Written = Result<Vec<Box<dyn SignalWriter>>, FormatError>;

fn write_pieces(mut files: Vec<Box<dyn SignalWriter>>, pieces: &Receiver<Piece>) -> Written {
    for Piece {
        file,
        first,
        values,
    } in pieces
    {
        files[file].write(first, &values)?;
    }
    Ok(files)
}

fn joined(thread: ScopedJoinHandle<'_, Written>) -> Written {
    match thread.join() {
        Ok(written) => written,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    type Log = Arc<Mutex<Vec<(usize, u64, Vec<f32>)>>>;

    /// Notes what it is given; fails at a negative value.
    struct Noted(usize, Log);

    impl SignalWriter for Noted {
        fn write(&mut self, first: u64, values: &[f32]) -> Result<(), FormatError> {
            if values[0] < 0.0 {
                return Err(FormatError::write("noted", std::io::Error::other("full")));
            }
            self.1
                .lock()
                .unwrap()
                .push((self.0, first, values.to_vec()));
            Ok(())
        }

        fn finish(self: Box<Self>) -> Result<(), FormatError> {
            self.1.lock().unwrap().push((self.0, u64::MAX, Vec::new()));
            Ok(())
        }
    }

    fn files(n: usize) -> (Log, Vec<Box<dyn SignalWriter>>) {
        let log = Log::default();
        let file = |i| -> Box<dyn SignalWriter> { Box::new(Noted(i, Arc::clone(&log))) };
        let files = (0..n).map(file).collect();
        (log, files)
    }

    #[test]
    fn every_file_gets_its_pieces_in_order_and_is_finished() {
        let (log, files) = files(5);
        write_files(files, |writers| {
            for piece in 0..50 {
                for file in 0..5 {
                    writers.write(file, piece, vec![file as f32])?;
                }
            }
            Ok(())
        })
        .unwrap();
        let log = log.lock().unwrap();
        for file in 0..5 {
            let of_file = log.iter().filter(|entry| entry.0 == file);
            let firsts: Vec<u64> = of_file.clone().map(|entry| entry.1).collect();
            let expected: Vec<u64> = (0..50).chain([u64::MAX]).collect();
            assert_eq!(firsts, expected);
            assert!(of_file.take(50).all(|entry| entry.2 == [file as f32]));
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_stops_the_walk_and_no_file_is_finished() {
        let (log, files) = files(3);
        let mut walked = 0;
        let result = write_files(files, |writers| {
            for piece in 0..1_000 {
                walked = piece;
                writers.write(1, piece, vec![if piece == 3 { -1.0 } else { 1.0 }])?;
            }
            Ok(())
        });
        assert!(result.unwrap_err().to_string().contains("full"));
        assert!(walked < 999);
        assert!(log.lock().unwrap().iter().all(|entry| entry.1 != u64::MAX));
    }

    #[test]
    fn a_walk_that_fails_finishes_no_file() {
        let (log, files) = files(2);
        let failed = |_: &Writers| -> Result<(), Stop> {
            Err(crate::Error::from(FormatError::write("x", std::io::Error::other("gone"))).into())
        };
        assert!(write_files(files, failed).is_err());
        assert!(log.lock().unwrap().is_empty());
    }
}
