//! The rows of a run: which examples of which biosamples, with which labels.

use super::features::Term;
use super::result::LeftOut;
use super::settings::{RunSettings, Threshold};
use super::windows::Windows;
use super::{Target, TaskError, TaskKind};
use crate::genome::GenomeAxis;
use crate::model::TrainedModel;
use crate::store::{Database, Example, LabelColumn, Task};

/// Names of left-out examples that are kept.
const NAMED: usize = 20;

/// The rows of a run.
pub(crate) struct Rows {
    pub kind: TaskKind,
    pub target: Target,
    pub unit: String,
    pub threshold: Option<f64>,
    /// The examples used, and their places in the task.
    pub examples: Vec<Example>,
    pub ids: Vec<u32>,
    /// The biosamples, those to train on first.
    pub biosamples: Vec<String>,
    /// Each row's example (its place in `examples`) and biosample.
    pub example: Vec<usize>,
    pub biosample: Vec<usize>,
    /// 0 or 1, or a number.
    pub label: Vec<f64>,
    pub train: Vec<bool>,
    pub test: Vec<bool>,
    pub left_out: Vec<LeftOut>,
    /// The mean label of each row's example in the other biosamples, NaN where there is none.
    pub elsewhere: Option<Vec<f32>>,
    /// All of the task's examples, for counts over them.
    pub all: Vec<Example>,
    /// Which of all have a label in one of the biosamples.
    pub labelled: Vec<bool>,
}

/// What an example must be covered by.
struct Coverage<'a> {
    axis: &'a GenomeAxis,
    what: String,
}

impl Rows {
    pub(crate) fn new(
        database: &Database,
        task: &Task,
        settings: &RunSettings,
        model: Option<&TrainedModel>,
    ) -> crate::Result<Self> {
        let Some(kind) = TaskKind::from_name(&task.kind) else {
            return Err(TaskError::Labels(format!(
                "task {} is of the kind {}, which this Persea does not know",
                task.name, task.kind
            ))
            .into());
        };
        let mut biosamples = settings.train_biosamples.clone();
        biosamples.extend(
            (settings.test_biosamples.iter())
                .filter(|b| !settings.train_biosamples.contains(b))
                .cloned(),
        );
        let columns: Vec<LabelColumn> = biosamples
            .iter()
            .map(|b| database.task_labels(task, b))
            .collect::<Result<_, _>>()?;
        let Some(first) = columns.first() else {
            return Err(TaskError::Settings("a run needs a biosample".into()).into());
        };
        if let Some(other) = columns.iter().find(|c| c.unit != first.unit) {
            return Err(TaskError::Labels(format!(
                "the labels of {} are {}, those of {} {}: they are different labels, never pooled",
                first.biosample, first.unit, other.biosample, other.unit
            ))
            .into());
        }
        let unit = first.unit.clone();
        let all = database.task_examples(task)?;
        let mut left_out = Vec::new();
        let used = usable(database, &all, settings, model, &mut left_out)?;
        let mut rows = Rows {
            kind,
            target: Target::Classification,
            unit,
            threshold: None,
            examples: Vec::new(),
            ids: Vec::new(),
            biosamples,
            example: Vec::new(),
            biosample: Vec::new(),
            label: Vec::new(),
            train: Vec::new(),
            test: Vec::new(),
            left_out,
            elsewhere: None,
            labelled: (0..all.len())
                .map(|i| columns.iter().any(|c| !c.values[i].is_nan()))
                .collect(),
            all,
        };
        rows.collect(settings, &columns, &used);
        if settings.inductive {
            rows.keep_inductive(model)?;
        }
        rows.decide_target(settings)?;
        rows.elsewhere = rows.means_elsewhere(database, task, settings)?;
        Ok(rows)
    }

    fn collect(&mut self, settings: &RunSettings, columns: &[LabelColumn], used: &[bool]) {
        let mut unlabelled = Vec::new();
        for (i, example) in self.all.iter().enumerate().filter(|(i, _)| used[*i]) {
            if !self.labelled[i] {
                unlabelled.push(example.name.clone());
                continue;
            }
            let place = self.examples.len();
            self.examples.push(example.clone());
            self.ids.push(i as u32);
            for (b, column) in columns.iter().enumerate() {
                if column.values[i].is_nan() {
                    continue;
                }
                let is_in = |list: &[String]| list.contains(&column.biosample);
                self.example.push(place);
                self.biosample.push(b);
                self.label.push(column.values[i]);
                self.train.push(is_in(&settings.train_biosamples));
                self.test.push(is_in(&settings.test_biosamples));
            }
        }
        let reason = format!("without a label in {}", self.biosamples.join(", "));
        push_left_out(&mut self.left_out, reason, unlabelled);
    }

    /// Trains where the network was trained, tests where it was only extended to.
    fn keep_inductive(&mut self, model: Option<&TrainedModel>) -> Result<(), TaskError> {
        let Some(model) = model else {
            return Err(TaskError::Settings(
                "option `inductive` needs a model".into(),
            ));
        };
        let added: u64 = model.record().training["extensions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|e| e["added"] == "regions")
            .filter_map(|e| e["names"].as_u64())
            .sum();
        let n_regions = model.axis().regions().len();
        let trained = n_regions.saturating_sub(added as usize);
        if added == 0 || trained == 0 {
            return Err(TaskError::Settings(format!(
                "the network of {} saw all of its regions: train it on some of them and \
                 add the others under the frozen network (option `regions` of `persea train` and \
                 `persea extend`)",
                model.record().name
            )));
        }
        let axis = model.axis();
        let seen = |e: &Example| {
            let place = e.place.as_ref()?;
            let bin = axis.bin_at(&place.chrom, place.start)?;
            Some(axis.locate(bin).region < trained)
        };
        for (row, example) in self.example.iter().enumerate() {
            let seen = seen(&self.examples[*example]);
            self.train[row] &= seen == Some(true);
            self.test[row] &= seen == Some(false);
        }
        let n = |which: &[bool]| which.iter().filter(|w| **w).count();
        if n(&self.train) == 0 || n(&self.test) == 0 {
            return Err(TaskError::Labels(format!(
                "{} examples lie where the network was trained and {} where it was extended to; \
                 both are needed",
                n(&self.train),
                n(&self.test)
            )));
        }
        Ok(())
    }

    /// Classes or numbers, and the labels made so.
    fn decide_target(&mut self, settings: &RunSettings) -> Result<(), TaskError> {
        let binary = self.label.iter().all(|l| *l == 0.0 || *l == 1.0);
        let target = match (
            settings.target,
            settings.threshold,
            self.kind.default_target(),
        ) {
            (Some(target), _, _) => target,
            (None, Some(_), _) => Target::Classification,
            (None, None, Some(target)) => target,
            (None, None, None) if binary => Target::Classification,
            (None, None, None) => Target::Regression,
        };
        self.target = target;
        if target == Target::Regression {
            for label in &mut self.label {
                *label = number(&self.unit, *label);
            }
            let constant = self.label.windows(2).all(|w| w[0] == w[1]);
            if constant {
                return Err(TaskError::Labels(format!(
                    "all {} labels are equal: there is nothing to learn",
                    self.label.len()
                )));
            }
            return Ok(());
        }
        let at = match settings.threshold {
            Some(Threshold::At(at)) => at,
            None => 0.5,
            Some(Threshold::Median(_)) => {
                let mut sorted = self.label.clone();
                sorted.sort_by(f64::total_cmp);
                // Without a label nothing is asked of the threshold.
                sorted.get(sorted.len() / 2).copied().unwrap_or(0.5)
            }
        };
        self.threshold = Some(at);
        for label in &mut self.label {
            *label = f64::from(u8::from(*label >= at));
        }
        let n_positive = self.label.iter().filter(|l| **l > 0.5).count();
        if n_positive == 0 || n_positive == self.label.len() {
            let share = if n_positive == 0 { "none" } else { "all" };
            return Err(TaskError::Labels(format!(
                "{share} of the {} labels is {at} or above: there is one class only, and nothing \
                 to tell apart; choose another threshold (option `threshold`), or learn the numbers (option `regression`)",
                self.label.len()
            )));
        }
        Ok(())
    }

    /// The mean label of an example over the biosamples other than the row's: of a run across
    /// biosamples, over those that it trains on.
    fn means_elsewhere(
        &self,
        database: &Database,
        task: &Task,
        settings: &RunSettings,
    ) -> crate::Result<Option<Vec<f32>>> {
        let across = settings.train_biosamples != settings.test_biosamples
            || settings.train_biosamples.len() > 1;
        let of_unit = task.labels.iter().filter(|l| l.unit == self.unit);
        let names = of_unit.map(|l| &l.biosample);
        let usable = names.filter(|b| !across || settings.train_biosamples.contains(b));
        let others: Vec<LabelColumn> = usable
            .map(|b| database.task_labels(task, b))
            .collect::<Result<_, _>>()?;
        let mean = |row: usize| {
            let id = self.ids[self.example[row]] as usize;
            let own = &self.biosamples[self.biosample[row]];
            let values = others
                .iter()
                .filter(|c| c.biosample != *own)
                .map(|c| c.values[id]);
            let values: Vec<f64> = values
                .filter(|v| !v.is_nan())
                .map(|v| number(&self.unit, v))
                .collect();
            match values.len() {
                0 => f32::NAN,
                n => (values.iter().sum::<f64>() / n as f64) as f32,
            }
        };
        let means: Vec<f32> = (0..self.label.len()).map(mean).collect();
        Ok(means.iter().any(|m| !m.is_nan()).then_some(means))
    }

    /// Whether each example is positive in one of the run's biosamples.
    pub(crate) fn examples_positive(&self) -> Vec<bool> {
        let mut positive = vec![false; self.examples.len()];
        for (row, example) in self.example.iter().enumerate() {
            positive[*example] |= self.label[row] > 0.5;
        }
        positive
    }

    /// Rows of examples whose class is not the same in all biosamples of the run; of numbers, the
    /// quarter that varies most.
    pub(crate) fn variable(&self) -> Vec<bool> {
        let mut of: Vec<Vec<f64>> = vec![Vec::new(); self.examples.len()];
        for (row, example) in self.example.iter().enumerate() {
            of[*example].push(self.label[row]);
        }
        let spread = |labels: &Vec<f64>| {
            let mean = labels.iter().sum::<f64>() / labels.len().max(1) as f64;
            labels.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / labels.len().max(1) as f64
        };
        let spreads: Vec<f64> = of.iter().map(spread).collect();
        let least = match self.target {
            Target::Classification => 0.0,
            Target::Regression => {
                let mut sorted = spreads.clone();
                sorted.sort_by(f64::total_cmp);
                // Without an example nothing is asked of it.
                sorted.get(sorted.len() * 3 / 4).copied().unwrap_or(0.0)
            }
        };
        self.example.iter().map(|e| spreads[*e] > least).collect()
    }
}

/// The labels of regression: of expression in counts or per length, its logarithm.
fn number(unit: &str, label: f64) -> f64 {
    match unit {
        "rpkm" | "fpkm" | "tpm" | "cpm" | "counts" => (label + 1.0).log2(),
        _ => label,
    }
}

/// Which of the task's examples the run's features can be made of.
fn usable(
    database: &Database,
    all: &[Example],
    settings: &RunSettings,
    model: Option<&TrainedModel>,
    left_out: &mut Vec<LeftOut>,
) -> crate::Result<Vec<bool>> {
    let terms = || settings.features.iter().flat_map(|f| &f.terms);
    let mut used = vec![true; all.len()];
    let mut axes = Vec::new();
    let reads_tracks = |t: &Term| t.needs_place() && !t.needs_model();
    if terms().any(reads_tracks) {
        axes.push(Coverage {
            axis: database.axis(),
            what: "not wholly within the regions of the database".into(),
        });
    }
    if let (true, Some(model)) = (terms().any(Term::needs_model), model) {
        axes.push(Coverage {
            axis: model.axis(),
            what: format!(
                "not wholly within the regions of model {}",
                model.record().name
            ),
        });
    }
    if !axes.is_empty()
        && let Some(example) = all.iter().find(|e| e.place.is_none())
    {
        return Err(TaskError::Features(format!(
            "the examples of task {} ({}, …) have no place on the genome: only a matrix has \
             features for them (option `features` published, with option `matrix`)",
            settings.task, example.name
        ))
        .into());
    }
    for coverage in axes {
        let windows = Windows::new(coverage.axis, all, settings.reach());
        let mut names = Vec::new();
        for (i, window) in windows.of.iter().enumerate() {
            if window.is_none() && used[i] {
                used[i] = false;
                names.push(all[i].name.clone());
            }
        }
        push_left_out(left_out, coverage.what, names);
    }
    if !used.iter().any(|u| *u) {
        return Err(TaskError::Labels(format!(
            "none of the {} examples lies where features can be made: {}",
            all.len(),
            left_out
                .iter()
                .map(|l| l.reason.as_str())
                .collect::<Vec<_>>()
                .join("; ")
        ))
        .into());
    }
    Ok(used)
}

pub(super) fn push_left_out(left_out: &mut Vec<LeftOut>, reason: String, mut names: Vec<String>) {
    if !names.is_empty() {
        let n = names.len();
        names.truncate(NAMED);
        left_out.push(LeftOut { reason, n, names });
    }
}
