//! Which format a file is in.

use super::Location;

/// A format of signal files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// UCSC's bigWig.
    BigWig,
    /// bedGraph: chromosome, start, end, value; sorted, without overlaps.
    BedGraph,
    /// ENCODE's narrowPeak: the signal is column 7.
    NarrowPeak,
    /// ENCODE's broadPeak: the signal is column 7.
    BroadPeak,
    /// BED with a signal: column 5 (the score), column 4 where there are four columns (chromosome,
    /// start, end, value), 1 where there are three. A file that nothing but its name calls a BED is read
    /// by its columns: narrowPeak, broadPeak, gappedPeak and bedMethyl are known by theirs.
    Bed,
    /// Bins in a NumPy archive.
    Npz,
    /// Bins in a NumPy array.
    Npy,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 7] = [
        Format::BigWig,
        Format::BedGraph,
        Format::NarrowPeak,
        Format::BroadPeak,
        Format::Bed,
        Format::Npz,
        Format::Npy,
    ];

    /// Its name in manifests and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::BigWig => "bigwig",
            Format::BedGraph => "bedgraph",
            Format::NarrowPeak => "narrowpeak",
            Format::BroadPeak => "broadpeak",
            Format::Bed => "bed",
            Format::Npz => "npz",
            Format::Npy => "npy",
        }
    }

    /// The format of that name, or of that file name ending (`bw`, `bdg`, `bg`), in any case.
    ///
    /// ```
    /// use persea_signal::Format;
    /// assert_eq!(Format::from_name("bigWig"), Some(Format::BigWig));
    /// assert_eq!(Format::from_name("bam"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Format> {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "bw" => Some(Format::BigWig),
            "bdg" | "bg" => Some(Format::BedGraph),
            _ => Format::ALL.into_iter().find(|f| f.name() == name),
        }
    }

    /// What the end of a file's name says, before `.gz` or `.bgz` if it has one.
    ///
    /// ```
    /// use persea_signal::{Format, Location};
    /// let file = Location::parse("peaks/CTCF.narrowPeak.gz", ".".as_ref());
    /// assert_eq!(Format::guess(&file), Some(Format::NarrowPeak));
    /// ```
    pub fn guess(location: &Location) -> Option<Format> {
        let name = location.file_name().to_ascii_lowercase();
        let name = [".gz", ".bgz"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(&name);
        let (_, end) = name.rsplit_once('.')?;
        Format::from_name(end)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats_through_compression_case_and_url_queries() {
        for (name, format) in [
            ("a.bigWig", Some(Format::BigWig)),
            ("a.BW", Some(Format::BigWig)),
            ("https://host/a.bw?download=1#x", Some(Format::BigWig)),
            ("a.bedGraph.gz", Some(Format::BedGraph)),
            ("a.b.bed.bgz", Some(Format::Bed)),
            ("a.broadPeak", Some(Format::BroadPeak)),
            ("a.npz", Some(Format::Npz)),
            ("folder.npy/track", None),
            ("https://host.npy/track", None),
            ("a.bam", None),
        ] {
            let location = Location::parse(name, "/data".as_ref());
            assert_eq!(Format::guess(&location), format, "{name}");
        }
    }

    #[test]
    fn every_format_is_found_by_its_own_name() {
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
    }
}
