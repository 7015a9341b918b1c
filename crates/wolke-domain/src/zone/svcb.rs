//! Data of SVCB and HTTPS records (RFC 9460): priority, target and parameters.

use super::data::{Fields, base64, number, shown};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The registered keys, by number (RFC 9460 §14.3.2, RFC 9461).
const KEYS: [&str; 8] = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath"];
/// The number of a key whose number is nobody's (RFC 9460 §14.3.2).
const INVALID_KEY: u32 = 65_535;
/// The longest name of a protocol (RFC 7301 §3.1).
const ALPN_BYTES_MAX: usize = 255;

/// Reads the data; its canonical form.
pub(super) fn read(fields: &mut Fields<'_>) -> Result<String, String> {
    let (priority, target) = (fields.number("priority", u16::MAX.into())?, fields.name("target")?);
    let mut parameters = BTreeMap::new();
    for word in fields.rest() {
        let (name, value) = match word.raw.split_once('=') {
            Some((name, _)) => (name, Some(word.bytes()?.split_off(name.len() + 1))),
            None => (word.raw, None),
        };
        let key = key(name).ok_or_else(|| format!("has an unknown parameter: '{}'", shown(name)))?;
        let value = check(key, value).map_err(|fault| format!("has no valid parameter '{}': {fault}", shown(name)))?;
        if parameters.insert(key, value).is_some() {
            return Err(format!("has the parameter '{}' more than once", shown(name)));
        }
    }
    if priority == "0" && !parameters.is_empty() {
        return Err("has parameters, which an alias (priority 0) cannot have".into());
    }
    check_together(&parameters)?;
    let written = parameters.iter().map(|(key, value)| match value {
        None => format!(" {}", written(*key)),
        Some(value) => format!(" {}={value}", written(*key)),
    });
    Ok(format!("{priority} {target}{}", written.collect::<String>()))
}

/// The number of a key.
fn key(name: &str) -> Option<u32> {
    let known = KEYS.iter().position(|known| *known == name).and_then(|position| u32::try_from(position).ok());
    let generic = || {
        let digits = name.strip_prefix("key")?;
        number(digits, INVALID_KEY - 1).filter(|number| number.to_string() == digits)
    };
    known.or_else(generic)
}

fn written(key: u32) -> String {
    let known = usize::try_from(key).ok().and_then(|key| KEYS.get(key));
    known.map_or_else(|| format!("key{key}"), |known| (*known).to_owned())
}

/// The canonical value of a parameter.
fn check(key: u32, value: Option<Vec<u8>>) -> Result<Option<String>, String> {
    let known = usize::try_from(key).ok().and_then(|key| KEYS.get(key)).copied();
    if known == Some("no-default-alpn") {
        return if value.is_none() { Ok(None) } else { Err("must not have a value".into()) };
    }
    let Some(bytes) = value else {
        return if known.is_none() { Ok(None) } else { Err("must have a value".into()) };
    };
    let Some(known) = known else {
        return Ok(Some(bytes.iter().map(|byte| format!("\\{byte:03}")).collect()));
    };
    let text = String::from_utf8(bytes).ok().filter(|text| !text.is_empty()).ok_or("must be text")?;
    let list = |is_valid: &dyn Fn(&str) -> bool, what: &str| {
        if text.split(',').all(is_valid) {
            Ok(text.to_ascii_lowercase())
        } else {
            Err(format!("must be {what}, separated by commas"))
        }
    };
    match known {
        "mandatory" => list(&|name| self::key(name).is_some_and(|key| key != 0), "other keys"),
        "alpn" => {
            let is_protocol = |id: &str| !id.is_empty() && id.len() <= ALPN_BYTES_MAX;
            if text.split(',').all(is_protocol) {
                Ok(text)
            } else {
                Err("must be names of protocols, separated by commas".into())
            }
        }
        "port" => {
            let port = number(&text, u16::MAX.into()).ok_or("must be a number from 0 to 65535")?;
            Ok(port.to_string())
        }
        "ipv4hint" => list(&|ip| ip.parse::<Ipv4Addr>().is_ok(), "IPv4 addresses"),
        "ipv6hint" => list(&|ip| ip.parse::<Ipv6Addr>().is_ok(), "IPv6 addresses"),
        "ech" if base64(&text).is_none() => Err("must be base64".into()),
        "dohpath" if !text.starts_with('/') || !text.contains("{?dns}") => {
            Err("must be a path with the variable {?dns}".into())
        }
        _ => Ok(text),
    }
    .map(Some)
}

/// What parameters ask of each other.
fn check_together(parameters: &BTreeMap<u32, Option<String>>) -> Result<(), String> {
    let has = |name: &str| key(name).is_some_and(|key| parameters.contains_key(&key));
    if has("no-default-alpn") && !has("alpn") {
        return Err("has the parameter 'no-default-alpn', which needs 'alpn'".into());
    }
    let Some(Some(mandatory)) = parameters.get(&0) else { return Ok(()) };
    let names: Vec<&str> = mandatory.split(',').collect();
    for (position, name) in names.iter().enumerate() {
        if names.iter().take(position).any(|earlier| earlier == name) {
            return Err(format!("has no valid parameter 'mandatory': '{name}' stands there more than once"));
        }
        if !has(name) {
            return Err(format!("has no valid parameter 'mandatory': there is no parameter '{name}'"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::zone::data::canonical;
    use wolke_wire::cloud::rrset::RrsetType::{Https, Svcb};

    #[test]
    fn services() {
        for (value, expected) in [
            ("0 svc.example.net.", "0 svc.example.net."),
            ("1 .", "1 ."),
            ("1 . alpn=\"h3,h2\" ipv4hint=192.0.2.1,192.0.2.2", "1 . alpn=h3,h2 ipv4hint=192.0.2.1,192.0.2.2"),
            ("16 foo port=53 no-default-alpn alpn=dot", "16 foo.example.com. alpn=dot no-default-alpn port=53"),
            ("1 . mandatory=alpn,port alpn=h2 port=8443", "1 . mandatory=alpn,port alpn=h2 port=8443"),
            ("1 . key667=\"hello\\210\" key9", "1 . key9 key667=\\104\\101\\108\\108\\111\\210"),
            ("1 . dohpath=/dns-query{?dns} ipv6hint=2001:DB8::1", "1 . ipv6hint=2001:db8::1 dohpath=/dns-query{?dns}"),
            ("1 . ech=AEn+DQ==", "1 . ech=AEn+DQ=="),
        ] {
            assert_eq!(canonical(Https, value, "example.com").as_deref(), Ok(expected), "{value}");
        }
        for (value, why) in [
            ("x .", "priority"),
            ("1", "target"),
            ("0 . alpn=h2", "alias"),
            ("1 . alpn=h2 alpn=h3", "more than once"),
            ("1 . alpn", "value"),
            ("1 . alpn=h2,,h3", "protocols"),
            ("1 . no-default-alpn", "needs 'alpn'"),
            ("1 . alpn=h2 no-default-alpn=1", "must not have"),
            ("1 . port=65536", "65535"),
            ("1 . ipv4hint=::1", "IPv4"),
            ("1 . ipv6hint=192.0.2.1", "IPv6"),
            ("1 . ech=!", "base64"),
            ("1 . color=red", "unknown"),
            ("1 . key065=a", "unknown"),
            ("1 . key65535=a", "unknown"),
            ("1 . mandatory=port", "no parameter 'port'"),
            ("1 . mandatory=mandatory", "other keys"),
            ("1 . mandatory=port,port port=1", "more than once"),
            ("1 . dohpath=/q", "{?dns}"),
        ] {
            let fault = canonical(Svcb, value, "example.com").unwrap_err();
            assert!(fault.contains(why), "{value}: {fault}");
        }
    }
}
