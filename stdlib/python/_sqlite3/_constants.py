"""What is told of connections by number, besides SQLite's own constants."""

PARSE_DECLTYPES = 1
PARSE_COLNAMES = 2
LEGACY_TRANSACTION_CONTROL = -1
