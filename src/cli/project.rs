//! `persea project`.

mod genome;
mod stored;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use persea::model::{NamedAxis, TrainedModel};
use persea::plot::projection_cloud;
use persea::projection::{Method, MethodName, Points, Projection, named_points, project};
use serde_json::{Map, Value, json};

use super::figure::{FigureArguments, check_ending};
use super::one_of::one_of;
use super::output::{Format, Table, measure, print_json};
use super::{Common, Misuse, progress};

/// Project positions, biosamples or assays to two dimensions, by the model's factors.
///
/// Uses principal components, UMAP or t-SNE. Prints trustworthiness and the share of neighbours kept,
/// which show how far the layout can be trusted. The projection is stored under its name and replaces
/// an earlier one; `persea plot projection` draws it again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea project genome --method umap --output genome.svg\n          persea project genome --class promoter,enhancer --balance --method umap --output classes.png\n          persea project genome --around chr1:151,200,000 --resolution 250bp\n          persea project biosamples --colour anatomy --output biosamples.pdf\n          persea project list"
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Genome(genome::Arguments),
    /// Project the model's biosamples
    #[command(after_help = "Example: persea project biosamples --output biosamples.svg")]
    Biosamples {
        #[command(flatten)]
        layout: Layout,
    },
    /// Project the model's assays
    #[command(after_help = "Example: persea project assays --method umap --neighbours 4")]
    Assays {
        #[command(flatten)]
        layout: Layout,
    },
    /// List stored projections
    #[command(after_help = "Example: persea project list")]
    List,
    /// Show the points of a stored projection
    #[command(after_help = "Example: persea project show genome-umap --format tsv > genome.tsv")]
    Show {
        /// Name of the projection
        name: String,
    },
    /// Remove a stored projection
    #[command(after_help = "Example: persea project remove genome-umap")]
    Remove {
        /// Name of the projection
        name: String,
    },
}

/// Options of a projection.
#[derive(Debug, clap::Args)]
pub struct Layout {
    /// Method of projection
    #[arg(long, value_parser = one_of::<MethodName>(), default_value_t = MethodName::Pca)]
    method: MethodName,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// UMAP: number of neighbours of a point, including itself
    #[arg(long, default_value_t = 15, value_name = "N")]
    neighbours: usize,
    /// UMAP: smallest distance between points in the layout
    #[arg(long, default_value_t = 0.1, value_name = "DISTANCE")]
    min_dist: f64,
    /// t-SNE: approximate number of neighbours of a point
    #[arg(long, default_value_t = 30.0)]
    perplexity: f64,
    /// Steps of UMAP [default: 500, or 200 above 10,000 points] or t-SNE [default: 1,000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: Option<u32>,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Name of the stored projection [default: from what is projected and the method, such as genome-umap]
    #[arg(long)]
    name: Option<String>,
    /// Do not store the projection
    #[arg(long, conflicts_with = "name")]
    no_store: bool,
    /// Plot it to this file: .svg, .png or .pdf
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Column of labels or metadata used to colour the points
    #[arg(long, alias = "color", value_name = "COLUMN")]
    colour: Option<String>,
    #[command(flatten)]
    figure: FigureArguments,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Action::Genome(arguments) => genome::run(arguments, common)?,
        Action::Biosamples { layout } => {
            named(NamedAxis::Biosamples, "biosamples", &layout, common)?;
        }
        Action::Assays { layout } => named(NamedAxis::Assays, "assays", &layout, common)?,
        Action::List => stored::list(common)?,
        Action::Show { name } => stored::show(&name, common)?,
        Action::Remove { name } => stored::remove(&name, common)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn named(axis: NamedAxis, name: &str, layout: &Layout, common: &Common) -> anyhow::Result<()> {
    layout.check()?;
    let database = common.open()?;
    let model = TrainedModel::open(&database, layout.model.as_deref())?;
    let points = named_points(&database, &model, axis)?;
    layout.run(name, &database, &model, points, json!({}), common)
}

impl Layout {
    /// Checks that need no data.
    fn check(&self) -> anyhow::Result<()> {
        match &self.output {
            Some(path) => check_ending(path),
            None => Ok(()),
        }
    }

    fn method(&self) -> Method {
        let epochs = self.epochs.map(|n| n as usize);
        match self.method {
            MethodName::Pca => Method::Pca,
            MethodName::Umap => Method::Umap {
                n_neighbours: self.neighbours,
                min_dist: self.min_dist,
                n_epochs: epochs,
            },
            MethodName::Tsne => Method::Tsne {
                perplexity: self.perplexity,
                n_epochs: epochs.unwrap_or(1_000),
            },
        }
    }

    /// Projects, stores, plots and prints.
    fn run(
        &self,
        axis: &str,
        database: &persea::store::Database,
        model: &TrainedModel,
        points: Points,
        settings: Value,
        common: &Common,
    ) -> anyhow::Result<()> {
        let method = self.method();
        eprintln!("{}", points.described);
        let bar = progress::busy("placing points");
        let projection = project(axis, model, points, method, self.seed)?;
        bar.finish_and_clear();
        if let Some(path) = &self.output {
            let cloud = projection_cloud(&projection, self.colour.as_deref())
                .map_err(|e| Misuse(e.to_string()))?;
            let svg = cloud.svg(self.figure.theme());
            self.figure.write(&svg, path)?;
        }
        let mut name = None;
        if !self.no_store {
            let own = format!("{axis}-{}", method.name());
            let stored = self.name.clone().unwrap_or(own);
            projection.save(database, model, &stored, method, settings, self.seed)?;
            name = Some(stored);
        }
        print(
            &projection,
            name.as_deref(),
            self.output.as_deref(),
            common.format,
        )
    }
}

/// Largest number of points listed in a table.
const FEW: usize = 60;

/// Prints a projection: every point in machine-readable formats, a few or a summary in the table.
fn print(
    projection: &Projection,
    name: Option<&str>,
    figure: Option<&std::path::Path>,
    format: Format,
) -> anyhow::Result<()> {
    let q = &projection.quality;
    let has_places = !projection.places.is_empty();
    if format == Format::Json {
        let points: Vec<Value> = (0..projection.names.len())
            .map(|i| {
                let mut point = Map::new();
                point.insert("name".into(), json!(projection.names[i]));
                if let Some(place) = projection.places.get(i) {
                    point.insert("chrom".into(), json!(place.chrom));
                    point.insert("start".into(), json!(place.start));
                    point.insert("end".into(), json!(place.end));
                }
                point.insert("x".into(), json!(projection.coordinates[[i, 0]]));
                point.insert("y".into(), json!(projection.coordinates[[i, 1]]));
                let labels: Map<String, Value> = (projection.labels.iter())
                    .filter(|(n, _)| !(has_places && n == "chrom"))
                    .map(|(n, texts)| (n.clone(), json!(texts[i])))
                    .collect();
                point.insert("labels".into(), Value::Object(labels));
                Value::Object(point)
            })
            .collect();
        print_json(&json!({
            "name": name,
            "axis": projection.axis,
            "method": projection.method,
            "model": projection.model,
            "described": projection.described,
            "k": q.k,
            "trustworthiness": q.trustworthiness,
            "neighbours_kept": q.preserved,
            "n_scored": q.n_scored,
            "explained": projection.explained,
            "points": points,
        }))?;
        return Ok(());
    }
    let n = projection.names.len();
    if format != Format::Table || n <= FEW {
        let mut columns = vec!["name"];
        if has_places {
            columns = vec!["chrom", "start", "end"];
        }
        columns.extend(["x", "y"]);
        // Metadata have dozens of columns: people are shown those that pictures are coloured by.
        let shown: Vec<&(String, Vec<String>)> = (projection.labels.iter())
            .filter(|(n, _)| !(has_places && n == "chrom"))
            .filter(|(n, _)| {
                let known = ["label", "annotation", "group", "anatomy"];
                format != Format::Table || known.iter().any(|k| n.eq_ignore_ascii_case(k))
            })
            .collect();
        columns.extend(shown.iter().map(|(n, _)| n.as_str()));
        let mut table = Table::new(&columns);
        for i in 0..n {
            let mut cells = match projection.places.get(i) {
                Some(place) => vec![json!(place.chrom), json!(place.start), json!(place.end)],
                None => vec![json!(projection.names[i])],
            };
            cells.push(json!(projection.coordinates[[i, 0]]));
            cells.push(json!(projection.coordinates[[i, 1]]));
            cells.extend(shown.iter().map(|(_, texts)| json!(texts[i])));
            table.row(cells);
        }
        table.print(format)?;
    }
    let mut summary = Table::new(&[
        "method",
        "points",
        "k",
        "trustworthiness",
        "neighbours_kept",
        "stored_as",
        "figure",
    ]);
    summary.row(vec![
        json!(projection.method),
        json!(n),
        json!(q.k),
        measure(q.trustworthiness),
        measure(q.preserved),
        json!(name.unwrap_or("")),
        json!(figure.map(|f| f.display().to_string()).unwrap_or_default()),
    ]);
    match format {
        Format::Table => {
            if n <= FEW {
                println_blank()?;
            }
            summary.print(Format::Table)?;
            if n > FEW
                && let Some(name) = name
            {
                eprintln!("all points: persea project show {name} --format tsv");
            }
        }
        // Stdout is for the points.
        _ => eprintln!(
            "trustworthiness {:.4}, neighbours kept {:.4} (k = {})",
            q.trustworthiness.unwrap_or(f64::NAN),
            q.preserved.unwrap_or(f64::NAN),
            q.k
        ),
    }
    Ok(())
}

fn println_blank() -> std::io::Result<()> {
    super::output::print_line("")
}
