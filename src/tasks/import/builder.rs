//! Examples as they are read, each once, with its labels by biosample.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::store::{Example, LabelColumn};
use crate::tasks::TaskError;

/// Collects examples and labels from one or more files.
#[derive(Default)]
pub(super) struct Builder {
    pub examples: Vec<Example>,
    places: HashMap<Example, usize>,
    columns: Vec<Labels>,
}

/// The labels of one biosample.
struct Labels {
    biosample: String,
    unit: String,
    /// Of each example that has one: its label, and the file and line it was read from.
    of: HashMap<usize, (f64, PathBuf, u64)>,
}

impl std::hash::Hash for Example {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.name, &self.place, &self.partner).hash(state);
    }
}

impl Builder {
    /// The number of an example; a new one when it has not been seen.
    pub(super) fn example(&mut self, example: Example) -> usize {
        if let Some(i) = self.places.get(&example) {
            return *i;
        }
        let i = self.examples.len();
        self.places.insert(example.clone(), i);
        self.examples.push(example);
        i
    }

    /// The number of a column; a new one when it has not been seen.
    pub(super) fn column(&mut self, biosample: &str, unit: &str) -> Result<usize, TaskError> {
        if let Some(i) = self.columns.iter().position(|c| c.biosample == biosample) {
            if self.columns[i].unit != unit {
                return Err(TaskError::Labels(format!(
                    "the labels of {biosample} would be in two units, {} and {unit}: they are \
                     different labels, never pooled; import them as two tasks (option `name`)",
                    self.columns[i].unit
                )));
            }
            return Ok(i);
        }
        self.columns.push(Labels {
            biosample: biosample.to_string(),
            unit: unit.to_string(),
            of: HashMap::new(),
        });
        Ok(self.columns.len() - 1)
    }

    /// Gives an example its label.
    ///
    /// # Errors
    /// When it has one of that biosample already.
    pub(super) fn label(
        &mut self,
        column: usize,
        example: usize,
        value: f64,
        path: &Path,
        line: u64,
    ) -> Result<(), TaskError> {
        let Labels {
            biosample,
            of: labels,
            ..
        } = &mut self.columns[column];
        if let Some((_, before, at)) = labels.get(&example) {
            let message = format!(
                "{} stands in {}, line {at} already (biosample {biosample}); each example once",
                self.examples[example].name,
                before.display()
            );
            return Err(TaskError::line(path, line, message));
        }
        labels.insert(example, (value, path.to_path_buf(), line));
        Ok(())
    }

    /// The columns, NaN where there is no label.
    pub(super) fn finish(self) -> (Vec<Example>, Vec<LabelColumn>) {
        let n = self.examples.len();
        let columns = self.columns.into_iter().map(
            |Labels {
                 biosample,
                 unit,
                 of,
             }| {
                let mut values = vec![f64::NAN; n];
                for (i, (value, _, _)) in of {
                    values[i] = value;
                }
                LabelColumn {
                    biosample,
                    unit,
                    values,
                }
            },
        );
        let columns: Vec<LabelColumn> = columns.collect();
        (self.examples, columns)
    }
}
