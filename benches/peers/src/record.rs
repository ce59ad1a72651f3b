//! The events that every store holds, as text and as events of Chronicle.

use chronicle::Event;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The number of aggregates that the events belong to.
pub(crate) const AGGREGATES: u64 = 200;

/// An event to store.
pub(crate) struct Record {
    pub(crate) aggregate: u64,
    /// The JSON text, which the other stores hold.
    pub(crate) json: String,
    /// The same event for Chronicle, which adds its time.
    pub(crate) event: Event,
}

/// The event as a program reads it.
#[derive(Deserialize)]
pub(crate) struct TypedEvent<'a> {
    #[expect(dead_code, reason = "reading it is what is measured")]
    pub(crate) event_type: &'a str,
    pub(crate) aggregate_id: u64,
    #[expect(dead_code, reason = "reading it is what is measured")]
    #[serde(borrow)]
    pub(crate) payload: &'a RawValue,
}

/// Returns `count` events of about 300 bytes.
pub(crate) fn records(count: u64) -> Vec<Record> {
    (0..count).map(record).collect()
}

fn record(number: u64) -> Record {
    let aggregate = number.wrapping_mul(0x9e37_79b9) % AGGREGATES;
    let note = "No action needed, for the record only. ".repeat(4);
    let payload = format!(r#"{{"count":{number},"place":"Bogota","sealed":true,"note":"{note}"}}"#);
    let json = format!(
        r#"{{"write_timestamp_ms":1767225600000,"event_type":"Received","namespace":"stock","schema_id":"Item","schema_version":1,"aggregate_id":{aggregate},"payload":{payload}}}"#
    );
    let event = Event::builder().event_type("Received").namespace("stock").schema_id("Item").schema_version(1);
    let event = event.aggregate_id(aggregate).payload_json(payload).build().expect("a valid event");
    Record { aggregate, json, event }
}
