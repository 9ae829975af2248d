"""How many lines a second shipper and Elasticsearch carry, beside a plain bulk load of the same documents."""
