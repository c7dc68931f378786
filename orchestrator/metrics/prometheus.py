"""The one door to Prometheus: range queries with everything that the answer says. Called by `gates.measure`.

`PrometheusConnect.custom_query_range` returns the series, drops the warnings beside them, which say that data is
missing, and rounds the window to whole seconds. So a response hook on its session keeps the whole answer, and the exact
window is given as parameters, which outrank its own.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import requests
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect
from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random
from urllib3.util import Retry

from orchestrator.errors import MetricsError
from orchestrator.journal import Series


class _TemporaryError(MetricsError):
    """Asking again may help: no connection, no answer in time, or a server that asks for patience."""


RETRY = Retrying(
    retry=retry_if_exception_type(_TemporaryError),
    wait=wait_exponential(multiplier=0.2, max=3.0) + wait_random(0.0, 0.2),
    stop=stop_after_attempt(5),
    reraise=True,
)
"""For range queries, which may be sent twice. Tests pass one that does not wait."""

_PATIENCE = frozenset({429, 500, 502, 503, 504})


class _Series(BaseModel):
    metric: dict[str, str]
    values: tuple[tuple[float, Annotated[float, BeforeValidator(float)]], ...] = ()


class _Data(BaseModel):
    result: tuple[_Series, ...]


class _Answer(BaseModel):
    """What Prometheus, Thanos and VictoriaMetrics may say; the last two answer in part and say so in their own way."""

    data: _Data
    warnings: tuple[str, ...] = ()
    is_partial: bool = Field(default=False, alias="isPartial")


@dataclass(frozen=True, slots=True)
class RangeResult:
    """Series with NaN and infinities as they came, and all that was said about missing data."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...]


class Prometheus:
    """A Prometheus server behind a base URL, such as the API server's proxy path of its Service."""

    def __init__(
        self,
        url: str,
        *,
        session: requests.Session | None = None,
        headers: dict[str, str] | None = None,
        timeout: int = 30,
        retry: Retrying = RETRY,
    ) -> None:
        """`session` brings what the way there needs: client certificate, CA, proxies. Its retries are replaced."""
        self._retry = retry
        self._answer = threading.local()
        session = session or requests.Session()
        session.hooks["response"].append(self._keep)
        self._client = PrometheusConnect(
            url=url.rstrip("/"), headers=headers or {}, session=session, timeout=timeout, retry=Retry(0)
        )

    def query_range(
        self, query: str, start: float, end: float, step: float, *, lookback: float | None = None
    ) -> RangeResult:
        """The query at `start`, `start + step`, … up to `end`.

        `lookback` limits for how long a value counts when nothing newer came. Prometheus' own limit is five minutes,
        which would show scrapes that stopped as a value that stands still. Old versions (2.42) ignore the parameter; so
        our own server should be started with `--query.lookback-delta`, and signals say it in the query besides.

        Raises:
            MetricsError: when Prometheus says no, says nonsense, or says nothing for several attempts.
        """
        params = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        if lookback is not None:
            params["lookback_delta"] = f"{lookback:.3f}"
        return self._retry(self._range, query, params)

    def clock(self) -> float:
        """What Prometheus thinks the time is, unix seconds.

        Raises:
            MetricsError: as `query_range`.
        """
        return self._retry(self._time)

    def close(self) -> None:
        self._client.close()

    def _keep(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._answer.response = response

    def _range(self, query: str, params: dict[str, str]) -> RangeResult:
        epoch = datetime.fromtimestamp(0, tz=UTC)
        with self._asking(query):
            self._client.custom_query_range(query, epoch, epoch, params["step"], params=params)
        try:
            answer = _Answer.model_validate_json(self._answer.response.content)
        except ValidationError as error:
            raise MetricsError(f"Prometheus' answer cannot be read: {_short(str(error))}") from error
        partial = ("the answer is partial",) if answer.is_partial else ()
        series = tuple(Series(labels=item.metric, samples=item.values) for item in answer.data.result)
        return RangeResult(series, answer.warnings + partial)

    def _time(self) -> float:
        with self._asking("time()"):
            _, value = self._client.custom_query("time()")
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise MetricsError(f"Prometheus' time is no time: {_short(str(value))}") from error

    @contextmanager
    def _asking(self, query: str) -> Iterator[None]:
        """Turns what the client raises into our errors."""
        self._answer.response = None
        try:
            yield
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _TemporaryError(f"no answer from Prometheus: {_short(str(error))}") from error
        except PrometheusApiClientException as error:
            raise self._refusal(query) from error
        except (requests.RequestException, KeyError, TypeError, ValueError) as error:
            raise MetricsError(f"Prometheus' answer is no answer to {query}: {_short(str(error))}") from error

    def _refusal(self, query: str) -> MetricsError:
        """Prometheus' own words where it had some, which the client's exception buries in bytes."""
        response: requests.Response = self._answer.response
        try:
            said = str(response.json()["error"])
        except (requests.JSONDecodeError, KeyError, TypeError):
            said = response.text
        kind = _TemporaryError if response.status_code in _PATIENCE else MetricsError
        return kind(f"Prometheus answered {response.status_code} to {query}: {_short(said)}")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:300] + " …"
