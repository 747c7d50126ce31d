//! An assembler for x86-64: the instructions that [`super`] uses, as bytes.

/// A general register, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpr(pub u8);

pub const RAX: Gpr = Gpr(0);
pub const RCX: Gpr = Gpr(1);
pub const RDX: Gpr = Gpr(2);
pub const RBX: Gpr = Gpr(3);
pub const RSP: Gpr = Gpr(4);
pub const RBP: Gpr = Gpr(5);
pub const RSI: Gpr = Gpr(6);
pub const RDI: Gpr = Gpr(7);
pub const R8: Gpr = Gpr(8);
pub const R11: Gpr = Gpr(11);
pub const R12: Gpr = Gpr(12);
pub const R13: Gpr = Gpr(13);
pub const R14: Gpr = Gpr(14);
pub const R15: Gpr = Gpr(15);

/// A vector register, by its number: it holds a double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xmm(pub u8);

/// A place in memory: base + index * 2**scale + displacement.
#[derive(Clone, Copy, Debug)]
pub struct Mem {
    base: Gpr,
    index: Option<(Gpr, u8)>,
    disp: i32,
}

pub fn mem(base: Gpr, disp: i32) -> Mem {
    Mem { base, index: None, disp }
}

pub fn indexed(base: Gpr, index: Gpr, scale: u8, disp: i32) -> Mem {
    debug_assert!(index != RSP, "the encoding has no such index");
    Mem { base, index: Some((index, scale)), disp }
}

/// Arithmetic with the same forms, by the number in its encoding.
#[derive(Clone, Copy)]
pub enum Alu {
    Add = 0,
    Or = 1,
    And = 4,
    Sub = 5,
    Xor = 6,
    Cmp = 7,
}

/// Shifts, likewise.
#[derive(Clone, Copy)]
pub enum Shift {
    Rol = 0,
    Ror = 1,
    Shl = 4,
    Sar = 7,
}

/// Arithmetic of doubles, likewise.
#[derive(Clone, Copy)]
pub enum Sse {
    Sqrt = 0x51,
    Add = 0x58,
    Mul = 0x59,
    Sub = 0x5c,
    Div = 0x5e,
}

/// Conditions, likewise: each one's opposite differs in the lowest bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cond {
    O = 0,
    NO = 1,
    B = 2,
    AE = 3,
    E = 4,
    NE = 5,
    BE = 6,
    A = 7,
    S = 8,
    NS = 9,
    P = 10,
    NP = 11,
    L = 12,
    GE = 13,
    LE = 14,
    G = 15,
}

impl Cond {
    const ALL: [Cond; 16] = {
        use Cond::*;
        [O, NO, B, AE, E, NE, BE, A, S, NS, P, NP, L, GE, LE, G]
    };

    pub fn opposite(self) -> Cond {
        Cond::ALL[self as usize ^ 1]
    }

    /// For the operands the other way round.
    pub fn swapped(self) -> Cond {
        match self {
            Cond::L => Cond::G,
            Cond::G => Cond::L,
            Cond::LE => Cond::GE,
            Cond::GE => Cond::LE,
            Cond::B => Cond::A,
            Cond::A => Cond::B,
            Cond::BE => Cond::AE,
            Cond::AE => Cond::BE,
            other => other,
        }
    }
}

/// A place in the code that may not be known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(u32);

const UNBOUND: u32 = u32::MAX;

/// The second operand of an encoding.
#[derive(Clone, Copy)]
enum Rm {
    Reg(u8),
    Mem(Mem),
}

/// An instruction's prefix or 0, whether it is one of those behind 0x0f, and its byte.
struct Opcode(u8, bool, u8);

/// Code as it grows.
#[derive(Default)]
pub struct Asm {
    pub code: Vec<u8>,
    labels: Vec<u32>,
    /// Where displacements of 32 bits to labels are.
    jumps: Vec<(u32, Label)>,
}

impl Asm {
    pub fn label(&mut self) -> Label {
        self.labels.push(UNBOUND);
        Label(self.labels.len() as u32 - 1)
    }

    /// The label is here.
    pub fn bind(&mut self, label: Label) {
        debug_assert_eq!(self.labels[label.0 as usize], UNBOUND);
        self.labels[label.0 as usize] = self.code.len() as u32;
    }

    /// Where the label is, in bytes from the code's begin.
    pub fn offset(&self, label: Label) -> u32 {
        self.labels[label.0 as usize]
    }

    /// The code with all jumps; None if one leads nowhere.
    pub fn finish(mut self) -> Option<Vec<u8>> {
        for (at, label) in self.jumps {
            let to = self.labels[label.0 as usize];
            if to == UNBOUND {
                return None;
            }
            let distance = (to as i32).wrapping_sub(at as i32 + 4);
            self.code[at as usize..at as usize + 4].copy_from_slice(&distance.to_le_bytes());
        }
        Some(self.code)
    }

    fn byte(&mut self, byte: u8) {
        self.code.push(byte);
    }

    fn imm32(&mut self, n: i32) {
        self.code.extend_from_slice(&n.to_le_bytes());
    }

    /// Prefix, REX, opcode and operands. `bytes`: a register operand is a byte, whose numbers 4 to 7 want a REX.
    fn encode(&mut self, opcode: Opcode, wide: bool, reg: u8, rm: Rm, bytes: bool) {
        let Opcode(prefix, escape, opcode) = opcode;
        if prefix != 0 {
            self.byte(prefix);
        }
        let (base, index) = match rm {
            Rm::Reg(r) => (r, 0),
            Rm::Mem(m) => (m.base.0, m.index.map_or(0, |(index, _)| index.0)),
        };
        let rex = u8::from(wide) << 3 | reg >> 3 << 2 | index >> 3 << 1 | base >> 3;
        if rex != 0 || bytes {
            self.byte(0x40 | rex);
        }
        if escape {
            self.byte(0x0f);
        }
        self.byte(opcode);
        let reg = (reg & 7) << 3;
        let m = match rm {
            Rm::Reg(r) => return self.byte(0xc0 | reg | r & 7),
            Rm::Mem(m) => m,
        };
        let base = m.base.0 & 7;
        let short = i8::try_from(m.disp).ok();
        // Without a displacement, rbp's and r13's encoding means another thing.
        let mode = match short {
            Some(0) if base != 5 => 0,
            Some(_) => 0x40,
            None => 0x80,
        };
        match m.index {
            Some((index, scale)) => {
                self.byte(mode | reg | 4);
                self.byte(scale << 6 | (index.0 & 7) << 3 | base);
            }
            // As rsp's and r12's does.
            None if base == 4 => {
                self.byte(mode | reg | 4);
                self.byte(0x24);
            }
            None => self.byte(mode | reg | base),
        }
        match (mode, short) {
            (0, _) => {}
            (0x40, Some(short)) => self.byte(short as u8),
            _ => self.imm32(m.disp),
        }
    }

    // ---- moves

    pub fn mov(&mut self, to: Gpr, from: Gpr) {
        if to != from {
            self.encode(Opcode(0, false, 0x89), true, from.0, Rm::Reg(to.0), false);
        }
    }

    /// Changes no flags, in the shortest form.
    pub fn mov_imm(&mut self, to: Gpr, bits: u64) {
        if let Ok(n) = u32::try_from(bits) {
            if to.0 >= 8 {
                self.byte(0x41);
            }
            self.byte(0xb8 | to.0 & 7);
            self.imm32(n as i32);
        } else if let Ok(n) = i32::try_from(bits as i64) {
            self.encode(Opcode(0, false, 0xc7), true, 0, Rm::Reg(to.0), false);
            self.imm32(n);
        } else {
            self.byte(0x48 | to.0 >> 3);
            self.byte(0xb8 | to.0 & 7);
            self.code.extend_from_slice(&bits.to_le_bytes());
        }
    }

    pub fn load(&mut self, to: Gpr, from: Mem) {
        self.encode(Opcode(0, false, 0x8b), true, to.0, Rm::Mem(from), false);
    }

    pub fn load32(&mut self, to: Gpr, from: Mem) {
        self.encode(Opcode(0, false, 0x8b), false, to.0, Rm::Mem(from), false);
    }

    pub fn load16(&mut self, to: Gpr, from: Mem) {
        self.encode(Opcode(0, true, 0xb7), false, to.0, Rm::Mem(from), false);
    }

    pub fn load8(&mut self, to: Gpr, from: Mem) {
        self.encode(Opcode(0, true, 0xb6), false, to.0, Rm::Mem(from), false);
    }

    pub fn store(&mut self, to: Mem, from: Gpr) {
        self.encode(Opcode(0, false, 0x89), true, from.0, Rm::Mem(to), false);
    }

    /// Stores a word, sign-extended.
    pub fn store_imm(&mut self, to: Mem, n: i32) {
        self.encode(Opcode(0, false, 0xc7), true, 0, Rm::Mem(to), false);
        self.imm32(n);
    }

    pub fn store32_imm(&mut self, to: Mem, n: i32) {
        self.encode(Opcode(0, false, 0xc7), false, 0, Rm::Mem(to), false);
        self.imm32(n);
    }

    pub fn lea(&mut self, to: Gpr, from: Mem) {
        self.encode(Opcode(0, false, 0x8d), true, to.0, Rm::Mem(from), false);
    }

    pub fn push(&mut self, r: Gpr) {
        if r.0 >= 8 {
            self.byte(0x41);
        }
        self.byte(0x50 | r.0 & 7);
    }

    pub fn pop(&mut self, r: Gpr) {
        if r.0 >= 8 {
            self.byte(0x41);
        }
        self.byte(0x58 | r.0 & 7);
    }

    // ---- ints

    pub fn alu(&mut self, op: Alu, to: Gpr, from: Gpr) {
        self.encode(Opcode(0, false, (op as u8) << 3 | 1), true, from.0, Rm::Reg(to.0), false);
    }

    pub fn alu_imm(&mut self, op: Alu, to: Gpr, n: i32) {
        self.alu_imm_rm(op, true, Rm::Reg(to.0), n);
    }

    fn alu_imm_rm(&mut self, op: Alu, wide: bool, to: Rm, n: i32) {
        match i8::try_from(n) {
            Ok(short) => {
                self.encode(Opcode(0, false, 0x83), wide, op as u8, to, false);
                self.byte(short as u8);
            }
            Err(_) => {
                self.encode(Opcode(0, false, 0x81), wide, op as u8, to, false);
                self.imm32(n);
            }
        }
    }

    pub fn alu_mem_imm(&mut self, op: Alu, to: Mem, n: i32) {
        self.alu_imm_rm(op, true, Rm::Mem(to), n);
    }

    pub fn cmp32_mem_imm(&mut self, at: Mem, n: i32) {
        self.alu_imm_rm(Alu::Cmp, false, Rm::Mem(at), n);
    }

    pub fn cmp32_imm(&mut self, r: Gpr, n: i32) {
        self.alu_imm_rm(Alu::Cmp, false, Rm::Reg(r.0), n);
    }

    pub fn alu_load(&mut self, op: Alu, to: Gpr, from: Mem) {
        self.encode(Opcode(0, false, (op as u8) << 3 | 3), true, to.0, Rm::Mem(from), false);
    }

    pub fn cmp_mem(&mut self, at: Mem, r: Gpr) {
        self.encode(Opcode(0, false, (Alu::Cmp as u8) << 3 | 1), true, r.0, Rm::Mem(at), false);
    }

    pub fn and16_load(&mut self, to: Gpr, from: Mem) {
        self.encode(Opcode(0x66, false, (Alu::And as u8) << 3 | 3), false, to.0, Rm::Mem(from), false);
    }

    pub fn test(&mut self, a: Gpr, b: Gpr) {
        self.encode(Opcode(0, false, 0x85), true, b.0, Rm::Reg(a.0), false);
    }

    pub fn test8_imm(&mut self, r: Gpr, n: u8) {
        self.encode(Opcode(0, false, 0xf6), false, 0, Rm::Reg(r.0), r.0 >= 4);
        self.byte(n);
    }

    pub fn test8_mem_imm(&mut self, at: Mem, n: u8) {
        self.encode(Opcode(0, false, 0xf6), false, 0, Rm::Mem(at), false);
        self.byte(n);
    }

    pub fn test32_imm(&mut self, r: Gpr, n: i32) {
        self.encode(Opcode(0, false, 0xf7), false, 0, Rm::Reg(r.0), false);
        self.imm32(n);
    }

    pub fn shift(&mut self, op: Shift, r: Gpr, count: u8) {
        self.encode(Opcode(0, false, 0xc1), true, op as u8, Rm::Reg(r.0), false);
        self.byte(count);
    }

    /// By the count in cl.
    pub fn shift_cl(&mut self, op: Shift, r: Gpr) {
        self.encode(Opcode(0, false, 0xd3), true, op as u8, Rm::Reg(r.0), false);
    }

    pub fn imul(&mut self, to: Gpr, by: Gpr) {
        self.encode(Opcode(0, true, 0xaf), true, to.0, Rm::Reg(by.0), false);
    }

    pub fn imul_imm(&mut self, to: Gpr, from: Gpr, by: i32) {
        self.encode(Opcode(0, false, 0x69), true, to.0, Rm::Reg(from.0), false);
        self.imm32(by);
    }

    /// rdx:rax, which is rax with its sign, by the register: quotient in rax, remainder in rdx.
    pub fn divide(&mut self, by: Gpr) {
        self.byte(0x48);
        self.byte(0x99);
        self.encode(Opcode(0, false, 0xf7), true, 7, Rm::Reg(by.0), false);
    }

    pub fn neg(&mut self, r: Gpr) {
        self.encode(Opcode(0, false, 0xf7), true, 3, Rm::Reg(r.0), false);
    }

    /// 1 or 0, in the whole register.
    pub fn set(&mut self, cond: Cond, to: Gpr) {
        self.encode(Opcode(0, true, 0x90 | cond as u8), false, 0, Rm::Reg(to.0), true);
        self.encode(Opcode(0, true, 0xb6), false, to.0, Rm::Reg(to.0), true);
    }

    pub fn cmov(&mut self, cond: Cond, to: Gpr, from: Gpr) {
        self.encode(Opcode(0, true, 0x40 | cond as u8), true, to.0, Rm::Reg(from.0), false);
    }

    // ---- jumps

    pub fn jump(&mut self, to: Label) {
        self.byte(0xe9);
        self.jumps.push((self.code.len() as u32, to));
        self.imm32(0);
    }

    pub fn jump_if(&mut self, cond: Cond, to: Label) {
        self.byte(0x0f);
        self.byte(0x80 | cond as u8);
        self.jumps.push((self.code.len() as u32, to));
        self.imm32(0);
    }

    pub fn jump_reg(&mut self, r: Gpr) {
        self.encode(Opcode(0, false, 0xff), false, 4, Rm::Reg(r.0), false);
    }

    /// To the address that is there.
    pub fn jump_mem(&mut self, at: Mem) {
        self.encode(Opcode(0, false, 0xff), false, 4, Rm::Mem(at), false);
    }

    pub fn call(&mut self, r: Gpr) {
        self.encode(Opcode(0, false, 0xff), false, 2, Rm::Reg(r.0), false);
    }

    pub fn ret(&mut self) {
        self.byte(0xc3);
    }

    // ---- doubles

    pub fn movsd(&mut self, to: Xmm, from: Xmm) {
        if to != from {
            self.encode(Opcode(0x66, true, 0x28), false, to.0, Rm::Reg(from.0), false);
        }
    }

    pub fn load_double(&mut self, to: Xmm, from: Mem) {
        self.encode(Opcode(0xf2, true, 0x10), false, to.0, Rm::Mem(from), false);
    }

    pub fn store_double(&mut self, to: Mem, from: Xmm) {
        self.encode(Opcode(0xf2, true, 0x11), false, from.0, Rm::Mem(to), false);
    }

    pub fn gpr_to_xmm(&mut self, to: Xmm, from: Gpr) {
        self.encode(Opcode(0x66, true, 0x6e), true, to.0, Rm::Reg(from.0), false);
    }

    pub fn xmm_to_gpr(&mut self, to: Gpr, from: Xmm) {
        self.encode(Opcode(0x66, true, 0x7e), true, from.0, Rm::Reg(to.0), false);
    }

    pub fn sse(&mut self, op: Sse, to: Xmm, from: Xmm) {
        self.encode(Opcode(0xf2, true, op as u8), false, to.0, Rm::Reg(from.0), false);
    }

    /// Sets the flags as for unsigned numbers; P for what is no number.
    pub fn compare_doubles(&mut self, a: Xmm, b: Xmm) {
        self.encode(Opcode(0x66, true, 0x2e), false, a.0, Rm::Reg(b.0), false);
    }

    pub fn xor_doubles(&mut self, to: Xmm, from: Xmm) {
        self.encode(Opcode(0x66, true, 0x57), false, to.0, Rm::Reg(from.0), false);
    }

    pub fn and_doubles(&mut self, to: Xmm, from: Xmm) {
        self.encode(Opcode(0x66, true, 0x54), false, to.0, Rm::Reg(from.0), false);
    }

    pub fn int_to_double(&mut self, to: Xmm, from: Gpr) {
        self.encode(Opcode(0xf2, true, 0x2a), true, to.0, Rm::Reg(from.0), false);
    }
}
