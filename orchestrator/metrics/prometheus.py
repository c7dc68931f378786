"""The only access to Prometheus: range queries with the whole answer, including warnings. Called by `gates.samples`.

`PrometheusConnect.custom_query_range` returns the series but drops the warnings, which say that data is missing, and
rounds the window to whole seconds. So a response hook on its session keeps the whole answer, and the exact window is
passed as parameters, which take precedence.
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
    """An error after which asking again may help: no connection, no answer in time, or a busy server."""


RETRY = Retrying(
    retry=retry_if_exception_type(_TemporaryError),
    wait=wait_exponential(multiplier=0.2, max=3.0) + wait_random(0.0, 0.2),
    stop=stop_after_attempt(5),
    reraise=True,
)
"""Retries for range queries, which may be sent twice. Tests pass one that does not wait."""

_PATIENCE = frozenset({429, 500, 502, 503, 504})


class _Series(BaseModel):
    metric: dict[str, str]
    values: tuple[tuple[float, Annotated[float, BeforeValidator(float)]], ...] = ()


class _Data(BaseModel):
    result: tuple[_Series, ...]


class _Answer(BaseModel):
    """An answer of Prometheus, Thanos or VictoriaMetrics. The last two mark partial answers in their own way."""

    data: _Data
    warnings: tuple[str, ...] = ()
    is_partial: bool = Field(default=False, alias="isPartial")


@dataclass(frozen=True, slots=True)
class RangeResult:
    """The series, with NaN and infinities unchanged, and all warnings about missing data."""

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
        """`session` has what the connection needs: client certificate, CA, proxies. Its retries are replaced."""
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
        """Evaluates the query at `start`, `start + step`, … up to `end`, in Unix seconds.

        `lookback` limits, in seconds, how long a value counts if no newer one came. Prometheus' default is five
        minutes, which would show missing scrapes as a constant value. Old versions (2.42) ignore the parameter, so our
        own server is started with `--query.lookback-delta`, and the signals' queries also limit it.

        Raises:
            MetricsError: Prometheus refuses the query, gives an invalid answer, or does not answer several times.
        """
        params = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        if lookback is not None:
            params["lookback_delta"] = f"{lookback:.3f}"
        return self._retry(self._range, query, params)

    def clock(self) -> float:
        """Prometheus' time, in Unix seconds.

        Raises:
            MetricsError: as in `query_range`.
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
            raise MetricsError(f"Prometheus' time is not a time: {_short(str(value))}") from error

    @contextmanager
    def _asking(self, query: str) -> Iterator[None]:
        """Turns the client's errors into ours."""
        self._answer.response = None
        try:
            yield
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _TemporaryError(f"no answer from Prometheus: {_short(str(error))}") from error
        except PrometheusApiClientException as error:
            raise self._refusal(query) from error
        except (requests.RequestException, KeyError, TypeError, ValueError) as error:
            raise MetricsError(f"Prometheus' answer to {query} is invalid: {_short(str(error))}") from error

    def _refusal(self, query: str) -> MetricsError:
        """The error with Prometheus' own message, if there is one. The client's exception has it only as bytes."""
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
