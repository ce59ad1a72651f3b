//! The encoder and decoder of frames. A frame is a length, a payload and a checksum.
//!
//! The decoder accepts any slice and never panics. Its result is complete, incomplete or corrupt.

use serde::{Deserialize, Serialize};

use super::byte_layout::{FieldSpec, u32_at};
use super::{EventView, FrameFormat, PayloadError, Version, crc};

/// The longest payload of a frame, in bytes. It fits 24 bits, so the first byte of a length field is always 00.
pub const MAX_PAYLOAD: u32 = 16_777_215;
/// Length of the length field, in bytes.
pub const LENGTH_LEN: usize = 4;
/// Length of the checksum field of version 1, in bytes.
pub const CHECKSUM_LEN: usize = 4;
/// The smallest frame of version 1, in bytes.
pub const MIN_FRAME: usize = LENGTH_LEN + 1 + CHECKSUM_LEN;
/// The largest frame of version 1, in bytes.
pub const MAX_FRAME: usize = LENGTH_LEN + MAX_PAYLOAD as usize + CHECKSUM_LEN;

/// The result of [`decode`]: whether a valid frame is at the start of the slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeResult<'a> {
    /// The slice starts with this valid frame.
    Complete(Frame<'a>),
    /// The slice ends before the frame does.
    Incomplete {
        /// Length of the whole frame in bytes, or 4 while the length field is incomplete.
        needed: usize,
    },
    /// The slice does not start with a valid frame.
    Corrupt(FrameFault),
}

/// The reason why no valid frame starts at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameFault {
    /// The length field, given here, is 0 or greater than [`MAX_PAYLOAD`].
    Length(u32),
    /// The stored checksum differs from the checksum of the bytes before it.
    Checksum {
        /// The checksum stored after the payload.
        stored: u32,
        /// The checksum computed over length and payload.
        computed: u32,
    },
    /// The payload is not an event. Only version 0 reports this, because it has no checksum to validate a frame.
    InvalidEvent(PayloadError),
}

/// Identifies a valid frame of a log by its offset and its checksum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FrameIdentity {
    /// File offset of the frame.
    pub offset: u64,
    /// Checksum stored in the frame.
    pub checksum: u32,
}

/// A valid frame, borrowed from the bytes it was decoded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    bytes: &'a [u8],
    payload_end: usize,
}

impl<'a> Frame<'a> {
    /// Creates a frame from bytes that [`decode`] has found complete, without computing the checksum again.
    pub(crate) const fn from_validated(bytes: &'a [u8], version: Version) -> Self {
        Self { bytes, payload_end: bytes.len() - version.checksum_len() }
    }

    /// The bytes of the whole frame, including length and checksum.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes of the payload.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(LENGTH_LEN..self.payload_end).unwrap_or_default()
    }

    /// Length of the whole frame in the file, in bytes.
    pub const fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Always false, because a payload has at least one byte. The method exists because clippy expects it next to
    /// `len`.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The stored checksum; in version 0, which stores none, the CRC of the frame's bytes.
    pub fn checksum(&self) -> u32 {
        u32_at(self.bytes, self.payload_end).unwrap_or_else(|| crc::checksum(self.bytes))
    }
}

/// Reads the length field at `at`; `None` when it is cut off or out of range.
pub fn payload_length_at(bytes: &[u8], at: usize) -> Option<u32> {
    u32_at(bytes, at).filter(|n| is_valid_length(*n))
}

/// True when a payload may have this length.
pub const fn is_valid_length(length: u32) -> bool {
    matches!(length, 1..=MAX_PAYLOAD)
}

/// Decodes the frame at the start of `bytes`, which are at `offset` in a log of this format. The cost is one checksum
/// over the frame, and in version 0 one parse of the payload.
#[inline]
pub fn decode(bytes: &[u8], format: FrameFormat, offset: u64) -> DecodeResult<'_> {
    let version = format.version();
    let Some(length) = u32_at(bytes, 0) else {
        return DecodeResult::Incomplete { needed: LENGTH_LEN };
    };
    if !is_valid_length(length) {
        return DecodeResult::Corrupt(FrameFault::Length(length));
    }
    let payload_end = LENGTH_LEN + length as usize;
    let needed = payload_end + version.checksum_len();
    let (Some(bytes), Some(covered)) = (bytes.get(..needed), bytes.get(..payload_end)) else {
        return DecodeResult::Incomplete { needed };
    };
    let frame = Frame { bytes, payload_end };
    match version {
        Version::V1 | Version::V2 => {
            let stored = u32_at(bytes, payload_end).unwrap_or_default();
            let computed = format.checksum(offset, covered);
            if stored == computed {
                DecodeResult::Complete(frame)
            } else {
                DecodeResult::Corrupt(FrameFault::Checksum { stored, computed })
            }
        }
        Version::V0 => match EventView::parse(frame.payload(), Version::V0) {
            Ok(_) => DecodeResult::Complete(frame),
            Err(why) => DecodeResult::Corrupt(FrameFault::InvalidEvent(why)),
        },
    }
}

/// Appends a version 1 frame with `payload` to `out`. Logs and repair journals of any place have the same bytes for it.
///
/// The caller guarantees that the payload is 1 to [`MAX_PAYLOAD`] bytes long; debug builds assert it.
pub fn encode(payload: &[u8], out: &mut Vec<u8>) {
    encode_at(FrameFormat::V1, 0, payload, out);
}

/// Appends a frame with `payload` to `out`, as it is at `offset` in a log of this format.
///
/// The caller guarantees that the payload is 1 to [`MAX_PAYLOAD`] bytes long; debug builds assert it.
pub fn encode_at(format: FrameFormat, offset: u64, payload: &[u8], out: &mut Vec<u8>) {
    encode_all(format, offset, std::iter::once([payload, &[]]), out, |_| {});
}

/// Appends one frame per payload to `out`, the first one for `offset` in a log of this format. Each payload is passed in
/// two parts, which are joined.
///
/// Calls `on_frame_len` with the length of each frame in bytes, in order.
pub(crate) fn encode_all<'a>(
    format: FrameFormat,
    offset: u64,
    payloads: impl Iterator<Item = [&'a [u8]; 2]>,
    out: &mut Vec<u8>,
    mut on_frame_len: impl FnMut(u64),
) {
    let start = out.len();
    for [first, second] in payloads {
        let length = first.len() + second.len();
        debug_assert!(is_valid_length(length as u32), "a payload of {length} bytes");
        let len = LENGTH_LEN + length + CHECKSUM_LEN;
        // Reserve once, so that none of the writes below grows the buffer.
        out.reserve(len);
        out.extend_from_slice(&(length as u32).to_be_bytes());
        out.extend_from_slice(first);
        out.extend_from_slice(second);
        out.extend_from_slice(&[0; CHECKSUM_LEN]);
        on_frame_len(len as u64);
    }
    // Checksums are computed in a second pass: reading bytes right after writing them stalls the processor.
    let mut rest = out.get_mut(start..).unwrap_or_default();
    let mut at = offset;
    while let Some(length) = payload_length_at(rest, 0)
        && let Some((frame, next)) = rest.split_at_mut_checked(LENGTH_LEN + length as usize + CHECKSUM_LEN)
        && let Some((covered, checksum)) = frame.split_last_chunk_mut()
    {
        *checksum = format.checksum(at, covered).to_be_bytes();
        at += (covered.len() + CHECKSUM_LEN) as u64;
        rest = next;
    }
}

/// Appends a frame to `out`, as it is at `offset` in a log of this format. The bytes that `write_payload` appends to the
/// buffer become the payload.
pub(crate) fn encode_with(
    format: FrameFormat,
    offset: u64,
    out: &mut Vec<u8>,
    write_payload: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_LEN]);
    write_payload(out);
    let length = (out.len() - start - LENGTH_LEN) as u32;
    debug_assert!(is_valid_length(length), "a payload of {length} bytes");
    if let Some(field) = out.get_mut(start..start + LENGTH_LEN) {
        field.copy_from_slice(&length.to_be_bytes());
    }
    let checksum = format.checksum(offset, out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_be_bytes());
}

/// The three fields of a frame whose payload has `length` bytes, for the hex pane and for tests.
pub const fn fields(length: usize, version: Version) -> [FieldSpec; 3] {
    [
        FieldSpec::new("length", 0, LENGTH_LEN),
        FieldSpec::new("payload", LENGTH_LEN, length),
        FieldSpec::new("checksum", LENGTH_LEN + length, version.checksum_len()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::byte_layout::is_contiguous_layout;

    fn frame() -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(b"{\"a\":1}", &mut bytes);
        bytes
    }

    #[test]
    fn a_frame_is_decoded_as_it_was_encoded() {
        let bytes = frame();
        let DecodeResult::Complete(frame) = decode(&bytes, FrameFormat::V1, 0) else { unreachable!("a valid frame") };
        assert_eq!(frame.payload(), b"{\"a\":1}");
        assert_eq!(frame.checksum().to_be_bytes(), bytes[bytes.len() - 4..]);
    }

    #[test]
    fn frames_encoded_together_equal_frames_encoded_one_by_one() {
        let payloads =
            [["{}", ""], ["", "[]"], ["{\"a\":", "1}"], ["{\"a\"", ":2}"]].map(|parts| parts.map(str::as_bytes));
        let (mut together, mut one_by_one, mut lengths) = (b"before".to_vec(), b"before".to_vec(), Vec::new());
        encode_all(FrameFormat::V1, 0, payloads.into_iter(), &mut together, |length| lengths.push(length));
        let mut expected_lengths = Vec::new();
        for parts in payloads {
            let start = one_by_one.len();
            encode_with(FrameFormat::V1, 0, &mut one_by_one, |out| out.extend_from_slice(&parts.concat()));
            expected_lengths.push((one_by_one.len() - start) as u64);
        }
        assert_eq!((together, lengths), (one_by_one, expected_lengths));
    }

    #[test]
    fn every_truncation_is_incomplete_with_the_needed_length() {
        let bytes = frame();
        for len in 0..bytes.len() {
            let needed = if len < 4 { 4 } else { bytes.len() };
            assert_eq!(decode(&bytes[..len], FrameFormat::V1, 0), DecodeResult::Incomplete { needed });
        }
    }

    #[test]
    fn no_flipped_bit_is_accepted() {
        let good = frame();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(decode(&bytes, FrameFormat::V1, 0), DecodeResult::Complete(_)), "bit {bit}");
        }
    }

    #[test]
    fn lengths_out_of_range_are_corrupt_before_the_payload_is_read() {
        for length in [0u32, MAX_PAYLOAD + 1, u32::MAX] {
            assert_eq!(
                decode(&length.to_be_bytes(), FrameFormat::V1, 0),
                DecodeResult::Corrupt(FrameFault::Length(length))
            );
        }
    }

    #[test]
    fn the_fields_cover_every_frame() {
        for length in [1, 7, MAX_PAYLOAD as usize] {
            assert!(is_contiguous_layout(&fields(length, Version::V1), length + 8));
            assert!(is_contiguous_layout(&fields(length, Version::V0), length + 4));
        }
    }
}
