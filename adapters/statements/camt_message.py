"""The three camt messages that tell of an account, and what their elements are called."""

from dataclasses import dataclass

from domain.errors import InvalidInput
from domain.statement.statement import DocumentKind

_OLDEST = 2
_VERSION_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One message in one version.

    Attributes:
        namespace: of the document, whoever publishes it.
        name: with its version, such as `camt.053.001.08`.
        root, document, pagination: elements: of the message, of one statement in it, of its pages.
    """

    namespace: str
    name: str
    root: str
    document: str
    pagination: str
    kind: DocumentKind

    @property
    def path(self) -> str:
        """Where one statement stands, such as `BkToCstmrStmt/Stmt`."""
        return f"{self.root}/{self.document}"


_MESSAGES = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt", "RptPgntn", DocumentKind.REPORT),
    "camt.053": ("BkToCstmrStmt", "Stmt", "StmtPgntn", DocumentKind.STATEMENT),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "NtfctnPgntn", DocumentKind.NOTIFICATION),
}
ANY = Message("", "camt", "BkToCstmrStmt", "Stmt", "StmtPgntn", DocumentKind.STATEMENT)
"""Stands for a message whose root element has not been read yet."""


def message_of(tag: str) -> Message:
    """The message whose root element has this tag. Later versions than we know are read alike.

    Raises:
        InvalidInput: another root, no namespace, another message, or a version before the second.
    """
    namespace, _, root = tag.removeprefix("{").rpartition("}")
    if root != "Document":
        rule = "the element Document; a statement in an envelope is taken out of it first"
        raise InvalidInput("root element", root, rule)
    if not namespace:
        rule = "a namespace such as urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
        raise InvalidInput("Document/xmlns", "none", rule)
    family, _, version = namespace.rpartition(".")
    message, _, variant = family.rpartition(":")[2].rpartition(".")
    known = _MESSAGES.get(message)
    is_number = version.isascii() and version.isdigit() and len(version) <= _VERSION_DIGITS
    if known is None or variant != "001" or not is_number or int(version) < _OLDEST:
        rule = "camt.052.001.02, camt.053.001.02, camt.054.001.02, or a later version of one"
        raise InvalidInput("Document/xmlns", namespace, rule)
    return Message(namespace, f"{message}.{variant}.{version}", *known)
