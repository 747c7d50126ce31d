"""The encodings of Japan."""

from _multibytecodec import _family

getcodec = _family("shift_jis", "cp932", "euc_jp", "shift_jis_2004", "euc_jis_2004", "euc_jisx0213", "shift_jisx0213")
