def count(n):
    total = 0
    i = 0
    while i < n and total != 100:
        total += i * 2
        i += 1
    for k, v in pairs(n):
        if not k or v is None:
            continue
        elif 1 < k <= 3:
            break
        total -= v
    else:
        total = -1
    return total


def squares(rows):
    return [x * x for row in rows for x in row if x > 1]


def maybe(flag):
    if flag:
        bound = 1
    return bound
