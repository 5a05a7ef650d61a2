//! The extension module `persea._persea`: Persea inside a Python process.
//!
//! Owns what needs Rust: open databases, arrays and tables that leave without a copy, the program's
//! commands run in this process, errors as exceptions. `crates/python/python/persea` makes the package
//! that people use of it. `docs/src/internals/python.md` describes how data flows.
//!
//! The program's command line is compiled in from `src/cli`, so that a verb is the same code here and
//! there, and the library need not contain it.

mod array;
mod command;
mod database;
mod errors;
mod fork;
mod intervals;
mod logs;
mod search;
mod shares;
mod table;

#[path = "../../../src/cli/mod.rs"]
mod cli;

use pyo3::prelude::*;

/// Persea's compiled part.
#[pymodule]
fn _persea(py: Python<'_>, module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<array::Array>()?;
    module.add_class::<table::Table>()?;
    module.add_class::<database::Database>()?;
    module.add_function(wrap_pyfunction!(command::run, module)?)?;
    module.add_function(wrap_pyfunction!(command::main, module)?)?;
    module.add_function(wrap_pyfunction!(command::definitions, module)?)?;
    module.add_function(wrap_pyfunction!(table::table_of_json, module)?)?;
    errors::add_to(py, module)
}
