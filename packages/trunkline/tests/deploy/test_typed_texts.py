"""Every text that a deploy says to type next is typed by a test that provokes it."""

import ast
from pathlib import Path

import pytest

from test_next_commands import fixes

TESTS = Path(__file__).parent
SHOP, DESKS = "test_next_commands.py", "test_next_commands_of_desks.py"
WORKLOAD = "engines/test_workload.py"
COMPLAINTS = "engines/test_complaints.py"
IMAGES, STATE = "test_candidates_images.py", "engines/test_compose_state.py"
KILL = "engines/test_compose_kill.py"
WORDS = "engines/test_compose_words.py"
# By file, the beginning of each text and the test that types it.
TYPED = {
    "acceptance.py": {
        "uv run trunkline status": (
            "test_acceptance.py",
            "what_is_not_well_is_not_accepted",
        ),
    },
    "candidates.py": {
        "git fetch --tags": (SHOP, "a_tag_that_only_the_remote_has_is_fetched"),
        "the same command with one of": ("test_candidates.py", "branches_with_one_tag"),
        "the same command without --commit": (
            SHOP,
            "what_is_to_be_named_otherwise_is_",
        ),
        "uv run trunkline publish": (
            IMAGES,
            "an_image_that_is_missing_is_there_once_it_is_",
        ),
        "uv run trunkline release": (
            IMAGES,
            "after_a_version_that_was_moved_the_next_",
        ),
        "git tag --list": (SHOP, "what_is_to_be_named_otherwise_is_named"),
    },
    "command.py": {
        "open": (DESKS, "what_a_desk_does_not_do_is_on_its_page"),
        "uv run trunkline history": (
            SHOP,
            "where_nothing_was_before_the_history_says_so",
        ),
    },
    "databases.py": {
        "uv run trunkline deploy": (
            "test_databases.py",
            "where_nothing_is_left_to_do_so_",
        ),
        "uv run trunkline accept": (
            "test_databases.py",
            "what_was_put_on_from_elsewhere_is_accepted_",
        ),
    },
    "desk.py": {
        "the same command with --desk https://HOST": (
            DESKS,
            "an_address_is_named_as_it",
        ),
        "the same command with --desk https://word": (
            DESKS,
            "an_address_is_named_as_it",
        ),
        "open": (DESKS, "what_a_desk_does_not_do_is_on_its_page"),
    },
    "engines/compose.py": {
        "cd": (STATE, "a_second_clone_leaves_the_containers_of_the_first_alone"),
        "docker pull": (WORDS, "a_proxy_that_is_too_old_is_replaced_once_a_"),
        "docker info": (KILL, "an_engine_that_goes_away_is_named_and_the_next_"),
        "docker compose": (STATE, "whoever_changes_the_url_is_told_how_the_proxy_"),
    },
    "engines/complaints.py": {
        "echo": (STATE, "a_machine_that_is_not_prepared_says_what_to_type"),
        "sudo apt-get": (COMPLAINTS, "without_compose_the_package_that_has_it_is_"),
        "kubectl word auth": (COMPLAINTS, "an_expired_token_is_replaced"),
        "kubectl config": (COMPLAINTS, "a_context_that_is_none_is_chosen_from_a_list"),
        "kubectl word get": (COMPLAINTS, "a_server_that_does_not_answer_is_asked_"),
    },
    "engines/workload.py": {
        **dict.fromkeys(
            ("kubectl apply", "kubectl --namespace"),
            (WORKLOAD, "a_deployment_that_is_missing_is_there_once_it_is_"),
        ),
        "kubectl word get": (WORKLOAD, "what_was_put_on_meanwhile_is_shown"),
        "kubectl word patch deployment v1.2.0 --type": (
            WORKLOAD,
            "another_field_manager_is_gone_once_its_",
        ),
        "kubectl word patch deployment v1.2.0 --patch": (
            WORKLOAD,
            "a_deployment_that_starts_no_pods_is_fit_once_it_is_",
        ),
    },
    "environments.py": {
        "add to pyproject.toml": (SHOP, "an_environment_that_is_to_be_added_is_added"),
        "export": (SHOP, "a_journal_that_is_to_be_named_is_named"),
        "the same command with word": (
            "test_environments.py",
            "a_misspelt_environment_is_not_added_but_named",
        ),
    },
    "journal.py": {
        "uv add --dev": ("../template/test_service.py", "a_service_without_one_part_"),
    },
    "local_desk.py": {
        "uv run trunkline reserve": (DESKS, "what_somebody_has_is_taken_over"),
        "the same command with --desk": (DESKS, "a_desk_that_is_named_is_asked"),
    },
    "lock.py": {
        "the same command with --wait": (SHOP, "who_is_in_the_way_is_named_until_gone"),
    },
    "orders.py": {
        "the same command without": (SHOP, "what_is_to_be_named_otherwise_is_named"),
        "uv run trunkline deploy": (
            SHOP,
            "what_was_interrupted_is_finished_before_a_plan",
        ),
    },
    "preflight.py": {
        "uv run trunkline history": (
            SHOP,
            "releases_that_have_its_migrations_are_in_the_",
        ),
        "one of": ("test_databases.py", "migrations_of_another_branch_are_refused_"),
    },
    "proxy.py": {
        "lsof": (SHOP, "who_is_in_the_way_is_named_until_gone"),
        "the same command  (once": (
            "test_proxy.py",
            "where_no_caddy_is_to_be_had_that_is_said",
        ),
        "the same command  (with": ("test_proxy.py", "an_address_that_is_not_of_this_"),
    },
    "reservations.py": {
        "the same command with --desk": (DESKS, "a_desk_that_is_named_is_asked"),
        "the same command with a later": ("test_reservations.py", "what_is_no_end_is_"),
        "the same command with --until": ("test_reservations.py", "what_is_no_end_is_"),
    },
    "runner.py": {
        "echo": ("test_faults.py", "a_foreign_live_file_needs_a_human"),
        "the same command": (KILL, "an_engine_that_goes_away_is_named_and_the_next_"),
    },
    "variables.py": {
        "the same command": (SHOP, "variables_that_cannot_be_read_are_named"),
    },
}
ROWS = [(file, *row) for file, rows in TYPED.items() for row in rows.items()]


def test_no_text_is_left_out_and_none_is_listed_that_nobody_says() -> None:
    said = {
        (place.removeprefix("deploy/"), text)
        for place, text in fixes()
        if place.startswith("deploy/") and text not in {"", "word"}
    }
    listed = {
        (file, text)
        for file, start, _ in ROWS
        for place, text in said
        if place == file and text.startswith(start)
    }
    assert said == listed
    assert len(listed) == len(ROWS) == 48


@pytest.mark.parametrize(("file", "text", "test"), ROWS)
def test_the_test_that_types_it_exists(
    file: str, text: str, test: tuple[str, str]
) -> None:
    tree = ast.parse((TESTS / test[0]).read_text(encoding="utf-8"))
    names = [it.name for it in tree.body if isinstance(it, ast.FunctionDef)]
    assert [it for it in names if it.startswith(f"test_{test[1]}")], (file, text)
