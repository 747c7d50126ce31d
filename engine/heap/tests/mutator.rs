//! A random mutator, checked against a shadow of its object graph.
//!
//! Environment: `SKEIN_HEAP_SECONDS` for how long, `SKEIN_HEAP_SEED` to run one seed again, with
//! `SKEIN_HEAP_SETTING` in one setting only, which gets a third of the time.

mod common;

use common::{ARRAY, BLOB, CONTEXT, DIED, NODE, OWNER, Object, WEAK, WORDS, World};
use skein_heap::{CollectKind, HeapConfig, MajorStep};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 32) as usize) % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What a word should be.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Slot {
    /// No reference: exactly this word.
    Plain(u64),
    /// Reference to an object, so many bytes after its begin.
    Ref(u64, usize),
}

struct Shadow {
    addr: usize,
    kind: u8,
    slots: Vec<Slot>,
}

struct Mutator {
    world: World,
    rng: Rng,
    objects: HashMap<u64, Shadow>,
    /// Ids, as precise roots.
    roots: Vec<u64>,
    /// Ids and offsets, as conservative roots.
    words: Vec<(u64, usize)>,
    finalizers: BTreeMap<u64, u64>,
    owners: HashSet<u64>,
    /// Weak containers that the last collection queued.
    cleared: HashSet<u64>,
    next_id: u64,
    verify_every: usize,
    most: usize,
    collections: usize,
    /// Major collections that were done in slices.
    finished: usize,
}

impl Mutator {
    fn new(config: HeapConfig, seed: u64, verify_every: usize, most: usize) -> Mutator {
        DIED.with_borrow_mut(Vec::clear);
        Mutator {
            world: World::new(config),
            rng: Rng(seed | 1),
            objects: HashMap::new(),
            roots: Vec::new(),
            words: Vec::new(),
            finalizers: BTreeMap::new(),
            owners: HashSet::new(),
            cleared: HashSet::new(),
            next_id: 1,
            verify_every,
            most,
            collections: 0,
            finished: 0,
        }
    }

    fn word(&self, slot: Slot) -> u64 {
        match slot {
            Slot::Plain(word) => word,
            Slot::Ref(id, offset) => (self.objects[&id].addr + offset) as u64,
        }
    }

    fn publish_roots(&self) {
        let word = |id: &u64| self.objects[id].addr as u64;
        *self.world.roots.borrow_mut() = self.roots.iter().map(word).collect();
        let words = self.words.iter();
        *self.world.words.borrow_mut() =
            words.map(|(id, offset)| self.word(Slot::Ref(*id, *offset))).collect();
    }

    /// The ids that can be reached from some, weak references followed or not.
    fn reach(&self, from: impl IntoIterator<Item = u64>, weak: bool) -> HashSet<u64> {
        let mut seen = HashSet::new();
        let mut todo: Vec<u64> = from.into_iter().collect();
        while let Some(id) = todo.pop() {
            if !seen.insert(id) {
                continue;
            }
            let object = &self.objects[&id];
            if object.kind == WEAK && !weak {
                continue;
            }
            for slot in &object.slots {
                if let Slot::Ref(id, _) = slot {
                    todo.push(*id);
                }
            }
        }
        seen
    }

    fn root_ids(&self) -> Vec<u64> {
        let conservative = self.words.iter().map(|(id, _)| *id);
        self.roots.iter().copied().chain(conservative).collect()
    }

    fn collect(&mut self, kind: CollectKind) {
        self.publish_roots();
        let mut done = self.world.collect(kind);
        let twice = self.rng.one_in(50);
        if twice {
            // What is queued stays alive until it is taken.
            done = self.world.collect(CollectKind::Major);
        }
        let kind = done.kind;
        self.finished += usize::from(done.step == MajorStep::Finish);
        self.collections += 1;
        let major = kind == CollectKind::Major;
        let mut taken = Vec::new();
        while let Some(obj) = self.world.heap.take_finalizable() {
            taken.push(self.world.object(obj as usize).id.get());
        }
        // What is queued here was a root as well, even if nothing else leads to it any more.
        self.cleared.clear();
        while let Some(obj) = self.world.heap.take_cleared_weak() {
            let container = self.world.object(obj as usize);
            assert_eq!(container.header.kind.get(), WEAK);
            self.cleared.insert(container.id.get());
        }
        let verify = self.collections.is_multiple_of(self.verify_every);
        if major || !taken.is_empty() || verify || !DIED.with_borrow(Vec::is_empty) {
            self.verify(&taken, major, twice);
        }
        for id in taken {
            if self.rng.one_in(2) {
                self.roots.push(id);
            }
        }
    }

    fn verify(&mut self, taken: &[u64], major: bool, twice: bool) {
        let live = self.reach(self.root_ids(), false);
        for id in taken {
            assert!(!live.contains(id), "reachable {id} is finalized");
            let before = self.finalizers.len();
            self.finalizers.retain(|_, other| other != id);
            assert_eq!(before, self.finalizers.len() + 1, "{id} finalized twice");
        }
        let all = self.reach(self.root_ids().into_iter().chain(taken.iter().copied()), false);
        if major {
            // What the first of two collections queued kept others from the second one.
            let roots = if twice { &all } else { &live };
            for id in self.finalizers.values() {
                assert!(roots.contains(id), "unreachable {id} is not finalized");
            }
        }
        DIED.with_borrow_mut(|died| {
            for id in died.drain(..) {
                assert!(!all.contains(&id), "reachable owner {id} died");
                assert!(self.owners.remove(&id), "owner {id} died twice");
            }
        });
        if major {
            assert!(self.owners.is_subset(&all), "an unreachable owner lives on");
        }
        self.verify_objects(&live, &all, taken, major);
    }

    /// Compares all objects that can still be reached in some way with their shadows, and forgets
    /// the others.
    fn verify_objects(&mut self, live: &HashSet<u64>, all: &HashSet<u64>, taken: &[u64], major: bool) {
        let mut kept = HashSet::new();
        let mut todo = self.root_ids();
        todo.extend(taken);
        todo.extend(self.finalizers.values());
        while let Some(id) = todo.pop() {
            if !kept.insert(id) {
                continue;
            }
            let shadow = &self.objects[&id];
            // SAFETY: the shadow says that there is an object.
            let object = unsafe { Object::at(shadow.addr) };
            let name = (id, shadow.kind, shadow.addr);
            assert_eq!(object.id.get(), id, "{name:x?} was overwritten");
            assert_eq!(object.header.kind.get(), shadow.kind, "{name:x?}");
            assert_eq!(object.n.get() as usize, shadow.slots.len(), "{name:x?}");
            let mut cleared = Vec::new();
            for (index, slot) in shadow.slots.iter().enumerate() {
                let is = object.words()[index].get();
                let weak = shadow.kind == WEAK;
                match *slot {
                    Slot::Ref(to, _) if weak && is == 0 => {
                        assert!(!live.contains(&to), "{name:x?} lost {to}");
                        cleared.push(index);
                    }
                    Slot::Ref(to, _) if weak && major && all.contains(&id) => {
                        let lives = all.contains(&to) || self.cleared.contains(&to);
                        assert!(lives, "{name:x?} keeps dead {to}");
                    }
                    _ => {}
                }
                if is != 0 || !weak {
                    assert_eq!(is, self.word(*slot), "{name:x?} word {index}");
                    if let Slot::Ref(to, _) = slot {
                        todo.push(*to);
                    }
                }
            }
            let shadow = self.objects.get_mut(&id).unwrap();
            for index in cleared {
                shadow.slots[index] = Slot::Plain(0);
            }
        }
        self.objects.retain(|id, _| kept.contains(id));
        self.verify_walk(all, major);
        while self.objects.len() > self.most {
            self.drop_some_roots();
            self.objects.retain(|_, _| true);
            if self.roots.is_empty() && self.words.is_empty() {
                break;
            }
            if self.reach(self.root_ids(), false).len() < self.most {
                break;
            }
        }
    }

    /// `for_each_object` sees each reachable object once, and after a major collection nothing
    /// else.
    fn verify_walk(&self, all: &HashSet<u64>, major: bool) {
        let ids = self.world.ids();
        assert!(ids.windows(2).all(|two| two[0] < two[1]), "an object twice");
        let seen: HashSet<u64> = ids.into_iter().collect();
        assert!(all.is_subset(&seen), "for_each_object left one out");
        if major {
            let garbage = |id: &&u64| !all.contains(id) && !self.cleared.contains(id);
            assert_eq!(seen.iter().find(garbage), None, "after a major collection");
        }
    }

    fn drop_some_roots(&mut self) {
        let (roots, words) = (self.roots.len() / 2, self.words.len() / 2);
        self.roots.truncate(roots);
        self.words.truncate(words);
    }

    /// Some reachable object.
    fn pick(&mut self) -> Option<u64> {
        let mut id = if !self.roots.is_empty() && !self.rng.one_in(4) {
            self.roots[self.rng.below(self.roots.len())]
        } else if self.words.is_empty() {
            return None;
        } else {
            self.words[self.rng.below(self.words.len())].0
        };
        for _ in 0..self.rng.below(6) {
            let object = &self.objects[&id];
            if object.slots.is_empty() || object.kind == WEAK {
                break;
            }
            if let Slot::Ref(next, _) = object.slots[self.rng.below(object.slots.len())] {
                id = next;
            }
        }
        Some(id)
    }

    fn random_slot(&mut self, kind: u8) -> Slot {
        let plain = (self.rng.next() << 3) | (1 + self.rng.next() % 7);
        let target = self.pick();
        match (kind, target) {
            // Words that look like references but are none.
            (BLOB, Some(id)) => Slot::Plain(self.objects[&id].addr as u64),
            (WEAK, Some(id)) => Slot::Ref(id, 0),
            (WEAK, None) => Slot::Plain(0),
            (CONTEXT, Some(id)) => Slot::Ref(id, self.interior(id)),
            (_, Some(id)) if !self.rng.one_in(4) => Slot::Ref(id, 0),
            (CONTEXT, None) => Slot::Plain(7),
            _ => Slot::Plain(plain),
        }
    }

    fn interior(&mut self, id: u64) -> usize {
        let size = WORDS + 8 * self.objects[&id].slots.len();
        if self.rng.one_in(3) { 0 } else { self.rng.below(size) }
    }

    fn allocate(&mut self) {
        let n = match self.rng.below(1000) {
            0 => self.rng.below(60_000),
            1..6 => 1000 + self.rng.below(4000),
            6..40 => 14 + self.rng.below(1100),
            40..200 => self.rng.below(30),
            _ => self.rng.below(5),
        };
        let kind = match self.rng.below(20) {
            0 => WEAK,
            1 => OWNER,
            2 => CONTEXT,
            3..6 => BLOB,
            6..10 => ARRAY,
            _ if n > 1000 => ARRAY,
            _ => NODE,
        };
        let n = if kind == OWNER { n + 1 } else { n };
        let id = self.next_id;
        self.next_id += 1;
        let Some(addr) = self.alloc_or_collect(kind, id, n) else {
            self.drop_some_roots();
            return;
        };
        let mut slots = vec![Slot::Plain(0); n];
        let mut filled = 0;
        if kind == OWNER {
            slots[0] = Slot::Plain(Box::into_raw(Box::new(id)) as u64);
            filled = 1;
            self.owners.insert(id);
        }
        let upto = if self.rng.one_in(3) { n } else { n.min(filled + 3) };
        for slot in &mut slots[filled..upto] {
            *slot = self.random_slot(kind);
        }
        let object = self.world.object(addr);
        for (word, slot) in object.words().iter().zip(&slots) {
            // A young object needs no barrier.
            word.set(self.word(*slot));
        }
        self.objects.insert(id, Shadow { addr, kind, slots });
        let heap = &self.world.heap;
        match kind {
            WEAK => heap.register_weak(object.head()),
            OWNER => {
                heap.register_free_on_death(object.head());
                heap.add_external(64);
            }
            NODE if self.rng.one_in(30) => {
                heap.register_finalizer(object.head());
                self.finalizers.insert(id, id);
            }
            _ => {}
        }
        self.link(id);
    }

    fn alloc_or_collect(&mut self, kind: u8, id: u64, n: usize) -> Option<usize> {
        let size = WORDS + 8 * n;
        let mut head = self.world.heap.alloc_fast(size);
        let mut after = false;
        while head.is_null() {
            match self.world.heap.alloc_slow(size, after) {
                skein_heap::Allocation::Ok(new) => head = new,
                skein_heap::Allocation::OutOfMemory => return None,
                skein_heap::Allocation::NeedsCollection => {
                    let due = self.world.due();
                    self.collect(due);
                    after = true;
                }
            }
        }
        // SAFETY: just allocated.
        Some(unsafe { common::init(head, kind, id, n) })
    }

    /// Makes an object reachable in one of the ways there are, or not at all.
    fn link(&mut self, id: u64) {
        match self.rng.below(8) {
            0 => {}
            1 | 2 => {
                if self.roots.len() < 200 {
                    self.roots.push(id);
                } else {
                    let at = self.rng.below(200);
                    self.roots[at] = id;
                }
            }
            3 => {
                let offset = self.interior(id);
                if self.words.len() < 30 {
                    self.words.push((id, offset));
                } else {
                    let at = self.rng.below(30);
                    self.words[at] = (id, offset);
                }
            }
            _ => self.store_into_some(Some(id)),
        }
    }

    /// Stores a reference to an object, or something else, into some reachable object.
    fn store_into_some(&mut self, to: Option<u64>) {
        let Some(id) = self.pick() else { return };
        let kind = self.objects[&id].kind;
        let least = usize::from(kind == OWNER);
        let n = self.objects[&id].slots.len();
        if n <= least {
            return;
        }
        let index = least + self.rng.below(n - least);
        let slot = match to {
            Some(to) if kind == CONTEXT => Slot::Ref(to, self.interior(to)),
            Some(to) if kind != BLOB => Slot::Ref(to, 0),
            Some(_) => return,
            None if self.rng.one_in(2) => Slot::Plain(0),
            None => self.random_slot(kind),
        };
        let addr = self.objects[&id].addr;
        self.world.store(addr, index, self.word(slot));
        self.objects.get_mut(&id).unwrap().slots[index] = slot;
    }

    fn step(&mut self) {
        match self.rng.below(1000) {
            0..500 => self.allocate(),
            500..800 => {
                let to = if self.rng.one_in(3) { None } else { self.pick() };
                self.store_into_some(to);
            }
            800..900 if !self.roots.is_empty() => {
                let at = self.rng.below(self.roots.len());
                self.roots.swap_remove(at);
            }
            900..930 if !self.words.is_empty() => {
                let at = self.rng.below(self.words.len());
                self.words.swap_remove(at);
            }
            930..996 => self.look_up(),
            996 if self.rng.one_in(10) => self.collect(CollectKind::Major),
            997 if self.rng.one_in(3) => self.collect(CollectKind::Minor),
            998 => self.world.heap.add_external(-64),
            _ => {}
        }
    }

    /// Conservative look-ups while the mutator runs.
    fn look_up(&mut self) {
        let Some(id) = self.pick() else { return };
        let addr = self.objects[&id].addr;
        let word = (addr + self.interior(id)) as u64;
        let found = self.world.heap.resolve(word);
        assert_eq!(found, Some(addr as *mut _), "{word:x} of {id}");
        let near = word.wrapping_add(self.rng.next() % (1 << 21));
        if let Some(obj) = self.world.heap.resolve(near) {
            let size = WORDS + 8 * self.world.object(obj as usize).n.get() as usize;
            let taken = size.next_multiple_of(16);
            assert!(obj as usize <= near as usize && (near as usize) < obj as usize + taken);
        }
    }
}

/// Tells the seed if the test fails.
struct Seed(u64, usize);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SKEIN_HEAP_SEED={} failed with setting {}", self.0, self.1);
        }
    }
}

fn settings() -> Vec<(HeapConfig, usize, usize)> {
    // A major collection follows the other, so that most of the time one is under way.
    let base = HeapConfig {
        reserve: 1 << 30,
        least_major: 0,
        slice: 64 << 10,
        verify: true,
        ..HeapConfig::default()
    };
    let nursery = |nursery_bytes| HeapConfig { nursery_bytes, ..base.clone() };
    let slice = |slice| HeapConfig { slice, ..nursery(64 << 10) };
    vec![
        (nursery(32 << 10), 8, 3000),
        (nursery(256 << 10), 1, 3000),
        (nursery(1 << 20), 1, 10_000),
        (nursery(8 << 20), 1, 20_000),
        (HeapConfig { stress: Some(1), ..base.clone() }, 20, 500),
        (HeapConfig { stress: Some(7), mark_stack_entries: 0, ..base.clone() }, 10, 300),
        (HeapConfig { mark_stack_entries: 64, ..nursery(128 << 10) }, 4, 2000),
        (HeapConfig { limit: Some(3 << 20), ..nursery(512 << 10) }, 1, 100_000),
        (HeapConfig { reserve: 16 << 20, ..nursery(1 << 20) }, 1, 100_000),
        (slice(1), 8, 3000),
        (slice(4 << 10), 8, 6000),
        (slice(512 << 10), 8, 10_000),
        (HeapConfig { slice: usize::MAX, ..nursery(32 << 10) }, 8, 3000),
        (HeapConfig { slice: 1 << 20, stress: Some(3), ..base.clone() }, 20, 1000),
        (HeapConfig { least_major: 16 << 20, ..nursery(256 << 10) }, 1, 10_000),
    ]
}

#[test]
fn random_mutator() {
    let seconds = std::env::var("SKEIN_HEAP_SECONDS");
    let seconds: f64 = seconds.map_or(3.0, |text| text.parse().unwrap());
    let given = std::env::var("SKEIN_HEAP_SEED");
    let given: Option<u64> = given.ok().map(|text| text.parse().unwrap());
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let mut seed = given.unwrap_or(clock.unwrap().as_nanos() as u64);
    let mut settings = settings();
    if let Ok(one) = std::env::var("SKEIN_HEAP_SETTING") {
        settings = vec![settings.swap_remove(one.parse().unwrap())];
    }
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let share = Duration::from_secs_f64(seconds / (3 * settings.len()) as f64);
    let (mut steps, mut collections, mut finished) = (0, 0, 0);
    while Instant::now() < end {
        for (index, (config, verify_every, most)) in settings.iter().enumerate() {
            let _seed = Seed(seed, index);
            let mut mutator = Mutator::new(config.clone(), seed, *verify_every, *most);
            let stop = Instant::now() + share;
            while Instant::now() < stop {
                for _ in 0..200 {
                    mutator.step();
                    steps += 1;
                }
            }
            mutator.collect(CollectKind::Major);
            mutator.roots.clear();
            mutator.words.clear();
            while !mutator.objects.is_empty() {
                // What is finalized may live on once more.
                mutator.collect(CollectKind::Major);
                mutator.roots.clear();
            }
            assert!(mutator.owners.is_empty());
            collections += mutator.collections;
            finished += mutator.finished;
            if given.is_none() {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1);
            }
        }
        if given.is_some() {
            break;
        }
    }
    println!("{steps} steps, {collections} collections, {finished} major ones in slices");
    assert!(given.is_some() || finished > 0);
}
