//! An event that a program is going to append, and the builder that validates it.

use std::borrow::Cow;

use serde::Serialize;

use super::event_fields::{EVENT_TOO_LONG, EventFields, EventKey, EventSource};
use super::json;
use super::json_scanner::PayloadError;
use super::{EventView, Version, frame};

/// A valid event that fits a frame, ready to be appended. The log sets its time when it accepts the event.
///
/// ```
/// # use chronicle::Event;
/// let event = Event::builder()
///     .event_type("Updated")
///     .namespace("accounts")
///     .schema_id("Person")
///     .schema_version(1)
///     .aggregate_id(1)
///     .payload_json(r#"{ "name": "Juan" }"#)
///     .build()?;
/// assert_eq!(event.payload(), r#"{"name":"Juan"}"#);
/// # Ok::<(), chronicle::PayloadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The payload as stored with the longest possible time. Appending replaces [`MAX_TIMESTAMP_PREFIX`] with the
    /// actual time.
    max_timestamp_json: Box<str>,
    fields: EventFields,
}

/// Builds an [`Event`] from its parts, in any order. A part that is set twice keeps the last value.
#[derive(Debug, Clone, Default)]
pub struct EventBuilder {
    pub(super) event_type: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) schema_id: Option<String>,
    pub(super) schema_version: Option<u32>,
    pub(super) aggregate_id: Option<u64>,
    pub(super) payload: Option<Result<String, PayloadError>>,
}

impl Event {
    /// Creates a builder without any parts.
    pub fn builder() -> EventBuilder {
        EventBuilder::default()
    }

    /// Creates an event from `text`: one JSON object as `chronicle cat` exports it, without the keys
    /// `write_timestamp_ms` and `offset`, which Chronicle sets.
    ///
    /// Unknown keys and the order of keys are kept. Whitespace outside strings is dropped.
    ///
    /// # Errors
    /// [`PayloadError`] when `text` is not a valid event, has one of those two keys, or does not fit a frame. Its
    /// offset is an offset in `text`.
    pub fn from_json(text: &str) -> Result<Self, PayloadError> {
        // The text is parsed before it is compacted, so that the offset of an error refers to the text of the caller.
        EventFields::parse(text, EventSource::Caller)?;
        let mut payload = MAX_TIMESTAMP_PREFIX.as_bytes().to_vec();
        json::compact(text.as_bytes(), &mut payload);
        // The object has at least one key, so its opening brace can become the comma after the time.
        if let Some(brace) = payload.get_mut(MAX_TIMESTAMP_PREFIX.len()) {
            *brace = b',';
        }
        Self::from_max_timestamp_json(payload)
    }

    /// The type of the event, such as `Updated`.
    pub fn event_type(&self) -> Cow<'_, str> {
        self.view().event_type()
    }

    /// The namespace: the part of the system to which the event belongs.
    pub fn namespace(&self) -> Cow<'_, str> {
        self.view().namespace()
    }

    /// The id of the schema that describes the payload.
    pub fn schema_id(&self) -> Cow<'_, str> {
        self.view().schema_id()
    }

    /// The version of the schema.
    pub const fn schema_version(&self) -> u32 {
        self.fields.schema_version
    }

    /// The aggregate to which the event belongs; `None` when it belongs to none.
    pub const fn aggregate_id(&self) -> Option<u64> {
        self.fields.aggregate_id
    }

    /// The value of the field `payload`: JSON text, as it will be stored.
    pub fn payload(&self) -> &str {
        self.view().payload()
    }

    /// Returns the payload of the event's frame in two parts, with the time of `accepted`.
    #[inline]
    pub(crate) fn payload_parts<'a>(&'a self, accepted: &'a TimestampPrefix) -> [&'a [u8]; 2] {
        let after_time = self.max_timestamp_json.get(MAX_TIMESTAMP_PREFIX.len()..).unwrap_or_default();
        [accepted.prefix.as_bytes(), after_time.as_bytes()]
    }

    /// Creates an event from its payload with the longest time, parsed the way a reader of the log will parse it.
    fn from_max_timestamp_json(payload: Vec<u8>) -> Result<Self, PayloadError> {
        if payload.len() > frame::MAX_PAYLOAD as usize {
            return Err(EVENT_TOO_LONG);
        }
        let fields = EventView::parse(&payload, Version::V1)?.fields();
        let json = String::from_utf8(payload).map_err(|_| PayloadError { offset: 0, reason: "not UTF-8" })?;
        Ok(Self { max_timestamp_json: json.into_boxed_str(), fields })
    }

    fn view(&self) -> EventView<'_> {
        EventView::from_parts(&self.max_timestamp_json, self.fields)
    }
}

impl EventBuilder {
    /// Sets the type of the event, such as `Updated`. This part is required.
    #[must_use]
    pub fn event_type(mut self, event_type: impl Into<String>) -> Self {
        self.event_type = Some(event_type.into());
        self
    }

    /// Sets the namespace: the part of the system to which the event belongs. This part is required.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Sets the id of the schema that describes the payload. This part is required.
    #[must_use]
    pub fn schema_id(mut self, schema_id: impl Into<String>) -> Self {
        self.schema_id = Some(schema_id.into());
        self
    }

    /// Sets the version of the schema. This part is required.
    #[must_use]
    pub const fn schema_version(mut self, schema_version: u32) -> Self {
        self.schema_version = Some(schema_version);
        self
    }

    /// Sets the aggregate to which the event belongs. Without it, the event belongs to none.
    #[must_use]
    pub const fn aggregate_id(mut self, aggregate_id: u64) -> Self {
        self.aggregate_id = Some(aggregate_id);
        self
    }

    /// Sets that the event belongs to no aggregate, which is the default.
    #[must_use]
    pub const fn no_aggregate(mut self) -> Self {
        self.aggregate_id = None;
        self
    }

    /// Sets the payload as JSON text. It is stored token for token; only whitespace outside strings is dropped.
    #[must_use]
    pub fn payload_json(mut self, json: impl AsRef<str>) -> Self {
        self.payload = Some(Ok(json.as_ref().to_owned()));
        self
    }

    /// Sets the payload as a value, which is serialized to JSON.
    #[must_use]
    pub fn payload(mut self, value: &impl Serialize) -> Self {
        let json = serde_json::to_string(value);
        self.payload = Some(json.map_err(|_| PayloadError { offset: 0, reason: "payload cannot be written as JSON" }));
        self
    }

    /// Validates the parts and builds the event.
    ///
    /// # Errors
    /// [`PayloadError`] when a required part is missing, the payload is not JSON (the offset is an offset in the text
    /// of the payload) or is nested too deeply, or the event does not fit a frame.
    pub fn build(self) -> Result<Event, PayloadError> {
        let missing = |key: EventKey| PayloadError { offset: 0, reason: key.info().missing_reason };
        let event_type = self.event_type.ok_or(missing(EventKey::EventType))?;
        let namespace = self.namespace.ok_or(missing(EventKey::Namespace))?;
        let schema_id = self.schema_id.ok_or(missing(EventKey::SchemaId))?;
        let schema_version = self.schema_version.ok_or(missing(EventKey::SchemaVersion))?;
        let payload = self.payload.ok_or(missing(EventKey::Payload))??;
        // The payload is validated alone, because a text such as `1,"x":2` is not a value, but would be accepted as a
        // part of the object.
        json::validate(payload.as_bytes())?;

        let mut json = MAX_TIMESTAMP_PREFIX.as_bytes().to_vec();
        push_key(EventKey::EventType, &mut json);
        push_string(&event_type, &mut json)?;
        push_key(EventKey::Namespace, &mut json);
        push_string(&namespace, &mut json)?;
        push_key(EventKey::SchemaId, &mut json);
        push_string(&schema_id, &mut json)?;
        push_key(EventKey::SchemaVersion, &mut json);
        json.extend_from_slice(schema_version.to_string().as_bytes());
        push_key(EventKey::AggregateId, &mut json);
        json.extend_from_slice(self.aggregate_id.map_or("null".to_owned(), |id| id.to_string()).as_bytes());
        push_key(EventKey::Payload, &mut json);
        json::compact(payload.as_bytes(), &mut json);
        json.push(b'}');
        Event::from_max_timestamp_json(json)
    }
}

/// The first bytes of a payload, up to and including the time. All events accepted in one millisecond share one prefix.
#[derive(Debug)]
pub(crate) struct TimestampPrefix {
    write_timestamp_ms: u64,
    prefix: String,
}

impl TimestampPrefix {
    /// Formats the prefix of events accepted at `write_timestamp_ms`, in milliseconds since the Unix epoch.
    pub(crate) fn new(write_timestamp_ms: u64) -> Self {
        Self { write_timestamp_ms, prefix: format!("{TIMESTAMP_PREFIX}{write_timestamp_ms}") }
    }

    /// Changes the time. Formats the prefix again only when the millisecond differs.
    #[inline]
    pub(crate) fn update(&mut self, write_timestamp_ms: u64) {
        if self.write_timestamp_ms != write_timestamp_ms {
            *self = Self::new(write_timestamp_ms);
        }
    }
}

/// The start of every payload that Chronicle writes.
pub(super) const TIMESTAMP_PREFIX: &str = "{\"write_timestamp_ms\":";
/// The start of a payload with the longest possible time.
pub(super) const MAX_TIMESTAMP_PREFIX: &str = "{\"write_timestamp_ms\":18446744073709551615";

/// Appends `,"name":` to `out`.
fn push_key(key: EventKey, out: &mut Vec<u8>) {
    for part in [",\"", key.info().name, "\":"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Appends `text` as a JSON string to `out`.
fn push_string(text: &str, out: &mut Vec<u8>) -> Result<(), PayloadError> {
    serde_json::to_writer(out, text)
        .map_err(|_| PayloadError { offset: 0, reason: "a text that cannot be written as JSON" })
}
