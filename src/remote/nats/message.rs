//! The mapping between a frame of a log and a message of a stream. A message has all that is needed to write the bytes of the
//! log again, and nothing in it is believed that its checksums do not prove.
//!
//! | header | value | where |
//! | --- | --- | --- |
//! | `Chronicle-Log` | the version, and the id or the creation time of the log | in each message |
//! | `Chronicle-Offset` | the offset of the frame | in each message |
//! | `Chronicle-Checksum` | the checksum of the frame; in version 0 the CRC of its bytes | in each message |
//! | `Chronicle-Segment` | the base of the segment | in each message of a log in segments |
//! | `Chronicle-Header` | the header of the file before its first frame, then the CRC of it | with the first frame of a file |
//! | `Chronicle-After` | the end of the frame before, when the log has no bytes between it and the header | after a removed range |
//!
//! The body is the payload of the frame as stored.

use std::str::FromStr;

use super::identity::StreamLogIdentity;
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN, MAX_PAYLOAD};
use crate::format::{LogHeader, Version, byte_layout, hex};

const LOG: &str = "Chronicle-Log";
const OFFSET: &str = "Chronicle-Offset";
const CHECKSUM: &str = "Chronicle-Checksum";
const SEGMENT: &str = "Chronicle-Segment";
const HEADER: &str = "Chronicle-Header";
const AFTER: &str = "Chronicle-After";
/// The start of the names of all these headers.
pub(super) const HEADER_PREFIX: &str = "Chronicle-";
/// The largest offset, which leaves room for adding the length of a frame.
const MAX_OFFSET: u64 = i64::MAX as u64;

/// A frame of a log, with what a stream says about its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFrame {
    /// The log that the frame belongs to.
    pub(super) identity: StreamLogIdentity,
    /// Offset of the frame in the log.
    pub(super) offset: u64,
    /// The payload as stored.
    pub(super) payload: Vec<u8>,
    /// The checksum of the frame; in version 0, which stores none, the CRC of its bytes.
    pub(super) checksum: u32,
    /// The base of the segment; `None` for a log in one file.
    pub(super) segment: Option<u64>,
    /// The header of the file, when the frame is its first one; empty otherwise, and in version 0.
    pub(super) header: Vec<u8>,
    /// The end of the frame before, when the log has no bytes between it and the header.
    pub(super) after: Option<u64>,
}

/// A message as it is stored in a stream, with the headers of [`HEADER_PREFIX`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredMessage {
    /// The sequence number in the stream.
    pub(super) sequence: u64,
    /// Names and values; a name can be repeated.
    pub(super) headers: Vec<(String, String)>,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// Why a message has no valid frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MessageFault {
    /// A header that each message has is not there.
    #[error("it has no header {0}: it was not written by `chronicle replicate`")]
    Missing(&'static str),
    /// A header is there more than once.
    #[error("its header {0} is repeated")]
    Repeated(&'static str),
    /// The value of a header is not of the expected form.
    #[error("its header {name} is \"{found}\", expected {expected}")]
    Value {
        /// The name of the header.
        name: &'static str,
        /// The start of the value.
        found: String,
        /// The form that the value must have.
        expected: &'static str,
    },
    /// The body cannot be a payload.
    #[error("its body has {0} bytes, expected 1 to {MAX_PAYLOAD}")]
    Size(usize),
    /// The bytes are not those that were sent.
    #[error("its checksum is {stored:08x}, computed {computed:08x}")]
    Checksum {
        /// The checksum in the message.
        stored: u32,
        /// The checksum of the offset and the bytes.
        computed: u32,
    },
}

impl LogFrame {
    /// Returns the offset of the first byte that the message adds to the log: that of the header before the frame, or of the
    /// frame.
    pub(super) fn start(&self) -> u64 {
        self.offset - self.header.len() as u64
    }

    /// Returns the offset after the frame.
    pub(super) fn end(&self) -> u64 {
        let len = LENGTH_LEN + self.payload.len() + self.identity.version().checksum_len();
        self.offset + len as u64
    }

    /// Returns the bytes of the frame.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH_LEN + self.payload.len() + CHECKSUM_LEN);
        bytes.extend_from_slice(&(self.payload.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        if self.identity.version().has_checksums() {
            bytes.extend_from_slice(&self.checksum.to_be_bytes());
        }
        bytes
    }

    /// Returns the headers of the message.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            (LOG, self.identity.to_string()),
            (OFFSET, self.offset.to_string()),
            (CHECKSUM, format!("{:08x}", self.checksum)),
        ];
        headers.extend(self.segment.map(|base| (SEGMENT, base.to_string())));
        if !self.header.is_empty() {
            let checksum = crc32fast::hash(&self.header).to_be_bytes();
            headers.push((HEADER, hex::encode(&[self.header.as_slice(), &checksum].concat())));
        }
        headers.extend(self.after.map(|end| (AFTER, end.to_string())));
        headers
    }

    /// Returns the frame of a message, after checking every value of it.
    ///
    /// # Errors
    /// [`MessageFault`], which names the first value that is wrong.
    pub(super) fn of_message(message: &StoredMessage) -> Result<Self, MessageFault> {
        let identity = required(message, LOG)?;
        let identity: StreamLogIdentity =
            identity.parse().map_err(|()| value_fault(LOG, identity, "a version with the identity of a log"))?;
        let offset = required(message, OFFSET)?;
        let offset = parse_offset(offset).ok_or_else(|| value_fault(OFFSET, offset, "an offset"))?;
        let checksum = required(message, CHECKSUM)?;
        let checksum = parse_checksum(checksum)
            .ok_or_else(|| value_fault(CHECKSUM, checksum, "eight hexadecimal digits in lower case"))?;
        let segment = optional_offset(message, SEGMENT, "the base of a segment before the frame", |base| {
            identity.version() == Version::V2 && base < offset
        })?;
        let header = match optional(message, HEADER)? {
            None => Vec::new(),
            Some(text) => decode_header(text, identity, offset, segment)
                .ok_or_else(|| value_fault(HEADER, text, "the header of this file and its checksum"))?,
        };
        let start = offset - header.len() as u64;
        let after = optional_offset(message, AFTER, "an offset before the header", |after| {
            segment.is_some() && !header.is_empty() && after < start
        })?;
        let payload = message.body.clone();
        if payload.is_empty() || payload.len() > MAX_PAYLOAD as usize {
            return Err(MessageFault::Size(payload.len()));
        }
        let frame = Self { identity, offset, payload, checksum, segment, header, after };
        let computed = frame.computed_checksum();
        if computed == checksum { Ok(frame) } else { Err(MessageFault::Checksum { stored: checksum, computed }) }
    }

    /// Returns the checksum of the length and the payload at this offset of the log.
    fn computed_checksum(&self) -> u32 {
        let length = (self.payload.len() as u32).to_be_bytes();
        let preceding = self.identity.format().preceding_checksum(self.offset);
        let mut hasher = crc32fast::Hasher::new_with_initial(preceding);
        hasher.update(&length);
        hasher.update(&self.payload);
        hasher.finalize()
    }

    /// Returns the frame of a log. The bytes must be those of a valid frame at this offset.
    pub(super) fn of_log(identity: StreamLogIdentity, offset: u64, frame: &crate::format::Frame) -> Self {
        let checksum = match identity.version() {
            Version::V0 => crc32fast::hash(frame.bytes()),
            Version::V1 | Version::V2 => frame.checksum(),
        };
        let payload = frame.payload().to_vec();
        Self { identity, offset, payload, checksum, segment: None, header: Vec::new(), after: None }
    }
}

impl StoredMessage {
    /// Returns the offset that the message has in its header, before anything of it is checked; `None` when it has none.
    pub(super) fn claimed_offset(&self) -> Option<u64> {
        optional(self, OFFSET).ok().flatten().and_then(parse_offset)
    }

    /// Returns the base of the segment that the message has in its header, before anything of it is checked.
    pub(super) fn claimed_segment(&self) -> Option<u64> {
        optional(self, SEGMENT).ok().flatten().and_then(parse_offset)
    }

    /// Returns the checksum that the message has in its header.
    pub(super) fn claimed_checksum(&self) -> Option<u32> {
        optional(self, CHECKSUM).ok().flatten().and_then(parse_checksum)
    }

    /// Returns the log that the message says to belong to.
    pub(super) fn claimed_identity(&self) -> Option<StreamLogIdentity> {
        optional(self, LOG).ok().flatten().and_then(|text| text.parse().ok())
    }

    /// True when the message is the first one of a file.
    pub(super) fn has_header(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == HEADER)
    }

    /// Returns the `len` bytes of the header of the file; zeros when they cannot be read.
    pub(super) fn claimed_header(&self, len: usize) -> Vec<u8> {
        let decoded = optional(self, HEADER).ok().flatten().and_then(hex::decode);
        let header = decoded.filter(|header| header.len() == len + CHECKSUM_LEN).and_then(|mut header| {
            let checksum = byte_layout::u32_at(&header, len)?;
            header.truncate(len);
            (crc32fast::hash(&header) == checksum).then_some(header)
        });
        header.unwrap_or_else(|| vec![0; len])
    }
}

/// Returns the value of a header that may be there once.
fn optional<'m>(message: &'m StoredMessage, name: &'static str) -> Result<Option<&'m str>, MessageFault> {
    let mut values = message.headers.iter().filter(|(found, _)| found == name);
    let value = values.next().map(|(_, value)| value.as_str());
    if values.next().is_some() { Err(MessageFault::Repeated(name)) } else { Ok(value) }
}

fn required<'m>(message: &'m StoredMessage, name: &'static str) -> Result<&'m str, MessageFault> {
    optional(message, name)?.ok_or(MessageFault::Missing(name))
}

/// Returns the value of a header that may be there once, and is an offset for which `is_allowed` is true.
fn optional_offset(
    message: &StoredMessage,
    name: &'static str,
    expected: &'static str,
    is_allowed: impl Fn(u64) -> bool,
) -> Result<Option<u64>, MessageFault> {
    let Some(text) = optional(message, name)? else { return Ok(None) };
    let offset = parse_offset(text).filter(|offset| is_allowed(*offset));
    offset.map(Some).ok_or_else(|| value_fault(name, text, expected))
}

fn value_fault(name: &'static str, found: &str, expected: &'static str) -> MessageFault {
    MessageFault::Value { name, found: found.chars().take(60).collect(), expected }
}

/// Parses digits as [`LogFrame::headers`] writes them.
fn parse_offset(text: &str) -> Option<u64> {
    let offset = u64::from_str(text).ok().filter(|offset| *offset <= MAX_OFFSET)?;
    (offset.to_string() == text).then_some(offset)
}

fn parse_checksum(text: &str) -> Option<u32> {
    let checksum = u32::from_str_radix(text, 16).ok()?;
    (format!("{checksum:08x}") == text).then_some(checksum)
}

/// Returns the header of a file, when it is one of this log, directly before the frame at `offset`, with the right checksum.
fn decode_header(text: &str, identity: StreamLogIdentity, offset: u64, segment: Option<u64>) -> Option<Vec<u8>> {
    let mut header = hex::decode(text).filter(|header| hex::encode(header) == text)?;
    let checksum = byte_layout::u32_at(&header, header.len().checked_sub(CHECKSUM_LEN)?)?;
    header.truncate(header.len() - CHECKSUM_LEN);
    let is_intact = crc32fast::hash(&header) == checksum;
    let is_whole = identity.version().has_header() && header.len() as u64 == identity.version().first_frame_offset();
    let decoded = LogHeader::decode(&header).ok()?;
    let is_of_log = StreamLogIdentity::of_header(Some(decoded)) == identity;
    let base = offset.checked_sub(header.len() as u64)?;
    let is_in_place = match decoded.segment {
        None => base == 0 && segment.is_none(),
        Some(found) if segment.is_some() => found.base == base && segment == Some(base),
        Some(found) => found.base == 0 && found.number == 0 && base == 0,
    };
    (is_intact && is_whole && is_of_log && is_in_place).then_some(header)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::frame::{DecodeResult, decode, encode_at};
    use crate::format::{FrameFormat, LogId, SegmentHeader};

    fn stored(frame: &LogFrame) -> StoredMessage {
        let headers = frame.headers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        StoredMessage { sequence: 1, headers, body: frame.payload.clone() }
    }

    fn set(message: &mut StoredMessage, name: &str, value: &str) {
        message.headers.iter_mut().filter(|(found, _)| found == name).for_each(|(_, found)| *found = value.to_owned());
    }

    /// Returns the frame of a log of each version with this payload, as the first one of its file or a later one.
    fn frames(payload: &[u8], at: u64, id: [u8; 16]) -> Vec<(Vec<u8>, LogFrame)> {
        let id = LogId::from_bytes(id);
        let segment = SegmentHeader { base: at, number: 3, prev_checksum: 7, log_start: 0, ..segment_of(id) };
        let header_1 = LogHeader::new(at).encode();
        let header_2 = LogHeader::of_log(id, at).encode();
        let header_3 = LogHeader { segment: Some(segment), ..LogHeader::of_log(id, at) }.encode();
        let (v1, v2) = (StreamLogIdentity::V1 { created_at_ms: at }, StreamLogIdentity::V2(id));
        let cases = [
            (v1, 16, None, header_1.to_vec(), None),
            (v1, 16 + at, None, Vec::new(), None),
            (v2, 64, None, header_2.to_vec(), None),
            (v2, 65 + at, None, Vec::new(), None),
            (v2, 64 + at, Some(at), header_3.to_vec(), (at > 9).then_some(9)),
            (v2, 65 + at, Some(at), Vec::new(), None),
        ];
        let with_checksum = cases.into_iter().map(|(identity, offset, segment, header, after)| {
            let mut bytes = Vec::new();
            encode_at(identity.format(), offset, payload, &mut bytes);
            let DecodeResult::Complete(frame) = decode(&bytes, identity.format(), offset) else {
                unreachable!("a valid frame")
            };
            let frame = LogFrame { segment, header, after, ..LogFrame::of_log(identity, offset, &frame) };
            (bytes, frame)
        });
        with_checksum.collect()
    }

    fn segment_of(id: LogId) -> SegmentHeader {
        LogHeader::of_log(id, 0).segment.unwrap()
    }

    proptest! {
        #[test]
        fn a_frame_survives_the_way_through_a_message(
            payload in proptest::collection::vec(any::<u8>(), 1..400), at in 0..1u64 << 60, id: [u8; 16],
        ) {
            for (bytes, frame) in frames(&payload, at, id) {
                let read = LogFrame::of_message(&stored(&frame)).unwrap();
                prop_assert_eq!(&read, &frame);
                prop_assert_eq!(read.bytes(), bytes);
                prop_assert_eq!(read.end(), frame.offset + read.bytes().len() as u64);
            }
        }

        #[test]
        fn a_changed_byte_is_refused(
            payload in proptest::collection::vec(any::<u8>(), 1..100), at in 0..1u64 << 60, id: [u8; 16],
            place: prop::sample::Index, bit in 0..8u8,
        ) {
            for (_, frame) in frames(&payload, at, id) {
                let mut message = stored(&frame);
                let place = place.index(message.body.len());
                message.body[place] ^= 1 << bit;
                let is_refused = matches!(LogFrame::of_message(&message), Err(MessageFault::Checksum { .. }));
                prop_assert!(is_refused);
            }
        }

        #[test]
        fn a_changed_character_of_a_header_is_refused(
            payload in proptest::collection::vec(any::<u8>(), 1..100), at in 10..1u64 << 60, id: [u8; 16],
            header: prop::sample::Index, place: prop::sample::Index, replacement in "[0-9a-f]",
        ) {
            for (_, frame) in frames(&payload, at, id) {
                let mut message = stored(&frame);
                let index = header.index(message.headers.len());
                let (name, value) = &mut message.headers[index];
                // Version 1 binds a frame neither to its offset nor to the creation time, except in the header.
                let is_bound = frame.identity.version() == Version::V2 || !frame.header.is_empty() || name == CHECKSUM;
                let place = place.index(value.len());
                let before = value.clone();
                value.replace_range(place..=place, &replacement);
                // Neither is proven by the frame: the base of a later frame, and the end of the frame before.
                let is_free = name == AFTER || name == SEGMENT && frame.header.is_empty();
                if *value == before || !is_bound || is_free {
                    continue;
                }
                prop_assert!(LogFrame::of_message(&message).is_err(), "{:?}", message.headers);
            }
        }
    }

    #[test]
    fn a_frame_of_version_0_survives_the_way_through_a_message() {
        let payload =
            br#"{"timestamp_ms":1,"event_type":"T","namespace":"n","schema_id":"S","schema_version":1,"payload":{}}"#;
        let bytes = [&(payload.len() as u32).to_be_bytes()[..], payload].concat();
        let DecodeResult::Complete(frame) = decode(&bytes, FrameFormat::V0, 0) else { unreachable!("a valid frame") };
        let frame = LogFrame::of_log(StreamLogIdentity::V0, 0, &frame);
        let read = LogFrame::of_message(&stored(&frame)).unwrap();
        assert_eq!((&read, read.bytes()), (&frame, bytes));
        let mut changed = stored(&frame);
        changed.body[3] ^= 1;
        assert!(matches!(LogFrame::of_message(&changed), Err(MessageFault::Checksum { .. })));
    }

    #[test]
    fn a_hostile_message_is_refused_with_its_fault() {
        let (_, frame) = frames(b"{}", 1000, [1; 16]).remove(4);
        let good = stored(&frame);
        assert_eq!(LogFrame::of_message(&good).as_ref(), Ok(&frame));
        for name in [LOG, OFFSET, CHECKSUM] {
            let mut message = good.clone();
            message.headers.retain(|(found, _)| found != name);
            assert_eq!(LogFrame::of_message(&message), Err(MessageFault::Missing(name)));
        }
        for name in [LOG, OFFSET, CHECKSUM, SEGMENT, HEADER, AFTER] {
            let mut message = good.clone();
            let header = message.headers.iter().find(|(found, _)| found == name).unwrap().clone();
            message.headers.push(header);
            assert_eq!(LogFrame::of_message(&message), Err(MessageFault::Repeated(name)));
            for value in
                ["", "-1", "1e3", " 1", "99999999999999999999", "18446744073709551615", "\u{7f}\u{1b}[2J", "ff"]
            {
                let mut message = good.clone();
                set(&mut message, name, value);
                let fault = LogFrame::of_message(&message);
                assert!(
                    matches!(fault, Err(MessageFault::Value { name: found, .. }) if found == name),
                    "{name} {value}"
                );
            }
        }
        for len in [0, MAX_PAYLOAD as usize + 1] {
            let message = StoredMessage { body: vec![b' '; len], ..good.clone() };
            assert_eq!(LogFrame::of_message(&message), Err(MessageFault::Size(len)));
        }
        // A valid header of another place, and of another log.
        for at in [999, 1001] {
            let mut message = good.clone();
            let other = frames(b"{}", at, [1; 16]).remove(4).1.headers();
            set(&mut message, HEADER, &other.iter().find(|(name, _)| *name == HEADER).unwrap().1);
            assert!(LogFrame::of_message(&message).is_err());
        }
        let mut message = good.clone();
        let other = frames(b"{}", 1000, [2; 16]).remove(4).1.headers();
        set(&mut message, HEADER, &other.iter().find(|(name, _)| *name == HEADER).unwrap().1);
        assert!(matches!(LogFrame::of_message(&message), Err(MessageFault::Value { name: HEADER, .. })));
    }
}
