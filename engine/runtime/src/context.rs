//! Execution contexts: the register stack of one microthread.
//!
//! ```text
//! chunk | record 3 | callee, code, return pc, previous base | r0 r1 … (frame) | record 3 | callee … | r0 … →
//!                                                           ^ base
//! base[-4]  the callee function, then the call's result
//! base[-3]  its code object
//! base[-2]  where the caller goes on; low bits: RECORD, SIDE
//! base[-1]  base of the caller's frame; 0 at the bottom
//! ```
//! A call from an instruction window puts the callee's frame onto the window: no record, arguments
//! in place. A call made by the machine puts it behind the caller's registers with a *record* of
//! three words before it that says what to do with the result ([`Cont`]).
//!
//! Chunks never move, so that natives can look at their arguments in the registers. A frame that
//! does not fit its chunk begins a new one, and a side entry says how to come back.
//!
//! **Invariant:** registers may hold stale words; the collector treats all words below the top of
//! the stack as "may be a reference".

use crate::blocks::Blocks;
use crate::object::Tracer;
use crate::value::Value;
use std::cell::{Cell, RefCell};

/// Bit of a return pc: a record precedes the frame.
pub const RECORD: usize = 1;
/// Bit of a return pc: the context's side list has entries for the frame.
pub const SIDE: usize = 2;
/// Words of a record.
pub const RECORD_WORDS: usize = 3;
/// Words of a frame's head.
pub const FRAME_WORDS: usize = 4;
/// Words of a context's first chunk, head included.
const FIRST_CHUNK: usize = 40;
/// Words of the chunk of the main context.
const MAIN_CHUNK: usize = FIRST_CHUNK << 9;
/// Words of the largest regular chunk.
const MAX_CHUNK: usize = FIRST_CHUNK << 11;

/// Words of the largest chunk that frames are moved into.
pub(crate) const MERGED_CHUNK: usize = FIRST_CHUNK << 5;
/// Frames are not moved while there are so many bytes of chunks: where there are very many microthreads room counts more.
const MERGING_BYTES: usize = 64 << 20;
/// A stack that went over the end of a chunk so many times is likely to go on so.
const MANY_CROSSINGS: u32 = 8;

/// Bit of [`Context::native_depth`]: somebody wants to know of switches away from the context, so
/// that these are to go the long way, as if native calls were in the way.
pub const WATCHED: u32 = 1 << 31;

/// What a side entry is for.
#[derive(Clone, Copy)]
pub enum Side {
    /// The frame began a new chunk: the chunk before is current again when it is left.
    Chunk,
    /// A frame object looks at the frame.
    Frame(Value),
}

/// An entry of a context's side list: rare facts about frames, innermost last.
#[derive(Clone, Copy)]
pub struct SideEntry {
    pub base: *mut Value,
    pub side: Side,
}

#[repr(C)]
struct Chunk {
    previous: *mut Chunk,
    /// Words, head included.
    size: usize,
    /// Of the chunk's lowest frame: number of frames below it in the context.
    depth: usize,
}
const CHUNK_HEAD: usize = size_of::<Chunk>() / 8;

/// One microthread's stack and what Python keeps per microthread.
pub struct Context {
    /// Where it goes on; valid while it does not run.
    pub pc: Cell<*const u32>,
    pub base: Cell<*mut Value>,
    chunk: Cell<*mut Chunk>,
    /// Frames must end at or below this address: the chunk's end, or less for the recursion limit.
    pub limit: Cell<*mut Value>,
    /// The exception being handled (`sys.exc_info`).
    pub handled: Cell<Option<Value>>,
    /// Native calls of this context that are on a native stack now, between its frames; [`WATCHED`].
    pub native_depth: Cell<u32>,
    /// Number of the thread that it belongs to.
    pub thread: Cell<u32>,
    /// How often a frame has begun a new chunk since all were in one: see [`Context::is_split`].
    crossings: Cell<u32>,
    /// Made when first needed: most contexts never have an entry.
    side: Cell<Option<Box<SideList>>>,
    /// `contextvars.Context` that is current.
    pub variables: Cell<Option<Value>>,
}

impl Default for Context {
    /// A context without a stack; see [`Context::begin`].
    fn default() -> Context {
        Context {
            pc: Cell::new(std::ptr::null()),
            base: Cell::new(std::ptr::null_mut()),
            chunk: Cell::new(std::ptr::null_mut()),
            limit: Cell::new(std::ptr::null_mut()),
            handled: Cell::new(None),
            native_depth: Cell::new(0),
            thread: Cell::new(0),
            crossings: Cell::new(0),
            side: Cell::new(None),
            variables: Cell::new(None),
        }
    }
}

/// A context's side list; boxed, for most contexts have none.
#[derive(Default)]
struct SideList(Vec<SideEntry>);

/// No memory for a chunk.
#[derive(Debug)]
pub struct NoMemory;

impl Context {
    /// The isolate's first context, with a large chunk.
    pub fn main(pool: &ChunkPool) -> Result<Context, NoMemory> {
        let ctx = Context::default();
        ctx.push_chunk(pool, MAIN_CHUNK, 0)?;
        Ok(ctx)
    }

    /// Gives a fresh context its first, small chunk.
    pub fn begin(&self, pool: &ChunkPool) -> Result<(), NoMemory> {
        self.push_chunk(pool, FIRST_CHUNK, 0)
    }

    /// Gives a fresh context a first chunk with room for so many words.
    pub fn begin_with(&self, pool: &ChunkPool, words: usize) -> Result<(), NoMemory> {
        let mut size = FIRST_CHUNK;
        while size < words + CHUNK_HEAD {
            size = size.checked_mul(2).ok_or(NoMemory)?;
        }
        self.push_chunk(pool, size, 0)
    }

    /// Native calls of this context that are on a native stack.
    pub fn native_calls(&self) -> u32 {
        self.native_depth.get() & !WATCHED
    }

    /// Are switches away from it to go the long way?
    pub fn is_watched(&self) -> bool {
        self.native_depth.get() & WATCHED != 0
    }

    pub fn watch(&self, on: bool) {
        self.native_depth.set(self.native_calls() | if on { WATCHED } else { 0 });
    }

    /// First word of the current chunk.
    pub fn chunk_start(&self) -> *mut Value {
        // SAFETY: the chunk is at least its head long.
        unsafe { self.chunk.get().cast::<Value>().add(CHUNK_HEAD) }
    }

    /// Behind the last word of the current chunk.
    pub fn chunk_end(&self) -> *mut Value {
        // SAFETY: the chunk has `size` words.
        unsafe { self.chunk.get().cast::<Value>().add((*self.chunk.get()).size) }
    }

    /// Frames below the current chunk's.
    pub fn chunk_depth(&self) -> usize {
        // SAFETY: there is a chunk from creation on.
        unsafe { (*self.chunk.get()).depth }
    }

    fn push_chunk(&self, pool: &ChunkPool, words: usize, depth: usize) -> Result<(), NoMemory> {
        let chunk = pool.take(words)?;
        // SAFETY: fresh memory of that size.
        unsafe { chunk.write(Chunk { previous: self.chunk.get(), size: words, depth }) };
        self.chunk.set(chunk);
        self.limit.set(self.chunk_end());
        Ok(())
    }

    /// A new chunk with room for a frame of `words`; `depth` frames are below it.
    pub fn grow(&self, pool: &ChunkPool, words: usize, depth: usize) -> Result<(), NoMemory> {
        // Each size comes twice, so that little of the last chunk is in vain.
        // SAFETY: there is a chunk, and so is the one before it, if any.
        let (last, before) = unsafe {
            let chunk = &*self.chunk.get();
            (chunk.size, chunk.previous.as_ref().map(|c| c.size))
        };
        let size = if before.is_none_or(|b| b == last) { last * 2 } else { last };
        let size = size.min(MAX_CHUNK).max(words + CHUNK_HEAD + RECORD_WORDS + FRAME_WORDS + 8);
        self.push_chunk(pool, size, depth)?;
        self.crossings.set(self.crossings.get().saturating_add(1));
        Ok(())
    }

    /// Does a chunk end where the stack goes up and down again and again? A call across the end costs as much as ten others,
    /// so it is worth moving the frames, once they can be: see `interp::merge_chunks`.
    #[inline(always)]
    pub fn is_split(&self) -> bool {
        self.crossings.get() >= MANY_CROSSINGS
    }

    /// Words of the chunk that all frames should be in, of which so many words are in use; None: they stay where they are.
    pub(crate) fn merged_size(&self, pool: &ChunkPool, used: usize) -> Option<usize> {
        self.crossings.set(0);
        // SAFETY: there is a chunk.
        let chunk = unsafe { &*self.chunk.get() };
        let alone = if chunk.previous.is_null() { 2 * chunk.size } else { 0 };
        let wanted = (used + used / 2 + CHUNK_HEAD + RECORD_WORDS + FRAME_WORDS).max(alone);
        if wanted > MERGED_CHUNK || pool.bytes() > MERGING_BYTES {
            return None;
        }
        let mut size = FIRST_CHUNK;
        while size < wanted {
            size *= 2;
        }
        Some(size)
    }

    /// Goes over to one chunk of this size, into which `fill` puts the frames: it is given the first word of the chunk.
    pub(crate) fn replace_chunks(
        &self,
        pool: &ChunkPool,
        words: usize,
        fill: impl FnOnce(*mut Value),
    ) -> Result<(), NoMemory> {
        let mut old = self.chunk.get();
        self.push_chunk(pool, words, 0)?;
        // SAFETY: the chunk that was just made; those before it are this context's.
        unsafe {
            (*self.chunk.get()).previous = std::ptr::null_mut();
            fill(self.chunk_start());
            while !old.is_null() {
                let previous = (*old).previous;
                pool.give(old, (*old).size);
                old = previous;
            }
        }
        Ok(())
    }

    /// No frame begins a chunk any more, and frames have moved; `tell` gets each frame object with its frame's place.
    pub(crate) fn move_side(
        &self,
        to: impl Fn(*mut Value) -> *mut Value,
        mut tell: impl FnMut(Value, *mut Value),
    ) {
        self.with_side(|side| {
            side.retain(|e| matches!(e.side, Side::Frame(_)));
            for e in side {
                e.base = to(e.base);
                if let Side::Frame(f) = e.side {
                    tell(f, e.base);
                }
            }
        });
    }

    /// Did this frame begin a chunk?
    pub(crate) fn begins_chunk(&self, base: *mut Value) -> bool {
        self.with_side(|side| side.iter().any(|e| e.base == base && matches!(e.side, Side::Chunk)))
    }

    /// Goes back to the chunk before.
    pub fn pop_chunk(&self, pool: &ChunkPool) {
        let chunk = self.chunk.get();
        // SAFETY: only called when a frame at the chunk's start is left, so that there is one before.
        unsafe {
            self.chunk.set((*chunk).previous);
            pool.give(chunk, (*chunk).size);
        }
        self.limit.set(self.chunk_end());
    }

    /// Lets go of all memory: the microthread has ended.
    pub fn release(&self, pool: &ChunkPool) {
        self.side.take();
        self.handled.set(None);
        self.base.set(std::ptr::null_mut());
        let mut chunk = self.chunk.replace(std::ptr::null_mut());
        while !chunk.is_null() {
            // SAFETY: a chunk of this context.
            unsafe {
                let previous = (*chunk).previous;
                pool.give(chunk, (*chunk).size);
                chunk = previous;
            }
        }
    }

    /// Bytes of its stack.
    pub fn bytes(&self) -> usize {
        let mut chunk = self.chunk.get().cast_const();
        let mut words = 0;
        // SAFETY: chunks of this context.
        while let Some(c) = unsafe { chunk.as_ref() } {
            words += c.size;
            chunk = c.previous;
        }
        words * size_of::<Value>()
    }

    /// Is it without memory for frames?
    pub fn is_released(&self) -> bool {
        self.chunk.get().is_null()
    }

    /// Lends the side list out; an empty one where there is none.
    fn with_side<T>(&self, f: impl FnOnce(&mut Vec<SideEntry>) -> T) -> T {
        let mut side = self.side.take().unwrap_or_default();
        let r = f(&mut side.0);
        if side.0.capacity() > 0 {
            self.side.set(Some(side));
        }
        r
    }

    pub fn add_side(&self, entry: SideEntry) {
        self.with_side(|side| side.push(entry));
    }

    /// The last side entry, if it is for this frame.
    pub fn last_side(&self, base: *mut Value) -> Option<Side> {
        self.with_side(|side| side.last().filter(|e| e.base == base).map(|e| e.side))
    }

    pub fn pop_side(&self) {
        self.with_side(|side| side.pop());
    }

    /// The frame object made for this frame, if any.
    pub fn frame_object(&self, base: *mut Value) -> Option<Value> {
        // SAFETY: nothing runs meanwhile that could change the list.
        let side = unsafe { (*self.side.as_ptr()).as_ref()? };
        side.0.iter().rev().find_map(|e| match e.side {
            Side::Frame(f) if e.base == base => Some(f),
            _ => None,
        })
    }

    /// Adds a frame object's entry behind those of inner frames.
    pub fn add_frame_object(&self, base: *mut Value, object: Value, is_inner: impl Fn(*mut Value) -> bool) {
        self.with_side(|side| {
            let at = side.iter().rposition(|e| !is_inner(e.base)).map_or(0, |i| i + 1);
            side.insert(at, SideEntry { base, side: Side::Frame(object) });
        });
    }

    /// Visits everything the context holds; `top` is the end of its innermost frame.
    pub fn trace_words(&self, top: *mut Value, tracer: &mut Tracer<'_>) {
        for v in [&self.handled, &self.variables].into_iter().filter_map(Cell::get) {
            tracer.visit_word(v.bits());
        }
        if let Some(side) = self.side.take() {
            for entry in &side.0 {
                if let Side::Frame(f) = entry.side {
                    tracer.visit_word(f.bits());
                }
            }
            self.side.set(Some(side));
        }
        let (mut chunk, mut top) = (self.chunk.get(), top);
        while !chunk.is_null() {
            // SAFETY: a chunk's words can all be read; `top` lies in the innermost chunk.
            unsafe {
                let start = chunk.cast::<u64>().add(CHUNK_HEAD);
                let end = chunk.cast::<u64>().add((*chunk).size);
                let top_word = top.cast::<u64>().clamp(start, end);
                tracer.visit_conservative(start, top_word.offset_from(start) as usize);
                chunk = (*chunk).previous;
                if !chunk.is_null() {
                    top = chunk.cast::<Value>().add((*chunk).size);
                }
            }
        }
    }
}

/// Free chunks by size, for reuse while they are warm.
pub struct ChunkPool {
    classes: [RefCell<Vec<*mut Chunk>>; CLASSES],
    /// Where the smallest come from: there are as many as microthreads.
    smallest: Blocks<{ FIRST_CHUNK * 8 }>,
    /// Of all chunks there are, those kept for later included.
    bytes: Cell<usize>,
}

/// Sizes are `FIRST_CHUNK << class`; others are not kept.
const CLASSES: usize = 12;
/// Words of the largest chunk that is emptied when it is given back.
const CLEARED: usize = FIRST_CHUNK << 3;
/// Bytes kept of one size at most; at least one chunk.
const KEEP_BYTES: usize = 2 << 20;

impl Default for ChunkPool {
    fn default() -> ChunkPool {
        ChunkPool {
            classes: [const { RefCell::new(Vec::new()) }; CLASSES],
            smallest: Blocks::default(),
            bytes: Cell::new(0),
        }
    }
}

fn chunk_layout(words: usize) -> Option<std::alloc::Layout> {
    std::alloc::Layout::from_size_align(words.checked_mul(8)?, 16).ok()
}

fn class_of(words: usize) -> Option<usize> {
    let class = (words / FIRST_CHUNK).checked_ilog2()? as usize;
    (class < CLASSES && FIRST_CHUNK << class == words).then_some(class)
}

impl ChunkPool {
    #[inline]
    fn take(&self, words: usize) -> Result<*mut Chunk, NoMemory> {
        if let Some(class) = class_of(words)
            && let Some(chunk) = self.classes[class].borrow_mut().pop()
        {
            return Ok(chunk);
        }
        let layout = chunk_layout(words).ok_or(NoMemory)?;
        let p = if words == FIRST_CHUNK {
            self.smallest.take()
        } else {
            // SAFETY: the size is not 0. Zeroed, so that the collector never reads uninitialised words.
            unsafe { std::alloc::alloc_zeroed(layout) }
        };
        if p.is_null() {
            return Err(NoMemory);
        }
        self.bytes.set(self.bytes.get() + layout.size());
        Ok(p.cast())
    }

    /// Memory of all chunks.
    pub fn bytes(&self) -> usize {
        self.bytes.get()
    }

    #[inline]
    fn give(&self, chunk: *mut Chunk, words: usize) {
        if words <= CLEARED {
            // What a microthread leaves behind would be kept alive by the stale words of the next one: in a million of them that
            // is much. Large chunks are few, and come and go where a stack is just as deep as a chunk.
            // SAFETY: the chunk has so many words, and nobody uses it.
            unsafe { chunk.cast::<u64>().write_bytes(0, words) };
        }
        if let Some(class) = class_of(words) {
            let mut free = self.classes[class].borrow_mut();
            if free.len() * words * 8 < KEEP_BYTES {
                return free.push(chunk);
            }
        }
        if let Some(layout) = chunk_layout(words) {
            self.bytes.set(self.bytes.get() - layout.size());
            // SAFETY: made by `take`, there or with this layout.
            unsafe {
                if words == FIRST_CHUNK {
                    self.smallest.give(chunk.cast());
                } else {
                    std::alloc::dealloc(chunk.cast(), layout);
                }
            }
        }
    }
}

impl Drop for ChunkPool {
    fn drop(&mut self) {
        // The smallest go with their blocks.
        for (class, free) in self.classes.iter().enumerate().skip(1) {
            for chunk in free.take() {
                if let Some(layout) = chunk_layout(FIRST_CHUNK << class) {
                    // SAFETY: as in `give`.
                    unsafe { std::alloc::dealloc(chunk.cast(), layout) };
                }
            }
        }
    }
}
