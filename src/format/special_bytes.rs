//! A search for the bytes that have a meaning inside a JSON string (quotes, backslashes, control characters), 64 at a
//! time.
//!
//! The mask of a block depends on the block alone. The processor can therefore compute the next mask while the scanner
//! still uses the previous one. A search per string could not start before the end of the previous string was known.

#![expect(clippy::inline_always, reason = "measured: a tenth of the time to parse an event")]

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};

/// The number of bytes in a block: one for each bit of the mask.
const BLOCK_LEN: usize = 64;

/// The special bytes of one block of a text: quotes, backslashes, and bytes below 20 hex.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpecialByteMask {
    /// Offset of the block in the text. Before the first block, this is `usize::MAX`, which is not a multiple of the
    /// block length.
    block_start: usize,
    /// One bit per byte, the lowest for the first byte. Bits after the end of the text are set, so that a search stops
    /// there.
    mask: u64,
}

impl SpecialByteMask {
    /// Creates a mask that covers no block yet.
    pub(super) const fn new() -> Self {
        Self { block_start: usize::MAX, mask: 0 }
    }

    /// Finds the first special byte of `text` at or after `at`; the length of `text` when there is none.
    ///
    /// Every call must pass the same `text`, because the mask of the last block is reused.
    #[inline(always)]
    pub(super) fn find_next(&mut self, text: &[u8], mut at: usize) -> usize {
        loop {
            let block = at & !(BLOCK_LEN - 1);
            if block != self.block_start {
                *self = Self { block_start: block, mask: block_mask(text, block) };
            }
            let remaining = self.mask >> (at % BLOCK_LEN);
            if remaining != 0 {
                return at + remaining.trailing_zeros() as usize;
            }
            at = block + BLOCK_LEN;
        }
    }
}

/// Computes the mask of the block that starts at `block_start`, which may be shorter than [`BLOCK_LEN`].
fn block_mask(text: &[u8], block_start: usize) -> u64 {
    let rest = text.get(block_start..).unwrap_or_default();
    if let Some(whole) = rest.first_chunk() {
        return full_block_mask(whole);
    }
    // The last block is short: take the mask of the last 64 bytes of the text and shift it to the start of the block.
    let bits = if let Some(last) = text.last_chunk() {
        full_block_mask(last).checked_shr((BLOCK_LEN - rest.len()) as u32).unwrap_or_default()
    } else {
        let mut short = [0; BLOCK_LEN];
        short.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        full_block_mask(&short)
    };
    bits | u64::MAX << rest.len()
}

/// Computes the mask of a whole block with the vector instructions that every processor of the target has. Choosing better ones
/// at run time costs more than they save, because the choice is a call for each block.
#[inline(always)]
fn full_block_mask(block: &[u8; BLOCK_LEN]) -> u64 {
    dispatch!(Level::baseline(), simd => {
        let bytes = u8x64::from_slice(simd, block);
        (bytes.simd_eq(b'"') | bytes.simd_eq(b'\\') | bytes.simd_le(0x1f)).to_bitmask()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference_find(text: &[u8], at: usize) -> usize {
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        text[at..].iter().position(is_special).map_or(text.len(), |found| at + found)
    }

    #[test]
    fn every_byte_value_is_found_at_every_position() {
        for byte in 0..=255 {
            for at in 0..2 * BLOCK_LEN {
                let mut text = [b'a'; 2 * BLOCK_LEN + 1];
                text[at] = byte;
                assert_eq!(SpecialByteMask::new().find_next(&text, 0), reference_find(&text, 0), "{byte:02x} at {at}");
            }
        }
    }

    #[test]
    fn the_next_special_byte_is_found_from_every_position_in_texts_of_every_length() {
        for len in 0..4 * BLOCK_LEN {
            for distance in [1, 2, 7, 63, 64, 65, 1000] {
                let text: Vec<u8> = (1..=len).map(|n| if n % distance == 0 { b'"' } else { 0x80 }).collect();
                let mut mask = SpecialByteMask::new();
                for at in 0..=len {
                    assert_eq!(
                        mask.find_next(&text, at),
                        reference_find(&text, at),
                        "{len} bytes, a quote every {distance}, from {at}"
                    );
                    assert_eq!(
                        SpecialByteMask::new().find_next(&text, at),
                        reference_find(&text, at),
                        "{len} bytes, a quote every {distance}, from {at}, with a new mask"
                    );
                }
            }
        }
    }
}
