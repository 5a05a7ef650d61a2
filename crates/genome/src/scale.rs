//! The three scales of the genome factors.

/// The unit of the genome axis, in bp.
pub const BIN_BP: u64 = 25;

/// One of the three resolutions at which the genome axis is factorised (Schreiber et al. 2020).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scale {
    /// 25 bp: one row a bin.
    Bp25,
    /// 250 bp: one row for ten bins.
    Bp250,
    /// 5 kbp: one row for two hundred bins.
    Kbp5,
}

impl Scale {
    /// All scales, finest first: the order in which an embedding lays its factors side by side.
    pub const ALL: [Scale; 3] = [Scale::Bp25, Scale::Bp250, Scale::Kbp5];

    /// How many 25 bp bins one row of this scale spans.
    ///
    /// ```
    /// assert_eq!(persea_genome::Scale::Kbp5.bins(), 200);
    /// ```
    pub const fn bins(self) -> u64 {
        match self {
            Scale::Bp25 => 1,
            Scale::Bp250 => 10,
            Scale::Kbp5 => 200,
        }
    }

    /// How many base pairs one row of this scale spans.
    pub const fn bp(self) -> u64 {
        self.bins() * BIN_BP
    }

    /// The position of this scale in [`Scale::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Scale::Bp25 => 0,
            Scale::Bp250 => 1,
            Scale::Kbp5 => 2,
        }
    }

    /// The name used in files and on the command line: `25bp`, `250bp`, `5kbp`.
    pub const fn name(self) -> &'static str {
        match self {
            Scale::Bp25 => "25bp",
            Scale::Bp250 => "250bp",
            Scale::Kbp5 => "5kbp",
        }
    }

    /// The scale of that name.
    pub fn from_name(name: &str) -> Option<Scale> {
        Scale::ALL.into_iter().find(|scale| scale.name() == name)
    }
}

impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
