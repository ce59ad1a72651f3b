//! The JSON scanner: a position in a text, and methods that move it past one token or value.
//!
//! The scanner does not recurse and does not allocate, and the nesting is limited, so that the time for hostile text is
//! proportional to its length.

#![expect(clippy::inline_always, reason = "measured: a tenth of the time to parse an event")]

use std::fmt;

use super::leading_digits::LeadingDigits;
use super::special_bytes::SpecialByteMask;

/// The deepest nesting of objects and arrays, counting the outermost.
pub const MAX_LEVELS: u32 = 127;

/// The reason why a text is not JSON, or not a valid event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadError {
    /// Offset of the mistake, in bytes from the start of the text.
    pub offset: usize,
    /// The token that was expected, or the fault that was found.
    pub reason: &'static str,
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {} of the payload: {}", self.offset, self.reason)
    }
}

impl std::error::Error for PayloadError {}

/// Whether a string may have an escape that is half of a surrogate pair. Such a string is not valid Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SurrogatePolicy {
    /// Allowed, for the value of `payload`, which Chronicle never interprets.
    AllowLone,
    /// Rejected, for strings that Chronicle converts to text.
    RequirePairs,
}

/// A position in a text. Every method either moves the position forward or returns why it cannot.
///
/// The scanner does not validate UTF-8: it accepts every byte from 80 hex up inside a string. The caller validates the
/// whole text once.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonScanner<'a> {
    text: &'a [u8],
    position: usize,
    special_bytes: SpecialByteMask,
}

impl<'a> JsonScanner<'a> {
    /// Creates a scanner at the start of `text`.
    #[inline]
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, position: 0, special_bytes: SpecialByteMask::new() }
    }

    /// The position, in bytes from the start of the text.
    #[inline]
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// The next byte; `None` at the end of the text.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    /// The text from the position to its end.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// The text from `start` to the position.
    #[inline]
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.text.get(start..self.position).unwrap_or_default()
    }

    /// Moves past `len` bytes, which the caller has compared with valid text.
    #[inline]
    pub(super) const fn advance_by(&mut self, len: usize) {
        self.position += len;
    }

    /// Moves past one byte of any kind.
    #[inline]
    pub(super) const fn advance(&mut self) {
        self.position += 1;
    }

    /// Moves past any whitespace.
    #[inline]
    pub(super) fn skip_whitespace(&mut self) {
        while self.peek().is_some_and(is_whitespace) {
            self.position += 1;
        }
    }

    /// Moves past `byte`, or fails with `reason` when the next byte is another one.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), PayloadError> {
        if self.peek() == Some(byte) {
            self.position += 1;
            Ok(())
        } else {
            self.fail(reason)
        }
    }

    /// Moves past `literal` and returns true; returns false without moving when other bytes follow.
    #[inline]
    pub(super) fn try_consume(&mut self, literal: &[u8]) -> bool {
        let found = self.text.get(self.position..).is_some_and(|rest| rest.starts_with(literal));
        if found {
            self.position += literal.len();
        }
        found
    }

    /// Moves past whitespace, and then past a comma and the whitespace after it. Returns whether there was a comma.
    #[inline]
    pub(super) fn try_consume_comma(&mut self) -> bool {
        self.skip_whitespace();
        let found = self.try_consume(b",");
        if found {
            self.skip_whitespace();
        }
        found
    }

    /// Moves past whitespace, and fails unless the end of the text follows.
    #[inline]
    pub(super) fn expect_end(&mut self) -> Result<(), PayloadError> {
        self.skip_whitespace();
        if self.position == self.text.len() { Ok(()) } else { self.fail("more text after the JSON value") }
    }

    /// Moves past a string and returns the bytes between its quotes, with the escapes unresolved.
    #[inline(always)]
    pub(super) fn read_string(&mut self, surrogates: SurrogatePolicy) -> Result<RawString<'a>, PayloadError> {
        self.expect(b'"', "a string was expected")?;
        let start = self.position;
        let mut escaped = false;
        loop {
            self.position = self.special_bytes.find_next(self.text, self.position);
            match self.peek() {
                Some(b'"') => {
                    let bytes = self.text.get(start..self.position).unwrap_or_default();
                    self.position += 1;
                    return Ok(RawString { bytes, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    match escape_len(self.text.get(self.position..).unwrap_or_default(), surrogates) {
                        Ok(len) => self.position += len,
                        Err(reason) => return self.fail(reason),
                    }
                }
                Some(_) => return self.fail("a control character inside a string"),
                None => return self.fail("an unterminated string"),
            }
        }
    }

    /// Moves past one value of any kind and the whitespace before it. The value is inside `depth` objects and arrays.
    #[inline]
    pub(super) fn skip_value(&mut self, depth: u32, surrogates: SurrogatePolicy) -> Result<(), PayloadError> {
        *self = self.scan_past_value(depth, surrogates)?;
        Ok(())
    }

    /// Returns a scanner after the value. Passing the scanner by value keeps it in registers on both sides of the call.
    fn scan_past_value(mut self, depth: u32, surrogates: SurrogatePolicy) -> Result<Self, PayloadError> {
        let mut level = depth;
        // One bit per open container, the lowest for the innermost: 1 for an object, 0 for an array.
        let mut open_objects = 0u128;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.read_string(surrogates)?;
                }
                Some(b'{') => {
                    level = self.enter_container(level)?;
                    open_objects = open_objects << 1 | 1;
                    self.skip_whitespace();
                    if self.peek() != Some(b'}') {
                        self.skip_key(surrogates)?;
                        continue;
                    }
                }
                Some(b'[') => {
                    level = self.enter_container(level)?;
                    open_objects <<= 1;
                    self.skip_whitespace();
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                Some(b'-' | b'0'..=b'9') => self.skip_number()?,
                Some(b't') if self.try_consume(b"true") => {}
                Some(b'f') if self.try_consume(b"false") => {}
                Some(b'n') if self.try_consume(b"null") => {}
                Some(byte) if is_whitespace(byte) => {
                    self.position += 1;
                    continue;
                }
                _ => return self.fail("a value was expected"),
            }
            // After a value: the ends of any number of containers, or a comma and the next value.
            loop {
                if level == depth {
                    return Ok(self);
                }
                let in_object = open_objects & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.position += 1;
                        if in_object {
                            self.skip_whitespace();
                            self.skip_key(surrogates)?;
                        }
                        break;
                    }
                    Some(b'}') if in_object => {
                        self.position += 1;
                        open_objects >>= 1;
                        level -= 1;
                    }
                    Some(b']') if !in_object => {
                        self.position += 1;
                        open_objects >>= 1;
                        level -= 1;
                    }
                    Some(byte) if is_whitespace(byte) => self.position += 1,
                    _ => {
                        return self.fail(if in_object {
                            "`,` or `}` was expected"
                        } else {
                            "`,` or `]` was expected"
                        });
                    }
                }
            }
        }
    }

    /// Moves past a non-negative integer without sign, fraction and exponent, and returns its value.
    #[inline(always)]
    pub(super) fn read_integer(&mut self) -> Result<u64, PayloadError> {
        let start = self.position;
        let reject = |reason| Err(PayloadError { offset: start, reason });
        let mut number = 0u64;
        // Two steps of eight digits cannot overflow.
        for _ in 0..2 {
            let Some(chunk) = self.text.get(self.position..).and_then(|rest| rest.first_chunk()) else { break };
            let digits = LeadingDigits::of(*chunk);
            number = number * digits.scale() + digits.value;
            self.position += digits.len;
            if digits.len < chunk.len() {
                break;
            }
        }
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            let digit = u64::from(byte - b'0');
            match number.checked_mul(10).and_then(|tens| tens.checked_add(digit)) {
                Some(larger) => number = larger,
                None => return reject("an integer over 18446744073709551615"),
            }
            self.position += 1;
        }
        let digits = self.position - start;
        match self.peek() {
            _ if digits == 0 => reject("an integer written with digits alone was expected"),
            _ if digits > 1 && self.text.get(start) == Some(&b'0') => reject("a number with a leading zero"),
            Some(b'.' | b'e' | b'E') => reject("an integer written with digits alone was expected"),
            _ => Ok(number),
        }
    }

    /// Returns an error with `reason` at the current position.
    #[inline]
    pub(super) const fn fail<T>(&self, reason: &'static str) -> Result<T, PayloadError> {
        Err(PayloadError { offset: self.position, reason })
    }

    /// Moves past `{` or `[` and returns the level inside it.
    #[inline]
    fn enter_container(&mut self, level: u32) -> Result<u32, PayloadError> {
        if level >= MAX_LEVELS {
            return self.fail("more than 127 levels");
        }
        self.position += 1;
        Ok(level + 1)
    }

    /// Moves past the key of a member and its colon.
    #[inline(always)]
    fn skip_key(&mut self, surrogates: SurrogatePolicy) -> Result<(), PayloadError> {
        self.read_string(surrogates)?;
        self.skip_whitespace();
        self.expect(b':', "`:` was expected")
    }

    /// Moves past a number of any size.
    #[inline(always)]
    fn skip_number(&mut self) -> Result<(), PayloadError> {
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        // Only a fraction or an exponent may follow a leading zero. The caller rejects a digit, because no value ends
        // there.
        if self.peek() == Some(b'0') {
            self.position += 1;
        } else {
            self.skip_digits()?;
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.position += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.position += 1;
            }
            self.skip_digits()?;
        }
        Ok(())
    }

    /// Moves past one or more digits.
    #[inline(always)]
    fn skip_digits(&mut self) -> Result<(), PayloadError> {
        let start = self.position;
        while let Some(b'0'..=b'9') = self.peek() {
            self.position += 1;
        }
        if self.position == start { self.fail("a digit was expected") } else { Ok(()) }
    }
}

/// The text between the quotes of a string.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawString<'a> {
    /// The bytes, with the escapes unresolved.
    pub(super) bytes: &'a [u8],
    /// True when the bytes contain an escape.
    pub(super) escaped: bool,
}

/// Returns the length of the escape at the start of `rest`, including the second half of a surrogate pair, or why it is
/// not valid.
fn escape_len(rest: &[u8], surrogates: SurrogatePolicy) -> Result<usize, &'static str> {
    let unit = match rest {
        [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => return Ok(2),
        [b'\\', b'u', digits @ ..] => parse_hex4(digits).ok_or("four hexadecimal digits were expected")?,
        _ => return Err("an unknown escape"),
    };
    if surrogates == SurrogatePolicy::AllowLone || !is_surrogate(unit) {
        return Ok(6);
    }
    let low = match rest.get(6..) {
        Some([b'\\', b'u', digits @ ..]) => parse_hex4(digits),
        _ => None,
    };
    low.and_then(|low| decode_surrogate_pair(unit, low)).map(|_| 12).ok_or("a lone surrogate")
}

/// True for the bytes that JSON allows between tokens: space, tab, line feed and carriage return.
#[inline]
pub(super) const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Parses four hexadecimal digits at the start of `digits` as a UTF-16 code unit.
pub(super) fn parse_hex4(digits: &[u8]) -> Option<u16> {
    let mut unit = 0;
    for digit in digits.first_chunk::<4>()? {
        unit = unit << 4 | char::from(*digit).to_digit(16)? as u16;
    }
    Some(unit)
}

/// True when the code unit is one half of a surrogate pair.
pub(super) const fn is_surrogate(unit: u16) -> bool {
    matches!(unit, 0xD800..=0xDFFF)
}

/// Combines the two halves of a surrogate pair; `None` when they are not a high and a low half.
pub(super) fn decode_surrogate_pair(high: u16, low: u16) -> Option<char> {
    char::decode_utf16([high, low]).next()?.ok().filter(|c| *c > '\u{FFFF}')
}
