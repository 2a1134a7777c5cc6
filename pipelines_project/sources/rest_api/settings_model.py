"""What the settings of a REST API share: unknown attributes are refused, and inputs not quoted."""

from pydantic import BaseModel, ConfigDict


class SettingsModel(BaseModel):
    """Settings of one part of a document."""

    # A wrong value may be a secret that was put into the wrong place.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
