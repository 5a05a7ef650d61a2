//! Writing a hub: signal first, then the texts that describe it, then the folder's name.

use std::collections::HashSet;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::HubError;
use super::igv::{self, Opening};
use super::options::{HubOptions, WrittenHub};
use super::record;
use super::survey::Survey;
use super::track::{AddedBed, biosample_metadata, named, word};
use super::ucsc::{self, Titles};
use crate::files::{FileError, UnfinishedFolder, folder};
use crate::formats::{Format, bigbed_fields, write_text};
use crate::genome::Assembly;
use crate::imputation::{CompletedTrack, signal_unit, write_tracks};
use crate::model::TrainedModel;
use crate::store::Database;

/// Writes tracks (see [`hub_tracks`](super::hub_tracks)) over spans of the model's axis, or of the database's
/// where there is no model, as a hub in a new folder; `progress` receives how many bins are done in all. A hub that an
/// earlier call with the same tracks, model and options has written there is left as it is, if its files are whole.
///
/// # Errors
/// When anything else stands in the folder's place, a bigBed is none or of another assembly, a blob or a chunk
/// is damaged, or the disk is full. Nothing is left then.
pub fn write_hub(
    database: &Database,
    model: Option<&TrainedModel>,
    path: &Path,
    tracks: &[CompletedTrack],
    spans: &[Range<u64>],
    options: &HubOptions,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<WrittenHub> {
    let failed = |e: io::Error| FileError::write(path.display(), e);
    let settings = record::settings(database, model, tracks, spans, options)?;
    if path.symlink_metadata().is_ok() {
        if let Some(hub) = record::written_before(path, &settings) {
            return Ok(hub);
        }
        let why = "is there already, and is not replaced; remove it or choose another name";
        return Err(FileError::file(path.display(), why).into());
    }
    let axis = model.map_or(database.axis(), TrainedModel::axis);
    let assembly = axis.assembly();
    let output = UnfinishedFolder::begin_in(folder(path)).map_err(failed)?;
    let within = output.path().join(word(assembly.name()));
    std::fs::create_dir(&within).map_err(failed)?;
    let mut named = named(database, model, tracks, &|assay| {
        signal_unit(database, assay, options.scale)
    })?;
    let beds = add_beds(assembly, &options.beds, &within)?;

    let paths: Vec<PathBuf> = named.iter().map(|t| within.join(t.file())).collect();
    let mut survey = Survey::new(axis, spans, tracks.len());
    write_tracks(
        database,
        model,
        tracks,
        &paths,
        Format::BigWig,
        spans,
        options.scale,
        &mut |i, first, values| survey.add(i, &tracks[i].experiment.assay, first, values),
        progress,
    )?;
    survey.apply(&mut named);
    let busiest = survey.busiest();
    let locus = match (&options.locus, busiest) {
        (Some(locus), _) => locus.clone(),
        (None, Some(busiest)) => busiest,
        (None, None) => axis.region_interval(0),
    };

    let titles = Titles {
        name: options.name.clone(),
        short: options.short_label.clone(),
        long: options.long_label.clone(),
        email: options.email.clone(),
        assembly: assembly.name().to_string(),
    };
    let opening = Opening {
        assembly: assembly.name(),
        locus: &locus,
        base: options.base.as_deref(),
    };
    let metadata = ucsc::metadata(&named, &biosample_metadata(database)?);
    let name_of_model = model.map(|m| m.record().name.as_str());
    let root = output.path();
    for (file, text) in [
        (within.join("chrom.sizes"), chrom_sizes(assembly)),
        (within.join("metadata.tsv"), metadata),
        (
            within.join("trackDb.txt"),
            ucsc::track_db(&titles, &named, &beds),
        ),
        (root.join("genomes.txt"), ucsc::genomes(assembly.name())),
        (root.join("hub.txt"), ucsc::hub(&titles)),
        (
            root.join("description.html"),
            ucsc::description(&titles, &named, name_of_model),
        ),
        (
            root.join("igv_session.xml"),
            igv::session(&opening, &named, &beds),
        ),
        (
            root.join("igv.json"),
            igv::configuration(&opening, &named, &beds),
        ),
    ] {
        write_text(&file, text.as_bytes())?;
    }
    let n_imputed = named.iter().filter(|t| t.is_imputed).count();
    let hub = WrittenHub {
        n_measured: named.len() - n_imputed,
        n_imputed,
        n_beds: beds.len(),
        is_known_assembly: igv::is_known(assembly.name()),
        locus,
        is_new: true,
    };
    record::write(root, settings, &hub)?;
    output.rename(path).map_err(failed)?;
    Ok(hub)
}

/// Copies bigBed files into the hub.
fn add_beds(assembly: &Assembly, files: &[PathBuf], within: &Path) -> crate::Result<Vec<AddedBed>> {
    let mut taken = HashSet::new();
    let mut beds = Vec::new();
    for file in files {
        let head = bigbed_fields(file)?;
        for (chrom, length) in &head.chromosomes {
            if !assembly
                .chromosome(chrom)
                .is_ok_and(|c| c.length == *length)
            {
                return Err(HubError::OtherAssembly {
                    file: file.display().to_string(),
                    chrom: chrom.clone(),
                    length: *length,
                    assembly: assembly.name().to_string(),
                }
                .into());
            }
        }
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // No subtrack is called so: those begin with the composite's name.
        let stem = format!("results_{}", word(&name));
        let key = std::iter::once(stem.clone())
            .chain((2u64..).map(|n| format!("{stem}_{n}")))
            .find(|key| taken.insert(key.to_lowercase()))
            .unwrap_or(stem);
        let bed = AddedBed {
            key,
            name,
            n_fields: head.n_fields,
            n_standard: head.n_standard,
        };
        let copy = within.join(bed.file());
        let bytes = std::fs::read(file).map_err(|e| FileError::read(file.display(), e))?;
        write_text(&copy, &bytes)?;
        beds.push(bed);
    }
    Ok(beds)
}

fn chrom_sizes(assembly: &Assembly) -> String {
    let line = |c: &crate::genome::Chromosome| format!("{}\t{}\n", c.name, c.length);
    assembly.chromosomes().iter().map(line).collect()
}
