//! The bytes of a repair's journal: 16 bytes of header, then frames exactly as in a log.
//!
//! The first frame says what the repair is about, as JSON. Frames that start with `B` hold bytes as they were before:
//! the `B`, their offset in the log (u64), the bytes. Later JSON frames say how far the repair has come; a torn one at
//! the end was never said.

use super::field::{Field, tiles, u64_at};
use super::frame;

/// The first four bytes of a journal.
pub const MAGIC: [u8; 4] = *b"CHRJ";
/// The layout described here.
pub const VERSION: u16 = 1;
/// Bytes of the header.
pub const HEADER_LEN: usize = 16;
/// The header's fields, in order.
pub const FIELDS: [Field; 4] =
    [Field::new("magic", 0, 4), Field::new("version", 4, 2), Field::new("flags", 6, 2), Field::new("created_at", 8, 8)];
const _: () = assert!(tiles(&FIELDS, HEADER_LEN), "the fields tile the journal's header");
/// Bytes kept in one frame at most.
pub const CHUNK: usize = 1 << 20;

/// The header of a journal that was begun at `created_at_ms`.
pub fn header(created_at_ms: u64) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&0u16.to_be_bytes());
    out.extend_from_slice(&created_at_ms.to_be_bytes());
    out
}

/// Appends a frame with bytes that stood at `offset` in the log, at most [`CHUNK`] of them.
pub fn put_bytes(offset: u64, bytes: &[u8], out: &mut Vec<u8>) {
    let mut payload = Vec::with_capacity(bytes.len() + 9);
    payload.push(b'B');
    payload.extend_from_slice(&offset.to_be_bytes());
    payload.extend_from_slice(bytes);
    frame::encode(&payload, out);
}

/// The offset and the bytes of such a frame's payload; `None` for another one.
pub fn take_bytes(payload: &[u8]) -> Option<(u64, &[u8])> {
    let rest = payload.strip_prefix(b"B")?;
    Some((u64_at(rest, 0)?, rest.get(8..)?))
}
