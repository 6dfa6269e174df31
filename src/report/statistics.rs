//! Statistics over replicates and cells: mean, spread, quantiles, and Student's 95 % interval.
//!
//! It knows no cells; an empty list has no statistic (nan).

use crate::numeric::elementary::atan;
use crate::results::view::Aggregate;

/// The mean.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation, n - 1 in the denominator; nan for fewer than two values.
pub(super) fn standard_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    if values.len() < 2 { f64::NAN } else { (squares / (values.len() - 1) as f64).sqrt() }
}

/// A quantile, 0 to 1, linear between neighbours as NumPy's; nan if a value is.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() || sorted.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    // The difference of two infinities is no number.
    if low == high { low } else { low + (high - low) * place.fract() }
}

/// The middle value.
pub(super) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The half width of the 95 % interval of the mean; nan for fewer than two values.
pub(super) fn half_width(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    student_quantile(values.len() - 1) * standard_deviation(values) / (values.len() as f64).sqrt()
}

/// A statistic over cells. The extremes pass over nan, as `lowest` and `highest` do over a run.
pub(super) fn aggregate(kind: Aggregate, values: &[f64]) -> f64 {
    let extreme = |better: fn(f64, f64) -> bool| {
        values.iter().copied().filter(|x| !x.is_nan()).fold(f64::NAN, |best, x| if best.is_nan() || better(x, best) { x } else { best })
    };
    match kind {
        Aggregate::Mean => mean(values),
        Aggregate::Median => median(values),
        Aggregate::Std => standard_deviation(values),
        Aggregate::Min => extreme(|x, best| x < best),
        Aggregate::Max => extreme(|x, best| x > best),
        Aggregate::Sum => values.iter().sum(),
    }
}

/// The number that Student's t with `freedom` degrees exceeds in size with probability 5 %.
fn student_quantile(freedom: usize) -> f64 {
    // From 1.959... at infinity to 12.706... at one degree; bisected to neighbouring numbers.
    let (mut low, mut high) = (1.9, 12.8);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if within(middle, freedom) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The probability that Student's t is no larger than `t` in size: the finite sums for whole degrees of freedom
/// (Abramowitz and Stegun 26.7.3 and 26.7.4). All terms are positive, so nothing cancels.
fn within(t: f64, freedom: usize) -> f64 {
    let slope = t / (freedom as f64).sqrt();
    let cos2 = 1.0 / (1.0 + slope * slope);
    let (cos, sin) = (cos2.sqrt(), slope * cos2.sqrt());
    let odd = freedom % 2 == 1;
    let mut term = if odd { cos } else { 1.0 };
    let mut sum = if odd && freedom == 1 { 0.0 } else { term };
    let mut k = if odd { 2 } else { 1 };
    while k + 1 < freedom && term > sum * 1e-18 {
        term *= cos2 * k as f64 / (k + 1) as f64;
        sum += term;
        k += 2;
    }
    if odd { std::f64::consts::FRAC_2_PI * (atan(slope) + sin * sum) } else { sin * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::excessive_precision, reason = "the digits of the source")]
    fn quantiles_of_student_agree_with_high_precision() {
        // mpmath, 40 digits: the root of 1 - I(v/(v + t^2); v/2, 1/2) = 0.95.
        for (freedom, expected) in [
            (1, 12.706204736174705),
            (2, 4.302652729749464),
            (3, 3.1824463052837095),
            (4, 2.7764451051977943),
            (5, 2.5705818356363155),
            (9, 2.2621571627982053),
            (24, 2.063898561628026),
            (99, 1.9842169515864174),
            (100, 1.9839715185235522),
            (1000, 1.9623390808264085),
        ] {
            let found = student_quantile(freedom);
            assert!((found - expected).abs() < 1e-13 * expected, "{freedom}: {found}");
        }
    }

    #[test]
    #[allow(clippy::excessive_precision, reason = "the digits of the source")]
    fn statistics_are_numpys() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0];
        // numpy: mean, std(ddof=1), percentile(25), median.
        assert_eq!(mean(&values), 2.8);
        assert!((standard_deviation(&values) - 1.7888543819998317).abs() < 1e-15);
        assert_eq!((quantile(&values, 0.25), median(&values)), (1.0, 3.0));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.75), 3.25);
        // 2.7764451051977943578 * 1.7888543819998317 / sqrt(5)
        assert!((half_width(&values) - 2.221156084158235).abs() < 1e-13);
    }

    #[test]
    fn nothing_has_no_statistic_and_extremes_pass_over_nan() {
        assert!(mean(&[]).is_nan() && median(&[]).is_nan() && half_width(&[1.0]).is_nan());
        assert!(median(&[1.0, f64::NAN]).is_nan());
        assert_eq!(aggregate(Aggregate::Min, &[f64::NAN, 2.0, 1.0]), 1.0);
        assert_eq!(median(&[1.0, f64::INFINITY, f64::INFINITY]), f64::INFINITY);
    }
}
