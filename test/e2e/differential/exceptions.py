# Where barewire is right to differ from Linux: each difference with its reason.
from dataclasses import dataclass


@dataclass(frozen=True)
class Exception4:
    name: str
    adapt: callable


EXCEPTIONS4 = []
