//! The program, used as people and scripts use it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "a test that panics has failed, and says what it could not test"
)]

mod app {
    mod cli;
    mod cli_append;
    mod cli_golden;
    mod cli_hostile;
    mod cli_repair;
    mod cli_samples;
    mod cli_show;
    #[cfg(unix)]
    mod live;
    mod readme;
    #[cfg(unix)]
    mod tui;
}
