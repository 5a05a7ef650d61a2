//! A refinement as tensors of a stored model.

use ndarray::Array2;

use super::scale::InputTrack;
use super::{Inputs, Member, Refinement, RefinementConfig, Spread, Standardisation, TrackScale};
use crate::model::{Dense, ModelError};
use crate::store::{ModelRecord, StoreError, TrackRole};

const TRACKS: &str = "refinement_tracks";
const STANDARDISATION: &str = "refinement_inputs";
const SPREAD: &str = "refinement_spread";

fn layer(member: usize, layer: usize, what: &str) -> String {
    format!("refinement_{member}_layer_{layer}.{what}")
}

/// Stores a tensor: name, rows, columns, numbers.
type Put<'a, E> =
    dyn FnMut(&str, usize, usize, &mut dyn Iterator<Item = f32>) -> Result<(), E> + 'a;

/// Hands every tensor of a refinement to `put`.
pub(in crate::model) fn write<E>(refinement: &Refinement, put: &mut Put<'_, E>) -> Result<(), E> {
    let tracks = &refinement.inputs.tracks;
    let mut scales = tracks
        .iter()
        .flat_map(|t| [t.scale.mean, t.scale.deviation]);
    put(TRACKS, tracks.len(), 2, &mut scales)?;
    let Standardisation { mean, deviation } = &refinement.standardisation;
    put(
        STANDARDISATION,
        2,
        mean.len(),
        &mut mean.iter().chain(deviation).copied(),
    )?;
    let Spread { points, quantiles } = &refinement.spread;
    let columns = if quantiles.is_empty() { 2 } else { 6 };
    let mut rows = points.iter().enumerate().flat_map(|(i, p)| {
        let ends = quantiles.get(i).into_iter().flatten().copied();
        [p.0, p.1].into_iter().chain(ends)
    });
    put(SPREAD, points.len(), columns, &mut rows)?;
    for (m, member) in refinement.members.iter().enumerate() {
        for (l, dense) in member.layers.iter().enumerate() {
            let (rows, cols) = dense.weight.dim();
            put(
                &layer(m, l, "weight"),
                rows,
                cols,
                &mut dense.weight.iter().copied(),
            )?;
            put(
                &layer(m, l, "bias"),
                1,
                cols,
                &mut dense.bias.iter().copied(),
            )?;
        }
    }
    Ok(())
}

/// Reads a refinement; `matrix` reads a tensor by its name.
pub(in crate::model) fn read(
    config: &RefinementConfig,
    record: &ModelRecord,
    mut matrix: impl FnMut(&str) -> Result<Array2<f32>, StoreError>,
) -> crate::Result<Refinement> {
    config.check()?;
    let scales = matrix(TRACKS)?;
    let place = |names: &[String], name: &String| names.iter().position(|n| n == name);
    let mut tracks = Vec::new();
    for track in record.tracks.iter().filter(|t| t.role != TrackRole::Hold) {
        let places = (
            place(&record.biosamples, &track.biosample),
            place(&record.assays, &track.assay),
        );
        let (Some(biosample), Some(assay)) = places else {
            return Err(ModelError::Config(format!(
                "{}: the refinement reads {} {}, which the model does not know",
                record.name, track.biosample, track.assay
            ))
            .into());
        };
        let added = track.role == TrackRole::Extend;
        tracks.push((biosample as u32, assay as u32, added));
    }
    if scales.dim() != (tracks.len(), 2) {
        return Err(ModelError::Shape {
            name: TRACKS.into(),
            found: [scales.nrows(), scales.ncols()],
            expected: [tracks.len(), 2],
        }
        .into());
    }
    let input = |(track, row): ((u32, u32, bool), ndarray::ArrayView1<'_, f32>)| InputTrack {
        biosample: track.0,
        assay: track.1,
        added: track.2,
        scale: TrackScale {
            mean: row[0],
            deviation: row[1],
        },
    };
    let inputs = Inputs {
        tracks: tracks.into_iter().zip(scales.rows()).map(input).collect(),
    };
    let standardisation = matrix(STANDARDISATION)?;
    if standardisation.dim() != (2, config.inputs()) {
        return Err(ModelError::Shape {
            name: STANDARDISATION.into(),
            found: [standardisation.nrows(), standardisation.ncols()],
            expected: [2, config.inputs()],
        }
        .into());
    }
    let spread = matrix(SPREAD)?;
    let mut members = Vec::with_capacity(config.members);
    for m in 0..config.members {
        let mut layers = Vec::with_capacity(config.layers + 1);
        for l in 0..=config.layers {
            layers.push(Dense {
                weight: matrix(&layer(m, l, "weight"))?,
                bias: matrix(&layer(m, l, "bias"))?.into_iter().collect(),
            });
        }
        members.push(Member { layers });
    }
    let refinement = Refinement {
        config: config.clone(),
        inputs,
        standardisation: Standardisation {
            mean: standardisation.row(0).to_vec(),
            deviation: standardisation.row(1).to_vec(),
        },
        members,
        spread: Spread {
            points: spread.rows().into_iter().map(|r| (r[0], r[1])).collect(),
            // Models of before there were quantiles have two columns.
            quantiles: match spread.ncols() {
                6 => (spread.rows().into_iter())
                    .map(|r| [r[2], r[3], r[4], r[5]])
                    .collect(),
                _ => Vec::new(),
            },
        },
    };
    refinement.check()?;
    Ok(refinement)
}
