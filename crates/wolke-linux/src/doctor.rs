//! What this machine can do: which runtimes it can use, why not, and what to install.
//!
//! Features of the kernel are tried, not looked up: in namespaces that end with the program that tries, so nothing is left.
//! **Invariant:** nothing is installed, and nothing on the machine is changed.

use std::collections::BTreeSet;

use wolke_host::{Runtime, RuntimeChoice};

use crate::engine::Result;
use crate::image::need;
use crate::layout::Layout;
use crate::machine::acceleration;
use crate::program::Program;

/// Programs that every runtime needs: network, disks, namespaces.
const COMMON: &[&str] =
    &["findmnt", "flock", "ip", "losetup", "mkfs.ext4", "mount", "nft", "nsenter", "resize2fs", "setpriv", "unshare"];
/// Programs of containers.
const CONTAINER: &[&str] = &["lxc-attach", "lxc-start", "lxc-usernsexec"];
/// Programs of virtual machines.
const MACHINE: &[&str] = &["qemu-img", "qemu-system-x86_64"];
/// What carries the limits of containers.
const CONTROLLERS: &[&str] = &["cpu", "memory", "pids"];
/// Where control groups of version 2 say which controllers they have: alone, and beside version 1.
const CONTROLLERS_FILES: [&str; 2] = ["/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/unified/cgroup.controllers"];
/// A filter with sets and limits, a translation of ports, connections, and ARP: what the network of guests is made of.
const FILTER: &str = "
table inet wolke {
    set s { type ipv4_addr; flags interval; }
    set l { type ifname; flags dynamic; size 16; }
    set n { type ifname; flags dynamic; size 16; }
    chain c {
        type filter hook forward priority 0; ct state established accept; ip saddr @s drop;
        update @l { iifname limit rate over 1/second } drop
        add @n { iifname ct count over 1 } drop
    }
}
table arp wolke {
    set s { type ifname . ipv4_addr; }
    chain c { type filter hook input priority 0; iifname . arp saddr ip @s drop; }
}
table ip wolke {
    chain c { type nat hook prerouting priority -100; tcp dport 80 redirect to :8080; }
}
";
/// Lays one directory over another, on a file system of its own, in a mount namespace of its own.
const OVERLAY: &str = "mount -t tmpfs wolke /mnt && cd /mnt && mkdir lower upper work merged && \
                       mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work,index=off overlay merged";

/// Why a runtime cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is missing, in a few words.
    pub what: String,
    /// The package of Debian that brings it; none when no package does.
    pub package: Option<&'static str>,
}

/// What was found about one runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub runtime: Runtime,
    /// Why it cannot be used; none when it can.
    pub problems: Vec<Problem>,
    /// What else is worth knowing.
    pub remark: Option<String>,
}

impl Finding {
    /// Whether servers can be run so.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.problems.is_empty()
    }

    /// Why not, in one line.
    #[must_use]
    pub fn reasons(&self) -> String {
        let reasons: Vec<_> = self.problems.iter().map(|problem| problem.what.as_str()).collect();
        reasons.join("; ")
    }

    /// The command that installs what is missing; none when no package helps.
    #[must_use]
    pub fn install(&self) -> Option<String> {
        install(std::slice::from_ref(self))
    }
}

/// The one command that installs what is missing for all of these; none when no package helps.
#[must_use]
pub fn install(findings: &[Finding]) -> Option<String> {
    let packages: BTreeSet<_> = findings.iter().flat_map(|f| &f.problems).filter_map(|p| p.package).collect();
    let packages: Vec<_> = packages.into_iter().collect();
    (!packages.is_empty()).then(|| need::command(&packages))
}

/// Looks at everything that a runtime needs, for a host that keeps what it has in this layout. What takes root is only tried as
/// root, and its lack is then the problem.
#[must_use]
pub fn check(runtime: Runtime, layout: &Layout) -> Finding {
    let mut problems = Vec::new();
    let own = match runtime {
        Runtime::Simulated => return Finding { runtime, problems, remark: None },
        Runtime::Container => CONTAINER,
        Runtime::Machine => MACHINE,
    };
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        problems.push(Problem { what: "it takes root".into(), package: None });
    }
    let programs: Vec<_> = COMMON.iter().chain(own).copied().collect();
    let missing = need::missing(&programs).unwrap_or(programs);
    for program in &missing {
        problems.push(Problem { what: format!("no program {program}"), package: Some(need::package(program)) });
    }
    let tools = ["ip", "nft", "mount", "unshare"];
    if is_root && !missing.iter().any(|program| tools.contains(program)) {
        let features = network().into_iter().chain(match runtime {
            Runtime::Container => of_containers(),
            _ => of_machines(),
        });
        problems.extend(features.filter_map(|(name, tried)| lacking(name, tried)));
    }
    let remark = (runtime == Runtime::Machine && problems.is_empty()).then(|| acceleration(layout));
    Finding { runtime, problems, remark }
}

/// What every guest's link is made of.
fn network() -> Vec<(&'static str, Result<String>)> {
    vec![
        ("network namespaces", isolated(&["--net"], &["true"])),
        (
            "pairs of virtual interfaces (veth)",
            isolated(&["--net"], &["ip", "link", "add", "name", "wk0", "type", "veth", "peer", "name", "wk1"]),
        ),
        (
            "nftables with sets, limits, connections, redirection and ARP",
            unshare(&["--net"], &["nft", "-f", "-"]).input(FILTER).run(),
        ),
    ]
}

fn of_containers() -> Vec<(&'static str, Result<String>)> {
    let mut features = vec![
        ("user namespaces", isolated(&["--user"], &["true"])),
        ("overlay file systems", isolated(&["--mount", "--propagation", "private"], &["sh", "-c", OVERLAY])),
        ("loop devices", Program::new("losetup").arg("--list").run().and_then(|_| opens("/dev/loop-control"))),
    ];
    let carried = controllers();
    for controller in CONTROLLERS {
        if !carried.contains(*controller) {
            let why = format!("no control group has the controller {controller}");
            features
                .push(("limits of containers", Err(wolke_host::HostError::new(wolke_host::HostError::ENGINE, why))));
        }
    }
    features
}

fn of_machines() -> Vec<(&'static str, Result<String>)> {
    vec![("tap interfaces", isolated(&["--net"], &["ip", "tuntap", "add", "name", "wk0", "mode", "tap"]))]
}

/// A program in namespaces that end with it.
fn unshare(namespaces: &[&str], line: &[&str]) -> Program {
    Program::new("unshare").args(namespaces).arg("--").args(line)
}

fn isolated(namespaces: &[&str], line: &[&str]) -> Result<String> {
    unshare(namespaces, line).run()
}

/// Whether a device is there and lets itself be opened.
fn opens(device: &str) -> Result<String> {
    let opened = std::fs::File::options().read(true).write(true).open(device);
    let failed = |error| wolke_host::HostError::new(wolke_host::HostError::ENGINE, format!("{device}: {error}"));
    opened.map(|_| String::new()).map_err(failed)
}

/// The controllers of control groups, of either version.
fn controllers() -> BTreeSet<String> {
    let of_unified = CONTROLLERS_FILES.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    let mut carried: BTreeSet<String> =
        of_unified.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    carried.extend(legacy_controllers(&mounts));
    carried
}

/// The controllers of version 1 among mounts: they stand among the options.
fn legacy_controllers(mounts: &str) -> Vec<String> {
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let options =
        fields.filter_map(|fields| (fields.get(2) == Some(&"cgroup")).then(|| fields.get(3).copied()).flatten());
    options.flat_map(|options| options.split(',').map(str::to_owned)).collect()
}

/// The problem of a feature that did not work when it was tried.
fn lacking(name: &str, tried: Result<String>) -> Option<Problem> {
    let error = tried.err()?;
    let why = error.message.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(Problem { what: format!("the kernel has no {name}, or does not allow them here ({why})"), package: None })
}

/// How the processors of guests are run, as far as that is known. Nothing is booted to find it out.
fn acceleration(layout: &Layout) -> String {
    match acceleration::known(layout) {
        Ok(Some(verdict)) => verdict.to_string(),
        Ok(None) => "KVM: not known yet; whether guests boot with it is tried before it is used".to_owned(),
        Err(error) => format!("KVM: cannot be told: {}", error.message),
    }
}

/// This machine can run servers as chosen.
///
/// # Errors
/// Which runtime it cannot use and why, with the one command that installs what is missing.
pub fn require(choice: &RuntimeChoice, layout: &Layout) -> std::result::Result<(), String> {
    let wanted: BTreeSet<_> =
        [choice.shared, choice.dedicated].into_iter().chain(choice.types.values().copied()).collect();
    let findings = wanted.into_iter().map(|runtime| check(runtime, layout));
    let findings: Vec<_> = findings.filter(|finding| !finding.is_usable()).collect();
    if findings.is_empty() { Ok(()) } else { Err(refusal(&findings)) }
}

fn refusal(findings: &[Finding]) -> String {
    let of = |finding: &Finding| {
        format!("this machine cannot run servers as {}s: {}", finding.runtime.as_str(), finding.reasons())
    };
    let reasons: Vec<_> = findings.iter().map(of).collect();
    let fix = install(findings).map(|command| format!("; install what is missing with: {command}"));
    format!("{}{}", reasons.join(". "), fix.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{COMMON, Finding, Problem, check, legacy_controllers, refusal};
    use crate::image::need;
    use crate::layout::Layout;
    use wolke_host::Runtime;

    fn finding(runtime: Runtime, problems: &[(&str, Option<&'static str>)]) -> Finding {
        let problems = problems.iter().map(|(what, package)| Problem { what: (*what).to_owned(), package: *package });
        Finding { runtime, problems: problems.collect(), remark: None }
    }

    #[test]
    fn a_refusal_names_everything_and_one_command() {
        let findings = [
            finding(Runtime::Container, &[("no program lxc-start", Some("lxc")), ("no program ip", Some("iproute2"))]),
            finding(
                Runtime::Machine,
                &[("no program ip", Some("iproute2")), ("the kernel has no tap interfaces", None)],
            ),
        ];
        let expected = "this machine cannot run servers as containers: no program lxc-start; no program ip. \
                        this machine cannot run servers as machines: no program ip; the kernel has no tap interfaces; \
                        install what is missing with: apt-get install --no-install-recommends iproute2 lxc";
        assert_eq!(refusal(&findings), expected);
        assert_eq!(finding(Runtime::Machine, &[("it takes root", None)]).install(), None);
    }

    #[test]
    fn controllers_of_version_1_stand_among_the_options_of_mounts() {
        let mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n\
                      cgroup2 /sys/fs/cgroup/unified cgroup2 rw,memory 0 0\nproc /proc proc rw 0 0\n";
        assert_eq!(legacy_controllers(mounts), ["rw", "relatime", "cpu", "cpuacct"]);
    }

    #[test]
    fn nothing_is_needed_to_simulate_and_what_is_missing_is_said() {
        let layout = Layout::new("/nowhere".into());
        assert!(check(Runtime::Simulated, &layout).is_usable());
        for runtime in [Runtime::Container, Runtime::Machine] {
            let found = check(runtime, &layout);
            let says = found.remark.as_ref().is_some_and(|remark| remark.starts_with("KVM: "));
            assert_eq!(says, runtime == Runtime::Machine && found.is_usable(), "{found:?}");
            assert_eq!(found.is_usable(), found.reasons().is_empty(), "{found:?}");
            let all_named =
                found.problems.iter().filter(|p| p.what.starts_with("no program")).all(|p| p.package.is_some());
            assert!(all_named, "{found:?}");
            // Where every program is, root is not kept from anything on a machine that runs these tests.
            let programs = need::missing(COMMON).unwrap().is_empty();
            let features = found.problems.iter().filter(|p| p.what.starts_with("the kernel")).count();
            assert!(features == 0 || !programs, "{found:?}");
        }
    }
}
