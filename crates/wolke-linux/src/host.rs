//! The host: accepts, plans, has its workers execute, and reports.
