//! Chunks of signal that short reads have decoded lately.
//!
//! A short read of a chunk costs as much as decoding all of it. Reads of windows along the genome come back
//! to the same chunks, of one track or of many. A handle keeps the last that it decoded, up to a limit of
//! memory that does not depend on the number of tracks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most values that are kept: 32 MiB.
const MOST_VALUES: usize = 8 << 20;

/// The values of chunks, by the name of their array and their number. An array's name is never used again.
#[derive(Debug)]
pub(crate) struct RecentChunks {
    most_values: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    chunks: HashMap<(Arc<str>, u64), Chunk>,
    n_values: usize,
    /// Counts uses.
    now: u64,
}

#[derive(Debug)]
struct Chunk {
    values: Arc<[f32]>,
    used: u64,
}

impl Default for RecentChunks {
    fn default() -> Self {
        Self::of(MOST_VALUES)
    }
}

impl RecentChunks {
    fn of(most_values: usize) -> Self {
        RecentChunks {
            most_values,
            kept: Mutex::default(),
        }
    }

    /// A chunk that is kept.
    pub fn get(&self, array: &Arc<str>, chunk: u64) -> Option<Arc<[f32]>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.now += 1;
        let now = kept.now;
        let found = kept.chunks.get_mut(&(Arc::clone(array), chunk))?;
        found.used = now;
        Some(Arc::clone(&found.values))
    }

    /// Keeps a chunk, and forgets those whose last use is longest ago.
    pub fn keep(&self, array: &Arc<str>, chunk: u64, values: Arc<[f32]>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.now += 1;
        let used = kept.now;
        kept.n_values += values.len();
        let key = (Arc::clone(array), chunk);
        // Another thread may have decoded it meanwhile.
        if let Some(before) = kept.chunks.insert(key, Chunk { values, used }) {
            kept.n_values -= before.values.len();
        }
        while kept.n_values > self.most_values {
            let oldest = kept.chunks.iter().min_by_key(|(_, chunk)| chunk.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            if let Some(chunk) = kept.chunks.remove(&key) {
                kept.n_values -= chunk.values.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chunk_whose_last_use_is_longest_ago_is_forgotten_first() {
        let recent = RecentChunks::of(5);
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        recent.keep(&a, 0, [1.0, 2.0].into());
        recent.keep(&b, 0, [3.0, 4.0].into());
        assert_eq!(recent.get(&a, 0).as_deref(), Some([1.0, 2.0].as_slice()));
        recent.keep(&a, 1, [5.0, 6.0].into());
        assert_eq!(recent.get(&b, 0), None);
        assert_eq!(recent.get(&a, 0).as_deref(), Some([1.0, 2.0].as_slice()));
        // The same chunk again takes the place of what it was.
        recent.keep(&a, 1, [5.0, 6.0].into());
        assert_eq!(recent.get(&a, 0).as_deref(), Some([1.0, 2.0].as_slice()));
        // One that is larger than the limit is not kept.
        recent.keep(&b, 3, [0.0; 6].into());
        assert_eq!(recent.get(&b, 3), None);
    }
}
