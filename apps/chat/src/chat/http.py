"""What both services share over HTTP: request ids, access log, figures, error bodies, and the operators' endpoints."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from chat import database, logs
from chat.broadcast import Broadcast
from chat.config import Settings
from chat.errors import RateLimited, Refused, Unavailable
from chat.metrics import METHODS, Metrics
from chat.revisions import DatabaseCheck
from chat.validation import MAX_PAYLOAD, Invalid

log = logging.getLogger(__name__)

Check = Callable[[], str | None]
ID_HEADER = "X-Request-ID"
# Asked every few seconds by machines: their lines would bury the others.
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
# The codes of what Flask refuses by itself; others are named after their status.
CODES = {400: "invalid", 413: "too_large", 415: "unsupported_media_type"}
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    # Nothing here is a page: should a browser take it for one, it loads and runs nothing, in nobody's frame.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def error_body(code: str, message: str, fields: Mapping[str, str] | None = None) -> dict[str, object]:
    """The shape of every refusal, over HTTP and in acknowledgements alike."""
    error: dict[str, object] = {"code": code, "message": message}
    if fields:
        error["fields"] = dict(fields)
    return {"error": error, "request_id": logs.request_id.get()}


def make_flask(name: str, settings: Settings, metrics: Metrics) -> Flask:
    """A Flask application with everything of this module except the operators' endpoints."""
    app = Flask(name, static_folder=None)
    app.config.update(SECRET_KEY=settings.secret_key, MAX_CONTENT_LENGTH=MAX_PAYLOAD)
    # The last one signs; what any of them has signed counts.
    app.config.update(WTF_CSRF_SECRET_KEY=[*settings.secret_key_others, settings.secret_key])
    if settings.trusted_proxies:
        # Of what proxies say only the address is used: Host and Secure do not follow from what a client can send.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0
        )
    _observe(app, metrics)
    _answer_errors(app, metrics)
    _allow_origins(app, settings.cors_origins)
    return app


def _observe(app: Flask, metrics: Metrics) -> None:
    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        logs.request_id.set(logs.new_request_id(request.headers.get(ID_HEADER)))
        logs.user_id.set(None)
        metrics.in_progress.inc()
        g.counted = True

    @app.after_request
    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        route = request.url_rule.rule if request.url_rule else "unmatched"
        method = request.method if request.method in METHODS else "other"
        metrics.requests.labels(method, route, str(response.status_code)).inc()
        metrics.request_duration.labels(method, route).observe(seconds)
        response.headers[ID_HEADER] = logs.request_id.get() or uuid.uuid4().hex
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        details = {
            "method": request.method,
            "path": request.path,
            "route": route,
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
            "remote": request.remote_addr,
        }
        log.log(logging.DEBUG if request.path in QUIET else logging.INFO, "request", extra=details)
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        if g.pop("counted", False):
            metrics.in_progress.dec()
        logs.request_id.set(None)
        logs.user_id.set(None)


def _answer_errors(app: Flask, metrics: Metrics) -> None:
    @app.errorhandler(Invalid)
    def invalid(error: Invalid) -> tuple[Response, int]:
        return jsonify(error_body("invalid", "the request is not valid", error.problems)), 400

    @app.errorhandler(Refused)
    def refused(error: Refused) -> tuple[Response, int]:
        response = jsonify(error_body(error.code, error.words))
        if isinstance(error, RateLimited):
            response.headers["Retry-After"] = str(error.retry_after)
        return response, error.status

    @app.errorhandler(HTTPException)
    def refused_by_flask(error: HTTPException) -> Response | tuple[Response, int] | HTTPException:
        if error.code is None or error.code < 400:
            return error
        code = CODES.get(error.code, error.name.lower().replace(" ", "_"))
        response = jsonify(error_body(code, error.description or error.name))
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response, error.code

    def unavailable(error: Exception) -> tuple[Response, int]:
        metrics.errors.labels("database").inc()
        log.error("the database does not answer", extra={"reason": str(error).splitlines()[0]})
        return refused(Unavailable())

    for kind in database.UNAVAILABLE:
        app.register_error_handler(kind, unavailable)

    @app.errorhandler(Exception)
    def failed(_error: Exception) -> tuple[Response, int]:
        metrics.errors.labels("internal").inc()
        log.exception("unhandled error")
        return jsonify(error_body("internal", "the service made a mistake; its log has the details")), 500


def _allow_origins(app: Flask, origins: tuple[str, ...]) -> None:
    """Pages of the same origin need no header; others get one only where they are listed."""
    if not origins:
        return

    @app.after_request
    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE"
            response.headers["Access-Control-Allow-Headers"] = f"Content-Type, X-CSRF-Token, {ID_HEADER}"
            response.headers["Access-Control-Expose-Headers"] = f"Retry-After, {ID_HEADER}"
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response


def origin_allowed(origin: str, environ: Mapping[str, str], origins: tuple[str, ...]) -> bool:
    """Whether a browser's page may change something or open a websocket: one of the same host (as the edge saw it),
    or a listed one. Browsers let any page send requests and open websockets to anywhere, so the server has to look.
    """
    host = environ.get("HTTP_X_FORWARDED_HOST", environ.get("HTTP_HOST", "")).split(",")[0].strip()
    return origin in origins or (bool(host) and urlsplit(origin).netloc.lower() == host.lower())


def readiness(engine: Engine, broadcast: Broadcast) -> dict[str, Check]:
    return {"postgresql": DatabaseCheck(engine), "redis": broadcast.check}


def operations(metrics: Metrics, checks: Mapping[str, Check]) -> Blueprint:
    """/healthz, /readyz and /metrics. ``checks``: what must answer, each returning None or why it does not."""
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "ok"}

    @blueprint.get("/readyz")
    def ready() -> tuple[dict[str, object], int]:
        results = {name: check() or "ok" for name, check in checks.items()}
        failing = sorted(name for name, result in results.items() if result != "ok")
        if failing:
            log.warning("not ready", extra={"checks": results})
        body: dict[str, object] = {"status": "unavailable" if failing else "ok", "failing": failing, "checks": results}
        return body, 503 if failing else 200

    @blueprint.get("/metrics")
    def figures() -> Response:
        return Response(metrics.render(), content_type=CONTENT_TYPE_LATEST)

    return blueprint
