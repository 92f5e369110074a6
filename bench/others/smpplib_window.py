"""Submit texts by smpplib, with so many under way at once, and remember nothing.

    python smpplib_window.py PORT WINDOW TEXTS WORDS

smpplib has no window of its own: this fills one, and submits the next text whenever an
answer came.
"""

import itertools
import sys

import smpplib.client
import smpplib.consts
import smpplib.gsm


def main():
    port, window, texts, words = sys.argv[1:]
    client = smpplib.client.Client(
        "127.0.0.1", port, timeout=10, allow_unknown_opt_params=True
    )
    answered = itertools.count(1)
    done = 0

    def count(pdu):
        nonlocal done
        done = next(answered)

    client.set_message_sent_handler(count)
    client.set_message_received_handler(lambda pdu: None)
    client.connect()
    # The centre lets everybody in.
    client.bind_transceiver(system_id="bench", password="")
    submitted = 0
    for number in range(int(texts)):
        parts, coding, esm_class = smpplib.gsm.make_parts(words)
        for part in parts:
            while submitted - done >= int(window):
                client.read_once()
            client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_INTL,
                source_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
                source_addr="10001",
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
                destination_addr=f"98912{number:07}",
                short_message=part,
                data_coding=coding,
                esm_class=esm_class,
                registered_delivery=True,
            )
            submitted += 1
    while done < submitted:
        client.read_once()
    client.unbind()
    client.disconnect()


if __name__ == "__main__":
    main()
