//! `persea plot gallery`: every figure for which the database has data.

use std::path::{Path, PathBuf};

use anyhow::Context;
use persea::model::{NamedAxis, TrainedModel};
use persea::plot::{
    TrackChoice, coverage_figure, factor_figure, projection_cloud, selection_curve,
    similarity_figure, some_locus, stored_selection_figure, tracks_figure, training_chart,
};
use persea::projection::Projection;
use serde_json::json;

use super::super::Common;
use super::super::figure::FigureArguments;
use super::super::output::Table;
use super::{locus, slug};

/// Plot every figure for which the database has data
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea plot gallery --output figures\n          persea plot gallery --locus VPS72 --as pdf --output figures"
)]
pub struct Arguments {
    /// Output folder; created if needed
    #[arg(long, short, value_name = "FOLDER")]
    output: PathBuf,
    /// Locus of the figures along the genome: chr1:1,000,000-1,100,000, or a gene; by default one
    /// where the experiments plotted have signal
    #[arg(long, value_name = "LOCUS")]
    locus: Option<String>,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Format of the figures
    // Its own id: every subcommand has `--format` as well, which says how results are printed.
    #[arg(id = "as", long = "as", value_name = "FORMAT", value_parser = ["svg", "png", "pdf"], default_value = "svg")]
    ending: String,
    #[command(flatten)]
    figure: FigureArguments,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<()> {
    let database = common.open()?;
    let model = TrainedModel::open_if_any(&database, arguments.model.as_deref())?;
    std::fs::create_dir_all(&arguments.output)
        .with_context(|| format!("cannot make {}", arguments.output.display()))?;
    let experiments = locus::usual(&database, model.as_ref());
    let region = match &arguments.locus {
        Some(text) => locus::region(&database, text, 20_000)?,
        None => {
            let axis = model.as_ref().map_or(database.axis(), TrainedModel::axis);
            let shown = experiments.as_deref().unwrap_or_default();
            some_locus(&database, axis, shown)?
        }
    };
    let mut table = Table::new(&["figure", "file", "left_out"]);
    let theme = arguments.figure.theme();
    let mut draw = |name: &str, file: &str, svg: anyhow::Result<String>| -> anyhow::Result<()> {
        let path: PathBuf = arguments
            .output
            .join(format!("{file}.{}", arguments.ending));
        match svg {
            Ok(svg) => {
                arguments.figure.write(&svg, Path::new(&path))?;
                table.row(vec![
                    json!(name),
                    json!(path.display().to_string()),
                    json!(""),
                ]);
            }
            // What one figure has no numbers for is no reason against the others.
            Err(why) => table.row(vec![json!(name), json!(""), json!(format!("{why:#}"))]),
        }
        Ok(())
    };
    let stored = model.as_ref().map(TrainedModel::stored);
    draw(
        "coverage",
        "coverage",
        coverage_figure(&database, stored)
            .map(|f| f.svg(theme))
            .map_err(Into::into),
    )?;
    let all = TrackChoice {
        observed: true,
        imputed: true,
        average: true,
    };
    let at = slug(&region);
    let tracks = experiments
        .and_then(|e| Ok(tracks_figure(&database, model.as_ref(), &e, &region, all)?.svg(theme)));
    draw("tracks", &format!("tracks-{at}"), tracks)?;
    if let Some(model) = &model {
        let svg = factor_figure(&database, model, &region).map(|f| f.svg(theme));
        draw("factors", &format!("factors-{at}"), svg.map_err(Into::into))?;
        for (axis, name) in [
            (NamedAxis::Biosamples, "biosamples"),
            (NamedAxis::Assays, "assays"),
        ] {
            let svg = similarity_figure(&database, model, axis, None).map(|f| f.svg(theme));
            draw(
                &format!("similarity of {name}"),
                &format!("similarity-{name}"),
                svg.map_err(Into::into),
            )?;
        }
        let svg = training_chart(model.stored()).map(|f| f.svg(theme));
        draw("loss", "loss", svg.map_err(Into::into))?;
    }
    for stored in database.list_projections()? {
        let svg = Projection::open(&database, &stored.name)
            .and_then(|p| Ok(projection_cloud(&p, None)?.svg(theme)));
        let file = stored.name.replace(
            |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.',
            "_",
        );
        draw(
            &format!("projection {}", stored.name),
            &format!("projection-{file}"),
            svg.map_err(Into::into),
        )?;
    }
    for selection in database.selections()? {
        let svg = stored_selection_figure(&selection)
            .map_err(anyhow::Error::from)
            .map(|curve| selection_curve(&curve));
        let id = selection.id;
        draw(&format!("selection {id}"), &format!("selection-{id}"), svg)?;
    }
    table.print(common.format)?;
    Ok(())
}
