//! The iterators that `for` loops meet most: `enumerate`, and `zip` with its like.

use crate::object::{Field, Tracer};
use crate::types::ext::{Ext, Payload};
use std::cell::Cell;
use std::mem::offset_of;

/// `enumerate`.
pub struct Enumerate {
    pub iterator: Field,
    /// The next number while it is small, else in `large`: it is in the one or the other for the object's life.
    pub count: Cell<i64>,
    pub large: Field,
}

/// Byte offsets for compiled code.
pub const ENUMERATE_ITERATOR: usize = Ext::<Enumerate>::PAYLOAD + offset_of!(Enumerate, iterator);
pub const ENUMERATE_COUNT: usize = Ext::<Enumerate>::PAYLOAD + offset_of!(Enumerate, count);
pub const ENUMERATE_LARGE: usize = Ext::<Enumerate>::PAYLOAD + offset_of!(Enumerate, large);

impl Payload for Enumerate {
    const NAME: &'static str = "enumerate";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Enumerate { iterator, count: _, large } = self;
        iterator.trace(t);
        large.trace(t);
    }
}

/// Several iterators that go on together.
pub struct Iterators {
    /// For `map`.
    pub function: Field,
    /// A tuple, always the same.
    pub iterators: Field,
    pub strict: Cell<bool>,
}

impl Iterators {
    fn trace(&self, t: &mut Tracer<'_>) {
        let Iterators { function, iterators, strict: _ } = self;
        function.trace(t);
        iterators.trace(t);
    }
}

/// `zip`.
pub struct Zip(pub Iterators);
/// `map`.
pub struct Map(pub Iterators);

/// Byte offsets for compiled code.
pub const ZIP_ITERATORS: usize = Ext::<Zip>::PAYLOAD + offset_of!(Zip, 0) + offset_of!(Iterators, iterators);
pub const MAP_ITERATORS: usize = Ext::<Map>::PAYLOAD + offset_of!(Map, 0) + offset_of!(Iterators, iterators);
pub const MAP_FUNCTION: usize = Ext::<Map>::PAYLOAD + offset_of!(Map, 0) + offset_of!(Iterators, function);

impl Payload for Zip {
    const NAME: &'static str = "zip";
    fn trace(&self, t: &mut Tracer<'_>) {
        self.0.trace(t);
    }
}

impl Payload for Map {
    const NAME: &'static str = "map";
    fn trace(&self, t: &mut Tracer<'_>) {
        self.0.trace(t);
    }
}
