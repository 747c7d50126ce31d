//! Characters in rows of bytes, as the matcher reads them.

/// Rows of bytes that hold characters.
pub trait Text: Copy {
    fn bytes(&self) -> &[u8];
    /// The character at `at`, which is before the end, and where the next one begins.
    fn next(&self, at: usize) -> (u32, usize);
    /// Where the character before `at`, which is not the beginning, begins.
    fn back(&self, at: usize) -> usize;
    /// Is a character a byte?
    const NARROW: bool;

    fn previous(&self, at: usize) -> u32 {
        self.next(self.back(at)).0
    }
}

/// Bytes, and text that is all ASCII.
#[derive(Clone, Copy)]
pub struct Narrow<'a>(pub &'a [u8]);

impl Text for Narrow<'_> {
    const NARROW: bool = true;
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self.0
    }
    #[inline(always)]
    fn next(&self, at: usize) -> (u32, usize) {
        (u32::from(self.0[at]), at + 1)
    }
    #[inline(always)]
    fn back(&self, at: usize) -> usize {
        at - 1
    }
}

/// WTF-8.
#[derive(Clone, Copy)]
pub struct Wide<'a>(pub &'a [u8]);

impl Text for Wide<'_> {
    const NARROW: bool = false;
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self.0
    }
    #[inline(always)]
    fn next(&self, at: usize) -> (u32, usize) {
        let tail = |i: usize| u32::from(self.0[at + i] & 0x3f);
        match self.0[at] {
            b @ 0..0x80 => (b.into(), at + 1),
            b @ 0x80..0xe0 => (u32::from(b & 0x1f) << 6 | tail(1), at + 2),
            b @ 0xe0..0xf0 => (u32::from(b & 0xf) << 12 | tail(1) << 6 | tail(2), at + 3),
            b => (u32::from(b & 7) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), at + 4),
        }
    }
    #[inline(always)]
    fn back(&self, mut at: usize) -> usize {
        at -= 1;
        while at > 0 && self.0[at] & 0xc0 == 0x80 {
            at -= 1;
        }
        at
    }
}
