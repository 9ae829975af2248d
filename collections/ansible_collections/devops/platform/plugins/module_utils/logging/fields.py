"""Fields of a line and their types: what the shippers write by themselves, what Elasticsearch is told, what is moved.

A field that stands here is searchable as its type. Any other goes below `fields`, where everything is searchable as a
word: no application's field can make another one's line be refused, and the mapping never grows.
"""

from __future__ import annotations

from collections.abc import Mapping

KEYWORD, LONG_KEYWORD, TEXT, DATE, ADDRESS = "keyword", "long keyword", "text", "date", "ip"
INTEGER, NUMBER, OBJECT, KEPT = "long", "double", "flattened", "kept"
MALFORMED = (DATE, ADDRESS, INTEGER, NUMBER)  # a value that is none is kept, and cannot be searched for
REST = "fields"

# What the platform says of every line itself, wherever it is known.
PLATFORM: dict[str, str] = {
    "@timestamp": DATE,
    "app": KEYWORD,
    "container": KEYWORD,
    "environment": KEYWORD,
    "host": KEYWORD,
    "level": KEYWORD,
    "message": TEXT,
    "offset": INTEGER,
    "parse_error": KEYWORD,
    "path": LONG_KEYWORD,
    "rollout_id": KEYWORD,
    "service": KEYWORD,
    "source": KEYWORD,
    "unit": KEYWORD,
    "version": KEYWORD,
}
# What our parsers find in a line.
PARSED: dict[str, str] = {
    "bytes": INTEGER,
    "client": ADDRESS,
    "duration": NUMBER,  # seconds
    "error": TEXT,
    "logger": KEYWORD,
    "method": KEYWORD,
    "pid": INTEGER,
    "protocol": KEYWORD,
    "referrer": LONG_KEYWORD,
    "request_id": KEYWORD,
    "status": INTEGER,
    "url_path": LONG_KEYWORD,
    "user": KEYWORD,
    "user_agent": LONG_KEYWORD,
}
# What applications write into their JSON, by the names that are usual for it.
CUSTOMARY: dict[str, str] = {
    "error_type": KEYWORD,
    "event": KEYWORD,
    "exception": TEXT,
    "span_id": KEYWORD,
    "trace_id": KEYWORD,
    "user_id": KEYWORD,
}
LINE: Mapping[str, str] = {**PLATFORM, **PARSED, **CUSTOMARY, REST: OBJECT}

# A dead letter: what an output refused, so that nothing in it can be refused again. The line as it was is text.
LETTER: Mapping[str, str] = {
    **{name: PLATFORM[name] for name in ("@timestamp", "app", "environment", "host", "message", "service", "source")},
    "document": KEPT,
    "index": KEYWORD,
    "reason": TEXT,
    "refused_status": INTEGER,
}
