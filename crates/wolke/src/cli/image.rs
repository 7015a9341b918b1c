//! The grammar of `wolke image`: what disks of real servers are made from.

use super::Output;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `wolke image`.
#[derive(Debug, Subcommand)]
pub enum ImageVerb {
    /// List the images that are here
    List(#[command(flatten)] Output),
    /// Build an image from Debian's packages; nothing is installed on this machine
    #[command(after_help = "tiny: a kernel, busybox and dropbear, for tests; boots in seconds.\n\
                      debian-12: cloud-init, guest agent, SSH server, for containers and virtual machines.\n\n\
                      Examples:\n  wolke image build debian-12\n  \
                      wolke image build debian-12 --mirror http://mirror.example/debian")]
    Build {
        /// Which
        #[arg(value_parser = PossibleValuesParser::new(["tiny", "debian-12"]))]
        name: String,
        /// Where debian-12's packages come from, or a line of sources.list [default: from where this machine has them]
        #[arg(long = "mirror", value_name = "URL")]
        mirrors: Vec<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Make an image from a disk (qcow2, raw) or a root file system (tar, tar.gz, tar.xz, tar.zst)
    #[command(
        after_help = "A disk makes virtual machines. A root file system makes containers, and virtual machines, too, when it has\n\
                      a kernel and its initrd in /boot.\n\n\
                      Example:\n  wolke image add our-app our-app.qcow2 --sha256 \"$(sha256sum < our-app.qcow2 | cut -c-64)\""
    )]
    Add(NewFile),
    /// Make no more servers from an image; its files go when no server stands on them
    Remove {
        /// Its name
        name: String,
    },
}

/// `wolke image add`.
#[derive(Debug, Args)]
pub struct NewFile {
    /// What it shall be called
    pub name: String,
    /// The file
    pub file: PathBuf,
    /// Refuse a file that has another SHA-256
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
    /// The processor's family [default: what the file says, or that of this machine]
    #[arg(long, value_parser = PossibleValuesParser::new(["x86", "arm"]))]
    pub architecture: Option<String>,
    /// ubuntu, debian, …: for the catalogue
    #[arg(long, default_value = crate::command::image::UNKNOWN)]
    pub os_flavor: String,
    /// 24.04, 13, …: for the catalogue
    #[arg(long, default_value = crate::command::image::UNKNOWN)]
    pub os_version: String,
    #[command(flatten)]
    pub output: Output,
}
