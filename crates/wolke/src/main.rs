//! The `wolke` binary.
fn main() {}
