//! Neighbouring bins of equal value as one interval.

/// An interval with one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    /// The chromosome's place in the assembly.
    pub rank: u32,
    pub start: u32,
    pub end: u32,
    pub value: f32,
}

/// Joins intervals that meet and have the same value.
#[derive(Debug, Default)]
pub(super) struct Runs {
    open: Option<Run>,
}

impl Runs {
    /// Adds the next interval; gives back the one before if it ends there.
    pub fn push(&mut self, next: Run) -> Option<Run> {
        match &mut self.open {
            Some(open)
                if open.rank == next.rank
                    && open.end == next.start
                    && open.value.to_bits() == next.value.to_bits() =>
            {
                open.end = next.end;
                None
            }
            open => open.replace(next),
        }
    }

    /// The last interval.
    pub fn take(&mut self) -> Option<Run> {
        self.open.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_that_meet_with_one_value_become_one() {
        let run = |rank, start, end, value| Run {
            rank,
            start,
            end,
            value,
        };
        let mut runs = Runs::default();
        let mut out = Vec::new();
        for next in [
            run(0, 0, 25, 1.0),
            run(0, 25, 50, 1.0),
            run(0, 50, 75, 2.0),
            run(0, 100, 125, 2.0),
            run(1, 125, 150, 2.0),
        ] {
            out.extend(runs.push(next));
        }
        out.extend(runs.take());
        assert_eq!(
            out,
            [
                run(0, 0, 50, 1.0),
                run(0, 50, 75, 2.0),
                run(0, 100, 125, 2.0),
                run(1, 125, 150, 2.0)
            ]
        );
    }
}
