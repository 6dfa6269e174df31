//! Where an axis has its ticks, what they say, and how far a range is padded.
//!
//! It never asks how wide a label is drawn: the layout drops labels that do not fit.
//!
//! Ticks are decimal numbers `n * 10^k` from the beginning, so that a label is the number and not its rounding,
//! and a position is the double nearest to its label.

use super::figure::{Scale, Tick};

/// The fewest and the most labels of an axis.
const LABELS: (usize, usize) = (2, 12);
/// Longest label written without a power of ten.
const PLAIN_LABEL: usize = 7;
/// Decades that a logarithmic axis skips from label to label.
const STRIDES: [i32; 10] = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200];
/// The most decades with a minor tick, and where the minor ticks within a decade are.
const MINORS: usize = 60;
const WITHIN: &[i64] = &[2, 3, 4, 5, 6, 7, 8, 9];
/// Shares of the range left free at each end.
const PADDING: f64 = 0.04;

/// Labelled ticks and minor ticks for a range: at steps of 1, 2 or 5 times a power of ten on a linear scale,
/// at powers of ten on a logarithmic one (thinned to fit), with about `wanted` labels; at least 2 and at most 12
/// for any range of finite numbers (positive ones on a logarithmic scale). A categorical axis has the ticks its
/// names give it, so none come from here. Empty if the range is empty or not finite.
#[must_use]
pub fn ticks(scale: Scale, range: (f64, f64), wanted: usize) -> (Vec<Tick>, Vec<f64>) {
    let (low, high) = range;
    if !(low.is_finite() && high.is_finite() && low < high) {
        return (Vec::new(), Vec::new());
    }
    let wanted = wanted.clamp(LABELS.0, LABELS.1);
    let (major, minor) = match scale {
        Scale::Categorical => return (Vec::new(), Vec::new()),
        Scale::Log if low > 0.0 => logarithmic(range, wanted).unwrap_or_else(|| linear(range, wanted)),
        Scale::Linear | Scale::Log => linear(range, wanted),
    };
    let major = if major.len() < LABELS.0 { both_ends(range) } else { major };
    let minor = minor.into_iter().filter(|m| major.iter().all(|t| t.at != *m)).collect();
    (major, minor)
}

/// A range that shows everything from `low` to `high` with a little air: 4 % of the length at each end, but not
/// across zero on a linear axis, and half a place on a categorical one (where the two are the first and last
/// place). Always finite, not empty, and positive on a logarithmic scale, whatever comes in.
#[must_use]
pub fn nice_range(scale: Scale, low: f64, high: f64) -> (f64, f64) {
    let (low, high) = if low <= high { (low, high) } else { (high, low) };
    match scale {
        Scale::Categorical if low.is_finite() && high.is_finite() => (low - 0.5, high + 0.5),
        Scale::Categorical => (-0.5, 0.5),
        Scale::Log if !(high.is_finite() && high > 0.0) => (0.1, 10.0),
        Scale::Log => {
            let top = log10(high);
            let bottom = if low > 0.0 && low.is_finite() { log10(low) } else { top - 1.0 };
            let pad = if top - bottom > 1e-9 { (top - bottom) * PADDING } else { 0.5 };
            let least = f64::from_bits(1);
            widened((exp10(bottom - pad).max(least).min(high), exp10(top + pad).min(f64::MAX).max(high)))
        }
        Scale::Linear if !(low.is_finite() && high.is_finite()) => (0.0, 1.0),
        Scale::Linear => {
            let length = high / 2.0 - low / 2.0;
            let pad = if length > low.abs().max(high.abs()) * 1e-12 {
                length * (2.0 * PADDING)
            } else if high == 0.0 {
                0.5
            } else {
                high.abs() / 10.0
            };
            let bottom = if low >= 0.0 && low < pad { 0.0 } else { (low - pad).max(f64::MIN) };
            let top = if high <= 0.0 && -high < pad { 0.0 } else { (high + pad).min(f64::MAX) };
            widened((bottom, top))
        }
    }
}

/// How an axis lays out its values between its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    log: bool,
    low: f64,
    length: f64,
}

impl Shares {
    /// Of an axis with this scale and range.
    #[must_use]
    pub fn new(scale: Scale, (low, high): (f64, f64)) -> Shares {
        match scale {
            Scale::Log => Shares { log: true, low: log10(low), length: log10(high) - log10(low) },
            // Halves, so that the difference of two huge numbers is finite.
            Scale::Linear | Scale::Categorical => Shares { log: false, low: low / 2.0, length: high / 2.0 - low / 2.0 },
        }
    }

    /// The share of the way from the low to the high end at which a value lies; `None` if it has no place (not
    /// finite, or not positive on a logarithmic axis). Values outside the range have shares outside 0..1.
    #[must_use]
    pub fn of(self, value: f64) -> Option<f64> {
        let place = if self.log { log10(value) } else { value / 2.0 };
        let share = (place - self.low) / self.length;
        (value.is_finite() && share.is_finite()).then_some(share)
    }
}

/// The decimal logarithm.
fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// Ten to the power `x`.
fn exp10(x: f64) -> f64 {
    libm::exp10(x)
}

/// The range, or the smallest around it if it is empty.
fn widened((low, high): (f64, f64)) -> (f64, f64) {
    if low < high { (low, high) } else { (low.next_down(), high.next_up()) }
}

/// The decimal number `digits * 10^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    digits: i64,
    exponent: i32,
}

impl Decimal {
    /// The nearest double.
    fn value(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().expect("internal: digits and an exponent are a number")
    }

    /// As digits with a point; `decimals` of them behind it, groups of three before it if `grouped`.
    fn plain(self, decimals: usize, grouped: bool) -> String {
        let mut digits = self.digits.unsigned_abs().to_string();
        if self.digits != 0 {
            digits.extend(std::iter::repeat_n('0', usize::try_from(self.exponent).unwrap_or(0)));
        }
        let places = usize::try_from(-self.exponent).unwrap_or(0);
        if digits.len() <= places {
            digits = "0".repeat(places + 1 - digits.len()) + &digits;
        }
        let (whole, part) = digits.split_at(digits.len() - places);
        let mut text = if self.digits < 0 { "−".to_owned() } else { String::new() };
        for (i, digit) in whole.chars().enumerate() {
            if grouped && i > 0 && (whole.len() - i) % 3 == 0 {
                text.push(',');
            }
            text.push(digit);
        }
        if decimals > 0 {
            text.push('.');
            text.push_str(part);
            text.extend(std::iter::repeat_n('0', decimals - part.len()));
        }
        text
    }

    /// The exponent of its first digit.
    fn magnitude(self) -> i32 {
        self.digits.unsigned_abs().checked_ilog10().map_or(self.exponent, |d| self.exponent + d.cast_signed())
    }
}

/// `10` with a raised exponent.
fn power(exponent: i32) -> String {
    let exponent = exponent.to_string();
    let raised = exponent.chars().map(|c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' => '⁰',
        digit => char::from_u32(0x2070 + u32::from(digit) - u32::from('0')).expect("internal: superscript digits exist"),
    });
    std::iter::once('1').chain(std::iter::once('0')).chain(raised).collect()
}

/// Labels of the ticks of one linear axis: all plain with the same number of decimals, or all with one power of ten.
fn labels(ticks: &[Decimal]) -> Vec<String> {
    let longest = |texts: &[String]| texts.iter().map(|t| t.chars().count()).max().unwrap_or(0);
    let exponent = ticks.iter().map(|t| t.exponent).min().unwrap_or(0);
    let magnitude = ticks.iter().filter(|t| t.digits != 0).map(|t| t.magnitude()).max().unwrap_or(0);
    if (-40..40).contains(&exponent) && (-40..40).contains(&magnitude) {
        let decimals = usize::try_from(-exponent).unwrap_or(0);
        let plain: Vec<String> = ticks.iter().map(|t| t.plain(decimals, magnitude >= 4)).collect();
        if longest(&plain) <= PLAIN_LABEL || longest(&plain) <= longest(&scientific(ticks, exponent, magnitude)) {
            return plain;
        }
    }
    scientific(ticks, exponent, magnitude)
}

/// Labels with one power of ten, that of the largest.
fn scientific(ticks: &[Decimal], exponent: i32, magnitude: i32) -> Vec<String> {
    let decimals = usize::try_from(magnitude - exponent).unwrap_or(0);
    let label = |t: &Decimal| {
        if t.digits == 0 {
            return "0".to_owned();
        }
        let mantissa = Decimal { digits: t.digits, exponent: t.exponent - magnitude };
        format!("{}×{}", mantissa.plain(decimals, false), power(magnitude))
    };
    ticks.iter().map(label).collect()
}

/// The multiples of `factor * 10^exponent` inside a range; `None` if there are more than `most`.
fn multiples(range: (f64, f64), factor: i64, exponent: i32, most: usize) -> Option<Vec<Decimal>> {
    let step = Decimal { digits: factor, exponent }.value();
    // The quotients may be off by rounding, so one more is tried at each end and the values decide.
    let (first, last) = ((range.0 / step).floor() - 1.0, (range.1 / step).ceil() + 1.0);
    if !(step > 0.0 && first.abs() < 9e17 && last.abs() < 9e17 && last - first <= most as f64 + 4.0) {
        return None;
    }
    let mut found: Vec<Decimal> = Vec::new();
    for i in first as i64..=last as i64 {
        let tick = Decimal { digits: i * factor, exponent };
        let at = tick.value();
        if at >= range.0 && at <= range.1 && found.last().is_none_or(|t| t.value() < at) {
            found.push(tick);
        }
    }
    (found.len() <= most).then_some(found)
}

/// Ticks at multiples of 1, 2 or 5 times a power of ten.
fn linear(range: (f64, f64), wanted: usize) -> (Vec<Tick>, Vec<f64>) {
    let parts = wanted as f64;
    let raw = range.1 / parts - range.0 / parts;
    let exponent = if raw > 0.0 { log10(raw).floor() as i32 } else { -324 };
    let mut best: Option<(Vec<Decimal>, i64, i32)> = None;
    for shift in -2..=1 {
        for factor in [1, 2, 5] {
            let Some(found) = multiples(range, factor, exponent + shift, LABELS.1) else { continue };
            let miss = |found: &[Decimal]| found.len().abs_diff(wanted) + if found.len() < LABELS.0 { 100 } else { 0 };
            if best.as_ref().is_none_or(|(b, ..)| miss(&found) <= miss(b)) {
                best = Some((found, factor, exponent + shift));
            }
        }
    }
    let Some((found, factor, exponent)) = best else { return (Vec::new(), Vec::new()) };
    let minor = match factor {
        1 => multiples(range, 2, exponent - 1, 70),
        2 => multiples(range, 5, exponent - 1, 70),
        _ => multiples(range, 1, exponent, 70),
    };
    let texts = labels(&found);
    let major = found.iter().zip(texts).map(|(t, label)| Tick { at: t.value(), label }).collect();
    (major, minor.unwrap_or_default().into_iter().map(Decimal::value).collect())
}

/// Ticks at powers of ten, or at 1, 2 and 5 times them where there are few; `None` where even those are too few.
fn logarithmic(range: (f64, f64), wanted: usize) -> Option<(Vec<Tick>, Vec<f64>)> {
    let inside = |t: &Decimal| {
        let at = t.value();
        at >= range.0 && at <= range.1 && at > 0.0
    };
    let (low, high) = (log10(range.0).floor() as i32 - 1, log10(range.1).ceil() as i32 + 1);
    let of = |digits: &'static [i64]| {
        (low..=high).flat_map(move |exponent| digits.iter().map(move |&digits| Decimal { digits, exponent })).filter(inside)
    };
    let decades: Vec<Decimal> = of(&[1]).collect();
    if decades.len() >= 3 {
        let kept = |stride: i32| decades.iter().filter(move |d| d.exponent.rem_euclid(stride) == 0);
        let stride = *STRIDES.iter().find(|&&s| kept(s).count() <= wanted.max(3))?;
        let stride = if kept(stride).count() >= LABELS.0 { stride } else { STRIDES[STRIDES.iter().position(|s| *s == stride)? - 1] };
        let chosen: Vec<Decimal> = kept(stride).copied().collect();
        let between = STRIDES.iter().find(|&&s| stride % s == 0 && kept(s).count() <= MINORS).copied().unwrap_or(stride);
        let minor = if stride == 1 { of(WITHIN).map(Decimal::value).collect() } else { kept(between).map(|d| d.value()).collect() };
        return Some((named(&chosen), minor));
    }
    let span = log10(range.1) - log10(range.0);
    let fine: Vec<Decimal> = of(if wanted >= 5 || span < 1.2 { &[1, 2, 5] } else { &[1, 3] }).collect();
    if fine.len() < 3 {
        return None;
    }
    Some((named(&fine), of(WITHIN).map(Decimal::value).collect()))
}

/// Labels of a logarithmic axis: plain numbers if all are near 1, else powers of ten.
fn named(ticks: &[Decimal]) -> Vec<Tick> {
    let plain = ticks.iter().all(|t| (-3..=3).contains(&t.exponent));
    let label = |t: &Decimal| match (t.digits, t.exponent) {
        (_, exponent) if plain => t.plain(usize::try_from(-exponent).unwrap_or(0), false),
        (1, 0) => "1".to_owned(),
        (1, 1) => "10".to_owned(),
        (1, exponent) => power(exponent),
        (digits, exponent) => format!("{digits}×{}", power(exponent)),
    };
    ticks.iter().map(|t| Tick { at: t.value(), label: label(t) }).collect()
}

/// The last resort for ranges of a few neighbouring doubles: the two ends, with all their digits.
fn both_ends(range: (f64, f64)) -> Vec<Tick> {
    let exact = |x: f64| {
        let text = format!("{x:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = mantissa.replace('-', "−");
        match exponent.parse() {
            Ok(0) | Err(_) => mantissa,
            Ok(exponent) => format!("{mantissa}×{}", power(exponent)),
        }
    };
    [range.0, range.1].map(|at| Tick { at, label: exact(at) }).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(scale: Scale, range: (f64, f64), wanted: usize) -> String {
        ticks(scale, range, wanted).0.iter().map(|t| t.label.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn linear_labels_are_what_a_person_writes() {
        for (range, wanted, expected) in [
            ((0.0, 20_000.0), 5, "0 5,000 10,000 15,000 20,000"),
            ((0.0, 5_000.0), 6, "0 1000 2000 3000 4000 5000"),
            ((-1.0, 1.0), 5, "−1.0 −0.5 0.0 0.5 1.0"),
            ((0.0, 0.3), 4, "0.0 0.1 0.2 0.3"),
            ((-5.5, 1.0), 4, "−4 −2 0"),
            ((0.0, 1e6), 5, "0 0.2×10⁶ 0.4×10⁶ 0.6×10⁶ 0.8×10⁶ 1.0×10⁶"),
            ((0.0, 4e-9), 5, "0 1×10⁻⁹ 2×10⁻⁹ 3×10⁻⁹ 4×10⁻⁹"),
            ((1e9, 1e9 + 1.0), 3, "1,000,000,000.0 1,000,000,000.5 1,000,000,001.0"),
            ((-1.7e308, 1.7e308), 3, "−1×10³⁰⁸ 0 1×10³⁰⁸"),
        ] {
            assert_eq!(said(Scale::Linear, range, wanted), expected, "{range:?}");
        }
    }

    #[test]
    fn logarithmic_labels_reach_every_positive_double() {
        for (range, wanted, expected) in [
            ((1e-23, 1e2), 6, "10⁻²⁰ 10⁻¹⁵ 10⁻¹⁰ 10⁻⁵ 1"),
            ((1e-4, 1.0), 6, "10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 1"),
            ((1e-3, 1e3), 8, "0.001 0.01 0.1 1 10 100 1000"),
            ((1e-320, 1e300), 8, "10⁻³⁰⁰ 10⁻²⁰⁰ 10⁻¹⁰⁰ 1 10¹⁰⁰ 10²⁰⁰ 10³⁰⁰"),
            ((1e-320, 1e-310), 6, "10⁻³²⁰ 10⁻³¹⁸ 10⁻³¹⁶ 10⁻³¹⁴ 10⁻³¹² 10⁻³¹⁰"),
            ((0.5, 20.0), 6, "0.5 1 2 5 10 20"),
            ((2.0, 4.0), 5, "2.0 2.5 3.0 3.5 4.0"),
        ] {
            assert_eq!(said(Scale::Log, range, wanted), expected, "{range:?}");
        }
    }

    #[test]
    fn ranges_are_padded_but_not_across_zero() {
        assert_eq!(nice_range(Scale::Linear, 0.0, 100.0), (0.0, 104.0));
        assert_eq!(nice_range(Scale::Linear, -50.0, 50.0), (-54.0, 54.0));
        assert_eq!(nice_range(Scale::Linear, 3.0, 3.0).0, 2.7);
        assert_eq!(nice_range(Scale::Categorical, 0.0, 4.0), (-0.5, 4.5));
        let (low, high) = nice_range(Scale::Log, 1e-10, 1.0);
        assert!((log10(low) + 10.4).abs() < 1e-12 && (log10(high) - 0.4).abs() < 1e-12);
    }

    #[test]
    fn shares_of_an_axis() {
        let share = |scale, range, value| Shares::new(scale, range).of(value);
        assert_eq!(share(Scale::Linear, (-1e308, 1e308), 0.0), Some(0.5));
        assert_eq!(share(Scale::Log, (1e-300, 1e300), 1.0), Some(0.5));
        assert_eq!(share(Scale::Log, (1.0, 10.0), 0.0), None);
        assert_eq!(share(Scale::Linear, (0.0, 1.0), f64::NAN), None);
    }

    fn finite() -> impl Strategy<Value = f64> {
        any::<f64>().prop_filter("finite", |x| x.is_finite())
    }

    fn check(scale: Scale, range: (f64, f64), wanted: usize) {
        let (major, minor) = ticks(scale, range, wanted);
        assert!((2..=12).contains(&major.len()), "{range:?} {wanted}: {major:?}");
        assert!(major.iter().all(|t| t.at >= range.0 && t.at <= range.1), "{range:?}: {major:?}");
        assert!(major.is_sorted_by(|a, b| a.at < b.at), "{range:?}: {major:?}");
        assert!(major.iter().all(|t| major.iter().filter(|u| u.label == t.label).count() == 1), "{range:?}: {major:?}");
        assert!(minor.iter().all(|m| *m >= range.0 && *m <= range.1) && minor.len() < 200);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_range_has_ticks(a in finite(), b in finite(), wanted in 0usize..20) {
            prop_assume!(a != b);
            check(Scale::Linear, (a.min(b), a.max(b)), wanted);
            let (a, b) = (a.abs(), b.abs());
            if a != b && a > 0.0 && b > 0.0 {
                check(Scale::Log, (a.min(b), a.max(b)), wanted);
            }
        }

        #[test]
        fn narrow_ranges_have_ticks(a in finite(), relative in 0.0f64..40.0, wanted in 2usize..10) {
            let b = a + a.abs() * exp10(-relative / 2.0);
            prop_assume!(b.is_finite());
            check(Scale::Linear, widened((a, b)), wanted);
            if a > 0.0 {
                check(Scale::Log, widened((a, b)), wanted);
            }
        }

        #[test]
        fn usual_ranges_have_ticks(a in -1e6f64..1e6, length in 1e-6f64..1e6, wanted in 2usize..10) {
            check(Scale::Linear, (a, a + length), wanted);
            check(Scale::Log, widened((length, length * (1.0 + a.abs()))), wanted);
        }

        #[test]
        fn any_data_has_a_range(a in any::<f64>(), b in any::<f64>()) {
            for scale in [Scale::Linear, Scale::Log, Scale::Categorical] {
                let (low, high) = nice_range(scale, a, b);
                prop_assert!(low < high && low.is_finite() && high.is_finite(), "{:?} {} {}", scale, low, high);
                if scale == Scale::Log {
                    prop_assert!(low > 0.0);
                }
            }
        }
    }
}
