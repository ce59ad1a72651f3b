//! The engine, used as a program uses it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is its way to say so"
)]

mod engine {
    mod samples;
}
