//! Real containers: started, limited, killed, copied; and that nothing of them is left.
//!
//! They need root, LXC and the images of `cargo xtask test`.

#[path = "container/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use wolke_host::HostError;
use wolke_host::plan::Guest;
use wolke_linux::engine::{Counters, Engine, Reboot};
use wolke_linux::image::ImageStore;
use wolke_wire::metadata::{Metadata, PublicInterface};
use world::{World, kill, run, wait};

/// A crypt(3) hash of a password that nobody uses.
const HASH: &str = "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/";
/// Bytes in a MiB.
const MIB: u64 = 1024 * 1024;

#[test]
fn a_container_starts_and_stops_again_and_again() {
    let Some((world, image)) = World::with("life", "tiny") else { return };
    let server = world.server(&image, 1);
    assert_eq!(server.guest(), Guest::Off);
    for _ in 0..2 {
        server.start();
        let init = server.init();
        server.start();
        assert_eq!(server.init(), init, "a container that runs is left alone");
        assert_eq!(server.inside("ls /sys/class/net").trim(), "lo");
        server.stop();
        server.stop();
        assert!(!server.dir.run().exists());
        world.assert_clean();
    }
}

#[test]
fn ends_are_told_from_losses() {
    let Some((world, image)) = World::with("ends", "tiny") else { return };
    let server = world.server(&image, 1);
    server.start();
    server.leave_inside("poweroff");
    server.wait_for(Guest::Off);
    assert_eq!(world.reopened().guest(&server.dir).unwrap(), Guest::Off, "also for who did not see it");

    server.start();
    kill(server.monitor());
    server.wait_for(Guest::Lost);
    assert_eq!(world.reopened().guest(&server.dir).unwrap(), Guest::Lost);

    server.start();
    kill(server.init());
    server.wait_for(Guest::Lost);

    server.start();
    let (init, monitor) = (server.init(), server.monitor());
    kill(monitor);
    let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(init).unwrap(), rustix::process::Signal::KILL);
    server.wait_for(Guest::Lost);
    server.stop();
    world.assert_clean();
}

#[test]
fn reboots() {
    let Some((world, image)) = World::with("reboots", "tiny") else { return };
    let server = world.server(&image, 1);
    server.start();
    server.inside("echo kept > /root/kept");
    server.inside("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
    let (monitor, first) = (server.monitor(), server.init());
    let used = world.containers.counters(&server.dir).unwrap().cpu_ms;
    server.leave_inside("reboot");
    wait("another init", || server.guest() == Guest::Running && server.init() != first);
    let after = world.containers.counters(&server.dir).unwrap().cpu_ms;
    assert!(after >= used && used > 0, "{used} ms, then {after} ms");

    let second = server.init();
    assert_eq!(world.containers.reboot(&server.dir, &server.boot()).unwrap(), Reboot::Done);
    assert_ne!(server.init(), second);
    assert_eq!(server.monitor(), monitor, "LXC starts it again by itself");

    world.containers.reset(&server.dir, &server.boot()).unwrap();
    assert_ne!(server.monitor(), monitor);
    assert_eq!(server.inside("cat /root/kept").trim(), "kept");
    server.stop();
    world.assert_clean();
}

#[test]
fn the_size_of_a_disk_is_enforced_and_grows() {
    let Some((world, image)) = World::with("disk", "tiny") else { return };
    let server = world.server(&image, 1);
    server.start();
    let free = |server: &world::Server<'_>| -> u64 {
        let said = server.inside("df -k / | tail -n 1");
        said.split_whitespace().nth(3).unwrap().parse::<u64>().unwrap() / 1024
    };
    assert!((900..1024).contains(&free(&server)), "{} MiB", free(&server));
    let (said, filled) = server.try_inside("dd if=/dev/zero of=/root/big bs=1M count=1100");
    assert!(!filled && said.contains("No space left on device"), "{said}");

    world.containers.grow_disk(&server.dir, &server.disk, 2).unwrap();
    world.containers.grow_disk(&server.dir, &server.disk, 2).unwrap();
    if !world::may_grow_live() {
        // Seen at the next start, then.
        world.containers.reset(&server.dir, &server.boot()).unwrap();
    }
    assert!((900..1100).contains(&free(&server)), "what was added is free: {} MiB", free(&server));
    server.inside("rm /root/big");
    server.stop();
    world.containers.grow_disk(&server.dir, &server.disk, 3).unwrap();
    world.assert_clean();
    server.start();
    assert!((2900..3072).contains(&free(&server)), "{} MiB", free(&server));
    server.stop();
    world.assert_clean();
}

#[test]
fn an_image_without_a_root_file_system_is_missing() {
    let Some((world, mut image)) = World::with("missing", "tiny") else { return };
    image.path = world.layout.state().join("nothing");
    let disk = world.layout.state().join("disk");
    std::fs::create_dir(&disk).unwrap();
    assert_eq!(world.containers.fill_disk(&disk, &image, 1).unwrap_err().code, HostError::IMAGE_MISSING);
}

#[test]
fn memory_and_processors_are_limited() {
    let Some((world, image)) = World::with("limits", "tiny") else { return };
    let mut server = world.server(&image, 1);
    server.definition.memory_mb = 64;
    server.start();
    // `tail` keeps what has no line break in memory.
    let (_, survived) = server.try_inside("head -c 200m /dev/zero | tail -n 1 | wc -c | grep -q 209715200");
    assert!(!survived, "200 MiB fit into 64 MiB");
    assert_eq!(server.guest(), Guest::Running, "only the eater died");

    // Two busy loops for a second of real time on one core.
    let before = world.containers.counters(&server.dir).unwrap().cpu_ms;
    server.inside("timeout 2 sh -c 'while :; do :; done' & timeout 2 sh -c 'while :; do :; done'; true");
    let used = world.containers.counters(&server.dir).unwrap().cpu_ms - before;
    assert!((200..2800).contains(&used), "{used} ms of two processors in about two seconds, with a limit of one");
    server.stop();
    world.assert_clean();
}

#[test]
fn the_power_button() {
    let Some((world, image)) = World::with("power", "tiny") else { return };
    let server = world.server(&image, 1);
    world.containers.press_power(&server.dir).unwrap();
    server.start();
    // The init has to be ready to take it.
    wait("the init's children", || server.inside("ps").lines().count() > 3);
    world.containers.press_power(&server.dir).unwrap();
    server.wait_for(Guest::Off);

    server.start();
    server.inside("rm /sbin/init; printf '#!/bin/sh\\ntrap \"\" TERM USR2\\nwhile :; do sleep 1; done\\n' > /sbin/init; chmod 755 /sbin/init");
    world.containers.reset(&server.dir, &server.boot()).unwrap();
    wait("the stubborn init", || server.inside("ps").contains("sleep 1"));
    world.containers.press_power(&server.dir).unwrap();
    server.inside("sleep 3");
    assert_eq!(server.guest(), Guest::Running, "it does not listen");
    server.stop();
    world.assert_clean();
}

#[test]
fn passwords() {
    let Some((world, image)) = World::with("passwords", "tiny") else { return };
    let server = world.server(&image, 1);
    let failed = |hash: &str| world.containers.set_password(&server.dir, hash).unwrap_err();
    assert_eq!(failed(HASH).code, HostError::GUEST_AGENT);
    server.start();
    world.containers.set_password(&server.dir, HASH).unwrap();
    assert!(server.inside("grep ^root: /etc/shadow").starts_with(&format!("root:{HASH}:")));
    assert_eq!(failed("x\nroot:y").code, HostError::GUEST_AGENT);
    server.inside("for place in /usr/sbin /usr/bin /sbin /bin; do rm -f $place/chpasswd; done");
    assert_eq!(failed(HASH).message, "the server has no chpasswd");
    server.stop();
}

#[test]
fn counters_grow_and_start_anew() {
    let Some((world, image)) = World::with("counters", "tiny") else { return };
    let server = world.server(&image, 1);
    assert_eq!(world.containers.counters(&server.dir).unwrap(), Counters::default());
    server.start();
    server.inside("dd if=/dev/urandom of=/root/data bs=1M count=20; sync");
    let written = world.containers.counters(&server.dir).unwrap();
    assert!(written.cpu_ms > 0 && written.disk_write_ops > 0, "{written:?}");
    assert!((20 * MIB..60 * MIB).contains(&written.disk_write_bytes), "{written:?}");
    server.stop();
    assert_eq!(world.containers.counters(&server.dir).unwrap(), Counters::default());
    server.start();
    server.inside("cat /root/data > /dev/null");
    let read = world.containers.counters(&server.dir).unwrap();
    assert!(read.disk_read_ops > 0 && read.disk_read_bytes > 0, "{read:?}");
    assert!(read.disk_write_bytes < 20 * MIB, "{read:?}");
    server.stop();
    world.assert_clean();
}

/// Files that are easily copied wrongly, and what tells that they are right.
const CURIOUS: &str = "set -e; cd /root; echo text > plain; ln plain link; ln -s plain symbolic; \
    cp /bin/busybox setuid; chown 12:34 setuid; chmod 4755 setuid; \
    dd if=/dev/zero of=sparse bs=1 count=1 seek=100M 2>/dev/null; mkfifo fifo; rm -f /etc/motd /etc/issue; mv /mnt /mnt2";
const LOOK: &str = "cd /root; stat -c '%n %a %u %g %h %F %s' plain link symbolic setuid fifo sparse; [ $(du -k sparse | cut -f 1) -lt 1024 ] && echo sparse; \
    ls -d /etc/motd /etc/issue /mnt /mnt2 2>/dev/null; cat link";

#[test]
fn snapshots() {
    let Some((world, image)) = World::with("snapshots", "tiny") else { return };
    let server = world.server(&image, 1);
    server.start();
    server.inside(CURIOUS);
    let looked = server.inside(LOOK);
    assert!(looked.contains("setuid 4755 12 34 1"), "{looked}");
    server.leave_inside("while :; do date > /root/busy; done");
    let running = world.snapshot(&server, "image-1");
    server.inside("true");
    server.stop();
    let off = world.snapshot(&server, "image-2");
    world.assert_clean();
    for image in [running, off] {
        let copy = world.server(&image, 1);
        copy.start();
        assert_eq!(copy.inside(LOOK), looked);
        copy.stop();
    }
    world.assert_clean();
}

/// Stops a copy of a disk where it stands, for ever, as soon as there is one; whether there is.
fn hang_copy(to: &Path) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let copies = processes.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok().and_then(rustix::process::Pid::from_raw)?;
        let line = String::from_utf8_lossy(&std::fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
        (line.starts_with("sh -c cp ") && line.contains(to.to_str()?)).then_some(pid)
    });
    // A group of its own.
    copies.filter(|pid| rustix::process::kill_process_group(*pid, rustix::process::Signal::STOP).is_ok()).count() > 0
}

#[test]
fn power_does_not_wait_for_a_copy() {
    let Some((world, image)) = World::with("copy", "tiny") else { return };
    let server = world.server(&image, 1);
    server.start();
    // Large enough for the copy to be seen.
    server.inside("dd if=/dev/urandom of=/root/large bs=1M count=300; sync");
    let store = ImageStore::new(world.layout.images());
    let unwanted = AtomicBool::new(false);
    let ends: [(&str, &(dyn Fn() + Sync)); 4] = [
        ("nobody wants it", &|| unwanted.store(true, Ordering::SeqCst)),
        ("reset", &|| world.containers.reset(&server.dir, &server.boot()).unwrap()),
        ("power button", &|| world.containers.press_power(&server.dir).unwrap()),
        ("stop", &|| world.containers.stop(&server.dir).unwrap()),
    ];
    for (how, end) in ends {
        unwanted.store(false, Ordering::SeqCst);
        server.start();
        // The init has to be ready for its button.
        wait("the init's children", || server.inside("ps").lines().count() > 3);
        let slot = store.begin("image-1").unwrap();
        let wanted = || !unwanted.load(Ordering::SeqCst);
        std::thread::scope(|scope| {
            let copy =
                scope.spawn(|| world.containers.snapshot(&server.dir, &server.disk, &server.image, &slot, &wanted));
            wait("the copy", || hang_copy(&slot.path));
            assert!(world.is_held(&server), "it stands still meanwhile");
            end();
            let error = copy.join().unwrap().unwrap_err();
            assert_eq!(error.code, HostError::ENGINE, "{how}: {error}");
        });
        assert!(!slot.path.join("disk.copy").exists(), "{how}");
        store.abandon(slot).unwrap();
        match how {
            "power button" => {
                // A copy that is begun now lets it go off first.
                world.snapshot(&server, "image-2");
                assert_eq!(server.guest(), Guest::Off, "{how}");
            }
            "stop" => assert_eq!(server.guest(), Guest::Off),
            _ => assert!(!world.is_held(&server) && server.guest() == Guest::Running, "{how}"),
        }
    }
    server.stop();
    world.assert_clean();
}

#[test]
fn a_guest_that_ignores_its_reboot_runs_on() {
    let Some((world, image)) = World::with("deaf", "tiny") else { return };
    let server = world.server(&image, 1);
    server.start();
    server.inside("rm /sbin/init; printf '#!/bin/sh\\ntrap \"\" TERM USR2\\nwhile :; do sleep 1; done\\n' > /sbin/init; chmod 755 /sbin/init");
    world.containers.reset(&server.dir, &server.boot()).unwrap();
    wait("the stubborn init", || server.inside("ps").contains("sleep 1"));
    let init = server.init();
    assert_eq!(world.containers.reboot(&server.dir, &server.boot()).unwrap(), Reboot::Asked);
    assert_eq!((server.guest(), server.init()), (Guest::Running, init));
    server.stop();
    world.assert_clean();
}

#[test]
fn a_container_that_was_held_goes_on_when_the_host_comes_back() {
    let Some((world, image)) = World::with("held", "tiny") else { return };
    let server = world.server(&image, 1);
    server.start();
    world.hold(&server, true);
    let _again = world.reopened();
    wait("its processes", || !world.is_held(&server));
    // And one that is held can be stopped.
    world.hold(&server, true);
    server.stop();
    world.assert_clean();
}

#[test]
fn a_container_cannot_harm_the_machine() {
    let Some((world, image)) = World::with("harm", "tiny") else { return };
    let (server, other) = (world.server(&image, 1), world.server(&image, 1));
    server.start();
    other.start();
    for forbidden in [
        "echo b > /proc/sysrq-trigger",
        "echo 1 > /proc/sys/kernel/panic",
        "echo 1 > /proc/sys/vm/drop_caches",
        "echo x > /proc/sys/kernel/core_pattern",
        "touch /sys/kernel/x",
        "mknod /root/node b 7 0 && dd if=/root/node of=/dev/null count=1",
        "mknod /root/node c 1 1 && dd if=/root/node of=/dev/null count=1",
        "mkdir -p /root/m && mount -t ext4 /dev/loop0 /root/m",
        "mkdir -p /root/m && mount -t devtmpfs devtmpfs /root/m",
        "mount -o remount,rw /proc/sys && echo x > /proc/sys/kernel/core_pattern",
        "date -s 2001-01-01; [ $(date +%Y) = 2001 ]",
        "ls /dev | grep -E 'loop|vda|sda|kmsg|mem|kvm|fuse'",
        "dmesg -n 1",
        "grep -l '[l]xc monitor' /proc/[0-9]*/cmdline",
        "chown 70000 /root",
    ] {
        let (said, done) = server.try_inside(forbidden);
        assert!(!done, "{forbidden}: {said}");
    }
    // Processes of others are not there, so they cannot be killed.
    let processes = server.inside("ls -d /proc/[0-9]* | wc -l").trim().parse::<u32>().unwrap();
    assert!(processes < 20, "{processes} processes");
    let (said, _) = server.try_inside("kill -9 -1");
    assert_eq!(other.guest(), Guest::Running, "{said}");
    // Its groups are its own; the limits are not.
    let (said, raised) = server.try_inside(
        "mkdir -p /root/c && mount -t cgroup -o memory none /root/c && echo 1000000000 > /root/c/memory.limit_in_bytes",
    );
    assert!(!raised, "{said}");
    server.stop();
    other.stop();
    world.assert_clean();
}

#[test]
fn the_interface_stays_over_reboots_and_comes_back_at_the_end() {
    let Some((mut world, image)) = World::with("link", "debian-12") else { return };
    let link = world.link(1);
    let namespace = link.namespace.clone();
    let mac = link.mac.clone();
    let mut server = world.server(&image, 4);
    server.link = Some(link);
    server.definition.memory_mb = 512;
    server.metadata = Some(metadata(&server.definition.name, &mac));
    let address = || server.inside("cat /sys/class/net/eth0/address").trim().to_owned();
    server.start();
    assert_eq!(address(), mac);
    world.containers.reset(&server.dir, &server.boot()).unwrap();
    assert_eq!(address(), mac);
    wait("systemd", || server.try_inside("systemctl is-system-running --wait").0.contains("running"));
    world.containers.reboot(&server.dir, &server.boot()).unwrap();
    assert_eq!(address(), mac);
    server.stop();
    let shown = run("ip", &["-n", namespace.file_name().unwrap().to_str().unwrap(), "-o", "link"]);
    assert!(shown.contains("wkp1@"), "{shown}");
    world.assert_clean();
}

fn metadata(name: &str, mac: &str) -> Metadata {
    Metadata {
        instance_id: 1,
        hostname: name.to_owned(),
        availability_zone: "fsn1-dc14".into(),
        region: "eu-central".into(),
        public: Some(PublicInterface {
            mac: mac.to_owned(),
            ipv4: None,
            ipv6: Some(std::net::Ipv6Addr::new(0x2001, 0xdb8, 1, 1, 0, 0, 0, 0)),
        }),
        public_keys: Vec::new(),
        private_networks: Vec::new(),
        user_data: Some("#cloud-config\nruncmd:\n- echo arrived > /root/marker\n".into()),
        root_password_hash: Some(HASH.into()),
    }
}

/// What only the guest may know.
const SECRET: &str = "a-secret-that-must-not-reach-the-disk";

/// The files below a directory that hold the secret.
#[expect(clippy::unwrap_used, reason = "a test helper fails the test")]
fn leaks(directory: &Path) -> Vec<PathBuf> {
    let found = Command::new("grep").args(["-rlas", "--", SECRET]).arg(directory).output().unwrap();
    String::from_utf8_lossy(&found.stdout).lines().map(PathBuf::from).collect()
}

#[test]
fn user_data_reaches_the_container_and_no_disk() {
    let Some((world, mut image)) = World::with("secret", "tiny") else { return };
    // It takes a seed, and has no cloud-init that would write down inside what stands in it.
    image.manifest.cloud_init = true;
    let mut server = world.server(&image, 1);
    let user_data = format!("#!/bin/sh\n# \u{fc}\t{SECRET}\n\n{}", "x".repeat(30_000));
    server.metadata = Some(Metadata { user_data: Some(user_data.clone()), ..metadata("web-1", "96:00:00:00:00:01") });
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = Vec::new();
            while !over.load(Ordering::SeqCst) {
                seen.extend(leaks(&server.dir.run()));
            }
            seen
        });
        let started = world.containers.start(&server.dir, &server.boot());
        over.store(true, Ordering::SeqCst);
        started.unwrap();
        assert_eq!(watcher.join().unwrap(), [] as [PathBuf; 0], "while it starts");
    });
    let seed = "/var/lib/cloud/seed/nocloud-net";
    assert_eq!(server.inside(&format!("cat {seed}/user-data")), user_data);
    assert_eq!(
        server.inside(&format!("stat -c '%n %a %u %g' {seed} {seed}/user-data")),
        format!("{seed} 700 0 0\n{seed}/user-data 600 0 0\n")
    );
    assert!(server.inside(&format!("cat {seed}/meta-data {seed}/vendor-data {seed}/network-config")).contains("web-1"));
    server.inside("sync");
    assert_eq!(leaks(&server.dir.path), [] as [PathBuf; 0], "while it runs, its disk included");

    // A start that fails half way leaves nothing, either.
    kill(server.monitor());
    server.wait_for(Guest::Lost);
    let file = server.disk.join("disk.img");
    std::fs::rename(&file, server.disk.join("away.img")).unwrap();
    world.containers.start(&server.dir, &server.boot()).unwrap_err();
    assert_eq!(leaks(&server.dir.path), [] as [PathBuf; 0], "after a start that failed");
    std::fs::rename(server.disk.join("away.img"), &file).unwrap();
    server.start();
    server.stop();
    world.assert_clean();
}

#[test]
fn debian_boots_with_its_seed() {
    let Some((mut world, image)) = World::with("debian", "debian-12") else { return };
    let link = world.link(1);
    let mut server = world.server(&image, 4);
    let mut metadata = metadata("web-1", &link.mac);
    let namespace = link.namespace.file_name().unwrap().to_str().unwrap().to_owned();
    let key = world.layout.state().join("key");
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]);
    metadata.public_keys = vec![std::fs::read_to_string(key.with_extension("pub")).unwrap().trim().to_owned()];
    run("ip", &["-n", &namespace, "address", "add", "fe80::1/64", "dev", "wk1", "nodad"]);
    run("ip", &["-n", &namespace, "route", "add", "2001:db8:1:1::/64", "dev", "wk1"]);
    server.link = Some(link);
    server.definition.memory_mb = 512;
    server.metadata = Some(metadata);
    let begun = wait("the start", || {
        server.start();
        true
    });
    let ssh = |script: &str| {
        let options = "-oBatchMode=yes -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oConnectTimeout=5";
        let output = Command::new("nsenter")
            .args([&format!("--net=/run/netns/{namespace}"), "ssh"])
            .args(options.split(' '))
            .args(["-i", key.to_str().unwrap(), "root@2001:db8:1:1::1", script])
            .output()
            .unwrap();
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
    };
    let to_ssh = wait("SSH", || ssh("true").1);
    println!("start {begun:?}, then SSH after {to_ssh:?}");
    wait("cloud-init", || ssh("cloud-init status --wait >/dev/null; test -e /root/marker").1);
    let (said, _) = ssh("systemctl is-system-running --wait; systemctl --failed --no-legend");
    assert_eq!(said.trim(), "running");
    assert_eq!(ssh("hostname").0.trim(), "web-1");
    assert_eq!(ssh("cat /etc/machine-id").0.trim(), server.definition.uuid.replace('-', ""));
    assert!(ssh("grep ^root: /etc/shadow").0.starts_with(&format!("root:{HASH}:")));
    world.containers.set_password(&server.dir, "$6$other").unwrap();
    assert!(ssh("grep ^root: /etc/shadow").0.starts_with("root:$6$other:"));
    world.containers.press_power(&server.dir).unwrap();
    server.wait_for(Guest::Off);
    server.stop();
    world.assert_clean();
}
