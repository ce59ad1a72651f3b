//! Tests of the program itself: commands run as processes, the screen in a real terminal.
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
    mod cli_cat;
    mod cli_generate;
    mod cli_golden;
    mod cli_hostile;
    mod cli_index;
    mod cli_repair;
    mod cli_samples;
    mod cli_show;
    mod cli_verify;
    #[cfg(unix)]
    mod live;
    mod readme;
    mod shell;
    #[cfg(unix)]
    mod tui;
}
