//! Lines that are laid out once for a width. Each key needs their number, and each frame a few of them.

use std::cell::RefCell;
use std::sync::Arc;

/// The lines of a text that does not change, for the width that was used last.
#[derive(Debug, Clone, Default)]
pub(super) struct LaidOutLines {
    newest: RefCell<Option<SizedLines>>,
}

/// Lines for a width.
#[derive(Debug, Clone)]
struct SizedLines {
    columns: usize,
    lines: Arc<[String]>,
}

impl LaidOutLines {
    /// Returns the lines for a width. `lay_out` is called when the width differs from that of the last call.
    pub(super) fn for_width(&self, columns: usize, lay_out: impl FnOnce() -> Vec<String>) -> Arc<[String]> {
        let mut newest = self.newest.borrow_mut();
        match &*newest {
            Some(sized) if sized.columns == columns => Arc::clone(&sized.lines),
            _ => {
                let lines: Arc<[String]> = lay_out().into();
                *newest = Some(SizedLines { columns, lines: Arc::clone(&lines) });
                lines
            }
        }
    }
}

/// Laid out lines are never a difference: they follow from the text beside them.
impl PartialEq for LaidOutLines {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for LaidOutLines {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_laid_out_again_only_for_another_width() {
        let lines = LaidOutLines::default();
        let of_width = |columns: usize| lines.for_width(columns, || vec!["x".repeat(columns)]);
        let first = of_width(3);
        assert!(Arc::ptr_eq(&first, &of_width(3)));
        assert_eq!(*of_width(4), ["xxxx"]);
        assert_eq!(*of_width(3), ["xxx"]);
    }
}
