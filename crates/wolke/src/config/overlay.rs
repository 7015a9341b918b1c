//! The overlay: flags over environment over files over defaults. Each value knows where it comes from.

use super::list::{CONFIG_VARIABLE, Form, SETTINGS, by_key, nearest};
use crate::failure::{Failure, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The largest configuration file that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Variables that begin like ours and are not for this program: those of the test suite, and those that Kubernetes sets
/// for every service, here one that is called `wolke`.
const FOREIGN: [&str; 6] =
    ["WOLKE_BIN", "WOLKE_TEST_*", "WOLKE_SIM_*", "WOLKE_SERVICE_*", "WOLKE_PORT", "WOLKE_PORT_*"];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody has said anything.
    Default,
    /// A configuration file, and the line in it.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(&'static str),
    /// A flag.
    Flag(&'static str),
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The key of its setting.
    pub key: &'static str,
    /// The text.
    pub text: String,
    /// Where it stands.
    pub source: Source,
}

impl fmt::Display for Value {
    /// Where to look: `--listen`, `WOLKE_LISTEN`, `listen in /etc/wolke.toml`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Default => write!(f, "the default of {}", self.key),
            Source::File(path, line) => write!(f, "{} in {}:{line}", self.key, path.display()),
            Source::Variable(name) => f.write_str(name),
            Source::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// The values of all settings that have one, by key.
#[derive(Clone, Debug, Default)]
pub struct Overlay(BTreeMap<&'static str, Value>);

impl Overlay {
    /// The defaults.
    pub fn defaults() -> Self {
        let mut overlay = Self::default();
        for setting in SETTINGS {
            if let Some(text) = setting.default {
                overlay.put(setting.key, text.to_owned(), Source::Default);
            }
        }
        overlay
    }

    /// The value of a setting.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Lays another over this one.
    pub fn lay(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn put(&mut self, key: &'static str, text: String, source: Source) {
        self.0.insert(key, Value { key, text, source });
    }

    /// What the flags of a command line say, by key.
    pub fn from_flags(flags: &BTreeMap<&'static str, String>) -> Self {
        let mut overlay = Self::default();
        for setting in SETTINGS {
            if let Some(text) = flags.get(setting.key) {
                overlay.put(setting.key, text.clone(), Source::Flag(setting.flag));
            }
        }
        overlay
    }

    /// What the environment says. An empty variable is one that is not set.
    ///
    /// # Errors
    /// For a variable that begins like ours and is none.
    pub fn from_environment(environment: &BTreeMap<String, String>) -> Result<Self> {
        let mut overlay = Self::default();
        for (name, text) in environment.range("WOLKE_".to_owned()..).take_while(|(name, _)| name.starts_with("WOLKE_"))
        {
            match SETTINGS.iter().find(|setting| setting.variable == name) {
                Some(_) if text.is_empty() => {}
                Some(setting) => overlay.put(setting.key, text.clone(), Source::Variable(setting.variable)),
                None if name == CONFIG_VARIABLE || is_foreign(name) => {}
                None => {
                    let known = SETTINGS.iter().map(|setting| setting.variable).chain([CONFIG_VARIABLE]);
                    return Err(unknown("the environment variable", name, "the environment", nearest(name, known)));
                }
            }
        }
        Ok(overlay)
    }

    /// What a configuration file says.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or holds an unknown key or a value of another type.
    pub fn from_file(path: &Path) -> Result<Self> {
        let length = std::fs::metadata(path).map_err(|e| Failure::file("read", path, e))?.len();
        if length > FILE_BYTES_MAX {
            return Err(Failure::usage(format!("{} is too large for a configuration file", path.display())));
        }
        let text = std::fs::read_to_string(path).map_err(|e| Failure::file("read", path, e))?;
        let table: BTreeMap<String, Spanned<toml::Value>> = toml::from_str(&text).map_err(|e| {
            Failure::usage(format!("{} is not valid TOML: {}", path.display(), e.to_string().trim_end()))
        })?;
        let line_of =
            |place: std::ops::Range<usize>| 1 + text.bytes().take(place.start).filter(|c| *c == b'\n').count();
        let mut overlay = Self::default();
        for (key, value) in table {
            let (line, value) = (line_of(value.span()), value.into_inner());
            let Some(setting) = by_key(&key) else {
                let known = nearest(&key, SETTINGS.iter().map(|setting| setting.key));
                return Err(unknown("the key", &key, &format!("{}:{line}", path.display()), known));
            };
            let text = text_of(setting.form, value, path).ok_or_else(|| {
                let kind = match setting.form {
                    Form::Number(_) => "a whole number",
                    Form::Switch => "true or false",
                    Form::Text(_) | Form::Path(_) | Form::Word(_) => "a string",
                };
                Failure::usage(format!("{key} in {}:{line} must be {kind}", path.display()))
            })?;
            overlay.put(setting.key, text, Source::File(path.to_owned(), line));
        }
        Ok(overlay)
    }
}

/// The value as flags and variables would write it; none when it has another type.
fn text_of(form: Form, value: toml::Value, file: &Path) -> Option<String> {
    match (form, value) {
        (Form::Text(_) | Form::Word(_), toml::Value::String(text)) => Some(text),
        // Relative to the file: a configuration means the same from wherever the program is started.
        (Form::Path(_), toml::Value::String(text)) => {
            let folder = file.parent().unwrap_or(Path::new(""));
            Some(folder.join(text).to_string_lossy().into_owned())
        }
        (Form::Number(_), toml::Value::Integer(number)) => Some(number.to_string()),
        (Form::Switch, toml::Value::Boolean(switch)) => Some(switch.to_string()),
        _ => None,
    }
}

fn is_foreign(name: &str) -> bool {
    FOREIGN.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *known,
    })
}

fn unknown(what: &str, name: &str, place: &str, near: Option<&str>) -> Failure {
    let hint = match near {
        Some(near) => format!("did you mean {near}?"),
        None => "`wolke serve --help` lists all settings".to_owned(),
    };
    Failure::usage(format!("{what} {name} in {place} is unknown: {hint}"))
}
