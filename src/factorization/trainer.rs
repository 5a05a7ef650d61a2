//! The training loop over passes, windows and steps; knows nothing of files.

use std::ops::ControlFlow;
use std::sync::Arc;

use ndarray::Array2;
use rayon::prelude::*;

use super::batch::{Batch, Choice, WindowSteps};
use super::training_set::{PassEnd, Position, Settings, StepReport, Trained, TrainingSet};
use super::{Block, Blocks, FactorizationError, PassFactors, Window};
use crate::genome::Resolution;
use crate::model::{Forward, GenomeBlock, GenomeFactors, Network};
use crate::nn::{
    AdamStep, Alphas, FactorBatch, FactorGradients, FactorNetwork, FactorRows, FactorSpec,
    LazyTable, factor_network,
};

/// Hears of every step and may stop the pass.
pub type AfterStep<'a> =
    dyn FnMut(&mut Trainer, StepReport) -> Result<ControlFlow<()>, FactorizationError> + 'a;

/// A network and its genome factors in training.
pub struct Trainer {
    set: Arc<TrainingSet>,
    settings: Settings,
    trained: Trained,
    network: Box<dyn FactorNetwork>,
    tables: [LazyTable; 3],
    alphas: Alphas,
    spec: FactorSpec,
    blocks: Blocks,
    /// Tracks that training draws from.
    active: Vec<usize>,
    pairs: Vec<[u32; 2]>,
    /// The rows of factors of a step, and what comes back; kept from step to step.
    rows: [Vec<f32>; 3],
    gradients: FactorGradients,
    position: Position,
    /// Σ squared residuals and samples of the pass under way.
    pass_loss: (f64, u64),
    /// The whole axis, where it fits in one window.
    whole: Option<Arc<Window>>,
    /// Where the factors of each pass come from, of a network on an encoder's factors.
    pass_factors: Option<Arc<dyn PassFactors>>,
    /// The pass that the factors are of, where each has its own; 0 before the first.
    factors_of: u32,
    /// Validation tracks on the blocks on which they are compared.
    held: Option<(Vec<usize>, Window)>,
}

/// The numbers of a training's state, for checkpoints.
pub struct State {
    /// Where training is.
    pub position: Position,
    /// Σ squared residuals and samples of the pass under way.
    pub pass_loss: (f64, u64),
    /// The network's parameters, flat.
    pub network: Vec<f32>,
    /// First and second moments of each tensor of it, one tensor after another.
    pub moments: Vec<f32>,
    /// The genome's factors, their moments and how far each row is.
    pub tables: [LazyTable; 3],
}

/// The network's numbers, for checkpoints.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseState {
    /// Rows and columns of each tensor.
    pub tensors: Vec<[usize; 2]>,
    /// Their values, one tensor after another.
    pub values: Vec<f32>,
    /// First and second moments of each tensor, one tensor after another.
    pub moments: Vec<f32>,
}

pub(super) fn spec(
    settings: &Settings,
    trained: &Trained,
    [biosamples, assays]: [usize; 2],
) -> FactorSpec {
    let sizes = &settings.sizes;
    FactorSpec {
        biosamples: [biosamples, sizes.biosample_factors],
        assays: [assays, sizes.assay_factors],
        genome_factors: Resolution::ALL.map(|scale| sizes.genome_factors(scale)),
        layers: sizes.layers,
        nodes: sizes.nodes,
        arithmetic: settings.arithmetic,
        trained_biosamples: trained.biosamples.clone(),
        trained_assays: trained.assays.clone(),
        trained_layers: trained.layers,
    }
}

/// Scales all gradients down so that their common Euclidean norm is at most `most`.
pub(super) fn clip(
    network: &mut dyn FactorNetwork,
    gradients: &mut FactorGradients,
    most: f64,
) -> Result<(), FactorizationError> {
    let norm = norm(network, gradients)?;
    if norm > most {
        let factor = (most / norm) as f32;
        network.scale_gradients(factor)?;
        for value in gradients.genome.iter_mut().flatten() {
            *value *= factor;
        }
    }
    Ok(())
}

/// The common Euclidean norm of all gradients.
pub(super) fn norm(
    network: &dyn FactorNetwork,
    gradients: &FactorGradients,
) -> Result<f64, FactorizationError> {
    let genome = (gradients.genome.iter().flatten())
        .map(|g| f64::from(*g) * f64::from(*g))
        .sum::<f64>();
    Ok((network.squared_norm()? + genome).sqrt())
}

fn steps_of(blocks: &Blocks, window: &[usize], batch_size: usize) -> u64 {
    let kept: usize = window.iter().map(|i| blocks.all()[*i].n_kept).sum();
    kept.div_ceil(batch_size) as u64
}

fn tables(genome: GenomeFactors) -> [LazyTable; 3] {
    genome.scales.map(|table| {
        let cols = table.ncols();
        LazyTable::new(table.into_raw_vec_and_offset().0, cols)
    })
}

/// Steps of the first pass; later ones differ by a few where windows are shuffled.
pub fn steps_per_pass(set: &TrainingSet, settings: &Settings) -> u64 {
    let blocks = Blocks::new(&set.axis, &set.mask);
    let windows = blocks.windows(settings.sampling, settings.seed, 1, settings.window_bins);
    windows
        .iter()
        .map(|w| steps_of(&blocks, w, settings.sizes.batch_size))
        .sum()
}

impl Trainer {
    /// A training at its start.
    ///
    /// # Errors
    /// When there is nothing to train on, or the backend fails.
    pub fn new(
        set: Arc<TrainingSet>,
        settings: Settings,
        active: Vec<usize>,
        trained: Trained,
        network: &Network,
        genome: GenomeFactors,
    ) -> Result<Self, FactorizationError> {
        let blocks = Blocks::new(&set.axis, &set.mask);
        if active.is_empty() {
            return Err(FactorizationError::Options("no track to train on".into()));
        }
        if blocks.n_kept() == 0 {
            return Err(FactorizationError::Options(
                "every bin is masked: nothing to train on".into(),
            ));
        }
        let pairs = active
            .iter()
            .map(|t| [set.tracks[*t].biosample.1, set.tracks[*t].assay.1])
            .collect();
        network.check(&settings.sizes)?;
        let spec = spec(&settings, &trained, network.n_names());
        let network = factor_network(settings.backend, settings.device, &spec, &network.to_flat())?;
        Ok(Trainer {
            network,
            spec,
            rows: Default::default(),
            gradients: FactorGradients::default(),
            tables: tables(genome),
            alphas: Alphas::new(settings.adam),
            blocks,
            active,
            pairs,
            position: Position::default(),
            pass_loss: (0.0, 0),
            whole: None,
            pass_factors: None,
            factors_of: 0,
            held: None,
            set,
            settings,
            trained,
        })
    }

    /// Trains on factors of each pass, of all of the set's tracks.
    pub(super) fn set_pass_factors(&mut self, pass_factors: Arc<dyn PassFactors>) {
        self.pass_factors = Some(pass_factors);
    }

    /// Where training is.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Steps of a pass.
    pub fn steps_per_pass(&self, pass: u32) -> u64 {
        self.windows(pass)
            .iter()
            .map(|w| self.window_steps(w))
            .sum()
    }

    fn windows(&self, pass: u32) -> Vec<Vec<usize>> {
        let Settings {
            sampling,
            seed,
            window_bins,
            ..
        } = self.settings;
        self.blocks.windows(sampling, seed, pass, window_bins)
    }

    fn window_steps(&self, window: &[usize]) -> u64 {
        steps_of(&self.blocks, window, self.settings.sizes.batch_size)
    }

    fn load(
        set: &TrainingSet,
        active: &[usize],
        blocks: Vec<Block>,
    ) -> Result<Arc<Window>, FactorizationError> {
        Window::load(set.source.as_ref(), active, blocks, &set.mask).map(Arc::new)
    }

    /// Trains to the end of the current pass, or through the next one; `after_step` is called after every
    /// step and may stop it.
    ///
    /// # Errors
    /// When signal cannot be read, the backend fails, or the loss is not finite.
    pub fn run_pass(
        &mut self,
        after_step: &mut AfterStep<'_>,
    ) -> Result<PassEnd, FactorizationError> {
        let pass = self.position.pass + 1;
        if let Some(of_pass) = &self.pass_factors
            && self.factors_of != pass
        {
            self.tables = tables(of_pass.factors(pass)?);
            self.factors_of = pass;
        }
        let windows = self.windows(pass);
        let steps: Vec<u64> = windows.iter().map(|w| self.window_steps(w)).collect();
        let steps_per_pass = steps.iter().sum();
        let list = |window: &[usize]| {
            window
                .iter()
                .map(|i| self.blocks.all()[*i].clone())
                .collect::<Vec<_>>()
        };
        let lists: Vec<Vec<Block>> = windows.iter().map(|w| list(w)).collect();
        let single = lists.len() == 1;
        let mut before = 0;
        let mut ahead: Option<std::thread::JoinHandle<Result<Arc<Window>, FactorizationError>>> =
            None;
        for (place, list) in lists.iter().enumerate() {
            let first = before;
            before += steps[place];
            if self.position.step_in_pass >= before {
                continue;
            }
            let window = match (ahead.take(), &self.whole) {
                (Some(loading), _) => loading
                    .join()
                    .map_err(|_| FactorizationError::Options("reading signal failed".into()))??,
                (None, Some(whole)) if single => Arc::clone(whole),
                _ => Self::load(&self.set, &self.active, list.clone())?,
            };
            if single {
                self.whole = Some(Arc::clone(&window));
            } else if let Some(next) = lists.get(place + 1).cloned() {
                // The next window is read while this one is trained on.
                let (set, active) = (Arc::clone(&self.set), self.active.clone());
                ahead = Some(std::thread::spawn(move || Self::load(&set, &active, next)));
            }
            let Settings {
                sampling,
                seed,
                sizes,
                ..
            } = self.settings;
            let plan = WindowSteps::new(&window, sampling, sizes.batch_size, seed, pass, place);
            while self.position.step_in_pass < before {
                let i = (self.position.step_in_pass - first) as usize;
                let bins = plan.bins(&window, i, self.position.step + 1);
                let report = match sizes.layers {
                    // Short steps stay in rayon's pool: each loop shared from outside it puts a
                    // thread to sleep and wakes another.
                    1 => rayon::scope(|_| self.step(&window, bins, pass, steps_per_pass))?,
                    _ => self.step(&window, bins, pass, steps_per_pass)?,
                };
                if after_step(self, report)?.is_break() {
                    return Ok(PassEnd::Stopped);
                }
            }
        }
        let loss = self.pass_loss.0 / self.pass_loss.1.max(1) as f64;
        self.pass_loss = (0.0, 0);
        self.position.pass = pass;
        self.position.step_in_pass = 0;
        Ok(PassEnd::Done(loss))
    }

    fn step(
        &mut self,
        window: &Window,
        bins: Vec<u32>,
        pass: u32,
        steps_per_pass: u64,
    ) -> Result<StepReport, FactorizationError> {
        let step = self.position.step + 1;
        let Settings { seed, adam, .. } = self.settings;
        let now = u32::try_from(step)
            .map_err(|_| FactorizationError::Options("too many steps".into()))?;
        let choice = match &self.pass_factors {
            Some(of_pass) => Choice::OfPass(of_pass.as_ref(), pass),
            None => Choice::All(self.active.len()),
        };
        let batch = Batch::new(&self.set.axis, window, bins, &choice, seed, step);
        if batch.is_empty() {
            // No track has data at any of the step's bins: there is nothing to learn from it.
            self.position.step = step;
            self.position.step_in_pass += 1;
            return Ok(StepReport {
                position: self.position,
                steps_per_pass,
                samples: 0,
                loss: 0.0,
            });
        }
        let of_scale = self.tables.iter_mut().zip(&batch.groups);
        for ((table, groups), rows) in of_scale.zip(&mut self.rows) {
            if self.trained.genome {
                table.catch_up(&groups.rows, now - 1, &mut self.alphas);
            }
            let cols = table.cols();
            rows.clear();
            rows.reserve(groups.rows.len() * cols);
            for row in &groups.rows {
                rows.extend_from_slice(&table.values()[*row as usize * cols..][..cols]);
            }
        }
        let of_scale = |s: usize| FactorRows {
            factors: &self.rows[s],
            starts: &batch.groups[s].starts,
        };
        let shown = FactorBatch {
            tracks: &batch.tracks,
            pairs: &self.pairs,
            observed: &batch.values,
            genome: [of_scale(0), of_scale(1), of_scale(2)],
        };
        let gradients = &mut self.gradients;
        self.network.back(&shown, gradients)?;
        if !gradients.loss.is_finite() {
            let cause = match gradients.residuals.iter().position(|r| !r.is_finite()) {
                Some(i) => {
                    let track = &self.set.tracks[self.active[batch.tracks[i] as usize]];
                    let (segment, bin) = (window.segment_of(batch.bins[i]), batch.bins[i]);
                    let (region, chrom_bin) = window.chrom_bin(&self.set.axis, segment, bin);
                    let chrom = &self.set.axis.regions()[region].chrom;
                    format!("track {} at {chrom}:{}", track.name(), chrom_bin * 25 + 1)
                }
                None => "no single track".into(),
            };
            return Err(FactorizationError::NotFinite { step, pass, cause });
        }
        if let Some(most) = self.settings.clip {
            clip(self.network.as_mut(), gradients, most)?;
        }
        self.network.apply(&AdamStep::new(&adam, now, 0.0))?;
        if self.trained.genome {
            let of_scale = self.tables.iter_mut().zip(&batch.groups);
            for ((table, groups), gradient) in of_scale.zip(&gradients.genome) {
                table.apply(&groups.rows, gradient, now, &adam);
            }
        }
        let loss = gradients.loss;
        self.position.step = step;
        self.position.step_in_pass += 1;
        self.pass_loss.0 += loss * batch.len() as f64;
        self.pass_loss.1 += batch.len() as u64;
        Ok(StepReport {
            position: self.position,
            steps_per_pass,
            samples: batch.len(),
            loss,
        })
    }

    /// Mean squared error of each of some tracks, over at most about `bins` bins spread over the axis, those
    /// where it has data; `None` of a track that has none there.
    ///
    /// # Errors
    /// When signal cannot be read or the backend fails.
    pub fn held_out_error(
        &mut self,
        tracks: &[usize],
        bins: u64,
    ) -> Result<Vec<Option<f64>>, FactorizationError> {
        if self.held.as_ref().is_none_or(|(of, _)| of != tracks) {
            let blocks = self
                .blocks
                .spread(bins)
                .into_iter()
                .map(|i| self.blocks.all()[i].clone())
                .collect();
            let window = Window::load(self.set.source.as_ref(), tracks, blocks, &self.set.mask)?;
            self.held = Some((tracks.to_vec(), window));
        }
        let forward = Forward::new(&self.network()?, &self.settings.sizes)?;
        let Some((_, window)) = self.held.take() else {
            return Ok(Vec::new());
        };
        let mut sums = vec![0f64; tracks.len()];
        let mut counts = vec![0u64; tracks.len()];
        let place = |t: &usize| {
            let track = &self.set.tracks[*t];
            (track.biosample.1 as usize, track.assay.1 as usize)
        };
        let experiments: Vec<(usize, usize)> = tracks.iter().map(place).collect();
        for segment in &window.segments {
            let block = self.genome_block(&segment.block);
            let n = block.n_bins;
            let mut imputed = vec![0f32; experiments.len() * n];
            forward.predict(&block, &experiments, &mut imputed)?;
            for (i, imputed) in imputed.chunks_exact(n.max(1)).enumerate() {
                let observed = &window.track(i)[segment.start..segment.start + block.n_bins];
                let counts_at = |b: usize| {
                    !self.set.mask.is_masked(segment.block.first_bin + b as u64)
                        && !observed[b].is_nan()
                };
                sums[i] += (imputed.par_iter().zip(observed).enumerate())
                    .filter(|(b, _)| counts_at(*b))
                    .map(|(_, (p, o))| f64::from(p - o) * f64::from(p - o))
                    .sum::<f64>();
                counts[i] += (0..n).filter(|b| counts_at(*b)).count() as u64;
            }
        }
        self.held = Some((tracks.to_vec(), window));
        let means = sums
            .iter()
            .zip(counts)
            .map(|(s, n)| (n > 0).then(|| s / n as f64));
        Ok(means.collect())
    }

    /// A block's factors as dense Adam would have them now.
    fn genome_block(&mut self, block: &Block) -> GenomeBlock {
        let axis = &self.set.axis;
        let region = &axis.regions()[block.region];
        let first_bin = region.first_bin + block.first_bin - axis.region_bins(block.region).start;
        let (now, trained) = (self.position.step as u32, self.trained.genome);
        let (tables, alphas) = (&mut self.tables, &mut self.alphas);
        let scales = Resolution::ALL.map(|scale| {
            let table = &mut tables[scale.index()];
            let first = axis.row(scale, block.region, first_bin) as u32;
            let n_rows = GenomeBlock::n_rows(scale, first_bin, block.n_bins);
            let rows: Vec<u32> = (first..first + n_rows as u32).collect();
            if trained {
                table.catch_up(&rows, now, alphas);
            }
            let cols = table.cols();
            let values = &table.values()[first as usize * cols..][..n_rows * cols];
            Array2::from_shape_fn((n_rows, cols), |(r, c)| values[r * cols + c])
        });
        GenomeBlock {
            first_bin,
            n_bins: block.n_bins,
            scales,
        }
    }

    /// The network and the genome's factors as they are now.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn into_model(mut self) -> Result<(Network, GenomeFactors), FactorizationError> {
        if self.trained.genome {
            self.flush();
        }
        let network = self.network()?;
        let scales = self.tables.map(|table| {
            let (rows, cols) = (table.rows(), table.cols());
            Array2::from_shape_vec((rows, cols), table.into_values())
                .unwrap_or_else(|_| Array2::zeros((0, cols)))
        });
        Ok((network, GenomeFactors { scales }))
    }

    fn flush(&mut self) {
        for table in &mut self.tables {
            table.flush(self.position.step as u32, &mut self.alphas);
        }
    }

    /// The network as plain numbers.
    fn network(&self) -> Result<Network, FactorizationError> {
        let [biosamples, assays] = [self.spec.biosamples[0], self.spec.assays[0]];
        let flat = self.network.parameters()?;
        Ok(Network::from_flat(
            &self.settings.sizes,
            [biosamples, assays],
            &flat,
        )?)
    }

    /// What a resumed training needs of the network: rows and columns of its tensors, their values,
    /// and first and second moments of each, one tensor after another.
    ///
    /// # Errors
    /// When the backend cannot give them.
    pub fn dense_state(&self) -> Result<DenseState, FactorizationError> {
        let tensors = self.spec.tensors();
        let (first, second) = self.network.moments()?;
        let mut moments = Vec::with_capacity(2 * first.len());
        let mut at = 0;
        for [rows, cols] in &tensors {
            let tensor = at..at + rows * cols;
            moments.extend_from_slice(&first[tensor.clone()]);
            moments.extend_from_slice(&second[tensor.clone()]);
            at = tensor.end;
        }
        Ok(DenseState {
            tensors,
            values: self.network.parameters()?,
            moments,
        })
    }

    /// The genome's tables as they are, rows not caught up included.
    pub fn tables(&self) -> &[LazyTable; 3] {
        &self.tables
    }

    /// Σ squared residuals and samples of the pass under way.
    pub fn pass_loss(&self) -> (f64, u64) {
        self.pass_loss
    }

    /// Takes up a state that an earlier run left.
    ///
    /// # Errors
    /// When its shapes are not this training's.
    pub fn restore(&mut self, state: State) -> Result<(), FactorizationError> {
        let shape =
            |tables: &[LazyTable; 3]| [0, 1, 2].map(|s| (tables[s].rows(), tables[s].cols()));
        if shape(&state.tables) != shape(&self.tables) {
            return Err(FactorizationError::Checkpoint(
                "the checkpoint's genome factors are not of this model's regions or sizes".into(),
            ));
        }
        let bad = || {
            FactorizationError::Checkpoint(
                "the checkpoint's network is not of this model's sizes".into(),
            )
        };
        let n = self.spec.n_parameters();
        if state.network.len() != n || state.moments.len() != 2 * n {
            return Err(bad());
        }
        let (mut first, mut second) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut rest = &state.moments[..];
        for [rows, cols] in self.spec.tensors() {
            let (of_tensor, after) = rest.split_at(2 * rows * cols);
            let halves = of_tensor.split_at(rows * cols);
            first.extend_from_slice(halves.0);
            second.extend_from_slice(halves.1);
            rest = after;
        }
        let Settings {
            backend, device, ..
        } = self.settings;
        let mut network = factor_network(backend, device, &self.spec, &state.network)?;
        network.set_moments(&first, &second)?;
        self.network = network;
        self.tables = state.tables;
        self.position = state.position;
        self.pass_loss = state.pass_loss;
        Ok(())
    }
}
