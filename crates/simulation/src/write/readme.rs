//! `README.txt`: what each file is.

use super::WriteOptions;
use super::files::Files;
use crate::{Simulation, SimulationError};

pub(super) fn write(
    simulation: &Simulation,
    files: &Files<'_>,
    options: &WriteOptions,
) -> Result<(), SimulationError> {
    let n_tracks = simulation.tracks().len();
    let n_measured = simulation.tracks().iter().filter(|t| t.is_measured).count();
    let noise_free = if options.noise_free {
        "noise_free.tsv    the same experiments again, as they would be on average over endless repeats of the\n\
         \x20                 same libraries: no prediction of truth.tsv has a smaller expected error\n"
    } else {
        ""
    };
    let text = format!(
        "A simulated epigenome compendium with known truth, by Persea {version}, seed {seed}.\n\
         {n_biosamples} biosamples x {n_assays} assays, {n_measured} tracks measured and {held_out} held out, \
         {n_bins} bins of 25 bp.\n\
         How it is made, and how near it comes to real tracks: the page \"The simulation\" of Persea's book.\n\
         \n\
         What a user would have\n\
         chrom.sizes       the assembly: chromosomes and their lengths\n\
         regions.bed       what the tracks cover: all of it\n\
         genes.gtf.gz      genes\n\
         enhancers.bed     the enhancers of all biosamples together\n\
         mask.bed          regions of artefact signal\n\
         manifest.tsv      the measured tracks: biosample, assay, path; -log10 p in 25 bp bins\n\
         biosamples.tsv    the group (tissue) of each biosample\n\
         \n\
         Labels of the four tasks\n\
         expression.tsv    RPKM, gene x biosample\n\
         interactions.tsv  promoter-enhancer pairs of each biosample (eid): label 1 where the enhancer drives\n\
         \x20                 the gene; enh_lo, enh_hi, prom_lo, prom_hi are bins of the concatenated regions\n\
         replication.tsv   replication timing in 40 kb windows: mean_z, positive is early; n kb measured\n\
         fire.tsv          frequently interacting regions in 40 kb windows: label 1 where it is one\n\
         \n\
         The truth: not for training\n\
         truth.tsv         the held-out experiments, as measured\n\
         {noise_free}\
         states/           the chromatin states of each biosample (BED9, coloured)\n\
         tracks.tsv        the library of each experiment: depth (fragments over a base of background),\n\
         \x20                 efficiency, background, dispersion (fano), fragment length in bins\n\
         simulation.json   all settings and the table of emissions\n\
         \n\
         To begin\n\
         persea create --db simulated.persea --assembly simulated --chrom-sizes chrom.sizes \\\n\
         \x20 --regions regions.bed --genes genes.gtf.gz --enhancers enhancers.bed --mask mask.bed\n\
         persea ingest --db simulated.persea manifest.tsv\n\
         persea train --db simulated.persea --name first\n\
         persea evaluate --db simulated.persea --model first --truth truth.tsv\n",
        version = env!("CARGO_PKG_VERSION"),
        seed = simulation.config().seed,
        n_biosamples = simulation.biosamples().len(),
        n_assays = simulation.assays().len(),
        held_out = n_tracks - n_measured,
        n_bins = simulation.axis().n_bins(),
    );
    files.text("README.txt", |out| {
        out.write_all(text.as_bytes())?;
        Ok(())
    })
}
