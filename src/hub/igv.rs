//! The same tracks for IGV desktop, as a session, and for igv.js, as a configuration.
//!
//! Sources: the sessions that IGV 2.19 saves, and the options of igv.js 3.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::track::{AddedBed, HubTrack, word};
use super::ucsc::escaped;
use crate::genome::Interval;

/// Assemblies that both know by UCSC's name.
const KNOWN: [&str; 20] = [
    "hg18", "hg19", "hg38", "hs1", "mm9", "mm10", "mm39", "rn6", "rn7", "dm3", "dm6", "ce10",
    "ce11", "danRer10", "danRer11", "sacCer3", "galGal6", "bosTau9", "susScr11", "canFam6",
];
/// Pixels of a track.
const HEIGHT: u32 = 40;

/// Where a browser opens.
pub(super) struct Opening<'a> {
    pub assembly: &'a str,
    pub locus: &'a Interval,
    /// The address that the hub's folder will have; paths are relative without one.
    pub base: Option<&'a str>,
}

impl Opening<'_> {
    fn path(&self, file: &str) -> String {
        let within = format!("{}/{file}", word(self.assembly));
        match self.base {
            Some(base) => format!("{}/{within}", base.trim_end_matches('/')),
            None => within,
        }
    }
}

/// Whether browsers know an assembly by its name.
pub(super) fn is_known(assembly: &str) -> bool {
    KNOWN.contains(&assembly)
}

/// `igv_session.xml`. Of an assembly that IGV does not know it names the file of chromosome sizes.
pub(super) fn session(opening: &Opening<'_>, tracks: &[HubTrack], beds: &[AddedBed]) -> String {
    let genome = match is_known(opening.assembly) {
        true => opening.assembly.to_string(),
        false => opening.path("chrom.sizes"),
    };
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n\
         <Session genome=\"{}\" locus=\"{}\" version=\"8\">\n    <Resources>\n",
        escaped(&genome),
        escaped(&opening.locus.to_string())
    );
    let resources = (tracks.iter().map(|t| (t.file(), "bigwig")))
        .chain(beds.iter().map(|b| (b.file(), "bigbed")));
    for (file, format) in resources {
        let _ = writeln!(
            text,
            "        <Resource path=\"{}\" type=\"{format}\" format=\"{format}\"/>",
            escaped(&opening.path(&file))
        );
    }
    text += "    </Resources>\n    <Panel name=\"DataPanel\">\n";
    for track in tracks {
        let colour = track.colour;
        let _ = write!(
            text,
            "        <Track attributeKey=\"{0}\" autoScale=\"false\" \
             clazz=\"org.broad.igv.track.DataSourceTrack\" color=\"{1},{2},{3}\" height=\"{HEIGHT}\" \
             id=\"{4}\" name=\"{0}\" renderer=\"BAR_CHART\" visible=\"true\" \
             windowFunction=\"mean\">\n            \
             <DataRange baseline=\"0.0\" drawBaseline=\"true\" flipAxis=\"false\" \
             maximum=\"{5}\" minimum=\"{6}\" type=\"LINEAR\"/>\n        </Track>\n",
            escaped(&track.name()),
            colour.0,
            colour.1,
            colour.2,
            escaped(&opening.path(&track.file())),
            track.limits.high,
            track.limits.low,
        );
    }
    for bed in beds {
        let _ = writeln!(
            text,
            "        <Track attributeKey=\"{0}\" clazz=\"org.broad.igv.track.FeatureTrack\" \
             displayMode=\"EXPANDED\" id=\"{1}\" name=\"{0}\" visible=\"true\"/>",
            escaped(&bed.name),
            escaped(&opening.path(&bed.file())),
        );
    }
    text + "    </Panel>\n</Session>\n"
}

/// `igv.json`: what `igv.createBrowser` takes.
pub(super) fn configuration(
    opening: &Opening<'_>,
    tracks: &[HubTrack],
    beds: &[AddedBed],
) -> String {
    let mut all: Vec<Value> = (tracks.iter())
        .map(|track| {
            let colour = track.colour;
            json!({
                "name": track.name(), "type": "wig", "format": "bigwig",
                "url": opening.path(&track.file()),
                "color": format!("rgb({},{},{})", colour.0, colour.1, colour.2),
                "min": track.limits.low, "max": track.limits.high, "autoscale": false,
                "height": HEIGHT, "windowFunction": "mean",
                "metadata": {
                    "biosample": track.experiment.biosample, "assay": track.experiment.assay,
                    "source": track.source(), "unit": track.unit,
                },
            })
        })
        .collect();
    all.extend(beds.iter().map(|bed| {
        json!({
            "name": bed.name, "type": "annotation", "format": "bigbed",
            "url": opening.path(&bed.file()), "displayMode": "EXPANDED",
        })
    }));
    let mut configuration = json!({ "locus": opening.locus.to_string(), "tracks": all });
    match is_known(opening.assembly) {
        true => configuration["genome"] = json!(opening.assembly),
        false => {
            configuration["reference"] = json!({
                "id": opening.assembly, "name": opening.assembly, "format": "chromsizes",
                "fastaURL": opening.path("chrom.sizes"), "wholeGenomeView": false,
            });
        }
    }
    format!("{configuration:#}\n")
}
