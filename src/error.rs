//! The crate's error: one variant a module; and the error for what cannot happen.

/// A state that this crate's own code rules out. Input does not lead to it: it is a bug, and a wrong
/// answer would be worse than none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; this is a bug in Persea: please report it with the command that led here")]
pub struct Bug {
    what: String,
}

impl Bug {
    /// Names what should have held.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Bug { what: what.into() }
    }
}

/// Any error of the crate, by the module it comes from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be read, written or used.
    #[error(transparent)]
    File(#[from] crate::files::FileError),
    /// Coordinates, assemblies, regions, annotation files.
    #[error(transparent)]
    Genome(#[from] crate::genome::GenomeError),
    /// Signal files.
    #[error(transparent)]
    Format(#[from] crate::formats::FormatError),
    /// Networks: backends, devices, libtorch.
    #[error(transparent)]
    Nn(#[from] crate::nn::NnError),
    /// The database directory.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// Manifests and ingest.
    #[error(transparent)]
    Compendium(#[from] crate::compendium::CompendiumError),
    /// A model's configuration and parameters.
    #[error(transparent)]
    Model(#[from] crate::model::ModelError),
    /// Training.
    #[error(transparent)]
    Factorization(#[from] crate::factorization::FactorizationError),
    /// Imputation.
    #[error(transparent)]
    Imputation(#[from] crate::imputation::ImputationError),
    /// Scoring and baselines.
    #[error(transparent)]
    Evaluation(#[from] crate::evaluation::EvaluationError),
    /// Search.
    #[error(transparent)]
    Search(#[from] crate::search::SearchError),
    /// Biosamples at loci.
    #[error(transparent)]
    Loci(#[from] crate::loci::LociError),
    /// Downstream tasks.
    #[error(transparent)]
    Task(#[from] crate::tasks::TaskError),
    /// Selection.
    #[error(transparent)]
    Selection(#[from] crate::selection::SelectionError),
    /// Projections onto the plane.
    #[error(transparent)]
    Projection(#[from] crate::projection::ProjectionError),
    /// Figures and pages.
    #[error(transparent)]
    Plot(#[from] crate::plot::PlotError),
    /// Hubs for genome browsers.
    #[error(transparent)]
    Hub(#[from] crate::hub::HubError),
    /// The server.
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Server(#[from] crate::server::ServerError),
    /// Simulated compendia.
    #[error(transparent)]
    Simulation(#[from] crate::simulation::SimulationError),
    /// A broken invariant of this crate.
    #[error(transparent)]
    Bug(#[from] Bug),
}

impl From<persea_drawing::DrawingError> for Error {
    fn from(error: persea_drawing::DrawingError) -> Self {
        Error::Plot(error.into())
    }
}
