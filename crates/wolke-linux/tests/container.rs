//! Real containers: started, limited, killed, copied; and that nothing of them is left.
//!
//! They need root, LXC and the images of `cargo xtask test`.

#[path = "container/world.rs"]
mod world;

use wolke_host::plan::Guest;
use wolke_linux::engine::Engine;
use world::{World, kill, wait};

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
        assert_eq!(server.inside("cat /proc/sys/kernel/hostname").trim(), "web-1");
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
    world.containers.reboot(&server.dir, &server.boot()).unwrap();
    assert_ne!(server.init(), second);
    assert_eq!(server.monitor(), monitor, "LXC starts it again by itself");

    world.containers.reset(&server.dir, &server.boot()).unwrap();
    assert_ne!(server.monitor(), monitor);
    assert_eq!(server.inside("cat /root/kept").trim(), "kept");
    server.stop();
    world.assert_clean();
}
