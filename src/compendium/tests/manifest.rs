//! Manifests, good and bad.

use std::fs;
use std::path::Path;

use super::super::*;
use super::{folder_with, read};
use crate::store::Transform;

#[test]
fn a_manifest_has_defaults_and_takes_every_column() {
    let folder = folder_with(
        "biosample assay path format transform multiplier unit missing\n\
         E003 H3K4me1 a.npy\t\t\t\t\t\n\
         E003 H3K4me3 https://x.org/b.bw bigwig none 2.5 counts nan\n",
    );
    let manifest = read(&folder).unwrap();
    let [first, second] = &manifest.rows[..] else {
        panic!("{:?}", manifest.rows);
    };
    use crate::formats::{Format, Location, Missing};
    assert_eq!(first.location, Location::Path(folder.path().join("a.npy")));
    assert_eq!(
        (first.line, first.transform, first.multiplier),
        (2, Transform::Arcsinh, 1.0)
    );
    assert_eq!(
        (first.format, &first.unit, first.missing),
        (None, &None, Missing::ByFormat)
    );
    assert_eq!(second.location, Location::Url("https://x.org/b.bw".into()));
    assert_eq!(
        (second.line, second.transform, second.multiplier),
        (3, Transform::None, 2.5)
    );
    assert_eq!(second.format, Some(Format::BigWig));
    assert_eq!(
        (second.unit.as_deref(), second.missing),
        (Some("counts"), Missing::Nan)
    );
}

#[test]
fn commas_quotes_blank_lines_and_windows_line_ends_are_understood() {
    let folder = folder_with("");
    let path = folder.path().join("m.csv");
    let text = "\u{feff}Biosample, assay ,path\r\n\r\n\"T cell, CD4\",H3K4me1,a.npy\r\n# E1,x,y\r\nE2,H3K4me1,b.npy\r\n";
    fs::write(&path, text).unwrap();
    let manifest = Manifest::read(&path, &ColumnMap::default()).unwrap();
    assert_eq!(manifest.rows[0].biosample, "T cell, CD4");
    assert_eq!((manifest.rows[0].line, manifest.rows[1].line), (3, 5));
}

#[test]
fn bad_manifests_are_refused_with_line_and_reason() {
    let head = "biosample assay path";
    for (text, why) in [
        ("", "it is empty"),
        (
            "biosample assay\nE003 x\n",
            "line 1: there is no column `path`",
        ),
        (
            &format!("{head} colour\nE003 x a.npy red\n"),
            "line 1: unknown column `colour`; a manifest has biosample, assay, path, format, transform, multiplier, unit, missing. If its columns have other names, map them by option `columns`",
        ),
        (
            &format!("{head} path\nE003 x a.npy b.npy\n"),
            "two columns are named `path`",
        ),
        (
            &format!("{head}\nE003 x\n"),
            "line 2: it has 2 fields, the header 3",
        ),
        (
            &format!("{head}\nE003 x a.npy\n\tx b.npy\n"),
            "line 3: the biosample is empty",
        ),
        (
            &format!("{head} multiplier\nE003 x a.npy 1\nE003 y b.npy 1,5\n"),
            "line 3: the multiplier `1,5` is not a number above 0",
        ),
        (
            &format!("{head} multiplier\nE003 x a.npy -1\n"),
            "line 2: the multiplier `-1`",
        ),
        (
            &format!("{head} multiplier\nE003 x a.npy inf\n"),
            "line 2: the multiplier `inf`",
        ),
        (
            &format!("{head} transform\nE003 x a.npy log\n"),
            "line 2: `log` is not a transform; those are arcsinh and none",
        ),
        (
            &format!("{head} format\nE003 x a.npy wig\n"),
            "line 2: `wig` is not a format",
        ),
        (
            &format!("{head} missing\nE003 x a.npy yes\n"),
            "line 2: `yes` does not say",
        ),
        (&format!("{head}\nE003 x missing\n"), "no row names a file"),
    ] {
        let message = read(&folder_with(text)).unwrap_err().to_string();
        assert!(message.contains(why), "{text:?}: {message}");
    }
    let message = Manifest::read(Path::new("/nowhere/m.tsv"), &ColumnMap::default()).unwrap_err();
    assert!(
        message.to_string().contains("cannot read /nowhere/m.tsv"),
        "{message}"
    );
}

#[test]
fn mixtures_within_an_assay_and_repeated_experiments_name_both_lines() {
    let head = "biosample assay path";
    for (text, why) in [
        (
            format!("{head}\nE003 x a.npy\nE017 x b.npy\nE003 x c.npy\n"),
            "line 4: E003 x stands in line 2 already; if they are replicates, option `replicates` mean",
        ),
        (
            format!("{head} unit\nE003 x a.npy fold\nE017 x b.npy pvalue\n"),
            "line 3: x has unit pvalue, line 2 fold",
        ),
        (
            format!("{head} unit\nE003 x a.npy fold\nE017 x b.npy \n"),
            "line 3: x has unit (none), line 2 fold",
        ),
        (
            format!("{head} transform\nE003 x a.npy none\nE017 x b.npy arcsinh\n"),
            "line 3: x has transform arcsinh, line 2 none",
        ),
    ] {
        let manifest = read(&folder_with(&text)).unwrap();
        let message = manifest.tracks(Replicates::Refuse).unwrap_err().to_string();
        assert!(message.contains(why), "{message}");
    }
    // Another assay may have another unit.
    let text = format!("{head} unit\nE003 x a.npy fold\nE003 y b.npy pvalue\n");
    assert!(
        read(&folder_with(&text))
            .unwrap()
            .tracks(Replicates::Refuse)
            .is_ok()
    );
}

#[test]
fn others_columns_are_mapped_and_the_rest_ignored() {
    let folder = folder_with("cell assay extra file n\nE003 x 1 a.npy 5\n");
    let path = folder.path().join("m.tsv");
    let columns = ColumnMap::parse("biosample=cell,path=file").unwrap();
    let manifest = Manifest::read(&path, &columns).unwrap();
    assert_eq!(manifest.rows.len(), 1);
    let columns = ColumnMap::parse("biosample=cells,path=file").unwrap();
    let message = Manifest::read(&path, &columns).unwrap_err().to_string();
    assert!(
        message.contains("no column `cells` for the biosample"),
        "{message}"
    );
    let columns = ColumnMap::parse("biosample=cell,path=file,unit=units").unwrap();
    let message = Manifest::read(&path, &columns).unwrap_err().to_string();
    assert!(
        message.contains("no column `units` for the unit"),
        "{message}"
    );
}
