//! A value of an event with the path that leads to it, and the filter that selects the events with the same value.

use std::borrow::Cow;

use jiff::Timestamp;

use super::payload_path::PayloadPath;
use super::quotes::quote;
use crate::format::json::unescape;

/// Largest size in bytes of a value that a filter is made from.
const MAX_FILTER_VALUE_BYTES: usize = 4096;

/// A value of an event, with the path that leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredValue {
    /// The keys of objects and positions in arrays that lead from the event to the value.
    pub(crate) steps: Vec<String>,
    /// The stored text of the value.
    pub(crate) token: String,
}

impl StoredValue {
    /// Returns the path as a filter has it: `payload.address.city` or `event_type`; empty for the whole event.
    pub(crate) fn path(&self) -> String {
        match self.steps.split_first() {
            Some((first, steps)) if first == "payload" => PayloadPath::from_steps(steps.to_vec()).to_string(),
            _ => self.steps.join("."),
        }
    }

    /// Returns the words of a filter that shows the events with the same value at the same place.
    ///
    /// # Errors
    /// Why no filter selects the value, in words that follow the value's path.
    pub(crate) fn filter_words(&self) -> Result<String, &'static str> {
        let token = self.token.as_str();
        if token.len() > MAX_FILTER_VALUE_BYTES {
            return Err("is too long for a filter");
        }
        if token.starts_with(['{', '[']) {
            return Err("is an object or an array; a filter compares a value inside it");
        }
        if self.steps.iter().any(|step| step.is_empty() || step.contains('"')) {
            return Err("has an empty key or a quote in its path, which no filter can name");
        }
        let text = if token.starts_with('"') { quote(&unescape(token)) } else { token.to_owned() };
        let steps: Vec<&str> = self.steps.iter().map(String::as_str).collect();
        match steps.as_slice() {
            ["payload", ..] => Ok(format!("{}={text}", self.path())),
            ["event_type"] => Ok(format!("type:{text}")),
            ["namespace"] => Ok(format!("ns:{text}")),
            ["schema_id"] => Ok(format!("schema:{text}")),
            ["schema_version"] => Ok(format!("v:{text}")),
            ["aggregate_id"] => Ok(format!("agg:{text}")),
            ["write_timestamp_ms"] => time_word(token).ok_or("is outside the calendar"),
            _ => Err("is no field that a filter compares"),
        }
    }
}

/// Returns the word for the events of one millisecond.
fn time_word(token: &str) -> Option<String> {
    let time = Timestamp::from_millisecond(token.parse().ok()?).ok()?;
    // All three digits are written, because a time with fewer is a longer span.
    Some(format!("time:{time:.3}"))
}

/// Resolves the escapes of a JSON string with its quotes. A lone surrogate becomes U+FFFD.
pub(crate) fn unescape_token(token: &str) -> Cow<'_, str> {
    unescape(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{EventView, Version};
    use crate::query::Filter;

    const EVENT: &str = r#"{"write_timestamp_ms":1795165200250,"event_type":"Upd\u0061ted","namespace":"a b","schema_id":"S\"x\\",
        "schema_version":2,"aggregate_id":null,"payload":{"name":"P\u00e9rez -x","amount":1.50,"ok":true,"none":null,
        "tags":["a,b","x*y","1..2",-3],"a.b c":{"d\\e":"/x/"},"empty":""}}"#;
    /// Another event that differs in every value.
    const OTHER: &str = r#"{"write_timestamp_ms":1795165200251,"event_type":"Upd","namespace":"a","schema_id":"S",
        "schema_version":3,"aggregate_id":7,"payload":{"name":"-x","amount":1.51,"ok":false,"none":0,
        "tags":["a","xzy","1",3],"a.b c":{"d\\e":"x"},"empty":"-"}}"#;

    fn values() -> Vec<StoredValue> {
        let value = |steps: &[&str], token: &str| StoredValue {
            steps: steps.iter().map(|step| (*step).to_owned()).collect(),
            token: token.to_owned(),
        };
        vec![
            value(&["write_timestamp_ms"], "1795165200250"),
            value(&["event_type"], r#""Upd\u0061ted""#),
            value(&["namespace"], "\"a b\""),
            value(&["schema_id"], r#""S\"x\\""#),
            value(&["schema_version"], "2"),
            value(&["aggregate_id"], "null"),
            value(&["payload", "name"], r#""P\u00e9rez -x""#),
            value(&["payload", "amount"], "1.50"),
            value(&["payload", "ok"], "true"),
            value(&["payload", "none"], "null"),
            value(&["payload", "tags", "0"], "\"a,b\""),
            value(&["payload", "tags", "1"], "\"x*y\""),
            value(&["payload", "tags", "2"], "\"1..2\""),
            value(&["payload", "tags", "3"], "-3"),
            value(&["payload", "a.b c", "d\\e"], "\"/x/\""),
            value(&["payload", "empty"], "\"\""),
        ]
    }

    #[test]
    fn the_filter_of_a_value_shows_the_events_with_the_value_and_no_others() {
        let parse = |text| EventView::parse(text, Version::V1).unwrap();
        let (event, other) = (parse(EVENT.as_bytes()), parse(OTHER.as_bytes()));
        for value in values() {
            let words = value.filter_words().unwrap();
            let filter = Filter::parse(&words, 0).unwrap_or_else(|error| panic!("{words}: {error}"));
            assert!(filter.matches_event(16, &event), "{words}");
            assert!(!filter.matches_event(16, &other), "{words}");
            let without = Filter::parse(&format!("-{words}"), 0).unwrap();
            assert!(!without.matches_event(16, &event) && without.matches_event(16, &other), "-{words}");
        }
    }

    #[test]
    fn a_value_that_no_filter_selects_reports_why() {
        let reason = |steps: &[&str], token: &str| {
            let steps = steps.iter().map(|step| (*step).to_owned()).collect();
            StoredValue { steps, token: token.to_owned() }.filter_words().unwrap_err()
        };
        assert!(reason(&["payload", "a"], "[1]").contains("a value inside it"));
        assert!(reason(&[], "{}").contains("a value inside it"));
        assert!(reason(&["payload", "a\"b"], "1").contains("a quote in its path"));
        assert!(reason(&["other"], "1").contains("no field"));
        assert!(reason(&["payload"], &format!("\"{}\"", "x".repeat(5000))).contains("too long"));
        assert!(reason(&["write_timestamp_ms"], "99999999999999999").contains("calendar"));
    }
}
