//! Which part of some work one of several jobs does.

use std::str::FromStr;

use super::CompendiumError;

/// One of `count` parts of a list, `index` from 0: every `count`-th item, so that parts are equally long.
///
/// ```
/// use persea::compendium::Shard;
///
/// // As on the command line, where the first is 1.
/// let second: Shard = "2/3".parse()?;
/// assert_eq!(second.of(vec![10, 11, 12, 13, 14]), [11, 14]);
/// assert_eq!(second.to_string(), "2/3");
/// assert!("4/3".parse::<Shard>().is_err());
/// # Ok::<(), persea::compendium::CompendiumError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// Which part it is, from 0.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many parts there are.
    pub fn count(self) -> usize {
        self.count
    }

    /// Whether it has the item at this place of the list.
    pub fn has(self, place: usize) -> bool {
        place % self.count == self.index
    }

    /// Its items of a list, in the list's order.
    pub fn of<T>(self, items: Vec<T>) -> Vec<T> {
        let placed = items.into_iter().enumerate();
        placed
            .filter(|(place, _)| self.has(*place))
            .map(|(_, item)| item)
            .collect()
    }
}

impl FromStr for Shard {
    type Err = CompendiumError;

    /// Parses `i/n`, where the first of n is 1.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            CompendiumError::Invalid(format!(
                "`{text}` is not a shard: give its number and how many there are, 1/4 to 4/4"
            ))
        };
        let (number, count) = text.split_once('/').ok_or_else(wrong)?;
        let number: usize = number.parse().map_err(|_| wrong())?;
        let count: usize = count.parse().map_err(|_| wrong())?;
        match (1..=count).contains(&number) {
            true => Ok(Shard {
                index: number - 1,
                count,
            }),
            false => Err(wrong()),
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shards_of_a_list_hold_each_item_once() {
        for count in 1..=7 {
            let mut all: Vec<usize> = (1..=count)
                .flat_map(|i| {
                    format!("{i}/{count}")
                        .parse::<Shard>()
                        .unwrap()
                        .of((0..5).collect())
                })
                .collect();
            all.sort_unstable();
            assert_eq!(all, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["", "1", "0/4", "5/4", "1/0", "a/4", "1/4/2", "-1/4"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
