//! The verifier: what the interpreter may rely on.
//!
//! Run on what the compiler makes (always in debug builds), and on code that comes from a file that
//! anyone may have written. For each code, nested ones included:
//!
//! 1. **Units.** Every op is known and portable, its second unit is there, unused operand bytes are zero.
//! 2. **Jumps** land on instructions inside the code. `jump.back` goes backward or to itself, all others forward:
//!    every loop passes a safepoint. The last instruction ends the code: nothing falls off.
//! 3. **Registers** are below `nregs`, rows and windows with all their arguments too. The frame has a
//!    register for each local, and there is a local for each parameter.
//! 4. **Pools.** Indices of constants and names are in range. `call.kw` and `call.method.kw` have a tuple of
//!    strings, not longer than the arguments. `make.function` has a code, and a closure tuple if and only if that
//!    code has free variables. `HAS_DOCSTRING` means that the first constant is a string.
//! 5. **Numbers.** Special methods, intrinsics, common objects and mode numbers exist; indices into the
//!    closure are below the number of free locals.
//! 6. **Namespace.** Ops that use `r[0]` as namespace stand in codes whose first local is `.namespace`.
//! 7. **Handlers** cover whole instructions, at least one, and go to an instruction.
//! 8. **Generators.** A code with a generator flag has one `make.generator`, ahead of all jumps and handlers,
//!    and ends with `return.gen`; other codes have neither, end with `return`, and do not yield.
//! 9. **Definite writes** (`written.rs`). On every path, exceptions included, a register that is read
//!    was written before, and was not inside or above the window of a call since. Parameters and the namespace
//!    are written at entry. UNBOUND is a value here like any other.
//!
//! 10. **Kinds** (`written.rs`). A register that an op takes for a cell, list, set, dict or tuple holds one on
//!     every path. That the items of a closure are cells, `make.function` looks itself.

use crate::code::{Code, Const, Intrinsic, LocalKind, flags};
use crate::inst::{DecodeError, Inst};
use crate::ops::{Extra, Op, Role};
use crate::special::Special;
use std::fmt;

/// The first breach of an invariant that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// Qualified name of the code.
    pub code: String,
    /// First unit of the instruction; 0 for what is about the code as a whole.
    pub unit: u32,
    pub message: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, unit {}: {}", self.code, self.unit, self.message)
    }
}

impl std::error::Error for VerifyError {}

/// Checks a code and the codes in its constants.
///
/// # Errors
/// The first breach of an invariant; see the head of `verify.rs` for the list.
pub fn verify(code: &Code) -> Result<(), VerifyError> {
    let mut queue = vec![code];
    while let Some(code) = queue.pop() {
        let fail = |(unit, message)| VerifyError { code: code.qualname.to_string(), unit, message };
        Checker::new(code).and_then(|mut checker| checker.run()).map_err(fail)?;
        code.consts.iter().for_each(|value| push_codes(value, &mut queue));
    }
    Ok(())
}

fn push_codes<'a>(value: &'a Const, queue: &mut Vec<&'a Code>) {
    match value {
        Const::Code(code) => queue.push(code),
        Const::Tuple(items) | Const::FrozenSet(items) => items.iter().for_each(|i| push_codes(i, queue)),
        _ => {}
    }
}

/// A breach: unit and message.
pub(crate) type Breach = (u32, String);

struct Checker<'a> {
    code: &'a Code,
    insts: Vec<Inst>,
    /// Index of the instruction that starts at a unit, or `u32::MAX`.
    starts: Vec<u32>,
    free_count: usize,
}

impl<'a> Checker<'a> {
    /// Decodes all, which is invariant 1.
    fn new(code: &'a Code) -> Result<Checker<'a>, Breach> {
        let mut insts = Vec::with_capacity(code.units.len());
        let mut starts = vec![u32::MAX; code.units.len()];
        let mut at = 0;
        while at < code.units.len() {
            let inst = Inst::decode(&code.units, at).map_err(|e| {
                let message = match e {
                    DecodeError::UnknownOp(n) => format!("no op has the number {n}"),
                    DecodeError::Truncated(op) => format!("{} lacks its second unit", op.info().text),
                    DecodeError::OutOfRange => "no instruction".to_owned(),
                };
                (at as u32, message)
            })?;
            let info = inst.op.info();
            if !inst.op.is_portable() {
                return Err((inst.at, format!("{} does not belong in a portable code", info.text)));
            }
            if info.operands.into_iter().zip(inst.bytes()).any(|(role, b)| role == Role::No && b != 0) {
                return Err((inst.at, format!("{} has an unused operand that is not zero", info.text)));
            }
            starts[at] = insts.len() as u32;
            insts.push(inst);
            at = inst.next() as usize;
        }
        Ok(Checker { code, insts, starts, free_count: code.free_locals().count() })
    }

    fn run(&mut self) -> Result<(), Breach> {
        self.header().map_err(|message| (0, message))?;
        for inst in &self.insts {
            self.registers(inst)
                .and_then(|()| self.pools(inst))
                .and_then(|()| self.numbers(inst))
                .and_then(|()| self.jump(inst))
                .map_err(|message| (inst.at, message))?;
        }
        match self.insts.last() {
            Some(last) if last.op.is_terminator() => {}
            Some(last) => return Err((last.at, format!("{} falls off the end", last.op.info().text))),
            None => return Err((0, "there is no instruction".to_owned())),
        }
        self.handlers()?;
        self.generator()?;
        crate::written::check(self.code, &self.insts, &self.starts)
    }

    fn header(&self) -> Result<(), String> {
        let code = self.code;
        if code.posonly_count > code.arg_count {
            return Err("more positional-only parameters than positional ones".to_owned());
        }
        if code.param_count() > code.locals.len() {
            return Err(format!("{} parameters, {} locals", code.param_count(), code.locals.len()));
        }
        if code.locals.len() > code.nregs.into() {
            return Err(format!("{} locals, {} registers", code.locals.len(), code.nregs));
        }
        if let Some(local) =
            code.locals[..code.param_count()].iter().find(|local| local.kind == LocalKind::Free)
        {
            return Err(format!("the parameter {} is a free variable", local.name));
        }
        match code.docstring() {
            Some(Const::Str(_)) => Ok(()),
            None if code.flags & flags::HAS_DOCSTRING == 0 => Ok(()),
            _ => Err("HAS_DOCSTRING, but the first constant is no string".to_owned()),
        }
    }

    fn registers(&self, inst: &Inst) -> Result<(), String> {
        let needed = inst.registers_needed();
        if needed > self.code.nregs.into() {
            return Err(format!("needs {needed} registers, the frame has {}", self.code.nregs));
        }
        let namespace =
            inst.op.uses_namespace() || inst.op == Op::Intrinsic && inst.c == Intrinsic::Namespace as u8;
        if namespace && !has_namespace(self.code) {
            return Err(format!("{} in a code without .namespace", inst.op.info().text));
        }
        Ok(())
    }

    fn pools(&self, inst: &Inst) -> Result<(), String> {
        let index = inst.w as usize;
        match inst.op.info().extra {
            Extra::Name | Extra::Attr | Extra::Method | Extra::Global if index >= self.code.names.len() => {
                return Err(format!("name {index} of {}", self.code.names.len()));
            }
            Extra::Const => {}
            _ => return Ok(()),
        }
        let value = self.code.consts.get(index);
        let value = value.ok_or_else(|| format!("constant {index} of {}", self.code.consts.len()))?;
        match (inst.op, value) {
            (Op::CallKw | Op::CallMethodKw, Const::Tuple(names)) => {
                if !names.iter().all(|name| matches!(name, Const::Str(_))) {
                    return Err("a keyword that is no string".to_owned());
                }
                if names.len() > inst.b.into() {
                    return Err(format!("{} keywords for {} arguments", names.len(), inst.b));
                }
                Ok(())
            }
            (Op::CallKw | Op::CallMethodKw, _) => Err("keywords that are no tuple".to_owned()),
            (Op::MakeFunction, Const::Code(inner)) => {
                match (inner.free_locals().next().is_some(), inst.c & 8 != 0) {
                    (true, false) => Err(format!("a function of {} lacks its closure", inner.qualname)),
                    (false, true) => {
                        Err(format!("a closure for {}, which has no use for it", inner.qualname))
                    }
                    _ => Ok(()),
                }
            }
            (Op::MakeFunction, _) => Err("a function of what is no code".to_owned()),
            _ => Ok(()),
        }
    }

    fn numbers(&self, inst: &Inst) -> Result<(), String> {
        let below =
            |n: u32, limit: u32| if n < limit { Ok(()) } else { Err(format!("{n} is not below {limit}")) };
        let (b, c) = (u32::from(inst.b), u32::from(inst.c));
        match inst.op {
            Op::LoadSpecial | Op::LoadCommon => below(b, 6),
            Op::LoadClosure => match usize::try_from(inst.wide()) {
                Ok(i) if i < self.free_count => Ok(()),
                _ => Err(format!("cell {} of a closure of {}", inst.wide(), self.free_count)),
            },
            Op::LoadSpecialMethod => below(inst.w, Special::COUNT as u32),
            Op::BindSpecial => below(c, Special::COUNT as u32),
            Op::Intrinsic => below(c, Intrinsic::ALL.len() as u32),
            Op::AddInt | Op::SubInt => below(inst.w, 2),
            Op::ListExtend => below(c, 2),
            Op::MakeFunction => below(c, 16),
            Op::GetAwaitable => below(c, 3),
            Op::ToStr if c == 0 => Err("conversion 0".to_owned()),
            Op::ToStr => below(c, 4),
            Op::BuildInterpolation => below(c, 4),
            Op::JumpLt | Op::JumpLe | Op::JumpEq | Op::JumpNe | Op::JumpGt | Op::JumpGe => below(c, 2),
            Op::JumpLtInt | Op::JumpLeInt | Op::JumpEqInt => below(c, 2),
            Op::JumpNeInt | Op::JumpGtInt | Op::JumpGeInt => below(c, 2),
            _ => Ok(()),
        }
    }

    fn jump(&self, inst: &Inst) -> Result<(), String> {
        let Some(target) = inst.target() else { return Ok(()) };
        if !self.is_start(target) {
            return Err(format!("jumps to unit {target}, where no instruction starts"));
        }
        let back = target <= i64::from(inst.at);
        match (inst.op == Op::JumpBack, back) {
            (true, false) => Err("jump.back goes forward".to_owned()),
            (false, true) => Err(format!("{} goes backward", inst.op.info().text)),
            _ => Ok(()),
        }
    }

    fn is_start(&self, unit: i64) -> bool {
        let start = usize::try_from(unit).ok().and_then(|u| self.starts.get(u));
        start.is_some_and(|&i| i != u32::MAX)
    }

    fn handlers(&self) -> Result<(), Breach> {
        for h in &self.code.handlers {
            let fail = |message: &str| Err((h.start, message.to_owned()));
            if h.start >= h.end {
                return fail("a handler that covers nothing");
            }
            let ends = h.end as usize == self.code.units.len() || self.is_start(h.end.into());
            if !self.is_start(h.start.into()) || !ends {
                return fail("a handler that covers part of an instruction");
            }
            if !self.is_start(h.target.into()) {
                return fail("a handler goes where no instruction starts");
            }
            if h.reg >= self.code.nregs {
                return fail("a handler's register is not in the frame");
            }
        }
        Ok(())
    }

    fn generator(&self) -> Result<(), Breach> {
        let is_generator = self.code.flags & flags::ANY_GENERATOR != 0;
        let mut makes = None;
        let mut first_jump = u32::MAX;
        for inst in &self.insts {
            if inst.target().is_some() {
                first_jump = first_jump.min(inst.at);
            }
            let wrong = match inst.op {
                Op::MakeGenerator if makes.replace(inst.at).is_some() => "make.generator a second time",
                Op::Return if is_generator => "return in a generator",
                Op::ReturnGen | Op::MakeGenerator | Op::Yield | Op::YieldFrom if !is_generator => {
                    return Err((inst.at, format!("{} outside of a generator", inst.op.info().text)));
                }
                _ => continue,
            };
            return Err((inst.at, wrong.to_owned()));
        }
        let Some(at) = makes else {
            return if is_generator {
                Err((0, "a generator without make.generator".to_owned()))
            } else {
                Ok(())
            };
        };
        let entered = self.insts.iter().filter_map(Inst::target).any(|t| t <= i64::from(at));
        let handled = self.code.handlers.iter().any(|h| h.start <= at || h.target <= at);
        if first_jump < at || entered || handled {
            return Err((at, "make.generator behind a jump or inside a handler".to_owned()));
        }
        Ok(())
    }
}

/// Whether the code binds names in a mapping in `r[0]`: a module's, class's or the like.
pub(crate) fn has_namespace(code: &Code) -> bool {
    code.locals.first().is_some_and(|local| &*local.name == ".namespace")
}
