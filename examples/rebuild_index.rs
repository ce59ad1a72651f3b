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

/// Writes a log to `folder`, saves its index, and extends the saved index after further appends.
///
/// # Errors
/// The errors of the log and of its index.
///
/// # Panics
/// The example panics when the merged index does not contain every event.
pub fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join("orders.log");
    let index_path = folder.join("orders.log.idx"); // the default path of the index
    let mut log = EventLog::create(&path)?;
    for order in 0..100 {
        log.append(&placed(order % 10)?)?;
    }

    // Building reads the log once. Saving first syncs the log, and then replaces the index file atomically.
    let index = log.rebuild_index_from(0)?;
    save_index(&index_path, &index)?;
    println!("saved an index of {} events", index.coverage().events);

    // The second build reads only the events appended since, and is merged into the saved index.
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
