"""The bench's conversation with anysd and Flask, as anysd's README shows it.

    python anysd_app.py PORT THREADS

Run by the Python that anysd is installed in, with ANYSD_CONFIG_FILE naming its Redis
and this folder in PYTHONPATH. Served by granian with the settings of gateway.web. The
session is a hash in Redis that never expires; a pledge is recorded nowhere.
"""

from __future__ import annotations

import secrets
import sys
from typing import Any

from anysd import FormFlow, ListInput, NavigationController, NavigationMenu
from flask import Flask, request
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

PURPOSES = ["بسته نوروزی", "کودکان کار", "هر جا لازم‌تر است"]
AMOUNT_STEP = 1
CONFIRM_STEP = 3


def _confirm(data: dict[str, Any], **_: Any) -> str:
    # What is left in braces anysd fills in from its session.
    return (
        f"CON کمک شما: {data['AMOUNT']} تومان\n{{PURPOSE}}\n1 تایید\n2 اصلاح\n0 انصراف"
    )


def _done(**_: Any) -> str:
    code = 100_000_000 + secrets.randbelow(900_000_000)
    return f"END سپاس؛ ثبت شد، هنوز پرداخت نشده.\nکد {code}\nروش پرداخت پیامک می‌شود."


def _validate(
    current_step: int, last_input: str, **_: Any
) -> tuple[bool, dict[str, Any] | None]:
    if current_step == AMOUNT_STEP:
        return last_input.isdecimal() and 4 <= len(last_input) <= 8, None
    if current_step == CONFIRM_STEP:
        return last_input == "1", None
    return True, None


def _form() -> FormFlow:
    questions = {
        "1": {
            "name": "AMOUNT",
            "menu": "CON مبلغ را به تومان بنویسید.\nنمونه: 75000\n0 بازگشت",
        },
        "2": {
            "name": "PURPOSE",
            "menu": ListInput(items=PURPOSES, title="کمک شما برای؟", extra="0 بازگشت"),
        },
        "3": {"name": "CONFIRMED", "menu": _confirm},
        "4": {"name": "DONE", "menu": _done},
    }
    return FormFlow(form_questions=questions, step_validator=_validate)


home = NavigationMenu(name="home", title="مبلغ به تومان؟")
for name, title in (
    ("twenty", "بیست هزار"),
    ("fifty", "پنجاه هزار"),
    ("other", "مبلغ دیگر"),
):
    NavigationMenu(name=name, title=title, parent=home, next_form=_form())

app = Flask(__name__, static_folder=None)


@app.post("/")
def turn() -> str:
    said = request.form
    navigator = NavigationController(
        home, said["phoneNumber"], said["sessionId"], said["text"]
    )
    reply: str = navigator.navigate()
    return reply


def main() -> None:
    port, threads = sys.argv[1:]
    Granian(
        "anysd_app:app",
        port=int(port),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=int(threads),
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
