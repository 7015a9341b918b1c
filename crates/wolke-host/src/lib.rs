//! (described by the first commit of this crate)
