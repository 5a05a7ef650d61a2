//! The parameters of a request, each asked for by name.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::error::Refusal;

/// The most bytes that a parameter may have.
const LONGEST: usize = 4_096;

pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Parameters of which all names are in a list.
    pub fn of(given: Vec<(String, String)>, known: &[&str]) -> Result<Self, Refusal> {
        let mut all = BTreeMap::new();
        for (name, value) in given {
            if !known.contains(&name.as_str()) {
                let known = known.join(", ");
                let message = format!("there is no parameter `{name}`; there are: {known}");
                return Err(Refusal::bad(message));
            }
            if value.len() > LONGEST {
                let message = format!("parameter `{name}` is longer than {LONGEST} bytes");
                return Err(Refusal::bad(message));
            }
            // An empty field of a form is one that was not filled in.
            if !value.is_empty() && all.insert(name.clone(), value).is_some() {
                let message = format!("parameter `{name}` is given twice");
                return Err(Refusal::bad(message));
            }
        }
        Ok(Parameters(all))
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &str) -> Result<&str, Refusal> {
        let missing = || Refusal::bad(format!("parameter `{name}` is missing"));
        self.text(name).ok_or_else(missing)
    }

    /// A whole number of a range, or the one that stands for none.
    pub fn number(
        &self,
        name: &str,
        default: u64,
        allowed: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|n| allowed.contains(n));
        number.ok_or_else(|| {
            let (first, last) = (allowed.start(), allowed.end());
            Refusal::bad(format!(
                "`{text}` is no {name}: give a whole number from {first} to {last}"
            ))
        })
    }

    /// Names, separated by commas.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let list = self.text(name).unwrap_or_default().split(',');
        list.map(str::trim).filter(|s| !s.is_empty()).collect()
    }

    /// `true` or `false`; false where it is not given.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(Refusal::bad(format!(
                "`{text}` is no {name}: give true or false"
            ))),
        }
    }

    /// One of a choice of names.
    pub fn choice<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal>
    where
        T::Err: std::fmt::Display,
    {
        let parsed = self.text(name).map(|text| {
            let why = |e: T::Err| Refusal::bad(format!("`{text}` is no {name}: {e}"));
            text.parse().map_err(why)
        });
        parsed.transpose()
    }
}
