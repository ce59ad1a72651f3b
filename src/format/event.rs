//! An event of a log: read in place, or kept.
//!
//! Neither parses twice: both are a text and the fields that were read from it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::Version;
use super::event_fields::{EventFields, EventSource};
use super::json::{self, PayloadError};

/// A valid event, borrowed from the payload it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventView<'a> {
    json: &'a str,
    fields: EventFields,
}

/// An event of a log, with its place. It owns its bytes and is never parsed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    offset: u64,
    json: Box<str>,
    fields: EventFields,
}

impl<'a> EventView<'a> {
    /// Reads `payload` as an event: the one definition of a valid event, as FORMAT.md words it.
    ///
    /// # Errors
    /// [`PayloadError`] with the first byte that speaks against it and why. For a field that is missing, that is the end of
    /// the object.
    #[inline]
    pub fn parse(payload: &'a [u8], version: Version) -> Result<Self, PayloadError> {
        let json = json::decode_utf8(payload)?;
        let fields = EventFields::parse(json, EventSource::Log(version))?;
        Ok(Self { json, fields })
    }

    /// The event in `json`, which `fields` were read from.
    pub(super) const fn from_parts(json: &'a str, fields: EventFields) -> Self {
        Self { json, fields }
    }

    /// What was read, to be put over the same bytes again by [`EventView::from_validated`].
    pub(crate) const fn fields(&self) -> EventFields {
        self.fields
    }

    /// The event in the bytes that `fields` were read from, without judging it a second time.
    pub(crate) fn from_validated(payload: &'a [u8], fields: EventFields) -> Option<Self> {
        std::str::from_utf8(payload).ok().map(|json| Self { json, fields })
    }

    /// The whole payload, exactly as stored.
    pub const fn json(&self) -> &'a str {
        self.json
    }

    /// When the event was accepted, milliseconds since the Unix epoch.
    pub const fn write_timestamp_ms(&self) -> u64 {
        self.fields.write_timestamp_ms
    }

    /// What happened.
    pub fn event_type(&self) -> Cow<'a, str> {
        json::unescape(self.event_type_token())
    }

    /// What happened, as stored, quotes included.
    pub fn event_type_token(&self) -> &'a str {
        self.fields.event_type.text(self.json)
    }

    /// The part of the world the event belongs to.
    pub fn namespace(&self) -> Cow<'a, str> {
        json::unescape(self.namespace_token())
    }

    /// The namespace as stored, quotes included.
    pub fn namespace_token(&self) -> &'a str {
        self.fields.namespace.text(self.json)
    }

    /// What the payload is meant to look like.
    pub fn schema_id(&self) -> Cow<'a, str> {
        json::unescape(self.schema_id_token())
    }

    /// The schema as stored, quotes included.
    pub fn schema_id_token(&self) -> &'a str {
        self.fields.schema_id.text(self.json)
    }

    /// The version of that schema.
    pub const fn schema_version(&self) -> u32 {
        self.fields.schema_version
    }

    /// Whom the event happened to; `None` when it is null or absent.
    pub const fn aggregate_id(&self) -> Option<u64> {
        self.fields.aggregate_id
    }

    /// The value of `payload`, JSON exactly as stored.
    pub fn payload(&self) -> &'a str {
        self.fields.payload.text(self.json)
    }

    /// A copy that owns its bytes, with `offset` as its place in the log.
    pub fn to_stored(self, offset: u64) -> StoredEvent {
        StoredEvent { offset, json: self.json.into(), fields: self.fields }
    }
}

impl StoredEvent {
    /// The file position of the event's frame: the only reliable order.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The same event, borrowed.
    pub fn view(&self) -> EventView<'_> {
        EventView { json: &self.json, fields: self.fields }
    }

    /// The whole payload of the frame, exactly as stored.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// When the event was accepted, milliseconds since the Unix epoch.
    pub const fn write_timestamp_ms(&self) -> u64 {
        self.fields.write_timestamp_ms
    }

    /// What happened.
    pub fn event_type(&self) -> Cow<'_, str> {
        self.view().event_type()
    }

    /// What happened, as stored, quotes included.
    pub fn event_type_token(&self) -> &str {
        self.view().event_type_token()
    }

    /// The part of the world the event belongs to.
    pub fn namespace(&self) -> Cow<'_, str> {
        self.view().namespace()
    }

    /// The namespace as stored, quotes included.
    pub fn namespace_token(&self) -> &str {
        self.view().namespace_token()
    }

    /// What the payload is meant to look like.
    pub fn schema_id(&self) -> Cow<'_, str> {
        self.view().schema_id()
    }

    /// The schema as stored, quotes included.
    pub fn schema_id_token(&self) -> &str {
        self.view().schema_id_token()
    }

    /// The version of that schema.
    pub const fn schema_version(&self) -> u32 {
        self.fields.schema_version
    }

    /// Whom the event happened to; `None` when it is null or absent.
    pub const fn aggregate_id(&self) -> Option<u64> {
        self.fields.aggregate_id
    }

    /// The value of `payload`, JSON exactly as stored.
    pub fn payload(&self) -> &str {
        self.view().payload()
    }

    /// The value of `payload` as a type of the caller's.
    ///
    /// # Errors
    /// What `serde_json` has to say when the value does not fit the type.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.payload())
    }
}

/// An event of version 0 as version 1 has it: the oldest name of its time becomes `write_timestamp_ms`, every other byte
/// stays.
pub(crate) fn upgrade_v0_timestamp_key(json: &str) -> Cow<'_, str> {
    match super::event_fields::find_v0_timestamp_key(json) {
        Some((start, end)) => {
            let (before, behind) = (json.get(..start).unwrap_or_default(), json.get(end..).unwrap_or_default());
            Cow::Owned([before, "\"write_timestamp_ms\"", behind].concat())
        }
        None => Cow::Borrowed(json),
    }
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
    fn only_the_oldest_name_of_the_time_is_made_newer() {
        let event = |key: &str| {
            format!(
                r#" {{ "payload" : {{"timestamp_ms":1.0, "x":"timestamp_ms"}},{key}: 7 ,"event_type":"timestamp_ms","namespace":"n","schema_id":"s","schema_version":1}}"#
            )
        };
        let newer = event(r#""write_timestamp_ms""#);
        for key in
            [r#""timestamp_ms""#, r#""t\u0069mestamp_ms""#, r#""write_timestamp_ms""#, r#""wr\u0069te_timestamp_ms""#]
        {
            let old = event(key);
            let made = upgrade_v0_timestamp_key(&old);
            assert_eq!(made, if key.contains("te_") { old.as_str() } else { newer.as_str() }, "{key}");
            let (before, after) =
                (EventView::parse(old.as_bytes(), Version::V0), EventView::parse(made.as_bytes(), Version::V1));
            let (before, after) = (before.unwrap(), after.unwrap());
            assert_eq!(before.payload(), after.payload());
            assert_eq!((before.write_timestamp_ms(), after.write_timestamp_ms()), (7, 7));
        }
    }

    /// What the slow judge read, in the order of the accessors.
    #[derive(Debug, PartialEq)]
    struct ReferenceEvent {
        write_timestamp_ms: u64,
        strings: [String; 3],
        tokens: [String; 3],
        schema_version: u32,
        aggregate_id: Option<u64>,
        payload: String,
    }

    /// The members of an object in their order, duplicates included.
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

    /// The slow judge: FORMAT.md's paragraph again, with other means.
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

    /// Both judges' answer on `payload`, after a look that it is the same, values included. True for version 1's yes.
    fn assert_matches_reference(payload: &[u8]) -> bool {
        for version in [Version::V0, Version::V1] {
            let fast = EventView::parse(payload, version);
            if let Err(why) = fast {
                assert!(why.offset <= payload.len(), "{why:?} for {}", payload.escape_ascii());
            }
            let told = format!("{version:?}: {fast:?} for {}", payload.escape_ascii());
            assert_eq!(fast.map(to_reference).ok(), reference_parse(payload, version), "{told}");
            // A blank in front, and no key stands where Chronicle writes it: the same answer a byte further on.
            let spread = [b" ", payload].concat();
            let further = fast.map(to_reference).map_err(|why| PayloadError { offset: why.offset + 1, ..why });
            assert_eq!(EventView::parse(&spread, version).map(to_reference), further, "{told}");
        }
        EventView::parse(payload, Version::V1).is_ok()
    }

    /// An object of `members`, each `"key":value`.
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

    /// `MEMBERS` with the one of `key` given another value.
    fn event_with(key: &str, value: &str) -> String {
        let of_key = format!("\"{key}\":");
        object(
            &MEMBERS.map(|member| if member.starts_with(&of_key) { of_key.clone() + value } else { member.to_owned() }),
        )
    }

    fn rejection_reason(payload: &str) -> &'static str {
        EventView::parse(payload.as_bytes(), Version::V1).map_or_else(|why| why.reason, |_| "a valid event")
    }

    #[test]
    fn an_event_is_read_field_by_field() {
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
    fn both_judges_agree_on_every_changed_byte() {
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
    fn both_judges_agree_on_every_byte_put_in_taken_out_or_cut_off() {
        for at in 0..=SAMPLE.len() {
            let (before, behind) = SAMPLE.as_bytes().split_at(at);
            assert_matches_reference(before);
            assert_matches_reference(behind);
            assert_matches_reference(&[before, behind.get(1..).unwrap_or_default()].concat());
            for byte in *b"\"\\{}[]:, \n0-.eu\0\xff" {
                assert_matches_reference(&[before, &[byte], behind].concat());
            }
        }
    }

    #[test]
    fn both_judges_agree_on_every_token_in_every_field() {
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
    fn both_judges_agree_on_generated_events() {
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
    fn a_hundred_and_twenty_seven_levels_are_read_and_no_more() {
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
    fn keys_are_compared_unescaped_and_stand_once() {
        let escaped =
            object(&MEMBERS).replace("event_type", "event\\u005ftype").replace("\"payload\"", "\"\\u0070ayload\"");
        assert!(assert_matches_reference(escaped.as_bytes()), "{}", rejection_reason(&escaped));
        for member in MEMBERS {
            let twice = object(&[&MEMBERS[..], &[member]].concat());
            assert!(!assert_matches_reference(twice.as_bytes()), "{twice}");
            assert!(rejection_reason(&twice).ends_with(" is there twice"), "{}", rejection_reason(&twice));
            let disguised = member.replacen('a', "\\u0061", 1).replacen("event", "\\u0065vent", 1);
            assert!(
                !assert_matches_reference(object(&[&MEMBERS[..], &[&disguised]].concat()).as_bytes()),
                "{disguised}"
            );
        }
        assert!(assert_matches_reference(
            object(&[&MEMBERS[..], &["\"x\":1", "\"x\":2", "\"offset\":\"mine\""]].concat()).as_bytes()
        ));
    }

    #[test]
    fn a_mistake_in_an_event_is_told_where_it_stands() {
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
    fn each_field_but_the_aggregate_has_to_be_there() {
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
    fn version_0_knows_another_name_for_the_time() {
        let old = object(&MEMBERS).replace("write_timestamp_ms", "timestamp_ms");
        let read =
            |text: &str, version| EventView::parse(text.as_bytes(), version).map(|view| view.write_timestamp_ms());
        assert_eq!(read(&old, Version::V0), Ok(7));
        assert_eq!(read(&old, Version::V1).expect_err("refused").reason, "write_timestamp_ms is missing");
        let both = object(&[&MEMBERS[..], &["\"timestamp_ms\":8"]].concat());
        assert_eq!(read(&both, Version::V0).expect_err("refused").reason, "write_timestamp_ms is there twice");
        assert_eq!(read(&both, Version::V1), Ok(7));
    }

    #[test]
    fn half_a_surrogate_pair_is_kept_in_the_payload_and_nowhere_else() {
        for half in ["\"\\ud800\"", "[{\"\\uDFFF\":1}]", "\"\\ud83d\\ud83d\\ude00\"", "\"\\ude00\\ud83d\""] {
            let payload = event_with("payload", half);
            assert_eq!(EventView::parse(payload.as_bytes(), Version::V1).map(|view| view.payload()), Ok(half));
            let unknown = object(&[&MEMBERS[..], &[&format!("\"other\":{half}")]].concat());
            assert_eq!(rejection_reason(&unknown), "a lone surrogate");
            assert!(assert_matches_reference(payload.as_bytes()) && !assert_matches_reference(unknown.as_bytes()));
        }
        assert_eq!(rejection_reason(&event_with("namespace", "\"\\udc00\"")), "a lone surrogate");
        assert_eq!(rejection_reason(&object(&[&MEMBERS[..], &["\"\\ud800\":1"]].concat())), "a lone surrogate");
    }

    #[test]
    fn a_stored_event_is_what_the_view_was() {
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
    fn an_event_is_written_in_the_order_of_the_format() {
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
    fn a_clock_that_stands_still_or_goes_back_is_taken_at_its_word() {
        let event = builder().build().expect("a valid event");
        let mut accepted = TimestampPrefix::new(7);
        for time in [7, 8, 8, 6, 0, u64::MAX, 7] {
            accepted.update(time);
            assert_eq!(payload_of(&event, &accepted), encoded(&event, time));
            assert!(encoded(&event, time).starts_with(&format!("{TIMESTAMP_PREFIX}{time},")));
        }
    }

    #[test]
    fn a_part_that_is_missing_is_named() {
        let all = builder();
        for (built, missing) in [
            (EventBuilder { event_type: None, ..all.clone() }, "event_type is missing"),
            (EventBuilder { namespace: None, ..all.clone() }, "namespace is missing"),
            (EventBuilder { schema_id: None, ..all.clone() }, "schema_id is missing"),
            (EventBuilder { schema_version: None, ..all.clone() }, "schema_version is missing"),
            (EventBuilder { payload: None, ..all }, "payload is missing"),
        ] {
            assert_eq!(built.build().expect_err("refused").reason, missing);
        }
    }

    #[test]
    fn a_payload_cannot_break_out_of_its_place() {
        for payload in ["", "1,\"x\":2", "{}}", "[", "nope", "1 2", "{\"a\":01}", "\u{feff}{}"] {
            assert!(builder().payload_json(payload).build().is_err(), "{payload}");
        }
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(builder().payload_json(nested(126)).build().is_ok());
        assert_eq!(builder().payload_json(nested(127)).build().expect_err("refused").reason, "more than 127 levels");
        let not_json = BTreeMap::from([(vec![1], 1)]);
        assert_eq!(
            builder().payload(&not_json).build().expect_err("refused").reason,
            "payload cannot be written as JSON"
        );
        let raw: Box<RawValue> = serde_json::from_str("[ 1.0 ,\"\\ud800\"]").expect("JSON");
        assert_eq!(builder().payload(&raw).build().expect("a valid event").payload(), "[1.0,\"\\ud800\"]");
    }

    #[test]
    fn a_line_of_json_keeps_its_keys_and_their_order() {
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
    fn a_mistake_in_a_line_is_told_where_the_caller_wrote_it() {
        let without_time = object(&MEMBERS[1..]);
        assert!(Event::from_json(&without_time).is_ok());
        for own in ["write_timestamp_ms", "offset", "write\\u005ftimestamp_ms", "\\u006fffset"] {
            let given = object(&[&MEMBERS[1..], &[&format!("\"{own}\":7")]].concat());
            let why = Event::from_json(&given).expect_err("refused");
            assert_eq!(why.offset, given.find(&format!("\"{own}")).expect("the key"));
            assert!(why.reason.ends_with(" is Chronicle's own and cannot be given"), "{}", why.reason);
        }
        assert!(Event::from_json(&object(&[&MEMBERS[1..], &["\"other\":{\"offset\":1}"]].concat())).is_ok());
        let spread = without_time.replace(',', " , ").replace("Person\"", "Person\" 1");
        assert_eq!(Event::from_json(&spread).expect_err("refused").offset, spread.find(" 1").expect("the mistake") + 1);
        assert_eq!(
            Event::from_json("{}").expect_err("refused"),
            PayloadError { offset: 1, reason: "event_type is missing" }
        );
        assert!(Event::from_json(&format!("{without_time}{without_time}")).is_err());
    }

    #[test]
    fn what_does_not_fit_a_frame_with_the_longest_time_is_refused() {
        let small = builder().payload_json("\"\"").build().expect("a valid event");
        let room = frame::MAX_PAYLOAD as usize - encoded(&small, u64::MAX).len();
        let of = |len: usize| format!("\"{}\"", "a".repeat(len));
        let largest = builder().payload_json(of(room)).build().expect("a valid event");
        assert_eq!(encoded(&largest, u64::MAX).len(), frame::MAX_PAYLOAD as usize);
        assert_eq!(builder().payload_json(of(room + 1)).build(), Err(EVENT_TOO_LONG));
        assert!(EVENT_TOO_LONG.reason.contains(&frame::MAX_PAYLOAD.to_string()), "{}", EVENT_TOO_LONG.reason);
        // Blanks that are dropped take no room.
        assert!(builder().payload_json(of(room) + "    ").build().is_ok());
        let line = |len: usize| object(&MEMBERS[1..]).replace("{\"a\":1}", &of(len));
        let room =
            room + encoded(&small, 0).len() - encoded(&Event::from_json(&line(0)).expect("a valid event"), 0).len();
        assert!(Event::from_json(&line(room)).is_ok());
        assert_eq!(Event::from_json(&line(room + 1)), Err(EVENT_TOO_LONG));
    }

    #[test]
    fn whatever_was_accepted_is_read_again_at_any_time() {
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
                    // The way out and in again: what is exported, without the time, is the same event.
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
