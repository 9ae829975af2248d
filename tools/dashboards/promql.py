"""PromQL that many panels share. ``where`` is what stands between the braces of a selector."""

from __future__ import annotations

BUCKETS = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


def by(expr: str, *labels: str, how: str = "sum") -> str:
    grouped = f" by ({', '.join(labels)})" if labels else ""
    return f"{how}{grouped} ({expr})"


def rate(metric: str, where: str = "", *labels: str) -> str:
    """Events a second, added up by ``labels``."""
    return by(f"rate({metric}{{{where}}}[$__rate_interval])", *labels)


def quantile(share: float, metric: str, where: str, *labels: str) -> str:
    """Of a histogram, ``metric`` without ``_bucket``."""
    return f"histogram_quantile({share:g}, {rate(f'{metric}_bucket', where, 'le', *labels)})"


def hit_ratio(hits: str, misses: str, where: str, *labels: str) -> str:
    """What a cache had, of all that was asked of it."""
    found = rate(hits, where, *labels)
    return f"{found} / ({found} + {rate(misses, where, *labels)})"


def mean(total: str, count: str, where: str, *labels: str) -> str:
    """Of what both counters grew by."""
    return f"{rate(total, where, *labels)} / {rate(count, where, *labels)}"


def share(part: str, whole: str) -> str:
    """``part`` of ``whole``, 0 where there is none of the part: a label that never occurred has no series."""
    return f"(({part}) or ({whole}) * 0) / ({whole})"
