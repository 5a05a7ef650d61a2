//! What else a chromosome is called: `1` and `chr1`, `MT` and `chrM`.

use std::collections::HashMap;

/// Names of a mitochondrial genome, without `chr` and in lower case (Ensembl's of vertebrates,
/// worm, yeast and fly among them).
const MITOCHONDRIA: [&str; 6] = [
    "m",
    "mt",
    "mtdna",
    "mito",
    "mitochondrion",
    "mitochondrion_genome",
];

/// UCSC's chrM of hg19 is NC_001807, 16,571 bp long. What all others call MT is NC_012920.
const OLD_MITOCHONDRION: u64 = 16_571;

/// A name without `chr`, in lower case, with one word for mitochondria.
fn folded(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let bare = lower
        .strip_prefix("chr")
        .filter(|bare| !bare.is_empty())
        .unwrap_or(&lower);
    match MITOCHONDRIA.contains(&bare) {
        true => "mt".to_string(),
        false => bare.to_string(),
    }
}

/// Chromosomes by what they may be called, beside their own names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OtherNames {
    /// By folded name; `None` where several chromosomes fold to it.
    folded: HashMap<String, Option<usize>>,
    /// By a name of a table, exactly.
    listed: HashMap<String, usize>,
}

impl OtherNames {
    /// From names and lengths, in the assembly's order.
    pub fn of<'a>(chromosomes: impl Iterator<Item = (&'a str, u64)>) -> Self {
        let mut by_name: HashMap<String, Option<usize>> = HashMap::new();
        for (i, (name, length)) in chromosomes.enumerate() {
            let mut name = folded(name);
            if name == "mt" && length == OLD_MITOCHONDRION {
                name = "m of hg19".into();
            }
            by_name
                .entry(name)
                .and_modify(|several| *several = None)
                .or_insert(Some(i));
        }
        OtherNames {
            folded: by_name,
            listed: HashMap::new(),
        }
    }

    pub fn find(&self, name: &str) -> Option<usize> {
        let listed = self.listed.get(name).copied();
        listed.or_else(|| self.folded.get(&folded(name)).copied().flatten())
    }

    pub fn listed(&self) -> impl Iterator<Item = (&str, usize)> {
        self.listed.iter().map(|(name, i)| (name.as_str(), *i))
    }

    pub fn list(&mut self, name: String, chromosome: usize) {
        self.listed.insert(name, chromosome);
    }
}

/// Whether a sequence is a chromosome of the nucleus, by its name: neither an alternative locus, a
/// patch, a scaffold or a decoy, nor of a mitochondrion or a chloroplast.
pub(crate) fn is_main(name: &str) -> bool {
    let bare = folded(name);
    let others = [
        "mt",
        "c",
        "pt",
        "chloroplast",
        "plastid",
        "un",
        "ebv",
        "2micron",
        "hs37d5",
    ];
    let scaffolds = [
        "scaffold", "contig", "super", "phix", "lambda", "ercc", "hla",
    ];
    let is_refseq = name.starts_with("NC_");
    is_refseq
        || !(name.contains(['_', '.', '*', '-'])
            || others.contains(&bare.as_str())
            || scaffolds.iter().any(|s| bare.starts_with(s)))
}

/// Whether these are the names of all main chromosomes of human or mouse.
pub(crate) fn are_of_human_or_mouse(names: &[&str]) -> bool {
    let mut folded: Vec<String> = names.iter().map(|name| folded(name)).collect();
    folded.sort();
    [22, 19].into_iter().any(|n_autosomes: u8| {
        let autosomes = (1..=n_autosomes).map(|n| n.to_string());
        let mut known: Vec<String> = autosomes.chain(["x".into(), "y".into()]).collect();
        known.sort();
        known == folded
    })
}

/// Whether this is a Y chromosome.
pub(crate) fn is_y(name: &str) -> bool {
    folded(name) == "y"
}

#[cfg(test)]
mod tests {
    use crate::{Assembly, read_aliases};

    fn toy(list: &[(&str, u64)]) -> Assembly {
        let list: Vec<(String, u64)> = list.iter().map(|(n, l)| (n.to_string(), *l)).collect();
        Assembly::from_chromosomes("toy", &list).unwrap()
    }

    fn aliases(text: &str, assembly: &Assembly) -> Result<Vec<(String, String)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chromAlias.txt");
        std::fs::write(&path, text).unwrap();
        read_aliases(&path, assembly).map_err(|e| e.to_string())
    }

    #[test]
    fn ensembl_and_ucsc_name_the_same_chromosomes() {
        let hg38 = Assembly::by_name("hg38").unwrap();
        for (name, meant) in [
            ("1", "chr1"),
            ("CHR1", "chr1"),
            ("Chr1", "chr1"),
            ("x", "chrX"),
            ("MT", "chrM"),
            ("chrMT", "chrM"),
        ] {
            assert_eq!(hg38.resolve(name).unwrap().name, meant, "{name}");
        }
        assert!(hg38.resolve("chr23").is_err() && hg38.resolve("chr").is_err());
        // Names of the assembly itself come first.
        let both = toy(&[("1", 10), ("chr1", 20)]);
        assert_eq!(both.resolve("1").unwrap().length, 10);
        assert!(both.resolve("CHR1").is_err());
        let fly = toy(&[("2L", 10), ("mitochondrion_genome", 20)]);
        assert_eq!(fly.resolve("chr2L").unwrap().length, 10);
        assert_eq!(fly.resolve("chrM").unwrap().length, 20);
    }

    #[test]
    fn the_mitochondrion_of_hg19_is_not_the_one_that_is_called_mt() {
        let hg19 = Assembly::by_name("hg19").unwrap();
        assert_eq!(hg19.resolve("chrM").unwrap().length, 16_571);
        assert!(hg19.resolve("MT").is_err());
        assert_eq!(hg19.resolve("7").unwrap().name, "chr7");
    }

    #[test]
    fn a_table_of_names_is_read_in_both_of_its_forms() {
        let assembly = toy(&[("chr1", 10), ("chr2", 20)]);
        let wide = "# ucsc\tassembly\tgenbank\trefseq\n\
                    chr1\t1\tCM000663.2\tNC_000001.11\nchr2\t\tCM000664.2\tNC_000002.12\n\
                    chr9\t9\tCM000671.2\tNC_000009.12\n";
        let read = aliases(wide, &assembly).unwrap();
        assert_eq!(read.len(), 5);
        let dump = "NC_000001.11\tchr1\trefseq\n1\tchr1\tassembly,ensembl\n";
        let dumped = aliases(dump, &assembly).unwrap();
        assert_eq!(dumped[0], ("NC_000001.11".into(), "chr1".into()));
        assert_eq!(dumped.len(), 2);
        let with = assembly.with_aliases(&read).unwrap();
        assert_eq!(with.resolve("NC_000002.12").unwrap().name, "chr2");
        assert!(with.chromosome("NC_000002.12").is_err());
    }

    #[test]
    fn a_name_of_two_chromosomes_is_refused_and_so_is_a_table_of_another_assembly() {
        let assembly = toy(&[("chr1", 10), ("chr2", 20)]);
        let message = aliases("chr1\ta\nchr2\ta\n", &assembly).unwrap_err();
        assert!(
            message.contains("line 2: `a` would be both chr1 and chr2"),
            "{message}"
        );
        let message = aliases("chr1\tchr2\n", &assembly).unwrap_err();
        assert!(message.contains("line 1"), "{message}");
        let message = aliases("2L\tchr2L\n", &assembly).unwrap_err();
        assert!(message.contains("no row of it"), "{message}");
    }
}
