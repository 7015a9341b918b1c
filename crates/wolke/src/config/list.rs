//! The list of all settings: names, variables, defaults and texts. Flags, environment, files and help derive from it.

/// Which commands take a setting as a flag. Environment and files hold all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Every command.
    All,
    /// `serve` only.
    Serve,
}

/// What a value looks like. Its meaning is checked by [`super::Settings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text; the name stands in the help.
    Text(&'static str),
    /// A path; one in a configuration file is relative to that file.
    Path(&'static str),
    /// A whole number.
    Number(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A flag that is on or off.
    Switch,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key in `wolke.toml`.
    pub key: &'static str,
    /// The flag, without dashes.
    pub flag: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// What its values look like.
    pub form: Form,
    /// The value when nobody says anything; none when there is no value then.
    pub default: Option<&'static str>,
    /// Who takes the flag.
    pub takes: Takes,
    /// The heading in the help.
    pub heading: &'static str,
    /// One line for the help.
    pub help: &'static str,
}

const PLACE: &str = "Where the state is";
const NETWORK: &str = "Network";
const API: &str = "API";
const SIMULATION: &str = "Simulation";
const REAL: &str = "Real servers";
const LOG: &str = "Log";

/// How real servers can be run.
const RUNTIMES: &[&str] = &["container", "machine"];

/// All settings, in the order of the help.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "data",
        flag: "data",
        variable: "WOLKE_DATA",
        form: Form::Path("DIR"),
        default: None,
        takes: Takes::All,
        heading: PLACE,
        help: "Data directory [default: $XDG_DATA_HOME/wolke or ~/.local/share/wolke]",
    },
    Setting {
        key: "ephemeral",
        flag: "ephemeral",
        variable: "WOLKE_EPHEMERAL",
        form: Form::Switch,
        default: Some("false"),
        takes: Takes::All,
        heading: PLACE,
        help: "Keep everything in memory and forget it at the end",
    },
    Setting {
        key: "database",
        flag: "database",
        variable: "WOLKE_DATABASE",
        form: Form::Text("URL"),
        default: None,
        takes: Takes::All,
        heading: PLACE,
        help: "PostgreSQL database (postgres://…) instead of the embedded one",
    },
    Setting {
        key: "seal_key",
        flag: "seal-key",
        variable: "WOLKE_SEAL_KEY",
        form: Form::Path("FILE"),
        default: None,
        takes: Takes::All,
        heading: PLACE,
        help: "Key that secrets are sealed with [default: DIR/seal.key]",
    },
    Setting {
        key: "listen",
        flag: "listen",
        variable: "WOLKE_LISTEN",
        form: Form::Text("ADDR:PORT"),
        default: Some("127.0.0.1:4280"),
        takes: Takes::Serve,
        heading: NETWORK,
        help: "Where to listen; port 0 takes a free one",
    },
    Setting {
        key: "insecure_listen",
        flag: "insecure-listen",
        variable: "WOLKE_INSECURE_LISTEN",
        form: Form::Switch,
        default: Some("false"),
        takes: Takes::Serve,
        heading: NETWORK,
        help: "Allow --listen beyond loopback: tokens then travel unencrypted",
    },
    Setting {
        key: "dialect",
        flag: "dialect",
        variable: "WOLKE_DIALECT",
        form: Form::Word(&["2018-04", "2023-07", "2026-02", "compat", "newest"]),
        default: Some("compat"),
        takes: Takes::Serve,
        heading: API,
        help: "Which state of the API to speak; a token may have its own",
    },
    Setting {
        key: "catalogue",
        flag: "catalogue",
        variable: "WOLKE_CATALOGUE",
        form: Form::Path("FILE"),
        default: None,
        takes: Takes::All,
        heading: API,
        help: "TOML file that is laid over the built-in catalogue",
    },
    Setting {
        key: "rate_limit",
        flag: "rate-limit",
        variable: "WOLKE_RATE_LIMIT",
        form: Form::Number("N"),
        default: None,
        takes: Takes::Serve,
        heading: API,
        help: "Refuse what exceeds N requests per hour and project [default: refuse none]",
    },
    Setting {
        key: "settle",
        flag: "settle",
        variable: "WOLKE_SETTLE",
        form: Form::Number("MS"),
        default: Some("25"),
        takes: Takes::Serve,
        heading: SIMULATION,
        help: "How long an answer waits for simulated work to end; 0 shows it under way",
    },
    Setting {
        key: "latency",
        flag: "latency",
        variable: "WOLKE_LATENCY",
        form: Form::Word(wolke_host::LatencyProfile::PRESETS),
        default: Some("none"),
        takes: Takes::Serve,
        heading: SIMULATION,
        help: "How long simulated work and actions take",
    },
    Setting {
        key: "contention",
        flag: "contention",
        variable: "WOLKE_CONTENTION",
        form: Form::Word(&["queue", "refuse"]),
        default: Some("queue"),
        takes: Takes::Serve,
        heading: SIMULATION,
        help: "Work on a busy resource waits its turn, or is refused with 'locked'",
    },
    Setting {
        key: "certificate_zones",
        flag: "certificate-zones",
        variable: "WOLKE_CERTIFICATE_ZONES",
        form: Form::Word(&["required", "optional"]),
        default: Some("required"),
        takes: Takes::Serve,
        heading: SIMULATION,
        help: "Managed certificates are issued only for domains of the project's DNS zones, or also for those of none",
    },
    Setting {
        key: "host",
        flag: "host",
        variable: "WOLKE_HOST",
        form: Form::Word(&["simulated", "linux"]),
        default: Some("simulated"),
        takes: Takes::Serve,
        heading: REAL,
        help: "Run servers of one location for real, on this Linux machine (as root), or simulate all",
    },
    Setting {
        key: "linux_location",
        flag: "linux-location",
        variable: "WOLKE_LINUX_LOCATION",
        form: Form::Text("NAME"),
        default: Some("fsn1"),
        takes: Takes::Serve,
        heading: REAL,
        help: "The location that becomes real",
    },
    Setting {
        key: "linux_shared",
        flag: "linux-shared",
        variable: "WOLKE_LINUX_SHARED",
        form: Form::Word(RUNTIMES),
        default: Some("container"),
        takes: Takes::Serve,
        heading: REAL,
        help: "What server types with shared processors are there",
    },
    Setting {
        key: "linux_dedicated",
        flag: "linux-dedicated",
        variable: "WOLKE_LINUX_DEDICATED",
        form: Form::Word(RUNTIMES),
        default: Some("machine"),
        takes: Takes::Serve,
        heading: REAL,
        help: "What server types with dedicated processors are there",
    },
    Setting {
        key: "linux_types",
        flag: "linux-types",
        variable: "WOLKE_LINUX_TYPES",
        form: Form::Text("TYPE=RUNTIME,…"),
        default: None,
        takes: Takes::Serve,
        heading: REAL,
        help: "What single server types are there, whatever their processors: cx23=machine,ccx13=container",
    },
    Setting {
        key: "linux_name",
        flag: "linux-name",
        variable: "WOLKE_LINUX_NAME",
        form: Form::Text("NAME"),
        default: None,
        takes: Takes::Serve,
        heading: REAL,
        help: "What the host is called in its location [default: the name of this machine]",
    },
    Setting {
        key: "linux_netns",
        flag: "linux-netns",
        variable: "WOLKE_LINUX_NETNS",
        form: Form::Text("NAME"),
        default: Some("wolke"),
        takes: Takes::Serve,
        heading: REAL,
        help: "The network namespace in which servers have their addresses; made if need be",
    },
    Setting {
        key: "linux_resolvers",
        flag: "linux-resolvers",
        variable: "WOLKE_LINUX_RESOLVERS",
        form: Form::Text("ADDRESS,…"),
        default: Some("machine"),
        takes: Takes::Serve,
        heading: REAL,
        help: "Name servers that servers are told, up to three IPv4 addresses; machine: those of this machine, if servers can reach \
               them; none: none",
    },
    Setting {
        key: "linux_cores",
        flag: "linux-cores",
        variable: "WOLKE_LINUX_CORES",
        form: Form::Number("N"),
        default: None,
        takes: Takes::Serve,
        heading: REAL,
        help: "Virtual CPUs to hand out in all [default: 8 for each of this machine]",
    },
    Setting {
        key: "linux_cores_max",
        flag: "linux-cores-max",
        variable: "WOLKE_LINUX_CORES_MAX",
        form: Form::Number("N"),
        default: None,
        takes: Takes::Serve,
        heading: REAL,
        help: "Virtual CPUs of the largest server [default: as many as this machine has]",
    },
    Setting {
        key: "linux_memory_mb",
        flag: "linux-memory-mb",
        variable: "WOLKE_LINUX_MEMORY_MB",
        form: Form::Number("MIB"),
        default: None,
        takes: Takes::Serve,
        heading: REAL,
        help: "Memory to hand out in all [default: all but a reserve]",
    },
    Setting {
        key: "linux_disk_gb",
        flag: "linux-disk-gb",
        variable: "WOLKE_LINUX_DISK_GB",
        form: Form::Number("GB"),
        default: None,
        takes: Takes::Serve,
        heading: REAL,
        help: "Disk space to hand out in all; disks take what is written [default: 10 times the file system]",
    },
    Setting {
        key: "log",
        flag: "log",
        variable: "WOLKE_LOG",
        form: Form::Word(&["text", "json"]),
        default: Some("text"),
        takes: Takes::All,
        heading: LOG,
        help: "Form of the log, on standard error",
    },
    Setting {
        key: "log_level",
        flag: "log-level",
        variable: "WOLKE_LOG_LEVEL",
        form: Form::Word(&["error", "warn", "info", "debug", "trace"]),
        default: Some("warn"),
        takes: Takes::All,
        heading: LOG,
        help: "What is logged; info shows every request",
    },
];

/// The flag that names a configuration file. It is no setting: a file cannot name itself.
pub const CONFIG_FLAG: &str = "config";
/// The variable that does the same.
pub const CONFIG_VARIABLE: &str = "WOLKE_CONFIG";

/// A setting by its key.
pub fn by_key(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The name among `known` that `asked` was most likely meant to be.
pub fn nearest<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// More slips than this, and it is another word.
    const SLIPS_MAX: usize = 3;
    known.map(|name| (slips(asked, name), name)).filter(|(slips, _)| *slips <= SLIPS_MAX).min().map(|(_, name)| name)
}

/// The Levenshtein distance, in bytes.
fn slips(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{Form, SETTINGS, nearest, slips};
    use wolke_wire::Dialect;

    #[test]
    fn names_of_a_setting_agree() {
        for setting in SETTINGS {
            assert_eq!(setting.flag, setting.key.replace('_', "-"));
            assert_eq!(setting.variable, format!("WOLKE_{}", setting.key.to_uppercase()));
        }
    }

    #[test]
    fn dialects_are_all_there() {
        let form = super::by_key("dialect").map(|setting| setting.form);
        let all: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.name()).collect();
        assert!(matches!(form, Some(Form::Word(words)) if words == all));
    }

    #[test]
    fn nearest_names() {
        assert_eq!(slips("kitten", "sitting"), 3);
        let keys = || SETTINGS.iter().map(|setting| setting.key);
        assert_eq!(nearest("rate-limit", keys()), Some("rate_limit"));
        assert_eq!(nearest("listn", keys()), Some("listen"));
        assert_eq!(nearest("completely_else", keys()), None);
    }
}
