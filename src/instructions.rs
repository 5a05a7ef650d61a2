//! Which vector instructions are used: the processor's widest, or those that the user has pinned.
//!
//! Wider registers add up in another order, so that factors and imputed values differ in their last bits between
//! processors of different kinds. With pinned instructions they do not: the same kernels run everywhere, and long
//! sums are cut at fixed places, where the matrix library would cut them as the processor's caches suggest.

use std::sync::OnceLock;

use crate::vocabulary::vocabulary;

vocabulary! {
    /// Sets of vector instructions.
    pub enum Instructions {
        /// AVX-512: Intel servers since 2017, AMD since 2022
        Avx512 = "avx512",
        /// AVX2 with FMA: nearly all servers since 2015
        Avx2 = "avx2",
        /// None beyond what every processor of the architecture has; slow
        Portable = "portable",
    }
}

/// Why instructions cannot be pinned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// The processor does not have them.
    #[error(
        "this processor does not have the instructions {wanted}; those that all of your nodes have can be pinned: \
         here at most {best}"
    )]
    Lacking {
        /// What was asked for.
        wanted: Instructions,
        /// What it has.
        best: Instructions,
    },
    /// Others have been pinned, or used, in this process.
    #[error(
        "the instructions {used} are in use in this process; pin others before anything is computed"
    )]
    InUse {
        /// Which.
        used: Instructions,
    },
}

/// What this process uses.
#[derive(Clone, Copy)]
struct InUse {
    instructions: Instructions,
    is_pinned: bool,
    /// What loops are compiled for.
    arch: pulp::Arch,
}

static IN_USE: OnceLock<InUse> = OnceLock::new();

fn in_use() -> InUse {
    *IN_USE.get_or_init(|| InUse {
        instructions: Instructions::widest(),
        is_pinned: false,
        arch: pulp::Arch::new(),
    })
}

impl Instructions {
    /// The widest that this processor has.
    pub fn widest() -> Self {
        match pulp::Arch::new() {
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V4(_) => Instructions::Avx512,
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V3(_) => Instructions::Avx2,
            _ => Instructions::Portable,
        }
    }

    /// What loops are compiled for with these; `None` where the processor does not have them.
    fn arch(self) -> Option<pulp::Arch> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => pulp::x86::V4::try_new().map(pulp::Arch::V4),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => pulp::x86::V3::try_new().map(pulp::Arch::V3),
            Instructions::Portable => Some(pulp::Arch::Scalar),
            #[cfg(not(target_arch = "x86_64"))]
            _ => None,
        }
    }

    /// Uses these, and no wider ones, from now on in this process.
    ///
    /// # Errors
    /// When the processor does not have them, or others have been used.
    pub fn pin(self) -> Result<(), PinError> {
        let arch = self.arch().ok_or_else(|| PinError::Lacking {
            wanted: self,
            best: Self::widest(),
        })?;
        let used = IN_USE.get_or_init(|| InUse {
            instructions: self,
            is_pinned: true,
            arch,
        });
        match used.is_pinned && used.instructions == self {
            true => Ok(()),
            false => Err(PinError::InUse {
                used: used.instructions,
            }),
        }
    }

    /// Those that are used.
    pub fn in_use() -> Self {
        in_use().instructions
    }

    /// Those that are pinned.
    pub fn pinned() -> Option<Self> {
        let used = in_use();
        used.is_pinned.then_some(used.instructions)
    }
}

/// What loops are compiled for.
pub(crate) fn arch() -> pulp::Arch {
    in_use().arch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_is_the_processors_widest_and_nothing_else_can_be_pinned_then() {
        assert_eq!(Instructions::in_use(), Instructions::widest());
        assert_eq!(Instructions::pinned(), None);
        for instructions in Instructions::ALL {
            let refused = instructions.pin().unwrap_err();
            match instructions < Instructions::widest() {
                true => assert!(matches!(refused, PinError::Lacking { .. }), "{refused}"),
                false => assert!(matches!(refused, PinError::InUse { .. }), "{refused}"),
            }
        }
    }
}
