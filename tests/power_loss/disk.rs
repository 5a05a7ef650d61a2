//! A disk that keeps only what was synced: the states in which a power cut may leave it.
//!
//! - The bytes of a file are kept as they were at its last sync. Of what came later, each sector of 512 or
//!   4,096 bytes may have reached the disk or not, by itself and in any order, and so may the file's size.
//! - A name (made, renamed, removed) is kept once a folder that it concerns has been synced. Of what came
//!   later, any part may have been kept. A rename happens in both folders or in neither, as in every
//!   journalling file system; nothing else is promised, not even that a synced new file has its name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::events::Event;
use super::random::Random;

/// A name in a folder, which is a node.
type Name = (usize, String);

#[derive(Debug, Default, Clone)]
pub struct Disk {
    root: String,
    nodes: Vec<Node>,
    by_inode: HashMap<u64, usize>,
    pending: Vec<NameChange>,
}

#[derive(Debug, Clone)]
enum Node {
    File {
        durable: Vec<u8>,
        changes: Vec<Change>,
    },
    Folder {
        now: BTreeMap<String, usize>,
        durable: BTreeMap<String, usize>,
    },
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Size(u64),
}

#[derive(Debug, Clone, Default)]
struct NameChange {
    removed: Option<Name>,
    added: Option<(Name, usize)>,
}

/// What a power cut leaves of unsynced work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    Everything,
    /// Any part of it, in sectors of so many bytes.
    Torn(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write(offset, data) => {
                let end = *offset as usize + data.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset as usize..end].copy_from_slice(data);
            }
            Change::Size(size) => content.resize(*size as usize, 0),
        }
    }
}

impl NameChange {
    fn places(&self) -> impl Iterator<Item = &Name> {
        let added = self.added.iter().map(|(place, _)| place);
        self.removed.iter().chain(added)
    }
}

impl Disk {
    /// An empty folder that is on the disk.
    pub fn new(root: &Path, inode: u64) -> Self {
        Disk {
            root: root.to_str().unwrap().to_string(),
            nodes: vec![Node::folder()],
            by_inode: HashMap::from([(inode, 0)]),
            ..Disk::default()
        }
    }

    /// Where a file or folder is by now, from the root `/` on; empty where it is not below it.
    pub fn path_of(&self, inode: u64) -> String {
        let Some(id) = self.by_inode.get(&inode) else {
            return String::new();
        };
        self.find(0, "", *id).unwrap_or_default()
    }

    fn find(&self, at: usize, path: &str, wanted: usize) -> Option<String> {
        if at == wanted {
            let is_root = path.is_empty();
            return Some(if is_root { "/".into() } else { path.into() });
        }
        let Node::Folder { now, .. } = &self.nodes[at] else {
            return None;
        };
        (now.iter()).find_map(|(name, id)| self.find(*id, &format!("{path}/{name}"), wanted))
    }

    /// What the process has written to a file of the root by now.
    pub fn now_at(&self, name: &str) -> Option<Vec<u8>> {
        let Node::Folder { now, .. } = &self.nodes[0] else {
            return None;
        };
        let Node::File { durable, changes } = &self.nodes[*now.get(name)?] else {
            return None;
        };
        let mut content = durable.clone();
        changes.iter().for_each(|change| change.apply(&mut content));
        Some(content)
    }

    /// Does what the process did.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::NewFile { inode, path } => {
                let node = Node::File {
                    durable: Vec::new(),
                    changes: Vec::new(),
                };
                self.make(*inode, path, node);
            }
            Event::NewFolder { inode, path } => self.make(*inode, path, Node::folder()),
            Event::Write {
                inode,
                offset,
                data,
            } => self.change(*inode, Change::Write(*offset, data.clone())),
            Event::Size { inode, size } => self.change(*inode, Change::Size(*size)),
            Event::Sync { inode } => self.sync(*inode),
            Event::Rename { from, to } => {
                let (from, to) = (self.place(from), self.place(to));
                let node = self.now(from.0).remove(&from.1).unwrap();
                self.now(to.0).insert(to.1.clone(), node);
                self.pending.push(NameChange {
                    removed: Some(from),
                    added: Some((to, node)),
                });
            }
            Event::Remove { path } => {
                let place = self.place(path);
                self.now(place.0).remove(&place.1).unwrap();
                self.pending.push(NameChange {
                    removed: Some(place),
                    added: None,
                });
            }
        }
    }

    fn make(&mut self, inode: u64, path: &str, node: Node) {
        let (folder, name) = self.place(path);
        let id = self.nodes.len();
        self.nodes.push(node);
        // A number that was another file's before is this one's now.
        self.by_inode.insert(inode, id);
        self.now(folder).insert(name.clone(), id);
        self.pending.push(NameChange {
            removed: None,
            added: Some(((folder, name), id)),
        });
    }

    fn change(&mut self, inode: u64, change: Change) {
        // Files that were not made below the root are none of its disk.
        if let Some(id) = self.by_inode.get(&inode)
            && let Node::File { changes, .. } = &mut self.nodes[*id]
        {
            changes.push(change);
        }
    }

    fn sync(&mut self, inode: u64) {
        let Some(id) = self.by_inode.get(&inode).copied() else {
            return;
        };
        match &mut self.nodes[id] {
            Node::File { durable, changes } => {
                changes.drain(..).for_each(|change| change.apply(durable));
            }
            Node::Folder { .. } => self.sync_names(id),
        }
    }

    /// Keeps the names that concern a folder, and what came before of the same names elsewhere.
    fn sync_names(&mut self, folder: usize) {
        let mut concerned: BTreeSet<Name> = BTreeSet::new();
        let mut kept = Vec::new();
        let mut left = Vec::new();
        for change in std::mem::take(&mut self.pending).into_iter().rev() {
            let is_kept = change
                .places()
                .any(|place| place.0 == folder || concerned.contains(place));
            if is_kept {
                concerned.extend(change.places().cloned());
                kept.push(change);
            } else {
                left.push(change);
            }
        }
        left.reverse();
        self.pending = left;
        for change in kept.iter().rev() {
            if let Some((folder, name)) = &change.removed {
                self.durable(*folder).remove(name);
            }
            if let Some(((folder, name), node)) = &change.added {
                self.durable(*folder).insert(name.clone(), *node);
            }
        }
    }

    /// Writes one of the states in which a power cut at this instant may leave the disk.
    pub fn cut(&self, kept: Kept, random: &mut Random, to: &Path) {
        let mut names = self.clone();
        for change in &self.pending {
            let is_kept = match kept {
                Kept::Nothing => false,
                Kept::Everything => true,
                Kept::Torn(_) => random.below(2) == 0,
            };
            if !is_kept {
                continue;
            }
            if let Some((folder, name)) = &change.removed {
                names.durable(*folder).remove(name);
            }
            if let Some(((folder, name), node)) = &change.added {
                names.durable(*folder).insert(name.clone(), *node);
            }
        }
        names.write(0, kept, random, to);
    }

    fn write(&self, id: usize, kept: Kept, random: &mut Random, to: &Path) {
        match &self.nodes[id] {
            Node::File { durable, changes } => {
                std::fs::write(to, left_of(durable, changes, kept, random)).unwrap();
            }
            Node::Folder { durable, .. } => {
                let _ = std::fs::create_dir(to);
                for (name, id) in durable {
                    self.write(*id, kept, random, &to.join(name));
                }
            }
        }
    }

    fn place(&mut self, path: &str) -> Name {
        let inside = path.strip_prefix(&self.root).unwrap();
        let mut at = 0;
        let mut names = inside.split('/').filter(|name| !name.is_empty()).peekable();
        loop {
            let name = names.next().unwrap();
            if names.peek().is_none() {
                return (at, name.to_string());
            }
            at = self.now(at)[name];
        }
    }

    fn now(&mut self, folder: usize) -> &mut BTreeMap<String, usize> {
        match &mut self.nodes[folder] {
            Node::Folder { now, .. } => now,
            Node::File { .. } => panic!("a file in a folder's place"),
        }
    }

    fn durable(&mut self, folder: usize) -> &mut BTreeMap<String, usize> {
        match &mut self.nodes[folder] {
            Node::Folder { durable, .. } => durable,
            Node::File { .. } => panic!("a file in a folder's place"),
        }
    }
}

impl Node {
    fn folder() -> Self {
        Node::Folder {
            now: BTreeMap::new(),
            durable: BTreeMap::new(),
        }
    }
}

/// A file's bytes after the cut.
fn left_of(durable: &[u8], changes: &[Change], kept: Kept, random: &mut Random) -> Vec<u8> {
    let after = |n: usize| {
        let mut content = durable.to_vec();
        changes[..n].iter().for_each(|c| c.apply(&mut content));
        content
    };
    let sector = match kept {
        Kept::Nothing => return durable.to_vec(),
        Kept::Everything => return after(changes.len()),
        Kept::Torn(_) if changes.is_empty() => return durable.to_vec(),
        Kept::Torn(bytes) => bytes,
    };
    // Each sector is as it was at some instant. What was cut off by a smaller size does not come back.
    let last = random.below(changes.len() + 1);
    let is_cut = |c: &Change| matches!(c, Change::Size(_));
    let first = changes[..last]
        .iter()
        .rposition(is_cut)
        .map_or(0, |i| i + 1);
    let versions: Vec<Vec<u8>> = (0..3)
        .map(|_| after(first + random.below(last - first + 1)))
        .chain([after(first), after(last)])
        .collect();
    let size = versions[random.below(versions.len())].len();
    let mut content = vec![0; size];
    for start in (0..size).step_by(sector) {
        let version = &versions[random.below(versions.len())];
        let end = (start + sector).min(size).min(version.len());
        if start < end {
            content[start..end].copy_from_slice(&version[start..end]);
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(path: &str, inode: u64) -> Event {
        Event::NewFile {
            inode,
            path: format!("/r/{path}"),
        }
    }

    fn write(inode: u64, data: &[u8]) -> Event {
        Event::Write {
            inode,
            offset: 0,
            data: data.to_vec(),
        }
    }

    /// The names and contents that a cut leaves.
    fn left(disk: &Disk, kept: Kept, seed: u64) -> BTreeMap<String, Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        disk.cut(kept, &mut Random::new(seed), folder.path());
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let file = |e: std::fs::DirEntry| {
            let name = e.file_name().into_string().unwrap();
            (name, std::fs::read(e.path()).unwrap())
        };
        entries.map(|e| file(e.unwrap())).collect()
    }

    #[test]
    fn only_what_was_synced_is_sure_and_names_are_by_themselves() {
        let root = 1;
        let mut disk = Disk::new(Path::new("/r"), root);
        disk.apply(&event("a.new", 7));
        disk.apply(&write(7, b"one"));
        disk.apply(&Event::Sync { inode: 7 });
        // The bytes are sure, and the name is not.
        assert!(left(&disk, Kept::Nothing, 0).is_empty());
        disk.apply(&Event::Rename {
            from: "/r/a.new".into(),
            to: "/r/a".into(),
        });
        disk.apply(&Event::Sync { inode: root });
        let a = |content: &[u8]| BTreeMap::from([("a".to_string(), content.to_vec())]);
        assert_eq!(left(&disk, Kept::Nothing, 0), a(b"one"));
        disk.apply(&write(7, &[b'x'; 1024]));
        assert_eq!(left(&disk, Kept::Nothing, 0), a(b"one"));
        assert_eq!(left(&disk, Kept::Everything, 0), a(&[b'x'; 1024]));
        // Either sector by itself, or none, or all.
        let torn: BTreeSet<_> = (0..200)
            .map(|seed| left(&disk, Kept::Torn(512), seed))
            .collect();
        assert!(torn.len() >= 4, "{}", torn.len());
        disk.apply(&Event::Remove {
            path: "/r/a".into(),
        });
        let torn: BTreeSet<_> = (0..50)
            .map(|s| left(&disk, Kept::Torn(512), s).len())
            .collect();
        assert_eq!(torn, BTreeSet::from([0, 1]));
        disk.apply(&Event::Sync { inode: root });
        assert!(left(&disk, Kept::Torn(512), 1).is_empty());
    }
}
