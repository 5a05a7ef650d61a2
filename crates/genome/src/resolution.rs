//! The three scales of the genome factors.

use persea_vocabulary::vocabulary;

/// The unit of the genome axis, in bp.
pub const BIN_BP: u64 = 25;

vocabulary! {
    /// One of the three resolutions at which the genome axis is factorised (Schreiber et al. 2020).
    pub enum Resolution {
        /// 25 bp
        Bp25 = "25bp",
        /// 250 bp
        Bp250 = "250bp",
        /// 5 kbp
        Kbp5 = "5kbp",
    }
}

impl Resolution {
    /// How many 25 bp bins one row of this scale spans.
    ///
    /// ```
    /// assert_eq!(persea_genome::Resolution::Kbp5.bins(), 200);
    /// ```
    pub const fn bins(self) -> u64 {
        match self {
            Resolution::Bp25 => 1,
            Resolution::Bp250 => 10,
            Resolution::Kbp5 => 200,
        }
    }

    /// How many base pairs one row of this scale spans.
    pub const fn bp(self) -> u64 {
        self.bins() * BIN_BP
    }

    /// The position of this scale in [`Resolution::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Resolution::Bp25 => 0,
            Resolution::Bp250 => 1,
            Resolution::Kbp5 => 2,
        }
    }
}
