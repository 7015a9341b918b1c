//! `wolke doctor`: tries what a server needs, with and without one running, and says what is wrong and how to mend it.
//!
//! **Invariant:** nothing is changed. No directory, database or key is made, nothing is migrated; the one file that is
//! written, to see whether that works, has no name by then.

mod clock;
mod databases;
mod disk;
mod lock;
mod port;
mod postgres;
mod runtimes;
mod schema;
mod seal;
#[cfg(test)]
mod tests;

use crate::cli::{Format, Output};
use crate::clock::SystemClock;
use crate::config::Settings;
use crate::directory::Directory;
use crate::failure::{Failure, Result};
use crate::{output, reach};
use databases::Databases;
use serde::Serialize;
use serde_json::json;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nothing to do.
    Ok,
    /// It works, and may bite later.
    Warning,
    /// A server would not start or not work.
    Fail,
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it came out.
    pub status: Grade,
    /// What was found, in one line.
    pub message: String,
    /// What to do about it, in one line; the command where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, status: Grade::Ok, message: message.into(), fix: None }
    }

    fn warning(name: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, status: Grade::Warning, message: message.into(), fix: Some(fix.into()) }
    }

    fn fail(name: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, status: Grade::Fail, message: message.into(), fix: Some(fix.into()) }
    }
}

/// What the checks look at.
struct Patient<'a> {
    settings: &'a Settings,
    directory: Directory,
    /// Whether a server answers there.
    is_running: bool,
    real: SystemClock,
}

/// Runs all checks and prints them.
///
/// # Errors
/// When at least one failed, after all were printed.
pub fn run(settings: &Settings, output: Output) -> Result<()> {
    let checks = examine(settings)?;
    let failed = checks.iter().filter(|check| check.status == Grade::Fail).count();
    match output.format {
        Format::Json => output::line(&format!("{:#}", json!({"checks": checks, "failed": failed})))?,
        Format::Table => output::line(&lines(&checks))?,
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::new(format!("{failed} of {} checks failed", checks.len()))),
    }
}

/// All checks. Blocks, and must not be called on a runtime.
fn examine(settings: &Settings) -> Result<Vec<Check>> {
    let directory = Directory::of(settings);
    let is_running = reach::briefly(async { Ok((reach::is_server(&directory).await, None)) })?;
    let patient = Patient { settings, directory, is_running, real: SystemClock::new() };
    let mut checks = vec![disk::check(&patient), lock::check(&patient)];
    let databases = match &settings.database {
        Some(url) => postgres::check(&patient, url, &mut checks),
        None => Databases::embedded(&patient),
    };
    checks.push(schema::check(&patient, &databases));
    checks.push(seal::check(&patient, &databases));
    checks.push(clock::check(&patient, &databases));
    checks.push(port::check(&patient));
    checks.extend(runtimes::check(&patient));
    Ok(checks)
}

/// Lines for people: grade, name, what was found, and below it the fix.
fn lines(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for check in checks {
        let grade = match check.status {
            Grade::Ok => "ok",
            Grade::Warning => "warning",
            Grade::Fail => "FAIL",
        };
        lines.push(format!("{grade:7}  {:width$}  {}", check.name, check.message));
        lines.extend(check.fix.iter().map(|fix| format!("{:7}  {:width$}  fix: {fix}", "", "")));
    }
    lines.join("\n")
}

/// A text of several lines as one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
