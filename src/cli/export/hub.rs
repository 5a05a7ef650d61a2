//! `persea export hub`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::compendium::Experiment;
use persea::genome::Interval;
use persea::hub::{HubOptions, HubTracks, hub_tracks, write_hub};
use persea::imputation::SignalScale;
use persea::model::TrainedModel;
use serde_json::json;

use super::super::names::{Known, pairs_of_file};
use super::super::one_of::one_of;
use super::super::output::Table;
use super::super::regions::Regions;
use super::super::{Common, Misuse, progress};

/// Write tracks for genome browsers: a UCSC track hub, an IGV session and an igv.js configuration.
///
/// The new folder has one bigWig per track, and one faceted composite with a table of metadata. All tracks of
/// an assay share limits and a colour. Labels of imputed tracks begin with `imp`, and their colours are paler.
/// Put the folder on a web server and give the address of hub.txt to the UCSC Genome Browser, or open
/// igv_session.xml in IGV. Repeated with the same tracks, model and options, the command leaves a whole hub as it is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea export hub hub --assay H3K4me3,H3K27ac --url https://example.org/hub\n          persea export hub measured --tracks measured\n          persea export hub differs E003:H3K4me3 E017:H3K4me3 --bigbed differs.bb"
)]
pub struct Arguments {
    /// New folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Experiments to show, as BIOSAMPLE:ASSAY; all of the model if omitted
    #[arg(value_name = "BIOSAMPLE:ASSAY")]
    experiments: Vec<String>,
    /// TSV or CSV file of experiments (columns biosample and assay)
    #[arg(long, value_name = "FILE", conflicts_with = "experiments")]
    list: Option<PathBuf>,
    /// Show only these biosamples
    #[arg(long, value_name = "BIOSAMPLE,…")]
    biosample: Vec<String>,
    /// Show only these assays
    #[arg(long, value_name = "ASSAY,…")]
    assay: Vec<String>,
    /// Which tracks of an experiment to show
    #[arg(long, value_parser = one_of::<HubTracks>(), default_value_t = HubTracks::Completed)]
    tracks: HubTracks,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    #[command(flatten)]
    regions: Regions,
    /// bigBed files to show beside the tracks, such as `similar`, `locus scan` and `diff` write
    #[arg(long, value_name = "FILE", num_args = 1)]
    bigbed: Vec<PathBuf>,
    /// Where browsers open: chr1:1,000,000-2,000,000; where there is most signal if omitted
    #[arg(long, value_name = "REGION")]
    locus: Option<String>,
    /// Address that the folder will have; without it the IGV files have relative paths
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Name of the hub; that of the folder if omitted
    #[arg(long)]
    name: Option<String>,
    /// Label of the hub in lists, 17 characters or fewer; the name if omitted
    #[arg(long, value_name = "TEXT")]
    short_label: Option<String>,
    /// A line about the hub
    #[arg(long, value_name = "TEXT")]
    long_label: Option<String>,
    /// Address that users of the hub may write to; UCSC asks for one
    #[arg(long, value_name = "ADDRESS", default_value = "nobody@example.org")]
    email: String,
    /// Write arcsinh values, the scale on which models are trained
    #[arg(long)]
    arcsinh: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let is_without = arguments.tracks == HubTracks::Measured && arguments.model.is_none();
    let model = match is_without {
        true => None,
        false => Some(TrainedModel::open(&database, arguments.model.as_deref())?),
    };
    let known = Known::of(&database)?;
    let listed: Option<Vec<Experiment>> = match (&arguments.list, arguments.experiments.is_empty())
    {
        (Some(list), _) => Some(
            (pairs_of_file(list)?.into_iter())
                .map(|(biosample, assay)| Experiment { biosample, assay })
                .collect(),
        ),
        (None, false) => Some(known.experiments(&arguments.experiments)?),
        (None, true) => None,
    };
    let mut tracks = hub_tracks(
        &database,
        model.as_ref(),
        arguments.tracks,
        listed.as_deref(),
    )?;
    if !arguments.biosample.is_empty() {
        let wanted = known.biosamples(&arguments.biosample)?;
        tracks.retain(|t| wanted.contains(&t.experiment.biosample));
    }
    if !arguments.assay.is_empty() {
        let wanted = known.assays(&arguments.assay)?;
        tracks.retain(|t| wanted.contains(&t.experiment.assay));
    }
    if tracks.is_empty() {
        return Err(
            Misuse("no track has one of these biosamples and one of these assays".into()).into(),
        );
    }
    let axis = model.as_ref().map_or(database.axis(), TrainedModel::axis);
    let spans = arguments.regions.spans(&database, axis)?;
    let locus = match &arguments.locus {
        Some(text) => {
            let interval = Interval::parse_browser(text).map_err(|e| Misuse(e.to_string()))?;
            Some(axis.covered(&interval)?)
        }
        None => None,
    };
    let folder = arguments
        .folder
        .file_name()
        .map(|n| n.to_string_lossy().into_owned());
    let name = arguments.name.or(folder).unwrap_or_else(|| "persea".into());
    let options = HubOptions {
        short_label: arguments
            .short_label
            .unwrap_or_else(|| name.chars().take(17).collect()),
        long_label: (arguments.long_label)
            .unwrap_or_else(|| format!("{name}: measured and imputed tracks (Persea)")),
        name,
        email: arguments.email,
        base: arguments.url.clone(),
        locus,
        beds: arguments.bigbed,
        scale: match arguments.arcsinh {
            true => SignalScale::Transformed,
            false => SignalScale::Signal,
        },
    };
    let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
    let bar = progress::bar(
        n_bins * tracks.len() as u64,
        "writing {wide_bar} {percent}% {elapsed} left {eta}",
    );
    let written = write_hub(
        &database,
        model.as_ref(),
        &arguments.folder,
        &tracks,
        &spans,
        &options,
        &mut |done| bar.set_position(done),
    )?;
    bar.finish_and_clear();
    if !written.is_new {
        eprintln!("nothing to write: the hub is there already, with the same content");
    }
    let mut table = Table::new(&["hub", "assembly", "measured", "imputed", "bigbed", "locus"]);
    table.row(vec![
        json!(arguments.folder.join("hub.txt").display().to_string()),
        json!(axis.assembly().name()),
        json!(written.n_measured),
        json!(written.n_imputed),
        json!(written.n_beds),
        json!(written.locus.to_string()),
    ]);
    table.print(common.format)?;
    if !written.is_known_assembly {
        eprintln!(
            "note: the UCSC Genome Browser has no assembly {}, so that the hub opens in IGV and igv.js alone; \
             they are given its chromosome sizes",
            axis.assembly().name()
        );
    }
    Ok(ExitCode::SUCCESS)
}
