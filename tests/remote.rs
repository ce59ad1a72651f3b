//! Tests of the feature `remote` against real servers, which each test starts itself on a free port of the loopback interface. A
//! test whose server is not installed prints `SKIPPED`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a failed test panics, and a skipped check prints the reason"
)]

#[cfg(unix)]
mod remote {
    mod nats_client;
    mod nats_cluster;
    mod nats_credentials;
    mod nats_donor;
    mod nats_replicate;
    mod nats_restore;
    mod nats_server;
    mod s3_backups;
    mod s3_faults;
    mod s3_logs;
    mod s3_screen;
    mod s3_server;
    #[path = "../app/shell.rs"]
    #[allow(dead_code, reason = "the tests of the program use all of it")]
    mod shell;
}
