//! Punycode (RFC 3492): how names hold characters beyond those of ASCII.

/// Undoes Punycode (RFC 3492 §6.2); none when it is none.
pub(super) fn decode(encoded: &str) -> Option<Vec<char>> {
    const BASE: u32 = 36;
    const T_MIN: u32 = 1;
    const T_MAX: u32 = 26;
    const SKEW: u32 = 38;
    const DAMP: u32 = 700;
    let (basic, extended) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut characters: Vec<char> = basic.chars().collect();
    let (mut code, mut index, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut digits = extended.bytes().peekable();
    while digits.peek().is_some() {
        let (old, mut weight, mut k) = (index, 1_u32, BASE);
        loop {
            let digit = match digits.next()?.to_ascii_lowercase() {
                letter @ b'a'..=b'z' => u32::from(letter - b'a'),
                number @ b'0'..=b'9' => u32::from(number - b'0') + 26,
                _ => return None,
            };
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k += BASE;
        }
        let length = u32::try_from(characters.len()).ok()? + 1;
        let mut delta = if old == 0 { index / DAMP } else { (index - old) / 2 };
        delta += delta / length;
        let mut steps = 0;
        while delta > (BASE - T_MIN) * T_MAX / 2 {
            delta /= BASE - T_MIN;
            steps += BASE;
        }
        bias = steps + (BASE - T_MIN + 1) * delta / (delta + SKEW);
        code = code.checked_add(index / length)?;
        index %= length;
        characters.insert(usize::try_from(index).ok()?, char::from_u32(code)?);
        index += 1;
    }
    Some(characters)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn punycode_of_the_rfc() {
        let text = |encoded: &str| decode(encoded).map(|characters| characters.into_iter().collect::<String>());
        assert_eq!(text("mnchen-3ya").as_deref(), Some("m\u{fc}nchen"));
        assert_eq!(text("4bi").as_deref(), Some("\u{2709}"));
        assert_eq!(
            text("ihqwcrb4cv8a8dqg056pqjye").as_deref(),
            Some("\u{4ed6}\u{4eec}\u{4e3a}\u{4ec0}\u{4e48}\u{4e0d}\u{8bf4}\u{4e2d}\u{6587}")
        );
        assert_eq!(text("99999999"), None);
    }
}
