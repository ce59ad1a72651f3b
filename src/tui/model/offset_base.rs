//! The base in which the screen shows offsets.

use serde::{Deserialize, Serialize};

use super::Model;

/// The base in which offsets are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OffsetBase {
    /// Decimal digits, as the command line prints them.
    #[default]
    Decimal,
    /// Hexadecimal digits after `0x`.
    Hexadecimal,
}

impl OffsetBase {
    /// Returns the other base.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Decimal => Self::Hexadecimal,
            Self::Hexadecimal => Self::Decimal,
        }
    }

    /// Formats an offset as it is shown, and as goto and the command line read it.
    pub(crate) fn format(self, offset: u64) -> String {
        match self {
            Self::Decimal => offset.to_string(),
            Self::Hexadecimal => format!("{offset:#x}"),
        }
    }
}

impl Model {
    /// Formats an offset in the base that was chosen.
    pub(crate) fn format_offset(&self, offset: u64) -> String {
        self.offset_base.format(offset)
    }

    /// Returns the number of columns of the largest offset of the log.
    pub(crate) fn offset_columns(&self) -> usize {
        self.format_offset(self.log_info.bytes).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_shown_in_a_form_that_goto_reads() {
        for base in [OffsetBase::Decimal, OffsetBase::Hexadecimal] {
            for offset in [0, 16, 1_223_488] {
                assert_eq!(crate::query::parse_offset(&base.format(offset)), Some(offset));
            }
            assert_eq!(base.other().other(), base);
        }
    }
}
