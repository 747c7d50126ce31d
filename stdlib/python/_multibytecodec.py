"""What the encodings of East Asia share: codecs, and encoders, decoders, readers and writers that keep a state. What the
encodings do with characters and bytes is in _multibyte."""

import codecs as _codecs

import _multibyte

# What an encoder or decoder may keep of its input until more comes.
_MOST_CHARACTERS = 2
_MOST_BYTES = 8
_STATE_BYTES = 8
_STATE = (1 << 8 * _STATE_BYTES) - 1
_BYTES = _MOST_CHARACTERS * 4

_INCOMPLETE = "incomplete multibyte sequence"
_ILLEGAL = "illegal multibyte sequence"


def _text(value):
    if not isinstance(value, str):
        try:
            value = str(value)
        except Exception:
            value = None
        if not isinstance(value, str):
            raise TypeError("couldn't convert the object to str.")
    return value


def _checked_errors(errors):
    if errors is None:
        return "strict"
    if not isinstance(errors, str):
        raise TypeError(f"errors must be str, not {type(errors).__name__}")
    return errors


def _handled(errors, error, length, kind):
    """What a handler makes of an error, and where to go on."""
    found = _codecs.lookup_error(errors)(error)
    allowed = (str, bytes) if kind == "encoding" else (str,)
    if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], allowed) and isinstance(found[1], int)):
        what = "(str, int)" if kind == "decoding" else "(str/bytes, int)"
        raise TypeError(f"{kind} error handler must return {what} tuple")
    position = found[1]
    if position < 0:
        position += length
    if not 0 <= position <= length:
        raise IndexError(f"position {found[1]} from error handler out of bounds")
    return found[0], position


class MultibyteCodec:
    """An encoding."""

    __slots__ = ("_name", "__weakref__")

    def __new__(cls, *args, **kwargs):
        raise TypeError(f"cannot create '_multibytecodec.{cls.__name__}' instances")

    def __init_subclass__(cls):
        raise TypeError("type '_multibytecodec.MultibyteCodec' is not an acceptable base type")

    def __reduce_ex__(self, protocol):
        raise TypeError("cannot pickle 'MultibyteCodec' object")

    def encode(self, input, errors=None):
        """Return an encoded string version of 'input'.

        'errors' may be given to set a different error handling scheme. Default is 'strict' meaning that encoding errors
        raise a UnicodeEncodeError. Other possible values are 'ignore', 'replace' and 'xmlcharrefreplace' as well as any
        other name registered with codecs.register_error that can handle UnicodeEncodeErrors.
        """
        text = _text(input)
        state = _multibyte.encoder_state(self._name)
        out, _, _ = self._encoded(text, _checked_errors(errors), state, True, True)
        return out, len(text)

    def decode(self, input, errors=None):
        """Decodes 'input'.

        'errors' may be given to set a different error handling scheme. Default is 'strict' meaning that encoding errors
        raise a UnicodeDecodeError. Other possible values are 'ignore' and 'replace' as well as any other name registered
        with codecs.register_error that is able to handle UnicodeDecodeErrors.
        """
        data = bytes(memoryview(input))
        state = _multibyte.decoder_state(self._name)
        text, _, _ = self._decoded(data, _checked_errors(errors), state, True)
        return text, len(data)

    def _encoded(self, text, errors, state, whole, reset):
        """The bytes, the state, and where what is kept for later begins."""
        out, at, state, stop = _multibyte.encode(self._name, text, 0, state, whole)
        if stop > 0 or stop and whole:
            parts = [out]
            while stop > 0 or stop and whole:
                more, at, state = self._replaced(text, at, stop, errors, state)
                parts += more
                out, at, state, stop = _multibyte.encode(self._name, text, at, state, whole)
                parts.append(out)
            out = b"".join(parts)
        if reset:
            end, state = _multibyte.reset_encoder(self._name, state)
            out += end
        return out, state, at

    def _replaced(self, text, at, stop, errors, state):
        """What stands for the characters that have no sequence, in parts, and where and with which state it goes on."""
        reason, end = (_ILLEGAL, at + stop) if stop > 0 else (_INCOMPLETE, len(text))
        if errors == "ignore":
            return [], end, state
        if errors == "replace":
            out, done, new, _ = _multibyte.encode(self._name, "?", 0, state, True)
            return ([out], end, new) if done else ([b"?"], end, state)
        error = UnicodeEncodeError(self._name, text, at, end, reason)
        if errors == "strict":
            raise error
        replacement, position = _handled(errors, error, len(text), "encoding")
        if isinstance(replacement, str):
            replacement, state, _ = self._encoded(replacement, "strict", state, True, False)
        return [replacement], position, state

    def _decoded(self, data, errors, state, whole):
        """The text, the state, and where what is kept for later begins."""
        text, at, state, stop = _multibyte.decode(self._name, data, 0, state)
        if stop > 0 or stop and whole:
            parts = [text]
            while stop > 0 or stop and whole:
                reason, end = (_ILLEGAL, at + stop) if stop > 0 else (_INCOMPLETE, len(data))
                if errors == "ignore":
                    at = end
                elif errors == "replace":
                    parts.append("\N{REPLACEMENT CHARACTER}")
                    at = end
                else:
                    error = UnicodeDecodeError(self._name, data, at, end, reason)
                    if errors == "strict":
                        raise error
                    replacement, at = _handled(errors, error, len(data), "decoding")
                    parts.append(replacement)
                text, at, state, stop = _multibyte.decode(self._name, data, at, state)
                parts.append(text)
            text = "".join(parts)
        return text, state, at


def _named(name):
    codec = object.__new__(MultibyteCodec)
    codec._name = name
    return codec


def _family(*names):
    """The function `getcodec` of a module that has these encodings."""
    codecs = {name: _named(name) for name in names}

    def getcodec(encoding, /):
        if not isinstance(encoding, str):
            raise TypeError("encoding name must be a string.")
        try:
            return codecs[encoding]
        except KeyError:
            raise LookupError("no such codec is supported.") from None

    getcodec.__qualname__ = "getcodec"
    return getcodec


def __create_codec(capsule, /):
    """There are no encodings in C that could be wrapped."""
    raise ValueError("argument type invalid")


class _Stateful:
    """An encoding's codec, with a way of handling errors."""

    def __init__(self, errors="strict"):
        if not isinstance(errors, str):
            raise TypeError(
                f"{type(self).__name__}() argument 'errors' must be str, not {type(errors).__name__}"
            )
        codec = self.codec
        if not isinstance(codec, MultibyteCodec):
            raise TypeError("codec is unexpected type")
        self._codec = codec
        self._errors = errors

    @property
    def errors(self):
        """how to treat errors"""
        return self._errors

    @errors.setter
    def errors(self, value):
        if not isinstance(value, str):
            raise TypeError("errors must be a string")
        self._errors = value

    @errors.deleter
    def errors(self):
        raise AttributeError("cannot delete attribute")


class _Encoder(_Stateful):
    def __init__(self, errors="strict"):
        _Stateful.__init__(self, errors)
        self._state = _multibyte.encoder_state(self._codec._name)
        self._pending = ""

    def _encode(self, text, final):
        text = self._pending + _text(text)
        out, state, at = self._codec._encoded(text, self._errors, self._state, final, final)
        rest = text[at:]
        if len(rest) > _MOST_CHARACTERS:
            raise UnicodeEncodeError(self._codec._name, rest, 0, len(rest), "pending buffer overflow")
        self._pending, self._state = rest, state
        return out

    def _reset(self):
        """The bytes that end what was encoded."""
        out, self._state = _multibyte.reset_encoder(self._codec._name, self._state)
        self._pending = ""
        return out


class _Decoder(_Stateful):
    def __init__(self, errors="strict"):
        _Stateful.__init__(self, errors)
        self._state = _multibyte.decoder_state(self._codec._name)
        self._pending = b""

    def _decode(self, data, final):
        data = self._pending + data
        text, state, at = self._codec._decoded(data, self._errors, self._state, final)
        rest = data[at:]
        if len(rest) > _MOST_BYTES:
            raise UnicodeError("pending buffer overflow")
        self._pending, self._state = rest, state
        return text

    def _reset(self):
        self._state = _multibyte.reset_decoder(self._codec._name, self._state)
        self._pending = b""


class MultibyteIncrementalEncoder(_Encoder):
    def encode(self, input, final=False):
        return self._encode(input, bool(final))

    def getstate(self):
        """The state as a number: of what is kept the length and the bytes in UTF-8, then the encoding's eight bytes."""
        pending = self._pending.encode()
        if len(pending) > _BYTES:
            raise UnicodeError("pending buffer too large")
        row = bytes([len(pending)]) + pending + self._state.to_bytes(_STATE_BYTES, "little")
        return int.from_bytes(row, "little")

    def setstate(self, state, /):
        if not isinstance(state, int):
            raise TypeError(f"setstate() argument must be int, not {type(state).__name__}")
        row = state.to_bytes(1 + _BYTES + _STATE_BYTES, "little")
        count = row[0]
        if count > _BYTES:
            raise UnicodeError("pending buffer too large")
        self._pending = row[1 : 1 + count].decode()
        self._state = int.from_bytes(row[1 + count : 1 + count + _STATE_BYTES], "little")

    def reset(self):
        self._reset()


class MultibyteIncrementalDecoder(_Decoder):
    def decode(self, input, final=False):
        return self._decode(bytes(memoryview(input)), bool(final))

    def getstate(self):
        return self._pending, self._state

    def setstate(self, state, /):
        if not isinstance(state, tuple):
            raise TypeError(f"setstate() argument must be tuple, not {type(state).__name__}")
        pending, number = state
        if not isinstance(pending, bytes) or not isinstance(number, int):
            raise TypeError("setstate(): illegal state argument")
        if len(pending) > _MOST_BYTES:
            raise UnicodeDecodeError(self._codec._name, pending, 0, len(pending), "pending buffer too large")
        self._pending, self._state = pending, number & _STATE

    def reset(self):
        self._reset()


class MultibyteStreamReader(_Decoder):
    def __init__(self, stream, errors="strict"):
        _Decoder.__init__(self, errors)
        self._stream = stream

    @property
    def stream(self):
        return self._stream

    def _read(self, method, size):
        if size == 0:
            return ""
        while True:
            data = method() if size < 0 else method(size)
            if not isinstance(data, bytes):
                raise TypeError(f"stream function returned a non-bytes object ({type(data).__name__})")
            # What is kept becomes a character only when the stream has no more.
            text = self._decode(data, not data or size < 0)
            if text or size < 0 or not data:
                return text
            size = 1

    def read(self, sizeobj=None, /):
        return self._read(self._stream.read, _size(sizeobj))

    def readline(self, sizeobj=None, /):
        return self._read(self._stream.readline, _size(sizeobj))

    def readlines(self, sizehintobj=None, /):
        return self._read(self._stream.read, _size(sizehintobj)).splitlines(keepends=True)

    def reset(self):
        self._reset()


def _size(size):
    if size is None:
        return -1
    if not isinstance(size, int):
        raise TypeError("arg 1 must be an integer")
    return size


class MultibyteStreamWriter(_Encoder):
    def __init__(self, stream, errors="strict"):
        _Encoder.__init__(self, errors)
        self._stream = stream

    @property
    def stream(self):
        return self._stream

    def write(self, strobj, /):
        self._stream.write(self._encode(strobj, False))

    def writelines(self, lines, /):
        for line in lines:
            self.write(line)

    def reset(self):
        """Writes what was kept. Where nothing was, the state stays as it is."""
        if self._pending:
            self._stream.write(self._encode("", True))
