//! Uncaught exceptions as text: chains, groups, notes, suggestions.

mod lines;
mod suggest;
mod syntax;

use skein_runtime::object::Ref;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::str::Str;
use skein_runtime::types::traceback::Traceback;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{Raised, Value};
use skein_runtime::vm::Vm;
use skein_runtime::vm::write_stderr;

const CAUSE: &str = "\nThe above exception was the direct cause of the following exception:\n\n";
const CONTEXT: &str = "\nDuring handling of the above exception, another exception occurred:\n\n";
const MAX_DEPTH: usize = 10;
const MAX_WIDTH: usize = 15;

/// A line of a source file, without its end.
pub fn source_line(vm: &Vm, filename: &str, line: u32) -> Option<String> {
    lines::source(vm, filename)?.lines().nth(line.checked_sub(1)? as usize).map(str::to_string)
}

/// Prints an exception with its traceback to `sys.stderr`, as Python does with an uncaught one.
pub fn print_exception(vm: &Vm, exception: Value) {
    let text = format_exception(vm, exception);
    write_stderr(vm, &text);
}

/// Writes an exception that has nowhere to go to `sys.stderr`, with what was being done, to which object.
pub fn print_unraisable(vm: &Vm, exception: Value, message: Option<&str>, object: Value) {
    let text = match (message, object.is_none()) {
        (Some(m), true) => format!("{m}:\n"),
        (Some(m), false) => format!("{m}: {}\n", vm.repr_or_type(object)),
        (None, true) => String::new(),
        (None, false) => format!("Exception ignored in: {}\n", vm.repr_or_type(object)),
    };
    write_stderr(vm, &text);
    print_exception(vm, exception);
}

/// An exception with its traceback, causes and contexts.
pub fn format_exception(vm: &Vm, exception: Value) -> String {
    let pending = vm.pending.take();
    // The chain leads to all that is shown; nothing else may keep it meanwhile.
    vm.roots.borrow_mut().push(exception);
    let mut p = Printer { vm, out: String::new(), depth: 0, need_close: false, seen: Vec::new() };
    p.chain(exception);
    vm.roots.borrow_mut().pop();
    vm.pending.set(pending);
    p.out
}

/// The last lines only: type, message, notes.
pub fn format_exception_only(vm: &Vm, exception: Value) -> String {
    let pending = vm.pending.take();
    let text = final_lines(vm, exception);
    vm.pending.set(pending);
    text
}

struct Printer<'a> {
    vm: &'a Vm,
    out: String,
    /// Exception groups around this.
    depth: usize,
    need_close: bool,
    /// Exceptions shown already; the outermost one leads to all of them.
    seen: Vec<Value>,
}

impl Printer<'_> {
    fn indent(&self) -> String {
        " ".repeat(2 * self.depth)
    }

    fn emit(&mut self, text: &str, margin: char) {
        if self.depth == 0 {
            self.out.push_str(text);
            return;
        }
        let prefix = format!("{}{margin} ", self.indent());
        for line in text.split_inclusive('\n') {
            self.out.push_str(&prefix);
            self.out.push_str(line);
        }
    }

    /// Causes and contexts first, the exception itself last.
    fn chain(&mut self, exception: Value) {
        let mut links: Vec<(Option<&str>, Value)> = Vec::new();
        let mut next = Some(exception);
        while let Some(v) = next.take() {
            self.seen.push(v);
            let mut message = None;
            if let Some(e) = v.cast::<Exception>() {
                let unseen = |v: &Value| !self.seen.contains(v);
                if let Some(cause) = e.cause.get().filter(|c| !c.is_none()).filter(unseen) {
                    (message, next) = (Some(CAUSE), Some(cause));
                } else if let Some(context) = e.context.get().filter(|c| !c.is_none()).filter(unseen)
                    && !e.suppress_context()
                    && e.cause.get().is_none_or(|c| c.is_none())
                {
                    (message, next) = (Some(CONTEXT), Some(context));
                }
            }
            links.push((message, v));
        }
        for (message, v) in links.into_iter().rev() {
            if let Some(m) = message {
                self.emit(m, '|');
            }
            self.one(v);
        }
    }

    fn one(&mut self, v: Value) {
        let tb = v.cast::<Exception>().and_then(|e| e.traceback.cast::<Traceback>());
        let Some(members) = crate::types::exceptions::group::as_group(self.vm, v)
            .and_then(crate::types::exceptions::group::members)
        else {
            if let Some(tb) = tb {
                self.emit("Traceback (most recent call last):\n", '|');
                self.stack(tb);
            }
            let text = final_lines(self.vm, v);
            self.emit(&text, '|');
            return;
        };
        if self.depth > MAX_DEPTH {
            self.emit(&format!("... (max_group_depth is {MAX_DEPTH})\n"), '|');
            return;
        }
        let top = self.depth == 0;
        if top {
            self.depth = 1;
        }
        if let Some(tb) = tb {
            self.emit("Exception Group Traceback (most recent call last):\n", if top { '+' } else { '|' });
            self.stack(tb);
        }
        let text = final_lines(self.vm, v);
        self.emit(&text, '|');
        self.members(members);
        if top {
            self.depth = 0;
        }
    }

    fn members(&mut self, members: Ref<Tuple>) {
        let all = members.items();
        let n = if all.len() <= MAX_WIDTH { all.len() } else { MAX_WIDTH + 1 };
        self.need_close = false;
        for i in 0..n {
            let last = i == n - 1;
            if last {
                self.need_close = true;
            }
            let truncated = i >= MAX_WIDTH;
            let title = if truncated { "...".to_string() } else { (i + 1).to_string() };
            let joint = if i == 0 { "+-" } else { "  " };
            let line = format!("{}{joint}+---------------- {title} ----------------\n", self.indent());
            self.out.push_str(&line);
            self.depth += 1;
            if truncated {
                let left = all.len() - MAX_WIDTH;
                self.emit(&format!("and {left} more exception{}\n", if left > 1 { "s" } else { "" }), '|');
            } else {
                self.chain(all[i]);
            }
            if last && self.need_close {
                let line = format!("{}+------------------------------------\n", self.indent());
                self.out.push_str(&line);
                self.need_close = false;
            }
            self.depth -= 1;
        }
    }

    fn stack(&mut self, tb: Ref<Traceback>) {
        /// Entries of one place that are shown.
        const SHOWN: usize = 3;
        let (mut previous, mut count) = (None, 0);
        let mut next = Some(tb);
        let more = |count: usize| {
            let n = count - SHOWN;
            format!("  [Previous line repeated {n} more time{}]\n", if n > 1 { "s" } else { "" })
        };
        while let Some(t) = next {
            let code = t.code();
            let p = code.portable();
            let place = (p.filename.clone(), t.line(), p.name.clone());
            if previous.as_ref() != Some(&place) {
                if count > SHOWN {
                    self.emit(&more(count), '|');
                }
                previous = Some(place);
                count = 0;
            }
            count += 1;
            if count <= SHOWN {
                let text = lines::entry(self.vm, t);
                self.emit(&text, '|');
            }
            next = t.next.cast();
        }
        if count > SHOWN {
            self.emit(&more(count), '|');
        }
    }
}

/// `str(v)` that never fails.
fn safe_text(vm: &Vm, v: Value, what: &str) -> String {
    vm.str_string(v).unwrap_or_else(|Raised| {
        vm.pending.take();
        format!("<{what} str() failed>")
    })
}

/// The exception's type as shown: with its module unless that is `builtins` or `__main__`.
fn type_text(vm: &Vm, v: Value) -> String {
    let ty = vm.type_of(v);
    let name = ty.qualname.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let module = match skein_runtime::types::typeobj::type_module(vm, ty) {
        Ok(m) => m.and_then(|m| m.cast::<Str>()).map(|s| s.to_string_lossy().into_owned()),
        Err(Raised) => {
            vm.pending.take();
            None
        }
    };
    match module.as_deref() {
        Some("builtins" | "__main__") => name,
        Some(m) => format!("{m}.{name}"),
        None => format!("<unknown>.{name}"),
    }
}

/// Type and message, or a SyntaxError's place, then notes.
fn final_lines(vm: &Vm, v: Value) -> String {
    let name = type_text(vm, v);
    let is_syntax = vm.type_of(v).is_subtype(vm.exc.syntax_error);
    let mut out = match v.cast::<Exception>().filter(|_| is_syntax) {
        Some(e) => syntax::error(vm, e, &name),
        None => {
            let mut text = safe_text(vm, v, "exception");
            if let Some(e) = v.cast::<Exception>() {
                text.push_str(&suggest::suggestion(vm, e));
            }
            if text.is_empty() { format!("{name}\n") } else { format!("{name}: {text}\n") }
        }
    };
    notes(vm, v, &mut out);
    out
}

fn notes(vm: &Vm, v: Value, out: &mut String) {
    let found = vm.intern("__notes__").and_then(|n| vm.find_attr(v, n));
    let Ok(Some(notes)) = found else {
        vm.pending.take();
        return;
    };
    if notes.is_none() {
        return;
    }
    let items = match notes.cast::<skein_runtime::types::list::List>() {
        Some(l) => l.items().to_vec(),
        None => match notes.cast::<Tuple>() {
            Some(t) => t.items().to_vec(),
            None => {
                let text = vm.repr_string(notes).unwrap_or_else(|Raised| {
                    vm.pending.take();
                    "<__notes__ repr() failed>".into()
                });
                out.push_str(&text);
                out.push('\n');
                return;
            }
        },
    };
    for note in items {
        for line in safe_text(vm, note, "note").split('\n') {
            out.push_str(line);
            out.push('\n');
        }
    }
}
