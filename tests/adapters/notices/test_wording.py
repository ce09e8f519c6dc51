"""What people read: complete, formatted for them, and safe from the values inside."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from adapters.notices.wording import NoWording, Wording
from domain.errors import InvalidInput
from ports.notices import NEEDED_VALUES, OPTIONAL_VALUES, Language, Notice, Template

VALUES = {
    "lender": "Lender A",
    "loan": "L-1",
    "contact": "400-000-0000",
    "installment": "3",
    "amount_minor": "123456",
    "currency": "CNY",
    "due_on": "2026-02-05",
    "failed_on": "2026-02-05",
    "next_on": "2026-02-08",
    "paid_on": "2026-02-05",
    "closed_on": "2026-02-05",
    "reopened_on": "2026-02-05",
    "certificate": "ABCD-1234",
    "case": "operator/L-1/3",
    "kind": "needs_operator",
    "level": "late",
    "owner": "operations",
    "age_hours": "26",
    "link": "acquit case operator/L-1/3",
}
EVERY = list(product(get_args(Language), get_args(Template)))


def notice(language: Language, template: Template, **values: str) -> Notice:
    known = NEEDED_VALUES[template] | OPTIONAL_VALUES[template]
    chosen = {name: VALUES[name] for name in known} | values
    return Notice("m-1", "email", "token", language, template, chosen)


@pytest.mark.parametrize(("language", "template"), EVERY)
def test_every_template_shows_every_value_that_its_port_names(
    language: Language, template: Template
) -> None:
    """Text, HTML, and message of each language hold all that the reader needs, and no gap."""
    words = Wording().email(notice(language, template))
    for form in (words.text, words.html, Wording().sms(notice(language, template))):
        assert "L-1" in form
        assert "Lender A" in form
        assert template == "case" or "400-000-0000" in form
        assert "{{" not in form
        if template not in {"closed", "reopened"}:
            assert "1,234.56" in form
    assert "\n" not in words.subject
    assert f'lang="{language}"' in words.html


@pytest.mark.parametrize(("language", "template"), EVERY)
def test_a_template_needs_exactly_what_the_port_says(
    language: Language, template: Template
) -> None:
    """Each needed value is missed when it is gone; no optional one is."""
    whole = notice(language, template)
    for name in NEEDED_VALUES[template]:
        fewer = {key: value for key, value in whole.values.items() if key != name}
        with pytest.raises(NoWording) as caught:
            Wording().email(replace(whole, values=fewer))
        assert caught.value.reason == "value_missing"
    needed = {name: VALUES[name] for name in NEEDED_VALUES[template]}
    assert Wording().email(replace(whole, values=needed)).text


@pytest.mark.parametrize(
    ("language", "currency", "minor", "shown"),
    [
        ("zh-CN", "CNY", "123456", "¥1,234.56"),
        ("en", "CNY", "123456", "CN¥1,234.56"),
        ("en", "JPY", "1234", "¥1,234"),
        ("en", "KWD", "1234567", "KWD\u00a01,234.567"),
        ("en", "IQD", "1234567", "IQD\u00a01,234.567"),
        ("zh-CN", "HUF", "12345", "HUF\u00a0123.45"),
    ],
)
def test_amounts_show_every_minor_unit_of_their_currency(
    language: Language, currency: str, minor: str, shown: str
) -> None:
    """The digits are those of ISO 4217 and never rounded by the display's own table."""
    words = Wording().email(notice(language, "paid", currency=currency, amount_minor=minor))
    assert shown.replace("\u00a0", "") in words.text.replace("\u00a0", "")


def test_dates_are_written_as_the_reader_writes_them() -> None:
    """The same day, in words of each language."""
    assert "2026年2月5日" in Wording().email(notice("zh-CN", "reminder")).subject
    assert "February 5, 2026" in Wording().email(notice("en", "reminder")).subject


def test_markup_in_a_value_stays_text() -> None:
    """A lender's name cannot bring a script into the mail."""
    words = Wording().email(notice("en", "paid", lender="<script>x</script>"))
    assert "<script>" not in words.html
    assert "&lt;script&gt;" in words.html
    assert "<script>x</script>" in words.text


def test_template_syntax_in_a_value_stays_text() -> None:
    """Values are data: what looks like a template is shown and not run."""
    assert "{{ 7*7 }}" in Wording().email(notice("en", "paid", lender="{{ 7*7 }}")).text


def test_line_breaks_in_a_value_cannot_add_a_header() -> None:
    """The subject is one line whatever the values hold."""
    words = Wording().email(notice("en", "paid", installment="3\r\nBcc: a@b.example"))
    assert words.subject == "Installment 3 Bcc: a@b.example is paid"


@pytest.mark.parametrize(
    ("name", "value"),
    [("amount_minor", "12.5"), ("amount_minor", "x"), ("paid_on", "5 Feb"), ("currency", "yuan")],
)
def test_a_malformed_value_is_not_shown(name: str, value: str) -> None:
    """An amount, currency or date that cannot be read stops the notice, with a reason."""
    with pytest.raises(NoWording) as caught:
        Wording().email(notice("en", "paid", **{name: value}))
    assert caught.value.reason.startswith("value_malformed:")


def test_edited_wording_reaches_no_python_object(tmp_path: Path) -> None:
    """A template that climbs from a value to its class is stopped."""
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "paid.sms").write_text("{{ loan.__class__.__mro__ }}")
    with pytest.raises(NoWording) as caught:
        Wording(tmp_path).sms(notice("en", "paid"))
    assert caught.value.reason in {"template_forbidden", "value_missing"}


@pytest.mark.parametrize("edited", ["{{ loan + 1 }}", "{{ 1 / 0 }}", "{% if %}"])
def test_broken_wording_is_a_reason(tmp_path: Path, edited: str) -> None:
    """A template that an operator broke stops its notices and nothing else."""
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "paid.sms").write_text(edited)
    with pytest.raises(NoWording) as caught:
        Wording(tmp_path).sms(notice("en", "paid"))
    assert caught.value.reason == "template_broken"


def test_a_template_that_is_not_there_is_a_reason() -> None:
    """A folder without the template ends in a code, not in a stack of calls."""
    with pytest.raises(NoWording) as caught:
        Wording(Path(__file__).parent).sms(notice("en", "paid"))
    assert caught.value.reason == "no_such_template"


@pytest.mark.parametrize("message_id", ["", "a b", "a\r\nBcc: x", "x" * 121, "-a", "还款"])
def test_a_message_id_that_could_break_a_header_is_refused(message_id: str) -> None:
    """Ids go into headers and addresses of the wire: plain characters only."""
    with pytest.raises(InvalidInput):
        Notice(message_id, "sms", "t", "en", "paid", {})


def test_a_value_that_is_too_long_is_refused() -> None:
    """No notice carries an essay."""
    with pytest.raises(InvalidInput):
        Notice("m", "sms", "t", "en", "paid", {"lender": "x" * 501})
