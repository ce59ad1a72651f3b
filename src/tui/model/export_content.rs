//! The content of a file that the events of the list are exported to: its format, and its description in the prompt.

use std::path::Path;

use super::{EventColumn, Model};
use crate::export::{ExportColumn, ExportFileFormat};

impl Model {
    /// Returns the format of an export to a path, which its name decides. A CSV file has the columns of the list.
    pub(crate) fn export_format(&self, path: &Path) -> ExportFileFormat {
        match ExportFileFormat::of_name(path) {
            ExportFileFormat::Csv(_) => ExportFileFormat::Csv(self.list.columns.export_columns()),
            format @ (ExportFileFormat::JsonLines | ExportFileFormat::Parquet(_)) => format,
        }
    }

    /// Describes the content of an export to a path.
    pub(super) fn export_meaning(&self, path: &Path) -> String {
        let form = match self.export_format(path) {
            ExportFileFormat::JsonLines => {
                "JSON lines; a name that ends with .csv or .parquet makes such a file".to_owned()
            }
            ExportFileFormat::Csv(columns) => format!(
                "CSV with the columns of the list: {}{}; any other name makes JSON lines",
                columns.iter().map(ExportColumn::to_string).collect::<Vec<_>>().join(", "),
                self.omitted_columns_text(),
            ),
            ExportFileFormat::Parquet(_) => {
                "Parquet with all fields, damage and gaps; any other name makes JSON lines".to_owned()
            }
        };
        match self.list.filter.text() {
            "" => format!("all events as {form}"),
            filter => format!("the events of the filter {filter} as {form}"),
        }
    }

    /// Names the columns of the list that a CSV file does not have.
    fn omitted_columns_text(&self) -> String {
        let is_omitted = |column: &&EventColumn| column.export_columns().is_empty();
        let shown = self.list.columns.shown().map(|choice| &choice.column);
        let names: Vec<_> = shown.filter(is_omitted).map(EventColumn::name).collect();
        if names.is_empty() { String::new() } else { format!(" (without {})", names.join(" and ")) }
    }
}
