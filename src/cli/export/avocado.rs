//! `persea export avocado`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::model::{TrainedModel, export_avocado};
use serde_json::json;

use super::super::output::Table;
use super::super::{Common, progress};

/// Write a model as files of the original Avocado: NAME.json and NAME.h5, which Keras loads.
///
/// A model of several regions becomes one pair per region, NAME.chr1.json and so on. Position 0 of a
/// pair is the first bin of the region.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: persea export avocado --model base --output base")]
pub struct Arguments {
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Name of the files, without .json and .h5
    #[arg(long, short, value_name = "NAME")]
    output: PathBuf,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let model = TrainedModel::open(&database, arguments.model.as_deref())?;
    let bar = progress::bar(1, "exporting {wide_bar} {percent}% {elapsed} left {eta}");
    let files = export_avocado(&database, &model, &arguments.output, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let mut table = Table::new(&["region", "json", "h5"]);
    for file in files {
        table.row(vec![
            json!(file.region),
            json!(file.json.display().to_string()),
            json!(file.h5.display().to_string()),
        ]);
    }
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}
