//! Writing objects: by what they are reduced to, and by their names.

use super::ops::*;
use super::save::Saver;
use super::{attempt, full_name, in_context, library, noted};
use skein_builtins::modules::import;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Value, Vm};

impl Saver<'_> {
    /// An object of no type that the format knows.
    pub fn save_other(&self, v: Value, ty: Ref<Type>) -> R<()> {
        let vm = self.vm;
        let reduce = match self.dispatch_table {
            None => match vm.get_attr_str(import(vm, "copyreg")?, "dispatch_table")?.cast::<Dict>() {
                Some(table) => table.get(vm, ty.value())?,
                None => None,
            },
            Some(table) => vm.absorb(vm.get_item(table, ty.value()), vm.exc.lookup_error)?,
        };
        if let Some(f) = reduce {
            return self.save_reduced(v, vm.call(f, &[v])?);
        }
        if ty.is_subtype(vm.types.type_) {
            return self.save_global(v, None);
        }
        let reduced = if let Some(f) = vm.find_attr(v, vm.intern("__reduce_ex__")?)? {
            vm.call(f, &[vm.int(self.protocol())?])?
        } else if let Some(f) = vm.find_attr(v, vm.intern("__reduce__")?)? {
            vm.call(f, &[])?
        } else {
            return Err(self.error(format!("Can't pickle {} object", full_name(vm, v)?)));
        };
        self.save_reduced(v, reduced)
    }

    /// A function goes by its name; where it has none that leads to it, by the reduction that a program has registered
    /// for functions, if one has.
    pub fn save_function(&self, v: Value, ty: Ref<Type>) -> R<()> {
        let vm = self.vm;
        let table = vm.get_attr_str(import(vm, "copyreg")?, "dispatch_table")?.cast::<Dict>();
        let reduce = match table {
            Some(table) => table.get(vm, ty.value())?,
            None => None,
        };
        let Some(reduce) = reduce else { return self.save_global(v, None) };
        let name = vm.get_attr(v, vm.names.__qualname__)?.cast::<Str>();
        let named = match name {
            Some(name) => vm.absorb(self.module_of(v, name), vm.exc.exception)?,
            None => None,
        };
        match named {
            Some(_) => self.save_global(v, None),
            None => self.save_reduced(v, vm.call(reduce, &[v])?),
        }
    }

    /// What an object's reduction gave: a name, or a tuple.
    pub fn save_reduced(&self, v: Value, reduced: Value) -> R<()> {
        let vm = self.vm;
        if let Some(name) = reduced.cast::<Str>() {
            return self.save_global(v, Some(name));
        }
        let done = match reduced.cast::<Tuple>() {
            None => {
                let got = full_name(vm, reduced)?;
                Err(self.error(format!("__reduce__ must return a string or tuple, not {got}")))
            }
            Some(t) if !(2..=6).contains(&t.len()) => {
                Err(self.error("tuple returned by __reduce__ must contain 2 through 6 elements"))
            }
            Some(t) => self.save_reduce(v, t.items()),
        };
        noted(vm, done, || Ok(format!("{} object", full_name(vm, v)?)))
    }

    /// A callable, its arguments, and what is to be done with the result.
    pub fn save_reduce(&self, v: Value, parts: &[Value]) -> R<()> {
        let vm = self.vm;
        let part = |i: usize| parts.get(i).copied().filter(|p| !p.is_none());
        let wrong = |which: &str, what: &str, got: Value| -> R<()> {
            let got = full_name(vm, got)?;
            Err(self
                .error(format!("{which} item of the tuple returned by __reduce__ must be {what}, not {got}")))
        };
        let (f, args) = (parts[0], parts[1]);
        if !vm.is_callable(f) {
            return wrong("first", "callable", f);
        }
        let Some(args) = args.cast::<Tuple>() else { return wrong("second", "a tuple", args) };
        let is_iterator = |v: Value| vm.type_of(v).special(vm, skein_bytecode::Special::Next).is_some();
        for (i, which) in [(3, "fourth"), (4, "fifth")] {
            if let Some(items) = part(i).filter(|&items| !is_iterator(items)) {
                return wrong(which, "an iterator", items);
            }
        }
        if let Some(setter) = part(5).filter(|&setter| !vm.is_callable(setter)) {
            return wrong("sixth", "callable", setter);
        }
        self.save_construction(v, f, args)?;
        // An object that is known by now has been written by what it consists of.
        match self.p.number_of(v) {
            Some(known) => {
                self.write(&[POP])?;
                self.get(known)?;
            }
            None => self.memoize(v)?,
        }
        if let Some(items) = part(3) {
            self.save_list_iterator(v, items)?;
        }
        if let Some(items) = part(4) {
            self.save_dict_iterator(v, items)?;
        }
        let Some(state) = part(2) else { return Ok(()) };
        let Some(setter) = part(5) else {
            noted(vm, self.save(state), || Ok(format!("{} state", full_name(vm, v)?)))?;
            return self.write(&[BUILD]);
        };
        noted(vm, self.save(setter), || Ok(format!("{} state setter", full_name(vm, v)?)))?;
        self.save(v)?;
        noted(vm, self.save(state), || Ok(format!("{} state", full_name(vm, v)?)))?;
        // What the setter returns is of no interest.
        self.write(&[TUPLE2, REDUCE, POP])
    }

    fn save_construction(&self, v: Value, f: Value, args: Ref<Tuple>) -> R<()> {
        let vm = self.vm;
        let name = match self.protocol() >= 2 {
            true => vm.find_attr(f, vm.names.__name__)?.and_then(|n| n.cast::<Str>()),
            false => None,
        };
        let note = |r: R<()>, what: &str| noted(vm, r, || Ok(format!("{} {what}", full_name(vm, v)?)));
        let check_class = |class: Value, function: &str| -> R<()> {
            if class.cast::<Type>().is_none() {
                let got = full_name(vm, class)?;
                return Err(self.error(format!("first argument to {function}() must be a class, not {got}")));
            }
            let own = vm.get_attr_str(v, "__class__")?;
            if !own.is(class) {
                let (own, got) = (vm.repr_string(own)?, vm.repr_string(class)?);
                return Err(self.error(format!("first argument to {function}() must be {own}, not {got}")));
            }
            Ok(())
        };
        match name.as_ref().map(|n| n.bytes()) {
            Some(b"__newobj_ex__") => {
                let &[class, positional, keywords] = args.items() else {
                    let n = args.len();
                    return Err(self.error(format!("__newobj_ex__ expected 3 arguments, got {n}")));
                };
                if class.cast::<Type>().is_none() {
                    check_class(class, "__newobj_ex__")?;
                }
                let Some(positional) = positional.cast::<Tuple>() else {
                    let got = full_name(vm, positional)?;
                    let text = format!("second argument to __newobj_ex__() must be a tuple, not {got}");
                    return Err(self.error(text));
                };
                let Some(keywords) = keywords.cast::<Dict>() else {
                    let got = full_name(vm, keywords)?;
                    let text = format!("third argument to __newobj_ex__() must be a dict, not {got}");
                    return Err(self.error(text));
                };
                check_class(class, "__newobj_ex__")?;
                if self.protocol() >= 4 {
                    note(self.save(class), "class")?;
                    let both = self.save(positional.value()).and_then(|()| self.save(keywords.value()));
                    note(both, "__new__ arguments")?;
                    return self.write(&[NEWOBJ_EX]);
                }
                let new = vm.get_attr_str(class, "__new__")?;
                let row = skein_runtime::types::list::List::new(vm, &[new, class])?;
                row.extend(vm, positional.items())?;
                let partial = vm.get_attr_str(import(vm, "functools")?, "partial")?;
                let f = super::call_with(vm, partial, row.items(), Some(keywords))?;
                note(self.save(f), "reconstructor")?;
                self.save(vm.tuple(&[])?)?;
                self.write(&[REDUCE])
            }
            Some(b"__newobj__") => {
                let Some((&class, rest)) = args.items().split_first() else {
                    return Err(self.error("__newobj__ expected at least 1 argument, got 0"));
                };
                check_class(class, "__newobj__")?;
                note(self.save(class), "class")?;
                note(self.save(vm.tuple(rest)?), "__new__ arguments")?;
                self.write(&[NEWOBJ])
            }
            _ => {
                note(self.save(f), "reconstructor")?;
                note(self.save(args.value()), "reconstructor arguments")?;
                self.write(&[REDUCE])
            }
        }
    }

    pub fn save_type(&self, v: Value) -> R<()> {
        let vm = self.vm;
        // Their names are not to be found anywhere.
        for single in [Value::NONE, Value::NOT_IMPLEMENTED, Value::ELLIPSIS] {
            if vm.type_of(single).value().is(v) {
                return self.save_reduce(v, &[vm.types.type_.value(), vm.tuple(&[single])?]);
            }
        }
        self.save_global(v, None)
    }

    /// An object that is found by its module and name.
    pub fn save_global(&self, v: Value, name: Option<Ref<Str>>) -> R<()> {
        let vm = self.vm;
        let name = match name {
            Some(name) => name.value(),
            None => match vm.find_attr(v, vm.names.__qualname__)? {
                Some(name) => name,
                None => vm.get_attr(v, vm.names.__name__)?,
            },
        };
        let Some(name) = name.cast::<Str>() else {
            return Err(vm.type_error(format!("name must be str, not {}", vm.type_name(name))));
        };
        let module = self.module_of(v, name)?;
        if self.protocol() >= 2 && self.save_extension(v, module, name)? {
            return Ok(());
        }
        if self.protocol() >= 4 {
            self.save(module.value())?;
            self.save(name.value())?;
            self.write(&[STACK_GLOBAL])?;
            return self.memoize(v);
        }
        let path = name.to_string_lossy().into_owned();
        let mut path = path.split('.');
        let first = path.next().unwrap_or_default().to_owned();
        // getattr(getattr(first, second), third)
        let rest: Vec<&str> = path.collect();
        for _ in &rest {
            self.save(vm.builtin("getattr")?)?;
            if self.protocol() < 2 {
                self.write(&[MARK])?;
            }
        }
        match rest.is_empty() {
            true => self.save_name(module, name)?,
            false => self.save_name(module, vm.intern(&first)?)?,
        }
        for attribute in rest {
            self.save(vm.str(attribute)?)?;
            self.write(&[if self.protocol() < 2 { TUPLE } else { TUPLE2 }, REDUCE])?;
        }
        self.memoize(v)
    }

    /// The module where an object is found under its name. PicklingError.
    fn module_of(&self, v: Value, name: Ref<Str>) -> R<Ref<Str>> {
        let vm = self.vm;
        let shown = name.to_string_lossy().into_owned();
        let path: Vec<&str> = shown.split('.').collect();
        let own = vm.find_attr(v, vm.intern("__module__")?)?.filter(|m| !m.is_none());
        if path.contains(&"<locals>") {
            return Err(self.error(format!("Can't pickle local object {}", vm.repr_string(v)?)));
        }
        let module = match own {
            Some(m) => m,
            None => match self.search_modules(v, &path)? {
                Some(found) => return Ok(found),
                None => vm.str("__main__")?,
            },
        };
        let Some(module) = module.cast::<Str>() else {
            return Err(vm.type_error(format!("__module__ must be a string, not {}", vm.type_name(module))));
        };
        let module_name = module.to_string_lossy().into_owned();
        let cannot = |what: &str, context: Option<Value>| -> R<Ref<Str>> {
            let raised = self.error(format!("Can't pickle {}: {what}", vm.repr_string(v)?));
            Err(context.map_or(Raised, |other| in_context(vm, raised, other)))
        };
        let kinds = [vm.exc.import_error, vm.exc.value_error, vm.exc.key_error];
        let found = match attempt(vm, import_module(vm, module), &kinds)? {
            Ok(m) => m,
            Err(error) => return cannot(&vm.str_string(error)?, Some(error)),
        };
        match attempt(vm, attribute(vm, found, &path), &[vm.exc.attribute_error])? {
            Err(error) => cannot(&format!("it's not found as {module_name}.{shown}"), Some(error)),
            Ok(other) if !other.is(v) => {
                cannot(&format!("it's not the same object as {module_name}.{shown}"), None)
            }
            Ok(_) => Ok(module),
        }
    }

    /// The first module that has the object under this name.
    fn search_modules(&self, v: Value, path: &[&str]) -> R<Option<Ref<Str>>> {
        let vm = self.vm;
        let modules = vm.get_attr_str(import(vm, "sys")?, "modules")?;
        let Some(modules) = modules.cast::<Dict>() else { return Ok(None) };
        for (name, module) in modules.copy(vm)?.iter() {
            let Some(name) = name.cast::<Str>() else { continue };
            if matches!(name.bytes(), b"__main__" | b"__mp_main__") || module.is_none() {
                continue;
            }
            let found = vm.absorb(attribute(vm, module, path), vm.exc.attribute_error)?;
            if found.is_some_and(|found| found.is(v)) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// A number that `copyreg` has for the name.
    fn save_extension(&self, v: Value, module: Ref<Str>, name: Ref<Str>) -> R<bool> {
        let vm = self.vm;
        let registry = vm.get_attr_str(import(vm, "copyreg")?, "_extension_registry")?;
        let Some(registry) = registry.cast::<Dict>() else { return Ok(false) };
        let key = vm.tuple(&[module.value(), name.value()])?;
        let Some(code) = registry.get(vm, key)? else { return Ok(false) };
        if !vm.is_int(code) {
            let (v, code) = (vm.repr_string(v)?, vm.repr_string(code)?);
            return Err(self.error(format!("Can't pickle {v}: extension code {code} isn't an integer")));
        }
        let n =
            vm.as_i64(code).and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=i32::MAX as u32).contains(n));
        let Some(n) = n else {
            let code = vm.repr_string(code)?;
            return Err(vm.runtime_error(format!("extension code {code} is out of range")));
        };
        match (u8::try_from(n), u16::try_from(n)) {
            (Ok(n), _) => self.write(&[EXT1, n])?,
            (_, Ok(n)) => {
                self.write(&[EXT2])?;
                self.write(&n.to_le_bytes())?;
            }
            _ => {
                self.write(&[EXT4])?;
                self.write(&n.to_le_bytes())?;
            }
        }
        Ok(true)
    }

    /// A module and a name in it, as text.
    fn save_name(&self, module: Ref<Str>, name: Ref<Str>) -> R<()> {
        let vm = self.vm;
        let (mut module, mut name) = (module, name);
        if self.p.fix_imports.get() {
            let key = vm.tuple(&[module.value(), name.value()])?;
            if let Some(pair) = library(vm, "REVERSE_NAME_MAPPING", key)? {
                let pair = pair.cast::<Tuple>().filter(|t| t.len() == 2);
                let pair =
                    pair.and_then(|t| Some((t.items()[0].cast::<Str>()?, t.items()[1].cast::<Str>()?)));
                let Some(pair) = pair else {
                    return Err(
                        vm.runtime_error("_compat_pickle.REVERSE_NAME_MAPPING values should be pairs of str")
                    );
                };
                (module, name) = pair;
            } else if let Some(other) = library(vm, "REVERSE_IMPORT_MAPPING", module.value())? {
                let Some(other) = other.cast::<Str>() else {
                    return Err(
                        vm.runtime_error("_compat_pickle.REVERSE_IMPORT_MAPPING values should be strings")
                    );
                };
                module = other;
            }
        }
        self.write(&[GLOBAL])?;
        for (text, what) in [(module, "module"), (name, "global")] {
            // Other names than those of ASCII are for newer protocols, and those with surrogates for none.
            let encoding = vm.str(if self.protocol() < 3 { "ascii" } else { "utf-8" })?;
            let encoded = vm.call_method(text.value(), "encode", &[encoding]);
            if let Err(other) = attempt(vm, encoded, &[vm.exc.unicode_encode_error])? {
                let (text, protocol) = (vm.repr_string(text.value())?, self.protocol());
                let message =
                    format!("can't pickle {what} identifier {text} using pickle protocol {protocol}");
                return Err(in_context(vm, self.error(message), other));
            }
            self.write(text.bytes())?;
            self.write(b"\n")?;
        }
        Ok(())
    }
}

/// The module of this name in `sys.modules`, after it was imported.
pub fn import_module(vm: &Vm, name: Ref<Str>) -> R<Value> {
    vm.call(vm.builtin("__import__")?, &[name.value()])?;
    let modules = vm.get_attr_str(import(vm, "sys")?, "modules")?;
    vm.get_item(modules, name.value())
}

/// An attribute of an attribute of … AttributeError.
pub fn attribute(vm: &Vm, v: Value, path: &[&str]) -> R<Value> {
    path.iter().try_fold(v, |v, name| vm.get_attr(v, vm.intern(name)?))
}
