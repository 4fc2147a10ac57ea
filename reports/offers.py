"""What somebody may give to on a day: the purposes whose published versions have begun, nothing else of the book."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from ledger import book
from ledger.books import funds
from ledger.giving import purpose_versions
from ledger.giving.purpose_texts import PurposeText
from ledger.giving.purposes import Purpose
from reports import donation_page
from reports.donation_page import Bank, Offer


@dataclass(frozen=True, slots=True)
class Offers:
    """The purposes in the order of their codes."""

    organisation: str
    offers: tuple[Offer, ...]

    def page(self, language: str, *, links: str = donation_page.LINKS) -> bytes:
        """The donation page in a language of `languages`; `links` is where it is in each."""
        return donation_page.render_page(self.offers, organisation=self.organisation, language=language, links=links)

    def files(self) -> dict[str, bytes]:
        """The page in every language as a file, by its path; at `give/index.html` for those of whom nothing is known.

        Their links are relative: a mirror may serve them from anywhere.
        """
        pages = {f"give/{tag}/index.html": self.page(tag, links="../{tag}/index.html") for tag in self.languages()}
        return {"give/index.html": self.page(self.choose(""), links="{tag}/index.html"), **pages}

    def languages(self) -> list[str]:
        """The tags of the languages in which the page can be read."""
        return donation_page.languages(self.offers)

    def choose(self, accepted: str) -> str:
        """The language for a reader whose browser accepts these."""
        return donation_page.choose(accepted, offers=self.offers)


def gather(session: Session, *, on: date) -> Offers:
    """What is offered on a day."""
    names = {fund.code: fund.name for fund in funds.listed(session)}
    shown = purpose_versions.shown(session, on=on)
    return Offers(
        organisation=book.require(session).organisation,
        offers=tuple(_offer(purpose, text, fund=names[text.fund]) for purpose, text in shown),
    )


def _offer(purpose: Purpose, text: PurposeText, *, fund: str) -> Offer:
    own = text.bank
    bank = Bank(own.holder, own.iban, own.bic, purpose.reference) if own else None
    return Offer(
        code=text.code,
        texts={tag: (told.title, told.text) for tag, told in text.texts.items()},
        fund=fund,
        net_of_costs=text.net_of_costs,
        statement_shows=text.statement_shows,
        link=text.link,
        bank=bank,
    )
