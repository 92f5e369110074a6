"""A phone that texts a service in Kavenegar's form, and reads what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from gateway.texts import renderer
from tests.gateway.house import KEY, PHONE, Gateway

_ids = count(1)


@dataclass
class Phone:
    """Texts the line 10001; `read` is every text promised to anybody so far."""

    gateway: Gateway
    number: str = PHONE
    channel: str = "kave"
    _seen: int = field(default=0)

    def post(self, text: str, *, id: str = "") -> Any:
        """The carrier's own request; `id` is the name it gives the text."""
        form = {
            "messageid": id or str(next(_ids)),
            "from": self.number,
            "to": "10001",
            "message": text,
        }
        address = f"/sms/{self.channel}/{KEY}/inbound"
        return self.gateway.client.post(address, data=form)

    def says(self, text: str, *, id: str = "") -> list[str]:
        """Text, and read what is promised for it."""
        assert self.post(text, id=id).status_code == 200
        return self.news()

    def walks(self, *texts: str) -> str:
        """Several texts, one after the other; the one reply to the last of them."""
        said = [self.says(text) for text in texts]
        (last,) = said[-1]
        return last

    def news(self) -> list[str]:
        """The texts promised since we looked last, as they will be read."""
        rows = self.gateway.rows("outbox")[self._seen :]
        self._seen += len(rows)
        service = self.gateway.service
        render = renderer(service.library, service.keys)
        return [render(row).text for row in rows]
