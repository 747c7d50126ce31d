//! What calls a Rust function as a native: with a row of arguments, and with a register for each.

use super::{Args, Direct, FromArg, IntoRet, NativeDef};
use crate::value::{R, Value};
use crate::vm::Vm;

/// A Rust function that can be a native; `P` only tells the forms apart.
pub trait NativeFn<P>: Copy + 'static {
    const RAW: bool = false;
    const DIRECT: Direct = Direct::None;
    fn call_with(vm: &Vm, def: &'static NativeDef, args: Args<'_>) -> R<Value>;
}

/// The function itself, out of its type.
///
/// SAFETY of the callers: `F` is the type of a function item, which has no size and no state.
#[inline(always)]
pub(super) fn item<F: Copy>() -> F {
    const { assert!(size_of::<F>() == 0, "natives are function items or closures without captures") };
    // SAFETY: nothing is read, the type has size 0.
    unsafe { std::ptr::NonNull::<F>::dangling().as_ptr().read() }
}

/// Marks functions that take [`Args`].
pub struct RawForm;

impl<F, T> NativeFn<(RawForm, T)> for F
where
    F: for<'a, 'v> Fn(&'v Vm, Args<'a>) -> T + Copy + 'static,
    T: IntoRet,
{
    const RAW: bool = true;
    fn call_with(vm: &Vm, _: &'static NativeDef, args: Args<'_>) -> R<Value> {
        item::<F>()(vm, args).into_ret(vm)
    }
}

/// The forms of [`Direct`], which the row forms of the same functions call.
fn direct_1<F, T, A>(vm: &Vm, def: &'static NativeDef, a: Value) -> R<Value>
where
    F: for<'v> Fn(&'v Vm, A) -> T + Copy + 'static,
    T: IntoRet,
    A: FromArg,
{
    item::<F>()(vm, A::from_arg(vm, def, 0, a)?).into_ret(vm)
}

fn direct_2<F, T, A, B>(vm: &Vm, def: &'static NativeDef, a: Value, b: Value) -> R<Value>
where
    F: for<'v> Fn(&'v Vm, A, B) -> T + Copy + 'static,
    T: IntoRet,
    A: FromArg,
    B: FromArg,
{
    item::<F>()(vm, A::from_arg(vm, def, 0, a)?, B::from_arg(vm, def, 1, b)?).into_ret(vm)
}

fn direct_3<F, T, A, B, C>(vm: &Vm, def: &'static NativeDef, a: Value, b: Value, c: Value) -> R<Value>
where
    F: for<'v> Fn(&'v Vm, A, B, C) -> T + Copy + 'static,
    T: IntoRet,
    A: FromArg,
    B: FromArg,
    C: FromArg,
{
    let (a, b) = (A::from_arg(vm, def, 0, a)?, B::from_arg(vm, def, 1, b)?);
    item::<F>()(vm, a, b, C::from_arg(vm, def, 2, c)?).into_ret(vm)
}

fn direct_4<F, T, A, B, C, D>(
    vm: &Vm,
    def: &'static NativeDef,
    a: Value,
    b: Value,
    c: Value,
    d: Value,
) -> R<Value>
where
    F: for<'v> Fn(&'v Vm, A, B, C, D) -> T + Copy + 'static,
    T: IntoRet,
    A: FromArg,
    B: FromArg,
    C: FromArg,
    D: FromArg,
{
    let (a, b) = (A::from_arg(vm, def, 0, a)?, B::from_arg(vm, def, 1, b)?);
    let (c, d) = (C::from_arg(vm, def, 2, c)?, D::from_arg(vm, def, 3, d)?);
    item::<F>()(vm, a, b, c, d).into_ret(vm)
}

/// A typed native of few parameters, with its direct form.
macro_rules! direct_natives {
    ($($form:ident $direct:ident: $($a:ident $v:ident),*;)*) => {$(
        impl<F, T, $($a),*> NativeFn<(T, $($a,)*)> for F
        where
            F: for<'v> Fn(&'v Vm, $($a),*) -> T + Copy + 'static,
            T: IntoRet,
            $($a: FromArg,)*
        {
            const DIRECT: Direct = Direct::$form($direct::<F, T, $($a),*>);
            fn call_with(vm: &Vm, def: &'static NativeDef, args: Args<'_>) -> R<Value> {
                match args.all {
                    &[$($v),*] => $direct::<F, T, $($a),*>(vm, def, $($v),*),
                    all => Err(def.count_error(vm, all, 0)),
                }
            }
        }
    )*};
}
direct_natives! {
    One direct_1: A a;
    Two direct_2: A a, B b;
    Three direct_3: A a, B b, C c;
    Four direct_4: A a, B b, C c, D d;
}

macro_rules! typed_natives {
    ($($n:tt: $($a:ident $i:tt),*;)*) => {$(
        impl<F, T, $($a),*> NativeFn<(T, $($a,)*)> for F
        where
            F: for<'v> Fn(&'v Vm, $($a),*) -> T + Copy + 'static,
            T: IntoRet,
            $($a: FromArg,)*
        {
            #[allow(unused_variables)]
            fn call_with(vm: &Vm, def: &'static NativeDef, args: Args<'_>) -> R<Value> {
                let all: &[Value; $n] = match args.all.try_into() {
                    Ok(all) => all,
                    Err(_) => return Err(def.count_error(vm, args.all, 0)),
                };
                item::<F>()(vm, $($a::from_arg(vm, def, $i, all[$i])?),*).into_ret(vm)
            }
        }
    )*};
}
typed_natives! {
    0: ;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, G 5;
    7: A 0, B 1, C 2, D 3, E 4, G 5, H 6;
    8: A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7;
    9: A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8;
    10: A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9;
}
