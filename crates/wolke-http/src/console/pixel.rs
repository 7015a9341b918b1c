//! Pixel formats (RFC 6143 §7.4): true colour of 8, 16 or 32 bits, in either order of bytes.

/// Bytes of a format in a message.
pub const FORMAT_LENGTH: usize = 16;

/// A colour: red, green and blue.
pub type Colour = [u8; 3];

/// How a client wants its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelFormat {
    bits: u8,
    depth: u8,
    big_endian: bool,
    /// The largest value of red, green and blue: a power of two less one.
    max: [u16; 3],
    shift: [u8; 3],
}

impl PixelFormat {
    /// What the server offers: 32 bits, of which 24 are used, little endian.
    pub const NATIVE: Self = Self { bits: 32, depth: 24, big_endian: false, max: [255; 3], shift: [16, 8, 0] };

    /// Reads a format; none when it is no true colour of 8, 16 or 32 bits, or its colours do not fit.
    #[must_use]
    pub fn parse(bytes: &[u8; FORMAT_LENGTH]) -> Option<Self> {
        let [bits, depth, big_endian, true_colour, r1, r0, g1, g0, b1, b0, red, green, blue, ..] = *bytes;
        let max = [u16::from_be_bytes([r1, r0]), u16::from_be_bytes([g1, g0]), u16::from_be_bytes([b1, b0])];
        let shift = [red, green, blue];
        let fits = max.iter().zip(shift).all(|(max, shift)| {
            let width = u32::from(*max) + 1;
            width.is_power_of_two() && width.ilog2() + u32::from(shift) <= u32::from(bits)
        });
        let is_known = matches!(bits, 8 | 16 | 32) && true_colour != 0;
        (is_known && fits).then_some(Self { bits, depth, big_endian: big_endian != 0, max, shift })
    }

    /// The format as it stands in a message.
    #[must_use]
    pub fn to_bytes(self) -> [u8; FORMAT_LENGTH] {
        let [[r1, r0], [g1, g0], [b1, b0]] = self.max.map(u16::to_be_bytes);
        let [red, green, blue] = self.shift;
        [self.bits, self.depth, u8::from(self.big_endian), 1, r1, r0, g1, g0, b1, b0, red, green, blue, 0, 0, 0]
    }

    /// Bytes of a pixel.
    #[must_use]
    pub fn length(self) -> usize {
        usize::from(self.bits / 8)
    }

    /// A colour in this format.
    #[must_use]
    pub fn pixel(self, colour: Colour) -> Pixel {
        let parts = colour.iter().zip(self.max).zip(self.shift).map(|((part, max), shift)| {
            let scaled = (u32::from(*part) * u32::from(max) + 127) / 255;
            scaled << shift
        });
        let value = parts.fold(0, |value, part| value | part);
        let length = self.length();
        let mut bytes = value.to_le_bytes();
        if self.big_endian {
            bytes[..length].reverse();
        }
        Pixel { bytes, length }
    }
}

/// A pixel on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixel {
    bytes: [u8; 4],
    length: usize,
}

impl Pixel {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::{Colour, PixelFormat};

    const ORANGE: Colour = [0xff, 0x80, 0x00];

    fn pixel(format: [u8; 16]) -> Vec<u8> {
        PixelFormat::parse(&format).unwrap().pixel(ORANGE).bytes().to_vec()
    }

    #[test]
    fn formats_of_all_sizes_and_orders() {
        assert_eq!(PixelFormat::parse(&PixelFormat::NATIVE.to_bytes()), Some(PixelFormat::NATIVE));
        assert_eq!(PixelFormat::NATIVE.pixel(ORANGE).bytes(), [0x00, 0x80, 0xff, 0x00]);
        let novnc = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0];
        assert_eq!(pixel(novnc), [0xff, 0x80, 0x00, 0x00]);
        let big = [32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
        assert_eq!(pixel(big), [0x00, 0xff, 0x80, 0x00]);
        let rgb565 = [16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0];
        assert_eq!(pixel(rgb565), 0xfc00_u16.to_le_bytes());
        let swapped = [16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0];
        assert_eq!(pixel(swapped), 0xfc00_u16.to_be_bytes());
        let rgb332 = [8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 5, 2, 0, 0, 0, 0];
        assert_eq!(pixel(rgb332), [0b1111_0000]);
    }

    #[test]
    fn others_are_refused() {
        let mut colour_map = PixelFormat::NATIVE.to_bytes();
        colour_map[3] = 0;
        let mut odd_size = PixelFormat::NATIVE.to_bytes();
        odd_size[0] = 24;
        let mut odd_max = PixelFormat::NATIVE.to_bytes();
        odd_max[5] = 200;
        let mut shifted_out = PixelFormat::NATIVE.to_bytes();
        shifted_out[10] = 25;
        for wrong in [colour_map, odd_size, odd_max, shifted_out, [0; 16], [0xff; 16]] {
            assert_eq!(PixelFormat::parse(&wrong), None, "{wrong:?}");
        }
    }
}
