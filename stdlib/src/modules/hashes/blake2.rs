//! BLAKE2 (RFC 7693), with the parameters of the BLAKE2 paper that the RFC leaves out: salt, person and tree.

/// A variant: its word, rounds and rotations.
pub trait Variant: Copy {
    const BLOCK: usize;
    fn compress(h: &mut [u64; 8], block: &[u8], count: u128, last: bool, last_node: bool);
    fn start() -> [u64; 8];
    /// Bytes of a word.
    const WORD: usize;
}

const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// Columns, then diagonals.
const LANES: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

macro_rules! variant {
    ($name:ident, $word:ty, $rounds:literal, $rotations:expr, $start:expr) => {
        #[derive(Clone, Copy)]
        pub struct $name;

        impl Variant for $name {
            const BLOCK: usize = 16 * size_of::<$word>();
            const WORD: usize = size_of::<$word>();

            fn start() -> [u64; 8] {
                const START: [$word; 8] = $start;
                START.map(|w| w as u64)
            }

            fn compress(h: &mut [u64; 8], block: &[u8], count: u128, last: bool, last_node: bool) {
                const START: [$word; 8] = $start;
                const R: [u32; 4] = $rotations;
                let mut m = [0 as $word; 16];
                for (w, bytes) in m.iter_mut().zip(block.chunks_exact(size_of::<$word>())) {
                    *w = bytes.iter().rev().fold(0, |n, &b| n << 8 | <$word>::from(b));
                }
                let mut v = [0 as $word; 16];
                for i in 0..8 {
                    v[i] = h[i] as $word;
                    v[i + 8] = START[i];
                }
                v[12] ^= count as $word;
                v[13] ^= (count >> <$word>::BITS) as $word;
                if last {
                    v[14] = !v[14];
                }
                if last_node {
                    v[15] = !v[15];
                }
                for round in 0..$rounds {
                    let s = &SIGMA[round % 10];
                    for (i, &[a, b, c, d]) in LANES.iter().enumerate() {
                        v[a] = v[a].wrapping_add(v[b]).wrapping_add(m[s[2 * i]]);
                        v[d] = (v[d] ^ v[a]).rotate_right(R[0]);
                        v[c] = v[c].wrapping_add(v[d]);
                        v[b] = (v[b] ^ v[c]).rotate_right(R[1]);
                        v[a] = v[a].wrapping_add(v[b]).wrapping_add(m[s[2 * i + 1]]);
                        v[d] = (v[d] ^ v[a]).rotate_right(R[2]);
                        v[c] = v[c].wrapping_add(v[d]);
                        v[b] = (v[b] ^ v[c]).rotate_right(R[3]);
                    }
                }
                for i in 0..8 {
                    h[i] = (h[i] as $word ^ v[i] ^ v[i + 8]) as u64;
                }
            }
        }
    };
}

variant!(
    Big,
    u64,
    12,
    [32, 24, 16, 63],
    [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ]
);
variant!(
    Small,
    u32,
    10,
    [16, 12, 8, 7],
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,]
);

/// What sets a hash apart from others.
pub struct Parameters<'a> {
    pub digest_size: usize,
    pub key: &'a [u8],
    pub salt: &'a [u8],
    pub person: &'a [u8],
    pub fanout: u8,
    pub depth: u8,
    pub leaf_size: u32,
    pub node_offset: u64,
    pub node_depth: u8,
    pub inner_size: u8,
    pub last_node: bool,
}

/// A hash that is being computed.
#[derive(Clone)]
pub struct Blake2<V> {
    h: [u64; 8],
    buffer: Vec<u8>,
    count: u128,
    digest_size: usize,
    last_node: bool,
    _variant: V,
}

impl<V: Variant> Blake2<V> {
    pub fn new(variant: V, p: &Parameters<'_>) -> Blake2<V> {
        let half = V::WORD == 4;
        // bounded: a block of parameters
        let mut block = Vec::with_capacity(8 * V::WORD);
        block.extend_from_slice(&[p.digest_size as u8, p.key.len() as u8, p.fanout, p.depth]);
        block.extend_from_slice(&p.leaf_size.to_le_bytes());
        block.extend_from_slice(&p.node_offset.to_le_bytes()[..if half { 6 } else { 8 }]);
        block.extend_from_slice(&[p.node_depth, p.inner_size]);
        block.resize(if half { 16 } else { 32 }, 0);
        let width = 2 * V::WORD;
        for part in [p.salt, p.person] {
            let end = block.len() + width;
            block.extend_from_slice(part);
            block.resize(end, 0);
        }
        let mut h = V::start();
        for (h, bytes) in h.iter_mut().zip(block.chunks_exact(V::WORD)) {
            *h ^= bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b));
        }
        let (digest_size, last_node) = (p.digest_size, p.last_node);
        let mut own = Blake2 { h, buffer: Vec::new(), count: 0, digest_size, last_node, _variant: variant };
        if !p.key.is_empty() {
            let mut key = p.key.to_vec();
            key.resize(V::BLOCK, 0);
            own.update(&key);
        }
        own
    }

    pub fn update(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            // The last block is held back: it is compressed with the mark of the end.
            if self.buffer.len() == V::BLOCK {
                self.count += V::BLOCK as u128;
                V::compress(&mut self.h, &self.buffer, self.count, false, false);
                self.buffer.clear();
            }
            let n = data.len().min(V::BLOCK - self.buffer.len());
            self.buffer.extend_from_slice(&data[..n]);
            data = &data[n..];
        }
    }

    pub fn digest(&self) -> Vec<u8> {
        let mut end = self.clone();
        end.count += end.buffer.len() as u128;
        end.buffer.resize(V::BLOCK, 0);
        V::compress(&mut end.h, &end.buffer, end.count, true, end.last_node);
        let bytes = end.h.iter().flat_map(|w| w.to_le_bytes().into_iter().take(V::WORD));
        bytes.take(self.digest_size).collect()
    }
}
