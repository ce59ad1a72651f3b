//! Small JSON documents of a log's folder, each with the CRC of its content.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::crc;

/// Encodes `content` as the member `name` of a JSON object that also has the CRC of its text. The name needs no escapes.
pub(super) fn encode_checked(name: &str, content: &impl Serialize) -> String {
    // Numbers, text and lists of them can always be encoded.
    let content = serde_json::to_string(content).unwrap_or_default();
    let checksum = crc::checksum(content.as_bytes());
    format!("{{\"{name}\":{content},\"checksum\":{checksum}}}\n")
}

/// Decodes the member `name` of a document that [`encode_checked`] has encoded.
///
/// # Errors
/// The reason why the document cannot be used: its syntax, its members, or its checksum.
pub(super) fn decode_checked<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, String> {
    let members: BTreeMap<&str, &RawValue> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let (Some(content), Some(stored), 2) = (members.get(name), members.get("checksum"), members.len()) else {
        return Err(format!("expected the members `{name}` and `checksum`"));
    };
    let stored: u32 = serde_json::from_str(stored.get()).map_err(|error| error.to_string())?;
    let computed = crc::checksum(content.get().as_bytes());
    if computed != stored {
        return Err(format!("expected the checksum {computed}, found {stored}"));
    }
    serde_json::from_str(content.get()).map_err(|error| error.to_string())
}
