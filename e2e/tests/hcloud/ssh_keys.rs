//! SSH keys.

use e2e::flow::Flow;
use e2e::folder::Folder;
use serde_json::json;

/// A public key made for these tests; nobody holds the private half.
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIECEyYmOjnizBckgGLpuy2w/OBjo9IjyVd1dqWEMx/yC e2e@wolke";

#[test]
fn ssh_keys() {
    let Some(flow) = Flow::start("ssh_keys") else { return };
    let folder = Folder::new("key");
    let file = folder.path().join("key.pub");
    std::fs::write(&file, PUBLIC_KEY).unwrap();
    let file = file.to_str().unwrap();

    flow.hcloud.ok(&["ssh-key", "create", "--name", "laptop", "--public-key-from-file", file, "--label", "team=a"]);
    let keys = flow.hcloud.json(&["ssh-key", "list"]);
    assert_eq!(keys.as_array().unwrap().len(), 1);
    let key = flow.hcloud.json(&["ssh-key", "describe", "laptop"]);
    assert_eq!(key["labels"], json!({"team": "a"}));
    assert_eq!(key["public_key"], PUBLIC_KEY);
    // MD5, sixteen pairs of hex digits.
    assert_eq!(key["fingerprint"].as_str().unwrap().split(':').count(), 16);

    // Uniqueness is by key, whatever the name says, and by name, whatever the key is.
    flow.hcloud.refused(&["ssh-key", "create", "--name", "other", "--public-key-from-file", file], "uniqueness_error");
    flow.hcloud.refused(&["ssh-key", "create", "--name", "bad", "--public-key", "no key at all"], "invalid_input");

    flow.create("with-key", &["--ssh-key", "laptop"]);
    flow.hcloud.ok(&["server", "delete", "with-key"]);
    flow.hcloud.ok(&["ssh-key", "delete", "laptop"]);
    assert!(flow.hcloud.fail(&["ssh-key", "describe", "laptop"]).contains("not found"));
    flow.ends_empty();
}
