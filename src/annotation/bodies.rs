//! Which genes' bodies contain a base.

use std::collections::HashMap;

use crate::genome::Gene;

/// The bodies of genes, by chromosome and start.
#[derive(Debug, Default)]
pub(super) struct GeneBodies {
    chromosomes: HashMap<String, Vec<Body>>,
}

#[derive(Debug)]
struct Body {
    start: u64,
    end: u64,
    /// The farthest end of this body and all that start before it.
    farthest: u64,
    /// The gene's place in the list.
    gene: usize,
}

impl GeneBodies {
    /// Of a list of genes.
    pub fn new(genes: &[Gene]) -> Self {
        let mut chromosomes: HashMap<String, Vec<Body>> = HashMap::new();
        for (place, gene) in genes.iter().enumerate() {
            let bodies = chromosomes.entry(gene.interval.chrom.clone()).or_default();
            bodies.push(Body {
                start: gene.interval.start,
                end: gene.interval.end,
                farthest: 0,
                gene: place,
            });
        }
        for bodies in chromosomes.values_mut() {
            bodies.sort_by_key(|b| (b.start, b.end, b.gene));
            let mut farthest = 0;
            for body in bodies {
                farthest = farthest.max(body.end);
                body.farthest = farthest;
            }
        }
        GeneBodies { chromosomes }
    }

    /// The places, in the list, of the genes that contain a base, by their start.
    pub fn containing(&self, chrom: &str, base: u64) -> Vec<usize> {
        let Some(bodies) = self.chromosomes.get(chrom) else {
            return Vec::new();
        };
        let began = bodies.partition_point(|b| b.start <= base);
        let before = bodies[..began].iter().rev();
        let mut found: Vec<usize> = before
            .take_while(|b| b.farthest > base)
            .filter(|b| b.end > base)
            .map(|b| b.gene)
            .collect();
        found.reverse();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Interval, Strand};

    #[test]
    fn a_base_lies_in_every_body_around_it_and_in_none_that_ends_there() {
        let gene = |chrom: &str, start, end| Gene {
            id: format!("{chrom}:{start}"),
            name: String::new(),
            interval: Interval::new(chrom, start, end),
            strand: Strand::Forward,
            transcript_starts: Vec::new(),
        };
        // A long gene around a short one, one that overlaps its end, and another chromosome.
        let genes = [
            gene("a", 900, 1_200),
            gene("a", 100, 1_000),
            gene("b", 0, 5_000),
            gene("a", 200, 300),
        ];
        let bodies = GeneBodies::new(&genes);
        for (base, expected) in [
            (99, vec![]),
            (100, vec![1]),
            (250, vec![1, 3]),
            (300, vec![1]),
            (950, vec![1, 0]),
            (1_000, vec![0]),
            (1_200, vec![]),
        ] {
            assert_eq!(bodies.containing("a", base), expected, "{base}");
        }
        assert_eq!(bodies.containing("b", 4_999), [2]);
        assert!(bodies.containing("c", 1).is_empty());
    }
}
