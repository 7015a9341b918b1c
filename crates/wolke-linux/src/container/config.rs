//! The configuration that LXC reads: identity, limits, devices, what the container may do.
//!
//! Facts: lxc.container.conf(5). Paths are those that the start script makes, so no path of the machine stands in it.

use std::fmt::Write as _;
use std::path::Path;

use wolke_host::Definition;

use crate::cgroup::Cgroups;
use crate::engine::Result;
use crate::image::{ID_BASE, ID_COUNT};
use crate::net::Link;
use crate::process::engine;

/// The first id of the machine that is one of a container, and how many follow: as root file systems are stored.
const IDS: (u32, u32) = (ID_BASE, ID_COUNT);
/// Processes and threads of a container.
const PIDS_MAX: u32 = 16_384;
/// The period of the processor quota in microseconds.
const CPU_PERIOD_US: u64 = 100_000;
/// Bytes in a MiB.
const MIB: u64 = 1024 * 1024;
/// Terminals of a container.
const PTYS_MAX: u32 = 1024;
/// What the console log may take.
const CONSOLE_LOG: &str = "256KB";
/// Devices that a container may open: null, zero, full, random, urandom, tty, console, ptmx, terminals.
const DEVICES: [&str; 9] = ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2", "136:*"];
/// Capabilities that mean nothing, or nothing good, in a container.
const DROPPED: &str = "mac_admin mac_override sys_time sys_module sys_rawio syslog wake_alarm block_suspend perfmon bpf checkpoint_restore";
/// System calls that a container has no business with.
const SECCOMP: &str = "/usr/share/lxc/config/common.seccomp";
/// Where a guest finds its seed.
const SEED: &str = "var/lib/cloud/seed/nocloud-net";

/// What a configuration is made from.
pub(super) struct Config<'a> {
    /// The name from which control groups are named.
    pub(super) group: &'a str,
    /// The directory that the start script has built.
    pub(super) top: &'a str,
    /// Name and size.
    pub(super) definition: &'a Definition,
    /// The interface.
    pub(super) link: Option<&'a Link>,
    /// Whether there is a seed for cloud-init.
    pub(super) seed: bool,
}

impl Config<'_> {
    /// The file.
    pub(super) fn render(&self, cgroups: &Cgroups) -> Result<String> {
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            // One line each, whatever stands in a name.
            let _ = writeln!(text, "{key} = {}", value.replace(['\n', '\r'], " "));
        };
        let (top, group) = (self.top, self.group);
        line("lxc.uts.name", &self.definition.name);
        line("lxc.rootfs.path", &format!("dir:{top}/rootfs"));
        for kind in ["u", "g"] {
            line("lxc.idmap", &format!("{kind} 0 {} {}", IDS.0, IDS.1));
        }
        // systemd makes the machine's id of it, as it does of the SMBIOS UUID in a virtual machine.
        line("lxc.environment", &format!("container_uuid={}", self.definition.uuid));
        line("lxc.mount.auto", "cgroup:mixed proc:mixed sys:mixed");
        line("lxc.autodev", "1");
        line("lxc.pty.max", &PTYS_MAX.to_string());
        line("lxc.tty.max", "0");
        line("lxc.console.logfile", &format!("{top}/run/console.log"));
        line("lxc.console.size", CONSOLE_LOG);
        if self.seed {
            line("lxc.mount.entry", &format!("{top}/seed {SEED} none bind,ro,create=dir 0 0"));
        }
        line("lxc.cap.drop", DROPPED);
        line("lxc.seccomp.profile", SECCOMP);
        apparmor(&mut line);
        line("lxc.cgroup.dir.monitor", &format!("{group}.monitor"));
        line("lxc.cgroup.dir.monitor.pivot", &format!("{group}.pivot"));
        line("lxc.cgroup.dir.container", &format!("{group}.payload"));
        self.limits(cgroups, &mut line)?;
        self.network(&mut line);
        // LXC hands hooks to a shell: the directory of the state may forbid programs.
        line("lxc.hook.version", "1");
        line("lxc.hook.stop", &stop_hook(cgroups, group, top));
        line("lxc.hook.post-stop", &format!("/bin/sh {top}/run/post-stop"));
        Ok(text)
    }

    fn limits(&self, cgroups: &Cgroups, line: &mut impl FnMut(&str, &str)) -> Result<()> {
        let memory = (u64::from(self.definition.memory_mb) * MIB).to_string();
        let quota = (u64::from(self.definition.cores) * CPU_PERIOD_US).to_string();
        let period = CPU_PERIOD_US.to_string();
        if let Some(root) = cgroups.legacy("memory") {
            line("lxc.cgroup.memory.limit_in_bytes", &memory);
            if root.join("memory.memsw.limit_in_bytes").exists() {
                line("lxc.cgroup.memory.memsw.limit_in_bytes", &memory);
            }
        } else if cgroups.unified("memory") {
            line("lxc.cgroup2.memory.max", &memory);
            if Path::new("/proc/swaps").exists() {
                line("lxc.cgroup2.memory.swap.max", "0");
            }
        } else {
            return Err(missing("memory"));
        }
        if cgroups.legacy("cpu").is_some() {
            line("lxc.cgroup.cpu.cfs_period_us", &period);
            line("lxc.cgroup.cpu.cfs_quota_us", &quota);
        } else if cgroups.unified("cpu") {
            line("lxc.cgroup2.cpu.max", &format!("{quota} {period}"));
        } else {
            return Err(missing("cpu"));
        }
        match (cgroups.legacy("pids").is_some(), cgroups.unified("pids")) {
            (true, _) => line("lxc.cgroup.pids.max", &PIDS_MAX.to_string()),
            (false, true) => line("lxc.cgroup2.pids.max", &PIDS_MAX.to_string()),
            (false, false) => return Err(missing("pids")),
        }
        let devices = if cgroups.legacy("devices").is_some() { "lxc.cgroup.devices" } else { "lxc.cgroup2.devices" };
        line(&format!("{devices}.deny"), "a");
        for device in DEVICES {
            line(&format!("{devices}.allow"), &format!("c {device} rwm"));
        }
        Ok(())
    }

    /// The peer of a veth pair is given away whole (`phys`): LXC takes it back at each end and gives it again at a reboot.
    fn network(&self, line: &mut impl FnMut(&str, &str)) {
        let Some(link) = self.link else { return line("lxc.net.0.type", "empty") };
        line("lxc.net.0.type", "phys");
        line("lxc.net.0.link", &link.device);
        line("lxc.net.0.name", "eth0");
        line("lxc.net.0.hwaddr", &link.mac);
    }
}

fn stop_hook(cgroups: &Cgroups, group: &str, top: &str) -> String {
    let (file, word, units) = cgroups.cpu(group).unwrap_or_else(|| (Path::new("/dev/null").into(), "", 1));
    format!("/bin/sh {top}/run/stop {} '{word}' {units}", file.display())
}

/// A profile of its own where the machine has AppArmor and its parser.
fn apparmor(line: &mut impl FnMut(&str, &str)) {
    let enabled =
        std::fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|said| said.trim() == "Y");
    let parser = ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"].iter().any(|path| Path::new(path).exists());
    if enabled && parser {
        line("lxc.apparmor.profile", "generated");
        // systemd's services mount things in their own namespaces.
        line("lxc.apparmor.allow_nesting", "1");
    } else if enabled {
        line("lxc.apparmor.profile", "unconfined");
    }
}

fn missing(controller: &str) -> wolke_host::HostError {
    engine(format!("the machine has no control group controller {controller}, so a container cannot be limited"))
}
