//! Sections of bigWigs that were made a moment ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::state::lock;
use crate::formats::Section;

/// The most bytes that are kept.
const MOST_BYTES: usize = 64 << 20;

type Key = (Arc<str>, Section);

/// Sections by the series that they are of; the least recently used go first.
#[derive(Default)]
pub(super) struct Recent(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sections: HashMap<Key, (u64, Arc<Vec<u8>>)>,
    n_bytes: usize,
    clock: u64,
}

impl Recent {
    pub fn get(&self, series: &Arc<str>, section: Section) -> Option<Arc<Vec<u8>>> {
        let mut kept = lock(&self.0);
        kept.clock += 1;
        let now = kept.clock;
        let (used, bytes) = kept.sections.get_mut(&(Arc::clone(series), section))?;
        *used = now;
        Some(Arc::clone(bytes))
    }

    pub fn put(&self, series: &Arc<str>, section: Section, bytes: Arc<Vec<u8>>) {
        let mut kept = lock(&self.0);
        kept.clock += 1;
        kept.n_bytes += bytes.len();
        let entry = (kept.clock, bytes);
        let before = kept.sections.insert((Arc::clone(series), section), entry);
        kept.n_bytes -= before.map_or(0, |(_, bytes)| bytes.len());
        if kept.n_bytes > MOST_BYTES {
            kept.forget_older_half();
        }
    }
}

impl Kept {
    fn forget_older_half(&mut self) {
        let mut times: Vec<u64> = self.sections.values().map(|(used, _)| *used).collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        self.sections.retain(|_, (used, _)| *used > middle);
        self.n_bytes = self.sections.values().map(|(_, b)| b.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{BigWigLayout, Chunk};
    use crate::genome::{Assembly, GenomeAxis};

    #[test]
    fn what_is_kept_stays_within_its_limit_and_the_newest_stays() {
        let list = [("a".to_string(), 10_000_000)];
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        let axis = GenomeAxis::whole_chromosomes(assembly, &["a"]).unwrap();
        let layout = BigWigLayout::new(&axis, false);
        let recent = Recent::default();
        let series: Arc<str> = "x".into();
        let mut offset = 0;
        let mut last = None;
        let mut n = 0;
        while let Some((begins, chunk)) = layout.at(offset) {
            offset = match chunk {
                Chunk::Frame(bytes) => begins + bytes.len() as u64,
                Chunk::Section(section) => {
                    let bins = layout.bins(section);
                    let bytes =
                        layout.encode(section, &vec![0.0; (bins.end - bins.start) as usize]);
                    recent.put(&series, section, Arc::new(vec![0; 1 << 20]));
                    last = Some(section);
                    n += 1;
                    begins + bytes.len() as u64
                }
            };
        }
        assert!(n > 100, "{n} sections");
        let kept = lock(&recent.0);
        assert!(kept.n_bytes <= MOST_BYTES);
        assert_eq!(kept.n_bytes, kept.sections.len() << 20);
        drop(kept);
        assert!(recent.get(&series, last.unwrap()).is_some());
    }
}
