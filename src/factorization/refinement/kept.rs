//! A refinement's training in a checkpoint, and back.

use serde::{Deserialize, Serialize};

use crate::factorization::{CurvePoint, FactorizationError, Position};
use crate::model::{Member, RefinementConfig, Spread, Standardisation};
use crate::store::{Checkpoint, CheckpointWriter};

const NUMBERS: &str = "refinement";

/// What a checkpoint needs of a refinement in training.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::factorization) struct RefinementKept {
    /// Which network is being trained.
    pub network: usize,
    /// Where its training is.
    pub position: Position,
    /// Σ squared residuals and samples of the pass under way.
    pub pass_loss: (f64, u64),
    /// The networks that are trained.
    pub done: Vec<Member>,
    /// The parameters of the one in training.
    pub current: Vec<f32>,
    /// Their moments.
    pub moments: Vec<f32>,
    /// What inputs are standardised by.
    pub standardisation: Standardisation,
    /// How far observed signal lies from predicted.
    pub spread: Spread,
    /// Every pass so far.
    pub curve: Vec<CurvePoint>,
}

/// What a checkpoint's header says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::factorization) struct RefinementHeader {
    network: usize,
    position: Position,
    pass_loss: (f64, u64),
    /// Networks that are trained.
    done: usize,
    /// Numbers of the standardisation's mean.
    standardised: usize,
    /// Points of the spread.
    spread: usize,
    /// Those of them that have quantiles.
    #[serde(default)]
    quantiles: usize,
    curve: Vec<CurvePoint>,
}

impl RefinementKept {
    pub fn header(&self) -> RefinementHeader {
        RefinementHeader {
            network: self.network,
            position: self.position,
            pass_loss: self.pass_loss,
            done: self.done.len(),
            standardised: self.standardisation.mean.len(),
            spread: self.spread.points.len(),
            quantiles: self.spread.quantiles.len(),
            curve: self.curve.clone(),
        }
    }
}

/// Writes its numbers.
pub(in crate::factorization) fn write(
    kept: &RefinementKept,
    writer: &mut CheckpointWriter<'_>,
) -> Result<(), FactorizationError> {
    let mut numbers = Vec::new();
    numbers.extend(&kept.standardisation.mean);
    numbers.extend(&kept.standardisation.deviation);
    numbers.extend(kept.spread.points.iter().flat_map(|p| [p.0, p.1]));
    numbers.extend(kept.spread.quantiles.iter().flatten());
    numbers.extend(&kept.current);
    numbers.extend(&kept.moments);
    kept.done.iter().for_each(|m| numbers.extend(m.flat()));
    Ok(writer.part(NUMBERS, |out| out.write_all(bytemuck::cast_slice(&numbers)))?)
}

/// Reads what [`write`] wrote.
pub(in crate::factorization) fn read(
    checkpoint: &Checkpoint,
    header: &RefinementHeader,
    config: &RefinementConfig,
) -> Result<RefinementKept, FactorizationError> {
    let bad = || {
        FactorizationError::Checkpoint("the checkpoint's refinement does not fit its header".into())
    };
    let bytes = checkpoint.read(NUMBERS)?;
    let numbers: Vec<f32> = (bytes.chunks_exact(4))
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    let mut rest = &numbers[..];
    let mut take = |n: usize| {
        let (part, after) = rest.split_at_checked(n).ok_or_else(bad)?;
        rest = after;
        Ok::<_, FactorizationError>(part.to_vec())
    };
    let n = Member::n_numbers(config);
    let standardisation = Standardisation {
        mean: take(header.standardised)?,
        deviation: take(header.standardised)?,
    };
    let points = take(2 * header.spread)?;
    let quantiles = take(4 * header.quantiles)?;
    let (current, moments) = (take(n)?, take(2 * n)?);
    let done = (0..header.done)
        .map(|_| Member::from_flat(config, &take(n)?).ok_or_else(bad))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(RefinementKept {
        network: header.network,
        position: header.position,
        pass_loss: header.pass_loss,
        done,
        current,
        moments,
        standardisation,
        spread: Spread {
            points: points.chunks_exact(2).map(|p| (p[0], p[1])).collect(),
            quantiles: (quantiles.chunks_exact(4))
                .map(|q| [q[0], q[1], q[2], q[3]])
                .collect(),
        },
        curve: header.curve.clone(),
    })
}
