//! Screens, in full: what a person sees.

use super::*;

const BOOT: Timestamp = Timestamp(1_000_000);

fn machine() -> Machine {
    Machine {
        name: "web-1".into(),
        power: Power::On { since: BOOT, stopping: false },
        source: Source::Disk(Some("Ubuntu 24.04".into())),
        server_type: "cpx22".into(),
        architecture: "x86".into(),
        cores: 2,
        memory_mb: 4096,
        disk_gb: 80,
        addresses: vec!["198.18.0.7/32".into(), "2001:db8:0:7::1/64".into()],
        volumes: Vec::new(),
    }
}

fn text(machine: &Machine, dialogue: &Dialogue, after_ms: i64) -> String {
    screen(machine, dialogue, BOOT.plus_ms(after_ms)).text()
}

/// Types into a dialogue; `\n` is Enter, `\x08` Backspace, `\x15` takes the line back.
fn type_in(dialogue: &mut Dialogue, keys: &str) {
    for key in keys.chars() {
        let key = match key {
            '\n' => Key::Enter,
            '\x08' => Key::Backspace,
            '\x15' => Key::Clear,
            other => Key::Character(other),
        };
        dialogue.press(key, "web-1");
    }
}

const KERNEL: &str = "\
[    0.000] Wolke simulated machine, type cpx22, x86
[    0.040] Booting web-1 from disk
[    0.150] cpu: 2 cores online
[    0.310] memory: 4096 MB available
[    0.620] rng: seeded
[    0.780] sda: disk of 80 GB
[    0.830] sda: sda1 sda14 sda15
[    1.150] eth0: link is up
[    1.250] eth0: 198.18.0.7/32
[    1.300] eth0: 2001:db8:0:7::1/64
[  OK  ] Mounted the root file system
[  OK  ] Brought up the network
[  OK  ] Set the clock
[  OK  ] Started the system log
[  OK  ] Started the secure shell server
[  OK  ] Reached the multi-user system";

#[test]
fn off_is_dark() {
    let off = Machine { power: Power::Off, ..machine() };
    let shown = screen(&off, &Dialogue::default(), BOOT);
    assert_eq!((shown.text().as_str(), shown.is_lit()), ("", false));
    assert_eq!(shown, Screen::dark());
    assert!(!off.prompts(BOOT.plus_ms(PROMPT_AFTER_MS)));
}

#[test]
fn lines_come_one_after_the_other() {
    let (machine, none) = (machine(), Dialogue::default());
    assert_eq!(text(&machine, &none, 0), KERNEL.lines().next().unwrap());
    assert_eq!(text(&machine, &none, 150), KERNEL.lines().take(3).collect::<Vec<_>>().join("\n"));
    assert_eq!(text(&machine, &none, PROMPT_AFTER_MS - 1), KERNEL);
    assert!(!machine.prompts(BOOT.plus_ms(PROMPT_AFTER_MS - 1)));
    assert!(machine.prompts(BOOT.plus_ms(PROMPT_AFTER_MS)));
    // A clock that was set back shows no future.
    assert_eq!(text(&machine, &none, -5), "");
}

#[test]
fn then_a_prompt() {
    let shown = text(&machine(), &Dialogue::default(), PROMPT_AFTER_MS);
    let banner = "\n\nUbuntu 24.04 on web-1 (simulated: nobody can log in here)\n\nweb-1 login: _";
    assert_eq!(shown, format!("{KERNEL}{banner}"));
}

#[test]
fn a_login_echoes_the_name_and_fails() {
    let mut dialogue = Dialogue::default();
    let shown = |dialogue: &Dialogue| {
        let whole = text(&machine(), dialogue, 60_000);
        whole.rsplit_once("\n\n").map(|(_, tail)| tail.to_owned()).unwrap()
    };
    type_in(&mut dialogue, "Rooot\x08\x08t");
    assert_eq!(shown(&dialogue), "web-1 login: Root_");
    type_in(&mut dialogue, "\x15root\u{e9}\u{1}\n");
    assert_eq!(shown(&dialogue), "web-1 login: root\nPassword: _");
    type_in(&mut dialogue, "secret\x08");
    assert_eq!(shown(&dialogue), "web-1 login: root\nPassword: _", "a password does not show");
    type_in(&mut dialogue, "\n");
    assert_eq!(shown(&dialogue), "Login incorrect\nweb-1 login: _");
    type_in(&mut dialogue, "\n");
    assert!(shown(&dialogue).ends_with("incorrect\nweb-1 login:\nweb-1 login: _"), "nobody is asked for no password");
}

#[test]
fn old_lines_scroll_away_and_nothing_grows() {
    let mut dialogue = Dialogue::default();
    for _ in 0..100 {
        type_in(&mut dialogue, &"x".repeat(1000));
        type_in(&mut dialogue, "\ny\n");
    }
    let shown = text(&machine(), &dialogue, 60_000);
    assert_eq!(shown.lines().count(), ROWS);
    assert!(shown.ends_with("Login incorrect\nweb-1 login: _"), "{shown}");
    assert!(format!("{dialogue:?}").len() < 4096);
}

#[test]
fn other_sources_and_states() {
    let now = PROMPT_AFTER_MS;
    let shown = |machine: &Machine| text(machine, &Dialogue::default(), now);
    let rescue = shown(&Machine { source: Source::Rescue("linux64".into()), ..machine() });
    assert!(rescue.contains("from the rescue system linux64") && rescue.contains("\nRescue system on web-1"));
    let iso = shown(&Machine { source: Source::Iso("virtio-win".into()), ..machine() });
    assert!(iso.contains("from ISO virtio-win") && iso.contains("\nvirtio-win on web-1"));
    let starting = Machine { power: Power::Starting, ..machine() };
    assert_eq!(shown(&starting), "Starting the machine ...");
    let stopping = Machine { power: Power::On { since: BOOT, stopping: true }, ..machine() };
    let down = shown(&stopping);
    assert!(down.ends_with("The system is going down.") && !down.contains('_'), "{down}");
    assert!(!stopping.prompts(BOOT.plus_ms(now)));
}

#[test]
fn long_and_foreign_names_stay_on_the_screen() {
    let long = Machine {
        name: "n".repeat(253),
        source: Source::Disk(Some("caf\u{e9} \u{1f600}\u{7}".repeat(40))),
        addresses: vec!["a".repeat(500); 10],
        ..machine()
    };
    let shown = text(&long, &Dialogue::default(), 60_000);
    assert!(shown.lines().count() <= ROWS && shown.lines().all(|line| line.len() <= COLUMNS));
    assert!(shown.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{shown}");
    assert!(shown.ends_with("login: _"));
}

#[test]
fn status_decides_power() {
    assert_eq!(Power::of(Status::Running, BOOT), Power::On { since: BOOT, stopping: false });
    assert_eq!(Power::of(Status::Stopping, BOOT).boot(), Some(BOOT));
    assert_eq!(Power::of(Status::Starting, BOOT), Power::Starting);
    for status in [Status::Off, Status::Initializing, Status::Deleting, Status::Rebuilding, Status::Unknown] {
        assert_eq!(Power::of(status, BOOT), Power::Off);
    }
}

#[test]
fn volumes_are_found_and_mounted() {
    let drive = |id, after_ms, mounted| Drive { id, size_gb: 10, after_ms, mounted };
    let volumes = vec![drive(12, -5_000, true), drive(13, -1, false), drive(14, 60_000, true)];
    let with_volumes = Machine { volumes, ..machine() };
    let early = text(&with_volumes, &Dialogue::default(), 10_000);
    for line in [
        "[    0.850] sdb: volume 12 of 10 GB",
        "[    0.860] sdc: volume 13 of 10 GB",
        "[  OK  ] Mounted /mnt/HC_Volume_12",
    ] {
        assert!(early.lines().any(|shown| shown == line), "{line} in\n{early}");
    }
    assert!(!early.contains("HC_Volume_13") && !early.contains("volume 14"), "{early}");
    let late = text(&with_volumes, &Dialogue::default(), 60_000);
    let tail: Vec<&str> = late.lines().rev().take(3).collect();
    assert_eq!(tail, ["web-1 login: _", "[  OK  ] Mounted /mnt/HC_Volume_14", "[   60.000] sdd: volume 14 of 10 GB"]);
    // Another system than that on the disk was told nothing.
    let rescued = Machine { source: Source::Rescue("linux64".into()), ..with_volumes };
    let shown = text(&rescued, &Dialogue::default(), 60_000);
    assert!(shown.contains("volume 14") && !shown.contains("HC_Volume"), "{shown}");
}
