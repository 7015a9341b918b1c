//! Durations as people write them: `8d`, `2h30m`. Whole numbers with units, nothing else.

/// The units, largest first, in milliseconds.
const UNITS: [(&str, i64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Parses a duration into milliseconds: whole numbers, each with a unit, largest unit first, each unit once.
///
/// # Errors
/// A sentence that says what is wrong and shows the form.
pub fn parse(text: &str) -> Result<i64, String> {
    let wrong = || format!("'{text}' is not a duration: write for example 8d, 2h30m, 90s or 500ms");
    let mut rest = text;
    let mut total = 0_i64;
    let mut smaller = &UNITS[..];
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?);
        let (unit, after) = after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
        let place = smaller.iter().position(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let part = number.checked_mul(smaller[place].1);
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(|| format!("'{text}' is too long"))?;
        smaller = &smaller[place + 1..];
        rest = after;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_units_in_order() {
        assert_eq!(parse("8d"), Ok(8 * 86_400_000));
        assert_eq!(parse("2h30m"), Ok(9_000_000));
        assert_eq!(parse("1w1d1h1m1s1ms"), Ok(694_861_001));
        assert_eq!(parse("0s"), Ok(0));
    }

    #[test]
    fn refuses_the_rest() {
        for wrong in [
            "",
            "8",
            "d",
            "-8d",
            "8 d",
            "1.5h",
            "30m2h",
            "1h1h",
            "8y",
            "8d ",
            "9999999999999999w",
            "99999999999999999999s",
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
