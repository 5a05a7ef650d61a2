//! Features read along the genome: tracks, averages, factors, activations, imputations.

use std::ops::Range;

use rayon::prelude::*;

use super::pool::{Pooled, Pooling, pool};
use super::scales::Widened;
use super::{Column, Features, Term};
use crate::compendium::{AverageActivity, Experiment, TracksOnAxis};
use crate::genome::{GenomeAxis, Resolution};
use crate::imputation::Stream;
use crate::model::TrainedModel;
use crate::store::{Database, Example, Track};
use crate::tasks::TaskError;
use crate::tasks::windows::{Reach, Windows};

/// What features are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The biosamples of the run, for which assays must be common.
    pub biosamples: Vec<String>,
    /// The assays to use; all when empty.
    pub assays: Vec<String>,
    pub poolings: Vec<Pooling>,
    /// How far a gene's window reaches.
    pub reach: Reach,
}

/// Makes features of examples, all of which must be covered.
pub(crate) struct Maker<'a> {
    database: &'a Database,
    model: Option<&'a TrainedModel>,
    request: &'a Request,
    tracks: Vec<Track>,
    /// Windows on the database's axis and on the model's.
    windows: Placed,
    model_windows: Option<Placed>,
}

/// The windows of all examples, one after another.
struct Placed {
    parts: &'static [&'static str],
    ranges: Vec<Range<u64>>,
    reversed: Vec<bool>,
}

/// Columns that come from one channel, part by part.
struct ChannelName {
    name: String,
    group: String,
}

impl<'a> Maker<'a> {
    pub(crate) fn new(
        database: &'a Database,
        model: Option<&'a TrainedModel>,
        request: &'a Request,
        examples: &[Example],
    ) -> crate::Result<Self> {
        let known = database.assays()?;
        for assay in &request.assays {
            if !known.iter().any(|a| a.name == *assay) {
                let known = known.iter().map(|a| a.name.as_str());
                return Err(crate::store::StoreError::unknown("assay", assay, known).into());
            }
        }
        let wanted = |t: &Track| request.assays.is_empty() || request.assays.contains(&t.assay);
        Ok(Maker {
            database,
            model,
            request,
            tracks: database.tracks()?.into_iter().filter(wanted).collect(),
            windows: Placed::new(database.axis(), examples, request.reach),
            model_windows: model.map(|m| Placed::new(m.axis(), examples, request.reach)),
        })
    }

    /// The features of one term for one biosample.
    pub(crate) fn make(&self, term: &Term, biosample: &str) -> crate::Result<Features> {
        match term {
            Term::Signal => {
                let tracks = self.own_tracks(biosample)?;
                self.signal(term, &tracks, |t| t.assay.clone())
            }
            Term::AllSignal | Term::AllSignalPca => {
                if self.tracks.is_empty() {
                    return Err(no_tracks("all-signal", "the database has no track"));
                }
                let mut features = self.signal(term, &self.tracks, |t| {
                    format!("{} {}", t.biosample, t.assay)
                })?;
                if *term == Term::AllSignalPca {
                    features.reduce_to = Some(self.embedding_width(&features));
                }
                Ok(features)
            }
            Term::SignalScales => {
                let tracks = self.own_tracks(biosample)?;
                self.signal_scales(term, &tracks, |t| t.assay.clone())
            }
            Term::AllSignalScales | Term::SignalComponents => {
                if self.tracks.is_empty() {
                    return Err(no_tracks(&term.to_string(), "the database has no track"));
                }
                let mut features = self.signal_scales(term, &self.tracks, |t| {
                    format!("{} {}", t.biosample, t.assay)
                })?;
                if *term == Term::SignalComponents {
                    features.reduce_to = Some(self.embedding_width(&features));
                }
                Ok(features)
            }
            Term::Average => self.average(biosample),
            Term::Embedding => self.embedding(),
            Term::BiosampleFactors => self.biosample_factors(biosample),
            Term::Hidden => self.hidden(biosample),
            Term::Imputed | Term::Denoised | Term::Completed => self.imputed(term, biosample),
            Term::Published(_) => {
                Err(TaskError::Features("a matrix is read, not made".into()).into())
            }
        }
    }

    fn model(&self) -> crate::Result<(&'a TrainedModel, &Placed)> {
        match (self.model, &self.model_windows) {
            (Some(model), Some(windows)) => Ok((model, windows)),
            _ => Err(TaskError::Features("these features need a model".into()).into()),
        }
    }

    /// The assays that every biosample of the run has a track of.
    fn common_assays(&self) -> Vec<String> {
        let has = |b: &str, a: &str| self.tracks.iter().any(|t| t.biosample == b && t.assay == a);
        let mut assays: Vec<String> = self.tracks.iter().map(|t| t.assay.clone()).collect();
        assays.sort();
        assays.dedup();
        assays.retain(|a| self.request.biosamples.iter().all(|b| has(b, a)));
        assays
    }

    fn own_tracks(&self, biosample: &str) -> crate::Result<Vec<Track>> {
        let common = self.common_assays();
        let of = |t: &&Track| t.biosample == biosample && common.contains(&t.assay);
        let tracks: Vec<Track> = self.tracks.iter().filter(of).cloned().collect();
        if tracks.is_empty() {
            let why = match self.request.biosamples.as_slice() {
                [one] => format!("{one} has no track in the database"),
                all => format!("no assay is measured in all of {}", all.join(", ")),
            };
            return Err(no_tracks("signal", &why));
        }
        Ok(tracks)
    }

    fn signal(
        &self,
        term: &Term,
        tracks: &[Track],
        name: impl Fn(&Track) -> String,
    ) -> crate::Result<Features> {
        let axis = self.database.axis();
        let signal = TracksOnAxis::open(self.database, axis, tracks)?;
        let names = tracks.iter().map(|t| ChannelName {
            name: name(t),
            group: format!("{term} {}", t.assay),
        });
        let names: Vec<ChannelName> = names.collect();
        let pooled = self.windows.pool(
            axis,
            names.len(),
            &self.request.poolings,
            &mut |bins, out| {
                let n = (bins.end - bins.start) as usize;
                out.par_chunks_mut(n)
                    .enumerate()
                    .try_for_each(|(i, row)| signal.read(i, bins.clone(), row))?;
                Ok(())
            },
        )?;
        Ok(self.windows.features(&names, pooled))
    }

    /// How many components some features are reduced to: as many as the model's embedding is wide
    /// (110, the published model's, where the run has no model) in each window of an example.
    fn embedding_width(&self, features: &Features) -> usize {
        let width = match self.model {
            Some(model) => model.config().sizes.embedding(),
            None => 110,
        };
        (width * self.windows.parts.len()).min(features.columns.len())
    }

    /// Tracks at the embedding's three scales: of each bin its own value and the means over the
    /// 250 bp and 5 kbp rows that it lies in, pooled over the window like the embedding's factors.
    fn signal_scales(
        &self,
        term: &Term,
        tracks: &[Track],
        name: impl Fn(&Track) -> String,
    ) -> crate::Result<Features> {
        let axis = self.database.axis();
        let signal = TracksOnAxis::open(self.database, axis, tracks)?;
        let mut names = Vec::new();
        for scale in Resolution::ALL {
            names.extend(tracks.iter().map(|t| ChannelName {
                name: format!("{} {scale}", name(t)),
                group: format!("{term} {scale}"),
            }));
        }
        let poolings = &self.request.poolings;
        let pooled = self
            .windows
            .pool(axis, names.len(), poolings, &mut |bins, out| {
                let n = (bins.end - bins.start) as usize;
                let widened = Widened::new(axis, bins);
                let mut wide = vec![0f32; tracks.len() * widened.n_bins()];
                wide.par_chunks_mut(widened.n_bins())
                    .enumerate()
                    .try_for_each(|(i, row)| signal.read(i, widened.bins.clone(), row))?;
                out.par_chunks_mut(n)
                    .enumerate()
                    .for_each(|(channel, row)| {
                        let (scale, track) = (channel / tracks.len(), channel % tracks.len());
                        let n_wide = widened.n_bins();
                        let values = &wide[track * n_wide..(track + 1) * n_wide];
                        widened.row_means(Resolution::ALL[scale], values, row);
                    });
                Ok(())
            })?;
        Ok(self.windows.features(&names, pooled))
    }

    fn average(&self, biosample: &str) -> crate::Result<Features> {
        let training: Vec<(&str, &str)> = self
            .tracks
            .iter()
            .map(|t| (t.biosample.as_str(), t.assay.as_str()))
            .collect();
        let mut assays: Vec<&str> = training.iter().map(|(_, a)| *a).collect();
        assays.sort_unstable();
        assays.dedup();
        // With several biosamples, an assay counts where each of them has an average.
        assays.retain(|a| {
            let others = |b: &String| training.iter().any(|(c, d)| d == a && c != b);
            self.request.biosamples.iter().all(others)
        });
        let mut averages = Vec::new();
        let mut names = Vec::new();
        for assay in assays {
            let open = AverageActivity::open(self.database, assay, &training, biosample)?;
            if let Some(average) = open {
                averages.push(average);
                names.push(ChannelName {
                    name: format!("average {assay}"),
                    group: format!("average {assay}"),
                });
            }
        }
        if averages.is_empty() {
            let why = format!("no other biosample than {biosample} has a track");
            return Err(no_tracks("average", &why));
        }
        let axis = self.database.axis();
        let poolings = &self.request.poolings;
        let pooled = self
            .windows
            .pool(axis, names.len(), poolings, &mut |bins, out| {
                let n = (bins.end - bins.start) as usize;
                out.par_chunks_mut(n)
                    .zip(&averages)
                    .try_for_each(|(row, average)| average.read(bins.clone(), row))?;
                Ok(())
            })?;
        Ok(self.windows.features(&names, pooled))
    }

    fn embedding(&self) -> crate::Result<Features> {
        let (model, windows) = self.model()?;
        let axis = model.axis();
        let sizes = &model.config().sizes;
        let mut names = Vec::new();
        for scale in Resolution::ALL {
            names.extend((0..sizes.genome_factors(scale)).map(|i| ChannelName {
                name: format!("{scale} factor {i}"),
                group: format!("embedding {scale}"),
            }));
        }
        let poolings = &self.request.poolings;
        let pooled = windows.pool(axis, names.len(), poolings, &mut |bins, out| {
            let n = (bins.end - bins.start) as usize;
            let at = axis.locate(bins.start);
            let block = model.block(self.database, at.region, at.chrom_bin, n)?;
            let channels = Resolution::ALL
                .iter()
                .flat_map(|s| (0..sizes.genome_factors(*s)).map(move |column| (*s, column)));
            let channels: Vec<(Resolution, usize)> = channels.collect();
            out.par_chunks_mut(n)
                .zip(channels)
                .for_each(|(row, (scale, column))| {
                    let table = block.scales[scale.index()].column(column);
                    // A row of the table at a time: its bins lie side by side.
                    let (bins, mut i) = (scale.bins(), 0);
                    for value in table {
                        let end = (at.chrom_bin + i) / bins * bins + bins - at.chrom_bin;
                        let end = end.min(n as u64);
                        row[i as usize..end as usize].fill(*value);
                        i = end;
                    }
                });
            Ok(())
        })?;
        Ok(windows.features(&names, pooled))
    }

    fn biosample_factors(&self, biosample: &str) -> crate::Result<Features> {
        let (model, windows) = self.model()?;
        let factors = model.network().biosamples.row(model.biosample(biosample)?);
        let columns = (0..factors.len()).map(|i| Column {
            name: format!("biosample factor {i}"),
            group: "biosample factors".into(),
        });
        let row: Vec<f32> = factors.iter().copied().collect();
        Ok(Features {
            columns: columns.collect(),
            values: row.repeat(windows.reversed.len()),
            reduce_to: None,
            counted: None,
        })
    }

    fn hidden(&self, biosample: &str) -> crate::Result<Features> {
        let (model, windows) = self.model()?;
        let place = model.biosample(biosample)?;
        let axis = model.axis();
        let names: Vec<ChannelName> = (0..model.n_hidden())
            .map(|i| ChannelName {
                name: format!("unit {i}"),
                group: "hidden".into(),
            })
            .collect();
        let poolings = &self.request.poolings;
        let pooled = windows.pool(axis, names.len(), poolings, &mut |bins, out| {
            let n = (bins.end - bins.start) as usize;
            let at = axis.locate(bins.start);
            let hidden = model.hidden(self.database, at.region, at.chrom_bin, n, place)?;
            out.par_chunks_mut(n).enumerate().for_each(|(unit, row)| {
                for (value, h) in row.iter_mut().zip(hidden.column(unit)) {
                    *value = *h;
                }
            });
            Ok(())
        })?;
        Ok(windows.features(&names, pooled))
    }

    fn imputed(&self, term: &Term, biosample: &str) -> crate::Result<Features> {
        let (model, windows) = self.model()?;
        model.biosample(biosample)?;
        let record = model.record();
        let wanted =
            |a: &&String| self.request.assays.is_empty() || self.request.assays.contains(a);
        let mut assays: Vec<String> = record.assays.iter().filter(wanted).cloned().collect();
        if *term == Term::Denoised {
            let common = self.common_assays();
            assays.retain(|a| common.contains(a));
            if assays.is_empty() {
                let why = format!("{biosample} has no track of the model's assays");
                return Err(no_tracks("denoised", &why));
            }
        }
        if assays.is_empty() {
            return Err(no_tracks(&term.to_string(), "the model has no such assay"));
        }
        let own = |assay: &String| {
            self.tracks
                .iter()
                .find(|t| t.biosample == biosample && t.assay == *assay)
        };
        let measured: Vec<Track> = match term {
            Term::Completed => assays.iter().filter_map(own).cloned().collect(),
            _ => Vec::new(),
        };
        let axis = model.axis();
        let signal = TracksOnAxis::open(self.database, axis, &measured)?;
        // For each assay: the track that is measured, or the experiment to impute.
        let place = |assay: &String| measured.iter().position(|t| t.assay == *assay);
        let sources: Vec<Option<usize>> = assays.iter().map(place).collect();
        let missing: Vec<usize> = (0..assays.len())
            .filter(|i| sources[*i].is_none())
            .collect();
        let experiments: Vec<Experiment> = missing
            .iter()
            .map(|i| Experiment::new(biosample, assays[*i].as_str()))
            .collect();
        let names = assays.iter().map(|a| ChannelName {
            name: format!("{term} {a}"),
            group: format!("{term} {a}"),
        });
        let names: Vec<ChannelName> = names.collect();
        let stream = Stream::new(self.database, model);
        let poolings = &self.request.poolings;
        let pooled = windows.pool(axis, names.len(), poolings, &mut |bins, out| {
            let n = (bins.end - bins.start) as usize;
            for (i, track) in sources.iter().enumerate() {
                if let Some(track) = track {
                    signal.read(*track, bins.clone(), &mut out[i * n..(i + 1) * n])?;
                }
            }
            let span = [bins.clone()];
            stream.run::<crate::Error>(&experiments, &span, &mut |i, first, values| {
                let at = missing[i] * n + (first - bins.start) as usize;
                out[at..at + values.len()].copy_from_slice(values);
                Ok(())
            })
        })?;
        Ok(windows.features(&names, pooled))
    }
}

fn no_tracks(set: &str, why: &str) -> crate::Error {
    TaskError::Features(format!("feature set `{set}` cannot be made: {why}")).into()
}

impl Placed {
    fn new(axis: &GenomeAxis, examples: &[Example], reach: Reach) -> Self {
        let windows = Windows::new(axis, examples, reach);
        Placed {
            parts: windows.parts,
            ranges: windows.of.into_iter().flatten().flatten().collect(),
            reversed: windows.reversed,
        }
    }

    fn pool(
        &self,
        axis: &GenomeAxis,
        n_channels: usize,
        poolings: &[Pooling],
        read: &mut super::pool::ReadBlock<'_>,
    ) -> crate::Result<Pooled> {
        let parts = self.parts.len();
        let reversed: Vec<bool> = (0..self.ranges.len())
            .map(|w| self.reversed[w / parts])
            .collect();
        pool(axis, &self.ranges, &reversed, n_channels, poolings, read)
    }

    /// Pooled windows as rows: the windows of an example stand one after another already.
    fn features(&self, channels: &[ChannelName], pooled: Pooled) -> Features {
        let mut columns = Vec::new();
        for part in self.parts {
            for channel in channels {
                for statistic in &pooled.statistics {
                    let mut name = channel.name.clone();
                    if !part.is_empty() {
                        name = format!("{part} {name}");
                    }
                    if pooled.statistics.len() > 1 {
                        name = format!("{name} {statistic}");
                    }
                    columns.push(Column {
                        name,
                        group: channel.group.clone(),
                    });
                }
            }
        }
        Features {
            columns,
            values: pooled.values,
            reduce_to: None,
            counted: None,
        }
    }
}
