#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Node.js clients: node-redis under RESP2 and RESP3, ioredis.

They are installed with npm into $BUILD/node, once. Without node, npm or a way
to the packages one line says so, and nothing is tested.
"""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402
from lib import equal  # noqa: E402

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node")
FOLDER = os.path.join(lib.BUILD, "node")
NODE_MAJOR_MIN = 18 # node-redis 5 asks for it
INSTALL_SECONDS = 180


def missing():
    """Why the tests cannot run; None: they can."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            return program + " is not installed"
    version = subprocess.run(["node", "--version"], capture_output=True,
                             text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < NODE_MAJOR_MIN:
        return "node %s is too old" % version
    return install()


def install():
    """Brings the packages into FOLDER; why it failed, or None."""
    os.makedirs(FOLDER, exist_ok=True)
    wanted = os.path.join(SCRIPTS, "package.json")
    stamp = os.path.join(FOLDER, "installed.json")
    with open(wanted, "rb") as f:
        packages = f.read()
    if os.path.exists(stamp):
        with open(stamp, "rb") as f:
            if f.read() == packages:
                return None
    shutil.copy(wanted, FOLDER)
    try:
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
             "--no-package-lock", "--no-update-notifier",
             "--fetch-retries=1", "--fetch-timeout=20000"],
            cwd=FOLDER, capture_output=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return "npm did not come to an end"
    if done.returncode:
        return "npm cannot install the clients (no network?)"
    shutil.copy(wanted, stamp)
    return None


def node(script, *arguments):
    """A script's only line; it must succeed and complain about nothing."""
    # Modules are looked for beside the script, so it goes where they are.
    shutil.copy(os.path.join(SCRIPTS, script), FOLDER)
    result = subprocess.run(
        ["node", script] + [str(a) for a in arguments], cwd=FOLDER,
        capture_output=True, timeout=120)
    if result.returncode or result.stderr:
        raise AssertionError("%s: status %d\n%s" % (
            script, result.returncode, result.stderr.decode()))
    return result.stdout.decode()


def test_node_redis_in_resp2(server):
    equal(node("node_redis.js", server.port, 2), "node-redis, RESP2: done\n")


def test_node_redis_in_resp3(server):
    equal(node("node_redis.js", server.port, 3), "node-redis, RESP3: done\n")


def test_ioredis(server):
    equal(node("ioredis.js", server.port), "ioredis: done\n")


if __name__ == "__main__":
    why_not = missing()
    if why_not:
        print("Node.js clients are not tested: " + why_not)
        print("0 passed, 0 failed")
        sys.exit(0)
    lib.main(__name__, ports=range(21530, 21540))
