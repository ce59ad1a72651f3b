//! The judge of events: one pass over an object that reads the fields that mean something and refuses what is no event.
//!
//! [`EventFields::parse`] is FORMAT.md's definition of a valid event, and the only one there is.

#![expect(clippy::inline_always, reason = "measured: a tenth of what an event costs to judge")]

use super::json::{self, PayloadError};
use super::json_scanner::{JsonScanner, SurrogatePolicy};
use super::{Version, frame};

/// Who wrote the object, and so which keys it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventSource {
    /// A log of that version.
    Log(Version),
    /// A caller, who leaves time and place to Chronicle.
    Caller,
}

/// A key of the top level that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKey {
    WriteTimestampMs,
    EventType,
    Namespace,
    SchemaId,
    SchemaVersion,
    AggregateId,
    Payload,
    /// Chronicle's own, in what a caller hands in.
    Offset,
    Unknown,
}

/// How a key is called, and what is said about it.
pub(super) struct EventKeyInfo {
    pub(super) name: &'static str,
    pub(super) missing_reason: &'static str,
    duplicate_reason: &'static str,
    /// Why a caller may not give it.
    reserved_reason: &'static str,
}

macro_rules! key_info {
    ($name:literal) => {
        EventKeyInfo {
            name: $name,
            missing_reason: concat!($name, " is missing"),
            duplicate_reason: concat!($name, " is there twice"),
            reserved_reason: concat!($name, " is Chronicle's own and cannot be given"),
        }
    };
}

impl EventKey {
    /// The keys without which there is no event.
    pub(super) const REQUIRED: [Self; 6] =
        [Self::WriteTimestampMs, Self::EventType, Self::Namespace, Self::SchemaId, Self::SchemaVersion, Self::Payload];

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

    /// The key that is called `name` in an object from `source`.
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

    /// Its bit among the keys seen.
    const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// True for what only Chronicle knows of an event.
    const fn is_reserved(self) -> bool {
        matches!(self, Self::WriteTimestampMs | Self::Offset)
    }
}

/// What a valid event holds: numbers as such, and the places of everything else in its JSON.
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
    /// Judges `json`, an object from `source`, in one pass.
    #[inline]
    pub(super) fn parse(json: &str, source: EventSource) -> Result<Self, PayloadError> {
        if u32::try_from(json.len()).is_err() {
            return Err(EVENT_TOO_LONG);
        }
        let mut scanner = JsonScanner::new(json.as_bytes());
        let mut fields = Self::default();
        let mut seen = match source {
            EventSource::Log(_) => fields.parse_canonical_prefix(&mut scanner)?,
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

    /// Reads the first members as far as they stand the way Chronicle writes them, in its order and without a blank
    /// before a key or behind it. Answers the bits of the keys seen; the first that stands otherwise is left unread.
    ///
    /// A key that is known beforehand is compared whole, and the scanner need not find its end to go on.
    #[inline(always)]
    fn parse_canonical_prefix(&mut self, scanner: &mut JsonScanner<'_>) -> Result<u16, PayloadError> {
        let mut seen = 0;
        let mut read = |key: EventKey, scanner: &mut JsonScanner<'_>| {
            seen |= key.bit();
            self.parse_value(key, scanner).map(|()| true)
        };
        let _ = scanner.try_consume(b"{\"write_timestamp_ms\":")
            && read(EventKey::WriteTimestampMs, scanner)?
            && scanner.try_consume(b",\"event_type\":")
            && read(EventKey::EventType, scanner)?
            && scanner.try_consume(b",\"namespace\":")
            && read(EventKey::Namespace, scanner)?
            && scanner.try_consume(b",\"schema_id\":")
            && read(EventKey::SchemaId, scanner)?
            && scanner.try_consume(b",\"schema_version\":")
            && read(EventKey::SchemaVersion, scanner)?
            && scanner.try_consume(b",\"aggregate_id\":")
            && read(EventKey::AggregateId, scanner)?
            && scanner.try_consume(b",\"payload\":")
            && read(EventKey::Payload, scanner)?;
        Ok(seen)
    }

    /// Reads the value of `key`, blanks before it included.
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
                let null = scanner.try_consume(b"null");
                self.aggregate_id = if null { None } else { Some(scanner.read_integer()?) };
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

/// Where the key that only version 0 has for an event's time stands in a valid event, quotes included.
pub(super) fn find_v0_timestamp_key(json: &str) -> Option<(usize, usize)> {
    let mut scanner = JsonScanner::new(json.as_bytes());
    scanner.skip_whitespace();
    scanner.expect(b'{', "").ok()?;
    loop {
        scanner.skip_whitespace();
        let start = scanner.position();
        scanner.read_string(SurrogatePolicy::RequirePairs).ok()?;
        let end = scanner.position();
        if json::unescape(json.get(start..end)?) == "timestamp_ms" {
            return Some((start, end));
        }
        scanner.skip_whitespace();
        scanner.expect(b':', "").ok()?;
        scanner.skip_whitespace();
        scanner.skip_value(1, SurrogatePolicy::AllowLone).ok()?;
        scanner.skip_whitespace();
        scanner.expect(b',', "").ok()?;
    }
}

/// Where a token stands in its JSON, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TokenSpan {
    start: u32,
    end: u32,
}

impl TokenSpan {
    /// The token of `start..end`, in a text whose length was found to fit.
    #[inline]
    const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// Moves past a string that has to be text.
    #[inline]
    fn read_string(scanner: &mut JsonScanner<'_>) -> Result<Self, PayloadError> {
        let start = scanner.position();
        scanner.read_string(SurrogatePolicy::RequirePairs)?;
        Ok(Self::new(start, scanner.position()))
    }

    /// The token's text.
    #[inline]
    pub(super) fn text(self, json: &str) -> &str {
        json.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Said of an event that no frame can hold.
pub(super) const EVENT_TOO_LONG: PayloadError = PayloadError {
    offset: frame::MAX_PAYLOAD as usize,
    reason: "an event takes at most 16777215 bytes, its time included",
};
