"""Errors as problem+json (RFC 9457): a stable code, what to do next in two languages, no values."""

import uuid
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from api.problemkinds import KINDS

MEDIA_TYPE = "application/problem+json"


class NextStep(BaseModel):
    """What the caller can do, in two languages."""

    model_config = ConfigDict(populate_by_name=True)

    en: str
    zh_cn: str = Field(serialization_alias="zh-CN", validation_alias="zh-CN")


class ProblemOut(BaseModel):
    """An error, as application/problem+json."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    field: str = ""
    rule: str = ""
    retryable: bool
    next_step: NextStep
    request_id: str


class Problem(Exception):
    """Ends a request with a problem.

    Args:
        code: one of `KINDS`.
        field: the path of the field that is wrong, never its value.
        rule: what a valid value looks like, or the rule that refused.
        detail: more of it in words, nothing personal.
        retry_after_s: when it may be sent again.
    """

    def __init__(
        self,
        code: str,
        *,
        field: str = "",
        rule: str = "",
        detail: str = "",
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.field, self.rule, self.detail = code, field, rule, detail
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        """The status of its answer."""
        return KINDS[self.code].status


def request_id(request: Request) -> str:
    """The id under which this request is found in logs, made once."""
    known: str | None = getattr(request.state, "request_id", None)
    if known is None:
        known = request.state.request_id = uuid.uuid4().hex
    return known


def body_of(problem: Problem, name: str) -> dict[str, Any]:
    """The problem as JSON; `name` is the id of the request."""
    kind = KINDS[problem.code]
    found = ProblemOut(
        type=f"urn:acquit:problem:{problem.code}",
        title=kind.title,
        status=kind.status,
        code=problem.code,
        detail=problem.detail,
        field=problem.field,
        rule=problem.rule,
        retryable=kind.retryable,
        next_step=NextStep(en=kind.en, zh_cn=kind.zh),
        request_id=name,
    )
    return found.model_dump(by_alias=True)


def answer(problem: Problem, name: str, allow: str = "") -> JSONResponse:
    """The answer of a request that ends with a problem."""
    headers = {"X-Request-Id": name, "Cache-Control": "no-store"}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    if allow:
        headers["Allow"] = allow
    return JSONResponse(body_of(problem, name), problem.status, headers, media_type=MEDIA_TYPE)


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The answers of an endpoint that ends with one of these problems, for the document."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        kind = KINDS[code]
        text = found.get(kind.status, {}).get("description", "")
        schema = {"$ref": "#/components/schemas/Problem"}
        found[kind.status] = {
            "description": f"{text}; {code}" if text else code,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
    return found


ALWAYS = ("request.invalid", "request.malformed", "request.timeout", "auth.unproven", "auth.denied",
          "service.away", "service.fault")  # fmt: skip
ON_WRITES = (
    "idempotency.missing",
    "idempotency.other_body",
    "idempotency.at_work",
    "request.too_large",
)
