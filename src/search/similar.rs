//! One call: a question, how it is to be answered, the answer.

use super::approximate::search_approximately;
use super::explain::{Explanation, explain};
use super::filter::Filter;
use super::group::GroupComparison;
use super::query::Query;
use super::searcher::{Answer, SearchOptions, Searcher};
use super::view::Metric;
use super::weights::Weights;
use super::{SearchError, index};
use crate::annotation::Annotation;
use crate::genome::Resolution;
use crate::model::TrainedModel;
use crate::store::Database;

/// A search in the making: see [`similar`].
#[derive(Debug, Clone)]
pub struct Similar<'a> {
    database: &'a Database,
    query: Option<Query>,
    model: Option<String>,
    metric: Metric,
    options: SearchOptions,
    filter: Filter,
    /// How many candidates a graph is asked for; `None` searches exactly.
    ef: Option<usize>,
    /// The group of biosamples that has more signal at the hits.
    higher_in: Option<GroupComparison>,
}

/// Begins a search of a database's default model. [`Database::similar`] is the same.
///
/// What is asked for is given to [`Similar::query`]. By default the 10 nearest are found, by
/// Euclidean distance, at least 50 kb from the query and one for each 5 kbp: neighbours share
/// factors with the query and with each other. For many searches of one model, [`Searcher`] stays
/// open between them.
///
/// ```
/// use persea::search::{Query, similar};
/// # let (_folder, database) = persea::search::example_database()?;
/// let answer = similar(&database)
///     .query(Query::position("chr1", 40_000))
///     .exclude(10_000)
///     .k(5)
///     .run()?;
/// assert_eq!(answer.hits.len(), 5);
/// assert!(answer.hits.is_sorted_by(|a, b| a.distance <= b.distance));
/// assert!(answer.read.bp25 < database.axis().n_bins());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn similar(database: &Database) -> Similar<'_> {
    Similar {
        database,
        query: None,
        model: None,
        metric: Metric::default(),
        options: SearchOptions::default(),
        filter: Filter::default(),
        ef: None,
        higher_in: None,
    }
}

impl Database {
    /// Begins a search of the default model for what is like a query; see
    /// [`similar`](crate::search::similar()).
    ///
    /// ```
    /// use persea::search::Query;
    /// # let (_folder, database) = persea::search::example_database()?;
    /// // The query itself is the nearest when nothing is excluded.
    /// let query = Query::position("chr1", 40_000);
    /// let answer = database.similar(query).exclude(None).k(1).run()?;
    /// assert_eq!(answer.hits[0].interval.start, 40_000);
    /// assert_eq!(answer.hits[0].distance, 0.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn similar(&self, query: Query) -> Similar<'_> {
        similar(self).query(query)
    }
}

impl Similar<'_> {
    /// What is asked for.
    pub fn query(mut self, query: Query) -> Self {
        self.query = Some(query);
        self
    }

    /// The model to search; the default one otherwise.
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// What distances are.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// How many hits.
    pub fn k(mut self, k: usize) -> Self {
        self.options.k = k;
        self
    }

    /// No hit within so many bp of the query; `None` lets the query itself be found.
    pub fn exclude(mut self, bp: impl Into<Option<u64>>) -> Self {
        self.options.exclude = bp.into();
        self
    }

    /// At most one hit for each row of a scale; `None` for as many as there are.
    pub fn spread(mut self, scale: impl Into<Option<Resolution>>) -> Self {
        self.options.spread = scale.into();
        self
    }

    /// The scale whose rows are the hits.
    pub fn resolution(mut self, scale: Resolution) -> Self {
        self.options.resolution = Some(scale);
        self
    }

    /// Compares a region's bins one by one with those of windows of its length.
    pub fn align(mut self) -> Self {
        self.options.align = true;
        self
    }

    /// How much resolutions and assays count in a distance.
    pub fn weights(mut self, weights: Weights) -> Self {
        self.options.weights = weights;
        self
    }

    /// All options at once, instead of those given before.
    pub fn options(mut self, options: SearchOptions) -> Self {
        self.options = options;
        self
    }

    /// Asks a graph (HNSW) with `ef` candidates instead of searching exactly. Graphs are of
    /// Euclidean distances between means: other metrics and [`Similar::align`] are refused.
    pub fn approximate(mut self, ef: usize) -> Self {
        self.ef = Some(ef);
        self
    }

    /// Keeps hits at which measured signal is higher in a group of biosamples than in the others. Five times as many
    /// hits are searched, 250 at most ([`GroupComparison::searched`]), so that fewer than asked for may be left.
    pub fn higher_in(mut self, group: GroupComparison) -> Self {
        self.higher_in = Some(group);
        self
    }

    /// Which part of the genome is searched.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Searches. An index that is missing, stale or damaged is written anew, even if the damage
    /// shows only on the way.
    ///
    /// # Errors
    /// When the query cannot be answered ([`SearchError::Query`] says why), there is no such
    /// model, or the database is damaged.
    pub fn run(self) -> crate::Result<Answer> {
        let mut answers = self.run_all(&[])?;
        answers.pop().ok_or_else(|| {
            SearchError::query("nothing is asked for; give Similar::query something").into()
        })
    }

    /// Searches for each of some queries, and for that of [`Similar::query`] if there is one, in
    /// parallel; its answer is the last.
    ///
    /// # Errors
    /// As [`Similar::run`], of the first query that fails.
    pub fn run_all(&self, queries: &[Query]) -> crate::Result<Vec<Answer>> {
        let model = TrainedModel::open_embedding(self.database, self.model.as_deref())?;
        let annotation = Annotation::read(self.database, model.axis())?;
        self.run_on(&model, &annotation, queries)
    }

    /// As [`Similar::run_all`], with a model and its annotation that are open already;
    /// [`Similar::model`] is not asked.
    ///
    /// # Errors
    /// As [`Similar::run_all`].
    pub fn run_on(
        &self,
        model: &TrainedModel,
        annotation: &Annotation,
        queries: &[Query],
    ) -> crate::Result<Vec<Answer>> {
        let queries: Vec<Query> = queries.iter().chain(&self.query).cloned().collect();
        let mut options = self.options.clone();
        if self.higher_in.is_some() {
            options.k = GroupComparison::searched(options.k);
        }
        let options = &options;
        with_searcher(self.database, model, self.metric, |searcher| {
            let allowed = searcher.allow(&self.filter, annotation)?;
            let allowed = allowed.as_ref();
            let mut answers = match self.ef {
                None => searcher.search_all(&queries, options, allowed, annotation.genes())?,
                Some(ef) => search_approximately(
                    self.database,
                    model,
                    searcher,
                    &queries,
                    options,
                    ef,
                    allowed,
                    annotation,
                )?,
            };
            let weights = &options.weights;
            searcher.rank_among_random_pairs(self.database, model, weights, &mut answers)?;
            if let Some(group) = &self.higher_in {
                for answer in &mut answers {
                    group.keep_higher(self.database, model.axis(), answer, self.options.k)?;
                }
            }
            Ok(answers)
        })
    }
}

impl Database {
    /// Explains the hits of answers that a search of a model by Euclidean distance has given: see
    /// [`explain`](crate::search::explain()).
    ///
    /// # Errors
    /// As [`explain`](crate::search::explain()), of the first answer that fails.
    pub fn explain_similar(
        &self,
        model: &TrainedModel,
        metric: Metric,
        weights: &Weights,
        asked: &[(&Query, &Answer)],
    ) -> crate::Result<Vec<Vec<Option<Explanation>>>> {
        with_searcher(self, model, metric, |searcher| {
            let one = |(query, answer): &(&Query, &Answer)| {
                explain(self, searcher, query, answer, weights)
            };
            asked.iter().map(one).collect()
        })
    }
}

/// Works with a model's index; if it turns out to be damaged on the way, it is written anew and
/// the work begun again.
///
/// # Errors
/// As [`Searcher::open`], and those of the work.
pub(super) fn with_searcher<T>(
    database: &Database,
    model: &TrainedModel,
    metric: Metric,
    mut work: impl FnMut(&Searcher) -> crate::Result<T>,
) -> crate::Result<T> {
    let outcome = Searcher::open(database, model, metric).and_then(|s| work(&s));
    match outcome {
        Err(crate::Error::Search(e)) if e.is_rebuildable() && !database.is_read_only() => {
            if let SearchError::Damaged { path, why } = &e {
                tracing::warn!("{}: {why}; the index is written anew", path.display());
            }
            index::write_index(database, model, metric)?;
            work(&Searcher::open(database, model, metric)?)
        }
        other => other,
    }
}
