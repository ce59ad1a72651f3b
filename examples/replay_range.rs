//! Replays a range of a log, and handles damage in it.
//!
//! Run it with `cargo run --example replay_range`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::Path;

use chronicle::{Event, EventLog, StorageError};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    run(folder.path())
}

/// Writes six events to a log in `folder`, and replays four of them.
///
/// # Errors
/// The errors of writing and reading the log.
///
/// # Panics
/// The example panics when it does not replay four events.
pub fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join("temperatures.log");
    let mut log = EventLog::create(&path)?;
    let mut offsets = Vec::new();
    for degrees in 20..26 {
        offsets.push(log.append(&measured(degrees)?)?);
    }
    log.close()?;

    // Reading takes no lock. Offsets select the range: from the second event up to the last one, which is not included.
    let log = EventLog::open_read_only(&path)?;
    let mut replayed = 0;
    for item in log.replay_until(offsets[1], offsets[5])? {
        match item {
            Ok(event) => {
                println!("{:>6}  {}", event.offset(), event.payload());
                replayed += 1;
            }
            // Damage and gaps are error items. The iterator continues with the next event.
            Err(StorageError::Damaged { finding, .. }) => {
                println!("{:>6}  damaged: {}", finding.start, finding.kind.name());
            }
            Err(StorageError::Gap { start, .. }) => println!("{start:>6}  gap"),
            Err(error) => return Err(error.into()),
        }
    }
    assert_eq!(replayed, 4);
    Ok(())
}

fn measured(degrees: u32) -> Result<Event, Box<dyn Error>> {
    let event = Event::builder()
        .event_type("Measured")
        .namespace("greenhouse")
        .schema_id("Temperature")
        .schema_version(1)
        .payload_json(format!(r#"{{"degrees":{degrees}}}"#))
        .build()?;
    Ok(event)
}
