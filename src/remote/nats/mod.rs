//! Streams of NATS JetStream: a log is sent to a stream, written again from one, and read from one as the donor of a repair.
//!
//! A frame of the log is one message of the stream. The client library and its runtime run on one thread; the rest of this module
//! makes blocking calls, and nothing outside it sees a type of either.

mod address;
mod claimed_bytes;
mod client_errors;
mod client_thread;
mod connection;
mod credentials;
mod error;
mod identity;
mod last_message;
mod log_source;
mod message;
mod publisher;
mod repaired_offsets;
mod replication_error;
mod requests;
mod restorer;
mod sequence_search;
mod ship_status;
mod shipper;
mod stream;
mod stream_disk;
mod stream_frames;
mod stream_log;
mod stream_reader;
mod subject;
mod subject_prefix;

pub(crate) use address::stream_address;
pub(crate) use connection::NatsConnection;
pub(crate) use error::NatsError;
pub(crate) use repaired_offsets::ChangedFrame;
pub(crate) use replication_error::ReplicationError;
pub(crate) use requests::StreamAddress;
pub(crate) use restorer::{RestoreStatus, Restorer};
pub(crate) use ship_status::{ShipEnd, ShipStatus};
pub(crate) use shipper::Shipper;
pub(crate) use stream::{NewStream, StreamState};
pub(crate) use stream_disk::StreamDisk;
pub(crate) use subject::is_valid_prefix;
