#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A small share of `make torture`: some seconds of each harness."""

import os
import subprocess

import lib


@lib.own
def test_crashes_faults_kills_and_power_cuts_lose_nothing():
    run = os.path.join(lib.TOP, "tests", "torture", "run")
    done = subprocess.run([run, "--smoke"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300,
                          env=dict(os.environ, SEED=str(lib.seed("SEED"))))
    text = done.stdout.decode("utf-8", "replace")
    print(text.replace(" passed, ", " of them passed, "))
    if done.returncode != 0:
        raise AssertionError("tests/torture/run --smoke failed")


lib.main(__name__)
