//! An encoder in training, step by step.

use std::sync::Arc;

use rayon::prelude::*;

use super::EncoderOptions;
use super::descriptions::Descriptions;
use super::sampling::{Described, Samples, Source};
use crate::factorization::{Advance, FactorizationError, Position, StepReport, TrainingSet};
use crate::model::{EncoderConfig, HALO, Stretch, TrackScale, WINDOWS};
use crate::nn::{
    Adam, AdamStep, Backend, Device, EncoderBatch, EncoderNetwork, EncoderSpec, Schedule,
    encoder_network,
};
use crate::random::{Purpose, below, fill_uniform, generator, shuffle};

/// Steps over which the learning rate rises to its full size.
const WARM_UP: f64 = 50.0;
/// Where and how the training runs.
#[derive(Debug, Clone, Copy)]
pub(in crate::factorization) struct EncoderSettings {
    /// The seed that all chance derives from.
    pub seed: u64,
    /// Bytes of described signal in memory at most.
    pub cache_bytes: u64,
    /// Which code trains.
    pub backend: Backend,
    /// Where.
    pub device: Device,
}

/// An encoder in training.
pub(in crate::factorization) struct EncoderTraining {
    pub(super) inputs: Descriptions,
    pub(super) options: EncoderOptions,
    pub(super) settings: EncoderSettings,
    pub(super) spec: EncoderSpec,
    pub(super) network: Box<dyn EncoderNetwork>,
    position: Position,
    /// Σ loss × samples, and samples, of the pass under way.
    pass_loss: (f64, u64),
    /// Windows of the pass under way: places of their stretches, and steps.
    windows: Vec<(Vec<usize>, u64)>,
    /// The window in memory, with its place and its bins in the order of the pass.
    window: Option<(usize, Described)>,
    samples: Samples,
}

impl EncoderTraining {
    /// A training at its start. `scales` are the training tracks', in the set's order.
    ///
    /// # Errors
    /// When there is nothing to train on, signal cannot be read, or the backend fails.
    pub fn new(
        set: Arc<TrainingSet>,
        scales: Vec<TrackScale>,
        config: EncoderConfig,
        options: &EncoderOptions,
        settings: EncoderSettings,
    ) -> Result<Self, FactorizationError> {
        options.check()?;
        config.check()?;
        let stretches = Stretch::all(&set.axis);
        let spec = EncoderSpec {
            inputs: [0, 1, 2].map(|s| config.inputs(s)),
            nodes: options.nodes,
            codes: [options.code; 3],
            decoder: options.decoder,
            outputs: config.tracks,
        };
        let network = encoder_network(
            settings.backend,
            settings.device,
            &spec,
            &initial(&spec, settings.seed),
        )?;
        let mut inputs = Descriptions {
            set,
            config,
            scales,
            input_scales: Default::default(),
            stretches,
        };
        inputs.input_scales = inputs.measure()?;
        let mut training = EncoderTraining {
            inputs,
            network,
            options: options.clone(),
            position: Position::default(),
            pass_loss: (0.0, 0),
            windows: Vec::new(),
            window: None,
            samples: Samples::default(),
            settings,
            spec,
        };
        training.begin_pass();
        if training.steps_of_pass() == 0 {
            return Err(FactorizationError::Options(
                "every bin is masked: nothing to train on".into(),
            ));
        }
        Ok(training)
    }

    fn begin_pass(&mut self) {
        let n_tracks = self.inputs.config.tracks as u64;
        let numbers: f64 = (0..3)
            .map(|s| (WINDOWS[s] + 1) as f64 / [200.0, 10.0, 1.0][s])
            .sum();
        let per_bin = (4.0 * numbers * n_tracks as f64).ceil() as u64;
        let most = (self.settings.cache_bytes / per_bin.max(1)).max(1);
        let mut order: Vec<usize> = (0..self.inputs.stretches.len()).collect();
        let pass = u64::from(self.position.pass + 1);
        shuffle(
            &mut generator(self.settings.seed, Purpose::Encoder, (1 << 63) + pass),
            &mut order,
        );
        let (mut windows, mut held) = (Vec::<(Vec<usize>, u64)>::new(), u64::MAX);
        for place in order {
            let n = self.inputs.stretches[place].n_bins() as u64;
            match windows.last_mut() {
                Some((window, _)) if held + n <= most => {
                    window.push(place);
                    held += n;
                }
                _ => {
                    windows.push((vec![place], 0));
                    held = n;
                }
            }
        }
        for (window, steps) in &mut windows {
            let kept: usize = window
                .iter()
                .map(|p| self.inputs.kept(&self.inputs.stretches[*p]).len())
                .sum();
            *steps = kept.div_ceil(self.options.batch_size) as u64;
        }
        windows.retain(|(_, steps)| *steps > 0);
        self.windows = windows;
        self.window = None;
    }

    fn steps_of_pass(&self) -> u64 {
        self.windows.iter().map(|w| w.1).sum()
    }

    /// Reads a window of a pass: its stretches described, some with their windows cut short as at a
    /// region's end, and its bins in random order.
    fn load(&self, place: usize) -> Result<Described, FactorizationError> {
        let pass = u64::from(self.position.pass + 1);
        let (seed, inputs) = (self.settings.seed, &self.inputs);
        let stretches: Vec<Stretch> = self.windows[place]
            .0
            .iter()
            .map(|p| self.inputs.stretches[*p].clone())
            .collect();
        let surroundings =
            stretches
                .par_iter()
                .zip(&self.windows[place].0)
                .map(|(stretch, number)| {
                    let mut rng = generator(
                        seed,
                        Purpose::Encoder,
                        (3 << 61) + (pass << 32) + *number as u64,
                    );
                    let mut cut = || match below(&mut rng, 4) {
                        0 => u64::from(below(&mut rng, HALO as u32)),
                        _ => HALO,
                    };
                    let (before, after) = (cut(), cut());
                    let within = stretch
                        .bins
                        .start
                        .saturating_sub(before)
                        .max(stretch.region_bins.start)
                        ..(stretch.bins.end + after).min(stretch.region_bins.end);
                    inputs.describe(stretch, &within)
                });
        let surroundings = surroundings.collect::<Result<Vec<_>, _>>()?;
        let kept = stretches.iter().enumerate().flat_map(|(i, s)| {
            self.inputs
                .kept(s)
                .into_iter()
                .map(move |bin| (i as u32, bin))
        });
        let mut bins: Vec<(u32, u32)> = kept.collect();
        let stream = (1 << 62) + (pass << 32) + place as u64;
        shuffle(&mut generator(seed, Purpose::Encoder, stream), &mut bins);
        Ok(Described {
            stretches,
            surroundings,
            bins,
        })
    }

    /// Takes a step.
    ///
    /// # Errors
    /// When signal cannot be read, the backend fails, or the loss is not finite.
    pub fn advance(&mut self) -> Result<Advance, FactorizationError> {
        if self.position.pass == self.options.passes {
            return Ok(Advance::Done);
        }
        let (mut first, mut at) = (0, None);
        for (place, (_, steps)) in self.windows.iter().enumerate() {
            if self.position.step_in_pass < first + steps {
                at = Some((place, (self.position.step_in_pass - first) as usize));
                break;
            }
            first += steps;
        }
        let Some((place, step_in_window)) = at else {
            return Err(FactorizationError::Checkpoint(
                "the checkpoint's encoder lies beyond its pass".into(),
            ));
        };
        let described = match self.window.take() {
            Some((of, described)) if of == place => described,
            _ => self.load(place)?,
        };
        let size = self.options.batch_size;
        let from = step_in_window * size;
        let bins = &described.bins[from..(from + size).min(described.bins.len())];
        let step = self.position.step + 1;
        let source = Source {
            config: &self.inputs.config,
            options: &self.options,
            input_scales: &self.inputs.input_scales,
            seed: self.settings.seed,
        };
        source.draw(&described, bins, step, &mut self.samples);
        let Samples {
            rows,
            targets,
            weights,
        } = &self.samples;
        let batch = EncoderBatch {
            rows: [&rows[0], &rows[1], &rows[2]],
            targets,
            weights,
        };
        let (pass, n) = (self.position.pass + 1, bins.len());
        let loss = self.network.back(&batch)?;
        if !loss.is_finite() {
            return Err(FactorizationError::NotFinite {
                step,
                pass,
                cause: "no single track".into(),
            });
        }
        let number = u32::try_from(step)
            .map_err(|_| FactorizationError::Options("too many steps".into()))?;
        let steps_per_pass = self.steps_of_pass();
        let adam = Adam {
            learning_rate: self.options.learning_rate * (step as f64 / WARM_UP).min(1.0),
            schedule: Schedule::Cosine {
                steps: u64::from(self.options.passes) * steps_per_pass,
            },
            ..Adam::default()
        };
        self.network.apply(&AdamStep::new(&adam, number, 0.0))?;
        self.window = Some((place, described));
        self.position.step = step;
        self.position.step_in_pass += 1;
        self.pass_loss.0 += loss * n as f64;
        self.pass_loss.1 += n as u64;
        let report = StepReport {
            position: self.position,
            steps_per_pass,
            samples: n,
            loss,
        };
        if self.position.step_in_pass < steps_per_pass {
            return Ok(Advance::Step(report));
        }
        let mean = self.pass_loss.0 / self.pass_loss.1.max(1) as f64;
        self.pass_loss = (0.0, 0);
        self.position.pass = pass;
        self.position.step_in_pass = 0;
        self.begin_pass();
        Ok(Advance::Pass(report, mean, None))
    }

    /// What a checkpoint needs.
    ///
    /// # Errors
    /// When the backend cannot give it.
    pub fn keep(&self) -> Result<super::EncoderKept, FactorizationError> {
        let (mut moments, second) = self.network.moments()?;
        moments.extend(second);
        Ok(super::EncoderKept {
            position: self.position,
            pass_loss: self.pass_loss,
            parameters: self.network.parameters()?,
            moments,
            curve: Vec::new(),
        })
    }

    /// Takes up what an earlier run kept.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn restore(&mut self, kept: &super::EncoderKept) -> Result<(), FactorizationError> {
        let n = self.spec.n_parameters();
        if kept.parameters.len() != n || kept.moments.len() != 2 * n {
            return Err(FactorizationError::Checkpoint(
                "the checkpoint's encoder is not of this model's sizes".into(),
            ));
        }
        let EncoderSettings {
            backend, device, ..
        } = self.settings;
        self.network = encoder_network(backend, device, &self.spec, &kept.parameters)?;
        self.network
            .set_moments(&kept.moments[..n], &kept.moments[n..])?;
        self.position = kept.position;
        self.pass_loss = kept.pass_loss;
        self.begin_pass();
        Ok(())
    }
}

/// Glorot-uniform weights and zero biases.
fn initial(spec: &EncoderSpec, seed: u64) -> Vec<f32> {
    let mut values = Vec::with_capacity(spec.n_parameters());
    for (i, [rows, cols]) in spec.tensors().into_iter().enumerate() {
        let mut tensor = vec![0f32; rows * cols];
        if i % 2 == 0 {
            let limit = (6.0 / (rows + cols) as f32).sqrt();
            let mut rng = generator(seed, Purpose::Encoder, (7 << 60) + i as u64);
            fill_uniform(&mut rng, limit, &mut tensor);
        }
        values.extend(tensor);
    }
    values
}
