//! Tables on their way to Python: columns of one type each, handed over through Arrow's C interface.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchIterator,
    RecordBatchOptions, StringArray,
};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Field, Schema};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use serde_json::{Map, Value};

use crate::array::Array;
use crate::errors;

/// Rows under named columns: 64-bit integers and numbers, texts, truth values.
#[pyclass(frozen, module = "persea._persea")]
pub struct Table {
    batch: RecordBatch,
}

/// A column before it joins a table.
pub enum Column {
    Integers(Vec<i64>),
    MaybeIntegers(Vec<Option<i64>>),
    Numbers(Vec<Option<f64>>),
    Texts(Vec<Option<String>>),
    Truths(Vec<Option<bool>>),
}

impl Column {
    /// Texts without a missing one.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Column::Texts(texts.into_iter().map(|t| Some(t.into())).collect())
    }

    /// Unsigned integers, which coordinates and counts are.
    pub fn counts(counts: impl IntoIterator<Item = u64>) -> Self {
        Column::Integers(counts.into_iter().map(|n| n as i64).collect())
    }

    fn into_array(self) -> ArrayRef {
        match self {
            Column::Integers(values) => Arc::new(Int64Array::from(values)),
            Column::MaybeIntegers(values) => Arc::new(Int64Array::from(values)),
            Column::Numbers(values) => Arc::new(Float64Array::from(values)),
            Column::Texts(values) => Arc::new(StringArray::from(values)),
            Column::Truths(values) => Arc::new(BooleanArray::from(values)),
        }
    }

    /// The type that all values of a JSON column have. What is neither number, text nor truth value is its
    /// JSON text.
    fn of_json(values: Vec<Option<&Value>>) -> Self {
        let known = || values.iter().flatten().filter(|v| !v.is_null());
        let all = |is: fn(&Value) -> bool| known().next().is_some() && known().all(|v| is(v));
        if all(Value::is_i64) {
            return Column::MaybeIntegers(
                values.iter().map(|v| v.and_then(Value::as_i64)).collect(),
            );
        }
        if all(Value::is_number) {
            return Column::Numbers(values.iter().map(|v| v.and_then(Value::as_f64)).collect());
        }
        if all(Value::is_boolean) {
            return Column::Truths(values.iter().map(|v| v.and_then(Value::as_bool)).collect());
        }
        let text = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Column::Texts(values.iter().map(|v| v.and_then(text)).collect())
    }
}

impl Table {
    /// A table of columns, all of one length.
    pub fn new(columns: Vec<(&str, Column)>) -> PyResult<Self> {
        Self::of(
            columns
                .into_iter()
                .map(|(name, c)| (name.into(), c))
                .collect(),
        )
    }

    fn of(columns: Vec<(String, Column)>) -> PyResult<Self> {
        let arrays: Vec<(String, ArrayRef)> = (columns.into_iter())
            .map(|(name, column)| (name, column.into_array()))
            .collect();
        let n_rows = arrays.first().map_or(0, |(_, array)| array.len());
        let fields: Vec<Field> = (arrays.iter())
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
        let arrays = arrays.into_iter().map(|(_, array)| array).collect();
        let batch =
            RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
                .map_err(|e| errors::runtime(e.to_string()))?;
        Ok(Table { batch })
    }

    /// A table of JSON objects, under the names that any of them has.
    pub fn of_objects(objects: &[Map<String, Value>]) -> PyResult<Self> {
        let mut names: Vec<&String> = Vec::new();
        for object in objects {
            for (i, name) in object.keys().enumerate() {
                if !names.contains(&name) {
                    names.insert(i.min(names.len()), name);
                }
            }
        }
        let column = |name: &&String| {
            let values = objects.iter().map(|o| o.get(name.as_str())).collect();
            (name.to_string(), Column::of_json(values))
        };
        Self::of(names.iter().map(column).collect())
    }
}

/// A table of a JSON text if it is a list of objects, otherwise nothing.
#[pyfunction]
pub fn table_of_json(text: &str) -> PyResult<Option<Table>> {
    match serde_json::from_str::<Vec<Map<String, Value>>>(text) {
        Ok(objects) => Table::of_objects(&objects).map(Some),
        Err(_) => Ok(None),
    }
}

#[pymethods]
impl Table {
    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        let schema = self.batch.schema();
        schema.fields().iter().map(|f| f.name().clone()).collect()
    }

    /// A column: an `Array` of integers without gaps or of numbers (NaN where missing), otherwise a list.
    fn column(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        let Some(array) = self.batch.column_by_name(name) else {
            let names = self.columns().join(", ");
            let message = format!("there is no column {name}; there are {names}");
            return Err(pyo3::exceptions::PyKeyError::new_err(message));
        };
        Ok(match array.data_type() {
            DataType::Int64 if array.null_count() == 0 => {
                let values = array.as_primitive::<Int64Type>().values().to_vec();
                Bound::new(py, Array::of_i64(values))?.into_any().unbind()
            }
            DataType::Int64 => {
                let values: Vec<Option<i64>> = array.as_primitive::<Int64Type>().iter().collect();
                values.into_pyobject(py)?.unbind()
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().iter();
                let values = values.map(|v| v.unwrap_or(f64::NAN)).collect();
                Bound::new(py, Array::of_f64(values))?.into_any().unbind()
            }
            DataType::Boolean => {
                let values: Vec<Option<bool>> = array.as_boolean().iter().collect();
                values.into_pyobject(py)?.unbind()
            }
            _ => {
                let values: Vec<Option<&str>> = array.as_string::<i32>().iter().collect();
                values.into_pyobject(py)?.unbind()
            }
        })
    }

    /// The table as a stream of Arrow's C interface.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface allows a producer to ignore a request.
        drop(requested_schema);
        let batches = RecordBatchIterator::new([Ok(self.batch.clone())], self.batch.schema());
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// The columns as a schema of Arrow's C interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.batch.schema().as_ref())
            .map_err(|e| errors::runtime(e.to_string()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }
}
