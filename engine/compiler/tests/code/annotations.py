x: int = 1


def f[T: int](a: T, *args: str) -> list[T]:
    return [a]


class Box[T]:
    item: T

    def get(self) -> T:
        return self.item


type Pair[T] = tuple[T, T]
