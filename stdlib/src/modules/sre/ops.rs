//! The instructions of a compiled pattern: the numbers of the library's `re/_constants.py`, whose `MAGIC` tells
//! the version.

/// Must be that of `re._constants`.
pub const MAGIC: i64 = 20_230_612;
/// Bytes of an instruction's word.
pub const CODESIZE: i64 = 4;
/// No upper bound of a repetition.
pub const MAXREPEAT: u32 = u32::MAX;
pub const MAXGROUPS: u32 = u32::MAX / 2;

macro_rules! numbered {
    ($($name:ident)*) => {
        numbered!(@ 0; $($name)*);
    };
    (@ $n:expr; $name:ident $($rest:ident)*) => {
        // Not all are seen by the engine: some only structure the parsed pattern.
        #[allow(dead_code)]
        pub const $name: u32 = $n;
        numbered!(@ $n + 1; $($rest)*);
    };
    (@ $n:expr;) => {};
}

numbered! {
    FAILURE SUCCESS ANY ANY_ALL ASSERT ASSERT_NOT AT BRANCH CATEGORY CHARSET BIGCHARSET GROUPREF GROUPREF_EXISTS IN
    INFO JUMP LITERAL MARK MAX_UNTIL MIN_UNTIL NOT_LITERAL NEGATE RANGE REPEAT REPEAT_ONE SUBPATTERN MIN_REPEAT_ONE
    ATOMIC_GROUP POSSESSIVE_REPEAT POSSESSIVE_REPEAT_ONE GROUPREF_IGNORE IN_IGNORE LITERAL_IGNORE NOT_LITERAL_IGNORE
    GROUPREF_LOC_IGNORE IN_LOC_IGNORE LITERAL_LOC_IGNORE NOT_LITERAL_LOC_IGNORE GROUPREF_UNI_IGNORE IN_UNI_IGNORE
    LITERAL_UNI_IGNORE NOT_LITERAL_UNI_IGNORE RANGE_UNI_IGNORE
}

/// Places that `AT` asks for.
pub mod at {
    numbered! {
        BEGINNING BEGINNING_LINE BEGINNING_STRING BOUNDARY NON_BOUNDARY END END_LINE END_STRING LOC_BOUNDARY
        LOC_NON_BOUNDARY UNI_BOUNDARY UNI_NON_BOUNDARY
    }
}

/// Bits of an `INFO` block.
pub mod info {
    pub const PREFIX: u32 = 1;
    /// The prefix is the whole pattern.
    pub const LITERAL: u32 = 2;
    pub const CHARSET: u32 = 4;
}

pub mod flag {
    pub const IGNORECASE: u32 = 2;
    pub const LOCALE: u32 = 4;
    pub const UNICODE: u32 = 32;
    /// Names of the flags in the order of a pattern's repr.
    pub const NAMES: &[(&str, u32)] = &[
        ("re.IGNORECASE", IGNORECASE),
        ("re.MULTILINE", 8),
        ("re.DOTALL", 16),
        ("re.UNICODE", UNICODE),
        ("re.VERBOSE", 64),
        ("re.DEBUG", 128),
        ("re.ASCII", 256),
        ("re.LOCALE", LOCALE),
    ];
}
