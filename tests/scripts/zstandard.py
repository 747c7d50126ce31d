# compression.zstd: frames, streams, dictionaries, parameters, and what is refused.
import _zstd
import io
import random
import threading
from compression import zstd
from compression.zstd import (
    CompressionParameter, DecompressionParameter, Strategy, ZstdCompressor, ZstdDecompressor, ZstdDict, ZstdError,
)


def raises(kind, text, f, *args, **named):
    try:
        f(*args, **named)
    except kind as e:
        assert text in str(e), (text, str(e))
    else:
        raise AssertionError(f"{kind.__name__} is not raised")


data = b"".join(b"%d, " % (i * i % 977) for i in range(40_000))

# Whole frames, at all kinds of levels, one behind the other.
for level in (-5, 1, 3, 19):
    packed = zstd.compress(data, level)
    assert len(packed) < len(data) and zstd.decompress(packed) == data
    info = zstd.get_frame_info(packed)
    assert (info.decompressed_size, info.dictionary_id) == (len(data), 0)
    assert zstd.get_frame_size(packed + b"rest") == len(packed)
assert zstd.decompress(zstd.compress(b"one") + zstd.compress(b"") + zstd.compress(b"two")) == b"onetwo"

# A piece at a time, either way.
c = ZstdCompressor(options={CompressionParameter.checksum_flag: 1, CompressionParameter.strategy: Strategy.lazy})
assert (c.CONTINUE, c.FLUSH_BLOCK, c.FLUSH_FRAME, c.last_mode) == (0, 1, 2, 2)
pieces = [c.compress(data[i:i + 1000]) for i in range(0, len(data), 1000)]
assert c.last_mode == c.CONTINUE
raises(ValueError, "last_mode == FLUSH_FRAME", c.set_pledged_input_size, 3)
pieces += [c.flush(c.FLUSH_BLOCK), c.flush()]
packed = b"".join(pieces)
d = ZstdDecompressor()
out = bytearray()
source = io.BytesIO(packed + b"behind")
while not d.eof:
    out += d.decompress(source.read(700) if d.needs_input else b"", 900)
assert out == data and not d.needs_input and b"behind".startswith(d.unused_data)
raises(EOFError, "Already at the end of a Zstandard frame.", d.decompress, b"")
raises(ZstdError, "doesn't match checksum", zstd.decompress, packed[:-1] + bytes([packed[-1] ^ 1]))
raises(ZstdError, "Compressed data ended before", zstd.decompress, packed[:-1])

# A stream goes on after an error.
d = ZstdDecompressor()
raises(ZstdError, "Unknown frame descriptor", d.decompress, b"no frame at all")
assert d.needs_input and d.decompress(zstd.compress(b"again")) == b"again"
c = ZstdCompressor()
c.set_pledged_input_size(10)
c.compress(b"123")
raises(ZstdError, "Src size is incorrect", c.flush)
assert zstd.decompress(c.compress(b"again", c.FLUSH_FRAME)) == b"again"

# Dictionaries: trained, finished, raw; as each kind of use.
words = [b"red", b"green", b"blue", b"tiger", b"lion", b"fish"]
random.seed(1)
samples = [b"\n".join(b"%s = %d" % (random.choice(words), random.randrange(100)) for _ in range(20)) for _ in range(300)]
trained = zstd.train_dict(samples, 2000)
finished = zstd.finalize_dict(trained, samples, 4000, 5)
raw = ZstdDict(b"red = 1\ngreen = 2\n", is_raw=True)
assert raw.dict_id == 0 and len(raw) == 18 and repr(raw) == "<ZstdDict dict_id=0 dict_size=18>"
assert trained.dict_id != finished.dict_id != 0 and len(trained.dict_content) <= 2000
for dictionary in (trained, finished, raw):
    for use in (dictionary, dictionary.as_digested_dict, dictionary.as_undigested_dict):
        packed = zstd.compress(samples[0], zstd_dict=use)
        assert zstd.get_frame_info(packed).dictionary_id == dictionary.dict_id
        assert zstd.decompress(packed, dictionary) == samples[0]
packed = zstd.compress(data + b"!", zstd_dict=ZstdDict(data, is_raw=True).as_prefix)
assert len(packed) < 100
assert zstd.decompress(packed, ZstdDict(data, is_raw=True).as_prefix) == data + b"!"
# The digested form lives as long as the streams that use it.
c, d = ZstdCompressor(zstd_dict=trained.as_digested_dict), ZstdDecompressor(trained)
del trained
import gc

gc.collect()
assert d.decompress(c.compress(samples[1], c.FLUSH_FRAME)) == samples[1]
raises(ValueError, "invalid Zstandard dictionary", ZstdDict, b"12345678abcd")
raises(ValueError, "too short", ZstdDict, b"1234567", is_raw=True)
for wrong in (3, (raw,), (raw, 3), [raw, 1], (raw, 1.0)):
    raises(TypeError, "should be a ZstdDict object", ZstdCompressor, zstd_dict=wrong)
    raises(TypeError, "should be a ZstdDict object", ZstdDecompressor, wrong)
raises(ValueError, "doesn't match the concatenation's size", _zstd.train_dict, b"abc", (4, -1), 100)

# Parameters.
assert CompressionParameter.window_log.bounds() == (10, 31)
assert DecompressionParameter.window_log_max.bounds() == (10, 31)
raises(ValueError, "'window_log' received an illegal value 100", ZstdCompressor, options={101: 100})
raises(ValueError, "'unknown parameter (key 3333)'", ZstdCompressor, options={3333: 1})
raises(ValueError, "illegal compression level 23; the valid range is [-131072, 22]", zstd.compress, b"", 23)
raises(ValueError, "illegal compression level;", zstd.compress, b"", 2**70)
raises(TypeError, "Only one of level or options should be used.", ZstdCompressor, 3, {})
raises(TypeError, "must not be a DecompressionParameter", ZstdCompressor, options={DecompressionParameter.window_log_max: 12})
raises(OverflowError, "C int", ZstdDecompressor, options={0: 2**40})


# A parameter whose conversion changes the dict it is in.
class Sly:
    def __index__(self):
        options.clear()
        return 101


options = {Sly(): 20, 100: 3}
ZstdCompressor(options=options)

# Several threads in the library, and several of the program with streams of their own.
packed = zstd.compress(data * 20, options={CompressionParameter.nb_workers: 2})
assert zstd.decompress(packed) == data * 20
results = []
threads = [threading.Thread(target=lambda: results.append(zstd.decompress(zstd.compress(data)))) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert results == [data] * 4

with zstd.open(io.BytesIO(zstd.compress("a\nb\n".encode())), "rt", encoding="utf-8") as file:
    assert file.readlines() == ["a\n", "b\n"]
print("ok")
