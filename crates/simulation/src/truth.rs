//! The simulation as a whole: what it covers, and its signal anywhere.

use std::ops::Range;

use super::activity::Activity;
use super::assay::AssayModel;
use super::chromosome::ChromosomeTruth;
use super::experiments::{SimulatedBiosample, SimulatedTrack, draw_biosamples, draw_tracks};
use super::pileup::PValues;
use super::sampler::{Library, Sampler, SignalKind};
use super::{SimulationConfig, SimulationError};
use persea_genome::{Assembly, Gene, GenomeAxis, Interval, Region};

/// A simulated compendium and its truth.
///
/// ```
/// use persea_simulation::{SignalKind, Simulation, SimulationConfig};
/// let config = SimulationConfig { n_chromosomes: 1, ..SimulationConfig::default() };
/// let simulation = Simulation::new(config)?;
/// let track = &simulation.tracks()[0];
/// let observed = simulation.signal(track, SignalKind::Observed, 1_000..1_100)?;
/// assert_eq!(observed.len(), 100);
/// # Ok::<(), persea_simulation::SimulationError>(())
/// ```
pub struct Simulation {
    config: SimulationConfig,
    axis: GenomeAxis,
    pub(crate) chromosomes: Vec<ChromosomeTruth>,
    biosamples: Vec<SimulatedBiosample>,
    assays: Vec<AssayModel>,
    tracks: Vec<SimulatedTrack>,
    p_values: PValues,
}

/// The longest piece that [`Simulation::stream`] gives, in bins.
const PIECE_BINS: u64 = 65_536;

impl Simulation {
    /// Draws the truth; signal is generated when it is asked for.
    ///
    /// # Errors
    /// When the settings make no sense ([`SimulationConfig::validate`]).
    pub fn new(config: SimulationConfig) -> Result<Self, SimulationError> {
        config.validate()?;
        let chromosomes: Vec<ChromosomeTruth> = (0..config.n_chromosomes)
            .map(|number| ChromosomeTruth::draw(&config, number))
            .collect();
        let sizes: Vec<(String, u64)> = chromosomes
            .iter()
            .map(|c| (c.name.clone(), c.length))
            .collect();
        let assembly = Assembly::from_chromosomes("simulated", &sizes)?;
        let regions = chromosomes.iter().map(|c| Region {
            name: Some(c.name.clone()),
            chrom: c.name.clone(),
            first_bin: 0,
            n_bins: c.n_bins(),
        });
        let axis = GenomeAxis::new(assembly, regions.collect())?;
        let biosamples = draw_biosamples(&config);
        let assays = config
            .assays
            .iter()
            .map(|name| AssayModel::by_name(name, config.seed))
            .collect::<Result<Vec<_>, _>>()?;
        let tracks = draw_tracks(&config, &biosamples, &assays);
        Ok(Simulation {
            config,
            axis,
            chromosomes,
            biosamples,
            assays,
            tracks,
            p_values: PValues::new(),
        })
    }

    /// What it was asked for.
    pub fn config(&self) -> &SimulationConfig {
        &self.config
    }

    /// The genome: each chromosome is one region.
    pub fn axis(&self) -> &GenomeAxis {
        &self.axis
    }

    /// The biosamples.
    pub fn biosamples(&self) -> &[SimulatedBiosample] {
        &self.biosamples
    }

    /// The assays.
    pub fn assays(&self) -> &[AssayModel] {
        &self.assays
    }

    /// All experiments, measured or held out, biosample by biosample, assays in order.
    pub fn tracks(&self) -> &[SimulatedTrack] {
        &self.tracks
    }

    /// The genes, by chromosome and start.
    pub fn genes(&self) -> Vec<Gene> {
        let elements = self.chromosomes.iter().flat_map(|c| &c.genes);
        elements.map(|e| e.gene.clone()).collect()
    }

    /// The enhancers of all biosamples together, by chromosome and start.
    pub fn enhancers(&self) -> Vec<Interval> {
        let of_chromosome = |c: &'_ ChromosomeTruth| -> Vec<Interval> {
            let enhancers = c.enhancers.iter();
            enhancers
                .map(|e| Interval::new(&c.name, e.start, e.end))
                .collect()
        };
        self.chromosomes.iter().flat_map(of_chromosome).collect()
    }

    /// Regions of artefact signal, in every track, to be masked.
    pub fn mask(&self) -> Vec<Interval> {
        let lists = self.chromosomes.iter().flat_map(|c| &c.blacklist);
        lists.cloned().collect()
    }

    /// The signal (−log10 p) of an experiment at bins of the axis; NaN in bins without data, which only an
    /// observed track of a simulation with `uncovered` above 0 has.
    ///
    /// # Errors
    /// When the bins are beyond the axis or the track is of another simulation.
    pub fn signal(
        &self,
        track: &SimulatedTrack,
        kind: SignalKind,
        bins: Range<u64>,
    ) -> Result<Vec<f32>, SimulationError> {
        if bins.start > bins.end || bins.end > self.axis.n_bins() {
            return Err(SimulationError::OutOfRange(format!(
                "bins {}..{} are beyond the simulation's {}",
                bins.start,
                bins.end,
                self.axis.n_bins()
            )));
        }
        let library = self.library(track, kind)?;
        let mut values = vec![0.0; (bins.end - bins.start) as usize];
        for (number, truth) in self.chromosomes.iter().enumerate() {
            let covered = self.axis.region_bins(number);
            let (start, end) = (bins.start.max(covered.start), bins.end.min(covered.end));
            if start >= end {
                continue;
            }
            let activity = self.activity(truth, track.biosample);
            let sampler = Sampler::new(&library, truth, &activity);
            let place = (start - bins.start) as usize..(end - bins.start) as usize;
            sampler.fill(start - covered.start, &mut values[place]);
        }
        Self::cover_up(&self.uncovered(track), kind, bins.start, &mut values);
        Ok(values)
    }

    /// The whole signal (−log10 p) of an experiment, in pieces of at most 65,536 bins, each with
    /// the axis bin that it starts at; they never cross a region and come in the axis's order.
    ///
    /// # Errors
    /// Those of `sink`, and when the track is of another simulation.
    pub fn stream<E: From<SimulationError>>(
        &self,
        track: &SimulatedTrack,
        kind: SignalKind,
        mut sink: impl FnMut(u64, &[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let library = self.library(track, kind)?;
        let uncovered = self.uncovered(track);
        let mut piece = Vec::new();
        for (number, truth) in self.chromosomes.iter().enumerate() {
            let activity = self.activity(truth, track.biosample);
            let sampler = Sampler::new(&library, truth, &activity);
            let offset = self.axis.region_bins(number).start;
            let n_bins = truth.n_bins();
            for first in (0..n_bins).step_by(PIECE_BINS as usize) {
                piece.resize(PIECE_BINS.min(n_bins - first) as usize, 0.0);
                sampler.fill(first, &mut piece);
                Self::cover_up(&uncovered, kind, offset + first, &mut piece);
                sink(offset + first, &piece)?;
            }
        }
        Ok(())
    }

    /// The truth of a chromosome by its place in the assembly.
    pub(crate) fn chromosome(&self, number: usize) -> Result<&ChromosomeTruth, SimulationError> {
        let n = self.chromosomes.len();
        let message = || format!("no chromosome {number}: there are {n}, counted from 0");
        let found = self.chromosomes.get(number);
        found.ok_or_else(|| SimulationError::OutOfRange(message()))
    }

    /// Refuses a biosample that does not exist.
    pub(crate) fn check_biosample(&self, number: usize) -> Result<(), SimulationError> {
        let n = self.biosamples.len();
        if number < n {
            return Ok(());
        }
        let message = format!("no biosample {number}: there are {n}, counted from 0");
        Err(SimulationError::OutOfRange(message))
    }

    /// What is at work in a biosample on a chromosome.
    pub(crate) fn activity(&self, truth: &ChromosomeTruth, biosample: usize) -> Activity {
        let group = self.biosamples[biosample].group;
        Activity::draw(&self.config, truth, group, biosample)
    }

    fn library<'a>(
        &'a self,
        track: &'a SimulatedTrack,
        kind: SignalKind,
    ) -> Result<Library<'a>, SimulationError> {
        let (Some(assay), Some(biosample)) = (
            self.assays.get(track.assay),
            self.biosamples.get(track.biosample),
        ) else {
            let message = "the track is of another simulation: no such biosample or assay here";
            return Err(SimulationError::OutOfRange(message.into()));
        };
        let seed = self.config.seed;
        Ok(Library::new(
            seed,
            assay,
            biosample,
            track,
            &self.p_values,
            kind,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> SimulationConfig {
        SimulationConfig {
            n_chromosomes: 2,
            chromosome_bp: 2_000_010,
            ..SimulationConfig::default()
        }
    }

    #[test]
    fn pieces_and_stretches_are_the_same_signal_across_chromosomes() {
        let simulation = Simulation::new(small()).unwrap();
        let n = simulation.axis().n_bins();
        for kind in [SignalKind::Observed, SignalKind::NoiseFree] {
            let track = &simulation.tracks()[9];
            let mut streamed = vec![f32::NAN; n as usize];
            simulation
                .stream(track, kind, |bin, values| {
                    assert!(values.len() as u64 <= PIECE_BINS);
                    let bin = bin as usize;
                    streamed[bin..bin + values.len()].copy_from_slice(values);
                    Ok::<(), SimulationError>(())
                })
                .unwrap();
            assert!(streamed.iter().all(|v| v.is_finite() && *v >= 0.0));
            for bins in [0..300, 79_900..80_200, n - 50..n] {
                let part = simulation.signal(track, kind, bins.clone()).unwrap();
                assert_eq!(part, streamed[bins.start as usize..bins.end as usize]);
            }
        }
    }

    #[test]
    fn one_biosample_more_leaves_the_signal_of_the_others_as_it_was() {
        let eight = Simulation::new(small()).unwrap();
        let nine = Simulation::new(SimulationConfig {
            n_biosamples: 9,
            ..small()
        })
        .unwrap();
        let signal = |s: &Simulation| {
            s.signal(&s.tracks()[11], SignalKind::Observed, 5_000..6_000)
                .unwrap()
        };
        assert_eq!(signal(&eight), signal(&nine));
    }

    #[test]
    fn bins_tracks_and_chromosomes_that_are_not_there_are_refused() {
        let simulation = Simulation::new(small()).unwrap();
        let track = simulation.tracks()[0].clone();
        let n = simulation.axis().n_bins();
        assert!(
            simulation
                .signal(&track, SignalKind::Observed, n..n + 1)
                .is_err()
        );
        let other = SimulatedTrack { assay: 99, ..track };
        assert!(
            simulation
                .signal(&other, SignalKind::Observed, 0..1)
                .is_err()
        );
        assert!(simulation.states(99, 0).is_err() && simulation.states(0, 2).is_err());
    }
}
