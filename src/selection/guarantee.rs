//! What is known of a choice before it is made: how near to the best it must be.

use super::greedy::Method;
use super::objective_kind::ObjectiveKind;

/// A guarantee, or why there is none.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Guarantee {
    /// The least share of the best possible gain; `None` where nothing is known beforehand.
    pub share: Option<f64>,
    /// The same in words, with the conditions and the source.
    pub text: String,
}

/// What a guarantee depends on.
#[derive(Debug, Clone, Copy)]
pub struct Conditions {
    /// Whether there is a budget; a number of choices otherwise.
    pub budget: bool,
    /// Whether the number of choices is limited as well as what they cost.
    pub number_and_budget: bool,
    /// Whether something was there already.
    pub given: bool,
    /// Whether some items were required.
    pub required: bool,
    /// Whether distances are a metric; `None`: not tested.
    pub metric: Option<bool>,
}

/// The guarantee of a greedy choice.
pub fn guarantee(kind: ObjectiveKind, method: Method, conditions: Conditions) -> Guarantee {
    let of_what = match (conditions.given, conditions.required) {
        (false, false) => "the best possible value",
        (true, false) => "the best possible gain beyond the starting set",
        (false, true) => "the best possible gain beyond what is required",
        (true, true) => "the best possible gain beyond the starting set and what is required",
    };
    let none = |why: &str| Guarantee {
        share: None,
        text: format!("no guarantee beforehand: {why}"),
    };
    let some = |share: f64, formula: &str, why: &str| Guarantee {
        share: Some(share),
        text: format!(
            "at least {formula} ({:.0} %) of {of_what}: {why}",
            100.0 * share
        ),
    };
    let e = 1.0 / std::f64::consts::E;
    match kind {
        _ if conditions.number_and_budget => none("a limit on the number and a budget at once"),
        ObjectiveKind::GraphCut { lambda } if lambda < 2.0 => {
            none("with a lambda below 2 more may be worth less")
        }
        ObjectiveKind::SumOfDistances | ObjectiveKind::MinimumDistance => {
            let (source, is_sum) = match kind {
                ObjectiveKind::SumOfDistances => ("Birnbaum and Goldman 2009", true),
                _ => ("Ravi, Rosenkrantz and Tayi 1994", false),
            };
            match conditions.metric {
                _ if conditions.budget => none("a budget of costs on distances"),
                _ if conditions.required => none("required items and distances"),
                _ if is_sum && conditions.given => none("a sum of distances with a starting set"),
                Some(true) => Guarantee {
                    share: Some(0.5),
                    text: format!(
                        "at least 1/2 of the best possible value: greedy on distances that are a metric, as these are ({source})"
                    ),
                },
                Some(false) => none("these distances are no metric"),
                None => none("too many items to see whether these distances are a metric"),
            }
        }
        _ => match (method, conditions.budget) {
            (Method::Stochastic { epsilon, .. }, false) => some(
                (1.0 - e - epsilon).max(0.0),
                &format!("1 − 1/e − {epsilon} in the mean over draws"),
                "stochastic greedy on a monotone submodular function (Mirzasoleiman et al. 2015)",
            ),
            (Method::Stochastic { .. }, true) => none("stochastic greedy with costs"),
            (_, false) => some(
                1.0 - e,
                "1 − 1/e",
                "greedy on a monotone submodular function with a limit on the number (Nemhauser, Wolsey and Fisher 1978)",
            ),
            (_, true) => some(
                0.5 * (1.0 - e),
                "(1 − 1/e)/2",
                "the better of greedy by gain and greedy by gain for cost, on a monotone submodular function (Leskovec et al. 2007)",
            ),
        },
    }
}
