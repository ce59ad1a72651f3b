//! [`ByteStream`]: the bytes of stdin, a pipe or a file in order, unpacked when gzip or zstd compressed them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::failure::CommandFailure;
use crate::file::BlockingStream;
use crate::{ForeignFile, StorageError};

/// Capacity of the buffer before the decoder.
const BUFFER_LEN: usize = 1 << 18;
/// Number of bytes at the start of a stream that show whether it is compressed.
const SIGNATURE_LEN: u64 = 4;

/// A stream of bytes. Its memory does not depend on its length; a zstd decoder takes up to the window of the data.
pub(super) struct ByteStream {
    reader: Box<dyn Read>,
}

impl ByteStream {
    /// Opens a stream; `-` is stdin.
    ///
    /// # Errors
    /// `Io` when the file cannot be opened or its first bytes cannot be read; `Stdin` when stdin cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self, CommandFailure> {
        let source: Box<dyn Read> = if is_stdin(path) {
            Box::new(BlockingStream(io::stdin()))
        } else {
            Box::new(File::open(path).map_err(|error| StorageError::io(path, "open", error))?)
        };
        let mut source = BufReader::with_capacity(BUFFER_LEN, source);
        let mut first = Vec::new();
        source.by_ref().take(SIGNATURE_LEN).read_to_end(&mut first).map_err(|error| read_failure(path, error))?;
        let compression = ForeignFile::recognise(&first);
        let source = io::Cursor::new(first).chain(source);
        let reader: Box<dyn Read> = match compression {
            Some(ForeignFile::Gzip) => Box::new(MultiGzDecoder::new(source)),
            Some(ForeignFile::Zstd) => Box::new(ZstdReader::new(source)),
            _ => Box::new(source),
        };
        Ok(Self { reader })
    }

    /// True when the path leads to bytes that can only be read as a stream: stdin, a pipe, or a compressed file.
    pub(super) fn is_needed_for(path: &Path) -> bool {
        is_stdin(path) || is_pipe(path) || is_compressed_file(path)
    }
}

impl Read for ByteStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}

/// True for `-`, the name of stdin.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Returns the failure of a read from the stream at `path`.
pub(super) fn read_failure(path: &Path, error: io::Error) -> CommandFailure {
    if is_stdin(path) { CommandFailure::Stdin(error) } else { StorageError::io(path, "read", error).into() }
}

/// True for a pipe that the shell has opened, as in `<(command)`. A named pipe is not one: opening it blocks until another
/// process opens its other end, so that any user who can write to the folder could stop the command.
fn is_pipe(path: &Path) -> bool {
    #[cfg(unix)]
    let is_pipe = ["/dev/fd", "/proc/self/fd", "/dev/stdin"].iter().any(|folder| path.starts_with(folder)) && {
        use std::os::unix::fs::FileTypeExt;

        fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
    };
    #[cfg(not(unix))]
    let is_pipe = {
        let _ = path;
        false
    };
    is_pipe
}

fn is_compressed_file(path: &Path) -> bool {
    // Opening a device or socket could block or have an effect.
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut first = Vec::new();
    let read = is_file.then(|| File::open(path)?.take(SIGNATURE_LEN).read_to_end(&mut first));
    read.is_some_and(|read| read.is_ok())
        && matches!(ForeignFile::recognise(&first), Some(ForeignFile::Gzip | ForeignFile::Zstd))
}

/// Decodes the zstd frames of a stream one after the other, and verifies their checksums.
struct ZstdReader<R> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: Read> ZstdReader<R> {
    fn new(source: R) -> Self {
        Self { source: BufReader::new(source), decoder: FrameDecoder::new(), is_in_frame: false }
    }

    /// Starts the next frame. Returns false at the end of the stream.
    fn start_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.source) {
                Ok(()) => {
                    self.is_in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let skipped = io::copy(&mut self.source.by_ref().take(u64::from(length)), &mut io::sink())?;
                    if skipped < u64::from(length) {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(decoding_error(error)),
            }
        }
        Ok(false)
    }

    /// Ends a frame whose bytes were all returned, and compares its checksum.
    ///
    /// # Errors
    /// `InvalidData` when the stored checksum is not that of the unpacked bytes.
    fn finish_frame(&mut self) -> io::Result<()> {
        self.is_in_frame = false;
        let stored = self.decoder.get_checksum_from_data();
        if stored.is_some() && stored != self.decoder.get_calculated_checksum() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a zstd frame does not match its checksum"));
        }
        Ok(())
    }
}

impl<R: Read> Read for ZstdReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while !buf.is_empty() {
            if !self.is_in_frame && !self.start_frame()? {
                break;
            }
            match self.decoder.read(buf)? {
                0 if self.decoder.is_finished() => self.finish_frame()?,
                0 => {
                    let step = BlockDecodingStrategy::UptoBlocks(1);
                    self.decoder.decode_blocks(&mut self.source, step).map_err(decoding_error)?;
                }
                read => return Ok(read),
            }
        }
        Ok(0)
    }
}

fn decoding_error(error: FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        ZstdReader::new(bytes).read_to_end(&mut unpacked)?;
        Ok(unpacked)
    }

    #[test]
    fn all_frames_of_a_zstd_stream_are_read_and_others_are_skipped() {
        let frame = |text: &[u8]| compress_to_vec(text, CompressionLevel::Fastest);
        let skipped = [&0x184D_2A50_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"xyz"].concat();
        let large = b"a".repeat(1 << 20);
        let stream = [frame(b"first "), skipped.clone(), frame(&large), skipped].concat();
        assert_eq!(unpack(&stream).unwrap(), [b"first ", &large[..]].concat());
        assert_eq!(unpack(&stream[..stream.len() - 1]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(unpack(&frame(b"first ")[..10]).is_err());
        let mut other = frame(b"first ");
        *other.last_mut().unwrap() ^= 1;
        assert_eq!(unpack(&other).unwrap_err().to_string(), "a zstd frame does not match its checksum");
    }
}
