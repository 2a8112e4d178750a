"""What can go wrong with the cloud, as sentences."""


class CloudError(Exception):
    """Base of all."""


class TemplateError(CloudError):
    """A template is written wrongly. The message names the line."""


class DeployError(CloudError):
    """The cloud refused a stack. The message names each resource and the reason it was given."""


class SettingsFaultsError(CloudError):
    """The settings lack or contradict something. One sentence a fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
