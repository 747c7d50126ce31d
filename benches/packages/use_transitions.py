# pip install transitions
from transitions import Machine, MachineError
from transitions.extensions import HierarchicalMachine


class Matter:
    def on_enter_gas(self):
        print("boiled")


m = Matter()
machine = Machine(m, states=["solid", "liquid", "gas"], initial="solid", transitions=[["melt", "solid", "liquid"], {"trigger": "boil", "source": "liquid", "dest": "gas", "conditions": lambda: True}])
m.melt()
print(m.state, m.is_liquid(), m.boil(), m.state, machine.get_triggers("solid"))
try:
    m.melt()
except MachineError as e:
    print(e)
h = HierarchicalMachine(states=["a", {"name": "b", "children": ["x", "y"], "initial": "x"}], initial="a")
h.to_b()
print(h.state)
