//! A conservative scan finds the words that only a parked stack holds.

mod common;

use std::hint::black_box;
use std::ops::Range;

use skein_continuations::{Backend, Exit, Fiber, Hub, StackPool, with_spilled_registers};

on_each_backend!(
    a_local_of_a_suspended_fiber_is_found,
    words_in_registers_across_a_suspend_are_found,
    a_capture_of_an_unstarted_fiber_is_found,
    parked_stacks_of_a_hub_are_found,
    the_parked_os_stack_is_found,
    the_running_stack_is_found,
);

/// Does an aligned word of the range hold `mask ^ key`? The word sought is never
/// written by the scan itself.
fn holds(range: Range<usize>, masked: usize) -> bool {
    assert_eq!(range.start % 8, 0);
    assert_eq!(range.end % 8, 0);
    range.step_by(8).any(|address| {
        // SAFETY: the ranges under test are mapped parts of stacks at rest.
        let word = unsafe { (address as *const usize).read_volatile() };
        word ^ KEY == masked
    })
}

const KEY: usize = 0x5555_aaaa_1234_8765;

/// A word that no code holds in the clear: made at run time from its mask.
#[inline(never)]
fn unmask(masked: usize) -> usize {
    black_box(masked) ^ black_box(KEY)
}

fn a_local_of_a_suspended_fiber_is_found<B: Backend>() {
    let pool = StackPool::default();
    let mut fiber = Fiber::<usize, (), bool, B>::new(&pool, |y, masked| {
        let word = black_box(unmask(masked));
        y.suspend(());
        word ^ KEY == 0x111
    })
    .unwrap();
    fiber.resume(0x111);
    assert!(fiber.bounds().contains(fiber.saved_sp()));
    assert!(holds(fiber.scan_range().unwrap(), 0x111));
    assert!(!holds(fiber.scan_range().unwrap(), 0x222));
    assert_eq!(fiber.resume(0), skein_continuations::Resumed::Returned(true));
    assert!(fiber.scan_range().is_none());
}

/// Nine words alive across the suspend: more than there are callee-saved
/// registers, so that some are in each of them if the compiler uses them. The
/// black box keeps it from computing with the words before the suspend.
fn words_in_registers_across_a_suspend_are_found<B: Backend>() {
    #[inline(never)]
    fn hold<B: Backend>(y: &skein_continuations::Yielder<usize, (), B>, base: usize) -> usize {
        let (a, b, c) = (unmask(base), unmask(base + 1), unmask(base + 2));
        let (d, e, f) = (unmask(base + 3), unmask(base + 4), unmask(base + 5));
        let (g, h, i) = (unmask(base + 6), unmask(base + 7), unmask(base + 8));
        y.suspend(());
        [a, b, c, d, e, f, g, h, i].iter().map(|word| (black_box(*word) ^ KEY) - base).sum()
    }
    let pool = StackPool::default();
    let mut fiber = Fiber::<usize, (), usize, B>::new(&pool, |y, base| hold(y, base)).unwrap();
    fiber.resume(0x1000);
    for i in 0..9 {
        assert!(holds(fiber.scan_range().unwrap(), 0x1000 + i), "word {i}");
    }
    assert_eq!(fiber.resume(0), skein_continuations::Resumed::Returned(36));
}

fn a_capture_of_an_unstarted_fiber_is_found<B: Backend>() {
    let pool = StackPool::default();
    let words = [unmask(0x2000), unmask(0x2001), unmask(0x2002)];
    let padding = [1u8; 333];
    let fiber =
        Fiber::<(), (), usize, B>::new(&pool, move |_, ()| words.iter().sum::<usize>() + padding[5] as usize)
            .unwrap();
    for i in 0..3 {
        assert!(holds(fiber.scan_range().unwrap(), 0x2000 + i), "word {i}");
    }
    assert!(!holds(fiber.scan_range().unwrap(), 0x2003));
}

fn holder<B: Backend>(hub: &Hub<B>, masked: usize, payload: usize) -> Exit {
    let word = black_box(unmask(masked));
    hub.switch_to(None, payload);
    Exit { to: None, payload: word ^ KEY }
}

fn parked_stacks_of_a_hub_are_found<B: Backend>() {
    let hub = Hub::<B>::new(StackPool::default());
    let ids: Vec<_> = (0..20).map(|i| hub.spawn(holder, 0x3000 + i).unwrap()).collect();
    for &id in &ids {
        hub.switch_to(Some(id), 1);
    }
    let mut seen = 0;
    hub.for_each_parked(|id, range| {
        let i = ids.iter().position(|&other| Some(other) == id).unwrap();
        assert!(holds(range.clone(), 0x3000 + i));
        assert!(!holds(range, 0x3000 + i + 1));
        seen += 1;
    });
    assert_eq!(seen, 20, "the OS stack runs, and is not among them");
    for (i, &id) in ids.iter().enumerate() {
        assert_eq!(hub.switch_to(Some(id), 0), 0x3000 + i);
    }
}

fn the_parked_os_stack_is_found<B: Backend>() {
    fn scans<B: Backend>(hub: &Hub<B>, masked: usize, _: usize) -> Exit {
        let range = hub.parked_range(None).unwrap();
        let found = (0..9).filter(|i| holds(range.clone(), masked + i)).count();
        Exit { to: None, payload: found }
    }
    #[inline(never)]
    fn hold<B: Backend>(hub: &Hub<B>, base: usize) -> (usize, usize) {
        let id = hub.spawn(scans, base).unwrap();
        let (a, b, c) = (unmask(base), unmask(base + 1), unmask(base + 2));
        let (d, e, f) = (unmask(base + 3), unmask(base + 4), unmask(base + 5));
        let (g, h, i) = (unmask(base + 6), unmask(base + 7), unmask(base + 8));
        let found = hub.switch_to(Some(id), 0);
        let sum = [a, b, c, d, e, f, g, h, i].iter().map(|word| (black_box(*word) ^ KEY) - base).sum();
        (found, sum)
    }
    let hub = Hub::<B>::new(StackPool::default());
    assert_eq!(hold(&hub, 0x4000), (9, 36));
}

fn the_running_stack_is_found<B: Backend>() {
    fn scans<B: Backend>(hub: &Hub<B>, base: usize, _: usize) -> Exit {
        let (a, b, c) = (unmask(base), unmask(base + 1), unmask(base + 2));
        let (d, e, f) = (unmask(base + 3), unmask(base + 4), unmask(base + 5));
        let bounds = hub.current_bounds();
        let found = with_spilled_registers(|low| {
            (0..6).filter(|i| holds(low.next_multiple_of(8)..bounds.base, base + i)).count()
        });
        let sum: usize = [a, b, c, d, e, f].iter().map(|word| (black_box(*word) ^ KEY) - base).sum();
        Exit { to: None, payload: found * 100 + sum }
    }
    let hub = Hub::<B>::new(StackPool::default());
    let id = hub.spawn(scans, 0x5000).unwrap();
    assert_eq!(hub.switch_to(Some(id), 0), 615);
}
