//! Where strings may end: the bytes that mean more than themselves inside one, found 64 at a time.
//!
//! A scanner that looked at each string anew would wait, string after string, for the place where the one before ended.
//! A block's marks depend on the block alone, and the processor makes the next ones while the scanner still reads.

#![expect(clippy::inline_always, reason = "measured: a tenth of what an event costs to judge")]

/// Bytes in a block: as many as a word has bits.
const BLOCK_LEN: usize = 64;

/// The marked bytes of one block of a text: quotes, backslashes, and what is below 20 hex.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpecialByteMask {
    /// Where the block starts; no block has been looked at where that is no multiple of its length.
    block_start: usize,
    /// Its first byte is the lowest bit. Behind the text's end every bit is set.
    mask: u64,
}

impl SpecialByteMask {
    /// Of no text yet.
    pub(super) const fn new() -> Self {
        Self { block_start: usize::MAX, mask: 0 }
    }

    /// The first marked byte of `text` from `at` on; the text's end when there is none. Always asked of the same text.
    #[inline(always)]
    pub(super) fn find_next(&mut self, text: &[u8], mut at: usize) -> usize {
        loop {
            let block = at & !(BLOCK_LEN - 1);
            if block != self.block_start {
                *self = Self { block_start: block, mask: block_mask(text, block) };
            }
            let ahead = self.mask >> (at % BLOCK_LEN);
            if ahead != 0 {
                return at + ahead.trailing_zeros() as usize;
            }
            at = block + BLOCK_LEN;
        }
    }
}

/// The marks of the block that starts at `block`.
fn block_mask(text: &[u8], block_start: usize) -> u64 {
    let rest = text.get(block_start..).unwrap_or_default();
    if let Some(whole) = rest.first_chunk() {
        return full_block_mask(whole);
    }
    // The last block is short: the text's last 64 bytes in its stead, shifted to where it starts.
    let bits = if let Some(last) = text.last_chunk() {
        full_block_mask(last).checked_shr((BLOCK_LEN - rest.len()) as u32).unwrap_or_default()
    } else {
        let mut short = [0; BLOCK_LEN];
        short.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        full_block_mask(&short)
    };
    bits | u64::MAX << rest.len()
}

/// The marks of a whole block, without a branch: written so that the compiler compares sixteen bytes at once.
#[inline]
fn full_block_mask(block: &[u8; BLOCK_LEN]) -> u64 {
    /// Times this, the lowest bits of eight bytes stand side by side in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut marked = [0; BLOCK_LEN];
    for (mark, byte) in marked.iter_mut().zip(block) {
        *mark = u8::from(matches!(*byte, 0..b' ' | b'"' | b'\\'));
    }
    let (eights, _) = marked.as_chunks::<8>();
    let gathered = eights.iter().map(|eight| u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56);
    gathered.zip((0..).step_by(8)).fold(0, |bits, (byte, shift)| bits | byte << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference_find(text: &[u8], at: usize) -> usize {
        let marked = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        text[at..].iter().position(marked).map_or(text.len(), |found| at + found)
    }

    #[test]
    fn every_byte_is_marked_or_not_wherever_it_stands() {
        for byte in 0..=255 {
            for at in 0..2 * BLOCK_LEN {
                let mut text = [b'a'; 2 * BLOCK_LEN + 1];
                text[at] = byte;
                assert_eq!(SpecialByteMask::new().find_next(&text, 0), reference_find(&text, 0), "{byte:02x} at {at}");
            }
        }
    }

    #[test]
    fn the_next_mark_is_found_from_everywhere_in_texts_of_every_length() {
        for len in 0..4 * BLOCK_LEN {
            for apart in [1, 2, 7, 63, 64, 65, 1000] {
                let text: Vec<u8> = (1..=len).map(|n| if n % apart == 0 { b'"' } else { 0x80 }).collect();
                let mut marks = SpecialByteMask::new();
                for at in 0..=len {
                    assert_eq!(
                        marks.find_next(&text, at),
                        reference_find(&text, at),
                        "{len} bytes, a mark every {apart}, from {at}"
                    );
                    assert_eq!(
                        SpecialByteMask::new().find_next(&text, at),
                        reference_find(&text, at),
                        "the same, asked for the first time"
                    );
                }
            }
        }
    }
}
