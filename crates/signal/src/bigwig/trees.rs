//! The two trees of a bigWig or bigBed file: chromosomes by name, and blocks by place.

use super::magic;
use persea_genome::Assembly;

/// Children of a node.
const FAN_OUT: usize = 256;

/// A compressed section and the stretch of a chromosome that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub rank: u32,
    pub start: u32,
    pub end: u32,
    pub offset: u64,
    pub n_bytes: u64,
}

/// The B+ tree of all chromosomes, which will stand at `at`: names in the order of their bytes, as
/// UCSC's tools search them; a chromosome's number is its place in the assembly.
pub(super) fn chrom_tree(assembly: &Assembly, at: u64) -> Vec<u8> {
    let mut chromosomes: Vec<(&[u8], u32, u32)> = assembly
        .chromosomes()
        .iter()
        .enumerate()
        .map(|(rank, c)| (c.name.as_bytes(), rank as u32, c.length as u32))
        .collect();
    chromosomes.sort_unstable();
    let key_bytes = chromosomes.iter().map(|c| c.0.len()).max().unwrap_or(1);
    let leaves: Vec<(&[u8], [u8; 8])> = chromosomes
        .iter()
        .map(|(name, rank, length)| {
            let mut value = [0; 8];
            value[..4].copy_from_slice(&rank.to_le_bytes());
            value[4..].copy_from_slice(&length.to_le_bytes());
            (*name, value)
        })
        .collect();
    let mut tree = Vec::new();
    tree.extend(magic::CHROM_TREE.to_le_bytes());
    tree.extend((leaves.len().min(FAN_OUT) as u32).to_le_bytes());
    tree.extend((key_bytes as u32).to_le_bytes());
    tree.extend(8u32.to_le_bytes());
    tree.extend((leaves.len() as u64).to_le_bytes());
    tree.extend([0; 8]);
    let item_bytes = key_bytes + 8;
    let sizes = level_sizes(leaves.len());
    let mut next_level = at + tree.len() as u64;
    for (level, n_items) in sizes.iter().enumerate() {
        let is_leaf = level + 1 == sizes.len();
        next_level += tree_level_bytes(*n_items, item_bytes);
        // An item of an inner level is a node of the next: its first name, and where it is.
        let reach = FAN_OUT.pow((sizes.len() - 1 - level) as u32);
        for first in (0..*n_items).step_by(FAN_OUT) {
            let n = (n_items - first).min(FAN_OUT);
            node_head(&mut tree, is_leaf, n);
            for i in first..first + n {
                let (name, value) = leaves[i * reach];
                tree.extend(name);
                tree.resize(tree.len() + key_bytes - name.len(), 0);
                if is_leaf {
                    tree.extend(value);
                } else {
                    let offset = next_level + tree_level_bytes(i * FAN_OUT, item_bytes);
                    tree.extend(offset.to_le_bytes());
                }
            }
        }
    }
    tree
}

/// The R tree of sorted blocks, which will stand at `at`.
pub(super) fn index(blocks: &[Block], at: u64) -> Vec<u8> {
    let mut tree = Vec::new();
    tree.extend(magic::INDEX.to_le_bytes());
    tree.extend((FAN_OUT as u32).to_le_bytes());
    tree.extend((blocks.len() as u64).to_le_bytes());
    tree.extend(bounds(blocks));
    // Where the data end, which is where the index begins; then items in a slot, and no more.
    tree.extend(at.to_le_bytes());
    tree.extend(1u32.to_le_bytes());
    tree.extend([0; 4]);
    let sizes = level_sizes(blocks.len());
    let mut next_level = at + tree.len() as u64;
    for (level, n_items) in sizes.iter().enumerate() {
        let is_leaf = level + 1 == sizes.len();
        next_level += tree_level_bytes(*n_items, if is_leaf { 32 } else { 24 });
        let child_bytes = if level + 2 == sizes.len() { 32 } else { 24 };
        let reach = FAN_OUT.pow((sizes.len() - 1 - level) as u32);
        for first in (0..*n_items).step_by(FAN_OUT) {
            let n = (n_items - first).min(FAN_OUT);
            node_head(&mut tree, is_leaf, n);
            for i in first..first + n {
                let end = ((i + 1) * reach).min(blocks.len());
                tree.extend(bounds(&blocks[i * reach..end]));
                if is_leaf {
                    tree.extend(blocks[i].offset.to_le_bytes());
                    tree.extend(blocks[i].n_bytes.to_le_bytes());
                } else {
                    let offset = next_level + tree_level_bytes(i * FAN_OUT, child_bytes);
                    tree.extend(offset.to_le_bytes());
                }
            }
        }
    }
    if blocks.is_empty() {
        node_head(&mut tree, true, 0);
    }
    tree
}

/// Items of each level, from the root's down to the leaves'; each item above is a node below.
fn level_sizes(n_leaves: usize) -> Vec<usize> {
    let mut sizes = vec![n_leaves];
    while let Some(last) = sizes.last().copied().filter(|n| *n > FAN_OUT) {
        sizes.push(last.div_ceil(FAN_OUT));
    }
    sizes.reverse();
    sizes
}

/// Bytes of that many items of a level with the heads of their nodes.
fn tree_level_bytes(n_items: usize, item_bytes: usize) -> u64 {
    (n_items * item_bytes + 4 * n_items.div_ceil(FAN_OUT)) as u64
}

fn node_head(tree: &mut Vec<u8>, is_leaf: bool, n: usize) {
    tree.extend([u8::from(is_leaf), 0]);
    tree.extend((n as u16).to_le_bytes());
}

/// First chromosome and base, last chromosome and end, of sorted blocks.
fn bounds(blocks: &[Block]) -> [u8; 16] {
    let mut bytes = [0; 16];
    if let (Some(first), Some(last)) = (blocks.first(), blocks.last()) {
        // Rows of a bigBed overlap, so that the last block need not reach farthest.
        let on_last = blocks.iter().rev().take_while(|b| b.rank == last.rank);
        let end = on_last.map(|b| b.end).max().unwrap_or(last.end);
        let numbers = [first.rank, first.start, last.rank, end];
        for (place, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_hold_an_item_for_each_node_below() {
        assert_eq!(level_sizes(0), [0]);
        assert_eq!(level_sizes(256), [256]);
        assert_eq!(level_sizes(257), [2, 257]);
        assert_eq!(level_sizes(256 * 256 + 1), [2, 257, 65_537]);
    }

    #[test]
    fn a_tree_s_bytes_are_as_many_as_its_levels_say() {
        let block = Block {
            rank: 0,
            start: 0,
            end: 1,
            offset: 0,
            n_bytes: 1,
        };
        for n in [0, 1, 256, 257, 70_000] {
            let blocks = vec![block; n];
            let sizes = level_sizes(n);
            let n_leaf_bytes = 32 * n + 4 * n.div_ceil(256).max(1);
            let inner: usize = sizes[..sizes.len() - 1]
                .iter()
                .map(|n| 24 * n + 4 * n.div_ceil(256))
                .sum();
            assert_eq!(index(&blocks, 0).len(), 48 + inner + n_leaf_bytes);
        }
    }
}
