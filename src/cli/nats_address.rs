//! The address of a stream, from a URL, the credentials and the environment.

use std::path::{Path, PathBuf};

use super::failure::CommandFailure;
use crate::StorageError;
use crate::place::RemoteUrl;
use crate::remote::nats::{Credentials, StreamAddress};

/// Returns the address of the stream that a URL names.
///
/// # Errors
/// `Usage` when the URL has no stream, and the errors of [`Credentials::find`].
pub(super) fn stream_address(url: &RemoteUrl, creds: Option<&Path>) -> Result<StreamAddress, CommandFailure> {
    let variable = |name: &str| std::env::var(name).ok();
    let stream = url.name();
    let is_name = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'.' | b'*' | b'>' | b'/' | b'\\');
    if stream.is_empty() || !stream.bytes().all(is_name) {
        return Err(CommandFailure::Usage {
            message: format!(
                "{url}: expected the name of a stream after the host, without dots, slashes and wildcards"
            ),
            hint: "Write nats://HOST[:PORT]/STREAM".into(),
        });
    }
    let credentials = Credentials::find(creds, variable).map_err(|error| {
        let path = PathBuf::from(url.to_string());
        CommandFailure::from(StorageError::Io { path, action: "connect to", offset: None, source: error.into() })
    })?;
    Ok(StreamAddress {
        host: url.host().to_owned(),
        stream: stream.to_owned(),
        credentials,
        root_certificates: variable("NATS_CA").filter(|path| !path.is_empty()).map(PathBuf::from),
    })
}
