//! Numbers as text against Python's `%` operator and against reading back.

use optrun::numeric::format::{FormatError, printf, shortest};

#[test]
fn printf_writes_what_python_writes() {
    for line in include_str!("../data/printf.tsv").lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [format, bits, want] = fields[..] else { panic!("{line}") };
        let x = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        assert_eq!(printf(format, x).as_deref(), Ok(want), "{format} of {x:e}");
    }
    // As glibc writes them.
    assert_eq!(printf("%08.3f", f64::NAN).as_deref(), Ok("     nan"));
    assert_eq!(printf("%+08.3f", f64::INFINITY).as_deref(), Ok("    +inf"));
}

#[test]
fn wrong_formats_are_named() {
    for (format, error) in [
        ("loss", FormatError::Missing),
        ("100%%", FormatError::Missing),
        ("%f %f", FormatError::Second),
        ("%.3", FormatError::Unfinished),
        ("50%", FormatError::Unfinished),
        ("%s", FormatError::Unknown('s')),
        ("%99999999999999999999f", FormatError::TooLong),
        ("%.401f", FormatError::TooLong),
    ] {
        assert_eq!(printf(format, 1.0), Err(error), "{format}");
    }
}

#[test]
fn shortest_text_reads_back() {
    for (x, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (0.0001, "0.0001"),
        (0.00001, "1e-5"),
        (0.0000015, "1.5e-6"),
        (123456789.0, "123456789"),
        (1e15, "1000000000000000"),
        (9007199254740993.0, "9007199254740992"),
        (1e16, "1e16"),
        (1e22, "1e22"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e308"),
        (f64::NAN, "nan"),
        (-f64::NAN, "nan"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(shortest(x), text);
    }
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..100_000 {
        bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let x = f64::from_bits(bits);
        if x.is_finite() {
            assert_eq!(shortest(x).parse::<f64>().unwrap().to_bits(), bits);
        }
    }
}
