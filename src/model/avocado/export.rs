//! Models out, as the original saves and loads them.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::keras_config::keras_config;
use super::parameters_file::ParametersFile;
use super::{embedding_layer, genome_layer, original_rows, padding_tensor};
use crate::Bug;
use crate::formats::{KerasModel, KerasWeight, write_keras, write_text};
use crate::genome::{GenomeAxis, Resolution};
use crate::model::stored::genome_tensor;
use crate::model::{Architecture, ModelError, TrainedModel};
use crate::store::{Database, TrackRole};

/// A pair of files that has been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedAvocado {
    /// The region, as genome browsers show it.
    pub region: String,
    /// `NAME.json`.
    pub json: PathBuf,
    /// `NAME.h5`.
    pub h5: PathBuf,
}

/// Writes a model as the original's files, a pair a region: `NAME.json` and `NAME.h5`, or
/// `NAME.chr1.json` and so on when the model has several regions. `Avocado.load` and Keras read them;
/// position 0 of a pair is the region's first bin. Memory holds the network and a few rows.
///
/// ```
/// use persea::model::{TrainedModel, export_avocado};
///
/// # let folder = tempfile::tempdir()?;
/// # let region = persea::genome::Region { name: None, chrom: "chr1".into(), first_bin: 0, n_bins: 400 };
/// # let database =
/// #     persea::search::example_database_of(folder.path(), vec![region], 7, &mut |_| {})?;
/// let model = TrainedModel::open(&database, None)?;
/// let written = export_avocado(&database, &model, &folder.path().join("mine"), &mut |_, _| {})?;
/// assert_eq!(written.len(), 1);
/// assert!(written[0].json.exists() && written[0].h5.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the model is not of the original's architecture, a region does not begin where a 5 kbp bin
/// does (its coarse factors could not be counted from its first bin), or a file cannot be written.
pub fn export_avocado(
    database: &Database,
    model: &TrainedModel,
    name: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<Vec<ExportedAvocado>> {
    let record = model.record();
    if model.config().architecture != Architecture::Avocado {
        return Err(ModelError::Export {
            model: record.name.clone(),
            why: format!(
                "its kind is {}, which the original Avocado cannot hold",
                model.config().architecture.name()
            ),
        }
        .into());
    }
    if name.file_name().is_none() {
        return Err(ModelError::Export {
            model: record.name.clone(),
            why: format!("{} cannot name files", name.display()),
        }
        .into());
    }
    let axis = model.axis();
    for (i, region) in axis.regions().iter().enumerate() {
        if !region.first_bin.is_multiple_of(Resolution::Kbp5.bins()) {
            return Err(ModelError::Export {
                model: record.name.clone(),
                why: format!(
                    "its region {} begins inside a 5 kbp bin of its chromosome, and the original counts \
                     coarse bins from a region's first bin; train on whole chromosomes (or on regions \
                     that begin at multiples of 5,000 bp)",
                    axis.region_interval(i)
                ),
            }
            .into());
        }
    }
    let total: u64 = Resolution::ALL
        .iter()
        .map(|scale| axis.n_rows(*scale))
        .sum();
    let mut done = 0;
    let mut exported = Vec::new();
    for region in 0..axis.regions().len() {
        let files = write_region(database, model, region, name, &mut |rows| {
            done += rows;
            progress(done.min(total), total);
        })?;
        exported.push(files);
    }
    Ok(exported)
}

fn write_region(
    database: &Database,
    model: &TrainedModel,
    region: usize,
    name: &Path,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<ExportedAvocado> {
    let record = model.record();
    let sizes = model.config().sizes;
    let axis = model.axis();
    let positions = axis.regions()[region].n_bins;
    let experiments_known = record
        .training
        .pointer("/imported/experiments_known")
        .is_none_or(|known| known != false);
    let trained_on = record.tracks.iter().filter(|t| t.role != TrackRole::Hold);
    let says = ParametersFile {
        biosamples: record.biosamples.clone(),
        assays: record.assays.clone(),
        experiments: experiments_known.then(|| {
            trained_on
                .map(|t| (t.biosample.clone(), t.assay.clone()))
                .collect()
        }),
        positions,
        sizes,
    };
    let (config, layers) =
        keras_config(&sizes, says.biosamples.len(), says.assays.len(), positions);
    let network = model.network();
    let mut weights: Vec<KerasWeight> = Vec::new();
    // What is in memory, by its place in `weights`.
    let mut matrices: Vec<Option<Array2<f32>>> = Vec::new();
    let shape = |m: &Array2<f32>| vec![m.nrows() as u64, m.ncols() as u64];
    for (axis, factors) in [
        ("celltype", &network.biosamples),
        ("assay", &network.assays),
    ] {
        weights.push(KerasWeight::new(
            embedding_layer(axis),
            "embeddings",
            shape(factors),
        ));
        matrices.push(Some(factors.clone()));
    }
    for scale in Resolution::ALL {
        let rows = original_rows(scale, positions);
        let shape = vec![rows, sizes.genome_factors(scale) as u64];
        weights.push(KerasWeight::new(genome_layer(scale), "embeddings", shape));
        matrices.push(None);
    }
    let hidden = network.hidden.iter().enumerate();
    let hidden = hidden.map(|(i, layer)| (format!("dense_{i}"), layer));
    for (name, layer) in hidden.chain([("y_pred".to_string(), &network.output)]) {
        weights.push(KerasWeight::new(&name, "kernel", shape(&layer.weight)));
        matrices.push(Some(layer.weight.clone()));
        weights.push(KerasWeight::new(
            &name,
            "bias",
            vec![layer.bias.len() as u64],
        ));
        matrices.push(Some(layer.bias.clone().insert_axis(ndarray::Axis(1))));
    }
    let json = path_of(name, axis, region, "json");
    let h5 = path_of(name, axis, region, "h5");
    let keras = KerasModel {
        config,
        layers,
        weights: weights.clone(),
    };
    write_keras::<crate::Error>(&h5, &keras, &mut |weight, rows, out| {
        let place = weights.iter().position(|w| w == weight);
        let place =
            place.ok_or_else(|| crate::Bug::new("a weight is asked for that was not laid out"))?;
        if let Some(matrix) = &matrices[place] {
            let cols = matrix.ncols();
            let values = matrix.as_standard_layout();
            let values = values.as_slice().unwrap_or(&[]);
            let part = rows.start as usize * cols..rows.end as usize * cols;
            out.copy_from_slice(&values[part]);
            return Ok(());
        }
        let scale = Resolution::ALL
            .into_iter()
            .find(|s| genome_layer(*s) == weight.layer);
        let scale = scale.unwrap_or(Resolution::Bp25);
        let used = axis.regions()[region].n_rows(scale);
        let cols = sizes.genome_factors(scale);
        let within = rows.start.min(used)..rows.end.min(used);
        let (factors, padding) = out.split_at_mut((within.end - within.start) as usize * cols);
        let stored = model.stored();
        let of = Some(region as u32);
        database.read_tensor(stored, &genome_tensor(scale), of, within.clone(), factors)?;
        if !padding.is_empty() {
            // A row that no bin uses: an imported model's, or nothing.
            match stored.tensor(&padding_tensor(scale), of) {
                Ok(tensor) if tensor.rows * tensor.cols == padding.len() as u64 => {
                    database.read_tensor(
                        stored,
                        &padding_tensor(scale),
                        of,
                        0..tensor.rows,
                        padding,
                    )?;
                }
                _ => padding.fill(0.0),
            }
        }
        progress(within.end - within.start);
        Ok(())
    })?;
    let text = serde_json::to_vec_pretty(&says.to_json())
        .map_err(|e| Bug::new(format!("a network's description: {e}")))?;
    write_text(&json, &text)?;
    Ok(ExportedAvocado {
        region: axis.region_interval(region).to_string(),
        json,
        h5,
    })
}

/// `NAME.h5`, or with several regions `NAME.chr1.h5`, or with several of a chromosome
/// `NAME.chr1.5001.h5`.
fn path_of(name: &Path, axis: &GenomeAxis, region: usize, extension: &str) -> PathBuf {
    let r = &axis.regions()[region];
    let of_chrom = axis.regions().iter().filter(|o| o.chrom == r.chrom).count();
    // `export_avocado` has refused what has no name.
    let mut file = name.file_name().unwrap_or_default().to_os_string();
    if axis.regions().len() > 1 {
        file.push(format!(".{}", r.chrom.replace(['/', '\\', '\0'], "_")));
    }
    if of_chrom > 1 {
        file.push(format!(".{}", axis.region_interval(region).start + 1));
    }
    file.push(format!(".{extension}"));
    name.with_file_name(file)
}
