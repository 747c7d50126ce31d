//! What the heap asks of the world around it: the layout of objects.

use crate::{Header, Tracer};

/// What the heap needs to know of the objects in it. Static: there is no `self`, so that every
/// call is direct and can be inlined.
///
/// # Safety
///
/// All functions are called with the address of an object of this heap whose header is written.
/// An implementation must be truthful: a reference that `trace` leaves out is freed under its owner.
pub unsafe trait ObjectModel: Sized + 'static {
    /// Bytes of the object, header included, as asked of the allocator. Never changes in an
    /// object's life.
    ///
    /// # Safety
    /// `obj` is an object of the heap.
    unsafe fn size(obj: *const Header) -> usize;

    /// Work that `trace` does on memory outside of the object, in bytes: a guess for the pacing of
    /// collections.
    ///
    /// # Safety
    /// `obj` is an object of the heap.
    unsafe fn outside(_obj: *const Header) -> usize {
        0
    }

    /// Visits every strong reference in the object.
    ///
    /// # Safety
    /// `obj` is an object of the heap.
    unsafe fn trace(obj: *const Header, tracer: &mut Tracer<'_, Self>);

    /// For an object whose references are all in one array of plain value words: the byte offset
    /// of the array and its length in words. In the large-object space such an object is traced
    /// by the heap itself, in pieces and by cards, and `trace` is not called on it.
    ///
    /// # Safety
    /// `obj` is an object of the heap.
    unsafe fn value_array(obj: *const Header) -> Option<(usize, usize)>;

    /// An object registered by `register_finalizer` became unreachable: is it to be handed out by
    /// `take_finalizable`? If not, it just dies.
    ///
    /// # Safety
    /// `obj` is an intact but unreachable object of the heap.
    unsafe fn needs_finalizer(obj: *const Header) -> bool;

    /// Does it count when the objects of cycles among the dead are counted ([`crate::Cycles`])?
    ///
    /// # Safety
    /// `obj` is an object of the heap.
    unsafe fn is_container(_obj: *const Header) -> bool {
        true
    }

    /// Was the object made before what it leads to, as a generator before the one that it delegates to? Most are made after it.
    /// Objects that become unreachable together are handed out before what they lead to.
    ///
    /// # Safety
    /// `obj` is an intact but unreachable object of the heap.
    unsafe fn leads_to_younger(_obj: *const Header) -> bool {
        false
    }

    /// An object registered by `register_free_on_death` died: release what it owns outside of the
    /// heap. Must not touch other heap objects, which may be dead as well.
    ///
    /// # Safety
    /// `obj` is an intact but unreachable object of the heap.
    unsafe fn drop_external(obj: *mut Header);

    /// An object registered by `register_weak` survived: drop its weak references to objects of
    /// which `is_live` says no. If true is returned, the heap queues the container for
    /// `take_cleared_weak`, that is, it has callbacks to be run.
    ///
    /// # Safety
    /// `obj` is a live object of the heap.
    unsafe fn clear_weak(obj: *mut Header, is_live: &dyn Fn(*const Header) -> bool) -> bool;
}
