//! Sentences about a filter: the names in it that no event has, and the times that the log has.

use super::units::{DisplayZone, format_count, format_minute};
use crate::index::NameKind;
use crate::query::{EventTimes, Filter, KnownNames, UnknownName};

/// Returns a sentence for each name of the filter that no known event has, with the nearest name: "no event has the type
/// `updated`; Updated has 1 204 events". Where the names are not those of all events of a log of `log_bytes` bytes, the
/// sentence says so.
pub(crate) fn unknown_name_lines(filter: &Filter, known: &KnownNames, log_bytes: u64) -> Vec<String> {
    let events = if known.covers(log_bytes) { "no event" } else { "no event in the index" };
    filter.unknown_names(known).iter().map(|unknown| unknown_name_line(events, unknown)).collect()
}

fn unknown_name_line(events: &str, unknown: &UnknownName) -> String {
    let kind = match unknown.kind {
        NameKind::Type => "type",
        NameKind::Namespace => "namespace",
        NameKind::Schema => "schema",
    };
    let nearest = unknown.nearest.as_ref();
    let nearest = nearest.map(|name| format!("; {} has {}", name.text, format_count(name.events, "event")));
    format!("{events} has the {kind} `{}`{}", unknown.typed, nearest.unwrap_or_default())
}

/// Returns a sentence with the times of the log's first and last event, when the filter has a condition on times.
pub(crate) fn log_times_line(filter: &Filter, times: Option<EventTimes>, zone: DisplayZone) -> Option<String> {
    let EventTimes { first_ms, last_ms, .. } = times.filter(|_| filter.has_times())?;
    let format = |ms| format_minute(ms, zone);
    Some(format!("the first event is from {}, the last one from {}", format(first_ms), format(last_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_event_has_is_reported_with_the_nearest_one() {
        let known = KnownNames::of([(NameKind::Type, "Updated", 1204), (NameKind::Type, "Created", 1)]);
        let lines = |text: &str| unknown_name_lines(&Filter::parse(text, 0).unwrap(), &known, 100);
        assert_eq!(lines("type:updated"), ["no event has the type `updated`; Updated has 1 204 events"]);
        assert_eq!(lines("type:UPDATED"), ["no event has the type `UPDATED`; Updated has 1 204 events"]);
        assert_eq!(lines("type:Updated,create*"), ["no event has the type `create*`; Created has 1 event"]);
        assert_eq!(lines("type~^zzz"), ["no event has the type `^zzz`"]);
        assert_eq!(lines("-type:updated"), ["no event has the type `updated`; Updated has 1 204 events"]);
        assert_eq!(lines("type!=Createt v:1"), ["no event has the type `Createt`; Created has 1 event"]);
        for text in ["type:Updated", "-type:Heartbeat", "ns:none", "type:U*"] {
            assert_eq!(lines(text), [""; 0], "{text}");
        }
    }
}
