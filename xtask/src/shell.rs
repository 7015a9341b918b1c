//! Small helpers around other programs: where they are, how they are run, what they said.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The root of the workspace: the parent of this package's folder.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Folder for tools that chores install: inside the checkout, ignored by git.
pub fn cache() -> PathBuf {
    root().join(".cache")
}

/// True in continuous integration (`CI=true`): a missing prerequisite is then a failure and not a skip.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// The full path of a program on `PATH`, with symbolic links resolved so that its neighbours can be found beside it.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())?;
    found.canonicalize().ok()
}

/// True when this process is root (PostgreSQL refuses to run as root; apt needs it).
pub fn is_root() -> bool {
    quiet(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}

/// The same cargo that runs this chore.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command with its output captured. `Ok` is its standard output; `Err` names the command and what it said.
pub fn quiet(command: &mut Command) -> Result<String, String> {
    let name = describe(command);
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = if said.trim().is_empty() { String::from_utf8_lossy(&output.stdout) } else { said };
        Err(format!("{name}: {}: {}", output.status, said.trim()))
    }
}

/// Runs a command with its output shown. True when it succeeded.
pub fn shown(command: &mut Command) -> bool {
    let name = describe(command);
    match command.stdin(Stdio::null()).status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("xtask: {name}: {error}");
            false
        }
    }
}

/// Success or failure as an exit code.
pub fn exit(success: bool) -> ExitCode {
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Program and arguments on one line, for messages.
fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}
