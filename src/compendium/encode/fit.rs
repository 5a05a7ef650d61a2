//! Whether a file can be of a database at all: its format, organism, assembly and status.

use super::table::{FileKind, PortalFile};
use crate::genome::Assembly;

/// Why a file is none of the database's, whatever else there is of its experiment.
pub(super) fn unfit(file: &PortalFile, assembly: &Assembly) -> Option<String> {
    let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    if file.portal_assay.to_ascii_lowercase().contains("control") || is(&file.assay, "control") {
        return Some("it is a control".into());
    }
    if file.kind == FileKind::Other {
        return Some(format!("format {}, not bigWig or narrowPeak", file.format));
    }
    if file.biosample.is_empty() || file.assay.is_empty() {
        return Some("it names no biosample or no assay".into());
    }
    let organism = organism(assembly.name());
    if let Some(wanted) = organism.filter(|o| !file.organism.is_empty() && !is(o, &file.organism)) {
        return Some(format!(
            "organism {}; the database's assembly is of {wanted}",
            file.organism
        ));
    }
    if !is_assembly(&file.assembly, assembly) {
        return Some(format!(
            "assembly {}; the database has {}",
            shown(&file.assembly),
            assembly.name()
        ));
    }
    if !file.status.is_empty() && !is(&file.status, "released") {
        return Some(format!("status {}, not released", file.status));
    }
    if !file.analysis_status.is_empty() && !is(&file.analysis_status, "released") {
        return Some(format!(
            "status of its analysis {}, not released",
            file.analysis_status
        ));
    }
    None
}

/// A text of the table; what is empty is named.
pub(super) fn shown(text: &str) -> &str {
    if text.is_empty() { "(none)" } else { text }
}

/// Whether the portal's name is that of an assembly: `GRCh38` is hg38, `mm10-minimal` mm10.
fn is_assembly(name: &str, assembly: &Assembly) -> bool {
    let name = name.strip_suffix("-minimal").unwrap_or(name);
    name.eq_ignore_ascii_case(assembly.name())
        || Assembly::by_name(name).is_ok_and(|known| known.name() == assembly.name())
}

/// Whose genome a built-in assembly is.
fn organism(assembly: &str) -> Option<&'static str> {
    match assembly {
        "hg19" | "hg38" | "hs1" => Some("Homo sapiens"),
        "mm10" | "mm39" => Some("Mus musculus"),
        "dm6" => Some("Drosophila melanogaster"),
        _ => None,
    }
}
