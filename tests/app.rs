//! Tests of the program: its commands run as processes, its screen runs in a real terminal.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "a failed test panics, and a skipped check prints the reason"
)]

mod app {
    mod cli;
    mod cli_append;
    mod cli_backup;
    mod cli_cat;
    mod cli_compact;
    mod cli_diff;
    mod cli_erase;
    mod cli_export;
    mod cli_export_parquet;
    mod cli_file_content;
    mod cli_folder_copies;
    #[cfg(unix)]
    mod cli_follow;
    mod cli_generate;
    mod cli_golden;
    mod cli_hostile;
    mod cli_import;
    mod cli_index;
    mod cli_log_list;
    mod cli_lost_segments;
    mod cli_paths;
    mod cli_remote_arguments;
    mod cli_repair;
    mod cli_report;
    mod cli_retain;
    mod cli_samples;
    #[cfg(unix)]
    mod cli_seen_end;
    mod cli_show;
    mod cli_stats;
    #[cfg(unix)]
    mod cli_streams;
    mod cli_threads;
    mod cli_trust;
    mod cli_verify;
    #[cfg(target_os = "linux")]
    mod interrupted_calls;
    #[cfg(unix)]
    mod jobs;
    #[cfg(unix)]
    mod live;
    #[cfg(target_os = "linux")]
    mod live_load;
    #[cfg(target_os = "linux")]
    mod memory;
    #[cfg(target_os = "linux")]
    mod races;
    #[cfg(unix)]
    mod random_keys;
    mod readme;
    mod recipes;
    mod shell;
    #[cfg(unix)]
    mod tui;
    #[cfg(unix)]
    mod tui_log_list;
    #[cfg(unix)]
    mod tui_session;
}
