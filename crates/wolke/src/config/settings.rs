//! The settings as types, checked.

use super::list::{Form, by_key};
use super::overlay::{Overlay, Value};
use crate::failure::{Failure, Result};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use wolke_host::{LatencyProfile, Runtime, RuntimeChoice};
use wolke_linux::net::{RESOLVERS_MAX, Resolvers};
use wolke_wire::Dialect;

/// The longest `settle`: clients give up on an answer after half a minute.
const SETTLE_MS_MAX: u64 = 10_000;
/// The largest rate limit.
const RATE_LIMIT_MAX: u32 = 1_000_000_000;
/// The largest amount of anything that a host hands out.
const LINUX_AMOUNT_MAX: u32 = 1_000_000_000;
/// The longest name of a host or network namespace.
const LINUX_NAME_MAX: usize = 63;

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// This machine as a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linux {
    /// The name of the location that it makes real.
    pub location: String,
    /// How server types are run.
    pub choice: RuntimeChoice,
    /// What it is called; none: as the machine.
    pub name: Option<String>,
    /// The network namespace of its servers.
    pub netns: String,
    /// The resolvers that its servers are told.
    pub resolvers: Resolvers,
    /// Virtual CPUs to hand out.
    pub cores: Option<u32>,
    /// Virtual CPUs of the largest server.
    pub cores_max: Option<u32>,
    /// Memory to hand out, in MiB.
    pub memory_mb: Option<u32>,
    /// Disk space to hand out, in GB.
    pub disk_gb: Option<u32>,
}

/// All settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// Whether the databases live in memory.
    pub ephemeral: bool,
    /// The PostgreSQL database.
    pub database: Option<String>,
    /// The seal key, where it is not in the data directory.
    pub seal_key: Option<PathBuf>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Whether other addresses than loopback are allowed.
    pub insecure_listen: bool,
    /// The dialect of tokens that have none.
    pub dialect: Dialect,
    /// The file that is laid over the built-in catalogue.
    pub catalogue: Option<PathBuf>,
    /// Requests per hour and project; none when they are only counted.
    pub rate_limit: Option<u32>,
    /// How long answers wait for simulated work.
    pub settle: Duration,
    /// The pace of simulated work.
    pub latency: LatencyProfile,
    /// Whether work on a busy resource is refused instead of queued.
    pub refuse_contention: bool,
    /// Whether the domains of managed certificates must lie in DNS zones.
    pub certificates_need_zones: bool,
    /// The host that makes a location real; none when all servers are simulated.
    pub linux: Option<Linux>,
    /// The form of the log.
    pub log: LogForm,
    /// What is logged.
    pub log_level: LevelFilter,
    /// What was said, and where: for messages.
    pub said: Overlay,
}

impl Settings {
    /// Reads an overlay whose data directory is known already.
    ///
    /// # Errors
    /// For the first value that means nothing.
    pub fn read(said: &Overlay, data: PathBuf) -> Result<Self> {
        let settings = Self {
            data,
            ephemeral: switch(said, "ephemeral")?,
            database: text(said, "database").map(url).transpose()?,
            seal_key: text(said, "seal_key").map(|value| PathBuf::from(&value.text)),
            listen: read(said, "listen", address)?,
            insecure_listen: switch(said, "insecure_listen")?,
            dialect: read(said, "dialect", Dialect::parse)?,
            catalogue: text(said, "catalogue").map(|value| PathBuf::from(&value.text)),
            rate_limit: text(said, "rate_limit").map(|value| number(value, RATE_LIMIT_MAX)).transpose()?,
            settle: read(said, "settle", milliseconds)?,
            latency: read(said, "latency", LatencyProfile::preset)?,
            refuse_contention: read(said, "contention", |word| one_of(word, [("queue", false), ("refuse", true)]))?,
            certificates_need_zones: read(said, "certificate_zones", |word| {
                one_of(word, [("required", true), ("optional", false)])
            })?,
            linux: linux(said)?,
            log: read(said, "log", |word| one_of(word, [("text", LogForm::Text), ("json", LogForm::Json)]))?,
            log_level: read(said, "log_level", level)?,
            said: said.clone(),
        };
        if settings.ephemeral && settings.database.is_some() {
            let of = |key| text(said, key).map(ToString::to_string).unwrap_or_default();
            let text = format!("{} and {} exclude each other: drop one", of("ephemeral"), of("database"));
            return Err(Failure::usage(text));
        }
        if settings.ephemeral && settings.linux.is_some() {
            let of = |key| text(said, key).map(ToString::to_string).unwrap_or_default();
            let (one, other) = (of("ephemeral"), of("host"));
            let text = format!("{one} and {other} exclude each other: real servers outlive this process");
            return Err(Failure::usage(text));
        }
        Ok(settings)
    }

    /// Checks that tokens would not travel in clear to other machines.
    ///
    /// # Errors
    /// For an address other than loopback without `--insecure-listen`.
    pub fn check_listen(&self) -> Result<()> {
        if self.listen.ip().is_loopback() || self.insecure_listen {
            return Ok(());
        }
        let place = text(&self.said, "listen").map(ToString::to_string).unwrap_or_default();
        Err(Failure::usage(format!(
            "{place}: refusing to listen on {}: without TLS, tokens and passwords would cross the network readable by anyone; \
             listen on 127.0.0.1 behind a TLS proxy, or say --insecure-listen",
            self.listen
        )))
    }
}

/// The host; none unless somebody wants one.
fn linux(said: &Overlay) -> Result<Option<Linux>> {
    if !read(said, "host", |word| one_of(word, [("simulated", false), ("linux", true)]))? {
        return Ok(None);
    }
    let amount = |key| text(said, key).map(|value| number(value, LINUX_AMOUNT_MAX)).transpose();
    let name = |key| match text(said, key) {
        Some(value) if !is_name(&value.text) => Err(Failure::usage(format!(
            "{value}: '{}' is not a name of at most {LINUX_NAME_MAX} letters, digits, '-', '_' and '.'",
            value.text
        ))),
        value => Ok(value.map(|value| value.text.clone())),
    };
    Ok(Some(Linux {
        location: read(said, "linux_location", |text| Some(text.to_owned()))?,
        choice: RuntimeChoice {
            shared: read(said, "linux_shared", runtime)?,
            dedicated: read(said, "linux_dedicated", runtime)?,
            types: text(said, "linux_types").map_or(Ok(BTreeMap::new()), runtimes)?,
        },
        name: name("linux_name")?,
        netns: name("linux_netns")?.ok_or_else(|| Failure::usage("linux_netns has no value"))?,
        resolvers: text(said, "linux_resolvers").map_or(Ok(Resolvers::of_this_machine()), resolvers)?,
        cores: amount("linux_cores")?,
        cores_max: amount("linux_cores_max")?,
        memory_mb: amount("linux_memory_mb")?,
        disk_gb: amount("linux_disk_gb")?,
    }))
}

/// What can stand in a path and on a command line.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=LINUX_NAME_MAX).contains(&text.len()) && text.chars().all(plain) && !text.starts_with(['-', '.'])
}

fn runtime(word: &str) -> Option<Runtime> {
    one_of(word, [("container", Runtime::Container), ("machine", Runtime::Machine)])
}

/// `192.0.2.1,192.0.2.2`, or a word.
fn resolvers(value: &Value) -> Result<Resolvers> {
    match value.text.as_str() {
        "machine" => return Ok(Resolvers::of_this_machine()),
        "none" => return Ok(Resolvers::These(Vec::new())),
        _ => {}
    }
    let usable = |address: &Ipv4Addr| !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast();
    let named = value.text.split(',').map(|word| word.trim().parse().ok().filter(usable));
    let named: Option<Vec<_>> = named.collect();
    named.filter(|named| named.len() <= RESOLVERS_MAX).map(Resolvers::These).ok_or_else(|| {
        Failure::usage(format!(
            "{value}: '{}' is neither machine nor none nor up to {RESOLVERS_MAX} IPv4 addresses such as 192.0.2.1,192.0.2.2",
            value.text
        ))
    })
}

/// `cx23=machine,ccx13=container`.
fn runtimes(value: &Value) -> Result<BTreeMap<String, Runtime>> {
    let pairs = value.text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let one = |pair: &str| {
        let (name, word) = pair.split_once('=')?;
        Some((name.trim().to_owned(), runtime(word.trim())?))
    };
    pairs
        .map(|pair| {
            let wrong = || format!("{value}: '{pair}' is not of the form TYPE=container or TYPE=machine");
            one(pair).ok_or_else(|| Failure::usage(wrong()))
        })
        .collect()
}

fn text<'a>(said: &'a Overlay, key: &str) -> Option<&'a Value> {
    said.get(key)
}

/// Reads the value of a setting that has a default.
fn read<T>(said: &Overlay, key: &'static str, meaning: impl Fn(&str) -> Option<T>) -> Result<T> {
    let value = said.get(key).ok_or_else(|| Failure::usage(format!("{key} has no value")))?;
    meaning(&value.text).ok_or_else(|| wrong(value))
}

fn switch(said: &Overlay, key: &'static str) -> Result<bool> {
    read(said, key, |word| one_of(word, [("true", true), ("1", true), ("false", false), ("0", false)]))
}

fn number(value: &Value, at_most: u32) -> Result<u32> {
    value.text.parse().ok().filter(|n| (1..=at_most).contains(n)).ok_or_else(|| {
        Failure::usage(format!("{value}: '{}' is not a whole number between 1 and {at_most}", value.text))
    })
}

/// The URL itself is not repeated in messages: it may hold a password.
fn url(value: &Value) -> Result<String> {
    if value.text.starts_with("postgres://") || value.text.starts_with("postgresql://") {
        return Ok(value.text.clone());
    }
    Err(Failure::usage(format!("{value} must begin with postgres://")))
}

fn one_of<T: Copy, const N: usize>(word: &str, words: [(&str, T); N]) -> Option<T> {
    words.iter().find(|(name, _)| *name == word).map(|(_, meaning)| *meaning)
}

fn level(word: &str) -> Option<LevelFilter> {
    use LevelFilter as L;
    let levels = [("error", L::ERROR), ("warn", L::WARN), ("info", L::INFO), ("debug", L::DEBUG), ("trace", L::TRACE)];
    one_of(word, levels)
}

fn milliseconds(text: &str) -> Option<Duration> {
    text.parse().ok().filter(|ms| *ms <= SETTLE_MS_MAX).map(Duration::from_millis)
}

fn address(text: &str) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix("localhost:") {
        return port.parse().ok().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().ok()
}

/// What is wrong with a value, and what would be right.
fn wrong(value: &Value) -> Failure {
    let right = match (value.key, by_key(value.key).map(|setting| setting.form)) {
        ("listen", _) => "an address and port, for example 127.0.0.1:4280 or [::1]:4280".to_owned(),
        ("settle", _) => format!("a number of milliseconds up to {SETTLE_MS_MAX}"),
        (_, Some(Form::Word(words))) => format!("one of {}", words.join(", ")),
        (_, Some(Form::Switch)) => "true or false".to_owned(),
        _ => "valid".to_owned(),
    };
    Failure::usage(format!("{value}: '{}' is not {right}", value.text))
}
