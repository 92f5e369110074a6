"""The words of the page where a gift is checked, in Persian and English."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LANGUAGES", "Words", "words_in"]

LANGUAGES = ("fa", "en")

Words = Mapping[str, Mapping[str, str]]

# A verdict, and the sentence below it.
_VERDICTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "en": {
        "checking": ("One moment…", "Your browser is working it out."),
        "holds": (
            "Your gift is in the sealed books.",
            "This browser worked its way from your gift to the root of all gifts, "
            "and checked the signature.",
        ),
        "unsigned": (
            "Your gift is under the root.",
            "This browser worked its way from your gift to the root of all gifts. It "
            "cannot check signatures: only the root was checked.",
        ),
        "said": (
            "We say that your gift is in the sealed books.",
            "That is our word; nothing was checked in your browser. Save the proof "
            "and check it yourself.",
        ),
        "altered": (
            "This proof does not hold.",
            "What came to you is not what was sealed: it was altered on the way, or "
            "by us. Save it, and show it to somebody you trust.",
        ),
        "missed": (
            "There is nothing with this code and this amount.",
            "Type both as they stand in your text: the amount is the whole pledge. "
            "Who asked to be forgotten is not found either.",
        ),
        "waiting": (
            "Your gift is recorded and not sealed yet.",
            "Seals are made every few seconds. Ask again in a moment.",
        ),
        "rehearsed": (
            "This was a rehearsal.",
            "A rehearsal stands in no total and is never sealed.",
        ),
        "code": (
            "This is not a tracking code.",
            "A code is nine digits, and one of these is wrong.",
        ),
        "amount": (
            "The amount cannot be read.",
            "Write it in toman, as 75000 or 75,000.",
        ),
        "often": (
            "That was too often.",
            "To keep codes from being guessed, only a few tries are taken. Come back "
            "later, or dial and look your gift up by phone.",
        ),
        "away": ("It cannot be checked now.", "Try again in half a minute."),
        "offline": ("There is no connection.", "Nothing was checked. Try again."),
    },
    "fa": {
        "checking": ("یک لحظه…", "مرورگر شما دارد حساب می‌کند."),
        "holds": (
            "کمک شما در دفتر مهرشده است.",
            "همین مرورگر از کمک شما تا ریشه همه کمک‌ها را حساب کرد و امضا را سنجید.",
        ),
        "unsigned": (
            "کمک شما زیر ریشه است.",
            "همین مرورگر از کمک شما تا ریشه همه کمک‌ها را حساب کرد. این مرورگر "
            "سنجیدن امضا را بلد نیست: تنها ریشه سنجیده شد.",
        ),
        "said": (
            "ما می‌گوییم کمک شما در دفتر مهرشده است.",
            "این حرف ماست و مرورگر شما چیزی را نسنجیده است. گواهی را نگه دارید و "
            "خودتان بسنجید.",
        ),
        "altered": (
            "این گواهی درست نیست.",
            "آنچه به شما رسید همان نیست که مهر شده: در راه دست خورده یا پیش ما. "
            "آن را نگه دارید و به کسی که به او اعتماد دارید نشان دهید.",
        ),
        "missed": (
            "چیزی با این کد و این مبلغ نیست.",
            "هر دو را همان‌طور بنویسید که در پیامک آمده است؛ مبلغ، همه کمکی است که "
            "ثبت کردید. کمک کسی که خواسته فراموش شود هم پیدا نمی‌شود.",
        ),
        "waiting": (
            "کمک شما ثبت شده و هنوز مهر نشده است.",
            "هر چند ثانیه مهر زده می‌شود. کمی بعد دوباره بپرسید.",
        ),
        "rehearsed": (
            "این یک تمرین بود.",
            "تمرین در هیچ جمعی نمی‌آید و هیچ‌گاه مهر نمی‌شود.",
        ),
        "code": ("این کد پیگیری نیست.", "کد نه رقم است و یکی از این رقم‌ها درست نیست."),
        "amount": (
            "مبلغ خوانده نشد.",
            "به تومان بنویسید، مانند ۷۵۰۰۰ یا ۷۵ هزار.",
        ),
        "often": (
            "بیش از اندازه پرسیده شد.",
            "برای آن‌که کسی کدها را حدس نزند، تنها چند بار می‌شود پرسید. بعد برگردید، "
            "یا با تلفن شماره‌گیری کنید و کمک خود را ببینید.",
        ),
        "away": ("اکنون نمی‌شود بررسی کرد.", "نیم دقیقه دیگر دوباره بپرسید."),
        "offline": ("ارتباط برقرار نیست.", "چیزی سنجیده نشد. دوباره بپرسید."),
    },
}
_KINDS: Words = {
    "en": {
        "pledge": "Pledge",
        "gift": "Gift",
        "payment": "Paid",
        "payment.match": "Paid, matched later",
        "payment.correct": "Corrected",
        "received": "Handed in",
        "pledge.void": "Cancelled by the donor",
        "pledge.expire": "Expired",
        "pledge.write_off": "Written off",
        "refund": "Refund agreed",
        "refund.paid": "Paid back",
        "reversal": "Charged back",
    },
    "fa": {
        "pledge": "ثبت کمک",
        "gift": "کمک",
        "payment": "پرداخت",
        "payment.match": "پرداختی که بعد شناخته شد",
        "payment.correct": "اصلاح",
        "received": "تحویل کالا",
        "pledge.void": "لغو به خواست شما",
        "pledge.expire": "پایان مهلت",
        "pledge.write_off": "کنار گذاشته شد",
        "refund": "قرار بازپرداخت",
        "refund.paid": "بازپرداخت",
        "reversal": "برگشت پرداخت",
    },
}
_UNITS: Words = {
    "en": {"toman": "toman", "parcel": "parcels", "voucher": "vouchers"},
    "fa": {"toman": "تومان", "parcel": "بسته", "voucher": "بن"},
}
# What the browser works out, and what it says where that fails.
_STEPS: Words = {
    "en": {
        "gift": "It is of the code and the amount you typed",
        "opens": "Each line opens with your code",
        "path": "The hashes lead from each line to one root",
        "root": "The root is the one of the checkpoint",
        "signature": "The checkpoint is signed",
        "unsigned": "The signature was not checked: this browser cannot",
    },
    "fa": {
        "gift": "از همان کد و مبلغی است که نوشتید",
        "opens": "هر سطر با کد شما باز می‌شود",
        "path": "هش‌ها از هر سطر به یک ریشه می‌رسند",
        "root": "این ریشه همان است که در مهر نوشته شده",
        "signature": "مهر امضا دارد",
        "unsigned": "امضا سنجیده نشد: این مرورگر آن را بلد نیست",
    },
}


def words_in(language: str) -> dict[str, Mapping[str, object]]:
    """All that the page's script says, by kind and name."""
    return {
        "verdicts": _VERDICTS[language],
        "kinds": _KINDS[language],
        "units": _UNITS[language],
        "steps": _STEPS[language],
    }
