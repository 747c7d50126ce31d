//! The helpers: what each op does where the loop's fast path does not apply, out of line.
//!
//! A helper is right for every operand, so that whoever does not know an op's fast path can call it: it publishes
//! the instruction, does all of its work, and says where to go on, unwinding included.

use crate::interp::{
    At, attr, build, call, exceptions, generators, globals, imports, items, iteration, matching, misc,
    operators, or_unwind, publish, result, safepoint, text, trace,
};
use crate::value::R;
use crate::vm::Vm;
use skein_bytecode::{Op, Special};

/// Does an instruction: where to go on.
pub type Helper = fn(&Vm, At) -> At;

macro_rules! helpers {
    ($($op:ident: $f:expr;)*) => {
        /// The helper of an op. Ops without one do all of their work in the loop.
        pub const fn find(op: Op) -> Option<Helper> {
            match op {
                $(Op::$op => {
                    #[cold]
                    #[inline(never)]
                    fn helper(vm: &Vm, at: At) -> At {
                        publish(vm, at);
                        let r: R<At> = $f(vm, at);
                        or_unwind(vm, r)
                    }
                    Some(helper as Helper)
                })*
                _ => None,
            }
        }
    };
}

/// The helper of an op that has one.
pub const fn of(op: Op) -> Helper {
    match find(op) {
        Some(helper) => helper,
        None => panic!("the op has no helper"),
    }
}

helpers! {
    LoadCommon: misc::load_common;
    CheckBound: misc::check_bound;
    DeleteLocal: misc::delete_local;
    MakeCell: misc::make_cell;
    LoadClosure: misc::load_closure;
    LoadDeref: misc::load_deref;
    DeleteDeref: misc::delete_deref;
    LoadGlobal: globals::load_global;
    LoadGlobalCell: globals::load_global;
    LoadGlobalBuiltin: globals::load_global;
    StoreGlobal: globals::store_global;
    DeleteGlobal: globals::delete_global;
    LoadName: globals::load_name;
    StoreName: globals::store_name;
    DeleteName: globals::delete_name;
    LookupMapping: globals::lookup_mapping;
    LoadAttr: attr::load_attr;
    LoadAttrSlot: attr::load_attr;
    LoadAttrOverflow: attr::load_attr;
    LoadAttrModule: attr::load_attr;
    StoreAttr: attr::store_attr;
    StoreAttrSlot: attr::store_attr;
    StoreAttrAdd: attr::store_attr;
    DeleteAttr: attr::delete_attr;
    LoadMethod: attr::load_method;
    LoadMethodCached: attr::load_method;
    LoadMethodModule: attr::load_method;
    LoadSuperAttr: attr::load_super_attr;
    LoadSuperAttr0: attr::load_super_attr0;
    LoadSpecialMethod: attr::load_special_method;
    BindSpecial: attr::bind_special;
    LoadIndex: items::load_index;
    StoreIndex: items::store_index;
    DeleteIndex: items::delete_index;
    BuildSlice: build::slice;
    Add: |vm, at| operators::binary(vm, at, Special::Add, false);
    Sub: |vm, at| operators::binary(vm, at, Special::Sub, false);
    Mul: |vm, at| operators::binary(vm, at, Special::Mul, false);
    TrueDiv: |vm, at| operators::binary(vm, at, Special::TrueDiv, false);
    FloorDiv: |vm, at| operators::binary(vm, at, Special::FloorDiv, false);
    Mod: |vm, at| operators::binary(vm, at, Special::Mod, false);
    Pow: |vm, at| operators::binary(vm, at, Special::Pow, false);
    MatMul: |vm, at| operators::binary(vm, at, Special::MatMul, false);
    Shl: |vm, at| operators::binary(vm, at, Special::Shl, false);
    Shr: |vm, at| operators::binary(vm, at, Special::Shr, false);
    And: |vm, at| operators::binary(vm, at, Special::And, false);
    Or: |vm, at| operators::binary(vm, at, Special::Or, false);
    Xor: |vm, at| operators::binary(vm, at, Special::Xor, false);
    InplaceAdd: |vm, at| operators::binary(vm, at, Special::Add, true);
    InplaceSub: |vm, at| operators::binary(vm, at, Special::Sub, true);
    InplaceMul: |vm, at| operators::binary(vm, at, Special::Mul, true);
    InplaceTrueDiv: |vm, at| operators::binary(vm, at, Special::TrueDiv, true);
    InplaceFloorDiv: |vm, at| operators::binary(vm, at, Special::FloorDiv, true);
    InplaceMod: |vm, at| operators::binary(vm, at, Special::Mod, true);
    InplacePow: |vm, at| operators::binary(vm, at, Special::Pow, true);
    InplaceMatMul: |vm, at| operators::binary(vm, at, Special::MatMul, true);
    InplaceShl: |vm, at| operators::binary(vm, at, Special::Shl, true);
    InplaceShr: |vm, at| operators::binary(vm, at, Special::Shr, true);
    InplaceAnd: |vm, at| operators::binary(vm, at, Special::And, true);
    InplaceOr: |vm, at| operators::binary(vm, at, Special::Or, true);
    InplaceXor: |vm, at| operators::binary(vm, at, Special::Xor, true);
    AddInt: |vm, at| operators::binary_int(vm, at, Special::Add);
    SubInt: |vm, at| operators::binary_int(vm, at, Special::Sub);
    Neg: |vm, at| operators::unary(vm, at, Special::Neg);
    Pos: |vm, at| operators::unary(vm, at, Special::Pos);
    Invert: |vm, at| operators::unary(vm, at, Special::Invert);
    Not: operators::not;
    Lt: |vm, at| operators::compare(vm, at, Special::Lt);
    Le: |vm, at| operators::compare(vm, at, Special::Le);
    Eq: |vm, at| operators::compare(vm, at, Special::Eq);
    Ne: |vm, at| operators::compare(vm, at, Special::Ne);
    Gt: |vm, at| operators::compare(vm, at, Special::Gt);
    Ge: |vm, at| operators::compare(vm, at, Special::Ge);
    In: |vm, at| operators::contains(vm, at, false);
    NotIn: |vm, at| operators::contains(vm, at, true);
    JumpBack: safepoint::jump_back;
    JumpBackTraced: |vm, at| Ok(trace::enter(vm, at));
    EnterTraced: |vm, at| Ok(trace::enter_function(vm, at));
    JumpTrue: |vm, at| operators::jump_truth(vm, at, true);
    JumpFalse: |vm, at| operators::jump_truth(vm, at, false);
    JumpLt: |vm, at| operators::jump_compare(vm, at, Special::Lt);
    JumpLe: |vm, at| operators::jump_compare(vm, at, Special::Le);
    JumpEq: |vm, at| operators::jump_compare(vm, at, Special::Eq);
    JumpNe: |vm, at| operators::jump_compare(vm, at, Special::Ne);
    JumpGt: |vm, at| operators::jump_compare(vm, at, Special::Gt);
    JumpGe: |vm, at| operators::jump_compare(vm, at, Special::Ge);
    JumpLtInt: |vm, at| operators::jump_compare_int(vm, at, Special::Lt);
    JumpLeInt: |vm, at| operators::jump_compare_int(vm, at, Special::Le);
    JumpEqInt: |vm, at| operators::jump_compare_int(vm, at, Special::Eq);
    JumpNeInt: |vm, at| operators::jump_compare_int(vm, at, Special::Ne);
    JumpGtInt: |vm, at| operators::jump_compare_int(vm, at, Special::Gt);
    JumpGeInt: |vm, at| operators::jump_compare_int(vm, at, Special::Ge);
    GetIter: iteration::get_iter;
    ForIter: iteration::for_iter;
    ForRange: iteration::for_iter;
    ForList: iteration::for_iter;
    Unpack: items::unpack;
    UnpackEx: items::unpack_ex;
    Call: |vm, at| Ok(call::call(vm, at));
    CallMethod: |vm, at| Ok(call::call_method(vm, at));
    Return: |vm, at: At| Ok(result::leave_frame(vm, at.base, at.reg(at.a())));
    ForGenerator: |vm, at| Ok(generators::for_generator(vm, at));
    Yield: |vm, at| Ok(generators::yield_value(vm, at));
    YieldFrom: |vm, at| Ok(generators::yield_from(vm, at));
    Send: |vm, at| Ok(generators::send(vm, at));
    CallKw: call::call_kw;
    CallMethodKw: call::call_method_kw;
    CallEx: call::call_ex;
    ReturnGen: generators::return_gen;
    MakeFunction: misc::make_function;
    Intrinsic: misc::intrinsic;
    MakeGenerator: generators::make_generator;
    GetYieldFromIter: generators::get_yield_from_iter;
    GetAwaitable: generators::get_awaitable;
    GetAiter: generators::get_aiter;
    GetAnext: generators::get_anext;
    EndAsyncFor: generators::end_async_for;
    WrapAsyncYield: generators::wrap_async_yield;
    Raise: exceptions::raise;
    RaiseFrom: exceptions::raise_from;
    RaiseHandled: exceptions::raise_handled;
    Reraise: exceptions::reraise;
    PushExc: exceptions::push_exc;
    PopExc: exceptions::pop_exc;
    MatchExc: exceptions::match_exc;
    MatchExcGroup: exceptions::match_exc_group;
    PrepReraiseStar: exceptions::prep_reraise_star;
    BuildTuple: build::tuple;
    BuildList: build::list;
    BuildSet: build::set;
    BuildMap: build::map;
    BuildString: build::string;
    ListAppend: build::list_append;
    ListExtend: build::list_extend;
    SetAdd: build::set_add;
    SetUpdate: build::set_update;
    MapAdd: build::map_add;
    MapUpdate: build::map_update;
    MapMerge: build::map_merge;
    ListToTuple: build::list_to_tuple;
    ToStr: text::to_str;
    FormatValue: text::format_value;
    BuildInterpolation: build::interpolation;
    BuildTemplate: build::template;
    MatchSequence: matching::sequence;
    MatchMapping: matching::mapping;
    MatchLen: matching::len;
    MatchKeys: matching::keys;
    MatchRest: matching::rest;
    MatchClass: matching::class;
    ImportName: imports::import_name;
    ImportFrom: imports::import_from;
    ImportStar: imports::import_star;
}
