//! Labels of the four tasks, each a consequence of the states.

mod expression;
mod fire;
mod interaction;
mod replication;

pub use fire::FireLabel;
pub use interaction::InteractionLabel;
pub use replication::ReplicationLabel;

use persea_genome::Interval;

/// The windows of replication timing and FIREs, in bp, as the real labels have them.
const WINDOW_BP: u64 = 40_000;

/// The whole windows of a chromosome; a shorter rest at its end has no label.
fn windows(chrom: &str, length: u64) -> impl Iterator<Item = Interval> + '_ {
    (0..length / WINDOW_BP).map(move |i| Interval::new(chrom, i * WINDOW_BP, (i + 1) * WINDOW_BP))
}
