# pip install jsonschema<4.18
from jsonschema import Draft7Validator, ValidationError, validate

schema = {
    "type": "object",
    "properties": {"price": {"type": "number", "minimum": 0}, "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}},
    "required": ["price"],
    "additionalProperties": False,
}
validate({"price": 3.5, "tags": ["a"]}, schema)
for bad in ({"price": "x"}, {"price": -1, "tags": ["a", "a"]}, {"more": 1}):
    errors = sorted(Draft7Validator(schema).iter_errors(bad), key=lambda e: e.message)
    print([(e.message, list(e.path)) for e in errors])
try:
    validate({}, schema)
except ValidationError as e:
    print(str(e)[:60])
