"""Turns a notice into words: templates per language, amounts and dates as its readers write."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.numbers import NumberPattern, parse_pattern
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, pass_context
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from domain.errors import AcquitError, InvalidInput
from domain.money import decimal_text, exponent
from ports.notices import Language, Notice

_TEMPLATES = Path(__file__).parent / "templates"
_LOCALES: Mapping[Language, str] = {"zh-CN": "zh_Hans_CN", "en": "en"}
_WORDS_MOST = 20_000


class NoWording(AcquitError):
    """A notice that cannot be put into words; `reason` is a short code without personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class EmailWords:
    """One e-mail: the subject is a single line."""

    subject: str
    text: str
    html: str


class Wording:
    """Renders the templates of one folder, `<language>/<template>.{subject,txt,html,sms}`.

    The environment is sandboxed and strict, since operators may edit wording: a template reaches no
    Python object but its values, and a missing value is an error, not a gap.
    """

    def __init__(self, folder: Path = _TEMPLATES) -> None:
        self._locales = {language: Locale.parse(name) for language, name in _LOCALES.items()}
        self._patterns = {
            language: locale.currency_formats["standard"].pattern
            for language, locale in self._locales.items()
        }
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folder),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["money"] = self._money
        self._environment.filters["day"] = self._day

    def email(self, notice: Notice) -> EmailWords:
        """The words of an e-mail.

        Raises:
            NoWording: no such template, or a value is missing, malformed or too long.
        """
        return EmailWords(
            subject=" ".join(self._render(notice, "subject").split()),
            text=self._render(notice, "txt"),
            html=self._render(notice, "html"),
        )

    def sms(self, notice: Notice) -> str:
        """The words of a text message, one paragraph. Raises as `email`."""
        return " ".join(self._render(notice, "sms").split())

    def _render(self, notice: Notice, form: str) -> str:
        try:
            template = self._environment.get_template(f"{notice.language}/{notice.template}.{form}")
            words = template.render({**notice.values, "language": notice.language})
        except TemplateNotFound:
            raise NoWording("no_such_template") from None
        except UndefinedError:
            raise NoWording("value_missing") from None
        except SecurityError:
            raise NoWording("template_forbidden") from None
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError):
            # Edited wording can also be wrong in the ways of an expression (`{{ loan + 1 }}`).
            raise NoWording("template_broken") from None
        except InvalidInput as error:
            raise NoWording(f"value_malformed:{error.field}") from None
        if len(words) > _WORDS_MOST:
            raise NoWording("too_long")
        return words

    @pass_context
    def _money(self, context: Context, minor: str, currency: str) -> str:
        """Minor units with exactly the digits of ISO 4217; CLDR's own digits differ for some.

        A missing value reaches a filter as an object that refuses to become text: hence `str`.
        """
        try:
            value = Decimal(decimal_text(int(str(minor)), str(currency)))
        except ValueError:
            raise InvalidInput("amount_minor", minor, "whole minor units") from None
        language = _language(context)
        pattern: NumberPattern = parse_pattern(self._patterns[language])
        digits = exponent(currency)
        pattern.frac_prec = (digits, digits)
        locale = self._locales[language]
        words: str = pattern.apply(value, locale, currency=currency, currency_digits=False)
        return words

    @pass_context
    def _day(self, context: Context, text: str) -> str:
        try:
            day = date.fromisoformat(str(text))
        except ValueError:
            raise InvalidInput("date", text, "a date as YYYY-MM-DD") from None
        return format_date(day, format="long", locale=self._locales[_language(context)])


def _language(context: Context) -> Language:
    return "zh-CN" if context["language"] == "zh-CN" else "en"
