//! Shapes: what an object's type is and which attributes its slots hold.
//!
//! Every object's header names a shape. Instances of Python classes walk a tree of shapes as they
//! gain attributes: the path from the type's root shape gives the slots' names in order. A guard on
//! the shape's id therefore proves the type and the place of each attribute at once.
//!
//! Slot `i` of an instance lies inline if `i < inline_cap`, else in the overflow array.
//!
//! **Invariant:** shape ids are never reused, so that a cache that names one can only miss.

use crate::object::Ref;
use crate::types::str::Str;
use crate::types::typeobj::Type;
use std::cell::{Cell, RefCell, UnsafeCell};

/// Id of a shape; `Header::shape`.
pub type ShapeId = u32;

/// More attributes than this, and an instance goes over to a dictionary.
pub const MAX_SLOTS: usize = 64;

/// One shape. Lives as long as its type: what has it from the table must not keep it over a collection.
pub struct Shape {
    pub id: ShapeId,
    pub ty: Cell<Ref<Type>>,
    /// Slots inside the instance itself.
    pub inline_cap: u16,
    /// Attributes are in a dictionary, which the overflow field names, not in slots.
    pub is_dict: bool,
    /// Names of the slots; `__slots__` first.
    pub names: Box<[Ref<Str>]>,
    /// Shapes with one attribute more.
    transitions: RefCell<Vec<(Ref<Str>, ShapeId)>>,
    /// Shapes with one attribute less.
    removals: RefCell<Vec<(Ref<Str>, ShapeId)>>,
    /// Of a root: how many removals there are of its class.
    removed: Cell<usize>,
}

impl Shape {
    /// Slot of an attribute. Names are interned, so that addresses can be compared.
    #[inline]
    pub fn slot(&self, name: Ref<Str>) -> Option<usize> {
        self.names.iter().position(|&n| n == name)
    }
}

/// Removals of a class from which on its instances go over to a dictionary: who adds and removes attributes in any
/// order would come by all their orders.
const MAX_REMOVALS: usize = 32;

/// All shapes of an isolate.
#[derive(Default)]
pub struct ShapeTable {
    shapes: UnsafeCell<Vec<&'static Shape>>,
    /// The shapes before this one are those of builtin types.
    first: Cell<ShapeId>,
    /// Shapes whose names a collection has visited: these are old.
    traced: Cell<usize>,
}

impl Drop for ShapeTable {
    fn drop(&mut self) {
        let shapes = std::mem::take(self.shapes.get_mut());
        let none = shapes.first().copied();
        for (i, shape) in shapes.into_iter().enumerate() {
            if i == 0 || !none.is_some_and(|none| std::ptr::eq(shape, none)) {
                // SAFETY: leaked by `add`; with the isolate goes all that could look at it.
                drop(unsafe { Box::from_raw(std::ptr::from_ref(shape).cast_mut()) });
            }
        }
    }
}

impl ShapeTable {
    /// The shape with this id.
    #[inline(always)]
    pub fn get(&self, id: ShapeId) -> &'static Shape {
        // SAFETY: ids come from `add` only, and shapes are never removed; no `&mut` to the vector
        // lives longer than `add`.
        unsafe {
            let shapes: &Vec<&'static Shape> = &*self.shapes.get();
            shapes.get_unchecked(id as usize)
        }
    }

    fn add(&self, make: impl FnOnce(ShapeId) -> Shape) -> &'static Shape {
        // SAFETY: single-threaded, and `make` only builds a struct.
        let shapes = unsafe { &mut *self.shapes.get() };
        let shape: &'static Shape = Box::leak(Box::new(make(shapes.len() as ShapeId)));
        shapes.push(shape);
        shape
    }

    /// A root shape: the first slots are those of `__slots__`.
    pub fn add_root(
        &self,
        ty: Ref<Type>,
        inline_cap: u16,
        is_dict: bool,
        names: Box<[Ref<Str>]>,
    ) -> &'static Shape {
        self.add(|id| Shape {
            id,
            ty: Cell::new(ty),
            inline_cap,
            is_dict,
            names,
            transitions: RefCell::default(),
            removals: RefCell::default(),
            removed: Cell::new(0),
        })
    }

    /// The shape with one attribute more, or None where a dictionary is due.
    pub fn with_attr(&self, from: &'static Shape, name: Ref<Str>) -> Option<&'static Shape> {
        if let Some(&(_, id)) = from.transitions.borrow().iter().find(|(n, _)| *n == name) {
            return Some(self.get(id));
        }
        if from.names.len() >= MAX_SLOTS || from.transitions.borrow().len() >= MAX_SLOTS {
            return None;
        }
        let mut names = from.names.to_vec();
        names.push(name);
        let to = self.add_root(from.ty.get(), from.inline_cap, false, names.into());
        from.transitions.borrow_mut().push((name, to.id));
        Some(to)
    }

    /// The shape without one of the attributes, in which those behind it stand a slot earlier; None where a dictionary is
    /// due.
    pub fn without_attr(&self, from: &'static Shape, name: Ref<Str>) -> Option<&'static Shape> {
        if let Some(&(_, id)) = from.removals.borrow().iter().find(|(n, _)| *n == name) {
            return Some(self.get(id));
        }
        let root = self.get(from.ty.get().root_shape_id());
        let alike =
            root.inline_cap == from.inline_cap && !root.is_dict && from.names.starts_with(&root.names);
        if !alike || root.removed.get() >= MAX_REMOVALS {
            return None;
        }
        let rest = from.names[root.names.len()..].iter().filter(|n| **n != name);
        let to = rest.copied().try_fold(root, |to, name| self.with_attr(to, name))?;
        from.removals.borrow_mut().push((name, to.id));
        root.removed.set(root.removed.get() + 1);
        Some(to)
    }

    /// All shapes so far are those of types that live as long as the isolate.
    pub fn seal(&self) {
        // SAFETY: as in `get`.
        self.first.set(unsafe { (&*self.shapes.get()).len() } as ShapeId);
    }

    /// The class of a shape, unless it is one that lives as long as the isolate anyway.
    #[inline(always)]
    pub fn class_of(&self, id: ShapeId) -> Option<Ref<Type>> {
        (id >= self.first.get()).then(|| self.get(id).ty.get())
    }

    /// Frees the shapes of classes that have died. Their ids are not used again, so that nothing matches them.
    pub fn forget_dead(&self, is_live: impl Fn(Ref<Type>) -> bool) {
        // SAFETY: as in `add`; `is_live` adds no shapes.
        let shapes = unsafe { &mut *self.shapes.get() };
        let none = shapes[0];
        for shape in shapes.iter_mut().skip(self.first.get() as usize) {
            if !std::ptr::eq(*shape, none) && !is_live(shape.ty.get()) {
                let dead = std::mem::replace(shape, none);
                // SAFETY: leaked by `add`, and no object of the class is left that could lead to it.
                drop(unsafe { Box::from_raw(std::ptr::from_ref(dead).cast_mut()) });
            }
        }
    }

    /// Calls `f` with the names of the slots of all shapes, or of those that are new since the last call.
    pub fn for_each_name(&self, all: bool, mut f: impl FnMut(Ref<Str>)) {
        // SAFETY: as in `get`; `f` adds no shapes.
        let shapes = unsafe { &*self.shapes.get() };
        let first = if all { 0 } else { self.traced.get() };
        for name in shapes[first..].iter().flat_map(|s| &s.names) {
            f(*name);
        }
        self.traced.set(shapes.len());
    }
}
