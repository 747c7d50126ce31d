//! The two pieces of code that no Rust can be: one loads all registers for arguments and calls, the other stores them and is
//! called.
//!
//! ```text
//! CallState   ints 0..48 | floats 48..112 | stack 112 | count 120 | vectors 128 | function 136 | results 144..176
//!             | how many long ones 176 | those 184..216
//! Registers   ints 0..48 | floats 48..112 | stack 112 | results 120..152 | how many long ones 152 | those 160..192
//! ```

use std::arch::naked_asm;

/// What a call needs and gives.
#[repr(C)]
#[derive(Default)]
pub struct CallState {
    pub ints: [u64; 6],
    pub floats: [u64; 8],
    pub stack: usize,
    /// Words on the stack.
    pub count: usize,
    /// Floats among the arguments, which functions of any number of arguments want to know.
    pub vectors: u64,
    pub function: usize,
    pub result_ints: [u64; 2],
    pub result_floats: [u64; 2],
    /// How many long doubles the result has: none, one, or a complex number's two.
    pub long: u64,
    pub result_long: [[u8; 16]; 2],
}

/// The registers with which a callback was called, and what it gives.
#[repr(C)]
pub struct Registers {
    pub ints: [u64; 6],
    pub floats: [u64; 8],
    pub stack: *const u64,
    pub result_ints: [u64; 2],
    pub result_floats: [u64; 2],
    /// As in [`CallState`].
    pub long: u64,
    pub result_long: [[u8; 16]; 2],
}

const _: () = {
    assert!(std::mem::offset_of!(CallState, stack) == 112);
    assert!(std::mem::offset_of!(CallState, function) == 136);
    assert!(std::mem::offset_of!(CallState, result_floats) == 160);
    assert!(std::mem::offset_of!(Registers, result_ints) == 120);
    assert!(std::mem::offset_of!(CallState, result_long) == 184);
    assert!(std::mem::offset_of!(Registers, result_long) == 160);
    assert!(size_of::<Registers>() == 192);
};

/// Calls the function of the state.
///
/// # Safety
/// The function takes what the state has, and the words for the stack are there.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn enter(state: *mut CallState) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        // Keeps the stack's alignment of 16.
        "push r12",
        "mov rbx, rdi",
        "mov rcx, [rbx + 120]",
        "lea rax, [rcx * 8 + 15]",
        "and rax, -16",
        "sub rsp, rax",
        "mov rsi, [rbx + 112]",
        "mov rdi, rsp",
        "cld",
        "rep movsq",
        "movsd xmm0, [rbx + 48]",
        "movsd xmm1, [rbx + 56]",
        "movsd xmm2, [rbx + 64]",
        "movsd xmm3, [rbx + 72]",
        "movsd xmm4, [rbx + 80]",
        "movsd xmm5, [rbx + 88]",
        "movsd xmm6, [rbx + 96]",
        "movsd xmm7, [rbx + 104]",
        "mov rdi, [rbx]",
        "mov rsi, [rbx + 8]",
        "mov rdx, [rbx + 16]",
        "mov rcx, [rbx + 24]",
        "mov r8, [rbx + 32]",
        "mov r9, [rbx + 40]",
        "mov rax, [rbx + 128]",
        "call [rbx + 136]",
        "mov [rbx + 144], rax",
        "mov [rbx + 152], rdx",
        "movsd [rbx + 160], xmm0",
        "movsd [rbx + 168], xmm1",
        // The stack of floats has what the result's type says, and nothing else.
        "cmp qword ptr [rbx + 176], 1",
        "jb 2f",
        "fstp tbyte ptr [rbx + 184]",
        "je 2f",
        "fstp tbyte ptr [rbx + 200]",
        "2:",
        "lea rsp, [rbp - 16]",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Where all thunks jump to, with their data in `r10`.
///
/// # Safety
/// Called by a thunk only.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn arrive() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 192",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "movsd [rsp + 48], xmm0",
        "movsd [rsp + 56], xmm1",
        "movsd [rsp + 64], xmm2",
        "movsd [rsp + 72], xmm3",
        "movsd [rsp + 80], xmm4",
        "movsd [rsp + 88], xmm5",
        "movsd [rsp + 96], xmm6",
        "movsd [rsp + 104], xmm7",
        // Behind the saved register and the return address.
        "lea rax, [rbp + 16]",
        "mov [rsp + 112], rax",
        "mov rdi, r10",
        "mov rsi, rsp",
        "call {handle}",
        "mov rax, [rsp + 120]",
        "mov rdx, [rsp + 128]",
        "movsd xmm0, [rsp + 136]",
        "movsd xmm1, [rsp + 144]",
        "cmp qword ptr [rsp + 152], 1",
        "jb 2f",
        "je 3f",
        "fld tbyte ptr [rsp + 176]",
        "3:",
        "fld tbyte ptr [rsp + 160]",
        "2:",
        "leave",
        "ret",
        handle = sym crate::callback::handle,
    )
}
