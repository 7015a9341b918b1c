//! Statements: one SQL text for both engines, each with a name so that tests can prepare and explain them all.
//!
//! Rules, checked by `tests/statements.rs`: parameters are `$1`, `$2`, … and first appear in that order (SQLite numbers
//! them by appearance); no engine-specific function; results are BIGINT, TEXT or BLOB.

/// A statement and its name (`server::GET`).
#[derive(Clone, Copy, Debug)]
pub struct Stmt {
    /// `file::NAME`.
    pub name: &'static str,
    /// The text.
    pub sql: &'static str,
}

/// Declares the statements of one file and their list, `STATEMENTS`.
macro_rules! statements {
    ($file:literal; $($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: $crate::stmt::Stmt =
            $crate::stmt::Stmt { name: concat!($file, "::", stringify!($name)), sql: $sql };)*
        /// Every statement of this file.
        pub(crate) const STATEMENTS: &[$crate::stmt::Stmt] = &[$($name),*];
    };
}
pub(crate) use statements;
