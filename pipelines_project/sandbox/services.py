"""Every service of the sandbox as one app, and the settings that make the project ask it."""

from starlette.applications import Starlette
from starlette.routing import Mount

from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.freshdesk import KEY, freshdesk_app
from pipelines_project.sandbox.made_up_help_desk import MadeUpHelpDesk


def services_app(games_per_month: int = 40, help_desk_opened: str = "2023-01") -> Starlette:
    """Serve each service below a path of its own, with data made up for whoever is asked for.

    Args:
        games_per_month: of each chess player.
        help_desk_opened: the month in which its agents and groups were set up, `YYYY-MM`.
    """
    return Starlette(
        routes=[
            Mount("/chess", chess_app(GeneratedArchives(games_per_month))),
            Mount("/freshdesk", freshdesk_app(MadeUpHelpDesk(first_month=help_desk_opened))),
        ]
    )


def service_settings(url: str) -> dict[str, str]:
    """The environment variables that lead to the services of an app that is served at `url`."""
    return {
        "CHESS_API_URL": f"{url}/chess/pub",
        "FRESHDESK_API_URL": f"{url}/freshdesk/api/v2",
        "FRESHDESK_API_KEY": KEY,
    }
