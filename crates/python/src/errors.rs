//! The library's errors as Python exceptions, one class for each module's enum.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

create_exception!(
    persea,
    PerseaError,
    PyException,
    "Any error of Persea. The message says what, where and what to do."
);

macro_rules! exceptions {
    ($($name:ident: $base:ty, $meaning:literal;)*) => {
        $(create_exception!(persea, $name, $base, $meaning);)*

        /// Adds the exceptions to the module.
        pub fn add_to(py: Python<'_>, module: &Bound<'_, PyModule>) -> PyResult<()> {
            module.add("PerseaError", py.get_type::<PerseaError>())?;
            $(module.add(stringify!($name), py.get_type::<$name>())?;)*
            Ok(())
        }
    };
}

exceptions! {
    UsageError: PerseaError, "Arguments that make no sense together, or that a command does not have.";
    IncompleteError: PerseaError, "A command ended, but not all of its work succeeded.";
    ClosedError: PerseaError, "The database has been closed.";
    ForkError: PerseaError, "The process was forked from one that had used Persea.";
    BugError: PerseaError, "A broken invariant of Persea. Please report it.";
    FileError: PerseaError, "A file that cannot be read, written or used.";
    GenomeError: PerseaError, "Coordinates, assemblies, regions or annotation files.";
    FormatError: PerseaError, "Signal files and exchange files.";
    BackendError: PerseaError, "Training backends, devices and libtorch.";
    StoreError: PerseaError, "The database directory: missing, damaged, locked or unknown names.";
    CompendiumError: PerseaError, "Manifests and ingest.";
    ModelError: PerseaError, "A model's configuration and parameters.";
    FactorizationError: PerseaError, "Training and extending.";
    ImputationError: PerseaError, "Imputation.";
    EvaluationError: PerseaError, "Scores and baselines.";
    SearchError: PerseaError, "Similar positions, genes that are not found, the index.";
    LociError: PerseaError, "Biosamples at loci.";
    TaskError: PerseaError, "Downstream tasks.";
    SelectionError: PerseaError, "Choice of biosamples, assays, experiments and positions.";
    ProjectionError: PerseaError, "Projections onto the plane.";
    PlotError: PerseaError, "Figures and pages.";
    SimulationError: PerseaError, "Simulated compendia.";
}

/// An error of the library as an exception.
pub fn of(error: impl Into<persea::Error>) -> PyErr {
    let error = error.into();
    let message = error.to_string();
    class_of(&error, message)
}

/// An error of a command as an exception.
pub fn of_command(error: &anyhow::Error) -> PyErr {
    let message = crate::cli::with_causes(error);
    if error.is::<crate::cli::Misuse>() {
        return UsageError::new_err(message);
    }
    for cause in error.chain() {
        if let Some(class) = class_of_cause(cause, &message) {
            return class;
        }
    }
    PerseaError::new_err(message)
}

fn class_of(error: &persea::Error, message: String) -> PyErr {
    use persea::Error as E;
    match error {
        E::File(_) => FileError::new_err(message),
        E::Genome(_) => GenomeError::new_err(message),
        E::Format(_) => FormatError::new_err(message),
        E::Nn(_) => BackendError::new_err(message),
        E::Store(_) => StoreError::new_err(message),
        E::Compendium(_) => CompendiumError::new_err(message),
        E::Model(_) => ModelError::new_err(message),
        E::Factorization(_) => FactorizationError::new_err(message),
        E::Imputation(_) => ImputationError::new_err(message),
        E::Evaluation(_) => EvaluationError::new_err(message),
        E::Search(_) => SearchError::new_err(message),
        E::Loci(_) => LociError::new_err(message),
        E::Task(_) => TaskError::new_err(message),
        E::Selection(_) => SelectionError::new_err(message),
        E::Projection(_) => ProjectionError::new_err(message),
        E::Plot(_) => PlotError::new_err(message),
        E::Simulation(_) => SimulationError::new_err(message),
        E::Bug(_) => BugError::new_err(message),
        _ => PerseaError::new_err(message),
    }
}

/// The exception of a cause that is the whole error or one module's.
fn class_of_cause(cause: &(dyn std::error::Error + 'static), message: &str) -> Option<PyErr> {
    if let Some(error) = cause.downcast_ref::<persea::Error>() {
        return Some(class_of(error, message.to_string()));
    }
    macro_rules! first_of {
        ($($source:path => $class:ident,)*) => {
            $(if cause.is::<$source>() {
                return Some($class::new_err(message.to_string()));
            })*
        };
    }
    first_of! {
        persea::files::FileError => FileError,
        persea::genome::GenomeError => GenomeError,
        persea::formats::FormatError => FormatError,
        persea::nn::NnError => BackendError,
        persea::store::StoreError => StoreError,
        persea::compendium::CompendiumError => CompendiumError,
        persea::model::ModelError => ModelError,
        persea::factorization::FactorizationError => FactorizationError,
        persea::imputation::ImputationError => ImputationError,
        persea::evaluation::EvaluationError => EvaluationError,
        persea::search::SearchError => SearchError,
        persea::loci::LociError => LociError,
        persea::tasks::TaskError => TaskError,
        persea::selection::SelectionError => SelectionError,
        persea::projection::ProjectionError => ProjectionError,
        persea::plot::PlotError => PlotError,
        persea::simulation::SimulationError => SimulationError,
        persea::Bug => BugError,
        std::io::Error => FileError,
    }
    None
}

/// A wrong argument of a Python call.
pub fn value(message: impl Into<String>) -> PyErr {
    PyValueError::new_err(message.into())
}

/// What neither input nor the library explains.
pub fn runtime(message: impl Into<String>) -> PyErr {
    PyRuntimeError::new_err(message.into())
}
