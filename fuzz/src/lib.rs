//! What the fuzz targets share: a panic hook, files in memory, an assembly, and edits of a valid file.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use persea_genome::{Assembly, GenomeAxis};

#[cfg(feature = "database")]
pub mod databases;

/// Lengths of the chromosomes that every target uses.
pub const CHROM_SIZES: &str = "chr1\t2010\nchr2\t700\n";

/// What is made once in a process.
pub struct Setting {
    folder: tempfile::TempDir,
    assembly: Assembly,
}

/// Makes the setting at the first call.
///
/// # Panics
/// If there is no room for files.
pub fn setting() -> &'static Setting {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    SETTING.get_or_init(|| {
        // Panics inside libraries that Persea turns into errors are no findings.
        std::panic::set_hook(Box::new(|panic| {
            if !persea_signal::panic_becomes_error() {
                eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
                std::process::abort();
            }
        }));
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let folder = folder.expect("a folder for files");
        let sizes = folder.path().join("chrom.sizes");
        std::fs::write(&sizes, CHROM_SIZES).expect("a file can be written");
        let assembly = Assembly::from_chrom_sizes("toy", &sizes).expect("the sizes are valid");
        Setting { folder, assembly }
    })
}

impl Setting {
    /// The assembly.
    pub fn assembly(&self) -> &Assembly {
        &self.assembly
    }

    /// Both chromosomes, 81 and 28 bins.
    ///
    /// # Panics
    /// Never.
    pub fn axis(&self) -> GenomeAxis {
        GenomeAxis::whole_chromosomes(self.assembly.clone(), &[]).expect("the names are its own")
    }

    /// A file of that name with these bytes.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a file can be written");
        path
    }

    /// The path of a file of that name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A valid file with edits: five bytes each for what is done, where (three bytes), and with which value.
pub fn edited(whole: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for edit in edits.chunks_exact(5) {
        let at = u32::from_le_bytes([edit[1], edit[2], edit[3], 0]) as usize;
        if bytes.is_empty() {
            break;
        }
        let at = at % bytes.len();
        let value = edit[4];
        match edit[0] % 8 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, value),
            2 => drop(bytes.drain(at..(at + usize::from(value)).min(bytes.len()))),
            // A field of four bytes becomes small, or the largest.
            3 if at + 4 <= bytes.len() => {
                bytes[at..at + 4].copy_from_slice(&u32::from(value).to_le_bytes());
            }
            4 if at + 4 <= bytes.len() => bytes[at..at + 4].fill(0xff),
            5 => bytes[at] ^= 1 << (value % 8),
            _ => bytes[at] = value,
        }
    }
    bytes
}
