//! Lists the objects of a bucket whose keys start with a prefix.

use std::io::{self, ErrorKind};

use rusty_s3::actions::ListObjectsV2;

use super::client::S3Client;

/// Largest size of one document of a list, in bytes. A document has at most a thousand keys of at most 1 024 bytes, which can be
/// encoded in three times their size.
const MAX_DOCUMENT_BYTES: u64 = 8 << 20;
/// Largest number of objects that a list may have.
const MAX_OBJECTS: usize = 1_000_000;

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedObject {
    pub(super) key: String,
    pub(super) bytes: u64,
}

/// The objects and the folders below a prefix.
#[derive(Debug, Default)]
pub(super) struct ObjectList {
    pub(super) objects: Vec<ListedObject>,
    /// The prefixes up to the next `/`, when the list stops there.
    pub(super) folders: Vec<String>,
}

/// Lists the objects whose keys start with `prefix`; with `depth`, only those without a further `/`, and the folders.
///
/// # Errors
/// `InvalidData` for a malformed list, also one with keys outside `prefix`, or with too many; otherwise that of the request.
pub(super) fn list_objects(client: &S3Client, prefix: &str, depth: ListDepth) -> io::Result<ObjectList> {
    let mut list = ObjectList::default();
    let mut continuation: Option<String> = None;
    loop {
        let mut action = ListObjectsV2::new(&client.config.bucket, client.config.credentials.as_ref());
        action.with_prefix(prefix);
        if depth == ListDepth::Folder {
            action.with_delimiter("/");
        }
        if let Some(token) = &continuation {
            action.with_continuation_token(token.clone());
        }
        let document = client.read_document(&action, MAX_DOCUMENT_BYTES)?;
        let next = add_document(&document, prefix, &mut list)?;
        // A server that repeats its token would list for ever.
        if next.is_some() && next == continuation {
            return Err(malformed("the list does not advance"));
        }
        continuation = next;
        if continuation.is_none() {
            return Ok(list);
        }
        if depth == ListDepth::First {
            return Ok(list);
        }
    }
}

/// How much of the bucket a list covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListDepth {
    /// Every object below the prefix.
    All,
    /// The objects directly below the prefix, and the folders.
    Folder,
    /// The first document only, which shows whether there is an object.
    First,
}

/// Adds the objects of one document to `list`, and returns the token with which the list goes on.
fn add_document(document: &str, prefix: &str, list: &mut ObjectList) -> io::Result<Option<String>> {
    let parsed = ListObjectsV2::parse_response(document).map_err(|_| malformed("it is not a list of objects"))?;
    for object in parsed.contents {
        let Some(bytes) = object.size else { return Err(malformed("an object has no size")) };
        if !object.key.starts_with(prefix) || object.key.len() > 1024 {
            return Err(malformed("it has an object that was not asked for"));
        }
        list.objects.push(ListedObject { key: object.key, bytes });
    }
    for folder in parsed.common_prefixes {
        if !folder.prefix.starts_with(prefix) || folder.prefix.len() > 1024 {
            return Err(malformed("it has a folder that was not asked for"));
        }
        list.folders.push(folder.prefix);
    }
    if list.objects.len() + list.folders.len() > MAX_OBJECTS {
        return Err(malformed(&format!("it has more than {MAX_OBJECTS} objects")));
    }
    Ok(parsed.next_continuation_token)
}

fn malformed(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("malformed list of the server: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(contents: &str) -> String {
        format!(
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>{contents}</ListBucketResult>"
        )
    }

    #[test]
    fn objects_and_folders_of_a_list_are_read() {
        let mut list = ObjectList::default();
        let text = document(
            "<Contents><Key>a/x%20y</Key><Size>7</Size></Contents><CommonPrefixes><Prefix>a/b/</Prefix></CommonPrefixes><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><EncodingType>url</EncodingType>",
        );
        assert_eq!(add_document(&text, "a/", &mut list).unwrap().as_deref(), Some("t"));
        assert_eq!(list.objects, [ListedObject { key: "a/x y".into(), bytes: 7 }]);
        assert_eq!(list.folders, ["a/b/"]);
    }

    #[test]
    fn hostile_lists_are_refused() {
        for text in [
            String::new(),
            "<html>".into(),
            document("<Contents><Key>other</Key><Size>1</Size></Contents>"),
            document("<Contents><Key>a/x</Key><Size>-1</Size></Contents>"),
            document("<Contents><Key>a/x</Key></Contents>"),
            document("<Contents><Key>a/x</Key><Size>99999999999999999999</Size></Contents>"),
            document("<CommonPrefixes><Prefix>../</Prefix></CommonPrefixes>"),
            document("<IsTruncated>true</IsTruncated>"),
            format!("<!DOCTYPE x [<!ENTITY a \"aaaa\">]>{}", document("")),
            document(&"<a>".repeat(100_000)),
        ] {
            let error = add_document(&text, "a/", &mut ObjectList::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{}", text.get(..80).unwrap_or(&text));
        }
    }
}
