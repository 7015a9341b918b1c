//! The flows with Ansible's collection `hetzner.hcloud` (`e2e/hcloud-ansible`): each of its modules makes, makes again without
//! effect, changes in check mode and really, looks up and deletes what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use e2e::flow::nothing_left;
use e2e::folder::Folder;
use e2e::process::Installation;
use e2e::{database, prerequisite};
use std::path::Path;
use std::process::{Command, Stdio};

/// The shortest playbook runs more tasks than these.
const TASKS_MIN: u32 = 5;

/// How many tasks the recap of a playbook calls good.
fn tasks(said: &str) -> u32 {
    let recap = said.rsplit("PLAY RECAP").next().unwrap_or_default();
    let good = recap.split_whitespace().filter_map(|word| word.strip_prefix("ok=")?.parse::<u32>().ok());
    good.sum()
}

/// Runs a playbook against a fresh server; in the end the project is empty.
fn run(modules: &Path, installation: &Installation, playbook: &str) {
    let mut server = installation.serve(&[]);
    let token = installation.token();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hcloud-ansible");
    // Ansible keeps its temporary files at home.
    let home = Folder::new("ansible");
    let mut ansible = Command::new("python3");
    ansible.args(["-B", "-m", "ansible", "playbook"]).arg(playbook).current_dir(&folder).stdin(Stdio::null());
    ansible.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("PYTHONPATH", modules);
    ansible.env("HOME", home.path()).env("LC_ALL", "C.UTF-8").env("ANSIBLE_CONFIG", folder.join("ansible.cfg"));
    ansible
        .env("HCLOUD_TOKEN", &token)
        .env("HCLOUD_ENDPOINT", server.endpoint())
        .env("HETZNER_ENDPOINT", server.endpoint());
    let output = ansible.output().expect("Python starts");
    let (said, warned) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{warned}\n{}", installation.log());
    assert!(tasks(&said) >= TASKS_MIN, "hardly anything ran: {said}\n{warned}");
    nothing_left(&server, &token);
    assert!(server.terminate().success(), "{}", installation.log());
}

/// Runs a playbook on the embedded engine, or says that `test` is skipped.
fn embedded(test: &str, playbook: &str) {
    let Some(modules) = prerequisite::ansible(test) else { return };
    run(&modules, &Installation::embedded(), playbook);
}

#[test]
fn ansible_catalogue() {
    embedded("ansible_catalogue", "catalogue.yml");
}

#[test]
fn ansible_servers() {
    embedded("ansible_servers", "servers.yml");
}

#[test]
fn ansible_networks() {
    embedded("ansible_networks", "networks.yml");
}

#[test]
fn ansible_addresses() {
    embedded("ansible_addresses", "addresses.yml");
}

#[test]
fn ansible_zones() {
    embedded("ansible_zones", "zones.yml");
}

#[test]
fn ansible_balancers() {
    embedded("ansible_balancers", "balancers.yml");
}

#[test]
fn ansible_storage_boxes() {
    embedded("ansible_storage_boxes", "storage_boxes.yml");
}

#[test]
fn ansible_on_postgres() {
    let Some(modules) = prerequisite::ansible("ansible_on_postgres") else { return };
    let Some(url) = prerequisite::postgres("ansible_on_postgres") else { return };
    run(&modules, &Installation::on_postgres(&database::create(&url, "ansible")), "networks.yml");
}
