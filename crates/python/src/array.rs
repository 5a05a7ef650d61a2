//! Arrays on their way to NumPy, without a copy.
//!
//! NumPy reads `__array_interface__` (version 3): an address, a shape, a type. The array that it makes
//! keeps this object alive, and this object keeps the memory: a memory-mapped index, read-only, or numbers
//! of its own.

use std::sync::Arc;

use persea::search::Searcher;
use pyo3::prelude::*;
use pyo3::types::PyDict;

#[allow(
    dead_code,
    reason = "what an address points into is kept alive, not read"
)]
enum Memory {
    /// Rows of the index of this searcher.
    Index {
        _searcher: Arc<Searcher>,
    },
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Int64(Vec<i64>),
}

/// An array that `numpy.asarray` takes without a copy.
#[pyclass(frozen, module = "persea._persea")]
pub struct Array {
    memory: Memory,
    address: usize,
    shape: Vec<usize>,
}

impl Array {
    /// Rows lent from an index, `[rows, cols]`; they cannot be written to.
    pub fn lent(searcher: &Arc<Searcher>, rows: &[f32], cols: usize) -> Self {
        Array {
            address: rows.as_ptr() as usize,
            shape: vec![rows.len() / cols.max(1), cols],
            memory: Memory::Index {
                _searcher: Arc::clone(searcher),
            },
        }
    }

    /// Numbers of its own.
    pub fn of_f32(numbers: Vec<f32>, shape: Vec<usize>) -> Self {
        Array {
            address: numbers.as_ptr() as usize,
            shape,
            memory: Memory::Float32(numbers),
        }
    }

    /// A column.
    pub fn of_f64(numbers: Vec<f64>) -> Self {
        Array {
            address: numbers.as_ptr() as usize,
            shape: vec![numbers.len()],
            memory: Memory::Float64(numbers),
        }
    }

    /// A column.
    pub fn of_i64(numbers: Vec<i64>) -> Self {
        Array {
            address: numbers.as_ptr() as usize,
            shape: vec![numbers.len()],
            memory: Memory::Int64(numbers),
        }
    }
}

#[pymethods]
impl Array {
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (kind, is_read_only) = match &self.memory {
            Memory::Index { .. } => ("f4", true),
            Memory::Float32(_) => ("f4", false),
            Memory::Float64(_) => ("f8", false),
            Memory::Int64(_) => ("i8", false),
        };
        let order = match cfg!(target_endian = "little") {
            true => '<',
            false => '>',
        };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("typestr", format!("{order}{kind}"))?;
        interface.set_item("shape", pyo3::types::PyTuple::new(py, &self.shape)?)?;
        interface.set_item("data", (self.address, is_read_only))?;
        Ok(interface)
    }
}
