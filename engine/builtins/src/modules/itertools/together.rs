//! `chain`, `batched`, `pairwise`, `product`, `zip_longest`.

use super::{only_keyword, tuple_of};
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::{Cell, RefCell};

payload!(pub Chain, "itertools.chain", [iterables, active]);

native_type! {
    pub CHAIN: "itertools.chain", Kind::Ext, type_flags::BASETYPE, "Return a chain object whose .__next__() method returns elements from the\nfirst iterable until it is exhausted, then elements from the next\niterable, until all of the iterables are exhausted.";
    methods {
        [static] "__new__($type, *iterables)" => new_chain;
        [class] "from_iterable($type, iterable, /)" => chain_from_iterable, "Alternative chain() constructor taking a single iterable argument that evaluates lazily.";
        [leaf soft crate::modules::streams::chain] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_chain;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
}

fn make_chain(vm: &Vm, class: Ref<Type>, iterables: Value) -> R<Value> {
    let iterables = Field::new(Some(vm.iter(iterables)?));
    Ok(Ext::new(vm, class, Chain { iterables, active: Field::new(None) })?.value())
}

fn new_chain(vm: &Vm, args: Args<'_>) -> R<Value> {
    let own = ext_type(vm, &CHAIN)?;
    let class = class_argument(vm, &args, own)?;
    // A subclass with an `__init__` of its own may want them.
    if args.has_keywords() && class.special(vm, Special::Init) == own.special(vm, Special::Init) {
        return Err(vm.type_error("chain() takes no keyword arguments"));
    }
    let iterables = vm.tuple(&args.positional()[1..])?;
    make_chain(vm, class, iterables)
}

fn chain_from_iterable(vm: &Vm, class: Ref<Type>, iterable: Value) -> R<Value> {
    check_class(vm, class, &CHAIN)?;
    make_chain(vm, class, iterable)
}

fn next_chain(vm: &Vm, it: ExtArg<Chain>) -> R<Value> {
    let it = it.0;
    loop {
        if let Some(active) = it.active.get() {
            if let Some(v) = vm.next(active)? {
                return Ok(v);
            }
            it.active.init(None);
        }
        let Some(iterables) = it.iterables.get() else { return Ok(vm.stop()) };
        let Some(iterable) = vm.next(iterables)? else {
            it.iterables.init(None);
            return Ok(vm.stop());
        };
        let active = vm.iter(iterable)?;
        it.active.set(vm, it, active);
    }
}

/// Takes the items of this iterable from now on, for the generator over it: its iterator.
pub fn begin_next(vm: &Vm, chain: Value, iterable: Value) -> R<Value> {
    let Some(chain) = chain.cast::<Ext<Chain>>() else { return Err(vm.system_error("no chain")) };
    let active = vm.iter(iterable)?;
    chain.active.set(vm, chain, active);
    Ok(active)
}

payload!(Batched, "itertools.batched", [iterator], size: usize, strict: bool);

native_type! {
    pub BATCHED: "itertools.batched", Kind::Ext, type_flags::BASETYPE, "Batch data into tuples of length n. The last batch may be shorter than n.\n\n>>> list(batched(range(5), 2))\n[(0, 1), (2, 3), (4,)]\n\nIf strict is true, a last batch that is shorter is a ValueError.";
    methods {
        [static] "__new__($type, iterable, n, *, strict=False)" => new_batched;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_batched;
    }
}

fn new_batched(vm: &Vm, class: Ref<Type>, iterable: Value, n: i64, strict: Option<bool>) -> R<Value> {
    check_class(vm, class, &BATCHED)?;
    if n < 1 {
        return Err(vm.value_error("n must be at least one"));
    }
    let iterator = Field::new(Some(vm.iter(iterable)?));
    let payload =
        Batched { iterator, size: Cell::new(n as usize), strict: Cell::new(strict.unwrap_or(false)) };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn next_batched(vm: &Vm, it: ExtArg<Batched>) -> R<Value> {
    let it = it.0;
    let Some(iterator) = it.iterator.get() else { return Ok(vm.stop()) };
    let batch = List::with_capacity(vm, it.size.get().min(64))?;
    while batch.len() < it.size.get() {
        match vm.next(iterator)? {
            Some(v) => batch.push(vm, v)?,
            None => {
                it.iterator.init(None);
                break;
            }
        }
    }
    if batch.is_empty() {
        return Ok(vm.stop());
    }
    if batch.len() < it.size.get() && it.strict.get() {
        return Err(vm.value_error("batched(): incomplete batch"));
    }
    vm.tuple(batch.items())
}

payload!(Pairwise, "itertools.pairwise", [iterator, old]);

native_type! {
    pub PAIRWISE: "itertools.pairwise", Kind::Ext, type_flags::BASETYPE, "Return an iterator of overlapping pairs taken from the input iterator.\n\n    s -> (s0,s1), (s1,s2), (s2, s3), ...";
    methods {
        [static] "__new__($type, iterable, /)" => new_pairwise;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_pairwise;
    }
}

fn new_pairwise(vm: &Vm, class: Ref<Type>, iterable: Value) -> R<Value> {
    check_class(vm, class, &PAIRWISE)?;
    let iterator = Field::new(Some(vm.iter(iterable)?));
    Ok(Ext::new(vm, class, Pairwise { iterator, old: Field::new(None) })?.value())
}

fn next_pairwise(vm: &Vm, it: ExtArg<Pairwise>) -> R<Value> {
    let it = it.0;
    let Some(iterator) = it.iterator.get() else { return Ok(vm.stop()) };
    let old = match it.old.get() {
        Some(v) => Some(v),
        None => vm.next(iterator)?,
    };
    let new = match old {
        Some(v) => {
            it.old.set(vm, it, v);
            vm.next(iterator)?
        }
        None => None,
    };
    let (Some(old), Some(new)) = (old, new) else {
        it.iterator.init(None);
        it.old.init(None);
        return Ok(vm.stop());
    };
    it.old.set(vm, it, new);
    vm.tuple(&[old, new])
}

/// The pools (a tuple of tuples) and the position in each; None before the first row.
struct Product {
    pools: Field,
    at: RefCell<Option<Vec<usize>>>,
    ended: Cell<bool>,
}

impl Payload for Product {
    const NAME: &'static str = "itertools.product";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Product { pools, at: _, ended: _ } = self;
        pools.trace(t);
    }
}

native_type! {
    pub PRODUCT: "itertools.product", Kind::Ext, type_flags::BASETYPE, "product(*iterables, repeat=1) --> product object\n\nCartesian product of input iterables.  Equivalent to nested for-loops.";
    methods {
        [static] "__new__($type, *iterables, repeat=1)" => new_product;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        [leaf] "__next__($self, /)" => next_product;
    }
}

fn new_product(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &PRODUCT)?)?;
    let repeat = match only_keyword(vm, args, "product", "repeat")? {
        Some(v) => vm.index_i64(v)?,
        None => 1,
    };
    if repeat < 0 {
        return Err(vm.value_error("repeat argument cannot be negative"));
    }
    let pools = List::with_capacity(vm, 0)?;
    for &v in &args.positional()[1..] {
        let items = vm.list_from(v)?;
        pools.push(vm, vm.tuple(items.items())?)?;
    }
    let count = pools.len().checked_mul(repeat as usize);
    if count.is_none_or(|n| n > isize::MAX as usize / size_of::<Value>()) {
        return Err(vm.overflow_error("repeat argument too large"));
    }
    let all = crate::types::repeated(vm, pools.items(), repeat as usize)?;
    let payload = Product {
        pools: Field::new(Some(vm.tuple(all.items())?)),
        at: RefCell::new(None),
        ended: Cell::new(false),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn next_product(vm: &Vm, it: ExtArg<Product>) -> R<Value> {
    let it = it.0;
    let Some(pools) = it.pools.cast::<Tuple>().filter(|_| !it.ended.get()) else { return Ok(vm.stop()) };
    let pool = |i: usize| -> &[Value] {
        // SAFETY: the constructor has put tuples there.
        let t: Ref<Tuple> = unsafe { pools.items()[i].cast_unchecked() };
        // SAFETY: the tuple lives as long as `pools`, which this function holds.
        unsafe { std::slice::from_raw_parts(t.items().as_ptr(), t.len()) }
    };
    let mut at = it.at.borrow_mut();
    match at.as_mut() {
        None => {
            if (0..pools.len()).any(|i| pool(i).is_empty()) {
                it.ended.set(true);
                return Ok(vm.stop());
            }
            *at = Some(vm.filled(0, pools.len())?);
        }
        Some(at) => {
            let mut i = at.len();
            loop {
                if i == 0 {
                    it.ended.set(true);
                    return Ok(vm.stop());
                }
                i -= 1;
                at[i] += 1;
                if at[i] < pool(i).len() {
                    break;
                }
                at[i] = 0;
            }
        }
    }
    let at = at.as_deref().unwrap_or_default();
    tuple_of(vm, at.len(), |i| pool(i)[at[i]])
}

payload!(ZipLongest, "itertools.zip_longest", [iterators, fill], active: usize);

native_type! {
    pub ZIP_LONGEST: "itertools.zip_longest", Kind::Ext, type_flags::BASETYPE, "Return a zip_longest object whose .__next__() method returns a tuple where\nthe i-th element comes from the i-th iterable argument.  The .__next__()\nmethod continues until the longest iterable in the argument sequence\nis exhausted and then it raises StopIteration.";
    methods {
        [static] "__new__($type, *iterables, fillvalue=None)" => new_zip_longest;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_zip_longest;
    }
}

fn new_zip_longest(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &ZIP_LONGEST)?)?;
    let fill = only_keyword(vm, args, "zip_longest", "fillvalue")?.unwrap_or(Value::NONE);
    let iterators = List::with_capacity(vm, args.positional().len())?;
    for &v in &args.positional()[1..] {
        iterators.push(vm, vm.iter(v)?)?;
    }
    let payload = ZipLongest {
        active: Cell::new(iterators.len()),
        iterators: Field::new(Some(iterators.value())),
        fill: Field::new(Some(fill)),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

/// An iterator that has ended stands as UNBOUND in the list.
fn next_zip_longest(vm: &Vm, it: ExtArg<ZipLongest>) -> R<Value> {
    let it = it.0;
    let Some(iterators) = it.iterators.cast::<List>().filter(|_| it.active.get() > 0) else {
        return Ok(vm.stop());
    };
    let row = List::with_capacity(vm, iterators.len())?;
    for i in 0..iterators.len() {
        let iterator = iterators.items()[i];
        if !iterator.is_unbound() {
            if let Some(v) = vm.next(iterator)? {
                row.push(vm, v)?;
                continue;
            }
            iterators.store(vm, i, Value::UNBOUND);
            it.active.set(it.active.get() - 1);
            if it.active.get() == 0 {
                return Ok(vm.stop());
            }
        }
        row.push(vm, it.fill.value())?;
    }
    vm.tuple(row.items())
}
