//! What the program tells of itself: completions for shells, and manual pages. Both come from the grammar of the command line.

use crate::cli::{Cli, CompletionShell};
use crate::failure::{Failure, Result};
use crate::output;
use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;
use std::path::Path;

/// The program's name in a shell.
const NAME: &str = "wolke";

/// Prints what completes commands in a shell.
///
/// # Errors
/// When standard output cannot be written.
pub fn completions(shell: CompletionShell) -> Result<()> {
    let shell = match shell {
        CompletionShell::Bash => Shell::Bash,
        CompletionShell::Zsh => Shell::Zsh,
        CompletionShell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    output::text(&String::from_utf8_lossy(&script))
}

/// Prints the manual page of the program, or writes one for it and for each of its commands.
///
/// # Errors
/// When standard output or the directory cannot be written.
pub fn pages(directory: Option<&Path>) -> Result<()> {
    if let Some(directory) = directory {
        let written =
            std::fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(Cli::command(), directory));
        return written.map_err(|e| Failure::file("write manual pages to", directory, e));
    }
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page).map_err(|e| Failure::new(format!("cannot make the page: {e}")))?;
    output::text(&String::from_utf8_lossy(&page))
}
