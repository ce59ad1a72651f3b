//! Generates realistic logs of any size: skewed aggregates, several event types, varied payloads. Equal options give
//! equal bytes.

use std::path::Path;

use super::rng::Rng;
use super::vocabulary::{BusinessDomain, CITIES, CURRENCIES, DOMAINS, FILLER_TEXT, FIRST_NAMES, LAST_NAMES, ValueKind};
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{Disk, ExistingFile, NewFile};
use crate::format::{HeaderBytes, LogHeader, LogId, NewLogFormat, SegmentHeader, Version, frame};
use crate::inspect::{OnProgress, Progress, cancelled_if_break};

/// The default time of the header and of the first event: 2026-01-01 00:00 UTC, in milliseconds since the Unix epoch.
const DEFAULT_START_TIME_MS: u64 = 1_767_225_600_000;
/// Number of bytes written in one call.
const BUFFER_BYTES: usize = 1 << 20;
/// Events per event without an aggregate, on average.
const EVENTS_PER_NO_AGGREGATE: u64 = 64;

/// Options of a generated log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratorOptions {
    /// Seed of the pseudorandom numbers.
    pub seed: u64,
    /// Length of the log.
    pub length: LogLength,
    /// Number of aggregates, with ids from 1; low ids have most of the events.
    pub aggregates: u64,
    /// Time of the header and of the first event, in milliseconds since the Unix epoch.
    pub start_time_ms: u64,
    /// Version of the log, 1 or 2. In version 2, the identity of the log follows from the seed.
    pub version: Version,
}

/// The length of a generated log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLength {
    /// A given number of events.
    Events(u64),
    /// The number of events that fit into this number of bytes, header included.
    Bytes(u64),
}

/// The number of events and the size of a generated log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GenerateSummary {
    /// Number of events.
    pub events: u64,
    /// Size of the log in bytes.
    pub bytes: u64,
}

impl Default for GeneratorOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            length: LogLength::Events(100_000),
            aggregates: 1000,
            start_time_ms: DEFAULT_START_TIME_MS,
            version: Version::V1,
        }
    }
}

/// Writes a log to `path`, which must not exist. The log is synced once, at the end.
///
/// `on_progress` gets the bytes written and the estimated total.
///
/// # Errors
/// `AlreadyExists` when `path` exists; `Io` when the file cannot be written; `Cancelled` when `on_progress` returns
/// `Break`. After an error there is no file at `path`.
pub fn generate(
    disk: &dyn Disk,
    path: &Path,
    options: &GeneratorOptions,
    on_progress: &mut OnProgress,
) -> Result<GenerateSummary, StorageError> {
    let mut file = NewFile::create_log(disk, path, ExistingFile::Keep)?;
    let mut generator = EventGenerator::new(options);
    let mut summary = GenerateSummary::default();
    let mut buffer = Vec::with_capacity(BUFFER_BYTES + 4096);
    buffer.extend_from_slice(&generator.header());
    loop {
        let more = generator.fill_buffer(&mut buffer, BUFFER_BYTES);
        append_all(file.storage().as_ref(), &buffer).map_err(|error| StorageError::io(path, "write", error))?;
        summary.bytes += buffer.len() as u64;
        summary.events = generator.events();
        buffer.clear();
        if !more {
            break;
        }
        let total = generator.estimated_total();
        cancelled_if_break(on_progress(Progress { position: summary.bytes, total: total.max(summary.bytes) }))?;
    }
    file.commit()?;
    Ok(summary)
}

/// Returns the identity of the log with this seed.
fn log_id(seed: u64) -> LogId {
    let bytes = Rng::new(!seed).noise(size_of::<LogId>());
    bytes.first_chunk().copied().map_or_else(LogId::random, LogId::from_bytes)
}

/// Generates events as frames, one after the other.
#[derive(Debug, Clone)]
pub(super) struct EventGenerator {
    options: GeneratorOptions,
    header: LogHeader,
    rng: Rng,
    time_ms: u64,
    events: u64,
    /// Bytes generated so far, the header included.
    bytes: u64,
    /// [`FILLER_TEXT`] twice, so that a long excerpt can start at any word of the first half.
    filler_text: Vec<u8>,
    /// Offsets of the words in the first half of `filler_text`.
    word_starts: Vec<u16>,
}

impl EventGenerator {
    /// Creates a generator at the first event.
    pub(super) fn new(options: &GeneratorOptions) -> Self {
        let format = match options.version {
            Version::V2 => NewLogFormat::V2(log_id(options.seed)),
            Version::V0 | Version::V1 => NewLogFormat::V1,
        };
        let header = format.header(options.start_time_ms);
        let starts = FILLER_TEXT.bytes().zip(0u16..).filter(|(byte, _)| *byte == b' ').map(|(_, at)| at + 1);
        Self {
            rng: Rng::new(options.seed),
            time_ms: options.start_time_ms,
            events: 0,
            bytes: header.encode().len() as u64,
            header,
            filler_text: FILLER_TEXT.repeat(2).into_bytes(),
            word_starts: starts.collect(),
            options: options.clone(),
        }
    }

    /// Returns the encoded header of the log.
    pub(super) fn header(&self) -> HeaderBytes {
        self.header.encode()
    }

    /// Returns the number of events generated so far.
    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    /// Returns the number of bytes generated so far, the headers included.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the size that the log will have, in bytes, as far as the events so far show it.
    pub(super) fn estimated_total(&self) -> u64 {
        match self.options.length {
            LogLength::Bytes(bytes) => bytes,
            LogLength::Events(events) => (self.bytes / self.events.max(1)).saturating_mul(events),
        }
    }

    /// Returns the identity of the log.
    pub(super) fn log_id(&self) -> LogId {
        self.header.segment.map_or_else(|| log_id(self.options.seed), |segment| segment.log_id)
    }

    /// Starts the next segment after a frame with the checksum `prev_checksum`, and returns its header. The log has version 2.
    pub(super) fn next_segment(&mut self, prev_checksum: u32) -> HeaderBytes {
        if let Some(segment) = &mut self.header.segment {
            *segment = SegmentHeader { base: self.bytes, number: segment.number + 1, prev_checksum, ..*segment };
        }
        self.header.created_at_ms = self.time_ms;
        let header = self.header.encode();
        self.bytes += header.len() as u64;
        header
    }

    /// Appends frames to `out` until it holds at least `len` bytes. Returns false when the log has its full length.
    pub(super) fn fill_buffer(&mut self, out: &mut Vec<u8>, len: usize) -> bool {
        while out.len() < len {
            let start = out.len();
            let before = (self.rng.clone(), self.time_ms);
            if matches!(self.options.length, LogLength::Events(events) if self.events >= events) {
                return false;
            }
            let at = self.bytes;
            frame::encode_with(self.header.frame_format(), at, out, |out| self.push_event(out));
            let bytes = self.bytes + (out.len() - start) as u64;
            if matches!(self.options.length, LogLength::Bytes(limit) if bytes > limit) {
                out.truncate(start);
                (self.rng, self.time_ms) = before;
                return false;
            }
            self.bytes = bytes;
            self.events += 1;
        }
        true
    }

    fn push_event(&mut self, out: &mut Vec<u8>) {
        let end = out.len() + self.next_payload_len();
        self.time_ms = self.time_ms.saturating_add(self.rng.next_below(16));
        if self.rng.next_below(64) == 0 {
            self.time_ms = self.time_ms.saturating_add(self.rng.next_below(2000));
        }
        let aggregate = self.next_aggregate();
        let domain_number = aggregate.unwrap_or_else(|| self.rng.next()) % DOMAINS.len() as u64;
        let Some(domain) = DOMAINS.get(domain_number as usize) else {
            return;
        };
        let kinds = domain.types.len() as u64;
        // The lower of two random numbers makes the first types of the list the most frequent.
        let type_number = self.rng.next_below(kinds).min(self.rng.next_below(kinds)) as usize;
        out.extend_from_slice(b"{\"write_timestamp_ms\":");
        push_number(self.time_ms, out);
        for text in [
            ",\"event_type\":\"",
            domain.types.get(type_number).copied().unwrap_or_default(),
            "\",\"namespace\":\"",
            domain.namespace,
            "\",\"schema_id\":\"",
            domain.schema,
            "\",\"schema_version\":",
        ] {
            out.extend_from_slice(text.as_bytes());
        }
        push_number(1 + self.rng.next_below(3).min(self.rng.next_below(3)), out);
        out.extend_from_slice(b",\"aggregate_id\":");
        match aggregate {
            Some(id) => push_number(id, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"payload\":{");
        self.push_payload(domain, end, out);
        out.extend_from_slice(b"}}");
    }

    /// Chooses the length of the next payload in bytes.
    fn next_payload_len(&mut self) -> usize {
        (160 + self.rng.next_below(399).min(self.rng.next_below(399)) + self.rng.next_below(35)) as usize
    }

    /// Chooses an aggregate id; every power of two is equally frequent, so a few ids have most of the events.
    fn next_aggregate(&mut self) -> Option<u64> {
        let max_id = self.options.aggregates.max(1);
        if self.rng.next_below(EVENTS_PER_NO_AGGREGATE) == 0 {
            return None;
        }
        let base = 1u64 << self.rng.next_below(u64::from(max_id.ilog2()) + 1);
        let id = base + self.rng.next_below(base);
        Some(if id <= max_id { id } else { 1 + self.rng.next_below(max_id) })
    }

    fn push_payload(&mut self, domain: &BusinessDomain, end: usize, out: &mut Vec<u8>) {
        for (i, (key, kind)) in domain.fields.iter().enumerate() {
            if i > 0 {
                if out.len() + 48 > end {
                    break;
                }
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(b"\":");
            self.push_value(*kind, out);
        }
        // A note fills the payload up to its chosen length.
        let available = end.saturating_sub(out.len() + ",\"note\":\"\"}}".len());
        if available >= 8 {
            let word = self.rng.next_below(self.word_starts.len() as u64) as usize;
            let from = usize::from(self.word_starts.get(word).copied().unwrap_or_default());
            out.extend_from_slice(b",\"note\":\"");
            out.extend_from_slice(self.filler_text.get(from..from + available).unwrap_or_default());
            out.push(b'"');
        }
    }

    fn push_value(&mut self, kind: ValueKind, out: &mut Vec<u8>) {
        let rng = &mut self.rng;
        match kind {
            ValueKind::Name => {
                let parts = [rng.pick(&FIRST_NAMES), Some(" "), rng.pick(&LAST_NAMES)];
                push_json_string(&parts, out);
            }
            ValueKind::Email => {
                let name = rng.pick(&["juan", "zoe", "amara", "mei", "soren", "priya", "aiko", "noor", "ada", "ivan"]);
                out.push(b'"');
                out.extend_from_slice(name.unwrap_or_default().as_bytes());
                push_number(rng.next_below(1000), out);
                out.extend_from_slice(b"@example.org\"");
            }
            ValueKind::City => push_json_string(&[rng.pick(&CITIES)], out),
            ValueKind::Currency => push_json_string(&[rng.pick(&CURRENCIES)], out),
            ValueKind::Amount => {
                let cents = rng.next_below(100_000).min(rng.next_below(100_000));
                push_number(cents / 100, out);
                out.extend_from_slice(&[b'.', b'0' + (cents / 10 % 10) as u8, b'0' + (cents % 10) as u8]);
            }
            ValueKind::Count => push_number(1 + rng.next_below(40).min(rng.next_below(40)), out),
            ValueKind::Reference => {
                let bits = rng.next();
                out.push(b'"');
                let digit = |i: u32| *b"0123456789abcdef".get((bits >> (4 * i) & 15) as usize).unwrap_or(&b'0');
                out.extend((0..12).map(digit));
                out.push(b'"');
            }
            ValueKind::Flag => out.extend_from_slice(if rng.next_below(4) == 0 { b"false" } else { b"true" }),
            ValueKind::Numbers => {
                for i in 0..3 {
                    out.push(if i == 0 { b'[' } else { b',' });
                    push_number(rng.next_below(4096), out);
                }
                out.push(b']');
            }
        }
    }
}

fn push_json_string(parts: &[Option<&str>], out: &mut Vec<u8>) {
    out.push(b'"');
    parts.iter().flatten().for_each(|part| out.extend_from_slice(part.as_bytes()));
    out.push(b'"');
}

/// Appends the decimal digits of a number. A formatter would take most of the time of generating an event.
fn push_number(mut number: u64, out: &mut Vec<u8>) {
    let start = out.len();
    loop {
        out.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.get_mut(start..).unwrap_or_default().reverse();
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::file::OsDisk;
    use crate::format::frame::DecodeResult;
    use crate::format::{EventView, Version, json};

    fn generate_bytes(options: &GeneratorOptions) -> Vec<u8> {
        let mut generator = EventGenerator::new(options);
        let mut out = generator.header().to_vec();
        assert!(!generator.fill_buffer(&mut out, usize::MAX));
        out
    }

    fn split_frames(bytes: &[u8]) -> Vec<&[u8]> {
        let mut rest = &bytes[16..];
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let DecodeResult::Complete(frame) = frame::decode(rest, crate::format::FrameFormat::V1, 0) else {
                panic!("no frame at {rest:?}")
            };
            frames.push(frame.bytes());
            rest = &rest[frame.len() as usize..];
        }
        frames
    }

    #[test]
    fn a_generated_log_contains_valid_events_in_the_form_that_chronicle_writes() {
        let log =
            generate_bytes(&GeneratorOptions { length: LogLength::Events(20_000), ..GeneratorOptions::default() });
        let frames = split_frames(&log);
        let (mut time, mut per_aggregate, mut types) =
            (0, std::collections::HashMap::new(), std::collections::HashSet::new());
        for frame in &frames {
            let payload = &frame[4..frame.len() - 4];
            let event = EventView::parse(payload, Version::V1).unwrap();
            let mut compact = Vec::new();
            json::compact(payload, &mut compact);
            assert_eq!(compact, payload, "no blanks outside strings");
            assert!(event.write_timestamp_ms() >= time);
            time = event.write_timestamp_ms();
            *per_aggregate.entry(event.aggregate_id()).or_insert(0u32) += 1;
            types.insert(event.event_type().into_owned());
            assert!((150..=600).contains(&frame.len()), "{} bytes", frame.len());
        }
        let mean = (log.len() - 16) / frames.len();
        assert!((309..=329).contains(&mean), "a mean of {mean} bytes");
        assert!(
            types.len() > 10 && per_aggregate.len() > 900,
            "{} types, {} aggregates",
            types.len(),
            per_aggregate.len()
        );
        let busiest = per_aggregate.iter().filter(|(id, _)| id.is_some()).map(|(_, count)| *count).max().unwrap();
        assert!(busiest > 1000 && per_aggregate[&None] > 200, "{busiest} events of one aggregate");
        assert!(per_aggregate.keys().flatten().all(|id| (1..=1000).contains(id)));
    }

    #[test]
    fn equal_options_give_equal_bytes_in_memory_and_on_disk() {
        let options =
            GeneratorOptions { length: LogLength::Events(5000), aggregates: 77, ..GeneratorOptions::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let summary = generate(&OsDisk, &path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
        let written = std::fs::read(&path).unwrap();
        assert!(written == generate_bytes(&options));
        assert_eq!(summary, GenerateSummary { events: 5000, bytes: written.len() as u64 });
        assert!(written != generate_bytes(&GeneratorOptions { seed: 2, ..options.clone() }));
        assert!(written != generate_bytes(&GeneratorOptions { start_time_ms: 5, ..options.clone() }));
        // The bytes must not change between versions: a bug report can name a generated log by its options.
        assert_eq!(crate::format::crc::checksum(&written), 0x41DC_F3DC);
    }

    #[test]
    fn a_size_limit_is_filled_and_not_exceeded() {
        let whole =
            generate_bytes(&GeneratorOptions { length: LogLength::Bytes(100_000), ..GeneratorOptions::default() });
        assert!((100_000 - 600..=100_000).contains(&whole.len()));
        let events = split_frames(&whole).len() as u64;
        assert_eq!(
            whole,
            generate_bytes(&GeneratorOptions { length: LogLength::Events(events), ..GeneratorOptions::default() })
        );
        assert_eq!(
            generate_bytes(&GeneratorOptions { length: LogLength::Bytes(3), ..GeneratorOptions::default() }).len(),
            16
        );
    }

    #[test]
    fn an_existing_file_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, "mine").unwrap();
        let refused = generate(&OsDisk, &path, &GeneratorOptions::default(), &mut |_| ControlFlow::Continue(()));
        assert!(matches!(refused, Err(StorageError::AlreadyExists { .. })), "{refused:?}");
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    }
}
