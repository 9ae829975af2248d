"""What Kibana shows of a platform."""

from __future__ import annotations

from .model import Board, Chart, Measure, Search, View

# Of the dead letters' own view is what other views leave out: they have other fields.
LOGS = View("logs", "Logs", "logs-@environment@-*,-logs-@environment@-dead-letter-*")
LETTERS = View("dead-letters", "Dead letters", "logs-@environment@-dead-letter-*")
RESTORED = View("restored", "Restored logs", "restored-logs-@environment@-*")
VIEWS = (LOGS, LETTERS, RESTORED)

FAILED = "level:(error OR critical)"
ANSWERED = "status:*"
WHO = ("app", "service", "host")

ERRORS = Search(
    "errors", "Errors", "Lines of level error and critical.", LOGS, FAILED, (*WHO, "level", "rollout_id", "message")
)
SLOW = Search(
    "slow-requests",
    "Slow requests",
    "Requests that took longer than a second.",
    LOGS,
    "duration:>1",
    (*WHO, "method", "url_path", "status", "duration", "request_id"),
)
REQUEST = Search(
    "request",
    "One request by its id",
    "All lines of a request, on whatever host: write its id in place of the star.",
    LOGS,
    "request_id:*",
    (*WHO, "level", "request_id", "method", "url_path", "status", "message"),
)
REFUSED = Search(
    "dead-letters",
    "Dead letters",
    "Lines that Elasticsearch refused, with the reason.",
    LETTERS,
    "*",
    ("app", "host", "index", "refused_status", "reason", "message"),
)
SIGNING_IN = Search(
    "authentication-failures",
    "Authentication failures",
    "Requests that were answered with 401 or 403, and what sshd and sudo say of wrong passwords.",
    LOGS,
    'status:(401 OR 403) OR message:"authentication failure" OR message:"failed password" OR message:"invalid user"',
    (*WHO, "user", "client", "status", "url_path", "message"),
)
UNREAD = Search(
    "not-understood",
    "Lines that no parser understood",
    "They are there as text; the parser's name is in parse_error.",
    LOGS,
    "parse_error:*",
    ("source", "host", "parse_error", "message"),
)
SEARCHES = (ERRORS, SLOW, REQUEST, REFUSED, SIGNING_IN, UNREAD)

OVERVIEW = Board(
    "overview",
    "Overview",
    "Who writes how much, and how bad is it?",
    (
        (
            8,
            (
                Chart("lines", "Lines", LOGS, kind="number"),
                Chart("failed", "Errors", LOGS, FAILED, "number"),
                Chart("refused", "Dead letters", LETTERS, kind="number"),
            ),
        ),
        (
            14,
            (
                Chart("by-level", "Lines by level", LOGS, by=("level",)),
                Chart("by-app", "Lines by app", LOGS, by=("app",)),
            ),
        ),
        (
            14,
            (
                Chart("apps-levels", "Apps and levels", LOGS, kind="table", by=("app", "level"), size=20),
                Chart("by-host", "Lines by host", LOGS, kind="lines", by=("host",)),
            ),
        ),
    ),
)
HTTP = Board(
    "http",
    "HTTP",
    "What is asked, how is it answered, and how quickly?",
    (
        (
            14,
            (
                Chart("by-status", "Answers by status", LOGS, ANSWERED, by=("status",)),
                Chart(
                    "took",
                    "Time taken",
                    LOGS,
                    f"{ANSWERED} AND duration:*",
                    "lines",
                    measures=(Measure("percentiles", "duration", (50, 95, 99)),),
                ),
            ),
        ),
        (
            16,
            (
                Chart(
                    "paths",
                    "Paths",
                    LOGS,
                    ANSWERED,
                    "table",
                    ("url_path",),
                    (Measure(), Measure("avg", "duration"), Measure("avg", "bytes")),
                    25,
                ),
                Chart(
                    "failing-paths",
                    "Paths that fail",
                    LOGS,
                    "status:[500 TO 599]",
                    "table",
                    ("url_path", "status"),
                    size=25,
                ),
            ),
        ),
        (16, (SLOW,)),
    ),
)
APPS = Board(
    "errors-by-app",
    "Errors by app",
    "Which application fails, since when, and by which rollout?",
    (
        (14, (Chart("errors-by-app", "Errors by app", LOGS, FAILED, by=("app",)),)),
        (
            14,
            (
                Chart("kinds", "Kinds of errors", LOGS, FAILED, "table", ("app", "error_type"), size=20),
                Chart("rollouts", "Errors by rollout", LOGS, FAILED, "table", ("app", "rollout_id"), size=20),
                Chart("loggers", "Loggers", LOGS, FAILED, "table", ("app", "logger"), size=20),
            ),
        ),
        (18, (ERRORS,)),
    ),
)
SHIPPING = Board(
    "shipping",
    "Shipping",
    "Do lines arrive from everywhere, and as what they are?",
    (
        (
            14,
            (
                Chart("hosts", "Lines by host", LOGS, by=("host",)),
                Chart("sources", "Lines by source", LOGS, by=("source",)),
            ),
        ),
        (
            14,
            (
                Chart("letters", "Dead letters by app", LETTERS, by=("app",)),
                Chart("letters-status", "Dead letters", LETTERS, kind="table", by=("app", "index", "refused_status")),
                Chart("unread", "Not understood", LOGS, "parse_error:*", "table", ("source", "parse_error")),
            ),
        ),
        (16, (REFUSED,)),
        (16, (UNREAD,)),
    ),
)
BOARDS = (OVERVIEW, HTTP, APPS, SHIPPING)
