//! A training's state in a checkpoint, and back.

use std::io::Write;

use serde::{Deserialize, Serialize};

use super::encoder::{self, EncoderHeader, EncoderKept};
use super::options::TrainOptions;
use super::refinement::{self, RefinementHeader, RefinementKept};
use super::{FactorizationError, LazyTable, Position, State, Trainer, TrainingProgress};
use crate::genome::Resolution;
use crate::store::{Checkpoint, Database, ModelLock};

/// What a checkpoint says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    pub options: TrainOptions,
    #[serde(rename = "course")]
    pub progress: TrainingProgress,
    pub position: Position,
    pub pass_loss: (f64, u64),
    /// Checksums of the training tracks, in order.
    pub tracks: Vec<String>,
    /// Tracks that validate in each search, by their place among them.
    pub validate: Vec<Vec<usize>>,
    /// Rows and columns of the network's tensors, in order.
    pub shapes: Vec<(usize, usize)>,
    /// Columns of the genome's tables.
    pub cols: [usize; 3],
    /// What there is of an encoder.
    #[serde(default)]
    pub encoder: Option<EncoderHeader>,
    /// What there is of a refinement.
    #[serde(default)]
    pub refinement: Option<RefinementHeader>,
}

impl Header {
    /// Whether the factors' training has begun; before that a refinement's is under way.
    pub fn factors_begun(&self) -> bool {
        !self.shapes.is_empty()
    }
}

/// How far a training has come.
#[derive(Clone, Copy)]
pub(super) struct Progress<'a> {
    pub progress: &'a TrainingProgress,
    /// The factors', once begun.
    pub trainer: Option<&'a Trainer>,
    /// The encoder's, of a model that has one.
    pub encoder: Option<&'a EncoderKept>,
    /// The refinement's, of a model that has one.
    pub refinement: Option<&'a RefinementKept>,
}

/// Writes a checkpoint.
pub(super) fn write(
    database: &Database,
    lock: &ModelLock,
    options: &TrainOptions,
    tracks: &[String],
    validate: &[Vec<usize>],
    now: Progress<'_>,
) -> Result<(), FactorizationError> {
    let Progress {
        progress,
        trainer,
        encoder,
        refinement,
    } = now;
    let dense = trainer.map(Trainer::dense_state).transpose()?;
    // The encoder is trained first, then the refinement, then the network.
    let position = match (trainer, refinement, encoder) {
        (Some(trainer), ..) => trainer.position(),
        (None, Some(kept), _) => kept.position,
        (None, None, Some(kept)) => kept.position,
        (None, None, None) => Position::default(),
    };
    let header = Header {
        options: options.clone(),
        progress: progress.clone(),
        position,
        pass_loss: trainer.map_or((0.0, 0), Trainer::pass_loss),
        tracks: tracks.to_vec(),
        validate: validate.to_vec(),
        shapes: (dense.iter())
            .flat_map(|d| d.tensors.iter().map(|[r, c]| (*r, *c)))
            .collect(),
        cols: [0, 1, 2].map(|s| trainer.map_or(0, |t| t.tables()[s].cols())),
        encoder: encoder.map(EncoderKept::header),
        refinement: refinement.map(RefinementKept::header),
    };
    let header =
        serde_json::to_vec(&header).map_err(|e| FactorizationError::Checkpoint(e.to_string()))?;
    let mut writer = database.begin_checkpoint(lock, position.step)?;
    writer.part("header", |out| out.write_all(&header))?;
    if let Some(kept) = encoder {
        encoder::write(kept, &mut writer)?;
    }
    if let Some(kept) = refinement {
        refinement::write(kept, &mut writer)?;
    }
    let (Some(trainer), Some(dense)) = (trainer, dense) else {
        return Ok(writer.finish()?);
    };
    for (name, values) in [("network", &dense.values), ("moments", &dense.moments)] {
        writer.part(name, |out| out.write_all(bytemuck::cast_slice(values)))?;
    }
    for scale in Resolution::ALL {
        let (values, first, second, last) = trainer.tables()[scale.index()].parts();
        let mut put = |name: &str, bytes: &[u8]| {
            writer.part(&format!("{scale} {name}"), |out: &mut dyn Write| {
                out.write_all(bytes)
            })
        };
        put("values", bytemuck::cast_slice(values))?;
        put("first", bytemuck::cast_slice(first))?;
        put("second", bytemuck::cast_slice(second))?;
        put("last", bytemuck::cast_slice(last))?;
    }
    Ok(writer.finish()?)
}

/// Reads a checkpoint's header.
pub(super) fn header(checkpoint: &Checkpoint) -> Result<Header, FactorizationError> {
    serde_json::from_slice(&checkpoint.read("header")?).map_err(|e| {
        FactorizationError::Checkpoint(format!("the checkpoint's header cannot be read: {e}"))
    })
}

/// Reads a checkpoint's state.
pub(super) fn state(checkpoint: &Checkpoint, header: &Header) -> Result<State, FactorizationError> {
    let bad =
        || FactorizationError::Checkpoint("the checkpoint's parts do not fit its header".into());
    let numbers = |name: &str| -> Result<Vec<f32>, FactorizationError> {
        let bytes = checkpoint.read(name)?;
        Ok(bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect())
    };
    let network = numbers("network")?;
    if network.len() != header.shapes.iter().map(|(r, c)| r * c).sum::<usize>() {
        return Err(bad());
    }
    let mut tables = Vec::new();
    for scale in Resolution::ALL {
        let last = checkpoint.read(&format!("{scale} last"))?;
        let last = last
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let part = |name: &str| numbers(&format!("{scale} {name}"));
        let table = LazyTable::from_parts(
            header.cols[scale.index()],
            part("values")?,
            part("first")?,
            part("second")?,
            last,
        );
        tables.push(table.ok_or_else(bad)?);
    }
    Ok(State {
        position: header.position,
        pass_loss: header.pass_loss,
        network,
        moments: numbers("moments")?,
        tables: tables.try_into().map_err(|_| bad())?,
    })
}
