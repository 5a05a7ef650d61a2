//! What a file consists of, and how each part is encoded in an object's header.

/// What the elements of an array or an attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// IEEE 754, little-endian.
    F32,
    /// Signed, little-endian.
    I64,
    /// UTF-8 of so many bytes, padded with zeros.
    Text(u32),
}

impl Kind {
    /// Bytes of an element.
    pub fn n_bytes(self) -> u64 {
        match self {
            Kind::F32 => 4,
            Kind::I64 => 8,
            Kind::Text(n) => u64::from(n),
        }
    }

    /// The datatype message (specification IV.A.2.d).
    fn message(self) -> Vec<u8> {
        match self {
            // Version 1, class 1; implied leading bit, sign in bit 31.
            Kind::F32 => [
                &[0x11, 0x20, 31, 0][..],
                &4u32.to_le_bytes(),
                // Offset and precision; exponent's place and size, mantissa's; bias.
                &[0, 0, 32, 0, 23, 8, 0, 23],
                &127u32.to_le_bytes(),
            ]
            .concat(),
            // Version 1, class 0; signed.
            Kind::I64 => [&[0x10, 0x08, 0, 0][..], &8u32.to_le_bytes(), &[0, 0, 64, 0]].concat(),
            // Version 1, class 3; padded with zeros, UTF-8.
            Kind::Text(n) => [&[0x13, 0x11, 0, 0][..], &n.to_le_bytes()].concat(),
        }
    }
}

/// A small fact about a group or an array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Attribute {
    /// One text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
}

/// An array whose numbers come when the file is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    pub shape: Vec<u64>,
    pub kind: Kind,
    pub attributes: Vec<(&'static str, Attribute)>,
}

impl Array {
    pub fn n_bytes(&self) -> u64 {
        self.shape.iter().product::<u64>() * self.kind.n_bytes()
    }

    /// The messages of its header: its numbers lie at `address`.
    pub(super) fn messages(&self, address: u64) -> Vec<(u16, Vec<u8>)> {
        let layout = [
            &[3, 1][..],
            &address.to_le_bytes(),
            &self.n_bytes().to_le_bytes(),
        ]
        .concat();
        let mut messages = vec![
            (0x0001, dataspace(&self.shape)),
            (0x0003, self.kind.message()),
            // Allocated early, the default fill value.
            (0x0005, vec![2, 1, 2, 1, 0, 0, 0, 0]),
            (0x0008, layout),
        ];
        messages.extend(attribute_messages(&self.attributes));
        messages
    }
}

/// A group and what is in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Group {
    pub attributes: Vec<(&'static str, Attribute)>,
    pub arrays: Vec<(String, Array)>,
    pub groups: Vec<(String, Group)>,
}

impl Group {
    /// Arrays and groups in it.
    pub(super) fn n_members(&self) -> usize {
        self.arrays.len() + self.groups.len()
    }

    /// Puts an array at a path below this group, making the groups on the way.
    pub fn put(&mut self, path: &str, array: Array) {
        match path.split_once('/') {
            None => self.arrays.push((path.to_string(), array)),
            Some((name, rest)) => self.group(name).put(rest, array),
        }
    }

    /// The group of that name, made if need be.
    pub fn group(&mut self, name: &str) -> &mut Group {
        let place = self.groups.iter().position(|(n, _)| n == name);
        let place = place.unwrap_or_else(|| {
            self.groups.push((name.to_string(), Group::default()));
            self.groups.len() - 1
        });
        &mut self.groups[place].1
    }

    /// The messages of its header: its symbol table is at these addresses.
    pub(super) fn messages(&self, tree: u64, heap: u64) -> Vec<(u16, Vec<u8>)> {
        let table = [tree.to_le_bytes(), heap.to_le_bytes()].concat();
        let mut messages = vec![(0x0011, table)];
        messages.extend(attribute_messages(&self.attributes));
        messages
    }
}

/// The dataspace message, version 1 (IV.A.2.b); no dimension is a scalar.
fn dataspace(shape: &[u64]) -> Vec<u8> {
    let mut message = vec![1, shape.len() as u8, 0, 0, 0, 0, 0, 0];
    for n in shape {
        message.extend(n.to_le_bytes());
    }
    message
}

fn attribute_messages(
    attributes: &[(&'static str, Attribute)],
) -> impl Iterator<Item = (u16, Vec<u8>)> {
    attributes
        .iter()
        .map(|(name, attribute)| (0x000c, attribute_message(name, attribute)))
}

/// The attribute message, version 1 (IV.A.2.m): each of its parts is padded to eight bytes.
fn attribute_message(name: &str, attribute: &Attribute) -> Vec<u8> {
    let (texts, shape): (&[String], Vec<u64>) = match attribute {
        Attribute::Text(text) => (std::slice::from_ref(text), vec![]),
        Attribute::Texts(texts) => (texts, vec![texts.len() as u64]),
    };
    let width = texts.iter().map(String::len).max().unwrap_or(0).max(1);
    let name = [name.as_bytes(), &[0]].concat();
    let datatype = Kind::Text(width as u32).message();
    let dataspace = dataspace(&shape);
    let mut message = vec![1, 0];
    for part in [&name, &datatype, &dataspace] {
        message.extend((part.len() as u16).to_le_bytes());
    }
    for part in [&name, &datatype, &dataspace] {
        message.extend(part);
        pad(&mut message);
    }
    for text in texts {
        message.extend(text.as_bytes());
        message.resize(message.len() + width - text.len(), 0);
    }
    message
}

/// Zeros up to a multiple of eight bytes.
pub(super) fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
}

/// An object header, version 1 (IV.A.1.a).
pub(super) fn object_header(messages: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, message) in messages {
        let mut message = message.clone();
        pad(&mut message);
        body.extend(kind.to_le_bytes());
        body.extend((message.len() as u16).to_le_bytes());
        body.extend([0; 4]);
        body.extend(message);
    }
    let mut header = vec![1, 0];
    header.extend((messages.len() as u16).to_le_bytes());
    header.extend(1u32.to_le_bytes());
    header.extend((body.len() as u32).to_le_bytes());
    header.extend([0; 4]);
    header.extend(body);
    header
}

/// Whether an attribute fits into a header, whose messages have lengths of 16 bits.
pub(super) fn fits(attribute: &Attribute) -> bool {
    attribute_message("0123456789abcdef0123456789abcdef", attribute).len() < 65_000
}
