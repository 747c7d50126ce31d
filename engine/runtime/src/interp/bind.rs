//! Binding arguments to a Python function's parameters, and the errors of it.

use crate::native::Args;
use crate::object::Ref;
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::flags;

/// Binds arguments to a function's parameters in the registers at `base`. TypeError in CPython's words.
pub fn bind_arguments(vm: &Vm, f: Ref<Function>, args: Args<'_>, base: *mut Value) -> R<()> {
    let code = f.code();
    let c = code.portable();
    let (npos, nkw) = (c.arg_count as usize, c.kwonly_count as usize);
    if args.has_keywords() || nkw > 0 || c.flags & (flags::VARARGS | flags::VARKEYWORDS) != 0 {
        return bind_all(vm, f, args, base);
    }
    let positional = args.positional();
    let defaults = f.defaults.cast::<Tuple>();
    let defaults = defaults.as_ref().map_or(&[][..], |t| t.items());
    if positional.len() > npos || positional.len() + defaults.len() < npos {
        return bind_all(vm, f, args, base);
    }
    let lacking = &defaults[positional.len() + defaults.len() - npos..];
    for (i, &v) in positional.iter().chain(lacking).enumerate() {
        // SAFETY: the parameters are the frame's first registers.
        unsafe { *base.add(i) = v };
    }
    Ok(())
}

/// As `bind_arguments`, for any function; nothing is written yet.
fn bind_all(vm: &Vm, f: Ref<Function>, args: Args<'_>, base: *mut Value) -> R<()> {
    let code = f.code();
    let c = code.portable();
    let (npos, nkw) = (c.arg_count as usize, c.kwonly_count as usize);
    let total = npos + nkw;
    // SAFETY (all writes to `base`): the parameters are the frame's first registers.
    let set = |i: usize, v: Value| unsafe { *base.add(i) = v };
    let get = |i: usize| unsafe { *base.add(i) };
    let positional = args.positional();
    let given = positional.len().min(npos);
    for (i, &v) in positional[..given].iter().enumerate() {
        set(i, v);
    }
    for i in given..c.param_count() {
        set(i, Value::UNBOUND);
    }
    // What is made here lies above the stack's top, where no collection looks, until the frame is entered: so
    // these two stay in variables, and get to their registers when nothing is allocated any more.
    let varargs = match c.flags & flags::VARARGS {
        0 => None,
        _ => Some(Tuple::new(vm, &positional[given..])?),
    };
    let rest = match c.flags & flags::VARKEYWORDS {
        0 => None,
        _ => Some(Dict::new(vm)?),
    };
    if args.has_keywords() {
        let names = code.parameters(vm)?;
        let positional_only = c.posonly_count as usize;
        for (name, v) in args.keywords() {
            let Some(name) = name.cast::<Str>() else {
                return Err(vm.type_error(format!("{}() keywords must be strings", f.qualname_string())));
            };
            // The names in calls are interned, as those of parameters are; what `**` unpacks need not be.
            let all = &names.items()[positional_only..total];
            let same = |n: &Value| n.cast::<Str>().is_some_and(|n| n.same(name));
            let found = all
                .iter()
                .position(|n| n.is(name.value()))
                .or_else(|| if name.is_interned() { None } else { all.iter().position(same) });
            match (found.map(|i| i + positional_only), rest) {
                (Some(i), _) if get(i).is_unbound() => set(i, v),
                (Some(_), _) => {
                    return Err(vm.type_error(format!(
                        "{}() got multiple values for argument '{}'",
                        f.qualname_string(),
                        name.to_string_lossy()
                    )));
                }
                (None, Some(d)) => d.set_str(vm, vm.intern_str(name), v)?,
                (None, None) => return Err(unexpected_keyword(vm, f, args, name)),
            }
        }
    }
    if positional.len() > npos && c.flags & flags::VARARGS == 0 {
        return Err(too_many(vm, f, positional.len(), base));
    }
    if given < npos {
        let defaults = f.defaults.cast::<Tuple>();
        let defaults = defaults.as_ref().map_or(&[][..], |t| t.items());
        let first = npos - defaults.len().min(npos);
        for i in given..npos {
            if get(i).is_unbound() && i >= first {
                set(i, defaults[i - first + defaults.len().saturating_sub(npos)]);
            }
        }
        if (given..npos).any(|i| get(i).is_unbound()) {
            let missing: Vec<&str> =
                (given..npos).filter(|&i| get(i).is_unbound()).map(|i| &*c.locals[i].name).collect();
            return Err(missing_arguments(vm, f, &missing, "positional"));
        }
    }
    if nkw > 0 {
        let defaults = f.kwdefaults.cast::<Dict>();
        let mut missing = Vec::new();
        let names = code.parameters(vm)?;
        for i in npos..total {
            if get(i).is_unbound() {
                let found = match defaults {
                    // SAFETY: only strings are put there.
                    Some(d) => d.get_str(vm, unsafe { names.items()[i].cast_unchecked() })?,
                    None => None,
                };
                match found {
                    Some(v) => set(i, v),
                    None => missing.push(&*c.locals[i].name),
                }
            }
        }
        if !missing.is_empty() {
            return Err(missing_arguments(vm, f, &missing, "keyword-only"));
        }
    }
    let made = [varargs.map(|t| t.value()), rest.map(|d| d.value())];
    for (i, v) in made.into_iter().flatten().enumerate() {
        set(total + i, v);
    }
    Ok(())
}

#[cold]
fn missing_arguments(vm: &Vm, f: Ref<Function>, names: &[&str], kind: &str) -> crate::value::Raised {
    let quoted: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
    let list = match quoted.as_slice() {
        [one] => one.clone(),
        [a, b] => format!("{a} and {b}"),
        [rest @ .., last] => format!("{}, and {last}", rest.join(", ")),
        [] => String::new(),
    };
    vm.type_error(format!(
        "{}() missing {} required {kind} argument{}: {list}",
        f.qualname_string(),
        names.len(),
        if names.len() == 1 { "" } else { "s" }
    ))
}

#[cold]
fn too_many(vm: &Vm, f: Ref<Function>, given: usize, base: *mut Value) -> crate::value::Raised {
    let code = f.code();
    let c = code.portable();
    let npos = c.arg_count as usize;
    let defaults = f.defaults.cast::<Tuple>().map_or(0, |t| t.len()).min(npos);
    let takes = if defaults > 0 { format!("from {} to {npos}", npos - defaults) } else { npos.to_string() };
    // SAFETY: parameters are set, or UNBOUND.
    let kw =
        (npos..npos + c.kwonly_count as usize).filter(|&i| unsafe { !(*base.add(i)).is_unbound() }).count();
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let extra = if kw > 0 {
        format!(" positional argument{} (and {kw} keyword-only argument{})", plural(given), plural(kw))
    } else {
        String::new()
    };
    vm.type_error(format!(
        "{}() takes {takes} positional argument{} but {given}{extra} {} given",
        f.qualname_string(),
        if defaults > 0 { "s" } else { plural(npos) },
        if given == 1 && kw == 0 { "was" } else { "were" },
    ))
}

#[cold]
fn unexpected_keyword(vm: &Vm, f: Ref<Function>, args: Args<'_>, name: Ref<Str>) -> crate::value::Raised {
    let code = f.code();
    let c = code.portable();
    let wrong: Vec<String> = args
        .keywords()
        .filter_map(|(n, _)| n.cast::<Str>())
        .map(|n| n.to_string_lossy().into_owned())
        .filter(|n| c.locals[..c.posonly_count as usize].iter().any(|l| *l.name == **n))
        .collect();
    if !wrong.is_empty() {
        return vm.type_error(format!(
            "{}() got some positional-only arguments passed as keyword arguments: '{}'",
            f.qualname_string(),
            wrong.join(", ")
        ));
    }
    let text = name.to_string_lossy().into_owned();
    let total = c.arg_count as usize + c.kwonly_count as usize;
    let known = c.locals[c.posonly_count as usize..total].iter().map(|l| &*l.name);
    let hint = crate::interp::exceptions::closest(&text, known).map(|n| format!(". Did you mean '{n}'?"));
    vm.type_error(format!(
        "{}() got an unexpected keyword argument '{text}'{}",
        f.qualname_string(),
        hint.unwrap_or_default()
    ))
}
