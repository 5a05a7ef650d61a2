//! The orders in which a pass visits the bins.

use persea_vocabulary::vocabulary;

vocabulary! {
    /// In which order a pass visits the bins; each bin shows one random training track that has data there.
    pub enum Sampling {
        /// Along the genome; each pass visits every bin once
        Sequential = "sequential",
        /// Shuffled for each pass; each pass visits every bin once
        Permuted = "permuted",
        /// At random, with replacement
        Random = "random",
    }
}
