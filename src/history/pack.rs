//! Packs a stream in the format in which it was read. Does not know where bytes go.

use std::io::{self, Write};

use super::kind::Packing;

/// Writes a stream in the format in which it was read.
pub enum Packer<W: Write> {
    /// As it is.
    Plain(W),
    /// See [`Packing::Gzip`].
    Gzip(flate2::write::GzEncoder<W>),
    /// See [`Packing::Bzip2`].
    Bzip2(bzip2::write::BzEncoder<W>),
    /// See [`Packing::Xz`].
    Xz(Box<lzma_rust2::XzWriter<W>>),
    /// A frame for each of the pieces that are collected: the encoder takes what it packs from a
    /// reader, to its end.
    Zstd(W, Vec<u8>),
}

impl<W: Write> Packer<W> {
    /// Writes to `output`.
    ///
    /// # Errors
    /// Those of `output`.
    pub fn new(packing: Option<Packing>, output: W) -> io::Result<Self> {
        Ok(match packing {
            None => Packer::Plain(output),
            Some(Packing::Gzip) => Packer::Gzip(flate2::write::GzEncoder::new(output, flate2::Compression::default())),
            Some(Packing::Bzip2) => Packer::Bzip2(bzip2::write::BzEncoder::new(output, bzip2::Compression::default())),
            Some(Packing::Xz) => {
                let options = lzma_rust2::XzOptions::with_preset(6);
                Packer::Xz(Box::new(lzma_rust2::XzWriter::new(output, options)?))
            }
            Some(Packing::Zstd) => Packer::Zstd(output, Vec::new()),
        })
    }

    /// Ends the format. What it was written to comes back.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Packer::Plain(output) => Ok(output),
            Packer::Gzip(encoder) => encoder.finish(),
            Packer::Bzip2(encoder) => encoder.finish(),
            Packer::Xz(encoder) => encoder.finish(),
            Packer::Zstd(mut output, piece) => {
                output.write_all(&frame(&piece))?;
                Ok(output)
            }
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packer::Plain(output) => output.write(bytes),
            Packer::Gzip(encoder) => encoder.write(bytes),
            Packer::Bzip2(encoder) => encoder.write(bytes),
            Packer::Xz(encoder) => encoder.write(bytes),
            Packer::Zstd(output, piece) => {
                piece.extend_from_slice(bytes);
                if piece.len() >= FRAME_BYTES {
                    output.write_all(&frame(piece))?;
                    piece.clear();
                }
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn frame(piece: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(piece, ruzstd::encoding::CompressionLevel::Fastest)
}

/// How much goes into one frame.
const FRAME_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::{super::codec::unpack, *};

    const ALL: [Packing; 4] = [Packing::Gzip, Packing::Zstd, Packing::Bzip2, Packing::Xz];

    fn packed(packing: Packing, text: &[u8]) -> Vec<u8> {
        let mut packer = Packer::new(Some(packing), Vec::new()).unwrap();
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn unpacked(packing: Packing, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        unpack(packing, Box::new(io::Cursor::new(bytes.to_vec()))).read_to_end(&mut text).map(|_| text)
    }

    #[test]
    fn what_was_packed_unpacks_to_the_same() {
        for packing in ALL {
            for text in [&b""[..], b"a", &b"line after line\n".repeat(5000)] {
                let bytes = packed(packing, text);
                assert_eq!(unpacked(packing, &bytes).unwrap(), text, "{packing:?}");
                assert_eq!(super::super::kind::of(&bytes), super::super::kind::Kind::Packed(packing));
                let twice = [bytes.as_slice(), &bytes].concat();
                assert_eq!(unpacked(packing, &twice).unwrap(), [text, text].concat(), "{packing:?} twice");
            }
        }
    }

    #[test]
    fn no_cut_and_no_wrong_bit_makes_a_reader_panic() {
        for packing in ALL {
            let whole = packed(packing, &b"some text, some more text\n".repeat(20));
            for cut in 1..whole.len() {
                assert!(unpacked(packing, &whole[..cut]).is_err(), "{packing:?} cut at {cut}");
            }
            for at in 0..whole.len() {
                let mut wrong = whole.clone();
                wrong[at] ^= 0x10;
                let _ = unpacked(packing, &wrong);
            }
        }
    }
}
