"""Keeps a notebook that an exemption covers, or may cover."""

from msgspec.structs import replace

from nbsweep.core.exemptions.covering import Covering, find_exemption
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.facts import Moment
from nbsweep.core.judging.verdict import Reason, Verdict, keep
from nbsweep.core.model import Notebook
from nbsweep.core.reasons.model import Cause, CauseCode, Param


def judge_exemptions(notebook: Notebook, exemptions: tuple[Exemption, ...], moment: Moment) -> Verdict | None:
    """Return KEEP if an exemption covers a notebook, or may cover it; else None."""
    found: Covering | None = find_exemption(notebook, exemptions, moment.now) if exemptions else None
    if found is None:
        return None
    if found.missing:
        return keep(Reason.UNKNOWN_FACT, _exempt(CauseCode.MAYBE_EXEMPT, found.exemption, missing=found.missing))
    return replace(keep(Reason.EXEMPT, _exempt(CauseCode.EXEMPT, found.exemption)), until=found.exemption.until)


def _exempt(code: CauseCode, exemption: Exemption, **params: Param) -> Cause:
    selector = exemption.selector
    covered = {"of_notebook": selector.notebook_id, "of_owner": selector.owner, "of_name": selector.name}
    params |= {key: value for key, value in covered.items() if value is not None}
    until = exemption.until.isoformat()
    return Cause(code, params={"exemption": exemption.id, "until": until, "granted_for": exemption.reason, **params})
