"""What could go wrong in a menu file, found before anyone dials.

proof       all of it, in the order of the file: a module for each kind of fault
names       what is named and is not there, or means something else
shapes      a screen that cannot work as it is written
ways        where each key leads; `paths` walks them, `exits` finds who cannot leave
supplies    answers that are spoken of and were not asked on every way
values      amounts, presets and codes that cannot be
conditions  what is never so, or always
consents    what is asked before it is allowed, or told where it must not be
wording     texts too long for a screen, at their longest: `worst` has the values, of
            the slots that `marked` finds, and `longest` those of facts and answers;
            `legible` is what reads wrong, `short_forms` what a handset without Persian
            cannot show
notices     short texts that are no screens, and `messages` those that are sent
costs       the parts of each text that is sent, and why they are so many
keywords    what a text may begin with
estimates   the screens, seconds and steps that each deed takes
"""

from __future__ import annotations

from ussd.prover.proof import Line, Proof, Timers, examine, prove

__all__ = ["Line", "Proof", "Timers", "examine", "prove"]
