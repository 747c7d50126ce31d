//! The hub: switches between any two stacks, ends, panics, nesting.

mod common;

use std::cell::{Cell, RefCell};
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use skein_continuations::{Backend, Exit, Fiber, Hub, StackId, StackPool, current_stack_pointer};

on_each_backend!(
    os_stack_and_fiber_alternate,
    fibers_switch_without_the_os_stack_seeing_it,
    switching_to_oneself_returns_the_payload,
    a_stack_ends_into_another,
    stacks_spawn_stacks,
    random_switches_keep_every_stack_in_order,
    bounds_and_limit_follow_the_switches,
    a_panic_arrives_on_the_os_stack,
    an_unknown_target_is_refused_in_place,
    a_foreign_stack_is_refused,
    a_call_on_a_new_stack_borrows_and_returns,
    a_call_on_a_new_stack_panics_into_its_caller,
    a_waiting_stack_is_stood_for_by_its_call,
    a_panic_across_a_parked_call_aborts,
    a_million_levels_deep,
    two_hubs_are_apart,
    a_dropped_hub_leaks_parked_stacks_only,
);

fn hub<B: Backend>() -> std::pin::Pin<Box<Hub<B>>> {
    Hub::new(StackPool::default())
}

/// Goes to the OS stack and back until told to end.
fn echo<B: Backend>(hub: &Hub<B>, arg: usize, mut payload: usize) -> Exit {
    while payload != 0 {
        payload = hub.switch_to(None, payload + arg);
    }
    Exit { to: None, payload: arg }
}

fn os_stack_and_fiber_alternate<B: Backend>() {
    let hub = hub::<B>();
    let id = hub.spawn(echo, 100).unwrap();
    for i in 1..1000 {
        assert_eq!(hub.switch_to(Some(id), i), i + 100);
        assert_eq!(hub.current(), None);
    }
    assert_eq!(hub.switch_to(Some(id), 0), 100);
    assert!(hub.is_empty());
    assert_eq!(hub.pool().stats().in_use, 0);
}

fn fibers_switch_without_the_os_stack_seeing_it<B: Backend>() {
    // Each hands the payload, counted down, to the stack named in `arg`.
    fn pass<B: Backend>(hub: &Hub<B>, arg: usize, mut payload: usize) -> Exit {
        // SAFETY: the test's frame keeps the cell while the stacks run.
        let partner = unsafe { &*(arg as *const RefCell<Vec<StackId>>) };
        loop {
            let me = hub.current().unwrap();
            let other = *partner.borrow().iter().find(|&&id| id != me).unwrap();
            if payload == 0 {
                return Exit { to: None, payload: me.index() };
            }
            payload = hub.switch_to(Some(other), payload - 1);
        }
    }
    let hub = hub::<B>();
    let ids = RefCell::new(Vec::new());
    let arg = &raw const ids as usize;
    let (a, b) = (hub.spawn(pass, arg).unwrap(), hub.spawn(pass, arg).unwrap());
    ids.borrow_mut().extend([a, b]);
    assert_eq!(hub.switch_to(Some(a), 1001), b.index());
    assert_eq!(hub.switches(), 1002);
    assert_eq!(hub.len(), 1);
    assert_eq!(hub.switch_to(Some(a), 0), a.index());
    assert!(hub.is_empty());
}

fn switching_to_oneself_returns_the_payload<B: Backend>() {
    fn entry<B: Backend>(hub: &Hub<B>, _: usize, payload: usize) -> Exit {
        let payload = hub.switch_to(hub.current(), payload + 1);
        Exit { to: None, payload }
    }
    let hub = hub::<B>();
    assert_eq!(hub.switch_to(None, 5), 5);
    let id = hub.spawn(entry, 0).unwrap();
    assert_eq!(hub.switch_to(Some(id), 6), 7);
}

fn a_stack_ends_into_another<B: Backend>() {
    fn first<B: Backend>(hub: &Hub<B>, arg: usize, payload: usize) -> Exit {
        let next = hub.spawn(echo, arg).unwrap();
        Exit { to: Some(next), payload: payload + 1 }
    }
    let hub = hub::<B>();
    let id = hub.spawn(first, 1000).unwrap();
    assert_eq!(hub.switch_to(Some(id), 1), 1002);
    assert_eq!(hub.len(), 1);
}

fn stacks_spawn_stacks<B: Backend>() {
    // A chain: each level spawns the next, which ends into its parent.
    fn level<B: Backend>(hub: &Hub<B>, arg: usize, depth: usize) -> Exit {
        let parent = hub.current();
        let sum = if depth == 0 {
            0
        } else {
            let child = hub.spawn(level, parent.unwrap().index()).unwrap();
            assert_ne!(Some(child), parent);
            hub.switch_to(Some(child), depth - 1)
        };
        // The parent's id comes as a number; the echo of it is looked up.
        let mut to = None;
        hub.for_each_parked(|id, _| {
            if id.is_some_and(|id| id.index() == arg) {
                to = id;
            }
        });
        Exit { to, payload: sum + depth }
    }
    let hub = hub::<B>();
    let top = hub.spawn(level, usize::MAX).unwrap();
    assert_eq!(hub.switch_to(Some(top), 50), 50 * 51 / 2);
    assert!(hub.is_empty());
}

struct Shared {
    ids: RefCell<Vec<StackId>>,
    seed: Cell<u64>,
    steps: Cell<usize>,
    counts: RefCell<Vec<usize>>,
    expected: Cell<usize>,
}

impl Shared {
    fn random(&self, below: usize) -> usize {
        let mut seed = self.seed.get();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        self.seed.set(seed);
        (seed % below as u64) as usize
    }
}

fn random_switches_keep_every_stack_in_order<B: Backend>() {
    // Every stack checks that it gets the payload meant for it, and that its
    // own locals are as it left them, at varying depth.
    fn wander<B: Backend>(hub: &Hub<B>, arg: usize, payload: usize) -> Exit {
        // SAFETY: the test's frame keeps what is shared while the stacks run.
        descend(hub, unsafe { &*(arg as *const Shared) }, payload, 0);
        Exit { to: None, payload: 0 }
    }
    fn descend<B: Backend>(hub: &Hub<B>, shared: &Shared, mut payload: usize, depth: usize) {
        let me = hub.current().unwrap();
        let mut turns = 0;
        while shared.steps.get() > 0 {
            assert_eq!(payload, shared.expected.get());
            shared.counts.borrow_mut()[me.index()] += 1;
            shared.steps.set(shared.steps.get() - 1);
            let next = shared.random(1 << 40);
            shared.expected.set(next);
            let ids = shared.ids.borrow();
            let to = ids[shared.random(ids.len())];
            drop(ids);
            let guard = std::hint::black_box([next; 20]);
            payload = hub.switch_to(Some(to), next);
            assert!(guard.iter().all(|&word| word == next));
            assert_eq!(hub.current(), Some(me));
            turns += 1;
            if turns % 7 == 0 && depth < 20 {
                return descend(hub, shared, payload, depth + 1);
            }
        }
        assert_eq!(payload, shared.expected.get());
    }
    let hub = hub::<B>();
    let shared = Shared {
        ids: RefCell::default(),
        seed: Cell::new(42),
        steps: Cell::new(20_000),
        counts: RefCell::new(vec![0; 50]),
        expected: Cell::new(1),
    };
    let arg = &raw const shared as usize;
    shared.ids.borrow_mut().extend((0..50).map(|_| hub.spawn(wander, arg).unwrap()));
    let first = shared.ids.borrow()[0];
    hub.switch_to(Some(first), 1);
    assert_eq!(shared.steps.get(), 0);
    while !hub.is_empty() {
        let mut parked = None;
        hub.for_each_parked(|id, _| parked = parked.or(id));
        hub.switch_to(parked, shared.expected.get());
    }
    assert!(shared.counts.borrow().iter().all(|&count| count > 0));
    assert_eq!(hub.pool().stats().in_use, 0);
}

fn bounds_and_limit_follow_the_switches<B: Backend>() {
    fn check<B: Backend>(hub: &Hub<B>, os_limit: usize, mut payload: usize) -> Exit {
        while payload != 0 {
            let bounds = hub.current_bounds();
            assert!(bounds.contains(current_stack_pointer()));
            assert_eq!(bounds.limit, hub.current_limit().address());
            assert_ne!(bounds.limit, os_limit);
            let remaining = hub.current_limit().remaining();
            assert!(remaining > 200 << 10 && remaining < 256 << 10, "{remaining}");
            // SAFETY: the address is valid as long as the hub.
            assert_eq!(unsafe { *hub.limit_address() }, hub.current_limit());
            assert!(hub.parked_range(hub.current()).is_none());
            assert!(hub.parked_range(None).is_some());
            payload = hub.switch_to(None, 1);
        }
        Exit { to: None, payload: 0 }
    }
    let hub = hub::<B>();
    let limit = hub.current_limit();
    let ids: Vec<_> = (0..5).map(|_| hub.spawn(check, limit.address()).unwrap()).collect();
    for payload in [1, 1, 0] {
        for &id in &ids {
            hub.switch_to(Some(id), payload);
            assert_eq!(hub.current_limit(), limit);
            assert!(hub.current_bounds().contains(current_stack_pointer()));
        }
    }
}

fn a_panic_arrives_on_the_os_stack<B: Backend>() {
    fn fails<B: Backend>(_: &Hub<B>, _: usize, payload: usize) -> Exit {
        panic!("fails with {payload}");
    }
    fn goes_on<B: Backend>(hub: &Hub<B>, arg: usize, payload: usize) -> Exit {
        let fails = hub.spawn(fails, 0).unwrap();
        let payload = hub.switch_to(Some(fails), payload);
        Exit { to: None, payload: payload + arg }
    }
    let hub = hub::<B>();
    let id = hub.spawn(goes_on, 10).unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| hub.switch_to(Some(id), 3))).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "fails with 3");
    assert_eq!(hub.current(), None);
    // The stack parked in between is as it was.
    assert_eq!(hub.switch_to(Some(id), 20), 30);
    assert!(hub.is_empty());
}

fn an_unknown_target_is_refused_in_place<B: Backend>() {
    fn entry<B: Backend>(hub: &Hub<B>, _: usize, _: usize) -> Exit {
        let gone = hub.spawn(echo, 0).unwrap();
        hub.switch_to(Some(gone), 1);
        hub.switch_to(Some(gone), 0);
        let refused = catch_unwind(AssertUnwindSafe(|| hub.switch_to(Some(gone), 1)));
        Exit { to: None, payload: refused.is_err() as usize }
    }
    let hub = hub::<B>();
    let id = hub.spawn(entry, 0).unwrap();
    hub.switch_to(Some(id), 0);
    // `echo` goes to the OS stack: send `entry` on until it ends.
    hub.switch_to(Some(id), 0);
    assert_eq!(hub.switch_to(Some(id), 0), 1);
}

fn a_foreign_stack_is_refused<B: Backend>() {
    let hub = hub::<B>();
    let id = hub.spawn(echo, 0).unwrap();
    let address = &*hub as *const Hub<B> as usize;
    let pool = hub.pool().clone();
    let mut fiber = Fiber::<(), (), bool, B>::new(&pool, move |_, ()| {
        // SAFETY: the hub outlives the fiber in this test.
        let hub = unsafe { &*(address as *const Hub<B>) };
        catch_unwind(AssertUnwindSafe(|| hub.switch_to(Some(id), 1))).is_err()
    })
    .unwrap();
    assert_eq!(fiber.resume(()), skein_continuations::Resumed::Returned(true));
    assert_eq!(hub.switch_to(Some(id), 1), 1);
}

fn a_call_on_a_new_stack_borrows_and_returns<B: Backend>() {
    let hub = hub::<B>();
    let mut words = vec!["a".to_string()];
    let sum = hub
        .call_on_new_stack(|| {
            assert!(hub.current().is_some());
            words.push("b".to_string());
            hub.call_on_new_stack(|| {
                words.push("c".to_string());
                words.len()
            })
            .unwrap()
        })
        .unwrap();
    assert_eq!(sum, 3);
    assert_eq!(words, ["a", "b", "c"]);
    assert!(hub.is_empty());
}

fn a_call_on_a_new_stack_panics_into_its_caller<B: Backend>() {
    fn entry<B: Backend>(hub: &Hub<B>, _: usize, _: usize) -> Exit {
        let caught = catch_unwind(AssertUnwindSafe(|| hub.call_on_new_stack(|| -> usize { panic!("deep") })));
        let message = *caught.unwrap_err().downcast_ref::<&str>().unwrap();
        Exit { to: None, payload: message.len() }
    }
    let hub = hub::<B>();
    let id = hub.spawn(entry, 0).unwrap();
    assert_eq!(hub.switch_to(Some(id), 0), 4);
    assert!(hub.is_empty());
}

fn a_waiting_stack_is_stood_for_by_its_call<B: Backend>() {
    fn waits<B: Backend>(hub: &Hub<B>, _: usize, _: usize) -> Exit {
        let payload = hub
            .call_on_new_stack(|| {
                let first = hub.switch_to(None, 1);
                let second = hub.switch_to(None, 2);
                first * 10 + second
            })
            .unwrap();
        Exit { to: None, payload }
    }
    let hub = hub::<B>();
    let id = hub.spawn(waits, 0).unwrap();
    assert_eq!(hub.switch_to(Some(id), 0), 1);
    assert_eq!(hub.switch_to(Some(id), 5), 2);
    assert_eq!(hub.switch_to(Some(id), 7), 57);
    assert!(hub.is_empty());
}

/// Unwinding the OS stack would end frames that the parked call borrows.
fn a_panic_across_a_parked_call_aborts<B: Backend>() {
    fn fails<B: Backend>(_: &Hub<B>, _: usize, _: usize) -> Exit {
        panic!("on a stack of its own");
    }
    const IN_CHILD: &str = "SKEIN_TEST_IN_CHILD";
    if std::env::var_os(IN_CHILD).is_some() {
        let hub = hub::<B>();
        let id = hub.spawn(fails, 0).unwrap();
        let _ = hub.call_on_new_stack(|| hub.switch_to(Some(id), 0));
        return;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{}::a_panic_across_a_parked_call_aborts", B::NAME)])
        .env(IN_CHILD, "1")
        .output()
        .unwrap();
    assert_eq!(child.status.signal(), Some(libc::SIGABRT));
}

fn a_million_levels_deep<B: Backend>() {
    fn deeper<B: Backend>(hub: &Hub<B>, level: usize) -> usize {
        if level == 0 {
            return 0;
        }
        if hub.current_limit().remaining() < 32 << 10 {
            return hub.call_on_new_stack(|| deeper(hub, level)).unwrap();
        }
        1 + std::hint::black_box(deeper(hub, std::hint::black_box(level - 1)))
    }
    let hub = hub::<B>();
    assert_eq!(deeper(&hub, 1_000_000), 1_000_000);
    assert!(hub.switches() > 100);
    assert!(hub.is_empty());
}

fn two_hubs_are_apart<B: Backend>() {
    let (one, two) = (hub::<B>(), hub::<B>());
    let a = one.spawn(echo, 10).unwrap();
    let b = two.spawn(echo, 20).unwrap();
    for i in 1..10 {
        assert_eq!(one.switch_to(Some(a), i), i + 10);
        assert_eq!(two.switch_to(Some(b), i), i + 20);
    }
}

fn a_dropped_hub_leaks_parked_stacks_only<B: Backend>() {
    let pool = StackPool::default();
    let hub = Hub::<B>::new(pool.clone());
    let parked = hub.spawn(echo, 0).unwrap();
    hub.spawn(echo, 0).unwrap();
    hub.switch_to(Some(parked), 1);
    drop(hub);
    assert_eq!(pool.stats().leaked, 1);
}
