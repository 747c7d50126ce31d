"""What the package cffi needs of the machine: types, values, functions and libraries of C, described at run time.

It does without the C interface that cffi's own backend is an extension of: memory and calls are `_foreign`'s. Modules that
cffi generates and a C compiler compiles (its API mode) are loaded by `_compiled`.
"""

import os as _os

from _foreign import RTLD_GLOBAL, RTLD_LOCAL, get_errno, set_errno as _set_errno

from ._buffers import buffer, from_buffer, memmove
from ._calls import CLibrary, callback, load_library
from ._cdata import (Buffered as __CDataFromBuf, CData as _CDataBase, Closure as __CDataOwnGC, Guarded as __CDataGCP,
                     Owned as __CDataOwn, _Iterator as __CData_iterator)
from ._ffi import FFI, Lib
from ._functions import (alignof, cast, from_handle, gcp, getcname, newp, newp_handle, rawaddressof, release, sizeof,
                         string, typeof, typeoffsetof, unpack)
from ._types import (CField, CType, complete_struct_or_union, new_array_type, new_enum_type, new_function_type,
                     new_pointer_type, new_primitive_type, new_struct_type, new_union_type, new_void_type)

# The release of cffi whose package this fits.
__version__ = "2.1.1"

# A C compiler reads the headers from the disk: looking for them has the library written there.
_os.path.exists(_os.path.join(_os.path.dirname(_os.__file__), "skein", "include"))

FFI_DEFAULT_ABI = FFI_CDECL = 2
RTLD_LAZY, RTLD_NOW, RTLD_NOLOAD, RTLD_DEEPBIND, RTLD_NODELETE = 1, 2, 4, 8, 0x1000


def set_errno(value, /):
    _set_errno(value)


def _get_types():
    return _CDataBase, CType


def _get_common_types(into, /):
    into["FILE"] = "struct _IO_FILE"
    into["bool"] = "_Bool"
