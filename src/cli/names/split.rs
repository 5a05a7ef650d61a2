//! Dividing a list at those of its commas that separate known items.

/// How a list reads.
#[derive(Debug, PartialEq)]
pub enum Split<'a, T> {
    /// The one way in which all of it is known.
    Known(Vec<T>),
    /// There is more than one.
    Several,
    /// There is none: what is known from its beginning, and the rest.
    Unknown {
        /// The items before the first that is not known.
        known: Vec<T>,
        /// From that item on.
        rest: &'a str,
    },
}

/// Divides a list. `item` says what a part is, without blanks around it; `None`: not known.
pub fn split<'a, T: Clone>(text: &'a str, item: &dyn Fn(&str) -> Option<T>) -> Split<'a, T> {
    // Where a part may begin: at the start and behind each comma; and one past the end.
    let mut starts = vec![0];
    starts.extend(text.match_indices(',').map(|(i, _)| i + 1));
    let n = starts.len();
    starts.push(text.len() + 1);
    // How many ways lead to each start (two stand for many), and the last item of one of them.
    let mut ways = vec![0u8; n + 1];
    let mut last: Vec<Option<(usize, T)>> = vec![None; n + 1];
    ways[0] = 1;
    for from in 0..n {
        if ways[from] == 0 {
            continue;
        }
        for to in from + 1..=n.min(from + MOST_COMMAS) {
            let part = text[starts[from]..starts[to] - 1].trim();
            if let Some(found) = item(part) {
                ways[to] = (ways[to] + ways[from]).min(2);
                last[to] = Some((from, found));
            }
        }
    }
    let furthest = ways.iter().rposition(|n| *n > 0).unwrap_or(0);
    let mut items = Vec::new();
    let mut at = furthest;
    while let Some((from, found)) = last[at].take() {
        items.push(found);
        at = from;
    }
    items.reverse();
    match (furthest == n, ways[furthest]) {
        (true, 1) => Split::Known(items),
        (true, _) => Split::Several,
        (false, _) => Split::Unknown {
            known: items,
            rest: &text[starts[furthest]..],
        },
    }
}

/// More commas than any name holds.
const MOST_COMMAS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(text: &'a str, known: &[&str]) -> Split<'a, String> {
        split(text, &|part| {
            known.contains(&part).then(|| part.to_string())
        })
    }

    #[test]
    fn commas_of_names_do_not_divide() {
        let names = ["a", "b, c", "d"];
        let all = names.map(str::to_string).to_vec();
        assert_eq!(read("a,b, c, d", &names), Split::Known(all));
        assert_eq!(
            read("a,b,d", &names),
            Split::Unknown {
                known: vec!["a".into()],
                rest: "b,d"
            }
        );
        assert_eq!(read("a,b", &["a", "b", "a,b"]), Split::Several);
    }
}
