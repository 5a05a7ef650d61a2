//! A request answered, and the record of both.

use std::collections::HashSet;

use serde_json::json;

use super::SelectionError;
use super::answer::{Answer, Chosen, Start};
use super::choose::Problem;
use super::greedy::Limits;
use super::references::{note, reference_of_item};
use super::request::{Given, Request, What};
use super::resamples::again;
use super::sources::{compare, experiment_name};
use crate::store::{Database, NewSelection, StoredSelection, nearest_names};

/// Names and their places.
struct Items<'a> {
    what: What,
    names: &'a [String],
}

impl Items<'_> {
    fn place(&self, name: &str) -> Result<usize, SelectionError> {
        let found = self.names.iter().position(|n| n == name);
        found.ok_or_else(|| {
            let near = nearest_names(name, self.names.iter().map(String::as_str), 3);
            SelectionError::UnknownItem {
                kind: self.what.one(),
                name: name.to_string(),
                nearest: near,
                advice: "",
            }
        })
    }

    fn places(&self, names: &[String]) -> Result<Vec<usize>, SelectionError> {
        let mut seen = HashSet::new();
        let places: Vec<usize> = (names.iter())
            .map(|name| self.place(name))
            .collect::<Result<_, _>>()?;
        Ok(places.into_iter().filter(|p| seen.insert(*p)).collect())
    }
}

/// Answers a request. Without a database only files can be compared, and nothing counts as
/// measured.
///
/// ```
/// use persea::selection::{Given, Request, What, select};
///
/// # let (_folder, database) = persea::search::example_database()?;
/// let request = Request {
///     given: Given::Nothing,
///     ..Request::new(What::Biosamples, 2)
/// };
/// let answer = select(Some(&database), &request)?;
/// assert_eq!(answer.chosen.len(), 2);
/// assert!(answer.chosen[0].gain >= answer.chosen[1].gain);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When a name is unknown (the nearest ones are given), the request contradicts itself, or what is
/// to be compared cannot be read.
pub fn select(database: Option<&Database>, request: &Request) -> crate::Result<Answer> {
    let compared = compare(database, request)?;
    let items = Items {
        what: request.what,
        names: &compared.names,
    };
    if compared.names.len() < 2 {
        return Err(SelectionError::NothingToChoose(format!(
            "there is {} {} only: nothing to choose between",
            compared.names.len(),
            request.what.one()
        ))
        .into());
    }
    let required = items.places(&request.require)?;
    let mut excluded = items.places(&request.exclude)?;
    let mut notes = compared.notes.clone();
    let mut references = Vec::new();
    for (place, name) in compared.names.iter().enumerate() {
        let Some(what) = reference_of_item(request.what, name) else {
            continue;
        };
        if !excluded.contains(&place) {
            references.push((name.clone(), what));
            excluded.push(place);
        }
    }
    notes.extend(note(&references));
    if let Some(both) = required.iter().find(|p| excluded.contains(p)) {
        let why = format!("{} is required and excluded", compared.names[*both]);
        return Err(SelectionError::question(why).into());
    }
    let measured = measured(database, request)?;
    let given = starting_set(request, &items, measured.as_ref())?;
    if let Some(both) = required.iter().find(|p| given.contains(p)) {
        let why = format!(
            "{} is required, and in the starting set already",
            compared.names[*both]
        );
        return Err(SelectionError::question(why).into());
    }
    let costs = costs(request, &compared.names, &given, &excluded)?;
    let open = (0..compared.names.len()).filter(|p| !given.contains(p) && !excluded.contains(p));
    let n_candidates = open.count();
    let k = request
        .k
        .map(|k| left_to_measure(request, k, (given.len(), n_candidates), &mut notes));
    let k = k.transpose()?;
    let limits = Limits {
        k: match (k, request.budget) {
            (Some(k), _) => k,
            (None, Some(_)) => n_candidates,
            (None, None) => {
                return Err(SelectionError::question("how many? Give -k, or a budget").into());
            }
        },
        budget: match (&costs, request.budget) {
            (Some(costs), Some(budget)) => Some((costs, budget)),
            (None, None) => None,
            _ => {
                let why = "costs and a budget go together: give both or none";
                return Err(SelectionError::question(why).into());
            }
        },
    };
    let problem = Problem {
        similarity: compared.similarity.as_ref(),
        features: compared.features.as_ref(),
        objective: request.objective,
        given: &given,
        required: &required,
        excluded: &excluded,
        limits,
        method: request.method,
        n_random: request.n_random,
        seed: request.seed,
    };
    let choice = problem.solve()?;
    let places: Vec<usize> = choice.steps.iter().map(|s| s.candidate).collect();
    // Features are not drawn again.
    let resampled = compared.resampled.as_ref();
    let stability = match resampled.filter(|_| !request.objective.needs_features()) {
        Some(resampled) => resampled.stability(&places, &compared.names, &|similarity| {
            again(&problem, similarity)
        })?,
        None => None,
    };
    let mut represents: Vec<Vec<String>> = vec![Vec::new(); compared.names.len()];
    for (target, by) in choice.represented_by.iter().enumerate() {
        if let Some(by) = by {
            represents[*by].push(compared.names[target].clone());
        }
    }
    let share = |value: Option<f64>| match (value, choice.everything) {
        (Some(value), Some(all)) if all > 0.0 => Some(value / all),
        _ => None,
    };
    let chosen = (choice.steps.iter().enumerate()).map(|(i, step)| Chosen {
        rank: i + 1,
        name: compared.names[step.candidate].clone(),
        gain: step.gain,
        value: step.value,
        coverage: share(step.value),
        cost: costs.as_ref().map(|c| c[step.candidate]),
        required: step.required,
        measured: (measured.as_ref()).map(|m| m.contains(&compared.names[step.candidate])),
        stability: stability.as_ref().map(|(shares, _)| shares[i]),
        represents: represents[step.candidate].clone(),
    });
    let chosen: Vec<Chosen> = chosen.collect();
    let rests_on = (compared.model.iter())
        .map(|(name, checksum)| format!("model {name} {checksum}"))
        .chain(compared.checksum.iter().map(|c| format!("file {c}")))
        .collect();
    Ok(Answer {
        what: request.what,
        objective: request.objective.to_string(),
        compared_by: compared.by.clone(),
        model: compared.model.map(|(name, _)| name),
        n_items: compared.names.len(),
        n_candidates,
        given: (given.iter())
            .map(|p| Start {
                name: compared.names[*p].clone(),
                represents: represents[*p].clone(),
            })
            .collect(),
        before: choice.before,
        chosen,
        everything: choice.everything,
        bound: choice.bound,
        bound_is_reached: choice.bound_is_reached,
        guarantee: choice.guarantee.share,
        guarantee_text: choice.guarantee.text,
        curve: choice.curve,
        n_random: request.n_random,
        stability: stability.map(|(_, stability)| stability),
        evaluations: choice.evaluations,
        notes,
        rests_on,
    })
}

/// The items that have been measured; `None` where that is not a question.
fn measured(
    database: Option<&Database>,
    request: &Request,
) -> crate::Result<Option<HashSet<String>>> {
    let Some(database) = database else {
        if request.new_of.is_some() || request.given == Given::Measured {
            let why = "what has been measured is a question to a database; give one (option `db`)";
            return Err(SelectionError::question(why).into());
        }
        return Ok(None);
    };
    let tracks = database.tracks()?;
    let of = |new: &str, kind: &'static str, known: Vec<String>| -> crate::Result<()> {
        if known.iter().any(|k| k == new) {
            return Ok(());
        }
        // An assay that nobody has run yet is none of the database's, which is not a mistake: but it
        // may be a misspelt one.
        let near = nearest_names(new, known.iter().map(String::as_str), 3);
        Err(SelectionError::UnknownItem {
            kind,
            name: new.to_string(),
            nearest: near,
            advice: ". If it was never measured, leave it out: the choice is then of all",
        }
        .into())
    };
    Ok(match (request.what, &request.new_of) {
        (What::Biosamples, Some(assay)) => {
            let known = database.assays()?.into_iter().map(|a| a.name).collect();
            of(assay, "assay", known)?;
            let having = tracks.into_iter().filter(|t| t.assay == *assay);
            Some(having.map(|t| t.biosample).collect())
        }
        (What::Assays, Some(biosample)) => {
            let known = database.biosamples()?.into_iter().map(|b| b.name).collect();
            of(biosample, "biosample", known)?;
            let having = tracks.into_iter().filter(|t| t.biosample == *biosample);
            Some(having.map(|t| t.assay).collect())
        }
        (What::Experiments, _) => Some(
            (tracks.into_iter())
                .map(|t| experiment_name(&t.biosample, &t.assay))
                .collect(),
        ),
        (What::Biosamples | What::Assays, None) => None,
    })
}

/// The places of the starting set, ascending.
fn starting_set(
    request: &Request,
    items: &Items<'_>,
    measured: Option<&HashSet<String>>,
) -> Result<Vec<usize>, SelectionError> {
    let of_measured = || -> Vec<usize> {
        let is_measured = |name: &String| measured.is_some_and(|m| m.contains(name));
        let places = items.names.iter().enumerate();
        places
            .filter(|(_, n)| is_measured(n))
            .map(|(i, _)| i)
            .collect()
    };
    let mut given = match &request.given {
        Given::Nothing => Vec::new(),
        Given::Names(names) => items.places(names)?,
        Given::Measured if measured.is_none() => {
            return Err(SelectionError::question(format!(
                "measured in what? Say it with option `for-{}`",
                match request.what {
                    What::Assays => "biosample",
                    _ => "assay",
                }
            )));
        }
        Given::Measured | Given::MeasuredIfKnown => of_measured(),
    };
    given.sort_unstable();
    Ok(given)
}

/// How many are chosen: k, or as many as are left to measure where that is fewer.
fn left_to_measure(
    request: &Request,
    k: usize,
    (n_given, n_left): (usize, usize),
    notes: &mut Vec<String>,
) -> Result<usize, SelectionError> {
    let by_measured = matches!(request.given, Given::Measured | Given::MeasuredIfKnown);
    if !by_measured || n_given == 0 || k <= n_left {
        return Ok(k);
    }
    let what = request.what;
    let of = match &request.new_of {
        Some(new) => format!(" for {new}"),
        None => String::new(),
    };
    if n_left == 0 {
        return Err(SelectionError::question(format!(
            "nothing is left to measure{of}: {n_given} {} have been measured and no other may be chosen. Option `given` none \
             chooses as if nothing had been measured",
            what.many()
        )));
    }
    let verb = if n_left == 1 { "is" } else { "are" };
    let one = if n_left == 1 { what.one() } else { what.many() };
    notes.push(format!(
        "{n_left} {one} {verb} left to measure{of}, fewer than the {k} asked for: {n_left} {verb} proposed"
    ));
    Ok(n_left)
}

/// A cost for each item; those that cannot be chosen need none.
fn costs(
    request: &Request,
    names: &[String],
    given: &[usize],
    excluded: &[usize],
) -> Result<Option<Vec<f64>>, SelectionError> {
    let Some(table) = &request.costs else {
        return Ok(None);
    };
    let mut costs = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        match table.get(name) {
            Some(cost) if cost.is_finite() && *cost >= 0.0 => costs.push(*cost),
            Some(cost) => {
                return Err(SelectionError::question(format!(
                    "the cost of {name} is {cost}; it must be 0 or more"
                )));
            }
            None if given.contains(&i) || excluded.contains(&i) => costs.push(0.0),
            None => {
                return Err(SelectionError::question(format!(
                    "the cost of {name} is missing; give one, or exclude it"
                )));
            }
        }
    }
    Ok(Some(costs))
}

/// Stores a request and its answer; returns the number.
///
/// # Errors
/// When the database can only be read, or the disk is full.
pub fn store(database: &Database, request: &Request, answer: &Answer) -> crate::Result<i64> {
    let new = NewSelection {
        kind: request.what.many().into(),
        settings: json!(request),
        result: json!(answer),
    };
    Ok(database.save_selection(&new)?)
}

/// A stored selection as it was asked and answered.
///
/// # Errors
/// When it is of positions, or of a later Persea.
pub fn stored(selection: &StoredSelection) -> Result<(Request, Answer), SelectionError> {
    let bad = |e: serde_json::Error| SelectionError::Stored {
        id: selection.id,
        why: format!("its record cannot be read: {e}"),
    };
    Ok((
        serde_json::from_value(selection.settings.clone()).map_err(bad)?,
        serde_json::from_value(selection.result.clone()).map_err(bad)?,
    ))
}
