//! Unpacks the formats in which logs are kept. Does not know where bytes come from.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use flate2::{read::DeflateDecoder, read::MultiGzDecoder};
use lzma_rust2::XzReader;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{kind::Packing, stream::Bytes};
use crate::limits::DICTIONARY_BYTES_MAX;

/// What a stream unpacks to.
pub fn unpack(packing: Packing, packed: Bytes) -> Bytes {
    match packing {
        Packing::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Packing::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
        Packing::Xz => {
            let memory_kib = u32::try_from(DICTIONARY_BYTES_MAX >> 10).unwrap_or(u32::MAX);
            Box::new(XzReader::new_mem_limit(BufReader::new(packed), true, memory_kib))
        }
        Packing::Zstd => Box::new(Zstd::new(packed)),
    }
}

/// What the content of a zip's member unpacks to. `None` for methods that are not known.
pub fn unpack_member(method: u16, packed: Bytes) -> Option<Bytes> {
    match method {
        0 => Some(packed),
        8 => Some(Box::new(DeflateDecoder::new(packed))),
        12 => Some(unpack(Packing::Bzip2, packed)),
        20 | 93 => Some(unpack(Packing::Zstd, packed)),
        95 => Some(unpack(Packing::Xz, packed)),
        _ => None,
    }
}

/// All frames of a stream, one after the other: the decoder itself ends with the first.
struct Zstd {
    packed: BufReader<Bytes>,
    frame: FrameDecoder,
    /// Whether a frame is open.
    open: bool,
}

impl Zstd {
    fn new(packed: Bytes) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(DICTIONARY_BYTES_MAX);
        Zstd { packed: BufReader::with_capacity(64 << 10, packed), frame, open: false }
    }

    /// Opens the next frame; false at the end of the stream.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            let mut magic = [0; 4];
            self.packed.read_exact(&mut magic)?;
            if magic[0] & 0xf0 == 0x50 && magic[1..] == [0x2a, 0x4d, 0x18] {
                let mut length = [0; 4];
                self.packed.read_exact(&mut length)?;
                let length = u64::from(u32::from_le_bytes(length));
                if io::copy(&mut self.packed.by_ref().take(length), &mut io::sink())? < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                continue;
            }
            self.frame.init(magic.chain(&mut self.packed)).map_err(|_| corrupt())?;
            self.open = true;
            return Ok(true);
        }
        Ok(false)
    }
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.open && !self.next_frame()? {
                return Ok(0);
            }
            while self.frame.can_collect() == 0 && !self.frame.is_finished() {
                let strategy = BlockDecodingStrategy::UptoBlocks(1);
                self.frame.decode_blocks(&mut self.packed, strategy).map_err(|_| corrupt())?;
            }
            let read = self.frame.read(buffer).map_err(|_| corrupt())?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let stated = self.frame.get_checksum_from_data();
            if stated.is_some() && stated != self.frame.get_calculated_checksum() {
                return Err(corrupt());
            }
            self.open = false;
        }
    }
}

fn corrupt() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
