"""Every kind of problem that the API answers with: code, status, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem; its code never changes."""

    status: int
    title: str
    en: str
    zh: str
    retryable: bool = False


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "request.invalid": Kind(
            422,
            "The request breaks a rule",
            "Correct the named field and send it again; the key may be used again.",
            "请更正所指字段后重新发送;幂等键可继续使用。",
        ),
        "request.malformed": Kind(
            400, "The body is no JSON", "Send one JSON document.", "请发送一个 JSON 文档。"
        ),
        "request.too_large": Kind(
            413, "The body is too large", "Send less at once.", "请减少单次发送的内容。"
        ),
        "request.timeout": Kind(
            503,
            "It took too long",
            "Send the same request with the same key again.",
            "请用相同的幂等键重新发送同一请求。",
            retryable=True,
        ),
        "request.method": Kind(
            405, "No such method here", "See the allowed methods.", "请查看允许的方法。"
        ),
        "request.cursor": Kind(
            400,
            "The cursor is of another list",
            "Begin the list anew, with the same filter on every page.",
            "请以相同的筛选条件从头开始读取列表。",
        ),
        "auth.unproven": Kind(
            401,
            "Nobody is proven",
            "Send a live key as Authorization: Bearer acq_...",
            "请在 Authorization 头中发送有效密钥:Bearer acq_...",
        ),
        "auth.denied": Kind(
            403,
            "It may not be done with this key",
            "Ask an administrator for the right, or use a key that is for it.",
            "请向管理员申请权限,或使用具备该权限的密钥。",
        ),
        "resource.unknown": Kind(
            404,
            "There is nothing of this name",
            "Check the id; you see only your portfolios.",
            "请检查编号;您只能看到自己组合内的内容。",
        ),
        "idempotency.missing": Kind(
            400,
            "Idempotency-Key is missing",
            "Send a key of your own with every write, the same one when you repeat it.",
            "每次写入都须携带自定义幂等键,重发时使用同一键。",
        ),
        "idempotency.other_body": Kind(
            422,
            "The key was used for another request",
            "Use a new key for a new request.",
            "新的请求请使用新的幂等键。",
        ),
        "idempotency.at_work": Kind(
            409,
            "The same request is at work",
            "Wait as Retry-After says, then send it again.",
            "请按 Retry-After 等待后重新发送。",
            retryable=True,
        ),
        "order.refused": Kind(
            409,
            "The rules of the books do not allow it",
            "See rule and reason; the refusal is kept.",
            "请查看规则与原因;该拒绝已留存。",
        ),
        "resource.conflict": Kind(
            409,
            "The name stands for another content",
            "Use another id, or send what was sent before.",
            "请使用其他编号,或发送与之前相同的内容。",
        ),
        "service.away": Kind(
            503,
            "A part that is needed does not answer",
            "Send the same request with the same key again.",
            "请用相同的幂等键重新发送同一请求。",
            retryable=True,
        ),
        "service.fault": Kind(
            500,
            "An unexpected fault",
            "Send the same request again; report the request_id if it stays.",
            "请重新发送同一请求;若仍失败,请报告 request_id。",
            retryable=True,
        ),
    }
)
"""Every problem by its code."""
