"""What was to be paid fails when two people say so, or its agent."""

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    """Changes no table: the guards are made anew after each migration."""
