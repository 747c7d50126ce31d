//! Plain weak references: an object has one of each class, however often it is asked for.

use crate::object::Ref;
use crate::types::typeobj::Type;
use crate::value::Value;
use crate::vm::Vm;
use rustc_hash::FxHashMap;

/// A target and the class of its reference, as words.
type Key = (u64, u64);

/// The references by their targets. The table keeps neither alive.
#[derive(Default)]
pub struct WeakTable {
    by_target: FxHashMap<Key, Value>,
    /// Those that came in since the last collection: of a minor one, only they can die.
    recent: Vec<Key>,
}

impl WeakTable {
    /// Takes out what a collection found dead.
    pub(super) fn sweep(&mut self, all: bool, is_live: impl Fn(Value) -> bool) {
        // SAFETY: an entry is taken out when its target dies, so that the word is that of an object whose death is
        // to be found out now.
        let keep =
            |key: &Key, reference: Value| unsafe { is_live(Value::from_bits(key.0)) } && is_live(reference);
        if all {
            self.by_target.retain(|key, reference| keep(key, *reference));
            self.recent.clear();
            return;
        }
        for key in std::mem::take(&mut self.recent) {
            if self.by_target.get(&key).is_some_and(|&reference| !keep(&key, reference)) {
                self.by_target.remove(&key);
            }
        }
    }
}

fn key(target: Value, class: Ref<Type>) -> Key {
    (target.bits(), class.value().bits())
}

impl Vm {
    /// The plain reference of this class to an object, if it has been asked for.
    pub fn known_weak(&self, target: Value, class: Ref<Type>) -> Option<Value> {
        self.weak_refs.borrow().by_target.get(&key(target, class)).copied()
    }

    /// Keeps a plain reference for who asks next.
    pub fn keep_weak(&self, target: Value, class: Ref<Type>, reference: Value) {
        let key = key(target, class);
        let mut table = self.weak_refs.borrow_mut();
        table.by_target.insert(key, reference);
        table.recent.push(key);
    }
}
