//! How a track's values are stored: as 32-bit numbers, or as 16-bit counts of a step.
//!
//! Half a byte to one byte a bin, where 32-bit numbers take about two. A value is rounded to the nearest whole
//! number of steps. Zero and a bin without data stay what they are. Steps are powers of two, so that a count of
//! them is a 32-bit number exactly and the error is at most half a step.

use std::str::FromStr;

/// The step of 16-bit values: one in a power of two, 1 to 65,536.
///
/// ```
/// use persea::store::Step;
///
/// let step: Step = "1/512".parse()?;
/// assert_eq!(step, Step::default());
/// assert_eq!((step.size(), step.greatest_error()), (0.001953125, 0.0009765625));
/// assert_eq!(step.range(), (-16.0, 111.99609375));
/// assert!("1/500".parse::<Step>().is_err());
/// # Ok::<(), persea::store::StepError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Step {
    per_unit: u32,
}

/// The code of zero: what is below it is negative.
const ZERO: i32 = 8_192;

/// The code of a bin without data.
const MISSING: u16 = u16::MAX;

/// The code of the highest value.
const HIGHEST: i32 = MISSING as i32 - 1;

impl Step {
    /// The code of zero.
    pub(crate) const ZERO_CODE: u16 = ZERO as u16;

    /// The code of a bin without data.
    pub(crate) const MISSING_CODE: u16 = MISSING;

    /// 1/512, the default.
    pub const ONE_IN_512: Step = Step { per_unit: 512 };

    /// One step in so many; `None` where that is no power of two up to 65,536.
    pub fn one_in(per_unit: u32) -> Option<Self> {
        (per_unit.is_power_of_two() && per_unit <= 1 << 16).then_some(Step { per_unit })
    }

    /// How many steps a unit has.
    pub fn per_unit(self) -> u32 {
        self.per_unit
    }

    /// Its length.
    pub fn size(self) -> f64 {
        1.0 / f64::from(self.per_unit)
    }

    /// How far a stored value can be from the one that was given: half a step.
    pub fn greatest_error(self) -> f64 {
        self.size() / 2.0
    }

    /// The lowest and the highest value that can be stored.
    pub fn range(self) -> (f64, f64) {
        let value = |code: i32| f64::from(code - ZERO) * self.size();
        (value(0), value(HIGHEST))
    }

    /// The code of a value; `None` where it is out of range.
    pub(crate) fn code(self, value: f32) -> Option<u16> {
        if value.is_nan() {
            return Some(MISSING);
        }
        // Exact: the factor is a power of two.
        let steps = f64::from(value) * f64::from(self.per_unit);
        // The nearest whole number; halves go away from zero. What is too large stays so.
        let code = (steps + 0.5f64.copysign(steps)) as i32;
        let code = code.saturating_add(ZERO);
        (0..=HIGHEST).contains(&code).then_some(code as u16)
    }

    /// The value of a code.
    pub(crate) fn value(self, code: u16) -> f32 {
        match code {
            MISSING => f32::NAN,
            code => (i32::from(code) - ZERO) as f32 / self.per_unit as f32,
        }
    }
}

impl Default for Step {
    /// 1/512: on the arcsinh scale at most 0.1 % of a large signal, or 0.001 of a small one.
    fn default() -> Self {
        Step::ONE_IN_512
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "1/{}", self.per_unit)
    }
}

impl FromStr for Step {
    type Err = StepError;

    fn from_str(text: &str) -> Result<Self, StepError> {
        let per_unit = text.strip_prefix("1/").and_then(|n| n.parse().ok());
        let step = per_unit.and_then(Step::one_in);
        step.ok_or_else(|| StepError(text.to_string()))
    }
}

/// A text that is no step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a step: it is 1/N, where N is a power of two from 1 to 65536, such as 1/512")]
pub struct StepError(String);

/// How a track's values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ValueType {
    /// As 32-bit numbers, exactly.
    #[default]
    F32,
    /// As 16-bit counts of a step.
    U16(Step),
    /// As 32-bit numbers, because some value is beyond what 16-bit counts of this step can hold.
    F32Beyond(Step),
}

impl ValueType {
    /// The step, of values that are counts of one.
    pub fn step(self) -> Option<Step> {
        match self {
            ValueType::U16(step) => Some(step),
            ValueType::F32 | ValueType::F32Beyond(_) => None,
        }
    }

    /// How far a stored value can be from the one that was given.
    pub fn greatest_error(self) -> f64 {
        self.step().map_or(0.0, Step::greatest_error)
    }
}

impl std::fmt::Display for ValueType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ValueType::F32 => f.write_str("f32"),
            ValueType::U16(step) => write!(f, "u16 {step}"),
            ValueType::F32Beyond(step) => write!(f, "f32 (beyond u16 {step})"),
        }
    }
}

/// Reads what `Display` writes.
pub(super) fn value_type_from_text(text: &str) -> Option<ValueType> {
    let step = |text: &str| text.parse().ok();
    if text == "f32" {
        return Some(ValueType::F32);
    }
    if let Some(rest) = text.strip_prefix("u16 ") {
        return step(rest).map(ValueType::U16);
    }
    let rest = text.strip_prefix("f32 (beyond u16 ")?;
    step(rest.strip_suffix(')')?).map(ValueType::F32Beyond)
}

/// The type that a row says, if a track has one.
pub(super) fn value_type_of_row(steps: Option<i64>, fits: Option<i64>) -> Option<ValueType> {
    let step = |n: i64| u32::try_from(n).ok().and_then(Step::one_in);
    match (steps, fits) {
        (None, None) => Some(ValueType::F32),
        (Some(n), Some(1)) => step(n).map(ValueType::U16),
        (Some(n), Some(0)) => step(n).map(ValueType::F32Beyond),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zero_missing_bins_and_the_ends_of_the_range_are_exact_and_what_lies_beyond_is_refused() {
        let step = Step::default();
        assert_eq!(step.code(0.0), Some(8_192));
        assert_eq!(step.code(-0.0), Some(8_192));
        assert_eq!(step.value(8_192).to_bits(), 0.0f32.to_bits());
        assert_eq!(step.code(f32::NAN), Some(65_535));
        assert!(step.value(65_535).is_nan());
        // (65 534 − 8192) / 512 and −8192 / 512.
        assert_eq!(step.code(57_342.0 / 512.0), Some(65_534));
        assert_eq!(step.value(65_534), 57_342.0 / 512.0);
        assert_eq!(step.code(-16.0), Some(0));
        assert_eq!(step.value(0), -16.0);
        // Half a step beyond rounds to a code that is none.
        assert_eq!(step.code(111.998), None);
        assert_eq!(step.code(-16.001), None);
        assert_eq!(step.code(f32::INFINITY), None);
        assert_eq!(step.code(f32::MAX), None);
        // 1.001 is 512.512 steps, which is 513.
        assert_eq!(step.code(1.001), Some(8_192 + 513));
    }

    #[test]
    fn a_type_is_read_as_it_is_shown() {
        let step: Step = "1/65536".parse().unwrap();
        for (values, text) in [
            (ValueType::F32, "f32"),
            (ValueType::U16(Step::default()), "u16 1/512"),
            (ValueType::F32Beyond(step), "f32 (beyond u16 1/65536)"),
        ] {
            assert_eq!(values.to_string(), text);
            assert_eq!(value_type_from_text(text), Some(values));
        }
        for text in ["", "u16", "u16 1/3", "f32 ", "u16 1/131072", "u16 2/512"] {
            assert_eq!(value_type_from_text(text), None, "{text}");
        }
        assert_eq!(value_type_of_row(Some(512), None), None);
        assert_eq!(value_type_of_row(Some(3), Some(1)), None);
    }

    proptest! {
        #[test]
        fn a_stored_value_is_at_most_half_a_step_off_and_is_stored_as_itself(
            value in -20f32..120.0,
            exponent in 0u32..=16,
        ) {
            let step = Step::one_in(1 << exponent).unwrap();
            let (low, high) = step.range();
            match step.code(value) {
                Some(code) => {
                    let stored = step.value(code);
                    let error = (f64::from(stored) - f64::from(value)).abs();
                    prop_assert!(error <= step.greatest_error(), "{} {}", value, stored);
                    prop_assert_eq!(step.code(stored), Some(code));
                }
                None => {
                    let value = f64::from(value);
                    prop_assert!(value < low - step.greatest_error() || value >= high + step.greatest_error()
                        || value == low - step.greatest_error());
                }
            }
        }
    }
}
