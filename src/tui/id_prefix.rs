//! [`IdPrefix`]: the first digits of the ids that the table of aggregates shows.

/// The first digits of ids. The empty prefix is that of every id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IdPrefix {
    digits: String,
}

impl IdPrefix {
    /// Parses what the user typed.
    ///
    /// # Errors
    /// The text has other characters than digits, or no id starts with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let digits = text.trim();
        if let Some(other) = digits.chars().find(|character| !character.is_ascii_digit()) {
            return Err(format!("expected the digits of an id, found `{other}`"));
        }
        let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
        if has_leading_zero || !digits.is_empty() && digits.parse::<u64>().is_err() {
            return Err(format!("no id starts with {digits}: ids are numbers up to {}", u64::MAX));
        }
        Ok(Self { digits: digits.to_owned() })
    }

    /// Returns the digits.
    pub(crate) fn digits(&self) -> &str {
        &self.digits
    }

    /// True when the prefix is that of every id.
    pub(crate) const fn is_empty(&self) -> bool {
        self.digits.is_empty()
    }

    /// True when the id starts with the digits.
    pub(crate) fn matches(&self, id: u64) -> bool {
        let Ok(prefix) = self.digits.parse::<u64>() else { return self.is_empty() };
        let mut start = id;
        while start > prefix {
            start /= 10;
        }
        // No other id than 0 starts with 0.
        start == prefix && (prefix > 0 || id == 0)
    }

    /// True when the digits are the whole id.
    pub(crate) fn is_exactly(&self, id: u64) -> bool {
        self.digits.parse() == Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_matches_the_prefixes_of_its_digits_and_no_other() {
        let ids = [0, 1, 7, 10, 17, 70, 100, 171, u64::MAX];
        let matching = |text: &str| -> Vec<u64> {
            let prefix = IdPrefix::parse(text).unwrap();
            let expected: Vec<u64> = ids.into_iter().filter(|id| id.to_string().starts_with(text)).collect();
            let found: Vec<u64> = ids.into_iter().filter(|id| prefix.matches(*id)).collect();
            assert_eq!(found, expected, "{text}");
            found
        };
        assert_eq!(matching(""), ids);
        assert_eq!(
            (matching("1"), matching("17"), matching("0")),
            (vec![1, 10, 17, 100, 171, u64::MAX], vec![17, 171], vec![0])
        );
        assert_eq!((matching("18446744073709551615"), matching("9")), (vec![u64::MAX], vec![]));
        let exact = IdPrefix::parse(" 17 ").unwrap();
        assert!(exact.is_exactly(17) && !exact.is_exactly(171) && !IdPrefix::default().is_exactly(0));
    }

    #[test]
    fn what_no_id_starts_with_is_an_error() {
        for (text, reason) in
            [("1a", "found `a`"), ("-1", "found `-`"), ("01", "no id starts"), ("99999999999999999999", "no id starts")]
        {
            assert!(IdPrefix::parse(text).unwrap_err().contains(reason), "{text}");
        }
    }
}
