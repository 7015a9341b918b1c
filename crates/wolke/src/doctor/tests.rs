//! Every failing case that can be brought about, on real directories and databases.

use super::{Check, Grade, examine, lines};
use crate::config::Settings;
use crate::directory::Directory;
use crate::files;
use crate::testing::{Folder, lock};
use crate::tests::{serving, settings};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use wolke_store::migrate::Role;

/// Where a database file holds the number of its schema (the SQLite file format, offset of the user version).
const USER_VERSION: usize = 60;

fn checks(settings: &Settings) -> Vec<Check> {
    // On a thread of its own: the caller may stand on a runtime.
    let checks = std::thread::scope(|scope| scope.spawn(|| examine(settings)).join().unwrap()).unwrap();
    for check in &checks {
        assert_eq!(check.status == Grade::Ok, check.fix.is_none(), "what is wrong has a fix: {check:?}");
        assert!(!check.message.contains('\n') && !check.message.is_empty(), "{check:?}");
    }
    checks
}

fn check(settings: &Settings, name: &str) -> Check {
    let checks = checks(settings);
    let found = checks.iter().find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {checks:?}")).clone()
}

/// The check has that grade, and message and fix hold these parts.
fn expect(settings: &Settings, name: &str, grade: Grade, parts: &[&str]) {
    let check = check(settings, name);
    assert_eq!(check.status, grade, "{check:?}");
    let said = format!("{} | {}", check.message, check.fix.clone().unwrap_or_default());
    for part in parts {
        assert!(said.contains(part), "{part} in {said}");
    }
}

/// An installation that was served once and stands still.
fn installed(folder: &Folder) -> Settings {
    let settings = settings(folder, &[]);
    serving(&settings, async |_| ());
    settings
}

/// Every file below a folder with its content and the time of its last change.
fn everything(folder: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(everything(&path));
        } else {
            let changed = entry.metadata().unwrap().modified().unwrap();
            all.insert(path.display().to_string(), (std::fs::read(&path).unwrap_or_default(), changed));
        }
    }
    all
}

fn set_schema(settings: &Settings, role: Role, number: u32) {
    let path = Directory::of(settings).database(role);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[USER_VERSION..USER_VERSION + 4].copy_from_slice(&number.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn a_fresh_machine_is_fine_and_stays_as_it_is() {
    let folder = Folder::new();
    let settings = settings(&folder, &[]);
    let checks = checks(&settings);
    let names: Vec<_> = checks.iter().map(|check| check.name).collect();
    assert_eq!(names, ["disk", "lock", "schema", "seal key", "clock", "port", "containers", "virtual machines"]);
    assert!(checks.iter().all(|check| check.status != Grade::Fail), "{checks:?}");
    assert!(everything(folder.path()).is_empty() && !settings.data.exists());
}

#[test]
fn an_installation_is_fine_and_stays_as_it_is() {
    let folder = Folder::new();
    let settings = installed(&folder);
    let before = everything(folder.path());
    let checks = checks(&settings);
    assert!(checks.iter().all(|check| check.status != Grade::Fail), "{checks:?}");
    assert_eq!(everything(folder.path()), before);
    expect(&settings, "schema", Grade::Ok, &["what this release works with"]);
    expect(&settings, "seal key", Grade::Ok, &["fingerprint"]);
    expect(&settings, "clock", Grade::Ok, &["world time is"]);
}

#[test]
fn a_running_server_is_recognised() {
    let folder = Folder::new();
    let plain = settings(&folder, &[]);
    serving(&plain, async |address| {
        let on_its_port = settings(&folder, &[("listen", address)]);
        expect(&on_its_port, "port", Grade::Ok, &["taken by the server that runs here"]);
        expect(&plain, "port", Grade::Ok, &["the server that runs here listens on", address]);
        expect(&plain, "lock", Grade::Ok, &["held by wolke serve (pid", "which answers"]);
        expect(&plain, "schema", Grade::Ok, &["what this release works with"]);
        expect(&plain, "seal key", Grade::Ok, &["fingerprint"]);
        let before = everything(folder.path());
        checks(&plain);
        let names = |all: BTreeMap<String, _>| all.into_keys().collect::<Vec<_>>();
        assert_eq!(names(everything(folder.path())), names(before));
    });
    let ephemeral = settings(&folder, &[("ephemeral", "true")]);
    serving(&ephemeral, async |_| expect(&ephemeral, "lock", Grade::Ok, &["which answers"]));
    expect(&ephemeral, "seal key", Grade::Ok, &["drawn at every start"]);
}

#[test]
fn a_directory_that_cannot_be_one() {
    let folder = Folder::new();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let settings = settings(&folder, &[("data", path.to_str().unwrap())]);
        expect(&settings, "disk", Grade::Fail, &["is not a directory", "--data DIR"]);
    }
    // Not even root can make a file there.
    let settings = settings(&folder, &[("data", "/proc/wolke")]);
    expect(&settings, "disk", Grade::Fail, &["/proc cannot be written"]);
}

#[test]
fn a_directory_that_somebody_holds() {
    let folder = Folder::new();
    let settings = installed(&folder);
    let directory = Directory::of(&settings);
    let own = std::process::id();
    let held = lock(&directory, "serve");
    expect(&settings, "lock", Grade::Warning, &[&format!("wolke serve (pid {own})"), &format!("kill {own}")]);
    drop(held);
    let _held = lock(&directory, "token");
    expect(&settings, "lock", Grade::Warning, &["wolke token (pid", "again in a moment"]);
}

#[test]
fn a_relative_directory_that_exists_is_there() {
    let folder = Folder::new();
    let mut settings = installed(&folder);
    let up: std::path::PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
    settings.data = up.join(settings.data.strip_prefix("/").unwrap());
    let check = check(&settings, "disk");
    assert!(!check.message.contains("not there yet"), "{check:?}");
}

#[test]
fn a_world_that_is_gone_is_no_fresh_start() {
    let folder = Folder::new();
    let settings = installed(&folder);
    let world = Directory::of(&settings).database(Role::World);
    std::fs::remove_file(&world).unwrap();
    expect(&settings, "schema", Grade::Fail, &["the world database", "is gone", "restore the data directory"]);
}

#[test]
fn schemas_of_other_releases_and_damage() {
    let folder = Folder::new();
    let settings = installed(&folder);
    for role in [Role::Root, Role::World] {
        let newest = u32::try_from(role.newest()).unwrap();
        set_schema(&settings, role, newest + 1);
        let number = format!("has schema {}", newest + 1);
        expect(&settings, "schema", Grade::Fail, &[&number, "use the newer release"]);
        set_schema(&settings, role, newest - 1);
        expect(&settings, "schema", Grade::Warning, &["the next start migrates it", "cp -a "]);
        set_schema(&settings, role, newest);
        expect(&settings, "schema", Grade::Ok, &[]);
    }
    std::fs::write(Directory::of(&settings).database(Role::World), [7; 8192]).unwrap();
    expect(&settings, "schema", Grade::Fail, &["the world database cannot be read", "restore"]);
}

#[test]
fn ports_that_cannot_be_had() {
    let folder = Folder::new();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let own = format!("(pid {})", std::process::id());
    expect(&settings(&folder, &[("listen", &taken)]), "port", Grade::Fail, &[&taken, "is taken by", &own, "--listen"]);
    expect(&settings(&folder, &[("listen", "0.0.0.0:0")]), "port", Grade::Fail, &["TLS", "--insecure-listen"]);
    let nowhere = settings(&folder, &[("listen", "192.0.2.1:0"), ("insecure_listen", "true")]);
    expect(&nowhere, "port", Grade::Fail, &["192.0.2.1 is no address of this machine"]);
    expect(&settings(&folder, &[]), "port", Grade::Ok, &["a free one is taken"]);
}

#[test]
fn seal_keys_that_are_none() {
    let folder = Folder::new();
    let plain = installed(&folder);
    let key = Directory::of(&plain).file("seal.key");
    let right = files::read(&key).unwrap().unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    expect(&plain, "seal key", Grade::Fail, &["has mode 0644", "chmod 600 "]);
    files::write(&key, &"7".repeat(64)).unwrap();
    expect(&plain, "seal key", Grade::Fail, &["another installation", "fingerprint"]);
    files::write(&key, "short").unwrap();
    expect(&plain, "seal key", Grade::Fail, &["64 hexadecimal digits"]);
    std::fs::remove_file(&key).unwrap();
    expect(&plain, "seal key", Grade::Fail, &["there is no", "copy seal.key"]);
    let elsewhere = folder.path().join("moved.key");
    let named = settings(&folder, &[("seal_key", elsewhere.to_str().unwrap())]);
    expect(&named, "seal key", Grade::Fail, &["there is no", "moved.key"]);
    files::write(&elsewhere, &right).unwrap();
    expect(&named, "seal key", Grade::Ok, &["moved.key"]);
    assert!(!key.exists(), "a key is never made");
    // Without a database to fit, a missing one is made by the first start, unless it was named.
    let other = Folder::new();
    expect(&settings(&other, &[]), "seal key", Grade::Ok, &["the first `wolke serve` makes"]);
    expect(&settings(&other, &[("seal_key", "/nowhere")]), "seal key", Grade::Fail, &["name a file that is there"]);
}

#[test]
fn a_database_that_does_not_answer() {
    let folder = Folder::new();
    let settings = settings(&folder, &[("database", "postgres://u:secret@127.0.0.1:1/d")]);
    expect(&settings, "postgresql", Grade::Fail, &["connect", "pg_isready"]);
    expect(&settings, "schema", Grade::Warning, &["PostgreSQL does not answer"]);
    assert!(!lines(&checks(&settings)).contains("secret"));
}

#[test]
fn lines_for_people() {
    let checks = [Check::ok("disk", "fine"), Check::fail("seal key", "gone", "copy it")];
    let expected = "ok       disk      fine\nFAIL     seal key  gone\n                   fix: copy it";
    assert_eq!(lines(&checks), expected);
}

/// A PostgreSQL to make databases and roles on; or says that the test is skipped.
#[expect(clippy::disallowed_methods, reason = "where the test suite's own PostgreSQL is, is no setting")]
fn superuser(test: &str) -> Option<(String, ::postgres::Client)> {
    let Ok(url) = std::env::var("WOLKE_TEST_POSTGRES") else {
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{test}: CI=true allows no skip");
        let _ = writeln!(std::io::stderr().lock(), "SKIPPED {test}: WOLKE_TEST_POSTGRES is not set");
        return None;
    };
    let client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
    Some((url, client))
}

/// The URL with another user and database.
fn renamed(url: &str, user: &str, database: &str) -> String {
    let (login, rest) = url.split_once('@').unwrap();
    let (scheme, _) = login.split_once("://").unwrap();
    let (host, _) = rest.split_once('/').unwrap();
    format!("{scheme}://{user}@{host}/{database}")
}

#[test]
fn postgres_from_a_fresh_database_to_a_served_one() {
    let Some((url, mut client)) = superuser("postgres_from_a_fresh_database_to_a_served_one") else { return };
    let name = format!("wolke_doctor_{}", std::process::id());
    let user = url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).unwrap().0.to_owned();
    for sql in [
        format!("CREATE DATABASE {name}"),
        format!("CREATE DATABASE {name}_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"),
        format!("CREATE ROLE {name} LOGIN"),
    ] {
        client.batch_execute(&sql).unwrap();
    }
    let folder = Folder::new();
    let on = |user: &str, database: &str| settings(&folder, &[("database", &renamed(&url, user, database))]);
    let fresh = on(&user, &name);
    for check in ["rights", "encoding", "database clock"] {
        expect(&fresh, check, Grade::Ok, &[]);
    }
    expect(&fresh, "schema", Grade::Ok, &["no databases yet"]);
    expect(&on(&user, &format!("{name}_latin")), "encoding", Grade::Fail, &["LATIN1", "createdb --encoding UTF8"]);
    expect(&on(&name, &name), "rights", Grade::Fail, &["may not make schemas", "GRANT CREATE ON DATABASE"]);
    expect(&on(&user, "wolke_no_such_database"), "postgresql", Grade::Fail, &["does not exist"]);
    let mut inside = ::postgres::Client::connect(&renamed(&url, &user, &name), ::postgres::NoTls).unwrap();
    let schemas = |client: &mut ::postgres::Client| -> i64 {
        let sql = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'wolke%'";
        client.query_one(sql, &[]).unwrap().get(0)
    };
    assert_eq!(schemas(&mut inside), 0, "nothing is made");
    serving(&fresh, async |_| ());
    expect(&fresh, "schema", Grade::Ok, &["what this release works with"]);
    expect(&fresh, "seal key", Grade::Ok, &["fingerprint"]);
    expect(&fresh, "clock", Grade::Ok, &["world time is"]);
    expect(&on(&name, &name), "rights", Grade::Fail, &["may not use the schema"]);
    inside.batch_execute("UPDATE wolke_root.schema_version SET version = 4711").unwrap();
    expect(&fresh, "schema", Grade::Fail, &["has schema 4711", "newer release"]);
    drop(inside);
    for sql in [format!("DROP DATABASE {name}"), format!("DROP DATABASE {name}_latin"), format!("DROP ROLE {name}")] {
        client.batch_execute(&sql).unwrap();
    }
}
