"""What a message centre's refusals and reports say of a text.

Source: SMPP 3.4, sections 5.1.3 (command_status) and 5.2.28 (message_state). Whatever
was refused was surely not taken; the question is whether it ever will be.
"""

from __future__ import annotations

from collections.abc import Mapping

from phone.smpp.receipts import State
from phone.smpp.status import Status as Code
from sms.result import Outcome, Status
from sms.smpp.options import Options

__all__ = ["REPORTED", "meaning"]

_OUTCOMES: Mapping[int, Outcome] = {
    Code.ESME_RTHROTTLED: Outcome.THROTTLED,
    Code.ESME_RMSGQFUL: Outcome.THROTTLED,
    # Nothing is wrong with the text.
    **dict.fromkeys(
        (
            Code.ESME_RINVBNDSTS,
            Code.ESME_RSYSERR,
            Code.ESME_RSUBMITFAIL,
            Code.ESME_RX_T_APPN,
            Code.ESME_RDELIVERYFAILURE,
            Code.ESME_RUNKNOWNERR,
        ),
        Outcome.RETRYABLE,
    ),
    # The text, or the phone it is for.
    **dict.fromkeys(
        (
            Code.ESME_RINVMSGLEN,
            Code.ESME_RINVCMDLEN,
            Code.ESME_RINVCMDID,
            Code.ESME_RINVDSTADR,
            Code.ESME_RINVNUMDESTS,
            Code.ESME_RINVDLNAME,
            Code.ESME_RINVDESTFLAG,
            Code.ESME_RINVSUBREP,
            Code.ESME_RX_P_APPN,
            Code.ESME_RX_R_APPN,
        ),
        Outcome.REFUSED,
    ),
    # What is the same in every text of the channel: it would refuse the next one too.
    **dict.fromkeys(
        (
            Code.ESME_RINVPRTFLG,
            Code.ESME_RINVREGDLVFLG,
            Code.ESME_RINVSRCADR,
            Code.ESME_RINVSERTYP,
            Code.ESME_RINVESMCLASS,
            Code.ESME_RINVSRCTON,
            Code.ESME_RINVSRCNPI,
            Code.ESME_RINVDSTTON,
            Code.ESME_RINVDSTNPI,
            Code.ESME_RINVSYSTYP,
            Code.ESME_RINVREPFLAG,
            Code.ESME_RINVSCHED,
            Code.ESME_RINVEXPIRY,
            Code.ESME_RINVDFTMSGID,
            Code.ESME_RINVOPTPARSTREAM,
            Code.ESME_ROPTPARNOTALLWD,
            Code.ESME_RINVPARLEN,
            Code.ESME_RMISSINGOPTPARAM,
            Code.ESME_RINVOPTPARAMVAL,
        ),
        Outcome.MISCONFIGURED,
    ),
}

REPORTED: Mapping[State, Status] = {
    State.SCHEDULED: Status.SENT,
    State.ENROUTE: Status.SENT,
    State.ACCEPTD: Status.SENT,
    State.DELIVRD: Status.DELIVERED,
    State.EXPIRED: Status.FAILED,
    State.DELETED: Status.FAILED,
    State.UNDELIV: Status.FAILED,
    State.REJECTD: Status.FAILED,
    State.SKIPPED: Status.FAILED,
    # The centre has lost sight of it, which says nothing of the phone.
    State.UNKNOWN: Status.UNKNOWN,
}


def meaning(status: int, options: Options) -> Outcome:
    """What a refusal says; a code that nobody knows says that it may go well later."""
    if status in options.throttled:
        return Outcome.THROTTLED
    if status in options.no_credit:
        return Outcome.NO_CREDIT
    if status in options.opted_out:
        return Outcome.OPTED_OUT
    return _OUTCOMES.get(status, Outcome.RETRYABLE)
