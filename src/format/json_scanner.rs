//! The one scanner of JSON: a place in a text, and the ways to move on from it.
//!
//! Iterative, without allocating, and bounded in depth: hostile text costs what it is long.

#![expect(clippy::inline_always, reason = "measured: a tenth of what an event costs to judge")]

use super::json::{MAX_LEVELS, PayloadError};
use super::special_bytes::SpecialByteMask;

/// Whether a string may hold half of a surrogate pair, which no Unicode text can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SurrogatePolicy {
    /// Kept as they stand: the value of `payload` is never interpreted.
    AllowLone,
    /// Refused: the string has to be text.
    RequirePairs,
}

/// A place in a text, and the ways to move on from it. Every step either moves forward or says why it cannot.
///
/// UTF-8 is not judged here: bytes from 80 hex up pass inside strings, and the caller asks [`super::json::decode_utf8`] once for the whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonScanner<'a> {
    text: &'a [u8],
    pub(super) position: usize,
    special_bytes: SpecialByteMask,
}

impl<'a> JsonScanner<'a> {
    #[inline]
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, position: 0, special_bytes: SpecialByteMask::new() }
    }

    /// Bytes from the text's start to here.
    #[inline]
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// The byte that comes next.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    /// Moves past blanks.
    #[inline]
    pub(super) fn skip_whitespace(&mut self) {
        while self.peek().is_some_and(is_whitespace) {
            self.position += 1;
        }
    }

    /// Moves past `byte`, or fails for `reason`.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), PayloadError> {
        if self.peek() == Some(byte) {
            self.position += 1;
            Ok(())
        } else {
            self.fail(reason)
        }
    }

    /// Moves past `word`; false, without moving, where something else stands.
    #[inline]
    pub(super) fn try_consume(&mut self, literal: &[u8]) -> bool {
        let found = self.text.get(self.position..).is_some_and(|rest| rest.starts_with(literal));
        if found {
            self.position += literal.len();
        }
        found
    }

    /// Moves past blanks and, where one follows, past a comma and the blanks behind it: then true.
    #[inline]
    pub(super) fn try_consume_comma(&mut self) -> bool {
        self.skip_whitespace();
        let found = self.try_consume(b",");
        if found {
            self.skip_whitespace();
        }
        found
    }

    /// Moves past blanks; only the text's end may follow.
    #[inline]
    pub(super) fn expect_end(&mut self) -> Result<(), PayloadError> {
        self.skip_whitespace();
        if self.position == self.text.len() { Ok(()) } else { self.fail("something follows the JSON value") }
    }

    /// Moves past a string and answers its bytes between the quotes, escapes as they stand.
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
                None => return self.fail("a string without its end"),
            }
        }
    }

    /// Moves past one value of any kind that stands inside `above` objects and arrays, blanks before it included.
    #[inline]
    pub(super) fn skip_value(&mut self, depth: u32, surrogates: SurrogatePolicy) -> Result<(), PayloadError> {
        *self = self.scan_past_value(depth, surrogates)?;
        Ok(())
    }

    /// The place behind the value. A scanner that is handed on as a value stays in registers on both sides of the call.
    fn scan_past_value(mut self, depth: u32, surrogates: SurrogatePolicy) -> Result<Self, PayloadError> {
        let mut level = depth;
        // What is open, innermost lowest: 1 for an object, 0 for an array.
        let mut open = 0u128;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.read_string(surrogates)?;
                }
                Some(b'{') => {
                    level = self.enter_container(level)?;
                    open = open << 1 | 1;
                    self.skip_whitespace();
                    if self.peek() != Some(b'}') {
                        self.skip_key(surrogates)?;
                        continue;
                    }
                }
                Some(b'[') => {
                    level = self.enter_container(level)?;
                    open <<= 1;
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
            // Behind a value: the end of what is open, once or more, or a comma and the next value.
            loop {
                if level == depth {
                    return Ok(self);
                }
                let in_object = open & 1 == 1;
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
                        open >>= 1;
                        level -= 1;
                    }
                    Some(b']') if !in_object => {
                        self.position += 1;
                        open >>= 1;
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

    /// Moves past an integer written with digits alone.
    #[inline(always)]
    pub(super) fn read_integer(&mut self) -> Result<u64, PayloadError> {
        let start = self.position;
        let refuse = |reason| Err(PayloadError { offset: start, reason });
        let mut number = 0u64;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            let digit = u64::from(byte - b'0');
            match number.checked_mul(10).and_then(|tens| tens.checked_add(digit)) {
                Some(larger) => number = larger,
                None => return refuse("an integer over 18446744073709551615"),
            }
            self.position += 1;
        }
        let digits = self.position - start;
        match self.peek() {
            _ if digits == 0 => refuse("an integer written with digits alone was expected"),
            _ if digits > 1 && self.text.get(start) == Some(&b'0') => refuse("a number with a leading zero"),
            Some(b'.' | b'e' | b'E') => refuse("an integer written with digits alone was expected"),
            _ => Ok(number),
        }
    }

    /// The failure for `reason`, here.
    #[inline]
    pub(super) const fn fail<T>(&self, reason: &'static str) -> Result<T, PayloadError> {
        Err(PayloadError { offset: self.position, reason })
    }

    /// Moves past `{` or `[`, one level down.
    #[inline]
    fn enter_container(&mut self, level: u32) -> Result<u32, PayloadError> {
        if level >= MAX_LEVELS {
            return self.fail("more than 127 levels");
        }
        self.position += 1;
        Ok(level + 1)
    }

    /// Moves past a key and its colon.
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
        // Nothing but the number's other parts may follow a leading zero; a digit there is refused by whoever reads on.
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

    /// Moves past one digit or more.
    #[inline(always)]
    fn skip_digits(&mut self) -> Result<(), PayloadError> {
        let start = self.position;
        while let Some(b'0'..=b'9') = self.peek() {
            self.position += 1;
        }
        if self.position == start { self.fail("a digit was expected") } else { Ok(()) }
    }
}

/// What stands between the quotes of a string.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawString<'a> {
    /// The bytes, escapes as they stand.
    pub(super) bytes: &'a [u8],
    /// True when there are escapes.
    pub(super) escaped: bool,
}

/// The length of the escape that `rest` starts with, the second half of a surrogate pair included, or what is wrong
/// with it.
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

/// A byte that JSON ignores between tokens.
#[inline]
pub(super) const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The UTF-16 unit that four hexadecimal digits at the start of `digits` write.
pub(super) fn parse_hex4(digits: &[u8]) -> Option<u16> {
    let mut unit = 0;
    for digit in digits.first_chunk::<4>()? {
        unit = unit << 4 | char::from(*digit).to_digit(16)? as u16;
    }
    Some(unit)
}

/// True for either half of a surrogate pair.
pub(super) const fn is_surrogate(unit: u16) -> bool {
    matches!(unit, 0xD800..=0xDFFF)
}

/// The character that two halves make, in their order.
pub(super) fn decode_surrogate_pair(high: u16, low: u16) -> Option<char> {
    char::decode_utf16([high, low]).next()?.ok().filter(|c| *c > '\u{FFFF}')
}
