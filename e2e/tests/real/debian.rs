//! A full Debian in a virtual machine, through cloud-init's own Hetzner data source to SSH.

use crate::stage::{BOOT_LIMIT, Stage};
use e2e::wait::wait_for;

#[test]
fn debian_boots_through_cloud_init_in_a_machine() {
    let Some(stage) = Stage::start("debian_boots_through_cloud_init_in_a_machine") else { return };
    let user_data = stage.installation.data().join("user-data");
    std::fs::write(&user_data, "#cloud-config\nruncmd:\n- [sh, -c, 'echo it-worked > /root/marker']\n").unwrap();
    let more = ["--user-data-from-file", user_data.to_str().unwrap()];
    let address = stage.create("deb", "vm2", "debian-12", &more);
    let marker = wait_for(BOOT_LIMIT, || {
        let read = stage.try_ssh(&address, "cat /root/marker");
        read.status.success().then(|| String::from_utf8_lossy(&read.stdout).trim().to_owned())
    });
    assert_eq!(marker.as_deref(), Some("it-worked"), "{}", stage.ssh(&address, "cloud-init status --long"));
    assert_eq!(stage.ssh(&address, "cloud-id"), "hetzner");
    assert_eq!(stage.ssh(&address, "hostname"), "deb");
    let id = stage.id("deb");
    assert_eq!(stage.ssh(&address, "cat /sys/class/dmi/id/product_serial"), id);
    assert_eq!(stage.ssh(&address, "curl -s http://169.254.169.254/hetzner/v1/metadata/instance-id"), id);
    let routes = stage.ssh(&address, "ip route");
    assert!(routes.contains("default via 172.31.1.1"), "{routes}");
    let network = stage.describe("deb")["public_net"]["ipv6"]["ip"].as_str().unwrap().replace("/64", "1");
    assert!(stage.ssh(&address, "ip -6 address show dev eth0").contains(&network), "{network}");
    let pinged = stage.inside("ping").args(["-6", "-c", "1", "-W", "10", &network]).output().unwrap();
    assert!(pinged.status.success(), "{pinged:?}");
    let size = stage.ssh(&address, "df -BG --output=size / | tail -1");
    assert!(["8G", "7G"].contains(&size.trim()), "the file system fills the disk of 8 GB: {size}");

    let said = stage.hcloud.ok(&["server", "reset-password", "deb"]);
    let (_, password) = said.trim_end().rsplit_once(": ").unwrap_or_else(|| panic!("no password in {said:?}"));
    let logged_in = stage.try_ssh_with_password(&address, password, "id -un");
    assert_eq!(String::from_utf8_lossy(&logged_in.stdout).trim(), "root", "{logged_in:?}");
    assert!(!stage.try_ssh_with_password(&address, "wrong", "true").status.success(), "any password will do");
    // Asked politely; then from inside, which shows outside.
    stage.hcloud.ok(&["server", "shutdown", "deb"]);
    stage.wait_status("deb", "off");
    stage.hcloud.ok(&["server", "poweron", "deb"]);
    stage.reachable(&address);
    let _ = stage.try_ssh(&address, "systemctl poweroff");
    stage.wait_status("deb", "off");
    stage.delete(&["deb"]);
    stage.ends_empty();
}
