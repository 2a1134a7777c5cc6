"""What the settings of a source share: unknown attributes are refused, and inputs not quoted."""

from typing import cast

from pydantic import BaseModel, ConfigDict, model_validator


class SettingsModel(BaseModel):
    """Settings of one part of a document."""

    # A wrong value may be a secret that was put into the wrong place.
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    @model_validator(mode="before")
    @classmethod
    def _has_known_attributes(cls, data: object) -> object:
        if isinstance(data, dict):
            fields = cls.model_fields
            known = [field.alias or name for name, field in fields.items()]
            for name in cast(dict[object, object], data):
                if name not in known and name not in fields:
                    raise ValueError(f"{name} is not known; there are {', '.join(known)}")
        return cast(object, data)
