//! Numbers as text: the shortest that reads back to the same number, and the formats of C's `printf`.
//!
//! It knows no tables and no locale.

use std::fmt;

/// The shortest decimal text that reads back to the same number: `1`, `0.25`, `-0`, `1e-6`, `1.5e300`, `nan`, `inf`, `-inf`. Whole numbers have no
/// point; an exponent appears below `1e-4` and from `1e16` on.
pub fn shortest(x: f64) -> String {
    if !x.is_finite() {
        return non_finite(x).to_string();
    }
    let scientific = format!("{x:e}");
    let exponent = exponent_of(&scientific);
    if x == 0.0 || (-4..16).contains(&exponent) { format!("{x}") } else { scientific }
}

fn non_finite(x: f64) -> &'static str {
    if x.is_nan() {
        "nan"
    } else if x > 0.0 {
        "inf"
    } else {
        "-inf"
    }
}

fn exponent_of(scientific: &str) -> i32 {
    scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).expect("internal: Rust writes an exponent")
}

/// What is wrong with a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatError {
    /// No conversion such as `%f` in it.
    Missing,
    /// A second conversion: there is one number.
    Second,
    /// The text ends within a conversion.
    Unfinished,
    /// A conversion that numbers do not have.
    Unknown(char),
    /// A width or precision above the limit.
    TooLong,
}

/// The greatest width and precision.
const LONGEST: usize = 400;

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormatError::Missing => write!(f, "no conversion such as `%.3f` in it"),
            FormatError::Second => write!(f, "a second conversion, but there is one number; write `%%` for a percent sign"),
            FormatError::Unfinished => write!(f, "it ends within a conversion; write `%%` for a percent sign"),
            FormatError::Unknown(c) => write!(f, "no conversion `%{}`; numbers have `%f`, `%e`, `%g` and `%d`", c.escape_debug()),
            FormatError::TooLong => write!(f, "a width or precision above {LONGEST}"),
        }
    }
}

impl std::error::Error for FormatError {}

/// A number in a `printf` format with one conversion: flags `-`, `+`, space, `#`, `0`, a width, a precision, and `f`, `e`, `g` (or capitals) or `d`, `i`,
/// which drop the fraction as Python's do. `%%` is a percent sign. Digits are exact, ties go to even.
///
/// # Errors
/// When the format is not of this kind.
pub fn printf(format: &str, x: f64) -> Result<String, FormatError> {
    let mut out = String::new();
    let mut done = false;
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if rest.peek() == Some(&'%') {
            rest.next();
            out.push('%');
            continue;
        }
        let conversion = Conversion::parse(&mut rest)?;
        if done {
            return Err(FormatError::Second);
        }
        done = true;
        out.push_str(&conversion.write(x));
    }
    if done { Ok(out) } else { Err(FormatError::Missing) }
}

/// `%+08.3f`, taken apart.
#[derive(Debug, Default)]
struct Conversion {
    /// Some of `-+ #0`.
    flags: String,
    width: usize,
    precision: Option<usize>,
    /// `f`, `e`, `g` or `d`.
    kind: char,
    capital: bool,
}

impl Conversion {
    fn parse(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Self, FormatError> {
        let mut it = Conversion::default();
        while let Some(flag) = rest.next_if(|c| "-+ #0".contains(*c)) {
            it.flags.push(flag);
        }
        it.width = number(rest)?.unwrap_or(0);
        if rest.next_if_eq(&'.').is_some() {
            it.precision = Some(number(rest)?.unwrap_or(0));
        }
        let kind = rest.next().ok_or(FormatError::Unfinished)?;
        it.capital = kind.is_ascii_uppercase();
        it.kind = match kind {
            'f' | 'F' => 'f',
            'e' | 'E' => 'e',
            'g' | 'G' => 'g',
            'd' | 'i' => 'd',
            other => return Err(FormatError::Unknown(other)),
        };
        Ok(it)
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn write(&self, x: f64) -> String {
        let size = x.abs();
        let body = match self.kind {
            _ if !x.is_finite() => non_finite(size).to_string(),
            'f' => self.fixed(size, self.precision.unwrap_or(6)),
            'e' => self.scientific(size, self.precision.unwrap_or(6)),
            'g' => self.general(size),
            _ => format!("{:0>1$}", format!("{:.0}", size.trunc()), self.precision.unwrap_or(1)),
        };
        let body = if self.capital { body.to_uppercase() } else { body };
        // A whole number has no negative zero.
        let negative = x.is_sign_negative() && !x.is_nan() && !(self.kind == 'd' && size < 1.0);
        let sign = match (negative, self.has('+'), self.has(' ')) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let fill = self.width.saturating_sub(sign.len() + body.len());
        if self.has('-') {
            format!("{sign}{body}{:fill$}", "")
        } else if self.has('0') && x.is_finite() {
            format!("{sign}{:0>fill$}{body}", "")
        } else {
            format!("{:fill$}{sign}{body}", "")
        }
    }

    fn fixed(&self, size: f64, precision: usize) -> String {
        let point = if self.has('#') && precision == 0 { "." } else { "" };
        format!("{size:.precision$}{point}")
    }

    fn scientific(&self, size: f64, precision: usize) -> String {
        let text = format!("{size:.precision$e}");
        let exponent = exponent_of(&text);
        let digits = text.split('e').next().unwrap_or_default();
        let point = if self.has('#') && precision == 0 { "." } else { "" };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}{point}e{sign}{:02}", exponent.abs())
    }

    /// `%g`: as many significant digits as the precision says, without trailing zeros, with an exponent where that is very small or too large.
    fn general(&self, size: f64) -> String {
        let precision = self.precision.unwrap_or(6).max(1);
        let exponent = exponent_of(&format!("{size:.*e}", precision - 1));
        // The digits after the point: none is left over when the exponent is too large.
        let decimals = i32::try_from(precision).ok().and_then(|p| usize::try_from(p - 1 - exponent).ok()).filter(|_| exponent >= -4);
        let text = decimals.map_or_else(|| self.scientific(size, precision - 1), |decimals| self.fixed(size, decimals));
        if self.has('#') { text } else { without_trailing_zeros(&text) }
    }
}

fn without_trailing_zeros(text: &str) -> String {
    let (digits, exponent) = text.find('e').map_or((text, ""), |at| text.split_at(at));
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    format!("{digits}{exponent}")
}

fn number(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>, FormatError> {
    let mut value = None;
    while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
        rest.next();
        let next = value.unwrap_or(0) * 10 + digit as usize;
        if next > LONGEST {
            return Err(FormatError::TooLong);
        }
        value = Some(next);
    }
    Ok(value)
}
