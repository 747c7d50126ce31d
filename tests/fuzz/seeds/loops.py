total = 0
for i, (a, *b) in enumerate(zip(range(5), "abcde")):
    if i == 1: continue
    elif i == 4: break
    total += i * 2 ** 3 // 2 % 5 - -i << 1 & 7 | 1 ^ 2
else:
    total = None
while total and total > 3:
    total -= 2
else:
    total = 0
m = [x * y for x in range(3) if x for y in (1, 2) if y != x]
s = {x for x in m} | {1, 2}; d = {k: v for k, v in zip("ab", m)}
g = sum(x for x in m)
assert g is not None and not g < 0, "message"
x = y = (1, 2)[0]; x, y = y, x
m[1:3] = [7]; del m[0]; n = m[::2]
print(f"{x!r:>{y}} {m=} {'a' if x else 'b'}", 1 < x <= 3, x in s, [*m, *s], {**d, 'z': 1})
z = (w := 3) + w
