//! Closed lists of names.
//!
//! A choice such as a metric or a learner has one spelling. The command line, files, JSON and the
//! database all use it. [`vocabulary!`] defines an enum together with its names, and [`Vocabulary`]
//! is what generic code, such as an argument parser, needs of it.

use std::fmt;

/// An enum whose values have fixed names.
pub trait Vocabulary: Copy + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// All values with their names and meanings, in the order of their definition.
    const ENTRIES: &'static [Entry<Self>];

    /// The name of this value.
    fn name(self) -> &'static str;

    /// The value of that name, or of a name that it had in earlier versions.
    fn from_name(name: &str) -> Option<Self>;
}

/// A value of a vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct Entry<T> {
    /// The value.
    pub value: T,
    /// Its name.
    pub name: &'static str,
    /// Names that it had in earlier versions.
    pub earlier: &'static [&'static str],
    /// What it means, in one line without a full stop.
    pub meaning: &'static str,
}

/// A name that a vocabulary does not contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    name: String,
    known: Vec<&'static str>,
}

impl UnknownName {
    /// The error for a name that `T` does not contain.
    pub fn new<T: Vocabulary>(name: &str) -> Self {
        UnknownName {
            name: name.to_owned(),
            known: T::ENTRIES.iter().map(|entry| entry.name).collect(),
        }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown name {:?}: use {}",
            self.name,
            self.known.join(", ")
        )
    }
}

impl std::error::Error for UnknownName {}

/// Reads a name with serde.
///
/// # Errors
/// When the vocabulary does not contain it.
pub fn deserialize<'de, T: Vocabulary, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    let name = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
    T::from_name(&name).ok_or_else(|| serde::de::Error::custom(UnknownName::new::<T>(&name)))
}

#[doc(hidden)]
pub use serde;

/// Defines an enum with a name for each value.
///
/// The first line of a value's documentation, without its full stop, is its meaning in `--help`.
/// A name after `|` is one of an earlier version, which is still read. `enum Name = Value` makes that
/// value the default.
///
/// ```
/// use persea_vocabulary::{Vocabulary, vocabulary};
///
/// vocabulary! {
///     /// How replicates are combined.
///     pub enum Replicates {
///         /// Their mean.
///         Mean = "mean",
///         /// None: they are refused.
///         Refuse = "error",
///     }
/// }
///
/// assert_eq!(Replicates::Mean.name(), "mean");
/// assert_eq!(Replicates::from_name("error"), Some(Replicates::Refuse));
/// assert_eq!(Replicates::ENTRIES[0].meaning, "Their mean");
/// assert_eq!(Replicates::Mean.to_string(), "mean");
/// assert!("median".parse::<Replicates>().is_err());
/// ```
#[macro_export]
macro_rules! vocabulary {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $Name:ident $(= $Default:ident)? {
            $(
                #[doc = $first:literal] $(#[doc = $further:literal])*
                $Value:ident = $name:literal $(| $old:literal)*
            ),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility enum $Name {
            $(#[doc = $first] $(#[doc = $further])* $Value,)+
        }

        impl $Name {
            /// All values, in the order of their definition.
            pub const ALL: [$Name; [$($name),+].len()] = [$($Name::$Value),+];

            /// The name in arguments, files and the database.
            pub const fn name(self) -> &'static str {
                match self {
                    $($Name::$Value => $name,)+
                }
            }

            /// The value of that name, or of a name that it had in earlier versions.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $old)* => Some($Name::$Value),)+
                    _ => None,
                }
            }
        }

        $(impl Default for $Name {
            fn default() -> Self {
                $Name::$Default
            }
        })?

        impl $crate::Vocabulary for $Name {
            const ENTRIES: &'static [$crate::Entry<Self>] = &[
                $($crate::Entry {
                    value: $Name::$Value,
                    name: $name,
                    earlier: &[$($old),*],
                    meaning: $crate::meaning($first),
                },)+
            ];

            fn name(self) -> &'static str {
                $Name::name(self)
            }

            fn from_name(name: &str) -> Option<Self> {
                $Name::from_name(name)
            }
        }

        impl ::std::fmt::Display for $Name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad($Name::name(*self))
            }
        }

        impl ::std::str::FromStr for $Name {
            type Err = $crate::UnknownName;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                $Name::from_name(name).ok_or_else(|| $crate::UnknownName::new::<$Name>(name))
            }
        }

        impl $crate::serde::Serialize for $Name {
            fn serialize<S: $crate::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str($Name::name(*self))
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $Name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::deserialize(from)
            }
        }
    };
}

/// A line of documentation without the space before it and the full stop after it.
#[doc(hidden)]
pub const fn meaning(line: &'static str) -> &'static str {
    let line = line.trim_ascii();
    match line.as_bytes() {
        [.., b'.'] => line.split_at(line.len() - 1).0,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::Vocabulary;

    vocabulary! {
        /// Letters.
        enum Letter = B {
            /// The first letter.
            ///
            /// More about it.
            A = "a",
            /// The second letter
            B = "b-2" | "b2",
        }
    }

    #[test]
    fn a_name_reads_back_in_text_and_in_json() {
        for letter in Letter::ALL {
            assert_eq!(Letter::from_name(letter.name()), Some(letter));
            let json = serde_json::to_string(&letter).unwrap();
            assert_eq!(json, format!("\"{letter}\""));
            assert_eq!(serde_json::from_str::<Letter>(&json).unwrap(), letter);
        }
    }

    #[test]
    fn a_name_of_an_earlier_version_is_read_and_not_written() {
        let letter: Letter = serde_json::from_str("\"b2\"").unwrap();
        assert_eq!((letter, letter.name()), (Letter::B, "b-2"));
    }

    #[test]
    fn the_default_is_the_one_named() {
        assert_eq!(Letter::default(), Letter::B);
    }

    #[test]
    fn the_meaning_is_the_first_line_without_its_full_stop() {
        let meanings: Vec<_> = Letter::ENTRIES.iter().map(|e| e.meaning).collect();
        assert_eq!(meanings, ["The first letter", "The second letter"]);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = "c".parse::<Letter>().unwrap_err().to_string();
        assert_eq!(error, "unknown name \"c\": use a, b-2");
        let error = serde_json::from_str::<Letter>("\"c\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("use a, b-2"), "{error}");
    }
}
