"""`plan2 flow`: flow files before anything knows of them."""

import click

from plan2.commands.flow_files import check, template
from plan2.commands.options import examples


@click.group(
    name="flow",
    epilog=examples("plan2 flow template my-rule", "plan2 flow check my-rule.toml"),
)
def command() -> None:
    """Write and check flow files."""


command.add_command(template)
command.add_command(check)
