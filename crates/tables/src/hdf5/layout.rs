//! Where everything lies in a file: headers and tables first, then the arrays.

use super::messages::{Array, Group, fits, object_header, pad};

/// What stands where an address does not.
const NOWHERE: u64 = u64::MAX;

/// Half of the children that a tree's node has room for; one node holds one table of symbols here.
const TREE_K: u16 = 16;

/// Bytes of the superblock.
const SUPERBLOCK_BYTES: usize = 96;

/// A file laid out: all bytes but the arrays', and where those follow.
pub(super) struct Layout<'a> {
    pub head: Vec<u8>,
    /// Path, array and address, in the order of the addresses.
    pub arrays: Vec<(String, &'a Array, u64)>,
}

impl<'a> Layout<'a> {
    /// Lays a file out, or names what does not fit into the format.
    pub fn new(root: &'a Group) -> Result<Self, String> {
        check(root, "")?;
        // Twice: addresses of arrays follow from the head's length, which does not depend on them.
        let mut arrays = Vec::new();
        collect(root, "", &mut arrays);
        let leaf_k = (most_members(root).div_ceil(2)).max(4) as u16;
        let n_head = Builder::new(leaf_k).file(root, &[], 0).len() as u64;
        let mut at = n_head.next_multiple_of(8);
        let mut places = Vec::new();
        for (_, array) in &arrays {
            places.push(at);
            at = (at + array.n_bytes()).next_multiple_of(8);
        }
        let mut head = Builder::new(leaf_k).file(root, &places, at);
        pad(&mut head);
        let arrays = (arrays.into_iter().zip(places))
            .map(|((path, array), place)| (path, array, place))
            .collect();
        Ok(Layout { head, arrays })
    }
}

fn check(group: &Group, path: &str) -> Result<(), String> {
    let of_arrays = group.arrays.iter().flat_map(|(_, array)| &array.attributes);
    for (name, attribute) in group.attributes.iter().chain(of_arrays) {
        if !fits(attribute) {
            return Err(format!(
                "attribute {name} of /{path} is longer than HDF5 allows (64 KB)"
            ));
        }
    }
    for (name, group) in &group.groups {
        check(group, &format!("{path}{name}/"))?;
    }
    match group.n_members() > 60_000 {
        true => Err(format!("/{path} would have more than 60,000 members")),
        false => Ok(()),
    }
}

/// All arrays, in the order in which they are written.
fn collect<'a>(group: &'a Group, path: &str, arrays: &mut Vec<(String, &'a Array)>) {
    for (name, array) in &group.arrays {
        arrays.push((format!("{path}{name}"), array));
    }
    for (name, group) in &group.groups {
        collect(group, &format!("{path}{name}/"), arrays);
    }
}

fn most_members(group: &Group) -> usize {
    let below = group.groups.iter().map(|(_, group)| most_members(group));
    below.max().unwrap_or(0).max(group.n_members())
}

/// The head of a file, growing.
struct Builder {
    bytes: Vec<u8>,
    leaf_k: u16,
    n_arrays: usize,
}

impl Builder {
    fn new(leaf_k: u16) -> Self {
        Builder {
            bytes: vec![0; SUPERBLOCK_BYTES],
            leaf_k,
            n_arrays: 0,
        }
    }

    /// Superblock, version 0 (II.A), and all objects. `end` is the file's length.
    fn file(mut self, root: &Group, places: &[u64], end: u64) -> Vec<u8> {
        let (header, tree, heap) = self.group(root, places);
        let mut block = b"\x89HDF\r\n\x1a\n".to_vec();
        block.extend([0, 0, 0, 0, 0, 8, 8, 0]);
        block.extend(self.leaf_k.to_le_bytes());
        block.extend(TREE_K.to_le_bytes());
        block.extend([0; 4]);
        for address in [0, NOWHERE, end, NOWHERE] {
            block.extend(address.to_le_bytes());
        }
        // The root's entry, with its table in the scratch space.
        block.extend(0u64.to_le_bytes());
        block.extend(header.to_le_bytes());
        block.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        block.extend(tree.to_le_bytes());
        block.extend(heap.to_le_bytes());
        self.bytes[..SUPERBLOCK_BYTES].copy_from_slice(&block);
        self.bytes
    }

    /// Appends a group after its members; the addresses of its header, tree and heap.
    fn group(&mut self, group: &Group, places: &[u64]) -> (u64, u64, u64) {
        let mut members: Vec<(&str, u64)> = Vec::new();
        for (name, array) in &group.arrays {
            let place = places.get(self.n_arrays).copied().unwrap_or(NOWHERE);
            self.n_arrays += 1;
            members.push((name, self.put(object_header(&array.messages(place)))));
        }
        for (name, group) in &group.groups {
            members.push((name, self.group(group, places).0));
        }
        members.sort_unstable();
        // The heap of names, whose first is the empty one (III.D).
        let mut names = vec![0; 8];
        let mut entries = Vec::new();
        let mut last_name = 0u64;
        for (name, header) in &members {
            last_name = names.len() as u64;
            names.extend(name.as_bytes());
            names.push(0);
            pad(&mut names);
            entries.extend(last_name.to_le_bytes());
            entries.extend(header.to_le_bytes());
            entries.extend([0; 24]);
        }
        let n_names = names.len() as u64;
        let segment = self.put(names);
        let mut heap = b"HEAP\0\0\0\0".to_vec();
        // No free space in it: the head of its free list is 1.
        for number in [n_names, 1, segment] {
            heap.extend(number.to_le_bytes());
        }
        let heap = self.put(heap);
        // One node of symbols (III.C), below a tree of one node (III.A.1).
        let mut symbols = b"SNOD\x01\0".to_vec();
        symbols.extend((members.len() as u16).to_le_bytes());
        symbols.extend(entries);
        symbols.resize(8 + 2 * usize::from(self.leaf_k) * 40, 0);
        let symbols = self.put(symbols);
        let mut tree = b"TREE\0\0".to_vec();
        tree.extend(u16::from(!members.is_empty()).to_le_bytes());
        for number in [NOWHERE, NOWHERE, 0, symbols, last_name] {
            tree.extend(number.to_le_bytes());
        }
        tree.resize(24 + (2 * (2 * usize::from(TREE_K)) + 1) * 8, 0);
        let tree = self.put(tree);
        let header = self.put(object_header(&group.messages(tree, heap)));
        (header, tree, heap)
    }

    fn put(&mut self, bytes: Vec<u8>) -> u64 {
        pad(&mut self.bytes);
        let at = self.bytes.len() as u64;
        self.bytes.extend(bytes);
        at
    }
}
