//! Zone files (RFC 1035 §5): reading one, and writing one that reads as the same.
//!
//! `$ORIGIN` may only name the zone, `$TTL` becomes the zone's default, all records of a set have one TTL. What is wrong is
//! told by line, all of it up to [`FAULTS_MAX`]. Decision 0012 says where this is stricter than the RFC, and why.

use super::lex::{Line, Word, lines};
use super::{APEX, ASSIGNED_NAMESERVERS, RRSETS_MAX, Record, Spec, TTL_MAX, TTL_MIN, data, key, name, rrset};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wolke_wire::cloud::rrset::RrsetType;

/// The most faults of a file that are told.
pub const FAULTS_MAX: usize = 20;

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zonefile {
    /// The default TTL, when it has a `$TTL`.
    pub ttl: Option<i64>,
    /// Its sets, in the order in which they begin.
    pub rrsets: Vec<Spec>,
}

/// Reads a file for a zone. `default` is the TTL that holds where the file gives none.
///
/// # Errors
/// What is wrong, by line.
pub fn parse(text: &str, zone: &str, default: i64) -> Result<Zonefile, Vec<String>> {
    let mut reader =
        Reader { zone, ttl: None, owner: None, sets: Vec::new(), places: BTreeMap::new(), faults: Vec::new() };
    for line in lines(text) {
        let outcome = match line {
            Ok(line) => reader.line(&line).map_err(|fault| (line.number, fault)),
            Err(fault) => Err(fault),
        };
        if let Err((number, fault)) = outcome {
            reader.faults.push(format!("line {number} {fault}"));
        }
        if reader.faults.len() >= FAULTS_MAX {
            return Err(reader.faults);
        }
    }
    reader.finish(default)
}

/// A set under construction.
struct Set {
    /// The line on which it begins.
    line: usize,
    spec: Spec,
    /// The TTLs of its records.
    ttls: Vec<Option<i64>>,
}

struct Reader<'a> {
    zone: &'a str,
    ttl: Option<i64>,
    /// The owner of the line before.
    owner: Option<String>,
    sets: Vec<Set>,
    /// Where in `sets` one stands.
    places: BTreeMap<String, usize>,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn line(&mut self, line: &Line<'_>) -> Result<(), String> {
        match line.words.first() {
            Some(first) if !line.is_indented && first.raw.starts_with('$') => {
                self.directive(first, line.words.get(1..).unwrap_or_default())
            }
            Some(first) => self.record(line, first),
            None => Ok(()),
        }
    }

    fn directive(&mut self, directive: &Word<'_>, words: &[Word<'_>]) -> Result<(), String> {
        match (directive.raw.to_ascii_uppercase().as_str(), words) {
            ("$ORIGIN", [origin]) => {
                let named = origin.raw.strip_suffix('.').filter(|named| named.eq_ignore_ascii_case(self.zone));
                named
                    .map(|_| ())
                    .ok_or_else(|| format!("has an $ORIGIN that is not the zone: must be '{}.'", self.zone))
            }
            ("$TTL", [ttl]) => {
                let ttl = seconds(ttl.raw).ok_or("has a $TTL that is no time")?;
                check_ttl(ttl)?;
                match self.ttl.replace(ttl) {
                    Some(earlier) if earlier != ttl => Err("has another $TTL: a zone has one default".into()),
                    _ => Ok(()),
                }
            }
            ("$ORIGIN" | "$TTL", _) => Err(format!("has a {} without exactly one value", directive.raw)),
            _ => Err(format!("has a directive that is not supported: '{}'", data::shown(directive.raw))),
        }
    }

    /// `[owner] [TTL] [class] type data`, TTL and class in either order.
    fn record(&mut self, line: &Line<'_>, first: &Word<'_>) -> Result<(), String> {
        let mut words = line.words.as_slice();
        if line.is_indented {
            if self.owner.is_none() {
                return Err("has no name, and there is none before".into());
            }
        } else {
            words = words.get(1..).unwrap_or_default();
            // What follows without a name belongs to this one, even if it is refused.
            self.owner = None;
            self.owner = Some(name::owner(first, self.zone)?);
        }
        let (mut ttl, mut has_class) = (None, false);
        let (kind, data) = loop {
            let Some((word, rest)) = words.split_first() else { return Err("has no type".into()) };
            words = rest;
            match word.raw.to_ascii_uppercase().as_str() {
                "IN" if !has_class => has_class = true,
                "CH" | "CS" | "HS" => return Err("has a class other than IN".into()),
                upper => match (RrsetType::parse(upper), seconds(upper)) {
                    (Some(kind), _) => break (kind, words),
                    (None, Some(seconds)) if ttl.is_none() => ttl = Some(seconds),
                    _ => return Err(format!("has a type that is not supported: '{}'", data::shown(word.raw))),
                },
            }
        };
        if let Some(ttl) = ttl {
            check_ttl(ttl)?;
        }
        let value = value(kind, data);
        data::canonical(kind, &value, self.zone).map_err(|fault| format!("{fault} ({kind})"))?;
        let record = Record { value, comment: line.comment.to_owned() };
        self.put(line.number, kind, ttl, record);
        Ok(())
    }

    fn put(&mut self, line: usize, kind: RrsetType, ttl: Option<i64>, record: Record) {
        let name = self.owner.clone().unwrap_or_default();
        let place = *self.places.entry(key(&name, kind)).or_insert_with(|| {
            let spec = Spec { name, kind, ttl: None, records: Vec::new() };
            self.sets.push(Set { line, spec, ttls: Vec::new() });
            self.sets.len() - 1
        });
        if let Some(set) = self.sets.get_mut(place) {
            set.spec.records.push(record);
            set.ttls.push(ttl);
        }
    }

    fn finish(mut self, default: i64) -> Result<Zonefile, Vec<String>> {
        if self.sets.len() > RRSETS_MAX {
            self.faults.push(format!("has more than {RRSETS_MAX} RRSets"));
        }
        let default = self.ttl.unwrap_or(default);
        let (mut specs, mut begins) = (Vec::new(), Vec::new());
        for Set { line, mut spec, ttls } in self.sets {
            // A record without a TTL has the default one; only then is it the same as one that says so.
            spec.ttl = ttls.iter().find_map(|ttl| *ttl);
            let mut told = |fault: String| self.faults.push(format!("line {line}: the RRSet {} {fault}", spec.key()));
            if ttls.iter().any(|ttl| ttl.unwrap_or(default) != spec.ttl.unwrap_or(default)) {
                told("has records with different TTLs".into());
            }
            for field in rrset::check(&spec, self.zone, "") {
                told(format!("is not valid: {}: {}", field.name, field.messages.join(", ")));
            }
            begins.push(line);
            specs.push(spec);
        }
        for (position, fault) in rrset::check_together(&specs) {
            let line = begins.get(position).copied().unwrap_or_default();
            self.faults.push(format!("line {line}: {fault}"));
        }
        self.faults.truncate(FAULTS_MAX);
        if self.faults.is_empty() { Ok(Zonefile { ttl: self.ttl, rrsets: specs }) } else { Err(self.faults) }
    }
}

fn check_ttl(ttl: i64) -> Result<(), String> {
    if (TTL_MIN..=TTL_MAX).contains(&ttl) {
        return Ok(());
    }
    Err(format!("has a TTL out of range: must be from {TTL_MIN} to {TTL_MAX} seconds"))
}

/// A number of seconds, or `1h30m` with the units of BIND.
fn seconds(text: &str) -> Option<i64> {
    let (mut total, mut number) = (0_i64, None::<i64>);
    for byte in text.bytes() {
        let unit = match byte.to_ascii_lowercase() {
            b'0'..=b'9' => {
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(i64::from(byte - b'0'))?);
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 60 * 60,
            b'd' => 24 * 60 * 60,
            b'w' => 7 * 24 * 60 * 60,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    match number {
        Some(seconds) => total.checked_add(seconds),
        None => (!text.is_empty()).then_some(total),
    }
}

/// The value of a record: its words, one blank apart. Words of a text that are not quoted are, as the API has them.
fn value(kind: RrsetType, words: &[Word<'_>]) -> String {
    let written = words.iter().map(|word| match kind {
        RrsetType::Txt if !word.is_quoted() => format!("\"{}\"", word.raw),
        _ => word.raw.to_owned(),
    });
    written.collect::<Vec<_>>().join(" ")
}

/// What a file lacks that is imported into a zone: its start of authority and the assigned nameservers (the 2026 document).
#[must_use]
pub fn lacks(rrsets: &[Spec], zone: &str) -> Vec<String> {
    let at_apex = |kind| rrsets.iter().find(|spec| spec.name == APEX && spec.kind == kind);
    let mut faults = Vec::new();
    if at_apex(RrsetType::Soa).is_none() {
        faults.push("lacks the SOA record of the zone".to_owned());
    }
    let named: Vec<String> = at_apex(RrsetType::Ns)
        .into_iter()
        .flat_map(|spec| &spec.records)
        .filter_map(|record| data::canonical(RrsetType::Ns, &record.value, zone).ok())
        .collect();
    for assigned in ASSIGNED_NAMESERVERS.iter().filter(|assigned| !named.iter().any(|name| name == *assigned)) {
        faults.push(format!("lacks the NS record of the assigned nameserver {assigned}"));
    }
    faults
}

/// Writes a zone as a file: its start of authority, its nameservers, then everything else by name and type.
#[must_use]
pub fn print(zone: &str, ttl: i64, rrsets: &[Spec]) -> String {
    let mut order: Vec<&Spec> = rrsets.iter().collect();
    let rank = |spec: &Spec| match (spec.name.as_str(), spec.kind) {
        (APEX, RrsetType::Soa) => 0,
        (APEX, RrsetType::Ns) => 1,
        (APEX, _) => 2,
        _ => 3,
    };
    order.sort_by(|a, b| (rank(a), &a.name, a.kind.as_str()).cmp(&(rank(b), &b.name, b.kind.as_str())));
    let mut text = format!("$ORIGIN\t{zone}.\n$TTL\t{ttl}\n");
    for spec in order {
        text.push('\n');
        for record in &spec.records {
            let ttl = spec.ttl.map(|ttl| format!("{ttl}\t")).unwrap_or_default();
            let comment = if record.comment.is_empty() { String::new() } else { format!(" ; {}", record.comment) };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}\tIN\t{ttl}{}\t{}{comment}", spec.name, spec.kind, record.value);
        }
    }
    text
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
