# pip install marshmallow
import datetime

from marshmallow import Schema, ValidationError, fields, post_load, validate


class AlbumSchema(Schema):
    title = fields.Str(required=True, validate=validate.Length(min=2))
    released = fields.Date()
    rating = fields.Decimal(as_string=True)
    tags = fields.List(fields.Nested({"name": fields.Str()}))

    @post_load
    def make(self, data, **kwargs):
        return dict(sorted(data.items()))


schema = AlbumSchema()
print(schema.load({"title": "Hunky", "released": "1971-12-17", "rating": "4.5", "tags": [{"name": "a"}]}))
print(schema.dump({"title": "x", "released": datetime.date(1971, 12, 17), "tags": []}))
try:
    schema.load({"title": "x", "released": "no", "extra": 1})
except ValidationError as e:
    print(e.messages)
