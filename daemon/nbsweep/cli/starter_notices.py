"""The part of a starter configuration that announces deletions."""

import json
import re

from msgspec import Struct

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
REMIND_BEFORE = "2d"
LONG_GRACE_DAYS = 4
"""From here on a reminder is useful."""
DAYS = re.compile(r"([1-9][0-9]{0,8})d")
PLACES = """\

# Where owners are reached: the first part that knows an address answers. Who cannot be told keeps the notebook.
owners:
  # - file: owners.yaml     # owners with another address, or with a language of their own
  - domain: {domain}

# How people are told. `nbsweep notify test mail --to ADDRESS` sends a test message.
channels:
  mail:
    kind: smtp
    host: {host}
    from: {sender}
    # starttls (port 587), implicit (port 465), or none (port 25), which is for a mail server on this machine.
    tls: {tls}
    # The login, if the server wants one. The file holds the password, and no other user may read it.
    # username: nbsweep
    # password_file: /run/secrets/mail_password

# What operators are told, once for each cause.
# notify: {{sweep.refused: {{channel: mail, to: ADDRESS}}, marks.untold: {{channel: mail, to: ADDRESS}}}}

# How many notebooks one sweep announces at most, the longest idle first. Begin with few.
marks: {{max_new_per_sweep: 5}}

# The time zone of the dates in messages.
calendar: {{timezone: UTC}}
"""


class Announcing(Struct, frozen=True):
    """How owners are told before their notebooks are deleted."""

    grace: str
    """The time between notice and deletion: 7d."""
    host: str
    """The mail server."""
    sender: str
    domain: str
    """The mail domain of the owners."""


def grace_of_policy(announcing: Announcing | None) -> str:
    """Return the lines of a policy that announce its deletions; empty if nothing is announced."""
    if announcing is None:
        return ""
    return f"    # The owner is told this long before.\n    grace: {{for: {announcing.grace}{_reminder(announcing.grace)}}}\n"


def places_of(announcing: Announcing | None) -> str:
    """Return the sections by which owners are told; empty if nothing is announced."""
    if announcing is None:
        return ""
    return PLACES.format(
        domain=json.dumps(announcing.domain),
        host=json.dumps(announcing.host),
        sender=json.dumps(announcing.sender),
        tls="none" if announcing.host in THIS_MACHINE else "starttls",
    )


def _reminder(grace: str) -> str:
    """Return the reminder that goes with a grace in days; other graces, and those with a mistake, have none."""
    days = DAYS.fullmatch(grace)
    return f", remind: {REMIND_BEFORE}" if days and int(days[1]) >= LONG_GRACE_DAYS else ""
