# unicodedata, its version 3.2, and what is built on it: stringprep and IDNA.
import stringprep
import unicodedata as u

old = u.ucd_3_2_0
assert u.unidata_version == "16.0.0" and old.unidata_version == "3.2.0"
assert [u.east_asian_width(c) for c in "aΩ中Ａｱ"] == ["Na", "A", "W", "F", "H"]
assert u.mirrored("(") == 1 and u.mirrored("a") == 0
assert u.decomposition("Å") == "0041 030A" and u.decomposition("ﬁ") == "<compat> 0066 0069"
assert u.decomposition("각") == "1100 1161 11A8" and u.decomposition("가") == "1100 1161"
assert u.numeric("⅗") == 0.6 and u.numeric("㊿") == 50.0 and u.digit("⑨") == 9 and u.decimal("٣") == 3
assert u.numeric("x", None) is None and u.digit("Ⅷ", -1) == -1 and u.numeric("Ⅷ") == 8.0
assert old.category("ჽ") == "Cn" and u.category("ჽ") == "Ll" and old.name("ჽ", None) is None
assert old.bidirectional("€") == u.bidirectional("€") and old.east_asian_width("a") == "Na"
assert old.normalize("NFKC", "ﬁ") == "fi" and u.is_normalized("NFC", "é") and not u.is_normalized("NFD", "é")
assert type(old) is u.UCD
try:
    u.UCD()
except TypeError as e:
    assert "UCD" in str(e)
else:
    raise AssertionError
for wrong in ("CJK UNIFIED IDEOGRAPH-03400", "CJK UNIFIED IDEOGRAPH-33FF", "NO SUCH NAME"):
    try:
        u.lookup(wrong)
    except KeyError:
        pass
    else:
        raise AssertionError(wrong)
assert stringprep.in_table_a1("\u0221") and not stringprep.in_table_a1("a")
assert "bücher.example".encode("idna") == b"xn--bcher-kva.example"
assert b"xn--bcher-kva.example".decode("idna") == "bücher.example"
assert "Königsgäßchen".encode("idna") == b"xn--knigsgsschen-lcb0w"
print("ok")
