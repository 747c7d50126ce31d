//! Which microthreads can get at a thing that another one waits for, and so may be the ones to wake it.
//!
//! That cannot be known for certain. What the frames of a microthread still need, and what these things lead to within a few
//! steps, is where a program keeps its channels, events and locks.

use crate::micro::Micro;
use skein_runtime::interp::each_held;
use skein_runtime::object::{Header, Kind, Ref};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::Function;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::collections::HashSet;

/// Steps from a frame to the thing.
const STEPS: u32 = 4;
/// The files of `skein.inspect`.
const LOOKS: &str = "skein/";
/// Objects that are looked at for each microthread.
const MOST: usize = 600;

/// What an object is on the way.
enum On {
    /// A part of the object before it, as the entries of a dict.
    Part,
    Object,
    /// It leads everywhere: what is behind it says nothing.
    End,
}

fn on_the_way(h: &Header) -> On {
    let kind = h.kind.get();
    let is = |kinds: &[Kind]| kinds.iter().any(|k| *k as u8 == kind);
    if is(&[Kind::Values, Kind::Raw, Kind::DictEntries]) {
        return On::Part;
    }
    // SAFETY: an object's address is a value.
    let v = unsafe { Value::from_bits(std::ptr::from_ref(h) as u64) };
    let ends = is(&[Kind::Type, Kind::Module, Kind::Frame, Kind::Traceback, Kind::Native])
        || v.cast::<Dict>().is_some_and(|d| d.has_cells())
        || Micro::of_owner(v).is_some()
        || v.cast::<skein_runtime::types::ext::Ext<crate::channel::Channel>>().is_some();
    if ends { On::End } else { On::Object }
}

/// Calls `f` with the place in `things` of each that the microthread can get at (its object; None: the main program), and how many
/// steps away it is.
pub fn each_reached(vm: &Vm, owner: Option<Value>, things: &[Value], f: &mut dyn FnMut(usize, u32)) {
    let mut seen: HashSet<*const Header> = HashSet::new();
    let mut level: Vec<*const Header> = Vec::new();
    // bounded: by `MOST`, as the set is.
    let mut meet = |level: &mut Vec<*const Header>, v: Value, steps: u32| {
        let Some(h) = v.header().map(std::ptr::from_ref) else { return };
        if seen.len() < MOST && seen.insert(h) {
            if let Some(i) = things.iter().position(|t| t.bits() == v.bits()) {
                f(i, steps);
            }
            level.push(h);
        }
    };
    // Whoever looks at all this knows all of it.
    let looks = |code: Ref<CodeObject>| {
        vm.within_library(&code.portable().filename).is_some_and(|path| path.starts_with(LOOKS))
    };
    each_held(vm, owner, looks, &mut |v| meet(&mut level, v, 0));
    for steps in 1..=STEPS {
        let mut next = Vec::new();
        while let Some(h) = level.pop() {
            // SAFETY (all): objects of the heap, in which nothing is allocated meanwhile, so that none is freed; an
            // object's address is a value.
            let header = unsafe { &*h };
            let of = |h: *const Header| unsafe { Value::from_bits(h as u64) };
            if let Some(function) = of(h).cast::<Function>() {
                if let Some(closure) = function.closure.get() {
                    meet(&mut next, closure, steps);
                }
                continue;
            }
            if matches!(on_the_way(header), On::End) {
                continue;
            }
            let mut parts = Vec::new();
            let mut at = Some(h);
            while let Some(holder) = at {
                // bounded: by what `meet` takes; an object has few parts.
                unsafe {
                    vm.heap.for_each_reference(holder, &mut |r| match on_the_way(&*r) {
                        On::Part => parts.push(r),
                        On::Object | On::End => meet(&mut next, of(r), steps),
                    });
                }
                at = parts.pop();
            }
        }
        level = next;
    }
}
