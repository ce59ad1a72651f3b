//! The judge of events: one pass over an object that reads the fields that mean something and refuses what is no event.
//!
//! [`Fields::scan`] is FORMAT.md's definition of a valid event, and the only one there is.

#![expect(clippy::inline_always, reason = "measured: a tenth of what an event costs to judge")]

use super::json::{self, Invalid};
use super::scanner::{Scanner, Surrogates};
use super::{Version, frame};

/// Who wrote the object, and so which keys it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A log of that version.
    Log(Version),
    /// A caller, who leaves time and place to Chronicle.
    Caller,
}

/// A key of the top level that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
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
pub(super) struct KeyRow {
    pub(super) name: &'static str,
    pub(super) missing: &'static str,
    twice: &'static str,
    /// Why a caller may not give it.
    own: &'static str,
}

macro_rules! row {
    ($name:literal) => {
        KeyRow {
            name: $name,
            missing: concat!($name, " is missing"),
            twice: concat!($name, " is there twice"),
            own: concat!($name, " is Chronicle's own and cannot be given"),
        }
    };
}

impl Key {
    /// The keys without which there is no event.
    pub(super) const REQUIRED: [Self; 6] =
        [Self::WriteTimestampMs, Self::EventType, Self::Namespace, Self::SchemaId, Self::SchemaVersion, Self::Payload];

    pub(super) const fn row(self) -> KeyRow {
        match self {
            Self::WriteTimestampMs => row!("write_timestamp_ms"),
            Self::EventType => row!("event_type"),
            Self::Namespace => row!("namespace"),
            Self::SchemaId => row!("schema_id"),
            Self::SchemaVersion => row!("schema_version"),
            Self::AggregateId => row!("aggregate_id"),
            Self::Payload => row!("payload"),
            Self::Offset => row!("offset"),
            Self::Unknown => row!("an unknown key"),
        }
    }

    /// The key that is called `name` in an object from `source`.
    #[inline]
    pub(super) fn named(name: &[u8], source: Source) -> Self {
        match name {
            b"write_timestamp_ms" => Self::WriteTimestampMs,
            b"event_type" => Self::EventType,
            b"namespace" => Self::Namespace,
            b"schema_id" => Self::SchemaId,
            b"schema_version" => Self::SchemaVersion,
            b"aggregate_id" => Self::AggregateId,
            b"payload" => Self::Payload,
            b"timestamp_ms" if source == Source::Log(Version::V0) => Self::WriteTimestampMs,
            b"offset" if source == Source::Caller => Self::Offset,
            _ => Self::Unknown,
        }
    }

    /// Its bit among the keys seen.
    const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// True for what only Chronicle knows of an event.
    const fn is_own(self) -> bool {
        matches!(self, Self::WriteTimestampMs | Self::Offset)
    }
}

/// What a valid event holds: numbers as such, and the places of everything else in its JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(super) write_timestamp_ms: u64,
    pub(super) aggregate_id: Option<u64>,
    pub(super) schema_version: u32,
    pub(super) event_type: Token,
    pub(super) namespace: Token,
    pub(super) schema_id: Token,
    pub(super) payload: Token,
}

impl Fields {
    /// Judges `json`, an object from `source`, in one pass.
    #[inline]
    pub(super) fn scan(json: &str, source: Source) -> Result<Self, Invalid> {
        if u32::try_from(json.len()).is_err() {
            return Err(TOO_LONG);
        }
        let mut scanner = Scanner::new(json.as_bytes());
        let mut fields = Self::default();
        let mut seen = match source {
            Source::Log(_) => fields.as_written(&mut scanner)?,
            Source::Caller => Key::WriteTimestampMs.bit(),
        };
        let mut more = if scanner.at() == 0 {
            scanner.blanks();
            scanner.expect(b'{', "an object was expected")?;
            scanner.blanks();
            scanner.peek() != Some(b'}')
        } else {
            scanner.comma()
        };
        while more {
            let at = scanner.at();
            let raw = scanner.string(Surrogates::Paired)?;
            let key = if raw.escaped {
                let name = json::unescape(json.get(at..scanner.at()).unwrap_or_default());
                Key::named(name.as_bytes(), source)
            } else {
                Key::named(raw.bytes, source)
            };
            if key != Key::Unknown {
                if source == Source::Caller && key.is_own() {
                    return Err(Invalid { at, reason: key.row().own });
                }
                if seen & key.bit() != 0 {
                    return Err(Invalid { at, reason: key.row().twice });
                }
                seen |= key.bit();
            }
            scanner.blanks();
            scanner.expect(b':', "`:` was expected")?;
            fields.value(key, &mut scanner)?;
            more = scanner.comma();
        }
        let end = scanner.at();
        scanner.expect(b'}', "`,` or `}` was expected")?;
        scanner.end()?;
        match Key::REQUIRED.iter().find(|key| seen & key.bit() == 0) {
            Some(key) => Err(Invalid { at: end, reason: key.row().missing }),
            None => Ok(fields),
        }
    }

    /// Reads the first members as far as they stand the way Chronicle writes them, in its order and without a blank
    /// before a key or behind it. Answers the bits of the keys seen; the first that stands otherwise is left unread.
    ///
    /// A key that is known beforehand is compared whole, and the scanner need not find its end to go on.
    #[inline(always)]
    fn as_written(&mut self, scanner: &mut Scanner<'_>) -> Result<u16, Invalid> {
        let mut seen = 0;
        let mut read = |key: Key, scanner: &mut Scanner<'_>| {
            seen |= key.bit();
            self.value(key, scanner).map(|()| true)
        };
        let _ = scanner.word(b"{\"write_timestamp_ms\":")
            && read(Key::WriteTimestampMs, scanner)?
            && scanner.word(b",\"event_type\":")
            && read(Key::EventType, scanner)?
            && scanner.word(b",\"namespace\":")
            && read(Key::Namespace, scanner)?
            && scanner.word(b",\"schema_id\":")
            && read(Key::SchemaId, scanner)?
            && scanner.word(b",\"schema_version\":")
            && read(Key::SchemaVersion, scanner)?
            && scanner.word(b",\"aggregate_id\":")
            && read(Key::AggregateId, scanner)?
            && scanner.word(b",\"payload\":")
            && read(Key::Payload, scanner)?;
        Ok(seen)
    }

    /// Reads the value of `key`, blanks before it included.
    #[inline(always)]
    fn value(&mut self, key: Key, scanner: &mut Scanner<'_>) -> Result<(), Invalid> {
        scanner.blanks();
        let at = scanner.at();
        match key {
            Key::WriteTimestampMs => self.write_timestamp_ms = scanner.integer()?,
            Key::EventType => self.event_type = Token::string(scanner)?,
            Key::Namespace => self.namespace = Token::string(scanner)?,
            Key::SchemaId => self.schema_id = Token::string(scanner)?,
            Key::SchemaVersion => {
                let number = u32::try_from(scanner.integer()?);
                self.schema_version = number.map_err(|_| Invalid { at, reason: "a schema_version over 4294967295" })?;
            }
            Key::AggregateId => {
                let null = scanner.word(b"null");
                self.aggregate_id = if null { None } else { Some(scanner.integer()?) };
            }
            Key::Payload => {
                scanner.value(1, Surrogates::MayBeLone)?;
                self.payload = Token::new(at, scanner.at());
            }
            Key::Offset | Key::Unknown => scanner.value(1, Surrogates::Paired)?,
        }
        Ok(())
    }
}

/// Where the key that only version 0 has for an event's time stands in a valid event, quotes included.
pub(super) fn older_key(json: &str) -> Option<(usize, usize)> {
    let mut scanner = Scanner::new(json.as_bytes());
    scanner.blanks();
    scanner.expect(b'{', "").ok()?;
    loop {
        scanner.blanks();
        let start = scanner.at();
        scanner.string(Surrogates::Paired).ok()?;
        let end = scanner.at();
        if json::unescape(json.get(start..end)?) == "timestamp_ms" {
            return Some((start, end));
        }
        scanner.blanks();
        scanner.expect(b':', "").ok()?;
        scanner.blanks();
        scanner.value(1, Surrogates::MayBeLone).ok()?;
        scanner.blanks();
        scanner.expect(b',', "").ok()?;
    }
}

/// Where a token stands in its JSON, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Token {
    start: u32,
    end: u32,
}

impl Token {
    /// The token of `start..end`, in a text whose length was found to fit.
    #[inline]
    const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// Moves past a string that has to be text.
    #[inline]
    fn string(scanner: &mut Scanner<'_>) -> Result<Self, Invalid> {
        let start = scanner.at();
        scanner.string(Surrogates::Paired)?;
        Ok(Self::new(start, scanner.at()))
    }

    /// The token's text.
    #[inline]
    pub(super) fn of(self, json: &str) -> &str {
        json.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Said of an event that no frame can hold.
pub(super) const TOO_LONG: Invalid =
    Invalid { at: frame::MAX_PAYLOAD as usize, reason: "an event takes at most 16777215 bytes, its time included" };
