//! `persea export genome|embedding|biosamples|assays`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::formats::{TableFormat, TableSource, write_table};
use persea::genome::Resolution;
use persea::model::{GenomeRows, GenomeTable, NamedAxis, NamedTable, TrainedModel};

use super::super::one_of::one_of;
use super::super::output::{grouped, print_line};
use super::super::regions::Regions;
use super::super::{Common, Misuse, progress};

/// Options of every table.
#[derive(Debug, clap::Args)]
pub struct Target {
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Output file; its extension decides the format: .npz, .parquet, .tsv, .h5ad or .zarr
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Format of the file, regardless of its name
    // Its own id: every subcommand has `--format` as well, which says how results are printed.
    #[arg(id = "as", long = "as", value_name = "FORMAT", value_parser = ["npz", "parquet", "tsv", "h5ad", "zarr"])]
    format: Option<String>,
}

/// Write genome factors of one width: one row per 25 bp, 250 bp or 5 kbp.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: persea export genome --resolution 250bp --region chr1:1,000,000-2,000,000 --output region.parquet"
)]
pub struct Genome {
    #[command(flatten)]
    target: Target,
    /// Width of a row
    #[arg(long, alias = "scale", value_parser = one_of::<Resolution>(), default_value_t = Resolution::Bp25)]
    resolution: Resolution,
    #[command(flatten)]
    regions: Regions,
}

/// Write the embedding of each 25 bp bin: its factors at all three widths, side by side.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: persea export embedding --region chr1:1,000,000-2,000,000 --output region.npz"
)]
pub struct Embedding {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    regions: Regions,
}

/// Write the factors of the biosamples, with their metadata (as obs in h5ad).
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea export biosamples --output biosamples.h5ad")]
pub struct Biosamples {
    #[command(flatten)]
    target: Target,
}

/// Write the factors of the assays, with their metadata.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea export assays --output assays.tsv")]
pub struct Assays {
    #[command(flatten)]
    target: Target,
}

/// Runs `export genome`.
pub fn genome(arguments: Genome, common: &Common) -> anyhow::Result<ExitCode> {
    along_the_genome(
        &arguments.target,
        GenomeRows::Resolution(arguments.resolution),
        &arguments.regions,
        common,
    )
}

/// Runs `export embedding`.
pub fn embedding(arguments: Embedding, common: &Common) -> anyhow::Result<ExitCode> {
    along_the_genome(
        &arguments.target,
        GenomeRows::Embedding,
        &arguments.regions,
        common,
    )
}

/// Runs `export biosamples`.
pub fn biosamples(arguments: Biosamples, common: &Common) -> anyhow::Result<ExitCode> {
    named(&arguments.target, NamedAxis::Biosamples, common)
}

/// Runs `export assays`.
pub fn assays(arguments: Assays, common: &Common) -> anyhow::Result<ExitCode> {
    named(&arguments.target, NamedAxis::Assays, common)
}

fn along_the_genome(
    target: &Target,
    rows: GenomeRows,
    regions: &Regions,
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let format = target.format()?;
    let database = common.open()?;
    let model = TrainedModel::open_embedding(&database, target.model.as_deref())?;
    let spans = regions.spans(&database, model.axis())?;
    let table = GenomeTable::new(&database, &model, rows, &spans);
    target.write(format, &table)
}

fn named(target: &Target, axis: NamedAxis, common: &Common) -> anyhow::Result<ExitCode> {
    let format = target.format()?;
    let database = common.open()?;
    let model = TrainedModel::open(&database, target.model.as_deref())?;
    target.write(format, &NamedTable::new(&database, &model, axis)?)
}

impl Target {
    fn format(&self) -> anyhow::Result<TableFormat> {
        let named = self.format.as_deref().and_then(TableFormat::from_name);
        let format = named.or_else(|| TableFormat::guess(&self.output));
        format.ok_or_else(|| {
            Misuse(format!(
                "{}: unknown format; end the name in .npz, .parquet, .tsv, .h5ad or .zarr, or give --as",
                self.output.display()
            ))
            .into()
        })
    }

    fn write(
        &self,
        format: TableFormat,
        source: &dyn TableSource<persea::Error>,
    ) -> anyhow::Result<ExitCode> {
        let shape = source.shape();
        let bar = progress::bar(shape.n_rows, "exporting {wide_bar} {percent}% left {eta}");
        write_table(&self.output, format, source, &mut |n| bar.set_position(n))?;
        bar.finish_and_clear();
        eprintln!(
            "{} rows of {} factors",
            grouped(shape.n_rows),
            shape.numbers.len()
        );
        print_line(self.output.display())?;
        Ok(ExitCode::SUCCESS)
    }
}
