//! The special methods that the machine looks up on types, numbered once.

/// Calls `$each! { Variant "__name__"; … }`.
#[macro_export]
macro_rules! for_each_special {
    ($each:ident) => {
        $each! {
            New "__new__"; Init "__init__"; Del "__del__"; Call "__call__";
            Repr "__repr__"; Str "__str__"; Format "__format__"; Bytes "__bytes__";
            Hash "__hash__"; Bool "__bool__"; Len "__len__"; LengthHint "__length_hint__";
            Lt "__lt__"; Le "__le__"; Eq "__eq__"; Ne "__ne__"; Gt "__gt__"; Ge "__ge__";
            GetAttribute "__getattribute__"; GetAttr "__getattr__"; SetAttr "__setattr__"; DelAttr "__delattr__";
            Get "__get__"; Set "__set__"; Delete "__delete__"; SetName "__set_name__";
            GetItem "__getitem__"; SetItem "__setitem__"; DelItem "__delitem__"; Missing "__missing__";
            Contains "__contains__"; Iter "__iter__"; Next "__next__"; Reversed "__reversed__";
            Enter "__enter__"; Exit "__exit__"; AEnter "__aenter__"; AExit "__aexit__";
            Await "__await__"; AIter "__aiter__"; ANext "__anext__";
            Add "__add__"; Sub "__sub__"; Mul "__mul__"; TrueDiv "__truediv__"; FloorDiv "__floordiv__";
            Mod "__mod__"; Pow "__pow__"; MatMul "__matmul__"; Shl "__lshift__"; Shr "__rshift__";
            And "__and__"; Or "__or__"; Xor "__xor__"; DivMod "__divmod__";
            RAdd "__radd__"; RSub "__rsub__"; RMul "__rmul__"; RTrueDiv "__rtruediv__"; RFloorDiv "__rfloordiv__";
            RMod "__rmod__"; RPow "__rpow__"; RMatMul "__rmatmul__"; RShl "__rlshift__"; RShr "__rrshift__";
            RAnd "__rand__"; ROr "__ror__"; RXor "__rxor__"; RDivMod "__rdivmod__";
            IAdd "__iadd__"; ISub "__isub__"; IMul "__imul__"; ITrueDiv "__itruediv__"; IFloorDiv "__ifloordiv__";
            IMod "__imod__"; IPow "__ipow__"; IMatMul "__imatmul__"; IShl "__ilshift__"; IShr "__irshift__";
            IAnd "__iand__"; IOr "__ior__"; IXor "__ixor__";
            Neg "__neg__"; Pos "__pos__"; Invert "__invert__"; Abs "__abs__";
            Int "__int__"; Float "__float__"; Complex "__complex__"; Index "__index__";
            Round "__round__"; Trunc "__trunc__"; Floor "__floor__"; Ceil "__ceil__";
            InstanceCheck "__instancecheck__"; SubclassCheck "__subclasscheck__"; MroEntries "__mro_entries__";
            InitSubclass "__init_subclass__"; ClassGetItem "__class_getitem__"; Prepare "__prepare__";
            Buffer "__buffer__"; ReleaseBuffer "__release_buffer__"; FsPath "__fspath__";
        }
    };
}

macro_rules! declare {
    ($($variant:ident $name:literal;)*) => {
        /// A special method looked up on the type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Special { $($variant),* }

        impl Special {
            pub const ALL: &'static [Special] = &[$(Special::$variant),*];
            const NAMES: &'static [&'static str] = &[$($name),*];
        }
    };
}
for_each_special!(declare);

impl Special {
    pub const COUNT: usize = Self::ALL.len();

    /// The attribute's name, e.g. `__add__`.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The special method with this number, if there is one.
    pub const fn from_u8(n: u8) -> Option<Special> {
        if (n as usize) < Self::COUNT { Some(Self::ALL[n as usize]) } else { None }
    }

    /// Is it a slot of types in CPython, and not merely an attribute that is looked up?
    pub const fn is_slot(self) -> bool {
        use Special::{
            AEnter, AExit, Bytes, Ceil, ClassGetItem, Complex, Enter, Exit, Floor, Format, FsPath,
            InitSubclass, InstanceCheck, LengthHint, Missing, MroEntries, New, Prepare, Reversed, Round,
            SetName, SubclassCheck, Trunc,
        };
        !matches!(
            self,
            New | Format
                | Bytes
                | LengthHint
                | SetName
                | Missing
                | Reversed
                | Enter
                | Exit
                | AEnter
                | AExit
                | Complex
                | Round
                | Trunc
                | Floor
                | Ceil
                | InstanceCheck
                | SubclassCheck
                | MroEntries
                | InitSubclass
                | ClassGetItem
                | Prepare
                | FsPath
        )
    }

    const fn offset(self, from: Special, to: Special) -> Special {
        Self::ALL[self as usize - from as usize + to as usize]
    }

    /// The reflected form of a binary operator or comparison: `__add__` -> `__radd__`, `__lt__` -> `__gt__`.
    pub const fn reflected(self) -> Special {
        match self {
            Special::Lt => Special::Gt,
            Special::Le => Special::Ge,
            Special::Gt => Special::Lt,
            Special::Ge => Special::Le,
            Special::Eq | Special::Ne => self,
            _ => self.offset(Special::Add, Special::RAdd),
        }
    }

    /// The in-place form of a binary operator: `__add__` -> `__iadd__`.
    pub const fn inplace(self) -> Special {
        self.offset(Special::Add, Special::IAdd)
    }
}
