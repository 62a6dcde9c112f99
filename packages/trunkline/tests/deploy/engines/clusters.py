"""A namespace of a real cluster, made as docs/kubernetes.md says."""

import copy
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.engines.hosts import Host
from playbook import blocks
from registries import Server
from samples import REPOSITORY

# A context that tests may fill with namespaces; nobody's by accident.
CONTEXT = "TRUNKLINE_TEST_CONTEXT"
DOCUMENT = REPOSITORY / "packages/trunkline/docs/kubernetes.md"
PROJECT = """\
[project]
name = "{name}"
version = "0.0.0"
[tool.trunkline]
image = "{image}"
{migrations}
smoke_seconds = {smoke}
timeout = 3
{environment}
window = {window}
keep = 1
deadline = {deadline}
"""
# Between two requests of a client: the cluster is on the same two cores.
PAUSE = 0.1
# Is killed where `killed` is, and writes down each request where there is a log.
# In `other` is what another deployer applies once somebody has read the Deployment.
KUBECTL = """\
#!/bin/sh
case "$*" in
    *" rollout status "*) ;; # It only waits, and nothing comes of its end.
    *) [ -e "{folder}/killed" ] && rm "{folder}/killed" && kill -KILL $$ ;;
esac
if [ -e "{log}" ]; then
    said=$(mktemp)
    "{kubectl}" -v=6 "$@" 2>"$said"
    code=$?
    grep -E 'round_trippers|"Response"' "$said" >>"{log}"
    grep -vE '^[IWE][0-9]{{4}} ' "$said" >&2
    rm -f "$said"
else
    "{kubectl}" "$@"
    code=$?
fi
case "$*" in *" get deployment "*)
    if mv "{folder}/other" "{folder}/applied" 2>/dev/null; then
        "{kubectl}" "$1" "$2" apply --server-side --field-manager=trunkline \\
            --validate=false --filename="{folder}/applied" >&2
    fi
esac
exit $code
"""


def require_cluster() -> None:
    """Skip where there is no cluster; CI says in one line that it had none."""
    context = os.environ.get(CONTEXT)
    if not context:
        pytest.skip(f"no cluster: {CONTEXT} names no context of kubectl")
    found = kubectl("get", "--raw=/readyz", check=False)
    if found.returncode:
        pytest.fail(f"{CONTEXT} is {context}, which does not answer: {found.stderr}")


def kubectl(
    *words: str, stdin: str | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run kubectl as whoever owns the cluster."""
    done = subprocess.run(
        ["kubectl", f"--context={os.environ[CONTEXT]}", *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done


class Cluster(Host):
    """A clone that deploys to a namespace of its own, with the Role of a deployer."""

    # The page's table of the environment, and what it lets a deployer type.
    environment = ""
    deployer: Sequence[str] = ()

    def __init__(self, folder: Path, server: Server) -> None:
        super().__init__(folder, server)
        self.manifests = folder / "clone/kubernetes"
        shutil.copytree(REPOSITORY / "kubernetes", self.manifests)
        for file in self.manifests.rglob("*.yaml"):
            text = file.read_text().replace("my-app", self.name)
            # Pods are ready, or found sick, a second earlier.
            file.write_text(text.replace("periodSeconds: 2", "periodSeconds: 1"))
        self._suit_an_old_server()
        self.clone.write("staging.env", "GREETING=a $HOME\nPASSWORD=hush$1-secret\n")
        # What the page lets the namespace's owner type, and then a deployer.
        page = DOCUMENT.read_text(encoding="utf-8").replace("my-app", self.name)
        page = page.replace("https://staging." + self.name + ".example.com", "{url}")
        page = re.sub('(namespace[ ="]+)staging', rf"\1{self.name}", page)
        owner, environment, deployer = blocks(page)
        self.environment, self.deployer = environment.text, deployer.text.splitlines()
        self.type(owner.text, DATABASE_URL="sqlite:////tmp/service.db")
        service = json.loads(self.own("get", "service", self.name, "-o=json"))
        # Not by a node's port: an old kube-proxy listens at those itself, and never
        # answers.
        self.url = f"http://{service['spec']['clusterIP']}:80"
        self._log_in(folder)
        self.configure(server)

    def configure(
        self,
        server: Server,
        *,
        deadline: int = 120,
        window: int = 2,
        smoke: int = 120,
        jobs: bool = True,
    ) -> None:
        """Be patient, as tests run on loaded machines, but for what will never come.

        Without Jobs, as a service without a database, where a rollout is the subject.
        """
        values: dict[str, object]
        values = {"name": self.name, "image": f"{server.host}/{self.path}"}
        environment = self.environment.replace("{url}", self.url)
        values |= {"deadline": deadline, "window": window, "smoke": smoke}
        values["migrations"] = 'migrations = "migrations"' if jobs else ""
        text = PROJECT.format(**values, environment=environment)
        self.clone.write("pyproject.toml", text)

    def type(self, commands: str, **env: str) -> None:
        """Type commands of the page, which must succeed."""
        owner = f'kubectl() {{ command kubectl --context={os.environ[CONTEXT]} "$@"; }}'
        text = f"{owner}\n{commands.replace('uv run trunkline', 'trunkline')}"
        ran = self.clone.run("bash", "-euo", "pipefail", "-c", text, **env)
        assert ran.code == 0, ran.all

    def apply(self, overlay: str = "staging") -> None:
        """Apply an overlay again."""
        folder = self.manifests / "overlays" / overlay
        self.own("apply", "--server-side", f"--kustomize={folder}")

    def _suit_an_old_server(self) -> None:
        """Leave out PodDisruptionBudgets, which have been policy/v1 since 1.21."""
        file = self.manifests / "base/objects.yaml"
        objects = file.read_text().split("---\n")
        if self.version < 21:
            objects = [one for one in objects if "PodDisruptionBudget" not in one]
            file.write_text("---\n".join(objects))

    @property
    def version(self) -> int:
        """The minor version of the cluster, by its node."""
        node = json.loads(kubectl("get", "nodes", "-o=json").stdout)["items"][0]
        return int(node["status"]["nodeInfo"]["kubeletVersion"].split(".")[1])

    def own(self, *words: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl in the namespace as its owner."""
        return kubectl(
            f"--namespace={self.name}", *words, stdin=stdin, check=check
        ).stdout

    def deployment(self) -> Any:  # noqa: ANN401 - whatever JSON can hold
        return json.loads(
            self.own("get", "deployment", self.name, "--show-managed-fields", "-o=json")
        )

    def requests(self) -> list[str]:
        """Return what kubectl has asked the API server for since the last call."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.write_text("")
        return lines

    def names(self, *kinds: str) -> set[str]:
        found = self.own("get", ",".join(kinds), "-o=name").split()
        return {one for one in found if "token" not in one}

    def serve_database(self, pod: str) -> None:
        """Start a PostgreSQL server, whose address gets every pod that starts then."""
        self.own("create", "--filename=-", stdin=pod)
        self.own("wait", "pod/database", "--for=condition=Ready", "--timeout=120s")
        at = json.loads(self.own("get", "pod/database", "-o=json"))["status"]["podIP"]
        value = {"database-url": f"postgresql://my_app:hush@{at}/my_app"}
        patch = json.dumps({"stringData": value})
        self.own("patch", "secret", self.name, f"--patch={patch}")

    def rolled_out(self) -> None:
        """Wait until a rollout has ended, which changes who manages what."""
        self.own("rollout", "status", f"deployment/{self.name}", "--timeout=120s")

    def let_go(self, refusal: str) -> None:
        """Type what a refusal says, which makes a field nobody's."""
        fix = refusal.rpartition("type next: ")[2].partition("  (")[0]
        assert self.clone.run(*shlex.split(fix)).code == 0

    def twin(self, folder: Path) -> "Cluster":
        """Return another clone that deploys to the same namespace."""
        found = copy.copy(self)
        root = shutil.copytree(self.clone.root, folder / "twin")
        found.clone = replace(self.clone, root=root)
        return found

    def end(self) -> None:
        kubectl("delete", "namespace", self.name, "--wait=false", check=False)

    def _log_in(self, folder: Path) -> None:
        """Let the clone's kubectl be a deployer and nobody else."""
        found = kubectl("config", "view", "--raw", "--minify", "--flatten", "-o=json")
        config = json.loads(found.stdout)
        account = f"{self.name}-deployer"
        token = self.own("create", "token", account).strip()
        config["users"] = [{"name": "deployer", "user": {"token": token}}]
        cluster = config["clusters"][0]["name"]
        context = {"cluster": cluster, "user": "deployer"}
        config["contexts"] = [{"name": "staging-deployer", "context": context}]
        config["current-context"] = "staging-deployer"
        self.config, self.killed = folder / "kubeconfig", folder / "killed"
        self.other = folder / "other"
        self.config.write_text(json.dumps(config))
        self.log = folder / "requests.log"
        bin = folder / "bin"
        bin.mkdir()
        script = KUBECTL.format(
            kubectl=shutil.which("kubectl"), log=self.log, folder=folder
        )
        (bin / "kubectl").write_text(script)
        (bin / "kubectl").chmod(0o755)
        self.clone.env |= {
            "KUBECONFIG": str(self.config),
            "PATH": f"{bin}{os.pathsep}{self.clone.env['PATH']}",
        }
