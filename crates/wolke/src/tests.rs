//! Whole installations inside this process: starts, stops, first starts, and commands with and without a server.

use crate::clock::SystemClock;
use crate::config::{self, Settings};
use crate::directory::{Directory, Taken};
use crate::failure::Result;
use crate::reach::{self, Access};
use crate::seal_key::SealKey;
use crate::serve::Server;
use crate::testing::{Folder, lock};
use crate::{files, first_token, socket};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use wolke_store::migrate::{self, Role};
use wolke_store::sqlite::{Open, SqliteDb};

pub fn settings(folder: &Folder, more: &[(&'static str, &str)]) -> Settings {
    let data = folder.path().join("data").to_string_lossy().into_owned();
    let mut flags = BTreeMap::from([("data", data), ("listen", "127.0.0.1:0".to_owned())]);
    flags.extend(more.iter().map(|(key, text)| (*key, (*text).to_owned())));
    config::resolve(&flags, None, &BTreeMap::new()).unwrap()
}

/// A process's life: what it started ends with its runtime.
fn life<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    outcome
}

/// A server's life, with `work` in the middle of it.
pub fn serving<T>(settings: &Settings, work: impl AsyncFnOnce(&str) -> T) -> T {
    let directory = Directory::of(settings);
    directory.make().unwrap();
    life(async {
        let _lock = lock(&directory, "serve");
        let server = Server::start(settings, &directory, true).await.unwrap();
        let address = server.address.to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        let outcome = work(&address).await;
        stop.send(()).unwrap();
        running.await.unwrap();
        outcome
    })
}

/// The status of `GET path` with a token.
async fn status(address: &str, path: &str, token: &str) -> u16 {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn token(settings: &Settings) -> String {
    files::read(&Directory::of(settings).token()).unwrap().unwrap()
}

#[test]
fn starts_stops_and_remembers() {
    let folder = Folder::new();
    let settings = settings(&folder, &[]);
    let directory = Directory::of(&settings);
    serving(&settings, async |address| {
        assert_eq!(status(address, "/v1/servers", &token(&settings)).await, 200);
        assert_eq!(status(address, "/v1/servers", "wrong").await, 401);
        assert_eq!(files::read(&directory.endpoint()).unwrap().unwrap(), format!("http://{address}"));
        assert_eq!(reach::server(&settings).await, Some(directory.clone()));
    });
    assert!(first_token::is_token(&token(&settings)));
    assert!(!directory.endpoint().exists() && !directory.socket().exists(), "a stopped server leaves no trace");
    let first = token(&settings);
    serving(&settings, async |address| assert_eq!(status(address, "/v1/servers", &first).await, 200));
    assert_eq!(token(&settings), first);
}

#[test]
fn ephemeral_servers_leave_nothing_to_find() {
    let folder = Folder::new();
    let kept = settings(&folder, &[]);
    let settings = settings(&folder, &[("ephemeral", "true")]);
    let directory = Directory::of(&settings);
    serving(&settings, async |address| {
        assert_eq!(status(address, "/v1/servers", &token(&settings)).await, 200);
        assert_eq!(reach::server(&kept).await, Some(directory.clone()), "found without --ephemeral, too");
    });
    let first = token(&settings);
    serving(&settings, async |_| ());
    assert_ne!(token(&settings), first, "another database, another token");
    let all = std::fs::read_dir(folder.path().join("data")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(all.collect::<Vec<_>>(), ["ephemeral"]);
    life(async { assert!(Access::open(&settings, "project").await.is_err()) });
}

/// A session of the operator; times are taken out.
async fn session(access: &Access) -> Vec<Result<Value, String>> {
    let calls = [
        (Method::GET, "/projects", None),
        (Method::POST, "/projects", Some(json!({"name": "a b"}))),
        (Method::POST, "/projects", Some(json!({"name": "other"}))),
        (Method::POST, "/projects", Some(json!({"name": "other"}))),
        (Method::PUT, "/projects/other/limits", Some(json!({"server": 20, "snapshots": 0}))),
        (Method::PUT, "/projects/other/limits", Some(json!({"server": null}))),
        (Method::PUT, "/projects/other/limits", Some(json!({"iso": 1, "zone": -1, "volume": 3}))),
        (Method::GET, "/projects/nobody/limits", None),
        (
            Method::POST,
            "/tokens",
            Some(json!({"project": "other", "name": "t", "writes": false, "dialect": "2018-04"})),
        ),
        (Method::POST, "/tokens", Some(json!({"project": "nobody", "name": "t", "writes": false}))),
        (Method::GET, "/tokens", None),
        (Method::POST, "/clock/mode", Some(json!({"mode": "manual"}))),
        (Method::POST, "/clock/set", Some(json!({"now": "2100-01-01T00:00:00Z"}))),
        (Method::POST, "/clock/set", Some(json!({"now": "2099-01-01T00:00:00Z"}))),
        (Method::POST, "/clock/advance", Some(json!({"milliseconds": 86_400_000}))),
        (Method::GET, "/clock", None),
        (Method::DELETE, "/tokens/99", None),
        (Method::DELETE, "/projects/other", None),
        (Method::GET, "/tokens", None),
        (Method::GET, "/nonsense", None),
    ];
    let mut answers = Vec::new();
    for (method, path, body) in calls {
        let mut answer = access.call(method, path, body.as_ref()).await.map(without_chance);
        // The clock still moved when it was told to stand still.
        if let (Ok(clock), "/clock/mode") = (&mut answer, path) {
            clock["now"].take();
        }
        answers.push(answer.map_err(|failure| failure.text));
    }
    answers
}

fn without_chance(mut value: Value) -> Value {
    if let Some(array) = value.as_array_mut() {
        array.iter_mut().for_each(|each| *each = without_chance(each.take()));
    }
    if let Some(object) = value.as_object_mut() {
        object.retain(|name, _| !["created", "secret"].contains(&name.as_str()));
        object.iter_mut().for_each(|(_, each)| *each = without_chance(each.take()));
    }
    value
}

#[test]
fn commands_cannot_tell_a_server_from_a_database() {
    let (one, two) = (Folder::new(), Folder::new());
    let (with, without) = (settings(&one, &[]), settings(&two, &[]));
    let by_server = serving(&with, async |_| {
        let access = Access::open(&with, "project").await.unwrap();
        assert!(access.is_server());
        session(&access).await
    });
    serving(&without, async |_| ());
    let by_itself = life(async {
        let access = Access::open(&without, "project").await.unwrap();
        assert!(!access.is_server());
        let held = Directory::of(&without).lock("serve").unwrap();
        assert!(held.is_err(), "a command holds the directory as long as it works on the database");
        let answers = session(&access).await;
        drop(access.close().await);
        answers
    });
    assert_eq!(by_server, by_itself);
    assert_eq!(by_server[2], Ok(json!({"id": 3, "name": "other"})), "{by_server:?}");
    assert_eq!(by_server[3], Err("name is already used".to_owned()));
    assert_eq!(by_server[15].as_ref().map(|clock| &clock["now"]), Ok(&json!("2100-01-02T00:00:00+00:00")));
    let refused = by_server.iter().filter(|answer| answer.is_err()).count();
    assert_eq!(refused, 7, "{by_server:?}");
}

#[test]
fn a_server_waits_for_commands_and_not_for_servers() {
    let folder = Folder::new();
    let directory = Directory::of(&settings(&folder, &[]));
    directory.make().unwrap();
    life(async {
        let command = lock(&directory, "token");
        let waiting = {
            let directory = directory.clone();
            tokio::spawn(async move { reach::hold(&directory, "serve", Taken::by_server).await.unwrap() })
        };
        tokio::task::yield_now().await;
        drop(command);
        let server = waiting.await.unwrap().unwrap();
        let refused = reach::hold(&directory, "serve", Taken::by_server).await.unwrap();
        assert!(refused.is_err());
        drop(server);
    });
}

/// What happens to the token file when `before` happens between two starts.
fn restart(before: impl Fn(&Settings, &str)) -> (String, String) {
    let folder = Folder::new();
    let settings = settings(&folder, &[]);
    serving(&settings, async |_| ());
    let first = token(&settings);
    before(&settings, &first);
    let second = serving(&settings, async |address| {
        let second = token(&settings);
        assert_eq!(status(address, "/v1/servers", &second).await, 200, "the token in the file works");
        second
    });
    (first, second)
}

fn command(settings: &Settings, method: &Method, path: &str) {
    life(async {
        let access = Access::open(settings, "test").await.unwrap();
        access.call(method.clone(), path, None).await.unwrap();
        access.close().await
    });
}

#[test]
fn the_token_file_always_works_after_a_start() {
    let (first, second) = restart(|_, _| ());
    assert_eq!(first, second);
    let (first, second) = restart(|settings, _| std::fs::remove_file(Directory::of(settings).token()).unwrap());
    assert_ne!(first, second);
    let (first, second) = restart(|settings, _| command(settings, &Method::DELETE, "/tokens/1"));
    assert_ne!(first, second, "a deleted token is not brought back");
    // A crash after the pending file was written, and one after the commit.
    let pending = "p".repeat(64);
    let (_, second) = restart(|settings, _| {
        let directory = Directory::of(settings);
        std::fs::remove_file(directory.token()).unwrap();
        files::write(&directory.file("token.new"), &pending).unwrap();
    });
    assert_eq!(second, pending);
    let (first, second) = restart(|settings, _| {
        let directory = Directory::of(settings);
        std::fs::rename(directory.token(), directory.file("token.new")).unwrap();
    });
    assert_eq!(first, second);
}

#[test]
fn a_deleted_default_project_stays_deleted() {
    let folder = Folder::new();
    let settings = settings(&folder, &[]);
    serving(&settings, async |_| ());
    command(&settings, &Method::DELETE, "/projects/default");
    serving(&settings, async |address| {
        assert_eq!(status(address, "/v1/servers", &token(&settings)).await, 401);
        let access = Access::open(&settings, "test").await.unwrap();
        assert_eq!(access.call(Method::GET, "/projects", None).await, Ok(json!([])));
    });
}

#[test]
fn another_seal_key_is_refused() {
    let folder = Folder::new();
    let plain = settings(&folder, &[]);
    serving(&plain, async |_| ());
    let key = Directory::of(&plain).file("seal.key");
    let moved = folder.path().join("moved.key");
    std::fs::rename(&key, &moved).unwrap();
    let refused = life(async { Access::open(&plain, "test").await.err().unwrap() });
    assert!(refused.text.contains("--seal-key"), "{refused:?}");
    assert!(!key.exists(), "a key that fits nothing is not left behind");
    let named = settings(&folder, &[("seal_key", moved.to_str().unwrap())]);
    serving(&named, async |_| ());
    files::write(&moved, &"7".repeat(64)).unwrap();
    assert!(life(async { Access::open(&named, "test").await.is_err() }));
    files::write(&moved, "short").unwrap();
    let refused = life(async { Access::open(&named, "test").await.err().unwrap() });
    assert!(refused.text.contains("64 hexadecimal digits"), "{refused:?}");
    std::fs::remove_file(&moved).unwrap();
    assert!(life(async { Access::open(&named, "test").await.is_err() }));
    assert!(!moved.exists(), "a key that was named is never made");
}

/// The token that a copy of an installation makes next, when its seal key is this one and its database knows it.
fn next_token(original: &Settings, key: &str) -> String {
    let folder = Folder::new();
    let copy = settings(&folder, &[]);
    let (from, to) = (Directory::of(original), Directory::of(&copy));
    to.make().unwrap();
    for name in ["token", "root.db"] {
        std::fs::copy(from.file(name), to.file(name)).unwrap();
    }
    std::fs::copy(from.world_database().unwrap(), to.world_database().unwrap()).unwrap();
    files::write(&to.file("seal.key"), key).unwrap();
    life(async {
        // Tells the root database that this is its key. (Opened only for that, so its own key does not matter.)
        let fingerprint = SealKey::load(&to.file("seal.key"), false).unwrap().fingerprint();
        let (clock, seed, key) = (Arc::new(SystemClock::new()), String::new(), Vec::new());
        let open = Open { role: Role::Root, clock, seed, key, on_commit: Arc::new(|_| {}) };
        let root = SqliteDb::open(&to.root_database().unwrap(), open).unwrap();
        root.write(move |tx| migrate::set_meta(tx, "seal_key", &fingerprint)).await.unwrap();
    });
    life(async {
        let access = Access::open(&copy, "test").await.unwrap();
        let body = json!({"project": "default", "name": "t", "writes": true});
        let made = access.call(Method::POST, "/tokens", Some(&body)).await.unwrap();
        access.close().await.unwrap();
        made["secret"].as_str().unwrap().to_owned()
    })
}

#[test]
fn tokens_are_drawn_with_the_seal_key() {
    let folder = Folder::new();
    let settings = settings(&folder, &[]);
    serving(&settings, async |_| ());
    let key = files::read(&Directory::of(&settings).file("seal.key")).unwrap().unwrap();
    let token = next_token(&settings, &key);
    assert_eq!(token, next_token(&settings, &key), "the copies have nothing else of their own");
    assert_ne!(token, next_token(&settings, &"7".repeat(64)), "without the key nobody can work a token out");
}

#[test]
fn only_serve_makes_an_installation() {
    let folder = Folder::new();
    let typo = settings(&folder, &[]);
    let refused = life(async { Access::open(&typo, "env").await.err().unwrap() });
    assert!(refused.text.contains("nothing is installed in") && refused.text.contains("wolke serve"), "{refused:?}");
    assert!(!Directory::of(&typo).path().exists(), "nothing is left there");
    let named = settings(&folder, &[("database", "postgres://nobody@127.0.0.1:1/nothing")]);
    let refused = life(async { Access::open(&named, "env").await.err().unwrap() });
    assert!(refused.text.contains("nothing is installed in"), "{refused:?}");
}

#[test]
fn a_secret_is_known_by_what_it_opens() {
    let folder = Folder::new();
    let settings = settings(&folder, &[]);
    serving(&settings, async |_| {
        let access = Access::open(&settings, "test").await.unwrap();
        let find = async |secret: &str| {
            access.call(Method::POST, "/tokens/find", Some(&json!({"secret": secret}))).await.unwrap()
        };
        assert_eq!(find(&token(&settings)).await["name"], "first start");
        assert_eq!(find("wrong").await, Value::Null);
        access.call(Method::DELETE, "/tokens/1", None).await.unwrap();
        assert_eq!(find(&token(&settings)).await, Value::Null);
    });
}

#[test]
fn a_port_in_use_is_told() {
    let folder = Folder::new();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let settings = settings(&folder, &[("listen", &address)]);
    let directory = Directory::of(&settings);
    directory.make().unwrap();
    let refused = life(async { Server::start(&settings, &directory, true).await.err().unwrap() });
    assert!(refused.text.contains(&address) && refused.text.contains("--listen"), "{refused:?}");
    assert!(!directory.file("root.db").exists(), "refused before anything was made");
    life(async { assert!(socket::connect(&directory.socket()).await.is_none()) });
}
