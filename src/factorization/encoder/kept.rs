//! An encoder's training in a checkpoint, and back.

use serde::{Deserialize, Serialize};

use crate::factorization::{CurvePoint, FactorizationError, Position};
use crate::store::{Checkpoint, CheckpointWriter};

const NUMBERS: &str = "encoder";

/// What a checkpoint needs of an encoder in training.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::factorization) struct EncoderKept {
    /// Where its training is.
    pub position: Position,
    /// Σ loss × samples, and samples, of the pass under way.
    pub pass_loss: (f64, u64),
    /// The parameters.
    pub parameters: Vec<f32>,
    /// First moments, then second.
    pub moments: Vec<f32>,
    /// Every pass so far.
    pub curve: Vec<CurvePoint>,
}

/// What a checkpoint's header says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::factorization) struct EncoderHeader {
    position: Position,
    pass_loss: (f64, u64),
    parameters: usize,
    curve: Vec<CurvePoint>,
}

impl EncoderKept {
    pub fn header(&self) -> EncoderHeader {
        EncoderHeader {
            position: self.position,
            pass_loss: self.pass_loss,
            parameters: self.parameters.len(),
            curve: self.curve.clone(),
        }
    }
}

/// Writes its numbers.
pub(in crate::factorization) fn write(
    kept: &EncoderKept,
    writer: &mut CheckpointWriter<'_>,
) -> Result<(), FactorizationError> {
    Ok(writer.part(NUMBERS, |out| {
        out.write_all(bytemuck::cast_slice(&kept.parameters))?;
        out.write_all(bytemuck::cast_slice(&kept.moments))
    })?)
}

/// Reads what [`write`] wrote.
pub(in crate::factorization) fn read(
    checkpoint: &Checkpoint,
    header: &EncoderHeader,
) -> Result<EncoderKept, FactorizationError> {
    let bytes = checkpoint.read(NUMBERS)?;
    let mut numbers: Vec<f32> = (bytes.chunks_exact(4))
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    if numbers.len() != 3 * header.parameters {
        return Err(FactorizationError::Checkpoint(
            "the checkpoint's encoder does not fit its header".into(),
        ));
    }
    let moments = numbers.split_off(header.parameters);
    Ok(EncoderKept {
        position: header.position,
        pass_loss: header.pass_loss,
        parameters: numbers,
        moments,
        curve: header.curve.clone(),
    })
}
