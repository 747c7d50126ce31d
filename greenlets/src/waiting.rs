//! Who waits on whom: what is said of it when nothing can run.

use crate::channel::is_sending;
use crate::holders::each_reached;
use crate::running::scheduler;
use crate::switch::Microthreads;
use crate::tasklet::{Task, Tasklet};
use skein_runtime::interp::{Walk, frame_code};
use skein_runtime::types::ext::Ext;
use skein_runtime::types::list::List;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// Tasklets that are told of, at most.
const MOST: usize = 20;
/// Of those that can get at a channel, so many are named.
const NAMED: usize = 3;
/// A thread's deadlocks of which more is told than that they are: finding the tasklets takes a walk over all objects.
const REPORTS: u32 = 8;

/// Adds to the pending exception who waits on whom. That there is no memory for it is no error.
pub fn note(vm: &Vm) {
    let reports = &scheduler(vm).reports;
    if reports.get() >= REPORTS {
        return;
    }
    reports.set(reports.get() + 1);
    let Some(e) = vm.pending.take() else { return };
    if let Ok(Some(text)) = report(vm)
        && let Ok(text) = vm.str(&text)
    {
        let _ = vm.call_method(e, "add_note", &[text]);
    }
    vm.pending.set(Some(e));
}

/// The tasklets of this thread that are blocked. MemoryError.
fn blocked(vm: &Vm) -> R<(Vec<Task>, usize)> {
    let here = Microthreads::of(vm).thread;
    // They are held in a list, since what is asked of them below allocates.
    let held = List::with_capacity(vm, MOST)?;
    let mut found = Vec::new();
    let mut all = 0;
    vm.heap.for_each_object(&mut |h| {
        // SAFETY: the heap hands out its objects; an object's address is a value.
        let v = unsafe { Value::from_bits(h as u64) };
        if let Some(t) = v.cast::<Ext<Tasklet>>()
            && t.is_blocked()
            && t.micro.is_alive()
            && t.micro.ctx.thread.get() == here
        {
            all += 1;
            if found.len() < MOST {
                found.push(t);
            }
        }
    });
    for t in &found {
        held.push(vm, t.value())?;
    }
    std::hint::black_box(held);
    Ok((found, all))
}

/// For each of the tasklets, the places of the others that can get at the channel that it waits on: those that are nearest to it.
fn edges(vm: &Vm, found: &[Task]) -> Vec<Vec<usize>> {
    let channels: Vec<Value> = found.iter().map(|t| t.channel.or_none()).collect();
    // bounded: so many tasklets are told of
    let mut edges = vec![(u32::MAX, Vec::new()); found.len()];
    for (other, t) in found.iter().enumerate() {
        each_reached(vm, Some(t.value()), &channels, &mut |channel, steps| {
            for (waiting, (nearest, edges)) in edges.iter_mut().enumerate() {
                if waiting == other || !channels[waiting].is(channels[channel]) || steps > *nearest {
                    continue;
                }
                if steps < *nearest {
                    edges.clear();
                }
                *nearest = steps;
                edges.push(other);
            }
        });
    }
    edges.into_iter().map(|(_, edges)| edges).collect()
}

fn name(vm: &Vm, v: Value) -> String {
    format!("{} at {:#x}", vm.type_name(v), v.bits())
}

fn report(vm: &Vm) -> R<Option<String>> {
    let (found, all) = blocked(vm)?;
    if found.is_empty() {
        return Ok(None);
    }
    let edges = edges(vm, &found);
    let mut text = String::from("tasklets that wait:");
    for (t, others) in found.iter().zip(&edges) {
        let does = if is_sending(*t) { "sends on" } else { "receives from" };
        let channel = t.channel.or_none();
        text += &format!("\n  {} {does} {}{}", name(vm, t.value()), name(vm, channel), place(*t));
        if others.is_empty() {
            continue;
        }
        text += ", which is also known to ";
        let named: Vec<String> = others.iter().take(NAMED).map(|&i| name(vm, found[i].value())).collect();
        text += &named.join(", ");
        if others.len() > NAMED {
            text += &format!(" and {} more", others.len() - NAMED);
        }
    }
    if all > MOST {
        text += &format!("\n  and {} more", all - MOST);
    }
    Ok(Some(text))
}

/// Where a tasklet stands.
fn place(t: Task) -> String {
    let Some(frame) = t.micro.site(&t.micro.ctx).and_then(|site| Walk::new(site).next()) else {
        return String::new();
    };
    let code = frame_code(frame.base);
    let portable = code.portable();
    format!(", file \"{}\", line {}, in {}", portable.filename, frame.line(), portable.qualname)
}
