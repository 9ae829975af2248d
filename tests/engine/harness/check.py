#!/usr/bin/python3 -IS
"""The product's own checker: refuses a configuration that is no JSON or holds the word `invalid`, and prints it."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as handle:
    text = handle.read()
try:
    json.loads(text)
    trouble = "the word 'invalid' is in it" if "invalid" in text else ""
except ValueError as error:
    trouble = str(error)
if trouble:
    print(f"line 1: {trouble}\n{text}")
    sys.exit(1)
