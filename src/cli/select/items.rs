//! `persea select biosamples`, `assays` and `experiments`.

use std::process::ExitCode;

use persea::files::read_text;
use persea::selection::{
    Combination, Compared, Given, Method, MethodName, ObjectiveKind, ObjectiveName, Request,
    Source, What, read_costs, select, store,
};

use super::super::names::Known;
use super::super::{Common, Misuse};
use super::{Options, print};

pub fn run(
    what: What,
    new_of: Option<String>,
    combination: Combination,
    options: Options,
    common: &Common,
) -> anyhow::Result<ExitCode> {
    if let Some(path) = &options.plot {
        print::check_figure(path)?;
    }
    // Files can be compared without a database.
    let of_file = options.matrix.is_some() || options.expression.is_some();
    let database = match (&common.db, of_file) {
        (None, true) => None,
        _ => Some(common.open()?),
    };
    let known = database.as_ref().map(Known::of).transpose()?;
    let request = request(what, new_of, combination, &options, known.as_ref())?;
    let answer = select(database.as_ref(), &request)?;
    let id = match &database {
        Some(database) if !options.no_store && !database.is_read_only() => {
            Some(store(database, &request, &answer)?)
        }
        _ => None,
    };
    if let Some(path) = &options.plot {
        print::draw(&answer, path)?;
    }
    print::answer(&answer, id, known.as_ref(), common.format)?;
    Ok(ExitCode::SUCCESS)
}

fn request(
    what: What,
    new_of: Option<String>,
    combination: Combination,
    options: &Options,
    known: Option<&Known>,
) -> anyhow::Result<Request> {
    let list = |names: &[String]| match known {
        Some(known) => known.list(names),
        None => Ok(names.to_vec()),
    };
    let path = |p: &std::path::Path| p.display().to_string();
    let source = match (&options.matrix, &options.expression, options.similarity) {
        (Some(matrix), _, _) => Source::Matrix { path: path(matrix) },
        (_, Some(table), _) => Source::Expression { path: path(table) },
        (_, _, Compared::Factors) => Source::Factors,
        (_, _, Compared::Imputed) => Source::Imputed { bins: options.bins },
        (_, _, Compared::Observed) => Source::Observed { bins: options.bins },
    };
    let objective = match options.objective {
        ObjectiveName::FacilityLocation => ObjectiveKind::FacilityLocation,
        ObjectiveName::SaturatedCoverage => ObjectiveKind::SaturatedCoverage {
            share: options.share,
        },
        ObjectiveName::FeatureBased => ObjectiveKind::FeatureBased {
            concave: options.concave,
        },
        ObjectiveName::GraphCut if options.lambda > 0.0 && options.lambda.is_finite() => {
            ObjectiveKind::GraphCut {
                lambda: options.lambda,
            }
        }
        ObjectiveName::GraphCut => {
            return Err(Misuse("--lambda must be a number above 0".into()).into());
        }
        ObjectiveName::SumOfDistances => ObjectiveKind::SumOfDistances,
        ObjectiveName::MinimumDistance => ObjectiveKind::MinimumDistance,
    };
    let method = match options.method {
        MethodName::Lazy => Method::Lazy,
        MethodName::Plain => Method::Plain,
        MethodName::Stochastic => Method::Stochastic {
            epsilon: options.epsilon,
            seed: options.seed,
        },
    };
    let costs = options.cost.as_deref().map(read_costs).transpose()?;
    Ok(Request {
        what,
        k: options.k,
        objective,
        source,
        kernel: options.kernel,
        gamma: options.gamma,
        combination,
        model: options.model.clone(),
        new_of: match (new_of, known) {
            (Some(biosample), Some(known)) if what == What::Assays => {
                Some(known.biosample(&biosample)?)
            }
            (new_of, _) => new_of,
        },
        given: given(options.given.as_deref(), &list)?,
        require: list(&options.require)?,
        exclude: list(&options.exclude)?,
        costs,
        budget: options.budget,
        method,
        n_random: options.random,
        resamples: options.resamples,
        seed: options.seed,
    })
}

fn given(
    text: Option<&str>,
    list: &dyn Fn(&[String]) -> anyhow::Result<Vec<String>>,
) -> anyhow::Result<Given> {
    let Some(text) = text else {
        return Ok(Given::MeasuredIfKnown);
    };
    let names = |names: Vec<&str>| {
        let named = names.into_iter().map(str::trim).filter(|n| !n.is_empty());
        Given::Names(named.map(str::to_string).collect())
    };
    Ok(match text {
        "measured" => Given::Measured,
        "none" => Given::Nothing,
        file if std::path::Path::new(file).is_file() => {
            let read = read_text(file.as_ref())?;
            let is_comment = |line: &&str| line.starts_with("# ") || line.starts_with("##");
            names(read.lines().filter(|line| !is_comment(line)).collect())
        }
        text => {
            let parts: Vec<String> = text.split(',').map(str::to_string).collect();
            Given::Names(
                (list(&parts)?.iter())
                    .map(|name| name.trim().to_string())
                    .filter(|name| !name.is_empty())
                    .collect(),
            )
        }
    })
}
