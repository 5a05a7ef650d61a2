//! Axes: round marks and how they are written.

/// Marks at round numbers within a range, and the decimals that tell them apart.
pub(super) fn marks(low: f64, high: f64, wanted: usize) -> Vec<(f64, String)> {
    if !(low.is_finite() && high.is_finite() && high > low) {
        return Vec::new();
    }
    let rough = (high - low) / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= rough * 0.999)
        .unwrap_or(rough);
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last)
        .take(100)
        .map(|i| {
            let value = i as f64 * step;
            (value, self::decimals(value, decimals).replace('-', "−"))
        })
        .collect()
}

/// Marks of positions on a chromosome, in the unit that suits them, and that unit.
pub(super) fn position_marks(
    start: u64,
    end: u64,
    wanted: usize,
) -> (Vec<(f64, String)>, &'static str) {
    let (per, unit) = match end - start.min(end) {
        0..20_000 => (1.0, "bp"),
        20_000..2_000_000 => (1e3, "kb"),
        _ => (1e6, "Mb"),
    };
    let all = marks(start as f64 / per, end as f64 / per, wanted);
    let all = all.into_iter().map(|(at, text)| (at * per, grouped(&text)));
    (all.collect(), unit)
}

/// A region as a title says it: chr1:151,150,000–151,250,000, 1-based and inclusive.
pub fn spoken_region(region: &persea_genome::Interval) -> String {
    let number = |n: u64| grouped(&n.to_string());
    format!(
        "{}:{}–{}",
        region.chrom,
        number(region.start + 1),
        number(region.end)
    )
}

/// 12,345.6
pub fn grouped(number: &str) -> String {
    let (sign, number) = match number.strip_prefix('−') {
        Some(rest) => ("−", rest),
        None => ("", number),
    };
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut out = String::from(sign);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out + rest
}

/// A number with so many decimals, and no minus before a zero.
pub fn decimals(value: f64, n: usize) -> String {
    let text = format!("{value:.n$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_string(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_numbers_inside_the_range() {
        let texts =
            |low, high| -> Vec<String> { marks(low, high, 5).into_iter().map(|m| m.1).collect() };
        assert_eq!(texts(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(-3.0, 11.0), ["0", "5", "10"]);
        assert_eq!(texts(-0.013, 0.02), ["−0.01", "0.00", "0.01", "0.02"]);
        assert!(marks(1.0, 1.0, 5).is_empty() && marks(f64::NAN, 1.0, 5).is_empty());
    }

    #[test]
    fn positions_are_written_in_the_unit_that_suits_them() {
        let (found, unit) = position_marks(33_031_000, 33_042_000, 4);
        assert_eq!((found[0].1.as_str(), unit), ("33,035,000", "bp"));
        let (found, unit) = position_marks(1_000_000, 1_500_000, 4);
        assert_eq!((found[0].1.as_str(), unit), ("1,000", "kb"));
        assert_eq!(position_marks(0, 10_000_000, 4).1, "Mb");
        assert_eq!(grouped("−1234.5"), "−1,234.5");
        let region = persea_genome::Interval::new("chr1", 999, 20_000);
        assert_eq!(spoken_region(&region), "chr1:1,000–20,000");
    }
}
