"""Views of installments that tests make by hand."""

from dataclasses import fields, replace
from typing import Any

from domain.kernel.view import Labels
from domain.loan.view import InstallmentDetail, InstallmentView

_LABELS = frozenset(item.name for item in fields(Labels))
_DETAIL = frozenset(item.name for item in fields(InstallmentDetail))


def changed(view: InstallmentView, **values: Any) -> InstallmentView:
    """A view with other values, wherever in it they stand."""
    labels = {name: value for name, value in values.items() if name in _LABELS}
    detail = {name: value for name, value in values.items() if name in _DETAIL}
    rest = {name: value for name, value in values.items() if name not in _LABELS | _DETAIL}
    return replace(
        view,
        labels=replace(view.labels, **labels),
        detail=replace(view.detail, **detail),
        **rest,
    )
