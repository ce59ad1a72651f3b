//! The program, used as people and scripts use it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "a test that panics has failed, and says what it could not test"
)]

mod app {
    mod cli;
}
