//! Advice about the cause of the damage, when the findings show one that concerns the whole file.

use super::{Model, wrap_text};
use crate::inspect::DamageOrigins;

impl Model {
    /// Returns the advice of `verify` about a concatenation of logs or a transfer in text mode, in lines of at most `width`
    /// columns. The cost is one pass over the findings.
    pub(crate) fn damage_advice(&self, width: usize) -> Vec<String> {
        let mut origins = DamageOrigins::default();
        self.scan.findings.iter().for_each(|finding| origins.add(finding));
        origins.advice().iter().flat_map(|advice| wrap_text(advice, width)).collect()
    }
}
