//! What every objective can be asked.

/// A set function in the making: what has been chosen, and what another choice would add.
pub trait Objective: Send + Sync {
    /// What each candidate would add to what has been chosen. Greedy algorithms take the highest.
    fn gains(&self, candidates: &[usize]) -> Vec<f64>;

    /// The same with the same chosen, to go on from separately.
    fn copy(&self) -> Box<dyn Objective + '_>;

    /// Chooses a candidate and returns what it added.
    fn add(&mut self, candidate: usize) -> f64;

    /// The function's value; `None` where it has none yet.
    fn value(&self) -> Option<f64>;

    /// Whether gains never rise while others are chosen, so that old ones are bounds.
    fn is_submodular(&self) -> bool;

    /// Whether no choice ever lowers the value.
    fn is_monotone(&self) -> bool;

    /// Whether gains are at hand, so that all of them may be asked for at each step.
    fn is_cheap(&self) -> bool;
}
