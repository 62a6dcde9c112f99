"""`trunkline feature` in a service with real git and real tools."""

import re
import shutil

import pytest

from samples import Sample

CORE = "src/my_app/core"
VERSIONS = "src/my_app/migrations/versions"
FUTURE = "2099_12_31_235959"


def make(service: Sample, *arguments: str) -> list[str]:
    """Make features, which must succeed; returns the lines that it printed."""
    ran = service.trunkline("feature", *arguments)
    assert ran.code == 0, ran.all
    return ran.out.splitlines()


def written(lines: list[str]) -> list[str]:
    return [line.split()[1] for line in lines if line.startswith("write")]


def tree(service: Sample) -> dict[str, str]:
    """Every file that git tracks or would track, with its text."""
    listed = service.git("ls-files", "-co", "--exclude-standard").splitlines()
    there = [path for path in sorted(listed) if (service.root / path).is_file()]
    return {path: service.read(path) for path in there}


def test_a_feature_is_formatted_wired_and_follows_the_last_migration(
    service: Sample,
) -> None:
    lines = make(service, "sales_orders")
    text = tree(service)
    (migration,) = (path for path in text if path.endswith("_store_sales_orders.py"))
    made = [path for path in text if "sales_orders" in path]

    assert sorted(written(lines)) == made
    assert "    sales_orders.feature,\n)" in text[f"{CORE}/app.py"]
    assert 'LIST = "/sales-orders"' in text[f"{CORE}/sales_orders/endpoints.py"]
    assert migration == max(path for path in text if path.startswith(VERSIONS))
    assert service.run("ruff", "format", "--check", "--no-cache", ".").code == 0
    checked = service.run("ruff", "check", "--no-cache", ".")
    assert checked.code == 0, checked.all


def test_a_long_name_passes_the_linter(service: Sample) -> None:
    make(service, "international_customers_orders")
    make(service, "international_customers_search", "--without-table")
    checked = service.run("ruff", "check", "--no-cache", ".")
    assert checked.code == 0, checked.all
    assert service.run("ruff", "format", "--check", "--no-cache", ".").code == 0


def test_a_class_that_is_called_like_a_test_is_none(service: Sample) -> None:
    make(service, "testimonials")
    ran = service.run("pytest", "--no-cov", "--collect-only", "tests/core/testimonials")
    assert ran.code == 0, ran.all


def test_two_in_the_same_second_run_in_their_order(service: Sample) -> None:
    for name in ("teams", "badges"):
        make(service, name)
    steps = [path for path in tree(service) if path.startswith(VERSIONS)]
    assert [path.partition("_store_")[2] for path in steps[-2:]] == [
        "teams.py",
        "badges.py",
    ]


@pytest.mark.parametrize("options", [(), ("--without-table",)])
def test_removing_leaves_what_was_there_before(
    service: Sample, options: tuple[str, ...]
) -> None:
    before = tree(service)
    make(service, "customers", *options)
    service.git("add", "--all")
    service.git("commit", "-q", "-m", "feat: customers")
    make(service, "--remove", "customers")

    assert tree(service) == before
    assert not (service.root / CORE / "customers").exists()
    assert not (service.root / "tests/core/customers").exists()


@pytest.mark.parametrize("words", [(), ("--without-table",), ("--remove",)])
def test_a_dry_run_names_the_same_files_and_changes_none(
    service: Sample, words: tuple[str, ...]
) -> None:
    if "--remove" in words:
        make(service, "customers")
    before = tree(service)
    planned = make(service, "customers", *words, "--dry-run")

    assert tree(service) == before
    done = make(service, "customers", *words)
    # A new migration is named by its time.
    assert [re.sub("_[0-9]{6}_", "", line) for line in planned] == [
        re.sub("_[0-9]{6}_", "", line) for line in done[:-1]
    ]


def test_before_the_first_commit_it_is_made_and_removed(service: Sample) -> None:
    before = tree(service)
    shutil.rmtree(service.root / ".git")
    service.git("init", "-q", "-b", "main", ".")
    make(service, "customers")
    make(service, "--remove", "customers")
    assert tree(service) == before


def test_a_changed_file_is_kept_and_listed(service: Sample) -> None:
    make(service, "customers")
    rules = f"{CORE}/customers/customers.py"
    service.write(rules, service.read(rules) + "\nMORE = 1\n")
    service.write(f"{CORE}/customers/letters.py", "LETTER = 1\n")
    lines = make(service, "--remove", "customers")

    left = [path for path in tree(service) if "customers" in path]
    assert left == [rules, f"{CORE}/customers/letters.py"]
    kept = [line for line in lines if line.startswith("keep")]
    assert [line.split()[1].rstrip(":") for line in kept] == left
    assert lines[-1] == f"type next: rm {' '.join(left)} && make check"
    assert "customers" not in service.read(f"{CORE}/app.py")


def test_a_table_that_is_still_used_keeps_its_migration(service: Sample) -> None:
    make(service, "customers")
    tables = f"{CORE}/customers/tables.py"
    service.write(tables, service.read(tables) + "\nMORE = 1\n")
    make(service, "--remove", "customers")

    left = [path for path in tree(service) if "customers" in path]
    assert len(left) == 2
    assert left[0] == tables
    assert left[1].startswith(VERSIONS)


def test_an_edited_table_that_others_have_is_dropped_by_what_to_type(
    service: Sample,
) -> None:
    made = make(service, "customers")
    (stored,) = (path for path in written(made) if path.startswith(VERSIONS))
    tables = f"{CORE}/customers/tables.py"
    service.write(tables, service.read(tables) + "\nMORE = 1\n")
    make(service, "teams")
    lines = make(service, "--remove", "customers")

    typed = f'rm {tables} && make migration m="drop customers" && make check'
    assert lines[-1] == f"type next: {typed}"
    (service.root / tables).unlink()
    ran = service.run("python", "-m", "my_app", "migration", "-m", "drop customers")
    assert ran.code == 0, ran.all
    (left, drop) = (path for path in tree(service) if "customers" in path)
    assert left == stored
    assert "op.drop_table('customers')" in service.read(drop)


@pytest.mark.parametrize("released", [True, False], ids=["released", "followed"])
def test_a_table_that_others_have_is_dropped_by_a_migration(
    service: Sample, *, released: bool
) -> None:
    make(service, "customers")
    service.git("add", "--all")
    service.git("commit", "-q", "-m", "feat: customers")
    if released:
        service.git("tag", "-a", "-m", "v0.1.0", "v0.1.0")
    else:
        made = make(service, "teams")
        (teams,) = (path for path in written(made) if path.startswith(VERSIONS))
        # As after two commands in one second, or with the clock set back.
        service.git("add", teams)
        service.git("mv", teams, f"{VERSIONS}/{FUTURE}_store_teams.py")
    lines = make(service, "--remove", "customers")

    names = [path for path in tree(service) if "customers" in path]
    assert [path.split("_", 4)[-1].split("_", 1)[-1] for path in names] == [
        "store_customers.py",
        "drop_customers.py",
    ]
    assert max(path for path in tree(service) if path.startswith(VERSIONS)) == names[1]
    assert any(line.startswith("write  a migration") for line in lines)
    assert 'drop_table("customers")' in service.read(names[1]).partition("downgrade")[0]
    checked = service.run("ruff", "check", "--no-cache", "src")
    assert checked.code == 0, checked.all


def test_the_names_of_others_and_of_the_house_are_refused(service: Sample) -> None:
    service.write(f"{CORE}/login.py", "")
    make(service, "customers")
    before = tree(service)
    for name, found in (
        ("customers", "a feature of this service"),
        ("billing", "a feature of this service"),
        ("invoices", "billing"),
        ("quotes", "billing"),
        ("login", "core/login.py"),
        ("operations", "a name in core/app.py"),
        ("metrics", "the platform"),
        ("platform", "the platform"),
        ("class", "a keyword of Python"),
        ("os", "2 to 30 characters"),
    ):
        ran = service.trunkline("feature", name)
        assert ran.code == 1
        assert "refused by rule `feature-name`" in ran.err, ran.all
        assert found in ran.err
        assert "type next: uv run trunkline feature " in ran.err
    assert tree(service) == before


def test_what_was_not_made_by_the_command_is_not_removed(service: Sample) -> None:
    before = tree(service)
    ran = service.trunkline("feature", "--remove", "billing")
    assert ran.code == 1
    assert "git rm -r src/my_app/core/billing tests/core/billing" in ran.err
    ran = service.trunkline("feature", "--remove", "customers")
    assert ran.code == 1
    assert "there are billing" in ran.err
    assert tree(service) == before


def test_a_service_without_a_database_gets_features_without_a_table(
    service: Sample,
) -> None:
    shutil.rmtree(service.root / "src/my_app/migrations")
    ran = service.trunkline("feature", "customers")
    assert ran.code == 1
    assert "type next: uv run trunkline feature customers --without-table" in ran.err
    make(service, "customers", "--without-table")


def test_elsewhere_it_says_what_it_needs(service: Sample) -> None:
    shutil.rmtree(service.root / "src")
    ran = service.trunkline("feature", "customers")
    assert ran.code == 2
    assert "expected one: a service made from the template" in ran.err


def lay(service: Sample, state: dict[str, str]) -> None:
    """Bring the working tree to a state."""
    for path in tree(service).keys() - state.keys():
        (service.root / path).unlink()
    for path, text in state.items():
        service.write(path, text)


def test_a_run_that_was_killed_is_finished_by_the_next(service: Sample) -> None:
    """Every state between two writes, each of which is atomic."""
    begun = tree(service)
    order = [line.split()[1] for line in make(service, "customers")[:-1]]
    whole = tree(service)
    for count in range(len(order)):
        state = begun | {path: whole[path] for path in order[:count]}
        lay(service, state)
        make(service, "customers")

        done = tree(service)
        assert state.keys() <= done.keys()
        assert len(done) == len(whole)
        assert all(done[path] == whole[path] for path in order[:count])
        assert done[order[-1]] == whole[order[-1]]


def test_a_removal_that_was_killed_is_finished_by_the_next(service: Sample) -> None:
    begun = tree(service)
    make(service, "customers")
    whole = tree(service)
    planned = make(service, "--remove", "customers", "--dry-run")
    wiring, *order = (line.split()[1] for line in planned)
    for count in range(len(order)):
        left = {path: whole[path] for path in order[count:]}
        lay(service, begun | left | {wiring: begun[wiring]})
        make(service, "--remove", "customers")
        assert tree(service) == begun


def test_of_two_at_once_one_makes_it_and_one_is_refused(service: Sample) -> None:
    both = [service.start("trunkline", "feature", "customers") for _ in range(2)]
    said = [process.communicate() for process in both]

    assert sorted(process.returncode for process in both) == [0, 1], said
    assert len([path for path in tree(service) if "_store_customers" in path]) == 1
    make(service, "--remove", "customers")
