//! An event to be: what a caller hands in, valid by construction, without a time until it is accepted.

use std::borrow::Cow;

use serde::Serialize;

use super::event_fields::{EVENT_TOO_LONG, EventFields, EventKey, EventSource};
use super::json::{self, PayloadError};
use super::{EventView, Version, frame};

/// An event to be appended: valid, of a size that fits a frame, and without a time until it is accepted.
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
    /// As it is stored when its time is the longest one; another time takes the place of the first bytes.
    max_timestamp_json: Box<str>,
    fields: EventFields,
}

/// The parts of an [`Event`] to be, in any order. A part given twice counts as given last.
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
    /// An event from its parts.
    pub fn builder() -> EventBuilder {
        EventBuilder::default()
    }

    /// An event from `text`, one JSON object as a log exports it, without the two keys that are Chronicle's own.
    ///
    /// Unknown keys are kept, and all keys in their order; blanks outside strings are dropped.
    ///
    /// # Errors
    /// [`PayloadError`] when `text` is no event, has a `write_timestamp_ms` or an `offset`, or does not fit a frame.
    pub fn from_json(text: &str) -> Result<Self, PayloadError> {
        // Judged as given first, so that the place of a mistake is one in the caller's text.
        EventFields::parse(text, EventSource::Caller)?;
        let mut longest = MAX_TIMESTAMP_PREFIX.as_bytes().to_vec();
        json::compact(text.as_bytes(), &mut longest);
        // An event is never empty: a comma takes the place of its opening brace.
        if let Some(brace) = longest.get_mut(MAX_TIMESTAMP_PREFIX.len()) {
            *brace = b',';
        }
        Self::from_max_timestamp_json(longest)
    }

    /// What happened.
    pub fn event_type(&self) -> Cow<'_, str> {
        self.view().event_type()
    }

    /// The part of the world the event belongs to.
    pub fn namespace(&self) -> Cow<'_, str> {
        self.view().namespace()
    }

    /// What the payload is meant to look like.
    pub fn schema_id(&self) -> Cow<'_, str> {
        self.view().schema_id()
    }

    /// The version of that schema.
    pub const fn schema_version(&self) -> u32 {
        self.fields.schema_version
    }

    /// Whom the event happens to; `None` when it is null or absent.
    pub const fn aggregate_id(&self) -> Option<u64> {
        self.fields.aggregate_id
    }

    /// The value of `payload`, JSON as it is going to be stored.
    pub fn payload(&self) -> &str {
        self.view().payload()
    }

    /// The payload of the event's frame, accepted at the time of `accepted`, in two parts.
    #[inline]
    pub(crate) fn payload_parts<'a>(&'a self, accepted: &'a TimestampPrefix) -> [&'a [u8]; 2] {
        let behind_time = self.max_timestamp_json.get(MAX_TIMESTAMP_PREFIX.len()..).unwrap_or_default();
        [accepted.prefix.as_bytes(), behind_time.as_bytes()]
    }

    /// The event with the longest time, judged as it is going to be read.
    fn from_max_timestamp_json(longest: Vec<u8>) -> Result<Self, PayloadError> {
        if longest.len() > frame::MAX_PAYLOAD as usize {
            return Err(EVENT_TOO_LONG);
        }
        let fields = EventView::parse(&longest, Version::V1)?.fields();
        let longest = String::from_utf8(longest).map_err(|_| PayloadError { offset: 0, reason: "not UTF-8" })?;
        Ok(Self { max_timestamp_json: longest.into_boxed_str(), fields })
    }

    fn view(&self) -> EventView<'_> {
        EventView::from_parts(&self.max_timestamp_json, self.fields)
    }
}

impl EventBuilder {
    /// What happened.
    #[must_use]
    pub fn event_type(mut self, event_type: impl Into<String>) -> Self {
        self.event_type = Some(event_type.into());
        self
    }

    /// The part of the world the event belongs to.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// What the payload is meant to look like.
    #[must_use]
    pub fn schema_id(mut self, schema_id: impl Into<String>) -> Self {
        self.schema_id = Some(schema_id.into());
        self
    }

    /// The version of that schema.
    #[must_use]
    pub const fn schema_version(mut self, schema_version: u32) -> Self {
        self.schema_version = Some(schema_version);
        self
    }

    /// Whom the event happens to.
    #[must_use]
    pub const fn aggregate_id(mut self, aggregate_id: u64) -> Self {
        self.aggregate_id = Some(aggregate_id);
        self
    }

    /// The event happens to no one in particular, as it does when nothing is said.
    #[must_use]
    pub const fn no_aggregate(mut self) -> Self {
        self.aggregate_id = None;
        self
    }

    /// The payload as JSON text: kept token for token, only blanks outside strings are dropped.
    #[must_use]
    pub fn payload_json(mut self, json: impl AsRef<str>) -> Self {
        self.payload = Some(Ok(json.as_ref().to_owned()));
        self
    }

    /// The payload as a value of the caller's.
    #[must_use]
    pub fn payload(mut self, value: &impl Serialize) -> Self {
        let json = serde_json::to_string(value);
        self.payload = Some(json.map_err(|_| PayloadError { offset: 0, reason: "payload cannot be written as JSON" }));
        self
    }

    /// The event.
    ///
    /// # Errors
    /// [`PayloadError`] when a part is missing, the payload is no JSON (the place is one in the payload's text) or too deeply
    /// nested, or the event does not fit a frame.
    pub fn build(self) -> Result<Event, PayloadError> {
        let missing = |key: EventKey| PayloadError { offset: 0, reason: key.info().missing_reason };
        let event_type = self.event_type.ok_or(missing(EventKey::EventType))?;
        let namespace = self.namespace.ok_or(missing(EventKey::Namespace))?;
        let schema_id = self.schema_id.ok_or(missing(EventKey::SchemaId))?;
        let schema_version = self.schema_version.ok_or(missing(EventKey::SchemaVersion))?;
        let payload = self.payload.ok_or(missing(EventKey::Payload))??;
        // Alone, before it is set among the other keys: `1,"x":2` is no value, though it would make an object there.
        json::validate(payload.as_bytes())?;

        let mut longest = MAX_TIMESTAMP_PREFIX.as_bytes().to_vec();
        push_key(EventKey::EventType, &mut longest);
        push_string(&event_type, &mut longest)?;
        push_key(EventKey::Namespace, &mut longest);
        push_string(&namespace, &mut longest)?;
        push_key(EventKey::SchemaId, &mut longest);
        push_string(&schema_id, &mut longest)?;
        push_key(EventKey::SchemaVersion, &mut longest);
        longest.extend_from_slice(schema_version.to_string().as_bytes());
        push_key(EventKey::AggregateId, &mut longest);
        longest.extend_from_slice(self.aggregate_id.map_or("null".to_owned(), |id| id.to_string()).as_bytes());
        push_key(EventKey::Payload, &mut longest);
        json::compact(payload.as_bytes(), &mut longest);
        longest.push(b'}');
        Event::from_max_timestamp_json(longest)
    }
}

/// The start of the payloads accepted at one instant, written once for all of them.
#[derive(Debug)]
pub(crate) struct TimestampPrefix {
    write_timestamp_ms: u64,
    prefix: String,
}

impl TimestampPrefix {
    /// Events accepted at `write_timestamp_ms`, milliseconds since the Unix epoch.
    pub(crate) fn new(write_timestamp_ms: u64) -> Self {
        Self { write_timestamp_ms, prefix: format!("{TIMESTAMP_PREFIX}{write_timestamp_ms}") }
    }

    /// The same for what is accepted now: written anew only when the millisecond is another.
    #[inline]
    pub(crate) fn update(&mut self, write_timestamp_ms: u64) {
        if self.write_timestamp_ms != write_timestamp_ms {
            *self = Self::new(write_timestamp_ms);
        }
    }
}

/// The start of every payload that Chronicle writes.
pub(super) const TIMESTAMP_PREFIX: &str = "{\"write_timestamp_ms\":";
/// The same with the longest time.
pub(super) const MAX_TIMESTAMP_PREFIX: &str = "{\"write_timestamp_ms\":18446744073709551615";
/// Appends `,"name":`.
fn push_key(key: EventKey, out: &mut Vec<u8>) {
    for part in [",\"", key.info().name, "\":"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Appends `text` as a JSON string.
fn push_string(text: &str, out: &mut Vec<u8>) -> Result<(), PayloadError> {
    serde_json::to_writer(out, text).map_err(|_| PayloadError { offset: 0, reason: "a text that JSON cannot hold" })
}
