//! The end of a payload whose frame has a damaged length.

use crate::format::byte_layout::u32_at;
use crate::format::crc::{self, CrcShiftTable};
use crate::format::{EventView, Version, gap};

/// Returns the length of the shortest payload of version 1 or 2 that is an event or a gap and is followed by its checksum.
///
/// `bytes` starts with the payload, which has at most `max_len` bytes. `preceding` is the checksum of the bytes that the
/// checksum of the frame covers before its length field.
pub(super) fn find_checksummed_payload_len(
    bytes: &[u8],
    max_len: usize,
    preceding: u32,
    shift: &CrcShiftTable,
) -> Option<usize> {
    if !matches!(bytes.first()?, b'{' | b'[' | b' ' | b'\t' | b'\n' | b'\r') {
        return None;
    }
    let mut summed_len = 0;
    let mut sum = 0;
    for (i, byte) in bytes.get(..max_len)?.iter().enumerate() {
        if !matches!(byte, b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        }
        let length = i + 1;
        let Some(stored) = u32_at(bytes, length) else {
            break;
        };
        sum = crc::extend(sum, bytes.get(summed_len..length)?);
        summed_len = length;
        // CRC(length, payload) = CRC(length) x^(8 |payload|) + CRC(payload)
        let length_checksum = crc::extend(preceding, &(length as u32).to_be_bytes());
        if shift.suffix_checksum(length_checksum, sum, length as u32) == stored {
            let payload = bytes.get(..length)?;
            if EventView::parse(payload, Version::V1).is_ok() || gap::is_gap(payload) {
                return Some(length);
            }
        }
    }
    None
}

/// Returns the length of the shortest payload of version 0 that is an event.
///
/// A JSON object has only one end, so at most two texts are parsed.
pub(super) fn find_event_payload_len(text: &[u8]) -> Option<usize> {
    let text = match std::str::from_utf8(text) {
        Ok(_) => text,
        Err(error) => text.get(..error.valid_up_to())?,
    };
    let event = match EventView::parse(text, Version::V0) {
        Ok(_) => text,
        Err(invalid) => text.get(..invalid.offset).filter(|text| EventView::parse(text, Version::V0).is_ok())?,
    };
    Some(event.trim_ascii_end().len())
}
