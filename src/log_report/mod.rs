//! The report about one log: a self-contained HTML page for a ticket, which the command line and the screen write.
//!
//! [`LogReport::collect`] reads the log, and [`LogReport::to_html`] formats the page. The page needs no network and no
//! script. All text goes through [`html::HtmlWriter`], which escapes it. The size of the page is bounded
//! for a log of any size.

mod bytes;
mod charts;
mod collect;
mod command;
mod findings;
mod html;
mod page;
mod sections;

pub(crate) use collect::{CollectStep, LogReport, ReportContext};
pub(crate) use command::report_command;
