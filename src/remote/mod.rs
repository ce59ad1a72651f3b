//! Access to servers: object storage with the S3 protocol, and streams of NATS JetStream.
//!
//! The engine knows only its storage traits. A client library, its runtime and its types stay inside the module of their
//! server. Everything that a server sends is input: numbers are bounded, and bytes are believed when their checksum proves them.

pub(crate) mod nats;
mod routing_disk;
mod s3;

pub(crate) use routing_disk::routing_disk;
pub(crate) use s3::S3Store;
