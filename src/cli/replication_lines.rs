//! The lines of `replicate`, as text and as JSON.

use std::time::Duration;

use super::failure::CommandFailure;
use super::output::CommandOutput;
use crate::log::now_ms;
use crate::remote::nats::ShipStatus;
use crate::report::json::Json;
use crate::report::units::{format_count, format_duration, format_number, format_size};

/// Prints how many events were sent, how fast, and what is left. The rate is in events per second.
pub(super) fn print_status(
    out: &mut CommandOutput,
    event: &'static str,
    status: &ShipStatus,
    rate: u64,
) -> Result<(), CommandFailure> {
    let lag_ms = status.lag_since_ms.map_or(0, |time| now_ms().saturating_sub(time));
    let lag = if status.lag_frames == 0 {
        "nothing is left".to_owned()
    } else {
        format!(
            "{} left ({}, the first one is {} old)",
            format_count(status.lag_frames, "event"),
            format_size(status.lag_bytes),
            format_duration(Duration::from_millis(lag_ms))
        )
    };
    let text = format!(
        "{} sent, {} events/s, up to offset {} (sequence number {}); {lag}",
        format_count(status.frames, "event"),
        format_number(rate),
        status.position,
        status.sequence
    );
    let keys = vec![
        ("event", event.into()),
        ("events", status.frames.into()),
        ("bytes", status.bytes.into()),
        ("events_per_second", rate.into()),
        ("position", status.position.into()),
        ("sequence", status.sequence.into()),
        ("lag_events", status.lag_frames.into()),
        ("lag_bytes", status.lag_bytes.into()),
        ("lag_ms", lag_ms.into()),
    ];
    print(out, &text, keys)
}

/// Prints a line, or an object.
pub(super) fn print(
    out: &mut CommandOutput,
    text: &str,
    keys: Vec<(&'static str, Json)>,
) -> Result<(), CommandFailure> {
    if out.is_json() {
        out.print_json(&Json::Object(keys))?;
    } else {
        out.print_line(text)?;
    }
    out.flush()
}
