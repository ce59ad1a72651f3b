//! Validating JSON and laying it out: the validation agrees with `serde_json`, every token is shown as it is stored, and a
//! fold hides lines and shows them again.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fuzz_input::FuzzInput;
use crate::format::json::{MAX_LEVELS, compact, validate};
use crate::format::{Event, EventView, Version};
use crate::report::{sanitize, sanitize_json};
use crate::tui::{JsonDoc, JsonRoot};

pub(super) fn check(data: &[u8]) {
    let mut input = FuzzInput::new(data);
    let folds = input.bytes(4);
    let bytes = input.rest();
    let is_valid = validate(bytes).is_ok();
    check_validity(bytes, is_valid);
    for version in [Version::V0, Version::V1] {
        if let Ok(event) = EventView::parse(bytes, version) {
            assert!(is_valid && !event.payload().is_empty());
            let _ = (event.event_type(), event.namespace(), event.schema_id(), event.aggregate_id());
        }
    }
    if let Ok(event) = EventView::parse(bytes, Version::V1) {
        let numbers = (event.write_timestamp_ms(), event.schema_version(), event.aggregate_id());
        let expected: ExpectedNumbers = serde_json::from_slice(bytes).unwrap();
        assert_eq!(numbers, (expected.write_timestamp_ms, expected.schema_version, expected.aggregate_id));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(event) = Event::from_json(text) {
        assert!(validate(event.payload().as_bytes()).is_ok(), "{text:?}");
    }
    assert!(!sanitize(text).contains(char::is_control), "{text:?}");
    let mut doc = JsonDoc::new(text, JsonRoot::Event);
    if is_valid {
        let mut compacted = Vec::new();
        compact(bytes, &mut compacted);
        let compacted = String::from_utf8(compacted).unwrap();
        assert_eq!(shown_text(&doc), compacted, "every token is shown as it is stored");
        doc.set_wrap(Some(folds.iter().map(|fold| usize::from(*fold)).sum()));
        assert_eq!(shown_text(&doc), compacted, "wrapped rows show every token");
        doc.set_wrap(None);
        let safe = sanitize_json(&compacted);
        assert!(!safe.contains(char::is_control), "{safe:?}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert!(value(text) == value(&safe), "{text:?} became {safe:?}");
    }
    check_folds(&mut doc, folds);
}

/// The numbers of an event, as `serde_json` reads them.
#[derive(Deserialize)]
struct ExpectedNumbers {
    write_timestamp_ms: u64,
    schema_version: u32,
    aggregate_id: Option<u64>,
}

/// Compares the validation with that of `serde_json`, which has no limit of nesting for values that it skips.
fn check_validity(bytes: &[u8], is_valid: bool) {
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    let expected = is_utf8 && serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    assert!(is_valid == expected || (expected && levels(bytes) > MAX_LEVELS), "{is_valid}, serde_json: {expected}");
}

/// Returns the greatest nesting of a valid JSON text.
fn levels(json: &[u8]) -> u32 {
    let (mut depth, mut deepest, mut is_string, mut is_escaped) = (0u32, 0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_string = !is_string,
            b'{' | b'[' if !is_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Returns the tokens of every line that is shown, without indentation.
fn shown_text(doc: &JsonDoc) -> String {
    let mut text = String::new();
    for row in 0..doc.row_count() {
        let line = doc.row(row).unwrap();
        if let Some(key) = line.key {
            text.push_str(key);
            text.push(':');
        }
        text.push_str(line.value);
        if line.has_comma && line.is_last {
            text.push(',');
        }
    }
    text
}

/// Folds lines, and unfolds them in the opposite order.
fn check_folds(doc: &mut JsonDoc, folds: &[u8]) {
    let unfolded = doc.clone();
    let mut folded_lines = Vec::new();
    for fold in folds {
        let count = doc.row_count();
        let line = usize::from(*fold) % count.max(1);
        if doc.toggle_fold(line) {
            folded_lines.push(line);
        }
    }
    while let Some(line) = folded_lines.pop() {
        assert!(doc.toggle_fold(line), "a folded line unfolds");
    }
    assert_eq!(*doc, unfolded);
}
