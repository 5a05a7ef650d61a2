//! The text files: genome, manifests, states, labels, settings.

use super::files::Files;
use super::{HELD_OUT, MEASURED, NOISE_FREE, WriteOptions};
use crate::{Domain, MEAN_DOMAIN_BP, NEXT_DOMAIN, Simulation, SimulationError, State};
use persea_genome::Interval;

impl Simulation {
    /// `chrom.sizes`, `regions.bed`, `genes.gtf.gz`, `enhancers.bed`, `mask.bed`.
    pub(super) fn write_genome(&self, files: &Files<'_>) -> Result<(), SimulationError> {
        files.text("chrom.sizes", |out| {
            for chromosome in self.axis().assembly().chromosomes() {
                writeln!(out, "{}\t{}", chromosome.name, chromosome.length)?;
            }
            Ok(())
        })?;
        files.text("regions.bed", |out| {
            for i in 0..self.axis().regions().len() {
                let Interval { chrom, start, end } = self.axis().region_interval(i);
                writeln!(out, "{chrom}\t{start}\t{end}\t{}", self.region_name(i))?;
            }
            Ok(())
        })?;
        files.gzipped("genes.gtf.gz", |out| {
            for gene in self
                .chromosomes
                .iter()
                .flat_map(|c| &c.genes)
                .map(|e| &e.gene)
            {
                let Interval { chrom, start, end } = &gene.interval;
                writeln!(
                    out,
                    "{chrom}\tPersea\tgene\t{}\t{end}\t.\t{}\t.\tgene_id \"{}\"; gene_name \"{}\";",
                    start + 1,
                    gene.strand.symbol(),
                    gene.id,
                    gene.name
                )?;
            }
            Ok(())
        })?;
        files.text("enhancers.bed", |out| {
            for Interval { chrom, start, end } in self.enhancers() {
                writeln!(out, "{chrom}\t{start}\t{end}")?;
            }
            Ok(())
        })?;
        files.text("mask.bed", |out| {
            for Interval { chrom, start, end } in self.mask() {
                writeln!(out, "{chrom}\t{start}\t{end}\tHigh Signal Region")?;
            }
            Ok(())
        })
    }

    /// `manifest.tsv`, `truth.tsv`, `noise_free.tsv`, `biosamples.tsv`, `tracks.tsv`.
    pub(super) fn write_manifests(
        &self,
        files: &Files<'_>,
        options: &WriteOptions,
    ) -> Result<(), SimulationError> {
        let mut manifests = vec![
            ("manifest.tsv", MEASURED, true),
            ("truth.tsv", HELD_OUT, false),
        ];
        if options.noise_free {
            manifests.push(("noise_free.tsv", NOISE_FREE, false));
        }
        for (name, folder, measured) in manifests {
            files.text(name, |out| {
                writeln!(out, "biosample\tassay\tpath")?;
                for track in self.tracks().iter().filter(|t| t.is_measured == measured) {
                    let biosample = &self.biosamples()[track.biosample].name;
                    let assay = &self.assays()[track.assay].name;
                    let path = self.track_path(track, folder, options.format);
                    writeln!(out, "{biosample}\t{assay}\t{path}")?;
                }
                Ok(())
            })?;
        }
        files.text("biosamples.tsv", |out| {
            writeln!(out, "biosample\tgroup")?;
            for biosample in self.biosamples() {
                writeln!(out, "{}\t{}", biosample.name, group_name(biosample.group))?;
            }
            Ok(())
        })?;
        files.text("tracks.tsv", |out| {
            writeln!(
                out,
                "biosample\tassay\tmeasured\tdepth\tefficiency\tbackground\tfano\tfragment_bins"
            )?;
            for track in self.tracks() {
                writeln!(
                    out,
                    "{}\t{}\t{}\t{:.4}\t{:.4}\t{:.4}\t{:.4}\t{}",
                    self.biosamples()[track.biosample].name,
                    self.assays()[track.assay].name,
                    u8::from(track.is_measured),
                    track.depth,
                    track.efficiency,
                    track.background,
                    track.fano,
                    track.fragment_bins
                )?;
            }
            Ok(())
        })
    }

    /// `states/S1.bed` and so on, one for each biosample.
    pub(super) fn write_states(&self, files: &Files<'_>) -> Result<(), SimulationError> {
        for (number, biosample) in self.biosamples().iter().enumerate() {
            files.text(&format!("states/{}.bed", biosample.name), |out| {
                for chromosome in 0..self.chromosomes.len() {
                    for segment in self.states(number, chromosome)? {
                        let Interval { chrom, start, end } = &segment.interval;
                        writeln!(
                            out,
                            "{chrom}\t{start}\t{end}\t{}\t0\t.\t{start}\t{end}\t{}",
                            segment.state.name(),
                            segment.state.colour()
                        )?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// `expression.tsv`, `interactions.tsv`, `replication.tsv`, `fire.tsv`.
    pub(super) fn write_labels(&self, files: &Files<'_>) -> Result<(), SimulationError> {
        files.text("expression.tsv", |out| {
            write!(out, "gene_id")?;
            for biosample in self.biosamples() {
                write!(out, "\t{}", biosample.name)?;
            }
            writeln!(out)?;
            for (number, truth) in self.chromosomes.iter().enumerate() {
                let matrix = self.expression(number)?;
                let rows = matrix.chunks_exact(self.biosamples().len());
                for (element, row) in truth.genes.iter().zip(rows) {
                    write!(out, "{}", element.gene.id)?;
                    for rpkm in row {
                        write!(out, "\t{rpkm:.3}")?;
                    }
                    writeln!(out)?;
                }
            }
            Ok(())
        })?;
        files.text("interactions.tsv", |out| {
            writeln!(
                out,
                "eid\tcell\tchrom\tenh_start\tenh_end\tprom_start\tprom_end\tenh_lo\tenh_hi\t\
                 prom_lo\tprom_hi\tregion\tlabel"
            )?;
            for (number, biosample) in self.biosamples().iter().enumerate() {
                let cell = group_name(biosample.group);
                for label in self.interactions(number)? {
                    let (enhancer, promoter) = (&label.enhancer, &label.promoter);
                    let (place, other) = (self.place(enhancer), self.place(promoter));
                    writeln!(
                        out,
                        "{}\t{cell}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
                        biosample.name,
                        enhancer.chrom,
                        enhancer.start,
                        enhancer.end,
                        promoter.start,
                        promoter.end,
                        place.first,
                        place.end,
                        other.first,
                        other.end,
                        place.region,
                        u8::from(label.is_interacting)
                    )?;
                }
            }
            Ok(())
        })?;
        files.text("replication.tsv", |out| {
            writeln!(
                out,
                "biosample\tchrom\tstart\tend\ttrack_lo\ttrack_hi\tregion\tmean_z\tn"
            )?;
            for (number, biosample) in self.biosamples().iter().enumerate() {
                for label in self.replication(number)? {
                    let line = self.window_columns(&biosample.name, &label.interval);
                    writeln!(out, "{line}\t{:.4}\t{}", label.mean_z, label.n)?;
                }
            }
            Ok(())
        })?;
        files.text("fire.tsv", |out| {
            writeln!(
                out,
                "biosample\tchrom\tstart\tend\ttrack_lo\ttrack_hi\tregion\tlabel"
            )?;
            for (number, biosample) in self.biosamples().iter().enumerate() {
                for label in self.fire(number)? {
                    let line = self.window_columns(&biosample.name, &label.interval);
                    writeln!(out, "{line}\t{}", u8::from(label.is_fire))?;
                }
            }
            Ok(())
        })
    }

    /// `simulation.json`.
    pub(super) fn write_settings(&self, files: &Files<'_>) -> Result<(), SimulationError> {
        let document = serde_json::json!({
            "persea": env!("CARGO_PKG_VERSION"),
            "settings": self.config(),
            "n_bins": self.axis().n_bins(),
            "domains": Domain::ALL,
            "mean_domain_bp": MEAN_DOMAIN_BP,
            "next_domain": NEXT_DOMAIN,
            "states": State::ALL,
            "assays": self.assays(),
            "biosamples": self.biosamples(),
        });
        files.text("simulation.json", |out| {
            writeln!(out, "{document:#}")?;
            Ok(())
        })
    }

    fn window_columns(&self, biosample: &str, interval: &Interval) -> String {
        let Interval { chrom, start, end } = interval;
        let place = self.place(interval);
        format!(
            "{biosample}\t{chrom}\t{start}\t{end}\t{}\t{}\t{}",
            place.first, place.end, place.region
        )
    }

    fn region_name(&self, region: usize) -> &str {
        let region = &self.axis().regions()[region];
        region.name.as_deref().unwrap_or(&region.chrom)
    }

    /// The axis bins that an interval touches, and its region.
    fn place(&self, interval: &Interval) -> RegionSpan<'_> {
        let bins = self.axis().bins_within(interval);
        let (first, end) = bins.first().map_or((0, 0), |bins| (bins.start, bins.end));
        RegionSpan {
            first,
            end,
            region: self.region_name(self.axis().locate(first).region),
        }
    }
}

struct RegionSpan<'a> {
    first: u64,
    end: u64,
    region: &'a str,
}

pub(super) fn group_name(group: usize) -> String {
    format!("group{}", group + 1)
}
