class Box:
    content = 1

    def show(self):
        return contnt + content


def outer(argument):
    try:
        Box().contnt
    except AttributeError:
        print(arguemnt)


outer(1)
