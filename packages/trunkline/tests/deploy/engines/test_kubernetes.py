"""Deploys to a real cluster, as a deployer with its Role and no more."""

import json
import re

import pytest
import yaml  # type: ignore[import-untyped]

from deploy.engines.clusters import PAUSE, Cluster
from faults import Fault, Proxy

pytestmark = pytest.mark.slow


def test_the_page_leads_from_an_empty_namespace_to_a_deploy_that_comes_back(
    cluster: Cluster,
) -> None:
    cluster.publish("feat-login-button", "new")
    cluster.type("\n".join(cluster.deployer[1:]))
    history = [(one["kind"], one["ref"]) for one in cluster.told("history")]
    typed = [("take back", "main"), ("deploy", "feat-login-button")]
    assert (history[:2], history[-1]) == (typed, ("deploy", "main"))
    assert cluster.get()["kind"] == "well"


def test_a_branch_goes_on_and_comes_back_without_a_lost_request(
    cluster: Cluster,
) -> None:
    first = cluster.get()["commit"]
    cluster.clone.write("staging.env", "GREETING=good morning\n")
    cluster.publish("feat-login", "new")
    with cluster.load(PAUSE) as seen:
        cluster.deployed("feat/login")
        new = cluster.get()
        ran = cluster.trunkline("rollback", "staging")
    assert ran.code == 0, ran.all
    assert (new["kind"], new["greeting"]) == ("new", "good morning")
    # The variables are those of then.
    assert (cluster.get()["commit"], cluster.get()["greeting"]) == (first, "a $HOME")
    assert (seen.lost, {*seen.kinds} >= {"well", "new"}) == ([], True)
    assert cluster.told("status")["well"] is True
    assert cluster.names("jobs") == set()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("never", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
        ("turns", "became unhealthy within 12 seconds"),
        ("breaks", "could not migrate the database: migrating breaks"),
    ],
)
def test_a_sick_image_is_undone_and_explained(
    cluster: Cluster, kind: str, said: str
) -> None:
    before = cluster.get()["commit"]
    secrets = cluster.names("secrets")
    cluster.publish("feat-sick", kind)
    # The kubelet believes the third bad answer, and asks every second.
    turns = kind == "turns"
    window, smoke = (12, 120) if turns else (2, 20)
    jobs = kind == "breaks"
    cluster.configure(cluster.server, window=window, smoke=smoke, jobs=jobs)
    with cluster.load(PAUSE) as seen:
        ran = cluster.deploy("feat/sick")
    assert (ran.code, said in ran.err) == (1, True), ran.all
    assert f"{before[:12]} still serves" in ran.err
    assert cluster.get()["commit"] == before
    # One that turns sick within its window has the requests already: the cluster has
    # ended what served before, and brings it back.
    assert seen.lost == [] or turns
    assert (cluster.names("jobs"), cluster.names("secrets")) == (set(), secrets)
    assert "hush" not in ran.all


def test_an_image_that_cannot_be_pulled_changes_nothing(
    cluster: Cluster, proxy: Proxy
) -> None:
    cluster.publish("feat-away", "new")
    proxy.faults.append(Fault("HEAD .*/manifests/sha256:", times=10**6, status=503))
    cluster.configure(proxy.server)
    ran = cluster.deploy("feat/away")
    assert (ran.code, "Failed to pull image" in ran.err) == (1, True), ran.all
    assert cluster.get()["kind"] == "well"


def test_a_migration_that_hangs_ends_at_its_deadline(cluster: Cluster) -> None:
    cluster.publish("feat-slow", "hangs")
    cluster.configure(cluster.server, deadline=3)
    ran = cluster.deploy("feat/slow")
    assert (ran.code, "stopped after 3 seconds" in ran.err) == (1, True), ran.all
    assert cluster.get()["kind"] == "well"


def test_a_full_quota_is_named(cluster: Cluster) -> None:
    cluster.publish("feat-much", "new")
    cluster.configure(cluster.server, smoke=20)
    cluster.own("create", "quota", "tight", "--hard=pods=1")
    try:
        ran = cluster.deploy("feat/much")
    finally:
        cluster.own("delete", "quota", "tight")
    assert (ran.code, "exceeded quota: tight" in ran.err) == (1, True), ran.all


def test_another_field_manager_is_refused_by_name_until_it_lets_go(
    cluster: Cluster,
) -> None:
    image = cluster.deployment()["spec"]["template"]["spec"]["containers"][0]["image"]
    name, other = cluster.name, image.replace("@sha256:", ":main@sha256:")
    cluster.configure(cluster.server, jobs=False)
    cluster.own("set", "image", f"deployment/{name}", f"{name}={other}")
    cluster.rolled_out()
    ran = cluster.deploy("main")
    assert (ran.code, "kubectl-set sets the image" in ran.err) == (1, True), ran.all
    cluster.let_go(ran.err)
    cluster.deployed("main")
    assert cluster.told("status")["well"] is True


def test_the_manifests_can_be_applied_again_without_the_image(cluster: Cluster) -> None:
    file = cluster.manifests / "base/objects.yaml"
    text = file.read_text()
    file.write_text(text.replace("          image: nothing-deployed\n", ""))
    before = cluster.deployment()
    cluster.apply()
    after = cluster.deployment()
    assert after["spec"] == before["spec"]
    assert text != file.read_text()


def test_an_expired_log_in_is_said_at_once(cluster: Cluster) -> None:
    text = cluster.config.read_text()
    config = json.loads(text)
    config["users"][0]["user"]["token"] = "expired"  # noqa: S105 - none
    cluster.config.write_text(json.dumps(config))
    try:
        ran = cluster.trunkline("status", "staging")
    finally:
        cluster.config.write_text(text)
    assert (ran.code, "logged in to the server" in ran.err) == (1, True), ran.all


def test_a_crash_loop_is_explained_with_the_role_and_no_more(cluster: Cluster) -> None:
    cluster.publish("feat-exits", "exits")
    cluster.configure(cluster.server, smoke=20)
    cluster.requests()
    ran = cluster.deploy("feat/exits")
    assert (ran.code, "cannot start: no such thing" in ran.err) == (1, True), ran.all
    role = next(yaml.safe_load_all((cluster.manifests / "deployer.yaml").read_text()))
    granted = {
        (verb, kind)
        for rule in role["rules"]
        for kind in rule["resources"]
        for verb in rule["verbs"]
    }
    used = {found for line in cluster.requests() if (found := asked(line))}
    # A Job or a Secret that is patched into being is created.
    used |= {("create", "jobs"), ("create", "secrets")}
    assert used == granted


def asked(line: str) -> tuple[str, str] | None:
    """Read verb and resource from a line of kubectl's log."""
    found = re.search(
        r"(GET|PATCH|POST|PUT|DELETE)[ \"]+.*?/namespaces/([^ \"]+)", line
    )
    if not found:
        return None
    path, _, query = found[2].partition("?")
    _, *parts = path.split("/")
    if not parts:
        return None  # Whether the namespace exists; may be refused.
    kind, *rest = parts
    if found[1] != "GET":
        return found[1].lower(), kind
    if "watch=true" in query:
        return "watch", kind
    if len(rest) > 1:
        return "get", f"{kind}/{rest[1]}"
    return ("get" if rest else "list"), kind
