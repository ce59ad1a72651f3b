//! [`ValueType`]: the types of columns that hold values of the payload, and the conversion of JSON values into them.

use std::borrow::Cow;

use super::cell_text::token_cell;
use crate::query::nearest_keyword;

/// The type of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueType {
    /// The characters of a string, or the JSON text of another value.
    Text,
    /// A number with 64 bits of floating point.
    Double,
    /// A whole number with 64 bits and a sign.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// The types with their names, as a user types them.
const TYPES: [(&str, ValueType); 4] = [
    ("text", ValueType::Text),
    ("double", ValueType::Double),
    ("integer", ValueType::Integer),
    ("boolean", ValueType::Boolean),
];

/// A value in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Integer(i64),
    Double(f64),
    Boolean(bool),
    Text(Cow<'a, str>),
}

impl ValueType {
    /// Parses the name of a type.
    ///
    /// # Errors
    /// The reason, with the name that is most similar.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        if let Some((_, value_type)) = TYPES.into_iter().find(|(known, _)| *known == name) {
            return Ok(value_type);
        }
        let names = TYPES.map(|(known, _)| known);
        let nearest = nearest_keyword(name, names).map(|nearest| format!("; the nearest is `{nearest}`"));
        Err(format!("expected the type {}, found `{name}`{}", names.join(", "), nearest.unwrap_or_default()))
    }

    /// Converts the stored text of a JSON value. Returns `None` for a value that is not of this type: a string is no number,
    /// also when it contains digits, and a number with a fraction is no whole number.
    pub(super) fn convert(self, token: &str) -> Option<Value<'_>> {
        match self {
            Self::Text => Some(Value::Text(token_cell(token))),
            Self::Double => token.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Double),
            Self::Integer => token.parse().ok().map(Value::Integer),
            Self::Boolean => token.parse().ok().map(Value::Boolean),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_parsed_from_its_name() {
        for (name, value_type) in TYPES {
            assert_eq!(ValueType::parse(name), Ok(value_type));
        }
        assert!(ValueType::parse("doubel").unwrap_err().contains("the nearest is `double`"));
    }

    #[test]
    fn only_values_of_the_type_are_converted() {
        let double = |token| ValueType::Double.convert(token);
        assert_eq!((double("1.5e2"), double("-3")), (Some(Value::Double(150.0)), Some(Value::Double(-3.0))));
        assert_eq!((double("\"1.5\""), double("1e999"), double("true"), double("[1]")), (None, None, None, None));
        let integer = |token| ValueType::Integer.convert(token);
        assert_eq!(integer("-9223372036854775808"), Some(Value::Integer(i64::MIN)));
        assert_eq!((integer("1.0"), integer("9223372036854775808"), integer("\"1\"")), (None, None, None));
        let boolean = |token| ValueType::Boolean.convert(token);
        assert_eq!((boolean("true"), boolean("1")), (Some(Value::Boolean(true)), None));
        let text = |token| ValueType::Text.convert(token);
        assert_eq!(text(r#""a\u0062""#), Some(Value::Text("ab".into())));
        assert_eq!(text("[1, 2.0]"), Some(Value::Text("[1,2.0]".into())));
    }
}
