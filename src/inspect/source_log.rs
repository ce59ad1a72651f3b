//! Implements [`SourceLog`] for [`LogView`], so that an index can read its log when it is saved and merged.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::{LogView, SurveyOptions, survey};
use crate::StorageError;
use crate::file::LogFile;
use crate::index::{AggregateIndex, SourceLog};

impl SourceLog for LogView {
    fn log(&self) -> &Arc<LogFile> {
        self.log()
    }

    fn extend(&self, index: &mut AggregateIndex, until: u64) -> Result<(), StorageError> {
        let from = Some(index.coverage().covered_to);
        let options = SurveyOptions { from, until: Some(until), ..SurveyOptions::new() };
        survey(self, &options, Some(index), &mut |_| ControlFlow::Continue(())).map(|_| ())
    }
}
