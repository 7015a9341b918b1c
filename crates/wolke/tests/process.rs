//! The program from outside: what it prints, what it refuses, how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wolke-process-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The program with this folder as its home, and without what the developer has set.
    fn wolke(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wolke"));
        command.args(args).env_clear().env("HOME", &self.0).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.wolke(args).output().unwrap()
    }

    fn data(&self) -> PathBuf {
        self.0.join(".local/share/wolke")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that has said that it is ready.
struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    line: String,
}

impl Serving {
    fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut command = folder.wolke(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self { child, stdout, line }
    }

    fn url(&self) -> String {
        self.line.trim_end().rsplit(' ').next().unwrap().to_owned()
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Sends SIGTERM and returns the exit code, after nothing more was printed or logged.
    fn end_quietly(mut self) -> Option<i32> {
        self.terminate();
        let (mut rest, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!((rest.as_str(), log.as_str()), ("", ""));
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn one_line_then_silence_then_an_orderly_end() {
    let folder = Folder::new("one-line");
    let serving = Serving::start(&folder, &[]);
    let start = concat!("wolke ", env!("CARGO_PKG_VERSION"), " listens on http://127.0.0.1:");
    assert!(serving.line.starts_with(start), "{}", serving.line);
    assert_eq!(serving.end_quietly(), Some(0));
    assert!(folder.data().join("root.db").is_file());
}

#[test]
fn a_second_server_is_refused_by_name() {
    let folder = Folder::new("second");
    let serving = Serving::start(&folder, &[]);
    let refused = folder.run(&["serve", "--listen", "127.0.0.1:0"]);
    let said = text(&refused.stderr);
    let name =
        format!("data directory {} is in use by wolke serve (pid {})", folder.data().display(), serving.child.id());
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(1), String::new()));
    assert!(said.contains(&name), "{said}");
    assert_eq!(serving.end_quietly(), Some(0));
    // A process that was killed holds nothing.
    let mut killed = Serving::start(&folder, &[]);
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert_eq!(Serving::start(&folder, &[]).end_quietly(), Some(0));
}

#[test]
fn the_first_signal_waits_and_the_second_does_not() {
    let folder = Folder::new("signals");
    let mut serving = Serving::start(&folder, &[]);
    let address = serving.url().trim_start_matches("http://").to_owned();
    let token = std::fs::read_to_string(folder.data().join("token")).unwrap();
    let mut half = std::net::TcpStream::connect(&address).unwrap();
    let head = format!(
        "POST /v1/ssh_keys HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n",
        token.trim()
    );
    half.write_all(head.as_bytes()).unwrap();
    // Its 100 says that the body is waited for: the request is under way.
    let mut start = [0; 12];
    half.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 100");
    serving.terminate();
    let began = Instant::now();
    while std::net::TcpStream::connect(&address).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10), "a server that drains accepts nothing");
        std::thread::yield_now();
    }
    assert_eq!(serving.child.try_wait().unwrap(), None, "the request under way is waited for");
    serving.terminate();
    assert_eq!(serving.child.wait().unwrap().code(), Some(1));
    assert!(began.elapsed() < Duration::from_secs(5), "the second signal does not wait");
}

#[test]
fn env_with_and_without_a_server() {
    let folder = Folder::new("env");
    let nothing = folder.run(&["env"]);
    assert!(nothing.status.code() == Some(1) && text(&nothing.stderr).contains("nothing is installed"), "{nothing:?}");
    assert!(nothing.stdout.is_empty() && !folder.data().exists(), "{nothing:?}");
    assert_eq!(Serving::start(&folder, &[]).end_quietly(), Some(0));
    let before = folder.run(&["env"]);
    assert!(before.status.success() && text(&before.stderr).contains("no server is running"), "{before:?}");
    assert!(text(&before.stdout).contains("export HCLOUD_ENDPOINT=http://127.0.0.1:4280/v1\n"), "{before:?}");
    let serving = Serving::start(&folder, &[]);
    let during = folder.run(&["env"]);
    assert_eq!(text(&during.stderr), "");
    let lines = text(&during.stdout);
    for name in ["HCLOUD_ENDPOINT", "HCLOUD_HETZNER_ENDPOINT", "HETZNER_ENDPOINT"] {
        assert!(lines.contains(&format!("export {name}={}/v1\n", serving.url())), "{lines}");
    }
    let token = |output: &Output| text(&output.stdout).lines().next().unwrap().to_owned();
    assert!(token(&before).starts_with("export HCLOUD_TOKEN=") && token(&before) == token(&during));
    let json: serde_json::Value = serde_json::from_slice(&folder.run(&["env", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["HCLOUD_ENDPOINT"], format!("{}/v1", serving.url()));
    // A killed server leaves its files behind; nobody believes them.
    drop(serving);
    assert!(folder.data().join("endpoint").exists());
    let after = folder.run(&["env"]);
    assert!(text(&after.stdout).contains("127.0.0.1:4280"), "{after:?}");
    assert_eq!(folder.run(&["env", "--ephemeral"]).status.code(), Some(1));
}

#[test]
fn secrets_are_shown_once_and_alone() {
    let folder = Folder::new("secrets");
    assert_eq!(Serving::start(&folder, &[]).end_quietly(), Some(0));
    let made = folder.run(&["token", "create", "--read-only", "--name", "ci"]);
    let secret = text(&made.stdout).trim_end().to_owned();
    assert_eq!((secret.len(), secret.chars().all(|c| c.is_ascii_alphanumeric())), (64, true), "{made:?}");
    let listed = text(&folder.run(&["token", "list"]).stdout);
    assert!(listed.contains("read-only") && !listed.contains(&secret), "{listed}");
    for file in ["root.db", "token", "seal.key"] {
        let bytes = std::fs::read(folder.data().join(file)).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file}");
    }
    let id = listed.lines().find(|line| line.contains("ci")).unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(folder.run(&["token", "delete", "ci"]).status.code(), Some(0));
    assert_eq!(folder.run(&["token", "delete", &id]).status.code(), Some(1));
}

#[test]
fn a_deleted_token_is_not_given_out() {
    let folder = Folder::new("deleted");
    let serving = Serving::start(&folder, &[]);
    assert_eq!(folder.run(&["token", "delete", "first start"]).status.code(), Some(0));
    let refused = folder.run(&["env"]);
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(1), String::new()));
    let said = text(&refused.stderr);
    assert!(said.contains("was deleted") && said.contains("wolke token create"), "{said}");
    assert_eq!(serving.end_quietly(), Some(0));
    // Without a server the installation is opened as a start would, which makes a new one.
    assert!(folder.run(&["env"]).status.success());
}

#[test]
fn a_world_that_is_gone_is_not_served_empty() {
    let folder = Folder::new("worldless");
    drop(Serving::start(&folder, &[]));
    let world = folder.data().join("worlds/main.db");
    std::fs::remove_file(&world).unwrap();
    let refused = folder.run(&["token", "list"]);
    let said = text(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("is gone: restore the data directory"), "{said}");
    assert!(!world.exists(), "nothing stands in for it");
}

/// Makes a resource with the first token.
fn create(folder: &Folder, serving: &Serving, path: &str, body: &str) {
    let token = std::fs::read_to_string(folder.data().join("token")).unwrap();
    let mut stream = std::net::TcpStream::connect(serving.url().trim_start_matches("http://")).unwrap();
    let request = format!(
        "POST /v1{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        token.trim(),
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[test]
fn a_project_is_gone_when_its_deletion_returns() {
    let folder = Folder::new("ending");
    let serving = Serving::start(&folder, &[]);
    create(&folder, &serving, "/servers", r#"{"name":"web-1","server_type":"cpx22","image":"debian-12"}"#);
    let refused = folder.run(&["project", "delete", "default"]);
    let said = text(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("it holds 2 primary IPs, 1 server"), "{said}");
    let done = folder.run(&["project", "delete", "default", "--everything"]);
    assert!(done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(), "{done:?}");
    assert_eq!(text(&folder.run(&["project", "list", "--output", "json"]).stdout), "[]\n");
}

#[test]
fn metadata_of_a_server() {
    let folder = Folder::new("metadata");
    let serving = Serving::start(&folder, &[]);
    let body =
        r##"{"name":"web-1","server_type":"cpx22","image":"debian-12","user_data":"#cloud-config\npackages: []"}"##;
    create(&folder, &serving, "/servers", body);
    let said = |args: &[&str]| text(&folder.run(args).stdout);
    assert_eq!(said(&["metadata", "1", "hostname"]), "web-1\n");
    assert_eq!(said(&["metadata", "1", "userdata"]), "#cloud-config\npackages: []", "byte for byte");
    assert!(said(&["metadata", "1"]).contains("\ninstance-id: 1\n"));
    assert_eq!(said(&["metadata", "web-1", "hostname"]), "web-1\n", "by its name, too");
    assert_eq!(said(&["metadata", "web-1", "hostname", "--project", "default"]), "web-1\n");
    assert_eq!(said(&["metadata", "1", "private-networks"]), "[]\n");
    assert!(folder.run(&["guest", "answer", "--server", "web-1", "--status", "503"]).status.success());
    assert!(said(&["guest", "list"]).contains("answer   503"));
    let unknown = folder.run(&["guest", "drop", "--server", "web-2"]);
    assert!(unknown.status.code() == Some(1), "{unknown:?}");
    assert!(text(&unknown.stderr).contains("server not found: 'web-2'"), "{unknown:?}");
    let nobody = folder.run(&["metadata", "2"]);
    assert!(nobody.status.code() == Some(1) && text(&nobody.stderr).contains("not found"), "{nobody:?}");
}

#[test]
fn a_doctor_changes_nothing_and_says_what_fails() {
    let folder = Folder::new("doctor");
    let fresh = folder.run(&["doctor"]);
    assert_eq!(fresh.status.code(), Some(0), "{fresh:?}");
    assert!(!folder.data().exists() && !folder.0.join(".local").exists(), "nothing is made");
    // What a killed server has left (a log that was not folded into its databases) is read, and stays.
    drop(Serving::start(&folder, &[]));
    let log = || std::fs::read(folder.data().join("worlds/main.db-wal")).unwrap();
    let before = log();
    let killed = folder.run(&["doctor"]);
    let said = text(&killed.stdout);
    assert!(
        killed.status.success() && said.contains("nobody holds") && said.contains("this release works with"),
        "{said}"
    );
    assert!(!before.is_empty() && before == log());
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let failed = folder.run(&["doctor", "--output", "json", "--listen", &taken]);
    assert_eq!((failed.status.code(), text(&failed.stderr).contains("1 of ")), (Some(1), true), "{failed:?}");
    let said: serde_json::Value = serde_json::from_slice(&failed.stdout).unwrap();
    let port = said["checks"].as_array().unwrap().iter().find(|check| check["name"] == "port").unwrap();
    assert_eq!((&said["failed"], &port["status"]), (&1.into(), &"fail".into()));
    assert!(port["fix"].as_str().unwrap().contains("--listen"), "{port}");
    let people = text(&folder.run(&["doctor", "--listen", &taken]).stdout);
    assert!(people.contains("\nFAIL     port ") && people.contains(" fix: "), "{people}");
}

#[test]
fn completions_and_pages_need_no_configuration() {
    let folder = Folder::new("manual");
    std::fs::create_dir_all(folder.0.join(".config/wolke")).unwrap();
    std::fs::write(folder.0.join(".config/wolke/wolke.toml"), "broken").unwrap();
    for (shell, part) in [("bash", "complete -F _wolke"), ("zsh", "#compdef wolke"), ("fish", "complete -c wolke")] {
        let script = text(&folder.run(&["completions", shell]).stdout);
        assert!(script.contains(part) && script.contains("insecure-listen"), "{shell}: {script}");
    }
    assert!(text(&folder.run(&["man"]).stdout).contains(".TH wolke 1"));
    let pages = folder.0.join("man/man1");
    assert_eq!(folder.run(&["man", "--dir", pages.to_str().unwrap()]).status.code(), Some(0));
    for page in ["wolke.1", "wolke-serve.1", "wolke-token-create.1", "wolke-doctor.1"] {
        assert!(std::fs::read_to_string(pages.join(page)).unwrap().contains(".SH NAME"), "{page}");
    }
    assert_eq!(folder.run(&["config"]).status.code(), Some(2));
}

#[test]
fn exit_codes() {
    let folder = Folder::new("codes");
    assert_eq!(Serving::start(&folder, &[]).end_quietly(), Some(0));
    for (args, code) in [
        (&["--version"][..], 0),
        (&["--help"], 0),
        (&["serve", "--help"], 0),
        (&["config"], 0),
        (&["config", "--example"], 0),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["metadata", "1"], 1),
        (&["project", "delete", "nothing"], 1),
        (&["serve", "--nonsense"], 2),
        (&["serve", "--listen", "nowhere"], 2),
        (&["serve", "--listen", "0.0.0.0:0"], 2),
        (&["clock", "advance", "soon"], 2),
        (&["clock", "set", "soon"], 2),
        (&["project", "list", "--config", "/does/not/exist.toml"], 1),
    ] {
        let output = folder.run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
        assert_eq!(output.stderr.is_empty(), code == 0, "{args:?}: {output:?}");
    }
    let mut command = folder.wolke(&["project", "list"]);
    let refused = command.env("WOLKE_LISTN", "x").output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let nobody: &Path = &folder.0.join("file");
    std::fs::write(nobody, "").unwrap();
    let refused = folder.run(&["serve", "--data", nobody.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}
