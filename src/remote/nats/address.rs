//! The address of a stream, from the parts of a URL, a file with credentials and the environment.

use std::path::{Path, PathBuf};

use super::credentials::Credentials;
use super::error::NatsError;
use super::requests::StreamAddress;

/// Returns the address of a stream.
///
/// # Errors
/// `Name` for a name that no stream can have, and the errors of [`Credentials::find`].
pub(crate) fn stream_address(host: &str, stream: &str, creds: Option<&Path>) -> Result<StreamAddress, NatsError> {
    let is_name = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'.' | b'*' | b'>' | b'/' | b'\\');
    if stream.is_empty() || !stream.bytes().all(is_name) {
        return Err(NatsError::Name);
    }
    let variable = |name: &str| std::env::var(name).ok();
    Ok(StreamAddress {
        host: host.to_owned(),
        stream: stream.to_owned(),
        credentials: Credentials::find(creds, variable)?,
        root_certificates: variable("NATS_CA").filter(|path| !path.is_empty()).map(PathBuf::from),
    })
}
