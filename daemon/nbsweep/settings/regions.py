"""Where ModelArts and IAM answer: ModelArts API, section 5.5."""

from difflib import get_close_matches

REGIONS = (
    "cn-north-1",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-north-11",
    "cn-north-12",
    "cn-east-3",
    "cn-east-4",
    "cn-south-1",
    "cn-southwest-2",
    "cn-southwest-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "la-north-2",
    "la-south-2",
    "sa-brazil-1",
    "af-south-1",
    "af-north-1",
    "tr-west-1",
    "me-east-1",
)
"""Every other region needs its endpoint in the configuration."""

DOMAIN = "myhuaweicloud.com"
GLOBAL_IAM = f"https://iam.{DOMAIN}"
"""Not every region has an IAM of its own."""
OTHER_DOMAINS = {"ap-southeast-1": "myhuaweicloud.cn"}


def base_url(region: str) -> str | None:
    """Return the address of ModelArts in a region; None when that is not known."""
    if region not in REGIONS:
        return None
    return f"https://modelarts.{region}.{OTHER_DOMAINS.get(region, DOMAIN)}"


def iam_url(region: str) -> str | None:
    """Return the address of IAM in a region; None when that is not known."""
    return f"https://iam.{region}.{DOMAIN}" if region in REGIONS else None


def describe_regions(region: str) -> str:
    """Return what may have been meant by a region that is not known, and all known regions, sorted."""
    near = get_close_matches(region, REGIONS, n=1)
    hint = f"did you mean {near[0]}? Otherwise " if near else ""
    known = sorted(REGIONS, key=lambda known: [int(part) if part.isdigit() else part for part in known.split("-")])
    return f"{hint}give the endpoint, or one of the regions {', '.join(known)}"
