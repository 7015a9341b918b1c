//! Real servers on a Linux machine: a [`wolke_host::Host`] that runs system containers (LXC) and virtual machines (QEMU).
//!
//! **Map.** [`host`] accepts what is desired, plans with `wolke_host::plan` and has one worker per object execute it.
//! An [`engine::Engine`] runs guests: [`container`] and [`machine`]. [`net`] gives them addresses, DHCP and metadata in a
//! network namespace of their own. [`image`] keeps what disks are made from. [`program`] runs the programs of the system.
//!
//! **Invariants:** every artefact bears the id of its object, so that listing replaces memory; guests, links and routes
//! outlive this process and are adopted; whatever is made is first made beside and then renamed; nothing is installed on
//! the machine; no wait is without a limit.

mod cgroup;
pub mod container;
pub mod doctor;
pub mod engine;
mod gate;
pub mod host;
pub mod image;
pub mod layout;
pub mod machine;
pub mod net;
mod process;
pub mod program;
