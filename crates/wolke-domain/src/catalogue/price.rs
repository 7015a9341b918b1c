//! Prices: exact decimals, net as listed, gross by the VAT rate.

/// Digits behind the point that are kept.
const DECIMALS: usize = 10;

/// The longest accepted decimal.
const TEXT_LENGTH_MAX: usize = 24;

/// The largest net price and the largest rate in units: with both, every product stays inside 128 bits.
const NET_MAX: u128 = SCALE * 100_000_000_000_000;
const VAT_MAX: u128 = SCALE * 1000;

/// A price without VAT, and the rate to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// In units of 10^-10 of the currency.
    net: u128,
    /// The rate in units of 10^-10 percent.
    vat: u128,
}

impl Price {
    /// Reads a net price and a rate in percent, both plain decimals: `3.29`, `19.00`.
    #[must_use]
    pub fn parse(net: &str, vat_rate: &str) -> Option<Self> {
        let price = Self { net: decimal(net)?, vat: decimal(vat_rate)? };
        (price.net <= NET_MAX && price.vat <= VAT_MAX).then_some(price)
    }

    /// Without VAT: `3.2900000000`, as many digits as the documents show.
    #[must_use]
    pub fn net(&self) -> String {
        text(self.net)
    }

    /// With VAT: `3.9151000000000000`, as many digits as the documents show.
    #[must_use]
    pub fn gross(&self) -> String {
        // Both factors have ten decimals and the rate is in percent: 22 decimals, of which the last six are cut off.
        let gross = self.net * (100 * SCALE + self.vat) / 1_000_000;
        let scale = SCALE * 1_000_000;
        format!("{}.{:016}", gross / scale, gross % scale)
    }
}

/// One, in units.
const SCALE: u128 = 10_u128.pow(10);

fn decimal(text: &str) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > TEXT_LENGTH_MAX || fraction.len() > DECIMALS || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<DECIMALS$}").parse().ok()
}

fn text(units: u128) -> String {
    format!("{}.{:010}", units / SCALE, units % SCALE)
}

#[cfg(test)]
mod tests {
    use super::Price;

    #[test]
    fn net_and_gross() {
        let price = Price::parse("1", "19.00").unwrap();
        assert_eq!((price.net().as_str(), price.gross().as_str()), ("1.0000000000", "1.1900000000000000"));
        let price = Price::parse("0.0053", "19").unwrap();
        assert_eq!((price.net().as_str(), price.gross().as_str()), ("0.0053000000", "0.0063070000000000"));
        let price = Price::parse("3.29", "0").unwrap();
        assert_eq!(price.gross(), "3.2900000000000000");
        let price = Price::parse("99999999999999.999999999", "1000").unwrap();
        assert_eq!(price.gross(), "1099999999999999.9999999890000000");
    }

    #[test]
    fn refuses_what_is_no_plain_decimal() {
        for bad in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.00000000001", "1.5.2", " 1"] {
            assert_eq!(Price::parse(bad, "19"), None, "{bad}");
            assert_eq!(Price::parse("1", bad), None, "{bad}");
        }
        assert_eq!(Price::parse("100000000000001", "19"), None);
        assert_eq!(Price::parse("1", "1000.1"), None);
    }
}
