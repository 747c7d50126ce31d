# pip install pint
from pint import DimensionalityError, UnitRegistry

ureg = UnitRegistry()
distance = 24.0 * ureg.meter
speed = distance / (8 * ureg.second)
print(speed, speed.to("km/hour"), (3 * ureg.inch + 2 * ureg.cm).to("mm"), ureg("2.54 cm").to_base_units())
print(f"{speed:~P} {speed.dimensionality}", ureg.parse_expression("4 newton * meter").to("J"))
try:
    distance.to("s")
except DimensionalityError as e:
    print(e)
