"""nbsweep cleans up forgotten notebook instances in Huawei Cloud ModelArts."""

__version__ = "0.1.0"
