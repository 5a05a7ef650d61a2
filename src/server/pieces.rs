//! Values that a bigWig was made from a moment ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::lock::lock;

/// The most bytes that are kept.
const MOST_BYTES: usize = 128 << 20;

/// A series, and the axis bin that a block of it begins at.
type Key = (Arc<str>, u64);

/// Blocks of values by the series that they are of; the least recently used go first.
#[derive(Default)]
pub(super) struct Recent(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    blocks: HashMap<Key, (u64, Arc<Vec<f32>>)>,
    n_bytes: usize,
    clock: u64,
}

impl Recent {
    pub fn get(&self, series: &Arc<str>, first_bin: u64) -> Option<Arc<Vec<f32>>> {
        let mut kept = lock(&self.0);
        kept.clock += 1;
        let now = kept.clock;
        let (used, values) = kept.blocks.get_mut(&(Arc::clone(series), first_bin))?;
        *used = now;
        Some(Arc::clone(values))
    }

    pub fn put(&self, series: &Arc<str>, first_bin: u64, values: Arc<Vec<f32>>) {
        let mut kept = lock(&self.0);
        kept.clock += 1;
        kept.n_bytes += bytes_of(&values);
        let entry = (kept.clock, values);
        let before = kept.blocks.insert((Arc::clone(series), first_bin), entry);
        kept.n_bytes -= before.map_or(0, |(_, values)| bytes_of(&values));
        if kept.n_bytes > MOST_BYTES {
            kept.forget_older_half();
        }
    }
}

impl Kept {
    fn forget_older_half(&mut self) {
        let mut times: Vec<u64> = self.blocks.values().map(|(used, _)| *used).collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        self.blocks.retain(|_, (used, _)| *used > middle);
        self.n_bytes = self.blocks.values().map(|(_, v)| bytes_of(v)).sum();
    }
}

fn bytes_of(values: &[f32]) -> usize {
    std::mem::size_of_val(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_stays_within_its_limit_and_the_newest_stays() {
        let recent = Recent::default();
        let series: Arc<str> = "x".into();
        // 1 MiB each.
        for block in 0..300 {
            recent.put(&series, block, Arc::new(vec![0.0; 1 << 18]));
        }
        assert!(recent.get(&series, 299).is_some());
        assert!(recent.get(&series, 0).is_none());
        let kept = lock(&recent.0);
        assert!(kept.n_bytes <= MOST_BYTES && kept.n_bytes > MOST_BYTES / 4);
        assert_eq!(kept.n_bytes, kept.blocks.len() << 20);
    }
}
