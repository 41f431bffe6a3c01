"""The text of a starter configuration: annotated, dry-run and conservative."""

import json
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from nbsweep.cli.starter_notices import Announcing, grace_of_policy, places_of


class Credentials(StrEnum):
    """Where the credentials are."""

    STANDARD = "standard"
    KEYS = "keys"
    USER = "user"
    AGENCY = "agency"


class Rule(StrEnum):
    """A policy that a starter configuration can have."""

    FAILED = "failed"
    IDLE = "idle"
    FORGOTTEN = "forgotten"
    CODELAB = "codelab"


CREDENTIALS: Mapping[Credentials, str] = {
    Credentials.STANDARD: "variables, ~/.huaweicloud/credentials, or this ECS's agency",
    Credentials.KEYS: "access key and secret key, in the variables AK and SK",
    Credentials.USER: "an IAM user: NBSWEEP_USER, NBSWEEP_PASSWORD, NBSWEEP_DOMAIN",
    Credentials.AGENCY: "the agency of the ECS on which nbsweep runs",
}
"""Where the credentials are, in the words of the question."""
RULES: Mapping[Rule, str] = {
    Rule.FAILED: "failed notebooks, 7 days after the failure",
    Rule.IDLE: "stopped notebooks, not used for 30 days",
    Rule.FORGOTTEN: "notebooks older than 180 days, not used for 60 days",
    Rule.CODELAB: "free CodeLab notebooks, not used for 60 days",
}
"""The policies that a starter configuration can have, in the words of the question."""
USUAL_RULES = (Rule.FAILED, Rule.IDLE)
USUAL_REGION = "cn-north-4"

VARIABLES: Mapping[Credentials, tuple[str, ...]] = {
    Credentials.STANDARD: (),
    Credentials.KEYS: ("AK", "SK"),
    Credentials.USER: ("NBSWEEP_USER", "NBSWEEP_PASSWORD", "NBSWEEP_DOMAIN"),
    Credentials.AGENCY: (),
}
"""The environment variables that the file refers to. A variable that is not set is a mistake."""

HEAD = """\
# The configuration of nbsweep, written by `nbsweep init`. It is a dry run: nothing is deleted until mode is enforce.
#   nbsweep validate        looks for mistakes and for doubtful rules, without a call
#   nbsweep check           checks credentials and permissions, and changes nothing
#   nbsweep plan            shows the notebooks that would be deleted, and why
#   nbsweep init --sample   prints every key with its default
mode: dry-run

# The record of every deletion. When absent, it is an SQLite file in the user's state directory.
# journal: sqlite:////var/lib/nbsweep/journal.db

# When `nbsweep serve` sweeps: minute, hour, day of month, month, weekday. `nbsweep run` does not look at it.
schedule: {{cron: "0 3 * * *", timezone: UTC}}

targets:
  # The name in logs, reports and the journal.
  - name: {name}
    {place}
    # 32 hexadecimal digits, from My Credentials, API Credentials. When absent, it is looked up by the region.
    {project}
{credentials}    # NOTEBOOK is the billed kind, DEFAULT the free CodeLab.
    features: {features}
    # Calls per second. They leave most of the account's quota to people.
    limits: {{delete: 5/s, list: 5/s, show: 10/s}}

# Which notebooks are deleted. The first policy that matches decides. All keys of a match must hold; a list holds alternatives.
# A fact that is missing never deletes.
policies:
"""
KEYS: Mapping[Credentials, str] = {
    Credentials.STANDARD: """\
    # The standard chain: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, ~/.huaweicloud/credentials, or the agency of this ECS.
    credentials: null
""",
    Credentials.KEYS: """\
    # The values come from the environment: do not write a secret into this file.
    credentials: {access_key: "${AK}", secret_key: "${SK}"}
""",
    Credentials.USER: """\
    # The values come from the environment: do not write a secret into this file.
    credentials: {username: "${NBSWEEP_USER}", password: "${NBSWEEP_PASSWORD}", domain: "${NBSWEEP_DOMAIN}"}
""",
    Credentials.AGENCY: """\
    # Temporary keys of the agency of this ECS, from its metadata server.
    credentials: {agency: metadata}
""",
}
POLICIES: Mapping[Rule, str] = {
    Rule.FAILED: """\
  # Failed notebooks cannot be used, and count against the quota.
  - name: failed
    match: {status: [CREATE_FAILED, START_FAILED, ERROR, DELETE_FAILED], idle_over: 7d}
GRACE""",
    Rule.IDLE: """\
  # Stopped notebooks still incur disk charges.
  - name: idle
    match: {status: STOPPED, FEATUREidle_over: 30d}
GRACE""",
    Rule.FORGOTTEN: """\
  # age_over counts from the creation, even if the notebook was used recently; so add idle_over.
  - name: forgotten
    match: {age_over: 180d, idle_over: 60d}
GRACE    # What to do with a running notebook: skip it, or stop it and then delete it.
    running: skip
""",
    Rule.CODELAB: """\
  # CodeLab is free, but its notebooks count against the quota.
  - name: codelab
    match: {feature: DEFAULT, status: STOPPED, idle_over: 60d}
GRACE""",
}
TAIL = """
# Which notebooks are kept even if a policy matches. Any match is enough.
protect:
  - {name: ["keep-*", "prod-*"]}
  - {tags: {keep: "*"}}

# Limits on what one sweep may delete. A larger plan is refused as a whole.
brakes:
  max_deletions: 20
  max_share: 10%
  on_excess: refuse
"""


class Starter(Struct, frozen=True, kw_only=True):
    """The answers that a starter configuration is made of."""

    name: str = "default"
    region: str | None = USUAL_REGION
    endpoint: str | None = None
    project_id: str | None = None
    credentials: Credentials = Credentials.STANDARD
    rules: tuple[Rule, ...] = USUAL_RULES
    announcing: Announcing | None = None
    """How owners are told before a deletion; None if they are not."""


def starter_text(starter: Starter) -> str:
    """Return the text of the configuration file."""
    codelab = Rule.CODELAB in starter.rules
    head = HEAD.format(
        name=json.dumps(starter.name),
        place=_place(starter),
        project=f"project_id: {json.dumps(starter.project_id)}" if starter.project_id else "# project_id:",
        credentials=KEYS[starter.credentials],
        features="[NOTEBOOK, DEFAULT]" if codelab else "[NOTEBOOK]",
    )
    # With CodeLab listed too, the policy for billed notebooks has to say that it is for these alone.
    policies = "\n".join(POLICIES[rule] for rule in RULES if rule in starter.rules)
    policies = policies.replace("FEATURE", "feature: NOTEBOOK, " if codelab else "")
    return head + policies.replace("GRACE", grace_of_policy(starter.announcing)) + TAIL + places_of(starter.announcing)


def _place(starter: Starter) -> str:
    lines = [f"endpoint: {json.dumps(starter.endpoint)}"] if starter.endpoint else []
    lines += [f"region: {json.dumps(starter.region)}"] if starter.region else []
    return "\n    ".join(lines)
