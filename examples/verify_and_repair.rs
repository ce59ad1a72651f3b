//! Verifies a log, repairs its damage, and undoes the repair.
//!
//! Run it with `cargo run --example verify_and_repair`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use chronicle::repair::{ApplyOptions, RepairOptions, apply, plan_repair, plan_undo};
use chronicle::{Event, EventLog, OpenOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    run(folder.path())
}

/// Writes a log to `folder`, damages one byte of it, and repairs it.
///
/// # Errors
/// The errors of the log and of the repair.
///
/// # Panics
/// The example panics when the damage is not found or not repaired.
pub fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join("accounts.log");
    let damaged_offset = write_damaged_log(&path)?;

    // Verifying reads every frame and writes nothing.
    let log = EventLog::open_read_only(&path)?;
    for finding in log.verify()?.findings {
        println!("{} at {}..{}", finding.kind.name(), finding.start, finding.end);
        assert_eq!(finding.start, damaged_offset);
    }

    // A plan is plain data, which a program can show before it writes anything. By default it holds proven fixes only.
    let plan = plan_repair(log.view(), &RepairOptions::new(), &mut |_| ControlFlow::Continue(()))?;
    println!("plan {}: {} step(s)", plan.id, plan.steps.len());
    assert_eq!(fs::read(&path)?.get(..4), Some(b"CHRN".as_slice()));

    // Applying first saves every byte that it will change in a journal next to the log.
    let paths = OpenOptions::new().log_paths(&path)?;
    let applied = apply(&paths, &plan, ApplyOptions::new())?;
    println!("repair {} applied; its journal is {}", applied.number, applied.journal.display());
    assert_eq!(EventLog::open_read_only(&path)?.verify()?.damage_total, 0);

    // The journal makes the repair undoable. An undo is a repair as well: planned, journaled and applied.
    let undo = plan_undo(&paths, Some(applied.number))?;
    apply(&paths, &undo, ApplyOptions::new())?;
    assert_eq!(EventLog::open_read_only(&path)?.verify()?.damage_total, 1);
    Ok(())
}

/// Writes three events and changes one bit in the payload of the second. Returns the offset of the second event.
fn write_damaged_log(path: &Path) -> Result<u64, Box<dyn Error>> {
    let mut log = EventLog::create(path)?;
    let mut offsets = Vec::new();
    for name in ["Juan", "Ana", "Luis"] {
        let event = Event::builder()
            .event_type("Created")
            .namespace("accounts")
            .schema_id("Person")
            .schema_version(1)
            .aggregate_id(offsets.len() as u64)
            .payload_json(format!(r#"{{"name":"{name}"}}"#))
            .build()?;
        offsets.push(log.append(&event)?);
    }
    log.close()?;
    let mut bytes = fs::read(path)?;
    let at = bytes.windows(3).position(|window| window == b"Ana").ok_or("the payload is not in the log")?;
    bytes[at + 1] ^= 0b0000_0100;
    fs::write(path, bytes)?;
    Ok(offsets[1])
}
