//! `persea import`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use persea::genome::{Assembly, GenomeAxis};
use persea::model::{
    AvocadoPart, EmbeddingOptions, ImportOptions, import_avocado, import_embedding,
};
use persea::store::{Database, NewDatabase, Precision};

use super::output::grouped;
use super::{Common, Misuse, hints, names, progress};

/// Import models and embeddings of other programs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: persea import avocado chr1=models/avocado-chr1 chr2=models/avocado-chr2 --db roadmap.persea --assembly hg19"
)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Avocado(Avocado),
    Embedding(Embedding),
}

/// Import pretrained models of the original Avocado: NAME.json and NAME.h5, one pair per chromosome.
///
/// The chromosomes become one model. They must share the network and the factors of biosamples and
/// assays. Each must have been trained on its whole chromosome, from the first base. Models of
/// concatenated regions (the ENCODE pilot regions) cannot be placed on the genome.
///
/// With --assembly the database is created too, and covers the given chromosomes. To include genes,
/// enhancers and a mask, create it first with `persea create --chromosomes`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea import avocado chr1=models/avocado-chr1 chr2=models/avocado-chr2 --db roadmap.persea --assembly hg19\n          persea import avocado chr21=avocado-chr21 --name published --precision f16"
)]
struct Avocado {
    /// Chromosome and file name: chr1=NAME reads NAME.json and NAME.h5
    #[arg(value_name = "CHROM=NAME", required = true)]
    parts: Vec<String>,
    /// Name of the model in the database
    #[arg(long, default_value = "avocado", value_name = "NAME")]
    name: String,
    /// Create the database with this assembly: hg19, hg38, hs1, mm10, mm39, dm6, or any name together
    /// with --chrom-sizes
    #[arg(long, value_name = "NAME")]
    assembly: Option<String>,
    /// Table of chromosome names and lengths, for any other assembly
    #[arg(long, value_name = "FILE", requires = "assembly")]
    chrom_sizes: Option<PathBuf>,
    /// File of the tracks that it was trained on (columns biosample and assay), for models that do not list them
    #[arg(long, value_name = "FILE")]
    trained_on: Option<PathBuf>,
    /// Storage precision of genome factors; f16 halves the disk space
    #[arg(long, value_parser = ["f32", "f16"], default_value = "f32")]
    precision: String,
    /// Replace an existing model of this name
    #[arg(long)]
    replace: bool,
}

/// Import an embedding of genome windows: regions × numbers, from Enformer, Borzoi, ChromBERT or your own.
///
/// It becomes a model that is searched, probed and benchmarked like Persea's own, and imputes
/// nothing. FILE is Parquet, .npz, .npy, HDF5, TSV, CSV or BED. Windows come from its columns (or
/// arrays) chrom, start and end, or from --coordinates, a BED file with one line per row. They have
/// one width, which divides 25 bp or is a multiple of 25 bp, and begin at multiples of it.
///
/// The model covers the regions of the database that the file covers from end to end.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea import embedding enformer.parquet --name enformer\n          persea import embedding borzoi.h5 --dataset embedding --coordinates windows.bed --name borzoi --precision f16"
)]
struct Embedding {
    /// The numbers, one row per window
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the model in the database
    #[arg(long, default_value = "embedding", value_name = "NAME")]
    name: String,
    /// BED file with the window of each row
    #[arg(long, value_name = "BED")]
    coordinates: Option<PathBuf>,
    /// HDF5 data set, if the file has several of two dimensions
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Storage precision; f16 halves the disk space
    #[arg(long, value_parser = ["f32", "f16"], default_value = "f32")]
    precision: String,
    /// Replace an existing model of this name
    #[arg(long)]
    replace: bool,
}

fn embedding(arguments: Embedding, common: &Common) -> anyhow::Result<ExitCode> {
    let options = EmbeddingOptions {
        name: arguments.name,
        coordinates: arguments.coordinates,
        dataset: arguments.dataset,
        precision: precision(&arguments.precision)?,
        replace: arguments.replace,
    };
    let database = common.open()?;
    let bar = progress::bar(1, "importing {wide_bar} {percent}% {elapsed} left {eta}");
    let imported = import_embedding(&database, &arguments.file, &options, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let imported = imported?;
    let record = &imported.model.record;
    let n_bins: u64 = record.regions.iter().map(|r| r.n_bins).sum();
    for note in &imported.notes {
        eprintln!("note: {note}");
    }
    eprintln!(
        "model {}: {} numbers per window of {} bp, stored at {}; {} regions, {} bins of 25 bp",
        record.name,
        imported.width,
        grouped(imported.window),
        imported.resolution,
        record.regions.len(),
        grouped(n_bins)
    );
    if imported.n_outside > 0 {
        eprintln!(
            "note: {} windows lie outside these regions and were passed over",
            grouped(imported.n_outside as u64)
        );
    }
    if let Some(first) = imported.uncovered.first() {
        eprintln!(
            "note: {} regions of the database are not covered from end to end, and the model lacks \
             them: {first}{}",
            imported.uncovered.len(),
            if imported.uncovered.len() > 1 {
                ", …"
            } else {
                ""
            }
        );
    }
    if let Some(region) = record.regions.first() {
        let middle = (region.first_bin + region.n_bins / 2) * 25;
        let model = hints::quoted(&record.name);
        let search = format!("similar position {}:{middle} --model {model}", region.chrom);
        hints::next(database.path(), &[search]);
    }
    Ok(ExitCode::SUCCESS)
}

fn precision(name: &str) -> Result<Precision, Misuse> {
    Precision::from_name(name).ok_or_else(|| Misuse(format!("`{name}` is not a precision")))
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.what {
        What::Avocado(arguments) => avocado(arguments, common),
        What::Embedding(arguments) => embedding(arguments, common),
    }
}

fn avocado(arguments: Avocado, common: &Common) -> anyhow::Result<ExitCode> {
    let parts: Vec<AvocadoPart> = arguments
        .parts
        .iter()
        .map(|text| AvocadoPart::parse(text).map_err(|e| Misuse(e.to_string()).into()))
        .collect::<anyhow::Result<_>>()?;
    let options = ImportOptions {
        name: arguments.name.clone(),
        precision: precision(&arguments.precision)?,
        replace: arguments.replace,
        trained_on: (arguments.trained_on.as_deref())
            .map(names::pairs_of_file)
            .transpose()?,
    };
    let import = |database: &Database| {
        let bar = progress::bar(1, "importing {wide_bar} {percent}% {elapsed} left {eta}");
        let model = import_avocado(database, &parts, &options, &mut |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        model
    };
    let database = match &arguments.assembly {
        Some(assembly) => {
            let new = new_database(&arguments, assembly, &parts, common)?;
            // The directory appears with the model in it, so that the command can be repeated after a kill.
            Database::create_filled(common.path()?, &new, |database| import(database).map(drop))?
        }
        None => {
            let database = common.open()?;
            import(&database)?;
            database
        }
    };
    let model = database.read_model(Some(&options.name))?;
    let record = &model.record;
    let n_bins: u64 = record.regions.iter().map(|r| r.n_bins).sum();
    eprintln!(
        "model {}: {} biosamples, {} assays, {} bins of {}",
        record.name,
        record.biosamples.len(),
        record.assays.len(),
        grouped(n_bins),
        parts
            .iter()
            .map(|p| p.chrom.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    );
    if record.training.pointer("/imported/experiments_known") == Some(&false.into()) {
        eprintln!(
            "the files do not list the training tracks, so no track counts as held out; \
             give --trained-on FILE"
        );
    }
    if let (Some(biosample), Some(assay)) = (record.biosamples.first(), record.assays.first()) {
        let experiment = hints::quoted(&format!("{biosample}:{assay}"));
        let model = hints::quoted(&record.name);
        let impute = format!("impute {experiment} --model {model} --output imputed.bw");
        hints::next(database.path(), &[impute]);
    }
    Ok(ExitCode::SUCCESS)
}

fn new_database(
    arguments: &Avocado,
    assembly: &str,
    parts: &[AvocadoPart],
    common: &Common,
) -> anyhow::Result<NewDatabase> {
    let path = common.path()?;
    if path.exists() {
        return Err(Misuse(format!(
            "{} is there already; leave --assembly out to import into it",
            path.display()
        ))
        .into());
    }
    let assembly = match &arguments.chrom_sizes {
        Some(sizes) => Assembly::from_chrom_sizes(assembly, sizes)?,
        None => Assembly::by_name(assembly)?,
    };
    let mut chromosomes: Vec<&str> = parts.iter().map(|p| p.chrom.as_str()).collect();
    chromosomes.sort_by_key(|name| assembly.rank(name));
    chromosomes.dedup();
    Ok(NewDatabase {
        axis: GenomeAxis::whole_chromosomes(assembly, &chromosomes)?,
        mask: Vec::new(),
        genes: Vec::new(),
        enhancers: Vec::new(),
    })
}
