//! The log: lines on standard error, for people or as JSON.

use crate::config::{LogForm, Settings};
use std::io::IsTerminal as _;

/// Starts logging. A second call in one process changes nothing.
pub fn start(settings: &Settings) {
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(settings.log_level)
        .with_target(false);
    let started = match settings.log {
        LogForm::Text => lines.try_init(),
        LogForm::Json => lines.json().flatten_event(true).try_init(),
    };
    // Only a subscriber that is there already is a reason to fail.
    drop(started);
}
