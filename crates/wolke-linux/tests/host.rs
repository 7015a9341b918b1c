//! What the conformance suite cannot see of the Linux host: files, locks, measurements.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a harness that fails is a test that fails")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use common::bench::{Bench, SEALED, seal};
use common::{fake, need};
use wolke_host::conformance::Harness;
use wolke_host::{
    Command, Delta, Desired, Host, HostError, ObjectKey, Outcome, Power, PowerState, Report, ServerSpec, Usage, Verb,
    latest,
};
use wolke_linux::host::identity::{self, Signs};
use wolke_linux::host::{LinuxHost, Options};
use wolke_linux::image::ImageStore;

/// How long anything may take here, in milliseconds.
const PATIENCE_MS: i64 = 60_000;

/// Applies a wish, waits until it is fulfilled, and returns all reports on the way.
fn reach(bench: &mut Bench, desired: &Desired) -> Vec<Report> {
    let now = bench.now();
    let mut reports = bench.linux().apply(&Delta::object(desired.clone()), now).unwrap();
    while !latest(&reports, desired.key).is_some_and(|seen| seen.has_applied(desired.generation)) {
        assert!(bench.now().0 - now.0 < PATIENCE_MS, "{desired:?} is not reached: {reports:?}");
        bench.advance(1000);
        let now = bench.now();
        reports.extend(bench.linux().poll(now).unwrap().reports);
    }
    reports
}

fn outcome(bench: &mut Bench, command: &Command) -> Outcome {
    let start = bench.now();
    let mut reports = bench.linux().apply(&Delta::command(command.clone()), start).unwrap();
    loop {
        let ended = reports.iter().find_map(|report| match report {
            Report::Command(ended) if ended.id == command.id => Some(ended.outcome.clone()),
            _ => None,
        });
        if let Some(outcome) = ended {
            return outcome;
        }
        assert!(bench.now().0 - start.0 < PATIENCE_MS, "{command:?} does not end");
        bench.advance(1000);
        let now = bench.now();
        reports = bench.linux().poll(now).unwrap().reports;
    }
}

#[test]
fn one_process_has_a_host() {
    let content = fake::content("one");
    let mut bench = Bench::new(fake::plan(&content));
    let refused = bench.open().err().unwrap();
    assert!(refused.message.starts_with("the state directory is used by another process"), "{refused}");
    bench.close();
    drop(bench.open().unwrap());
    let far = Options { state: PathBuf::from(format!("/{}", "x".repeat(60))), ..bench.options() };
    assert_eq!(LinuxHost::open(far).err().unwrap().code, HostError::UNSUPPORTED);
    let relative = Options { state: "state".into(), ..bench.options() };
    assert_eq!(LinuxHost::open(relative).err().unwrap().code, HostError::UNSUPPORTED);
}

#[test]
fn a_directory_says_which_host_it_is() {
    let content = fake::content("identity");
    let mut bench = Bench::new(fake::plan(&content));
    let state = bench.layout.state().to_owned();
    let identity = bench.linux().facts().identity;
    assert!(identity.len() == 32 && identity.bytes().all(|byte| byte.is_ascii_hexdigit()), "{identity}");
    let signs = |holds| Signs { identity: Some(identity.clone()), holds };
    assert_eq!(identity::signs(&state).unwrap(), signs(false));
    let spec = bench.spec();
    reach(&mut bench, &Desired::server(1, 1, spec));
    assert_eq!(identity::signs(&state).unwrap(), signs(true));
    // What is to be gone counts no more, also while it is remembered.
    reach(&mut bench, &Desired::absent(ObjectKey::server(1), 2));
    assert_eq!(identity::signs(&state).unwrap(), signs(false));
    bench.close();
    let again = bench.open().unwrap();
    assert_eq!(again.facts().identity, identity, "it is drawn once");
    drop(again);
    // One that was damaged is not replaced: the host would be a stranger to its database.
    std::fs::write(bench.layout.identity(), "5\n").unwrap();
    let refused = bench.open().err().unwrap();
    assert!(refused.message.contains("is not what was written there"), "{refused}");
    std::fs::write(bench.layout.identity(), format!("{identity}\n")).unwrap();
    let mut other = Bench::new(fake::plan(&content));
    assert_ne!(other.linux().facts().identity, identity);
    let nowhere = identity::signs(&state.join("nowhere")).unwrap();
    assert_eq!(nowhere, Signs { identity: None, holds: false });
}

/// A file system with less room than is kept: nothing new is begun, and what is there goes on.
#[test]
fn the_last_of_a_file_system_is_kept_for_the_servers_that_there_are() {
    let test = "the_last_of_a_file_system_is_kept_for_the_servers_that_there_are";
    if !rustix::process::geteuid().is_root() {
        return need::skip(test, "it needs root");
    }
    let content = fake::content("full");
    let mut bench = Bench::new(fake::plan(&content));
    let spec = bench.spec();
    reach(&mut bench, &Desired::server(1, 1, spec.clone()));
    bench.close();
    let small = Small::over(bench.layout.state());
    bench.restart();
    let mut off = spec.clone();
    off.power = Power::Off;
    reach(&mut bench, &Desired::server(1, 2, off));
    reach(&mut bench, &Desired::server(1, 3, spec.clone()));
    let issued_at = bench.now();
    let verb = Verb::Snapshot { image: 9 };
    let command = Command { id: 4, key: ObjectKey::server(1), verb, issued_at, expires_at: None };
    let Outcome::Failed { error } = outcome(&mut bench, &command) else { panic!("a snapshot without room") };
    assert_eq!(error.code, HostError::DISK_FULL);
    assert!(error.message.starts_with("a snapshot cannot be made: "), "{error}");
    // A second server gets no disk.
    let now = bench.now();
    let second = Desired::server(
        2,
        5,
        ServerSpec { definition: wolke_host::Definition { public: None, ..spec.definition.clone() }, ..spec },
    );
    let mut reports = bench.linux().apply(&Delta::object(second.clone()), now).unwrap();
    let error = loop {
        if let Some(error) = latest(&reports, second.key).and_then(|seen| seen.state.error.clone()) {
            break error;
        }
        assert!(bench.now().0 - now.0 < PATIENCE_MS, "{reports:?}");
        bench.advance(1000);
        let now = bench.now();
        reports.extend(bench.linux().poll(now).unwrap().reports);
    };
    assert_eq!(error.code, HostError::DISK_FULL);
    assert!(error.message.starts_with("a disk cannot be made: "), "{error}");
    bench.close();
    drop(small);
}

/// A small file system over a directory, with the content of that.
struct Small(PathBuf);

impl Small {
    fn over(place: &Path) -> Self {
        let run = |program: &str, args: &[&std::ffi::OsStr]| {
            assert!(std::process::Command::new(program).args(args).status().unwrap().success(), "{program} {args:?}");
        };
        let kept = place.with_extension("kept");
        run("cp", &["-a".as_ref(), place.as_ref(), kept.as_ref()]);
        run(
            "mount",
            &["-t", "tmpfs", "-o", "size=64m", "none"]
                .map(str::as_ref)
                .into_iter()
                .chain([place.as_os_str()])
                .collect::<Vec<_>>(),
        );
        let small = Self(place.to_owned());
        run("cp", &["-a".as_ref(), kept.join(".").as_ref(), place.as_ref()]);
        std::fs::remove_dir_all(kept).unwrap();
        small
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

#[test]
fn the_first_password_lies_apart_and_sealed_until_the_disk_is_made_anew() {
    let content = fake::content("first");
    let mut bench = Bench::new(fake::plan(&content));
    let mut spec = bench.spec();
    spec.first_boot.root_password_hash = Some(seal("hash of the first disk"));
    reach(&mut bench, &Desired::server(1, 1, spec.clone()));
    let home = bench.layout.server(1).path;
    let read = |name: &str| std::fs::read_to_string(home.join(name));
    let (first, desired) = (read("first-boot.json").unwrap(), read("desired.json").unwrap());
    assert!(first.contains(SEALED) && first.contains("ksid"), "sealed, that is to say backwards here: {first}");
    assert!(!desired.contains("root_password_hash\":\""), "{desired}");
    // Later wishes come without it.
    spec.first_boot.root_password_hash = None;
    reach(&mut bench, &Desired::server(1, 2, spec.clone()));
    bench.restart();
    assert_eq!(read("first-boot.json").unwrap(), first);
    spec.rebuild_epoch = 1;
    reach(&mut bench, &Desired::server(1, 3, spec.clone()));
    assert!(read("first-boot.json").is_err(), "it belonged to the old disk");
    for (path, _) in bench.memories() {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    spec.first_boot.root_password_hash = Some(seal("another"));
    spec.rebuild_epoch = 2;
    reach(&mut bench, &Desired::server(1, 4, spec));
    assert!(read("first-boot.json").is_ok());
    reach(&mut bench, &Desired::absent(ObjectKey::server(1), 5));
    assert!(read("first-boot.json").is_err(), "it went with the server");
}

#[test]
fn a_snapshot_for_an_image_that_was_wished_away_leaves_nothing() {
    let content = fake::content("away");
    let mut bench = Bench::new(fake::plan(&content));
    let spec = bench.spec();
    reach(&mut bench, &Desired::server(1, 1, spec));
    reach(&mut bench, &Desired::absent(ObjectKey::image(9), 2));
    let issued_at = bench.now();
    let verb = Verb::Snapshot { image: 9 };
    let command = Command { id: 1, key: ObjectKey::server(1), verb, issued_at, expires_at: None };
    let ended = outcome(&mut bench, &command);
    assert!(matches!(&ended, Outcome::Failed { error } if error.code == HostError::SUPERSEDED), "{ended:?}");
    assert_eq!(ImageStore::new(bench.layout.images()).find("image-9").unwrap(), None);
    assert!(!bench.layout.images().join("image-9").exists());
}

#[test]
fn what_was_used_is_told_when_a_server_starts_and_when_it_stops() {
    let content = fake::content("used");
    let mut bench = Bench::new(fake::plan(&content));
    let mut spec: ServerSpec = bench.spec();
    let mut runs = Vec::new();
    for round in 0..2 {
        for power in [Power::On, Power::Off] {
            spec.power = power;
            spec.power_epoch += 1;
            let desired = Desired::server(1, spec.power_epoch, spec.clone());
            let reports = reach(&mut bench, &desired);
            let usages = reports.iter().filter_map(|report| match report {
                Report::Usage(usage) => Some(*usage),
                _ => None,
            });
            let usages: Vec<Usage> = usages.collect();
            assert_eq!(usages.len(), 1, "round {round}: {reports:?}");
            // A start tells from where its run counts.
            assert_eq!(usages[0].cpu_ms == 0, power == Power::On, "round {round}: {reports:?}");
            runs.extend(usages);
        }
        bench.restart();
    }
    assert!(runs.iter().all(|usage| usage.key == ObjectKey::server(1)), "{runs:?}");
    let of_run: Vec<i64> = runs.iter().map(|usage| usage.run).collect();
    assert!(of_run[0] == of_run[1] && of_run[1] < of_run[2] && of_run[2] == of_run[3], "each start is a run: {runs:?}");
    let now = bench.now();
    let reports = bench.linux().look(ObjectKey::server(1), now).unwrap();
    assert_eq!(latest(&reports, ObjectKey::server(1)).unwrap().state.power, PowerState::Off);
}

/// Steps until something is true.
fn until(bench: &mut Bench, what: &str, is: impl Fn(&Bench) -> bool) {
    let start = bench.now();
    while !is(bench) {
        assert!(bench.now().0 - start.0 < PATIENCE_MS, "it never happens: {what}");
        bench.advance(100);
        let now = bench.now();
        bench.linux().poll(now).unwrap();
    }
}

fn press(bench: &mut Bench, id: i64, verb: Verb) {
    let issued_at = bench.now();
    let command = Command { id, key: ObjectKey::server(1), verb, issued_at, expires_at: None };
    assert_eq!(outcome(bench, &command), Outcome::Done);
}

/// A guest that goes off by itself is seen off, and stays so.
fn goes_off_for_good(bench: &mut Bench) {
    let key = ObjectKey::server(1);
    bench.guest_powers_off(key);
    let start = bench.now();
    let mut reports = Vec::new();
    while !latest(&reports, key).is_some_and(|seen| seen.state.power == PowerState::Off) {
        assert!(bench.now().0 - start.0 < PATIENCE_MS, "it is never seen off: {reports:?}");
        bench.advance(100);
        let now = bench.now();
        reports.extend(bench.linux().poll(now).unwrap().reports);
    }
    let (seen, settle) = (bench.now(), bench.settle_ms());
    while bench.now().0 - seen.0 < settle {
        bench.advance(100);
        assert!(!fake::guest(&bench.layout.server(1)).exists(), "nobody has asked for it");
    }
}

#[test]
fn the_newest_wish_counts_also_for_a_guest_that_takes_its_time() {
    let content = fake::content("late");
    let mut bench = Bench::new(fake::plan(&content));
    let mut spec = bench.spec();
    reach(&mut bench, &Desired::server(1, 1, spec.clone()));
    bench.set_ignores_shutdown(true);
    let is_back = |bench: &Bench| fake::guest(&bench.layout.server(1)).exists();
    for (round, verb) in [Verb::Shutdown, Verb::Shutdown, Verb::Reboot, Verb::Reboot].into_iter().enumerate() {
        let on = |bench: &mut Bench, spec: &mut ServerSpec| {
            spec.power_epoch += 1;
            reach(bench, &Desired::server(1, spec.power_epoch, spec.clone()));
        };
        on(&mut bench, &mut spec);
        let id = i64::try_from(round).unwrap() + 1;
        press(&mut bench, id, verb.clone());
        if verb == Verb::Shutdown {
            // Whoever switches it on while it is still going off wants it on.
            on(&mut bench, &mut spec);
        }
        // Half of the times nobody watches when it goes off.
        let dead = round % 2 == 1;
        if dead {
            bench.close();
        }
        bench.guest_powers_off(ObjectKey::server(1));
        if dead {
            bench.restart();
        }
        until(&mut bench, "it runs again", is_back);
        // That was it.
        let now = bench.now();
        bench.linux().poll(now).unwrap();
        goes_off_for_good(&mut bench);
    }
    // The button alone, and the button after it was switched on.
    for again in [false, true] {
        spec.power_epoch += 2;
        reach(&mut bench, &Desired::server(1, spec.power_epoch, spec.clone()));
        press(&mut bench, 100 + spec.power_epoch, Verb::Shutdown);
        if again {
            spec.power_epoch += 1;
            reach(&mut bench, &Desired::server(1, spec.power_epoch, spec.clone()));
            press(&mut bench, 100 + spec.power_epoch, Verb::Shutdown);
        }
        goes_off_for_good(&mut bench);
    }
}

#[test]
fn a_server_does_not_wait_for_its_copy_to_be_deleted() {
    let content = fake::content("copy");
    let mut bench = Bench::new(fake::plan(&content));
    let spec = bench.spec();
    reach(&mut bench, &Desired::server(1, 1, spec));
    bench.faults.copies_hang.store(true, std::sync::atomic::Ordering::SeqCst);
    let issued_at = bench.now();
    let verb = Verb::Snapshot { image: 9 };
    let command = Command { id: 1, key: ObjectKey::server(1), verb, issued_at, expires_at: None };
    bench.linux().apply(&Delta::command(command), issued_at).unwrap();
    until(&mut bench, "the copy", |bench| bench.faults.copies.load(std::sync::atomic::Ordering::SeqCst));
    let reports = reach(&mut bench, &Desired::absent(ObjectKey::server(1), 2));
    let superseded = |report: &Report| {
        let Report::Command(ended) = report else { return false };
        matches!(&ended.outcome, Outcome::Failed { error } if error.code == HostError::SUPERSEDED)
    };
    assert!(reports.iter().any(superseded), "{reports:?}");
}
