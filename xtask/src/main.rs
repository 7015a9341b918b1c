//! Every chore of the project as one command: `cargo xtask`.
fn main() {}
