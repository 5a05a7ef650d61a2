//! The real manifest of TargetFinder's peaks, in its own columns, as found.

use super::annotation::shared_data;
use super::workspace::Workspace;

#[test]
fn a_real_manifest_of_peaks_with_its_own_columns_and_replicates_is_ingested() {
    let folder = shared_data().join("targetfinder/peaks-chr20-22");
    let manifest = folder.join("manifest.tsv");
    if !manifest.exists() {
        super::skipped::skipped("data", format!("there is no {}", manifest.display()));
        return;
    }
    let workspace = Workspace::new();
    workspace.write("regions.bed", "chr22\t30000000\t30500000\n");
    workspace.ok("create --assembly hg19 --regions regions.bed");
    let ingest = format!(
        "ingest {} --columns biosample=cell,path=file --format json",
        manifest.display()
    );
    workspace
        .run(&ingest)
        .fails(&["manifest.tsv, line", "--replicates mean"]);
    // 386 tracks, three of them of two replicates; 13 rows name no file. Eight files have few peaks and none on
    // chr22: there they have no data.
    let outcome = workspace.run(&format!("{ingest} --replicates mean"));
    let without = [
        "GM12878 ZNF274",
        "HeLa-S3 BRF1",
        "HeLa-S3 BRF2",
        "HeLa-S3 ZNF274",
        "IMR90 BDP1",
        "IMR90 GDOWN1",
        "IMR90 POLR3G",
        "IMR90 POLR3GL",
    ];
    let refused = without.map(|track| format!("{track}: none of its bins has data"));
    let outcome = outcome.fails(&refused.each_ref().map(String::as_str));
    let counts = &outcome.json()[0];
    assert_eq!(
        (&counts["ingested"], &counts["without_file"]),
        (&378.into(), &13.into())
    );
    assert_eq!(
        (&counts["failed"], &counts["replaced"]),
        (&8.into(), &0.into())
    );
    let tracks = workspace.ok("track list --format json").json();
    let tracks = tracks.as_array().unwrap();
    assert_eq!(tracks.len(), 378);
    // Most have a peak in half a megabase of chr22; those without are told of.
    let n_zero = tracks.iter().filter(|t| t["maximum"] == 0.0).count();
    assert!((1..150).contains(&n_zero), "{n_zero}");
    let warned = outcome
        .stderr
        .matches("no signal in the covered regions")
        .count();
    assert_eq!(warned, n_zero, "{outcome}");
    let again = workspace.run(&format!("{ingest} --replicates mean"));
    assert_eq!(again.json()[0]["unchanged"], 378);
    workspace.is_whole();
}
