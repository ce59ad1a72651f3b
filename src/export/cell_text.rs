//! The text of a JSON value in a cell.

use std::borrow::Cow;

use crate::format::json;

/// Returns the text of a JSON value: the characters of a string, and other values as stored without whitespace.
pub(super) fn token_cell(token: &str) -> Cow<'_, str> {
    if token.starts_with('"') {
        return json::unescape(token);
    }
    let mut compact = Vec::new();
    json::compact(token.as_bytes(), &mut compact);
    String::from_utf8_lossy(&compact).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_its_characters_and_another_value_no_whitespace() {
        assert_eq!((token_cell(r#""a\u0062""#), token_cell("[1, 2.0]")), ("ab".into(), "[1,2.0]".into()));
    }
}
