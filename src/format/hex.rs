//! Conversion between bytes and hexadecimal digits: lower case, two digits per byte.
//!
//! `serialize` and `deserialize` implement `#[serde(with = "crate::format::hex")]` for a `Vec<u8>`.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Formats `bytes` without separators: `0a0b`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| encode_byte(*byte)).collect()
}

/// Formats `bytes` with a space between two bytes: `0a 0b`.
pub(crate) fn encode_spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| encode_byte(*byte)).collect::<Vec<_>>().join(" ")
}

/// Formats one byte as two digits.
pub(crate) fn encode_byte(byte: u8) -> String {
    format!("{byte:02x}")
}

/// Parses digits without separators; `None` when their number is odd, or when a character is not a hexadecimal digit.
pub(crate) fn decode(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| {
        let [high, low] = pair else { return None };
        let digit = |c: &u8| char::from(*c).to_digit(16);
        Some((digit(high)? << 4 | digit(low)?) as u8)
    });
    pairs.collect()
}

/// Writes `bytes` as one string of digits.
pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encode(bytes))
}

/// Reads bytes from one string of digits.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let digits = String::deserialize(deserializer)?;
    decode(&digits).ok_or_else(|| D::Error::custom("expected an even number of hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoded_digits_are_the_encoded_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&bytes)), Some(bytes));
        assert_eq!(decode(""), Some(Vec::new()));
        for invalid in ["0", "0g", "zz", "é0", "0 0"] {
            assert_eq!(decode(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn digits_are_lower_case_and_separated_on_request() {
        assert_eq!(encode(&[0x0A, 0xFF, 0]), "0aff00");
        assert_eq!(encode_spaced(&[0x0A, 0xFF, 0]), "0a ff 00");
        assert_eq!(encode_spaced(&[]), "");
    }
}
