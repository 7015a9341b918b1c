//! The metadata service with the reader that guests have: Debian's cloud-init, unpacked, asks a loopback listener whose answers
//! are the server's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use e2e::api::{SERVER_TYPE, expect, wait_success};
use e2e::prerequisite;
use e2e::process::Installation;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The longest request that the listener takes.
const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// An Ed25519 public key of nobody.
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB guest@wolke";

/// Listens on loopback and passes what one server would ask on to the admin API, which answers as the service does.
fn listen(socket: PathBuf, server: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|guest| pass_on(guest, &socket, server)));
    address
}

/// One request, one answer, one connection.
fn pass_on(mut guest: TcpStream, socket: &Path, server: u64) {
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") && request.len() < REQUEST_BYTES_MAX {
        let read = guest.read(&mut buffer).unwrap();
        assert!(read > 0, "the guest went away");
        request.extend_from_slice(&buffer[..read]);
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap();
    let mut service = UnixStream::connect(socket).unwrap();
    write!(service, "GET /servers/{server}/metadata{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    service.read_to_end(&mut answer).unwrap();
    guest.write_all(&answer).unwrap();
    guest.shutdown(Shutdown::Both).unwrap();
}

/// What cloud-init makes of a server's metadata.
fn read(modules: &Path, installation: &Installation, server: u64) -> Value {
    let address = listen(installation.data().join("admin.sock"), server);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cloud-init/read.py");
    let mut python = Command::new("python3");
    // -S: nothing but Python itself and the modules that were unpacked.
    python.arg("-S").arg(script).arg(format!("http://{address}/hetzner/v1")).arg(server.to_string());
    python.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("PYTHONPATH", modules);
    let output = python.stdin(Stdio::null()).output().expect("Python starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", installation.log());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn cloud_init_reads_the_metadata_of_a_server() {
    let Some(modules) = prerequisite::cloud_init("cloud_init_reads_the_metadata_of_a_server") else { return };
    let installation = Installation::embedded();
    let wolke = installation.serve(&[]);
    let mut client = wolke.client(&installation.token());
    let key = json!({"name": "guest", "public_key": PUBLIC_KEY});
    expect(client.post("/v1/ssh_keys", &key), 201);
    let user_data = "#cloud-config\nruncmd:\n- [touch, /root/it-worked]\n";
    let mut ids = Vec::new();
    // Hardware addresses follow the id. These have digits only: to base 60 they would be numbers.
    for n in 1..=3 {
        let body = json!({"name": format!("web-{n}"), "server_type": SERVER_TYPE, "image": "debian-12",
            "ssh_keys": ["guest"], "user_data": user_data, "location": "fsn1"});
        let made = expect(client.post("/v1/servers", &body), 201);
        wait_success(&mut client, &made);
        ids.push(made["server"]["id"].as_u64().unwrap());
    }
    let id = ids[2];
    let shown = expect(client.get(&format!("/v1/servers/{id}")), 200)["server"].clone();
    let seen = read(&modules, &installation, id);
    assert_eq!(seen["recognised"], true);
    assert_eq!((&seen["instance_id"], &seen["hostname"]), (&json!(id.to_string()), &json!("web-3")));
    assert_eq!((&seen["public_keys"], &seen["user_data"]), (&json!([PUBLIC_KEY]), &json!(user_data)));
    assert!(seen["vendor_data"].as_str().unwrap().contains("disable_root: false"), "{seen}");
    let metadata = &seen["metadata"];
    assert_eq!(metadata["public-ipv4"], shown["public_net"]["ipv4"]["ip"]);
    assert_eq!((&metadata["region"], &metadata["local-ipv4"]), (&json!("eu-central"), &json!("")));
    assert_eq!(metadata["availability-zone"], shown["datacenter"]["name"]);
    let [interface] = seen["interfaces"].as_array().unwrap().as_slice() else { panic!("{seen}") };
    assert_eq!((&interface["name"], &interface["type"]), (&json!("eth0"), &json!("physical")));
    assert_eq!(interface["mac_address"], json!(format!("96:00:00:00:00:{id:02x}")), "text, not a number");
    let subnets = interface["subnets"].as_array().unwrap();
    let network = shown["public_net"]["ipv6"]["ip"].as_str().unwrap().strip_suffix("/64").unwrap();
    assert_eq!((subnets.len(), &subnets[0]["type"]), (2, &json!("dhcp")));
    assert_eq!((&subnets[1]["address"], &subnets[1]["prefix"]), (&json!(format!("{network}1")), &json!(64)));
    assert_eq!(subnets[1]["gateway"], "fe80::1");
}

#[test]
fn cloud_init_finds_no_user_data_and_goes_on() {
    let Some(modules) = prerequisite::cloud_init("cloud_init_finds_no_user_data_and_goes_on") else { return };
    let installation = Installation::embedded();
    let wolke = installation.serve(&[]);
    let mut client = wolke.client(&installation.token());
    // Without public addresses, too: there is nothing to configure, and that is no error.
    let body = json!({"name": "bare", "server_type": SERVER_TYPE, "image": "debian-12", "start_after_create": false,
        "public_net": {"enable_ipv4": false, "enable_ipv6": false}});
    let made = expect(client.post("/v1/servers", &body), 201);
    wait_success(&mut client, &made);
    let seen = read(&modules, &installation, made["server"]["id"].as_u64().unwrap());
    assert_eq!((&seen["recognised"], &seen["user_data"]), (&json!(true), &json!("")));
    assert_eq!((&seen["public_keys"], &seen["interfaces"]), (&json!([]), &json!([])));
}
