//! The k nearest so far.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A place and its distance; ordered by distance, then by coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// What hits are ordered by: the squared distance, or the cosine's.
    pub distance: f32,
    /// Where it stands in the order of coordinates, which decides between equals.
    pub order: u64,
    /// The axis bin, or the row of a coarser scale.
    pub place: u64,
}

impl Eq for Found {}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance
            .total_cmp(&other.distance)
            .then(self.order.cmp(&other.order))
    }
}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Keeps the k nearest of what it is offered.
#[derive(Debug)]
pub(super) struct Best {
    k: usize,
    heap: BinaryHeap<Found>,
}

impl Best {
    pub fn new(k: usize) -> Self {
        Best {
            k,
            heap: BinaryHeap::with_capacity(k.min(1 << 16) + 1),
        }
    }

    /// What is farther than this cannot become one of the k; what is as far may, by its coordinate.
    #[inline]
    pub fn bound(&self) -> f32 {
        match self.heap.peek() {
            Some(worst) if self.heap.len() == self.k => worst.distance,
            _ => f32::INFINITY,
        }
    }

    #[inline]
    pub fn offer(&mut self, found: Found) {
        if self.heap.len() < self.k {
            self.heap.push(found);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && found < *worst
        {
            *worst = found;
        }
    }

    /// Nearest first.
    pub fn into_sorted(self) -> Vec<Found> {
        self.heap.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_are_kept_by_coordinate() {
        let mut best = Best::new(2);
        assert_eq!(best.bound(), f32::INFINITY);
        for order in [5, 3, 9, 1] {
            best.offer(Found {
                distance: 1.0,
                order,
                place: order,
            });
        }
        assert_eq!(best.bound(), 1.0);
        let orders: Vec<u64> = best.into_sorted().iter().map(|f| f.order).collect();
        assert_eq!(orders, [1, 3]);
    }
}
