//! Allocation and collection: what the isolate's roots are.

use crate::object::{HAS_DICT_WORD, Header, Kind, Object, Ref, Tracer};
use crate::shape::ShapeId;
use crate::types::generator::REGISTERED;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Raised, Value};
use crate::vm::{Vm, poll};
use skein_heap::{Allocation, CollectKind, CollectStats};

impl Vm {
    /// Memory for an object of `size` bytes, all zero, its header written. MemoryError.
    #[inline(always)]
    pub fn alloc<T: Object>(&self, size: usize, shape: ShapeId) -> R<Ref<T>> {
        let p = self.heap.alloc_fast(size);
        let p = if p.is_null() { self.alloc_slow(size)? } else { p };
        // SAFETY: fresh memory, aligned to 16 bytes.
        unsafe {
            (*p).shape.set(shape);
            (*p).kind.set(T::KIND as u8);
            Ok(Ref::from_header(p))
        }
    }

    /// As [`Vm::alloc`] for a layout of fixed size.
    #[inline(always)]
    pub fn alloc_fixed<T: Object>(&self, shape: ShapeId) -> R<Ref<T>> {
        self.alloc(size_of::<T>(), shape)
    }

    /// As [`Vm::alloc`] for a layout that is known by its number, with the header's `bits`. For compiled code.
    pub fn alloc_kind(&self, size: usize, shape: ShapeId, kind: u8, bits: u16) -> R<*const Header> {
        let p = self.heap.alloc_fast(size);
        let p = if p.is_null() { self.alloc_slow(size)? } else { p };
        // SAFETY: fresh memory, aligned to 16 bytes.
        unsafe {
            (*p).shape.set(shape);
            (*p).kind.set(kind);
            (*p).bits.set(bits);
        }
        if kind == Kind::Generator as u8 && bits & REGISTERED != 0 {
            self.heap.register_finalizer(p);
        }
        Ok(p)
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&self, size: usize) -> R<*mut Header> {
        let p = self.alloc_unseen(size)?;
        if let Some(seen) = self.allocation_watcher.get() {
            seen(self, p, size);
        }
        Ok(p)
    }

    /// Calls a function for each object that is allocated from now on, with its place, which has no header yet, and its
    /// size. The function allocates nothing.
    pub fn watch_allocations(&self, watcher: Option<fn(&Vm, *const Header, usize)>) {
        self.allocation_watcher.set(watcher);
        self.heap.set_watched(watcher.is_some());
    }

    fn alloc_unseen(&self, size: usize) -> R<*mut Header> {
        // A loop that fills much memory looks for signals as soon as one of as much other work.
        const LARGE: usize = 1 << 16;
        if size >= LARGE {
            self.ticks.set(self.ticks.get().saturating_sub(size as i64 >> 10).max(1));
        }
        match self.heap.alloc_slow(size, false) {
            Allocation::Ok(p) => return Ok(p),
            Allocation::OutOfMemory => return Err(self.memory_error()),
            Allocation::NeedsCollection => {}
        }
        let kind = if self.heap.should_be_major() { CollectKind::Major } else { CollectKind::Minor };
        self.collect(kind);
        if let Allocation::Ok(p) = self.heap.alloc_slow(size, true) {
            return Ok(p);
        }
        self.collect(CollectKind::Major);
        match self.heap.alloc_slow(size, true) {
            Allocation::Ok(p) => Ok(p),
            _ => Err(self.memory_error()),
        }
    }

    /// Collects if so many old objects were stored to that the pause would grow too long. Loops that
    /// store without allocating ask at their back edges.
    pub fn collect_if_logged(&self) {
        if self.heap.log_is_due() {
            let major = self.heap.should_be_major();
            self.collect(if major { CollectKind::Major } else { CollectKind::Minor });
        }
    }

    /// An empty vector with room for `n` items, a number that the program chose. MemoryError.
    pub fn buffer<T>(&self, n: usize) -> R<Vec<T>> {
        let Some(bytes) = n.checked_mul(size_of::<T>()).filter(|&n| n <= isize::MAX as usize) else {
            return Err(self.memory_error());
        };
        if !self.heap.external_fits(bytes) {
            self.check_room(bytes)?;
        }
        let mut buffer = Vec::new();
        match buffer.try_reserve_exact(n) {
            Ok(()) => Ok(buffer),
            Err(_) => Err(self.memory_error()),
        }
    }

    /// A vector of `n` times the same, a number that the program chose. MemoryError.
    pub fn filled<T: Clone>(&self, item: T, n: usize) -> R<Vec<T>> {
        let mut all = self.buffer(n)?;
        all.resize(n, item);
        Ok(all)
    }

    /// A copy of a row. MemoryError.
    pub fn copied<T: Copy>(&self, row: &[T]) -> R<Vec<T>> {
        let mut all = self.buffer(row.len())?;
        all.extend_from_slice(row);
        Ok(all)
    }

    /// All that an iterator gives. MemoryError.
    pub fn collected<T>(&self, items: impl IntoIterator<Item = T>) -> R<Vec<T>> {
        let items = items.into_iter();
        let mut all = self.buffer(items.size_hint().0)?;
        for item in items {
            self.push(&mut all, item)?;
        }
        Ok(all)
    }

    /// Room for `n` more items. MemoryError.
    #[inline]
    pub fn grow<T>(&self, all: &mut Vec<T>, n: usize) -> R<()> {
        if all.capacity() - all.len() >= n { Ok(()) } else { self.grow_slow(all, n) }
    }

    #[cold]
    #[inline(never)]
    fn grow_slow<T>(&self, all: &mut Vec<T>, n: usize) -> R<()> {
        let more = all.len().max(n).saturating_mul(size_of::<T>());
        let fits = self.heap.external_fits(more) || self.check_room(more).is_ok();
        // Twice as much as there was if possible, else what is needed.
        if fits && (all.try_reserve(n).is_ok() || all.try_reserve_exact(n).is_ok()) {
            return Ok(());
        }
        Err(self.memory_error())
    }

    /// Appends one item. MemoryError.
    #[inline]
    pub fn push<T>(&self, all: &mut Vec<T>, item: T) -> R<()> {
        self.grow(all, 1)?;
        all.push(item);
        Ok(())
    }

    /// Appends bytes. MemoryError.
    #[inline]
    pub fn put(&self, all: &mut Vec<u8>, bytes: &[u8]) -> R<()> {
        self.grow(all, bytes.len())?;
        all.extend_from_slice(bytes);
        Ok(())
    }

    /// An empty string with room for `n` bytes. MemoryError.
    pub fn text_buffer(&self, n: usize) -> R<String> {
        // An empty vector is UTF-8.
        Ok(String::from_utf8(self.buffer(n)?).unwrap_or_default())
    }

    /// MemoryError unless so many bytes outside of the heap are to be had. To be asked before Rust's
    /// own containers grow to a size that the program chose: they end the process where memory is short.
    #[inline]
    pub fn check_room(&self, bytes: usize) -> R<()> {
        const ALWAYS: usize = 1 << 20;
        if bytes <= ALWAYS { Ok(()) } else { self.find_room(bytes) }
    }

    #[cold]
    fn find_room(&self, bytes: usize) -> R<()> {
        if !self.heap.external_fits(bytes) {
            self.collect(CollectKind::Major);
        }
        if !self.heap.external_fits(bytes) || Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
            return Err(self.memory_error());
        }
        Ok(())
    }

    /// Shape of the arrays that Python code never sees.
    #[inline(always)]
    pub fn internal_shape(&self) -> ShapeId {
        0
    }

    /// Bytes to add for the dictionary of attributes or slots of an instance of a builtin layout.
    pub fn dict_word_size(&self, ty: Ref<Type>) -> usize {
        const EITHER: u32 = type_flags::HAS_DICT | type_flags::SLOT_WORD;
        8 * usize::from(ty.flags.get() & EITHER != 0 && ty.has_builtin_layout())
    }

    /// Notes in a fresh object of a builtin layout that it has the word of [`Vm::dict_word_size`], and a finalizer that
    /// its class defines.
    pub fn mark_instance(&self, header: &Header, ty: Ref<Type>) {
        if ty.has_flag(type_flags::HAS_DEL) {
            self.heap.register_finalizer(header);
        }
        if self.dict_word_size(ty) > 0 {
            header.bits.set(header.bits.get() | HAS_DICT_WORD);
        }
    }

    /// The object's own type has a finalizer. One of a class that defines another one as well is registered already.
    pub fn finalize_later(&self, header: &Header) {
        if !self.shapes.get(header.shape.get()).ty.get().has_flag(type_flags::HAS_DEL) {
            self.heap.register_finalizer(header);
        }
    }

    /// The shape of fresh instances of `ty`, which may be any type that a program hands to a `__new__`: it must be
    /// one of this layout. TypeError.
    #[inline]
    pub fn instance_shape<T: Object>(&self, ty: Ref<Type>) -> R<ShapeId> {
        if ty.instance_kind() == T::KIND as u8 {
            Ok(ty.root_shape_id())
        } else {
            Err(self.not_of_layout(ty, T::KIND))
        }
    }

    #[cold]
    fn not_of_layout(&self, ty: Ref<Type>, kind: Kind) -> Raised {
        let (base, name) = (self.kind_name(kind), ty.message_name());
        self.type_error(format!("{base}.__new__({name}): {name} is not a subtype of {base}"))
    }

    /// An instance of `ty` of a fixed-size builtin layout, with room for its dictionary. MemoryError.
    pub fn alloc_instance<T: Object>(&self, ty: Ref<Type>) -> R<Ref<T>> {
        let r = self.alloc::<T>(size_of::<T>() + self.dict_word_size(ty), self.instance_shape::<T>(ty)?)?;
        self.mark_instance(r.header(), ty);
        Ok(r)
    }

    /// As [`Vm::collect`], but what a program cannot reach any more is not kept by stale registers.
    pub fn collect_thoroughly(&self, kind: CollectKind) -> CollectStats {
        crate::interp::clear_dead_registers(self);
        skein_heap::clear_stack_below();
        self.heap.set_thorough(true);
        let stats = self.collect(kind);
        self.heap.set_thorough(false);
        stats
    }

    /// Runs a collection; finalizers and callbacks run at the next safepoint.
    pub fn collect(&self, kind: CollectKind) -> CollectStats {
        let mut stats = None;
        skein_heap::with_native_stack(&mut |sp| {
            let mut roots = |t: &mut Tracer<'_>| self.trace_roots(sp, t);
            // SAFETY: all roots are visited: the tables here, the native stack in use, the current
            // context's registers up to its published top; other contexts through their owners.
            stats = Some(unsafe { self.heap.collect(kind, &mut roots) });
        });
        let Some(stats) = stats else { unreachable!("with_native_stack calls its argument") };
        // What is dead is no object any more.
        let all = stats.finished_major();
        self.events.sweep(all, |code| self.heap.survived(code.header()));
        self.interned.borrow_mut().sweep(all, |s| self.heap.survived(s.header()));
        self.weak_refs.borrow_mut().sweep(all, |v| v.header().is_none_or(|h| self.heap.survived(h)));
        if all {
            self.hooks.tier().sweep(&|v: Value| v.header().is_none_or(|h| self.heap.survived(h)));
            self.shapes.forget_dead(|ty| self.heap.survived(ty.header()));
        }
        self.attributes.forget();
        for row in &self.method_cache {
            row.clear();
        }
        self.request(poll::FINALIZE);
        self.note_pause(&stats);
        stats
    }

    fn trace_roots(&self, sp: *const u64, t: &mut Tracer<'_>) {
        self.types.trace(t);
        self.exc.trace(t);
        self.names.trace(t);
        self.known.trace(t);
        for s in &self.special_names {
            t.visit_object(s.header());
        }
        self.shapes.for_each_name(t.is_major(), |name| t.visit_object(name.header()));
        let single = [
            self.pending.get(),
            self.empty_tuple.get().map(Value::from),
            self.builtins.get().map(Value::from),
            self.modules.get().map(Value::from),
            self.sys_dict.get().map(Value::from),
            self.audit_hooks.get().map(Value::from),
            self.memory_error.get(),
            self.pauses.callbacks.get().map(Value::from),
            self.pauses.garbage.get().map(Value::from),
            self.pauses.frozen.get().map(Value::from),
        ];
        for v in single.into_iter().flatten() {
            t.visit_word(v.bits());
        }
        for list in [&self.roots, &self.latin1, &self.repr_stack] {
            for v in list.borrow().iter() {
                t.visit_word(v.bits());
            }
        }
        self.events.trace(t);
        self.hooks.tier().trace(t);
        for f in self.root_tracers.borrow().iter() {
            f(self, t);
        }
        self.switcher().trace(t);
        self.threads.trace(t);
        self.context().trace_words(self.stack_top(), t);
        if !std::ptr::eq(self.context(), self.main_context()) {
            Vm::trace_suspended(self.main_context(), t);
        }
        t.go_on_doubtful();
        let base = self.native_base.get() as *const u64;
        if sp < base {
            // SAFETY: the native stack in use, from its present end to its beginning.
            unsafe { t.visit_conservative(sp, base.offset_from(sp) as usize) };
        }
    }

    /// Visits a context that does not run now.
    pub fn trace_suspended(ctx: &crate::context::Context, t: &mut Tracer<'_>) {
        Vm::trace_standing(ctx, ctx.base.get(), t);
    }

    /// Visits a context whose innermost frame is at `base`.
    pub(crate) fn trace_standing(ctx: &crate::context::Context, base: *mut Value, t: &mut Tracer<'_>) {
        if !ctx.is_released() {
            ctx.trace_words(Vm::top_of(ctx, base), t);
        }
    }

    /// End of the registers of the running frame: where the next one is pushed.
    #[inline]
    pub fn stack_top(&self) -> *mut Value {
        Vm::top_of(self.context(), self.frame.base.get())
    }

    fn top_of(ctx: &crate::context::Context, base: *mut Value) -> *mut Value {
        if base.is_null() {
            return ctx.chunk_start();
        }
        // SAFETY: `base` is a frame's, so its code is in place.
        unsafe { base.byte_add(crate::interp::frame_code(base).exec().frame_bytes as usize) }
    }

    /// A register's word as a value, if it is one: stale words are not.
    pub fn value_of_register(&self, word: u64) -> Option<Value> {
        if word == 0 {
            return None;
        }
        if word & 7 == 0 {
            let object = self.heap.resolve(word)?;
            if object as u64 != word {
                return None;
            }
            // SAFETY: resolved to a live object.
            if unsafe { (*object).kind.get() } as usize >= Kind::ALL.len() {
                return None;
            }
        }
        // SAFETY: an immediate, or the address of a live object.
        Some(unsafe { Value::from_bits(word) })
    }
}
