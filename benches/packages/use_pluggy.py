# pip install pluggy
import pluggy

spec, impl = pluggy.HookspecMarker("p"), pluggy.HookimplMarker("p")


class Spec:
    @spec
    def do(self, a, b):
        """Does."""


class One:
    @impl
    def do(self, a, b):
        return a + b


class Two:
    @impl(wrapper=True)
    def do(self, a):
        result = yield
        return [r * a for r in result]


manager = pluggy.PluginManager("p")
manager.add_hookspecs(Spec)
manager.register(One(), "one")
manager.register(Two(), "two")
print(manager.hook.do(a=2, b=3), [n for n, _ in manager.list_name_plugin()])
