//! `persea ingest --encode`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use persea::compendium::encode::{
    Choice, ChoiceOptions, Chosen, LocalCopies, LocalFile, PortalFile, PortalTable, choose,
    provide, write_peaks,
};
use persea::formats::Location;
use persea::store::Database;
use serde_json::{Map, Value, json};

use super::super::output::{Format, Table, print_json, printable};
use super::{Arguments, Common, How, STOPPING, progress, read_manifest};

/// Runs the command.
pub fn run(
    path: &Path,
    arguments: &Arguments,
    how: &How,
    database: &Database,
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let table = PortalTable::read(path)?;
    let options = ChoiceOptions {
        output_type: arguments.output_type.clone(),
        prefer: arguments.prefer,
        replicates: arguments.replicates,
    };
    let choice = choose(&table, database.axis().assembly(), &options);
    let folder = match (&arguments.files, path.parent()) {
        (Some(folder), _) => folder.clone(),
        (None, Some(parent)) if parent.as_os_str().is_empty() => PathBuf::from("."),
        (None, Some(parent)) => parent.to_path_buf(),
        (None, None) => PathBuf::from("."),
    };
    let copies = LocalCopies::of(&folder)?;
    print_choice(&choice);
    if arguments.dry_run {
        print_manifest(&choice, &copies, common.format)?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = progress::stop_on_interrupt(STOPPING)?;
    let bar = progress::bar(0, "{msg} {wide_bar} {bytes} of {total_bytes} left {eta}");
    let provided = provide(
        &table,
        &choice,
        &copies,
        database,
        &mut |event| {
            bar.set_message(event.accession.to_string());
            bar.set_length(event.total);
            bar.set_position(event.n_bytes);
        },
        &stop,
    )?;
    bar.finish_and_clear();
    let mut is_whole = choice.ambiguous.is_empty() && provided.failed.is_empty();
    is_whole &= provided.n_left == 0;
    for (experiment, error) in &provided.failed {
        eprintln!("persea: {}", printable(&format!("{experiment}: {error}")));
    }
    let mut code = ExitCode::SUCCESS;
    match &provided.manifest {
        Some(manifest) => {
            code = read_manifest(database, manifest, how, &stop, common)?;
            describe_biosamples(&choice, database)?;
        }
        None => eprintln!("persea: no file of {} could be read", path.display()),
    }
    keep_peaks(&provided.peaks, path, &folder)?;
    match is_whole && provided.manifest.is_some() {
        true => Ok(code),
        false => Ok(ExitCode::FAILURE),
    }
}

/// Says what is taken, what is left and why, and what the user has to decide.
fn print_choice(choice: &Choice) {
    let say = |text: String| eprintln!("{}", printable(&text));
    let mut n_undecided = 0;
    let signal = choice.taken.iter().map(|chosen| ("taken", &chosen.file));
    let peaks = choice.peaks.iter().map(|file| ("peaks", file));
    for (what, file) in signal.chain(peaks) {
        let what = match choice.is_ambiguous(file) {
            true => "undecided",
            false => what,
        };
        n_undecided += usize::from(what == "undecided");
        let audit = match &file.origin.audit {
            Some(audit) => format!("; audit: {audit}"),
            None => String::new(),
        };
        say(format!(
            "{what} {}: {} {}, {} ({}){audit}",
            file.accession, file.biosample, file.assay, file.output_type, file.experiment
        ));
    }
    for left in &choice.left {
        say(format!("left {}: {}", left.accession, left.reason));
    }
    for note in &choice.notes {
        say(format!("persea: {note}"));
    }
    for ambiguous in &choice.ambiguous {
        let message = format!("ambiguous {}: {}", ambiguous.experiment, ambiguous.message);
        say(super::super::with_flags(&message));
    }
    let n_chosen = choice.taken.len() + choice.peaks.len();
    say(format!(
        "of {} files: {} taken, {} undecided, {} left",
        n_chosen + choice.left.len(),
        n_chosen - n_undecided,
        n_undecided,
        choice.left.len()
    ));
}

/// Prints the manifest that would be used, without what is undecided. As a table for people it would be none: it
/// is TSV then.
fn print_manifest(choice: &Choice, copies: &LocalCopies, format: Format) -> anyhow::Result<()> {
    let path = |file: &PortalFile| match copies.find(file) {
        Some(copy) => copy.display().to_string(),
        // Without a password or a signature.
        None => Location::Url(file.url.clone()).to_string(),
    };
    if format == Format::Json {
        let taken = choice.taken.iter().map(|chosen| {
            let (file, origin) = (&chosen.file, &chosen.file.origin);
            json!({
                "biosample": file.biosample, "assay": file.assay, "path": path(file),
                "format": "bigwig", "unit": chosen.unit, "accession": file.accession,
                "experiment": file.experiment, "output_type": file.output_type,
                "donor": origin.donor, "audit": origin.audit, "md5": origin.md5,
                "ambiguous": choice.is_ambiguous(file),
            })
        });
        let peaks = choice.peaks.iter().map(|file| {
            json!({
                "biosample": file.biosample, "assay": file.assay, "path": path(file),
                "accession": file.accession, "experiment": file.experiment,
            })
        });
        let left = choice.left.iter().map(
            |left| json!({"line": left.line, "accession": left.accession, "reason": left.reason}),
        );
        let document = json!({
            "taken": taken.collect::<Vec<_>>(),
            "peaks": peaks.collect::<Vec<_>>(),
            "left": left.collect::<Vec<_>>(),
        });
        return Ok(print_json(&document)?);
    }
    let mut table = Table::new(&["biosample", "assay", "path", "format", "unit"]);
    let decided = |chosen: &&Chosen| !choice.is_ambiguous(&chosen.file);
    for chosen in choice.taken.iter().filter(decided) {
        let file = &chosen.file;
        table.row(vec![
            json!(file.biosample),
            json!(file.assay),
            json!(path(file)),
            json!("bigwig"),
            json!(chosen.unit),
        ]);
    }
    table.print(match format {
        Format::Csv => Format::Csv,
        _ => Format::Tsv,
    })?;
    Ok(())
}

/// Keeps what the table says of the biosamples that have a track.
fn describe_biosamples(choice: &Choice, database: &Database) -> anyhow::Result<()> {
    let stored: Vec<String> = database.biosamples()?.into_iter().map(|b| b.name).collect();
    let mut described: Vec<&str> = Vec::new();
    for file in choice.taken.iter().map(|chosen| &chosen.file) {
        let name = file.biosample.as_str();
        if described.contains(&name) || !stored.contains(&file.biosample) {
            continue;
        }
        described.push(name);
        let about = file.about_biosample.iter();
        let about: Map<String, Value> = about
            .map(|(column, value)| (column.clone(), json!(value)))
            .collect();
        database.update_biosample(name, &about)?;
    }
    Ok(())
}

/// Writes the manifest of called peaks, named after the table, beside the copies.
fn keep_peaks(peaks: &[LocalFile], table: &Path, folder: &Path) -> anyhow::Result<()> {
    if peaks.is_empty() {
        return Ok(());
    }
    let stem = table.file_stem().map(|stem| stem.to_string_lossy());
    // The table has been read, so it has a name.
    let stem = stem.unwrap_or_default();
    let to = folder.join(format!("{stem}.peaks.tsv"));
    write_peaks(&to, peaks)?;
    eprintln!(
        "called peaks of {} of the tracks: {} (evaluate --peaks reads them)",
        peaks.len(),
        to.display()
    );
    Ok(())
}
