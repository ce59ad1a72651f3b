//! An event that was read from a log, borrowed ([`EventView`]) or owned ([`StoredEvent`]).
//!
//! Both hold the JSON text and the fields parsed from it, so that no accessor parses again.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::DeserializeOwned;

use super::event_fields::{EventFields, EventSource, find_key};
use super::json;
use super::json_scanner::PayloadError;
use super::{SeenNames, Version};

/// A valid event, borrowed from the payload from which it was parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventView<'a> {
    json: &'a str,
    fields: EventFields,
}

/// An event that was read from a log, with its offset. It owns its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    offset: u64,
    json: Box<str>,
    fields: EventFields,
}

impl<'a> EventView<'a> {
    /// Parses `payload` as an event of a log of this version. `docs/format.md` defines what a valid event is.
    ///
    /// # Errors
    /// [`PayloadError`] with the offset of the first byte that makes it invalid, and the reason. For a missing field,
    /// the offset is the end of the object.
    #[inline]
    pub fn parse(payload: &'a [u8], version: Version) -> Result<Self, PayloadError> {
        let json = json::decode_utf8(payload)?;
        let fields = EventFields::parse(json, EventSource::Log(version))?;
        Ok(Self { json, fields })
    }

    /// Parses `payload` like [`EventView::parse`], with the same result. Names that are in `names` are compared and not parsed;
    /// others are added to it.
    #[inline]
    pub(crate) fn parse_with_names(
        payload: &'a [u8],
        version: Version,
        names: &mut SeenNames,
    ) -> Result<Self, PayloadError> {
        names.start_event();
        let json = json::decode_utf8(payload)?;
        let fields = EventFields::parse_with_names(json, EventSource::Log(version), Some(names))?;
        Ok(Self { json, fields })
    }

    /// Creates a view from `json` and the `fields` parsed from it.
    pub(super) const fn from_parts(json: &'a str, fields: EventFields) -> Self {
        Self { json, fields }
    }

    /// Returns the parsed fields, for a later [`EventView::from_validated`] with the same bytes.
    pub(crate) const fn fields(&self) -> EventFields {
        self.fields
    }

    /// Creates a view from the payload from which `fields` were parsed, without parsing it again; `None` when the
    /// payload is not UTF-8.
    pub(crate) fn from_validated(payload: &'a [u8], fields: EventFields) -> Option<Self> {
        std::str::from_utf8(payload).ok().map(|json| Self { json, fields })
    }

    /// The payload of the frame, exactly as stored.
    pub const fn json(&self) -> &'a str {
        self.json
    }

    /// When Chronicle accepted the event, in milliseconds since the Unix epoch.
    pub const fn write_timestamp_ms(&self) -> u64 {
        self.fields.write_timestamp_ms
    }

    /// The type of the event, such as `Updated`.
    pub fn event_type(&self) -> Cow<'a, str> {
        json::unescape(self.event_type_token())
    }

    /// The type of the event as a JSON string, exactly as stored, including the quotes.
    pub fn event_type_token(&self) -> &'a str {
        self.fields.event_type.text(self.json)
    }

    /// The namespace: the part of the system to which the event belongs.
    pub fn namespace(&self) -> Cow<'a, str> {
        json::unescape(self.namespace_token())
    }

    /// The namespace as a JSON string, exactly as stored, including the quotes.
    pub fn namespace_token(&self) -> &'a str {
        self.fields.namespace.text(self.json)
    }

    /// The id of the schema that describes the payload.
    pub fn schema_id(&self) -> Cow<'a, str> {
        json::unescape(self.schema_id_token())
    }

    /// The id of the schema as a JSON string, exactly as stored, including the quotes.
    pub fn schema_id_token(&self) -> &'a str {
        self.fields.schema_id.text(self.json)
    }

    /// The version of the schema.
    pub const fn schema_version(&self) -> u32 {
        self.fields.schema_version
    }

    /// The aggregate to which the event belongs; `None` when the field is null or absent.
    pub const fn aggregate_id(&self) -> Option<u64> {
        self.fields.aggregate_id
    }

    /// The value of the field `payload`: JSON text, exactly as stored.
    pub fn payload(&self) -> &'a str {
        self.fields.payload.text(self.json)
    }

    /// Copies the event, together with its offset in the log.
    pub fn to_stored(self, offset: u64) -> StoredEvent {
        StoredEvent { offset, json: self.json.into(), fields: self.fields }
    }
}

impl StoredEvent {
    /// The file offset of the event's frame. Offsets are the only reliable order of events.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Borrows the event as a view.
    pub fn view(&self) -> EventView<'_> {
        EventView { json: &self.json, fields: self.fields }
    }

    /// The payload of the frame, exactly as stored.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// When Chronicle accepted the event, in milliseconds since the Unix epoch.
    pub const fn write_timestamp_ms(&self) -> u64 {
        self.fields.write_timestamp_ms
    }

    /// The type of the event, such as `Updated`.
    pub fn event_type(&self) -> Cow<'_, str> {
        self.view().event_type()
    }

    /// The type of the event as a JSON string, exactly as stored, including the quotes.
    pub fn event_type_token(&self) -> &str {
        self.view().event_type_token()
    }

    /// The namespace: the part of the system to which the event belongs.
    pub fn namespace(&self) -> Cow<'_, str> {
        self.view().namespace()
    }

    /// The namespace as a JSON string, exactly as stored, including the quotes.
    pub fn namespace_token(&self) -> &str {
        self.view().namespace_token()
    }

    /// The id of the schema that describes the payload.
    pub fn schema_id(&self) -> Cow<'_, str> {
        self.view().schema_id()
    }

    /// The id of the schema as a JSON string, exactly as stored, including the quotes.
    pub fn schema_id_token(&self) -> &str {
        self.view().schema_id_token()
    }

    /// The version of the schema.
    pub const fn schema_version(&self) -> u32 {
        self.fields.schema_version
    }

    /// The aggregate to which the event belongs; `None` when the field is null or absent.
    pub const fn aggregate_id(&self) -> Option<u64> {
        self.fields.aggregate_id
    }

    /// The value of the field `payload`: JSON text, exactly as stored.
    pub fn payload(&self) -> &str {
        self.view().payload()
    }

    /// Deserializes the value of the field `payload`.
    ///
    /// # Errors
    /// The error of `serde_json` when the value does not have the form that `T` requires.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.payload())
    }
}

/// Converts the JSON of a version 0 event to version 1: the key `timestamp_ms` becomes `write_timestamp_ms`. Every
/// other byte stays as it is.
pub(crate) fn upgrade_v0_timestamp_key(json: &str) -> Cow<'_, str> {
    match find_key(json, "timestamp_ms") {
        Some(position) => Cow::Owned(replace_range(json, position.key, "\"write_timestamp_ms\"")),
        None => Cow::Borrowed(json),
    }
}

/// Replaces the time in the JSON of an event of version 1. Every other byte stays as it is.
#[cfg(feature = "app")]
pub(crate) fn with_write_timestamp(json: &str, write_timestamp_ms: u64) -> Cow<'_, str> {
    match find_key(json, "write_timestamp_ms") {
        Some(position) => Cow::Owned(replace_range(json, position.value, &write_timestamp_ms.to_string())),
        None => Cow::Borrowed(json),
    }
}

fn replace_range(text: &str, range: Range<usize>, replacement: &str) -> String {
    let (before, after) = (text.get(..range.start).unwrap_or_default(), text.get(range.end..).unwrap_or_default());
    [before, replacement, after].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
    use serde_json::value::RawValue;

    use super::super::builder::{MAX_TIMESTAMP_PREFIX, TIMESTAMP_PREFIX};
    use super::super::event_fields::{EVENT_TOO_LONG, EventKey};
    use super::super::json::tests::{
        TOKENS, almost_json, check_both_outcomes, has_lone_surrogate, nesting_depth, with_random_edits,
    };
    use super::super::{Event, EventBuilder, TimestampPrefix, frame};
    use super::*;

    const SAMPLE: &str = r#"{"write_timestamp_ms":1766718274106,"event_type":"Person\u0055pdated","namespace":"accounts","schema_id":"Pers\"on","schema_version":1,"aggregate_id":42,"payload":{"name":"Pérez","half":"\ud800","tags":["a",1.0,-2e5,true,null],"n":123456789012345678901234567890},"trace":{"id":"x\ud83d\ude00"}}"#;

    #[test]
    fn only_the_version_0_name_of_the_time_is_replaced() {
        let event = |key: &str| {
            format!(
                r#" {{ "payload" : {{"timestamp_ms":1.0, "x":"timestamp_ms"}},{key}: 7 ,"event_type":"timestamp_ms","namespace":"n","schema_id":"s","schema_version":1}}"#
            )
        };
        let version_1 = event(r#""write_timestamp_ms""#);
        for key in
            [r#""timestamp_ms""#, r#""t\u0069mestamp_ms""#, r#""write_timestamp_ms""#, r#""wr\u0069te_timestamp_ms""#]
        {
            let old = event(key);
            let upgraded = upgrade_v0_timestamp_key(&old);
            assert_eq!(upgraded, if key.contains("te_") { old.as_str() } else { version_1.as_str() }, "{key}");
            let (before, after) =
                (EventView::parse(old.as_bytes(), Version::V0), EventView::parse(upgraded.as_bytes(), Version::V1));
            let (before, after) = (before.unwrap(), after.unwrap());
            assert_eq!(before.payload(), after.payload());
            assert_eq!((before.write_timestamp_ms(), after.write_timestamp_ms()), (7, 7));
        }
    }

    /// The result of the reference parser, in the order of the accessors.
    #[derive(Debug, PartialEq)]
    struct ReferenceEvent {
        write_timestamp_ms: u64,
        strings: [String; 3],
        tokens: [String; 3],
        schema_version: u32,
        aggregate_id: Option<u64>,
        payload: String,
    }

    /// The members of an object in order, including duplicates.
    struct Members(Vec<(String, Box<RawValue>)>);

    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct MembersVisitor;
            impl<'de> Visitor<'de> for MembersVisitor {
                type Value = Members;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(MembersVisitor)
        }
    }

    /// The reference parser: the definition of a valid event in `docs/format.md`, implemented on top of `serde_json`.
    fn reference_parse(payload: &[u8], version: Version) -> Option<ReferenceEvent> {
        let text = std::str::from_utf8(payload).ok()?;
        let Members(members) = serde_json::from_str(text).ok()?;
        if nesting_depth(text) > 127 {
            return None;
        }
        let mut known: BTreeMap<&str, &str> = BTreeMap::new();
        for (key, value) in &members {
            let key = if version == Version::V0 && key == "timestamp_ms" { "write_timestamp_ms" } else { key };
            if key != "payload" && has_lone_surrogate(value.get()) {
                return None;
            }
            let fields = "write_timestamp_ms event_type namespace schema_id schema_version aggregate_id payload";
            if fields.split(' ').any(|field| field == key) && known.insert(key, value.get()).is_some() {
                return None;
            }
        }
        let integer = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
        let token = |key| known.get(key).filter(|value| value.starts_with('"')).map(|value| (*value).to_owned());
        let tokens = [token("event_type")?, token("namespace")?, token("schema_id")?];
        Some(ReferenceEvent {
            write_timestamp_ms: integer(known.get("write_timestamp_ms")?)?,
            strings: tokens.clone().map(|token| serde_json::from_str(&token).expect("a string")),
            tokens,
            schema_version: integer(known.get("schema_version")?)?.try_into().ok()?,
            aggregate_id: match known.get("aggregate_id") {
                None | Some(&"null") => None,
                Some(value) => Some(integer(value)?),
            },
            payload: (*known.get("payload")?).to_owned(),
        })
    }

    fn to_reference(view: EventView<'_>) -> ReferenceEvent {
        ReferenceEvent {
            write_timestamp_ms: view.write_timestamp_ms(),
            strings: [view.event_type(), view.namespace(), view.schema_id()].map(Cow::into_owned),
            tokens: [view.event_type_token(), view.namespace_token(), view.schema_id_token()].map(str::to_owned),
            schema_version: view.schema_version(),
            aggregate_id: view.aggregate_id(),
            payload: view.payload().to_owned(),
        }
    }

    /// Asserts that the parser and the reference parser agree on `payload`, including all values. Returns whether it is
    /// a valid event of version 1.
    fn assert_matches_reference(payload: &[u8]) -> bool {
        for version in [Version::V0, Version::V1] {
            let parsed = EventView::parse(payload, version);
            if let Err(error) = parsed {
                assert!(error.offset <= payload.len(), "{error:?} for {}", payload.escape_ascii());
            }
            let context = format!("{version:?}: {parsed:?} for {}", payload.escape_ascii());
            assert_eq!(parsed.map(to_reference).ok(), reference_parse(payload, version), "{context}");
            // A space in front disables the fast path for keys in canonical form. The result is the same, one byte
            // later.
            let shifted = [b" ", payload].concat();
            let expected = parsed.map(to_reference).map_err(|error| PayloadError { offset: error.offset + 1, ..error });
            assert_eq!(EventView::parse(&shifted, version).map(to_reference), expected, "{context}");
        }
        EventView::parse(payload, Version::V1).is_ok()
    }

    /// Builds an object from `members`, each in the form `"key":value`.
    fn object<S: AsRef<str>>(members: &[S]) -> String {
        format!("{{{}}}", members.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(","))
    }

    const MEMBERS: [&str; 7] = [
        "\"write_timestamp_ms\":7",
        "\"event_type\":\"Updated\"",
        "\"namespace\":\"accounts\"",
        "\"schema_id\":\"Person\"",
        "\"schema_version\":1",
        "\"aggregate_id\":1",
        "\"payload\":{\"a\":1}",
    ];

    /// Builds an event from `MEMBERS` with another value for `key`.
    fn event_with(key: &str, value: &str) -> String {
        let prefix = format!("\"{key}\":");
        object(
            &MEMBERS.map(|member| if member.starts_with(&prefix) { prefix.clone() + value } else { member.to_owned() }),
        )
    }

    fn rejection_reason(payload: &str) -> &'static str {
        EventView::parse(payload.as_bytes(), Version::V1).map_or_else(|error| error.reason, |_| "a valid event")
    }

    #[test]
    fn every_field_of_an_event_is_parsed() {
        let view = EventView::parse(SAMPLE.as_bytes(), Version::V1).expect("a valid event");
        assert_eq!(view.json(), SAMPLE);
        assert_eq!(view.write_timestamp_ms(), 1_766_718_274_106);
        assert_eq!((view.event_type().as_ref(), view.event_type_token()), ("PersonUpdated", r#""Person\u0055pdated""#));
        assert_eq!((view.namespace().as_ref(), view.namespace_token()), ("accounts", "\"accounts\""));
        assert_eq!((view.schema_id().as_ref(), view.schema_id_token()), ("Pers\"on", r#""Pers\"on""#));
        assert_eq!((view.schema_version(), view.aggregate_id()), (1, Some(42)));
        assert!(view.payload().starts_with("{\"name\"") && view.payload().ends_with("567890}"), "{}", view.payload());
        assert!(matches!(view.namespace(), Cow::Borrowed("accounts")), "no copy without an escape");
    }

    #[test]
    fn the_reference_agrees_on_every_changed_byte() {
        assert!(assert_matches_reference(SAMPLE.as_bytes()));
        for at in 0..SAMPLE.len() {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            for byte in 0..=255 {
                bytes[at] = byte;
                assert_matches_reference(&bytes);
            }
        }
    }

    #[test]
    fn the_reference_agrees_on_every_inserted_removed_or_truncated_byte() {
        for at in 0..=SAMPLE.len() {
            let (before, after) = SAMPLE.as_bytes().split_at(at);
            assert_matches_reference(before);
            assert_matches_reference(after);
            assert_matches_reference(&[before, after.get(1..).unwrap_or_default()].concat());
            for byte in *b"\"\\{}[]:, \n0-.eu\0\xff" {
                assert_matches_reference(&[before, &[byte], after].concat());
            }
        }
    }

    #[test]
    fn the_reference_agrees_on_every_token_in_every_field() {
        for token in TOKENS {
            for member in MEMBERS {
                let (key, _) = member.split_once(':').expect("a member");
                assert_matches_reference(event_with(key.trim_matches('"'), token).as_bytes());
            }
            for other in [format!("\"other\":{token}"), format!("{token}:1"), format!("\"other\":[{token}]")] {
                assert_matches_reference(object(&[&MEMBERS[..], &[&other]].concat()).as_bytes());
                assert_matches_reference(object(&[&[other.as_str()], &MEMBERS[..]].concat()).as_bytes());
            }
            assert_matches_reference(event_with("payload", &format!("[{{\"k\":{token}}}]")).as_bytes());
            assert_matches_reference(event_with("payload", &format!("{{{token}:[]}}")).as_bytes());
            assert_matches_reference(format!("{token}{}", object(&MEMBERS)).as_bytes());
            assert_matches_reference(format!("{}{token}", object(&MEMBERS)).as_bytes());
            assert_matches_reference(token.as_bytes());
        }
    }

    #[test]
    fn the_reference_agrees_on_generated_events() {
        const KEYS: &str = "write_timestamp_ms timestamp_ms event_type event\\u005ftype namespace schema_id \
            schema_version aggregate_id aggregate\\u005Fid payload p\\u0061yload offset other oth\\ud800er Payload";
        let keys: Vec<&str> = KEYS.split(' ').collect();
        let change = (prop::sample::select(keys), almost_json(), 0..4);
        let events = (Just(MEMBERS.map(str::to_owned).to_vec()).prop_shuffle(), prop::collection::vec(change, 0..3));
        let events = events.prop_map(|(mut members, changes)| {
            for (key, value, what) in changes {
                let member = format!(" \"{key}\" :\n{value} ");
                let same = members.iter().position(|member| member.starts_with(&format!("\"{key}\"")));
                match (what, same) {
                    (0, _) => members.push(member),
                    (1, Some(at)) => drop(members.remove(at)),
                    (_, Some(at)) => members[at] = member,
                    (_, None) => members.insert(0, member),
                }
            }
            object(&members).into_bytes()
        });
        check_both_outcomes(6000, &events, |payload| assert_matches_reference(payload));
        check_both_outcomes(6000, &with_random_edits(Just(SAMPLE.as_bytes().to_vec())).boxed(), |payload| {
            assert_matches_reference(payload)
        });
    }

    #[test]
    fn more_than_a_hundred_and_twenty_seven_levels_are_rejected() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for (levels, valid) in [(125, true), (126, true), (127, false), (128, false), (50_000, false)] {
            assert_eq!(
                assert_matches_reference(event_with("payload", &nested(levels)).as_bytes()),
                valid,
                "{levels} levels below the event's own"
            );
            let unknown = format!("\"other\":{}", nested(levels));
            assert_eq!(assert_matches_reference(object(&[&MEMBERS[..], &[&unknown]].concat()).as_bytes()), valid);
        }
    }

    #[test]
    fn keys_are_compared_unescaped_and_appear_once() {
        let escaped =
            object(&MEMBERS).replace("event_type", "event\\u005ftype").replace("\"payload\"", "\"\\u0070ayload\"");
        assert!(assert_matches_reference(escaped.as_bytes()), "{}", rejection_reason(&escaped));
        for member in MEMBERS {
            let twice = object(&[&MEMBERS[..], &[member]].concat());
            assert!(!assert_matches_reference(twice.as_bytes()), "{twice}");
            assert!(rejection_reason(&twice).ends_with(" appears twice"), "{}", rejection_reason(&twice));
            let escaped_member = member.replacen('a', "\\u0061", 1).replacen("event", "\\u0065vent", 1);
            assert!(
                !assert_matches_reference(object(&[&MEMBERS[..], &[&escaped_member]].concat()).as_bytes()),
                "{escaped_member}"
            );
        }
        assert!(assert_matches_reference(
            object(&[&MEMBERS[..], &["\"x\":1", "\"x\":2", "\"offset\":\"mine\""]].concat()).as_bytes()
        ));
    }

    #[test]
    fn integers_of_every_length_are_read_like_the_standard_library_reads_them() {
        for len in 1..=22 {
            for pattern in ["1", "9", "10", "18446744073709551615", "18446744073709551616", "907", "0"] {
                let digits: String = pattern.chars().cycle().take(len).collect();
                let expected = digits.parse::<u64>().ok().filter(|_| len == 1 || !digits.starts_with('0'));
                for after in ["", " ", "\t"] {
                    let mut members = MEMBERS.map(str::to_owned);
                    members[0] = format!("\"write_timestamp_ms\":{digits}{after}");
                    let first = object(&members.each_ref().map(String::as_str));
                    members.rotate_left(1);
                    // An object that ends with the number has fewer than eight bytes after it.
                    let last = object(&members.each_ref().map(String::as_str));
                    for text in [first, last] {
                        let time = EventView::parse(text.as_bytes(), Version::V1).map(|view| view.write_timestamp_ms());
                        assert_eq!(time.ok(), expected, "{text}");
                        assert_matches_reference(text.as_bytes());
                    }
                }
            }
        }
    }

    #[test]
    fn the_error_of_an_event_has_the_offset_of_the_mistake() {
        for (key, value, mistake, reason) in [
            ("write_timestamp_ms", "1.0", "1.0", "an integer written with digits alone was expected"),
            ("write_timestamp_ms", "7e0", "7e0", "an integer written with digits alone was expected"),
            ("write_timestamp_ms", "-7", "-7", "an integer written with digits alone was expected"),
            ("aggregate_id", "077", "077", "a number with a leading zero"),
            ("aggregate_id", "18446744073709551616", "1844", "an integer over 18446744073709551615"),
            ("aggregate_id", "nullx", "x", "`,` or `}` was expected"),
            ("schema_version", "4294967296", "4294", "a schema_version over 4294967295"),
            ("namespace", "null", "null", "a string was expected"),
            ("payload", "[1,}", "}", "a value was expected"),
        ] {
            let text = event_with(key, value);
            let at = text.find(&format!("{key}\":{value}")).expect("the field") + key.len() + 2;
            let at = at + value.find(mistake).expect("the mistake");
            assert_eq!(EventView::parse(text.as_bytes(), Version::V1), Err(PayloadError { offset: at, reason }));
        }
        let broken = [b"{\"a\":\"", &b"\xed\xa0\x80"[..], b"\"}"].concat();
        assert_eq!(EventView::parse(&broken, Version::V1), Err(PayloadError { offset: 6, reason: "not UTF-8" }));
    }

    #[test]
    fn every_field_except_the_aggregate_is_required() {
        for (at, member) in MEMBERS.iter().enumerate() {
            let mut members = MEMBERS.to_vec();
            members.remove(at);
            let text = object(&members);
            let key = member.split(':').next().expect("a key").trim_matches('"');
            let expected = if key == "aggregate_id" { "a valid event".to_owned() } else { format!("{key} is missing") };
            assert_eq!(rejection_reason(&text), expected);
            assert_eq!(assert_matches_reference(text.as_bytes()), key == "aggregate_id");
        }
        assert_eq!(rejection_reason("{}"), "write_timestamp_ms is missing");
        assert_eq!(rejection_reason(""), "an object was expected");
        assert_eq!(rejection_reason("\u{feff}{}"), "an object was expected");
    }

    #[test]
    fn version_0_has_another_name_for_the_time() {
        let old = object(&MEMBERS).replace("write_timestamp_ms", "timestamp_ms");
        let read =
            |text: &str, version| EventView::parse(text.as_bytes(), version).map(|view| view.write_timestamp_ms());
        assert_eq!(read(&old, Version::V0), Ok(7));
        assert_eq!(read(&old, Version::V1).expect_err("rejected").reason, "write_timestamp_ms is missing");
        let both = object(&[&MEMBERS[..], &["\"timestamp_ms\":8"]].concat());
        assert_eq!(read(&both, Version::V0).expect_err("rejected").reason, "write_timestamp_ms appears twice");
        assert_eq!(read(&both, Version::V1), Ok(7));
    }

    #[test]
    fn a_lone_surrogate_is_allowed_in_the_payload_and_nowhere_else() {
        for value in ["\"\\ud800\"", "[{\"\\uDFFF\":1}]", "\"\\ud83d\\ud83d\\ude00\"", "\"\\ude00\\ud83d\""] {
            let payload = event_with("payload", value);
            assert_eq!(EventView::parse(payload.as_bytes(), Version::V1).map(|view| view.payload()), Ok(value));
            let unknown = object(&[&MEMBERS[..], &[&format!("\"other\":{value}")]].concat());
            assert_eq!(rejection_reason(&unknown), "a lone surrogate");
            assert!(assert_matches_reference(payload.as_bytes()) && !assert_matches_reference(unknown.as_bytes()));
        }
        assert_eq!(rejection_reason(&event_with("namespace", "\"\\udc00\"")), "a lone surrogate");
        assert_eq!(rejection_reason(&object(&[&MEMBERS[..], &["\"\\ud800\":1"]].concat())), "a lone surrogate");
    }

    #[test]
    fn a_stored_event_equals_its_view() {
        let view = EventView::parse(SAMPLE.as_bytes(), Version::V1).expect("a valid event");
        let stored = view.to_stored(16);
        assert_eq!((stored.offset(), stored.json(), stored.view()), (16, SAMPLE, view));
        assert_eq!((stored.write_timestamp_ms(), stored.schema_version()), (view.write_timestamp_ms(), 1));
        assert_eq!((stored.event_type(), stored.event_type_token()), (view.event_type(), view.event_type_token()));
        assert_eq!((stored.namespace(), stored.namespace_token()), (view.namespace(), view.namespace_token()));
        assert_eq!((stored.schema_id(), stored.schema_id_token()), (view.schema_id(), view.schema_id_token()));
        assert_eq!((stored.aggregate_id(), stored.payload()), (Some(42), view.payload()));
        let payload = event_with("payload", "{\"a\":[1,2]}");
        let stored = EventView::parse(payload.as_bytes(), Version::V1).expect("a valid event").to_stored(0);
        assert_eq!(stored.payload_as::<BTreeMap<String, Vec<u8>>>().expect("a map")["a"], [1, 2]);
        assert!(stored.payload_as::<Vec<u8>>().is_err());
    }

    fn encoded(event: &Event, write_timestamp_ms: u64) -> String {
        payload_of(event, &TimestampPrefix::new(write_timestamp_ms))
    }

    fn payload_of(event: &Event, accepted: &TimestampPrefix) -> String {
        String::from_utf8(event.payload_parts(accepted).concat()).expect("UTF-8")
    }

    fn builder() -> EventBuilder {
        Event::builder()
            .event_type("Updated")
            .namespace("accounts")
            .schema_id("Person")
            .schema_version(1)
            .payload_json("{}")
    }

    #[test]
    fn an_event_is_encoded_in_the_order_of_the_format() {
        let event = builder()
            .event_type("a\"b\n\u{1}é")
            .aggregate_id(42)
            .payload_json(" { \"a\" : 1.0 }\n")
            .build()
            .expect("a valid event");
        assert_eq!(
            encoded(&event, 7),
            r#"{"write_timestamp_ms":7,"event_type":"a\"b\n\u0001é","namespace":"accounts","schema_id":"Person","schema_version":1,"aggregate_id":42,"payload":{"a":1.0}}"#
        );
        assert_eq!((event.event_type().as_ref(), event.payload()), ("a\"b\n\u{1}é", "{\"a\":1.0}"));
        assert_eq!((event.namespace().as_ref(), event.schema_id().as_ref()), ("accounts", "Person"));
        assert_eq!((event.schema_version(), event.aggregate_id()), (1, Some(42)));
        let event =
            builder().aggregate_id(1).no_aggregate().payload(&vec![Some(1), None]).build().expect("a valid event");
        assert!(encoded(&event, 0).ends_with(r#","aggregate_id":null,"payload":[1,null]}"#), "{}", encoded(&event, 0));
    }

    #[test]
    fn a_clock_that_stops_or_goes_back_is_not_corrected() {
        let event = builder().build().expect("a valid event");
        let mut accepted = TimestampPrefix::new(7);
        for time in [7, 8, 8, 6, 0, u64::MAX, 7] {
            accepted.update(time);
            assert_eq!(payload_of(&event, &accepted), encoded(&event, time));
            assert!(encoded(&event, time).starts_with(&format!("{TIMESTAMP_PREFIX}{time},")));
        }
    }

    #[test]
    fn a_missing_part_is_named() {
        let all = builder();
        for (built, missing) in [
            (EventBuilder { event_type: None, ..all.clone() }, "event_type is missing"),
            (EventBuilder { namespace: None, ..all.clone() }, "namespace is missing"),
            (EventBuilder { schema_id: None, ..all.clone() }, "schema_id is missing"),
            (EventBuilder { schema_version: None, ..all.clone() }, "schema_version is missing"),
            (EventBuilder { payload: None, ..all }, "payload is missing"),
        ] {
            assert_eq!(built.build().expect_err("rejected").reason, missing);
        }
    }

    #[test]
    fn a_payload_cannot_change_the_object_around_it() {
        for payload in ["", "1,\"x\":2", "{}}", "[", "nope", "1 2", "{\"a\":01}", "\u{feff}{}"] {
            assert!(builder().payload_json(payload).build().is_err(), "{payload}");
        }
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(builder().payload_json(nested(126)).build().is_ok());
        assert_eq!(builder().payload_json(nested(127)).build().expect_err("rejected").reason, "more than 127 levels");
        let not_json = BTreeMap::from([(vec![1], 1)]);
        assert_eq!(
            builder().payload(&not_json).build().expect_err("rejected").reason,
            "payload cannot be written as JSON"
        );
        let raw: Box<RawValue> = serde_json::from_str("[ 1.0 ,\"\\ud800\"]").expect("JSON");
        assert_eq!(builder().payload(&raw).build().expect("a valid event").payload(), "[1.0,\"\\ud800\"]");
    }

    #[test]
    fn an_event_from_json_keeps_its_keys_and_their_order() {
        let line = r#" { "payload" : [1.0, "\ud800"], "x": 1, "schema_version":2, "namespace":"n", "event\u005ftype":"e", "schema_id":"s", "x":2, "timestamp_ms": 5 } "#;
        let event = Event::from_json(line).expect("a valid event");
        assert_eq!(
            encoded(&event, 9),
            r#"{"write_timestamp_ms":9,"payload":[1.0,"\ud800"],"x":1,"schema_version":2,"namespace":"n","event\u005ftype":"e","schema_id":"s","x":2,"timestamp_ms":5}"#
        );
        assert_eq!(
            (event.event_type().as_ref(), event.aggregate_id(), event.payload()),
            ("e", None, r#"[1.0,"\ud800"]"#)
        );
    }

    #[test]
    fn the_error_of_an_event_from_json_has_an_offset_in_the_given_text() {
        let without_time = object(&MEMBERS[1..]);
        assert!(Event::from_json(&without_time).is_ok());
        for key in ["write_timestamp_ms", "offset", "write\\u005ftimestamp_ms", "\\u006fffset"] {
            let given = object(&[&MEMBERS[1..], &[&format!("\"{key}\":7")]].concat());
            let error = Event::from_json(&given).expect_err("rejected");
            assert_eq!(error.offset, given.find(&format!("\"{key}")).expect("the key"));
            assert!(error.reason.ends_with(" is set by Chronicle and cannot be given"), "{}", error.reason);
        }
        assert!(Event::from_json(&object(&[&MEMBERS[1..], &["\"other\":{\"offset\":1}"]].concat())).is_ok());
        let with_spaces = without_time.replace(',', " , ").replace("Person\"", "Person\" 1");
        assert_eq!(
            Event::from_json(&with_spaces).expect_err("rejected").offset,
            with_spaces.find(" 1").expect("the mistake") + 1
        );
        assert_eq!(
            Event::from_json("{}").expect_err("rejected"),
            PayloadError { offset: 1, reason: "event_type is missing" }
        );
        assert!(Event::from_json(&format!("{without_time}{without_time}")).is_err());
    }

    #[test]
    fn an_event_that_does_not_fit_a_frame_with_the_longest_time_is_rejected() {
        let small = builder().payload_json("\"\"").build().expect("a valid event");
        let available = frame::MAX_PAYLOAD as usize - encoded(&small, u64::MAX).len();
        let of = |len: usize| format!("\"{}\"", "a".repeat(len));
        let largest = builder().payload_json(of(available)).build().expect("a valid event");
        assert_eq!(encoded(&largest, u64::MAX).len(), frame::MAX_PAYLOAD as usize);
        assert_eq!(builder().payload_json(of(available + 1)).build(), Err(EVENT_TOO_LONG));
        assert!(EVENT_TOO_LONG.reason.contains(&frame::MAX_PAYLOAD.to_string()), "{}", EVENT_TOO_LONG.reason);
        // Whitespace outside strings is dropped and does not count.
        assert!(builder().payload_json(of(available) + "    ").build().is_ok());
        let line = |len: usize| object(&MEMBERS[1..]).replace("{\"a\":1}", &of(len));
        let available = available + encoded(&small, 0).len()
            - encoded(&Event::from_json(&line(0)).expect("a valid event"), 0).len();
        assert!(Event::from_json(&line(available)).is_ok());
        assert_eq!(Event::from_json(&line(available + 1)), Err(EVENT_TOO_LONG));
    }

    #[test]
    fn every_accepted_event_is_valid_with_any_time() {
        let parts = (any::<[String; 3]>(), any::<u32>(), any::<Option<u64>>(), almost_json(), any::<u64>());
        check_both_outcomes(
            2000,
            &parts,
            |([event_type, namespace, schema_id], schema_version, aggregate_id, payload, time)| {
                let mut builder = Event::builder().event_type(event_type).namespace(namespace).schema_id(schema_id);
                builder = builder.schema_version(*schema_version).payload_json(payload);
                if let Some(id) = aggregate_id {
                    builder = builder.aggregate_id(*id);
                }
                let Ok(event) = builder.build() else {
                    assert!(json::validate(payload.as_bytes()).is_err(), "{payload}");
                    return false;
                };
                for time in [0, *time, u64::MAX] {
                    let text = encoded(&event, time);
                    assert!(assert_matches_reference(text.as_bytes()));
                    let view = EventView::parse(text.as_bytes(), Version::V1).expect("a valid event");
                    assert_eq!(view.write_timestamp_ms(), time);
                    assert_eq!(
                        [view.event_type(), view.namespace(), view.schema_id()].map(Cow::into_owned),
                        [event_type.clone(), namespace.clone(), schema_id.clone()]
                    );
                    assert_eq!((view.schema_version(), view.aggregate_id()), (*schema_version, *aggregate_id));
                    // An exported event, without its time, can be imported and is equal.
                    let (_, rest) = text.split_once(',').expect("more keys");
                    assert_eq!(Event::from_json(&format!("{{{rest}")), Ok(event.clone()));
                }
                true
            },
        );
    }

    #[test]
    fn every_key_is_found_by_its_name() {
        for key in EventKey::REQUIRED.into_iter().chain([EventKey::AggregateId]) {
            assert_eq!(EventKey::from_name(key.info().name.as_bytes(), EventSource::Log(Version::V1)), key);
        }
        assert_eq!(EventKey::from_name(EventKey::Offset.info().name.as_bytes(), EventSource::Caller), EventKey::Offset);
        assert_eq!(MAX_TIMESTAMP_PREFIX, format!("{TIMESTAMP_PREFIX}{}", u64::MAX));
    }
}
