//! Models in the database: stored as named tensors, read back whole or a block at a time.

use ndarray::{Array1, Array2, ArrayView2, s};

use super::{
    Architecture, Dense, Encoder, Forward, GenomeBlock, GenomeFactors, InputTrack, ModelConfig,
    ModelError, Network, Refinement, ScaleModel, Sizes, TrackScale, encoder, refinement,
};
use crate::genome::{GenomeAxis, Resolution};
use crate::store::{Database, Model, ModelLock, ModelRecord, ModelWriter, StoreError, TrackRole};

const BIOSAMPLES: &str = "biosample_factors";
const ASSAYS: &str = "assay_factors";

pub(super) fn genome_tensor(scale: Resolution) -> String {
    format!("genome_{scale}")
}

/// A model of a database, its dense part in memory, its genome factors read as they are needed.
#[derive(Debug, Clone)]
pub struct TrainedModel {
    stored: Model,
    config: ModelConfig,
    axis: GenomeAxis,
    network: Network,
    forward: Forward,
    encoder: Option<Encoder>,
    refinement: Option<Refinement>,
}

impl TrainedModel {
    /// Opens the model of that name; the default one when no name is given.
    ///
    /// # Errors
    /// When there is none, it is another program's embedding, which imputes nothing
    /// ([`TrainedModel::open_embedding`] opens that), a blob is damaged, or its shapes disagree with its
    /// configuration.
    pub fn open(database: &Database, name: Option<&str>) -> crate::Result<Self> {
        let model = Self::open_embedding(database, name)?;
        model.check_imputes()?;
        Ok(model)
    }

    /// As [`TrainedModel::open`], where a missing name may mean no model: `None` where the database has
    /// none, or its default one is another program's embedding.
    ///
    /// # Errors
    /// As [`TrainedModel::open`].
    pub fn open_if_any(database: &Database, name: Option<&str>) -> crate::Result<Option<Self>> {
        if name.is_some() {
            return Self::open(database, name).map(Some);
        }
        if database.list_models()?.is_empty() {
            return Ok(None);
        }
        let model = Self::open_embedding(database, None)?;
        Ok(model.check_imputes().is_ok().then_some(model))
    }

    /// Opens a model whose positions' factors are all that is wanted: ours or another program's embedding.
    ///
    /// # Errors
    /// When there is none, a blob is damaged, or its shapes disagree with its configuration.
    pub fn open_embedding(database: &Database, name: Option<&str>) -> crate::Result<Self> {
        let stored = database.read_model(name)?;
        let record = &stored.record;
        let config: ModelConfig = serde_json::from_value(record.config.clone())
            .map_err(|e| ModelError::Config(format!("{}: {e}", record.name)))?;
        config.sizes.check()?;
        let axis = GenomeAxis::with_regions_apart(
            database.axis().assembly().clone(),
            record.regions.clone(),
        )?;
        let matrix = |name: &str| read_matrix(database, &stored, name);
        let dense = |name: &str| -> crate::Result<Dense> {
            Ok(Dense {
                weight: matrix(&format!("{name}.weight"))?,
                bias: Array1::from_iter(matrix(&format!("{name}.bias"))?),
            })
        };
        let network = Network {
            biosamples: matrix(BIOSAMPLES)?,
            assays: matrix(ASSAYS)?,
            hidden: (0..config.sizes.layers)
                .map(|i| dense(&format!("hidden_{i}")))
                .collect::<Result<_, _>>()?,
            output: dense("output")?,
        };
        let counts = (network.biosamples.nrows(), network.assays.nrows());
        let names = (stored.record.biosamples.len(), stored.record.assays.len());
        if counts != names {
            return Err(ModelError::Shape {
                name: format!("biosamples and assays of {}", stored.record.name),
                found: [counts.0, counts.1],
                expected: [names.0, names.1],
            }
            .into());
        }
        let forward = Forward::new(&network, &config.sizes)?;
        let encoder = (config.encoder.as_ref())
            .map(|c| encoder::read(c, matrix))
            .transpose()?;
        let refinement = (config.refinement.as_ref())
            .map(|c| refinement::read(c, &stored.record, matrix))
            .transpose()?;
        Ok(TrainedModel {
            config,
            axis,
            network,
            forward,
            encoder,
            refinement,
            stored,
        })
    }

    /// What the database records of it.
    pub fn record(&self) -> &ModelRecord {
        &self.stored.record
    }

    /// The stored model.
    pub fn stored(&self) -> &Model {
        &self.stored
    }

    /// Its configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The genome axis it was trained on.
    pub fn axis(&self) -> &GenomeAxis {
        &self.axis
    }

    /// Its dense part.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Its dense part, ready to predict.
    pub fn forward(&self) -> &Forward {
        &self.forward
    }

    /// How many factors a position has at each of [`Resolution::ALL`].
    pub fn genome_widths(&self) -> [usize; 3] {
        Resolution::ALL.map(|scale| self.config.sizes.genome_factors(scale))
    }

    /// The columns of a position's embedding that hold numbers: all, but of another program's embedding
    /// only those of the resolution that holds it; the others are a 0 each.
    pub fn embedding_columns(&self) -> std::ops::Range<usize> {
        let widths = self.genome_widths();
        let whole = 0..widths.iter().sum();
        let stored = self.record().training.pointer("/imported/resolution");
        let of = |name: &str| Resolution::ALL.iter().position(|r| r.to_string() == name);
        match stored.and_then(|name| of(name.as_str()?)) {
            Some(place) => {
                let start = widths[..place].iter().sum();
                start..start + widths[place]
            }
            None => whole,
        }
    }

    /// What the first layer makes of a scale's genome factors, `[factors, nodes]`: how the network
    /// sees them.
    pub fn first_layer(&self, scale: Resolution) -> ArrayView2<'_, f32> {
        let rows = &Network::input_rows(&self.config.sizes).genome[scale.index()];
        self.network.hidden[0].weight.slice(s![rows.clone(), ..])
    }

    /// Its encoder, of a model whose genome factors come from one.
    pub fn encoder(&self) -> Option<&Encoder> {
        self.encoder.as_ref()
    }

    /// The mean and deviation to expect of an experiment that the network on the stored factors predicts
    /// standardised; none of a model whose network predicts signal as it is stored.
    pub(crate) fn expected_scale(&self, biosample: u32, assay: u32) -> Option<TrackScale> {
        let encoder = self.encoder.as_ref().filter(|e| e.config.standardised)?;
        if let Some(refinement) = &self.refinement {
            return Some(refinement.expected_scale(biosample, assay));
        }
        let record = self.record();
        let place = |names: &[String], name: &str| names.iter().position(|n| n == name);
        let read = (record.tracks.iter()).filter(|t| t.role != TrackRole::Hold);
        let tracks: Vec<InputTrack> = read
            .zip(&encoder.scales)
            .filter_map(|(t, scale)| {
                Some(InputTrack {
                    biosample: place(&record.biosamples, &t.biosample)? as u32,
                    assay: place(&record.assays, &t.assay)? as u32,
                    scale: *scale,
                    added: false,
                })
            })
            .collect();
        let target = (biosample, assay);
        Some(ScaleModel::fit(&tracks, Some(target)).expect(biosample, assay))
    }

    /// What imputes from observed tracks, in a model that has it.
    pub(crate) fn refinement(&self) -> Option<&Refinement> {
        self.refinement.as_ref()
    }

    /// A biosample's place in the model.
    ///
    /// # Errors
    /// When the model does not know it; the nearest names are given.
    pub fn biosample(&self, name: &str) -> Result<usize, StoreError> {
        self.check_imputes()?;
        place("biosample", name, &self.record().biosamples)
    }

    /// # Errors
    /// When it is another program's embedding.
    fn check_imputes(&self) -> Result<(), StoreError> {
        if self.config.architecture == Architecture::Embedding {
            return Err(StoreError::Invalid(format!(
                "model {} is another program's embedding: it knows no biosamples and no assays, and \
                 imputes nothing; choose another model",
                self.record().name
            )));
        }
        Ok(())
    }

    /// An assay's place in the model.
    ///
    /// # Errors
    /// When the model does not know it; the nearest names are given.
    pub fn assay(&self, name: &str) -> Result<usize, StoreError> {
        self.check_imputes()?;
        place("assay", name, &self.record().assays)
    }

    /// The factors of consecutive bins of one region, from its chromosome bin `first_bin` on.
    ///
    /// # Errors
    /// When a blob is damaged.
    pub fn block(
        &self,
        database: &Database,
        region: usize,
        first_bin: u64,
        n_bins: usize,
    ) -> Result<GenomeBlock, StoreError> {
        let mut scales: [Array2<f32>; 3] = Default::default();
        for scale in Resolution::ALL {
            let from = first_bin / scale.bins();
            let n_rows = GenomeBlock::n_rows(scale, first_bin, n_bins);
            let cols = self.config.sizes.genome_factors(scale);
            let mut values = vec![0f32; n_rows * cols];
            let rows = from..from + n_rows as u64;
            self.read_factors(database, scale, region, rows, &mut values)?;
            scales[scale.index()] = shaped(n_rows, cols, values);
        }
        Ok(GenomeBlock {
            first_bin,
            n_bins,
            scales,
        })
    }

    /// Rows of genome factors of one region, counted on its chromosome (bin / bins of the scale),
    /// row-major.
    ///
    /// # Errors
    /// When the region has not these rows, or a blob is damaged.
    pub fn read_factors(
        &self,
        database: &Database,
        scale: Resolution,
        region: usize,
        rows: std::ops::Range<u64>,
        out: &mut [f32],
    ) -> Result<(), StoreError> {
        let first = self.axis.regions()[region].first_row(scale);
        let Some(start) = rows.start.checked_sub(first) else {
            return Err(StoreError::Invalid(format!(
                "row {} of {scale} lies before region {region}, which begins with row {first}",
                rows.start
            )));
        };
        let rows = start..rows.end.saturating_sub(first);
        let of = Some(region as u32);
        database.read_tensor(&self.stored, &genome_tensor(scale), of, rows, out)
    }

    /// All genome factors.
    ///
    /// # Errors
    /// When a blob is damaged.
    pub fn genome_factors(&self, database: &Database) -> Result<GenomeFactors, StoreError> {
        let mut scales: [Array2<f32>; 3] = Default::default();
        for scale in Resolution::ALL {
            let cols = self.config.sizes.genome_factors(scale);
            let mut values = vec![0f32; self.axis.n_rows(scale) as usize * cols];
            for region in 0..self.axis.regions().len() {
                let rows = self.axis.region_rows(scale, region);
                let out = &mut values[rows.start as usize * cols..rows.end as usize * cols];
                let n_rows = rows.end - rows.start;
                database.read_tensor(
                    &self.stored,
                    &genome_tensor(scale),
                    Some(region as u32),
                    0..n_rows,
                    out,
                )?;
            }
            scales[scale.index()] = shaped(self.axis.n_rows(scale) as usize, cols, values);
        }
        Ok(GenomeFactors { scales })
    }
}

/// Stores a model in one commit, in place of one of that name where `replace` is set.
///
/// `record.regions` must be the axis' regions and `record.config` the configuration the shapes
/// come from.
///
/// # Errors
/// When shapes disagree, a number is not finite, or the disk is full; nothing is stored then.
pub fn save(
    database: &Database,
    lock: &ModelLock,
    record: &ModelRecord,
    network: &Network,
    genome: &GenomeFactors,
    (encoder, refinement): (Option<&Encoder>, Option<&Refinement>),
    replace: bool,
) -> crate::Result<Model> {
    let config: ModelConfig = serde_json::from_value(record.config.clone())
        .map_err(|e| ModelError::Config(format!("{}: {e}", record.name)))?;
    if config.encoder.as_ref() != encoder.map(|e| &e.config) {
        return Err(ModelError::Config(format!(
            "{}: the encoder is not the one that the configuration describes",
            record.name
        ))
        .into());
    }
    if let Some(encoder) = encoder {
        encoder.check()?;
    }
    if config.refinement.as_ref() != refinement.map(|r| &r.config) {
        return Err(ModelError::Config(format!(
            "{}: the refinement is not the one that the configuration describes",
            record.name
        ))
        .into());
    }
    if let Some(refinement) = refinement {
        refinement.check()?;
    }
    let axis =
        GenomeAxis::with_regions_apart(database.axis().assembly().clone(), record.regions.clone())?;
    let mut writer = begin(
        database,
        lock,
        record,
        network,
        (encoder, refinement),
        &config.sizes,
        replace,
    )?;
    for scale in Resolution::ALL {
        let table = &genome.scales[scale.index()];
        let (rows, cols) = (
            axis.n_rows(scale) as usize,
            config.sizes.genome_factors(scale),
        );
        if table.dim() != (rows, cols) {
            return Err(ModelError::Shape {
                name: format!("{scale} factors"),
                found: [table.nrows(), table.ncols()],
                expected: [rows, cols],
            }
            .into());
        }
        let table = table.as_standard_layout();
        let values = table.as_slice().unwrap_or(&[]);
        for region in 0..axis.regions().len() {
            let rows = axis.region_rows(scale, region);
            let part = &values[rows.start as usize * cols..rows.end as usize * cols];
            writer.tensor(
                &genome_tensor(scale),
                rows.end - rows.start,
                cols as u64,
                Some(region as u32),
                part,
            )?;
        }
    }
    Ok(writer.commit()?)
}

/// Begins to store a model: all but the genome's factors. [`genome_tensor`] follow, a region each.
pub(super) fn begin<'a>(
    database: &'a Database,
    lock: &ModelLock,
    record: &ModelRecord,
    network: &Network,
    (encoder, refinement): (Option<&Encoder>, Option<&Refinement>),
    sizes: &Sizes,
    replace: bool,
) -> crate::Result<ModelWriter<'a>> {
    network.check(sizes)?;
    let mut writer = database.begin_model(lock, record, replace)?;
    let mut put = |name: &str, rows: usize, cols: usize, values: &mut dyn Iterator<Item = f32>| {
        let flat: Vec<f32> = values.collect();
        writer.tensor(name, rows as u64, cols as u64, None, &flat)
    };
    for (name, factors) in [(BIOSAMPLES, &network.biosamples), (ASSAYS, &network.assays)] {
        put(
            name,
            factors.nrows(),
            factors.ncols(),
            &mut factors.iter().copied(),
        )?;
    }
    let hidden = network
        .hidden
        .iter()
        .enumerate()
        .map(|(i, layer)| (format!("hidden_{i}"), layer));
    for (name, layer) in hidden.chain([("output".to_string(), &network.output)]) {
        let (rows, cols) = layer.weight.dim();
        put(
            &format!("{name}.weight"),
            rows,
            cols,
            &mut layer.weight.iter().copied(),
        )?;
        put(
            &format!("{name}.bias"),
            1,
            cols,
            &mut layer.bias.iter().copied(),
        )?;
    }
    if let Some(encoder) = encoder {
        encoder::write(encoder, &mut put)?;
    }
    if let Some(refinement) = refinement {
        refinement::write(refinement, &mut put)?;
    }
    Ok(writer)
}

fn place(what: &'static str, name: &str, names: &[String]) -> Result<usize, StoreError> {
    let found = names.iter().position(|n| n == name);
    found.ok_or_else(|| StoreError::unknown(what, name, names.iter().map(String::as_str)))
}

fn read_matrix(database: &Database, stored: &Model, name: &str) -> Result<Array2<f32>, StoreError> {
    let tensor = stored.tensor(name, None)?;
    let (rows, cols) = (tensor.rows as usize, tensor.cols as usize);
    let mut values = vec![0f32; rows * cols];
    database.read_tensor(stored, name, None, 0..tensor.rows, &mut values)?;
    Ok(shaped(rows, cols, values))
}

/// Row-major values as a matrix; their number is rows × cols by construction.
fn shaped(rows: usize, cols: usize, values: Vec<f32>) -> Array2<f32> {
    Array2::from_shape_vec((rows, cols), values).unwrap_or_else(|_| Array2::zeros((0, 0)))
}
