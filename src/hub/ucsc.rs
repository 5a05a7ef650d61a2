//! The text files of a UCSC track hub.
//!
//! Sources: UCSC's Hub Track Database Definition, and its page on faceted composites. A subtrack is called
//! as its composite, an underscore and the value of the primary key in its row of the metadata.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use super::track::{AddedBed, HubTrack, word};
use crate::files::no_formula;

/// The name of the composite, with which the names of its subtracks begin.
const COMPOSITE: &str = "persea";
/// Tracks that are shown when the hub is opened.
const SHOWN: usize = 12;
/// Values of a column of metadata at most that is offered as a facet.
const FACET_VALUES: usize = 30;

/// What a hub is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Titles {
    pub name: String,
    pub short: String,
    pub long: String,
    pub email: String,
    pub assembly: String,
}

/// `hub.txt`.
pub(super) fn hub(titles: &Titles) -> String {
    let Titles {
        name,
        short,
        long,
        email,
        ..
    } = titles;
    format!(
        "hub {}\nshortLabel {}\nlongLabel {}\ngenomesFile genomes.txt\nemail {}\n\
         descriptionUrl description.html\n",
        word(name),
        line(short),
        line(long),
        line(email)
    )
}

/// `genomes.txt`.
pub(super) fn genomes(assembly: &str) -> String {
    format!(
        "genome {assembly}\ntrackDb {}/trackDb.txt\n",
        word(assembly)
    )
}

/// `trackDb.txt`: the composite with its subtracks, then the bigBed files.
pub(super) fn track_db(titles: &Titles, tracks: &[HubTrack], beds: &[AddedBed]) -> String {
    let mut text = format!(
        "track {COMPOSITE}\ncompositeTrack faceted\nshortLabel {}\nlongLabel {}\ntype bigWig\n\
         metaDataUrl metadata.tsv\nprimaryKey track\nvisibility full\nautoScale off\n\
         maxHeightPixels 100:32:8\nwindowingFunction mean\n",
        line(&titles.short),
        line(&titles.long)
    );
    for (i, track) in tracks.iter().enumerate() {
        let on = if i < SHOWN { "on" } else { "off" };
        let (low, high) = track.range;
        let _ = write!(
            text,
            "\n    track {COMPOSITE}_{}\n    parent {COMPOSITE} {on}\n    type bigWig {low} {high}\n    \
             bigDataUrl {}\n    shortLabel {}\n    longLabel {}\n    color {}\n    \
             viewLimits {}:{}\n    visibility full\n",
            track.key,
            track.file(),
            line(&track.short_label()),
            line(&track.long_label()),
            rgb(track),
            track.limits.low,
            track.limits.high,
        );
    }
    for bed in beds {
        let more = if bed.n_fields > bed.n_standard {
            "+"
        } else {
            "."
        };
        let colours = if bed.n_standard >= 9 {
            "itemRgb on\n"
        } else {
            ""
        };
        let _ = write!(
            text,
            "\ntrack {}\ntype bigBed {} {more}\nbigDataUrl {}\nshortLabel {}\nlongLabel {}\n\
             visibility pack\n{colours}",
            bed.key,
            bed.n_standard,
            bed.file(),
            line(&bed.name.chars().take(17).collect::<String>()),
            line(&bed.name),
        );
    }
    text
}

/// `metadata.tsv`: a row a subtrack. A column whose name begins with one underscore is searched and is no
/// facet; with two it is shown alone.
pub(super) fn metadata(
    tracks: &[HubTrack],
    of_biosamples: &HashMap<String, BTreeMap<String, String>>,
) -> String {
    let nothing = BTreeMap::new();
    let of = |track: &HubTrack| {
        of_biosamples
            .get(&track.experiment.biosample)
            .unwrap_or(&nothing)
    };
    let keys: BTreeSet<&String> = tracks.iter().flat_map(|t| of(t).keys()).collect();
    let n_biosamples = (tracks.iter().map(|t| &t.experiment.biosample))
        .collect::<BTreeSet<_>>()
        .len();
    // Columns of one name are told apart by their number.
    let mut columns: Vec<(&String, String)> = Vec::new();
    for key in keys {
        let values: BTreeSet<&String> = tracks.iter().filter_map(|t| of(t).get(key)).collect();
        if values.iter().all(|v| v.trim().is_empty()) {
            continue;
        }
        let is_facet =
            values.len() <= FACET_VALUES && (values.len() < n_biosamples || values.len() == 1);
        let stem = format!("{}{}", if is_facet { "" } else { "_" }, word(key));
        let fixed = ["track", "biosample", "assay", "source"];
        let is_taken = |name: &str| {
            let same = |other: &str| other.eq_ignore_ascii_case(name);
            fixed.iter().any(|f| same(f)) || columns.iter().any(|(_, c)| same(c))
        };
        let name = std::iter::once(stem.clone())
            .chain((2u64..).map(|n| format!("{stem}_{n}")))
            .find(|name| !is_taken(name))
            .unwrap_or(stem);
        columns.push((key, name));
    }
    let mut text = String::from("track\tbiosample\tassay\tsource");
    for (_, name) in &columns {
        text += &format!("\t{name}");
    }
    text += "\t_label\t__unit\t__origin\n";
    for track in tracks {
        let mut cells = vec![
            track.key.clone(),
            track.experiment.biosample.clone(),
            track.experiment.assay.clone(),
            track.source().to_string(),
        ];
        let value = |key: &String| of(track).get(key).cloned().unwrap_or_default();
        cells.extend(columns.iter().map(|(key, _)| value(key)));
        cells.extend([
            track.biosample_label.clone().unwrap_or_default(),
            track.unit.clone(),
            track.origin.clone(),
        ]);
        // Browsers show the unit as it stands, and `-log10 p` is one that a spreadsheet would take for a formula.
        let cells: Vec<String> = (cells.iter())
            .map(|cell| match *cell == track.unit && is_negative_log(cell) {
                true => line(cell),
                false => field(cell),
            })
            .collect();
        text += &cells.join("\t");
        text.push('\n');
    }
    text
}

/// `description.html`, which UCSC's browser shows for the hub and IGV's users read in a browser.
pub(super) fn description(titles: &Titles, tracks: &[HubTrack], model: Option<&str>) -> String {
    let n_imputed = tracks.iter().filter(|t| t.is_imputed).count();
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{0}</title></head>\n\
         <body>\n<h1>{0}</h1>\n<p>{1} measured and {2} imputed tracks on {3}.</p>\n",
        escaped(&titles.long),
        tracks.len() - n_imputed,
        n_imputed,
        escaped(&titles.assembly)
    );
    if let (true, Some(model)) = (n_imputed > 0, model) {
        let _ = writeln!(
            text,
            "<p>Imputed tracks are predictions of the model {} (Persea). They were not measured. Their labels \
             begin with <code>imp</code>, and they are paler than measured ones.</p>",
            escaped(model)
        );
    }
    text += "<p>Values are means over 25 bp. All tracks of an assay are drawn between the same limits.</p>\n\
             <table>\n<tr><th>Assay</th><th>Unit</th><th>Drawn from</th><th>to</th></tr>\n";
    let assays: BTreeMap<&str, &HubTrack> = (tracks.iter())
        .map(|t| (t.experiment.assay.as_str(), t))
        .collect();
    for (assay, track) in assays {
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(assay),
            escaped(&track.unit),
            track.limits.low,
            track.limits.high
        );
    }
    text + "</table>\n</body>\n</html>\n"
}

fn rgb(track: &HubTrack) -> String {
    let colour = track.colour;
    format!("{},{},{}", colour.0, colour.1, colour.2)
}

/// A text that stays in its line.
fn line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
        .trim()
        .to_string()
}

/// A text that stays in its field, and is none that a spreadsheet runs.
fn field(text: &str) -> String {
    no_formula(&line(text)).into_owned()
}

/// Whether a unit is that of a negative logarithm, such as `-log10 p`: a minus and words without an operator.
fn is_negative_log(unit: &str) -> bool {
    unit.strip_prefix("-log").is_some_and(|rest| {
        rest.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == ' ' || c == '.')
    })
}

/// A text in HTML or XML.
pub(super) fn escaped(text: &str) -> String {
    line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::igv;
    use super::super::track::tests::two;
    use super::*;
    use crate::genome::Interval;

    /// Compares with a golden file of fixtures/hub, which was read by eye against UCSC's definitions.
    fn is_golden(name: &str, text: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/hub")
            .join(name);
        if std::env::var_os("PERSEA_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, golden, "{name}; PERSEA_WRITE_GOLDEN=1 writes it anew");
    }

    #[test]
    fn the_files_of_a_hub_are_those_in_the_golden_folder() {
        let titles = Titles {
            name: "My hub".into(),
            short: "Pilot".into(),
            long: "Pilot, measured & imputed".into(),
            email: "someone@example.org".into(),
            assembly: "hg19".into(),
        };
        let beds = [AddedBed {
            key: "hits_of_a_b".into(),
            name: "hits of a-b".into(),
            n_fields: 13,
            n_standard: 6,
        }];
        let tracks = two();
        let metadata = |pairs: &[(&str, &str)]| {
            let text = |(k, v): &(&str, &str)| (k.to_string(), v.to_string());
            pairs.iter().map(text).collect::<BTreeMap<_, _>>()
        };
        let of_biosamples = HashMap::from([
            (
                "E003".to_string(),
                metadata(&[
                    ("GROUP", "ESC"),
                    ("Std name", "H1 Cells"),
                    ("empty", ""),
                    ("assay", "=1"),
                ]),
            ),
            (
                "T cell, <CD4> & \"T\"".to_string(),
                metadata(&[("GROUP", "ESC"), ("Std name", "a\tb"), ("assay", "=1")]),
            ),
        ]);
        let locus = Interval::new("chr1", 1_000_000, 1_100_000);
        is_golden("hub.txt", &hub(&titles));
        is_golden("genomes.txt", &genomes("hg19"));
        is_golden("trackDb.txt", &track_db(&titles, &tracks, &beds));
        is_golden("metadata.tsv", &super::metadata(&tracks, &of_biosamples));
        is_golden(
            "description.html",
            &description(&titles, &tracks, Some("base")),
        );
        let opening = igv::Opening {
            assembly: "hg19",
            locus: &locus,
            base: None,
        };
        is_golden("igv_session.xml", &igv::session(&opening, &tracks, &beds));
        is_golden("igv.json", &igv::configuration(&opening, &tracks, &beds));
        let opening = igv::Opening {
            assembly: "my cow",
            locus: &locus,
            base: Some("https://example.org/hub/"),
        };
        is_golden(
            "cow_session.xml",
            &igv::session(&opening, &tracks[..1], &[]),
        );
        is_golden("cow.json", &igv::configuration(&opening, &tracks[..1], &[]));
    }
}
