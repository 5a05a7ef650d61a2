//! The training of a refinement, a step at a time.

use std::sync::Arc;

use rayon::prelude::*;

use super::kept::RefinementKept;
use super::member;
use super::options::RefinementOptions;
use super::sampling::{Described, GROUP, Peaks, Targets, highest_percent, n_groups, shuffled};
use crate::factorization::{
    Adam, Backend, Blocks, CurvePoint, Device, FactorizationError, Position, Sampling, Schedule,
    StepReport, TrainingSet,
};
use crate::model::{
    InputTrack, Inputs, Member, Refinement, RefinementConfig, ScaleModel, SignalBlock, Spread,
    Standardisation,
};
use crate::nn::{AdamStep, DenseBatch, Dropout, FeedForward, feed_forward};

/// Largest number of bins used to measure how far observed signal lies from predicted.
const SPREAD_BINS: u64 = 1 << 17;
/// Groups of predictions that its spread is measured in.
const SPREAD_GROUPS: usize = 32;
/// Groups of bins that the inputs' standardisation is measured on.
const STANDARDISATION_GROUPS: usize = 256;
/// Largest number of bins from which a track's highest are estimated.
const PEAK_BINS: u64 = 1 << 20;
/// Steps over which the learning rate rises at first.
const WARM_UP: f64 = 50.0;

/// The first network, which is not part of the model: trained without some targets, it tells how
/// far off imputations are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trial {
    /// The tracks that are not among its targets, by their place in the training set; no trial when
    /// there is none.
    pub targets: Vec<usize>,
}

/// Where chance comes from, and what there is to work with.
#[derive(Debug, Clone, Copy)]
pub struct RefinementSettings {
    /// The seed that all chance derives from.
    pub seed: u64,
    /// Bins that are described in memory at once.
    pub window_bins: u64,
    /// Which code trains the networks.
    pub backend: Backend,
    /// Where.
    pub device: Device,
}

/// What a call of [`RefinementTraining::advance`] did.
#[derive(Debug, Clone, Copy)]
pub enum Advance {
    /// A step.
    Step(StepReport),
    /// A pass' last step: the mean loss over the pass, and the trial's error at its end.
    Pass(StepReport, f64, Option<f64>),
    /// Everything is trained.
    Done,
}

/// A refinement in training.
pub struct RefinementTraining {
    set: Arc<TrainingSet>,
    options: RefinementOptions,
    config: RefinementConfig,
    inputs: Inputs,
    weights: Vec<f32>,
    peaks: Peaks,
    trial: Trial,
    seed: u64,
    window_bins: u64,
    backend: Backend,
    device: Device,
    blocks: Blocks,
    standardisation: Standardisation,
    spread: Spread,
    done: Vec<Member>,
    /// Which network is being trained: 0 is the trial where there is one.
    network: usize,
    current: Box<dyn FeedForward>,
    position: Position,
    pass_loss: (f64, u64),
    /// Steps of a network's training in all.
    n_steps: u64,
    /// The windows of the pass under way and the steps of each.
    pass: Vec<(Vec<usize>, u64)>,
    /// The groups of the window under way, and the number that its order derives from.
    order: Option<(u64, Vec<(usize, usize)>)>,
    /// The window in memory.
    described: Option<Described>,
}

impl RefinementTraining {
    /// A training at its start.
    ///
    /// All threads allocate a window's arrays. With glibc's settings, what one window frees is not
    /// always found by the next, and memory may reach twice what `window_bins` asks for; a program
    /// that minds sets `M_MMAP_THRESHOLD` to a mebibyte, as `persea` does.
    ///
    /// # Errors
    /// When there is nothing to train on, signal cannot be read, or the backend fails.
    pub fn new(
        set: Arc<TrainingSet>,
        inputs: Inputs,
        config: RefinementConfig,
        options: &RefinementOptions,
        trial: Trial,
        settings: RefinementSettings,
    ) -> Result<Self, FactorizationError> {
        let RefinementSettings {
            seed,
            window_bins,
            backend,
            device,
        } = settings;
        options.check()?;
        config.check()?;
        let blocks = Blocks::new(&set.axis, &set.mask);
        if blocks.n_kept() == 0 || inputs.tracks.is_empty() {
            return Err(FactorizationError::NothingToTrain {
                why: "every bin is masked, or there is no track: nothing to train on",
            });
        }
        let variance = |i: usize| f64::from(inputs.tracks[i].scale.deviation).powi(2);
        let n = inputs.tracks.len();
        let mean = (0..n).map(variance).sum::<f64>() / n as f64;
        let mut training = RefinementTraining {
            current: network(&config, seed, 0, backend, device)?,
            weights: (0..n).map(|i| (variance(i) / mean) as f32).collect(),
            peaks: peaks(&set, &inputs, &blocks, options.peak_weight)?,
            options: options.clone(),
            standardisation: Standardisation::default(),
            spread: Spread::default(),
            done: Vec::new(),
            network: 0,
            position: Position::default(),
            pass_loss: (0.0, 0),
            n_steps: 0,
            pass: Vec::new(),
            order: None,
            described: None,
            set,
            config,
            inputs,
            trial,
            seed,
            window_bins,
            backend,
            device,
            blocks,
        };
        training.begin_network()?;
        Ok(training)
    }

    fn has_trial(&self) -> bool {
        !self.trial.targets.is_empty() && self.trial.targets.len() < self.inputs.tracks.len()
    }

    fn n_networks(&self) -> usize {
        self.config.members + usize::from(self.has_trial())
    }

    fn in_trial(&self) -> bool {
        self.has_trial() && self.network == 0
    }

    /// Which network is being trained, counted from 0, and of how many.
    pub fn network(&self) -> (usize, usize) {
        (self.network, self.n_networks())
    }

    fn begin_network(&mut self) -> Result<(), FactorizationError> {
        let (backend, device) = (self.backend, self.device);
        self.current = network(&self.config, self.seed, self.network, backend, device)?;
        self.position = Position::default();
        self.pass_loss = (0.0, 0);
        self.begin_pass();
        self.n_steps = u64::from(self.options.passes) * self.steps_of_pass();
        Ok(())
    }

    fn begin_pass(&mut self) {
        let windows = self.windows(self.position.pass + 1);
        let steps = |w: &[usize]| n_groups(&self.blocks, w).div_ceil(self.groups_per_step()) as u64;
        self.pass = (windows.into_iter())
            .map(|w| (steps(&w), w))
            .map(|(n, w)| (w, n))
            .collect();
    }

    fn steps_of_pass(&self) -> u64 {
        self.pass.iter().map(|(_, steps)| steps).sum()
    }

    fn windows(&self, pass: u32) -> Vec<Vec<usize>> {
        // Other windows than the factors' passes have, were they the same number.
        let seed = self.seed.wrapping_add(1 + self.network as u64);
        self.blocks
            .windows(Sampling::Permuted, seed, pass, self.window_bins)
    }

    fn groups_per_step(&self) -> usize {
        self.options.batch_size.div_ceil(GROUP)
    }

    /// Describes the signal of some blocks, unless that is in memory.
    fn describe(&mut self, window: &[usize]) -> Result<Described, FactorizationError> {
        if let Some(described) = self.described.take()
            && described.blocks == window
        {
            return Ok(described);
        }
        let (set, blocks) = (&self.set, &self.blocks);
        let signal = window
            .par_iter()
            .map(|i| {
                let block = &blocks.all()[*i];
                let bins = block.first_bin..block.first_bin + block.n_bins as u64;
                let region = set.axis.region_bins(block.region);
                let (reading, start) = SignalBlock::reading(&self.config, &bins, &region);
                let n_read = (reading.end - reading.start) as usize;
                let read =
                    |track: usize, out: &mut [f32]| set.source.read(track, reading.clone(), out);
                SignalBlock::load(
                    &self.config,
                    &self.inputs,
                    n_read,
                    start,
                    block.n_bins,
                    read,
                )
            })
            .collect::<Result<Vec<_>, FactorizationError>>()?;
        let kept = window.iter().map(|i| {
            let block = &blocks.all()[*i];
            let is_kept = |b: &u32| !set.mask.is_masked(block.first_bin + u64::from(*b));
            (0..block.n_bins as u32).filter(is_kept).collect()
        });
        Ok(Described {
            kept: kept.collect(),
            blocks: window.to_vec(),
            signal,
        })
    }

    fn targets<'a>(&'a self, which: &'a [usize]) -> Targets<'a> {
        Targets {
            config: &self.config,
            inputs: &self.inputs,
            which,
            weights: &self.weights,
            peaks: &self.peaks,
            seed: self.seed,
        }
    }

    fn which(&self) -> Vec<usize> {
        let all = 0..self.inputs.tracks.len();
        all.filter(|t| !(self.in_trial() && self.trial.targets.contains(t)))
            .collect()
    }

    fn adam(&self) -> Adam {
        let warm = (self.position.step as f64 + 1.0) / WARM_UP;
        Adam {
            learning_rate: self.options.learning_rate * warm.min(1.0),
            schedule: Schedule::Cosine {
                steps: self.n_steps,
            },
            ..Adam::default()
        }
    }

    /// Takes a step.
    ///
    /// # Errors
    /// When signal cannot be read, the backend fails, or the loss is not finite.
    pub fn advance(&mut self) -> Result<Advance, FactorizationError> {
        if self.network == self.n_networks() {
            return Ok(Advance::Done);
        }
        let pass = self.position.pass + 1;
        let mut first = 0;
        let mut at = None;
        for (place, (_, steps)) in self.pass.iter().enumerate() {
            if self.position.step_in_pass < first + steps {
                at = Some((place, self.position.step_in_pass - first));
                break;
            }
            first += steps;
        }
        let Some((place, step_in_window)) = at else {
            return Err(FactorizationError::Checkpoint(
                "the checkpoint's refinement lies beyond its pass".into(),
            ));
        };
        let window = self.pass[place].0.clone();
        let described = self.describe(&window)?;
        if self.standardisation.mean.is_empty() {
            self.standardise(&described);
        }
        let stream = ((self.network as u64) << 40) + (u64::from(pass) << 24) + place as u64;
        let order = match self.order.take() {
            Some((number, order)) if number == stream => order,
            _ => shuffled(&self.blocks, &window, self.seed, stream),
        };
        let size = self.groups_per_step();
        let from = step_in_window as usize * size;
        let groups = &order[from..(from + size).min(order.len())];
        let which = self.which();
        let step = self.position.step + 1;
        let number = ((self.network as u64) << 32) + step;
        let samples =
            self.targets(&which)
                .draw(&described, groups, Some(&self.standardisation), number);
        let number_in_network = u32::try_from(step)
            .map_err(|_| FactorizationError::Options("too many steps".into()))?;
        // What is left to explain once the average is taken off.
        let targets: Vec<f32> = (samples.values.iter().zip(&samples.averages))
            .map(|(value, average)| value - average)
            .collect();
        let loss = self.current.back(&DenseBatch {
            rows: &samples.rows,
            targets: &targets,
            weights: &samples.weights,
            dropout: Dropout {
                share: self.options.dropout,
                seed: self.seed,
                index: number,
            },
        })?;
        let weight_decay = self.options.weight_decay;
        let adam = AdamStep::new(&self.adam(), number_in_network, weight_decay);
        self.current.apply(&adam)?;
        self.described = Some(described);
        self.order = Some((stream, order));
        if !loss.is_finite() {
            return Err(FactorizationError::NotFinite {
                step,
                pass,
                cause: "the refinement's, of no single track".into(),
            });
        }
        let n = samples.values.len();
        self.position.step = step;
        self.position.step_in_pass += 1;
        self.pass_loss.0 += loss * n as f64;
        self.pass_loss.1 += n as u64;
        let report = StepReport {
            position: self.position,
            steps_per_pass: self.steps_of_pass(),
            samples: n,
            loss,
        };
        if self.position.step_in_pass < report.steps_per_pass {
            return Ok(Advance::Step(report));
        }
        let mean = self.pass_loss.0 / self.pass_loss.1.max(1) as f64;
        self.pass_loss = (0.0, 0);
        self.position.pass = pass;
        self.position.step_in_pass = 0;
        self.begin_pass();
        let held_out = if self.in_trial() {
            Some(self.try_out()?)
        } else {
            None
        };
        if pass >= self.options.passes {
            if !self.in_trial() {
                self.done.push(self.current_member()?);
            }
            self.network += 1;
            if self.network < self.n_networks() {
                self.begin_network()?;
            }
        }
        Ok(Advance::Pass(report, mean, held_out))
    }

    fn standardise(&mut self, described: &Described) {
        let all: Vec<usize> = (0..self.inputs.tracks.len()).collect();
        let groups = shuffled(&self.blocks, &described.blocks, self.seed, 1 << 60);
        let groups = &groups[..groups.len().min(STANDARDISATION_GROUPS)];
        let samples = self.targets(&all).draw(described, groups, None, 1 << 44);
        self.standardisation = Standardisation::of(&samples.rows, self.config.inputs());
    }

    /// Imputes the trial's targets, measures how far off they are, and gives the mean over them of
    /// their mean squared error.
    fn try_out(&mut self) -> Result<f64, FactorizationError> {
        let refinement = Refinement {
            config: self.config.clone(),
            inputs: self.inputs.clone(),
            standardisation: self.standardisation.clone(),
            members: vec![self.current_member()?],
            spread: Spread::default(),
        };
        let targets: Vec<_> = (self.trial.targets.iter())
            .map(|t| {
                let track = self.inputs.tracks[*t];
                let (b, a) = (track.biosample, track.assay);
                let expected = ScaleModel::fit(&self.inputs.tracks, Some((b, a))).expect(b, a);
                (*t, refinement.plan(b, a), expected, track.scale)
            })
            .collect();
        // How far the expected scale is off: what all tracks show, each expected from the others. The few
        // targets of the trial do not tell.
        let off: Vec<(f32, f32)> = (self.inputs.tracks.iter())
            .map(|track| {
                let (b, a) = (track.biosample, track.assay);
                let expected = ScaleModel::fit(&self.inputs.tracks, Some((b, a))).expect(b, a);
                track.scale.relative_to(expected)
            })
            .collect();
        let mut pairs = Vec::new();
        let mut sums = vec![(0f64, 0u64); targets.len()];
        let in_memory = self.described.take();
        for i in self.blocks.spread(SPREAD_BINS) {
            let described = self.describe(&[i])?;
            let (signal, kept) = (&described.signal[0], &described.kept[0]);
            let mut imputed = vec![0f32; signal.n_bins()];
            for ((track, plan, expected, scale), sum) in targets.iter().zip(&mut sums) {
                refinement.predict_standardised(plan, signal, &mut imputed);
                let observed = signal.track(*track, 0);
                for bin in kept {
                    let bin = *bin as usize;
                    let standardised = observed[bin];
                    if standardised.is_nan() {
                        continue;
                    }
                    let observed = scale.mean + scale.deviation * standardised;
                    let apart = expected.mean + expected.deviation * imputed[bin] - observed;
                    sum.0 += f64::from(apart) * f64::from(apart);
                    sum.1 += 1;
                    let (shift, ratio) = off[pairs.len() % off.len()];
                    pairs.push((imputed[bin], shift + ratio * standardised - imputed[bin]));
                }
            }
        }
        self.described = in_memory;
        self.spread = Spread::measured(pairs, SPREAD_GROUPS);
        let sums: Vec<(f64, u64)> = sums.into_iter().filter(|(_, n)| *n > 0).collect();
        let errors = sums.iter().map(|(s, n)| s / *n as f64);
        Ok(errors.sum::<f64>() / sums.len().max(1) as f64)
    }

    /// The network in training as plain numbers.
    fn current_member(&self) -> Result<Member, FactorizationError> {
        member::from_flat(&self.config, &self.current.parameters()?)
    }

    /// The refinement, once everything is trained.
    pub fn into_refinement(self) -> Refinement {
        Refinement {
            config: self.config,
            inputs: self.inputs,
            standardisation: self.standardisation,
            members: self.done,
            spread: self.spread,
        }
    }

    /// What a checkpoint needs.
    ///
    /// # Errors
    /// When the backend fails.
    pub(in crate::factorization) fn keep(
        &self,
        curve: Vec<CurvePoint>,
    ) -> Result<RefinementKept, FactorizationError> {
        let (first, second) = self.current.moments()?;
        Ok(RefinementKept {
            network: self.network,
            position: self.position,
            pass_loss: self.pass_loss,
            done: self.done.clone(),
            current: self.current.parameters()?,
            moments: [first, second].concat(),
            standardisation: self.standardisation.clone(),
            spread: self.spread.clone(),
            curve,
        })
    }

    /// Takes up what an earlier run kept.
    ///
    /// # Errors
    /// When its shapes are not this training's.
    pub(in crate::factorization) fn restore(
        &mut self,
        kept: RefinementKept,
    ) -> Result<(), FactorizationError> {
        let spec = member::spec(&self.config);
        let n = spec.n_parameters();
        if kept.current.len() != n || kept.moments.len() != 2 * n {
            return Err(FactorizationError::Checkpoint(
                "the checkpoint's refinement is not of this model's sizes".into(),
            ));
        }
        self.current = feed_forward(self.backend, self.device, &spec, &kept.current)?;
        let (first, second) = kept.moments.split_at(n);
        self.current.set_moments(first, second)?;
        self.network = kept.network;
        self.position = kept.position;
        self.pass_loss = kept.pass_loss;
        self.done = kept.done;
        self.standardisation = kept.standardisation;
        self.spread = kept.spread;
        self.begin_pass();
        Ok(())
    }
}

/// A network at the start of its training.
fn network(
    config: &RefinementConfig,
    seed: u64,
    which: usize,
    backend: Backend,
    device: Device,
) -> Result<Box<dyn FeedForward>, FactorizationError> {
    let values = member::initial(config, seed, which);
    Ok(feed_forward(
        backend,
        device,
        &member::spec(config),
        &values,
    )?)
}

/// Where each track's peaks begin: from blocks spread evenly over the axis, always the same, so that
/// a resumed training has the same.
fn peaks(
    set: &TrainingSet,
    inputs: &Inputs,
    blocks: &Blocks,
    weight: f64,
) -> Result<Peaks, FactorizationError> {
    let weight = weight as f32;
    if weight == 1.0 {
        let above = vec![f32::INFINITY; inputs.tracks.len()];
        return Ok(Peaks { weight, above });
    }
    let evaluated = blocks.spread(PEAK_BINS);
    let begin = |(track, input): (usize, &InputTrack)| {
        let mut kept = Vec::new();
        let mut values = Vec::new();
        for i in &evaluated {
            let block = &blocks.all()[*i];
            let bins = block.first_bin..block.first_bin + block.n_bins as u64;
            values.resize(block.n_bins, 0.0);
            set.source.read(track, bins.clone(), &mut values)?;
            let of_block =
                (bins.zip(&values)).filter(|(b, v)| !set.mask.is_masked(*b) && !v.is_nan());
            kept.extend(of_block.map(|(_, v)| input.scale.standardise(*v)));
        }
        Ok(highest_percent(&mut kept))
    };
    let above = inputs.tracks.par_iter().enumerate().map(begin);
    Ok(Peaks {
        weight,
        above: above.collect::<Result<_, FactorizationError>>()?,
    })
}
