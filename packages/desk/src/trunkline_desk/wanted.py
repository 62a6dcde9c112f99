"""What a form or a script asks for, as it comes over the wire."""

from pydantic import BaseModel, ConfigDict, Field

from trunkline_desk.actions import Asked
from trunkline_desk.claims import Action


class Wanted(BaseModel):
    """One wish; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action
    # Repeat a request with its key, and it is carried out once.
    key: str = Field(default="", max_length=64)
    # The `state` that was read before; without it, whatever it is now.
    seen: str = Field(default="", max_length=200)
    why: str = Field(default="", max_length=500)
    typed: str = Field(default="", max_length=100)
    ref: str = Field(default="", max_length=300)
    commit: str = Field(default="", max_length=64)
    hours: float = Field(default=4.0, gt=0, le=336)
    flag: str = Field(default="", max_length=100)
    value: bool = False
    database: str = Field(default="", pattern="^(own-database)?$")

    def asked(self, now: float) -> Asked:
        """Return it with an end in seconds, UTC."""
        return Asked(
            **self.model_dump(include=set(Asked.__dataclass_fields__) - {"until"}),
            until=now + self.hours * 3600,
        )


class Posted(Wanted):
    """The same from a page, which proves that it got the form from us."""

    key: str = Field(min_length=16, max_length=64)
    form: str = Field(default="", max_length=64)
