"""Command lines against a small Hydra application over the same folder of configs: exit code, config on standard output,
first line on standard error, order of the jobs, files of the run directory.

Hydra's side runs in forks of this process, which has Hydra imported already; ours are processes as people start them.
"""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import hydra
import numpy as np
import pytest
import yaml
from hydra.core.hydra_config import HydraConfig
from hydra_differential_test import ROOT, typed_tree
from omegaconf import OmegaConf
from PIL import Image

BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
FILES = {
    "config.yaml": """
        defaults: [_self_, db: mysql, server: apache, optional extra: none]
        steps: 50
        scale: 1.5
        name: run
        tags: [a, b, c]
        nested: {x: 1, y: {z: 2, w: [1, {v: 2}]}}
        ref: ${steps}
        nothing: null
        """,
    "db/mysql.yaml": "driver: mysql\nport: 3306\nuser: ${oc.env:ROUNDTRIP_UNSET,root}\n",
    "db/postgres.yaml": "driver: postgres\nport: 5432\nopts: {a: 1}\n",
    "db/sqlite.yaml": "driver: sqlite\nfile: ':memory:'\n",
    "server/apache.yaml": "defaults: [site: fb, _self_]\nname: apache\nport: 80\n",
    "server/nginx.yaml": "defaults: [site: [fb, google], _self_]\nname: nginx\nport: 8080\n",
    "server/site/fb.yaml": "fb: {domain: facebook.com}\n",
    "server/site/google.yaml": "google: {domain: google.com}\n",
    "experiment/a.yaml": "# @package _global_\ndefaults: [override /db: postgres]\nsteps: 7\nnested: {x: 9}\n",
    "experiment/b.yaml": "# @package _global_\ndefaults: [override /server: nginx, override /db: sqlite]\nname: b\n",
    "must.yaml": "defaults: [config]\nmust: ???\n",
    "choose.yaml": "defaults: [_self_, db: '???']\nsteps: 1\n",
    "order.yaml": "defaults: [override db: mysql, server: apache]\n",
    "selves.yaml": "defaults: [_self_, db: mysql, _self_]\n",
    "map.yaml": "defaults: {db: mysql}\n",
    "absent.yaml": "defaults: [nosuch/file]\n",
    "list.yaml": "[1, 2]\n",
    "broken.yaml": "a: [1, 2\nb: 3\n",
    "twice.yaml": "a: 1\na: 2\n",
    "here.yaml": "defaults: [db@src: mysql, db@dst: postgres, _self_]\n",
    "words.yaml": "defaults: [optioal db: mysql]\n",
    "searched.yaml": "defaults: [_self_, more: one]\nhydra: {searchpath: [file://MORE]}\n",
    "MORE/more/one.yaml": "k: 1\n",
}

COMPOSE = """
| steps=20 | steps=20 name=x | steps=-3 | steps='20' | scale=2 | scale=1e-3 | name=null | name= | name='a b' | name="it's"
| name=a\\,b | name=a\\ b | tags=[] | tags=[1,2.5,x] | tags.0=z | tags.1=null | nested.x=5 | nested.y.z=7 | nested.y.w.1.v=3
| nested={x:2} | nested.y={z:9} | +new=1 | +new.deep.key=[1] | +nested.more={a:1} | ++steps=3 | ++other=4 | ~name | ~nested.y
| ~steps=50 | +tags2=[a,{b:c}] | +nested={q:1} | db=postgres | db=sqlite steps=1 | ~db | ~db=mysql | +db@other=sqlite
| server=nginx | server/site=google | server/site=[google,fb] | ~server/site | +experiment=a | +experiment=b | +experiment=a steps=8
| +experiment=[a] | db=postgres db.opts.a=2 | db=postgres ~db.opts | +db.opts={b:3} | name=${steps} | name=x${steps}y
| name='${db.driver}' | +k=${oc.env:ROUNDTRIP_UNSET,7} | name=\\${x} | +k='${oc.decode:"[1,2]"}' | tags=[${steps},b] | scale=inf | scale=nan
| name=1.2.3 | name=0x1F | name=yes | name=01 | +k=1_000 | steps=1 steps=2 | -cn here | -cn here db@src=sqlite | -cn here src.port=1
| -cn must must=1 | -cn choose db=mysql | -cn searched | hydra.job.name=x steps=3 | --resolve | --resolve name=${db.port} | -p db
| -p nested.y | -p nested.x | -p db db=postgres | --resolve -p db
"""  # separated by ' | '; what stands there is one argument a word

ERRORS = """
| stepz=3 | db.prt=1 | +steps=3 | +db=postgres | ++db=mysql | db=nosuch | experiment=a | db@foo=mysql | ~db=sqlite | ~steps=51
| ~nosuch | foo@bar=x | steps | +steps | steps=1,2 | steps=range(1,3) | hydra.job.name=a,b | steps=[1,2 | steps=foo(1) | a[0]=3
| steps=choice( | name=~/x | tags.9=1 | tags.x=1 | nested={q:1} | nested.x.y.z=1 | -cn nope | -cn choose | -cn order | -cn selves | -cn absent
| -cn list | -cd nosuch | -p nosuch | +k=${ | hydra.foo=1 | server/site=nosuch | ~server=nginx | -cn here db=mysql
| --cfg nosuch | --info nosuch | --resolve=1 | -cn
"""

# Hydra ends in a traceback, or does otherwise than we want (the deviation's number): only the exit code is common.
OUR_OWN = {
    "-cn map": "Invalid defaults list in 'map', defaults must be a list (got mapping)",
    "-cn broken": "broken.yaml:",
    "-cn twice": "found duplicate key a",
    "db=3": "Config group override must be a string or a list. Got int",
    "=3": "Override =3 has no key",
}
OURS_ALONE = {
    "-cn words": "Unknown keyword 'optioal'",  # D6: Hydra says nothing
    "+server/sites=x": "Could not override 'server/sites'.",  # Hydra adds a key of that name, with the slash
}

SWEEPS = """
| steps=1,2 | steps=1,2 db=mysql,postgres | db=mysql,postgres steps=1,2 | steps=range(1,4) | steps=range(3,0,-1) | scale=range(0,1,0.25)
| db=glob(*) | db=glob(*,exclude=s*) | 'db=glob([m*,p*])' | steps=choice(3,1,2) | steps=sort(3,1,2) | steps=sort(3,1,2,reverse=true)
| steps=tag(x,choice(1,2)) | name=a,'b c',d\\,e | tags=[1],[2,3] | nested={x:1},{x:2} | +experiment=a,b | '+experiment=glob([a,b])' | steps=1,2 steps=3,4
| steps=5 name=x,y | ~name steps=1,2 | +new=1,2 ++steps=7 | name=null,1,true,1.5 | server/site=fb,google | -cn choose db=mysql,sqlite
| -cn here db@src=mysql,sqlite db@dst=sqlite,postgres | steps=int('3',4.7) | steps=1
"""


def lines_of(text):
    """The command lines of a table: cells between bars, arguments between blanks that are not quoted or escaped."""
    lines = []
    for cell in text.replace("\n| ", " | ").strip().removeprefix("| ").split(" | "):
        words, quote = [""], ""
        for k, c in enumerate(cell):
            if c in "'\"" and quote in ("", c):
                quote = "" if quote else c
            if c == " " and not quote and cell[k - 1] != "\\":
                words.append("")
            else:
                words[-1] += c
        # Quotes around a whole argument are the shell's.
        lines.append([word[1:-1] if word[:1] == "'" == word[-1:] else word for word in words if word])
    return lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    for name, text in FILES.items():
        path = folder / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = text.replace("MORE", str(folder / "conf/MORE")).splitlines()
        path.write_text("\n".join(line.removeprefix("        ") for line in lines).strip() + "\n")
    return folder


def hydra_app(config_path):
    @hydra.main(version_base="1.3", config_path=str(config_path), config_name="config")
    def app(config):
        of_hydra = HydraConfig.get()
        print(f"---\n# job {of_hydra.job.get('num', 0)}: {' '.join(of_hydra.overrides.task)}")
        print(OmegaConf.to_yaml(config), end="")

    return app


def theirs(folder, words, config_path=None):
    """Hydra's exit code, standard output and standard error, from a fork of this process."""
    out, err = folder / "stdout", folder / "stderr"
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.chdir(folder)
            for descriptor, path in ((1, out), (2, err)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            warnings.simplefilter("ignore")
            sys.argv = ["app.py", *words]
            hydra_app(config_path or folder / "conf")()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, it ends the child
            print(error, file=sys.stderr)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), out.read_text(), err.read_text()


def started(folder, words):
    """Our process, which runs while Hydra's side does."""
    command = [BINARY, "-cp", str(folder / "conf"), *words]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, cwd=folder, **pipes)


def finished(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def ours(folder, words):
    return finished(started(folder, words))


def both(folder, our_words, their_words):
    process = started(folder, our_words)
    answer = theirs(folder, their_words)
    return *finished(process), *answer


def first_line(text):
    return next((line for line in text.splitlines() if line and not line.startswith("warning: ")), "")


QUIET = ["hydra/job_logging=none", "hydra/hydra_logging=none"]


@pytest.mark.parametrize("words", lines_of(COMPOSE), ids=" ".join)
def test_the_config_is_hydras(folder, words):
    line = ["--cfg", "job", *words]
    code, shown, errors, their_code, their_shown, their_errors = both(folder, line, line)
    assert (code, their_code) == (0, 0), errors + their_errors
    if shown.startswith("# @package"):
        assert shown.splitlines()[0] == their_shown.splitlines()[0]
    assert typed_tree(shown) == typed_tree(their_shown)


@pytest.mark.parametrize("words", lines_of(ERRORS), ids=" ".join)
def test_errors_begin_as_hydras(folder, words):
    mode = [] if any(word.startswith("--") for word in words) else ["--cfg", "job"]
    code, _, errors, their_code, _, their_errors = both(folder, [*mode, *words], [*mode, *words])
    assert code == their_code and code in (1, 2), errors + their_errors
    # Of text that does not parse Hydra says first what its grammar met; ours is the override, then the place.
    # Where Hydra crashes (D14) its first line is Python's.
    ours_parses = not first_line(errors).startswith("Error parsing override")
    if code == 1 and ours_parses and not first_line(their_errors).startswith("Traceback"):
        assert first_line(errors) == first_line(their_errors), errors + their_errors
    assert "Traceback" not in errors and "terminate" not in errors


@pytest.mark.parametrize(("line", "first"), [*OUR_OWN.items(), *OURS_ALONE.items()])
def test_errors_that_hydra_has_no_line_for(folder, line, first):
    code, _, errors = ours(folder, ["--cfg", "job", *line.split(" ")])
    assert code == 1 and first in first_line(errors), errors
    if line in OUR_OWN:
        assert theirs(folder, ["--cfg", "job", *line.split(" ")])[0] == 1


def test_a_null_can_be_deleted(folder):
    """D4: Hydra says that it does not exist."""
    code, shown, errors = ours(folder, ["--cfg", "job", "~nothing"])
    assert code == 0, errors
    assert "nothing" not in yaml.safe_load(shown)
    assert theirs(folder, ["--cfg", "job", "~nothing"])[0] == 1


@pytest.mark.parametrize("words", lines_of(SWEEPS), ids=" ".join)
def test_jobs_come_in_hydras_order(folder, words):
    our_line, their_line = ["-m", "--cfg", "job", *words, *QUIET], ["-m", *words, *QUIET]
    code, shown, errors, their_code, their_shown, their_errors = both(folder, our_line, their_line)
    assert (code, their_code) == (0, 0), errors + their_errors
    jobs, their_jobs = shown.split("---\n")[1:], their_shown.split("---\n")[1:]
    assert len(jobs) == len(their_jobs) > 0
    for job, their_job in zip(jobs, their_jobs, strict=True):
        # A deletion that named no value goes on without one; Hydra writes a null behind it.
        assert job.splitlines()[0] == their_job.splitlines()[0].replace("~name=null", "~name")
        assert typed_tree(job) == typed_tree(their_job)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)).save(folder / "p.png")
    return folder


@pytest.mark.parametrize("sweeps", [False, True])
def test_a_run_leaves_hydras_files_and_can_be_replayed(tmp_path, photos, sweeps):
    kind, mode = ("sweep", ["-m"]) if sweeps else ("run", [])
    words = [f"model.path={ROOT}/tests/golden/models/tiny-sd", f"dataset.path={photos}", "metrics=[mse]", "engine.threads=1",
             "steps=2,3" if sweeps else "steps=2", "null_prompt='${seed}'"]  # fmt: skip
    subdir = ["hydra.sweep.subdir='${hydra.job.num}'"] if sweeps else []
    done = subprocess.run([BINARY, *mode, *words, *subdir, f"hydra.{kind}.dir={tmp_path}/ours"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    code, _, errors = theirs(tmp_path, [*mode, *words, *subdir, *QUIET, f"hydra.{kind}.dir={tmp_path}/theirs"], ROOT / "configs")
    assert code == 0, errors
    folders = ["0/.hydra", "1/.hydra"] if sweeps else [".hydra"]
    for folder in folders:
        for name in ("config.yaml", "overrides.yaml"):
            our_text, their_text = ((tmp_path / side / folder / name).read_text() for side in ("ours", "theirs"))
            assert typed_tree(our_text) == typed_tree(their_text), name
        our_hydra, their_hydra = (yaml.safe_load((tmp_path / side / folder / "hydra.yaml").read_text())["hydra"]
                                  for side in ("ours", "theirs"))  # fmt: skip
        assert our_hydra["overrides"]["task"] == their_hydra["overrides"]["task"]
        assert our_hydra["runtime"]["choices"]["method"] == their_hydra["runtime"]["choices"]["method"]
        assert not sweeps or our_hydra["job"]["num"] == their_hydra["job"]["num"]
    assert (tmp_path / "ours/multirun.yaml").exists() == sweeps

    again = subprocess.run([BINARY, "rerun", tmp_path / "ours", f"hydra.{kind}.dir={tmp_path}/again"], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    kept = (tmp_path / "again/.hydra/overrides.yaml").read_text()
    assert yaml.safe_load(kept) == words
    if not sweeps:
        shown = subprocess.run([BINARY, "-cp", tmp_path / "ours/.hydra", "-cn", "config", "--cfg", "job"],
                               capture_output=True, text=True)  # fmt: skip
        assert typed_tree(shown.stdout) == typed_tree((tmp_path / "ours/.hydra/config.yaml").read_text())


def test_bash_completes(tmp_path):
    """In a real bash, which takes words apart at = and puts back what completes."""
    script = """
        eval "$("$1" -sc install=bash)"
        complete -p roundtrip >/dev/null || exit 3
        ask() {
          COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=("$BINARY") COMP_CWORD=1
          _roundtrip
          printf '%s\\n' "${COMPREPLY[*]}"
        }
        BINARY=$1
        ask 'roundtrip ste'
        ask 'roundtrip method=dd'
        ask 'roundtrip -m method=ddim eps_at='
        ask 'roundtrip --cfg j'
    """
    done = subprocess.run(["bash", "-c", script, "bash", str(BINARY)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [["steps="], ["ddim"], ["t", "t-1"], ["job"]]


def test_the_config_as_json(folder):
    code, shown, errors = ours(folder, ["--cfg", "job", "--format", "json"])
    assert code == 0, errors
    assert json.loads(shown)["nested"]["y"]["w"] == [1, {"v": 2}]


def test_the_reference_of_the_keys_is_current():
    """docs/configuration.md holds what `roundtrip reference` prints. To bring it up to date: ROUNDTRIP_UPDATE=1 pytest ..."""
    page = ROOT / "docs/configuration.md"
    begin, end = "<!-- reference: begin -->\n", "<!-- reference: end -->\n"
    head, _, rest = page.read_text().partition(begin)
    held, _, tail = rest.partition(end)
    done = subprocess.run([BINARY, "reference"], capture_output=True, text=True, check=True)
    if os.environ.get("ROUNDTRIP_UPDATE"):
        page.write_text(head + begin + done.stdout + end + tail)
        held = done.stdout
    assert held == done.stdout
