//! Persea: an embedded database of the epigenome's learned representation.
//!
//! A deep tensor factorisation (Avocado, Schreiber et al. 2020) compresses a compendium of signal
//! tracks (biosample × assay × 25 bp genome position) into factors for every biosample, assay and
//! position. The factors live in one directory with SQLite; imputation and evaluation build on
//! them.
//!
//! # The modules
//!
//! The modules stand in the order in which data passes through them; each imports only those
//! above it. `ARCHITECTURE.md` describes each. `files`, `genome`, `formats`, `measures` and
//! `simulation` are crates of their own, which need no database: `persea-files`, `persea-genome`,
//! `persea-signal` with `persea-tables`, `persea-measures`, `persea-simulation`.
//!
//! | module | purpose |
//! |---|---|
//! | [`files`] | text and tables by one rule, files written whole, the error that names a line |
//! | [`genome`] | assemblies, regions, bins and scales, masks, genes |
//! | [`formats`] | signal files to bins and back |
//! | [`measures`] | errors, correlations, rankings, curves |
//! | [`nn`] | dense networks: layers, Adam, kernels, the native and the torch backend |
//! | [`store`] | the database directory; the only module with SQL |
//! | [`annotation`] | genes, enhancers and classes at a place |
//! | [`compendium`] | manifests, ingest, average activity |
//! | [`model`] | what a trained model is, and its predictions |
//! | [`factorization`] | training |
//! | [`imputation`] | experiments along the genome, as files |
//! | [`evaluation`] | every measure of an imputation, and of the baselines; probes of an embedding |
//! | [`cross_validation`] | every fold trained without its tracks, and scored |
//! | [`search`] | similar positions, regions, genes, biosamples and assays |
//! | [`loci`] | biosamples at loci: departures, differences, annotation, quality control |
//! | [`tasks`] | downstream tasks: labels, feature sets, folds, learners, runs |
//! | [`selection`] | what to measure next: objectives, greedy choices, bounds |
//! | [`projection`] | positions, biosamples and assays in two dimensions: PCA, UMAP, t-SNE |
//! | [`plot`] | figures as SVG, and the pages that hold them |
//! | `server` | a database in the browser (feature `serve`) |
//! | [`simulation`] | compendia with known truth |
//!
//! # A tour
//!
//! Positions are 0-based and half-open throughout. A [`GenomeAxis`](genome::GenomeAxis) lays the
//! bins of the covered regions one after another; everything that varies along the genome is
//! addressed by an axis bin. Signal crosses borders as `&[f32]`, on the arcsinh scale once stored.
//!
//! ```
//! use persea::compendium::{AverageActivity, ColumnMap, IngestOptions, Manifest, ingest};
//! use persea::measures::pearson;
//! use persea::simulation::{Simulation, SimulationConfig, WriteOptions};
//! use persea::store::{Database, NewDatabase};
//!
//! // Some bigWigs and a manifest: simulated here, yours otherwise.
//! let folder = tempfile::tempdir()?;
//! let simulation = Simulation::new(SimulationConfig {
//!     n_biosamples: 3,
//!     assays: vec!["H3K4me3".into(), "H3K27ac".into()],
//!     n_chromosomes: 1,
//!     chromosome_bp: 100_000,
//!     missing: 0.0,
//!     ..SimulationConfig::default()
//! })?;
//! let files = folder.path().join("simulated");
//! simulation.write(&files, &WriteOptions::default(), &|_, _| {})?;
//!
//! // A database of them.
//! let database = Database::create(
//!     &folder.path().join("tour.persea"),
//!     &NewDatabase {
//!         axis: simulation.axis().clone(),
//!         mask: simulation.mask(),
//!         genes: simulation.genes(),
//!         enhancers: simulation.enhancers(),
//!     },
//! )?;
//! let manifest = Manifest::read(&files.join("manifest.tsv"), &ColumnMap::default())?;
//! let report = ingest(&database, &manifest, &IngestOptions::default())?;
//! assert_eq!(report.ingested.len(), 6);
//!
//! // A track beside its assay's average over the other biosamples: the baseline to beat.
//! let n_bins = database.axis().n_bins();
//! let track = database.track("S1", "H3K4me3")?.ok_or("ingested above")?;
//! let mut measured = vec![0.0; n_bins as usize];
//! database.signal(&track)?.read(0..n_bins, &mut measured)?;
//! let others = [("S2", "H3K4me3"), ("S3", "H3K4me3")];
//! let average = AverageActivity::open(&database, "H3K4me3", &others, "S1")?
//!     .ok_or("two biosamples have it")?;
//! let mut expected = vec![0.0; n_bins as usize];
//! average.read(0..n_bins, &mut expected)?;
//! assert!(pearson(&measured, &expected).is_some_and(|r| r > 0.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From there [`factorization::fit`] trains a model, [`model::TrainedModel`] opens it,
//! [`imputation::write_experiments`] writes what it predicts and [`evaluation::evaluate`] scores
//! it. The programs in `examples/` do each on simulated data.
//!
//! # Errors
//!
//! Every module has one error enum; [`Error`] folds them into one. A message says what went wrong,
//! where, and what to do. User input and damaged files do not panic.

pub mod annotation;
pub mod compendium;
pub mod cross_validation;
mod error;
pub mod evaluation;
pub mod factorization;
pub mod hub;
pub mod imputation;
pub mod instructions;
mod linear;
pub mod loci;
pub mod model;
pub mod nn;
pub mod plot;
pub mod projection;
pub mod random;
pub mod search;
pub mod selection;
#[cfg(feature = "serve")]
pub mod server;
#[cfg(test)]
mod skipped;
pub mod store;
pub mod tasks;

pub use error::{Bug, Error};
pub use persea_files as files;
pub use persea_genome as genome;
pub use persea_measures as measures;
pub use persea_simulation as simulation;
pub use persea_vocabulary as vocabulary;

/// Signal files to bins and back (`persea_signal`), and the files that other programs exchange with
/// a model (`persea_tables`).
pub mod formats {
    pub use persea_files::write_text;
    pub use persea_signal::{
        BedRow, BedSchema, BigBedFields, BigWigLayout, BinSink, Chunk, Fetched, Format,
        FormatError, Identity, Location, Missing, ReadOptions, ReadReport, Section, SignalReader,
        SignalWriter, bigbed_fields, bigbed_lines, checksum, create_labelled_signal, create_signal,
        fetch, identity, md5, open_signal, panic_becomes_error, write_bigbed,
    };
    pub use persea_tables::{
        CubeWriter, EmbeddingTable, KerasFile, KerasModel, KerasRows, KerasWeight, LabelKind,
        Labels, NumberMatrix, ShapeCheck, TableFormat, TableShape, TableSource, read_embedding,
        read_matrix, write_keras, write_table,
    };
}

/// What a call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
