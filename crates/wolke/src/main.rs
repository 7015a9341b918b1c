//! The `wolke` binary: command line, configuration, wiring. No rules of the cloud live here.

mod cli;
mod clock;
mod command;
mod config;
mod directory;
mod doctor;
mod duration;
mod env;
mod failure;
mod files;
mod first_token;
mod installation;
mod log;
mod manual;
mod output;
mod reach;
mod real;
mod seal_key;
mod serve;
mod socket;
mod stop;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use clap::Parser as _;
use cli::{Cli, Verb};
use failure::Result;
use std::collections::BTreeMap;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::remark(&failure.text);
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    // What is printed of the program itself must not fail for a broken configuration.
    match &cli.verb {
        Verb::Completions { shell } => return manual::completions(*shell),
        Verb::Man { dir } => return manual::pages(dir.as_deref()),
        _ => {}
    }
    let settings = config::resolve(&cli.flags(), cli.config.as_deref(), &environment())?;
    log::start(&settings);
    match &cli.verb {
        Verb::Serve(_) => serve::run(&settings),
        Verb::Env { format } => reach::briefly(env::run(&settings, *format)),
        Verb::Config { example, output, .. } => command::config::run(&settings, *example, *output),
        Verb::Image(verb) => command::image::run(&settings, verb),
        Verb::Doctor { output, .. } => doctor::run(&settings, *output),
        verb => reach::briefly(command::run(&settings, verb)),
    }
}

/// The variables that are text. The others cannot be settings.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
