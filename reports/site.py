"""The public site: one page and its data, and the donation page, from what is published and nothing else."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlmodel import Session

from ledger import book, publications
from reports import gathering, offers
from reports.offers import Offers
from reports.transparency import open_data
from reports.transparency.blocks import Block
from reports.transparency.page import render_page


@dataclass(frozen=True, slots=True)
class Site:
    """The published figures. The same figures always give the same bytes."""

    organisation: str
    blocks: tuple[Block, ...]
    published_on: date | None
    offers: Offers

    def page(self) -> bytes:
        """The page, as HTML without script, cookie or outside resource."""
        return render_page(self.blocks, (), organisation=self.organisation, published_on=self.published_on)

    def files(self) -> dict[str, bytes]:
        """Every file of the site by its path."""
        return {
            "index.html": self.page(),
            "data/paid.csv": open_data.render_csv(self.blocks),
            "data/paid.json": open_data.render_json(self.blocks),
            **self.offers.files(),
        }


def gather(session: Session, *, on: date) -> Site:
    """What is published now, and what donors may read of on a day."""
    published = publications.published(session)
    return Site(
        organisation=book.require(session).organisation,
        blocks=tuple(gathering.published_blocks(session)),
        published_on=published[-1].published_at.date() if published else None,
        offers=offers.gather(session, on=on),
    )


def write(site: Site, out: Path) -> list[Path]:
    """Writes the site's files below `out` and returns their paths."""
    written = []
    for name, content in site.files().items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written
