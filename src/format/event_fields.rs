//! The parser of an event's JSON: one pass reads the known fields and rejects objects that are not valid events.
//!
//! [`EventFields::parse`] is the only implementation of the definition of a valid event in `docs/format.md`.

#![expect(clippy::inline_always, reason = "measured: a tenth of the time to parse an event")]

use std::ops::Range;

use super::json;
use super::json_scanner::{JsonScanner, PayloadError, SurrogatePolicy};
use super::token_span::{NameSpans, TokenSpan};
use super::{SeenNames, Version, frame};

/// The origin of an object, which decides which of its keys are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventSource {
    /// The object is the payload of a frame in a log of this version.
    Log(Version),
    /// The caller passed the object. It has neither time nor offset, because Chronicle sets them.
    Caller,
}

/// A key at the top level of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKey {
    WriteTimestampMs,
    EventType,
    Namespace,
    SchemaId,
    SchemaVersion,
    AggregateId,
    Payload,
    /// A key of exported events. Chronicle sets it, so it is not allowed in an object from the caller.
    Offset,
    /// Any other key. Chronicle stores it unchanged.
    Unknown,
}

impl PayloadError {
    /// True when an object was rejected because it has a key that only Chronicle sets.
    #[cfg(feature = "app")]
    pub(crate) fn is_reserved_key(&self) -> bool {
        [EventKey::WriteTimestampMs, EventKey::Offset].iter().any(|key| key.info().reserved_reason == self.reason)
    }
}

/// The name of a key, and the reasons for rejecting an object because of it.
pub(super) struct EventKeyInfo {
    pub(super) name: &'static str,
    pub(super) missing_reason: &'static str,
    duplicate_reason: &'static str,
    /// The reason when the caller passes a key that Chronicle sets.
    reserved_reason: &'static str,
}

macro_rules! key_info {
    ($name:literal) => {
        EventKeyInfo {
            name: $name,
            missing_reason: concat!($name, " is missing"),
            duplicate_reason: concat!($name, " appears twice"),
            reserved_reason: concat!($name, " is set by Chronicle and cannot be given"),
        }
    };
}

impl EventKey {
    /// The keys that every event must have.
    pub(super) const REQUIRED: [Self; 6] =
        [Self::WriteTimestampMs, Self::EventType, Self::Namespace, Self::SchemaId, Self::SchemaVersion, Self::Payload];

    /// The name of the key and its rejection reasons.
    pub(super) const fn info(self) -> EventKeyInfo {
        match self {
            Self::WriteTimestampMs => key_info!("write_timestamp_ms"),
            Self::EventType => key_info!("event_type"),
            Self::Namespace => key_info!("namespace"),
            Self::SchemaId => key_info!("schema_id"),
            Self::SchemaVersion => key_info!("schema_version"),
            Self::AggregateId => key_info!("aggregate_id"),
            Self::Payload => key_info!("payload"),
            Self::Offset => key_info!("offset"),
            Self::Unknown => key_info!("an unknown key"),
        }
    }

    /// Returns the key that `name`, with its escapes resolved, has in an object from `source`.
    #[inline]
    pub(super) fn from_name(name: &[u8], source: EventSource) -> Self {
        match name {
            b"write_timestamp_ms" => Self::WriteTimestampMs,
            b"event_type" => Self::EventType,
            b"namespace" => Self::Namespace,
            b"schema_id" => Self::SchemaId,
            b"schema_version" => Self::SchemaVersion,
            b"aggregate_id" => Self::AggregateId,
            b"payload" => Self::Payload,
            b"timestamp_ms" if source == EventSource::Log(Version::V0) => Self::WriteTimestampMs,
            b"offset" if source == EventSource::Caller => Self::Offset,
            _ => Self::Unknown,
        }
    }

    /// The bit of this key in the set of keys already seen.
    const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// True for the keys that only Chronicle sets.
    const fn is_reserved(self) -> bool {
        matches!(self, Self::WriteTimestampMs | Self::Offset)
    }
}

/// The fields of a valid event: numbers by value, everything else as a span of the JSON text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct EventFields {
    pub(super) write_timestamp_ms: u64,
    pub(super) aggregate_id: Option<u64>,
    pub(super) schema_version: u32,
    pub(super) event_type: TokenSpan,
    pub(super) namespace: TokenSpan,
    pub(super) schema_id: TokenSpan,
    pub(super) payload: TokenSpan,
}

impl EventFields {
    /// Parses `json`, an object from `source`, in one pass.
    ///
    /// # Errors
    /// [`PayloadError`] with the offset of the first byte that makes the object invalid. For a missing key, the offset
    /// is the end of the object.
    #[inline]
    pub(super) fn parse(json: &str, source: EventSource) -> Result<Self, PayloadError> {
        Self::parse_with_names(json, source, None)
    }

    /// Parses `json` like [`EventFields::parse`], and compares the members with names with `names` first.
    ///
    /// # Errors
    /// See [`EventFields::parse`].
    #[inline]
    pub(super) fn parse_with_names(
        json: &str,
        source: EventSource,
        names: Option<&mut SeenNames>,
    ) -> Result<Self, PayloadError> {
        if u32::try_from(json.len()).is_err() {
            return Err(EVENT_TOO_LONG);
        }
        let mut scanner = JsonScanner::new(json.as_bytes());
        let mut fields = Self::default();
        let mut seen = match source {
            EventSource::Log(_) => fields.parse_canonical_prefix(&mut scanner, names)?,
            EventSource::Caller => EventKey::WriteTimestampMs.bit(),
        };
        let mut more = if scanner.position() == 0 {
            scanner.skip_whitespace();
            scanner.expect(b'{', "an object was expected")?;
            scanner.skip_whitespace();
            scanner.peek() != Some(b'}')
        } else {
            scanner.try_consume_comma()
        };
        while more {
            let at = scanner.position();
            let raw = scanner.read_string(SurrogatePolicy::RequirePairs)?;
            let key = if raw.escaped {
                let name = json::unescape(json.get(at..scanner.position()).unwrap_or_default());
                EventKey::from_name(name.as_bytes(), source)
            } else {
                EventKey::from_name(raw.bytes, source)
            };
            if key != EventKey::Unknown {
                if source == EventSource::Caller && key.is_reserved() {
                    return Err(PayloadError { offset: at, reason: key.info().reserved_reason });
                }
                if seen & key.bit() != 0 {
                    return Err(PayloadError { offset: at, reason: key.info().duplicate_reason });
                }
                seen |= key.bit();
            }
            scanner.skip_whitespace();
            scanner.expect(b':', "`:` was expected")?;
            fields.parse_value(key, &mut scanner)?;
            more = scanner.try_consume_comma();
        }
        let end = scanner.position();
        scanner.expect(b'}', "`,` or `}` was expected")?;
        scanner.expect_end()?;
        match EventKey::REQUIRED.iter().find(|key| seen & key.bit() == 0) {
            Some(key) => Err(PayloadError { offset: end, reason: key.info().missing_reason }),
            None => Ok(fields),
        }
    }

    /// Reads the leading members that are in the order in which Chronicle writes them, without whitespace around the
    /// keys. Stops before the first member that differs, and returns the bits of the keys read.
    ///
    /// This fast path compares each expected key as a whole, which costs less than searching for the end of the key
    /// first.
    #[inline(always)]
    fn parse_canonical_prefix(
        &mut self,
        scanner: &mut JsonScanner<'_>,
        names: Option<&mut SeenNames>,
    ) -> Result<u16, PayloadError> {
        if !scanner.try_consume(b"{\"write_timestamp_ms\":") {
            return Ok(0);
        }
        let mut seen = EventKey::WriteTimestampMs.bit();
        self.parse_value(EventKey::WriteTimestampMs, scanner)?;
        if !self.parse_canonical_names(scanner, names, &mut seen)? {
            return Ok(seen);
        }
        let mut read = |key: EventKey, scanner: &mut JsonScanner<'_>| {
            seen |= key.bit();
            self.parse_value(key, scanner).map(|()| true)
        };
        let _ = read(EventKey::SchemaVersion, scanner)?
            && scanner.try_consume(b",\"aggregate_id\":")
            && read(EventKey::AggregateId, scanner)?
            && scanner.try_consume(b",\"payload\":")
            && read(EventKey::Payload, scanner)?;
        Ok(seen)
    }

    /// Reads the members with names and the key of the version of the schema, when they are next in the order in which Chronicle
    /// writes them, and returns true. Stops before the first member that differs, and returns false. Adds the bits of the
    /// keys read to `seen`.
    #[inline(always)]
    fn parse_canonical_names(
        &mut self,
        scanner: &mut JsonScanner<'_>,
        mut names: Option<&mut SeenNames>,
        seen: &mut u16,
    ) -> Result<bool, PayloadError> {
        let start = scanner.position();
        if let Some(names) = names.as_deref_mut()
            && let Some((spans, len)) = names.find(scanner.rest(), start)
        {
            NameSpans { event_type: self.event_type, namespace: self.namespace, schema_id: self.schema_id } = spans;
            *seen |= EventKey::EventType.bit() | EventKey::Namespace.bit() | EventKey::SchemaId.bit();
            scanner.advance_by(len);
            return Ok(true);
        }
        let mut read = |key: EventKey, scanner: &mut JsonScanner<'_>| {
            *seen |= key.bit();
            self.parse_value(key, scanner).map(|()| true)
        };
        let complete = scanner.try_consume(b",\"event_type\":")
            && read(EventKey::EventType, scanner)?
            && scanner.try_consume(b",\"namespace\":")
            && read(EventKey::Namespace, scanner)?
            && scanner.try_consume(b",\"schema_id\":")
            && read(EventKey::SchemaId, scanner)?
            && scanner.try_consume(b",\"schema_version\":");
        if let Some(names) = names.filter(|_| complete) {
            let spans = NameSpans { event_type: self.event_type, namespace: self.namespace, schema_id: self.schema_id };
            names.insert(scanner.since(start), start, spans);
        }
        Ok(complete)
    }

    /// Reads the value of `key`, including the whitespace before it.
    #[inline(always)]
    fn parse_value(&mut self, key: EventKey, scanner: &mut JsonScanner<'_>) -> Result<(), PayloadError> {
        scanner.skip_whitespace();
        let at = scanner.position();
        match key {
            EventKey::WriteTimestampMs => self.write_timestamp_ms = scanner.read_integer()?,
            EventKey::EventType => self.event_type = TokenSpan::read_string(scanner)?,
            EventKey::Namespace => self.namespace = TokenSpan::read_string(scanner)?,
            EventKey::SchemaId => self.schema_id = TokenSpan::read_string(scanner)?,
            EventKey::SchemaVersion => {
                let number = u32::try_from(scanner.read_integer()?);
                self.schema_version =
                    number.map_err(|_| PayloadError { offset: at, reason: "a schema_version over 4294967295" })?;
            }
            EventKey::AggregateId => {
                let is_null = scanner.try_consume(b"null");
                self.aggregate_id = if is_null { None } else { Some(scanner.read_integer()?) };
            }
            EventKey::Payload => {
                scanner.skip_value(1, SurrogatePolicy::AllowLone)?;
                self.payload = TokenSpan::new(at, scanner.position());
            }
            EventKey::Offset | EventKey::Unknown => scanner.skip_value(1, SurrogatePolicy::RequirePairs)?,
        }
        Ok(())
    }
}

/// The positions of a key and its value in the text of an object.
pub(super) struct KeyPosition {
    /// The key with its quotes.
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// Finds a key at the top level of a valid event.
pub(super) fn find_key(json: &str, name: &str) -> Option<KeyPosition> {
    let mut scanner = JsonScanner::new(json.as_bytes());
    scanner.skip_whitespace();
    scanner.expect(b'{', "").ok()?;
    loop {
        scanner.skip_whitespace();
        let start = scanner.position();
        scanner.read_string(SurrogatePolicy::RequirePairs).ok()?;
        let key = start..scanner.position();
        scanner.skip_whitespace();
        scanner.expect(b':', "").ok()?;
        scanner.skip_whitespace();
        let start = scanner.position();
        scanner.skip_value(1, SurrogatePolicy::AllowLone).ok()?;
        if json::unescape(json.get(key.clone())?) == name {
            return Some(KeyPosition { key, value: start..scanner.position() });
        }
        scanner.skip_whitespace();
        scanner.expect(b',', "").ok()?;
    }
}

/// The error for an event that is too long for a frame.
pub(super) const EVENT_TOO_LONG: PayloadError = PayloadError {
    offset: frame::MAX_PAYLOAD as usize,
    reason: "an event has at most 16777215 bytes, including its time",
};
