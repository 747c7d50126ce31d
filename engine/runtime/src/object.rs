//! Heap objects: typed references, the table of layouts, and how the collector sees them.

use crate::value::Value;
use crate::vm::Vm;
use skein_heap::ObjectModel;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

pub use skein_heap::Header;

/// What receives references while the heap is traced.
pub type Tracer<'a> = skein_heap::Tracer<'a, Model>;

/// A struct that lies in the heap: `#[repr(C)]` with a [`Header`] first.
///
/// # Safety
/// The layout is as said, `is` is true only for objects of this layout, `size` is what was asked of
/// the allocator and `trace` visits every reference. All fields are valid when zeroed.
pub unsafe trait Object: 'static {
    /// The layout's number.
    const KIND: Kind;
    /// Is this an object of this layout?
    #[inline(always)]
    fn is(header: &Header) -> bool {
        header.kind.get() == Self::KIND as u8
    }
    /// Bytes without the trailing attribute word.
    fn size(&self) -> usize;
    /// Visits all references but the trailing attribute word.
    fn trace(&self, tracer: &mut Tracer<'_>);
    /// Is it still to be finalized, now that nothing leads to it? Asked of registered objects.
    fn needs_finalizer(&self) -> bool {
        true
    }
    /// Releases memory outside of the heap; called if registered for it.
    fn drop_external(&mut self) {}
    /// Drops references to dead objects; called if registered for it. True: has callbacks to run.
    fn clear_weak(&self, _is_live: &dyn Fn(*const Header) -> bool) -> bool {
        false
    }
    /// For layouts that are one array of values: its offset and length in words.
    fn value_array(&self) -> Option<(usize, usize)> {
        None
    }
}

/// A reference to a heap object of a known layout. Copy; kept alive by being reachable, where the
/// native stack counts as reachable (it is scanned conservatively) but a `Box` or `Vec` does not.
#[repr(transparent)]
pub struct Ref<T>(NonNull<T>);

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Ref<T> {}
impl<T> PartialEq for Ref<T> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Ref<T> {}

impl<T: Object> Ref<T> {
    /// # Safety
    /// The header is that of a live object of layout `T`.
    #[inline(always)]
    pub const unsafe fn from_header(header: *const Header) -> Ref<T> {
        // SAFETY: addresses of objects are not null.
        Ref(unsafe { NonNull::new_unchecked(header as *mut T) })
    }

    #[inline(always)]
    pub fn header(self) -> &'static Header {
        // SAFETY: every object begins with its header; see the type's head for its life.
        unsafe { &*self.0.as_ptr().cast::<Header>() }
    }

    #[inline(always)]
    pub fn value(self) -> Value {
        // SAFETY: objects are aligned to 16 bytes, so the address is a pointer word.
        unsafe { Value::from_bits(self.0.as_ptr() as u64) }
    }

    #[inline(always)]
    pub fn as_ptr(self) -> *mut T {
        self.0.as_ptr()
    }

    /// Must be called before a reference is stored into the object, unless it was allocated since
    /// the last allocation or call.
    #[inline(always)]
    pub fn barrier(self, vm: &Vm) {
        vm.heap.write_barrier(self.header());
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: see the type's head.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Object> From<Ref<T>> for Value {
    #[inline(always)]
    fn from(r: Ref<T>) -> Value {
        r.value()
    }
}

impl<T> std::fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ref({:p})", self.0)
    }
}

/// A slot of an object that holds a value, or nothing.
#[repr(transparent)]
pub struct Field(Cell<Option<Value>>);

impl Field {
    /// A slot of a struct that is about to be moved into a fresh object.
    #[inline(always)]
    pub const fn new(v: Option<Value>) -> Field {
        Field(Cell::new(v))
    }

    #[inline(always)]
    pub fn get(&self) -> Option<Value> {
        self.0.get()
    }

    /// The value of a slot that is always set.
    #[inline(always)]
    pub fn value(&self) -> Value {
        debug_assert!(self.0.get().is_some());
        self.0.get().unwrap_or(Value::NONE)
    }

    /// The value, or Python's None.
    #[inline(always)]
    pub fn or_none(&self) -> Value {
        self.0.get().unwrap_or(Value::NONE)
    }

    /// The object in the slot, if it is of that layout.
    #[inline(always)]
    pub fn cast<T: Object>(&self) -> Option<Ref<T>> {
        self.0.get().and_then(Value::cast)
    }

    /// Stores with the write barrier of the object that the slot lies in.
    #[inline(always)]
    pub fn set<T: Object>(&self, vm: &Vm, owner: Ref<T>, v: impl Into<Option<Value>>) {
        owner.barrier(vm);
        self.0.set(v.into());
    }

    /// Stores without a barrier: into an object allocated just now, or a value that is no pointer.
    #[inline(always)]
    pub fn init(&self, v: impl Into<Option<Value>>) {
        self.0.set(v.into());
    }

    #[inline(always)]
    pub fn trace(&self, tracer: &mut Tracer<'_>) {
        if let Some(v) = self.0.get() {
            tracer.visit_word(v.bits());
        }
    }
}

/// Bit of `Header::bits`: a word with the attribute dictionary follows the payload. Set on
/// instances of Python subclasses of builtin types.
pub const HAS_DICT_WORD: u16 = 1 << 15;

/// Bytes of an object rounded to words.
const fn words(n: usize) -> usize {
    (n + 7) & !7
}

macro_rules! kinds {
    ($($kind:ident => $ty:ty;)*) => {
        /// Memory layout of a heap object; `Header::kind`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind { $($kind),* }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),*];
        }

        const KINDS: &[KindFns] = &[$(KindFns::of::<$ty>()),*];
        $(const _: () = assert!(matches!(<$ty as Object>::KIND, Kind::$kind));)*
    };
}

/// The collector's functions of one layout.
struct KindFns {
    size: unsafe fn(*const Header) -> usize,
    trace: unsafe fn(*const Header, &mut Tracer<'_>),
    needs_finalizer: unsafe fn(*const Header) -> bool,
    drop_external: unsafe fn(*mut Header),
    clear_weak: unsafe fn(*const Header, &dyn Fn(*const Header) -> bool) -> bool,
    value_array: unsafe fn(*const Header) -> Option<(usize, usize)>,
}

impl KindFns {
    const fn of<T: Object>() -> KindFns {
        // SAFETY (all): called by the collector through the table with an object of this layout.
        unsafe fn size<T: Object>(h: *const Header) -> usize {
            words(unsafe { &*h.cast::<T>() }.size())
        }
        unsafe fn trace<T: Object>(h: *const Header, t: &mut Tracer<'_>) {
            unsafe { &*h.cast::<T>() }.trace(t);
        }
        unsafe fn needs_finalizer<T: Object>(h: *const Header) -> bool {
            unsafe { &*h.cast::<T>() }.needs_finalizer()
        }
        unsafe fn drop_external<T: Object>(h: *mut Header) {
            unsafe { &mut *h.cast::<T>() }.drop_external();
        }
        unsafe fn clear_weak<T: Object>(h: *const Header, live: &dyn Fn(*const Header) -> bool) -> bool {
            unsafe { &*h.cast::<T>() }.clear_weak(live)
        }
        unsafe fn value_array<T: Object>(h: *const Header) -> Option<(usize, usize)> {
            unsafe { &*h.cast::<T>() }.value_array()
        }
        KindFns {
            size: size::<T>,
            trace: trace::<T>,
            needs_finalizer: needs_finalizer::<T>,
            drop_external: drop_external::<T>,
            clear_weak: clear_weak::<T>,
            value_array: value_array::<T>,
        }
    }
}

use crate::types as t;
kinds! {
    Instance => t::instance::Instance;
    Values => t::instance::Values;
    Raw => t::instance::Raw;
    Type => t::typeobj::Type;
    Float => t::float::Float;
    Int => t::int::BigInt;
    Complex => t::complex::Complex;
    Str => t::str::Str;
    Bytes => t::bytes::Bytes;
    ByteArray => t::bytes::ByteArray;
    Tuple => t::tuple::Tuple;
    List => t::list::List;
    Dict => t::dict::Dict;
    DictEntries => t::table::Entries;
    DictView => t::dictview::DictView;
    DictIter => t::dictview::DictIter;
    MappingProxy => t::mappingproxy::MappingProxy;
    Set => t::set::Set;
    Range => t::range::Range;
    RangeIter => t::range::RangeIter;
    SeqIter => t::seqiter::SeqIter;
    Slice => t::slice::Slice;
    Function => t::function::Function;
    BoundMethod => t::function::BoundMethod;
    Native => t::native::NativeFunction;
    GetSet => t::descriptor::GetSet;
    Member => t::descriptor::Member;
    Property => t::descriptor::Property;
    Wrapper => t::descriptor::Wrapper;
    Super => t::descriptor::Super;
    Code => t::code::CodeObject;
    Cell => t::cell::CellObject;
    Module => t::module::Module;
    Exception => t::exception::Exception;
    Traceback => t::traceback::Traceback;
    Frame => t::frame::FrameObject;
    Generator => t::generator::Generator;
    Ext => t::ext::ExtObject;
}

impl Kind {
    /// Does CPython's collector know objects of this layout?
    pub fn is_container(kind: u8) -> bool {
        use Kind::*;
        [
            Instance,
            Type,
            Tuple,
            List,
            Dict,
            DictView,
            DictIter,
            MappingProxy,
            Set,
            SeqIter,
            Slice,
            Function,
            BoundMethod,
            Native,
            GetSet,
            Member,
            Property,
            Wrapper,
            Super,
            Cell,
            Module,
            Exception,
            Traceback,
            Frame,
            Generator,
            Ext,
        ]
        .iter()
        .any(|k| *k as u8 == kind)
    }
}

/// The object model that the heap is made for.
pub struct Model(PhantomData<()>);

#[inline(always)]
unsafe fn fns(obj: *const Header) -> &'static KindFns {
    // SAFETY: the header is written, and only with numbers of `Kind`.
    unsafe { KINDS.get_unchecked((*obj).kind.get() as usize) }
}

/// The trailing attribute word of an object that has one.
#[inline]
pub fn dict_word(header: &'static Header) -> Option<&'static Field> {
    if header.kind.get() == Kind::Instance as u8 || header.bits.get() & HAS_DICT_WORD == 0 {
        return None;
    }
    // SAFETY: the word lies behind the payload, in the object.
    unsafe {
        let size = (fns(header).size)(header);
        Some(&*std::ptr::from_ref(header).byte_add(size).cast::<Field>())
    }
}

// SAFETY: the table's functions are those of the layouts; see `Object`.
unsafe impl ObjectModel for Model {
    #[inline]
    unsafe fn size(obj: *const Header) -> usize {
        // SAFETY: an object of the heap. An instance keeps its capacity in `bits`, all others the flag.
        unsafe {
            let size = (fns(obj).size)(obj);
            let extra = (*obj).kind.get() != Kind::Instance as u8 && (*obj).bits.get() & HAS_DICT_WORD != 0;
            size + 8 * extra as usize
        }
    }

    unsafe fn outside(obj: *const Header) -> usize {
        // A Rust struct may hold a microthread's stack or a collection.
        const PAYLOAD: usize = 48;
        // SAFETY: an object of the heap.
        if unsafe { (*obj).kind.get() } == Kind::Ext as u8 { PAYLOAD } else { 0 }
    }

    #[inline]
    unsafe fn trace(obj: *const Header, tracer: &mut Tracer<'_>) {
        // SAFETY: an object of the heap.
        unsafe {
            // An object keeps its class alive. The builtin types, whose shapes come first, live anyway.
            let shapes = &*tracer.context().cast::<crate::shape::ShapeTable>();
            if let Some(ty) = shapes.class_of((*obj).shape.get()) {
                tracer.visit_object(ty.header());
            }
            (fns(obj).trace)(obj, tracer);
            if let Some(word) = dict_word(&*obj) {
                word.trace(tracer);
            }
        }
    }

    unsafe fn value_array(obj: *const Header) -> Option<(usize, usize)> {
        // SAFETY: an object of the heap.
        unsafe { (fns(obj).value_array)(obj) }
    }

    unsafe fn needs_finalizer(obj: *const Header) -> bool {
        // SAFETY: an object of the heap.
        unsafe { (fns(obj).needs_finalizer)(obj) }
    }

    unsafe fn is_container(obj: *const Header) -> bool {
        // SAFETY: an object of the heap. The cells of a namespace are a part of it.
        unsafe { (*obj).kind.get() != Kind::Cell as u8 && Kind::is_container((*obj).kind.get()) }
    }

    unsafe fn leads_to_younger(obj: *const Header) -> bool {
        // SAFETY: an object of the heap.
        unsafe { (*obj).kind.get() == Kind::Generator as u8 }
    }

    unsafe fn drop_external(obj: *mut Header) {
        // SAFETY: an object of the heap.
        unsafe { (fns(obj).drop_external)(obj) }
    }

    unsafe fn clear_weak(obj: *mut Header, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        // SAFETY: an object of the heap.
        unsafe { (fns(obj).clear_weak)(obj, is_live) }
    }
}

/// Implements [`Object`] for a struct of fixed size that is traced by naming its `Field`s.
#[macro_export]
macro_rules! fixed_object {
    ($ty:ident, $kind:ident, [$($field:ident),* $(,)?]) => {
        // SAFETY: repr(C) with the header first; all value slots are named in the list.
        unsafe impl $crate::object::Object for $ty {
            const KIND: $crate::object::Kind = $crate::object::Kind::$kind;
            fn size(&self) -> usize {
                size_of::<$ty>()
            }
            fn trace(&self, _tracer: &mut $crate::object::Tracer<'_>) {
                $(self.$field.trace(_tracer);)*
            }
        }
    };
}
