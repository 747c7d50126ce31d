"""The encodings of Korea."""

from _multibytecodec import _family

getcodec = _family("euc_kr", "cp949", "johab")
