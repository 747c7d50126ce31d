//! Interned strings.

use crate::object::{Ref, Tracer};
use crate::types::str::Str;
use crate::value::R;
use crate::vm::Vm;
use rustc_hash::FxHashMap;

/// Strings by their bytes' hash. The table does not keep them alive.
#[derive(Default)]
pub struct InternTable {
    by_hash: FxHashMap<i64, Vec<Ref<Str>>>,
    /// Those that came in since the last collection, with their hashes: of a minor one, only they can die.
    recent: Vec<(i64, Ref<Str>)>,
}

impl InternTable {
    /// Takes out the strings that a collection found dead.
    pub fn sweep(&mut self, all: bool, is_live: impl Fn(Ref<Str>) -> bool) {
        if all {
            self.by_hash.retain(|_, row| {
                row.retain(|&s| is_live(s));
                !row.is_empty()
            });
            self.recent.clear();
            return;
        }
        for (hash, s) in std::mem::take(&mut self.recent) {
            if !is_live(s)
                && let Some(row) = self.by_hash.get_mut(&hash)
            {
                row.retain(|&other| other != s);
                if row.is_empty() {
                    self.by_hash.remove(&hash);
                }
            }
        }
    }
}

impl Vm {
    /// The one string object of this text among all interned ones. MemoryError.
    pub fn intern(&self, text: &str) -> R<Ref<Str>> {
        self.intern_bytes(text.as_bytes())
    }

    /// As [`Vm::intern`] for WTF-8. MemoryError.
    pub fn intern_bytes(&self, bytes: &[u8]) -> R<Ref<Str>> {
        let hash = crate::types::str::hash_bytes(self, bytes);
        if let Some(s) = self.find_interned(hash, bytes) {
            return Ok(s);
        }
        let s = Str::new(self, bytes)?;
        self.add_interned(hash, s);
        Ok(s)
    }

    /// The interned string equal to this one, which may become it itself.
    pub fn intern_str(&self, s: Ref<Str>) -> Ref<Str> {
        if s.is_interned() {
            return s;
        }
        let hash = s.hash(self);
        if let Some(found) = self.find_interned(hash, s.bytes()) {
            return found;
        }
        if s.header().shape.get() == self.types.str.root_shape_id() {
            self.add_interned(hash, s);
        }
        s
    }

    fn find_interned(&self, hash: i64, bytes: &[u8]) -> Option<Ref<Str>> {
        let table = self.interned.borrow();
        table.by_hash.get(&hash)?.iter().copied().find(|s| s.bytes() == bytes)
    }

    fn add_interned(&self, hash: i64, s: Ref<Str>) {
        s.mark_interned();
        let mut table = self.interned.borrow_mut();
        table.by_hash.entry(hash).or_default().push(s);
        table.recent.push((hash, s));
    }
}

macro_rules! names {
    ($($name:ident),* $(,)?) => {
        /// Names that the runtime looks up, interned at start.
        #[allow(non_snake_case)]
        pub struct Names { $(pub $name: Ref<Str>),* }

        impl Names {
            pub(crate) fn new(intern: &mut dyn FnMut(&str) -> Ref<Str>) -> Names {
                Names { $($name: intern(stringify!($name))),* }
            }

            pub(crate) fn trace(&self, t: &mut Tracer<'_>) {
                $(t.visit_object(self.$name.header());)*
            }
        }
    };
}
names! {
    __abstractmethods__, __all__, __annotate__, __annotations__, __bases__, __build_class__,
    __builtins__, __class__, __classcell__, __classdictcell__, __class_getitem__, __closure__, __code__, __defaults__, __dict__,
    __doc__, __file__, __firstlineno__, __globals__, __import__, __init_subclass__, __loader__, __main__,
    __match_args__, __module__, __mro__, __mro_entries__, __name__, __orig_bases__, __package__,
    __path__, __prepare__, __qualname__, __set_name__, __slots__, __spec__, __static_attributes__,
    __subclasshook__, __type_params__, __wrapped__, __weakref__, __getattr__, __reduce__, __reduce_ex__, __getstate__,
    builtins, call, close, displayhook, excepthook, fileno, flush, get, items, keys, last_exc, line, metaclass,
    mro, modules, name, obj, read, readline, send, stderr, stdin, stdout, sys, throw, update, values, write, path,
    _fields, add, append, extend, pop, __setitem__, isabstractmethod, __isabstractmethod__, __new__, __init__, __del__, __instancecheck__,
}
