//! The grammar of the command line. Flags of settings come from the list of all settings.

mod image;
mod operator;

use crate::config::list::{CONFIG_FLAG, Form, SETTINGS, Setting, Takes};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand, ValueEnum};
pub use image::{ImageVerb, NewFile};
pub use operator::{
    AddressVerb, AtPort, CatalogueVerb, DedicatedIpVerb, FaultVerb, GuestVerb, IsoVerb, NewImage, OfProject,
    StorageBoxVerb, VswitchVerb,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A cloud that you run yourself, with the API that your tools know
#[derive(Debug, Parser)]
#[command(
    name = "wolke",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  wolke serve                          start the cloud on http://127.0.0.1:4280\n  \
                  eval \"$(wolke env)\"                  point hcloud, Terraform and the others at it\n  \
                  wolke clock advance 8d               let eight days pass\n\n\
                  Compatible with the Hetzner Cloud API, and not affiliated with Hetzner."
)]
pub struct Cli {
    #[command(flatten)]
    common: Flags<false>,
    /// Read only this file, not ~/.config/wolke/wolke.toml and DIR/wolke.toml
    #[arg(long = CONFIG_FLAG, value_name = "FILE", global = true, help_heading = "Where the state is")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// The settings that stand on the command line, by key.
    pub fn flags(&self) -> BTreeMap<&'static str, String> {
        let mut flags = self.common.0.clone();
        if let Verb::Serve(own) | Verb::Config { serve: own, .. } | Verb::Doctor { serve: own, .. } = &self.verb {
            flags.extend(own.0.clone());
        }
        flags
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the cloud until SIGTERM or Ctrl-C
    ///
    /// Needs nothing: no account, no root, no network. The first start makes a data
    /// directory with a project `default` and a token, which `wolke env` shows.
    /// One line on standard output says where it listens.
    #[command(
        verbatim_doc_comment,
        after_help = "Examples:\n  wolke serve --ephemeral --listen 127.0.0.1:0\n  \
                            wolke serve --latency realistic --rate-limit 3600\n  \
                            wolke serve --database postgres://wolke@db.example/wolke?sslrootcert=system\n\n\
                            Each setting is also an environment variable (--rate-limit: WOLKE_RATE_LIMIT)\n\
                            and a key of wolke.toml (rate_limit)."
    )]
    Serve(Flags<true>),
    /// Print what clients need to know, as shell lines
    ///
    /// Sets HCLOUD_TOKEN, HCLOUD_ENDPOINT, HCLOUD_HETZNER_ENDPOINT and HETZNER_ENDPOINT.
    #[command(after_help = "Examples:\n  eval \"$(wolke env)\"\n  wolke env --format fish | source")]
    Env {
        /// Who shall read it
        #[arg(long, value_enum, default_value_t = EnvFormat::Shell)]
        format: EnvFormat,
    },
    /// Projects: list, create, delete
    #[command(subcommand)]
    Project(ProjectVerb),
    /// API tokens: list, create, delete
    #[command(subcommand)]
    Token(TokenVerb),
    /// World time: show it, set it, let it pass
    #[command(subcommand)]
    Clock(ClockVerb),
    /// The simulation: how long its work takes, what fails, how much room there is
    #[command(subcommand)]
    Sim(SimVerb),
    /// What can be ordered: show it, change it, end it, limit it
    #[command(subcommand)]
    Catalogue(CatalogueVerb),
    /// What disks of real servers are made from: build, add, list, remove
    #[command(subcommand)]
    Image(ImageVerb),
    /// Private ISOs: list, add, remove
    #[command(subcommand)]
    Iso(IsoVerb),
    /// Addresses: block, unblock
    #[command(subcommand)]
    Address(AddressVerb),
    /// vSwitches that networks can be coupled with: list, add, remove
    #[command(subcommand)]
    Vswitch(VswitchVerb),
    /// Storage boxes: say what they hold, try who gets in
    #[command(subcommand)]
    StorageBox(StorageBoxVerb),
    /// Addresses of dedicated servers that load balancers may have as targets: list, add, remove
    #[command(subcommand)]
    DedicatedIp(DedicatedIpVerb),
    /// What simulated servers answer to load balancers
    #[command(subcommand)]
    Guest(GuestVerb),
    /// Maintenance and other errors that clients must survive
    #[command(subcommand)]
    Fault(FaultVerb),
    /// What has happened that no client is told: renewals of certificates that have failed
    Events(#[command(flatten)] Output),
    /// Print the certificate of the authority that issues managed certificates
    #[command(after_help = "Example:\n  wolke ca > wolke-ca.pem && curl --cacert wolke-ca.pem https://www.example.com")]
    Ca {
        /// That of the one that the label HC-Use-Staging-CA=true asks for
        #[arg(long)]
        staging: bool,
    },
    /// Show what a server's metadata service says
    #[command(after_help = "Examples:\n  wolke metadata web-1                 the summary that cloud-init reads\n  \
                            wolke metadata web-1 userdata")]
    Metadata {
        /// Its id or its name, from `hcloud server list`
        server: String,
        /// One of its parts
        #[arg(value_parser = PossibleValuesParser::new(crate::command::metadata::names()))]
        child: Option<String>,
        #[command(flatten)]
        of: OfProject,
    },
    /// Show every setting with its value and where that comes from
    #[command(after_help = "Examples:\n  wolke config\n  wolke config --example > ~/.config/wolke/wolke.toml")]
    Config {
        /// Print a commented wolke.toml with every setting instead
        #[arg(long)]
        example: bool,
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        serve: Flags<true>,
    },
    /// Look for what would keep a server from working, and say how to mend it
    ///
    /// Tries disk, lock, databases, seal key, clocks and port, with and without a
    /// server running. Changes nothing. Ends with 0 when no check has failed.
    #[command(
        verbatim_doc_comment,
        after_help = "Example:\n  wolke doctor --data /var/lib/wolke --listen 127.0.0.1:8080"
    )]
    Doctor {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        serve: Flags<true>,
    },
    /// Print what completes commands in a shell
    #[command(after_help = "Examples:\n  source <(wolke completions bash)\n  \
                            wolke completions zsh > \"${fpath[1]}/_wolke\"\n  \
                            wolke completions fish > ~/.config/fish/completions/wolke.fish")]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: CompletionShell,
    },
    /// Print the manual page, or write one for each command
    #[command(after_help = "Examples:\n  wolke man | man -l -\n  wolke man --dir ~/.local/share/man/man1")]
    Man {
        /// Write wolke.1, wolke-serve.1 and the others there
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

impl Verb {
    /// Its name, for the lock and for messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Serve(_) => "serve",
            Self::Env { .. } => "env",
            Self::Project(_) => "project",
            Self::Token(_) => "token",
            Self::Clock(_) => "clock",
            Self::Sim(_) => "sim",
            Self::Catalogue(_) => "catalogue",
            Self::Image(_) => "image",
            Self::Iso(_) => "iso",
            Self::Address(_) => "address",
            Self::Vswitch(_) => "vswitch",
            Self::StorageBox(_) => "storage-box",
            Self::DedicatedIp(_) => "dedicated-ip",
            Self::Guest(_) => "guest",
            Self::Fault(_) => "fault",
            Self::Events(_) => "events",
            Self::Ca { .. } => "ca",
            Self::Metadata { .. } => "metadata",
            Self::Config { .. } => "config",
            Self::Doctor { .. } => "doctor",
            Self::Completions { .. } => "completions",
            Self::Man { .. } => "man",
        }
    }
}

/// The shells that commands can be completed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompletionShell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// Who reads the output of `wolke env`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EnvFormat {
    /// sh, bash, zsh: export lines
    Shell,
    /// fish: set lines
    Fish,
    /// One JSON object
    Json,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    #[default]
    Table,
    /// JSON for programs
    Json,
}

/// `--output`.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Output {
    /// How to print the result
    #[arg(long = "output", short = 'o', value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `wolke project`.
#[derive(Debug, Subcommand)]
pub enum ProjectVerb {
    /// List all projects
    List(#[command(flatten)] Output),
    /// Create a project
    Create {
        /// Its name
        name: String,
        #[command(flatten)]
        output: Output,
    },
    /// Show how many resources of each kind a project may have, or change it
    #[command(after_help = "Example:\n  wolke project limits default server=20 volume=default")]
    Limits {
        /// Its name
        name: String,
        /// KIND=NUMBER, or KIND=default
        #[arg(value_name = "KIND=NUMBER", value_parser = limit)]
        changes: Vec<(String, Option<i64>)>,
        #[command(flatten)]
        output: Output,
    },
    /// Delete a project with its tokens
    Delete {
        /// Its name
        name: String,
        /// Also what it holds, protected or not; without this a project that is not empty is refused
        #[arg(long)]
        everything: bool,
    },
}

/// `server=20` or `server=default`.
fn limit(text: &str) -> Result<(String, Option<i64>), String> {
    let (kind, value) = text.split_once('=').ok_or("wants KIND=NUMBER")?;
    let value = match value {
        "default" => None,
        number => Some(number.parse().map_err(|_| format!("'{number}' is neither a number nor 'default'"))?),
    };
    Ok((kind.to_owned(), value))
}

/// `wolke token`.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// List all tokens, without their secrets
    List(#[command(flatten)] Output),
    /// Create a token and show its secret, this once
    #[command(after_help = "Example:\n  export HCLOUD_TOKEN=$(wolke token create --read-only --name ci)")]
    Create {
        /// The project that it opens
        #[arg(long, default_value = crate::first_token::PROJECT)]
        project: String,
        /// What to call it
        #[arg(long)]
        name: Option<String>,
        /// Let it read and change nothing
        #[arg(long)]
        read_only: bool,
        /// The dialect of its requests, where it differs from the server's
        #[arg(long, value_parser = dialects())]
        dialect: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Delete a token: it stops working at once
    Delete {
        /// Its id or its name, from `wolke token list`
        #[arg(value_name = "ID|NAME")]
        token: String,
    },
}

/// `wolke clock`.
#[derive(Debug, Subcommand)]
pub enum ClockVerb {
    /// Show world time and how it moves
    Show(#[command(flatten)] Output),
    /// Set world time; it never runs backwards
    #[command(after_help = "Example:\n  wolke clock set 2030-01-01T00:00:00Z")]
    Set {
        /// A point in time, RFC 3339
        time: String,
        #[command(flatten)]
        output: Output,
    },
    /// Let world time pass in an instant
    #[command(after_help = "Example:\n  wolke clock advance 2h30m")]
    Advance {
        /// How much: whole numbers with w, d, h, m, s or ms
        duration: String,
        #[command(flatten)]
        output: Output,
    },
    /// Change how world time moves from now on
    #[command(after_help = "Examples:\n  wolke clock mode scaled --rate 3600\n  wolke clock mode manual")]
    Mode {
        /// How it moves
        #[arg(value_enum)]
        mode: Mode,
        /// World seconds per real second, for `scaled`: 0.001 to 1000000
        #[arg(long, required_if_eq("mode", "scaled"))]
        rate: Option<f64>,
        #[command(flatten)]
        output: Output,
    },
}

/// How world time moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// With the wall clock
    Wall,
    /// With the wall clock, faster or slower
    Scaled,
    /// Only when told
    Manual,
    /// With the wall clock, and simulated work takes no time
    Instant,
}

/// `wolke sim`.
#[derive(Debug, Subcommand)]
pub enum SimVerb {
    /// How long simulated work takes, until the server ends
    #[command(subcommand)]
    Latency(LatencyVerb),
    /// How many hosts a location has at most, until the server ends
    #[command(subcommand)]
    Hosts(HostsVerb),
    /// How one kind of work goes, until the server ends
    #[command(
        after_help = "Examples:\n  wolke sim policy start fail-once      the next start of each server fails\n  \
                            wolke sim policy snapshot 90s\n  wolke sim policy delete stuck\n  wolke sim policy start none\n  \
                            wolke sim policy attach_volume 5s     its action runs for so long, and is done from the start\n\n\
                            Actions without a machine take a duration or none; they fail with `wolke fault add CODE --during`."
    )]
    Policy {
        /// Which work: of machines (create to issue_certificate), or an action without any
        #[arg(value_parser = PossibleValuesParser::new(crate::command::sim::work()))]
        work: String,
        /// none, a duration such as 5s, stuck, fail, or fail-once
        policy: String,
        /// What the failed action says
        #[arg(long, default_value = "the simulation was told to fail")]
        message: String,
        #[command(flatten)]
        output: Output,
    },
    /// What is broken about all hosts, until the server ends
    #[command(after_help = "Examples:\n  wolke sim fault disk-full on\n  wolke sim fault no-guest-agent off")]
    Fault {
        /// What is broken
        #[arg(value_parser = PossibleValuesParser::new(["disk-full", "no-guest-agent"]))]
        fault: String,
        /// Whether it is
        #[arg(value_parser = PossibleValuesParser::new(["on", "off"]))]
        state: String,
        #[command(flatten)]
        output: Output,
    },
}

/// `wolke sim hosts`.
#[derive(Debug, Subcommand)]
pub enum HostsVerb {
    /// Show the limit
    Show(#[command(flatten)] Output),
    /// Change it; hosts that are there stay
    #[command(
        after_help = "A location makes hosts as servers need room. Members of a placement group need a host each.\n\nExample:\n  wolke sim hosts set 3"
    )]
    Set {
        /// Hosts per location
        #[arg(value_parser = clap::value_parser!(u32).range(..=i64::from(wolke_domain::placement::HOSTS_PER_LOCATION)))]
        number: u32,
        #[command(flatten)]
        output: Output,
    },
}

/// `wolke sim latency`.
#[derive(Debug, Subcommand)]
pub enum LatencyVerb {
    /// Show the policy of each kind of work
    Show(#[command(flatten)] Output),
    /// Take a preset
    Set {
        /// Its name
        #[arg(value_parser = PossibleValuesParser::new(wolke_host::LatencyProfile::PRESETS))]
        preset: String,
        #[command(flatten)]
        output: Output,
    },
}

fn dialects() -> PossibleValuesParser {
    PossibleValuesParser::new(wolke_wire::Dialect::ALL.iter().map(|dialect| dialect.name()))
}

/// Flags of settings: those of `serve` alone, or those of every command.
#[derive(Debug, Default)]
pub struct Flags<const SERVE: bool>(BTreeMap<&'static str, String>);

impl<const SERVE: bool> Flags<SERVE> {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        let takes = if SERVE { Takes::Serve } else { Takes::All };
        SETTINGS.iter().filter(move |setting| setting.takes == takes)
    }
}

impl<const SERVE: bool> Args for Flags<SERVE> {
    fn augment_args(command: Command) -> Command {
        Self::settings().fold(command, |command, setting| command.arg(flag(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const SERVE: bool> FromArgMatches for Flags<SERVE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let said = |setting: &Setting| matches.get_one::<String>(setting.key).cloned();
        Ok(Self(Self::settings().filter_map(|setting| Some((setting.key, said(setting)?))).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

/// The default stands in the help but not in the argument: files and environment come in between.
fn flag(setting: &'static Setting) -> Arg {
    let help = match (setting.default, setting.form) {
        (Some(default), Form::Text(_) | Form::Path(_) | Form::Number(_) | Form::Word(_)) => {
            format!("{} [default: {default}]", setting.help)
        }
        _ => setting.help.to_owned(),
    };
    let flag = Arg::new(setting.key)
        .long(setting.flag)
        .help(help)
        .help_heading(setting.heading)
        .global(setting.takes == Takes::All)
        .action(ArgAction::Set);
    match setting.form {
        Form::Text(name) | Form::Path(name) | Form::Number(name) => flag.value_name(name),
        Form::Word(words) => flag.value_name("WORD").value_parser(PossibleValuesParser::new(words)),
        Form::Switch => flag
            .value_name("BOOL")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(["true", "false"])
            .hide_possible_values(true),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cli, Verb};
    use clap::{CommandFactory as _, Parser as _};

    fn flags(line: &[&str]) -> Vec<(&'static str, String)> {
        let cli = Cli::try_parse_from([&["wolke"], line].concat()).unwrap();
        cli.flags().into_iter().collect()
    }

    #[test]
    fn grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_come_from_the_list() {
        let expected = [("data", "/d".to_owned()), ("ephemeral", "true".to_owned()), ("settle", "0".to_owned())];
        assert_eq!(flags(&["serve", "--data", "/d", "--ephemeral", "--settle", "0"]), expected);
        assert_eq!(flags(&["--data", "/d", "--ephemeral", "serve", "--settle=0"]), expected);
        assert_eq!(flags(&["project", "list", "--data", "/d"]), [("data", "/d".to_owned())]);
        assert_eq!(flags(&["serve", "--insecure-listen=false"]), [("insecure_listen", "false".to_owned())]);
        assert_eq!(flags(&["serve"]), []);
    }

    #[test]
    fn misuse_is_refused() {
        for line in [
            &["serve", "--nonsense"][..],
            &["serve", "--latency", "slow"],
            &["project", "list", "--listen", "127.0.0.1:1"],
            &["clock", "mode", "scaled"],
            &["metadata", "web-1", "webhost"],
            &["metadata", "1", "password"],
            &["completions", "tcsh"],
            &["sim", "latency", "set", "slow"],
            &[],
        ] {
            assert!(Cli::try_parse_from([&["wolke"], line].concat()).is_err(), "{line:?}");
        }
        let cli = Cli::try_parse_from(["wolke", "clock", "mode", "scaled", "--rate", "0.5"]).unwrap();
        assert_eq!(cli.verb.name(), "clock");
        assert!(matches!(cli.verb, Verb::Clock(_)));
    }
}
