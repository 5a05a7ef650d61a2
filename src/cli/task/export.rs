//! `persea task export`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::tasks::{TablePredictor, predictions};
use serde_json::json;

use crate::cli::Common;
use crate::cli::output::{Table, measure, print_line};

/// Print the predictions of a run
///
/// Prints one row per prediction: the example, its biosample, label, fold and unit, then one column
/// for each feature set and baseline. With --predictor, writes the stored predictor of a run on
/// tables instead.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea task export 1 --format tsv > predictions.tsv\n          persea task export 2 --predictor k562.json"
)]
pub struct Arguments {
    /// Number of the run
    run: i64,
    /// Write the predictor of a run on tables to this file, as JSON
    #[arg(long, value_name = "FILE")]
    predictor: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let run = database.read_run(arguments.run)?;
    if let Some(path) = &arguments.predictor {
        TablePredictor::of_run(&run)?.write(path)?;
        print_line(path.display())?;
        return Ok(ExitCode::SUCCESS);
    }
    let predictions = predictions(&database, &run)?;
    let mut columns = vec!["example", "biosample", "label", "fold", "unit"];
    columns.extend(predictions.names.iter().map(String::as_str));
    let mut table = Table::new(&columns);
    for (i, row) in predictions.rows.iter().enumerate() {
        let mut cells = vec![
            json!(row.example),
            json!(row.biosample),
            measure(Some(row.label)),
            json!(row.fold),
            json!(row.unit),
        ];
        cells.extend(
            predictions
                .values
                .iter()
                .map(|column| measure(column.get(i).copied())),
        );
        table.row(cells);
    }
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}
