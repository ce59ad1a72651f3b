//! Appends events with both durabilities.
//!
//! `append` hands an event to the operating system, so the event survives the death of the process. `append_sync`
//! returns when the event is on stable storage, so the event survives a power cut.
//!
//! Run it with `cargo run --example append`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::Path;

use chronicle::{Durability, Event, EventLog};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    run(folder.path())
}

/// Appends five events to a log in `folder`.
///
/// # Errors
/// The errors of creating the log and appending to it.
pub fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut log = EventLog::open_or_create(folder.join("accounts.log"))?;

    let offset = log.append(&opened(1)?)?;
    println!("event at {offset}: survives the death of this process");

    let offset = log.append_sync(&opened(2)?)?;
    println!("event at {offset}: on stable storage, and so is every event before it");

    // A batch is written as a whole or not at all, and costs one sync.
    let batch = [opened(3)?, opened(4)?, opened(5)?];
    let offsets = log.append_batch(&batch, Durability::Synced)?;
    println!("events at {offsets:?}: on stable storage");

    // Closing saves the index, so that the next lookup does not read the log.
    log.close()?;
    Ok(())
}

fn opened(account: u64) -> Result<Event, Box<dyn Error>> {
    let event = Event::builder()
        .event_type("Opened")
        .namespace("accounts")
        .schema_id("Account")
        .schema_version(1)
        .aggregate_id(account)
        .payload_json(r#"{"currency":"EUR"}"#)
        .build()?;
    Ok(event)
}
