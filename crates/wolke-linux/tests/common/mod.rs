//! What tests of the whole host share: a bench with a host on it, guests that are files, faults, and a look at the machine.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod bench;
pub mod clock;
pub mod fake;
pub mod faults;
pub mod leak;
pub mod need;
