//! The grammar of what an operator does to clients: `wolke catalogue`, `iso`, `address`, `vswitch`, `dedicated-ip`,
//! `guest`, `fault`.

use super::Output;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The kinds of entries that can be shown and reset.
const KINDS: [&str; 7] =
    ["location", "datacenter", "server_type", "load_balancer_type", "storage_box_type", "image", "iso"];
/// The kinds of entries that can end.
const ENDING: [&str; 5] = ["server_type", "load_balancer_type", "storage_box_type", "image", "iso"];

/// `wolke catalogue`.
#[derive(Debug, Subcommand)]
pub enum CatalogueVerb {
    /// Show all entries of a kind, also those that lists hide
    Show {
        /// Which
        #[arg(value_parser = PossibleValuesParser::new(KINDS))]
        kind: String,
        #[command(flatten)]
        output: Output,
    },
    /// Show what was changed while the cloud runs
    Changes(#[command(flatten)] Output),
    /// Change, add or remove entries as a TOML file says
    #[command(
        after_help = "The file has the form of docs/operating-a-catalogue.md.\n\nExample:\n  wolke catalogue apply changes.toml"
    )]
    Apply {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// Forget what was changed of an entry
    Reset {
        /// Its kind
        #[arg(value_parser = PossibleValuesParser::new(KINDS))]
        kind: String,
        /// Its name
        name: String,
    },
    /// Announce the end of an entry
    #[command(after_help = "Example:\n  wolke catalogue deprecate server_type cpx22 --location nbg1 \\\n      \
                            --unavailable-after 2027-01-01T00:00:00Z")]
    Deprecate {
        /// Its kind
        #[arg(value_parser = PossibleValuesParser::new(ENDING))]
        kind: String,
        /// Its name
        name: String,
        /// Only there
        #[arg(long)]
        location: Option<String>,
        /// Since when people are told, RFC 3339 [default: now]
        #[arg(long, value_name = "TIME")]
        announced: Option<String>,
        /// From when on it cannot be ordered, RFC 3339 [default: 90 days later]
        #[arg(long, value_name = "TIME")]
        unavailable_after: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Take the end of an entry back
    Undeprecate {
        /// Its kind
        #[arg(value_parser = PossibleValuesParser::new(ENDING))]
        kind: String,
        /// Its name
        name: String,
        /// Only there
        #[arg(long)]
        location: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Add a system or app image
    AddImage(NewImage),
    /// Show or set how many servers of a type a location has left
    #[command(after_help = "Examples:\n  wolke catalogue stock\n  wolke catalogue stock cpx22 nbg1 --left 2\n  \
                            wolke catalogue stock cpx22 nbg1 --unlimited")]
    Stock {
        /// The server type
        #[arg(requires = "location")]
        server_type: Option<String>,
        /// The location
        location: Option<String>,
        /// So many; 0 is sold out. Creates count down, deletes count up
        #[arg(long, conflicts_with = "unlimited", value_parser = clap::value_parser!(i64).range(0..), requires = "location")]
        left: Option<i64>,
        /// No end of them
        #[arg(long, requires = "location")]
        unlimited: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Show or set how many GB of volumes a location has left
    #[command(
        after_help = "Examples:\n  wolke catalogue volume-space\n  wolke catalogue volume-space nbg1 --left 500\n  \
                            wolke catalogue volume-space nbg1 --unlimited"
    )]
    VolumeSpace {
        /// The location
        location: Option<String>,
        /// So many GB; 0 is full. Volumes take from it as they are made and grow, and give back as they are deleted
        #[arg(long, value_name = "GB", conflicts_with = "unlimited", value_parser = clap::value_parser!(i64).range(0..), requires = "location")]
        left: Option<i64>,
        /// No end of them
        #[arg(long, requires = "location")]
        unlimited: bool,
        #[command(flatten)]
        output: Output,
    },
}

/// `wolke catalogue add-image`.
#[derive(Debug, Args)]
pub struct NewImage {
    /// Its name
    pub name: String,
    /// What it is
    #[arg(long = "type", default_value = "app", value_parser = PossibleValuesParser::new(["app", "system"]))]
    pub kind: String,
    /// For people [default: the name]
    #[arg(long)]
    pub description: Option<String>,
    /// ubuntu, debian, …
    #[arg(long)]
    pub os_flavor: String,
    /// 24.04, 13, …
    #[arg(long)]
    pub os_version: String,
    /// One image for each
    #[arg(long = "architecture", default_value = "x86", value_parser = PossibleValuesParser::new(["x86", "arm"]))]
    pub architectures: Vec<String>,
    /// The smallest disk that it fits on, in GB
    #[arg(long, default_value_t = 5)]
    pub disk_size: u32,
    #[command(flatten)]
    pub output: Output,
}

/// `wolke iso`.
#[derive(Debug, Subcommand)]
pub enum IsoVerb {
    /// List the private ISOs of all projects
    List(#[command(flatten)] Output),
    /// Give a project an ISO that only it sees
    Add {
        /// What it is
        description: String,
        /// Who shall see it
        #[arg(long, default_value = crate::first_token::PROJECT)]
        project: String,
        /// The instruction set [default: any]
        #[arg(long, value_parser = PossibleValuesParser::new(["x86", "arm"]))]
        architecture: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Take one away: it can no longer be attached
    Remove {
        /// Its id, from `wolke iso list`
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
}

/// `wolke address`.
#[derive(Debug, Subcommand)]
pub enum AddressVerb {
    /// Block the address of a primary or floating IP
    Block(Address),
    /// Let a blocked address go
    Unblock(Address),
}

/// The project of what was named.
#[derive(Clone, Debug, Args)]
pub struct OfProject {
    /// The project that it is in; needed where several have given the name
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
}

/// An address, by whose it is.
#[derive(Clone, Debug, Args)]
pub struct Address {
    /// The primary IP's id or name, from `hcloud primary-ip list`
    pub ip: String,
    /// It is the id or name of a floating IP, from `hcloud floating-ip list`
    #[arg(long)]
    pub floating: bool,
    #[command(flatten)]
    pub of: OfProject,
}

/// `wolke vswitch`.
#[derive(Debug, Subcommand)]
pub enum VswitchVerb {
    /// List those that are known, with their networks
    List(#[command(flatten)] Output),
    /// Make one known
    Add {
        /// Its id, as clients will name it
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
    /// Forget one that no network is coupled with
    Remove {
        /// Its id, from `wolke vswitch list`
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
}

/// `wolke storage-box`.
#[derive(Debug, Subcommand)]
pub enum StorageBoxVerb {
    /// Say what one holds; without options, show it
    #[command(
        after_help = "Examples:\n  wolke storage-box fill backups --bytes 500000000 --folder photos/2026 --folder docs\n  \
                            wolke storage-box fill backups --remove homes/alice     where nobody is at home any more"
    )]
    Fill {
        /// Its id or its name, from `hcloud storage-box list`
        storage_box: String,
        #[command(flatten)]
        of: OfProject,
        /// Bytes of data
        #[arg(long, value_parser = clap::value_parser!(i64).range(0..))]
        bytes: Option<i64>,
        /// How many of the bytes that stay are written anew: snapshots keep the old ones
        #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(i64).range(0..))]
        rewritten: Option<i64>,
        /// A folder; once for each, in place of those that there are
        #[arg(long = "folder", value_name = "PATH", conflicts_with = "empty")]
        folders: Vec<String>,
        /// No folders
        #[arg(long)]
        empty: bool,
        /// A folder that goes, with what is below it; once for each
        #[arg(long = "remove", value_name = "PATH", conflicts_with_all = ["folders", "empty"])]
        removed: Vec<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Say whether somebody would get in; the password is the first line of the standard input
    #[command(
        after_help = "Example:\n  wolke storage-box login u500001-sub1 --via webdav --external --write <<< \"$PASSWORD\""
    )]
    Login {
        /// The name of an account
        username: String,
        /// How
        #[arg(long, value_parser = PossibleValuesParser::new(["ssh", "samba", "webdav"]))]
        via: String,
        /// A file with a public key, in place of a password
        #[arg(long, value_name = "FILE")]
        public_key: Option<PathBuf>,
        /// From outside of the provider's network
        #[arg(long)]
        external: bool,
        /// To change something
        #[arg(long)]
        write: bool,
        #[command(flatten)]
        output: Output,
    },
}

/// `wolke dedicated-ip`.
#[derive(Debug, Subcommand)]
pub enum DedicatedIpVerb {
    /// List those that are known
    List(#[command(flatten)] Output),
    /// Make one known
    Add {
        /// The address
        ip: std::net::IpAddr,
    },
    /// Forget one that is no target
    Remove {
        /// The address
        ip: std::net::IpAddr,
    },
}

/// Whom `wolke guest` speaks to, and about which port.
#[derive(Clone, Debug, Args)]
pub struct AtPort {
    /// The server's id or name, from `hcloud server list`
    #[arg(long, value_name = "SERVER", required_unless_present = "ip", conflicts_with = "ip")]
    pub server: Option<String>,
    /// The project that it is in; needed where several have given the name
    #[arg(long, value_name = "NAME", conflicts_with = "ip")]
    pub project: Option<String>,
    /// The address of a dedicated server
    #[arg(long)]
    pub ip: Option<std::net::IpAddr>,
    /// The port that is checked; 0 for all that it was not told about
    #[arg(long, default_value_t = 0)]
    pub port: u16,
}

/// `wolke guest`.
#[derive(Debug, Subcommand)]
pub enum GuestVerb {
    /// List what was told
    List(#[command(flatten)] Output),
    /// Answer health checks of load balancers
    #[command(after_help = "Example:\n  wolke guest answer --server web-1 --port 80 --status 503")]
    Answer {
        #[command(flatten)]
        at: AtPort,
        /// With this status code
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(100..=599))]
        status: u16,
        /// And this page
        #[arg(long, default_value = "")]
        page: String,
    },
    /// Refuse connections
    Refuse(AtPort),
    /// Drop what comes
    Drop(AtPort),
    /// Take connections and never answer
    Hang(AtPort),
    /// Be well again
    Forget(AtPort),
}

/// `wolke fault`.
#[derive(Debug, Subcommand)]
pub enum FaultVerb {
    /// List the faults in force
    List(#[command(flatten)] Output),
    /// Let operations answer with an error instead of their own
    #[command(
        after_help = "Examples:\n  wolke fault add maintenance                                   everything is in maintenance\n  \
                            wolke fault add conflict --operation create_server --calls 2\n  \
                            wolke fault add timeout --operation create_server --after     done, but the answer is lost\n  \
                            wolke fault add unavailable --permille 50 --seed 7            one call in twenty\n  \
                            wolke fault add action_failed --operation volume_attach --during   accepted, and its action fails\n  \
                            wolke fault add ca_dns_validation_failed --operation renew_certificate --during"
    )]
    Add {
        /// The error code
        code: String,
        /// The id of the operation, as in docs/coverage.md and /v1/openapi.json; * for all
        #[arg(long, default_value = "*")]
        operation: String,
        /// What is said
        #[arg(long)]
        message: Option<String>,
        /// Only so many calls
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
        calls: Option<i64>,
        /// Only so many calls of a thousand
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..=1000))]
        permille: Option<i64>,
        /// What chance is drawn with
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// When the work is done, instead of doing it
        #[arg(long)]
        after: bool,
        /// In the work that it begins: it is accepted, its actions fail, and nothing of it remains. For operations that
        /// answer with an action, and for renew_certificate
        #[arg(long, conflicts_with = "after")]
        during: bool,
        #[command(flatten)]
        output: Output,
    },
    /// End one
    Remove {
        /// Its id, from `wolke fault list`
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
    /// End all
    Clear,
}
