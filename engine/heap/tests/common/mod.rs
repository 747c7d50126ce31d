//! An object model for tests and benches.
//!
//! ```text
//!  | header | id | n | n words |
//! ```
#![allow(dead_code, reason = "each test file uses the part of it that it needs")]

use skein_heap::{Allocation, CollectKind, CollectStats, Header, Heap, ObjectModel, Tracer};
use std::cell::{Cell, RefCell};

/// Kinds of objects: what their words are. Blobs need no finalizer, even if registered for one.
pub const BLOB: u8 = 0;
/// Values, traced one by one.
pub const NODE: u8 = 1;
/// Values, given as one array.
pub const ARRAY: u8 = 2;
/// Weak references.
pub const WEAK: u8 = 3;
/// A `Box<u64>`, then values.
pub const OWNER: u8 = 4;
/// Anything, pointers into objects included.
pub const CONTEXT: u8 = 5;

pub const WORDS: usize = 24;

thread_local! {
    /// The ids of the owners that died.
    pub static DIED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

#[repr(C)]
pub struct Object {
    pub header: Header,
    pub id: Cell<u64>,
    pub n: Cell<u64>,
}

impl Object {
    /// # Safety
    /// There is an object at `addr`.
    pub unsafe fn at<'a>(addr: usize) -> &'a Object {
        // SAFETY: by the caller's promise; objects do not move.
        unsafe { &*(addr as *const Object) }
    }

    pub fn words(&self) -> &[Cell<u64>] {
        let first = (&raw const *self).wrapping_byte_add(WORDS);
        // SAFETY: `n` words follow the fixed part.
        unsafe { std::slice::from_raw_parts(first.cast(), self.n.get() as usize) }
    }

    pub fn head(&self) -> *const Header {
        &raw const self.header
    }
}

pub struct Model;

// SAFETY: every reference in an object is visited, and sizes never change.
unsafe impl ObjectModel for Model {
    unsafe fn size(obj: *const Header) -> usize {
        // SAFETY: `obj` is an object.
        WORDS + 8 * unsafe { Object::at(obj as usize) }.n.get() as usize
    }

    unsafe fn trace(obj: *const Header, tracer: &mut Tracer<'_, Self>) {
        // SAFETY: `obj` is an object.
        let object = unsafe { Object::at(obj as usize) };
        let words = object.words();
        match object.header.kind.get() {
            NODE | ARRAY => words.iter().for_each(|word| tracer.visit_word(word.get())),
            OWNER => words[1..].iter().for_each(|word| tracer.visit_word(word.get())),
            // SAFETY: the words are the object's.
            CONTEXT => unsafe { tracer.visit_conservative(words.as_ptr().cast(), words.len()) },
            _ => {}
        }
    }

    unsafe fn value_array(obj: *const Header) -> Option<(usize, usize)> {
        // SAFETY: `obj` is an object.
        let object = unsafe { Object::at(obj as usize) };
        (object.header.kind.get() == ARRAY).then_some((WORDS, object.n.get() as usize))
    }

    unsafe fn needs_finalizer(obj: *const Header) -> bool {
        // SAFETY: `obj` is an object.
        unsafe { Object::at(obj as usize) }.header.kind.get() != BLOB
    }

    unsafe fn drop_external(obj: *mut Header) {
        // SAFETY: `obj` is an owner.
        let object = unsafe { Object::at(obj as usize) };
        assert_eq!(object.header.kind.get(), OWNER);
        // SAFETY: the first word of an owner came from `Box::into_raw`.
        let external = unsafe { Box::from_raw(object.words()[0].get() as *mut u64) };
        assert_eq!(*external, object.id.get());
        DIED.with_borrow_mut(|died| died.push(*external));
    }

    unsafe fn clear_weak(obj: *mut Header, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        // SAFETY: `obj` is a weak container.
        let object = unsafe { Object::at(obj as usize) };
        assert_eq!(object.header.kind.get(), WEAK);
        let mut cleared = false;
        for word in object.words() {
            if word.get() != 0 && !is_live(word.get() as *const Header) {
                word.set(0);
                cleared = true;
            }
        }
        cleared && object.id.get().is_multiple_of(2)
    }
}

/// Writes a new object's fixed part.
///
/// # Safety
/// `head` was just allocated with room for `n` words.
pub unsafe fn init(head: *mut Header, kind: u8, id: u64, n: usize) -> usize {
    // SAFETY: by the caller's promise.
    let object = unsafe { Object::at(head as usize) };
    for at in (0..WORDS + 8 * n).step_by(8) {
        // SAFETY: by the caller's promise.
        assert_eq!(unsafe { *head.byte_add(at).cast::<u64>() }, 0, "not zeroed");
    }
    object.header.kind.set(kind);
    object.header.shape.set(id as u32);
    object.id.set(id);
    object.n.set(n as u64);
    head as usize
}

/// A heap with precise roots.
pub struct World {
    pub heap: Heap<Model>,
    pub roots: RefCell<Vec<u64>>,
    /// Conservative roots.
    pub words: RefCell<Vec<u64>>,
}

impl World {
    pub fn new(config: skein_heap::HeapConfig) -> World {
        World { heap: Heap::new(config).unwrap(), roots: RefCell::default(), words: RefCell::default() }
    }

    pub fn collect(&self, kind: CollectKind) -> CollectStats {
        // SAFETY: the tests keep to the rules.
        unsafe {
            self.heap.collect(kind, &mut |tracer| {
                for word in self.roots.borrow().iter() {
                    tracer.visit_word(*word);
                }
                let words = self.words.borrow();
                tracer.visit_conservative(words.as_ptr(), words.len());
            })
        }
    }

    /// The kind that the heap asks for.
    pub fn due(&self) -> CollectKind {
        if self.heap.should_be_major() { CollectKind::Major } else { CollectKind::Minor }
    }

    /// Allocates, with `collect` when the heap says so; none if out of memory.
    pub fn try_alloc(
        &self,
        kind: u8,
        id: u64,
        n: usize,
        mut collect: impl FnMut(CollectKind),
    ) -> Option<usize> {
        let size = WORDS + 8 * n;
        let mut head = self.heap.alloc_fast(size);
        let mut after = false;
        while head.is_null() {
            match self.heap.alloc_slow(size, after) {
                Allocation::Ok(new) => head = new,
                Allocation::OutOfMemory => return None,
                Allocation::NeedsCollection => {
                    collect(self.due());
                    after = true;
                }
            }
        }
        // SAFETY: just allocated.
        Some(unsafe { init(head, kind, id, n) })
    }

    pub fn alloc(&self, kind: u8, id: u64, n: usize) -> usize {
        let collect = |kind| {
            self.collect(kind);
        };
        self.try_alloc(kind, id, n, collect).unwrap()
    }

    pub fn object(&self, addr: usize) -> &Object {
        assert!(self.heap.contains(addr));
        // SAFETY: the tests pass objects.
        unsafe { Object::at(addr) }
    }

    /// Stores with a write barrier.
    pub fn store(&self, addr: usize, index: usize, word: u64) {
        let object = self.object(addr);
        let slot = &object.words()[index];
        slot.set(word);
        if object.header.kind.get() == ARRAY {
            self.heap.write_barrier_array(object.head(), slot.as_ptr());
        } else {
            self.heap.write_barrier(object.head());
        }
    }

    pub fn ids(&self) -> Vec<u64> {
        let mut ids = Vec::new();
        self.heap.for_each_object(&mut |obj| ids.push(self.object(obj as usize).id.get()));
        ids.sort_unstable();
        ids
    }
}
