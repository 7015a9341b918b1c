//! The floor: the same guest, started by scripts.

use super::inside::Key;
use super::{Case, newest, succeed};
use e2e::folder::Folder;
use e2e::wait::wait_for;
use serde_json::Value;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wolke_wire::metadata::{METADATA_PATH, Metadata, PublicInterface, USERDATA_PATH};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 19, 255, 1);
const NETWORK: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0);
const MAC: &str = "96:00:00:00:ff:01";
/// Our end of the link, and the guest's.
const DEVICES: (&str, &str) = ("byhand0", "byhand1");
/// Disk, processors and memory of the server types that are measured.
const CONTAINER: Size = Size { disk_gb: 40, cores: 2, memory_mb: 4096 };
const MACHINE: Size = Size { disk_gb: 80, cores: 2, memory_mb: 8192 };
/// How long killed processes may take to be gone.
const GONE: Duration = Duration::from_secs(60);
/// What every container gets here, beside size and network.
const CONFIG: &str = "lxc.uts.name = by-hand
lxc.rootfs.path = dir:/mnt/rootfs
lxc.mount.auto = cgroup:mixed proc:mixed sys:mixed
lxc.autodev = 1
lxc.pty.max = 1024
lxc.tty.max = 0
lxc.seccomp.profile = /usr/share/lxc/config/common.seccomp
lxc.net.0.type = phys
lxc.net.0.name = eth0
";

struct Size {
    disk_gb: u32,
    cores: u32,
    memory_mb: u32,
}

/// One kind of guest, started by hand.
pub struct ByHand<'a> {
    pub case: &'a Case,
    pub images: &'a Path,
    pub key: &'a Key,
}

impl ByHand<'_> {
    /// Seconds from the first command to the end of one over SSH.
    pub fn measure(&self) -> f64 {
        // Where anybody may pass: the root of a container is nobody outside.
        let folder = Folder::new("by-hand");
        let work = folder.path();
        let image = newest(self.images, self.case.image);
        let manifest = std::fs::read(image.join("manifest.json")).expect("a manifest");
        let manifest: Value = serde_json::from_slice(&manifest).expect("a manifest");
        let documents = self.documents(work, manifest["cloud_init"] == true);
        let began = Instant::now();
        network(work, &documents, self.case.is_machine);
        if self.case.is_machine {
            machine(work, &image, manifest["boot"]["cmdline"].as_str().expect("a command line"));
        } else {
            container(work, &image);
        }
        self.key.wait_for_command(IpAddr::V4(ADDRESS));
        let took = began.elapsed().as_secs_f64();
        end(work);
        took
    }

    /// Writes what the guest is told, as documents of a web server and as a seed.
    fn documents(&self, work: &Path, cloud_init: bool) -> PathBuf {
        let metadata = Metadata {
            instance_id: 4711,
            hostname: "by-hand".into(),
            availability_zone: "fsn1-dc14".into(),
            region: "eu-central".into(),
            public: Some(PublicInterface { mac: MAC.into(), ipv4: Some(ADDRESS), ipv6: Some(NETWORK) }),
            public_keys: vec![self.key.public()],
            private_networks: Vec::new(),
            user_data: None,
            root_password_hash: None,
        };
        let documents = work.join("documents");
        for path in [METADATA_PATH, USERDATA_PATH] {
            let file = documents.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            std::fs::write(file, metadata.answer(path).expect("a document")).expect("a document");
        }
        if cloud_init {
            std::fs::create_dir(work.join("seed")).expect("a folder");
            for (name, content) in metadata.nocloud().files() {
                std::fs::write(work.join("seed").join(name), content).expect("a seed");
            }
        }
        documents
    }
}

fn network(work: &Path, documents: &Path, tap: bool) {
    let guest = if tap { "tap" } else { DEVICES.1 };
    let mut script = script(include_str!("network.sh"));
    script.args([DEVICES.0, guest, MAC]).arg(ADDRESS.to_string()).arg(NETWORK.to_string()).arg(work).arg(documents);
    succeed(&mut script);
}

fn container(work: &Path, image: &Path) {
    let mut config = CONFIG.to_owned();
    let _ = writeln!(config, "lxc.net.0.link = {}", DEVICES.1);
    // The files of the image are shifted to where the ids of containers begin.
    let root = std::fs::metadata(image.join("rootfs")).expect("a root file system").uid();
    let _ = writeln!(config, "lxc.idmap = u 0 {root} 65536\nlxc.idmap = g 0 {root} 65536");
    let bytes = u64::from(CONTAINER.memory_mb) << 20;
    let quota = CONTAINER.cores * 100_000;
    // One of the two hierarchies has the controllers.
    if Path::new("/sys/fs/cgroup/memory").exists() {
        let _ = writeln!(config, "lxc.cgroup.memory.limit_in_bytes = {bytes}\nlxc.cgroup.cpu.cfs_quota_us = {quota}");
    } else {
        let _ = writeln!(config, "lxc.cgroup2.memory.max = {bytes}\nlxc.cgroup2.cpu.max = {quota} 100000");
    }
    if work.join("seed").exists() {
        config.push_str("lxc.mount.entry = /mnt/seed var/lib/cloud/seed/nocloud-net none bind,ro,create=dir 0 0\n");
    }
    std::fs::write(work.join("config"), config).expect("a configuration");
    let mut script = script(include_str!("container.sh"));
    succeed(script.arg(image).arg(work).arg(CONTAINER.disk_gb.to_string()));
}

fn machine(work: &Path, image: &Path, cmdline: &str) {
    let mut script = script(include_str!("machine.sh"));
    script.arg(image).arg(work).args([MACHINE.disk_gb, MACHINE.cores, MACHINE.memory_mb].map(|size| size.to_string()));
    succeed(script.args([DEVICES.0, MAC, cmdline]));
}

fn script(text: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", text, "sh"]);
    command
}

/// Ends what was started: by its own process ids, and the link.
fn end(work: &Path) {
    let id = |file: &str| std::fs::read_to_string(work.join(file)).ok().map(|text| text.trim().to_owned());
    let monitor = id("pid").expect("a process id");
    // The init of a container first: its monitor then gives the interface back and clears up.
    let init = std::fs::read_to_string(format!("/proc/{monitor}/task/{monitor}/children")).unwrap_or_default();
    let first = init.split_whitespace().next().unwrap_or(&monitor).to_owned();
    kill(&first);
    wait_gone(&monitor);
    ["httpd.pid", "udhcpd.pid"].iter().filter_map(|file| id(file)).for_each(|id| kill(&id));
    let delete = || Command::new("ip").args(["link", "delete", DEVICES.0]).stderr(Stdio::null()).status();
    let deleted = wait_for(GONE, || delete().is_ok_and(|status| status.success()).then_some(()));
    assert!(deleted.is_some(), "{} cannot be deleted", DEVICES.0);
}

fn kill(id: &str) {
    let _ = Command::new("kill").args(["-9", id]).stderr(Stdio::null()).status();
}

fn wait_gone(id: &str) {
    let gone = wait_for(GONE, || (!Path::new("/proc").join(id).exists()).then_some(()));
    assert!(gone.is_some(), "process {id} does not end");
}
