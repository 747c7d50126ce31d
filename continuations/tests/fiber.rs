//! Fibers: values in and out, panics, drops, room left.

mod common;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use skein_continuations::{Backend, Fiber, Resumed, StackLimit, StackPool, Yielder};

on_each_backend!(
    values_go_both_ways,
    a_large_value_goes_both_ways,
    fibers_nest,
    ten_thousand_are_parked_at_once,
    a_panic_reaches_the_resumer,
    a_panic_is_caught_inside,
    a_finished_fiber_cannot_be_resumed,
    an_unstarted_fiber_drops_its_closure,
    a_suspended_fiber_is_leaked_and_counted,
    recursion_sees_the_end_coming,
    suspending_from_a_foreign_stack_is_refused,
);

fn values_go_both_ways<B: Backend>() {
    let pool = StackPool::default();
    let mut fiber = Fiber::<usize, usize, String, B>::new(&pool, |y, mut value| {
        for _ in 0..1000 {
            value = y.suspend(value * 2);
        }
        format!("last {value}")
    })
    .unwrap();
    for i in 0..1000 {
        assert_eq!(fiber.resume(i), Resumed::Yielded(i * 2));
        assert!(!fiber.is_finished());
    }
    assert_eq!(fiber.resume(7), Resumed::Returned("last 7".to_string()));
    assert!(fiber.is_finished());
}

fn a_large_value_goes_both_ways<B: Backend>() {
    let pool = StackPool::default();
    let mut fiber = Fiber::<[u64; 9], Vec<u64>, Box<u64>, B>::new(&pool, |y, first| {
        let second = y.suspend(first.to_vec());
        Box::new(second.iter().sum())
    })
    .unwrap();
    assert_eq!(fiber.resume([3; 9]), Resumed::Yielded(vec![3; 9]));
    assert_eq!(fiber.resume([2; 9]), Resumed::Returned(Box::new(18)));
}

fn fibers_nest<B: Backend>() {
    fn nest<B: Backend>(pool: &StackPool, depth: usize) -> Fiber<usize, usize, usize, B> {
        let inner_pool = pool.clone();
        Fiber::new(pool, move |y: &Yielder<usize, usize, B>, mut value| {
            if depth == 0 {
                return y.suspend(value + 1) + 1;
            }
            let mut inner = nest::<B>(&inner_pool, depth - 1);
            loop {
                match inner.resume(value) {
                    Resumed::Yielded(out) => value = y.suspend(out + 1),
                    Resumed::Returned(ret) => return ret + 1,
                }
            }
        })
        .unwrap()
    }
    let pool = StackPool::default();
    let mut fiber = nest::<B>(&pool, 100);
    assert_eq!(fiber.resume(0), Resumed::Yielded(101));
    assert_eq!(fiber.resume(1000), Resumed::Returned(1101));
    assert_eq!(pool.stats().in_use, 0);
}

fn ten_thousand_are_parked_at_once<B: Backend>() {
    const N: usize = 10_000;
    let pool = StackPool::default();
    let mut fibers: Vec<_> = (0..N)
        .map(|i| {
            Fiber::<usize, usize, usize, B>::new(&pool, move |y, value| y.suspend(value + i) + i).unwrap()
        })
        .collect();
    // 7919 has no divisor in common with N, so each is met once.
    for i in (0..N).map(|i| i * 7919 % N) {
        assert_eq!(fibers[i].resume(1), Resumed::Yielded(i + 1));
    }
    for i in (0..N).map(|i| i * 4321 % N) {
        assert_eq!(fibers[i].resume(2), Resumed::Returned(i + 2));
    }
    assert_eq!(pool.stats().leaked, 0);
}

fn a_panic_reaches_the_resumer<B: Backend>() {
    let pool = StackPool::default();
    let alive = Rc::new(());
    let held = Rc::clone(&alive);
    let mut fiber = Fiber::<usize, usize, (), B>::new(&pool, move |y, value| {
        let _held = held;
        let value = y.suspend(value);
        panic!("no {value}");
    })
    .unwrap();
    fiber.resume(1);
    let panic = catch_unwind(AssertUnwindSafe(|| fiber.resume(2))).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "no 2");
    assert!(fiber.is_finished());
    assert_eq!(Rc::strong_count(&alive), 1, "the stack was unwound");
    assert_eq!(pool.stats().in_use, 0);
    assert_eq!(pool.stats().leaked, 0);
}

fn a_panic_is_caught_inside<B: Backend>() {
    let pool = StackPool::default();
    let mut fiber = Fiber::<usize, usize, usize, B>::new(&pool, |y, _| {
        for i in 0..10 {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                y.suspend(i);
                panic!("inside");
            }));
            assert!(caught.is_err());
        }
        77
    })
    .unwrap();
    for i in 0..10 {
        assert_eq!(fiber.resume(0), Resumed::Yielded(i));
    }
    assert_eq!(fiber.resume(0), Resumed::Returned(77));
}

fn a_finished_fiber_cannot_be_resumed<B: Backend>() {
    let pool = StackPool::default();
    let mut fiber = Fiber::<(), (), (), B>::new(&pool, |_, ()| ()).unwrap();
    assert_eq!(fiber.resume(()), Resumed::Returned(()));
    assert!(catch_unwind(AssertUnwindSafe(|| fiber.resume(()))).is_err());
}

fn an_unstarted_fiber_drops_its_closure<B: Backend>() {
    let pool = StackPool::default();
    let alive = Rc::new(());
    let held = Rc::clone(&alive);
    let fiber = Fiber::<(), (), (), B>::new(&pool, move |_, ()| drop(held)).unwrap();
    assert_eq!(Rc::strong_count(&alive), 2);
    drop(fiber);
    assert_eq!(Rc::strong_count(&alive), 1);
    assert_eq!(pool.stats().in_use, 0);
    assert_eq!(pool.stats().leaked, 0);
}

fn a_suspended_fiber_is_leaked_and_counted<B: Backend>() {
    let pool = StackPool::default();
    let alive = Rc::new(Cell::new(false));
    let held = Rc::clone(&alive);
    let mut fiber = Fiber::<(), (), (), B>::new(&pool, move |y, ()| {
        let held = held;
        y.suspend(());
        held.set(true);
    })
    .unwrap();
    fiber.resume(());
    drop(fiber);
    assert_eq!(pool.stats().leaked, 1);
    assert_eq!(Rc::strong_count(&alive), 2, "not unwound");
    assert!(!alive.get());
}

fn recursion_sees_the_end_coming<B: Backend>() {
    fn deeper(limit: StackLimit, depth: usize) -> usize {
        let frame = std::hint::black_box([depth; 16]);
        if limit.remaining() < 16 << 10 {
            return frame[3];
        }
        deeper(limit, depth + 1).max(frame[0])
    }
    let pool = StackPool::default();
    let size = pool.stack_size();
    let mut fiber = Fiber::<usize, (), usize, B>::new(&pool, move |_, limit| {
        let bounds = skein_continuations::StackBounds { base: 0, limit };
        deeper(StackLimit::new(bounds), 0)
    })
    .unwrap();
    let limit = fiber.bounds().limit;
    let Resumed::Returned(depth) = fiber.resume(limit) else {
        panic!("did not suspend itself");
    };
    assert!(depth > 100, "{depth} frames");
    assert!(depth < size / 128, "{depth} frames");
}

fn suspending_from_a_foreign_stack_is_refused<B: Backend>() {
    let pool = StackPool::default();
    let inner_pool = pool.clone();
    let mut outer = Fiber::<(), (), bool, B>::new(&pool, move |y, ()| {
        // A careless body could pass its yielder on behind the compiler's back.
        let hidden = y as *const Yielder<(), (), B> as usize;
        let mut inner = Fiber::<(), (), (), B>::new(&inner_pool, move |_, ()| {
            // SAFETY: the outer body waits in `resume` below.
            unsafe { &*(hidden as *const Yielder<(), (), B>) }.suspend(());
        })
        .unwrap();
        catch_unwind(AssertUnwindSafe(|| inner.resume(()))).is_err()
    })
    .unwrap();
    assert_eq!(outer.resume(()), Resumed::Returned(true));
}
