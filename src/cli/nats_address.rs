//! The address of the stream that a URL names, or the failure of a command.

use std::path::{Path, PathBuf};

use super::failure::CommandFailure;
use crate::StorageError;
use crate::place::RemoteUrl;
use crate::remote::nats::{self, NatsError, StreamAddress};

/// Returns the address of the stream that a URL names.
///
/// # Errors
/// `Usage` when the URL has no stream, and the errors of reading the credentials.
pub(super) fn stream_address(url: &RemoteUrl, creds: Option<&Path>) -> Result<StreamAddress, CommandFailure> {
    nats::stream_address(url.host(), url.name(), creds).map_err(|error| match error {
        NatsError::Name => CommandFailure::Usage {
            message: format!("{url}: {error}"),
            hint: "`nats stream ls` lists the streams of a server".into(),
        },
        error => {
            let path = PathBuf::from(url.to_string());
            StorageError::Io { path, action: "connect to", offset: None, source: error.into() }.into()
        }
    })
}
