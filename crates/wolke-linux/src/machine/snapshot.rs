//! Snapshots: a complete copy of a disk, of one point in time, that depends on nothing.
//!
//! A disk that QEMU holds is copied by QEMU itself (a backup job: what the guest overwrites meanwhile is copied first), with
//! the guest's file systems frozen for the instant of its beginning where a guest agent answers; any other by `qemu-img`.
//! Nothing is compressed: that takes sixty times as long.
//!
//! **Invariants:** a copy gives way to whoever switches the machine, and fails then ([`crate::gate`]). What a killed wolke
//! has left in an adopted QEMU (a job, a node, frozen file systems) goes when the machines are opened.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::{Value, json};
use wolke_host::HostError;

use super::agent::Agent;
use super::command_line::DISK_NODE;
use super::disk::{DISK, create, file_in, told, virtual_size};
use super::lines::Deadline;
use super::qmp::{Event, Failure, Qmp};
use super::run::{Monitor, Run};
use super::{Machines, failed};
use crate::engine::{Result, Wanted};
use crate::image::{BootBy, Image, Slot};
use crate::layout::ServerDir;

/// How often a copy looks whether it is in somebody's way.
const LOOK: Duration = Duration::from_millis(100);
/// How long a copy may take: a terabyte at 300 MB/s.
const COPY_TIME: Duration = Duration::from_secs(3600);
/// How long a job that was cancelled may take to end: it waits for what it has in flight.
const CANCEL_TIME: Duration = Duration::from_secs(60);
/// The name of the job and of the node that it writes to.
const JOB: &str = "snapshot";
/// The number of the set of files that are handed to QEMU for it.
const FILES: u32 = 1;
/// Bytes of a MiB.
const MIB: u64 = 1 << 20;
/// Bytes of a block as the file system counts them.
const BLOCK: u64 = 512;

impl Machines {
    pub(super) fn copy_disk(
        &self,
        server: &ServerDir,
        directory: &Path,
        base: &Image,
        slot: &Slot,
        wanted: Wanted<'_>,
    ) -> Result<u64> {
        let copying = self.gates.of(server.id).copy();
        let goes_on = || wanted() && !copying.is_in_the_way();
        let (from, to) = (file_in(directory), slot.path.join(DISK));
        if Run::of(server).process().is_some() {
            self.back_up(server, &goes_on, &from, &to)?;
        } else {
            self.convert(&goes_on, &from, &to)?;
        }
        if let BootBy::Kernel { .. } = base.manifest.boot {
            for name in ["vmlinuz", "initrd"] {
                link(&base.path.join(name), &slot.path.join(name))?;
            }
        }
        let meta = fs::metadata(&to).map_err(|error| failed(&to.display().to_string(), &error.to_string()))?;
        Ok((meta.blocks() * BLOCK).div_ceil(MIB).max(1))
    }

    /// Copies a disk that QEMU holds.
    fn back_up(&self, server: &ServerDir, goes_on: Wanted<'_>, from: &Path, to: &Path) -> Result<()> {
        create(to, None, virtual_size(from)?)?;
        let mut qmp = self.monitor(server, Monitor::Job).map_err(|failure| failure.of("QEMU's monitor"))?;
        tidy(&mut qmp).map_err(|failure| failure.of("an earlier snapshot cannot be ended"))?;
        let copied = self.job(server, goes_on, &mut qmp, to);
        // Also on the way out of a failure: the caller removes the file.
        let tidied = tidy(&mut qmp);
        copied?;
        tidied.map_err(|failure| told(failure.of("the copy cannot be closed")))
    }

    fn job(&self, server: &ServerDir, goes_on: Wanted<'_>, qmp: &mut Qmp, to: &Path) -> Result<()> {
        // QEMU may open nothing of the host: it is handed the file.
        let file = fs::File::options().read(true).write(true).open(to);
        let file = file.map_err(|error| failed(&to.display().to_string(), &error.to_string()))?;
        let set = json!({ "fdset-id": FILES });
        qmp.hand("add-fd", &set, &file).map_err(|failure| failure.of("add-fd"))?;
        let node = json!({
            "driver": "qcow2", "node-name": JOB, "file": { "driver": "file", "filename": format!("/dev/fdset/{FILES}") },
        });
        qmp.execute("blockdev-add", &node).map_err(|failure| told(failure.of("blockdev-add")))?;
        let job = json!({ "job-id": JOB, "device": DISK_NODE, "target": JOB, "sync": "full" });
        let frozen = self.freeze(server);
        let begun = qmp.execute("blockdev-backup", &job);
        if frozen {
            self.thaw(server);
        }
        begun.map_err(|failure| told(failure.of("blockdev-backup")))?;
        let deadline = Deadline::after(&self.clock, COPY_TIME);
        let mut result = None;
        while deadline.left().is_some() {
            if !goes_on() {
                return Err(cut_short());
            }
            let over = qmp.event(LOOK, |event| follow(event, &mut result)).map_err(|failure| failure.of(JOB))?;
            if over.is_some() {
                return result.unwrap_or_else(|| Err(cut_short()));
            }
        }
        Err(failed(JOB, &format!("the disk was not copied within {} s", COPY_TIME.as_secs())))
    }

    /// Copies a disk that nobody holds.
    fn convert(&self, goes_on: Wanted<'_>, from: &Path, to: &Path) -> Result<()> {
        // A copy whose wolke was killed goes with it: it would keep the disk locked.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "qemu-img", "convert", "-q", "-f", "qcow2", "-O", "qcow2"])
            .arg(from)
            .arg(to)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed("qemu-img convert", &error.to_string()))?;
        let ended = self.attend(&child, goes_on);
        if ended.is_err() {
            let _ = child.kill();
        }
        let mut said = String::new();
        if let Some(pipe) = child.stderr.as_mut() {
            let _ = pipe.read_to_string(&mut said);
        }
        let status = child.wait().map_err(|error| failed("qemu-img convert", &error.to_string()))?;
        ended?;
        if status.success() {
            Ok(())
        } else {
            Err(told(failed("qemu-img convert", &format!("{status}: {}", said.trim()))))
        }
    }

    /// Waits for the end of a copy, or for a reason to end it.
    fn attend(&self, child: &Child, goes_on: Wanted<'_>) -> Result<()> {
        let attempt = "qemu-img convert";
        let pid = Pid::from_raw(child.id().cast_signed()).ok_or_else(|| failed(attempt, "it has no process id"))?;
        let ended = pidfd_open(pid, PidfdFlags::empty())
            .map_err(|error| failed(attempt, &std::io::Error::from(error).to_string()))?;
        let deadline = Deadline::after(&self.clock, COPY_TIME);
        let look = Timespec::try_from(LOOK).ok();
        while deadline.left().is_some() {
            if poll(&mut [PollFd::new(&ended, PollFlags::IN)], look.as_ref()).is_ok_and(|ready| ready > 0) {
                return Ok(());
            }
            if !goes_on() {
                return Err(cut_short());
            }
        }
        Err(failed(attempt, &format!("the disk was not copied within {} s", COPY_TIME.as_secs())))
    }

    /// Brings the guest's file systems to rest, if an agent answers; without one they are as after a power failure, from
    /// which they recover.
    fn freeze(&self, server: &ServerDir) -> bool {
        if !self.agent_listens(server) {
            return false;
        }
        let run = Run::of(server);
        let Ok(mut agent) = Agent::connect(&run.agent(), &self.clock) else { return false };
        // First written down: whoever finds the mark thaws.
        if fs::write(run.frozen(), b"").is_err() {
            return false;
        }
        if let Err(error) = agent.execute("guest-fsfreeze-freeze", &json!({})) {
            tracing::info!(server = server.id, %error, "the snapshot is made without freezing file systems");
        }
        true
    }

    /// The guest's file systems are not frozen by us.
    fn thaw(&self, server: &ServerDir) {
        let run = Run::of(server);
        let thawed = Agent::connect(&run.agent(), &self.clock)
            .and_then(|mut agent| agent.execute("guest-fsfreeze-thaw", &json!({})));
        if let Err(error) = thawed {
            tracing::error!(server = server.id, %error, "the file systems of the guest may be frozen");
            return;
        }
        let _ = fs::remove_file(run.frozen());
    }

    /// The QEMU of this server is where it belongs, and what a snapshot that was killed has left in it goes.
    pub(super) fn adopt(&self, server: &ServerDir) {
        let run = Run::of(server);
        let Some(process) = run.process() else { return };
        // Whoever started it may have been killed before it was moved.
        if let Err(error) = self.cgroups.enclose(&self.group(server), process.id(), None) {
            tracing::warn!(server = server.id, %error, "QEMU cannot be put into a control group of its own");
        }
        if run.frozen().exists() {
            self.thaw(server);
        }
        let tidied = self.monitor(server, Monitor::Job).and_then(|mut qmp| tidy(&mut qmp));
        if let Err(failure) = tidied {
            tracing::warn!(server = server.id, %failure, "a snapshot that was begun earlier cannot be ended");
        }
    }
}

/// Neither job nor node nor file of a snapshot is left.
fn tidy(qmp: &mut Qmp) -> std::result::Result<(), Failure> {
    let jobs = qmp.execute("query-jobs", &json!({}))?;
    if jobs.as_array().into_iter().flatten().any(|job| job["id"] == JOB) {
        let cancelled = qmp.execute("block-job-cancel", &json!({ "device": JOB, "force": true }));
        // It is refused when the job has come to its end by itself.
        if let Err(failure @ Failure::Broken(_)) = cancelled {
            return Err(failure);
        }
        qmp.event(CANCEL_TIME, |event| follow(event, &mut None))?;
    }
    let nodes = qmp.execute("query-named-block-nodes", &json!({ "flat": true }))?;
    if nodes.as_array().into_iter().flatten().any(|node| node["node-name"] == JOB) {
        qmp.execute("blockdev-del", &json!({ "node-name": JOB }))?;
    }
    let sets = qmp.execute("query-fdsets", &json!({}))?;
    if sets.as_array().into_iter().flatten().any(|set| set["fdset-id"] == FILES) {
        qmp.execute("remove-fd", &json!({ "fdset-id": FILES }))?;
    }
    Ok(())
}

/// Keeps how the job has ended, and says when nothing of it is left in QEMU.
fn follow(event: &Event, result: &mut Option<Result<()>>) -> Option<()> {
    let is = |name: &str, value: &str| event.data.get(name).and_then(Value::as_str) == Some(value);
    match event.name.as_str() {
        "BLOCK_JOB_COMPLETED" if is("device", JOB) => {
            let error = event.data.get("error").and_then(Value::as_str);
            *result = Some(error.map_or(Ok(()), |why| Err(told(failed("the disk cannot be copied", why)))));
            None
        }
        "JOB_STATUS_CHANGE" if is("id", JOB) && is("status", "null") => Some(()),
        _ => None,
    }
}

/// The same file in another directory, without a copy where the file system can.
fn link(from: &Path, to: &Path) -> Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to).map(drop).map_err(|error| told(failed(&format!("{}", to.display()), &error.to_string())))
}

fn cut_short() -> HostError {
    failed(JOB, "the copy was cut short: its server was started, stopped or removed")
}
