//! Binding of arguments for functions whose parameters a typed native cannot say: constructors that tell state from
//! fields, and messages that name no function.

use skein_runtime::types::str::Str;
use skein_runtime::{Args, R, Raised, Value, Vm};

/// The parameters of a function.
pub struct Parameters {
    /// For messages; None: CPython's parser knows no name there.
    pub function: Option<&'static str>,
    pub names: &'static [&'static str],
    /// So many can be given by position.
    pub positional: usize,
}

impl Parameters {
    /// The values of the parameters, UNBOUND where none was given. TypeError.
    pub fn bind<const N: usize>(&self, vm: &Vm, args: Args<'_>) -> R<[Value; N]> {
        let mut slots = [Value::UNBOUND; N];
        let given = args.positional();
        if given.len() > self.positional || args.has_keywords() {
            self.check_counts(vm, given.len(), args.keywords().count())?;
        }
        slots[..given.len()].copy_from_slice(given);
        for (name, value) in args.keywords() {
            let Some(name) = name.cast::<Str>() else { continue };
            let at = self.names.iter().position(|n| n.as_bytes() == name.bytes());
            match at {
                Some(i) if slots[i].is_unbound() => slots[i] = value,
                Some(i) => {
                    let (name, i) = (self.names[i], i + 1);
                    return Err(vm.type_error(format!(
                        "argument for {} given by name ('{name}') and position ({i})",
                        self.called("function")
                    )));
                }
                None => {
                    return Err(vm.type_error(format!(
                        "{} got an unexpected keyword argument '{}'",
                        self.called("this function"),
                        name.to_string_lossy()
                    )));
                }
            }
        }
        Ok(slots)
    }

    fn called(&self, unnamed: &str) -> String {
        self.function.map_or(unnamed.to_owned(), |f| format!("{f}()"))
    }

    fn check_counts(&self, vm: &Vm, positional: usize, keywords: usize) -> R<()> {
        let (most, all) = (self.names.len(), positional + keywords);
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let function = self.called("function");
        if all > most {
            let kind = if positional == 0 { "keyword " } else { "" };
            return Err(vm.type_error(format!(
                "{function} takes at most {most} {kind}argument{} ({all} given)",
                plural(most)
            )));
        }
        if positional > self.positional {
            return Err(vm.type_error(format!(
                "{function} takes at most {0} positional argument{1} ({positional} given)",
                self.positional,
                plural(self.positional)
            )));
        }
        Ok(())
    }

    /// TypeError for the parameter `i`, which must be given.
    #[cold]
    pub fn missing(&self, vm: &Vm, i: usize) -> Raised {
        vm.type_error(format!(
            "{} missing required argument '{}' (pos {})",
            self.called("function"),
            self.names[i],
            i + 1
        ))
    }
}

/// An int argument of C's type `int`. TypeError, OverflowError.
#[inline]
pub fn c_int(vm: &Vm, v: Value) -> R<i32> {
    if v.is_int()
        && let Ok(n) = i32::try_from(v.as_small_int())
    {
        return Ok(n);
    }
    let i = vm.index(v)?;
    match vm.as_i64(i) {
        None => Err(vm.overflow_error("Python int too large to convert to C long")),
        Some(n) if n > i32::MAX.into() => Err(vm.overflow_error("signed integer is greater than maximum")),
        Some(n) => i32::try_from(n).map_err(|_| vm.overflow_error("signed integer is less than minimum")),
    }
}
