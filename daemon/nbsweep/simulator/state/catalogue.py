"""Plausible values of notebooks: users, names, flavors, images and volumes of a research team."""

from random import Random
from typing import Any

from nbsweep.simulator.state.model import identity, uuid_like

GIVEN_NAMES = ("ana", "li", "omar", "ines", "wei", "sofia", "jonas", "mei", "pavel", "aisha", "tomas", "hana")
FAMILY_NAMES = ("lopez", "zhang", "haddad", "costa", "chen", "rossi", "berg", "wang", "novak", "khan", "silva", "sato")
MODELS = ("resnet", "bert", "llama", "yolo", "unet", "whisper", "gan", "tabular", "churn", "ocr", "pointnet", "vit")
TASKS = ("finetune", "eval", "ablation", "pretrain", "debug", "export", "labels", "demo", "sweep", "distill")
TEAMS = ("vision", "speech", "nlp", "risk")
FLAVORS = (
    "modelarts.vm.cpu.2u",
    "modelarts.vm.cpu.8u",
    "modelarts.vm.gpu.t4",
    "modelarts.vm.gpu.v100",
    "modelarts.bm.ascend.snt9b",
)
CODELAB_FLAVOR = "modelarts.vm.cpu.free"
FAIL_REASONS = {
    "CREATE_FAILED": ("The requested resources are sold out.", "Failed to pull the image."),
    "START_FAILED": ("The image does not start within the time limit.", "Insufficient resources in the pool."),
    "ERROR": ("The node of the instance is abnormal.", "The container exited because it ran out of memory."),
    "DELETE_FAILED": ("Failed to detach the EVS disk.", "Failed to release the network port."),
}
_IMAGES = ("pytorch1.8-cuda10.2", "tensorflow2.1-cuda10.1", "mindspore2.2-cann7.0", "conda3-ubuntu20.04")
_VOLUMES = (("EVS", "MANAGED"), ("EVS", "MANAGED"), ("EFS", "MANAGED"), ("EFS", "DEDICATED"), ("OBS", "DEDICATED"))
_EVS_SIZES_GB = (5, 20, 50, 100, 200, 500)
_DEFAULT_EFS_GB = 50
_PEOPLE = len(GIVEN_NAMES) * len(FAMILY_NAMES)


def owner_name(number: int) -> str:
    """Return the name of the owner of that number; all are different."""
    given = GIVEN_NAMES[number % len(GIVEN_NAMES)]
    family = FAMILY_NAMES[(number + number // len(GIVEN_NAMES)) % len(FAMILY_NAMES)]
    return f"{given}.{family}" if number < _PEOPLE else f"{given}.{family}{number}"


def notebook_name(random: Random, number: int) -> str:
    """Return a plausible name, e.g. `resnet-finetune-07`."""
    return f"{random.choice(MODELS)}-{random.choice(TASKS)}-{number % 100:02d}"


def image(random: Random) -> dict[str, Any]:
    """Return one of the images that come with the platform."""
    name = random.choice(_IMAGES)
    return {
        "id": uuid_like("image", name),
        "name": name,
        "swr_path": f"swr.cn-north-4.myhuaweicloud.com/atelier/{name}:2.1.0",
        "type": "BUILD_IN",
    }


def volume(random: Random) -> dict[str, Any]:
    """Return the storage mounted at the work directory."""
    category, ownership = random.choice(_VOLUMES)
    mounted: dict[str, Any] = {"category": category, "ownership": ownership, "mount_path": "/home/ma-user/work/"}
    if category != "OBS":
        mounted["capacity"] = random.choice(_EVS_SIZES_GB) if category == "EVS" else _DEFAULT_EFS_GB
    if ownership == "DEDICATED":
        place = "obs://team-data/work/" if category == "OBS" else "192.168.0.12:/share"
        mounted |= {"id": uuid_like("volume", random.random()), "uri": place, "status": "MOUNTED"}
    return mounted


def dedicated_pool(number: int) -> dict[str, Any]:
    """Return a dedicated resource pool."""
    return {"id": f"pool-{identity('pool', number)[:12]}", "name": f"research-{number}"}


def plain_image() -> dict[str, Any]:
    """Return the image of described notebooks."""
    return image(Random(0))


def plain_volume() -> dict[str, Any]:
    """Return the storage of described notebooks."""
    return {"category": "EVS", "ownership": "MANAGED", "mount_path": "/home/ma-user/work/", "capacity": 50}
