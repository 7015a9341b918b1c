//! A monitor that says what it is told to say.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;
use wolke_domain::clock::Clock;
use wolke_wire::Timestamp;

use super::{EVENTS_MAX, Failure, Qmp};
use crate::machine::lines::{Broken, Deadline, LINE_MAX, Lines};

const GREETING: &str =
    r#"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}"#;
/// How long tests wait for what comes.
const LONG: Duration = Duration::from_secs(60);
/// How long they wait for what does not come.
const SHORT: Duration = Duration::from_millis(20);

struct TestClock(Instant);

impl Clock for TestClock {
    fn wall(&self) -> Timestamp {
        Timestamp(0)
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "a clock that starts with the test")]
fn clock() -> Arc<dyn Clock> {
    Arc::new(TestClock(Instant::now()))
}

/// Greets, agrees, and answers each question with what stands in the script; ends with the script.
fn monitor(script: Vec<String>) -> (Qmp, JoinHandle<Vec<String>>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = std::thread::spawn(move || {
        let mut asked = BufReader::new(theirs.try_clone().unwrap()).lines();
        writeln!(&theirs, "{GREETING}").unwrap();
        let mut questions = Vec::new();
        for answer in [r#"{"return": {}, "id": 1}"#.to_owned()].into_iter().chain(script) {
            questions.extend(asked.next().map(Result::unwrap));
            writeln!(&theirs, "{answer}").unwrap();
        }
        questions
    });
    let clock = clock();
    let deadline = Deadline::after(&clock, LONG);
    (Qmp::greet(Lines::new(ours), &clock, &deadline).unwrap(), server)
}

#[test]
fn answers_belong_to_their_questions_and_events_wait() {
    let stale = r#"{"return": {"status": "paused"}, "id": 1}"#;
    let event = r#"{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}}"#;
    let shutdown = r#"{"event": "SHUTDOWN", "data": {"guest": true}}"#;
    let answer = r#"{"return": {"status": "running"}, "id": 2}"#;
    let refused = r#"{"error": {"class": "GenericError", "desc": "no such node"}, "id": 3}"#;
    let (mut qmp, server) = monitor(vec![[event, stale, shutdown, answer].join("\n"), refused.to_owned()]);
    assert_eq!(qmp.execute("query-status", &json!({})).unwrap(), json!({ "status": "running" }));
    let error = qmp.execute("block_resize", &json!({ "size": 1 })).unwrap_err();
    assert_eq!(error.of("block_resize").message, "block_resize: no such node");
    let data = qmp.event(LONG, |event| (event.name == "SHUTDOWN").then(|| event.data.clone())).unwrap();
    assert_eq!(data, Some(json!({ "guest": true })));
    let questions = server.join().unwrap();
    assert_eq!(questions[1], r#"{"execute":"query-status","arguments":{},"id":2}"#);
    // It has hung up: that is told, and not taken for silence.
    assert!(matches!(qmp.event(LONG, |_| Some(())), Err(Failure::Broken(Broken::Closed))));
    assert!(matches!(qmp.execute("cont", &json!({})), Err(Failure::Broken(Broken::Closed))));
}

#[test]
fn silence_has_an_end_and_events_have_a_bound() {
    let mut events: Vec<String> =
        (0..=EVENTS_MAX).map(|n| format!(r#"{{"event": "E", "data": {{"n": {n}}}}}"#)).collect();
    events.push(r#"{"return": {}, "id": 2}"#.into());
    let (ours, theirs) = UnixStream::pair().unwrap();
    writeln!(&theirs, "{GREETING}\n{{\"return\": {{}}, \"id\": 1}}\n{}", events.join("\n")).unwrap();
    let clock = clock();
    let mut qmp = Qmp::greet(Lines::new(ours), &clock, &Deadline::after(&clock, LONG)).unwrap();
    qmp.execute("cont", &json!({})).unwrap();
    let oldest = qmp.event(LONG, |event| Some(event.data["n"].clone())).unwrap();
    assert_eq!(oldest, Some(json!(1)), "the oldest one went");
    assert_eq!(qmp.event(SHORT, |event| (event.name == "NEVER").then_some(())).unwrap(), None);
}

#[test]
fn a_line_without_an_end_is_refused() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let flood = std::thread::spawn(move || {
        // It ends with an error as soon as nobody reads any more.
        let _ = (&theirs).write_all(&vec![b'x'; 2 * LINE_MAX]);
    });
    let clock = clock();
    let mut lines = Lines::new(ours);
    assert!(matches!(lines.line(&Deadline::after(&clock, LONG)), Err(Broken::TooLong)));
    drop(lines);
    flood.join().unwrap();
}

#[test]
fn what_is_not_a_monitor_is_told() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    writeln!(&theirs, "{{\"return\": 12}}\nhello").unwrap();
    let clock = clock();
    let met = Qmp::greet(Lines::new(ours), &clock, &Deadline::after(&clock, LONG)).err().unwrap();
    assert_eq!(met.to_string(), r#"not understood: no greeting: {"return":12}"#);
    assert!(matches!(
        Lines::connect(std::path::Path::new("/nowhere/qmp"), &Deadline::after(&clock, LONG)),
        Err(Broken::Closed)
    ));
}
