//! The typed value of a filter term, before it is parsed, and its split into a list.

use super::filter_operators::{FilterOperator, FilterOperatorSpec};
use super::filter_terms::FilterTermSpec;
use super::name_pattern::split_outside_quotes;
use super::time_input::TimeContext;
use super::word_fault::WordFault;

/// The value of a term as typed, with the term and the operator before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TermValue<'t> {
    pub(super) spec: &'static FilterTermSpec,
    pub(super) operator: &'static FilterOperatorSpec,
    /// The characters after the operator; not empty.
    pub(super) typed: &'t str,
    pub(super) times: TimeContext,
}

impl<'t> TermValue<'t> {
    /// Splits the value at the commas outside quotes. Each value comes with its position in bytes.
    ///
    /// # Errors
    /// A value is missing, or there is more than one and the operator takes only one.
    pub(super) fn list(&self) -> Result<Vec<(usize, &'t str)>, WordFault> {
        let values = split_outside_quotes(self.typed, ',');
        if let Some((at, _)) = values.iter().find(|(_, value)| value.is_empty()) {
            return Err(WordFault::new(*at, "a value is missing: expected one on both sides of the comma"));
        }
        let takes_list = matches!(self.operator.operator, FilterOperator::Is | FilterOperator::IsNot);
        match values.get(1) {
            Some((at, _)) if !takes_list => {
                let reason = format!("`{}` takes one value; a list follows : = or !=", self.operator.sign);
                Err(WordFault::new(at - 1, reason))
            }
            _ => Ok(values),
        }
    }

    /// Returns the message that a value is not one of those that the term takes.
    pub(super) fn unexpected(&self, value: &str) -> String {
        format!("expected {} after `{}{}`, found `{value}`", self.spec.value, self.spec.key, self.operator.sign)
    }
}
