//! Arguments whose values are the names of a vocabulary.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use persea::vocabulary::{UnknownName, Vocabulary};

/// Parses one of the vocabulary's names. `--help` lists all of them with their meanings.
pub fn one_of<T: Vocabulary>() -> impl TypedValueParser<Value = T> {
    one_of_these(T::ENTRIES.iter().map(|entry| entry.value))
}

/// Parses the name of one of these values.
pub fn one_of_these<T: Vocabulary>(
    values: impl IntoIterator<Item = T>,
) -> impl TypedValueParser<Value = T> {
    let possible = values.into_iter().filter_map(|value| {
        let entry = T::ENTRIES.iter().find(|entry| entry.value == value)?;
        Some(
            PossibleValue::new(entry.name)
                .aliases(entry.earlier)
                .help(entry.meaning),
        )
    });
    PossibleValuesParser::new(possible.collect::<Vec<_>>())
        .try_map(|name| T::from_name(&name).ok_or_else(|| UnknownName::new::<T>(&name)))
}
