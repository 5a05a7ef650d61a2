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
    /// Biosample, unit, and for each example that has one its label and where it was read.
    columns: Vec<(String, String, HashMap<usize, (f64, PathBuf, u64)>)>,
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
        if let Some(i) = self.columns.iter().position(|c| c.0 == biosample) {
            if self.columns[i].1 != unit {
                return Err(TaskError::Labels(format!(
                    "the labels of {biosample} would be in two units, {} and {unit}: they are \
                     different labels, never pooled; import them as two tasks (--name)",
                    self.columns[i].1
                )));
            }
            return Ok(i);
        }
        self.columns
            .push((biosample.to_string(), unit.to_string(), HashMap::new()));
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
        let (biosample, _, labels) = &mut self.columns[column];
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
        let columns = self.columns.into_iter().map(|(biosample, unit, labels)| {
            let mut values = vec![f64::NAN; n];
            for (i, (value, _, _)) in labels {
                values[i] = value;
            }
            LabelColumn {
                biosample,
                unit,
                values,
            }
        });
        let columns: Vec<LabelColumn> = columns.collect();
        (self.examples, columns)
    }
}
