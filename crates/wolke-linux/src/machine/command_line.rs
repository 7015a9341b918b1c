//! The command line of QEMU: what the machine is made of.
//!
//! Works with QEMU 7.2 (Debian 12) up to 10. Nothing of the defaults is taken: what is not listed here is not there.
//!
//! **Confinement.** QEMU opens the files of a host, which are root's, and then becomes a user that nobody else is, one for each
//! server, before its guest runs: without any capability, without the way to get one, and with a filter of system calls. So it
//! can open nothing of the host any more, and what it is to open later is handed to it (snapshots). The parts of the filter
//! that forbid new processes and changes of identity do not go together with `-daemonize`, which forks, and with the change of
//! identity itself; what they forbid beyond that is what missing capabilities forbid, too.

use std::path::Path;

use serde_json::json;
use wolke_wire::Id;

use super::acceleration::Accelerator;
use super::disk::DISK;
use super::run::{Monitor, Run};
use crate::engine::Boot;
use crate::image::{BootBy, ID_BASE, ID_COUNT};
use crate::layout::ServerDir;
use crate::program::Program;

/// The emulator.
pub const QEMU: &str = "qemu-system-x86_64";
/// The name of the disk's node and of what is asked about it.
pub const DISK_NODE: &str = "disk";
/// The ring that holds the newest output of the serial port.
pub const CONSOLE: &str = "console";
/// Its size in bytes; a power of two.
pub const CONSOLE_SIZE: u32 = 1 << 16;
/// The socket of the guest agent, by name.
pub const AGENT: &str = "agent";
/// The port by which guest agents know where to listen.
const AGENT_PORT: &str = "org.qemu.guest_agent.0";
/// Empty slots for what is plugged in later: `pcie.0` itself takes nothing while the machine runs.
const HOTPLUG_PORTS: u32 = 4;
/// The slot of the public interface: on bus 1, so that systemd calls it `enp1s0`, as on the real service.
const NIC_PORT: u32 = 1;

/// The program that starts a server's machine and returns when its monitor listens.
#[must_use]
pub fn program(server: &ServerDir, boot: &Boot<'_>, accelerator: Accelerator) -> Program {
    let run = Run::of(server);
    let bare = ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all,+setuid,+setgid", "--"];
    let program = match boot.link {
        Some(link) => Program::in_namespace(&link.namespace, "setpriv"),
        None => Program::new("setpriv"),
    };
    let program = program.args(bare).arg(QEMU);
    let program = machine(program, server, boot, accelerator);
    let program = kernel(disk(program, boot), boot);
    let program = nic(ports(program), boot);
    let user = user(server.id);
    channels(program, &run)
        .args(["-runas", &format!("{user}:{user}")])
        .arg("-pidfile")
        .arg(run.pid_file())
        .arg("-daemonize")
}

/// Whom the QEMU of a server runs as, and its group: far above anybody's, above those of containers, and another one for each
/// server that this machine can run.
#[must_use]
pub fn user(server: Id) -> u32 {
    let number = u32::try_from(server.rem_euclid(i64::from(ID_COUNT))).unwrap_or_default();
    ID_BASE + ID_COUNT + number
}

fn machine(program: Program, server: &ServerDir, boot: &Boot<'_>, accelerator: Accelerator) -> Program {
    let definition = boot.definition;
    let identity = format!("type=1,manufacturer=Hetzner,product=vServer,serial={},uuid={}", server.id, definition.uuid);
    program
        .arg("-name")
        .arg(server.name())
        .args(["-nodefaults", "-no-user-config", "-display", "none"])
        .args(["-sandbox", "on,obsolete=deny,resourcecontrol=deny"])
        .args(["-machine", "q35,usb=off,vmport=off,smm=off,dump-guest-core=off"])
        .args(accelerator.arguments())
        .arg("-smp")
        .arg(definition.cores.to_string())
        .arg("-m")
        .arg(format!("{}M", definition.memory_mb))
        .args(["-uuid", &definition.uuid, "-smbios", &identity])
        // A guest that switches itself off leaves QEMU behind, so that this can be told from a QEMU that was killed.
        .arg("-no-shutdown")
        .args(["-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random"])
}

fn disk(program: Program, boot: &Boot<'_>) -> Program {
    let file = boot.disk.join(DISK);
    let node = json!({
        "driver": "qcow2", "node-name": DISK_NODE, "discard": "unmap",
        "file": { "driver": "file", "filename": file.to_string_lossy(), "discard": "unmap" },
    });
    // A full file system of the host stops the guest until there is room; any other error is the guest's to see.
    let device = json!({
        "driver": "virtio-blk-pci", "id": "disk0", "drive": DISK_NODE, "werror": "enospc", "rerror": "report",
        "bootindex": 1,
    });
    program.arg("-blockdev").arg(node.to_string()).arg("-device").arg(device.to_string())
}

fn kernel(program: Program, boot: &Boot<'_>) -> Program {
    match &boot.image.manifest.boot {
        BootBy::Firmware => program,
        BootBy::Kernel { cmdline } => {
            let file = |name: &str| boot.image.path.join(name);
            program.arg("-kernel").arg(file("vmlinuz")).arg("-initrd").arg(file("initrd")).args(["-append", cmdline])
        }
    }
}

fn ports(program: Program) -> Program {
    (NIC_PORT..=NIC_PORT + HOTPLUG_PORTS).fold(program, |program, slot| {
        program.arg("-device").arg(format!("pcie-root-port,id=port{slot},chassis={slot},slot={slot}"))
    })
}

fn nic(program: Program, boot: &Boot<'_>) -> Program {
    let Some(link) = boot.link else { return program };
    let back = json!({
        "type": "tap", "id": "public", "ifname": link.device, "script": "no", "downscript": "no", "vhost": false,
    });
    // Without the ROM: it boots from networks, and lies in a package that nothing else here needs.
    let device = json!({
        "driver": "virtio-net-pci", "id": "nic0", "netdev": "public", "mac": link.mac, "bus": format!("port{NIC_PORT}"),
        "romfile": "",
    });
    program.arg("-netdev").arg(back.to_string()).arg("-device").arg(device.to_string())
}

fn channels(program: Program, run: &Run) -> Program {
    let program = Monitor::ALL.into_iter().fold(program, |program, which| {
        let name = which.name();
        program
            .arg("-chardev")
            .arg(socket(name, &run.monitor(which)))
            .arg("-mon")
            .arg(format!("chardev={name},mode=control"))
    });
    program
        .arg("-chardev")
        .arg(format!("ringbuf,id={CONSOLE},size={CONSOLE_SIZE}"))
        .args(["-serial", &format!("chardev:{CONSOLE}")])
        .args(["-device", "virtio-serial-pci,id=serial0", "-chardev"])
        .arg(socket(AGENT, &run.agent()))
        .arg("-device")
        .arg(json!({ "driver": "virtserialport", "chardev": AGENT, "name": AGENT_PORT }).to_string())
}

fn socket(id: &str, path: &Path) -> String {
    format!("socket,id={id},path={},server=on,wait=off", escaped(&path.to_string_lossy()))
}

/// QEMU's lists of options are separated by commas, which are doubled inside a value.
fn escaped(value: &str) -> String {
    value.replace(',', ",,")
}
