//! What the names of a folder's files say of their tracks.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// What the name of a track's file says.
#[derive(Debug, PartialEq)]
pub struct OfName {
    pub biosample: String,
    pub assay: String,
    /// The number of a replicate, as the file has it.
    replicate: Option<String>,
    /// Whether parts of the name were left out.
    pub has_more: bool,
}

/// Reads BIOSAMPLE.ASSAY.*, or Roadmap's EID-ASSAY.* (`E003-H3K4me3.pval.signal.bigwig`).
pub fn named(file: &str) -> Option<OfName> {
    let parts: Vec<&str> = file.split('.').collect();
    let of_roadmap = |text: &str| {
        let (eid, assay) = text.split_once('-')?;
        let is_eid =
            eid.len() == 4 && eid.starts_with('E') && eid[1..].bytes().all(|b| b.is_ascii_digit());
        (is_eid && !assay.is_empty()).then(|| (eid.to_string(), assay.to_string()))
    };
    if let Some((biosample, assay)) = of_roadmap(parts.first()?) {
        return (parts.len() > 1).then_some(OfName {
            biosample,
            assay,
            replicate: None,
            has_more: true,
        });
    }
    let [biosample, assay, rest @ ..] = parts.as_slice() else {
        return None;
    };
    if biosample.is_empty() || assay.is_empty() || rest.is_empty() {
        return None;
    }
    let is_replicate = |part: &&&str| {
        let lower = part.to_ascii_lowercase();
        let number = lower.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let word = &lower[..lower.len() - number.len()];
        let number = number.trim_start_matches(['-', '_']);
        ["r", "rep", "replicate", "biorep"].contains(&word)
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    };
    Some(OfName {
        biosample: biosample.to_string(),
        assay: assay.to_string(),
        replicate: rest.iter().find(is_replicate).map(|part| part.to_string()),
        has_more: rest.len() > 2,
    })
}

/// Refuses two files of one experiment, unless they call themselves replicates.
pub fn refuse_colliding(rows: &[(OfName, PathBuf)]) -> anyhow::Result<()> {
    for pair in rows.windows(2) {
        let [(a, path_a), (b, path_b)] = pair else {
            continue;
        };
        if (&a.biosample, &a.assay) != (&b.biosample, &b.assay) {
            continue;
        }
        let file = |path: &Path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        if a.replicate.is_none() || b.replicate.is_none() || a.replicate == b.replicate {
            bail!(
                "{} and {} would both be biosample {}, assay {}: a name is BIOSAMPLE.ASSAY.*, without \
                 other dots before the assay; replicates are named BIOSAMPLE.ASSAY.rep1.*",
                file(path_a),
                file(path_b),
                a.biosample,
                a.assay
            );
        }
        eprintln!(
            "{} and {} are replicates of {} {}; their mean is used",
            file(path_a),
            file(path_b),
            a.biosample,
            a.assay
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Option<(String, String, Option<String>)> {
        named(file).map(|n| (n.biosample, n.assay, n.replicate))
    }

    #[test]
    fn names_of_files_say_biosample_assay_and_replicate() {
        let of = |b: &str, a: &str, r: Option<&str>| {
            Some((b.to_string(), a.to_string(), r.map(str::to_string)))
        };
        assert_eq!(read("H1.H3K4me3.npy"), of("H1", "H3K4me3", None));
        assert_eq!(
            read("H1.H3K4me3.rep_2.bw"),
            of("H1", "H3K4me3", Some("rep_2"))
        );
        assert_eq!(read("H1.RNA.r1.bw"), of("H1", "RNA", Some("r1")));
        let roadmap = "E003-H3K4me3.pval.signal.bigwig";
        assert_eq!(read(roadmap), of("E003", "H3K4me3", None));
        assert_eq!(read("H1.npy"), None);
    }

    #[test]
    fn files_that_come_to_one_experiment_are_refused_unless_they_are_replicates() {
        let rows = |names: &[&str]| -> Vec<(OfName, PathBuf)> {
            let row = |name: &&str| (named(name).unwrap(), PathBuf::from(name));
            names.iter().map(row).collect()
        };
        let dotted = ["H1.p12.H3K27me3.npy", "H1.p12.H3K4me3.npy"];
        let message = refuse_colliding(&rows(&dotted)).unwrap_err().to_string();
        assert!(
            message.contains("H1.p12.H3K27me3.npy and H1.p12.H3K4me3.npy"),
            "{message}"
        );
        let replicates = ["H1.H3K4me3.rep1.bw", "H1.H3K4me3.rep2.bw"];
        assert!(refuse_colliding(&rows(&replicates)).is_ok());
    }
}
