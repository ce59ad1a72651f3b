//! Rebuilds the index of a log, saves it, and extends it later without reading the whole log again.
//!
//! Run it with `cargo run --example rebuild_index`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::Path;

use chronicle::{Event, EventLog, IndexState, load_index, save_index};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    run(folder.path())
}

/// Writes a log to `folder` and keeps its index up to date by hand.
///
/// # Errors
/// Those of the log and of its index.
///
/// # Panics
/// When the merged index does not hold every event.
pub fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join("orders.log");
    let index_path = folder.join("orders.log.idx"); // where the engine looks for the index
    let mut log = EventLog::create(&path)?;
    for order in 0..100 {
        log.append(&placed(order % 10)?)?;
    }

    // One pass over the log. Saving syncs the log first, and replaces the file atomically.
    let index = log.rebuild_index_from(0)?;
    save_index(&index_path, &index)?;
    println!("saved an index of {} events", index.coverage().events);

    // Later: only what was appended since is read, and merged into the saved index.
    for order in 0..20 {
        log.append(&placed(order % 10)?)?;
    }
    let mut index = load_index(&index_path)?;
    let later = log.rebuild_index_from(index.coverage().covered_to)?;
    println!("read {} more events", later.coverage().events);
    index.merge(later)?;
    save_index(&index_path, &index)?;

    for aggregate in index.iter() {
        let aggregate = aggregate?;
        assert_eq!(aggregate.events, 12, "aggregate {}", aggregate.id);
    }
    let offsets = index.offsets(3)?.collect::<Result<Vec<_>, _>>()?;
    println!("customer 3 placed {} orders, the first one at offset {}", offsets.len(), offsets[0]);

    drop(log);
    let log = EventLog::open_read_only(&path)?;
    assert_eq!(*log.view().index_state(), IndexState::Fresh);
    Ok(())
}

fn placed(customer: u64) -> Result<Event, Box<dyn Error>> {
    let event = Event::builder()
        .event_type("Placed")
        .namespace("shop")
        .schema_id("Order")
        .schema_version(1)
        .aggregate_id(customer)
        .payload_json(r#"{"articles":1}"#)
        .build()?;
    Ok(event)
}
