//! Pretrained models in: one pair of files a chromosome becomes one model of a database.

use std::io::Read;
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};
use serde_json::{Value, json};

use super::parameters_file::ParametersFile;
use super::{embedding_layer, genome_layer, original_rows, padding_tensor};
use crate::Bug;
use crate::formats::KerasFile;
use crate::genome::{GenomeAxis, Region, Resolution};
use crate::model::stored::{begin, genome_tensor};
use crate::model::{Architecture, Dense, ModelConfig, ModelError, Network, Sizes};
use crate::store::{Database, Model, ModelKind, ModelRecord, ModelTrack, Precision, TrackRole};

/// Bins that a chromosome's model may lack at its end: signal files end where their signal does, and
/// the last 10 kbp of a chromosome are a gap.
const MOST_MISSING: u64 = 4_000;

/// Numbers of a genome table that are in memory at once: 4 MB.
const STEP_NUMBERS: u64 = 1 << 20;

/// The files of one chromosome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvocadoPart {
    /// The chromosome that they were trained on, from its first bin on.
    pub chrom: String,
    /// `NAME.json`.
    pub json: PathBuf,
    /// `NAME.h5`.
    pub h5: PathBuf,
}

impl AvocadoPart {
    /// Reads `chr1=NAME`; NAME is a path without `.json` and `.h5`, or with either.
    ///
    /// ```
    /// use persea::model::AvocadoPart;
    /// let part = AvocadoPart::parse("chr1=models/avocado-chr1").unwrap();
    /// assert_eq!(part.h5, std::path::Path::new("models/avocado-chr1.h5"));
    /// ```
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let (chrom, name) = match text.split_once('=') {
            Some((chrom, name)) if !chrom.is_empty() && !name.is_empty() => (chrom, name),
            _ => {
                return Err(ModelError::Import(format!(
                    "`{text}` names no model of a chromosome; write chr1=NAME for the files \
                     NAME.json and NAME.h5"
                )));
            }
        };
        let name = name
            .strip_suffix(".json")
            .or_else(|| name.strip_suffix(".h5"))
            .unwrap_or(name);
        Ok(AvocadoPart {
            chrom: chrom.to_string(),
            json: PathBuf::from(format!("{name}.json")),
            h5: PathBuf::from(format!("{name}.h5")),
        })
    }
}

/// How a pretrained model is taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// The model's name in the database.
    pub name: String,
    /// How its genome factors are stored.
    pub precision: Precision,
    /// Take the place of a model of that name.
    pub replace: bool,
    /// The tracks that it was trained on (biosample and assay), in place of what its files say.
    pub trained_on: Option<Vec<(String, String)>>,
}

/// A part, opened and found to agree with itself.
struct Opened<'a> {
    part: &'a AvocadoPart,
    says: ParametersFile,
    keras: KerasFile,
}

/// Stores pretrained models, one a chromosome with one network, as one model; `progress` receives how
/// many of all rows of genome factors are stored.
///
/// What is not known to have been trained on counts as held out, and can be scored. Old files do not
/// say what they were trained on: without [`ImportOptions::trained_on`] every experiment then counts
/// as trained on.
///
/// ```
/// use persea::model::{AvocadoPart, ImportOptions, import_avocado};
/// use persea::store::Precision;
/// # use persea::model::{TrainedModel, export_avocado};
///
/// # let folder = tempfile::tempdir()?;
/// # let region = persea::genome::Region { name: None, chrom: "chr1".into(), first_bin: 0, n_bins: 40_000 };
/// # let database =
/// #     persea::search::example_database_of(folder.path(), vec![region], 7, &mut |_| {})?;
/// # let model = TrainedModel::open(&database, None)?;
/// # let name = folder.path().join("theirs");
/// # export_avocado(&database, &model, &name, &mut |_, _| {})?;
/// # let name = name.display();
/// let part = AvocadoPart::parse(&format!("chr1={name}"))?; // theirs.json and theirs.h5
/// let options = ImportOptions {
///     name: "theirs".into(),
///     precision: Precision::F32,
///     replace: false,
///     trained_on: None,
/// };
/// let imported = import_avocado(&database, &[part], &options, &mut |_, _| {})?;
/// assert_eq!(imported.record.assays, ["A1", "A2", "A3"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When a file cannot be read or is damaged, a JSON disagrees with its `.h5`, the parts have not one
/// network, a part is not a model of a whole chromosome, or the database does not cover it.
pub fn import_avocado(
    database: &Database,
    parts: &[AvocadoPart],
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<Model> {
    let lock = database.lock_model(&options.name)?;
    let opened: Vec<Opened<'_>> = parts.iter().map(Opened::new).collect::<Result<_, _>>()?;
    let Some(first) = opened.first() else {
        return Err(ModelError::Import("no chromosome's model was named".into()).into());
    };
    let network = first.network()?;
    for other in &opened[1..] {
        first.agrees_with(other, &network)?;
    }
    let axis = axis(database, &opened)?;
    let config = ModelConfig {
        architecture: Architecture::Avocado,
        sizes: first.says.sizes,
        encoder: None,
        refinement: None,
    };
    let known = options
        .trained_on
        .as_ref()
        .or(first.says.experiments.as_ref());
    let files = opened.iter().map(Opened::describe);
    let record = ModelRecord {
        name: options.name.clone(),
        kind: ModelKind::Avocado,
        config: serde_json::to_value(&config)
            .map_err(|e| Bug::new(format!("a configuration: {e}")))?,
        seed: 0,
        training: json!({
            "imported": {
                "from": "avocado",
                "experiments_known": known.is_some(),
                "files": files.collect::<Result<Vec<Value>, _>>()?,
            },
        }),
        precision: options.precision,
        biosamples: first.says.biosamples.clone(),
        assays: first.says.assays.clone(),
        tracks: tracks(&first.says, known)?,
        regions: axis.regions().to_vec(),
    };
    let n_rows: u64 = Resolution::ALL
        .iter()
        .map(|scale| axis.n_rows(*scale))
        .sum();
    let mut n_done = 0;
    let mut writer = begin(
        database,
        &lock,
        &record,
        &network,
        (None, None),
        &config.sizes,
        options.replace,
    )?;
    for (region, part) in opened.iter().enumerate() {
        for scale in Resolution::ALL {
            let weight = part.keras.weight(&genome_layer(scale), "embeddings")?;
            let (rows, cols) = weight.rows_and_cols();
            let region_rows = axis.region_rows(scale, region);
            let used = region_rows.end - region_rows.start;
            let mut numbers = Vec::new();
            let mut at = 0;
            while at < rows {
                // The padding row, if there is one, comes by itself.
                let end =
                    (at + (STEP_NUMBERS / cols).max(1)).min(if at < used { used } else { rows });
                numbers.resize(((end - at) * cols) as usize, 0f32);
                part.keras.read_rows(weight, at..end, &mut numbers)?;
                let (name, of) = match at < used {
                    true => (genome_tensor(scale), used),
                    false => (padding_tensor(scale), rows - used),
                };
                writer.tensor(&name, of, cols, Some(region as u32), &numbers)?;
                n_done += end - at;
                progress(n_done, n_rows);
                at = end;
            }
        }
    }
    Ok(writer.commit()?)
}

impl<'a> Opened<'a> {
    /// Opens a part's files; every array must have the shape that the JSON asks for.
    fn new(part: &'a AvocadoPart) -> crate::Result<Self> {
        let says = ParametersFile::read(&part.json)?;
        let keras = KerasFile::open(&part.h5)?;
        let opened = Opened { part, says, keras };
        for (layer, array, rows, cols) in opened.expected() {
            let weight = opened.keras.weight(&layer, array)?;
            let found = match weight.shape.as_slice() {
                [n] => (1, *n),
                _ => weight.rows_and_cols(),
            };
            if found != (rows, cols) {
                return Err(opened.disagrees(&format!(
                    "{layer} should have {rows} × {cols} numbers, and has {} × {}",
                    found.0, found.1
                )));
            }
        }
        let one_more = format!("dense_{}", opened.says.sizes.layers);
        if opened.keras.weights().iter().any(|w| w.layer == one_more) {
            return Err(opened.disagrees(&format!(
                "there should be {} hidden layers, and there is a {one_more}",
                opened.says.sizes.layers
            )));
        }
        Ok(opened)
    }

    /// Layer, array, rows and columns of everything that a model consists of.
    fn expected(&self) -> Vec<(String, &'static str, u64, u64)> {
        let Sizes { layers, nodes, .. } = self.says.sizes;
        let sizes = &self.says.sizes;
        let mut expected = vec![
            (
                embedding_layer("celltype"),
                "embeddings",
                self.says.biosamples.len() as u64,
                sizes.biosample_factors as u64,
            ),
            (
                embedding_layer("assay"),
                "embeddings",
                self.says.assays.len() as u64,
                sizes.assay_factors as u64,
            ),
        ];
        for scale in Resolution::ALL {
            let rows = original_rows(scale, self.says.positions);
            let cols = sizes.genome_factors(scale) as u64;
            expected.push((genome_layer(scale), "embeddings", rows, cols));
        }
        for i in 0..layers {
            let inputs = if i == 0 { sizes.inputs() } else { nodes };
            expected.push((format!("dense_{i}"), "kernel", inputs as u64, nodes as u64));
            expected.push((format!("dense_{i}"), "bias", 1, nodes as u64));
        }
        expected.push(("y_pred".into(), "kernel", nodes as u64, 1));
        expected.push(("y_pred".into(), "bias", 1, 1));
        expected
    }

    fn disagrees(&self, why: &str) -> crate::Error {
        let message = format!(
            "disagrees with {}, which says otherwise: {why}",
            self.part.json.display()
        );
        ModelError::file(&self.part.h5, message).into()
    }

    /// All that is not of the genome.
    fn network(&self) -> crate::Result<Network> {
        let read = |layer: &str, array: &str| -> crate::Result<Array2<f32>> {
            let weight = self.keras.weight(layer, array)?;
            let (n_rows, per_row) = weight.rows_and_cols();
            let mut numbers = vec![0f32; (n_rows * per_row) as usize];
            self.keras.read_rows(weight, 0..n_rows, &mut numbers)?;
            let shape = match weight.shape.as_slice() {
                [n] => (1, *n as usize),
                _ => (n_rows as usize, per_row as usize),
            };
            Array2::from_shape_vec(shape, numbers)
                .map_err(|e| ModelError::file(&self.part.h5, format!("{layer}: {e}")).into())
        };
        let dense = |layer: &str| -> crate::Result<Dense> {
            Ok(Dense {
                weight: read(layer, "kernel")?,
                bias: Array1::from_iter(read(layer, "bias")?),
            })
        };
        Ok(Network {
            biosamples: read(&embedding_layer("celltype"), "embeddings")?,
            assays: read(&embedding_layer("assay"), "embeddings")?,
            hidden: (0..self.says.sizes.layers)
                .map(|i| dense(&format!("dense_{i}")))
                .collect::<Result<_, _>>()?,
            output: dense("y_pred")?,
        })
    }

    /// Whether another chromosome's files are of the same model, to the bit.
    fn agrees_with(&self, other: &Opened<'_>, network: &Network) -> crate::Result<()> {
        let (a, b) = (&self.says, &other.says);
        let theirs = other.network()?;
        let sizes = |of: &Sizes| Sizes {
            batch_size: 1,
            ..*of
        };
        let differs = [
            ("celltypes", a.biosamples != b.biosamples),
            ("assays", a.assays != b.assays),
            ("sizes", sizes(&a.sizes) != sizes(&b.sizes)),
            (
                "celltype_embedding",
                network.biosamples != theirs.biosamples,
            ),
            ("assay_embedding", network.assays != theirs.assays),
            ("dense layers", network.hidden != theirs.hidden),
            ("y_pred", network.output != theirs.output),
        ];
        match differs.iter().find(|(_, differs)| *differs) {
            None => Ok(()),
            Some((what, _)) => Err(ModelError::file(
                &other.part.h5,
                format!(
                    "is of another model than {}: their {what} differ; chromosomes of one model \
                     share all but the genome's factors; import them under two names",
                    self.part.h5.display()
                ),
            )
            .into()),
        }
    }

    /// Where it came from, for the record.
    fn describe(&self) -> Result<Value, ModelError> {
        // Files that have been read have names.
        let name = |path: &Path| {
            path.file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        Ok(json!({
            "chrom": self.part.chrom,
            "json": name(&self.part.json),
            "h5": name(&self.part.h5),
            "blake3": blake3_of(&self.part.h5)?,
        }))
    }
}

fn blake3_of(path: &Path) -> Result<String, ModelError> {
    let mut hasher = blake3::Hasher::new();
    let mut hash = || {
        let mut file = std::fs::File::open(path)?;
        let mut block = vec![0; 1 << 20];
        loop {
            match file.read(&mut block)? {
                0 => return Ok(()),
                n => hasher.update(&block[..n]),
            };
        }
    };
    hash().map_err(|e: std::io::Error| ModelError::file(path, e.to_string()))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The model's axis: each part from the chromosome's first bin on.
fn axis(database: &Database, opened: &[Opened<'_>]) -> crate::Result<GenomeAxis> {
    let assembly = database.axis().assembly();
    let mut regions: Vec<Region> = Vec::new();
    for Opened { part, says, .. } in opened {
        let chromosome = assembly.chromosome(&part.chrom)?;
        if regions.iter().any(|r| r.chrom == part.chrom) {
            return Err(ModelError::Import(format!("{} is named twice", part.chrom)).into());
        }
        let n_bins = chromosome.n_bins();
        let missing = n_bins.checked_sub(says.positions);
        // The last, partial bin is one that the original leaves out.
        let whole = missing.is_some_and(|n| n <= MOST_MISSING.min(n_bins / 100).max(1));
        if !whole {
            return Err(ModelError::file(
                &part.json,
                format!(
                    "has {} positions, and {} of {} has {n_bins} bins of 25 bp: it is not a model of \
                     that whole chromosome. One of several regions set end to end (the 1,126,469 \
                     positions of the ENCODE pilot regions, say) cannot be imported: its 250 bp and \
                     5 kbp factors are counted along the joined regions, lie across their borders, \
                     and belong to no place of the genome. Import the models of whole chromosomes \
                     that were fitted from it, or check the assembly",
                    says.positions,
                    part.chrom,
                    assembly.name()
                ),
            )
            .into());
        }
        if missing > Some(1) {
            tracing::warn!(
                "{}: the last {} bins of {} are not in the model",
                part.json.display(),
                missing.unwrap_or_default(),
                part.chrom
            );
        }
        regions.push(Region {
            name: None,
            chrom: part.chrom.clone(),
            first_bin: 0,
            n_bins: says.positions,
        });
    }
    let axis = GenomeAxis::with_regions_apart(assembly.clone(), regions)?;
    axis.starts_in(database.axis()).map_err(|e| {
        let chromosomes: Vec<&str> = opened.iter().map(|o| o.part.chrom.as_str()).collect();
        ModelError::Import(format!(
            "{e}: its regions are fixed when it is made. Make another database, of \
             assembly {} and chromosomes {} (`persea create`), or let the import make one (option \
             `assembly`)",
            assembly.name(),
            chromosomes.join(",")
        ))
    })?;
    Ok(axis)
}

/// What each experiment was to the model: trained on, or never seen.
fn tracks(
    says: &ParametersFile,
    known: Option<&Vec<(String, String)>>,
) -> Result<Vec<ModelTrack>, ModelError> {
    let is_of = |(b, a): &&(String, String)| says.biosamples.contains(b) && says.assays.contains(a);
    if let Some((b, a)) = known.and_then(|known| known.iter().find(|pair| !is_of(pair))) {
        return Err(ModelError::Import(format!(
            "{b} {a} is said to have been trained on, and the model does not know it"
        )));
    }
    let all = says
        .biosamples
        .iter()
        .flat_map(|b| says.assays.iter().map(move |a| (b.clone(), a.clone())));
    let trained_on: Option<std::collections::HashSet<&(String, String)>> =
        known.map(|known| known.iter().collect());
    Ok(all
        .map(|pair| ModelTrack {
            role: match &trained_on {
                Some(known) if !known.contains(&pair) => TrackRole::Hold,
                _ => TrackRole::Train,
            },
            biosample: pair.0,
            assay: pair.1,
            checksum: "unknown: the model was imported".into(),
        })
        .collect())
}
