//! Follows one aggregate: loads its events, and later reads the events that were appended in between.
//!
//! Run it with `cargo run --example follow_aggregate`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::Path;

use chronicle::{Event, EventLog};

const ACCOUNT: u64 = 42;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    run(folder.path())
}

/// Writes events of two accounts to a log in `folder`, and follows one account.
///
/// # Errors
/// The errors of writing and reading the log.
///
/// # Panics
/// The example panics when the balance is not the sum of the deposits.
pub fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join("accounts.log");
    let mut writer = EventLog::create(&path)?;
    for amount in [100, 250, 75] {
        writer.append(&deposited(ACCOUNT, amount)?)?;
        writer.append(&deposited(7, amount)?)?;
    }

    // A second handle reads while the first one writes.
    let reader = EventLog::open_read_only(&path)?;
    let mut balance = 0;
    let mut last_offset = 0;
    for event in reader.load_aggregate(ACCOUNT)? {
        balance += amount_of(event.payload())?;
        last_offset = event.offset();
    }
    println!("balance of account {ACCOUNT}: {balance}");
    assert_eq!(balance, 425);

    writer.append(&deposited(ACCOUNT, 5)?)?;
    writer.append(&deposited(7, 5)?)?;

    // The reader extends its index in memory by the new events and reads no part of the log twice for it. The iterator
    // reports a damaged event as an error item and continues, whereas `load_aggregate` stops.
    for event in reader.aggregate_events(ACCOUNT)? {
        let event = event?;
        if event.offset() > last_offset {
            balance += amount_of(event.payload())?;
            println!("balance of account {ACCOUNT}: {balance}");
        }
    }
    assert_eq!(balance, 430);
    Ok(())
}

fn amount_of(payload: &str) -> Result<u64, Box<dyn Error>> {
    let payload: serde_json::Value = serde_json::from_str(payload)?;
    Ok(payload["amount"].as_u64().ok_or("a deposit without an amount")?)
}

fn deposited(account: u64, amount: u64) -> Result<Event, Box<dyn Error>> {
    let event = Event::builder()
        .event_type("Deposited")
        .namespace("accounts")
        .schema_id("Deposit")
        .schema_version(1)
        .aggregate_id(account)
        .payload_json(format!(r#"{{"amount":{amount}}}"#))
        .build()?;
    Ok(event)
}
