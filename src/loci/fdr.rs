//! Many p-values at once.

/// False discovery rates by Benjamini and Hochberg (1995): for each p-value the least rate at which
/// it would be called, among those that are defined. Valid where tests are independent or
/// positively dependent.
pub fn false_discovery_rates(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(f64, usize)> = (p.iter().enumerate())
        .filter_map(|(i, p)| p.map(|p| (p, i)))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = order.len() as f64;
    let mut rates = vec![None; p.len()];
    let mut least = 1f64;
    for (rank, (p, i)) in order.into_iter().enumerate().rev() {
        least = least.min(p * n / (rank + 1) as f64);
        rates[i] = Some(least);
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R: `p.adjust(c(0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205), "BH")`.
    #[test]
    fn rates_are_those_of_benjamini_and_hochberg() {
        let p = [0.205, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.001];
        let rates = false_discovery_rates(&p.map(Some));
        let expected = [
            0.205,
            0.032,
            0.0672,
            0.0672,
            0.0672,
            0.08,
            0.084_571_43,
            0.008,
        ];
        for (rate, expected) in rates.iter().zip(expected) {
            assert!((rate.unwrap() - expected).abs() < 1e-8, "{rates:?}");
        }
    }

    #[test]
    fn equal_values_have_equal_rates_and_none_stays_none() {
        assert_eq!(false_discovery_rates(&[]), []);
        assert_eq!(false_discovery_rates(&[None]), [None]);
        let rates = false_discovery_rates(&[Some(1.0), Some(1.0), None]);
        assert_eq!(rates, [Some(1.0), Some(1.0), None]);
    }
}
